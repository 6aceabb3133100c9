"""Bad deliveries: refused whole with what to do, or row by row into the quarantine; nothing is half taken in."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from zhixin.dataset.delivery import workbook_inspection
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.sources import sources
from zhixin_web.collection import originals
from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
from zhixin_web.collection.services import batches as services
from zhixin_web.faces.console.collection import pasted_csv
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion

ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
HEADER = ("统一社会信用代码", "企业名称", "处理结果文书号", "办结日期")
SHEET = "xl/worksheets/sheet1.xml"


def complaint(subject: Subject, number: int = 1) -> tuple[str, str, str, str]:
    return (subject.code, subject.name, f"诉〔2025〕{number}号", "2025-01-06")


def text(*rows: Sequence[str], between: str = ",") -> str:
    return "\n".join(between.join(row) for row in rows) + "\n"


def book(*rows: Sequence[Any], change: Callable[[Any, Any], Any] | None = None) -> bytes:
    """A workbook of one sheet; ``change(workbook, sheet)`` does more to it."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    sheet = workbook.add_worksheet()
    for line, cells in enumerate(rows):
        sheet.write_row(line, 0, cells)
    if change is not None:
        change(workbook, sheet)
    workbook.close()
    return buffer.getvalue()


def repacked(content: bytes, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    """A workbook with changed parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(*change(name, old.read(name)))
    return out.getvalue()


def with_sheet(content: bytes, change: Callable[[str], str]) -> bytes:
    return repacked(content, lambda name, data: (name, change(data.decode()).encode() if name == SHEET else data))


def assert_told(fault: dict[str, Any]) -> None:
    """A fault says what is wrong and what to do, in both languages."""
    assert all(fault.get(part, "").strip() for part in ("rule", "zh", "en", "fix_zh", "fix_en")), fault


def assert_refused(batch: Batch, rule: str, content: str | bytes) -> None:
    """Refused whole: the fault is told, the original is there, nothing of it was taken in."""
    data = content.encode() if isinstance(content, str) else content
    assert (batch.status, batch.fault.get("rule")) == ("refused", rule)
    assert_told(batch.fault)
    assert (batch.rows, batch.accepted, batch.quarantined, batch.duplicates) == (0, 0, 0, 0)
    assert not any(
        model.objects.filter(batch=batch).exists() for model in (CreditRecord, SubjectVersion, QuarantinedRow, DuplicateRow)
    )
    assert not originals.staged_path(batch.pk).exists()
    assert originals.original_path(batch.sha256, batch.suffix).read_bytes() == data


def assert_account(batch: Batch, accepted: int = 0, quarantined: int = 0, duplicates: int = 0) -> list[QuarantinedRow]:
    """Each row is in exactly one place; gives the quarantined ones."""
    assert (batch.status, batch.accepted, batch.quarantined, batch.duplicates) == (
        "committed",
        accepted,
        quarantined,
        duplicates,
    )
    versions = CreditRecord if sources()[batch.source].gives in ("records", "archive") else SubjectVersion
    places = [
        set(model.objects.filter(batch=batch).values_list("line", flat=True))
        for model in (versions, QuarantinedRow, DuplicateRow)
    ]
    assert [len(place) for place in places] == [accepted, quarantined, duplicates]
    assert len(set.union(*places)) == batch.rows == accepted + quarantined + duplicates
    rows = list(QuarantinedRow.objects.filter(batch=batch).order_by("line"))
    for row in rows:
        assert row.faults[0]["rule"] == row.rule
        for fault in row.faults:
            assert_told(fault)
    return rows


def kept_files(settings: Any) -> list[Path]:
    return [path for path in (settings.VAR / "originals").rglob("*") if path.is_file()]


# --- encodings -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_usual_encodings_are_read(subjects: list[Subject], take: Any, encoding: str) -> None:
    batch = take("complaints", text(HEADER, complaint(subjects[0])).encode(encoding))
    assert_account(batch, accepted=1)


def test_big_endian_utf_16_with_its_mark_is_read(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", b"\xfe\xff" + text(HEADER, complaint(subjects[0])).encode("utf-16-be"))
    assert_account(batch, accepted=1)


@pytest.mark.parametrize("wrong", [b"\xff", b"\x80\x80", b"\xe4\xb8", b"\xc3\x28\xff"])
def test_bytes_of_no_known_encoding_are_refused(subjects: list[Subject], take: Any, wrong: bytes) -> None:
    content = text(HEADER, complaint(subjects[0])).encode() + wrong + b",x,\n"
    assert_refused(take("complaints", content), "file.encoding", content)


def test_a_byte_order_mark_that_lies_is_refused(people: Any, take: Any) -> None:
    content = b"\xff\xfe" + text(HEADER).encode("utf-16-le") + b"\x00\xd8\x00"
    assert_refused(take("complaints", content), "file.encoding", content)


def test_where_the_encoding_fails_is_told(subjects: list[Subject], take: Any) -> None:
    good = text(HEADER, complaint(subjects[0])).encode()
    assert f"第 {len(good) + 1} 字节" in take("complaints", good + b"\xff\xff\n").fault["zh"]


def test_utf_16_without_its_mark_is_never_taken_in(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", "code,name,number\n1,a,2\n".encode("utf-16-le"))
    assert batch.status in ("refused", "mapping")


def test_a_file_with_nul_characters_is_refused(subjects: list[Subject], take: Any) -> None:
    code, name, number, day = complaint(subjects[0])
    content = text(HEADER, (code, name + "\0", number, day), complaint(subjects[1]))
    assert_refused(take("complaints", content), "file.encoding", content.encode())


# --- nothing, or hardly anything, in it ----------------------------------------------------------------------------------------


def test_an_empty_file_is_refused(people: Any, take: Any) -> None:
    assert_refused(take("complaints", b""), "file.empty", b"")


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf", b"\n\n\n", b" \r\n \r\n", book()], ids=["mark", "newlines", "blanks", "workbook"]
)
def test_a_file_with_nothing_but_blanks_is_called_empty(people: Any, take: Any, content: bytes) -> None:
    assert_refused(take("complaints", content), "file.empty", content)


def test_a_header_alone_waits_for_a_human(people: Any, take: Any) -> None:
    batch = take("complaints", text(HEADER), commit=False)
    assert (batch.status, batch.rows) == ("held", 0)


def test_a_header_alone_taken_in_gives_no_records(people: Any, take: Any) -> None:
    assert_account(take("complaints", text(HEADER)))


def test_a_file_of_one_column_is_not_taken_in(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", text(("统一社会信用代码",), (subjects[0].code,)))
    assert (batch.status, batch.preview["missing"]) == ("mapping", ["name", "document", "decided_on"])
    assert not CreditRecord.objects.exists()


@pytest.mark.parametrize("between", [";", "\t", "|"])
def test_other_separators_are_found_by_the_headers_they_part(subjects: list[Subject], take: Any, between: str) -> None:
    batch = take("complaints", text(HEADER, complaint(subjects[0]), between=between))
    assert_account(batch, accepted=1)
    assert batch.preview["delimiter"] == between


# --- what is no table -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"Rar!\x1a\x07\x00", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08"],
    ids=["pdf", "png", "jpeg", "rar", "7z", "gzip"],
)
def test_pictures_and_archives_called_csv_open_no_batch(people: Any, take: Any, settings: Any, start: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        take("complaints", start + bytes(100))
    assert refused.value.rule == "file.kind"
    assert_told(refused.value.as_json())
    assert not Batch.objects.exists()
    assert kept_files(settings) == []


def test_a_zip_called_csv_is_refused(people: Any, take: Any) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.csv", text(HEADER))
    assert_refused(take("complaints", buffer.getvalue()), "file.kind", buffer.getvalue())


@pytest.mark.parametrize("length", [8, 600])
def test_a_broken_old_workbook_is_refused(people: Any, take: Any, length: int) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(length - 8)
    assert_refused(take("complaints", content, file_name="test.xls"), "file.broken", content)


def test_html_called_xls_is_refused(people: Any, take: Any) -> None:
    content = b"<html><body><table><tr><td>\xe5\x90\x8d\xe7\xa7\xb0</td></tr></table></body></html>"
    with pytest.raises(FileRefused) as refused:
        take("complaints", content, file_name="test.xls")
    assert refused.value.rule == "file.kind"


def test_a_workbook_called_csv_is_read_as_what_it_is(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", book(HEADER, complaint(subjects[0])), file_name="test.csv")
    assert batch.suffix == ".xlsx"
    assert_account(batch, accepted=1)


def test_the_kind_does_not_depend_on_how_the_bytes_come(subjects: list[Subject], people: Any) -> None:
    content = book(HEADER, complaint(subjects[0]))
    batch, _ = services.deliver(
        source="complaints", file_name="a.xlsx", chunks=[content[:1], content[1:]], way="push", by=people["city"]
    )
    assert batch.suffix == ".xlsx"


# --- workbooks that do not say what they seem to say ---------------------------------------------------------------------------------


def test_a_merged_title_above_the_header_does_no_harm(subjects: list[Subject], take: Any) -> None:
    content = book(
        [""], HEADER, complaint(subjects[0]), change=lambda _, sheet: sheet.merge_range("A1:D1", "投诉举报处理结果")
    )
    assert_account(take("complaints", content), accepted=1)


@pytest.mark.parametrize("place", ["A2:A4", "B3:B4", "C4:D4"])
def test_merged_data_are_refused(subjects: list[Subject], take: Any, place: str) -> None:
    content = book(
        HEADER,
        *[complaint(subjects[0], number) for number in range(3)],
        change=lambda _, sheet: sheet.merge_range(place, "x"),
    )
    batch = take("complaints", content)
    assert_refused(batch, "file.merged", content)
    assert place in batch.fault["zh"]


def test_data_merged_right_below_the_header_are_refused(subjects: list[Subject], take: Any) -> None:
    content = book(
        HEADER,
        complaint(subjects[0]),
        complaint(subjects[0], 2),
        change=lambda _, sheet: sheet.merge_range("A2:A3", subjects[0].code),
    )
    assert_refused(take("complaints", content), "file.merged", content)


@pytest.mark.parametrize("place", ["B1:D1", "A4:D4"])
def test_a_merged_title_anywhere_above_the_header_does_no_harm(subjects: list[Subject], take: Any, place: str) -> None:
    content = book(
        [], [], [], [], HEADER, complaint(subjects[0]), change=lambda _, sheet: sheet.merge_range(place, "投诉举报处理结果")
    )
    assert_account(take("complaints", content), accepted=1)


def test_hidden_rows_are_refused(subjects: list[Subject], take: Any) -> None:
    content = book(
        HEADER,
        complaint(subjects[0]),
        complaint(subjects[1]),
        change=lambda _, sheet: sheet.set_row(2, None, None, {"hidden": True}),
    )
    batch = take("complaints", content)
    assert_refused(batch, "file.hidden", content)
    assert "3" in batch.fault["zh"]


def test_rows_hidden_by_a_filter_are_refused(subjects: list[Subject], take: Any) -> None:
    def filtered(_: Any, sheet: Any) -> None:
        sheet.autofilter("A1:D3")
        sheet.set_row(1, 20, None, {"hidden": True, "level": 1})

    content = book(HEADER, complaint(subjects[0]), complaint(subjects[1]), change=filtered)
    assert_refused(take("complaints", content), "file.hidden", content)


@pytest.mark.parametrize("write", ["write_formula", "write_array_formula"])
def test_formula_cells_are_refused(subjects: list[Subject], take: Any, write: str) -> None:
    place = "C3" if write == "write_formula" else "C3:C3"
    content = book(
        HEADER,
        complaint(subjects[0]),
        complaint(subjects[1]),
        change=lambda _, sheet: getattr(sheet, write)(place, '="诉"&ROW()'),
    )
    batch = take("complaints", content)
    assert_refused(batch, "file.formula", content)
    assert "C3" in batch.fault["en"]


def test_a_trap_far_down_is_found(subjects: list[Subject], take: Any) -> None:
    rows = [complaint(subjects[0], number) for number in range(9_000)]
    content = book(HEADER, *rows, change=lambda _, sheet: sheet.set_row(9_000, None, None, {"hidden": True}))
    assert_refused(take("complaints", content), "file.hidden", content)


def _prefixed(xml: str) -> str:
    """The same sheet with a namespace prefix, as some .NET libraries write it."""
    return re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=")


@pytest.mark.parametrize(
    "written",
    [
        lambda xml: xml.replace('<row r="3"', "<row r=\"3\" hidden='1'"),
        lambda xml: _prefixed(xml.replace('<row r="3"', '<row r="3" hidden="1"')),
        lambda xml: xml.replace('<row r="3"', '<row r="3" ht="0" customHeight="1"'),
        lambda xml: xml.replace("<sheetData>", '<cols><col min="2" max="2" width="0.0" customWidth="1"/></cols><sheetData>'),
    ],
    ids=["quotes", "prefix", "height", "width"],
)
def test_hidden_rows_are_seen_however_the_xml_is_written(
    subjects: list[Subject], take: Any, written: Callable[[str], str]
) -> None:
    content = with_sheet(book(HEADER, complaint(subjects[0]), complaint(subjects[1])), written)
    assert_refused(take("complaints", content), "file.hidden", content)


def test_hidden_rows_are_seen_whatever_the_part_is_called(subjects: list[Subject], take: Any) -> None:
    def renamed(name: str, data: bytes) -> tuple[str, bytes]:
        if name == SHEET:
            return "xl/worksheets/data.xml", data.replace(b'<row r="3"', b'<row r="3" hidden="1"')
        return name, data.replace(b"sheet1.xml", b"data.xml")

    content = repacked(book(HEADER, complaint(subjects[0]), complaint(subjects[1])), renamed)
    assert_refused(take("complaints", content), "file.hidden", content)


def test_rows_on_a_second_sheet_are_not_lost_silently(subjects: list[Subject], take: Any) -> None:
    content = book(
        HEADER,
        complaint(subjects[0]),
        change=lambda workbook, _: workbook.add_worksheet().write_column(0, 0, [HEADER[0], subjects[1].code]),
    )
    assert take("complaints", content).status == "refused"


# --- workbooks that are cut off, or bombs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_a_half_written_workbook_is_refused(subjects: list[Subject], take: Any, part: float) -> None:
    whole = book(HEADER, complaint(subjects[0]))
    content = whole[: max(4, int(len(whole) * part))]
    assert_refused(take("complaints", content), "file.broken", content)


def test_the_whole_file_is_welcome_after_the_half_one(subjects: list[Subject], take: Any) -> None:
    whole = book(HEADER, complaint(subjects[0]))
    take("complaints", whole[:-100])
    assert_account(take("complaints", whole), accepted=1)


def _damaged(content: bytes, name: str, place: int) -> bytes:
    """The workbook with one byte of a part's compressed data turned over."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo(name).header_offset
    names, extra = struct.unpack("<HH", content[start + 26 : start + 30])
    spoiled = bytearray(content)
    spoiled[start + 30 + names + extra + place] ^= 0xFF
    return bytes(spoiled)


def test_a_damaged_sheet_is_refused(subjects: list[Subject], take: Any) -> None:
    content = _damaged(book(HEADER, complaint(subjects[0])), SHEET, 0)
    assert_refused(take("complaints", content), "file.broken", content)


def test_damaged_texts_are_refused(subjects: list[Subject], take: Any) -> None:
    content = _damaged(book(HEADER, complaint(subjects[0])), "xl/sharedStrings.xml", 20)
    assert_refused(take("complaints", content), "file.broken", content)


def test_an_encrypted_part_is_refused(subjects: list[Subject], take: Any) -> None:
    whole = bytearray(book(HEADER, complaint(subjects[0])))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        start = archive.getinfo(SHEET).header_offset
    entry = whole.rindex(SHEET.encode()) - 46
    for flags in (start + 6, entry + 8):
        whole[flags] |= 1
    assert_refused(take("complaints", bytes(whole)), "file.broken", bytes(whole))


def _blown_up(content: bytes, part: str, size: int) -> bytes:
    return repacked(
        content, lambda name, data: (name, data.replace(b"?>", b"?>" + b" " * size, 1) if name == part else data)
    )


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_highly_compressed_part_is_refused(subjects: list[Subject], take: Any, part: str) -> None:
    content = _blown_up(book(HEADER, complaint(subjects[0])), part, 20_000_000)
    assert_refused(take("complaints", content), "file.bomb", content)


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_bomb_that_lies_about_its_size_is_refused(subjects: list[Subject], take: Any, part: str) -> None:
    content = bytearray(_blown_up(book(HEADER, complaint(subjects[0])), part, 20_000_000))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo(part)
    real, place = struct.pack("<I", entry.file_size), 0
    while (place := content.find(real, place)) >= 0:
        content[place : place + 4] = struct.pack("<I", 1_000)
    assert_refused(take("complaints", bytes(content)), "file.broken", bytes(content))


def _with_parts(content: bytes, count: int) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(count - len(archive.namelist())):
            archive.writestr(f"more/{number}", b"")
    return out.getvalue()


def test_a_workbook_of_too_many_parts_is_refused(subjects: list[Subject], take: Any) -> None:
    content = _with_parts(book(HEADER, complaint(subjects[0])), workbook_inspection.MOST_ENTRIES + 1)
    assert_refused(take("complaints", content), "file.bomb", content)


def test_a_workbook_of_as_many_parts_as_allowed_is_read(subjects: list[Subject], take: Any) -> None:
    assert_account(
        take("complaints", _with_parts(book(HEADER, complaint(subjects[0])), workbook_inspection.MOST_ENTRIES)), accepted=1
    )


def test_an_honest_workbook_of_many_alike_rows_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(book(HEADER, *[("91410100MA0000000X", "甲", "一", "2025-01-06")] * 20_000))
    workbook_inspection.inside(path)


def test_a_single_cell_far_away_is_refused_before_it_is_read(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    path = tmp_path / "a.xlsx"
    path.write_bytes(with_sheet(book(HEADER), lambda xml: xml.replace("</sheetData>", far)))
    with pytest.raises(FileRefused):
        workbook_inspection.inside(path)


# --- the size limit ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spare", [0, 1])
def test_a_file_up_to_the_limit_is_taken(subjects: list[Subject], take: Any, settings: Any, spare: int) -> None:
    content = text(HEADER, complaint(subjects[0])).encode()
    settings.UPLOAD_LIMIT = len(content) + spare
    assert_account(take("complaints", content), accepted=1)


def test_a_file_above_the_limit_leaves_nothing_behind(people: Any, take: Any, settings: Any) -> None:
    content = text(HEADER).encode()
    settings.UPLOAD_LIMIT = len(content) - 1
    with pytest.raises(FileRefused) as refused:
        take("complaints", content)
    assert refused.value.rule == "file.size"
    assert_told(refused.value.as_json())
    assert not Batch.objects.exists()
    assert kept_files(settings) == []


def test_the_limit_counts_all_chunks_together(people: Any, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 10
    with pytest.raises(FileRefused):
        services.deliver(source="complaints", file_name="a.csv", chunks=[b"12345678", b"123"], way="push", by=people["city"])
    assert kept_files(settings) == []


# --- the same again, or for another source ----------------------------------------------------------------------------------------------------


def test_the_same_workbook_twice_is_one_batch(subjects: list[Subject], take: Any) -> None:
    content = book(HEADER, complaint(subjects[0]))
    first = take("complaints", content)
    assert take("complaints", content, file_name="other.xlsx").pk == first.pk
    assert CreditRecord.objects.count() == 1


def test_the_same_rows_as_csv_and_as_a_workbook_are_duplicates(subjects: list[Subject], take: Any) -> None:
    take("complaints", text(HEADER, complaint(subjects[0])))
    assert_account(take("complaints", book(HEADER, complaint(subjects[0]))), duplicates=1)


def test_a_refused_file_sent_again_is_a_new_batch_refused_again(people: Any, take: Any) -> None:
    content = b"\xff\xff,\n"
    first, second = take("complaints", content), take("complaints", content)
    assert first.pk != second.pk
    assert_refused(second, "file.encoding", content)


def _sample(source: str, code: str, name: str) -> str:
    """A file with every column of a source."""
    fields = sources()[source].fields
    values = {"subject_id": code, "name": name}
    return text([item.title for item in fields], [values.get(item.id, "") for item in fields])


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("penalties", "complaints"),
        ("registrations", "penalties"),
        ("licences_old", "registrations"),
        ("penalties", "registrations"),
    ],
)
def test_a_file_of_another_source_is_refused_and_named(subjects: list[Subject], take: Any, of: str, to: str) -> None:
    content = _sample(of, subjects[0].code, subjects[0].name)
    batch = take(to, content)
    assert_refused(batch, "file.other_source", content)
    assert sources()[of].title.zh in batch.fault["zh"]


def test_a_file_of_another_source_does_not_wipe_attributes(subjects: list[Subject], take: Any) -> None:
    subject = subjects[0]
    take("holdings", text(("统一社会信用代码", "企业名称", "有效专利数"), (subject.code, subject.name, "7")))
    take("holdings", text(HEADER, complaint(subject)))
    last = SubjectVersion.objects.filter(subject=subject, source="holdings").order_by("-version")[0]
    assert json.loads(last.body)["attributes"]["patents_in_force"] == 7


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("complaints", "holdings"),
        ("registrations", "online_operators"),
        ("holdings", "self_declarations"),
        ("online_operators", "holdings"),
    ],
)
def test_code_and_name_alone_do_not_make_a_file_of_attributes(subjects: list[Subject], take: Any, of: str, to: str) -> None:
    content = _sample(of, subjects[0].code, subjects[0].name)
    assert_refused(take(to, content), "file.other_source", content)


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("serious_list", "abnormal_list"),
        ("penalties", "penalties_old"),
        ("licences", "penalties"),
        ("serious_list", "defaulters"),
    ],
)
def test_a_file_that_fits_another_source_better_is_refused(subjects: list[Subject], take: Any, of: str, to: str) -> None:
    content = _sample(of, subjects[0].code, subjects[0].name)
    assert_refused(take(to, content), "file.other_source", content)


# --- headers -----------------------------------------------------------------------------------------------------------------------------------


def test_titles_may_stand_above_the_header(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", text(("投诉举报处理结果",), ("单位：件", "2025年1月"), HEADER, complaint(subjects[0])))
    assert_account(batch, accepted=1)
    assert CreditRecord.objects.get(batch=batch).line == 4


@pytest.mark.parametrize(("titles", "status"), [(9, "committed"), (10, "mapping")])
def test_the_header_is_looked_for_in_the_first_ten_rows(
    subjects: list[Subject], take: Any, titles: int, status: str
) -> None:
    assert take("complaints", text(*[("说明",)] * titles, HEADER, complaint(subjects[0]))).status == status


def test_synonyms_of_headers_are_understood(subjects: list[Subject], take: Any) -> None:
    header = ("社会信用代码", "当事人名称", "文书号", "办结日期")
    assert_account(take("complaints", text(header, complaint(subjects[0]))), accepted=1)


def test_width_blanks_stars_and_brackets_of_headers_do_not_matter(subjects: list[Subject], take: Any) -> None:
    header = ("统一社会 信用代码*", "【企业名称】", "处理结果文书号：", " 办结日期 ")
    assert_account(take("complaints", text(header, complaint(subjects[0]))), accepted=1)


def test_the_codes_of_the_standard_are_understood_as_headers(subjects: list[Subject], take: Any, penalty: Any) -> None:
    words, row = penalty((subjects[0].code, subjects[0].name, "罚1")).split("\n")
    codes = {"行政相对人名称": "CF_XDR_MC", "行政相对人类别": "CF_XDR_LB", "统一社会信用代码": "cf_xdr_shxym", "行政处罚决定书文号": "CF_WSH", "违法行为类型": "CF_WFXW", "违法事实": "CF_SY", "处罚依据": "CF_YJ", "处罚类别": "CF_CFLB", "处罚内容": "CF_NR", "罚款金额（万元）": "CF_NR_FK", "处罚决定日期": "CF_JDRQ", "处罚机关": "CF_CFJG"}  # fmt: skip
    batch = take("penalties", text([codes[word] for word in words.split(",")], [row]))
    assert_account(batch, accepted=1)


def test_an_unknown_column_is_told_in_the_preview(subjects: list[Subject], take: Any) -> None:
    batch = take("complaints", text((*HEADER, "心情"), (*complaint(subjects[0]), "好")))
    assert batch.preview["unknown"] == ["心情"]


def test_swapped_columns_are_refused(subjects: list[Subject], take: Any) -> None:
    rows = [(name, code, number, day) for code, name, number, day in map(complaint, subjects[:5])]
    content = text(HEADER, *rows)
    batch = take("complaints", content)
    assert_refused(batch, "file.swapped", content)
    assert "企业名称" in batch.fault["zh"]


def test_swapped_columns_of_a_workbook_are_refused(subjects: list[Subject], take: Any) -> None:
    content = book(HEADER, *[(number, name, code, day) for code, name, number, day in map(complaint, subjects[:5])])
    assert_refused(take("complaints", content), "file.swapped", content)


def test_a_single_row_with_swapped_columns_goes_to_the_quarantine(subjects: list[Subject], take: Any) -> None:
    code, name, number, day = complaint(subjects[0])
    assert_account(take("complaints", text(HEADER, (name, code, number, day))), quarantined=1)


# --- rows ------------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["合计", "总计：", "小计:", "Total"])
def test_a_totals_row_goes_to_the_quarantine(subjects: list[Subject], take: Any, word: str) -> None:
    rows = assert_account(
        take("complaints", text(HEADER, complaint(subjects[0]), (word, "", "1", ""))), accepted=1, quarantined=1
    )
    assert (rows[0].line, rows[0].rule) == (3, "row.totals")


def test_a_totals_row_of_a_workbook_goes_to_the_quarantine(subjects: list[Subject], take: Any) -> None:
    rows = assert_account(
        take("complaints", book(HEADER, complaint(subjects[0]), ("", "合计", 1, ""))), accepted=1, quarantined=1
    )
    assert (rows[0].line, rows[0].rule) == (3, "row.totals")


@pytest.mark.parametrize("word", ["合 计", "合\u3000计", "合计（元）"])
def test_a_totals_row_is_known_with_blanks_in_its_word(subjects: list[Subject], take: Any, word: str) -> None:
    assert assert_account(take("complaints", text(HEADER, (word, "", "1", ""))), quarantined=1)[0].rule == "row.totals"


def test_a_row_longer_than_the_header_goes_to_the_quarantine(subjects: list[Subject], take: Any) -> None:
    rows = assert_account(
        take("complaints", text(HEADER, (*complaint(subjects[0]), "多"), complaint(subjects[1]))), accepted=1, quarantined=1
    )
    assert (rows[0].line, rows[0].rule) == (2, "row.fields")


def test_empty_cells_beyond_the_header_do_no_harm(subjects: list[Subject], take: Any) -> None:
    rows = [(*complaint(subjects[0], number), "", "") for number in (1, 2)]
    assert_account(take("complaints", text(HEADER, *rows)), accepted=2)


def test_one_row_with_more_cells_than_the_others_may_be_shifted(subjects: list[Subject], take: Any) -> None:
    rows = [complaint(subjects[0], 1), complaint(subjects[0], 2), (*complaint(subjects[0], 3), "")]
    assert_account(take("complaints", text(HEADER, *rows)), accepted=2, quarantined=1)


def test_a_row_shorter_than_the_header_goes_to_the_quarantine(subjects: list[Subject], take: Any) -> None:
    rows = assert_account(take("complaints", text(HEADER, complaint(subjects[0])[:3])), quarantined=1)
    assert [(fault["rule"], fault["field"]) for fault in rows[0].faults] == [("row.short", "")]


def test_a_code_kept_as_a_number_by_the_spreadsheet_goes_to_the_quarantine(subjects: list[Subject], take: Any) -> None:
    code, *rest = complaint(subjects[0])
    assert_account(take("complaints", book(HEADER, (914101001234567890, *rest))), quarantined=1)


def test_an_unclosed_quote_does_not_swallow_rows(subjects: list[Subject], take: Any) -> None:
    first = (*complaint(subjects[0]), '"未完')
    content = text((*HEADER, "投诉人"), first, (*complaint(subjects[1]), ""), (*complaint(subjects[2]), ""))
    assert take("complaints", content).status == "refused"


def test_a_cell_larger_than_any_text_is_refused(subjects: list[Subject], take: Any) -> None:
    content = text(HEADER, ("x" * ((1 << 24) + 1), "", "", ""))
    assert_refused(take("complaints", content), "file.broken", content)


def test_several_faults_of_a_row_are_all_told(subjects: list[Subject], take: Any) -> None:
    rows = assert_account(take("complaints", text(HEADER, ("123", "", "", "2025-02-30"))), quarantined=1)
    assert {fault["field"] for fault in rows[0].faults} == {"subject_id", "name", "document", "decided_on"}


@pytest.mark.parametrize("word", ["=1+1", '=HYPERLINK("x")', "+1", "@SUM(A1)", "-1+2"])
def test_text_that_looks_like_a_formula_stays_text(subjects: list[Subject], take: Any, word: str) -> None:
    code, name, _, day = complaint(subjects[0])
    batch = take("complaints", book(HEADER, (code, name, word, day)))
    assert_account(batch, accepted=1)
    record = CreditRecord.objects.get(batch=batch)
    assert json.loads(record.body)["document"] == word
    assert record.key.endswith(code)


# --- long names --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [199, 200])
def test_a_name_up_to_the_limit_is_taken_whole(take: Any, codes: list[str], length: int) -> None:
    batch = take("registrations", text(("统一社会信用代码", "企业名称", "登记区县"), (codes[0], "长" * length, "410105")))
    assert_account(batch, accepted=1)
    assert Subject.objects.get().name == "长" * length


@pytest.mark.parametrize("length", [201, 300])
def test_a_longer_name_goes_to_the_quarantine(take: Any, codes: list[str], length: int) -> None:
    batch = take("registrations", text(("统一社会信用代码", "企业名称", "登记区县"), (codes[0], "长" * length, "410105")))
    row = assert_account(batch, quarantined=1)[0]
    assert row.rule == "text.length"
    assert str(length) in row.faults[0]["zh"]
    assert row.cells["name"] == "长" * length
    assert not Subject.objects.exists()


def test_two_hundred_characters_beyond_the_first_plane_fit(take: Any, codes: list[str]) -> None:
    batch = take("registrations", text(("统一社会信用代码", "企业名称", "登记区县"), (codes[0], "𠮷" * 200, "410105")))
    assert_account(batch, accepted=1)


def test_a_name_that_grows_when_folded_fits(take: Any, codes: list[str]) -> None:
    batch = take("registrations", text(("统一社会信用代码", "企业名称", "登记区县"), (codes[0], "㍿" * 200, "410105")))
    assert_account(batch, accepted=1)


def test_a_file_name_of_three_hundred_characters_keeps_its_ending(people: Any, take: Any) -> None:
    batch = take("complaints", text(HEADER), file_name="长" * 300 + ".csv")
    assert len(batch.file_name) == 255
    assert batch.file_name.endswith("长.csv")


def test_a_header_of_three_hundred_characters_can_be_mapped(subjects: list[Subject], take: Any, people: Any) -> None:
    batch = take("complaints", text((*HEADER[:3], "日" * 300), complaint(subjects[0])))
    assert batch.status == "mapping"
    assert services.process(services.map_columns(batch, {"日" * 300: "decided_on"}, people["city"])).status == "staged"


# --- pasted cells ----------------------------------------------------------------------------------------------------------------------------------------


def test_pasted_cells_are_read(subjects: list[Subject], take: Any) -> None:
    assert_account(take("complaints", pasted_csv(text(HEADER, complaint(subjects[0]), between="\t"))), accepted=1)


def test_commas_in_pasted_cells_stay_in_them(subjects: list[Subject], take: Any) -> None:
    code, name, number, day = complaint(subjects[0])
    batch = take("complaints", pasted_csv(text(HEADER, (code, name, f"{number},补", day), between="\t")))
    assert_account(batch, accepted=1)
    record = CreditRecord.objects.get(batch=batch)
    assert json.loads(record.body)["document"] == f"{number},补"
    assert record.key.endswith(code)


def test_pasted_lines_of_windows_are_no_empty_rows(subjects: list[Subject], take: Any) -> None:
    assert_account(
        take("complaints", pasted_csv(text(HEADER, complaint(subjects[0]), between="\t").replace("\n", "\r\n"))), accepted=1
    )


def test_pasted_csv_is_taken_as_it_is() -> None:
    assert pasted_csv("a,b\n1,2") == b"a,b\n1,2"


def test_a_lone_quote_in_pasted_cells_swallows_nothing(subjects: list[Subject], take: Any) -> None:
    code, name, number, day = complaint(subjects[0])
    batch = take(
        "complaints", pasted_csv(text(HEADER, (code, f'"{name}', number, day), complaint(subjects[1]), between="\t"))
    )
    assert batch.rows == 2
