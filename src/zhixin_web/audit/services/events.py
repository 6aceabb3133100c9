"""Audit events: who did what, when, with which outcome."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from zhixin_web.audit.bound import commit_rows
from zhixin_web.audit.models import Event, EventAbout

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that are not mistaken for one another."""


TOGETHER = 2_000
"""Rows that are written at once."""


def record_event(
    action: str,
    *,
    by: Any = None,
    ref: str = "",
    request: HttpRequest | None = None,
    outcome: str = "done",
    **detail: Any,
) -> Event:
    """Note who did or read what. ``by`` defaults to the request's user."""
    user = by if by is not None else getattr(request, "user", None)
    known = user if getattr(user, "is_authenticated", False) else None
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    with transaction.atomic():
        event = Event.objects.create(
            action=action, by=known, ref=ref[:200], outcome=outcome, address=address or None, detail=detail
        )
        commit_rows(Event, [event.pk])
    return event


def record_subjects(event: Event, codes: Iterable[str]) -> None:
    """Record the enterprises that an event concerns, for their own lists of readings."""
    rest = iter(codes)
    while part := [EventAbout(event=event, ref=code) for code in islice(rest, TOGETHER)]:
        EventAbout.objects.bulk_create(part)


def tracking_code() -> str:
    """A code to follow a report by, without letters that look like digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))
