"""What must follow from sealed bodies: the columns of records, of versions of subjects, of subjects.

Each check gives how many things it compared and what deviates, as ``table key.column: expected …, found …``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from zhixin.dataset.delivery.rows import content_digest
from zhixin.dataset.sources import SourceManifest, sources
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.jobs.deviations import differing
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.projected_terms import projected_terms
from zhixin_web.records.search import name_key
from zhixin_web.records.services.reapply_law import PROJECTED, law_is_applied
from zhixin_web.records.services.versions import digest_of
from zhixin_web.rulebooks.law_in_force import law_in_force

DATES = ("occurred_on", "document_on", "decided_on", "published_on", "valid_until")
DELIVERED = ("record.add", "record.correct", "subject.update")
"""Kinds of entries whose reference names batch and line."""


class _Sealed:
    """What the ledger and the sealed body of a version say of its columns."""

    def __init__(self) -> None:
        self.codes = dict(Subject.objects.values_list("pk", "code"))
        self.refs = dict(LedgerEntry.objects.filter(kind__in=DELIVERED).values_list("seq", "ref"))

    def of(self, row: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
        """Columns of a version as they must be; without a body (erased) those alone that the entry says."""
        expected: dict[str, Any] = {}
        if row["seq"] in self.refs:
            batch, line, *_undone = self.refs[row["seq"]][1:].split("/")  # B5/2, B5/2/undo
            expected |= {"batch_id": int(batch), "line": int(line)}
        if body is None:
            return expected
        expected["source"] = body["source"]
        if self.codes.get(row["subject_id"]) != body["subject"]:
            expected["subject_id"] = f"that of {body['subject']}"
        if bytes(row["digest"]) not in (content_digest(row["body"]), digest_of(row["body"])):
            expected["digest"] = content_digest(row["body"])
        return expected


def record_deviations() -> tuple[int, list[str]]:
    """Compare the columns of every record with its sealed body, its entry, the version before it and the law in force."""
    sealed, law, follows, manifests = _Sealed(), law_in_force(), law_is_applied(), sources()
    broken: list[str] = []
    versions: Counter[str] = Counter()
    keys: dict[str, str] = {}
    names = [field.attname for field in CreditRecord._meta.concrete_fields if field.attname != "salt"]
    for row in CreditRecord.objects.order_by("seq").values(*names).iterator(chunk_size=5_000):
        name = f"records_creditrecord {row['seq']}"
        body = json.loads(row["body"]) if row["erased_at"] is None else None
        versions[row["key"]] += 1
        expected = sealed.of(row, body) | {"version": versions[row["key"]]}
        if body is not None:
            expected |= _from_body(body)
            broken += _key_deviates(name, row["key"], body, manifests.get(row["source"]), keys)
        if follows:
            terms = projected_terms(
                law,
                row["kind"],
                row["state"],
                row["stated_severity"],
                row["decided_on"],
                row["published_on"],
                row["valid_until"],
            )
            expected |= dict(zip(PROJECTED, terms, strict=True))
        broken += differing(name, expected, row)
    return versions.total(), broken


def _from_body(body: dict[str, Any]) -> dict[str, Any]:
    days = {column: date.fromisoformat(body[column]) if body.get(column) else None for column in DATES}
    days["document_on"] = days["document_on"] or days["decided_on"]
    return {"kind": body["kind"], "state": body["state"], "stated_severity": body.get("severity"), **days}


def _key_deviates(
    name: str, key: str, body: dict[str, Any], manifest: SourceManifest | None, keys: dict[str, str]
) -> Iterator[str]:
    """One act has one key: that of its source, with its subject in its place, the same for all its versions."""
    named = body.get("document") or json.dumps(body.get("reported"), sort_keys=True)  # registers name an act by its number
    act = f"{body['source']} {body['subject']} {named} {body['kind']} {body['decided_on']}"
    if keys.setdefault(act, key) != key:
        yield f"{name}.key: expected {keys[act]}, found {key}"
    if manifest is None:
        return
    acts, _, parts = key.partition(":")
    if acts != manifest.acts:
        yield f"{name}.key: expected one of {manifest.acts}, found {key}"
    elif not parts.startswith("#") and "subject_id" in manifest.key:  # a long key is kept as its hash
        found = parts.split("|")
        if found[manifest.key.index("subject_id") - len(manifest.key)] != body["subject"]:
            yield f"{name}.key: expected {body['subject']} in it, found {key}"


def subject_deviations() -> tuple[int, list[str]]:
    """Compare every subject, and every version of one, with the sealed bodies of its registrations."""
    sealed = _Sealed()
    broken: list[str] = []
    registers = {manifest.id for manifest in sources().values() if manifest.gives == "subjects"}
    latest: dict[int, dict[str, Any]] = {}
    versions: Counter[tuple[int, str]] = Counter()
    first: dict[int, int] = {}
    fields = ("seq", "subject_id", "source", "version", "digest", "body", "erased_at", "batch_id", "line")
    for row in SubjectVersion.objects.order_by("seq").values(*fields).iterator(chunk_size=5_000):
        body = json.loads(row["body"]) if row["erased_at"] is None else None
        versions[row["subject_id"], row["source"]] += 1
        first.setdefault(row["subject_id"], row["seq"])
        expected = sealed.of(row, body) | {"version": versions[row["subject_id"], row["source"]]}
        broken += differing(f"records_subjectversion {row['seq']}", expected, row)
        if body is not None and row["source"] in registers and body["attributes"].get("name"):
            latest[row["subject_id"]] = body["attributes"]
    return len(sealed.codes) + versions.total(), broken + list(_subjects_deviate(latest, first))


def _subjects_deviate(latest: dict[int, dict[str, Any]], first: dict[int, int]) -> Iterator[str]:
    """Compare subjects with the attributes registered last; one that nothing gives was put there by somebody else."""
    recorded = set(CreditRecord.objects.values_list("subject_id", flat=True).distinct())
    known = Subject.objects.values("pk", "code", "name", "name_key", "district", "industry", "first_seq")
    for subject in known.iterator(chunk_size=5_000):
        name, since = f"records_subject {subject['code']}", first.get(subject["pk"])
        if since is None and subject["pk"] not in recorded:
            yield f"{name}: no registration and no record gives it"
        if since is not None and subject["first_seq"] > since:
            yield f"{name}.first_seq: expected {since} at most, found {subject['first_seq']}"
        attributes = latest.get(subject["pk"])
        if attributes is not None:
            right = {column: attributes.get(column, "") for column in ("name", "district", "industry")}
            yield from differing(name, right | {"name_key": name_key(attributes["name"])}, subject)
