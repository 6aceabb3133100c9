"""Runs the reader of workbooks in a process with limits of memory and time, and reads its rows as they come."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.workbook_reader import SECONDS
from zhixin.dataset.delivery.workbook_refusals import Merge


@dataclass(frozen=True)
class Workbook:
    """A workbook that was read: number formats by column, merged ranges, the name of the sheet, and the file of its rows.

    The file has no name: what was delivered is nowhere on the disk once nobody reads it, even after a crash.
    """

    formats: dict[int, tuple[str, ...]]
    merges: tuple[Merge, ...]
    sheet: str
    lines: IO[bytes]
    counts_from_1904: bool = False

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Return line and cells of each row that holds anything; dates are dates again."""
        file = io.BufferedReader(_FromStart(self.lines.fileno()), buffer_size=1 << 20)
        next(file)
        for text in file:
            line, cells = json.loads(text)
            yield line, [date.fromisoformat(cell["d"]) if isinstance(cell, dict) else cell for cell in cells]


class _FromStart(io.RawIOBase):
    """Reads an open file from its start, whoever else reads it meanwhile."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.place = descriptor, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = os.pread(self.descriptor, len(buffer), self.place)
        buffer[: len(found)] = found
        self.place += len(found)
        return len(found)


def read_workbook(path: Path) -> Workbook:
    """Read a workbook in a process that may die.

    Raises:
        FileRefused: it is no sound workbook, hides something, or its reader died or ran out of memory or time.
    """
    with ExitStack() as open_files:
        lines = open_files.enter_context(tempfile.TemporaryFile())
        head = _read_into(lines, path)
        formats = {int(place): tuple(names) for place, names in head["formats"].items()}
        merges = tuple(Merge(*item) for item in head["merges"])
        book = Workbook(formats, merges, head["sheet"], lines, head["from_1904"])
        weakref.finalize(book, open_files.pop_all().close)
    return book


def _read_into(lines: IO[bytes], path: Path) -> dict[str, Any]:
    """Write the rows of a workbook into a file; return what stands before them."""
    command = [sys.executable, "-X", "utf8", "-m", "zhixin.dataset.delivery.workbook_reader", str(path)]
    try:
        done = subprocess.run(command, stdout=lines, stderr=subprocess.DEVNULL, timeout=SECONDS)
        status = done.returncode
    except subprocess.TimeoutExpired:
        status = -1
    head: dict[str, Any] = {}
    if status == 0:
        lines.seek(0)
        head = json.loads(lines.readline() or b"{}")
    if "refused" in head:
        raise FileRefused.from_json(head["refused"])
    if "formats" not in head:
        raise FileRefused(
            "file.reader",
            "工作簿无法读取：读取程序中止（文件损坏、过大或含有异常结构）",
            "the workbook cannot be read: its reader was stopped (broken, too large, or of a strange structure)",
            "在 Excel 中打开并另存为新的 xlsx 或 CSV 后提交",
            "open it in Excel, save it as a new xlsx or CSV and deliver that",
        )
    return head
