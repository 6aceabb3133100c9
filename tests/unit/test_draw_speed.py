"""200,000 units: frame, tickets, picks and teams in three seconds of CPU."""

from __future__ import annotations

from datetime import date, datetime

from machine import least_seconds
from zhixin.trust.draw import BEIJING, Inspector, Proposal, Stratum, commit, draw
from zhixin.trust.draw.public_numbers import PublicSource

SECONDS = 3.0
SIZES, RATES = (120_000, 60_000, 17_000, 3_000), ((1, 100), (3, 100), (25, 100), (60, 100))
"""The shares of an illustrative city, and the ratios of 新郑 (law digest K6)."""
NUMBERS = [[3, 8, 11, 14, 19, 22, 27, 30, 33, 41, 44, 46, 52, 55, 58, 61, 66, 70, 73, 80]]


def test_two_hundred_thousand_units_are_drawn_in_three_seconds() -> None:
    frame = [
        (f"91{number:016d}", "ABCD"[tier])
        for tier, size in enumerate(SIZES)
        for number in range(tier * 10**6, tier * 10**6 + size)
    ]
    people = [Inspector(f"INS{number:03d}", "410100", date(2030, 1, 1)) for number in range(60)]
    proposal = Proposal(
        draw_id="speed", basis="test", frozen_at=datetime(2026, 11, 30, 9, tzinfo=BEIJING),
        strata=[Stratum("ABCD"[tier], *rate) for tier, rate in enumerate(RATES)],
        sources=[PublicSource("kl8", "2026324", date(2026, 12, 2))], frame=frame, inspectors=people, conflicts=[], k=2, cap=1_000,
    )  # fmt: skip
    drawn: list[int] = []
    seconds = least_seconds(
        lambda: drawn.append(len(draw(commit(proposal, lambda unit: True), NUMBERS)["assignment"])), SECONDS
    )
    assert set(drawn) == {1_200 + 1_800 + 4_250 + 1_800}
    assert seconds < SECONDS
