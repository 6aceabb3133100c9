"""Writes of case work: file and answer error reports; notes, tags and saved views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services import append_one, record_event, tracking_code
from zhixin_web.cases.models import ErrorReport, SavedView, SubjectNote, SubjectTag
from zhixin_web.records.clocks import clock
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.scope import visible_sources

MOST_OPEN_PER_RECORD = 20
MOST_SAVED_VIEWS = 30
MOST_BULK = 2_000


def file_report(record: CreditRecord, *, reason: str, text: str) -> ErrorReport:
    """Anybody's word that a published record is wrong; the clock starts today.

    Raises:
        ValidationError: no reason, no text, or too many open reports on this record already.
    """
    text = text.replace("\x00", "")
    faults: dict[str, str] = {}
    if reason not in ErrorReport.Reason.values:
        faults["reason"] = "请选择问题类型 / choose what is wrong"
    if not 5 <= len(text.strip()) <= 2000:
        faults["text"] = "请用 5 至 2000 字说明哪里不对 / say in 5 to 2000 characters what is wrong"
    if faults:
        raise ValidationError(faults)
    today = timezone.localdate()
    with transaction.atomic():
        waiting = ErrorReport.objects.filter(record_key=record.key, status=ErrorReport.Status.OPEN).count()
        if waiting >= MOST_OPEN_PER_RECORD:
            raise ValidationError(
                {
                    "text": "该记录已有多件报错在核实，请凭编号查询进度 / many reports on this record are being verified already"
                }
            )
        report = ErrorReport.objects.create(
            code=tracking_code(),
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
            f"report:{report.code}",
            {"record": record.seq, "reason": reason, "due_on": report.due_on.isoformat()},
        )
        record_event("reports.file", ref=f"report:{report.pk}")
    return report


def answer_report(report: ErrorReport, *, upheld: bool, answer: str, by: Any) -> ErrorReport:
    """The owner's answer, with reasons. An upheld report asks for a correction of the record, delivered as any other.

    Raises:
        PermissionDenied: the account may not answer for this source.
        ValidationError: answered already, or no reasons.
    """
    if not may(by, "reports.answer") or report.source not in visible_sources(by, "reports.answer"):
        raise PermissionDenied
    if len(answer.strip()) < 5:
        raise ValidationError({"answer": "请写明核实情况和理由 / give what was found and why"})
    status = ErrorReport.Status.UPHELD if upheld else ErrorReport.Status.REFUSED
    with transaction.atomic():
        found = ErrorReport.objects.select_for_update().get(pk=report.pk)
        if found.status != ErrorReport.Status.OPEN:
            raise ValidationError("该报错已答复 / the report was answered already")
        found.status, found.answer, found.answered_by, found.answered_at = status, answer.strip()[:2000], by, timezone.now()
        found.save()
        append_one("objection.decide", f"report:{found.code}", {"record": found.record_seq, "status": str(status)})
        record_event("reports.answer", by=by, ref=f"report:{found.pk}", status=str(status))
    return found


def add_note(subject: Subject, *, text: str, by: Any) -> SubjectNote:
    """Note something about a subject.

    Raises:
        ValidationError: nothing is written.
    """
    if not text.strip():
        raise ValidationError("请填写内容 / write something")
    with transaction.atomic():
        record_event("subjects.note", by=by, ref=subject.code)
        return SubjectNote.objects.create(subject=subject, text=text.strip()[:2000], by=by)


def tag_subjects(subjects: Sequence[Subject], *, label: str, by: Any) -> int:
    """Put a word on subjects; gives how many are new.

    Raises:
        ValidationError: no word, or too many subjects.
    """
    word = label.strip()[:30]
    if not word or len(subjects) > MOST_BULK:
        raise ValidationError(f"请填写标签，一次不超过 {MOST_BULK} 户 / give a tag, for at most {MOST_BULK} subjects")
    with transaction.atomic():
        known = set(SubjectTag.objects.filter(label=word, subject__in=subjects).values_list("subject_id", flat=True))
        new = [SubjectTag(subject=item, label=word, by=by) for item in subjects if item.pk not in known]
        SubjectTag.objects.bulk_create(new)
        record_event("subjects.tag", by=by, ref=word, subjects=len(new))
    return len(new)


def untag(label: str, *, by: Any) -> int:
    """Take a word off all subjects."""
    with transaction.atomic():
        count, _ = SubjectTag.objects.filter(label=label).delete()
        record_event("subjects.untag", by=by, ref=label[:30], subjects=count)
    return count


def save_view(*, name: str, query: str, by: Any) -> SavedView:
    """Keep a list under a name; the same name again replaces it.

    Raises:
        ValidationError: no name, or too many.
    """
    if not name.strip() or SavedView.objects.filter(by=by).count() >= MOST_SAVED_VIEWS:
        raise ValidationError(
            f"请填写名称；最多保存 {MOST_SAVED_VIEWS} 个视图 / give a name; at most {MOST_SAVED_VIEWS} views"
        )
    view, _ = SavedView.objects.update_or_create(by=by, name=name.strip()[:40], defaults={"query": query[:500]})
    return view


def drop_view(pk: int, *, by: Any) -> None:
    SavedView.objects.filter(pk=pk, by=by).delete()
