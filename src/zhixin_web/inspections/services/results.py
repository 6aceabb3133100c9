"""Results of inspections: entered by one of two certified inspectors, reviewed by another, published as records."""

from __future__ import annotations

import csv
import io
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.reference.inspection_items import DISPOSALS, METHODS, RECORDED, RESULTS, inspection_items
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import deliver, process, request_commit
from zhixin_web.inspections.models import Task, VisitReport
from zhixin_web.inspections.queries import able_on
from zhixin_web.papers.services.issue import withdraw_issued
from zhixin_web.rulebooks.deadlines import clock

Status = Task.Status


def submit_result(
    task: Task, *, method: str, result: str, disposal: str, note: str, inspected_on: date | None, by: User
) -> Task:
    """Take the result of a visit from somebody of its team.

    Raises:
        PermissionDenied: not on the team.
        ValidationError: by field; fewer than two certificates held on the day; the task was withdrawn or submitted meanwhile.
    """
    if not task.assignments.filter(inspector__account=by, recused_reason="").exists():
        raise PermissionDenied
    choices = (("method", method, METHODS), ("result", result, RESULTS), ("disposal", disposal, DISPOSALS))
    faults = {name: _("请选择") for name, value, known in choices if value not in known}
    if result != "clean" and not note.strip():
        faults["note"] = _("请写明发现的情况")
    wrong_day = _fault_of_day(task, inspected_on)
    if wrong_day:
        faults["inspected_on"] = wrong_day
    if faults:
        raise ValidationError(faults)
    with transaction.atomic():
        found = Task.objects.select_for_update().get(pk=task.pk)
        if found.status != Status.OPEN:
            raise ValidationError(_("该任务已不在待检查状态：%(status)s") % {"status": found.get_status_display()})
        found.method, found.result, found.disposal, found.note = method, result, disposal, note.strip()[:2000]
        found.inspected_on, found.submitted_by, found.submitted_at = inspected_on, by, timezone.now()
        found.status, found.returned_reason = Status.SUBMITTED, ""
        found.save()
        record_event("inspections.submit", by=by, ref=f"task:{found.number}", result=result)
    return found


def _fault_of_day(task: Task, day: date | None) -> str:
    """What is wrong with the day of a visit: none given, impossible, or too few certificates held on it."""
    if day is None:
        return _("请填写检查日期")
    if day > timezone.localdate():
        return _("检查日期晚于今天，请核对手机时间")
    if task.draw.drawn_at is not None and day < timezone.localdate(task.draw.drawn_at):
        return _("检查日期早于抽取日期 %(day)s") % {"day": timezone.localdate(task.draw.drawn_at)}
    fewest = inspection_items().limit("inspectors_per_visit", day).value
    if able_on(task, day).count() < fewest:
        return _(
            "当日可以检查的人员不足 %(fewest)s 人：须已指派、持有效执法证、不在休假、无需回避（行政处罚法第四十二条、第四十三条）"
        ) % {"fewest": fewest}
    return ""


def review_result(task: Task, by: User, *, accept: bool, reason: str = "") -> Task:
    """Accept a result, which starts the clock of publication, or send it back.

    Raises:
        PermissionDenied: the account may not, or was on the team.
        ValidationError: nothing to review, or sent back without a reason.
    """
    if (
        not may(by, "inspections.review")
        or task.assignments.filter(inspector__account=by).exists()
        or by.pk == task.submitted_by_id
    ):
        raise PermissionDenied
    if not accept and not reason.strip():
        raise ValidationError({"reason": _("请写明退回的理由")})
    with transaction.atomic():
        found = Task.objects.select_for_update().get(pk=task.pk)
        if found.status != Status.SUBMITTED:
            raise ValidationError(_("该任务不在待复核状态"))
        if accept:
            assert found.inspected_on is not None
            found.status, found.reviewed_by, found.reviewed_at = Status.REVIEWED, by, timezone.now()
            found.publish_by = clock("inspection.publish", found.inspected_on).due_on
        else:
            found.status, found.returned_reason, found.returned_at = Status.OPEN, reason.strip()[:300], timezone.now()
            for report in VisitReport.objects.filter(task=found, status=VisitReport.Status.TAKEN).exclude(paper=None):
                withdraw_issued(str(report.paper_id), f"已退回重新检查：{found.returned_reason}")
        found.save()
        record_event("inspections.review", by=by, ref=f"task:{found.number}", accepted=accept, reason=reason.strip()[:300])
    return found


def publish_results(by: User) -> Batch | None:
    """Deliver all reviewed results as one batch of the source ``inspections``: they become records as any delivery does.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: a row was refused; nothing counts as published then.
    """
    if not may(by, "inspections.plan"):
        raise PermissionDenied
    with transaction.atomic():
        tasks = list(
            Task.objects.select_for_update().filter(status=Status.REVIEWED).select_related("subject").order_by("pk")
        )
        recorded = [task for task in tasks if task.result in RECORDED]
        batch = _deliver(recorded, by) if recorded else None
        if batch is not None and batch.accepted + batch.duplicates != len(recorded):
            raise ValidationError(
                _("批次 %(batch)s 有 %(count)s 行未入库，请先处理")
                % {"batch": batch.pk, "count": len(recorded) - batch.accepted}
            )
        for task in tasks:
            append_one(
                "inspection.result",
                f"task:{task.number}",
                {"task": task.number, "result": task.result, "on": str(task.inspected_on)},
            )
        Task.objects.filter(pk__in=[task.pk for task in tasks]).update(status=Status.PUBLISHED)
        record_event("inspections.publish", by=by, ref=f"batch:{batch.pk}" if batch else "", tasks=len(tasks))
    return batch


def _deliver(tasks: list[Task], by: User) -> Batch:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["统一社会信用代码", "企业名称", "抽查任务编号", "检查结果", "检查完成日期"])
    for task in tasks:
        rows.writerow([task.subject.code, task.subject.name, task.number, RESULTS[task.result].zh, task.inspected_on])
    batch, _is_new = deliver(
        source="inspections", file_name="inspections.csv", chunks=[text.getvalue().encode()], way=Batch.Way.FOLDER, by=by
    )
    batch = process(batch)
    if request_commit(batch, by):
        batch.refresh_from_db()
        batch = process(batch)
    return batch
