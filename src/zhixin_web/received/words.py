"""Words that came from outside: what no page and no paper can show is left out."""

from __future__ import annotations

import unicodedata

_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Cf"})


def printable(text: str) -> str:
    """Return a text without control and private characters, which no paper can show; line breaks stay."""
    return "".join(
        char for char in text.replace("\r\n", "\n") if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE
    )
