"""What no workbook of any kind may hide, and in which words it is refused: the same rule for xlsx, xls and ods.

What a person cannot see, or what a cell does not hold itself, is refused with its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from zhixin.dataset.delivery.refusals import FileRefused

MOST_UNPACKED = 400 * 1024 * 1024
MOST_CELLS = 50_000_000
MOST_ENTRIES = 1_000
MOST_RATIO = 100
MEGABYTE = 1 << 20
TOP_ROWS = 20
CODE_LISTS = "代码表"
"""The second sheet of our own template; it holds no data."""


@dataclass(frozen=True)
class Merge:
    """A merged range: its first and last row and its name."""

    top: int
    bottom: int
    name: str


@dataclass(frozen=True)
class Inside:
    """What was found in a workbook that may be read: which sheet, its merged ranges, number formats by column index."""

    sheet: int
    name: str
    merges: tuple[Merge, ...]
    formats: dict[int, list[str]]
    from_1904: bool = False
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """Line and column of each error cell that the reader of rows would give as empty, and what it shows."""


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


def _refuse_sheet(name: str, is_hidden: bool) -> FileRefused:
    what = ("隐藏的", "the hidden sheet") if is_hidden else ("", "the sheet")
    return FileRefused(
        "file.sheets",
        f"{what[0]}工作表「{name}」也有内容，系统只读一张",
        f"{what[1]} {name!r} holds data too; only one is read",
        "每张表单独成一个文件提交，或删去多余的表",
        "deliver each sheet as a file of its own, or delete the others",
    )


def refuse_formula(place: str) -> FileRefused:
    return FileRefused(
        "file.formula",
        f"有没有算出结果的公式（{place}）",
        f"there are formulas whose result is not in the file ({place})",
        "选中全部数据，选择性粘贴为「值」后重新提交",
        "paste the data as values, deliver again",
    )


def refuse_hidden(place: str) -> FileRefused:
    return FileRefused(
        "file.hidden",
        f"有隐藏或筛选掉的行列（{place}）",
        f"there are hidden or filtered rows or columns ({place})",
        "取消隐藏和筛选，确认这些内容也要提交后重新提交",
        "unhide them and clear the filter, make sure they belong, deliver again",
    )


def one_sheet(path: Path, sheets: list[tuple[str, bool, bool]]) -> int:
    """Return the sheet to read, of (name, is hidden, is filled): the only one with data that is not our list of codes.

    Raises:
        FileRefused: several are filled, or the only filled one is hidden.
    """
    filled = [place for place, (name, _hidden, is_filled) in enumerate(sheets) if is_filled and name != CODE_LISTS]
    if len(filled) > 1:
        filled = _without_bare_headers(path, filled)
    shown = [place for place in filled if not sheets[place][1]]
    if len(filled) > 1 or (filled and not shown):
        wrong = next((place for place in filled if sheets[place][1]), filled[-1])
        raise _refuse_sheet(sheets[wrong][0], sheets[wrong][1])
    return filled[0] if filled else 0


def _without_bare_headers(path: Path, filled: list[int]) -> list[int]:
    """Leave out sheets that hold nothing but the header of another one: prepared and never filled."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(path))
    tops = {place: book.get_sheet_by_index(place).to_python(nrows=TOP_ROWS) for place in filled}
    rows = {place: [row for row in top if any(cell != "" for cell in row)] for place, top in tops.items()}
    bare = {
        place
        for place, found in rows.items()
        if len(found) == 1 and any(found[0] in rows[other] and len(rows[other]) > 1 for other in filled if other != place)
    }
    return [place for place in filled if place not in bare]
