"""The end of a term: first day, month ends, days off at the end, suspension, years that are not announced."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from examples import examples
from zhixin.cli.app import app
from zhixin.errors import UsageError
from zhixin.law.calendar import working_days
from zhixin.law.reckoning_of_terms import UNITS, Suspension, reckon

DAY = date.fromisoformat


@pytest.mark.parametrize(
    ("start", "number", "unit", "due", "moved_from"),
    [
        ("2026-09-18", 10, "working", "2026-10-09", None),  # 20 September is worked, 1-7 October are off
        ("2026-09-30", 1, "working", "2026-10-08", None),
        ("2026-10-09", 1, "working", "2026-10-10", None),  # a Saturday worked in exchange
        ("2026-09-16", 15, "calendar", "2026-10-08", "2026-10-01"),  # law.md K2
        ("2026-09-15", 15, "calendar", "2026-09-30", None),
        ("2026-09-22", 15, "calendar", "2026-10-08", "2026-10-07"),
        ("2026-09-23", 15, "calendar", "2026-10-08", None),
        ("2026-11-26", 2, "calendar", "2026-11-30", "2026-11-28"),  # a Saturday
        ("2026-01-31", 1, "month", "2026-02-28", None),  # no 31 February; a Saturday that is worked in 2026
        ("2027-01-31", 1, "month", "2027-03-01", "2027-02-28"),
        ("2024-02-29", 1, "year", "2025-02-28", None),
        ("2023-02-28", 1, "year", "2024-02-28", None),
        ("2026-04-01", 6, "month", "2026-10-08", "2026-10-01"),
        ("2026-12-31", 1, "working", "2027-01-04", None),
    ],
)
def test_a_term_ends_as_the_statutes_count(start: str, number: int, unit: str, due: str, moved_from: str | None) -> None:
    found = reckon(DAY(start), number, unit)
    assert (found.due_on.isoformat(), found.moved_from and found.moved_from.isoformat()) == (due, moved_from)


@pytest.mark.parametrize(
    ("unit", "suspension", "due"),
    [
        ("working", ("2026-09-22", "2026-09-29"), "2026-10-15"),
        ("working", ("2026-09-19", "2026-09-19"), "2026-10-09"),  # a Saturday off: nothing moves
        ("working", ("2026-09-18", "2026-09-18"), "2026-10-09"),  # the day of the act does not count anyway
        ("working", ("2026-10-09", "2026-10-09"), "2026-10-10"),  # the last day itself
        ("working", ("2026-10-10", "2026-10-31"), "2026-10-09"),  # after the end
        ("calendar", ("2026-09-20", "2026-09-21"), "2026-09-30"),
        ("month", ("2026-10-17", "2026-10-18"), "2026-10-20"),
    ],
)
def test_a_suspension_moves_the_end_by_the_days_it_takes(unit: str, suspension: tuple[str, str], due: str) -> None:
    number = {"working": 10, "calendar": 10, "month": 1}[unit]
    interval = Suspension(*map(DAY, suspension))
    assert reckon(DAY("2026-09-18"), number, unit, [interval]).due_on.isoformat() == due


def test_a_last_day_moved_over_a_holiday_does_not_rest_on_a_suspended_day() -> None:
    found = reckon(DAY("2026-09-21"), 10, "calendar", [Suspension(DAY("2026-10-08"), DAY("2026-10-09"))])
    assert (found.moved_from, found.due_on) == (DAY("2026-10-01"), DAY("2026-10-10"))


@pytest.mark.parametrize(
    ("number", "unit", "suspensions", "said"),
    [
        (0, "working", [], "1 to"),
        (-1, "calendar", [], "1 to"),
        (99_999, "working", [], "1 to"),
        (1, "days", [], "unknown unit"),
        (1, "working", [("2026-02-02", "2026-02-01")], "ends before it begins"),
        (1, "working", [("2026-02-02", "2026-02-05"), ("2026-02-05", "2026-02-06")], "overlap"),
    ],
)
def test_what_no_statute_says_is_refused(number: int, unit: str, suspensions: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        reckon(DAY("2026-02-01"), number, unit, [Suspension(*map(DAY, pair)) for pair in suspensions])


@pytest.mark.parametrize(("start", "presumed", "said"), [("2026-11-01", False, "2026年"), ("2027-04-28", True, "推算"), ("2026-12-28", True, "推算"), ("2090-01-01", True, "仅按周末")])  # fmt: skip
def test_a_year_that_is_not_announced_is_presumed_and_says_so(start: str, presumed: bool, said: str) -> None:
    found = reckon(DAY(start), 5, "working")
    assert found.is_presumed is presumed
    assert said in found.years[-1].source.zh


@examples(300, in_test=150)
@given(
    start=st.dates(date(2021, 1, 1), date(2030, 12, 31)),
    number=st.integers(1, 120),
    unit=st.sampled_from(UNITS[:3]),
    gap=st.integers(0, 200),
    length=st.integers(0, 40),
)
def test_every_term_keeps_what_defines_it(start: date, number: int, unit: str, gap: int, length: int) -> None:
    number = min(number, 24) if unit == "month" else number
    suspension = Suspension(start + timedelta(gap), start + timedelta(gap + length))
    plain, stopped = reckon(start, number, unit), reckon(start, number, unit, [suspension])
    clock = working_days()
    assert start < plain.due_on <= stopped.due_on
    for found in (plain, stopped):
        assert clock.is_working(found.due_on)
        assert start not in found.counted
        assert len(found.counted) == (1 if unit == "month" else number)
        assert found.due_on - timedelta(15) <= found.counted[-1] <= found.due_on
    if unit != "month":
        assert not any(suspension.covers(day) for day in stopped.counted)


def test_the_command_prints_date_days_and_source() -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["deadline", *arguments], env={"ZHIXIN_LANG": "en"})

    done = run("2026-09-18", "10", "--unit", "working", "--suspend", "2026-09-22..2026-09-29")
    assert done.exit_code == 0
    assert all(
        word in done.stdout for word in ("due on 2026-10-15", "2026-09-30 2026-10-08", "suspended", "2026年部分节假日安排")
    )
    assert "(presumed)" in run("2027-04-28", "3", "--unit", "working").stdout
    for wrong in (("2026-02-30", "1", "--unit", "working"), ("2026-02-01", "1", "--unit", "days"), ("2026-02-01", "1", "--unit", "working", "--suspend", "2026-02-03"), ("1800-01-01", "1", "--unit", "working")):  # fmt: skip
        assert isinstance(run(*wrong).exception, UsageError), wrong
