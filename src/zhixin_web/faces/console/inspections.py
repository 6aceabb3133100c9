"""Pages of inspections: plans with their forecast, draws from commitment to publication, tasks with their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.errors import DrawRefused
from zhixin.reference.inspection_items import DISPOSALS, METHODS, RESULTS, inspection_items
from zhixin.trust.draw.public_numbers import GAMES, read_numbers
from zhixin_web.accounts.permissions import StaffRequest, may, permitted, scope_of
from zhixin_web.audit.services.events import record_event
from zhixin_web.inspections import queries
from zhixin_web.inspections.models import Draw, Inspector, Plan, Task
from zhixin_web.inspections.services import draws, plans, results
from zhixin_web.inspections.services.ratings import QUESTIONS
from zhixin_web.inspections.strata import frame_of, visits_of
from zhixin_web.presentation import asked
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import faults_by_field, refusals_shown
from zhixin_web.rulebooks.models import RulebookRelease

Acts = dict[str, tuple[Callable[[], Any], str]]
"""What a form may ask for: the act, and what is said once it is done."""


def _act(request: StaffRequest, acts: Acts, answer: HttpResponse) -> HttpResponse:
    """Carry out the act that the form asks for; what refuses it is shown in its own words."""
    act, done = acts.get(request.POST.get("act", ""), (lambda: None, ""))
    with refusals_shown(request, denied=_("须由另一位有权限的人办理")):
        act()
        if done:
            messages.success(request, done)
    return answer


@permitted("inspections.view")
@require_GET
def inspections_page(request: StaffRequest) -> HttpResponse:
    """Plans, draws, and the tasks of this account by deadline."""
    tasks = queries.visible_tasks(request.user).order_by("due_on", "number")
    status = request.GET.get("status", Task.Status.OPEN)
    if status in Task.Status.values:
        tasks = tasks.filter(status=status)
    content = {
        "plans": Plan.objects.select_related("made_by").order_by("-pk")[:20],
        "draws": queries.draws()[:20],
        "page": page_of(request, tasks),
        "status": status,
        "statuses": Task.Status.choices,
        "today": timezone.localdate(),
        "to_publish": Task.objects.filter(status=Task.Status.REVIEWED).count(),
    }
    return render(request, "inspections.html", content)


@permitted("inspections.plan")
def new_plan(request: StaffRequest) -> HttpResponse:
    """Draft a plan: which items, under which release, how many go together."""
    faults: dict[str, list[str]] = {}
    released = RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED).order_by("-approved_at")
    if request.method == "POST":
        try:
            plan = plans.make_plan(
                year=_whole(request.POST.get("year", ""), "year"),
                title=request.POST.get("title", ""),
                basis=request.POST.get("basis", ""),
                items=request.POST.getlist("items"),
                release=_release(released, request.POST.get("release", "")),
                by=request.user,
                team=_whole(request.POST.get("team", ""), "team"),
                cap=_whole(request.POST.get("cap", ""), "cap"),
                stated_percent=request.POST.get("stated_percent", ""),
                excess_reason=request.POST.get("excess_reason", ""),
                inversion=request.POST.get("inversion", ""),
            )
            return redirect("inspection_plan", pk=plan.pk)
        except ValidationError as error:
            faults = error.message_dict
    today, chosen = timezone.localdate(), inspection_items()
    content = {
        "items": chosen,
        "releases": released,
        "faults": faults,
        "given": request.POST,
        "year": today.year,
        "fewest": chosen.limit("inspectors_per_visit", today).value,
        "chosen": request.POST.getlist("items"),
    }
    return render(request, "inspection_plan_new.html", content)


def _whole(text: str, field: str) -> int:
    found = asked.whole_number(text)
    if found is None or found > 999_999:
        raise ValidationError({field: _("请填写整数")})
    return found


def _release(released: Any, text: str) -> RulebookRelease:
    found: RulebookRelease | None = next((item for item in released if str(item.pk) == text), None)
    if found is None:
        raise ValidationError({"release": _("请选择")})
    return found


@permitted("inspections.view")
@require_GET
def plan_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One plan: its ratios, what they come to today by stratum, district and person, its draws."""
    plan = get_object_or_404(Plan.objects.select_related("made_by", "decided_by", "release"), pk=pk)
    strata = queries.planned_strata(plan)
    frame = frame_of(strata, most_visits=plan.most_visits_a_year, today=timezone.localdate())
    counted = visits_of(strata, frame.sizes)
    visits = sum(found for _units, found in counted.values())
    inspectors = queries.available_inspectors(timezone.localdate()).count()
    chosen = inspection_items()
    content = {
        "plan": plan,
        "rows": [(item, *counted[item.id]) for item in strata],
        "units": len(frame.units),
        "visits": visits,
        "share": visits / len(frame.units) if frame.units else 0,
        "inspectors": inspectors,
        "each": visits * plan.team / inspectors if inspectors else None,
        "excluded": len(frame.excluded),
        "items": [item for item in chosen.items if item.code in plan.items],
        "draws": plan.draws.order_by("-pk"),
        "games": list(GAMES.values()),
        "today": timezone.localdate(),
    }
    return render(request, "inspection_plan.html", content)


@permitted("inspections.view", reauthenticate=True)
@require_POST
def act_on_plan(request: StaffRequest, pk: int) -> HttpResponse:
    """Propose, approve, refuse, file a plan, or commit a draw of it."""
    plan, by = get_object_or_404(Plan, pk=pk), request.user
    acts: Acts = {
        "propose": (lambda: plans.propose_plan(plan, by), _("已提请审批")),
        "approve": (lambda: plans.decide_plan(plan, approve=True, by=by), _("已批准")),
        "refuse": (lambda: plans.decide_plan(plan, approve=False, by=by), _("未予批准")),
        "file": (lambda: plans.file_plan(plan, request.POST.get("number", ""), by), _("已登记备案文号")),
        "commit": (lambda: _commit(request, plan), _("已冻结并写入账本，等待开奖")),
    }
    return _act(request, acts, redirect("inspection_plan", pk=pk))


def _commit(request: StaffRequest, plan: Plan) -> None:
    day = asked.day(request.POST.get("day"))
    if day is None:
        raise ValidationError({"day": _("请填写开奖日期")})
    draws.commit_draw(plan, game=request.POST.get("game", ""), issue=request.POST.get("issue", ""), day=day, by=request.user)


@permitted("inspections.view")
@require_GET
def draw_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One draw: what was committed, who has entered numbers, what was drawn, what changed since."""
    draw = get_object_or_404(queries.draws(), pk=pk)
    officer = request.user
    sees_all = scope_of(officer, "inspections.view") == "all"
    content = {
        "draw": draw,
        "page": page_of(request, queries.visible_tasks(officer).filter(draw=draw).order_by("number")),
        "entered": [item.by for item in draw.entries.select_related("by")],
        "strata": draw.document.get("strata", {}),
        "excluded": draw.exclusions.select_related("subject")[:200] if sees_all else [],
        "frame": len(draw.document["frame"]),
        "may_enter": may(officer, "inspections.numbers") and not draw.entries.filter(by=officer).exists(),
    }
    return render(request, "inspection_draw.html", content)


@permitted("inspections.view", reauthenticate=True)
@require_POST
def act_on_draw(request: StaffRequest, pk: int) -> HttpResponse:
    """Enter numbers, publish or abort."""
    draw, by = get_object_or_404(Draw, pk=pk), request.user
    acts: Acts = {
        "enter": (lambda: draws.enter_numbers(draw, _numbers(request, draw), by), _("已录入号码")),
        "publish": (lambda: draws.publish_draw(draw, by), _("已公布")),
        "abort": (lambda: draws.abort_draw(draw, request.POST.get("reason", ""), by), _("已中止并公布理由")),
    }
    return _act(request, acts, redirect("inspection_draw", pk=pk))


def _numbers(request: StaffRequest, draw: Draw) -> list[list[int]]:
    try:
        return [read_numbers(request.POST.get(f"numbers{place}", "")) for place in range(len(draw.sources))]
    except DrawRefused as error:
        raise ValidationError(error.message.zh) from error


@permitted("inspections.view")
def task_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One task: its enterprise, its team, the checklist; the result, its review, recusal and substitution."""
    task = get_object_or_404(queries.visible_tasks(request.user), pk=pk)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            return _act_on_task(request, task)
        except ValidationError as error:
            faults = faults_by_field(error)
        except PermissionDenied:
            faults = {"": [_("须由该任务的检查人员或另一位有权限的人办理")]}
    chosen = inspection_items()
    content = {
        "task": task,
        "team": queries.team_of(task),
        "items": [item for item in chosen.items if item.code in task.draw.plan.items],
        "methods": METHODS,
        "results": RESULTS,
        "disposals": DISPOSALS,
        "faults": faults,
        "given": request.POST,
        "today": timezone.localdate(),
        "is_mine": task.assignments.filter(inspector__account=request.user, recused_reason="").exists(),
    }
    return render(request, "inspection_task.html", content)


def _act_on_task(request: StaffRequest, task: Task) -> HttpResponse:
    act, by = request.POST.get("act", ""), request.user
    reason = request.POST.get("reason", "")
    if act == "submit":
        results.submit_result(
            task, method=request.POST.get("method", ""), result=request.POST.get("result", ""), disposal=request.POST.get("disposal", ""),
            note=request.POST.get("note", ""), inspected_on=asked.day(request.POST.get("inspected_on")), by=by,
        )  # fmt: skip
        messages.success(request, _("已提交，等待另一人复核"))
    elif act in ("accept", "return"):
        results.review_result(task, by, accept=act == "accept", reason=reason)
        messages.success(request, _("已复核") if act == "accept" else _("已退回"))
    elif act == "recuse":
        draws.recuse(task, get_object_or_404(Inspector, code=request.POST.get("inspector", "")[:20]), reason, by)
        messages.success(request, _("已由次序中的下一人接替"))
    elif act == "substitute":
        made = draws.substitute(task, reason, by)
        messages.success(request, _("已由候补替换"))
        return redirect("inspection_task", pk=made.pk)
    return redirect("inspection_task", pk=task.pk)


@permitted("inspections.plan")
@require_POST
def publish_results(request: StaffRequest) -> HttpResponse:
    """Publish all reviewed results: they become records through the ordinary pipeline."""
    acts: Acts = {"": (lambda: results.publish_results(request.user), _("已公示，并作为信用记录入库"))}
    return _act(request, acts, redirect("inspections"))


@permitted("inspections.ratings")
@require_GET
def ratings_page(request: StaffRequest) -> HttpResponse:
    """What inspected enterprises say of the visits: for the auditor alone."""
    page = page_of(request, queries.ratings())
    rows = [
        (item, [(QUESTIONS[name], is_good) for name, is_good in item.replies.items() if name in QUESTIONS])
        for item in page.items
    ]
    record_event("inspections.ratings", request=request)
    return render(request, "inspection_ratings.html", {"page": page, "rows": rows})
