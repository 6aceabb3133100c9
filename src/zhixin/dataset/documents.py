"""Document numbers (文书号): whether one is there at all, and the form by which two spellings are one."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from zhixin.dataset.cell_parsers import Refusal, is_placeholder, parse_as_written, parse_date, refusal
from zhixin.dataset.hiding_persons import holds_person
from zhixin.dataset.identity import check_uscc

_BRACKETS = str.maketrans(dict.fromkeys("([{<【〔﹝〈《「『〖", "(") | dict.fromkeys(")]}>】〕﹞〉》」』〗", ")"))
_FIGURE = re.compile("[0-9０-９一二三四五六七八九〇零十百千A-Za-z]")
_AMOUNT = re.compile(r"[0-9,]+\.[0-9]+元?|[0-9.,]+元|TRUE|FALSE|[A-Za-z]{3}-[0-9]{2}|[0-9]{2}-[A-Za-z]{3}", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")
MOST_EXACT_DIGITS = 15
"""A spreadsheet keeps fifteen digits of a number and writes zeros for the rest."""
FEWEST_CHARACTERS, FEWEST_DIGITS = 2, 6

NO_DOCUMENT = refusal(
    "document.missing",
    "没有文书号（填写的只是占位符）",
    "there is no document number (only a sign for nothing)",
    "填写决定书文号；没有文书的不归集",
    "give the number of the decision; without a document nothing is collected",
)


def document_key(text: str) -> str:
    """Return the form in which document numbers are compared.

    Kind and width of brackets, blanks, dashes, 第…号 and leading zeros do not tell two documents apart.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    folded = re.sub(r"[\s\u200b-\u200f\u2060\ufeff]+", "", folded).upper().replace("號", "号")
    folded = re.sub("[‐‑‒–—―−－]", "-", folded)
    folded = folded.removesuffix("号").replace(")第", ")").removeprefix("第")
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", folded)


def _has_shape(text: str) -> bool:
    """Whether a text could be a document number: not too short, and with a figure or a letter."""
    is_bare = text.isdigit() and len(text) < FEWEST_DIGITS
    return len(text) >= FEWEST_CHARACTERS and not is_bare and _FIGURE.search(text) is not None


def _is_another_thing(text: str) -> bool:
    """Whether a text is a day, an amount or a credit code: what the column holds when a row is shifted."""
    is_day = not text.isdigit() and isinstance(parse_date(text), date)
    return is_day or _AMOUNT.fullmatch(text) is not None or check_uscc(text).is_accepted


def _rounded(value: str) -> Refusal:
    return refusal(
        "document.rounded",
        f"「{value}」是被表格软件改写的数字，末尾数字可能已丢失",
        f"{value!r} was rewritten by a spreadsheet; its last digits may be lost",
        "把该列设为文本，按决定书原文填写",
        "make the column text and write the number as on the document",
    )


def parse_document(cell: Any, longest: int) -> Any:
    """Return a document number as written, or why it is none."""
    if isinstance(cell, bool):
        return NO_DOCUMENT
    if is_placeholder(cell):
        return None
    value = parse_as_written(cell)
    if isinstance(value, Refusal) or value is None:
        return value
    if isinstance(cell, int | float) and len(re.sub(r"\D", "", value)) >= MOST_EXACT_DIGITS or _SCIENTIFIC.fullmatch(value):
        return _rounded(value)
    if value.isdigit() and len(value) > MOST_EXACT_DIGITS and not value[MOST_EXACT_DIGITS:].strip("0"):
        return _rounded(value)
    if holds_person(value):
        return refusal(
            "document.personal",
            "文书号中含有可能的身份证号或手机号",
            "the document number holds what may be an identity or mobile number",
            "按决定书原文填写文号，不要写入个人信息",
            "write the number as on the document, without personal data",
        )
    if not _has_shape(value) or _is_another_thing(value):
        return refusal(
            "document.shape",
            f"「{value}」不像文书号",
            f"{value!r} does not look like a document number",
            "按决定书原文填写文号",
            "write the number as on the document",
        )
    if len(value) > longest:
        return refusal(
            "text.length", f"有 {len(value)} 字，最多 {longest} 字", f"has {len(value)} characters, at most {longest}",
            "缩短，或检查是否有两列并作一列", "shorten it, or look for two columns run together",
        )  # fmt: skip
    return value
