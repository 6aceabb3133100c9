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


def inside_ods(archive: zipfile.ZipFile, path: Path) -> Inside:
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
                    raise refuse_hidden(str(row))
            elif event == "end" and tag == "table-cell":
                if "formula" in values and "value-type" not in values:
                    raise refuse_formula(f"{name}:{row}")
                if int(values.get("number-rows-spanned", "1")) > 1 or int(values.get("number-columns-spanned", "1")) > 1:
                    last = row + int(values.get("number-rows-spanned", "1")) - 1
                    merges.append(Merge(row, last, f"{name}:{row}"))
                is_row_filled = is_row_filled or "value-type" in values
                is_filled = is_filled or is_row_filled
                _refuse_other_look(values, _shown_text(node), f"{name}:{row}")
            elif event == "end" and tag == "table":
                sheets.append((name, False, is_filled))
                node.clear()
    chosen = one_sheet(path, sheets) if sheets else 0
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
