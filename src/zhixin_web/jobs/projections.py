"""What must follow from something else: columns from sealed bodies, grades in force from archives and orders, files from hashes.

Each check gives how many things it compared and what deviates, as ``table key.column: expected …, found …``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from zhixin.dataset.delivery.rows import content_digest
from zhixin.dataset.snapshot import sha256_of
from zhixin.dataset.sources import sources
from zhixin.trust.draw import verify
from zhixin.trust.draw.drawing import committed_faults
from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.collection import originals
from zhixin_web.collection.models import Batch
from zhixin_web.evaluations.models import CurrentGrade, Grade, GradeOrder, Run, Segment
from zhixin_web.evaluations.queries import events_kept
from zhixin_web.evaluations.snapshots import read_grades, run_folder, segment_file, segment_folder
from zhixin_web.inspections.models import Draw
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.projected_terms import projected_terms
from zhixin_web.records.search import name_key
from zhixin_web.records.services.reapply_law import law_is_applied
from zhixin_web.records.services.versions import digest_of, kept_after_erasure
from zhixin_web.rulebooks.law_in_force import law_in_force

DATES = ("occurred_on", "document_on", "decided_on", "published_on", "valid_until")


def _differ(name: str, expected: Mapping[str, object], found: Mapping[str, object]) -> Iterator[str]:
    for column, value in expected.items():
        if found[column] != value:
            yield f"{name}.{column}: expected {value!s}, found {found[column]!s}"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _delivered(ref: str) -> dict[str, object]:
    """Batch and line of a version, from the reference of its entry (``B5/2``, ``B5/2/undo``)."""
    batch, line, *_undone = ref[1:].split("/")
    return {"batch_id": int(batch), "line": int(line)}


def record_deviations() -> tuple[int, list[str]]:
    """Compare the columns of every record with its sealed body, its entry, the version before it and the law in force."""
    codes = dict(Subject.objects.values_list("pk", "code"))
    refs = dict(LedgerEntry.objects.filter(kind__in=("record.add", "record.correct")).values_list("seq", "ref"))
    acts = {manifest.id: manifest.acts for manifest in sources().values()}
    law, follows = law_in_force(), law_is_applied()
    broken: list[str] = []
    versions: dict[str, int] = {}
    keys: dict[str, str] = {}
    names = [field.attname for field in CreditRecord._meta.concrete_fields if field.attname != "salt"]
    count = 0
    for row in CreditRecord.objects.order_by("seq").values(*names).iterator(chunk_size=5_000):
        count += 1
        name = f"records_creditrecord {row['seq']}"
        versions[row["key"]] = versions.get(row["key"], 0) + 1
        expected: dict[str, Any] = {"version": versions[row["key"]]}
        if row["seq"] in refs:
            expected |= _delivered(refs[row["seq"]])
        if row["erased_at"] is None:
            expected |= _from_body(row, codes)
            broken += _key_deviates(name, row, acts, keys)
        if follows:
            terms = projected_terms(
                law, row["kind"], row["state"], row["stated_severity"], row["decided_on"], row["published_on"]
            )
            expected |= dict(
                zip(("severity", "publicity_from", "publicity_min_until", "publicity_until"), terms, strict=True)
            )
        broken += _differ(name, expected, row)
    return count, broken


def _from_body(row: dict[str, Any], codes: dict[int, str]) -> dict[str, Any]:
    body = json.loads(row["body"])
    expected: dict[str, Any] = {"kind": body["kind"], "source": body["source"], "state": body["state"]}
    expected |= {column: _day(body.get(column)) for column in DATES}
    expected["document_on"] = expected["document_on"] or expected["decided_on"]
    expected["stated_severity"] = body.get("severity")
    if codes.get(row["subject_id"]) != body["subject"]:
        expected["subject_id"] = f"that of {body['subject']}"
    if bytes(row["digest"]) not in (content_digest(row["body"]), digest_of(row["body"])):
        expected["digest"] = content_digest(row["body"])
    return expected


def _key_deviates(name: str, row: dict[str, Any], acts: dict[str, str], keys: dict[str, str]) -> Iterator[str]:
    """One act has one key: that of its source, and the same for every version that names its document and subject."""
    body = json.loads(row["body"])
    act = f"{body['source']} {body['subject']} {body.get('document')} {body['kind']} {body['decided_on']}"
    if not row["key"].startswith(f"{acts.get(row['source'], '')}:") or keys.setdefault(act, row["key"]) != row["key"]:
        yield f"{name}.key: expected {keys.get(act, acts.get(row['source']))}, found {row['key']}"
    number = body.get("document")
    if (
        number
        and "#" not in row["key"]
        and f"|{body['subject']}" in row["key"]
        and not row["key"].endswith(f"|{body['subject']}")
    ):
        yield f"{name}.key: expected to end with {body['subject']}, found {row['key']}"


def subject_deviations() -> tuple[int, list[str]]:
    """Compare every subject, and every version of one, with the sealed bodies of its registrations."""
    broken: list[str] = []
    codes = dict(Subject.objects.values_list("pk", "code"))
    refs = dict(LedgerEntry.objects.filter(kind="subject.update").values_list("seq", "ref"))
    registers = {manifest.id for manifest in sources().values() if manifest.gives == "subjects"}
    latest: dict[int, dict[str, Any]] = {}
    versions: dict[tuple[int, str], int] = {}
    first: dict[int, int] = {}
    fields = ("seq", "subject_id", "source", "version", "digest", "body", "erased_at", "batch_id", "line")
    for row in SubjectVersion.objects.order_by("seq").values(*fields).iterator(chunk_size=5_000):
        name = f"records_subjectversion {row['seq']}"
        place = (row["subject_id"], row["source"])
        versions[place] = versions.get(place, 0) + 1
        first.setdefault(row["subject_id"], row["seq"])
        expected: dict[str, Any] = {"version": versions[place]}
        if row["seq"] in refs:
            expected |= _delivered(refs[row["seq"]])
        if row["erased_at"] is None:
            body = json.loads(row["body"])
            expected["source"] = body["source"]
            if codes.get(row["subject_id"]) != body["subject"]:
                expected["subject_id"] = f"that of {body['subject']}"
            if bytes(row["digest"]) not in (content_digest(row["body"]), digest_of(row["body"])):
                expected["digest"] = content_digest(row["body"])
            if row["source"] in registers and body["attributes"].get("name"):
                latest[row["subject_id"]] = body["attributes"]
        broken += _differ(name, expected, row)
    records: dict[int, int] = {}
    for subject_id, seq in CreditRecord.objects.filter(version=1).order_by("seq").values_list("subject_id", "seq"):
        records.setdefault(subject_id, seq)
    known = Subject.objects.values("pk", "code", "name", "name_key", "district", "industry", "first_seq")
    for subject in known.iterator(chunk_size=5_000):
        attributes = latest.get(subject["pk"], {})
        if subject["pk"] not in first and subject["pk"] not in records:
            broken.append(f"records_subject {subject['code']}: no registration and no record gives it")
        elif subject["pk"] in first and subject["first_seq"] > first[subject["pk"]]:
            broken.append(
                f"records_subject {subject['code']}.first_seq: expected {first[subject['pk']]} at most, found {subject['first_seq']}"
            )
        if attributes:
            right = {
                "name": attributes["name"],
                "district": attributes.get("district", ""),
                "industry": attributes.get("industry", ""),
            }
            broken += _differ(
                f"records_subject {subject['code']}", right | {"name_key": name_key(attributes["name"])}, subject
            )
    return len(codes) + sum(versions.values()), broken


def grade_deviations() -> tuple[int, list[str]]:
    """Play all releases again: every grade row from its archive, the grades in force from the last of them and from orders."""
    codes = dict(Subject.objects.values_list("pk", "code"))
    held: dict[str, dict[str, Any]] = {}
    expected: dict[tuple[int, str], dict[str, Any]] = {}
    broken: list[str] = []
    for run in Run.objects.released().filter(is_projected=True).select_related("release").order_by("released_at", "pk"):
        if not _entry_says(run):
            broken.append(f"evaluations_run {run.pk}: its ledger entry does not say these results")
        rows = {row["subject_id"]: row for row in read_grades(run_folder(run))}
        for event in events_kept(run):
            rows |= {row["subject_id"]: row for row in read_grades(run_folder(event)) if row["subject_id"] in event.only}
        if run.kind == Run.Kind.EVENT and run.only:
            rows = {code: row for code, row in rows.items() if code in run.only}
        for code, row in rows.items():
            now = {
                "grade": row["grade"],
                "score_milli": row["score_milli"],
                "step": row["step"],
                "class_name": row["class"] or "",
            }
            was = held.get(code)
            if was is not None and now.items() <= was.items():
                continue
            expected[run.pk, code] = now | {"was": was["grade"] if was else ""}
            held[code] = now | {"run_id": run.pk, "since": run.as_of}
        if run.rolls_back_id is not None:
            for code in sorted(set(held) - set(rows)):
                nothing = {
                    "grade": "",
                    "score_milli": 0,
                    "step": "withdrawn",
                    "class_name": "",
                    "was": held.pop(code)["grade"],
                }
                expected[run.pk, code] = nothing
    count, more = _grades_as_expected(expected, codes)
    return count + len(held), broken + more + _in_force_as_expected(held, codes)


def _entry_says(run: Run) -> bool:
    body = SealedBody.objects.filter(seq=run.ledger_seq or -1).values_list("body", flat=True).first()
    if not body:
        return False
    said = json.loads(body)
    return bool(
        said["run"] == run.pk
        and (said["grades"], said["contributions"], said["result"])
        == (run.grades_sha256, run.contributions_sha256, run.result_sha256)
        and said["as_of"] == run.as_of.isoformat()
        and said["known_seq"] == run.known_seq
        and said["rulebook"] == run.release.sha256
    )


def _grades_as_expected(expected: dict[tuple[int, str], dict[str, Any]], codes: dict[int, str]) -> tuple[int, list[str]]:
    broken: list[str] = []
    count = 0
    rows = Grade.objects.values("pk", "run_id", "subject_id", "grade", "was", "score_milli", "step", "class_name")
    for row in rows.iterator(chunk_size=5_000):
        count += 1
        right = expected.pop((row["run_id"], codes.get(row["subject_id"], "")), None)
        if right is None:
            broken.append(f"evaluations_grade {row['pk']}: no released archive gives it")
        else:
            broken += _differ(f"evaluations_grade {row['pk']}", right, row)
    return count, broken + [
        f"evaluations_grade: expected a row of run {run} for {code}, found none" for run, code in sorted(expected)
    ]


def _in_force_as_expected(held: dict[str, dict[str, Any]], codes: dict[int, str]) -> list[str]:
    orders = {item.subject_id: item.grade for item in GradeOrder.objects.filter(status=GradeOrder.Status.ACTIVE)}
    broken: list[str] = []
    found = set()
    for row in CurrentGrade.objects.values().iterator(chunk_size=5_000):
        code = codes.get(row["subject_id"], "")
        found.add(code)
        if code not in held:
            broken.append(f"evaluations_currentgrade {row['subject_id']}: no released evaluation gives it")
        else:
            right = held[code] | {"in_force": orders.get(row["subject_id"], held[code]["grade"])}
            broken += _differ(f"evaluations_currentgrade {row['subject_id']}", right, row)
    return broken + [
        f"evaluations_currentgrade: expected a row for {code}, found none" for code in sorted(set(held) - found)
    ]


def file_deviations() -> tuple[int, list[str]]:
    """Compare every file that is evidence with its hash: deliveries, sealed segments, archives of runs."""
    expected: list[tuple[str, Path, str]] = []
    for batch in Batch.objects.only("pk", "sha256", "suffix"):
        expected.append((f"collection_batch {batch.pk}", originals.original_path(batch.sha256, batch.suffix), batch.sha256))
    for item in Segment.objects.all():
        for name, sha256 in (("records", item.sha256_records), ("subjects", item.sha256_subjects)):
            path = segment_file(segment_folder(), name, item.first_seq, item.last_seq)
            expected.append((f"evaluations_segment {item.pk}", path, sha256))
    for run in Run.objects.exclude(grades_sha256=""):
        for name, sha256 in (("grades", run.grades_sha256), ("contributions", run.contributions_sha256)):
            expected.append((f"evaluations_run {run.pk}", run_folder(run) / f"{name}.parquet", sha256))
    broken = []
    for owner, path, sha256 in expected:
        found = sha256_of(path) if path.is_file() else "no file"
        if found != sha256:
            shown = path.relative_to(settings.VAR) if path.is_relative_to(settings.VAR) else path
            broken.append(f"{owner} {shown}: expected sha256 {sha256[:16]}…, found {found[:16]}")
    return len(expected), broken


def erasure_deviations() -> tuple[int, list[str]]:
    """Only what an entry ``record.erase`` names may be empty; sealed bodies of acts never are."""
    named: set[int] = set()
    changed: list[str] = []
    entries = LedgerEntry.objects.filter(kind="record.erase").values_list("seq", flat=True)
    for body in SealedBody.objects.filter(seq__in=list(entries)).values_list("body", flat=True):
        said = json.loads(body) if body else {"records": [], "kept": {}}
        named.update(said["records"])
        found = kept_after_erasure(said["records"])
        changed += [
            f"records_creditrecord {seq}: expected the columns kept at its erasure"
            for seq, code in said["kept"].items()
            if found.get(seq) != code
        ]
    empty = set(CreditRecord.objects.exclude(erased_at=None).values_list("seq", flat=True))
    empty |= set(SubjectVersion.objects.exclude(erased_at=None).values_list("seq", flat=True))
    broken = changed + [
        f"record version {seq}: expected its body, found it erased without an entry" for seq in sorted(empty - named)
    ]
    for seq in SealedBody.objects.exclude(erased_at=None).order_by("seq").values_list("seq", flat=True):
        broken.append(f"audit_sealedbody {seq}: expected its body, found it erased")
    entries_there = set(LedgerEntry.objects.values_list("seq", flat=True))
    for seq in sorted(set(SealedBody.objects.values_list("seq", flat=True)) - entries_there):
        broken.append(f"audit_sealedbody {seq}: expected an entry that it opens, found none")
    kept = {*CreditRecord.objects.values_list("seq", flat=True), *SubjectVersion.objects.values_list("seq", flat=True)}
    kept |= set(SealedBody.objects.values_list("seq", flat=True))
    for seq in LedgerEntry.objects.values_list("seq", flat=True).iterator(chunk_size=20_000):
        if seq not in kept:
            broken.append(f"audit_ledgerentry {seq}: expected a body that opens it, found none")
    return len(empty) + len(kept), broken


def draw_deviations() -> tuple[int, list[str]]:
    """Every draw was committed once, ended once at most, and its document is what its entries say and what it commits to."""
    entries: dict[tuple[str, str], list[int]] = {}
    for kind, ref, seq in LedgerEntry.objects.filter(kind__in=("draw.commit", "draw.result", "draw.abort")).values_list(
        "kind", "ref", "seq"
    ):
        entries.setdefault((kind, ref.removeprefix("draw:")), []).append(seq)
    broken: list[str] = []
    ended = {Draw.Status.DRAWN: "draw.result", Draw.Status.PUBLISHED: "draw.result", Draw.Status.ABORTED: "draw.abort"}
    draws = {item.draw_id: item for item in Draw.objects.all()}
    for name, item in draws.items():
        committed, results, aborts = (entries.pop((kind, name), []) for kind in ("draw.commit", "draw.result", "draw.abort"))
        if committed != [item.commit_seq] or len(results) + len(aborts) != (item.status in ended):
            broken.append(
                f"inspections_draw {name}: {len(committed)} commitments, {len(results)} results, {len(aborts)} aborts"
            )
        faults = verify(item.document) if "numbers" in item.document else committed_faults(item.document)
        broken += [f"inspections_draw {name}.document: {fault.en}" for fault in faults]
    return len(draws), broken + [f"the ledger knows a draw {name} that is not there" for _kind, name in sorted(entries)]
