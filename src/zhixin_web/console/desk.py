"""The work desk: everything that waits for this account, the nearest deadline first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin_web.accounts.models import Role
from zhixin_web.accounts.permissions import may, permitted
from zhixin_web.cases.queries import reports_due
from zhixin_web.evaluations.models import CurrentGrade, GradeOrder, RulebookRelease, Run
from zhixin_web.governance.models import Comment, Consultation
from zhixin_web.records.clocks import days_left
from zhixin_web.records.models import Batch, QuarantinedRow
from zhixin_web.records.scope import visible_batches, visible_rows

SOON = 2
MOST = 20
BATCH_DAYS = 5
"""Working days after which a batch that waits for a person counts as late."""


@dataclass(frozen=True)
class Task:
    """One thing to do: what, where, until when (``None``: no deadline)."""

    title: str
    detail: str
    address: str
    due_on: date | None

    @property
    def urgency(self) -> str:
        """``late``, ``soon`` or empty, for the mark beside it."""
        if self.due_on is None:
            return ""
        left = days_left(timezone.localdate(), self.due_on)
        return "late" if left < 0 else "soon" if left <= SOON else ""


def _report_tasks(user: Any) -> list[Task]:
    if not may(user, "reports.answer"):
        return []
    return [
        Task(_("信息报错"), f"{item.subject.name}：{item.get_reason_display()}", f"/c/reports/{item.pk}", item.due_on)
        for item in reports_due(user)[:MOST]
    ]


def _order_tasks(user: Any) -> list[Task]:
    if not may(user, "grades.approve"):
        return []
    waiting = (
        GradeOrder.objects.filter(status=GradeOrder.Status.PROPOSED).exclude(proposed_by=user).select_related("subject")
    )
    return [
        Task(_("等级调整待审批"), f"{item.subject.name}：{item.get_kind_display()}", "/c/grades", item.until)
        for item in waiting[:MOST]
    ]


def _release_tasks(user: Any) -> list[Task]:
    tasks = []
    if may(user, "runs.release"):
        runs = Run.objects.filter(status=Run.Status.PROPOSED).exclude(proposed_by=user)
        tasks += [Task(_("评价待发布审批"), f"#{run.pk} · {run.as_of}", f"/c/runs/{run.pk}", None) for run in runs[:MOST]]
    if may(user, "rulebooks.approve"):
        rules = (
            RulebookRelease.objects.filter(status=RulebookRelease.Status.PROPOSED).exclude(proposed_by=user).defer("text")
        )
        tasks += [Task(_("规则待审批"), item.title_zh, f"/c/rulebooks/{item.pk}", None) for item in rules[:MOST]]
    if may(user, "runs.propose"):
        drafts = Run.objects.filter(status__in=[Run.Status.DRAFT, Run.Status.FAILED])
        tasks += [
            Task(str(run.get_status_display()), f"#{run.pk} · {run.as_of}", f"/c/runs/{run.pk}", None)
            for run in drafts[:MOST]
        ]
    return tasks


def _consultation_tasks(user: Any) -> list[Task]:
    if not may(user, "consultations.manage"):
        return []
    waiting = (
        Comment.objects.filter(replied_by=None)
        .values("consultation", "consultation__title", "consultation__closes_on")
        .annotate(n=Count("pk"))
        .order_by("consultation__closes_on")
    )
    return [
        Task(
            _("意见待答复"), f"{row['consultation__title']}：{row['n']}", f"/c/consultations/{row['consultation']}",
            row["consultation__closes_on"],
        )
        for row in waiting[:MOST]
    ]  # fmt: skip


def _collection_tasks(user: Any) -> list[Task]:
    if not may(user, "batches.view"):
        return []
    states = [Batch.Status.HELD, Batch.Status.MAPPING, Batch.Status.STAGED]
    tasks = [
        Task(
            str(item.get_status_display()),
            item.file_name,
            f"/c/batches/{item.pk}",
            item.created_at.date() + timedelta(days=BATCH_DAYS),
        )
        for item in visible_batches(user).filter(status__in=states).order_by("created_at")[:MOST]
    ]
    rows = visible_rows(user).filter(status=QuarantinedRow.Status.OPEN).count()
    if rows:
        tasks.append(Task(_("隔离区中待处理的行"), str(rows), "/c/quarantine", None))
    return tasks


def tasks_of(user: Any) -> list[Task]:
    """All that waits for an account, the nearest deadline first, what has none last."""
    makers = (_report_tasks, _order_tasks, _release_tasks, _consultation_tasks, _collection_tasks)
    found = [task for maker in makers for task in maker(user)]
    return sorted(found, key=lambda task: (task.due_on is None, task.due_on or date.max))


@permitted("desk.view")
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for this account, and how the grades in force are spread."""
    user: Any = request.user
    if user.role == Role.ENTERPRISE_USER and user.organisation is not None:
        return redirect("subject", code=user.organisation.code)
    tasks = tasks_of(user)
    counts: list[tuple[str, int]] = []
    if may(user, "runs.view"):
        rows = CurrentGrade.objects.values_list("in_force").annotate(n=Count("pk")).order_by("in_force")
        counts = list(rows.values_list("in_force", "n"))
    total = sum(count for _grade, count in counts) or 1
    content = {
        "tasks": tasks,
        "late": sum(task.urgency == "late" for task in tasks),
        "grades": [(name, count, round(100 * count / total, 1)) for name, count in counts],
        "consultations": Consultation.objects.filter(closes_on__gte=timezone.localdate()).defer("text")[:5],
    }
    return render(request, "desk.html", content)
