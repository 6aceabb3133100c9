"""Reads one workbook in a process of its own and writes its rows as JSON lines to standard output.

A workbook comes from outside and its readers are written in three languages: one that panics, loops or eats the memory
must take this process along and nothing else. Its parent is :mod:`zhixin.dataset.delivery.workbook_sandbox`.

The first line is ``{"formats": {column: [number formats]}}`` or ``{"refused": {…}}``; every further line is
``[line, [cells]]`` with dates as ``{"d": "2026-01-31"}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from zhixin.dataset.delivery.own_process import limit_this_process
from zhixin.dataset.delivery.refusals import FileRefused, broken_file, empty_file
from zhixin.dataset.delivery.workbook_inspection import inside
from zhixin.dataset.delivery.workbook_refusals import Inside

MEMORY = 3 * 1024**3
"""Bytes of address space: a workbook of a million rows takes about one and a half gigabytes."""
SECONDS = 240


def rows_of(path: Path, found: Inside) -> Iterator[tuple[int, list[Any]]]:
    """Return line and cells of each row of the sheet that is read."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(found.sheet)
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise broken_file(error) from error
    for (line, column), shown in found.errors.items():
        if line <= len(rows) and column < len(rows[line - 1]):
            rows[line - 1][column] = shown
    yield from enumerate(rows, 1)


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return {"d": cell.date().isoformat()}
    if isinstance(cell, date):
        return {"d": cell.isoformat()}
    if isinstance(cell, time | timedelta):
        return str(cell)
    return None if cell == "" else cell


def main() -> int:
    """Write the rows of the workbook named on the command line; 0 also where it is refused."""
    limit_this_process(MEMORY, SECONDS)
    path = Path(sys.argv[1])
    out = sys.stdout
    try:
        found = inside(path)
        lines = rows_of(path, found)
        first = next(lines, None)
        if first is None:
            raise empty_file()
        merges = [[item.top, item.bottom, item.name] for item in found.merges]
        out.write(
            json.dumps({"formats": found.formats, "merges": merges, "sheet": found.name, "from_1904": found.from_1904})
            + "\n"
        )
        for line, cells in (first, *lines):
            if any(cell not in ("", None) for cell in cells):
                out.write(json.dumps([line, [_plain(cell) for cell in cells]], ensure_ascii=False) + "\n")
    except FileRefused as refused:
        out.write(json.dumps({"refused": refused.as_json()}, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
