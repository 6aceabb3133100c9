"""Writes record versions and brings subjects up to date with their last registration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from zhixin_web.records import search
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.projected_terms import projected_terms
from zhixin_web.rulebooks.law_in_force import LawInForce

LOOKUP = 900


RECORD_COLUMNS = ("seq", "key", "version", "subject_id", "source", "kind", "state", "stated_severity", "severity", "occurred_on", "document_on", "decided_on", "published_on", "valid_until", "publicity_from", "publicity_min_until", "publicity_until", "digest", "body", "salt", "erased_at", "batch_id", "line")  # fmt: skip


VERSION_COLUMNS = ("seq", "subject_id", "source", "version", "digest", "body", "salt", "erased_at", "batch_id", "line")


def chunked(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def project(versions: Sequence[tuple[int, str]]) -> None:
    """Bring subjects up to date with their last registration: name, district, industry, and the search index."""
    latest = {subject: json.loads(body)["attributes"] for subject, body in versions}
    renamed: list[Subject] = []
    for part in chunked(sorted(latest), LOOKUP):
        for subject in Subject.objects.filter(pk__in=part):
            attributes = latest[subject.pk]
            if not attributes.get("name"):
                continue  # a registration that was taken back leaves the subject under the name it is known by
            now = (attributes["name"], attributes.get("district", ""), attributes.get("industry", ""))
            if now != (subject.name, subject.district, subject.industry):
                if subject.name != now[0]:
                    renamed.append(subject)
                subject.name, subject.district, subject.industry = now
                subject.name_key = search.name_key(subject.name)
                subject.save(update_fields=["name", "name_key", "district", "industry"])
    search.forget([subject.pk for subject in renamed])
    search.index((subject.pk, subject.code, subject.name) for subject in renamed)


def record_row(
    head: tuple[int, str, int, int, str],
    state: str,
    core: Sequence[Any],
    kept: tuple[bytes, str, bytes],
    origin: tuple[int, int],
    law: LawInForce,
) -> tuple[Any, ...]:
    """Return the row of a record version; its class and its dates of publication follow from the law in force.

    Args:
        head: sequence number, key, version, subject, source.
        state: of the version; only an active one is published.
        core: as in :class:`zhixin.dataset.delivery.rows.CheckedRow`.
        kept: digest, body, salt.
        origin: batch and line.
        law: in force today.
    """
    kind, stated, decided, published, valid = core[0], core[1], core[4], core[5], core[6]
    projected = projected_terms(law, kind, state, stated, _day(decided), _day(published), _day(valid))
    severity, *shown = projected
    return (*head, kind, state, stated, severity, *core[2:], *(_iso(day) for day in shown), *kept, None, *origin)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def digest_of(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def kept_after_erasure(seqs: Iterable[int]) -> dict[str, str]:
    """A code of what stays of erased record versions, by sequence number: their columns without body, salt and what the law projects."""
    columns = ("seq", "key", "version", "subject_id", "source", "kind", "state", "stated_severity", "occurred_on", "document_on",
               "decided_on", "published_on", "valid_until", "erased_at", "batch_id", "line", "digest", "body", "salt")  # fmt: skip
    found = {}
    for row in CreditRecord.objects.filter(seq__in=list(seqs)).values_list(*columns):
        plain = [bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value) for value in row]
        found[str(row[0])] = hashlib.sha256("\0".join(plain).encode()).hexdigest()
    return found
