"""From bytes to rows: what kind of file it is, whether it is safe and whole, where its header stands, which column is what.

Everything that makes a file unusable is refused here with what to do; nothing of it is imported. The original is kept.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from zhixin.errors import DatasetError, Message
from zhixin.files import read_sheet
from zhixin.identity import check_uscc
from zhixin.values import is_empty
from zhixin_web.records.sources import SourceManifest, header_key, header_names, sources

HEADER_ROWS = 10
MOST_ENTRIES = 1_000
MOST_UNPACKED = 400 * 1024 * 1024
MOST_RATIO = 100
CHUNK = 1 << 20
SAMPLE = 200


class FileRefused(DatasetError):
    """A delivery that cannot be used as it is; ``rule`` is stable, ``remedy`` says what to do."""

    def __init__(self, rule: str, zh: str, en: str, fix_zh: str, fix_en: str) -> None:
        super().__init__(zh, en)
        self.rule, self.remedy = rule, Message(fix_zh, fix_en)

    def as_json(self) -> dict[str, str]:
        return {
            "rule": self.rule,
            "zh": self.message.zh,
            "en": self.message.en,
            "fix_zh": self.remedy.zh,
            "fix_en": self.remedy.en,
        }


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
    if start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise FileRefused(
            "file.kind", "这不是表格文件（是 PDF、图片或压缩包）", "this is no table (a PDF, a picture or an archive)",
            "请提供 CSV、xls 或 xlsx；压缩包请先解压", "give CSV, xls or xlsx; unpack archives first",
        )  # fmt: skip
    return ".csv"


def guard(path: Path) -> None:
    """Refuse a workbook that is broken, a bomb, or whose cells do not say what they seem to say.

    Raises:
        FileRefused: with the reason and what to do.
    """
    if path.stat().st_size == 0:
        raise FileRefused(
            "file.empty",
            "文件是空的",
            "the file is empty",
            "检查导出是否成功后重新提交",
            "check the export and deliver again",
        )
    if path.suffix != ".xlsx":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if (
                len(entries) > MOST_ENTRIES
                or unpacked > MOST_UNPACKED
                or unpacked > MOST_RATIO * path.stat().st_size + CHUNK
            ):
                raise FileRefused(
                    "file.bomb", f"工作簿解压后过大（{unpacked // 1024 // 1024} MB，{len(entries)} 个部分）", f"the workbook unpacks to {unpacked // 1024 // 1024} MB in {len(entries)} parts",
                    "分成较小的文件，或另存为 CSV", "split it, or save it as CSV",
                )  # fmt: skip
            if "xl/workbook.xml" not in archive.namelist():
                raise FileRefused(
                    "file.kind",
                    "这不是 Excel 工作簿",
                    "this is no Excel workbook",
                    "请提供 CSV、xls 或 xlsx",
                    "give CSV, xls or xlsx",
                )
            _check_sheet(archive)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise FileRefused(
            "file.broken", f"工作簿不完整（{error}）", f"the workbook is not whole ({error})",
            "文件可能没有传完；重新导出并提交", "it may have been cut off: export and deliver it again",
        ) from error  # fmt: skip


_TRAPS = {
    "file.merged": (re.compile(rb'<mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"'), "数据区有合并单元格", "there are merged cells among the data", "取消合并并填满每一格后重新提交", "unmerge them, fill every cell, deliver again"),
    "file.hidden": (re.compile(rb'<row[^>]*\shidden="(?:1|true)"[^>]*?r="(\d+)"|<row[^>]*?r="(\d+)"[^>]*\shidden="(?:1|true)"'), "有隐藏的行", "there are hidden rows", "取消隐藏，确认这些行也要提交后重新提交", "unhide them, make sure they belong, deliver again"),
    "file.formula": (re.compile(rb'<c r="([A-Z]+\d+)"[^>]*><f[ >/]'), "有公式单元格", "there are cells with formulas", "选中全部数据，选择性粘贴为「值」后重新提交", "paste the data as values, deliver again"),
}  # fmt: skip


def _check_sheet(archive: zipfile.ZipFile) -> None:
    names = sorted(name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name))
    if not names:
        return
    rest = b""
    read = 0
    with archive.open(names[0]) as sheet:
        while chunk := sheet.read(CHUNK):
            read += len(chunk)
            if read > MOST_UNPACKED:  # the declared size may lie
                raise FileRefused(
                    "file.bomb",
                    "工作簿解压后过大",
                    "the workbook unpacks to too much",
                    "分成较小的文件，或另存为 CSV",
                    "split it, or save it as CSV",
                )
            part = rest + chunk
            for rule, (pattern, zh, en, fix_zh, fix_en) in _TRAPS.items():
                for found in pattern.finditer(part):
                    place = _place(rule, found)
                    if place:
                        raise FileRefused(rule, f"{zh}（{place}）", f"{en} ({place})", fix_zh, fix_en)
            rest = part[-400:]


def _place(rule: str, found: re.Match[bytes]) -> str | None:
    """Where the trap lies; merged cells above the data (a title) do no harm."""
    if rule == "file.merged":
        left, top, right, bottom = (part.decode() for part in found.groups())
        return None if int(bottom) <= 3 and left == "A" else f"{left}{top}:{right}{bottom}"
    return next(part for part in found.groups() if part is not None).decode()


def raw_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Every row of the file with its line number, the header among them.

    Raises:
        FileRefused: unreadable.
    """
    try:
        sheet = read_sheet(path)
    except DatasetError as error:
        rule = "file.encoding" if "UTF-8" in error.message.en else "file.broken"
        raise FileRefused(
            rule,
            _short(error.message.zh, path),
            _short(error.message.en, path),
            "按提示处理后重新提交",
            "mend it as said and deliver again",
        ) from error
    yield 1, list(sheet.header)
    for row in sheet.rows:
        yield row.line, row.cells


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
    known = header_names(manifest.id)
    best_line, best_header, best = 1, [], -1
    for line, cells in top:
        score = sum(1 for cell in cells if header_key(cell) in known or (str(cell) in remembered and remembered[str(cell)]))
        if score > best:
            best_line, best_header, best = line, [str(cell) if cell is not None else "" for cell in cells], score
    _refuse_other_source(manifest, top, best)
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


def _refuse_other_source(manifest: SourceManifest, top: list[tuple[int, list[Any]]], best: int) -> None:
    required = sum(item.required for item in manifest.fields)
    scores = Counter(
        {
            other.id: max(sum(1 for cell in cells if header_key(cell) in header_names(other.id)) for _, cells in top)
            for other in sources().values()
        }
    )
    likely, score = scores.most_common(1)[0]
    if best < max(2, required // 2) and likely != manifest.id and score >= max(3, 2 * best):
        title = sources()[likely].title
        raise FileRefused(
            "file.other_source", f"这份文件像是「{title.zh}」，不是「{manifest.title.zh}」", f"this looks like “{title.en}”, not “{manifest.title.en}”",
            "到对应的数据来源下提交", "deliver it under that source",
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
