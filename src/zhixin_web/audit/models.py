"""Append-only: audit events, the ledger's entries, their sealed bodies, tree tiles and checkpoints.

Triggers (migration 0002) refuse UPDATE, DELETE, REPLACE and gaps on both databases; a sealed body may only be erased.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Event(models.Model):
    """Who did or read what, when, from where, with what result."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60, db_index=True)
    ref = models.CharField(max_length=200, blank=True, db_index=True)
    outcome = models.CharField(max_length=20, default="done")
    address = models.GenericIPAddressField(null=True)
    detail = models.JSONField(default=dict)


class EventAbout(models.Model):
    """An enterprise that an event concerns besides its ``ref``, such as one of an exported list."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="about")
    ref = models.CharField(max_length=40, db_index=True)


class LedgerEntry(models.Model):
    """One leaf of the ledger. ``data`` is the canonical line, ``leaf`` its RFC 6962 hash, ``seq`` counts from 0."""

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=40)
    ref = models.CharField(max_length=240, db_index=True)
    data = models.TextField()
    leaf = models.BinaryField(max_length=32)
    mac = models.BinaryField(max_length=32)
    """The application's own code of number and line, under a key that is not in the database: nobody else can add an entry."""


class SealedBody(models.Model):
    """The body and salt behind an entry's commitment; both may be erased, the entry stays."""

    seq = models.BigIntegerField(primary_key=True)
    body = models.TextField(blank=True)
    salt = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField(null=True)


class LedgerTile(models.Model):
    """The hash over 256 whole leaves: proofs need not read every leaf."""

    number = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)


class SignedCheckpoint(models.Model):
    """A checkpoint as the signer gave it."""

    size = models.BigIntegerField(db_index=True)
    note = models.TextField()
    signed_at = models.DateTimeField(auto_now_add=True)


class RowCommitment(models.Model):
    """What a governed row held after an act of the application; the newest one of a row says what it must hold now.

    ``mac`` authenticates table, row, columns and moment under a key that is not in the database; the same one twice is an
    earlier state put forward again. ``head`` is the number of the
    head (ledger entry ``rows.head``) that covers it; it alone is written later.
    """

    table = models.CharField(max_length=63)
    row = models.CharField(max_length=64)
    columns = models.TextField(blank=True)
    """Canonical JSON of the columns; empty for a deleted row."""
    mac = models.BinaryField(max_length=32)
    head = models.BigIntegerField(null=True, db_index=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["table", "row", "-id"], name="audit_newest_commitment")]
