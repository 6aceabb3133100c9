"""Hides what may be the number of a natural person, anywhere in a delivery."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from zhixin.dataset.cell_parsers import is_empty

HIDDEN = "（可能的身份证号，已隐去）"
_IDENTITY_NUMBER = re.compile(
    r"(?<!\d)[1-9](?:[ \-]?\d){5}[ \-]?(?:19|20)(?:[ \-]?\d){2}[ \-]?(?:0[1-9]|1[0-2])[ \-]?(?:0[1-9]|[12]\d|3[01])(?:[ \-]?\d){3}"
    r"[ \-]?[\dXx](?!\d)"
)
"""Six digits of a region, a day of birth, three digits and a check character (GB 11643), with or without blanks."""
_MOBILE_NUMBER = re.compile(r"(?<!\d)1[3-9]\d(?:[ \-]?\d){8}(?!\d)")
_MAIL_OR_LANDLINE = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\d)0\d{2,3}[ \-]\d{7,8}(?!\d)")
"""A mail address is looked for where a word begins only: from every character on, a long word would take the square of its length."""


_LONG_NUMBER = re.compile(r"(?<![\dA-Za-z])(?:\d[ \-]?){15,19}(?![\dA-Za-z])")
"""15 to 19 digits: an old identity number, a bank card."""
HIDDEN_NUMBER = "（号码已隐去）"


def holds_person(text: str) -> bool:
    """Whether a text holds what may be an identity or mobile number, its check character right or not."""
    plain = unicodedata.normalize("NFKC", text)
    return _IDENTITY_NUMBER.search(plain) is not None or _MOBILE_NUMBER.search(plain) is not None


def hide_persons(value: Any) -> Any:
    """Return a value without what may be an identity number; anything else as it is."""
    if not isinstance(value, str) or len(value) < 18:
        return value
    plain = unicodedata.normalize("NFKC", value)
    return _IDENTITY_NUMBER.sub(HIDDEN, plain) if _IDENTITY_NUMBER.search(plain) else value


def masked(text: str) -> str:
    """Return what an anonymous visitor wrote without what may be an identity, mobile or bank number."""
    plain = "".join(
        unicodedata.normalize("NFKC", char) if unicodedata.decimal(char, None) is not None else char for char in text
    )
    found = _IDENTITY_NUMBER.sub(HIDDEN, plain)
    found = _LONG_NUMBER.sub(HIDDEN_NUMBER, _MOBILE_NUMBER.sub(HIDDEN_NUMBER, _MAIL_OR_LANDLINE.sub(HIDDEN_NUMBER, found)))
    return text if found == plain else found


def without_persons(personal: Sequence[int], cells: Sequence[Any]) -> list[str | None]:
    """Return the cells of a row for the quarantine: personal columns hidden, identity numbers too.

    Args:
        personal: the places of columns that hold personal data.
        cells: as they came.
    """
    return [
        None if cell is None else "***" if place in personal and not is_empty(cell) else str(hide_persons(str(cell)))
        for place, cell in enumerate(cells)
    ]
