"""Reads the fines that the text of a decision states, in figures or Chinese numerals, to hold them against the amount column."""

from __future__ import annotations

import re
import unicodedata

from zhixin.dataset.cell_parsers import (
    parse_money,
)


def stated_fines(text: str) -> set[int]:
    """Return the fines in fen that a text of a decision states in figures: 罚款30000元, 罚款人民币3万元."""
    plain = unicodedata.normalize("NFKC", text)
    found = {parse_money(text.replace(" ", "")) for pattern in _STATED_FINES for text in pattern.findall(plain)}
    return {fen for fen in found if isinstance(fen, int)} | {
        chinese_amount(text) for pattern in _STATED_IN_CHINESE for text in pattern.findall(plain)
    }


def chinese_amount(text: str) -> int:
    """Return an amount in Chinese numerals in fen: 壹拾伍万元 → 15,000,000. Fractions of a yuan are left out."""
    total = section = digit = 0
    for char in text:
        value = int(unicodedata.numeric(char, 0))
        if value < TEN:
            digit = value
        elif value < MYRIAD:
            section, digit = section + (digit or 1) * value, 0
        else:
            total, section, digit = total + (section + digit) * value, 0, 0
    return (total + section + digit) * FEN


FEN = 100


TEN, MYRIAD = 10, 10_000


_VERB = r"(?:罚没?款|处以?|罚|给予)(?:金额)?[:：(]?(?:的?罚款)?(?:人民币)?[)]?[¥￥]?\s*"


_FIGURES = r"([0-9][0-9,.]*\s*(?:亿元|万元|元))"


_NUMERALS = "([零〇一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬億]+)[元圆圓]"


_STATED_FINES = (re.compile(_VERB + _FIGURES), re.compile(_FIGURES + "的?(?:罚款|行政处罚)"))


_STATED_IN_CHINESE = (re.compile(_VERB + _NUMERALS), re.compile(_NUMERALS + "的?(?:罚款|行政处罚)"))
