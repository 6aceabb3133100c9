"""What an ods workbook hides."""

from __future__ import annotations

import unicodedata
import zipfile
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.workbook_refusals import (
    Bounded,
    Inside,
    Merge,
    local,
    one_sheet,
    refuse_formula,
    refuse_hidden,
)

MOST_REPEATED = 1_000
NOT_SHOWN = ("collapse", "filter")


def inside_ods(archive: zipfile.ZipFile, path: Path) -> Inside:
    look = _Look()
    with archive.open("content.xml") as content:
        for event, node in ElementTree.iterparse(Bounded(content), events=("start", "end")):
            values = {local(key): value for key, value in node.attrib.items()}
            (look.starts if event == "start" else look.ends)(local(node.tag), values, node)
    chosen = one_sheet(path, look.sheets) if look.sheets else 0
    return Inside(chosen, look.sheets[chosen][0] if look.sheets else "", tuple(look.merges), {}, look.is_1904)


class _Look:
    """Looks at each node of ``content.xml``: formulas without result, hidden sheets, rows and columns, merged ranges."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, bool, bool]] = []
        self.merges: list[Merge] = []
        self.is_1904 = False
        self.style, self.hidden_styles = "", set[str]()
        self.name, self.row = "", 0
        self.is_hidden = self.is_filled = self.is_row_filled = False

    @property
    def place(self) -> str:
        return f"{self.name}:{self.row}"

    def starts(self, tag: str, values: dict[str, str], _node: Any) -> None:
        if tag == "style":
            self.style = values.get("name", "")
        elif tag == "table-properties" and values.get("display") == "false":
            self.hidden_styles.add(self.style)
        elif tag == "null-date":
            self.is_1904 = values.get("date-value", "").startswith("1904")
        elif tag == "table":
            self.name, self.row, self.is_filled = values.get("name", ""), 0, False
            self.is_hidden = values.get("style-name") in self.hidden_styles
        elif tag == "table-column" and values.get("visibility") in NOT_SHOWN:
            raise refuse_hidden(self.name)
        elif tag == "table-row":
            self.row, self.is_row_filled = self.row + 1, False
            if values.get("visibility") in NOT_SHOWN:
                raise refuse_hidden(str(self.row))

    def ends(self, tag: str, values: dict[str, str], node: Any) -> None:
        if tag == "table-cell":
            self._cell(values, node)
        elif tag == "table-row":
            repeated = int(values.get("number-rows-repeated", "1"))
            if self.is_row_filled and repeated > MOST_REPEATED:
                raise _refuse_other(self.place, "同一行重复了上千次", "one row is repeated a thousand times and more")
            self.row += repeated - 1
        elif tag == "table":
            self.sheets.append((self.name, self.is_hidden, self.is_filled))
            node.clear()

    def _cell(self, values: dict[str, str], node: Any) -> None:
        if "formula" in values and "value-type" not in values:
            raise refuse_formula(self.place)
        rows = int(values.get("number-rows-spanned", "1"))
        if rows > 1 or int(values.get("number-columns-spanned", "1")) > 1:
            self.merges.append(Merge(self.row, self.row + rows - 1, self.place))
        self.is_row_filled = self.is_row_filled or "value-type" in values
        self.is_filled = self.is_filled or self.is_row_filled
        _refuse_other_look(values, _shown_text(node), self.place)


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
