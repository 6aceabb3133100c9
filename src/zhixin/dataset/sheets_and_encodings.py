"""Input files as rows: CSV in any of the encodings that occur, Excel workbooks, Parquet. Memory stays bounded for CSV
and Parquet; a workbook holds at most about a million rows and is read whole.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from zhixin.errors import DatasetError

CHUNK = 1 << 20
SUFFIXES = (".csv", ".txt", ".xlsx", ".xls", ".ods", ".parquet")
csv.field_size_limit(1 << 24)


class EncodingError(DatasetError):
    """The bytes are in none of the encodings that are read."""


class EmptyFile(DatasetError):
    """There is not even a header."""


class Row(NamedTuple):
    """A row as read from the file. ``line`` counts from 1 and includes the header."""

    line: int
    cells: list[Any]


class Sheet(NamedTuple):
    """The header and the rows of a file."""

    header: list[str]
    rows: Iterator[Row]


def encoding_of(path: Path) -> str:
    """BOM first, then strict UTF-8, then strict GB18030; never ``errors="ignore"``.

    Raises:
        DatasetError: none of them; names the byte where UTF-8 fails.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            place = _first_bad_byte(path, name)
            if place is None:
                return name
            raise EncodingError(
                f"{path} 带有 {name} 标记，但第 {place + 1} 字节起不是该编码；请另存为 UTF-8 后重试",
                f"{path} is marked as {name} but fails at byte {place + 1}; save it as UTF-8 and try again",
            )
    place = _first_bad_byte(path, "utf-8")
    if place is None:
        return "utf-8"
    if _first_bad_byte(path, "gb18030") is None:
        return "gb18030"
    raise EncodingError(
        f"{path} 既不是 UTF-8（第 {place + 1} 字节起有误）也不是 GB18030 编码；请另存为 UTF-8 后重试",
        f"{path} is neither UTF-8 (it fails at byte {place + 1}) nor GB18030; save it as UTF-8 and try again",
    )


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return done + error.start
            if not chunk:
                return None
            done += len(chunk)


def read_sheet(path: Path) -> Sheet:
    """Open a file by its ending.

    Raises:
        DatasetError: not there, empty, or of a kind that is not read.
    """
    if not path.is_file():
        raise DatasetError(f"找不到文件 {path}", f"there is no file {path}")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path)
    if suffix in (".xlsx", ".xls", ".ods"):
        return _workbook(path)
    if suffix in (".csv", ".txt"):
        return _csv(path)
    raise DatasetError(
        f"{path} 的格式不能读取；请提供 CSV、Excel 或 Parquet",
        f"{path} is of a kind that is not read; give CSV, Excel or Parquet",
    )


def _empty(path: Path) -> EmptyFile:
    return EmptyFile(f"{path} 是空的：没有表头", f"{path} is empty: there is no header")


def _csv(path: Path) -> Sheet:
    encoding = encoding_of(path)
    found = _csv_rows(path, encoding)
    header = next(found, None)
    if header is None:
        raise _empty(path)
    return Sheet([str(name) for name in header.cells], found)


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    """Rows that hold a field. Quotes must close: an open one would swallow the rows below it into one cell."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield Row(line, list(cells))
                line = reader.line_num + 1
        except csv.Error as error:
            raise DatasetError(
                f"{path} 第 {line} 行起引号不成对或一格过长（{error}）；请检查双引号后重试",
                f"{path}: from line {line} on a quote does not close, or a cell is too long ({error}); check the double quotes",
            ) from error


def _workbook(path: Path) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise DatasetError(
            f"{path} 无法作为工作簿打开：{error}", f"{path} cannot be opened as a workbook: {error}"
        ) from error
    lines = iter(sheet.to_python(skip_empty_area=False))
    header = next(lines, None)
    if header is None:
        raise _empty(path)
    found = (Row(line, list(cells)) for line, cells in enumerate(lines, 2) if any(cell not in ("", None) for cell in cells))
    return Sheet([str(name) for name in header], found)


def _parquet(path: Path) -> Sheet:
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path} 不是完整的 Parquet 文件：{error}", f"{path} is not a whole Parquet file: {error}"
        ) from error

    def rows() -> Iterator[Row]:
        line = 2
        for batch in file.iter_batches(50_000):
            for cells in zip(*[column.to_pylist() for column in batch.columns], strict=True):
                yield Row(line, list(cells))
                line += 1

    return Sheet(list(file.schema_arrow.names), rows())


def quoted(path: Path) -> str:
    """A path as an SQL literal."""
    return "'" + str(path).replace("'", "''") + "'"
