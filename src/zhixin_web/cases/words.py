"""What is said in a case: its length, without what no paper can show and without numbers of persons."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin_web.received.words import printable

FEWEST, MOST = 5, 4000
"""Characters of what is said of a case."""


def said(text: str) -> str:
    """Clean what is said of a case.

    Raises:
        ValidationError: too short or too long.
    """
    cleaned = masked(printable(text)).strip()
    if not FEWEST <= len(cleaned) <= MOST:
        raise ValidationError({"text": _("请用 %(fewest)s 至 %(most)s 字说明") % {"fewest": FEWEST, "most": MOST}})
    return cleaned
