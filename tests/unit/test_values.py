"""Cells: what is understood, what is cured, what is refused, on both sides of every threshold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from zhixin.dataset.cell_parsers import (
    MOST_FEN,
    ColumnParser,
    Refusal,
    is_empty,
    parse_boolean,
    parse_category,
    parse_date,
    parse_money,
    parse_number,
    parse_scaled,
    parse_set,
    parse_subject_id,
    parse_text,
    parser_of,
)
from zhixin.law.rulebook import FieldDefinition


def rule_of(value: Any) -> str | None:
    return value.rule if isinstance(value, Refusal) else None


# --- empty ---


@pytest.mark.parametrize("cell", [None, "", " ", "\u3000", "\ufeff", "NULL", "null", "N/A", "-", "—", "无", "－"])
def test_signs_of_nothing_are_empty(cell: Any) -> None:
    assert is_empty(cell)
    assert parse_text(cell) is None
    assert parse_money(cell) is None
    assert parse_scaled(1, cell) is None
    assert parse_date(cell) is None


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "否", "无锡"])
def test_zero_and_no_are_not_empty(cell: Any) -> None:
    assert not is_empty(cell)


def test_an_empty_subject_is_refused() -> None:
    assert rule_of(parse_subject_id(None)) == "uscc.empty"


# --- dates ---


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31", "2026/1/31", "2026.01.31", "2026年1月31日", "20260131", "2026-01-31 00:00:00", "2026-01-31T13:05:00.000",
        "２０２６－０１－３１", " 2026-01-31 ", "\ufeff2026-01-31", date(2026, 1, 31), datetime(2026, 1, 31, 23, 59), "46053", "46053.0", "46053.75", 46053, 46053.0,
    ],
    ids=str,
)  # fmt: skip
def test_the_same_day_in_every_form(cell: Any) -> None:
    assert parse_date(cell) == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("serial", "day"),
    [
        ("29221", date(1980, 1, 1)), ("73050", date(2099, 12, 31)),
        ("39448", date(2008, 1, 1)), ("44927", date(2023, 1, 1)),
    ],
)  # fmt: skip
def test_serials_of_the_1900_system_as_published_by_microsoft(serial: str, day: date) -> None:
    assert parse_date(serial) == day


@pytest.mark.parametrize(
    ("serial", "day"),
    [("37986", date(2008, 1, 1)), ("43465", date(2023, 1, 1))],
)
def test_serials_of_the_1904_system_as_published_by_microsoft(serial: str, day: date) -> None:
    assert parse_date(serial, epoch=1904) == day


@pytest.mark.parametrize(
    "cell", ["0", "1", "59", "60", "1900", "2022", "2022.1", "5.12", "202201", "202601", "20261", "29220", "73051"]
)
def test_a_number_that_may_be_anything_is_asked_which_day_it_is(cell: str) -> None:
    assert rule_of(parse_date(cell)) in ("date.which_day", "date.year")


@pytest.mark.parametrize("number", [29221, 36526, 46000, 71000])
def test_the_two_systems_lie_1462_days_apart(number: int) -> None:
    later, earlier = parse_date(str(number), epoch=1904), parse_date(str(number))
    assert (later - earlier).days == 1462


def test_the_29th_of_february_1900_never_was() -> None:
    assert rule_of(parse_date("1900-02-29")) == "date.impossible"


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("1899-12-31", "date.range"), ("1900-01-01", None), ("2199-12-31", None), ("2200-01-01", "date.range"),
        (date(1899, 12, 31), "date.range"), (datetime(2200, 1, 1), "date.range"), ("9999-01-01", "date.range"),
    ],
    ids=str,
)  # fmt: skip
def test_days_lie_between_1900_and_2199(cell: Any, rule: str | None) -> None:
    assert rule_of(parse_date(cell)) == rule


@pytest.mark.parametrize(
    ("cell", "is_day"),
    [
        ("2023-02-28", True), ("2023-02-29", False), ("2024-02-29", True), ("2024-02-30", False), ("2000-02-29", True),
        ("2100-02-29", False), ("2023-04-30", True), ("2023-04-31", False), ("2023-12-01", True), ("2023-13-01", False),
        ("2023-00-10", False), ("2023-01-00", False), ("2023-01-32", False), ("20230229", False), ("2023年2月30日", False),
    ],
)  # fmt: skip
def test_impossible_days_are_refused(cell: str, is_day: bool) -> None:
    found = parse_date(cell)
    assert isinstance(found, date) is is_day
    assert rule_of(found) == (None if is_day else "date.impossible")


@pytest.mark.parametrize(
    "cell", ["31/01/2026", "01-31-26", "yesterday", "2026-1", "2026年", "26-01-31", "1.5E+04", "-5", True]
)
def test_other_texts_are_no_dates(cell: Any) -> None:
    assert rule_of(parse_date(cell)) == "date.format"


@pytest.mark.parametrize("cell", ["长期", " 长期 ", "永久", "无固定期限", "9999-12-31"])
def test_open_ended_is_understood_only_where_it_makes_sense(cell: str) -> None:
    assert parse_date(cell, may_be_open=True) is None
    assert rule_of(parse_date(cell)) == "date.open"


@pytest.mark.parametrize("cell", [date(9999, 12, 31), datetime(9999, 12, 31)], ids=["date", "datetime"])
def test_the_last_day_of_a_workbook_is_open_ended_like_its_text(cell: date) -> None:
    assert parse_date(cell, may_be_open=True) is None


def test_a_whole_number_of_a_workbook_reads_like_its_digits() -> None:
    assert parse_date(20260131.0) == parse_date("20260131") == date(2026, 1, 31)


# --- numbers ---


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234", "1234"), ("1,234,567.89", "1234567.89"), ("-1,000", "-1000"), ("+5", "5"), ("１２３", "123"), (5, "5"),
        (1.1, "1.1"), (Decimal("2.50"), "2.50"), (" 7 ", "7"), ("1e3", "1000"),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_are_exact(cell: Any, value: str) -> None:
    assert parse_number(cell) == Decimal(value)


@pytest.mark.parametrize(
    "cell",
    ["1,23", "12,34,567", "1234,567", "NaN", "inf", "-Infinity", "sNaN", "一百", "1 000", "1.2.3", "", "0x10", float("nan")],
)
def test_what_is_not_written_as_a_number_is_refused(cell: Any) -> None:
    assert rule_of(parse_number(cell)) == "number.format"


def test_a_truth_value_is_no_number() -> None:
    assert rule_of(parse_number(True)) == "number.boolean"
    assert rule_of(parse_scaled(1, False)) == "number.boolean"


@pytest.mark.parametrize(
    ("denominator", "cell", "value"),
    [
        (1, "7", 7), (1, "007", 7), (1, "7.0", 7), (1, "7.5", "number.decimals"), (100, "0.01", 1), (100, "0.001", "number.decimals"),
        (1000, "1.234", 1234), (1000, "1.2345", "number.decimals"), (1000, "-1.234", -1234), (1, 7.0, 7), (1, 7.25, "number.decimals"),
        (100, 0.29, 29), (100, 1.15, 115),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_keep_the_decimals_a_field_allows_and_no_more(denominator: int, cell: Any, value: int | str) -> None:
    found = parse_scaled(denominator, cell)
    assert (rule_of(found) or found) == value


@pytest.mark.parametrize("cell", ["0.99999999999999999999999999999999", "1.00000000000000000000000000000001"])
def test_decimals_beyond_28_digits_are_not_rounded_away(cell: str) -> None:
    assert rule_of(parse_scaled(1, cell)) == "number.decimals"


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("cell", [MOST_FEN - 1, MOST_FEN, MOST_FEN + 1], ids=["below", "at", "above"])
def test_the_largest_number_is_ten_to_the_fifteenth(cell: int, sign: str) -> None:
    found = parse_scaled(1, f"{sign}{cell}")
    assert rule_of(found) == (None if cell <= MOST_FEN else "number.size")


@pytest.mark.parametrize("cell", ["999999999999", "999999999999.0"], ids=["digits", "with a point"])
def test_the_limit_holds_for_fields_with_six_decimals_too(cell: str) -> None:
    assert rule_of(parse_scaled(10**6, cell)) == "number.size"


@pytest.mark.parametrize("cell", ["1e20", "1e999999", "1e9999999", "-1e9999999", "1e-9999999"])
@pytest.mark.parametrize("denominator", [1, 100])
def test_numbers_of_any_size_are_refused_not_a_crash(cell: str, denominator: int) -> None:
    assert rule_of(parse_scaled(denominator, cell)) in ("number.size", "number.decimals", "number.format")


# --- amounts ---


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("100", 10_000), ("100元", 10_000), ("100.5 元", 10_050), ("1,234.56", 123_456), ("1,234.56元", 123_456), ("2万元", 2_000_000),
        ("2万", 2_000_000), ("0.000001万元", 1), ("1.5亿元", 15_000_000_000), ("1亿", 10_000_000_000), ("3(万元)", 3_000_000),
        ("3（万元）", 3_000_000), ("3万元人民币", 3_000_000), ("3(人民币万元)", 3_000_000), ("１００元", 10_000), ("0", 0), ("-0", 0), (0.01, 1),
        (12, 1200), (1234.56, 123_456), (Decimal("9.99"), 999), (".5", 50), ("+5", 500),
    ],
    ids=str,
)  # fmt: skip
def test_amounts_with_their_units_become_fen(cell: Any, fen: int) -> None:
    assert parse_money(cell) == fen


@pytest.mark.parametrize(
    "cell",
    [
        "100美元",
        "100(万美元)",
        "$100",
        "100USD",
        "100港元",
        "约100元",
        "100至200元",
        "一百元",
        "100元/月",
        "5e3",
        "50%",
    ],
)
def test_other_currencies_and_units_are_refused(cell: str) -> None:
    assert rule_of(parse_money(cell)) == "amount.unit"


@pytest.mark.parametrize("cell", ["-0.01", "-1", "-3万元", "－5", -1, -0.01, Decimal("-0.01")], ids=str)
def test_negative_amounts_are_refused(cell: Any) -> None:
    assert rule_of(parse_money(cell)) == "amount.negative"


@pytest.mark.parametrize(
    ("cell", "rule"),
    [("0.01", None), ("0.001", "number.decimals"), ("0.0000005万元", "number.decimals"), ("1,23元", "number.format")],
)
def test_amounts_are_whole_fen(cell: str, rule: str | None) -> None:
    assert rule_of(parse_money(cell)) == rule


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("9999999999999.99", None),
        ("10000000000000", None),
        ("10000000000000.01", "number.size"),
        ("99999999亿元", "number.size"),
    ],
    ids=["below", "at", "above", "far above"],
)
def test_the_largest_amount_is_ten_billion_wan(cell: str, rule: str | None) -> None:
    assert rule_of(parse_money(cell)) == rule


# --- booleans, categories, sets ---


@pytest.mark.parametrize(("cell", "value"), [
    ("是", True), ("TRUE", True), ("1", True), ("Y", True), ("有", True), (1, True), (1.0, True), (True, True),
    ("否", False), ("false", False), ("0", False), ("no", False), ("没有", False), ("无", False), (0, False), (0.0, False), (False, False),
    ("", None), (None, None),
], ids=str)  # fmt: skip
def test_yes_and_no(cell: Any, value: bool | None) -> None:
    assert parse_boolean(cell) is value


@pytest.mark.parametrize("cell", ["2", "maybe", "√", 2, "是的"])
def test_other_answers_are_refused(cell: Any) -> None:
    assert rule_of(parse_boolean(cell)) == "boolean.format"


def test_categories_are_those_of_the_list() -> None:
    values = ("A+", "A")
    assert parse_category(values, "Ａ＋") == "A+"
    assert parse_category(values, "") is None
    assert rule_of(parse_category(values, "a")) == "category.unknown"
    assert parse_category((), "anything") == "anything"


def test_a_code_that_a_workbook_holds_as_a_number_reads_like_its_digits() -> None:
    assert parse_category(("410105",), 410105.0) == "410105"
    assert parse_text(410105.0) == "410105"


def test_an_old_number_that_a_workbook_holds_as_a_number_gets_the_right_hint() -> None:
    assert rule_of(parse_subject_id(110108000000016.0)) == "uscc.old_number"


@pytest.mark.parametrize("cell", ["b;a", "a；b", "a、b", "b，a,a", " a ; b ;"])
def test_sets_are_written_in_one_order(cell: str) -> None:
    assert parse_set(("a", "b"), cell) == "a;b"


def test_a_set_with_an_unknown_member_is_refused() -> None:
    assert rule_of(parse_set(("a", "b"), "a;c")) == "category.unknown"


# --- columns ---


NASTY = [
    "", " ", "0", "-1", "1e400", "1e9999999", "NaN", "9.14E+17", "2026-02-30", "99999", "1" * 5000, "=1+1", "a;b", "，", "(", ")万元", "万元",
    "\x00", "\ud800", "１２／３４", "²", "٣", "1_000", "9" * 30, "-", "--", "+", ".", ",", "1.", "١٢٣٤-٠١-٠١", "0000-00-00",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["integer", "decimal", "money", "boolean", "category", "set", "date"])
@pytest.mark.parametrize("cell", NASTY, ids=ascii)
def test_no_text_crashes_a_parser(kind: str, cell: str) -> None:
    parse = parser_of(FieldDefinition.model_validate({"type": kind}), 1900)
    found = parse(cell)
    assert found is None or isinstance(found, (int, str, bool, date, Refusal))
    if isinstance(found, Refusal):
        assert all((*found.reason, *found.remedy))


@pytest.mark.parametrize("cell", ["1_000", "٣", "1_0.5"], ids=ascii)
def test_digits_are_written_plainly(cell: str) -> None:
    assert rule_of(parse_number(cell)) == "number.format"


def test_a_column_gives_what_its_cells_give_one_by_one() -> None:
    cells: list[Any] = ["1", "2", "x", "1", "", "2"]
    values, is_odd = ColumnParser(lambda cell: parse_scaled(1, cell))(cells)
    assert is_odd
    assert values[:2] == [1, 2]
    assert rule_of(values[2]) == "number.format"
    assert values[3:] == [1, None, 2]


def test_equal_keys_of_different_types_are_not_confused() -> None:
    column = ColumnParser(parse_number)
    values, _ = column([1, 1.0, True, Decimal(1), "1"])
    assert [rule_of(value) for value in values] == [None, None, "number.boolean", None, None]


def test_a_column_without_anything_odd_says_so() -> None:
    assert ColumnParser(lambda cell: parse_scaled(1, cell))(["1", "2"]) == ([1, 2], False)
    assert ColumnParser(lambda cell: parse_scaled(1, cell))([]) == ([], False)
