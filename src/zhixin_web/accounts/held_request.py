"""Keeps what was typed where a form is sent after the session or the confirmation of the password has ended.

The fields stay in the session of the account that sent them, for a short time; they are sent again only by a click. Files and
passwords are not kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

KEY = "held"
SECONDS = 15 * 60
MOST_CHARACTERS = 100_000
CONTINUE = "/c/continue"
"""Where what is kept can be sent."""
_NOT_KEPT = ("csrfmiddlewaretoken", "next")


@dataclass(frozen=True)
class HeldRequest:
    """A form that was sent and not carried out yet."""

    path: str
    fields: list[tuple[str, str]]


def fields_of(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was typed into the form of a request, without what protects it."""
    return [(name, value) for name, values in request.POST.lists() if name not in _NOT_KEPT for value in values]


def hold(request: HttpRequest, user: Any) -> bool:
    """Keep a form for an account; ``False``: it has a file or a password, is too long, or holds nothing that was typed."""
    fields = fields_of(request)
    has_secret = any("password" in name or "secret" in name for name, _value in fields)
    size = sum(len(name) + len(value) for name, value in fields)
    if request.method != "POST" or request.FILES or has_secret or size > MOST_CHARACTERS:
        return False
    request.session[KEY] = {"path": request.get_full_path(), "fields": fields, "user": user.pk, "at": int(time.time())}
    return True


def held_by(request: HttpRequest) -> HeldRequest | None:
    """Return what is kept for the account of a request; ``None``: nothing, or it is too old."""
    kept = request.session.get(KEY)
    if kept is None or kept["user"] != request.user.pk or time.time() - kept["at"] > SECONDS:
        return None
    return HeldRequest(kept["path"], [(name, value) for name, value in kept["fields"]])


def let_go(request: HttpRequest) -> None:
    """Forget what is kept once it is sent."""
    kept = request.session.get(KEY)
    if kept is not None and kept["path"] == request.get_full_path():
        del request.session[KEY]
