"""Subjects and credit records. Records and subject versions are insert-only; system time is the ledger sequence.

A version is known from its ``seq`` until the ``seq`` of the next version of the same key (half-open); nothing is closed
by an update. :class:`Subject` is a projection of versions that can be rebuilt.
"""

from __future__ import annotations

import json
from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel


class Subject(models.Model):
    """A subject as last known: a projection of its versions for lists and search."""

    code = models.CharField(max_length=18, unique=True)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, db_index=True)
    district = models.CharField(max_length=6, blank=True, db_index=True)
    industry = models.CharField(max_length=1, blank=True)
    first_seq = models.BigIntegerField()

    def __str__(self) -> str:
        return self.name


class SubjectVersion(models.Model):
    """What one source said about a subject's attributes. Insert-only."""

    seq = models.BigIntegerField(primary_key=True)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="versions")
    source = models.CharField(max_length=40)
    version = models.IntegerField()
    digest = models.BinaryField(max_length=32)
    body = models.TextField(blank=True)
    salt = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("collection.Batch", models.PROTECT, related_name="subject_versions")
    line = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "source", "version"], name="one_subject_version")]


class CreditRecord(models.Model):
    """One version of a credit record. Insert-only; corrected, revoked, repaired by a new version.

    ``valid time`` lies in the dates, ``system time`` in ``seq``. Three dates are kept: of the document, of recognition
    (``decided_on``) and of publication. ``body`` is canonical JSON of everything; body and salt may be erased.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("有效")
        REVOKED = "revoked", _("已撤销")
        REPAIRED = "repaired", _("已修复")
        WITHDRAWN = "withdrawn", _("批次已撤回")

    seq = models.BigIntegerField(primary_key=True)
    key = models.CharField(max_length=240)
    version = models.IntegerField()
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="records")
    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=60, db_index=True)
    state = models.CharField(max_length=10, choices=State.choices)
    stated_severity = models.CharField(max_length=10, null=True)
    """The class of the conduct as the source states it; part of ``body``."""
    severity = models.CharField(max_length=10, null=True)
    """The class that counts: as stated, else as the rulebook in force classes the kind. A projection, like the dates of publicity."""
    occurred_on = models.DateField(null=True)
    document_on = models.DateField(null=True)
    decided_on = models.DateField()
    published_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    publicity_from = models.DateField(null=True)
    publicity_min_until = models.DateField(null=True)
    publicity_until = models.DateField(null=True)
    digest = models.BinaryField(max_length=32)
    body = models.TextField(blank=True)
    salt = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("collection.Batch", models.PROTECT, related_name="records")
    line = models.IntegerField()

    @property
    def document(self) -> str:
        """Number of the document as the source names it; empty where it names none or the content is erased."""
        return str(json.loads(self.body).get("document") or "") if self.body else ""

    def is_published_on(self, day: date) -> bool:
        """Whether this version is published on a day, unless a later one says otherwise."""
        first, until = self.publicity_from, self.publicity_until
        return self.state == self.State.ACTIVE and first is not None and until is not None and first <= day < until

    def is_over_on(self, day: date) -> bool:
        """Whether the validity of an active record has ended before a day; its last day counts."""
        return self.state == self.State.ACTIVE and self.valid_until is not None and self.valid_until < day

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "version"], name="one_record_version")]
        indexes = [
            models.Index(fields=["seq"], condition=Q(version__gt=1), name="records_changed"),
            models.Index(
                fields=["publicity_until", "decided_on"], condition=Q(publicity_from__isnull=False), name="records_published"
            ),
        ]


class AppliedLaw(BoundModel):
    """The rulebook releases by which class and publication of the records were last computed: one row."""

    releases = models.CharField(max_length=500)
    at = models.DateTimeField(auto_now=True)


class NotedEnds(BoundModel):
    """Until which day the ends that come by themselves stand in the ledger: one row."""

    day = models.DateField()
    seq = models.BigIntegerField(null=True)
    """The last entry then: of later versions, those whose days a correction moved into the past are still to be entered."""
