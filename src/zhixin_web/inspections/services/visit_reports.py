"""Takes what a phone reports of a visit, exactly once: the report, its pictures, the result, the numbered record of the inspection."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from pydantic import ValidationError as Malformed

from zhixin.law.paper_numbers import VISIT_REPORTS
from zhixin.reference.inspection_items import DISPOSALS, METHODS, RESULTS, InspectionItem, inspection_items
from zhixin_web.accounts.models import User
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.inspections.models import Task, VisitPhoto, VisitReport
from zhixin_web.inspections.queries import able_on
from zhixin_web.inspections.reported_visit import LATER, MOST_PHOTOS, ReportedVisit, skew
from zhixin_web.inspections.services.results import submit_result
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import issue_paper, withdraw_issued
from zhixin_web.received import store

FOLDER = "visit-photos"
MOST_BYTES = 15 * 1024 * 1024
MOST_SKEW_HOURS = 12.0
MOST_PICTURES = 3 * MOST_PHOTOS
"""Of a task, and as many again for each report that was taken and sent back."""
MOST_SIGNATURE_BYTES = 300_000
PNG = b"\x89PNG\r\n\x1a\n"
Status = VisitReport.Status
ANSWERS = {"fine": "未发现问题", "problem": "发现问题", "not_applicable": "不涉及", "not_checked": "未检查"}


class KeyReused(Exception):
    """A key that has come before with another content."""


def items_of(task: Task) -> list[InspectionItem]:
    """Return the items of the list that a task is for."""
    return [item for item in inspection_items().items if item.code in task.draw.plan.items]


def take_report(task: Task, key: str, content: Any, by: User, device_at: datetime) -> VisitReport:
    """Take a report, or return what became of it when it comes again.

    What is malformed is refused at once; what is well-formed but cannot be taken is kept as refused, with its faults. A report whose
    pictures have not all arrived waits for them. ``device_at`` is the phone's clock as it sends.

    Raises:
        PermissionDenied: not on the team.
        KeyReused: the key stands for another content.
        ValidationError: malformed.
    """
    _refuse_stranger(task, by)
    try:
        visit = ReportedVisit.model_validate(content)
    except Malformed as error:
        places = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:5])
        raise ValidationError(_("报告的格式不对（%(places)s）；请更新页面后重新提交") % {"places": places}) from error
    digest = hashlib.sha256(json.dumps(visit.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    with transaction.atomic():
        lock_ledger()
        held = VisitReport.objects.select_for_update().filter(key=key).first()
        if held is not None:
            if (held.content_sha256, held.task_id, held.by_id) != (digest, task.pk, by.pk):
                raise KeyReused
            return held
        report = VisitReport.objects.create(
            key=key, task=task, by=by, content=visit.model_dump(mode="json"), content_sha256=digest, device_at=device_at,
            status=Status.WAITING,
        )  # fmt: skip
        record_event("inspections.report", by=by, ref=f"task:{task.number}", key=key)
        _replace_earlier(report)
        if report.status == Status.WAITING:
            _go_on(report)
    return report


def add_photo(task: Task, sha256: str, chunks: Iterable[bytes], by: User) -> VisitPhoto:
    """Keep a picture of a visit; whatever report waits for it goes on.

    Raises:
        PermissionDenied: not on the team.
        ValidationError: no picture, or its bytes are not those of the hash.
    """
    _refuse_stranger(task, by)
    is_held = task.photos.filter(sha256=sha256).exists()
    if task.status != Task.Status.OPEN and not is_held:
        raise ValidationError(_("该任务已不在待检查状态：%(status)s") % {"status": task.get_status_display()})
    if not is_held and task.photos.count() >= MOST_PICTURES * (1 + task.reports.filter(status=Status.TAKEN).count()):
        raise ValidationError(_("该任务的照片已达上限"))
    received = store.receive(FOLDER, chunks, most_bytes=MOST_BYTES, kinds=store.PICTURES)
    if received.sha256 != sha256:
        raise ValidationError({"file": _("照片在传输中变了；请重新发送")})
    with transaction.atomic():
        lock_ledger()
        photo = VisitPhoto.objects.get_or_create(
            task=task, sha256=sha256, defaults={"size": received.size, "by": by}
        )[0]  # fmt: skip
        for report in VisitReport.objects.select_for_update().filter(task=task, status=Status.WAITING):
            _go_on(report)
    return photo


def missing_photos(report: VisitReport) -> list[str]:
    """Return the hashes of a report's pictures that have not arrived."""
    wanted = ReportedVisit.model_validate(report.content).hashes
    return sorted(wanted - set(report.task.photos.filter(sha256__in=wanted).values_list("sha256", flat=True)))


def _refuse_stranger(task: Task, by: User) -> None:
    if not task.assignments.filter(inspector__account=by, recused_reason="").exists():
        raise PermissionDenied


def _replace_earlier(report: VisitReport) -> None:
    """Of several reports of one author that wait, only the one that was written last is worth anything, in whatever order they come."""
    others = list(VisitReport.objects.filter(task=report.task, by=report.by, status=Status.WAITING).exclude(pk=report.pk))
    newest = max([report, *others], key=lambda one: (ReportedVisit.model_validate(one.content).submitted_at, one.pk))
    for one in (one for one in [report, *others] if one.pk != newest.pk):
        one.status, one.faults = Status.REFUSED, [_("已由本人后来的报告代替")]
        one.save()


def _go_on(report: VisitReport) -> None:
    """Take, refuse or leave waiting a report, in the caller's transaction."""
    visit = ReportedVisit.model_validate(report.content)
    task = Task.objects.select_for_update().select_related("subject", "draw__plan").get(pk=report.task_id)
    faults = list(_faults(report, visit, task))
    if not faults and missing_photos(report):
        return
    if not faults:
        try:
            with transaction.atomic():
                submit_result(
                    task, method=visit.method, result=visit.result, disposal=visit.disposal, note=visit.note,
                    inspected_on=visit.inspected_on, by=report.by,
                )  # fmt: skip
        except ValidationError as error:
            faults = error.messages
        except PermissionDenied:
            faults = [_("您不是该任务的检查人员（可能已回避或被替换）")]
    if faults:
        report.status, report.faults = Status.REFUSED, faults
        report.save()
        return
    _issue_record(report, visit, task)
    failpoint("visit.taken")


def _faults(report: VisitReport, visit: ReportedVisit, task: Task) -> Iterable[str]:
    """Yield why a report cannot be taken."""
    if task.status != Task.Status.OPEN:
        yield _("该任务已不在待检查状态：%(status)s") % {"status": task.get_status_display()}
    hours = skew(report.device_at, report.received_at)
    if hours > MOST_SKEW_HOURS:
        yield _("手机时间与服务器相差 %(hours)s 小时；请校准手机时间后重新提交") % {"hours": round(hours)}
    yield from _faults_of_times(report, visit, task)
    asked = {(item.code, place) for item in items_of(task) for place in range(len(item.checklist))}
    yield from visit.contradictions(asked)
    team = set(task.assignments.filter(recused_reason="").values_list("inspector__code", flat=True))
    strangers = sorted({item.code for item in visit.inspectors} - team)
    if strangers:
        yield _("%(codes)s 不是该任务的检查人员") % {"codes": "、".join(strangers)}
    yield from _faults_of_signers(report, visit, task)
    if not missing_photos(report):
        yield from _faults_of_signatures(visit)


def _faults_of_times(report: VisitReport, visit: ReportedVisit, task: Task) -> Iterator[str]:
    """Yield which times cannot be: between the draw, the visit, its report and the moment it was sent; or written before a return.

    A phone's clock that is wrong is wrong by the same time from the first question to the sending.
    """
    wrong_by = report.received_at - report.device_at
    started_at, submitted_at = visit.started_at + wrong_by, visit.submitted_at + wrong_by
    drawn_at = task.draw.drawn_at
    if drawn_at is not None and started_at < drawn_at - LATER:
        yield _("报告的开始时间早于抽取；请校准手机时间后重新提交")
    if submitted_at > report.received_at + LATER:
        yield _("报告的提交时间晚于发送时间；请校准手机时间后重新提交")
    days_ago = (timezone.localdate(report.received_at) - timezone.localdate(submitted_at)).days
    if 0 <= (timezone.localdate() - visit.inspected_on).days < days_ago:
        yield _("检查日期晚于报告的提交时间")
    if task.returned_at is not None and submitted_at < task.returned_at:
        yield _("这份报告写于退回之前，请按退回的理由重新检查或者修改后提交")


def _faults_of_signers(report: VisitReport, visit: ReportedVisit, task: Task) -> Iterator[str]:
    """Yield what is wrong with who signed: too few with a certificate on the day, the reporter not among them, a witness of the team."""
    fewest = inspection_items().limit("inspectors_per_visit", visit.inspected_on).value
    team = [row.inspector for row in task.assignments.filter(recused_reason="").select_related("inspector")]
    signers = {item.code for item in visit.inspectors}
    able = set(able_on(task, visit.inspected_on).values_list("inspector__code", flat=True))
    if len(signers & able) < fewest:
        yield _("须有 %(fewest)s 名当日持有效执法证的检查人员签名（行政处罚法第四十二条）") % {"fewest": fewest}
    for one in team:
        if one.code in signers - able:
            yield _("%(name)s 当日不得检查：未指派、无有效执法证、休假或者应当回避") % {"name": one.name}
    if not any(one.account_id == report.by_id for one in team if one.code in signers):
        yield _("提交报告的检查人员本人没有签名")
    if visit.party.kind == "refused" and _plain(visit.party.witness) in {_plain(one.name) for one in team}:
        yield _("见证人不能是检查人员自己")


def _plain(name: str) -> str:
    """Return a name without spaces and marks, so that one person is one name."""
    return "".join(char for char in unicodedata.normalize("NFKC", name) if char.isalnum()).casefold()


def _faults_of_signatures(visit: ReportedVisit) -> Iterator[str]:
    """Yield which signature is no small picture as the page makes it."""
    for sha256 in visit.signatures:
        content = store.content_of(FOLDER, sha256) or b""
        if not content.startswith(PNG) or len(content) > MOST_SIGNATURE_BYTES:
            yield _("签名图片不合格；请在页面上重新签名")


def _issue_record(report: VisitReport, visit: ReportedVisit, task: Task) -> None:
    """Number the record of the inspection and issue it as a paper; an earlier one of the task is withdrawn, and what waits is closed."""
    day = timezone.localdate()
    report.year, report.serial = day.year, VisitReport.objects.filter(year=day.year).count() + 1
    report.number = f"{VISIT_REPORTS}〔{day.year}〕{report.serial}号"
    content = _record(report, visit, task)
    shown = {"signatures": _signatures(visit)}
    report.paper = issue_paper(
        Paper.Kind.VISIT, "visit_record.typ", content, day, number=report.number, subject_id=task.subject_id, shown=shown
    )
    report.status, report.faults = Status.TAKEN, []
    report.save()
    for before in VisitReport.objects.filter(task=task, status=Status.TAKEN).exclude(pk=report.pk).exclude(paper=None):
        withdraw_issued(str(before.paper_id), f"已由{report.number}代替")
    left = VisitReport.objects.filter(task=task, status=Status.WAITING)
    left.update(
        status=Status.REFUSED, faults=[_("该任务已不在待检查状态：%(status)s") % {"status": Task.Status.SUBMITTED.label}]
    )
    body = {"task": task.number, "report": report.key, "sha256": report.content_sha256, "paper": report.paper.code}
    append_one("inspection.report", f"task:{task.number}", body)


def _record(report: VisitReport, visit: ReportedVisit, task: Task) -> dict[str, Any]:
    """Return what the record of an inspection says, in Chinese."""
    with translation.override("zh-hans"):
        answers = {(item.item, item.question): item for item in visit.answers}
        team = {row.inspector.code: row.inspector for row in task.assignments.select_related("inspector")}
        party = visit.party
        signed = f"{party.name}（签名）" if party.kind == "signed" else f"拒绝签名：{party.reason}；见证人：{party.witness}"
        return {
            "title": "行政检查记录", "number": report.number, "party": task.subject.name, "code": task.subject.code,
            "facts": [
                ["检查任务", f"{task.draw.plan.title}　{task.number}"], ["检查日期", visit.inspected_on.isoformat()],
                ["检查方式", METHODS[visit.method].zh],
                ["检查人员", "；".join(f"{team[item.code].name}（{team[item.code].certificate}）" for item in visit.inspectors)],
                ["检查结果", RESULTS[visit.result].zh], ["后续处置", DISPOSALS[visit.disposal].zh], ["情况", visit.note or "无"],
                ["企业签名", signed],
            ],
            "items": [
                {
                    "title": item.title.zh,
                    "basis": "；".join(f"{ground.document}{ground.article}" for ground in item.basis),
                    "rows": [
                        [question.zh, ANSWERS[answers[item.code, place].answer] + (f"：{answers[item.code, place].remark}" if answers[item.code, place].remark else "")]
                        for place, question in enumerate(item.checklist)
                    ],
                }
                for item in items_of(task)
            ],
            "photos": [[photo.sha256[:16], f"{timezone.localtime(photo.taken_at):%Y-%m-%d %H:%M}", photo.caption] for photo in visit.photos],
        }  # fmt: skip


def _signatures(visit: ReportedVisit) -> list[list[int]]:
    """Return the pictures of the signatures as the layout takes them: lists of bytes."""
    return [list(store.content_of(FOLDER, sha256) or b"") for sha256 in visit.signatures]
