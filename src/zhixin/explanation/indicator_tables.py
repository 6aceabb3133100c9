"""Indicators as a table that officers and lawyers review: a workbook made of a rulebook, and taken back into it cell by cell.

A cell that was not changed leaves its text in the file as it stands, with comments and anchors; a changed one is written anew. What
comes out of both directions is compared with what the cells say before anything is kept.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import xlsxwriter

from zhixin.dataset.sheets_and_encodings import read_sheet
from zhixin.errors import Fault, RulebookError, UsageError
from zhixin.explanation.rulebook_text_edits import CellChange, cannot_be_written, flow, with_change
from zhixin.explanation.wording import Wording
from zhixin.law.loading import check_file
from zhixin.law.yaml_text import YamlText

PARTS = ("title", "advice")
"""Keys whose two languages have a column each."""
TITLES = {
    "id": "编号 id", "title.zh": "名称 title.zh", "title.en": "英文名称 title.en", "dimension": "维度 dimension", "measure": "计量 measure",
    "points": "计分 points", "limits": "限额 limits", "when_missing": "缺失时 when_missing", "applies_to": "适用分类 applies_to",
    "except_for": "除外分类 except_for", "basis": "依据 basis", "advice.zh": "提升建议 advice.zh", "advice.en": "英文建议 advice.en",
    "effective": "起止 effective",
}  # fmt: skip
READ_ONLY = "条文（只读） text"
WIDTHS = {"measure": 60, "points": 50, "basis": 40, "title.zh": 24, "title.en": 28}
SHEET = "指标 indicators"


# --- out -----------------------------------------------------------------------------------------------------------------


def export_indicators(file: Path, out: Path) -> int:
    """Write the indicators of a rulebook's own file as a workbook; return how many.

    Raises:
        RulebookError: the rulebook is not sound.
    """
    rows = list(_rows(file))
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet(SHEET)
        bold, wrapped = (
            book.add_format({"bold": True, "text_wrap": True}),
            book.add_format({"text_wrap": True, "valign": "top"}),
        )
        grey = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#eeeeee"})
        for place, title in enumerate([*TITLES.values(), READ_ONLY]):
            sheet.write_string(0, place, title, bold)
        for place, key in enumerate(TITLES):
            sheet.set_column(place, place, WIDTHS.get(key, 18))
        sheet.set_column(len(TITLES), len(TITLES), 60)
        for line, (cells, said) in enumerate(rows, 1):
            for place, key in enumerate(TITLES):
                sheet.write_string(line, place, cells[key], wrapped)
            sheet.write_string(line, len(TITLES), said, grey)
        sheet.freeze_panes(1, 2)
    return len(rows)


def _rows(file: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the cells of each indicator of a file, and what the rulebook says of it in words."""
    rulebook, faults = check_file(file)
    if rulebook is None or any(not fault.is_warning for fault in faults):
        raise RulebookError([fault for fault in faults if not fault.is_warning])
    words = Wording(rulebook, "zh")
    for item in _indicators(YamlText.of_file(file, file.name).value):
        whole = rulebook.indicator.get(str(item.get("id")))
        yield {key: _cell(item, key) for key in TITLES}, words.indicator(whole) if whole is not None else ""


def _indicators(value: Any) -> Sequence[Mapping[str, Any]]:
    found = value.get("indicators") or () if isinstance(value, Mapping) else ()
    return [item for item in found if isinstance(item, Mapping)]


def _cell(item: Mapping[str, Any], key: str) -> str:
    name, _, part = key.partition(".")
    if part:
        return str((item.get(name) or {}).get(part, ""))
    if name == "id":
        return str(item.get("id", ""))
    return "" if name not in item else flow(item[name])


# --- in ------------------------------------------------------------------------------------------------------------------


def import_indicators(file: Path, table: Path, drop: Sequence[str] = ()) -> list[CellChange]:
    """Take the cells of a workbook into a rulebook's own file; return what changed. Nothing changed: the file is not written.

    Args:
        file: the YAML of the rulebook.
        table: as :func:`export_indicators` writes it.
        drop: ids of indicators that are to go; a row that is merely missing is refused.

    Raises:
        UsageError: the table is not one of this rulebook; names row and column.
        RulebookError: the rulebook would not be sound; nothing is written.
    """
    text, restore = _lines_of(file)
    rows = _table(table, {cells["id"]: said for cells, said in _rows(file)})
    now = [dict(item) for item in _indicators(YamlText(file.name, text).value)]
    changes = list(_changes(now, rows, drop, table))
    if now and not rows:
        raise UsageError(f"{table} 没有任何指标", f"{table} holds no indicator")
    for change in changes:
        text = with_change(text, change)
    expected = _expected(now, changes)
    found = YamlText(file.name, text)
    if found.faults or [dict(item) for item in _indicators(found.value)] != expected:
        raise cannot_be_written(changes[-1])
    if changes:
        _keep_if_sound(file, restore(text), rows)
    return changes


def _lines_of(file: Path) -> tuple[str, Callable[[str], str]]:
    """Return the text of a file with plain line ends, and what gives it its own line ends and byte-order mark back."""
    raw = file.read_bytes()
    mark = "\ufeff" if raw.startswith(codecs.BOM_UTF8) else ""
    text = raw.decode("utf-8-sig")
    is_windows = "\r\n" in text
    plain = text.replace("\r\n", "\n")
    if "\r" in plain or (is_windows and plain.count("\n") != text.count("\r\n")):
        raise UsageError(f"{file} 的换行不一致；请统一后重试", f"{file} mixes line ends: make them alike and try again")
    return plain, lambda edited: mark + (edited.replace("\n", "\r\n") if is_windows else edited)


def _keep_if_sound(file: Path, text: str, rows: Mapping[str, tuple[int, dict[str, Any]]]) -> None:
    part = file.with_name(f".{file.name}.part.yaml")
    part.write_bytes(text.encode())
    try:
        faults = [fault for fault in check_file(part)[1] if not fault.is_warning]
        if faults:
            names = [str(item.get("id")) for item in _indicators(YamlText("", text).value)]
            own = (replace(fault, file=file.name) if fault.file.endswith(part.name) else fault for fault in faults)
            raise RulebookError([_at_row(fault, names, rows) for fault in own])
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _at_row(fault: Fault, names: Sequence[str], rows: Mapping[str, tuple[int, dict[str, Any]]]) -> Fault:
    """Return a fault of an indicator with the row of the table instead of the line of the file."""
    place = re.match(r"indicators\.(\d+)", fault.path)
    name = names[int(place[1])] if place and int(place[1]) < len(names) else ""
    return replace(fault, file="table", line=rows[name][0]) if name in rows else fault


def _table(table: Path, said: Mapping[str, str]) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return line and indicator of each row, by id."""
    sheet = read_sheet(table)
    wanted = [*TITLES.values(), READ_ONLY]
    header = [str(cell).strip() for cell in sheet.header]
    if header != wanted:
        missing = "、".join(title for title in wanted if title not in header) or "顺序不同"
        raise UsageError(
            f"{table} 的列与导出的不同（{missing}）；请在导出的表上修改",
            f"the columns of {table} are not those of the export ({missing}); change the exported table",
        )
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in sheet.rows:
        cells = ["" if cell is None else str(cell) for cell in row.cells]
        cells += [""] * (len(wanted) - len(cells))
        values = dict(zip(TITLES, cells, strict=False))
        name = values["id"].strip()
        if not any(cell.strip() for cell in cells):
            continue
        if not name or name in found:
            raise UsageError(
                f"{table} 第 {row.line} 行的编号{'是空的' if not name else f'「{name}」重复'}",
                f"row {row.line} of {table}: the id is {'empty' if not name else f'{name!r} again'}",
            )
        if name not in said and cells[len(TITLES)]:
            raise UsageError(
                f"{table} 第 {row.line} 行的编号「{name}」是新的：新增的指标「{READ_ONLY}」留空；改编号等于删除旧的、新增新的",
                f"row {row.line} of {table}: {name!r} is new; leave its article empty (another id is another indicator)",
            )
        if cells[len(TITLES)] != said.get(name, ""):
            raise UsageError(
                f"{table} 第 {row.line} 行的「{READ_ONLY}」被改过；这一列只供阅读，请改计量、计分各列",
                f"row {row.line} of {table}: the column of the article was changed; it is to be read only",
            )
        found[name] = (row.line, _indicator(values, table, row.line))
    return found


def _indicator(values: Mapping[str, str], table: Path, line: int) -> dict[str, Any]:
    """Return what the cells of a row say; an empty cell is no key."""
    item: dict[str, Any] = {}
    for key, text in values.items():
        name, _, part = key.partition(".")
        if not text.strip():
            continue
        if part:
            item.setdefault(name, {})[part] = text
        elif name in ("id", "dimension"):
            item[name] = text.strip()
        else:
            read = YamlText(f"{table.name}", text)
            if read.faults:
                what = read.faults[0].what
                raise UsageError(
                    f"{table} 第 {line} 行「{TITLES[key]}」：{what.zh}", f"row {line} of {table}, {TITLES[key]}: {what.en}"
                )
            item[name] = read.value
    return item


def _changes(
    now: Sequence[Mapping[str, Any]], rows: Mapping[str, tuple[int, dict[str, Any]]], drop: Sequence[str], table: Path
) -> Iterator[CellChange]:
    names = [str(item.get("id")) for item in now]
    gone = [name for name in names if name not in rows]
    unasked = [name for name in gone if name not in drop]
    if unasked:
        listed = "、".join(unasked)
        raise UsageError(
            f"{table} 缺少指标 {listed}；确要删除的用 --drop 写明编号",
            f"{table} lacks {listed}; to remove them name them with --drop",
        )
    for name in drop:
        if name not in gone:
            raise UsageError(
                f"{table} 中仍有指标 {name}，或规则中没有它", f"{name} is still in {table}, or not in the rulebook"
            )
        yield CellChange(name, "", next(item for item in now if item.get("id") == name), None)
    for item in now:
        name = str(item.get("id"))
        if name in rows:
            wanted = rows[name][1]
            for key in [*wanted, *(key for key in item if key not in wanted)]:
                if item.get(key) != wanted.get(key):
                    yield CellChange(name, key, item.get(key), wanted.get(key))
    for name, (_line, wanted) in rows.items():
        if name not in names:
            yield CellChange(name, "", None, wanted)


def _expected(now: Sequence[Mapping[str, Any]], changes: Sequence[CellChange]) -> list[dict[str, Any]]:
    made = {str(item.get("id")): dict(item) for item in now}
    for change in changes:
        if change.key:
            made[change.indicator].pop(change.key, None)
            if change.now is not None:
                made[change.indicator][change.key] = change.now
        elif change.now is None:
            del made[change.indicator]
        else:
            made[change.indicator] = dict(change.now)
    return list(made.values())
