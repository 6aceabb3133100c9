"""What waits for an account: one task for each thing to do, the nearest deadline first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin_web.accounts.permissions import may
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.queries import reports_due, visible_cases
from zhixin_web.cases.services.listing import lift_by, listings_without_penalty
from zhixin_web.cases.services.transitions import is_turn_of
from zhixin_web.collection.models import Batch, Pull, QuarantinedRow
from zhixin_web.collection.scope import visible_batches, visible_rows
from zhixin_web.commitments.queries import to_be_followed
from zhixin_web.duties.waiting import waiting_for
from zhixin_web.evaluations.models import GradeOrder, Run
from zhixin_web.governance.models import Comment
from zhixin_web.rulebooks.deadlines import clock, days_left
from zhixin_web.rulebooks.models import RulebookRelease

SOON = 2


MOST = 20


@dataclass(frozen=True)
class DeskTask:
    """One thing to do: what, where, until when (``None``: no deadline)."""

    title: str
    detail: str
    address: str
    due_on: date | None

    @property
    def urgency(self) -> str:
        """``late``, ``soon`` or empty, for the mark shown with it."""
        if self.due_on is None:
            return ""
        left = days_left(timezone.localdate(), self.due_on)
        return "late" if left < 0 else "soon" if left <= SOON else ""


def _report_tasks(user: Any) -> list[DeskTask]:
    if not may(user, "reports.answer"):
        return []
    return [
        DeskTask(_("信息报错"), f"{item.subject.name}：{item.get_reason_display()}", f"/c/reports/{item.pk}", item.due_on)
        for item in reports_due(user)[:MOST]
    ]


def _order_tasks(user: Any) -> list[DeskTask]:
    if not may(user, "grades.approve"):
        return []
    waiting = (
        GradeOrder.objects.filter(status=GradeOrder.Status.PROPOSED).exclude(proposed_by=user).select_related("subject")
    )
    return [
        DeskTask(_("等级调整待审批"), f"{item.subject.name}：{item.get_kind_display()}", "/c/grades", item.until)
        for item in waiting[:MOST]
    ]


def _release_tasks(user: Any) -> list[DeskTask]:
    tasks = []
    if may(user, "runs.release"):
        runs = Run.objects.filter(status=Run.Status.PROPOSED).exclude(proposed_by=user)
        tasks += [
            DeskTask(_("评价待发布审批"), f"#{run.pk} · {run.as_of}", f"/c/runs/{run.pk}", None) for run in runs[:MOST]
        ]
    if may(user, "rulebooks.approve"):
        rules = (
            RulebookRelease.objects.filter(status=RulebookRelease.Status.PROPOSED).exclude(proposed_by=user).defer("text")
        )
        tasks += [DeskTask(_("规则待审批"), item.title_zh, f"/c/rulebooks/{item.pk}", None) for item in rules[:MOST]]
    if may(user, "runs.propose"):
        drafts = Run.objects.filter(status__in=[Run.Status.DRAFT, Run.Status.FAILED])
        tasks += [
            DeskTask(str(run.get_status_display()), f"#{run.pk} · {run.as_of}", f"/c/runs/{run.pk}", None)
            for run in drafts[:MOST]
        ]
    return tasks


def _consultation_tasks(user: Any) -> list[DeskTask]:
    if not may(user, "consultations.manage"):
        return []
    waiting = (
        Comment.objects.filter(replied_by=None)
        .values("consultation", "consultation__title", "consultation__closes_on")
        .annotate(n=Count("pk"))
        .order_by("consultation__closes_on")
    )
    return [
        DeskTask(
            _("意见待答复"), f"{row['consultation__title']}：{row['n']}", f"/c/consultations/{row['consultation']}",
            row["consultation__closes_on"],
        )
        for row in waiting[:MOST]
    ]  # fmt: skip


def _case_tasks(user: Any) -> list[DeskTask]:
    """Cases in which it is this account's turn."""
    waiting = visible_cases(user).filter(is_open=True).prefetch_related("steps").order_by("due_on", "pk")[: 5 * MOST]
    mine = islice((item for item in waiting if is_turn_of(user, item)), MOST)
    return [
        DeskTask(
            procedure_of(item).title.in_language(get_language() or "zh"),
            item.subject.name,
            f"/c/cases/{item.pk}",
            item.due_on,
        )
        for item in mine
    ]


def _listing_tasks(user: Any) -> list[DeskTask]:
    """Entries on the serious-dishonesty list whose penalty is no longer valid, until they are lifted."""
    if not (may(user, "records.repair") or may(user, "cases.decide")):
        return []
    return [
        DeskTask(_("名单所依据的处罚已失效，应当移出"), case.subject.name, f"/c/cases/{case.pk}", lift_by(case))
        for case in listings_without_penalty(timezone.localdate())[:MOST]
    ]


def _commitment_tasks(user: Any) -> list[DeskTask]:
    """Commitments with a term to put a breach right: followed until a check or a determination answers it."""
    if not may(user, "commitments.check"):
        return []
    return [
        DeskTask(_("承诺整改待复核"), item.subject.name, f"/c/commitments/{item.pk}", day)
        for item, day in to_be_followed(user, timezone.localdate())[:MOST]
    ]


def _pull_tasks(user: Any) -> list[DeskTask]:
    if not may(user, "ways.manage"):
        return []
    stopped = Pull.objects.filter(is_active=False, failures__gt=0)
    return [
        DeskTask(_("定时拉取已停用"), f"{item.source}：{item.last_result[:80]}", "/c/ways", None) for item in stopped[:MOST]
    ]


def _check_due(batch: Batch) -> date | None:
    """The last day to check a delivery; ``None`` where no rulebook in force sets a term."""
    try:
        return clock("delivery.check", timezone.localtime(batch.created_at).date()).due_on
    except ValidationError:
        return None


def _collection_tasks(user: Any) -> list[DeskTask]:
    if not may(user, "batches.view"):
        return []
    states = [Batch.Status.HELD, Batch.Status.MAPPING, Batch.Status.STAGED]
    tasks = [
        DeskTask(
            str(item.get_status_display()),
            item.file_name,
            f"/c/batches/{item.pk}",
            _check_due(item),
        )
        for item in visible_batches(user).filter(status__in=states).order_by("created_at")[:MOST]
    ]
    rows = visible_rows(user).filter(status=QuarantinedRow.Status.OPEN).count()
    if rows:
        tasks.append(DeskTask(_("隔离区中待处理的行"), str(rows), "/c/quarantine", None))
    return tasks


def _duty_tasks(user: Any) -> list[DeskTask]:
    waiting = sorted(waiting_for(user), key=lambda item: (item.due_on is None, item.due_on or date.max))
    return [DeskTask(item.title, item.detail, item.address, item.due_on) for item in waiting[:MOST]]


def tasks_of(user: Any) -> list[DeskTask]:
    """All that waits for an account, the nearest deadline first, what has none last."""
    makers = (
        _report_tasks, _order_tasks, _release_tasks, _consultation_tasks, _collection_tasks, _pull_tasks, _case_tasks, _listing_tasks,
        _commitment_tasks, _duty_tasks,
    )  # fmt: skip
    found = [task for maker in makers for task in maker(user)]
    return sorted(found, key=lambda task: (task.due_on is None, task.due_on or date.max))
