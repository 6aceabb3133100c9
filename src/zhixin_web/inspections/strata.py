"""Strata of a plan, from the measures of a rulebook: who is drawn how often, by grade and class; and the frame of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Q

from zhixin.law.calendar import shift_months
from zhixin.law.nodes import constant
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import MeasureRule
from zhixin.trust.draw import Stratum
from zhixin_web.evaluations.models import HELD, CurrentGrade
from zhixin_web.inspections.models import Task

SCENARIO = "inspection"


@dataclass(frozen=True)
class PlannedStratum:
    """A grade, or a class within it, with its rate and the measure it comes from."""

    id: str
    grade: str
    class_name: str
    num: int
    den: int
    least: int
    visits: int
    """Visits a year for each unit drawn: more than one where the rule says so many times in so many months."""
    measure: str

    def for_draw(self) -> Stratum:
        return Stratum(self.id, self.num, self.den, self.least or None)

    def dump(self) -> dict[str, Any]:
        return dict(vars(self))


def strata_of(rulebook: Rulebook, day: date) -> list[PlannedStratum]:
    """The strata of a rulebook as of a day, from the lightest supervision to the heaviest.

    A rule with a ratio draws that share of the grade. A rule of so many times in so many months draws everybody of its classes.
    """
    ruled = rulebook.at(day)
    rules = [rule for rule in ruled.measures if rule.scenario == SCENARIO and rule.inspect is not None]
    found = []
    for grade in ruled.grade_rank:
        general = [rule for rule in rules if grade in rule.grades and not rule.classes]
        special = [(rule, name) for rule in rules if grade in rule.grades for name in rule.classes]
        found += [_stratum(rule, grade, "") for rule in general[:1]]
        found += [_stratum(rule, grade, name) for rule, name in special]
    return found


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(constant(value))


def _stratum(rule: MeasureRule, grade: str, class_name: str) -> PlannedStratum:
    inspect = rule.inspect
    assert inspect is not None
    ratio, times, months = (_number(value) for value in (inspect.ratio, inspect.times, inspect.per_months))
    share = Fraction(ratio) if ratio is not None else Fraction(1)
    visits = 1
    if times is not None:
        visits = -(-int(times) * 12 // int(months or 12))
    return PlannedStratum(
        f"{grade}:{class_name}" if class_name else grade, grade, class_name, share.numerator, share.denominator,
        1 if share else 0, visits, rule.id,
    )  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """Who may be drawn, by stratum, and who may not, with the reason."""

    units: tuple[tuple[str, str], ...]
    """Credit codes with their strata."""
    excluded: tuple[tuple[int, str], ...]
    """Subjects left out, with the reason."""

    @property
    def sizes(self) -> Counter[str]:
        return Counter(stratum for _, stratum in self.units)


def frame_of(strata: Sequence[PlannedStratum], *, most_visits: int, today: date) -> Frame:
    """The frame of today: everybody graded, less those whose grade is held, or who were inspected as often as a year allows."""
    ids = {item.id for item in strata}
    since = shift_months(today, -12)
    recent = Q(inspected_on__gt=since) | Q(inspected_on=None, draw__drawn_at__date__gt=since)
    tasks = Task.objects.filter(recent).exclude(status=Task.Status.REPLACED)
    visited = Counter(tasks.values_list("subject_id", flat=True))
    units: list[tuple[str, str]] = []
    excluded: list[tuple[int, str]] = []
    rows = CurrentGrade.objects.values_list("subject_id", "subject__code", "in_force", "class_name")
    for subject, code, grade, class_name in rows.iterator(chunk_size=5_000):
        stratum = f"{grade}:{class_name}" if f"{grade}:{class_name}" in ids else grade
        if grade == HELD:
            excluded.append((subject, "等级暂缓，待决定"))
        elif visited[subject] >= most_visits:
            excluded.append((subject, f"一年内已列入检查 {visited[subject]} 次"))
        elif stratum not in ids:
            excluded.append((subject, f"等级「{grade}」没有抽查措施"))
        else:
            units.append((code, stratum))
    return Frame(tuple(sorted(units)), tuple(sorted(excluded)))


def visits_of(strata: Iterable[PlannedStratum], sizes: Counter[str]) -> dict[str, tuple[int, int]]:
    """Units and planned visits of each stratum."""
    return {item.id: (sizes[item.id], item.for_draw().quota(sizes[item.id]) * item.visits) for item in strata}
