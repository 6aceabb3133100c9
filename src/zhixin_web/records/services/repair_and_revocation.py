"""Revokes, repairs and erases single records by new versions; the old ones stay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.trust import ledger
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import Sealed, append, append_one, insert_rows, seal
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.services.versions import RECORD_COLUMNS, digest_of, kept_after_erasure, record_row
from zhixin_web.rulebooks.law_in_force import law_in_force


def write_versions(rows: list[tuple[CreditRecord, dict[str, Any]]], sealed: list[Sealed], batch: int) -> list[int]:
    seqs = append(sealed, keep_bodies=False)
    made, law = [], law_in_force()
    for (record, body), item, seq in zip(rows, sealed, seqs, strict=True):
        decided = body["decided_on"]
        names = ("kind", "severity", "occurred_on", "document_on", "decided_on", "published_on", "valid_until")
        core = [body.get(name) for name in names]
        core[3] = core[3] or decided
        head = (seq, record.key, record.version + 1, record.subject_id, record.source)
        kept = (digest_of(item.body), item.body, item.salt)
        made.append(record_row(head, body["state"], core, kept, (batch, record.line), law))
    insert_rows("records_creditrecord", RECORD_COLUMNS, made)
    return seqs


def last_version(key: str) -> CreditRecord:
    return CreditRecord.objects.filter(key=key).order_by("-version")[0]


def is_current(record: CreditRecord) -> bool:
    """Whether a record is the last version of its act, active, with its content."""
    last = last_version(record.key)
    return last.pk == record.pk and last.state == CreditRecord.State.ACTIVE and bool(last.body)


def change_record(record: CreditRecord, *, state: str, on: date, basis: str, by: User) -> int:
    """Revoke or repair a record by a new version; the old ones stay. Gives the new version's sequence number.

    Raises:
        ValidationError: not the last version, not active, or no basis.
    """
    column, kind = {"revoked": ("revoked_on", "record.revoke"), "repaired": ("repaired_on", "repair.accept")}[state]
    if not basis.strip():
        raise ValidationError({"basis": _("请填写文书号")})
    with transaction.atomic():
        last = CreditRecord.objects.filter(key=record.key).order_by("-version").first()
        if last is None or last.pk != record.pk or last.state != "active" or not last.body:
            raise ValidationError(_("该记录不是有效的最新版本"))
        _check_day(last, state, on)
        body = json.loads(last.body) | {"state": state, column: on.isoformat(), "basis": basis}
        item = seal(kind, f"R{last.seq}", ledger.canonical(body))
        seqs = write_versions([(last, body)], [item], last.batch_id)
        note_withdrawals([last], state)
        record_event(f"records.{state}", by=by, ref=f"record:{last.seq}", basis=basis)
    return seqs[0]


def note_withdrawals(records: Iterable[CreditRecord], reason: str) -> None:
    """Enter that the publication of those that are published today stops; of the others nothing stops."""
    today = timezone.localdate()
    for record in records:
        if record.is_published_on(today):
            append_one("publication.withdraw", f"R{record.seq}", {"record": record.seq, "reason": reason})


def _check_day(record: CreditRecord, state: str, on: date) -> None:
    """Refuse a day before the decision, and a repair before its wait is over or of a kind without repair.

    Raises:
        ValidationError: with the first day that is possible.
    """
    if on < record.decided_on:
        raise ValidationError({"on": _("不得早于认定日期 %(day)s") % {"day": record.decided_on}})
    if on > timezone.localdate():
        raise ValidationError({"on": _("不得晚于今天")})
    if state != "repaired":
        return
    from_ = law_in_force().repair_from(record.kind, record.stated_severity, record.decided_on)
    if from_ is None:
        raise ValidationError({"state": _("现行规则没有规定该类记录可以修复")})
    if on < from_:
        raise ValidationError({"on": _("最短公示期未满，%(day)s 起方可修复") % {"day": from_}})


def erase_record(record: CreditRecord, *, basis: str, by: User) -> int:
    """Erase body and salt of every version of a repaired or revoked record; its ledger entries stay valid.

    An entry ``record.erase`` names the versions: nothing else may be empty.

    Raises:
        ValidationError: the record is still active.
    """
    with transaction.atomic():
        versions = CreditRecord.objects.filter(key=record.key)
        if versions.order_by("-version")[0].state == "active":
            raise ValidationError(_("有效记录不能清除，须先修复或撤销"))
        seqs = list(versions.filter(erased_at=None).order_by("seq").values_list("seq", flat=True))
        count = versions.filter(seq__in=seqs).update(body="", salt=b"", erased_at=timezone.now())
        append_one(
            "record.erase",
            f"R{record.seq}",
            {"records": seqs, "kept": kept_after_erasure(seqs), "basis": basis, "by": by.username},
        )
        record_event("records.erase", by=by, ref=f"record:{record.seq}", basis=basis, versions=count)
    return count
