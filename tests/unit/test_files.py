"""Files: encodings in the order BOM, strict UTF-8, GB18030, and never a byte ignored; rows as they stand, with their lines."""

from __future__ import annotations

import codecs
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from unit.writing import write_csv
from zhixin.dataset.sheets_and_encodings import CHUNK, encoding_of, read_sheet
from zhixin.errors import DatasetError

TEXT = "统一社会信用代码,企业名称\n91110000600037341L,郑州“虚构”有限公司\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("gb18030", b"", "gb18030"),
        ("gbk", b"", "gb18030"),
        ("gb2312", b"", "gb18030"),
    ],
    ids=["UTF-8", "UTF-8 with BOM", "UTF-16 LE", "UTF-16 BE", "GB18030", "GBK", "GB2312"],
)
def test_every_encoding_reads_the_same(tmp_path: Path, encoding: str, mark: bytes, found: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(mark + TEXT.encode(encoding))
    assert encoding_of(path) == found
    sheet = read_sheet(path)
    assert sheet.header == ["统一社会信用代码", "企业名称"]
    assert [row.cells for row in sheet.rows] == [["91110000600037341L", "郑州“虚构”有限公司"]]


def test_rare_characters_of_names_survive_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name\n㛃𠮷䶮\n中国\n".encode("gb18030"))
    assert [row.cells for row in read_sheet(path).rows] == [["㛃𠮷䶮"], ["中国"]]


def test_plain_ascii_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert encoding_of(path) == "utf-8"


@pytest.mark.parametrize("where", [0, 7, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_bad_byte_is_named_by_its_place(tmp_path: Path, where: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a" * where + b"\xff\xff" + b"a" * 20)
    with pytest.raises(DatasetError) as refused:
        encoding_of(path)
    assert f"byte {where + 1})" in refused.value.message.en
    assert f"第 {where + 1} 字节" in refused.value.message.zh


@pytest.mark.parametrize("lead", range(4))
def test_a_character_across_two_blocks_is_whole(tmp_path: Path, lead: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a" * (CHUNK - lead) + "中𠮷".encode())
    assert encoding_of(path) == "utf-8"


def test_a_character_cut_off_at_the_end_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,中".encode()[:-2])
    with pytest.raises(DatasetError):
        list(read_sheet(path).rows)


def test_a_bad_byte_behind_a_bom_is_refused_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF8 + b"a,b\n1,2\n" * 3000 + b"\xff,2\n")
    with pytest.raises(DatasetError):
        list(read_sheet(path).rows)


def test_a_broken_utf_16_file_is_refused_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF16_LE + "a,b\n".encode("utf-16-le") * 9000 + b"\x00\xdc,\x00\n\x00")
    with pytest.raises(DatasetError):
        list(read_sheet(path).rows)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends_do_not_matter(tmp_path: Path, end: str) -> None:
    path = write_csv(tmp_path / "a.csv", ["a", "b"], [["1", "2"], ["3", "4"]], end=end)
    assert [(row.line, row.cells) for row in read_sheet(path).rows] == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_lines_are_those_of_an_editor_despite_breaks_inside_cells_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"x\ny",1\n\nz,2\n\n\nw,3', encoding="utf-8")
    assert [(row.line, row.cells) for row in read_sheet(path).rows] == [(2, ["x\ny", "1"]), (5, ["z", "2"]), (8, ["w", "3"])]


def test_rows_of_any_width_come_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1\n1,2,3\n,\n", encoding="utf-8")
    assert [row.cells for row in read_sheet(path).rows] == [["1"], ["1", "2", "3"], ["", ""]]


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "A.CSV"])
def test_an_empty_file_has_no_header(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DatasetError, match="empty"):
        read_sheet(tmp_path / name)


@pytest.mark.parametrize("name", ["a.json", "a.docx", "a", "a.csv.gz"])
def test_other_kinds_of_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a,b\n")
    with pytest.raises(DatasetError, match="not read"):
        read_sheet(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError) as refused:
        read_sheet(tmp_path / name)
    assert str(tmp_path / name) in refused.value.message.zh
    assert str(tmp_path / name) in refused.value.message.en


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.xls", "a.ods"])
@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 broken", b"PAR1 broken PAR1"], ids=["empty", "text", "zip", "parquet"]
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError):
        read_sheet(tmp_path / name)


def test_half_a_workbook_and_half_a_parquet_file_are_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet().write_row(0, 0, ["a", "b"])
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "a.parquet")
    for path in (tmp_path / "a.xlsx", tmp_path / "a.parquet"):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DatasetError):
            list(read_sheet(path).rows)


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_a_workbook_gives_typed_cells_and_cached_results_of_formulas(tmp_path: Path, epoch: int) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path), {"date_1904": epoch == 1904}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["text", "number", "day", "formula", "truth", "empty"])
        sheet.write_string(1, 0, "007")
        sheet.write_number(1, 1, 3)
        sheet.write_datetime(1, 2, datetime(2026, 1, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_formula(1, 3, "=B2*2", None, 6)
        sheet.write_boolean(1, 4, True)
        sheet.write_string(3, 0, "after a blank row")
    first, second = read_sheet(path).rows
    assert (first.line, second.line) == (2, 4)
    text, number, day, formula, truth, empty = first.cells
    assert (text, number, formula, truth) == ("007", 3.0, 6.0, True)
    assert (day.date() if isinstance(day, datetime) else day) == date(2026, 1, 31)
    assert empty in ("", None)


def test_a_parquet_file_gives_its_own_types(tmp_path: Path) -> None:
    table = pa.table({"代码": ["a", None], "day": pa.array([date(2026, 1, 31)] * 2), "n": pa.array([1, 2], pa.int64())})
    pq.write_table(table, tmp_path / "a.parquet")
    sheet = read_sheet(tmp_path / "a.parquet")
    assert sheet.header == ["代码", "day", "n"]
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (2, ["a", date(2026, 1, 31), 1]),
        (3, [None, date(2026, 1, 31), 2]),
    ]


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DatasetError):
        read_sheet(tmp_path / "a.csv")
