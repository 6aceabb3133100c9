"""Words that came from outside: without what no page and no paper can show, without numbers of persons, of a length that is kept whole."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked

_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Cf"})
MOST_OF_A_NAME = 120


def printable(text: str) -> str:
    """Return a text without control and private characters, which no paper can show; line breaks stay."""
    return "".join(
        char for char in text.replace("\r\n", "\n") if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE
    )


def cleaned(text: str) -> str:
    """Return a text that can be shown: printable, without numbers of persons, without blanks around it."""
    return masked(printable(text)).strip()


def fault_of(words: str, most: int, missing: str = "") -> str:
    """Return what is wrong with words that were cleaned, empty if nothing is: they are refused, never cut.

    Args:
        words: as they would be kept.
        most: characters that are kept.
        missing: said where there are none; empty: there need not be any.
    """
    if not words:
        return missing
    if len(words) > most:
        return _("不超过 %(most)s 字，现有 %(have)s 字") % {"most": most, "have": len(words)}
    return ""


def file_name(name: str) -> str:
    """Return the name of a file without folders, control characters and numbers of persons."""
    last = printable(name).replace("\n", " ").replace("\\", "/").rsplit("/", 1)[-1].strip()
    return masked(last)[-MOST_OF_A_NAME:] or _("未命名")
