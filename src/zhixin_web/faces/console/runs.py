"""Pages of evaluation: runs with live progress, distribution, movers, outliers, two-person release, roll back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.sources import sources
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.queries import ledger_size
from zhixin_web.cases.models import ErrorReport
from zhixin_web.collection.originals import read_progress
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.preflight import preflight
from zhixin_web.evaluations.results import results_of
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.release import propose_rollback, propose_run, release_run
from zhixin_web.evaluations.services.replay import replay
from zhixin_web.evaluations.tasks import execute_run
from zhixin_web.presentation import asked
from zhixin_web.presentation.charts import histogram
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.rulebooks.models import RulebookRelease


@permitted("runs.view")
@require_GET
def runs_page(request: StaffRequest) -> HttpResponse:
    """All runs, newest first."""
    found = Run.objects.select_related("release", "started_by").order_by("-pk")
    return render(request, "runs.html", {"page": page_of(request, found)})


def _released() -> Any:
    return RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED).order_by("-approved_at")


@permitted("runs.start")
def new_run(request: StaffRequest) -> HttpResponse:
    """Choose rulebook and cut-off; see what is stale or missing; start."""
    faults: list[str] = []
    releases = list(_released())
    chosen = next(
        (item for item in releases if str(item.pk) == request.POST.get("release", request.GET.get("release"))),
        releases[0] if releases else None,
    )
    text = request.POST.get("as_of") or timezone.localdate().isoformat()
    if request.method == "POST" and chosen is not None:
        known, day = request.POST.get("known_seq", "").strip(), asked.day(text)
        try:
            if day is None or (known and asked.whole_number(known) is None):
                raise ValidationError(_("日期应写作 2026-01-31，账本序号应为整数"))
            run = services.start_run(chosen, as_of=day, by=request.user, known_seq=asked.whole_number(known))
            execute_run.enqueue(run.pk)
            return redirect("run", pk=run.pk)
        except ValidationError as error:
            faults = error.messages
    checks = preflight(chosen, timezone.localdate()) if chosen else {}
    stale = [sources()[name].title for name in checks.get("stale", [])]
    content = {
        "releases": releases,
        "chosen": chosen,
        "checks": checks,
        "stale": stale,
        "disputed": ErrorReport.objects.filter(status=ErrorReport.Status.OPEN).count(),
        "faults": faults,
        "as_of": text,
        "last_seq": ledger_size() - 1,
    }
    return render(request, "run_new.html", content, status=422 if faults else 200)


@permitted("runs.view")
@require_GET
def run_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One run: progress while it goes on; then distribution, movers, hashes and what may be done next."""
    run = get_object_or_404(Run.objects.select_related("release", "started_by", "proposed_by", "released_by"), pk=pk)
    grades = run.summary.get("grades", {})
    total = sum(grades.values()) or 1
    moves = [
        (*key.split(">"), count)
        for key, count in run.summary.get("matrix", {}).items()
        if key.split(">")[0] != key.split(">")[1]
    ]
    results = results_of(run) if not run.is_busy else None
    content = {
        "results": results, "chart": histogram(results.histogram, results.step, results.cuts) if results else None,
        "can_roll_back": run.status == Run.Status.RELEASED and run.kind == Run.Kind.FULL,
        "run": run, "grades": [(name, count, round(100 * count / total, 1)) for name, count in grades.items()],
        "moves": moves, "progress": read_progress(f"run-{pk}") if run.is_busy else {}, "stale": [sources()[name].title for name in run.preflight.get("stale", [])],
    }  # fmt: skip
    return render(request, "run_state.html" if request.headers.get("HX-Request") else "run.html", content)


def _acted(request: StaffRequest, pk: int, act: Any, done: str) -> HttpResponse:
    """Do one step of a run and say what came of it."""
    with refusals_shown(request, denied=_("提请人与审批人不能是同一人")):
        act(get_object_or_404(Run, pk=pk), request.user)
        messages.success(request, done)
    return redirect("run", pk=pk)


@permitted("runs.start")
@require_POST
def cancel(request: StaffRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, services.cancel_run, _("已请求取消"))


@permitted("runs.start")
@require_POST
def retry(request: StaffRequest, pk: int) -> HttpResponse:
    """Go on with a failed or cancelled run: same rulebook, cut-off and facts."""
    response = _acted(request, pk, services.retry_run, _("已重新排队"))
    execute_run.enqueue(pk)
    return response


@permitted("runs.propose")
@require_POST
def propose(request: StaffRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, propose_run, _("已提请发布，等待另一人审批"))


@permitted("runs.release", reauthenticate=True)
@require_POST
def release(request: StaffRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, release_run, _("已发布，等级生效"))


@permitted("runs.propose", reauthenticate=True)
@require_POST
def roll_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Propose that the results before this run be published again; another person releases that."""
    run = get_object_or_404(Run, pk=pk)
    with refusals_shown(request):
        made = propose_rollback(run, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("已提请回退，等待另一人审批"))
        return redirect("run", pk=made.pk)
    return redirect("run", pk=pk)


@permitted("runs.view")
@require_POST
def replay_run(request: StaffRequest, pk: int) -> HttpResponse:
    """Recompute a run from the facts and compare bytes."""
    run = get_object_or_404(Run, pk=pk)
    if not run.folder:
        return redirect("run", pk=pk)
    return render(request, "replay.html", {"run": run, "result": replay(run)})
