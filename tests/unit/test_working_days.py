"""The working-day clock: weekends, holidays, exchanged days, pauses, and years that are not announced."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import chinese_calendar
import holidays
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zhixin.law.calendar import WorkingDays, working_days
from zhixin.law.reckoning_of_terms import Suspension, reckon
from zhixin.reference.holidays import presumed_days_off, statutory_days

ONE_DAY = timedelta(1)
PLAIN = WorkingDays(frozenset(), frozenset(), frozenset({2026}))
"""Weekends only, in 2026. 2026-06-01 is a Monday."""
EXAMPLES = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def day(text: str) -> date:
    return date.fromisoformat(text)


def years() -> list[dict[str, Any]]:
    file = files("zhixin.reference") / "holidays.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


# --- which days are worked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "worked"),
    [("2026-06-05", True), ("2026-06-06", False), ("2026-06-07", False), ("2026-06-08", True)],
)
def test_saturday_and_sunday_are_not_worked(text: str, worked: bool) -> None:
    assert PLAIN.is_working(day(text)) is worked


def test_a_holiday_on_a_weekday_is_not_worked() -> None:
    calendar = WorkingDays(frozenset({day("2026-06-03")}), frozenset(), frozenset({2026}))
    assert [calendar.is_working(day(text)) for text in ("2026-06-02", "2026-06-03", "2026-06-04")] == [True, False, True]


def test_a_weekend_day_worked_in_exchange_is_worked() -> None:
    calendar = WorkingDays(frozenset(), frozenset({day("2026-06-06")}), frozenset({2026}))
    assert [calendar.is_working(day(text)) for text in ("2026-06-06", "2026-06-07")] == [True, False]


@pytest.mark.parametrize(("text", "presumed"), [("2026-12-31", False), ("2027-01-01", True), ("2025-12-31", True)])
def test_a_day_of_a_year_that_is_not_announced_is_said_to_be_presumed(text: str, presumed: bool) -> None:
    assert PLAIN.is_presumed(day(text)) is presumed


def due_on(calendar: WorkingDays, start: date, days: int) -> date:
    return reckon(start, days, "working", calendar=calendar).due_on


# --- counting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-06-01", 1, "2026-06-02"),
        ("2026-06-01", 4, "2026-06-05"),
        ("2026-06-01", 5, "2026-06-08"),
        ("2026-06-05", 1, "2026-06-08"),
        ("2026-06-06", 1, "2026-06-08"),
        ("2026-06-07", 1, "2026-06-08"),
        ("2026-06-07", 5, "2026-06-12"),
    ],
)
def test_the_day_of_the_act_is_not_counted_nor_are_weekends(start: str, days: int, due: str) -> None:
    assert due_on(PLAIN, day(start), days) == day(due)


def test_the_counted_days_are_told_in_order() -> None:
    calendar = WorkingDays(frozenset({day("2026-06-08")}), frozenset({day("2026-06-06")}), frozenset({2026}))
    counted = [day("2026-06-05"), day("2026-06-06"), day("2026-06-09")]
    assert list(reckon(day("2026-06-04"), 3, "working", calendar=calendar).counted) == counted


@pytest.mark.parametrize(("days", "due"), [(3, "2026-12-30"), (4, "2026-12-31")])
def test_a_deadline_up_to_the_end_of_the_table_is_counted(days: int, due: str) -> None:
    assert due_on(PLAIN, day("2026-12-25"), days) == day(due)


def test_a_deadline_beyond_the_announced_years_counts_statutory_days_as_off() -> None:
    """1 January 2027 is a Friday and a statutory day: the fifth working day after Christmas is Monday 4 January."""
    assert due_on(PLAIN, day("2026-12-25"), 5) == day("2027-01-04")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2026-10-01", "2026-10-08"),  # 15 days from 16 September (民法典 203)
        ("2026-10-10", "2026-10-10"),  # a Saturday worked in exchange
        ("2026-10-11", "2026-10-12"),
        ("2026-10-12", "2026-10-12"),
    ],
)
def test_a_term_that_would_end_on_a_day_off_ends_on_the_next_working_day(text: str, due: str) -> None:
    assert working_days().not_on_a_day_off(day(text)) == day(due)


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([], "2026-06-08"),
        ([("2026-06-03", "2026-06-03")], "2026-06-09"),
        ([("2026-06-03", "2026-06-04")], "2026-06-10"),
        ([("2026-06-06", "2026-06-07")], "2026-06-08"),
        ([("2026-06-01", "2026-06-01")], "2026-06-08"),
    ],
)
def test_days_of_a_pause_are_not_counted(pauses: list[tuple[str, str]], due: str) -> None:
    given_ = [Suspension(day(first), day(last)) for first, last in pauses]
    assert reckon(day("2026-06-01"), 5, "working", given_, PLAIN).due_on == day(due)


@pytest.mark.parametrize(
    ("today", "left"),
    [
        ("2026-06-04", 2),
        ("2026-06-05", 1),
        ("2026-06-06", 1),
        ("2026-06-07", 1),
        ("2026-06-08", 0),
        ("2026-06-09", -1),
        ("2026-06-12", -4),
        ("2026-06-15", -5),
    ],
)
def test_days_left_fall_to_nothing_on_the_day_and_below_it_when_overdue(today: str, left: int) -> None:
    assert PLAIN.left(day(today), day("2026-06-08")) == left


@pytest.mark.parametrize("today", ["2026-06-06", "2026-06-07"])
def test_a_deadline_that_passed_on_friday_is_overdue_at_the_weekend(today: str) -> None:
    assert PLAIN.left(day(today), day("2026-06-05")) < 0


DAYS = st.dates(date(2026, 1, 1), date(2026, 6, 30))
SETS = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=30)


@EXAMPLES
@given(start=DAYS, days=st.integers(1, 60), off=SETS, worked=SETS)
def test_exactly_so_many_working_days_lie_after_the_act_up_to_the_due_day(
    start: date, days: int, off: frozenset[date], worked: frozenset[date]
) -> None:
    calendar = WorkingDays(off, worked, frozenset({2026}))
    due = due_on(calendar, start, days)
    between = [start + timedelta(number) for number in range(1, (due - start).days + 1)]
    assert sum(calendar.is_working(item) for item in between) == days
    assert calendar.is_working(due)
    assert calendar.left(start, due) == days
    assert calendar.left(due, start) == -days


@EXAMPLES
@given(start=DAYS, first=st.integers(1, 20), second=st.integers(1, 20), off=SETS, worked=SETS)
def test_a_term_counted_in_two_parts_ends_on_the_same_day(
    start: date, first: int, second: int, off: frozenset[date], worked: frozenset[date]
) -> None:
    calendar = WorkingDays(off, worked, frozenset({2026}))
    assert due_on(calendar, due_on(calendar, start, first), second) == due_on(calendar, start, first + second)


# --- the announced years, and those that are not ------------------------------------------------------------------


def test_years_follow_one_another_each_with_source_and_flag() -> None:
    numbers = [year["year"] for year in years()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for year in years():
        assert year["source"].strip(), year["year"]
        assert year["verified"] in (True, False), year["year"]


def test_every_day_of_a_table_lies_in_its_year_and_is_written_once() -> None:
    for year in years():
        days = [*year["holidays"], *year["worked"]]
        assert {item.year for item in days} == {year["year"]}
        assert [item for item, times in Counter(days).items() if times > 1] == []


def test_days_worked_in_exchange_lie_on_weekends() -> None:
    exchanged = [item for year in years() for item in year["worked"]]
    assert exchanged
    assert [item for item in exchanged if item.weekday() < 5] == []


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024, 2025, 2026])
def test_every_day_of_the_announced_years_agrees_with_two_packages(year: int) -> None:
    other = holidays.country_holidays("CN", years=year)
    for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        today = date(year, 1, 1) + timedelta(number)
        ours = working_days().is_working(today)
        assert ours == chinese_calendar.is_workday(today), today
        assert ours == other.is_working_day(today), today


@pytest.mark.parametrize(
    "text",
    ["2027-01-01", "2027-02-05", "2027-02-08", "2027-02-09", "2027-02-10", "2027-04-05", "2027-05-03", "2027-05-04",
     "2027-06-09", "2027-09-15", "2027-10-01", "2027-10-04", "2027-10-05"],
)  # fmt: skip
def test_statutory_days_and_their_days_in_lieu_are_off_in_2027(text: str) -> None:
    assert not working_days().is_working(day(text))
    assert working_days().is_presumed(day(text))


@pytest.mark.parametrize("text", ["2027-02-04", "2027-02-11", "2027-05-05", "2027-10-06"])
def test_the_day_after_the_days_in_lieu_is_worked(text: str) -> None:
    assert working_days().is_working(day(text))


@pytest.mark.parametrize("year", [2027, 2030, 2040, 2050])
def test_a_year_ahead_has_thirteen_statutory_days_made_up_for_where_they_fall_on_weekends(year: int) -> None:
    statutory = statutory_days()[year]
    assert len(set(statutory)) in (12, 13)  # the moon festival may fall on 1 October
    off = presumed_days_off(year)
    assert set(statutory) <= off
    lieu = sum(item.weekday() >= 5 for item in statutory)
    assert len(off) == len(set(statutory)) + lieu
    assert all(item.weekday() < 5 for item in off - set(statutory))


@pytest.mark.parametrize("year", [1990, 2060])
def test_a_year_that_no_table_holds_knows_weekends_and_says_that_it_is_presumed(year: int) -> None:
    monday = next(date(year, 3, number) for number in range(1, 8) if date(year, 3, number).weekday() == 0)
    assert working_days().is_working(monday)
    assert not working_days().is_working(monday + timedelta(5))
    assert working_days().is_presumed(monday)
