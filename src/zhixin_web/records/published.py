"""What the public may see of subjects and records: the privacy wall. Portal and API read records through here only.

A published row holds what the source's manifest does not mark as personal, of the last version of an active record
between the start and the latest end of its publication. What is withdrawn, repaired, revoked or erased has no row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.db.models import Count, Max

from zhixin.identity import check_uscc
from zhixin_web.records import search
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.queries import last_versions, published_records
from zhixin_web.records.sources import SourceField, SourceManifest, sources

MOST_HITS = 50
HIDDEN_ATTRIBUTES = ("contact_lost", "information_complete")
"""Registration details used for evaluation that are not among the facts of the public register."""
HIDDEN_TARGETS = ("subject_id", "name")
FACT_SOURCES = ("registrations", "holdings", "online_operators")


@dataclass(frozen=True)
class PublishedSubject:
    """A subject as the public register names it."""

    pk: int
    code: str
    name: str
    district: str
    industry: str


@dataclass(frozen=True)
class PublishedRecord:
    """One published record. ``seq`` is the ledger entry of the version shown; ``lines`` are (title, value)."""

    seq: int
    key: str
    subject: int
    source: str
    kind: str
    severity: str | None
    document: str
    decided_on: date
    publicity_from: date
    publicity_min_until: date | None
    publicity_until: date
    lines: tuple[tuple[str, str], ...]

    def days_left(self, today: date) -> int:
        """Days until publication ends by itself."""
        return (self.publicity_until - today).days


def _subject(row: dict[str, Any]) -> PublishedSubject:
    return PublishedSubject(row["pk"], row["code"], row["name"], row["district"], row["industry"])


_SUBJECT = ("pk", "code", "name", "district", "industry")


def published_subject(code: str) -> PublishedSubject | None:
    """A subject by its exact code."""
    rows = list(Subject.objects.filter(code=code).values(*_SUBJECT)[:1])
    return _subject(rows[0]) if rows else None


@dataclass(frozen=True)
class Search:
    """What a search gave: hits, whether there were more, and why nothing was found."""

    hits: tuple[PublishedSubject, ...]
    has_more: bool
    code_fault: tuple[str, str] | None
    """Chinese and English words on what is wrong with a code that was typed."""


def find_published(query: str) -> Search:
    """Subjects that fit a query: two characters, pinyin initials, part of the code; a wrong code is explained."""
    text = query.strip()[:100]
    squeezed = re.sub(r"\s+", "", text)
    fault = None
    if len(squeezed) in (15, 17, 18, 19) and re.fullmatch(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]+", squeezed):
        checked = check_uscc(squeezed)
        if checked.reason is not None:
            fault = (checked.reason.in_language("zh"), checked.reason.in_language("en"))
        elif checked.value:
            found = published_subject(checked.value)
            if found is not None:
                return Search((found,), False, None)
    keys = search.find(text, limit=MOST_HITS + 1)
    rows = Subject.objects.filter(pk__in=keys[: MOST_HITS + 1]).order_by("name", "code").values(*_SUBJECT)
    found_all = [_subject(row) for row in rows]
    return Search(tuple(found_all[:MOST_HITS]), len(found_all) > MOST_HITS, fault)


def published_facts(subject: PublishedSubject) -> list[tuple[SourceManifest, date | None, list[tuple[str, Any]]]]:
    """Official facts of the registration and of intellectual-property holdings, with the day they came in."""
    shown = []
    newest: dict[str, tuple[str, Any]] = {}
    rows = SubjectVersion.objects.filter(subject=subject.pk).order_by("version")
    for source, body, at in rows.values_list("source", "body", "batch__committed_at"):
        newest[source] = (body, at)
    for source in FACT_SOURCES:
        if source not in newest or not newest[source][0]:
            continue
        manifest = sources()[source]
        body, at = newest[source]
        attributes = json.loads(body).get("attributes", {})
        lines = []
        for item in _fact_fields(source):
            value = attributes.get(item.to)
            if value is not None:
                lines.append((item.title, item.values.get(value, value) if isinstance(value, str) else value))
        shown.append((manifest, at.date() if at else None, lines))
    return shown


@cache
def _fact_fields(source: str) -> tuple[SourceField, ...]:
    """The fields of a source that are official facts."""
    hidden = (*HIDDEN_TARGETS, *HIDDEN_ATTRIBUTES, "district", "industry")
    return tuple(item for item in sources()[source].fields if item.to and not item.personal and item.to not in hidden)


_RECORD = ("seq", "key", "subject_id", "source", "kind", "severity", "body", "decided_on", "publicity_from", "publicity_min_until", "publicity_until")  # fmt: skip


def _record(row: dict[str, Any]) -> PublishedRecord:
    body = json.loads(row["body"])
    manifest = sources()[row["source"]]
    reported = body.get("reported", {})
    lines = tuple(
        (item.title, str(reported[item.id]))
        for item in manifest.fields
        if item.id in reported and not item.personal and item.to not in HIDDEN_TARGETS
    )
    return PublishedRecord(
        row["seq"], row["key"], row["subject_id"], row["source"], row["kind"], row["severity"], body.get("document") or "",
        row["decided_on"], row["publicity_from"], row["publicity_min_until"], row["publicity_until"], lines,
    )  # fmt: skip


def records_of(subject: PublishedSubject, day: date) -> list[PublishedRecord]:
    """The published records of a subject on a day, newest first."""
    own = CreditRecord.objects.filter(subject=subject.pk, publicity_until__gt=day)
    if not own.exists():  # most subjects have none, and the full question costs more than the rest of their page
        return []
    rows = published_records(day).filter(subject=subject.pk).order_by("-decided_on", "-seq").values(*_RECORD)
    return [_record(row) for row in rows]


def published_record(seq: int, day: date) -> PublishedRecord | None:
    """One published record by the ledger entry of its version; ``None``: not, or no longer, published."""
    row = published_records(day).filter(pk=seq).values(*_RECORD).first()
    return _record(row) if row else None


def record_to_report(seq: int, day: date) -> CreditRecord | None:
    """The published record that somebody says is wrong, for the case that is opened about it."""
    return published_records(day).filter(pk=seq).select_related("subject").first()


def was_published(seq: int) -> bool:
    """Whether a version of that number was ever published: then the page says that publication has ended."""
    return CreditRecord.objects.filter(pk=seq, publicity_from__isnull=False).exists()


def announced(
    day: date, kinds: tuple[str, ...] | None = None, limit: int = 100
) -> list[tuple[PublishedRecord, PublishedSubject]]:
    """Published records of some kinds, newest first, with their subjects."""
    rows = published_records(day)
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    names = tuple(f"subject__{name}" for name in _SUBJECT)
    found = rows.order_by("-decided_on", "-seq").values(*_RECORD, *names)[:limit]
    return [(_record(row), _subject({name: row[f"subject__{name}"] for name in _SUBJECT})) for row in found]


def ended_recently(since: date, limit: int = 100) -> list[tuple[str, str, date]]:
    """Kind of ending (repaired, revoked), record kind and day, without naming anybody: what has ended is not shown again."""
    rows = (
        last_versions(
            CreditRecord.objects.filter(version__gt=1, state__in=("repaired", "revoked"), publicity_from__isnull=False)
        )
        .order_by("-seq")
        .values_list("state", "kind", "body")[:limit]
    )
    found = []
    for state, kind, body in rows:
        content = json.loads(body) if body else {}
        text = content.get(f"{state}_on")
        if text and date.fromisoformat(text) >= since:
            found.append((state, kind, date.fromisoformat(text)))
    return found


def every_published(day: date) -> Iterator[tuple[PublishedRecord, str, str]]:
    """All published records with code and name of their subjects, in the order of the ledger: for the bulk files."""
    rows = published_records(day).order_by("seq").values(*_RECORD, "subject__code", "subject__name")
    for row in rows.iterator(chunk_size=5_000):
        yield _record(row), row["subject__code"], row["subject__name"]


def change_stamp() -> str:
    """Changes whenever a record was corrected, revoked, repaired, withdrawn or erased: copies made before are stale."""
    changed = CreditRecord.objects.filter(version__gt=1)
    return f"{changed.aggregate(last=Max('seq'))['last'] or 0}.{changed.filter(erased_at__isnull=False).count()}"


def ended_since(seq: int, limit: int = 10_000) -> list[tuple[int, str]]:
    """Ledger number and key of what ended after an entry: the tombstones of the delta."""
    rows = (
        CreditRecord.objects.filter(seq__gt=seq, version__gt=1)
        .exclude(state="active")
        .order_by("seq")
        .values_list("seq", "key")
    )
    return list(rows[:limit])


def published_since(seq: int, day: date, limit: int = 10_000) -> list[tuple[PublishedRecord, str, str]]:
    """What was published after an entry and still is."""
    rows = published_records(day).filter(seq__gt=seq).order_by("seq")
    found = rows.values(*_RECORD, "subject__code", "subject__name")[:limit]
    return [(_record(row), row["subject__code"], row["subject__name"]) for row in found]


def subjects_by_district() -> dict[str, int]:
    """How many subjects are registered where."""
    return dict(Subject.objects.values_list("district").annotate(n=Count("pk")).values_list("district", "n"))


def publication_counts(day: date) -> list[tuple[str, int]]:
    """How many records of each class are published on a day."""
    rows = published_records(day).values_list("severity").annotate(n=Count("seq")).values_list("severity", "n")
    return sorted((severity or "", count) for severity, count in rows)
