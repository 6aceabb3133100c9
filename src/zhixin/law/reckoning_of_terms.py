"""Reckons the end of a term as the statutes count (民法典 200–204; which days count is said by each statute, ``law.md`` K1, K2).

The day of the act is not counted. Working days skip weekends and holidays; calendar days, months and years run through them, but a
last day that is a day off moves to the next working day. While a term is suspended no day of it counts. Nothing is raised for a
day beyond the announced calendar: it is reckoned on weekends and statutory days, and the answer says so (推算).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, get_args

from zhixin.errors import Message, UsageError
from zhixin.law.calendar import WorkingDays, shift_months, working_days
from zhixin.reference.holidays import announced_years, statutory_days

Unit = Literal["working", "calendar", "month", "year"]
UNITS: tuple[str, ...] = get_args(Unit)
MOST = {"working": 2_500, "calendar": 3_650, "month": 240, "year": 30}
"""Longer terms are a slip of the pen: the longest of the statutes is twenty years."""


@dataclass(frozen=True, order=True)
class Suspension:
    """Days, both ends included, on which a term is suspended."""

    first: date
    last: date

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class YearSource:
    """On whose word the days off of a year are known."""

    year: int
    source: Message
    is_presumed: bool


@dataclass(frozen=True)
class Reckoned:
    """A term as it was reckoned."""

    start: date
    number: int
    unit: str
    due_on: date
    counted: tuple[date, ...]
    """The days that count, in order; of months and years the last day alone."""
    skipped: tuple[tuple[date, Message], ...]
    """Days between start and end that do not count, with the reason."""
    moved_from: date | None
    """The last day before it was moved over a day off."""
    years: tuple[YearSource, ...]

    @property
    def is_presumed(self) -> bool:
        """Whether a year that the answer depends on has not been announced."""
        return any(item.is_presumed for item in self.years)


def reckon(
    start: date, number: int, unit: str, suspensions: Sequence[Suspension] = (), calendar: WorkingDays | None = None
) -> Reckoned:
    """Reckon the end of a term that begins with an act on ``start``.

    Args:
        start: day of the act; it does not count.
        number: of units.
        unit: ``working``, ``calendar``, ``month`` or ``year``.
        suspensions: intervals that do not overlap.
        calendar: the working-day clock; that of the announced years by default.

    Raises:
        UsageError: an unknown unit, a number that no statute has, or suspensions that overlap or end before they begin.
    """
    _check(number, unit, suspensions)
    clock = calendar or working_days()
    if unit in ("working", "calendar"):
        counted, skipped = _days(start, number, suspensions, clock if unit == "working" else None)
    else:
        last, skipped = _same_day_later(start, number * (12 if unit == "year" else 1), suspensions)
        counted = (last,)
    due_on = _moved(counted[-1], suspensions, clock)
    moved_from = None if due_on == counted[-1] else counted[-1]
    first = start + timedelta(days=1) if unit == "working" else counted[-1]
    years = tuple(_source(year) for year in range(first.year, due_on.year + 1))
    return Reckoned(start, number, unit, due_on, counted, skipped, moved_from, years)


def _moved(last: date, suspensions: Sequence[Suspension], clock: WorkingDays) -> date:
    """Move a last day off to the next working day on which the term is not suspended."""
    day = clock.not_on_a_day_off(last)
    while day != last and any(item.covers(day) for item in suspensions):
        day = clock.not_on_a_day_off(day + timedelta(days=1))
    return day


def _check(number: int, unit: str, suspensions: Sequence[Suspension]) -> None:
    if unit not in UNITS:
        raise UsageError(
            f"不认识的单位「{unit}」（可用：{'、'.join(UNITS)}）", f"unknown unit {unit!r} ({', '.join(UNITS)})"
        )
    if not 1 <= number <= MOST[unit]:
        raise UsageError(f"期限应为 1 至 {MOST[unit]} 个单位", f"a term has 1 to {MOST[unit]} units of this kind")
    for item in suspensions:
        if item.last < item.first:
            raise UsageError(
                f"中止 {item.first}..{item.last} 的结束早于开始",
                f"the suspension {item.first}..{item.last} ends before it begins",
            )
    for one, other in pairwise(sorted(suspensions)):
        if other.first <= one.last:
            raise UsageError(
                f"中止 {one.first}..{one.last} 与 {other.first}..{other.last} 重叠",
                f"the suspensions {one.first}..{one.last} and {other.first}..{other.last} overlap",
            )


_SUSPENDED = Message("中止", "suspended")
_WEEKEND = Message("周末", "weekend")
_HOLIDAY = Message("节假日", "holiday")


Skipped = tuple[tuple[date, Message], ...]


def _days(
    start: date, number: int, suspensions: Sequence[Suspension], clock: WorkingDays | None
) -> tuple[tuple[date, ...], Skipped]:
    """The days that count, and those between that do not; without a clock weekends and holidays count too."""
    found: list[date] = []
    skipped: list[tuple[date, Message]] = []
    day = start
    while len(found) < number:
        day += timedelta(days=1)
        reason = _reason_to_skip(day, suspensions, clock)
        if reason is None:
            found.append(day)
        else:
            skipped.append((day, reason))
    return tuple(found), tuple(skipped)


def _reason_to_skip(day: date, suspensions: Sequence[Suspension], clock: WorkingDays | None) -> Message | None:
    if any(item.covers(day) for item in suspensions):
        return _SUSPENDED
    if clock is None or clock.is_working(day):
        return None
    return _WEEKEND if day.weekday() >= 5 and day not in clock.holidays else _HOLIDAY


def _same_day_later(start: date, months: int, suspensions: Sequence[Suspension]) -> tuple[date, Skipped]:
    """The corresponding day after some months, and a day later for each suspended one before it."""
    due, day = shift_months(start, months), start
    skipped: list[tuple[date, Message]] = []
    while day < due:
        day += timedelta(days=1)
        if any(item.covers(day) for item in suspensions):
            skipped.append((day, _SUSPENDED))
            due += timedelta(days=1)
    return due, tuple(skipped)


def _source(year: int) -> YearSource:
    announced = announced_years().get(year)
    if announced is not None:
        note = "" if announced.is_verified else "（未核对）"
        return YearSource(
            year, Message(announced.source + note, announced.source + (" (not compared)" if note else "")), False
        )
    if year in statutory_days():
        words = Message(
            "国务院尚未公布，按周末和《全国年节及纪念日放假办法》推算",
            "not announced: presumed from weekends and statutory days",
        )
        return YearSource(year, words, True)
    return YearSource(
        year, Message("年份超出已知日历，仅按周末推算", "beyond the known calendar: presumed from weekends alone"), True
    )
