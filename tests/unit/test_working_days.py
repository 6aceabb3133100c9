"""The working-day clock: weekends, holidays, exchanged days; the tables it is read from; the deadlines of the law."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zhixin.dataset.sources import source_folder
from zhixin.errors import UsageError
from zhixin.law.calendar import WorkingDays
from zhixin_web.rulebooks import clocks

ONE_DAY = timedelta(1)
YEAR_END = date(2026, 12, 31)
PLAIN = WorkingDays(frozenset(), frozenset(), YEAR_END)
"""Weekends only. 2026-06-01 is a Monday."""
EXAMPLES = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def day(text: str) -> date:
    return date.fromisoformat(text)


def years() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((source_folder() / "working_days.yaml").read_text(encoding="utf-8"))
    return found


def deadlines() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((source_folder() / "deadlines.yaml").read_text(encoding="utf-8"))
    return found


# --- which days are worked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "worked"),
    [("2026-06-05", True), ("2026-06-06", False), ("2026-06-07", False), ("2026-06-08", True)],
)
def test_saturday_and_sunday_are_not_worked(text: str, worked: bool) -> None:
    assert PLAIN.is_working(day(text)) is worked


def test_a_holiday_on_a_weekday_is_not_worked() -> None:
    calendar = WorkingDays(frozenset({day("2026-06-03")}), frozenset(), YEAR_END)
    assert [calendar.is_working(day(text)) for text in ("2026-06-02", "2026-06-03", "2026-06-04")] == [True, False, True]


def test_a_weekend_day_worked_in_exchange_is_worked() -> None:
    calendar = WorkingDays(frozenset(), frozenset({day("2026-06-06")}), YEAR_END)
    assert [calendar.is_working(day(text)) for text in ("2026-06-06", "2026-06-07")] == [True, False]


def test_only_the_last_day_of_the_table_is_still_known() -> None:
    assert PLAIN.is_working(YEAR_END)
    with pytest.raises(UsageError):
        PLAIN.is_working(YEAR_END + ONE_DAY)


# --- counting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-06-01", 0, "2026-06-01"),
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
    assert PLAIN.due(day(start), days) == day(due)


def test_the_counted_days_are_told_in_order() -> None:
    calendar = WorkingDays(frozenset({day("2026-06-08")}), frozenset({day("2026-06-06")}), YEAR_END)
    counted = [day("2026-06-05"), day("2026-06-06"), day("2026-06-09")]
    assert list(calendar.counted(day("2026-06-04"), 3)) == counted


@pytest.mark.parametrize(("days", "due"), [(3, "2026-12-30"), (4, "2026-12-31")])
def test_a_deadline_up_to_the_end_of_the_table_is_counted(days: int, due: str) -> None:
    assert PLAIN.due(day("2026-12-25"), days) == day(due)


def test_a_deadline_beyond_the_table_is_refused_with_the_day_and_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        PLAIN.due(day("2026-12-25"), 5)
    for words in (caught.value.message.zh, caught.value.message.en):
        assert "2026-12-31" in words
        assert "2027-01-01" in words
    assert "放假安排" in caught.value.message.zh
    assert "add that year's holidays" in caught.value.message.en


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
@given(start=DAYS, days=st.integers(1, 60), holidays=SETS, worked=SETS)
def test_exactly_so_many_working_days_lie_after_the_act_up_to_the_due_day(
    start: date, days: int, holidays: frozenset[date], worked: frozenset[date]
) -> None:
    calendar = WorkingDays(holidays, worked, YEAR_END)
    due = calendar.due(start, days)
    between = [start + timedelta(number) for number in range(1, (due - start).days + 1)]
    assert sum(calendar.is_working(item) for item in between) == days
    assert calendar.is_working(due)
    assert calendar.left(start, due) == days
    assert calendar.left(due, start) == -days


@EXAMPLES
@given(start=DAYS, first=st.integers(1, 20), second=st.integers(1, 20), holidays=SETS, worked=SETS)
def test_a_term_counted_in_two_parts_ends_on_the_same_day(
    start: date, first: int, second: int, holidays: frozenset[date], worked: frozenset[date]
) -> None:
    calendar = WorkingDays(holidays, worked, YEAR_END)
    assert calendar.due(calendar.due(start, first), second) == calendar.due(start, first + second)


# --- sources/working_days.yaml ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("year", [2025, 2026])
def test_an_exchange_gives_no_day_away(year: int) -> None:
    """Days off are 13 statutory days (11 until 2024) and weekends moved; each weekday off beyond them is worked elsewhere."""
    table = next(item for item in years() if item["year"] == year)
    weekdays_off = sum(item.weekday() < 5 for item in table["holidays"])
    assert weekdays_off - len(table["worked"]) <= 13


def test_the_table_ends_with_its_last_year() -> None:
    last = max(year["year"] for year in years())
    assert clocks.working_days().known_until == date(last, 12, 31)
    with pytest.raises(UsageError, match=str(last)):
        clocks.working_days().is_working(date(last + 1, 1, 1))


def test_a_day_before_the_first_year_of_the_table_is_refused_too() -> None:
    """1 October 2024 was a holiday; a table that begins in 2025 cannot say so and must not guess."""
    first = min(year["year"] for year in years())
    assert date(first, 1, 1) not in {item for year in years() for item in year["worked"]}
    with pytest.raises(UsageError):
        clocks.working_days().is_working(date(first - 1, 10, 1))


# --- sources/deadlines.yaml ---------------------------------------------------------------------------------------


def test_every_deadline_has_source_flag_title_and_a_count_of_days() -> None:
    assert deadlines()
    for item in deadlines():
        assert item["source"].strip(), item["id"]
        assert item["verified"] in (True, False), item["id"]
        assert item["title"]["zh"].strip(), item["id"]
        assert item["title"]["en"].isascii(), item["id"]
        assert item["unit"] in ("working", "calendar"), item["id"]
        assert item["days"] > 0, item["id"]


def test_no_two_deadlines_of_one_name_begin_on_the_same_day() -> None:
    names = Counter((item["id"], item["from"]) for item in deadlines())
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("name", sorted({item["id"] for item in deadlines()}))
def test_a_clock_says_what_the_table_says(name: str) -> None:
    start = day("2026-06-01")
    written = max(
        (item for item in deadlines() if item["id"] == name and item["from"] <= start), key=lambda one: one["from"]
    )
    found = clocks.clock(name, start)
    assert (found.days, found.unit, found.source) == (written["days"], written["unit"], written["source"])
    assert (found.title, found.is_verified) == (written["title"], written["verified"])
    assert found.due_on == found.counted[-1]
    if found.unit == "working":
        assert len(found.counted) == found.days
        assert all(clocks.working_days().is_working(item) for item in found.counted)
    else:
        assert (found.due_on - start).days == found.days


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-09-30", "2026-10-15"),
        ("2026-10-01", "2026-10-15"),
        ("2026-10-07", "2026-10-15"),
        ("2026-10-08", "2026-10-16"),
    ],
)
def test_an_error_report_before_or_during_national_day_2026_waits_for_the_holiday_to_end(start: str, due: str) -> None:
    """Off 1-7 October; worked in exchange on Saturday 10 October, not on Sunday 11."""
    assert clocks.clock("report.answer", day(start)).due_on == day(due)


def test_the_days_counted_over_national_day_2026() -> None:
    counted = ["2026-10-08", "2026-10-09", "2026-10-10", "2026-10-12", "2026-10-13", "2026-10-14", "2026-10-15"]
    assert [item.isoformat() for item in clocks.clock("report.answer", day("2026-09-30")).counted] == counted


def test_the_days_counted_over_spring_festival_2026() -> None:
    """Off 15-23 February; worked in exchange on Saturdays 14 and 28 February."""
    counted = ["2026-02-14", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27", "2026-02-28", "2026-03-02"]
    assert [item.isoformat() for item in clocks.clock("report.answer", day("2026-02-13")).counted] == counted


@pytest.mark.parametrize(
    ("today", "left"), [("2026-09-30", 7), ("2026-10-07", 7), ("2026-10-10", 4), ("2026-10-15", 0), ("2026-10-16", -1)]
)
def test_days_left_of_a_clock_skip_the_holiday(today: str, left: int) -> None:
    assert clocks.days_left(day(today), day("2026-10-15")) == left


def test_a_deadline_that_nobody_wrote_is_no_deadline() -> None:
    with pytest.raises(KeyError, match="no\\.such"):
        clocks.clock("no.such", day("2026-06-01"))


@pytest.mark.parametrize(
    ("start", "days"), [("2026-03-31", None), ("2026-04-01", 5), ("2026-05-31", 5), ("2026-06-01", 9), ("2026-06-02", 9)]
)
def test_a_deadline_counts_from_the_day_its_rule_begins(
    monkeypatch: pytest.MonkeyPatch, start: str, days: int | None
) -> None:
    shared = {"id": "x", "unit": "calendar", "title": {}, "source": "", "verified": False}
    table = ({**shared, "from": day("2026-06-01"), "days": 9}, {**shared, "from": day("2026-04-01"), "days": 5})
    monkeypatch.setattr(clocks, "_deadlines", lambda: table)
    if days is None:
        with pytest.raises(KeyError):
            clocks.clock("x", day(start))
    else:
        assert clocks.clock("x", day(start)).due_on == day(start) + timedelta(days)
