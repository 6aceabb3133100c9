"""Reads of records: last versions, what was known on a day, what each source last said."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from zhixin.dataset.sources import SourceManifest, sources
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion

_LAST = Subquery(CreditRecord.objects.filter(key=OuterRef("key")).order_by("-version").values("version")[:1])


def last_versions(records: QuerySet[CreditRecord] | None = None) -> QuerySet[CreditRecord]:
    """The last version of each record."""
    found = CreditRecord.objects.all() if records is None else records
    return found.annotate(last=_LAST).filter(version=F("last"))


def named(query: str, prefix: str = "") -> Q:
    """Return the condition that a subject's name holds a text or its code is the text; all where it is empty.

    ``prefix``: the way to the subject, as ``subject__``.
    """
    return Q(**{f"{prefix}name__icontains": query}) | Q(**{f"{prefix}code": query.upper()}) if query else Q()


def records_of_subject(subject: Subject) -> QuerySet[CreditRecord]:
    """The last versions of a subject's records, the newest first; what a source took back is not among them."""
    found = CreditRecord.objects.filter(subject=subject).exclude(state=CreditRecord.State.WITHDRAWN)
    return last_versions(found).order_by("-decided_on", "-seq")


def published_records(day: date) -> QuerySet[CreditRecord]:
    """What is published on a day: active, begun, and not past its maximum — publication ends by itself."""
    shown = Q(state=CreditRecord.State.ACTIVE, publicity_from__lte=day, publicity_until__gt=day, erased_at=None)
    return last_versions().filter(shown)


def known_at(subject: Subject, seq: int) -> list[CreditRecord]:
    """The records of a subject as the ledger knew them at a sequence number."""
    newest: dict[str, CreditRecord] = {}
    keys = CreditRecord.objects.filter(subject=subject, seq__lte=seq).values("key")
    for record in CreditRecord.objects.filter(key__in=keys, seq__lte=seq).order_by("version"):
        newest[record.key] = record  # a correction may have given it to another subject
    return sorted(
        (item for item in newest.values() if item.state != "withdrawn" and item.subject_id == subject.pk),
        key=lambda item: (item.decided_on, item.seq),
        reverse=True,
    )


def attributes_of(subject: Subject) -> list[tuple[SourceManifest, dict[str, Any], SubjectVersion]]:
    """What each source last said about a subject."""
    newest: dict[str, SubjectVersion] = {}
    for version in SubjectVersion.objects.filter(subject=subject).order_by("version").select_related("batch"):
        newest[version.source] = version
    return [(sources()[name], json.loads(item.body) if item.body else {}, item) for name, item in sorted(newest.items())]
