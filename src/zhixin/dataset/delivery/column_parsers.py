"""Parsers of delivered cells by the type of their column: what a source's manifest says of a column, applied to a cell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from zhixin.dataset.cell_parsers import (
    INVISIBLE_CHARACTERS,
    Refusal,
    is_empty,
    parse_as_written,
    parse_boolean,
    parse_category,
    parse_date,
    parse_money,
    parse_number,
    parse_scaled,
    parse_set,
    parse_subject_id,
    refusal,
)
from zhixin.dataset.delivery.stated_fines import FEN
from zhixin.dataset.documents import parse_document
from zhixin.dataset.identity import (
    Checked,
    check_patent_number,
    check_trademark_number,
)
from zhixin.dataset.sources import SourceField, SourceManifest
from zhixin.reference.areas import districts

INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff")


def parse_name(cell: Any, longest: int = 200) -> Any:
    """A registered name as written, without what cannot be seen."""
    value = parse_as_written(cell)
    if value is None or isinstance(value, Refusal):
        return value
    if any(char in INVISIBLE or unicodedata.category(char) == "Cc" for char in value):
        return INVISIBLE_CHARACTERS
    return _short_enough(value, longest)


def parse_plain(cell: Any, longest: int) -> Any:
    value = parse_as_written(cell)
    if value is None or isinstance(value, Refusal):
        return value
    value = "".join(char for char in value if char in "\n\t" or unicodedata.category(char) != "Cc")
    return _short_enough(value, longest)


_WORDS_BEFORE = re.compile(r"^(专利申请号|专利号|申请号|商标注册号|注册号|NO\.?|第)[:：]?\s*|号$", re.IGNORECASE)


def parse_checked(check: Callable[[str], Checked], cell: Any) -> Any:
    """Return a number of a register in its one normal form: what it is called and how it is spaced do not matter."""
    value = parse_as_written(cell)
    if value is None or isinstance(value, Refusal):
        return value
    plain = unicodedata.normalize("NFKC", value).strip()
    found = check(_WORDS_BEFORE.sub("", plain.removesuffix(".0") if isinstance(cell, int | float) else plain))
    if found.value is None:
        assert found.rule is not None
        assert found.reason is not None
        assert found.remedy is not None
        return Refusal(found.rule, found.reason, found.remedy)
    return found.value


def _short_enough(value: str, longest: int) -> Any:
    if len(value) <= longest:
        return value
    return refusal(
        "text.length", f"有 {len(value)} 字，最多 {longest} 字", f"has {len(value)} characters, at most {longest}",
        "缩短，或检查是否有两列并作一列", "shorten it, or look for two columns run together",
    )  # fmt: skip


def _district_codes() -> dict[str, str]:
    return {area.code: area.code for area in districts()} | {area.zh: area.code for area in districts()}


def parse_district(cell: Any) -> Any:
    """A district by its code or name."""
    if is_empty(cell):
        return None
    text = unicodedata.normalize("NFKC", str(cell)).strip().removesuffix(".0")
    found = _DISTRICTS.get(text)
    if found is None:
        return refusal(
            "district.unknown", f"「{text}」不是郑州的区县代码或名称", f"{text!r} is no district of Zhengzhou",
            "填写六位区划代码或全称，如 410105 或 金水区", "give the six-digit code or the full name",
        )  # fmt: skip
    return found


_DISTRICTS = _district_codes()


def parser_for(manifest: SourceManifest, item: SourceField, epoch: int, unit_yuan: int | None) -> Callable[[Any], Any]:
    """Return the cell parser of a column; a money column without a unit refuses plain numbers."""
    parsers: dict[str, Callable[[Any], Any]] = {
        "uscc": lambda cell: None if is_empty(cell) else parse_subject_id(cell),
        "name": partial(parse_name, longest=item.max_length),
        "text": partial(parse_plain, longest=item.max_length),
        "patent_number": partial(parse_checked, check_patent_number),
        "trademark_number": partial(parse_checked, check_trademark_number),
        "date": partial(parse_date, epoch=epoch),
        "date_or_open": partial(parse_date, epoch=epoch, may_be_open=True),
        "integer": partial(_count),
        "money": partial(_amount, unit_yuan=unit_yuan, usual=item.usual),
        "money_wan": partial(_amount, unit_yuan=unit_yuan, usual=item.usual),
        "boolean": parse_boolean,
        "category": partial(parse_category, manifest.choices(item)),
        "set": partial(parse_set, manifest.choices(item)),
        "district": parse_district,
    }
    if item.to == "document" or item.id in manifest.key and item.type == "text":
        return partial(parse_document, longest=item.max_length)
    return parsers[item.type]


def _amount(cell: Any, unit_yuan: int | None, usual: tuple[int, int] | None = None) -> Any:
    """An amount in fen. A date or a truth value in a money column is a shifted row, not an amount.

    A bare number beyond what is usual may have another unit than the column: it is asked for its unit, never guessed.
    """
    if isinstance(cell, date):
        return refusal("amount.unit", f"「{cell}」是日期，不是金额", f"{cell} is a date, not an amount",
                       "该行的列可能错位，对照原件更正", "the columns of the row may be shifted; compare it with the original")  # fmt: skip
    is_bare = not isinstance(parse_number(cell), Refusal) and not is_empty(cell)
    if unit_yuan is None and is_bare:
        return refusal("amount.unit", f"「{cell}」没有写明单位", f"the unit of {cell!r} is not stated",
                       "在单元格中写明元或万元", "write 元 or 万元 into the cell")  # fmt: skip
    fen = parse_money(cell, unit_yuan=unit_yuan or 1)
    if is_bare and usual and isinstance(fen, int) and fen and not usual[0] * FEN <= fen <= usual[1] * FEN:
        yuan = f"{fen / FEN:,.2f}"
        return refusal("amount.unusual", f"按本列单位「{cell}」为 {yuan} 元，超出通常范围，单位可能有误",
                       f"in the unit of the column {cell!r} is {yuan} yuan, beyond what is usual: the unit may be another",
                       "对照决定书，在单元格中写明单位，如 3万元", "compare it with the decision and write the unit into the cell: 3万元")  # fmt: skip
    return fen


def _count(cell: Any) -> Any:
    value = parse_scaled(1, cell)
    if isinstance(value, int) and value < 0:
        return refusal("number.negative", f"「{cell}」为负", f"{cell!r} is negative", "核对数量", "check the number")
    return value
