"""Public holidays: the years that the State Council has announced, and the statutory days of the years it has not.

The announced years come from the yearly notices (``holidays.yaml``). For other years up to 2050 ``statutory_days.csv``
holds the thirteen statutory days of 《全国年节及纪念日放假办法》 (as revised in 2024); one that falls on a weekend is
made up for on the next working day. Weekend days worked in exchange are only known once they are announced.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

import yaml

HERE = files("zhixin.reference")


@dataclass(frozen=True)
class HolidayYear:
    """One announced year: its notice, whether a person compared it, days off, weekend days worked in exchange (调休)."""

    year: int
    source: str
    is_verified: bool
    holidays: frozenset[date]
    worked: frozenset[date]


@cache
def announced_years() -> dict[int, HolidayYear]:
    """Return the announced years by number."""
    content = yaml.safe_load((HERE / "holidays.yaml").read_text(encoding="utf-8"))
    return {
        item["year"]: HolidayYear(
            item["year"], item["source"], item["verified"], frozenset(item["holidays"]), frozenset(item["worked"])
        )
        for item in content
    }


@cache
def statutory_days() -> dict[int, tuple[date, ...]]:
    """Return the statutory days of each year, as they fall."""
    found: dict[int, list[date]] = {}
    with (HERE / "statutory_days.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["day"])
            found.setdefault(day.year, []).append(day)
    return {year: tuple(sorted(days)) for year, days in found.items()}


@cache
def presumed_days_off(year: int) -> frozenset[date]:
    """Return the days off of a year that is not announced: statutory days, and those in lieu of weekend ones.

    Empty for a year the table does not hold: then weekends alone are known.
    """
    statutory = statutory_days().get(year, ())
    taken = set(statutory)
    for day in statutory:
        if day.weekday() >= 5:
            lieu = day + timedelta(days=1)
            while lieu in taken or lieu.weekday() >= 5:
                lieu += timedelta(days=1)
            taken.add(lieu)
    return frozenset(taken)
