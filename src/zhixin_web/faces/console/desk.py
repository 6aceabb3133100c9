"""The work desk: everything that waits for this account, the nearest deadline first."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import StaffRequest, may, permitted
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.governance.models import Consultation
from zhixin_web.workspace.desk import tasks_of


@permitted("desk.view")
@require_GET
def desk(request: StaffRequest) -> HttpResponse:
    """What waits for this account, and how the grades in force are spread."""
    user: Any = request.user
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
