"""A delivered file as rows, whatever its kind: text tables are read here, workbooks in a process of their own."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from zhixin.dataset.cell_parsers import is_empty
from zhixin.dataset.delivery.refusals import FileRefused, empty_file
from zhixin.dataset.delivery.workbook_refusals import Merge
from zhixin.dataset.delivery.workbook_sandbox import read_workbook
from zhixin.dataset.sheets_and_encodings import EncodingError, encoding_of
from zhixin.errors import DatasetError

DELIMITERS = (",", ";", "\t", "|")
CHUNK = 1 << 20
LOOKED_AT = 15
Rows = Iterator[tuple[int, list[Any]]]


@dataclass(frozen=True)
class DeliveredTable:
    """The rows of a file with their line numbers, and what a person should know of how they were read."""

    rows: Callable[[], Rows]
    is_text: bool
    delimiter: str = ""
    merges: tuple[Merge, ...] = ()
    formats: dict[int, tuple[str, ...]] | None = None
    sheet: str = ""
    has_serials: bool = True
    """Whether a bare number may be a day counted from 1900; a workbook that counts from 1904 leaves that open."""


def kind_of(start: bytes) -> str:
    """Return the ending that fits the first bytes of a file.

    Raises:
        FileRefused: it is no table.
    """
    if start.startswith(b"PK"):
        return ".ods" if b"opendocument.spreadsheet" in start else ".xlsx"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return ".xls"
    if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", b"{", b"[{")):
        raise FileRefused(
            "file.kind", "这是网页、XML 或 JSON，不是表格文件", "this is a web page, XML or JSON, not a table",
            "在 Excel 中打开，另存为 xlsx 或 CSV 后提交", "open it in Excel, save it as xlsx or CSV and deliver that",
        )  # fmt: skip
    if start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"GIF8", b"BM")):
        raise FileRefused(
            "file.kind", "这不是表格文件（是 PDF、图片或压缩包）", "this is no table (a PDF, a picture or an archive)",
            "请提供 CSV、xls 或 xlsx；压缩包请先解压", "give CSV, xls or xlsx; unpack archives first",
        )  # fmt: skip
    return ".csv"


def open_table(path: Path, score: Callable[[list[Any]], int], delimiter: str | None = None) -> DeliveredTable:
    """Open a delivered file.

    Args:
        path: its suffix is one that :func:`kind_of` gives.
        score: how many cells of a row are headers that the source knows; it decides the delimiter of a text.
        delimiter: as a person said; looked for otherwise.

    Raises:
        FileRefused: empty, broken, of no kind that is read, or of a delimiter that cannot be told.
    """
    if path.stat().st_size == 0:
        raise empty_file()
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        book = read_workbook(path)
        return DeliveredTable(book.rows, False, "", book.merges, book.formats, book.sheet, not book.counts_from_1904)
    _refuse_nul(path)
    try:
        encoding = encoding_of(path)
    except EncodingError as error:
        raise _unreadable("file.encoding", error, path) from error
    chosen = delimiter or _delimiter(path, encoding, score)
    return DeliveredTable(lambda: _text_rows(path, encoding, chosen), True, chosen)


def _refuse_nul(path: Path) -> None:
    """NUL bytes mean a binary file or a bad export (UTF-16 has them by right and starts with its mark)."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return
        file.seek(0)
        while chunk := file.read(CHUNK):
            if b"\x00" in chunk:
                raise FileRefused(
                    "file.encoding",
                    "文件中有空字符（NUL），不是完好的文本",
                    "the file holds NUL characters: it is no sound text",
                    "重新导出为 UTF-8 的 CSV 后提交",
                    "export it again as UTF-8 CSV",
                )


def _delimiter(path: Path, encoding: str, score: Callable[[list[Any]], int]) -> str:
    """Return the delimiter under which the first lines hold the most known headers; the comma where none does.

    Raises:
        FileRefused: two do it equally well, or a header names the columns but no delimiter parts them.
    """
    with path.open(encoding=encoding, newline="") as file:
        top = "".join(islice(file, LOOKED_AT))
    found: dict[str, int] = {}
    for mark in DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO(top), delimiter=mark))
        except csv.Error:
            continue
        found[mark] = max((score(row) for row in rows), default=0)
    best = max(found.values(), default=0)
    likely = [mark for mark, count in found.items() if count == best]
    if best >= 2 and len(likely) == 1:
        return likely[0]
    if best >= 2:
        raise FileRefused(
            "file.delimiter", "分不清各列之间的分隔符", "the delimiter between the columns cannot be told",
            "另存为 UTF-8 的 CSV（逗号分隔）后提交", "save it as UTF-8 CSV with commas and deliver that",
        )  # fmt: skip
    counts = {mark: top.count(mark) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _text_rows(path: Path, encoding: str, delimiter: str) -> Rows:
    """Return the rows that hold a field, counted as a spreadsheet does: a line break inside quotes starts no row.

    Quotes must close: an open one would swallow the rows below it into one cell.

    Raises:
        FileRefused: a quote does not close, or a cell is longer than the reader takes.
    """
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True, delimiter=delimiter)
        line = read = 0
        try:
            for line, cells in enumerate(reader, 1):
                has_breaks, read = reader.line_num - read > 1, reader.line_num
                if has_breaks and any(cell.count(delimiter) >= len(cells) - 1 > 0 for cell in cells):
                    raise FileRefused(
                        "file.broken",
                        f"第 {line} 行有一格吞下了后面的整行（引号不成对）",
                        f"a cell of row {line} has swallowed whole rows below it: a quote does not close",
                        "检查双引号后重新提交",
                        "check the double quotes and deliver again",
                    )
                if any(not is_empty(cell) for cell in cells):
                    yield line, list(cells)
        except csv.Error as error:
            raise FileRefused(
                "file.broken",
                f"第 {line + 1} 行起引号不成对或一格过长（{error}）",
                f"from line {line + 1} on a quote does not close, or a cell is too long ({error})",
                "检查双引号后重新提交",
                "check the double quotes and deliver again",
            ) from error


def _unreadable(rule: str, error: DatasetError, path: Path) -> FileRefused:
    zh, en = (text.replace(str(path), "").strip() for text in error.message)
    return FileRefused(rule, zh, en, "按提示处理后重新提交", "put it right as said and deliver again")
