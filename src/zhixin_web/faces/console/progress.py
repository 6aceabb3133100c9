"""Progress of the work plan: the board of unit, task and date, the page of an item, acceptance, papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.errors import ZhixinError
from zhixin.law.nodes import Text
from zhixin.law.work_plan import WorkPlan
from zhixin_web.accounts.permissions import StaffRequest, may, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.duties.acceptance import judged
from zhixin_web.duties.items import FINISHED, Duty, DutyState
from zhixin_web.duties.models import Escalation, PlanVersion, ProgressEntry, ProgressPaper
from zhixin_web.duties.queries import Quarter, dropped, duties, duty, plan_of, quarters, unit_names, version_in_force
from zhixin_web.duties.services import papers, progress
from zhixin_web.papers.models import Paper
from zhixin_web.presentation import asked
from zhixin_web.presentation.charts import Span, Timeline, gantt
from zhixin_web.presentation.kept_files import paper_answer, proof_answer
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import faults_by_field, refusals_shown

KINDS = {DutyState.OVERDUE: "serious", DutyState.SOON: "general", DutyState.DONE: "grade", DutyState.DONE_LATE: "grade"}
"""Colour class of the bars in the chart. The table beside the chart names each state (WCAG 1.4.1)."""
SILENT, MEETINGS = "silent", "meeting"
"""What the filters of the board call tasks without news, and what meetings have resolved."""
REPORTS = ("news", "claim")
"""Acts of a unit; the others are of those who check."""


def frame(version: PlanVersion | None, tab: str) -> dict[str, Any]:
    """Return what every page of the plan shows: the plan in force, what units are called, the tab."""
    return {
        "version": version, "plan": plan_of(version) if version is not None else None,
        "names": unit_names(version.plan) if version is not None else {}, "tab": tab, "today": timezone.localdate(),
    }  # fmt: skip


@permitted("duties.view")
@require_GET
def progress_page(request: StaffRequest) -> HttpResponse:
    """The board: how the tasks stand in sum, by unit, over time, and one by one."""
    version = version_in_force()
    content = frame(version, "board")
    if version is None:
        return render(request, "progress.html", content)
    plan, found = plan_of(version), duties(version)
    unit, state, phase = (asked.name(request.GET.get(name)) for name in ("unit", "state", "phase"))
    shown = [item for item in found if _is_asked_for(item, unit, phase, state)]
    counts = Counter(item.shown_state for item in found)
    content |= {
        "unit": unit, "state": state, "phase": phase, "states": [*DutyState.choices, (SILENT, _("长期无进展"))],
        "counts": [(item, counts[item]) for item in DutyState if counts[item]], "finished": sum(counts[item] for item in FINISHED),
        "all": len(found), "silent": sum(item.is_silent for item in found), "by_unit": [row for row in papers.by_unit(plan, found) if row["all"] != "0"],
        "groups": _groups(plan, shown), "chart": _chart(shown, content["names"]), "own_unit": request.user.unit_code,
        "dropped": dropped(version),
    }  # fmt: skip
    return render(request, "progress.html", content)


def _is_asked_for(item: Duty, unit: str, phase: str, state: str) -> bool:
    """Whether a filter of the board shows an item; an empty one shows all."""
    is_state = item.is_silent if state == SILENT else state in ("", item.shown_state)
    return unit in ("", item.lead) and phase in ("", item.phase or MEETINGS) and is_state


def _groups(plan: WorkPlan, shown: Sequence[Duty]) -> list[tuple[Any, list[Duty]]]:
    """Return the tasks by phase, then what meetings have resolved."""
    groups: list[tuple[Any, list[Duty]]] = [
        (phase, [item for item in shown if item.phase == phase.id]) for phase in plan.phases
    ]
    return [(phase, items) for phase, items in [*groups, (None, [item for item in shown if not item.phase])] if items]


def _chart(shown: Sequence[Duty], names: dict[str, Text]) -> Timeline | None:
    """Draw a bar for every task, from its first to its last day, and a mark for each milestone."""
    if not shown:
        return None
    language = get_language() or "zh"
    rows: list[tuple[str, Sequence[Span]]] = []
    for item in shown:
        title = item.title.in_language(language)
        spans: list[Span] = [
            (
                f"{title}：{item.shown_state.label}",
                item.starts_on,
                item.due_on,
                KINDS.get(item.shown_state, ""),
                item.address,
            )
        ]
        spans += [
            (
                f"{step.title.in_language(language)}：{step.state.label}",
                step.due_on,
                None,
                KINDS.get(step.state, "dark"),
                step.address,
            )
            for step in item.milestones
        ]
        rows.append((f"{title} · {names[item.lead].in_language(language)}", spans))
    days = [timezone.localdate(), *(day for item in shown for day in (item.starts_on, item.due_on))]
    return gantt(rows, min(days), max(days), timezone.localdate())


@permitted("duties.view")
def item_page(request: StaffRequest, key: str) -> HttpResponse:
    """One item: its days and proof, what was said of it, and what this account may say; POST says it."""
    item = duty(key)
    if item is None:
        raise Http404
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            _say(request, item)
            return redirect("progress_item", key=key)
        except ValidationError as error:
            faults = faults_by_field(error)
            item = duty(key) or item
    version, text = version_in_force(), request.POST.get("text", "")
    is_report = request.POST.get("act") in REPORTS
    content = frame(version, "board") | {
        "item": item, "faults": faults, "given": request.POST, "said": text if is_report else "", "opinion": "" if is_report else text,
        "entries": item.progress.entries[::-1],
        "parent": duty(item.parent) if item.parent else None,
        "told": Escalation.objects.filter(item=key).order_by("-pk"),
        "may_report": progress.may_report(request.user, item), "may_claim": progress.may_claim(request.user, item),
        "may_answer": not item.dropped_from and progress.may_answer(request.user, item),
        "may_reopen": not item.dropped_from and _may_reopen(request, item),
    }  # fmt: skip
    return render(request, "progress_item.html", content, status=422 if faults else 200)


def _may_reopen(request: StaffRequest, item: Duty) -> bool:
    done, confirmed = item.progress.done, item.progress.confirmed
    if done is None or confirmed is None:
        return False
    return may(request.user, "duties.decide") and request.user.pk not in (done.by_id, confirmed.by_id)


def _say(request: StaffRequest, item: Duty) -> None:
    """Carry out what the form asks for.

    Raises:
        ValidationError: by field, why it is not taken.
    """
    act, text = request.POST.get("act", ""), request.POST.get("text", "")
    if act in REPORTS:
        file = request.FILES.get("file")
        upload = (file.name or "", file.chunks()) if file is not None else None
        made = progress.report(
            item.key, by=request.user, text=text, link=request.POST.get("link", ""), upload=upload, is_claim=act == "claim"
        )
        messages.success(request, _("已申报完成，等待确认") if made.kind == ProgressEntry.Kind.CLAIM else _("已登记进展"))
    elif act in ("confirm", "return", "reopen"):
        claim = ProgressEntry.objects.filter(pk=asked.key(request.POST.get("claim")), item=item.key).first()
        if claim is None:
            raise ValidationError(_("该申报已由他人办理或已有变化；请刷新页面"))
        progress.answer(claim, kind=act, by=request.user, text=text)
        messages.success(request, _("已办理"))


@permitted("duties.view")
@require_GET
def entry_file(request: StaffRequest, pk: int) -> HttpResponse:
    """The file that an entry shows as proof, to be saved."""
    entry = get_object_or_404(ProgressEntry.objects.exclude(sha256=""), pk=pk)
    answer = proof_answer(entry)
    record_event("duties.file", request=request, ref=f"duty:{entry.item}", sha256=entry.sha256)
    return answer


@permitted("duties.view")
@require_GET
def acceptance_page(request: StaffRequest) -> HttpResponse:
    """The criteria of acceptance, each with what the site counts now."""
    version = version_in_force()
    axes = judged(version) if version is not None else []
    every = [item for _axis, items in axes for item in items]
    content = frame(version, "acceptance") | {"axes": axes, "met": sum(item.is_met for item in every), "all": len(every)}
    return render(request, "progress_acceptance.html", content)


@permitted("duties.view")
@require_GET
def papers_page(request: StaffRequest) -> HttpResponse:
    """The papers on progress that were issued, and which may be issued now."""
    version = version_in_force()
    content = frame(version, "papers")
    if version is not None:
        rows = ProgressPaper.objects.filter(plan=version.plan).select_related("paper", "made_by").order_by("-from_on", "-pk")
        content |= {"page": page_of(request, rows), "quarters": quarters(version), "weeks": papers.weeks(version)}
    return render(request, "progress_papers.html", content)


@permitted("duties.plan")
@require_POST
def issue_paper(request: StaffRequest) -> HttpResponse:
    """Issue the paper of a week or of a quarter."""
    version = version_in_force()
    if version is None:
        raise Http404
    with refusals_shown(request):
        try:
            made = _issued(request, version)
        except ZhixinError as error:
            raise ValidationError(error.message.in_language(get_language() or "zh")) from error
        messages.success(request, _("已出具 %(number)s") % {"number": made.paper.number})
    return redirect("progress_papers")


def _issued(request: StaffRequest, version: PlanVersion) -> ProgressPaper:
    week, quarter = asked.day(request.POST.get("week")), named_quarter(request.POST.get("quarter"))
    if week is not None:
        return papers.issue_weekly(version, week, request.user)
    if quarter is not None:
        return papers.issue_quarterly(version, quarter, request.user)
    raise ValidationError(_("请选择周或者季度"))


def named_quarter(text: str | None) -> Quarter | None:
    """Return the quarter that is written as 2026-3; ``None``: it is none."""
    year, _dash, number = (text or "").partition("-")
    wanted = asked.whole_number(year), asked.whole_number(number)
    if wanted[0] is None or wanted[1] is None or not (1990 < wanted[0] < 2200 and 1 <= wanted[1] <= 4):
        return None
    return Quarter(wanted[0], wanted[1])


@permitted("duties.view")
@require_GET
def progress_paper(request: StaffRequest, code: str) -> HttpResponse:
    """A paper on progress as it was issued."""
    paper = get_object_or_404(Paper.objects.filter(kind=Paper.Kind.PROGRESS), pk=code)
    record_event("duties.read_paper", request=request, ref=f"paper:{code}")
    return paper_answer(paper)
