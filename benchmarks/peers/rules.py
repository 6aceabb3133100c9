"""What the hand-written peers share: the moments of a run, and the 33 indicators that count records at so many points.

Written by hand from ``rulebooks/zhengzhou-ip/rulebook.yaml``; nothing here imports ``zhixin``. Points are thousandths.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

EVER = date(1900, 1, 1)
NEW_PENALTY_WINDOW = date(2026, 4, 1)  # NDRC order 36: general penalties count 12 months, before 36

Scope = Literal["all", "agency", "cross_border", "not_cross_border", "online_or_cross_border", "online"]


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, held to the end of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Moment:
    """The dates that a run looks back to."""

    as_of: date

    def first(self, months: int) -> date:
        """First day of a window of so many months; 0 is the window of general penalties, -1 has no first day."""
        if months < 0:
            return EVER
        general = 12 if self.as_of >= NEW_PENALTY_WINDOW else 36
        return months_before(self.as_of, months or general) + timedelta(days=1)

    @property
    def month_and_day(self) -> int:
        """The day in the year as 100 m + d; starts on 29 February count from 28 February in common years."""
        is_eve = (self.as_of.month, self.as_of.day) == (2, 28) and not calendar.isleap(self.as_of.year)
        return 229 if is_eve else self.as_of.month * 100 + self.as_of.day

    def anniversary(self, years: int) -> date:
        """The last start that is whole ``years`` back: 29 February has its anniversary on 28 February."""
        start = months_before(self.as_of, 12 * years)
        is_eve = (start.month, start.day) == (2, 28) and calendar.isleap(start.year)
        return start + timedelta(days=1) if is_eve else start


@dataclass(frozen=True)
class Counted:
    """Points for each record of some kinds in a window, held to a limit on the side of ``each``."""

    id: str
    dimension: str
    kinds: tuple[str, ...]
    months: int
    each: int
    limit: int
    severities: tuple[str, ...] = ()
    scope: Scope = "all"
    spared: Literal["", "corrected", "first_offence"] = ""


GENERAL = 0
AGENCY = ("penalty.agency.patent", "penalty.agency.trademark")
PENALTIES = (
    *AGENCY,
    "penalty.trademark.infringement",
    "penalty.patent.counterfeit",
    "penalty.patent.infringement",
    "penalty.trademark.use",
    "penalty.gi.misuse",
    "penalty.unfair",
)
TERM = ("filing.malicious_trademark", *AGENCY, "material.false", "commitment.broken", "refusal.enforcement")
STAINS = (
    *PENALTIES,
    "filing.abnormal_patent",
    "filing.malicious_trademark",
    "list.abnormal",
    "list.serious",
    "judgment.lost",
    "refusal.enforcement",
    "material.false",
    "commitment.broken",
)
SEVERITIES = ("minor", "general", "serious")

COUNTED = (
    Counted("inventions_granted", "creation", ("patent.invention",), 36, 500, 3000),
    Counted("utility_granted", "creation", ("patent.utility",), 36, 100, 1000),
    Counted("designs_granted", "creation", ("patent.design",), 36, 100, 1000),
    Counted("trademarks_registered", "creation", ("trademark.registration",), 60, 100, 1500),
    Counted("madrid_registered", "creation", ("trademark.madrid",), 120, 500, 1000),
    Counted("pledges", "management", ("patent.pledge",), 36, 500, 1500),
    Counted("licences", "management", ("patent.licence",), 36, 300, 1500),
    Counted("renewals", "management", ("trademark.renewal",), 36, 100, 1000),
    Counted("malicious_trademarks", "conduct", ("filing.malicious_trademark",), 12, -6000, -24000),
    Counted(
        "trademark_minor",
        "conduct",
        ("penalty.trademark.infringement",),
        3,
        -1000,
        -3000,
        ("minor",),
        spared="first_offence",
    ),
    Counted("trademark_general", "conduct", ("penalty.trademark.infringement",), GENERAL, -6000, -24000, ("general",)),
    Counted("trademark_serious", "conduct", ("penalty.trademark.infringement",), 36, -15000, -45000, ("serious",)),
    Counted("counterfeit_general", "conduct", ("penalty.patent.counterfeit",), GENERAL, -6000, -24000, ("minor", "general")),
    Counted("counterfeit_serious", "conduct", ("penalty.patent.counterfeit",), 36, -15000, -45000, ("serious",)),
    Counted("patent_infringement", "conduct", ("penalty.patent.infringement",), GENERAL, -4000, -16000),
    Counted("trademark_use", "conduct", ("penalty.trademark.use",), GENERAL, -3000, -12000),
    Counted("gi_misuse", "conduct", ("penalty.gi.misuse",), GENERAL, -5000, -20000),
    Counted("unfair_competition", "conduct", ("penalty.unfair",), GENERAL, -6000, -24000),
    Counted("agency_penalties", "conduct", AGENCY, 12, -8000, -32000, scope="agency"),
    Counted("false_material", "conduct", ("material.false",), 12, -12000, -36000),
    Counted("refusals", "conduct", ("refusal.enforcement",), 12, -15000, -30000),
    Counted("inspection_findings", "conduct", ("inspection.problem",), 24, -2000, -6000, spared="corrected"),
    Counted("inspection_clean", "conduct", ("inspection.clean",), 24, 500, 1000),
    Counted("suits_lost", "protection", ("judgment.lost",), 36, -4000, -16000),
    Counted("suits_won", "protection", ("judgment.won",), 36, 500, 1000),
    Counted("customs_cases", "protection", ("customs.seizure",), 24, -3000, -12000, scope="not_cross_border"),
    Counted("customs_cases_cross_border", "protection", ("customs.seizure",), 24, -4000, -16000, scope="cross_border"),
    Counted("complaints", "protection", ("complaint.upheld",), 12, -1000, -6000, spared="corrected"),
    Counted("platform_sanctions", "online", ("platform.sanction",), 12, -2000, -8000, scope="online_or_cross_border"),
    Counted("false_notices", "online", ("platform.false_notice",), 24, -4000, -12000),
    Counted("commitments", "commitment", ("commitment.signed",), 24, 1000, 2000),
    Counted("commitments_broken", "commitment", ("commitment.broken",), 12, -6000, -18000),
    Counted("honours", "commitment", ("honour.award",), 36, 2000, 4000),
)

DIMENSIONS = {
    "basic": (None, None),
    "creation": (None, 5000),
    "management": (None, 5000),
    "conduct": (-80000, None),
    "protection": (-30000, None),
    "online": (-20000, None),
    "commitment": (None, 8000),
}
"""Smallest and largest points of each dimension."""

FINES = ((5_000_000, -2000), (20_000_000, -5000), (100_000_000, -10000))
DAMAGES = ((10_000_000, -1000), (100_000_000, -4000))
MONTHS = ((3, -5000), (6, -10000))
TAKEDOWNS = ((1, -500), (3, -2000), (10, -5000))
REPORT = ((550, -2000), (915, -4000))
INVENTIONS = ((1, 500), (5, 1000), (20, 1500))
STAFF = ((1, 500), (3, 1000))
AGENCY_GRADES = {"A+": 4000, "A": 2000, "C": -8000, "D": -20000}

ORDER = [
    "address_lost",
    "disclosure_incomplete",
    "report_overdue",
    "inventions_granted",
    "utility_granted",
    "designs_granted",
    "trademarks_registered",
    "madrid_registered",
    "gi_approved",
    "inventions_held",
    "pledges",
    "licences",
    "renewals",
    "maintenance",
    "certified",
    "system",
    "staff",
    "abnormal_filings",
    "malicious_trademarks",
    "trademark_minor",
    "trademark_general",
    "trademark_serious",
    "counterfeit_general",
    "counterfeit_serious",
    "patent_infringement",
    "trademark_use",
    "gi_misuse",
    "unfair_competition",
    "fines",
    "repeated_months",
    "agency_penalties",
    "agency_grade_used",
    "false_material",
    "refusals",
    "abnormal_list",
    "inspection_findings",
    "inspection_clean",
    "controlled_dishonesty",
    "suits_lost",
    "damages",
    "suits_won",
    "customs_cases",
    "customs_cases_cross_border",
    "complaints",
    "takedowns",
    "takedowns_per_shop",
    "platform_sanctions",
    "false_notices",
    "licence_hidden",
    "platform_rules",
    "shops_declared",
    "commitments",
    "commitments_broken",
    "honours",
    "clean_years",
]
"""All 55 indicators in the order of the rulebook, in which contributions are written."""
DIMENSION_OF = {rule.id: rule.dimension for rule in COUNTED} | {
    name: dimension
    for dimension, names in {
        "basic": "address_lost disclosure_incomplete report_overdue",
        "creation": "gi_approved inventions_held",
        "management": "maintenance certified system staff",
        "conduct": "abnormal_filings fines repeated_months agency_grade_used abnormal_list controlled_dishonesty",
        "protection": "damages",
        "online": "takedowns takedowns_per_shop licence_hidden platform_rules shops_declared",
        "commitment": "clean_years",
    }.items()
    for name in names.split()
}
ADJUSTMENTS = ["@1:floor", "@2:ceiling", *(f"@{name}" for name, limits in DIMENSIONS.items() if limits != (None, None))]
"""What the floor, the ceiling and the limits of dimensions take or give; written after the indicators of a subject."""
NAMES = ORDER + ADJUSTMENTS
"""Fewer than 64, so that (subject, name) is one number: 64 subject_no + place."""
START = 80_000
FEN = 100
"""Values in money are written as fen over 100."""

GRADES = ("A", "B", "C", "D")
CUTS = (90_000, 75_000, 60_000)
CLASSES = {
    "patent_owner": "patents_in_force",
    "trademark_user": "trademarks_in_force",
    "gi_user": "is_gi_user",
    "ip_agency": "is_ip_agency",
    "online_operator": "is_online_operator",
    "cross_border": "is_cross_border",
    "logistics": "is_logistics",
}
"""Class n is bit n of the mask: members have at least 1 of the attribute, or a yes. A subject is named by its lowest."""
CLASS_OF_MASK = [None] + [[*CLASSES][(mask & -mask).bit_length() - 1] for mask in range(1, 1 << len(CLASSES))]

DIRECT = ("serious_list", "defaulter")
CAPS = ("", "abnormal_operations", "newly_established", "under_management")
CAP_RANKS = (0, 1, 1, 2)


class Decided(NamedTuple):
    """The grade columns of a state."""

    ladder_grade: str
    grade: str
    step: str
    acted: str


def decided(cut: int, cap: int, shift: int, direct: int, deregistered: int) -> Decided:
    """What the decisions make of the rank by score, the strongest cap, the steps down, and the bits of direct D."""
    if deregistered:
        return Decided(GRADES[cut], "N", "exclude:deregistered", "exclude:deregistered")
    if direct:
        fired = [f"direct:{name}" for bit, name in enumerate(DIRECT) if direct >> bit & 1]
        return Decided(GRADES[cut], "D", fired[0], "|".join(fired))
    rank, acted = cut, []
    if CAP_RANKS[cap] > rank:
        rank = CAP_RANKS[cap]
        acted.append(f"cap:{CAPS[cap]}")
    if min(rank + shift, 3) > rank:
        rank = min(rank + shift, 3)
        acted.append("shift:grave_effect")
    return Decided(GRADES[cut], GRADES[rank], acted[-1] if acted else "cut", "|".join(acted))


STATES = [
    decided(cut, cap, shift, direct, deregistered)
    for deregistered in range(2)
    for direct in range(4)
    for shift in range(3)
    for cap in range(4)
    for cut in range(4)
]
"""Every state by number: cut + 4 cap + 16 shift + 48 direct + 192 deregistered."""
