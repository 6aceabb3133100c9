"""Writes of batches: deliver, stage, hold, commit, send back.

Every way in (upload, paste, folder, push, pull) passes :func:`deliver` → :func:`stage` → :func:`commit`. Each step may
be killed at any point and done again: staging is a function of the kept bytes, committing is one transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.cell_parsers import NO_SERIALS
from zhixin.dataset.delivery.layout import Layout, data_rows
from zhixin.dataset.delivery.opening import open_delivery, why_held
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.rows import CheckedRow, RowChecker
from zhixin.dataset.delivery.table import DeliveredTable, kind_of
from zhixin.dataset.snapshot import sha256_of
from zhixin.dataset.sources import sources
from zhixin_web.accounts.models import User
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.collection import originals
from zhixin_web.collection.models import Batch, ColumnMemory
from zhixin_web.collection.register import names_of
from zhixin_web.collection.services.committing_rows import CHUNK, Committing, cells_of
from zhixin_web.records.services.versions import chunked

PROBLEMS_SHOWN, UNDERSTOOD_SHOWN = 200, 5
DELIVERY_LOCK = 0x5A48_4944
Status = Batch.Status


class KeyConflict(ValidationError):
    """An idempotency key that was used for other bytes."""


def deliver(
    *,
    source: str,
    file_name: str,
    chunks: Iterable[bytes],
    way: str,
    by: User,
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
    if way != Batch.Way.CASE:
        _refuse_made_here(source)
    part, sha256, size, suffix = _kept(chunks)
    with transaction.atomic():
        lock_deliveries()
        try:
            earlier = _earlier(source, sha256, idempotency_key, is_correction)
        except KeyConflict:
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


def _refuse_made_here(source: str) -> None:
    """Refuse a delivery to a source that the decisions of this site make."""
    if sources()[source].made_by_site:
        raise FileRefused(
            "file.made_here",
            "该来源只由本系统的办件决定产生，不接受文件",
            "this source is made by decisions of this site alone: no file is taken",
            "在企业页面立案办理",
            "file a case on the page of the enterprise",
        )


def _kept(chunks: Iterable[bytes]) -> tuple[Path, str, int, str]:
    """Keep the bytes of a table; return the temporary file, its SHA-256, its size and its suffix.

    Raises:
        FileRefused: too large, or no table; nothing is kept.
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
        return part, sha256, size, kind_of(start)
    except FileRefused:
        part.unlink(missing_ok=True)
        raise


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
                raise KeyConflict(_("该幂等键已用于另一份数据"))
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
        table, layout = open_delivery(path, manifest, remembered, batch.answers)
        preview = _preview(table, layout)
        if layout.missing or layout.questions:
            return _move(batch, Status.MAPPING, preview=preview)
        names = None if manifest.gives == "subjects" else names_of
        checker = RowChecker(
            manifest,
            layout,
            timezone.localdate(),
            names,
            is_own=batch.way == Batch.Way.CASE,
            is_text=table.is_text,
            epoch=1900 if table.has_serials else NO_SERIALS,
        )
        counting = _Counting(batch)
        originals.write_staged(batch.pk, counting.through(checker, data_rows(table, layout)))
    except FileRefused as refused:
        return _move(batch, Status.REFUSED, fault=refused.as_json())
    failpoint("import.staged")
    held = why_held(manifest, checker, counting.rows, counting.rules)
    preview |= {"staged_sha256": sha256_of(originals.staged_path(batch.pk))}
    preview |= counting.summary() | {"understood": counting.understood, "held": held._asdict() if held else None}
    if held is not None:
        return _move(batch, Status.HELD, preview=preview, rows=counting.rows)
    return _move(batch, Status.COMMITTING if batch.automatic else Status.STAGED, preview=preview, rows=counting.rows)


def _preview(table: DeliveredTable, layout: Layout) -> dict[str, Any]:
    """What a person is shown of how a file was understood, before anything of it is taken in."""
    sample = [
        ["" if cell is None else str(cell)[:60] for cell in cells] for _line, cells in islice(data_rows(table, layout), 5)
    ]
    return {
        "header": layout.header, "header_line": layout.header_line, "missing": list(layout.missing), "unknown": list(layout.unknown),
        "columns": {str(index): name for index, name in layout.columns.items()}, "units": layout.units, "sample": sample,
        "questions": [item.as_json() for item in layout.questions], "sheet": table.sheet, "delimiter": table.delimiter,
    }  # fmt: skip


class _Counting:
    """Counts rows on their way to the staged file, as the commit will: duplicates, conflicts and unknown subjects too."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.rows, self.bad, self.duplicates = batch.pk, 0, 0, 0
        self.judging = Committing(batch, is_correction=batch.is_correction)
        self.understood: list[dict[str, Any]] = []
        self.rules: Counter[str] = Counter()
        self.problems: list[dict[str, Any]] = []
        self.told = time.monotonic()

    def through(self, checker: RowChecker, rows: Iterable[tuple[int, list[Any]]]) -> Iterator[CheckedRow]:
        for chunk in chunked(rows, CHUNK):
            checked = checker.check(chunk)
            judged = self.judging.judge(checked)
            for item, verdict in zip(checked, judged, strict=True):
                self.rows += 1
                self.duplicates += verdict.is_duplicate
                if verdict.faults:
                    self.bad += 1
                    self.rules[verdict.faults[0]["rule"]] += 1
                    if len(self.problems) < PROBLEMS_SHOWN:
                        cells = item.cells or cells_of(item)
                        self.problems.append({"line": item.line, "cells": cells, "faults": list(verdict.faults)})
                elif len(self.understood) < UNDERSTOOD_SHOWN:
                    self.understood.append({"line": item.line, "cells": cells_of(item)})
                yield item
            if time.monotonic() - self.told > 0.5:
                originals.write_progress(f"batch-{self.batch}", "check", self.rows, None)
                self.told = time.monotonic()

    def summary(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "good": self.rows - self.bad - self.duplicates,
            "bad": self.bad,
            "duplicates": self.duplicates,
            "rules": dict(self.rules),
            "problems": self.problems,
        }


def _move(batch: Batch, status: Batch.Status, **changes: Any) -> Batch:
    """The next state, from the one this worker found: a late worker must not undo what a person or another one decided."""
    changes |= {"status": status, "heartbeat_at": timezone.now()}
    Batch.objects.filter(pk=batch.pk, status=batch.status).update(**changes)
    batch.refresh_from_db()
    return batch


def map_columns(batch: Batch, mapping: dict[str, str], by: User, answers: dict[str, str] | None = None) -> Batch:
    """Say what the columns are (header → field, ``""``: ignore) and answer what the file left open.

    The mapping is remembered for the source's next delivery until this batch is sent back or undone; an answer is not.
    """
    with transaction.atomic():
        for header, name in mapping.items():
            ColumnMemory.objects.update_or_create(
                source=batch.source, header=header[:200], defaults={"field": name, "batch": batch}
            )
        batch.mapping, batch.answers = mapping, batch.answers | (answers or {})
        batch.status = Status.RECEIVED
        batch.save(update_fields=["mapping", "answers", "status"])
        record_event("batches.map", by=by, ref=f"batch:{batch.pk}", mapping=mapping, answers=batch.answers)
    return batch


def forget_mapping(batch: Batch) -> None:
    """Forget what was said of the columns at a delivery that is sent back or undone."""
    ColumnMemory.objects.filter(batch=batch).delete()


@transaction.atomic
def request_commit(batch: Batch, by: User) -> bool:
    """A person says: take it in. ``True`` if it was waiting for that."""
    waiting = Batch.objects.filter(pk=batch.pk, status__in=[Status.STAGED, Status.HELD])
    changed = waiting.update(status=Status.COMMITTING, committed_by=by, heartbeat_at=timezone.now())
    if changed:
        record_event("batches.commit", by=by, ref=f"batch:{batch.pk}")
    return bool(changed)


@transaction.atomic
def refuse_batch(batch: Batch, reason: str, by: User) -> bool:
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
        forget_mapping(batch)
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


def settle_batch(batch: Batch) -> None:
    """Note that everything that follows from a committed or undone batch has been done."""
    Batch.objects.filter(pk=batch.pk, status=batch.status).update(is_settled=True)


def unsettle_batch(batch_id: int) -> None:
    """Note that something new follows from a batch: one of its records was repaired or revoked since."""
    Batch.objects.filter(pk=batch_id).update(is_settled=False)


def process(batch: Batch) -> Batch:
    """Do what a batch waits for; called by the worker, by ``tick`` after a crash, and by tests."""
    if batch.status == Status.RECEIVED:
        batch = stage(batch)
    if batch.status == Status.COMMITTING:
        if not originals.staged_path(batch.pk).exists():
            batch = stage_again(batch)
        elif sha256_of(originals.staged_path(batch.pk)) != batch.preview.get("staged_sha256"):
            return _distrust(batch)
        batch = commit(batch)
    return batch


def _distrust(batch: Batch) -> Batch:
    """Read a delivery again from its original, because the staged rows are no longer what a person saw; that person decides again."""
    record_event("batches.staged_changed", ref=f"batch:{batch.pk}", outcome="failed")
    originals.staged_path(batch.pk).unlink()
    staged = stage(batch)
    return _move(staged, Status.STAGED) if staged.status == Status.COMMITTING else staged


def stage_again(batch: Batch) -> Batch:
    """Stage a batch whose staged file is gone, keeping the person's decision to take it in."""
    staged = stage(batch)
    if staged.status in (Status.STAGED, Status.HELD):
        return _move(staged, Status.COMMITTING)
    return staged
