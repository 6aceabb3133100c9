"""Submits quarantined rows again with other cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.cell_parsers import Refusal, refusal
from zhixin.dataset.delivery.layout import Layout
from zhixin.dataset.delivery.rows import CheckedRow, RowChecker
from zhixin.dataset.sources import sources
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
from zhixin_web.collection.register import names_of
from zhixin_web.collection.services.batches import Status
from zhixin_web.collection.services.committing_rows import Committing, Known


def mend_row(row: QuarantinedRow, cells: dict[str, Any], by: User, *, is_confirmed: bool = False) -> list[dict[str, Any]]:
    """Submit a quarantined row again with other cells. Gives the faults that remain; none: it was taken in.

    The row as it came stays in the quarantine; the audit event says what was changed. A batch that gained a row is no longer
    settled: the caller enqueues it, or ``tick`` comes back to it.

    Args:
        row: an open row of a committed batch.
        cells: field → cell, amounts in the unit of the file's column or with their own.
        by: who submits it.
        is_confirmed: a person has compared code and name, so a name that differs is no fault any more.
    """
    outcome = _checked(row, cells, is_confirmed)
    if outcome.faults:
        return list(outcome.faults)
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=row.batch_id)
        row = QuarantinedRow.objects.select_for_update().get(pk=row.pk)
        if row.status != QuarantinedRow.Status.OPEN or batch.status != Status.COMMITTED:
            raise ValidationError(_("该行已处理，或批次已撤回"))
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
        batch.is_settled = batch.is_settled and is_duplicate  # what follows from the row is still to be done
        batch.save(update_fields=["quarantined", "accepted", "duplicates", "is_settled"])
        record_event("quarantine.fix", by=by, ref=f"batch:{batch.pk}/{row.line}", changed=_changed(row, cells))
    return []


def _checked(row: QuarantinedRow, cells: dict[str, Any], is_confirmed: bool) -> CheckedRow:
    """Check the cells as the pipeline checks those of a file of the same source and units."""
    manifest = sources()[row.batch.source]
    names = [item.id for item in manifest.fields]
    units = {name: int(unit) for name, unit in row.batch.preview.get("units", {}).items()}
    layout = Layout(names, 0, dict(enumerate(names)), (), (), units)
    known = None if is_confirmed or manifest.gives == "subjects" else names_of
    checker = RowChecker(manifest, layout, timezone.localdate(), known)
    return checker.check([(row.line, [cells.get(name) or None for name in names])])[0]


def _changed(row: QuarantinedRow, cells: dict[str, Any]) -> dict[str, Any]:
    """Return what differs from the row as it came, personal fields masked."""
    manifest = sources()[row.batch.source]
    personal = {item.id for item in manifest.fields if item.personal}
    changed = {name: value for name, value in cells.items() if str(value or "") != str(row.cells.get(name) or "")}
    return {name: "***" if name in personal else value for name, value in changed.items()}


_OVERTAKEN = refusal(
    "row.overtaken",
    "此后提交的批次已更新该主体或该记录的数据，本行不再入库",
    "a later delivery has changed what this row is about",
    "以现有数据为准；确需更正的，重新提交",
    "what came later holds; deliver again what still has to be corrected",
)


class _Mending(Committing):
    """Commit one corrected row; a refusal is returned instead of opening a second quarantined row.

    A row that is mended late never takes the place of what a later batch said.
    """

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch, is_correction=batch.is_correction)
        self.faults: list[dict[str, Any]] = []

    def _verdict(self, known: Known, item: CheckedRow) -> Refusal | str | None:
        found = super()._verdict(known, item)
        is_later = not known.here and max(known.seqs.values(), default=0) > (self.batch.last_seq or 0)
        return _OVERTAKEN if found in ("update", "correct") and is_later else found

    def refuse(self, refused: Any) -> None:
        for _row, faults in refused:
            self.faults += faults


@transaction.atomic
def discard_rows(rows: Sequence[QuarantinedRow], *, reason: str, by: User) -> int:
    """Leave quarantined rows out for good (totals, notes, what is not collected); gives how many were open.

    They stay in the quarantine with the reason and count as quarantined.

    Raises:
        ValidationError: no reason.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("请填写不予入库的理由")})
    found = QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows], status=QuarantinedRow.Status.OPEN)
    count = found.update(
        status=QuarantinedRow.Status.DISCARDED, reason=reason.strip()[:200], resolved_by=by, resolved_at=timezone.now()
    )
    refs = ",".join(sorted({f"batch:{row.batch_id}" for row in rows}))
    record_event("quarantine.discard", by=by, ref=refs[:200], rows=count, reason=reason.strip()[:200])
    return count
