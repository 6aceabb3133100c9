"""Writes of collection: deliver, stage, commit, hold, reverse, mend; revoke, repair and erase records.

Every way in (upload, paste, folder, push, pull) passes :func:`deliver` → :func:`stage` → :func:`commit`. Each step may
be killed at any point and done again: staging is a function of the kept bytes, committing is one transaction.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from zhixin.trust import ledger
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services import Sealed, append, append_one, insert_rows, record_event, seal
from zhixin_web.records import originals
from zhixin_web.records.commit_services import (
    CHUNK,
    RECORD_COLUMNS,
    VERSION_COLUMNS,
    Committing,
    chunked,
    digest_of,
    project,
    record_row,
)
from zhixin_web.records.faults import FileRefused
from zhixin_web.records.models import Batch, ColumnMemory, CreditRecord, DuplicateRow, QuarantinedRow, SubjectVersion
from zhixin_web.records.reading import data_rows, find_layout, guard, kind_of
from zhixin_web.records.rows import Outcome, RowChecker
from zhixin_web.records.sources import sources
from zhixin_web.records.workbooks import refuse_merges

PROBLEMS_SHOWN = 200
DELIVERY_LOCK = 0x5A48_4944
Status = Batch.Status


class Conflict(ValidationError):
    """An idempotency key that was used for other bytes."""


def deliver(
    *,
    source: str,
    file_name: str,
    chunks: Iterable[bytes],
    way: str,
    by: Any,
    automatic: bool = False,
    idempotency_key: str | None = None,
    is_correction: bool = False,
    supersedes: Batch | None = None,
) -> tuple[Batch, bool]:
    """Keep the bytes of a delivery and open its batch.

    Returns:
        The batch, and whether it is new: the same key, or the same bytes for the same source, give the earlier batch.

    Raises:
        FileRefused: too large, or no table at all (nothing is kept of those: they are no delivery).
        Conflict: the key was used for other bytes.
    """
    try:
        part, sha256, size, start = originals.keep(chunks, settings.UPLOAD_LIMIT)
    except ValueError as error:
        limit = settings.UPLOAD_LIMIT // 1024 // 1024
        raise FileRefused(
            "file.size",
            f"文件超过 {limit} MB",
            f"the file is larger than {limit} MB",
            "分成较小的文件后重新提交",
            "split it and deliver again",
        ) from error
    try:
        suffix = kind_of(start)
    except FileRefused:
        part.unlink(missing_ok=True)
        raise
    with transaction.atomic():
        lock_deliveries()
        try:
            earlier = _earlier(source, sha256, idempotency_key, is_correction)
        except Conflict:
            part.unlink()
            raise
        if earlier is not None:
            part.unlink()
            return earlier, False
        originals.settle(part, sha256, suffix)
        batch = Batch.objects.create(
            source=source, way=way, file_name=Path(file_name).name[-255:] or "paste", suffix=suffix, sha256=sha256, size=size, by=by,
            automatic=automatic, idempotency_key=idempotency_key, is_correction=is_correction, supersedes=supersedes,
        )  # fmt: skip
        record_event("batches.deliver", by=by, ref=f"batch:{batch.pk}", source=source, sha256=sha256, size=size, way=way)
    failpoint("import.received")
    return batch, True


def lock_deliveries() -> None:
    """One delivery at a time looks whether it came before; SQLite's immediate transactions do so by themselves."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DELIVERY_LOCK])


def _earlier(source: str, sha256: str, idempotency_key: str | None, is_correction: bool) -> Batch | None:
    if idempotency_key is not None:
        found = Batch.objects.filter(idempotency_key=idempotency_key).first()
        if found is not None:
            if found.sha256 != sha256 or found.source != source:
                raise Conflict("该幂等键已用于另一份数据 / this idempotency key was used for other data")
            return found
    same = Batch.objects.filter(source=source, sha256=sha256, is_correction=is_correction)
    return same.exclude(status__in=[Status.REFUSED, Status.UNDONE]).first()


# --- staging -----------------------------------------------------------------------------------------------------------


def stage(batch: Batch) -> Batch:
    """Read and check every row into the staged file; decide what comes next. Safe to repeat."""
    manifest = sources()[batch.source]
    path = originals.original_path(batch.sha256, batch.suffix)
    remembered = dict(ColumnMemory.objects.filter(source=batch.source).values_list("header", "field")) | batch.mapping
    try:
        merges = guard(path)
        layout = find_layout(path, manifest, remembered)
        refuse_merges(merges, layout.header_line)
        preview: dict[str, Any] = {
            "header": layout.header, "header_line": layout.header_line, "missing": list(layout.missing), "unknown": list(layout.unknown),
            "columns": {str(index): name for index, name in layout.columns.items()}, "sample": _sample(path, layout),
        }  # fmt: skip
        if layout.missing:
            return _move(batch, Status.MAPPING, preview=preview)
        checker = RowChecker(manifest, layout.columns, len(layout.header), timezone.localdate())
        counting = _Counting(batch.pk)
        originals.write_staged(batch.pk, counting.through(checker, data_rows(path, layout)))
    except FileRefused as refused:
        return _move(batch, Status.REFUSED, fault=refused.as_json())
    failpoint("import.staged")
    preview |= counting.summary()
    low, high = manifest.expected_rows
    if not low <= counting.rows <= high or counting.rows == 0:
        return _move(batch, Status.HELD, preview=preview, rows=counting.rows)
    return _move(batch, Status.COMMITTING if batch.automatic else Status.STAGED, preview=preview, rows=counting.rows)


def _sample(path: Path, layout: Any) -> list[list[str]]:
    rows = []
    for _, cells in data_rows(path, layout):
        rows.append(["" if cell is None else str(cell)[:60] for cell in cells])
        if len(rows) == 5:
            break
    return rows


class _Counting:
    """Counts outcomes on their way to the staged file and keeps the first problems for the preview."""

    def __init__(self, batch: int) -> None:
        self.batch, self.rows, self.bad = batch, 0, 0
        self.rules: Counter[str] = Counter()
        self.problems: list[dict[str, Any]] = []
        self.told = time.monotonic()

    def through(self, checker: RowChecker, rows: Iterable[tuple[int, list[Any]]]) -> Iterator[Outcome]:
        for chunk in chunked(rows, CHUNK):
            for item in checker.check(chunk):
                self.rows += 1
                if item.faults:
                    self.bad += 1
                    self.rules[item.faults[0]["rule"]] += 1
                    if len(self.problems) < PROBLEMS_SHOWN:
                        self.problems.append({"line": item.line, "cells": item.cells, "faults": list(item.faults)})
                yield item
            if time.monotonic() - self.told > 0.5:
                originals.write_progress(f"batch-{self.batch}", "check", self.rows, None)
                self.told = time.monotonic()

    def summary(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "good": self.rows - self.bad,
            "bad": self.bad,
            "rules": dict(self.rules),
            "problems": self.problems,
        }


def _move(batch: Batch, status: Batch.Status, **changes: Any) -> Batch:
    """The next state, from the one this worker found: a late worker must not undo what a person or another one decided."""
    changes |= {"status": status, "heartbeat_at": timezone.now()}
    Batch.objects.filter(pk=batch.pk, status=batch.status).update(**changes)
    batch.refresh_from_db()
    return batch


def map_columns(batch: Batch, mapping: dict[str, str], by: Any) -> Batch:
    """Say what the columns are (header → field, ``""``: ignore); remembered for the source's next delivery."""
    with transaction.atomic():
        for header, name in mapping.items():
            ColumnMemory.objects.update_or_create(source=batch.source, header=header[:200], defaults={"field": name})
        batch.mapping = mapping
        batch.status = Status.RECEIVED
        batch.save(update_fields=["mapping", "status"])
        record_event("batches.map", by=by, ref=f"batch:{batch.pk}", mapping=mapping)
    return batch


@transaction.atomic
def request_commit(batch: Batch, by: Any) -> bool:
    """A person says: take it in. ``True`` if it was waiting for that."""
    waiting = Batch.objects.filter(pk=batch.pk, status__in=[Status.STAGED, Status.HELD])
    changed = waiting.update(status=Status.COMMITTING, committed_by=by, heartbeat_at=timezone.now())
    if changed:
        record_event("batches.commit", by=by, ref=f"batch:{batch.pk}")
    return bool(changed)


@transaction.atomic
def refuse_batch(batch: Batch, reason: str, by: Any) -> bool:
    """A person sends a delivery back before it was taken in."""
    fault = {
        "rule": "batch.sent_back",
        "zh": f"已退回：{reason}",
        "en": f"sent back: {reason}",
        "fix_zh": "更正后重新提交",
        "fix_en": "mend and deliver again",
    }
    waiting = Batch.objects.filter(pk=batch.pk, status__in=[Status.STAGED, Status.HELD, Status.MAPPING])
    changed = waiting.update(status=Status.REFUSED, fault=fault)
    if changed:
        record_event("batches.refuse", by=by, ref=f"batch:{batch.pk}", reason=reason)
    return bool(changed)


# --- committing --------------------------------------------------------------------------------------------------------


def commit(batch: Batch) -> Batch:
    """Take the staged rows in: versions, ledger entries, quarantine and receipt in one transaction. Safe to repeat."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch.pk)
        if batch.status != Status.COMMITTING:
            return batch
        committing = Committing(batch, is_correction=batch.is_correction)
        told = time.monotonic()
        for chunk in chunked(originals.read_staged(batch.pk), CHUNK):
            committing.commit(chunk)
            if time.monotonic() - told > 0.5:
                originals.write_progress(f"batch-{batch.pk}", "commit", committing.tally.rows, batch.rows)
                told = time.monotonic()
        tally = committing.tally
        body = {
            "source": batch.source, "sha256": batch.sha256, "rows": tally.rows, "accepted": tally.accepted,
            "quarantined": tally.quarantined, "duplicates": tally.duplicates,
        }  # fmt: skip
        last = append_one("import.batch", f"B{batch.pk}", body)
        for name in ("rows", "accepted", "quarantined", "duplicates"):
            setattr(batch, name, getattr(tally, name))
        batch.first_seq = tally.first_seq if tally.first_seq is not None else last
        batch.last_seq = last
        batch.status, batch.committed_at = Status.COMMITTED, timezone.now()
        batch.committed_by = batch.committed_by or batch.by
        batch.save()
        failpoint("import.before_commit")
    failpoint("import.after_commit")
    originals.staged_path(batch.pk).unlink(missing_ok=True)
    return batch


def process(batch: Batch) -> Batch:
    """Do what a batch waits for; called by the worker, by ``tick`` after a crash, and by tests."""
    if batch.status == Status.RECEIVED:
        batch = stage(batch)
    if batch.status == Status.COMMITTING:
        if not originals.staged_path(batch.pk).exists():
            batch = stage_again(batch)
        batch = commit(batch)
    return batch


def stage_again(batch: Batch) -> Batch:
    """Stage a batch whose staged file is gone, keeping the person's decision to take it in."""
    staged = stage(batch)
    if staged.status in (Status.STAGED, Status.HELD):
        return _move(staged, Status.COMMITTING)
    return staged


# --- reversing ---------------------------------------------------------------------------------------------------------


def reverse_batch(batch: Batch, by: Any, reason: str) -> Batch:
    """Take a committed batch back: what it added is withdrawn, what it corrected returns to what stood before.

    Whether a released run has used it is for the caller to check (:func:`zhixin_web.evaluations.services.undo_batch`).
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch.pk)
        if batch.status != Status.COMMITTED:
            raise ValidationError("该批次不在「已入库」状态 / the batch is not committed")
        for chunk in chunked(_last_versions(CreditRecord.objects.filter(batch=batch), CreditRecord.objects, "key"), CHUNK):
            _withdraw_records(chunk, batch)
        for chunk in chunked(
            _last_versions(SubjectVersion.objects.filter(batch=batch), SubjectVersion.objects, "subject_id"), CHUNK
        ):
            _withdraw_attributes(chunk, batch)
        append_one("import.undo", f"B{batch.pk}", {"reason": reason, "by": by.pk})
        batch.status, batch.is_settled = Status.UNDONE, False
        batch.save(update_fields=["status", "is_settled"])
        record_event("batches.undo", by=by, ref=f"batch:{batch.pk}", reason=reason)
    return batch


def _last_versions(of_batch: Any, everything: Any, key: str) -> Iterator[tuple[Any, Any]]:
    """Versions of the batch that are still the last of their key, each with the version before it."""
    for version in list(of_batch.order_by("seq")):
        same = {key: getattr(version, key)} | ({"source": version.source} if key == "subject_id" else {})
        if everything.filter(**same, version__gt=version.version).exists():
            continue
        yield version, everything.filter(**same, version__lt=version.version).order_by("-version").first()


def _withdraw_records(pairs: list[tuple[CreditRecord, CreditRecord | None]], batch: Batch) -> None:
    rows, sealed = [], []
    for record, before in pairs:
        body = json.loads(before.body if before and before.body else record.body)
        if before is None:
            body["state"] = CreditRecord.State.WITHDRAWN.value
        text = ledger.canonical(body)
        sealed.append(seal("record.revoke" if before is None else "record.correct", f"B{batch.pk}/{record.line}/undo", text))
        rows.append((record, body))
    _new_versions(rows, sealed, batch)


def _new_versions(rows: list[tuple[CreditRecord, dict[str, Any]]], sealed: list[Sealed], batch: Batch) -> list[int]:
    seqs = append(sealed, keep_bodies=False)
    made = []
    for (record, body), item, seq in zip(rows, sealed, seqs, strict=True):
        decided = body["decided_on"]
        names = ("kind", "severity", "occurred_on", "document_on", "decided_on", "published_on", "valid_until")
        core = [body.get(name) for name in names]
        core[3] = core[3] or decided
        head = (seq, record.key, record.version + 1, record.subject_id, record.source)
        kept = (digest_of(item.body), item.body, item.salt)
        made.append(record_row(head, body["state"], core, kept, (batch.pk, record.line)))
    insert_rows("records_creditrecord", RECORD_COLUMNS, made)
    return seqs


def _withdraw_attributes(pairs: list[tuple[SubjectVersion, SubjectVersion | None]], batch: Batch) -> None:
    sealed = []
    for version, before in pairs:
        text = before.body if before and before.body else ledger.canonical(json.loads(version.body) | {"attributes": {}})
        sealed.append(seal("subject.update", f"B{batch.pk}/{version.line}/undo", text))
    rows = []
    for (version, _), item, seq in zip(pairs, sealed, append(sealed, keep_bodies=False), strict=True):
        head = (seq, version.subject_id, version.source, version.version + 1, digest_of(item.body))
        rows.append((*head, item.body, item.salt, None, batch.pk, version.line))
    insert_rows("records_subjectversion", VERSION_COLUMNS, rows)
    if sources()[batch.source].gives == "subjects":
        project([(version.subject_id, item.body) for (version, _), item in zip(pairs, sealed, strict=True)])


# --- single records ----------------------------------------------------------------------------------------------------


def last_version(key: str) -> CreditRecord:
    return CreditRecord.objects.filter(key=key).order_by("-version")[0]


def change_record(record: CreditRecord, *, state: str, on: date, basis: str, by: Any) -> int:
    """Revoke or repair a record by a new version; the old ones stay. Gives the new version's sequence number.

    Raises:
        ValidationError: not the last version, not active, or no basis.
    """
    column, kind = {"revoked": ("revoked_on", "record.revoke"), "repaired": ("repaired_on", "repair.accept")}[state]
    if not basis.strip():
        raise ValidationError({"basis": "请填写文书号 / give the document"})
    with transaction.atomic():
        last = CreditRecord.objects.filter(key=record.key).order_by("-version").first()
        if last is None or last.pk != record.pk or last.state != "active" or not last.body:
            raise ValidationError("该记录不是有效的最新版本 / the record is not the active last version")
        body = json.loads(last.body) | {"state": state, column: on.isoformat(), "basis": basis}
        item = seal(kind, f"R{last.seq}", ledger.canonical(body))
        seqs = _new_versions([(last, body)], [item], last.batch)
        if last.publicity_from is not None:
            append_one("publication.withdraw", f"R{last.seq}", {"record": last.seq, "reason": state})
        record_event(f"records.{state}", by=by, ref=f"record:{last.seq}", basis=basis)
    return seqs[0]


def erase_record(record: CreditRecord, *, basis: str, by: Any) -> int:
    """Erase body and salt of every version of a repaired or revoked record; its ledger entries stay valid.

    Raises:
        ValidationError: the record is still active.
    """
    with transaction.atomic():
        versions = CreditRecord.objects.filter(key=record.key)
        if versions.order_by("-version")[0].state == "active":
            raise ValidationError("有效记录不能清除，须先修复或撤销 / an active record cannot be erased")
        count = versions.filter(erased_at=None).update(body="", salt=b"", erased_at=timezone.now())
        record_event("records.erase", by=by, ref=f"record:{record.seq}", basis=basis, versions=count)
    return count


# --- the quarantine ----------------------------------------------------------------------------------------------------


def mend_row(row: QuarantinedRow, cells: dict[str, Any], by: Any) -> list[dict[str, Any]]:
    """Submit a quarantined row again with other cells. Gives the faults that remain; none: it was taken in.

    The row as it came stays in the quarantine; the audit event says what was changed.
    """
    manifest = sources()[row.batch.source]
    names = [item.id for item in manifest.fields]
    checker = RowChecker(manifest, dict(enumerate(names)), len(names), timezone.localdate())
    outcome = checker.check([(row.line, [cells.get(name) or None for name in names])])[0]
    if outcome.faults:
        return list(outcome.faults)
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=row.batch_id)
        row = QuarantinedRow.objects.select_for_update().get(pk=row.pk)
        if row.status != QuarantinedRow.Status.OPEN or batch.status != Status.COMMITTED:
            raise ValidationError("该行已处理，或批次已撤回 / the row was dealt with, or its batch was undone")
        committing = _Mending(batch)
        seq = committing.commit([outcome])[0]
        if committing.faults:
            return committing.faults
        is_duplicate = seq is None
        row.seq = seq if seq is not None else DuplicateRow.objects.get(batch=batch, line=row.line).seq
        row.status, row.resolved_by, row.resolved_at = QuarantinedRow.Status.RESOLVED, by, timezone.now()
        row.save()
        batch.quarantined -= 1
        batch.accepted += 0 if is_duplicate else 1
        batch.duplicates += 1 if is_duplicate else 0
        batch.save(update_fields=["quarantined", "accepted", "duplicates"])
        changed = {name: value for name, value in cells.items() if str(value or "") != str(row.cells.get(name) or "")}
        masked = {
            name: "***" if name in names and manifest.field(name).personal else value for name, value in changed.items()
        }
        record_event("quarantine.fix", by=by, ref=f"batch:{batch.pk}/{row.line}", changed=masked)
    return []


class _Mending(Committing):
    """Commits one mended row: a refusal is handed back instead of opening a second quarantined row."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch, is_correction=True)
        self.faults: list[dict[str, Any]] = []

    def refuse(self, refused: Any) -> None:
        for _, faults in refused:
            self.faults += faults
