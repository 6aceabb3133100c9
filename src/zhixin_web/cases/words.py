"""What is said in a case: its length, without what no paper can show and without numbers of persons."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked

_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Cf"})
FEWEST, MOST = 5, 4000
"""Characters of what is said of a case."""


def printable(text: str) -> str:
    """Return a text without control and private characters, which no paper can show; line breaks stay."""
    return "".join(
        char for char in text.replace("\r\n", "\n") if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE
    )


def said(text: str) -> str:
    """Clean what is said of a case.

    Raises:
        ValidationError: too short or too long.
    """
    cleaned = masked(printable(text)).strip()
    if not FEWEST <= len(cleaned) <= MOST:
        raise ValidationError({"text": _("请用 %(fewest)s 至 %(most)s 字说明") % {"fewest": FEWEST, "most": MOST}})
    return cleaned
