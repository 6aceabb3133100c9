"""Rulebooks being written: drafts in forms and as YAML, what-if, consultation, expert weights, indicators under watch."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.explanation.articles import differences
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.governance.forms import editable_numbers, with_numbers
from zhixin_web.governance.models import Comment, Consultation, Draft, ExpertSheet, Panel, WhatIf
from zhixin_web.governance.monitoring import watched
from zhixin_web.governance.services import drafts as services
from zhixin_web.governance.services.consultations import open_consultation, publish_summary, reply_comment
from zhixin_web.governance.services.panels import open_panel, save_sheet
from zhixin_web.governance.tasks import execute_what_if
from zhixin_web.governance.weights import combined_weights
from zhixin_web.presentation import asked
from zhixin_web.presentation.language import in_english, language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of

LONGEST_RULEBOOK = 2_000_000


# --- drafts ----------------------------------------------------------------------------------------------------------------


@permitted("rulebooks.draft")
@require_POST
def new_draft(request: StaffRequest) -> HttpResponse:
    """Begin a draft from a released version."""
    base = get_object_or_404(RulebookRelease, pk=asked.key(request.POST.get("base")), status="released")
    with refusals_shown(request):
        draft = services.open_draft(base, title=request.POST.get("title", ""), by=request.user)
        return redirect("draft", pk=draft.pk)
    return redirect("rulebooks")


def _draft(
    request: StaffRequest, draft: Draft, *, faults: list[str], text: str, cases: str, status: int = 200
) -> HttpResponse:
    lines = sorted({item["line"] for item in draft.faults if not item["is_warning"]})
    content: dict[str, Any] = {
        "draft": draft, "text": text, "cases": cases, "faults": faults, "lines": lines,
        "errors": [item for item in draft.faults if not item["is_warning"]],
        "warnings": [item for item in draft.faults if item["is_warning"]],
        "excerpts": _excerpts(draft.text, draft.faults), "what_ifs": draft.what_ifs.order_by("-pk")[:10],
        "consultations": draft.consultations.defer("text").order_by("-pk"), "panels": draft.panels.order_by("-pk"),
        "run": Run.objects.newest_decisive(), "earliest": clock("consultation.shortest", timezone.localdate()).due_on,
    }  # fmt: skip
    return render(request, "draft.html", content, status=status)


def _excerpts(text: str, faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each fault with the line it stands in."""
    lines = text.split("\n")
    return [item | {"source": lines[item["line"] - 1][:160] if 0 < item["line"] <= len(lines) else ""} for item in faults]


@permitted("rulebooks.draft")
def draft_page(request: StaffRequest, pk: int) -> HttpResponse:
    """A draft as YAML: every save checks it, shows each fault at its line, and runs the cases."""
    draft = get_object_or_404(Draft.objects.select_related("base", "changed_by"), pk=pk)
    if request.method != "POST":
        return _draft(request, draft, faults=[], text=draft.text, cases=draft.cases)
    revision = request.POST.get("revision", "")
    try:
        services.save_draft(
            draft, text=request.POST.get("text", ""), cases=request.POST.get("cases", ""),
            revision=asked.key(revision), by=request.user,
        )  # fmt: skip
        messages.success(request, _("已保存、检查并运行用例"))
        return redirect("draft", pk=pk)
    except ValidationError as error:
        draft.refresh_from_db()
        return _draft(
            request,
            draft,
            faults=error.messages,
            text=request.POST.get("text", ""),
            cases=request.POST.get("cases", ""),
            status=422,
        )


@permitted("rulebooks.draft")
def draft_form(request: StaffRequest, pk: int) -> HttpResponse:
    """A draft's numbers as a form: points, limits, cuts, ratios, terms, with the words they make."""
    draft = get_object_or_404(Draft.objects.select_related("base"), pk=pk)
    faults: list[str] = []
    if request.method == "POST":
        revision = request.POST.get("revision", "")
        try:
            text = with_numbers(draft.text, dict(request.POST.items()))
            services.save_draft(draft, text=text, cases=draft.cases, revision=asked.key(revision), by=request.user)
            messages.success(request, _("已保存、检查并运行用例"))
            return redirect("draft_form", pk=pk)
        except ValidationError as error:
            faults = error.messages
    content = {
        "draft": draft,
        "groups": editable_numbers(draft.text, language_code()),
        "faults": faults,
        "sent": request.POST,
    }
    return render(request, "draft_form.html", content, status=422 if faults else 200)


@permitted("rulebooks.draft")
@require_GET
def draft_difference(request: StaffRequest, pk: int) -> HttpResponse:
    """What a draft changes against the version it began from."""
    draft = get_object_or_404(Draft.objects.select_related("base"), pk=pk)
    with refusals_shown(request):
        changes = differences(rulebook_of(draft.base), services.rulebook_of_draft(draft), language_code())
        return render(request, "draft_difference.html", {"draft": draft, "changes": changes})
    return redirect("draft", pk=pk)


@permitted("rulebooks.draft")
@require_POST
def put_forward(request: StaffRequest, pk: int) -> HttpResponse:
    """Propose a draft for release."""
    with refusals_shown(request):
        text = request.POST.get("effective_from", "")
        day = asked.day(text)
        if text and day is None:
            raise ValidationError(_("日期应写作 2026-01-31"))
        release = services.put_forward(get_object_or_404(Draft, pk=pk, is_closed=False), by=request.user, effective_from=day)
        messages.success(request, _("规则已提交，等待另一人审批"))
        return redirect("rulebook", pk=release.pk)
    return redirect("draft", pk=pk)


# --- what if ---------------------------------------------------------------------------------------------------------------


@permitted("rulebooks.draft")
@require_POST
def new_what_if(request: StaffRequest, pk: int) -> HttpResponse:
    """Evaluate a draft on the facts of the newest released run, without effect."""
    draft, run = get_object_or_404(Draft, pk=pk), Run.objects.newest_decisive()
    if run is None:
        messages.error(request, _("还没有已发布的评价，无从推演"))
        return redirect("draft", pk=pk)
    with refusals_shown(request):
        item = services.start_what_if(draft, run, by=request.user)
        if item.status == WhatIf.Status.QUEUED:
            execute_what_if.enqueue(item.pk)
        return redirect("what_if", pk=item.pk)
    return redirect("draft", pk=pk)


@permitted("runs.view")
@require_GET
def what_if_page(request: StaffRequest, pk: int) -> HttpResponse:
    """Who would move, why, by district, class and industry; inspections before and after."""
    item = get_object_or_404(WhatIf.objects.select_related("draft", "run"), pk=pk)
    result = item.result
    content: dict[str, Any] = {
        "item": item,
        "result": result,
        "is_busy": item.status in (WhatIf.Status.QUEUED, WhatIf.Status.RUNNING),
    }
    if result:
        work = result["workload"]
        content |= {
            "matrix": list(zip(result["grades"], result["matrix"], strict=True)),
            "before": sum(row["before"] for row in work), "after": sum(row["after"] for row in work),
        }  # fmt: skip
    return render(request, "what_if_state.html" if request.headers.get("HX-Request") else "what_if.html", content)


# --- consultation ----------------------------------------------------------------------------------------------------------


@permitted("consultations.manage", reauthenticate=True)
@require_POST
def new_consultation(request: StaffRequest, pk: int) -> HttpResponse:
    """Lay a draft before the public."""
    draft = get_object_or_404(Draft, pk=pk)
    closes = asked.day(request.POST.get("closes_on"))
    with refusals_shown(request):
        made = open_consultation(
            draft,
            title=request.POST.get("title", ""),
            explanation=request.POST.get("explanation", ""),
            closes_on=closes,
            by=request.user,
        )
        messages.success(request, _("已公开征求意见"))
        return redirect("manage_consultation", pk=made.pk)
    return redirect("draft", pk=pk)


@permitted("runs.view")
@require_GET
def consultation_page(request: StaffRequest, pk: int) -> HttpResponse:
    """Comments with their answers, and the summary."""
    item = get_object_or_404(Consultation.objects.select_related("draft").defer("text"), pk=pk)
    rows = page_of(request, item.comments.select_related("replied_by").order_by("replied_at", "pk"))
    content = {
        "item": item,
        "page": rows,
        "waiting": item.comments.filter(replied_by=None).count(),
        "today": timezone.localdate(),
    }
    return render(request, "consultation.html", content)


@permitted("consultations.manage")
@require_POST
def reply(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer one comment in public."""
    comment = get_object_or_404(Comment, pk=pk)
    with refusals_shown(request):
        reply_comment(
            comment, reply=request.POST.get("reply", ""), is_adopted=request.POST.get("adopted") == "1", by=request.user
        )
        messages.success(request, _("已答复"))
    return redirect("manage_consultation", pk=comment.consultation_id)


@permitted("consultations.manage")
@require_POST
def summarise(request: StaffRequest, pk: int) -> HttpResponse:
    """Publish what came of a consultation."""
    item = get_object_or_404(Consultation, pk=pk)
    with refusals_shown(request):
        publish_summary(item, summary=request.POST.get("summary", ""), by=request.user)
        messages.success(request, _("采纳情况已公布"))
    return redirect("manage_consultation", pk=pk)


# --- expert weights and monitoring -----------------------------------------------------------------------------------------


@permitted("rulebooks.draft")
@require_POST
def new_panel(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask experts to weigh the dimensions of a draft."""
    draft, run = get_object_or_404(Draft, pk=pk), Run.objects.newest_decisive()
    if run is None:
        messages.error(request, _("还没有已发布的评价，无从计算数据权重"))
        return redirect("draft", pk=pk)
    share = request.POST.get("share", "50")
    with refusals_shown(request):
        panel = open_panel(
            draft,
            run,
            title=request.POST.get("title", ""),
            share_milli=-1 if asked.whole_number(share) is None else 10 * asked.key(share),
            by=request.user,
        )
        return redirect("panel", pk=panel.pk)
    return redirect("draft", pk=pk)


@permitted("rulebooks.draft")
def panel_page(request: StaffRequest, pk: int) -> HttpResponse:
    """Sheets of the experts with their consistency, data-driven weights, and both combined."""
    panel = get_object_or_404(Panel.objects.select_related("draft"), pk=pk)
    names = panel.names
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    faults: list[str] = []
    if request.method == "POST":
        judged = [request.POST.get(f"{one}~{other}", "") for one, other in pairs]
        try:
            sheet = save_sheet(panel, expert=request.POST.get("expert", ""), judgements=judged, by=request.user)
            if sheet.is_consistent:
                messages.success(request, _("判断已保存，一致性通过"))
            else:
                messages.error(request, sheet.remark.split("\n")[1 if in_english() else 0])
            return redirect("panel", pk=pk)
        except ValidationError as error:
            faults = error.messages
    titles = _dimension_titles(panel)
    together = combined_weights(panel)
    content = {
        "panel": panel, "faults": faults, "scale": services.SCALE, "sent": request.POST, "sheets": _sheets(panel),
        "pairs": [(f"{one}~{other}", titles[one], titles[other]) for one, other in pairs],
        "weights": [
            {"title": titles[name], "experts": (together.experts or {}).get(name), "objective": (together.objective or {}).get(name),
             "together": (together.together or {}).get(name)}
            for name in names
        ],
        "flat": [titles.get(name, name) for name in panel.objective.get("flat", [])],
    }  # fmt: skip
    return render(request, "panel.html", content, status=422 if faults else 200)


def _dimension_titles(panel: Panel) -> dict[str, str]:
    try:
        rulebook = services.rulebook_of_draft(panel.draft)
    except ValidationError:
        rulebook = rulebook_of(panel.draft.base)
    titles = {item.id: item.title.in_language(language_code()) for item in rulebook.dimensions}
    return {name: titles.get(name, name) for name in panel.names}


def _sheets(panel: Panel) -> list[tuple[ExpertSheet, str]]:
    place = 1 if in_english() else 0
    return [(item, (item.remark.split("\n") + ["", ""])[place]) for item in panel.sheets.order_by("expert")]


@permitted("runs.view")
@require_GET
def indicators(request: StaffRequest) -> HttpResponse:
    """Every indicator under watch: coverage, drift against the run before, hit rate, and what to look at."""
    runs = list(Run.objects.decisive().filter(rolls_back=None).select_related("release")[:2])
    runs = [
        run for run in runs if (run_folder(run) / "contributions.parquet").is_file()
    ]  # an archive may be on another disk
    rows = watched(runs[0], runs[1] if len(runs) > 1 else None) if runs else []
    only = request.GET.get("noted") == "1"
    content = {
        "runs": runs,
        "rows": [row for row in rows if row.note or not only],
        "only": only,
        "noted": sum(bool(row.note) for row in rows),
    }
    return render(request, "indicators.html", content)
