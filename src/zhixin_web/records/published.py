"""What the public may see of subjects and records: the privacy wall. Portal and API read records through here only.

A published row holds what the source's manifest does not mark as personal, of the last version of an active record
between the start and the latest end of its publication. What is withdrawn, repaired, revoked or erased has no row.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from zhixin.dataset.hiding_persons import hide_persons
from zhixin.dataset.identity import check_uscc
from zhixin.dataset.sources import SourceField, SourceManifest, sources
from zhixin_web.records import search
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.queries import last_versions, published_records

MOST_HITS = 50
LIKE_A_CODE = range(15, 21)
"""Lengths of what somebody may have meant as a code, with a character too many or too few."""
FEWEST_LETTERS = 12
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
    reported_name: str = ""
    """The name of the subject as the source wrote it."""

    def days_left(self, today: date) -> int:
        """Days until publication ends by itself."""
        return (self.publicity_until - today).days


def _subject(row: dict[str, Any]) -> PublishedSubject:
    return PublishedSubject(row["pk"], row["code"], row["name"], row["district"], row["industry"])


_SUBJECT = ("pk", "code", "name", "district", "industry")


def published_subject(code: str) -> PublishedSubject | None:
    """A subject by its exact code."""
    if "\x00" in code:
        return None
    rows = list(Subject.objects.filter(code=code).values(*_SUBJECT)[:1])
    return _subject(rows[0]) if rows else None


def published_names(codes: Iterable[str]) -> dict[str, str]:
    """The names of subjects by code."""
    return dict(Subject.objects.filter(code__in=list(codes)).values_list("code", "name"))


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
    letters = sum(char.isascii() and char.isalnum() for char in unicodedata.normalize("NFKC", squeezed))
    if len(squeezed) in LIKE_A_CODE and letters >= FEWEST_LETTERS:
        checked = check_uscc(squeezed)
        if checked.value is None and checked.reason is not None:
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
        shown.append((manifest, timezone.localdate(at) if at else None, lines))
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
    lines = tuple(
        (item.title, _amount(item, value) if item.type in ("money", "money_wan") else str(hide_persons(str(value))))
        for item in manifest.fields
        if not item.personal and item.to not in HIDDEN_TARGETS and (value := _value(body, item)) is not None
    )
    return PublishedRecord(
        row["seq"], row["key"], row["subject_id"], row["source"], row["kind"], row["severity"], body.get("document") or "",
        row["decided_on"], row["publicity_from"], row["publicity_min_until"], row["publicity_until"], lines,
        body.get("name") or "",
    )  # fmt: skip


def _value(body: dict[str, Any], item: SourceField) -> Any:
    """What a record says in one field of its source: reported, an engine field, or a core field of the record."""
    if item.to is None:
        return body.get("reported", {}).get(item.id)
    return body.get("fields", {}).get(item.to, body.get(item.to))


def _amount(item: SourceField, fen: Any) -> str:
    """Fen as yuan, or as ten thousand yuan where the source's column is in that unit."""
    if not isinstance(fen, int):
        return str(fen)
    unit = 1_000_000 if item.type == "money_wan" else 100
    return f"{fen / unit:,.2f}".rstrip("0").rstrip(".")


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


def was_published(seq: int, subject: PublishedSubject, day: date) -> bool:
    """Whether a version of that number of that subject was published up to a day: then its page says that it has ended."""
    return CreditRecord.objects.filter(pk=seq, subject=subject.pk, publicity_from__lte=day).exists()


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


_EARLIER = CreditRecord.objects.filter(key=OuterRef("key"), version__lt=OuterRef("version"), publicity_from__isnull=False)


def _ended() -> QuerySet[CreditRecord]:
    """Last versions that are not published although an earlier version was: the ends of publications."""
    changed = last_versions(CreditRecord.objects.filter(version__gt=1, publicity_from=None))
    return changed.filter(Exists(_EARLIER))


def ended_recently(since: date, limit: int = 100) -> list[tuple[str, str, date]]:
    """Kind of ending (repaired, revoked), record kind and day, without naming anybody: what has ended is not shown again."""
    rows = _ended().filter(state__in=("repaired", "revoked")).order_by("-seq").values_list("state", "kind", "body")[:limit]
    found = []
    for state, kind, body in rows:
        text = (json.loads(body) if body else {}).get(f"{state}_on")
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
    """Ledger number and key of what ended after an entry: the tombstones of the delta. What was never published has none."""
    return list(_ended().filter(seq__gt=seq).order_by("seq").values_list("seq", "key")[:limit])


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
