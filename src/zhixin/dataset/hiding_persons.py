"""Hides what may be the number of a natural person, wherever it stands in a delivery."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from zhixin.dataset.cells import is_empty

HIDDEN = "（可能的身份证号，已隐去）"
_IDENTITY_NUMBER = re.compile(
    r"(?<!\d)[1-9](?:[ \-]?\d){5}[ \-]?(?:19|20)(?:[ \-]?\d){2}[ \-]?(?:0[1-9]|1[0-2])[ \-]?(?:0[1-9]|[12]\d|3[01])(?:[ \-]?\d){3}"
    r"[ \-]?[\dXx](?!\d)"
)
"""Six digits of a region, a day of birth, three digits and a check character (GB 11643), with or without blanks."""
_MOBILE_NUMBER = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


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
