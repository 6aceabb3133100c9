"""``check_invariants``: what must hold after every fault, counted over the whole database in under a minute."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from django.db import connection
from django.db.models import Count, F, Q

from zhixin.errors import LedgerError
from zhixin.trust import ledger, signing
from zhixin_web.audit.evidence_key import entry_mac
from zhixin_web.audit.models import LedgerEntry, LedgerTile, SignedCheckpoint
from zhixin_web.audit.queries import TILE, row_deviations
from zhixin_web.audit.services.checkpoints import published_key
from zhixin_web.audit.services.witnesses import witnessed
from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services.replay import replay
from zhixin_web.jobs.case_invariants import case_deviations
from zhixin_web.jobs.duty_invariants import duty_deviations
from zhixin_web.jobs.grade_and_file_invariants import (
    draw_deviations,
    erasure_deviations,
    file_deviations,
    grade_deviations,
)
from zhixin_web.jobs.measure_invariants import measure_deviations
from zhixin_web.jobs.record_invariants import record_deviations, subject_deviations
from zhixin_web.records.models import CreditRecord, SubjectVersion

_log = logging.getLogger(__name__)
Compared = Callable[[], tuple[int, list[str]]]
MOST = 200
"""Deviations named of one kind; one is enough to stop."""
PROJECTIONS: dict[str, Compared] = {
    "records follow from their sealed bodies": record_deviations,
    "subjects follow from their registrations": subject_deviations,
    "grades in force follow from released archives and orders": grade_deviations,
    "files are as they were hashed": file_deviations,
    "what is erased is named by an entry": erasure_deviations,
    "every draw has one commitment and one end": draw_deviations,
    "every case follows its procedure, its papers and numbers are whole": case_deviations,
    "every measure follows a decision, the ledger and its end": measure_deviations,
    "every duty is proved, answered by another and told on in time": duty_deviations,
}
RECORD_KINDS = ("record.add", "record.correct", "record.revoke", "repair.accept")


@dataclass(frozen=True)
class Finding:
    """One invariant: what it says, how many things were checked, what breaks it."""

    name: str
    checked: int
    broken: tuple[str, ...]


def check(*, replays: int | None = None) -> Iterator[Finding]:
    """Check every invariant; ``replays`` limits how many released runs are recomputed (newest first; all by default).

    A check that stops on what it reads, as a missing file, is a finding itself; the checks after it still run.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("rows are accounted for", rows_are_accounted_for),
        ("records have ledger entries", records_have_entries),
        ("the ledger verifies", ledger_verifies),
        ("governed rows are as written", governed_rows_are_as_written),
        ("grades have two persons", grades_have_two_persons),
        *((name, partial(_projection, name, compared)) for name, compared in PROJECTIONS.items()),
        ("released runs replay", partial(runs_replay, replays)),
    ]
    for name, function in checks:
        try:
            yield function()
        except Exception as error:
            _log.exception("an invariant could not be checked")
            yield Finding(name, 0, (f"could not be checked: {type(error).__name__}: {error}",))


def _projection(name: str, compared: Compared) -> Finding:
    checked, broken = compared()
    return Finding(name, checked, tuple(broken[:MOST]))


def rows_are_accounted_for() -> Finding:
    """Every acknowledged row is in exactly one of accepted, quarantined, duplicate, and the counts of its batch say so."""
    broken = []
    batches = Batch.objects.filter(status__in=[Batch.Status.COMMITTED, Batch.Status.UNDONE])
    off = batches.exclude(rows=F("accepted") + F("quarantined") + F("duplicates")).values_list("pk", flat=True)
    broken += [f"batch {pk}: counts do not add up" for pk in off]
    open_rows = _counts(QuarantinedRow.objects.exclude(status=QuarantinedRow.Status.RESOLVED))
    duplicates = _counts(DuplicateRow.objects.all())
    accepted: dict[int, int] = {}
    for table in ("records_creditrecord", "records_subjectversion"):
        for batch, lines in _query(f"SELECT batch_id, COUNT(DISTINCT line) FROM {table} GROUP BY batch_id"):
            accepted[batch] = accepted.get(batch, 0) + lines
    for batch in batches.iterator():
        found = (accepted.get(batch.pk, 0), open_rows.get(batch.pk, 0), duplicates.get(batch.pk, 0))
        if found != (batch.accepted, batch.quarantined, batch.duplicates):
            broken.append(
                f"batch {batch.pk}: tables hold {found}, the batch says {(batch.accepted, batch.quarantined, batch.duplicates)}"
            )
    return Finding("rows are accounted for", batches.count(), tuple(broken))


def _counts(rows: Any) -> dict[int, int]:
    return dict(rows.values_list("batch").annotate(n=Count("pk")).values_list("batch", "n"))


def _query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def records_have_entries() -> Finding:
    """Record and subject versions are as many as the ledger entries of their kinds, each with its own."""
    records, versions = CreditRecord.objects.count(), SubjectVersion.objects.count()
    kinds = dict(LedgerEntry.objects.values_list("kind").annotate(n=Count("pk")).values_list("kind", "n"))
    broken = []
    of_records = sum(kinds.get(kind, 0) for kind in RECORD_KINDS)
    if records != of_records:
        broken.append(f"{records} record versions, {of_records} entries")
    if versions != kinds.get("subject.update", 0):
        broken.append(f"{versions} subject versions, {kinds.get('subject.update', 0)} entries")
    joined = _query(
        "SELECT COUNT(*) FROM records_creditrecord r JOIN audit_ledgerentry e ON e.seq = r.seq WHERE e.kind LIKE 'record.%' OR e.kind = 'repair.accept'"
    )[0][0]
    if joined != records:
        broken.append(f"{records - joined} record versions have no entry of their own")
    return Finding("records have ledger entries", records + versions, tuple(broken))


def ledger_verifies() -> Finding:
    """Gapless; every leaf is the hash of its stored bytes; tiles and checkpoints fit; open bodies open their commitments."""
    leaves, broken = _entries()
    for number, stored in LedgerTile.objects.order_by("number").values_list("number", "hash"):
        if ledger.root_of(leaves[number * TILE : (number + 1) * TILE]) != bytes(stored):
            broken.append(f"tile {number} does not fit its entries")
    broken += _checkpoints_deviate(leaves)
    broken += _bodies_open()
    return Finding("the ledger verifies", len(leaves), tuple(broken[:MOST]))


def _entries() -> tuple[list[bytes], list[str]]:
    """Hashes of all entries up to the first gap, and what is wrong with entries."""
    leaves: list[bytes] = []
    broken: list[str] = []
    rows = LedgerEntry.objects.order_by("seq").values_list("seq", "kind", "ref", "data", "leaf", "mac")
    for seq, kind, ref, data, leaf, mac in rows.iterator(chunk_size=20_000):
        if seq != len(leaves):
            broken.append(f"entry {len(leaves)} is missing")
            break
        if hashlib.sha256(b"\x00" + data.encode()).digest() != bytes(leaf):
            broken.append(f"entry {seq} does not fit its hash")
        if entry_mac(seq, data) != bytes(mac):
            broken.append(f"entry {seq} was not written by the application")
        said = json.loads(data)
        if (said.get("kind"), said.get("ref")) != (kind, ref):
            broken.append(f"audit_ledgerentry {seq}: expected {said.get('kind')} {said.get('ref')}, found {kind} {ref}")
        leaves.append(bytes(leaf))
    return leaves, broken


def _checkpoints_deviate(leaves: list[bytes]) -> list[str]:
    """Checkpoints that are gone, stand there twice, are not signed by our signer or do not fit the entries."""
    key = published_key()
    notes = list(SignedCheckpoint.objects.order_by("size").values_list("size", "note"))
    broken = [
        f"a checkpoint that the witnesses hold is gone: {held.splitlines()[1]} entries"
        for held in witnessed()
        if held not in {note for _, note in notes}
    ]
    if len({note for _, note in notes}) < len(notes):
        broken.append("audit_signedcheckpoint: one checkpoint stands there twice")
    for size, note in notes:
        signed = ledger.Checkpoint.parse(note)
        if size != signed.size:
            broken.append(f"audit_signedcheckpoint of {signed.size} entries: expected size {signed.size}, found {size}")
        if key and not _is_signed(note, key):
            broken.append(f"the checkpoint of {signed.size} entries is not signed by our signer")
        if signed.size > len(leaves) or ledger.root_of(leaves[: signed.size]) != signed.root:
            broken.append(f"the checkpoint of {signed.size} entries does not fit")
    return broken


def _is_signed(note: str, key: str) -> bool:
    try:
        signing.verify_note(note, key)
    except LedgerError:
        return False
    return True


def _bodies_open() -> list[str]:
    """Record bodies that do not open the commitment of their entry."""
    broken = []
    for table in ("records_creditrecord", "records_subjectversion", "audit_sealedbody"):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT r.seq, r.body, r.salt, e.data FROM {table} r JOIN audit_ledgerentry e ON e.seq = r.seq WHERE r.erased_at IS NULL"
            )
            while rows := cursor.fetchmany(20_000):
                for seq, body, salt, data in rows:
                    if json.loads(data)["commit"] != ledger.commitment(body, bytes(salt)):
                        broken.append(f"the body of entry {seq} does not open its commitment")
    return broken


def governed_rows_are_as_written() -> Finding:
    """Every row of a governed table is what the application last wrote; no row was added or deleted by anything else."""
    checked, broken = row_deviations()
    return Finding("governed rows are as written", checked, tuple(broken[:MOST]))


def grades_have_two_persons() -> Finding:
    """Every released run has a maker, an approver who is another, a ledger entry, and its archive fits its hash."""
    released = Run.objects.released()
    bad = released.filter(Q(proposed_by=None) | Q(released_by=None) | Q(proposed_by=F("released_by")) | Q(ledger_seq=None))
    broken = [f"run {pk}: not released by two persons" for pk in bad.values_list("pk", flat=True)]
    entries = set(LedgerEntry.objects.filter(kind="grade.publish").values_list("seq", flat=True))
    broken += [f"run {run.pk}: its ledger entry is not there" for run in released if run.ledger_seq not in entries]
    return Finding("grades have two persons", released.count(), tuple(broken))


def runs_replay(limit: int | None) -> Finding:
    """Released runs recompute from the facts to the same bytes (or say that inputs were erased)."""
    runs = list(Run.objects.released().order_by("-pk")[:limit])
    broken = []
    for run in runs:
        try:
            result = replay(run)
        except (OSError, pa.ArrowInvalid) as error:
            broken.append(f"run {run.pk}: its archive cannot be read ({type(error).__name__})")
            continue
        if not result["equal"] and result["unexplained"]:
            broken.append(f"run {run.pk}: the replay differs for {', '.join(result['unexplained'][:5])}")
    return Finding("released runs replay", len(runs), tuple(broken))
