"""Writes of error reports: the public files them, officers answer them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event, tracking_code
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.cases.models import ErrorReport
from zhixin_web.collection.scope import visible_sources
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.deadlines import clock

MOST_OPEN_PER_RECORD = 20


def file_report(record: CreditRecord, *, reason: str, text: str, visitor: str = "") -> ErrorReport:
    """Anybody's word that a published record is wrong; the clock starts today.

    Raises:
        ValidationError: no reason, no text, an open report of this visitor, or too many of others, on this record.
    """
    text = masked(text.replace("\x00", ""))
    _refuse_incomplete(reason, text)
    today = timezone.localdate()
    with transaction.atomic():
        _refuse_while_open(record, visitor)
        report = ErrorReport.objects.create(
            code=tracking_code(),
            visitor=visitor,
            subject=record.subject,
            record_seq=record.seq,
            record_key=record.key,
            source=record.source,
            reason=reason,
            text=text.strip(),
            filed_on=today,
            due_on=clock("report.answer", today).due_on,
        )
        append_one(
            "objection.file",
            f"report:{report.pk}",
            {"record": record.seq, "reason": reason, "due_on": report.due_on.isoformat()},
        )
        record_event("reports.file", ref=f"report:{report.pk}")
    return report


def _refuse_incomplete(reason: str, text: str) -> None:
    faults: dict[str, str] = {}
    if reason not in ErrorReport.Reason.values:
        faults["reason"] = _("请选择问题类型")
    if not 5 <= len(text.strip()) <= 2000:
        faults["text"] = _("请用 5 至 2000 字说明哪里不对")
    if faults:
        raise ValidationError(faults)


def _refuse_while_open(record: CreditRecord, visitor: str) -> None:
    """Refuse a second report of one visitor on one record, and more than an officer can look at of all visitors."""
    waiting = ErrorReport.objects.filter(record_key=record.key, status=ErrorReport.Status.OPEN)
    if visitor and waiting.filter(visitor=visitor).exists():
        raise ValidationError({"text": _("您对该记录的报错正在核实，请凭编号查询进度")})
    if waiting.count() >= MOST_OPEN_PER_RECORD:
        raise ValidationError({"text": _("该记录已有多件报错在核实，请凭编号查询进度")})


def answer_report(report: ErrorReport, *, upheld: bool, answer: str, by: User) -> ErrorReport:
    """The owner's answer, with reasons. An upheld report asks for a correction of the record, delivered as any other.

    Raises:
        PermissionDenied: the account may not answer for this source.
        ValidationError: answered already, or no reasons.
    """
    if not may(by, "reports.answer") or report.source not in visible_sources(by, "reports.answer"):
        raise PermissionDenied
    if len(answer.strip()) < 5:
        raise ValidationError({"answer": _("请写明核实情况和理由")})
    status = ErrorReport.Status.UPHELD if upheld else ErrorReport.Status.REFUSED
    with transaction.atomic():
        found = ErrorReport.objects.select_for_update().get(pk=report.pk)
        if found.status != ErrorReport.Status.OPEN:
            raise ValidationError(_("该报错已答复"))
        found.status, found.answer, found.answered_by, found.answered_at = status, answer.strip()[:2000], by, timezone.now()
        found.save()
        append_one("objection.decide", f"report:{found.pk}", {"record": found.record_seq, "status": str(status)})
        record_event("reports.answer", by=by, ref=f"report:{found.pk}", status=str(status))
    return found
