"""Dates as the rulebooks count them: whole days, whole months, calendar years.

Windows look back from the evaluation date and are half-open at the far end: a window of 12 months on 2026-11-24
holds 2025-11-25 … 2026-11-24. Month arithmetic clamps to the last day (31 January + 1 month = 28 or 29 February),
as DuckDB and Spark do.
"""

from __future__ import annotations

import calendar as _calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from zhixin.reference.holidays import announced_years, presumed_days_off

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)


def shift_months(day: date, months: int) -> date:
    """The same day ``months`` later (earlier if negative), clamped to the end of the month."""
    month_index = day.year * 12 + day.month - 1 + months
    year, month = divmod(month_index, 12)
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, _calendar.monthrange(year, month + 1)[1]))


def shift_days(day: date, days: int) -> date:
    """``days`` later, held inside the range of :class:`datetime.date`."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.min if days < 0 else date.max


def full_years(start: date, end: date) -> int:
    """Whole years from ``start`` to ``end``; 29 February has its anniversary on 28 February. Never negative."""
    years = end.year - start.year
    if years > 0 and shift_months(start, 12 * years) > end:
        years -= 1
    return max(years, 0)


def latest_start(end: date, years: int) -> date | None:
    """The last day from which ``years`` full years had passed on ``end`` (see :func:`full_years`); ``None``: no day."""
    if years <= 0:
        return end
    if end.year - years < 1:
        return None
    start = shift_months(end, -12 * years)
    is_eve = (start.month, start.day) == (2, 28) and _calendar.isleap(start.year) and not _calendar.isleap(end.year)
    return shift_days(start, 1) if is_eve else start


def first_of_month(day: date, back: int = 0) -> date:
    """The first day of the month ``back`` months before the month of ``day``."""
    return shift_months(day.replace(day=1), -back)


@dataclass(frozen=True)
class WorkingDays:
    """The working-day clock (工作日): weekends and holidays are not counted, weekend days worked instead are.

    A day of an announced year is sure. A day of any other year is presumed (推算) from weekends and the statutory days
    of :mod:`zhixin.reference.holidays`; :meth:`is_presumed` says so, and whoever shows a date must say it too.

    Args:
        holidays: days off of the announced years, on weekdays or weekends.
        worked: weekend days that are worked in exchange (调休).
        years: the announced years.
    """

    holidays: frozenset[date]
    worked: frozenset[date]
    years: frozenset[int]

    def is_presumed(self, day: date) -> bool:
        """Whether the year of a day has not been announced."""
        return day.year not in self.years

    def is_working(self, day: date) -> bool:
        """Whether a day is worked."""
        if self.is_presumed(day):
            return day.weekday() < 5 and day not in presumed_days_off(day.year)
        return day in self.worked or (day.weekday() < 5 and day not in self.holidays)

    def not_on_a_day_off(self, day: date) -> date:
        """Return the day, or the first working day after it: a term does not end on a day off (民法典 203)."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def left(self, today: date, due: date) -> int:
        """Return the working days that remain after ``today`` up to ``due``; negative once it has passed, also over a weekend."""
        first, last = (today, due) if today <= due else (due, today)
        between = sum(self.is_working(first + timedelta(days=number)) for number in range(1, (last - first).days + 1))
        return between if today <= due else -max(between, 1)


@cache
def working_days() -> WorkingDays:
    """Return the clock of the announced years."""
    years = announced_years()
    return WorkingDays(
        frozenset(day for item in years.values() for day in item.holidays),
        frozenset(day for item in years.values() for day in item.worked),
        frozenset(years),
    )
