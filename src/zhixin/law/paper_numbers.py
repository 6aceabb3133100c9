"""Series of numbers (发文字号) that this bureau gives its own papers, and whether a text spells one of them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from zhixin.law.procedures import procedures

PROGRESS_REPORTS, VISIT_REPORTS, COMMITMENTS, COMMITMENT_ORDERS = "郑市监信督", "郑市监检", "郑市监信诺", "郑市监信诺改"
"""Series of papers that no procedure issues."""

_OTHER_FORMS = str.maketrans("鄭監嚴認懲異說説脩號檢検諾巿", "郑监严认惩异说说修号检检诺市")
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters that cannot be seen."""
_FIGURE = "0-9〇零一二三四五六七八九十壹贰貳叁參肆伍陆陸柒捌玖拾"
_WORDS_BEFORE = "关于|根据|依据|按照|文书|文号|编号|字号|书|认定|列入|处罚|行政|决定|第|的|号|为|经|见|国|省|和|及|与"


_BUREAU = re.compile("^郑市监")


@cache
def _own() -> re.Pattern[str]:
    series = {PROGRESS_REPORTS, VISIT_REPORTS, COMMITMENTS, COMMITMENT_ORDERS}
    for procedure in procedures().values():
        series |= {procedure.number.zh, procedure.number.en}
    spelled = sorted({_BUREAU.sub("郑州?市?市监字?", _letters(item)) for item in series}, key=len, reverse=True)
    before = f"(?<![\u3400-\u9fff])|(?<={')|(?<='.join(_WORDS_BEFORE.split('|'))})"
    return re.compile(f"(?:{before})(?:{'|'.join(spelled)})字?第?[{_FIGURE}]")


def is_own_number(text: str) -> bool:
    """Whether a text holds a number of one of the bureau's own series, alone or among words and other numbers.

    Brackets, blanks, marks, what cannot be seen, width and traditional characters make no difference; another authority whose
    series only ends or begins alike (新郑市监…, 郑市监罚…) is another one.
    """
    return _own().search(_letters(text)) is not None


def _letters(text: str) -> str:
    """Return the letters and figures of a text alone, in one width and in simplified characters."""
    folded = unicodedata.normalize("NFKC", text).upper().translate(_OTHER_FORMS)
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN" and char not in _FILLERS)
