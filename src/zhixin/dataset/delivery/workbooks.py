"""What a workbook hides: merged, hidden and formula cells, other filled sheets, cells so far out that no reader can hold them.

The sheet that is read is the first of ``xl/workbook.xml``; its XML is streamed, so memory stays small.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import IO, Any
from xml.etree import ElementTree

from zhixin.dataset.delivery.refusals import FileRefused

MOST_UNPACKED = 400 * 1024 * 1024
MOST_CELLS = 50_000_000
CODE_LISTS = "代码表"
"""The second sheet of our own template; it holds no data."""


@dataclass(frozen=True)
class Merge:
    """A merged range: its first and last row and its name."""

    top: int
    bottom: int
    name: str


class Bounded:
    """A part of the archive, read no further than it may be: the declared size may lie."""

    def __init__(self, part: IO[bytes]) -> None:
        self.part, self.done = part, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self.part.read(size)
        self.done += len(chunk)
        if self.done > MOST_UNPACKED:
            raise too_large(self.done)
        return chunk


def too_large(size: int) -> FileRefused:
    megabytes = size // 1024 // 1024
    return FileRefused(
        "file.bomb",
        f"工作簿解压后过大（{megabytes} MB）",
        f"the workbook unpacks to {megabytes} MB",
        "分成较小的文件，或另存为 CSV",
        "split it, or save it as CSV",
    )


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


def sheets_of(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Name and part of each sheet, in the order of the workbook."""
    targets: dict[str, str] = {}
    for node in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        targets[node.get("Id", "")] = node.get("Target", "")
    found = []
    for node in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if local(node.tag) == "sheet":
            link = next((value for key, value in node.attrib.items() if local(key) == "id"), "")
            target = targets.get(link, "")
            found.append((node.get("name", ""), target.lstrip("/") if target.startswith("/") else f"xl/{target}"))
    return [(name, part) for name, part in found if part in archive.namelist()]


def examine(archive: zipfile.ZipFile) -> tuple[Merge, ...]:
    """Refuse hidden rows, formulas, other filled sheets and cells too far out; give the merged ranges.

    Raises:
        FileRefused: with the place and what to do.
    """
    sheets = sheets_of(archive)
    if not sheets:
        return ()
    for name, part in sheets[1:]:
        if name != CODE_LISTS and _is_filled(archive, part):
            raise FileRefused(
                "file.sheets",
                f"工作表「{name}」也有内容，系统只读第一张",
                f"the sheet {name!r} holds data too; only the first is read",
                "每张表单独成一个文件提交，或删去多余的表",
                "deliver each sheet as a file of its own, or delete the others",
            )
    merges: list[Merge] = []
    with archive.open(sheets[0][1]) as sheet:
        for _, node in ElementTree.iterparse(Bounded(sheet)):
            _look(node, merges)
    return tuple(merges)


def _is_filled(archive: zipfile.ZipFile, part: str) -> bool:
    with archive.open(part) as sheet:
        return any(local(node.tag) in ("v", "t") for _, node in ElementTree.iterparse(Bounded(sheet)))


def _look(node: Any, merges: list[Merge]) -> None:
    name = local(node.tag)
    if name == "c":
        if any(local(child.tag) == "f" for child in node):
            raise FileRefused(
                "file.formula",
                f"有公式单元格（{node.get('r')}）",
                f"there are cells with formulas ({node.get('r')})",
                "选中全部数据，选择性粘贴为「值」后重新提交",
                "paste the data as values, deliver again",
            )
        column, row = _place(node.get("r", "A1"))
        if column * row > MOST_CELLS:
            raise FileRefused(
                "file.bomb",
                f"单元格 {node.get('r')} 离数据太远，表格大得无法读取",
                f"the cell {node.get('r')} lies so far out that the sheet cannot be read",
                "删去数据区以外的内容后重新提交",
                "delete what lies outside the data, deliver again",
            )
    elif name == "row":
        if node.get("hidden") in ("1", "true"):
            raise FileRefused(
                "file.hidden",
                f"有隐藏的行（第 {node.get('r')} 行）",
                f"there are hidden rows (row {node.get('r')})",
                "取消隐藏，确认这些行也要提交后重新提交",
                "unhide them, make sure they belong, deliver again",
            )
        node.clear()
    elif name == "mergeCell":
        first, _, last = node.get("ref", "").partition(":")
        merges.append(Merge(_place(first)[1], _place(last or first)[1], node.get("ref", "")))


def _place(reference: str) -> tuple[int, int]:
    """Column and row of a cell, from 1."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})", reference)
    if found is None:
        return 1, 1
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return column, int(found[2])


def refuse_merges(merges: tuple[Merge, ...], header_line: int) -> None:
    """Merged titles above the header do no harm; anything merged in the header or below it does.

    Raises:
        FileRefused: names the range.
    """
    for item in merges:
        if item.bottom >= header_line:
            raise FileRefused(
                "file.merged",
                f"表头或数据区有合并单元格（{item.name}）",
                f"there are merged cells in the header or the data ({item.name})",
                "取消合并并填满每一格后重新提交",
                "unmerge them, fill every cell, deliver again",
            )
