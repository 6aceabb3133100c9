"""Writes of the automatic ways in: pulls and the keys of pushing programs."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import httpx
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.sources import sources
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.models import Client, Pull
from zhixin_web.collection.outgoing import checked, sealed

LONGEST_MINUTES = 60 * 24 * 31


def schedule_pull(
    *, source: str, address: str, every_minutes: Any, is_active: bool, by: User, credential: str | None = None
) -> Pull:
    """Set the pull of a source; it is done at the next tick.

    ``credential`` is the ``Authorization`` of the request; ``None`` leaves the one that is kept, for the same host only.

    Raises:
        ValidationError: no such source, an address that may not be asked, or minutes outside 1 … 31 days.
    """
    if source not in sources():
        raise ValidationError(_("没有这个数据来源"))
    URLValidator(schemes=["http", "https"])(address)
    target = checked(address)
    changes = {
        "address": address,
        "every_minutes": _minutes(every_minutes),
        "is_active": is_active,
        "next_at": timezone.now(),
        "failures": 0,
        "account": by,
    }
    kept = Pull.objects.filter(source=source).first()
    if credential is not None:
        changes["credential"] = sealed(credential)
    elif kept is not None and httpx.URL(kept.address).netloc != target.url.netloc:
        changes["credential"] = ""  # what one host is trusted with is not shown to another
    pull, _is_new = Pull.objects.update_or_create(source=source, defaults=changes)
    record_event(
        "ways.pull",
        by=by,
        ref=source,
        address=address,
        every=pull.every_minutes,
        is_active=is_active,
        has_credential=bool(pull.credential),
    )
    return pull


def _minutes(given: Any) -> int:
    text = str(given)
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= LONGEST_MINUTES):
        raise ValidationError(_("间隔应为 1 至 %(LONGEST_MINUTES)s 分钟") % {"LONGEST_MINUTES": LONGEST_MINUTES})
    return int(text)


def open_client(*, name: str, account: Any, by: User) -> tuple[Client, str]:
    """A pushing program of an account's organisation, and its key. Only the key's hash is kept."""
    key = secrets.token_urlsafe(32)
    client = Client.objects.create(
        name=name, organisation=account.organisation, account=account, key_hash=hashlib.sha256(key.encode()).hexdigest()
    )
    record_event("ways.client", by=by, ref=f"client:{client.pk}", name=name, account=account.username)
    return client, key


def switch(client: Client, *, by: User) -> None:
    """Stop a key, or let it work again."""
    client.is_active = not client.is_active
    client.save(update_fields=["is_active"])
    record_event("ways.client", by=by, ref=f"client:{client.pk}", is_active=client.is_active)
