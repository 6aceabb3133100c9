"""Acceptance: every row is accepted or quarantined with a reason, counts add up, and equal data give equal bytes."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import warnings
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from shipped import shipped
from unit.writing import outputs, quarantined, rules, uscc, write_csv, write_rows
from zhixin.dataset.acceptance import Report, accept
from zhixin.dataset.reading import read_table
from zhixin.dataset.snapshot import open_snapshot, sha256_of
from zhixin.errors import DatasetError

BOOK = shipped("zhengzhou-ip")
AS_OF = date(2026, 11, 24)
A, B, C, STRANGER = uscc(1), uscc(2), uscc(3), uscc(999_999)
SUBJECTS = [{"subject_id": A, "name": "甲"}, {"subject_id": B, "name": "乙"}, {"subject_id": C, "name": "丙"}]


def record(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "record_id": f"R{number}", "subject_id": A, "kind": "penalty.trademark.infringement", "severity": "minor",
        "decided_on": "2026-01-31", "document": "（虚构）罚〔2026〕1号", "amount": "100.50",
    } | changes  # fmt: skip


def taken(folder: Path, *, epoch: int = 1900, as_of: date = AS_OF) -> Report:
    report = accept(BOOK, folder, folder.parent / "snapshot", as_of, epoch=epoch)
    for table in report.tables.values():
        assert table.rows == table.accepted + table.quarantined
        assert sum(table.rules.values()) == table.quarantined
    return report


def taken_records(tmp_path: Path, rows: Sequence[dict[str, Any]], **options: Any) -> Report:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    write_rows(tmp_path / "in" / "records.csv", rows)
    return taken(tmp_path / "in", **options)


def rows_of(tmp_path: Path, table: str) -> list[dict[str, Any]]:
    found = getattr(open_snapshot(tmp_path / "snapshot"), table)
    assert found is not None
    return list(read_table(found).to_pylist())


# --- one reason each ---


@pytest.mark.parametrize(
    ("changes", "rule", "field", "value"),
    [
        ({"kind": "penalty.unheard_of"}, "record.unknown_kind", "kind", "penalty.unheard_of"),
        ({"subject_id": STRANGER}, "record.unknown_subject", "subject_id", STRANGER),
        ({"record_id": "R1"}, "row.duplicate", "record_id", "R1"),
        ({"decided_on": "2026-11-25"}, "record.future", "decided_on", "2026-11-25"),
        ({"occurred_on": "2026-11-25"}, "record.future", "occurred_on", "2026-11-25"),
        ({"amount": "-0.01"}, "amount.negative", "amount", "'-0.01"),
        ({"amount": "100(万美元)"}, "amount.unit", "amount", "100(万美元)"),
        ({"amount": "0.001"}, "number.decimals", "amount", "0.001"),
        ({"decided_on": "2026-02-29"}, "date.impossible", "decided_on", "2026-02-29"),
        ({"decided_on": "长期"}, "date.open", "decided_on", "长期"),
        ({"decided_on": ""}, "field.empty", "decided_on", ""),
        ({"kind": ""}, "field.empty", "kind", ""),
        ({"record_id": ""}, "field.empty", "record_id", ""),
        ({"subject_id": ""}, "uscc.empty", "subject_id", ""),
        ({"subject_id": A[:10] + "O" + A[11:]}, "uscc.character", "subject_id", A[:10] + "O" + A[11:]),
        ({"document": ""}, "record.no_document", "document", ""),
        ({"severity": "terrible"}, "category.unknown", "severity", "terrible"),
        ({"is_first_offence": "maybe"}, "boolean.format", "is_first_offence", "maybe"),
        ({"sequence": "1.5"}, "number.decimals", "sequence", "1.5"),
        ({"quantity": "many"}, "number.format", "quantity", "many"),
    ],
    ids=lambda item: item if isinstance(item, str) else None,
)
def test_each_defect_of_a_record_has_its_own_reason(
    tmp_path: Path, changes: dict[str, Any], rule: str, field: str, value: str
) -> None:
    full = {"occurred_on": "", "is_first_offence": "", "sequence": "", "quantity": ""}
    report = taken_records(tmp_path, [full | record(1), full | record(2) | changes, full | record(3)])
    assert (report.tables["records"].accepted, report.quarantined) == (2, 1)
    (row,) = quarantined(tmp_path / "snapshot", "records")
    assert (row["line"], row["rule"], row["field"], row["value"]) == ("3", rule, field, value)
    assert all(row[name].strip() for name in ("reason_zh", "reason_en", "remedy_zh", "remedy_en"))
    came = json.loads(row["row"].removeprefix("'"))
    assert [str(item) for item in (full | record(2) | changes).values()] == came
    assert [item["record_id"] for item in rows_of(tmp_path, "records")] == ["R1", "R3"]
    seal = json.loads((tmp_path / "snapshot" / "dataset.json").read_text(encoding="utf-8"))
    assert seal["tables"]["records"] == {"rows": 3, "accepted": 2, "quarantined": 1, "duplicates": 0, "rules": {rule: 1}}


@pytest.mark.parametrize("column", ["decided_on", "occurred_on"])
@pytest.mark.parametrize(("days", "is_future"), [(-1, False), (0, False), (1, True)], ids=["before", "on", "after"])
def test_a_record_is_future_from_the_day_after_the_evaluation(
    tmp_path: Path, column: str, days: int, is_future: bool
) -> None:
    taken_records(tmp_path, [record(1, **{column: (AS_OF + timedelta(days)).isoformat()})])
    assert rules(tmp_path / "snapshot", "records") == ({2: "record.future"} if is_future else {})


@pytest.mark.parametrize(
    ("amount", "fen"), [("-0.01", None), ("0", 0), ("0.01", 1), ("0.000001万元", 1), ("1.2万元", 1_200_000), ("", None)]
)
def test_amounts_on_both_sides_of_nothing(tmp_path: Path, amount: str, fen: int | None) -> None:
    taken_records(tmp_path, [record(1, amount=amount)])
    if amount == "-0.01":
        assert rules(tmp_path / "snapshot", "records") == {2: "amount.negative"}
    else:
        assert rows_of(tmp_path, "records")[0]["amount"] == fen


@pytest.mark.parametrize(("answer", "is_accepted"), [("0", False), ("1", True), ("2", True), ("3", False), ("", True)])
def test_an_officers_answer_stays_inside_its_band(tmp_path: Path, answer: str, is_accepted: bool) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", [{"subject_id": A, "officer_shift": answer}])
    taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "subjects") == ({} if is_accepted else {2: "answer.range"})


def test_a_positive_record_needs_no_document(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, kind="patent.invention", severity="", document="")])
    assert rules(tmp_path / "snapshot", "records") == {}


def test_the_severity_of_the_catalogue_fills_an_empty_one_and_never_a_given_one(tmp_path: Path) -> None:
    rows = [record(1, kind="list.serious", severity=""), record(2, kind="list.serious", severity="minor")]
    taken_records(tmp_path, rows)
    assert {row["record_id"]: row["severity"] for row in rows_of(tmp_path, "records")} == {"R1": "serious", "R2": "minor"}


def test_a_valid_until_may_be_open_ended_and_future(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, valid_until="长期"), record(2, valid_until="2030-01-01")])
    found = {row["record_id"]: row["valid_until"] for row in rows_of(tmp_path, "records")}
    assert found == {"R1": None, "R2": date(2030, 1, 1)}


def test_a_code_in_a_workbook_of_1904_dates_is_read_by_its_epoch(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, decided_on="39448")], epoch=1900)
    assert rows_of(tmp_path, "records")[0]["decided_on"] == date(2008, 1, 1)
    taken_records(tmp_path, [record(1, decided_on="37986")], epoch=1904)
    assert rows_of(tmp_path, "records")[0]["decided_on"] == date(2008, 1, 1)


def test_dirty_codes_of_records_find_their_subject(tmp_path: Path) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) for char in A)
    taken_records(tmp_path, [record(1, subject_id=A.lower()), record(2, subject_id=wide), record(3, subject_id=f" {A} ")])
    assert rules(tmp_path / "snapshot", "records") == {}
    assert {row["subject_no"] for row in rows_of(tmp_path, "records")} == {0}


def test_a_wrong_inner_organisation_code_is_accepted(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", [{"subject_id": uscc(7, inner_is_valid=False)}])
    assert taken(tmp_path / "in").quarantined == 0


def test_names_and_document_numbers_stay_as_they_were_registered(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", [{"subject_id": A, "name": "郑州甲（虚构）有限公司"}])
    write_rows(tmp_path / "in" / "records.csv", [record(1, document="（虚构）罚〔2026〕1号")])
    taken(tmp_path / "in")
    assert rows_of(tmp_path, "subjects")[0]["name"] == "郑州甲（虚构）有限公司"
    assert rows_of(tmp_path, "records")[0]["document"] == "（虚构）罚〔2026〕1号"


# --- duplicates and strangers ---


def test_of_equal_subjects_the_first_is_accepted(tmp_path: Path) -> None:
    rows = [
        {"subject_id": A, "name": "first"},
        {"subject_id": A.lower(), "name": "second"},
        {"subject_id": A, "name": "third"},
    ]
    write_rows(tmp_path / "in" / "subjects.csv", rows)
    taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "subjects") == {3: "row.duplicate", 4: "row.duplicate"}
    assert [row["name"] for row in rows_of(tmp_path, "subjects")] == ["first"]


def test_records_of_a_refused_subject_are_of_an_unknown_subject(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", [{"subject_id": A, "established_on": "2026-02-30"}, {"subject_id": B}])
    write_rows(tmp_path / "in" / "records.csv", [record(1), record(2, subject_id=B)])
    taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "subjects") == {2: "date.impossible"}
    assert rules(tmp_path / "snapshot", "records") == {2: "record.unknown_subject"}


def test_a_record_is_no_duplicate_of_one_that_was_refused_for_its_date(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, decided_on="2100-01-01"), record(1)])
    assert rules(tmp_path / "snapshot", "records") == {2: "record.future"}


def test_a_record_is_no_duplicate_of_one_that_was_refused_for_its_subject(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, subject_id=STRANGER), record(1)])
    assert rules(tmp_path / "snapshot", "records") == {2: "record.unknown_subject"}
    assert [row["record_id"] for row in rows_of(tmp_path, "records")] == ["R1"]


RELATIONS = [
    {"subject_id": A, "related_id": B, "relation": "controls", "since": "2020-01-01", "until": "长期"},
    {"subject_id": A, "related_id": A, "relation": "controls", "since": "", "until": ""},
    {"subject_id": A, "related_id": B, "relation": "controls", "since": "2020-01-01", "until": ""},
    {"subject_id": A, "related_id": B, "relation": "controls", "since": "2021-01-01", "until": ""},
    {"subject_id": STRANGER, "related_id": B, "relation": "controls", "since": "", "until": ""},
    {"subject_id": A, "related_id": C, "relation": "", "since": "", "until": ""},
]


def test_relations_have_their_own_reasons(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    write_rows(tmp_path / "in" / "relations.csv", RELATIONS)
    taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "relations") == {
        3: "relation.self", 4: "row.duplicate", 6: "record.unknown_subject", 7: "field.empty",
    }  # fmt: skip
    assert len(rows_of(tmp_path, "relations")) == 2


def test_an_unknown_related_subject_is_the_one_that_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    write_rows(tmp_path / "in" / "relations.csv", [{"subject_id": A, "related_id": STRANGER, "relation": "controls"}])
    taken(tmp_path / "in")
    (row,) = quarantined(tmp_path / "snapshot", "relations")
    assert (row["rule"], row["field"], row["value"]) == ("record.unknown_subject", "related_id", STRANGER)


def test_earlier_results_have_their_own_reasons(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    rows = [
        {"subject_id": A, "evaluated_on": "2025-11-24", "grade": "A", "score": "91.5"},
        {"subject_id": A, "evaluated_on": "2025-11-24", "grade": "B", "score": "80"},
        {"subject_id": B, "evaluated_on": "2025-11-24", "grade": "", "score": "80"},
        {"subject_id": STRANGER, "evaluated_on": "2025-11-24", "grade": "A", "score": ""},
        {"subject_id": C, "evaluated_on": "2025-11-24", "grade": "C", "score": "80.0001"},
    ]
    write_rows(tmp_path / "in" / "previous.csv", rows)
    taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "previous") == {
        3: "row.duplicate", 4: "field.empty", 5: "record.unknown_subject", 6: "number.decimals",
    }  # fmt: skip
    (row,) = rows_of(tmp_path, "previous")
    assert (row["grade"], row["score_milli"], row["step"]) == ("A", 91_500, "cut")


# --- headers and widths ---


def test_rows_of_the_wrong_width_are_quarantined_as_they_came(tmp_path: Path) -> None:
    path = tmp_path / "in" / "subjects.csv"
    path.parent.mkdir()
    path.write_text(f"subject_id,name\n{A},甲\n{B}\n{C},丙,有限公司\n{B},乙\n", encoding="utf-8")
    report = taken(tmp_path / "in")
    assert rules(tmp_path / "snapshot", "subjects") == {3: "row.fields", 4: "row.fields"}
    assert report.tables["subjects"].accepted == 2
    assert [json.loads(row["row"]) for row in quarantined(tmp_path / "snapshot", "subjects")] == [[B], [C, "丙", "有限公司"]]


@pytest.mark.parametrize("width", [1, 2, 3], ids=["below", "at", "above"])
def test_the_width_is_that_of_the_header(tmp_path: Path, width: int) -> None:
    path = tmp_path / "in" / "subjects.csv"
    path.parent.mkdir()
    path.write_text(f"subject_id,name\n{','.join([A, '甲', '乙'][:width])}\n", encoding="utf-8")
    assert taken(tmp_path / "in").quarantined == (width != 2)


@pytest.mark.parametrize(
    "header",
    [
        ["subject_id", "subject_id"],
        ["subject_id", "统一社会信用代码"],
        ["社会信用代码", "统一社会信用代码"],
        ["subject_id", " subject_id"],
    ],
    ids=["same", "id and Chinese", "two Chinese", "with a blank"],
)
def test_two_columns_for_one_name_are_refused(tmp_path: Path, header: list[str]) -> None:
    write_csv(tmp_path / "in" / "subjects.csv", header, [[A, B]])
    with pytest.raises(DatasetError, match="two columns for subject_id"):
        taken(tmp_path / "in")
    assert not (tmp_path / "snapshot").exists()


@pytest.mark.parametrize("missing", ["record_id", "subject_id", "kind", "decided_on"])
def test_a_missing_required_column_is_named(tmp_path: Path, missing: str) -> None:
    row = record(1)
    del row[missing]
    with pytest.raises(DatasetError) as refused:
        taken_records(tmp_path, [row])
    assert missing in refused.value.message.en
    assert missing in refused.value.message.zh
    assert not (tmp_path / "snapshot").exists()


def test_every_missing_column_is_named_at_once(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    write_csv(tmp_path / "in" / "records.csv", ["subject_id", "名字"], [[A, "x"]])
    with pytest.raises(DatasetError) as refused:
        taken(tmp_path / "in")
    assert all(name in refused.value.message.en for name in ("record_id", "kind", "decided_on", "名字"))


def test_chinese_headers_give_the_same_snapshot(tmp_path: Path) -> None:
    subjects = [
        {"subject_id": A, "name": "甲", "established_on": "2001-02-03", "patents_in_force": "7", "agency_grade": "A+"}
    ]
    records = [record(1, occurred_on="2026-01-01", valid_until="长期", is_first_offence="是")]
    write_rows(tmp_path / "in" / "subjects.csv", subjects)
    write_rows(tmp_path / "in" / "records.csv", records)
    taken(tmp_path / "in")
    plain = outputs(tmp_path / "snapshot")
    chinese = {
        "subject_id": "\ufeff统一社会信用代码", "name": " 企业名称 ", "established_on": "成立日期", "patents_in_force": "有效专利数",
        "agency_grade": "专利代理信用评价等级（国家局评定）",
    }  # fmt: skip
    write_rows(tmp_path / "in" / "subjects.csv", [{chinese[name]: cell for name, cell in row.items()} for row in subjects])
    titles = {
        "record_id": "记录编号", "subject_id": "社会信用代码", "kind": "信息类别", "severity": "失信程度", "decided_on": "处罚决定日期",
        "document": "行政处罚决定书文号", "amount": "罚款金额", "occurred_on": "发生日期", "valid_until": "有效期至",
        "is_first_offence": "首次违法",
    }  # fmt: skip
    write_rows(tmp_path / "in" / "records.csv", [{titles[name]: cell for name, cell in row.items()} for row in records])
    assert taken(tmp_path / "in").quarantined == 0
    assert outputs(tmp_path / "snapshot") == plain


def test_unknown_columns_are_reported_and_left_out(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "subjects.csv", ["备注", "subject_id", "备注", "x"], [["n", A, "m", "y"]])
    assert taken(tmp_path / "in").tables["subjects"].ignored_columns == ("备注", "备注", "x")


def test_a_refusal_leaves_no_file_open(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "subjects.csv", ["name"], [["甲"]])
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(DatasetError):
            taken(tmp_path / "in")
        gc.collect()
    assert [str(item.message) for item in told] == []


def test_a_dataset_without_subjects_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "records.csv", [record(1)])
    with pytest.raises(DatasetError, match="no subjects file"):
        taken(tmp_path / "in")


def test_one_table_in_two_files_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    pq.write_table(pa.table({"subject_id": [A]}), tmp_path / "in" / "subjects.parquet")
    with pytest.raises(DatasetError, match="more than one file"):
        taken(tmp_path / "in")


def test_a_file_with_only_a_header_gives_an_empty_table(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "subjects.csv", ["subject_id"], [])
    write_csv(tmp_path / "in" / "records.csv", list(record(1)), [])
    report = taken(tmp_path / "in")
    assert [table.rows for table in report.tables.values()] == [0, 0]
    assert rows_of(tmp_path, "subjects") == rows_of(tmp_path, "records") == []


def test_a_dataset_without_records_gets_an_empty_table_of_records(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    taken(tmp_path / "in")
    assert rows_of(tmp_path, "records") == []


def test_text_that_looks_like_a_formula_is_disarmed_in_quarantine(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1, kind="=HYPERLINK(1)"), record(2, amount="@1"), record(3, amount="+1美元")])
    assert [row["value"][:2] for row in quarantined(tmp_path / "snapshot", "records")] == ["'=", "'@", "'+"]


def test_all_encodings_give_the_same_snapshot(tmp_path: Path) -> None:
    found = set()
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS, encoding=encoding)
        write_rows(tmp_path / "in" / "records.csv", [record(1)], encoding=encoding)
        taken(tmp_path / "in")
        found.add(json.dumps(outputs(tmp_path / "snapshot"), sort_keys=True))
    assert len(found) == 1


# --- equal data, equal bytes ---


def many(count: int, seed: int = 5) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Typed rows of subjects, records, relations."""
    rng = random.Random(seed)
    day = date(2020, 1, 1)
    subjects = [
        {"subject_id": uscc(number * 7919), "name": f"企业{number}", "established_on": day - timedelta(rng.randrange(9000)),
         "is_gi_user": rng.random() < 0.5, "patents_in_force": rng.randrange(50), "district": "410105", "ip_staff": rng.choice([None, 3])}
        for number in range(count)
    ]  # fmt: skip
    records = [
        {"record_id": f"R{number:05}", "subject_id": rng.choice(subjects)["subject_id"], "kind": "judgment.lost",
         "decided_on": day + timedelta(rng.randrange(2000)), "valid_until": rng.choice([None, date(2030, 1, 1)]),
         "document": f"（虚构）{number}", "amount": rng.choice([None, rng.randrange(10**7) / 100]), "sequence": number}
        for number in range(3 * count)
    ]  # fmt: skip
    pairs = sorted({tuple(rng.sample([row["subject_id"] for row in subjects], 2)) for _ in range(count)})
    relations = [{"subject_id": one, "related_id": other, "relation": "controls"} for one, other in pairs]
    return subjects, records, relations


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: str(cell) if cell is not None else None for name, cell in row.items()} for row in rows]


def write_workbook(path: Path, rows: list[dict[str, Any]], formulas: Sequence[str] = (), *, mac: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"date_1904": mac}) as book:
        sheet, style = book.add_worksheet(), book.add_format({"num_format": "yyyy/m/d"})
        sheet.write_row(0, 0, list(rows[0]))
        for line, row in enumerate(rows, 1):
            for place, (name, cell) in enumerate(row.items()):
                if cell is None:
                    continue
                if name in formulas:
                    sheet.write_formula(line, place, f"={float(cell)}+0", None, cell)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, place, datetime(cell.year, cell.month, cell.day), style)
                elif isinstance(cell, bool):
                    sheet.write_boolean(line, place, cell)
                elif isinstance(cell, (int, float)):
                    sheet.write_number(line, place, cell)
                else:
                    sheet.write_string(line, place, cell)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_csv_workbook_and_parquet_give_the_same_snapshot(tmp_path: Path) -> None:
    found: dict[str, dict[str, str]] = {}
    for kind in ("csv", "xlsx", "xlsx of 1904", "parquet"):
        folder = tmp_path / kind / "in"
        for name, rows in zip(("subjects", "records", "relations"), many(60), strict=True):
            if kind == "csv":
                write_rows(folder / f"{name}.csv", as_text(rows))
            elif kind == "parquet":
                write_parquet(folder / f"{name}.parquet", rows)
            else:
                formulas = ("amount", "patents_in_force")
                write_workbook(folder / f"{name}.xlsx", rows, formulas, mac=kind == "xlsx of 1904")
        assert taken(folder).quarantined == 0
        found[kind] = outputs(tmp_path / kind / "snapshot")
    assert set(found["csv"]) == {"subjects.parquet", "records.parquet", "relations.parquet"}
    assert found["xlsx"] == found["csv"]
    assert found["xlsx of 1904"] == found["csv"]
    assert found["parquet"] == found["csv"]


@pytest.mark.parametrize("column", ["district", "record_id"])
def test_codes_stored_as_numbers_in_a_workbook_read_like_those_of_a_csv_file(tmp_path: Path, column: str) -> None:
    subjects = [{"subject_id": A, "district": 410105}]
    records = [record(1, record_id=4711)]
    write_rows(tmp_path / "one" / "in" / "subjects.csv", subjects)
    write_rows(tmp_path / "one" / "in" / "records.csv", records)
    write_workbook(tmp_path / "two" / "in" / "subjects.xlsx", subjects)
    write_workbook(tmp_path / "two" / "in" / "records.xlsx", records)
    table = "subjects" if column == "district" else "records"
    for name in ("one", "two"):
        taken(tmp_path / name / "in")
    one, two = (rows_of(tmp_path / name, table)[0][column] for name in ("one", "two"))
    assert two == one


def test_a_list_in_a_parquet_column_is_quarantined_or_refused_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"subject_id": [A], "industry": [["C", "F"]]}), tmp_path / "in" / "subjects.parquet")
    with contextlib.suppress(DatasetError):
        assert taken(tmp_path / "in").tables["subjects"].rows == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_the_rows_does_not_change_a_byte(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    tables = dict(zip(("subjects", "records", "relations"), many(80), strict=True))
    for name in ("one", "two"):
        for table, rows in tables.items():
            write_rows(tmp_path / name / "in" / f"{table}.csv", as_text(rows))
            rng.shuffle(rows)
        taken(tmp_path / name / "in")
    for file in ("subjects.parquet", "records.parquet", "relations.parquet"):
        assert (tmp_path / "one/snapshot" / file).read_bytes() == (tmp_path / "two/snapshot" / file).read_bytes()


def test_the_order_of_the_columns_does_not_change_a_byte(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        for table, rows in zip(("subjects", "records", "relations"), many(40), strict=True):
            turned = [dict(reversed(row.items())) for row in rows] if name == "two" else rows
            write_rows(tmp_path / name / "in" / f"{table}.csv", as_text(turned))
        taken(tmp_path / name / "in")
        found.append(outputs(tmp_path / name / "snapshot"))
    assert found[0] == found[1]


def test_the_seal_holds_the_hashes_of_inputs_and_outputs(tmp_path: Path) -> None:
    taken_records(tmp_path, [record(1)])
    seal = json.loads((tmp_path / "snapshot" / "dataset.json").read_text(encoding="utf-8"))
    for name, entry in seal["inputs"].items():
        assert entry == {"file": f"{name}.csv", "sha256": sha256_of(tmp_path / "in" / f"{name}.csv")}
    for name, digest in seal["outputs"].items():
        assert digest == sha256_of(tmp_path / "snapshot" / name)


def test_subjects_are_numbered_and_records_sorted(tmp_path: Path) -> None:
    for table, rows in zip(("subjects", "records", "relations"), many(50), strict=True):
        write_rows(tmp_path / "in" / f"{table}.csv", as_text(rows))
    taken(tmp_path / "in")
    subjects, records = rows_of(tmp_path, "subjects"), rows_of(tmp_path, "records")
    assert [row["subject_no"] for row in subjects] == list(range(50))
    assert [row["subject_id"] for row in subjects] == sorted(row["subject_id"] for row in subjects)
    assert [row["record_no"] for row in records] == list(range(150))
    keys = [(row["subject_no"], row["decided_on"], row["record_id"]) for row in records]
    assert keys == sorted(keys)


# --- anything at all ---

GARBAGE = [
    "", " ", "A", "-1", "1e400", "NaN", "9.1E+17", "2026-02-30", "2026-01-01", "长期", "60", "99999", "\u200b", "=1", "🙂", "a\nb", '"', "100万元",
    "true", "judgment.lost", "minor", "R1", "7", A, B.lower(), STRANGER, A[:17] + "O", "1" * 15, "x" * 2000, "\t", "无", "2100-01-01",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_row_of_garbage_is_accepted_or_quarantined(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    header = [*record(1), "occurred_on", "valid_until", "is_first_offence", "sequence", "quantity", "code"]
    good = {"record_id": "", "subject_id": A, "kind": "judgment.lost", "decided_on": "2026-01-01", "document": "d"}
    rows = []
    for number in range(400):
        row = [good.get(name, "") for name in header]
        row[0] = f"R{rng.randrange(300)}"
        for _ in range(rng.randrange(3)):
            row[rng.randrange(len(row))] = rng.choice(GARBAGE)
        rows.append(row[: len(row) - (number % 50 == 0)] + ["more"] * (number % 70 == 1))
    write_csv(tmp_path / "in" / "records.csv", header, rows)
    report = taken(tmp_path / "in").tables["records"]
    refused = quarantined(tmp_path / "snapshot", "records")
    assert (report.rows, report.accepted + len(refused)) == (400, 400)
    assert len({row["line"] for row in refused}) == len(refused)
    assert len(rows_of(tmp_path, "records")) == report.accepted
    assert 0 < report.accepted < 400
    assert all(row[name] for row in refused for name in ("rule", "reason_zh", "reason_en", "remedy_zh", "remedy_en", "row"))


def test_progress_tells_the_rows_read(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    told: list[tuple[str, int]] = []
    accept(BOOK, tmp_path / "in", tmp_path / "snapshot", AS_OF, progress=lambda name, rows: told.append((name, rows)))
    assert told == [("subjects", 3)]


# --- where the folders lie ---


@pytest.mark.parametrize("name", ["数据 快照", "it's", "a[b]*?", 'say "x"', "semi;colon", "100%"])
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    write_rows(folder / "in" / "subjects.csv", SUBJECTS)
    write_rows(folder / "in" / "records.csv", [record(1)])
    assert taken(folder / "in").quarantined == 0
    assert len(rows_of(folder, "records")) == 1


def test_a_folder_that_is_no_snapshot_is_not_replaced(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    precious = tmp_path / "documents" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work", encoding="utf-8")
    with pytest.raises(DatasetError):
        accept(BOOK, tmp_path / "in", precious.parent, AS_OF)
    assert precious.exists()


def test_the_input_is_not_replaced_by_its_own_snapshot(tmp_path: Path) -> None:
    write_rows(tmp_path / "in" / "subjects.csv", SUBJECTS)
    with pytest.raises(DatasetError):
        accept(BOOK, tmp_path / "in", tmp_path / "in", AS_OF)
    assert (tmp_path / "in" / "subjects.csv").exists()
