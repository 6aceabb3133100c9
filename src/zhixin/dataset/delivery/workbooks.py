"""What a workbook of any kind hides: merged, hidden and formula cells, other filled or hidden sheets, number formats.

The same rule for xlsx, xls and ods: what a person cannot see, or what a cell does not hold itself, is refused with its
place. XML is streamed and no further than it may be, so memory stays small.
"""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from zhixin.dataset.delivery.refusals import FileRefused, broken_file, empty_file

MOST_UNPACKED = 400 * 1024 * 1024
MOST_CELLS = 50_000_000
MOST_ENTRIES = 1_000
MOST_REPEATED = 1_000
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


def sheets_of(archive: zipfile.ZipFile) -> list[tuple[str, str, bool]]:
    """Return name and part of each sheet, and whether it is hidden, in the order of the workbook."""
    targets: dict[str, str] = {}
    for node in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        targets[node.get("Id", "")] = node.get("Target", "")
    found = []
    for node in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if local(node.tag) == "sheet":
            link = next((value for key, value in node.attrib.items() if local(key) == "id"), "")
            target = targets.get(link, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            found.append((node.get("name", ""), part, node.get("state", "visible") != "visible"))
    return [item for item in found if item[1] in archive.namelist()]


def inside(path: Path) -> Inside:
    """Examine a workbook.

    Raises:
        FileRefused: it is broken or a bomb, hides something, or holds formulas; with the place and what to do.
    """
    if path.suffix.lower() == ".xls":
        return _inside_xls(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(archive, path.stat().st_size)
            names = archive.namelist()
            if "xl/workbook.xml" in names:
                return _inside_xlsx(archive, path)
            if "content.xml" in names:
                return _inside_ods(archive, path)
    except _BROKEN as error:
        raise broken_file(error) from error
    raise FileRefused(
        "file.kind", "这不是工作簿", "this is no workbook", "请提供 CSV、xls、xlsx 或 ods", "give CSV, xls, xlsx or ods"
    )


_BROKEN = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, EOFError, NotImplementedError, RuntimeError, KeyError)


def _refuse_bomb(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * size + MEGABYTE:
        raise too_large(unpacked)


# --- what is refused, in words -----------------------------------------------------------------------------------------


def _refuse_sheet(name: str, is_hidden: bool) -> FileRefused:
    what = ("隐藏的", "the hidden sheet") if is_hidden else ("", "the sheet")
    return FileRefused(
        "file.sheets",
        f"{what[0]}工作表「{name}」也有内容，系统只读一张",
        f"{what[1]} {name!r} holds data too; only one is read",
        "每张表单独成一个文件提交，或删去多余的表",
        "deliver each sheet as a file of its own, or delete the others",
    )


def _refuse_formula(place: str) -> FileRefused:
    return FileRefused(
        "file.formula",
        f"有没有算出结果的公式（{place}）",
        f"there are formulas whose result is not in the file ({place})",
        "选中全部数据，选择性粘贴为「值」后重新提交",
        "paste the data as values, deliver again",
    )


def _refuse_hidden(place: str) -> FileRefused:
    return FileRefused(
        "file.hidden",
        f"有隐藏或筛选掉的行列（{place}）",
        f"there are hidden or filtered rows or columns ({place})",
        "取消隐藏和筛选，确认这些内容也要提交后重新提交",
        "unhide them and clear the filter, make sure they belong, deliver again",
    )


def _one_sheet(path: Path, sheets: list[tuple[str, bool, bool]]) -> int:
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


# --- xlsx ----------------------------------------------------------------------------------------------------------------


def _inside_xlsx(archive: zipfile.ZipFile, path: Path) -> Inside:
    sheets = sheets_of(archive)
    if not sheets:
        raise empty_file()
    chosen = _one_sheet(path, [(name, hidden, _is_filled(archive, part)) for name, part, hidden in sheets])
    formats = _formats(archive)
    look = _Look(formats, b'fullCalcOnLoad="1"' in archive.read("xl/workbook.xml"))
    with archive.open(sheets[chosen][1]) as sheet:
        for _, node in ElementTree.iterparse(Bounded(sheet)):
            look.at(node)
    used = {column: sorted(names) for column, names in look.used.items()}
    is_1904 = re.search(rb"date1904=\"(1|true)\"", archive.read("xl/workbook.xml")) is not None
    return Inside(chosen, sheets[chosen][0], tuple(look.merges), used, is_1904, look.errors)


def _formats(archive: zipfile.ZipFile) -> list[str]:
    """Return the number format of each cell style."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    root = ElementTree.fromstring(archive.read("xl/styles.xml"))
    codes = {node.get("numFmtId"): node.get("formatCode", "") for node in root.iter() if local(node.tag) == "numFmt"}
    builtin = {"9": "0%", "10": "0.00%"}
    styles = next((node for node in root if local(node.tag) == "cellXfs"), None)
    return [
        codes.get(item.get("numFmtId"), builtin.get(item.get("numFmtId", ""), ""))
        for item in (styles if styles is not None else [])
    ]


def _is_filled(archive: zipfile.ZipFile, part: str) -> bool:
    with archive.open(part) as sheet:
        return any(local(node.tag) in ("v", "t") for _, node in ElementTree.iterparse(Bounded(sheet)))


class _Look:
    """Looks at each node of a sheet's XML: formulas without result, hidden rows and columns, merged ranges, formats."""

    def __init__(self, formats: list[str], is_to_be_computed: bool) -> None:
        self.formats, self.is_to_be_computed = formats, is_to_be_computed
        self.merges: list[Merge] = []
        self.used: dict[int, set[str]] = {}
        self.errors: dict[tuple[int, int], str] = {}

    def at(self, node: Any) -> None:
        name = local(node.tag)
        if name == "c":
            self._cell(node)
        elif name == "row":
            if node.get("hidden") in ("1", "true"):
                raise _refuse_hidden(node.get("r", ""))
            node.clear()
        elif name == "col" and node.get("hidden") in ("1", "true"):
            raise _refuse_hidden(f"{node.get('min')}–{node.get('max')}")
        elif name == "mergeCell":
            first, _, last = node.get("ref", "").partition(":")
            self.merges.append(Merge(_place(first)[1], _place(last or first)[1], node.get("ref", "")))

    def _cell(self, node: Any) -> None:
        parts = {local(child.tag): child.text or "" for child in node}
        # A program that computes nothing writes 0 for every result and asks for computing when the file is opened.
        if "f" in parts and (not parts.get("v") or self.is_to_be_computed and parts["v"] == "0"):
            raise _refuse_formula(node.get("r", ""))
        column, row = _place(node.get("r", "A1"))
        if node.get("t") == "e":
            self.errors[row, column - 1] = parts.get("v", "") or "#N/A"
        if column * row > MOST_CELLS:
            raise FileRefused(
                "file.bomb",
                f"单元格 {node.get('r')} 离数据太远，表格大得无法读取",
                f"the cell {node.get('r')} lies so far out that the sheet cannot be read",
                "删去数据区以外的内容后重新提交",
                "delete what lies outside the data, deliver again",
            )
        style = int(node.get("s", "0"))
        if node.get("t", "n") == "n" and style < len(self.formats) and self.formats[style]:
            self.used.setdefault(column - 1, set()).add(self.formats[style])


# --- xls -----------------------------------------------------------------------------------------------------------------

_FORMULA_RECORDS = (0x0006, 0x0206, 0x0406)
RESULT_AT, FLAGS_AT, TO_BE_COMPUTED, EMPTY_RESULT = 6, 14, 0b11, 3


def _inside_xls(path: Path) -> Inside:
    import xlrd

    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, logfile=io.StringIO())
        sheets = [book.sheet_by_index(place) for place in range(book.nsheets)]
    except Exception as error:  # xlrd meets a damaged file with whatever its parsing runs into
        raise broken_file(error) from error
    filled = [any(cell.value not in ("", None) for row in sheet.get_rows() for cell in row) for sheet in sheets]
    chosen = _one_sheet(
        path, [(sheet.name, sheet.visibility != 0, full) for sheet, full in zip(sheets, filled, strict=True)]
    )
    sheet = sheets[chosen]
    hidden = [row for row, info in sheet.rowinfo_map.items() if (info.hidden or info.height == 0) and row < sheet.nrows]
    hidden_columns = [
        place for place, info in sheet.colinfo_map.items() if (info.hidden or info.width == 0) and place < sheet.ncols
    ]
    if hidden or hidden_columns:
        raise _refuse_hidden(str(hidden[0] + 1 if hidden else hidden_columns[0] + 1))
    if _has_open_formulas(book, chosen):
        raise _refuse_formula(sheet.name)
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


# --- ods -----------------------------------------------------------------------------------------------------------------


def _inside_ods(archive: zipfile.ZipFile, path: Path) -> Inside:
    sheets: list[tuple[str, bool, bool]] = []
    merges: list[Merge] = []
    name, row, is_filled = "", 0, False
    is_1904 = is_row_filled = False
    with archive.open("content.xml") as content:
        for event, node in ElementTree.iterparse(Bounded(content), events=("start", "end")):
            tag = local(node.tag)
            values = {local(key): value for key, value in node.attrib.items()}
            if event == "start" and tag == "table":
                name, row, is_filled = values.get("name", ""), 0, False
            elif event == "start" and tag == "null-date":
                is_1904 = values.get("date-value", "").startswith("1904")
            elif event == "end" and tag == "table-row":
                if is_row_filled and int(values.get("number-rows-repeated", "1")) > MOST_REPEATED:
                    raise _refuse_other(
                        f"{name}:{row}", "同一行重复了上千次", "one row is repeated a thousand times and more"
                    )
            elif event == "start" and tag == "table-row":
                is_row_filled = False
                row += 1
                if values.get("visibility") in ("collapse", "filter"):
                    raise _refuse_hidden(str(row))
            elif event == "end" and tag == "table-cell":
                if "formula" in values and "value-type" not in values:
                    raise _refuse_formula(f"{name}:{row}")
                if int(values.get("number-rows-spanned", "1")) > 1 or int(values.get("number-columns-spanned", "1")) > 1:
                    last = row + int(values.get("number-rows-spanned", "1")) - 1
                    merges.append(Merge(row, last, f"{name}:{row}"))
                is_row_filled = is_row_filled or "value-type" in values
                is_filled = is_filled or is_row_filled
                _refuse_other_look(values, _shown_text(node), f"{name}:{row}")
            elif event == "end" and tag == "table":
                sheets.append((name, False, is_filled))
                node.clear()
    chosen = _one_sheet(path, sheets) if sheets else 0
    return Inside(chosen, sheets[chosen][0] if sheets else "", tuple(merges), {}, is_1904)


def _shown_text(node: Any) -> str:
    return "".join("".join(child.itertext()) for child in node if local(child.tag) == "p").strip()


def _refuse_other_look(values: dict[str, str], shown: str, place: str) -> None:
    """Refuse a cell that shows another thing than it holds: a percentage, a foreign currency, a unit, an error."""
    kind = values.get("value-type", "")
    if shown.startswith(("#", "Err:")):
        raise _refuse_other(place, f"单元格是错误值 {shown}", f"the cell is an error: {shown}")
    if kind == "percentage" or (kind == "currency" and values.get("currency", "CNY") != "CNY"):
        raise _refuse_other(
            place, f"单元格是百分数或外币（{shown}）", f"the cell is a percentage or a foreign currency ({shown})"
        )
    if kind in ("float", "currency") and shown:
        plain = unicodedata.normalize("NFKC", shown).lstrip("¥").replace(",", "").replace(" ", "")
        held = Decimal(values.get("value", "0"))
        try:
            is_same = round(held, max(0, -int(Decimal(plain).as_tuple().exponent))) == Decimal(plain)
        except (InvalidOperation, ValueError):
            is_same = False
        if not is_same:
            raise _refuse_other(place, f"单元格显示 {shown}，实际是 {held}", f"the cell shows {shown} and holds {held}")


def _refuse_other(place: str, zh: str, en: str) -> FileRefused:
    return FileRefused(
        "file.format", f"{zh}（{place}）", f"{en} ({place})",
        "把该列格式改为「常规」，核对后重新提交", "set the format of the column to General, check it, deliver again",
    )  # fmt: skip


def _place(reference: str) -> tuple[int, int]:
    """Column and row of a cell, from 1."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})", reference)
    if found is None:
        return 1, 1
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return column, int(found[2])
