"""What is said in a case: its length, without what no paper can show and without numbers of persons."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin_web.received.words import cleaned

FEWEST, MOST = 5, 4000
"""Characters of what is said of a case."""


def said(text: str) -> str:
    """Clean what is said of a case.

    Raises:
        ValidationError: too short or too long.
    """
    words = cleaned(text)
    if not FEWEST <= len(words) <= MOST:
        raise ValidationError({"text": _("请用 %(fewest)s 至 %(most)s 字说明") % {"fewest": FEWEST, "most": MOST}})
    return words
