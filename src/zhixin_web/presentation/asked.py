"""What a visitor's text means: a whole number, a day, an address of this site; anything else is nothing, never an error."""

from __future__ import annotations

import re
from datetime import date

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

MOST_DIGITS = 18
MOST_NAME = 100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def whole_number(text: str | None) -> int | None:
    """The number that ASCII digits write, as far as a database key goes; ``None``: it is none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def name(text: str | None) -> str:
    """The name or code that a text asks for; empty: nobody's."""
    return (text or "").replace("\x00", "").strip()[:MOST_NAME]


def key(text: str | None) -> int:
    """The key that a text names; that of no row where it names none."""
    found = whole_number(text)
    return -1 if found is None else found


def day(text: str | None) -> date | None:
    """The day written as 2026-01-31; ``None``: it is none, or lies outside the calendar."""
    text = (text or "").strip()
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def address(request: HttpRequest, wanted: str | None, otherwise: str) -> str:
    """An address of this site, beginning with one slash; ``otherwise`` where the text is none."""
    text = wanted or ""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_path and url_has_allowed_host_and_scheme(text, {request.get_host()}) else otherwise
