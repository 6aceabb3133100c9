"""The unit of a money column: from its header, from the standard that names it, or from a person; never from a guess."""

from __future__ import annotations

import re
import unicodedata

from zhixin.dataset.delivery.refusals import FileRefused, Question
from zhixin.dataset.sources import SourceField, header_key

YUAN = {"元": 1, "千元": 1_000, "万元": 10_000, "万": 10_000, "百万元": 1_000_000, "亿元": 100_000_000, "亿": 100_000_000}
_UNIT = re.compile(r"[(\[【]?\s*(?:单位[:：]?)?\s*(?:人民币)?(百万元|亿元|万元|千元|元|万|亿)\s*[)\]】]?\s*$")
_STATED = re.compile(
    r"单位[^元万亿]{0,6}?(百万元|亿元|万元|千元|元)(?!(?!人民币)[\u4e00-\u9fff])|^\s*[(]?(百万元|亿元|万元|千元|元)[)]?\s*$"
)
_LOCALE = re.compile(r"\[\$([^\]-]*)(?:-[0-9A-Fa-f]+)?\]")
_STANDARD_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MONEY = ("money", "money_wan")
LIKELY_MONEY = re.compile(r"金额|罚款|价款|货值|罚没|款额")


def unit_name(yuan: int) -> str:
    """Return the name of a unit of so many yuan."""
    return next(name for name, value in YUAN.items() if value == yuan)


def unit_in(header: str) -> int | None:
    """Return the yuan per unit that a header states: 罚款金额（万元） → 10,000; ``None`` where it states none."""
    plain = unicodedata.normalize("NFKC", header).strip()
    found = _UNIT.search(plain)
    if found is None:
        return None
    before = _UNIT.search(plain[: found.start()])
    return YUAN[found[1]] if before is None or before[1] == found[1] else None


def without_unit(header: str) -> str:
    """Return a header without the unit at its end."""
    return _UNIT.sub("", unicodedata.normalize("NFKC", header).strip())


def unit_of_column(item: SourceField, header: str) -> int | None:
    """Return the yuan per unit of a money column; ``None``: a person has to say.

    A header that is the code of the national data standard (CF_NR_FK) has the unit that the standard gives the field.
    """
    stated = unit_in(header)
    if stated is not None:
        return stated
    is_code = _STANDARD_CODE.fullmatch(header.strip()) is not None
    if is_code and header_key(header) in {header_key(text) for text in (*item.aliases, item.id)}:
        return 10_000 if item.type == "money_wan" else 1
    return None


def ask_unit(item: SourceField, header: str) -> Question:
    """Return the question which unit a money column has."""
    return Question(
        f"unit:{item.id}",
        f"「{header}」一列的金额单位是什么？表头没有写明。",
        f"Which unit do the amounts of “{header}” have? The header does not say.",
        (("1", "元", "yuan"), ("10000", "万元", "ten thousand yuan")),
    )


def unit_stated_in(text: str) -> int | None:
    """Return the unit that a title, a note or a row of its own states (单位：元)."""
    found = _STATED.search(unicodedata.normalize("NFKC", text))
    return YUAN[found[1] or found[2]] if found else None


def refuse_scaling_format(header: str, formats: tuple[str, ...], unit: int | None = None) -> None:
    """Refuse a money column whose cells show another amount than they hold: scaled, percent, another unit, currency or sign.

    Raises:
        FileRefused: names the column and the format.
    """
    for code in formats:
        plain = code.split(";")[0]
        scales = plain.rstrip().endswith(",") or re.search(r',\s*["“\\]', plain) or "0!.0" in plain
        symbol = "".join(_LOCALE.findall(plain))
        bare = _LOCALE.sub("", plain) + symbol
        is_yuan = "元" in bare and "万" not in bare or "¥" in bare or "￥" in bare
        is_other = (is_yuan and unit not in (None, 1)) or re.search("[$€£]", bare) or re.match(r'\s*("-"|\\-|-)', bare)
        if is_other or "%" in plain or "‰" in plain or scales or re.search("[万亿千百]", plain):
            raise FileRefused(
                "file.format",
                f"「{header}」一列的显示格式（{code}）使看到的数与单元格里的数不同",
                f"the format of “{header}” ({code}) shows another number than the cell holds",
                "把该列格式改为「常规」，核对金额后重新提交",
                "set the format of the column to General, check the amounts, deliver again",
            )
