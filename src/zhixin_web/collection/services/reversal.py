"""Takes a committed batch back: what it added is withdrawn, what it corrected returns to what stood before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin.dataset.sources import sources
from zhixin.trust import ledger
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append, append_one, insert_rows, seal
from zhixin_web.collection.models import Batch, ColumnMemory
from zhixin_web.collection.services.batches import Status
from zhixin_web.collection.services.committing_rows import CHUNK
from zhixin_web.records.models import CreditRecord, SubjectVersion
from zhixin_web.records.services.repair_and_revocation import note_withdrawals, write_versions
from zhixin_web.records.services.versions import VERSION_COLUMNS, chunked, digest_of, project

DECIDED = (CreditRecord.State.REPAIRED, CreditRecord.State.REVOKED)


def reverse_batch(batch: Batch, by: User, reason: str) -> Batch:
    """Take a committed batch back: what it added is withdrawn, what it corrected returns to what stood before.

    Whether a released run has used it is for the caller to check (:func:`zhixin_web.evaluations.services.runs.undo_batch`).
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch.pk)
        if batch.status != Status.COMMITTED:
            raise ValidationError(_("该批次不在「已入库」状态"))
        for chunk in chunked(_last_versions(CreditRecord.objects.filter(batch=batch), CreditRecord.objects, "key"), CHUNK):
            _withdraw_records(chunk, batch)
        for chunk in chunked(
            _last_versions(SubjectVersion.objects.filter(batch=batch), SubjectVersion.objects, "subject_id"), CHUNK
        ):
            _withdraw_attributes(chunk, batch)
        ColumnMemory.objects.filter(batch=batch).delete()
        append_one("import.undo", f"B{batch.pk}", {"reason": reason, "by": by.pk})
        batch.status, batch.is_settled = Status.UNDONE, False
        batch.save(update_fields=["status", "is_settled"])
        record_event("batches.undo", by=by, ref=f"batch:{batch.pk}", reason=reason)
    return batch


def _last_versions(of_batch: Any, everything: Any, key: str) -> Iterator[tuple[Any, Any]]:
    """Versions of the batch that are still the last of their key, each with the last one that is no version of the batch."""
    for version in list(of_batch.order_by("seq")):
        same = {key: getattr(version, key)} | ({"source": version.source} if key == "subject_id" else {})
        if everything.filter(**same, version__gt=version.version).exists():
            continue
        before = everything.filter(**same, version__lt=version.version).exclude(batch=version.batch_id)
        yield version, before.order_by("-version").first()


def _withdraw_records(pairs: list[tuple[CreditRecord, CreditRecord | None]], batch: Batch) -> None:
    rows, sealed = [], []
    for record, before in pairs:
        body = json.loads(before.body if before and before.body else record.body)
        if before is None:
            body["state"] = CreditRecord.State.WITHDRAWN.value
        elif record.state in DECIDED:  # what was decided of the record since holds of what stood before as well
            last = json.loads(record.body)
            body |= {name: last[name] for name in ("state", "repaired_on", "revoked_on", "basis") if name in last}
        text = ledger.canonical(body)
        sealed.append(seal("record.revoke" if before is None else "record.correct", f"B{batch.pk}/{record.line}/undo", text))
        rows.append((record, body))
    write_versions(rows, sealed, batch.pk)
    note_withdrawals((record for record, before in pairs if before is None), CreditRecord.State.WITHDRAWN.value)


def _withdraw_attributes(pairs: list[tuple[SubjectVersion, SubjectVersion | None]], batch: Batch) -> None:
    sealed = []
    for version, before in pairs:
        text = before.body if before and before.body else ledger.canonical(json.loads(version.body) | {"attributes": {}})
        sealed.append(seal("subject.update", f"B{batch.pk}/{version.line}/undo", text))
    rows = []
    for (version, _body), item, seq in zip(pairs, sealed, append(sealed, keep_bodies=False), strict=True):
        head = (seq, version.subject_id, version.source, version.version + 1, digest_of(item.body))
        rows.append((*head, item.body, item.salt, None, batch.pk, version.line))
    insert_rows("records_subjectversion", VERSION_COLUMNS, rows)
    if sources()[batch.source].gives == "subjects":
        project([(version.subject_id, item.body) for (version, _body), item in zip(pairs, sealed, strict=True)])
