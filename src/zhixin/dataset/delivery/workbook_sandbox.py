"""Runs the reader of workbooks in a process with limits of memory and time, and reads its rows as they come."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.workbook_refusals import Merge

MEMORY = 3 * 1024**3
"""Bytes of address space: a workbook of a million rows takes about one and a half gigabytes."""
SECONDS = 240


@dataclass(frozen=True)
class Workbook:
    """A workbook that was read: number formats by column, merged ranges, the name of the sheet, and where its rows are."""

    formats: dict[int, tuple[str, ...]]
    merges: tuple[Merge, ...]
    sheet: str
    lines: Path
    counts_from_1904: bool = False

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Return line and cells of each row that holds anything; dates are dates again."""
        with self.lines.open(encoding="utf-8") as file:
            next(file)
            for text in file:
                line, cells = json.loads(text)
                yield line, [date.fromisoformat(cell["d"]) if isinstance(cell, dict) else cell for cell in cells]


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_workbook(path: Path) -> Workbook:
    """Read a workbook in a process that may die.

    Raises:
        FileRefused: it is no sound workbook, hides something, or its reader died or ran out of memory or time.
    """
    out = Path(tempfile.mkdtemp(prefix="zhixin-workbook-")) / "rows.jsonl"
    command = [sys.executable, "-X", "utf8", "-m", "zhixin.dataset.delivery.workbook_reader", str(path)]
    try:
        with out.open("wb") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, timeout=SECONDS, preexec_fn=_limits)
        status = done.returncode
    except subprocess.TimeoutExpired:
        status = -1
    head: dict[str, Any] = {}
    if status == 0:
        with out.open(encoding="utf-8") as file:
            head = json.loads(file.readline() or "{}")
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
    formats = {int(place): tuple(names) for place, names in head["formats"].items()}
    return Workbook(formats, tuple(Merge(*item) for item in head["merges"]), head["sheet"], out, head["from_1904"])
