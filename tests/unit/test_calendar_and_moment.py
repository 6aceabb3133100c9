"""Whole days, whole months, calendar years; windows of every kind with days on both sides of both edges."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from zhixin.law.calendar import FIRST_DAY, LAST_DAY, first_of_month, full_years, latest_start, shift_days, shift_months
from zhixin.law.filters import Window
from zhixin.law.moment_and_windows import Moment

ONE_DAY = timedelta(1)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"), ("2024-01-31", 1, "2024-02-29"), ("2024-01-29", 1, "2024-02-29"), ("2024-01-28", 1, "2024-02-28"),
        ("2026-03-31", -1, "2026-02-28"), ("2024-03-31", -1, "2024-02-29"), ("2026-05-31", -1, "2026-04-30"), ("2026-05-30", -1, "2026-04-30"),
        ("2026-12-31", 1, "2027-01-31"), ("2026-01-15", -1, "2025-12-15"), ("2024-02-29", 12, "2025-02-28"), ("2024-02-29", -12, "2023-02-28"),
        ("2024-02-29", 48, "2028-02-29"), ("2023-02-28", 12, "2024-02-28"), ("2026-07-07", 0, "2026-07-07"), ("2000-02-29", 1200, "2100-02-28"),
        ("2026-11-24", -36, "2023-11-24"), ("2026-08-31", 18, "2028-02-29"),
    ],
)  # fmt: skip
def test_months_clamp_to_the_end_of_the_month(start: str, months: int, end: str) -> None:
    assert shift_months(day(start), months) == day(end)


@pytest.mark.parametrize("months", [-12 * 2026, -(12 * 2026 + 1), -(10**6)])
def test_months_before_the_calendar_stop_at_its_beginning(months: int) -> None:
    assert shift_months(day("2026-01-01"), months) == date.min


def test_the_first_month_of_the_calendar_can_be_reached() -> None:
    assert shift_months(day("0001-03-15"), -2) == day("0001-01-15")
    assert shift_months(day("0001-03-15"), -3) == date.min


@pytest.mark.parametrize("months", [1, 12, 10**6])
def test_months_after_the_calendar_stop_at_its_end(months: int) -> None:
    assert shift_months(date(9999, 12, 31), months) == date.max


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-02-28", 1, "2026-03-01"),
        ("2024-02-28", 1, "2024-02-29"),
        ("2026-01-01", -1, "2025-12-31"),
        ("2026-01-01", 0, "2026-01-01"),
    ],
)
def test_days_cross_months_and_years(start: str, days: int, end: str) -> None:
    assert shift_days(day(start), days) == day(end)


def test_days_stay_inside_the_calendar() -> None:
    assert shift_days(date.min, -1) == date.min
    assert shift_days(date.max, 1) == date.max
    assert shift_days(date.max, 10**12) == date.max


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2020-06-15", "2023-06-14", 2), ("2020-06-15", "2023-06-15", 3), ("2020-06-15", "2023-06-16", 3),
        ("2004-02-29", "2005-02-27", 0), ("2004-02-29", "2005-02-28", 1), ("2004-02-29", "2005-03-01", 1),
        ("2004-02-29", "2008-02-28", 3), ("2004-02-29", "2008-02-29", 4), ("2020-01-01", "2020-12-31", 0), ("2020-01-01", "2020-01-01", 0),
        ("2023-01-01", "2020-01-01", 0), ("2020-12-31", "2021-01-01", 0),
    ],
)  # fmt: skip
def test_full_years_on_both_sides_of_an_anniversary(start: str, end: str, years: int) -> None:
    assert full_years(day(start), day(end)) == years


@pytest.mark.parametrize(
    ("of", "back", "first"),
    [
        ("2026-11-24", 0, "2026-11-01"),
        ("2026-11-24", 11, "2025-12-01"),
        ("2026-01-31", 1, "2025-12-01"),
        ("2026-12-31", -1, "2027-01-01"),
    ],
)
def test_first_days_of_months(of: str, back: int, first: str) -> None:
    assert first_of_month(day(of), back) == day(first)


def test_the_calendar_of_the_rulebooks_runs_from_1900_to_2199() -> None:
    assert (day("1900-01-01"), day("2199-12-31")) == (FIRST_DAY, LAST_DAY)


# --- windows ---

EARLIER = ("2026-06-01", "2025-12-01", "2025-06-01")


def window(as_of: str, /, earlier: tuple[str, ...] = (), **length: Any) -> tuple[date, date]:
    moment = Moment(day(as_of), None, tuple(day(item) for item in earlier))
    return moment.window(Window.model_validate(length))


@pytest.mark.parametrize(
    ("as_of", "length", "first", "last"),
    [
        # days
        ("2026-11-24", {"days": 1}, "2026-11-24", "2026-11-24"),
        ("2026-11-24", {"days": 30}, "2026-10-26", "2026-11-24"),
        ("2026-03-01", {"days": 2}, "2026-02-28", "2026-03-01"),
        ("2024-03-01", {"days": 2}, "2024-02-29", "2024-03-01"),
        ("2026-11-24", {"days": 30, "back": 30}, "2026-09-26", "2026-10-25"),
        # months
        ("2026-11-24", {"months": 12}, "2025-11-25", "2026-11-24"),
        ("2026-11-24", {"months": 1}, "2026-10-25", "2026-11-24"),
        ("2026-03-31", {"months": 1}, "2026-03-01", "2026-03-31"),
        ("2026-02-28", {"months": 1}, "2026-01-29", "2026-02-28"),
        ("2026-02-28", {"months": 12}, "2025-03-01", "2026-02-28"),
        ("2024-02-29", {"months": 12}, "2023-03-01", "2024-02-29"),
        ("2025-02-28", {"months": 12}, "2024-02-29", "2025-02-28"),
        ("2026-11-24", {"months": 36}, "2023-11-25", "2026-11-24"),
        ("2026-11-24", {"months": 12, "back": 12}, "2024-11-25", "2025-11-24"),
        ("2026-03-31", {"months": 1, "back": 1}, "2026-02-01", "2026-02-28"),
        # calendar months, the current one included
        ("2026-11-24", {"calendar_months": 1}, "2026-11-01", "2026-11-24"),
        ("2026-11-24", {"calendar_months": 2}, "2026-10-01", "2026-11-24"),
        ("2026-11-24", {"calendar_months": 12}, "2025-12-01", "2026-11-24"),
        ("2026-01-01", {"calendar_months": 1}, "2026-01-01", "2026-01-01"),
        ("2026-01-15", {"calendar_months": 1, "back": 1}, "2025-12-01", "2025-12-31"),
        ("2024-03-15", {"calendar_months": 1, "back": 1}, "2024-02-01", "2024-02-29"),
        ("2026-11-24", {"calendar_months": 3, "back": 2}, "2026-07-01", "2026-09-30"),
        # calendar years, the current one included
        ("2026-11-24", {"calendar_years": 1}, "2026-01-01", "2026-11-24"),
        ("2026-11-24", {"calendar_years": 3}, "2024-01-01", "2026-11-24"),
        ("2026-12-31", {"calendar_years": 1}, "2026-01-01", "2026-12-31"),
        ("2026-01-01", {"calendar_years": 1}, "2026-01-01", "2026-01-01"),
        ("2026-11-24", {"calendar_years": 1, "back": 1}, "2025-01-01", "2025-12-31"),
        ("2026-11-24", {"calendar_years": 2, "back": 1}, "2024-01-01", "2025-12-31"),
        # since earlier evaluations
        ("2026-11-24", {"evaluations": 1}, "2026-06-02", "2026-11-24"),
        ("2026-11-24", {"evaluations": 2}, "2025-12-02", "2026-11-24"),
        ("2026-11-24", {"evaluations": 3}, "2025-06-02", "2026-11-24"),
        ("2026-11-24", {"evaluations": 4}, "1900-01-01", "2026-11-24"),
        ("2026-11-24", {"evaluations": 1, "back": 1}, "2025-12-02", "2026-06-01"),
        ("2026-11-24", {"evaluations": 2, "back": 1}, "2025-06-02", "2026-06-01"),
        ("2026-11-24", {"evaluations": 1, "back": 3}, "1900-01-01", "2025-06-01"),
    ],
    ids=str,
)  # fmt: skip
def test_a_window_holds_its_first_and_last_day_and_not_their_neighbours(
    as_of: str, length: dict[str, int], first: str, last: str
) -> None:
    begin, end = window(as_of, EARLIER, **length)
    assert (begin, end) == (day(first), day(last))
    held = [begin <= moment <= end for moment in (day(first) - ONE_DAY, day(first), day(last), day(last) + ONE_DAY)]
    assert held == [False, True, True, False]


def test_without_a_window_everything_up_to_the_evaluation_counts() -> None:
    assert Moment(day("2026-11-24")).window(None) == (FIRST_DAY, day("2026-11-24"))


def test_a_first_evaluation_reaches_back_to_the_beginning() -> None:
    moment = Moment(day("2026-11-24"))
    assert moment.window(Window.model_validate({"evaluations": 1})) == (FIRST_DAY, day("2026-11-24"))


@pytest.mark.parametrize("unit", ["days", "months", "calendar_months", "calendar_years"])
@pytest.mark.parametrize("as_of", ["2026-11-24", "2026-02-28", "2024-02-29", "2026-03-31", "2026-01-01", "2026-12-31"])
def test_neighbouring_windows_meet_without_gap_or_overlap(unit: str, as_of: str) -> None:
    begin, _ = window(as_of, **{unit: 1})
    for back in range(1, 30):
        earlier, end = window(as_of, **{unit: 1, "back": back})
        assert end + ONE_DAY == begin
        assert earlier <= end
        begin = earlier


@pytest.mark.parametrize("unit", ["days", "months", "calendar_months", "calendar_years"])
@pytest.mark.parametrize("length", [2, 7, 24])
def test_a_long_window_is_its_short_ones_together(unit: str, length: int) -> None:
    first, last = window("2026-03-31", **{unit: length})
    assert last == window("2026-03-31", **{unit: 1})[1]
    assert first == window("2026-03-31", **{unit: 1, "back": length - 1})[0]


@pytest.mark.parametrize("unit", ["days", "months", "calendar_months", "calendar_years"])
def test_a_window_longer_than_history_begins_before_everything(unit: str) -> None:
    first, last = window("2026-11-24", **{unit: 4_000_000})
    assert first <= FIRST_DAY
    assert last == day("2026-11-24")


@pytest.mark.parametrize("lengths", [{}, {"days": 1, "months": 1}, {"months": 1, "back": -1}], ids=str)
def test_a_window_has_exactly_one_length_and_looks_back(lengths: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="window needs exactly one|greater than or equal"):
        Window.model_validate(lengths)


@pytest.mark.parametrize("end", ["2026-02-28", "2024-02-29", "2024-02-28", "2026-03-01", "2026-11-01", "2100-02-28"])
@pytest.mark.parametrize("years", [1, 2, 3, 4, 5, 8, 100])
def test_the_latest_start_is_the_last_day_with_so_many_full_years(end: str, years: int) -> None:
    latest = latest_start(day(end), years)
    assert latest is not None
    assert full_years(latest, day(end)) == years
    assert full_years(shift_days(latest, 1), day(end)) == years - 1


def test_no_start_lies_before_the_first_year_and_none_is_asked_for_no_years() -> None:
    assert latest_start(day("2026-11-01"), 2025) == day("0001-11-01")
    assert latest_start(day("2026-11-01"), 2026) is None
    assert latest_start(day("2026-11-01"), 0) == latest_start(day("2026-11-01"), -3) == day("2026-11-01")
