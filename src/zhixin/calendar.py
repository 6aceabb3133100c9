"""Dates as the rulebooks count them: whole days, whole months, calendar years.

Windows look back from the evaluation date and are half-open at the far end: a window of 12 months on 2026-11-24
holds 2025-11-25 … 2026-11-24. Month arithmetic clamps to the last day (31 January + 1 month = 28 or 29 February),
as DuckDB and Spark do.
"""

from __future__ import annotations

import calendar as _calendar
from datetime import date, timedelta

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


def first_of_month(day: date, back: int = 0) -> date:
    """The first day of the month ``back`` months before the month of ``day``."""
    return shift_months(day.replace(day=1), -back)
