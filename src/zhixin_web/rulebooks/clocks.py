"""The working-day clock and the deadlines of the law, from dated tables in ``sources/``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import yaml

from zhixin.dataset.sources import source_folder
from zhixin.errors import UsageError
from zhixin.law.calendar import WorkingDays

WEEKDAYS = WorkingDays(frozenset(), frozenset(), date.max)
"""Monday to Friday, for years whose holidays are not known."""


@dataclass(frozen=True)
class Clock:
    """A deadline as it runs: how many days, of which kind, on whose word, and when it ends."""

    title: dict[str, str]
    days: int
    unit: str
    source: str
    is_verified: bool
    due_on: date
    counted: tuple[date, ...]


@cache
def working_days() -> WorkingDays:
    """The calendar of ``sources/working_days.yaml``."""
    years = yaml.safe_load((source_folder() / "working_days.yaml").read_text(encoding="utf-8"))
    return WorkingDays(
        frozenset(day for year in years for day in year["holidays"]),
        frozenset(day for year in years for day in year["worked"]),
        date(max(year["year"] for year in years), 12, 31),
        date(min(year["year"] for year in years), 1, 1),
    )


@cache
def _deadlines() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load((source_folder() / "deadlines.yaml").read_text(encoding="utf-8")))


def clock(name: str, start: date) -> Clock:
    """The deadline ``name`` of an act that began on ``start``.

    Raises:
        KeyError: no such deadline, or none in force on that day.
    """
    fitting = [item for item in _deadlines() if item["id"] == name and item["from"] <= start]
    if not fitting:
        raise KeyError(name)
    rule = max(fitting, key=lambda item: item["from"])
    source, is_verified = rule["source"], rule["verified"]
    if rule["unit"] != "working":
        counted: tuple[date, ...] = (start + timedelta(days=rule["days"]),)
    else:
        try:
            counted = working_days().counted(start, rule["days"])
        except UsageError:  # the year's holidays are not known yet: weekdays, and said to be so; never an empty page
            counted = WEEKDAYS.counted(start, rule["days"])
            source, is_verified = f"{source}；放假安排尚未公布，暂按周一至周五计算", False
    return Clock(rule["title"], rule["days"], rule["unit"], source, is_verified, counted[-1], counted)


def days_left(today: date, due_on: date) -> int:
    """Working days left; negative when overdue."""
    try:
        return working_days().left(today, due_on)
    except UsageError:
        return WEEKDAYS.left(today, due_on)
