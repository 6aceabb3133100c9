"""What an xlsx workbook hides: formulas without a result, hidden rows and columns, merged ranges, number formats."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from zhixin.dataset.delivery.refusals import FileRefused, empty_file
from zhixin.dataset.delivery.workbook_refusals import (
    MOST_CELLS,
    Bounded,
    Inside,
    Merge,
    local,
    one_sheet,
    refuse_formula,
    refuse_hidden,
)


def inside_xlsx(archive: zipfile.ZipFile, path: Path) -> Inside:
    sheets = _sheets_of(archive)
    if not sheets:
        raise empty_file()
    chosen = one_sheet(path, [(name, hidden, _is_filled(archive, part)) for name, part, hidden in sheets])
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


def _is_hidden(node: Any, size: str) -> bool:
    """Whether a row or column is hidden, or has no height or width."""
    return node.get("hidden") in ("1", "true") or re.fullmatch(r"0+(\.0*)?", node.get(size, "")) is not None


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
            if _is_hidden(node, "ht"):
                raise refuse_hidden(node.get("r", ""))
            node.clear()
        elif name == "col" and _is_hidden(node, "width"):
            raise refuse_hidden(f"{node.get('min')}–{node.get('max')}")
        elif name == "mergeCell":
            first, _, last = node.get("ref", "").partition(":")
            self.merges.append(Merge(_place(first)[1], _place(last or first)[1], node.get("ref", "")))

    def _cell(self, node: Any) -> None:
        parts = {local(child.tag): child.text or "" for child in node}
        # A program that computes nothing writes 0 for every result and asks for computing when the file is opened.
        if "f" in parts and (not parts.get("v") or self.is_to_be_computed and parts["v"] == "0"):
            raise refuse_formula(node.get("r", ""))
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


def _sheets_of(archive: zipfile.ZipFile) -> list[tuple[str, str, bool]]:
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


def _place(reference: str) -> tuple[int, int]:
    """Column and row of a cell, from 1."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})", reference)
    if found is None:
        return 1, 1
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return column, int(found[2])
