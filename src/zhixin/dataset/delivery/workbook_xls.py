"""What an xls workbook hides."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

from zhixin.dataset.delivery.refusals import broken_file
from zhixin.dataset.delivery.workbook_refusals import (
    Inside,
    Merge,
    one_sheet,
    refuse_formula,
    refuse_hidden,
)

_FORMULA_RECORDS = (0x0006, 0x0206, 0x0406)
RESULT_AT, FLAGS_AT, TO_BE_COMPUTED, EMPTY_RESULT = 6, 14, 0b11, 3


def inside_xls(path: Path) -> Inside:
    import xlrd

    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, logfile=io.StringIO())
        sheets = [book.sheet_by_index(place) for place in range(book.nsheets)]
    except Exception as error:  # xlrd meets a damaged file with whatever its parsing runs into
        raise broken_file(error) from error
    filled = [any(cell.value not in ("", None) for row in sheet.get_rows() for cell in row) for sheet in sheets]
    chosen = one_sheet(path, [(sheet.name, sheet.visibility != 0, full) for sheet, full in zip(sheets, filled, strict=True)])
    sheet = sheets[chosen]
    hidden = [row for row, info in sheet.rowinfo_map.items() if (info.hidden or info.height == 0) and row < sheet.nrows]
    hidden_columns = [
        place for place, info in sheet.colinfo_map.items() if (info.hidden or info.width == 0) and place < sheet.ncols
    ]
    if hidden or hidden_columns:
        raise refuse_hidden(str(hidden[0] + 1 if hidden else hidden_columns[0] + 1))
    if _has_open_formulas(book, chosen):
        raise refuse_formula(sheet.name)
    merges = tuple(Merge(top + 1, bottom, f"{top + 1}–{bottom}") for top, bottom, _left, _right in sheet.merged_cells)
    used: dict[int, set[str]] = {}
    errors = {}
    for row in range(sheet.nrows):
        for column, cell in enumerate(sheet.row(row)):
            if cell.ctype == xlrd.XL_CELL_ERROR:
                errors[row + 1, column] = xlrd.error_text_from_code.get(int(cell.value), "#N/A")
            if cell.ctype == xlrd.XL_CELL_NUMBER:
                code = book.format_map[book.xf_list[cell.xf_index or 0].format_key].format_str
                if code != "General":
                    used.setdefault(column, set()).add(code)
    return Inside(
        chosen, sheet.name, merges, {column: sorted(names) for column, names in used.items()}, book.datemode == 1, errors
    )


def _has_open_formulas(book: Any, sheet: int) -> bool:
    """Whether a sheet holds formulas that wait to be computed (flags fAlwaysCalc and fFill of [MS-XLS] 2.4.127)."""
    stream, place = book.mem, book._sh_abs_posn[sheet]
    depth = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        is_formula = kind in _FORMULA_RECORDS and length >= FLAGS_AT + 2
        if is_formula:
            flags = struct.unpack_from("<H", stream, place + 4 + FLAGS_AT)[0]
            is_blank = (
                stream[place + 4 + RESULT_AT] == EMPTY_RESULT
                and stream[place + 4 + FLAGS_AT - 2 : place + 4 + FLAGS_AT] == b"\xff\xff"
            )
            if flags & TO_BE_COMPUTED or is_blank:
                return True
        depth += (kind == 0x0809) - (kind == 0x000A)  # BOF and EOF: charts lie inside a sheet
        if kind == 0x000A and depth <= 0:
            return False
        place += 4 + length
    return False
