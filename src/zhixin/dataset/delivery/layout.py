"""From bytes to rows: what kind of file it is, whether it is safe and whole, where its header stands, which column is what.

Everything that makes a file unusable is refused here with what to do; nothing of it is imported. The original is kept.
"""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from zhixin.dataset.cells import is_empty
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.workbooks import MOST_UNPACKED, Merge, examine, too_large
from zhixin.dataset.files import EmptyFile, EncodingError, read_sheet
from zhixin.dataset.identity import check_uscc
from zhixin.dataset.sources import SourceManifest, header_key, header_names, sources
from zhixin.errors import DatasetError

HEADER_ROWS = 10
MOST_ENTRIES = 1_000
MOST_RATIO = 100
CHUNK = 1 << 20
SAMPLE = 200


@dataclass(frozen=True)
class Layout:
    """Header and columns of a file: ``columns`` maps index → field; ``missing`` are required fields without a column."""

    header: list[str]
    header_line: int
    columns: dict[int, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def kind_of(start: bytes) -> str:
    """The ending that fits the first bytes of a file."""
    if start.startswith(b"PK"):
        return ".xlsx"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return ".xls"
    if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise FileRefused(
            "file.kind", "这是网页或 XML，不是表格文件", "this is a web page or XML, not a table",
            "在 Excel 中打开，另存为 xlsx 或 CSV 后提交", "open it in Excel, save it as xlsx or CSV and deliver that",
        )  # fmt: skip
    if start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise FileRefused(
            "file.kind", "这不是表格文件（是 PDF、图片或压缩包）", "this is no table (a PDF, a picture or an archive)",
            "请提供 CSV、xls 或 xlsx；压缩包请先解压", "give CSV, xls or xlsx; unpack archives first",
        )  # fmt: skip
    return ".csv"


def guard(path: Path) -> tuple[Merge, ...]:
    """Refuse a file that is empty, broken, a bomb, or whose cells do not say what they seem to say.

    Returns:
        The merged ranges of a workbook; whether they do harm depends on where the header stands.

    Raises:
        FileRefused: with the reason and what to do.
    """
    if path.stat().st_size == 0:
        raise empty_file()
    if path.suffix != ".xlsx":
        if path.suffix == ".csv":
            _refuse_nul(path)
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if (
                len(entries) > MOST_ENTRIES
                or unpacked > MOST_UNPACKED
                or unpacked > MOST_RATIO * path.stat().st_size + CHUNK
            ):
                raise too_large(unpacked)
            if "xl/workbook.xml" not in archive.namelist():
                raise FileRefused(
                    "file.kind",
                    "这不是 Excel 工作簿",
                    "this is no Excel workbook",
                    "请提供 CSV、xls 或 xlsx",
                    "give CSV, xls or xlsx",
                )
            return examine(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        ElementTree.ParseError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        KeyError,
    ) as error:
        raise FileRefused(
            "file.broken", f"工作簿不完整或有密码（{error}）", f"the workbook is not whole, or it has a password ({error})",
            "文件可能没有传完；去掉密码，重新导出并提交", "it may have been cut off: remove the password, export and deliver it again",
        ) from error  # fmt: skip


def empty_file() -> FileRefused:
    return FileRefused(
        "file.empty", "文件是空的", "the file is empty", "检查导出是否成功后重新提交", "check the export and deliver again"
    )


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


def raw_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Every row of the file with its line number, the header among them.

    Raises:
        FileRefused: unreadable.
    """
    try:
        sheet = read_sheet(path)
        yield 1, list(sheet.header)
        for row in sheet.rows:
            yield row.line, row.cells
    except EncodingError as error:
        raise _unreadable("file.encoding", error, path) from error
    except EmptyFile as error:
        raise empty_file() from error
    except DatasetError as error:
        raise _unreadable("file.broken", error, path) from error


def _unreadable(rule: str, error: DatasetError, path: Path) -> FileRefused:
    return FileRefused(
        rule,
        _short(error.message.zh, path),
        _short(error.message.en, path),
        "按提示处理后重新提交",
        "mend it as said and deliver again",
    )


def _short(text: str, path: Path) -> str:
    return text.replace(str(path), "").strip()


def find_layout(path: Path, manifest: SourceManifest, remembered: dict[str, str]) -> Layout:
    """The header row (titles may stand above it) and what each column is.

    Args:
        path: the kept original.
        manifest: the source it was delivered for.
        remembered: header as written → field (``""``: ignore), from last time.

    Raises:
        FileRefused: it is empty, belongs to another source, or columns look swapped.
    """
    top = list(islice(raw_rows(path), HEADER_ROWS))
    if all(is_empty(cell) for _, cells in top for cell in cells):
        raise empty_file()
    known = header_names(manifest.id)
    best_line, best_header, best = 1, [], -1
    for line, cells in top:
        score = sum(1 for cell in cells if header_key(cell) in known or (str(cell) in remembered and remembered[str(cell)]))
        if score > best:
            best_line, best_header, best = line, [str(cell) if cell is not None else "" for cell in cells], score
    if not remembered:  # a person who mapped the columns has said what the file is
        _refuse_other_source(manifest, best_header)
    columns: dict[int, str] = {}
    unknown = []
    for index, text in enumerate(best_header):
        field = remembered[text] if text in remembered else known.get(header_key(text), "")
        if field and field not in columns.values():
            columns[index] = field
        elif text.strip():
            unknown.append(text)
    missing = tuple(item.id for item in manifest.fields if item.required and item.id not in columns.values())
    layout = Layout(best_header, best_line, columns, missing, tuple(unknown))
    _refuse_swapped(path, layout)
    return layout


def _refuse_other_source(manifest: SourceManifest, header: list[str]) -> None:
    """A file is another source's if that one knows more of its headers, and clearly so."""
    keys = {header_key(text) for text in header if text.strip()}
    mine = keys & header_names(manifest.id).keys()

    def margin(other: SourceManifest) -> tuple[int, int]:
        theirs = keys & header_names(other.id).keys()
        return len(theirs - mine), len(mine - theirs)

    likely = max(
        (item for item in sources().values() if item.id != manifest.id), key=lambda item: margin(item)[0] - margin(item)[1]
    )
    gained, lost = margin(likely)
    if gained >= 2 and gained > lost:
        raise FileRefused(
            "file.other_source", f"这份文件像是「{likely.title.zh}」，不是「{manifest.title.zh}」", f"this looks like “{likely.title.en}”, not “{manifest.title.en}”",
            "到对应的数据来源下提交；确属本来源的，改用本来源模板的表头", "deliver it under that source; if it does belong here, use the headers of this source's template",
        )  # fmt: skip


def _refuse_swapped(path: Path, layout: Layout) -> None:
    """Codes standing under another header while the code column holds none."""
    code_column = next((index for index, name in layout.columns.items() if name == "subject_id"), None)
    if code_column is None:
        return
    hits: Counter[int] = Counter()
    rows = 0
    for line, cells in islice(raw_rows(path), layout.header_line + SAMPLE):
        if line <= layout.header_line:
            continue
        rows += 1
        for index, cell in enumerate(cells):
            if isinstance(cell, str) and len(cell.strip()) == 18 and check_uscc(cell).is_accepted:
                hits[index] += 1
    for index, count in hits.items():
        if (
            index != code_column
            and count >= max(2, rows * 0.8)
            and hits[code_column] <= rows * 0.2
            and layout.columns.get(index)
        ):
            name = layout.header[index]
            raise FileRefused(
                "file.swapped", f"列的内容与表头不符：信用代码在「{name}」一列", f"columns are swapped: the codes stand under “{name}”",
                "把表头与内容对齐后重新提交", "put headers and contents in line, deliver again",
            )  # fmt: skip


def data_rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[Any]]]:
    """The rows below the header that hold anything."""
    for line, cells in raw_rows(path):
        if line > layout.header_line and any(not is_empty(cell) for cell in cells):
            yield line, cells
