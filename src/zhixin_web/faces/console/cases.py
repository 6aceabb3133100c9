"""Case work: the inbox by deadline, one case with its clock and papers, applications on a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin.law.procedures import Transition, procedures
from zhixin.reference.listing_rules import WEIGHTS, listing_rules
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.clocks import clock_of, procedure_of
from zhixin_web.cases.models import Attachment, Case, CasePaper
from zhixin_web.cases.queries import visible_cases
from zhixin_web.cases.reading import ShownStep
from zhixin_web.cases.services.filing import eligibility, open_case
from zhixin_web.cases.services.grounds import conducts
from zhixin_web.cases.services.listing import listed_now, penalties_of
from zhixin_web.cases.services.transitions import carry_out, settle_or_leave, steps_open_to
from zhixin_web.measures.queries import ground_records
from zhixin_web.presentation import asked
from zhixin_web.presentation.kept_files import attachment_answer, paper_answer
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import faults_by_field
from zhixin_web.records.queries import named
from zhixin_web.records.scope import visible_records, visible_subjects
from zhixin_web.records.services.repair_and_revocation import is_current, last_version


@permitted("cases.view")
@require_GET
def cases_page(request: StaffRequest) -> HttpResponse:
    """The cases that an account may see, the nearest deadline first."""
    known, wanted = procedures(), request.GET.get("procedure", "")
    found = visible_cases(request.user)
    status = request.GET.get("status", "open")
    if status in ("open", "closed"):
        found = found.filter(is_open=status == "open")
    if wanted in known:
        found = found.filter(procedure=wanted)
    query = asked.name(request.GET.get("q"))
    found = found.filter(named(query, "subject__"))
    content = {
        "page": page_of(request, found.order_by("-is_open", "due_on", "-pk")), "procedures": known.values(), "procedure": wanted,
        "status": status, "query": query, "today": timezone.localdate(),
        "statuses": [("open", _("办理中")), ("closed", _("已办结")), ("all", _("全部"))],
    }  # fmt: skip
    return render(request, "cases.html", content)


@permitted("cases.view", reauthenticate=True)
def case_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One case: what was said, the steps so far with their papers, the clock day by day, the steps this account may take."""
    case = get_object_or_404(visible_cases(request.user), pk=pk)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            step, reason = request.POST.get("step", ""), request.POST.get("reason", "")
            done = carry_out(case, step, by=request.user, reason=reason, answers=request.POST)
            settle_or_leave(done)
            messages.success(request, _("已办理"))
            return redirect("case", pk=pk)
        except PermissionDenied:
            faults = {"": [_("须由另一位有权限的人办理")]}
        except ValidationError as error:
            faults = {"": [_("有未填好的项目，见下。")]} | faults_by_field(error)
        case.refresh_from_db()
    procedure = procedure_of(case)
    steps = list(case.steps.select_related("by", "paper").order_by("position"))
    steps_open = steps_open_to(request.user, case)
    record_event("cases.view", request=request, ref=f"case:{pk}")
    content: dict[str, Any] = {
        "case": case, "procedure": procedure, "state": procedure.state(case.state), "clock": clock_of(case, procedure, steps),
        "steps": [ShownStep.of(done, procedure) for done in steps],
        "files": case.attachments.order_by("pk"), "grounds": ground_records(case.details.get("records", [])), "open_steps": steps_open, "faults": faults, "given": request.POST, "asked": _asked(case, steps_open, request.POST, faults),
        "registers_for_party": any(step.by == "applicant" for step in steps_open),
        "waits_for_another": procedure.state(case.state).turn == "approver" and case.proposed_by_id == request.user.pk,
    }  # fmt: skip
    return render(request, "case.html", content, status=422 if faults else 200)


def _asked(
    case: Case, steps: Sequence[Transition], given: Mapping[str, str], faults: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Return the fields that the open steps ask for, as they were given or as they stand in the case."""
    asked_for = {step.asks for step in steps}
    kept = case.details.get("factors", {})
    factors = [
        {
            "item": item, "weight": given.get(f"factor_{item.code}") or kept.get(item.code, {}).get("weight", ""),
            "note": given.get(f"note_{item.code}") or kept.get(item.code, {}).get("note", ""),
            "faults": faults.get(f"factor_{item.code}", []),
        }
        for item in (listing_rules().factors if "factors" in asked_for else ())
    ]  # fmt: skip
    return {"factors": factors, "weights": WEIGHTS, "superior": "superior" in asked_for}


@permitted("cases.view")
@require_GET
def case_paper(request: StaffRequest, pk: int, position: int) -> HttpResponse:
    """The paper of a step as it was issued."""
    case = get_object_or_404(visible_cases(request.user), pk=pk)
    paper = get_object_or_404(CasePaper.objects.select_related("paper"), step__case=case, step__position=position)
    answer = paper_answer(paper.paper)
    record_event("cases.paper", request=request, ref=f"case:{pk}", number=paper.number)
    return answer


@permitted("cases.view")
@require_GET
def case_attachment(request: StaffRequest, pk: int, file: int) -> HttpResponse:
    """A file that the applicant attached."""
    found = get_object_or_404(Attachment, pk=file, case=get_object_or_404(visible_cases(request.user), pk=pk))
    answer = attachment_answer(found)
    record_event("cases.attachment", request=request, ref=f"case:{pk}", sha256=found.sha256)
    return answer


@permitted("cases.handle")
def new_case(request: StaffRequest, seq: int, procedure: str) -> HttpResponse:
    """Apply for repair, object, or make a statement on a record: eligibility first, then what the applicant says."""
    chosen = procedures().get(procedure)
    if chosen is None or chosen.about != "record":
        raise Http404
    record = get_object_or_404(visible_records(request.user), pk=seq)
    record_event("records.view", request=request, ref=f"record:{seq}")
    if not is_current(record):
        messages.error(request, _("该记录不是有效的最新版本"))
        return redirect("record", seq=last_version(record.key).seq)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            made = open_case(
                chosen.id, record=record, subject=record.subject, text=request.POST.get("text", ""), by=request.user
            )
            messages.success(request, _("已提交，可在此页查看进度"))
            return redirect("case", pk=made.pk)
        except ValidationError as error:
            faults = faults_by_field(error)
    verdict = eligibility(record, chosen, timezone.localdate())
    content = {
        "record": record, "procedure": chosen, "verdict": verdict, "faults": faults, "given": request.POST,
        "from": date.fromisoformat(verdict["from"]) if verdict["from"] else None,
    }  # fmt: skip
    return render(request, "case_new.html", content, status=422 if faults else 200)


@permitted("cases.handle", reauthenticate=True)
def new_determination(request: StaffRequest, code: str) -> HttpResponse:
    """File a determination of dishonest conduct: which conduct, on which effective document, why."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    record_event("subjects.view", request=request, ref=code)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        details = {name: request.POST.get(name, "") for name in ("conduct", "document", "document_on", "is_final")}
        try:
            made = open_case(
                "determination", subject=subject, text=request.POST.get("text", ""), details=details, by=request.user
            )
            messages.success(request, _("已立案"))
            return redirect("case", pk=made.pk)
        except ValidationError as error:
            faults = faults_by_field(error)
    content = {
        "subject": subject,
        "conducts": conducts(),
        "faults": faults,
        "given": request.POST,
        "procedure": procedures()["determination"],
    }
    return render(request, "determination_new.html", content, status=422 if faults else 200)


@permitted("cases.handle", reauthenticate=True)
def new_listing(request: StaffRequest, code: str) -> HttpResponse:
    """File an entry on the serious-dishonesty list: which conduct, on which penalty, why that is heavy."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    record_event("subjects.view", request=request, ref=code)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        details = {name: request.POST.get(name, "") for name in ("listing", "penalty", "heavy")}
        try:
            made = open_case("listing", subject=subject, text=request.POST.get("text", ""), details=details, by=request.user)
            messages.success(request, _("已立案"))
            return redirect("case", pk=made.pk)
        except ValidationError as error:
            faults = faults_by_field(error)
    penalties = penalties_of(subject)
    content = {
        "subject": subject, "rules": listing_rules(), "faults": faults, "given": request.POST, "procedure": procedures()["listing"],
        "penalties": ground_records(item.key for item in penalties), "listed": listed_now(subject, timezone.localdate()),
    }  # fmt: skip
    return render(request, "listing_new.html", content, status=422 if faults else 200)
