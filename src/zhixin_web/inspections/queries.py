"""Reads of inspections: strata of a plan, tasks in scope, published draws."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet

from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import scope_of
from zhixin_web.inspections.models import VISITED, Assignment, Draw, Inspector, Plan, Task, VisitRating
from zhixin_web.inspections.strata import PlannedStratum


def planned_strata(plan: Plan) -> list[PlannedStratum]:
    """The strata of a plan as frozen in it."""
    return [PlannedStratum(**item) for item in plan.strata]


def available_inspectors(day: date) -> QuerySet[Inspector]:
    """Inspectors whose certificate holds on a day and who are not on leave then."""
    found = Inspector.objects.filter(is_active=True, valid_until__gte=day)
    return found.exclude(on_leave_from__lte=day, on_leave_until__gte=day).order_by("code")


def able_on(task: Task, day: date) -> QuerySet[Assignment]:
    """Return those of a task's team who may inspect on a day: sent by then, certified, not on leave, without a conflict.

    行政处罚法 第四十二条、第四十三条.
    """
    team = Assignment.objects.filter(task=task, recused_reason="", assigned_on__lte=day).select_related("inspector")
    return team.filter(inspector__in=available_inspectors(day)).exclude(inspector__conflicts__subject=task.subject_id)


def visible_tasks(user: User) -> QuerySet[Task]:
    """Tasks an account may see: all, those of its district, or those it is sent on."""
    scope = scope_of(user, "inspections.view")
    tasks = Task.objects.select_related("subject", "draw")
    if scope == "all":
        return tasks
    if scope == "district" and user.organisation is not None:
        return tasks.filter(subject__district=user.organisation.district)
    if scope == "own":
        return tasks.filter(assignments__inspector__account=user, assignments__recused_reason="")
    return tasks.none()


def visits_to(code: str) -> QuerySet[Task]:
    """Return the visits to an enterprise whose result was entered and not sent back, the newest first."""
    found = Task.objects.select_related("draw__plan", "rating").filter(subject__code=code)
    return found.filter(status__in=VISITED).order_by("-pk")


def draws_with(code: str) -> list[Draw]:
    """The public draws whose frame held an enterprise, the newest first."""
    shown = Draw.objects.exclude(status=Draw.Status.ABORTED).select_related("plan").order_by("-pk")
    return [item for item in shown if any(line.split("\t", 1)[0] == code for line in item.document.get("frame", []))]


def ratings() -> QuerySet[VisitRating]:
    """What enterprises said of visits, the newest first."""
    return VisitRating.objects.select_related("task__subject").order_by("-pk")


def draws() -> QuerySet[Draw]:
    """All draws, newest first."""
    return Draw.objects.select_related("plan").order_by("-pk")


def team_of(task: Task) -> list[dict[str, Any]]:
    """The inspectors of a task, those recused last."""
    rows = task.assignments.select_related("inspector").order_by("recused_reason", "pk")
    return [{"inspector": row.inspector, "recused": row.recused_reason} for row in rows]
