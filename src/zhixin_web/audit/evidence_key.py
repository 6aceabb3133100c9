"""The application's own key, which is not in the database: codes of entries and of governed rows."""

from __future__ import annotations

import hmac

from django.conf import settings


def key() -> bytes:
    """The key of the commitments of governed rows."""
    return hmac.digest(settings.EVIDENCE_KEY.encode(), b"zhixin row commitments", "sha256")


def entry_mac(seq: int, data: str) -> bytes:
    """The code of a ledger entry at its place: only the application can give it."""
    whole = hmac.digest(settings.EVIDENCE_KEY.encode(), b"zhixin ledger entries", "sha256")
    return hmac.digest(whole, f"{seq}\0{data}".encode(), "sha256")
