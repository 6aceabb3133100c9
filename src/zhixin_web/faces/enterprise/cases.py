"""Cases as their party reads them: the clock, what was served, what one may do now."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.clocks import clock_of, procedure_of
from zhixin_web.cases.models import Attachment, Case, CaseDraft, CasePaper
from zhixin_web.cases.queries import cases_of_party
from zhixin_web.cases.reading import steps_told
from zhixin_web.cases.services.transitions import carry_out, settle_or_leave, steps_open_to
from zhixin_web.faces.enterprise.principal import principal, principal_code, show
from zhixin_web.measures.queries import ground_records
from zhixin_web.presentation.kept_files import attachment_answer, paper_answer
from zhixin_web.presentation.paging import page_of


def _case(request: StaffRequest, pk: int) -> Case:
    return get_object_or_404(cases_of_party(principal_code(request)), pk=pk)


@permitted("mine.view")
@require_GET
def cases_page(request: StaffRequest) -> HttpResponse:
    """Open cases by deadline, then those that are closed; what was begun."""
    subject = principal(request)
    record_event("mine.cases", request=request, ref=subject.code)
    found = cases_of_party(subject.code).order_by("-is_open", "due_on", "-pk")
    drafts = CaseDraft.objects.filter(subject=subject).order_by("-changed_at")
    return show(request, "cases.html", {"page": page_of(request, found), "drafts": drafts})


@permitted("mine.view")
def case_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One case: clock, progress, papers, and the steps that are the party's."""
    case = _case(request, pk)
    faults: list[str] = []
    if request.method == "POST":
        try:
            done = carry_out(case, request.POST.get("step", ""), by=request.user, reason=request.POST.get("reason", ""))
            settle_or_leave(done)
            messages.success(request, _("已提交"))
            return redirect("my_case", pk=pk)
        except PermissionDenied:
            faults = [_("现在不能办理这一步")]
        except ValidationError as error:
            faults = error.messages
        case.refresh_from_db()
    procedure = procedure_of(case)
    steps = list(case.steps.select_related("by", "paper").order_by("position"))
    record_event("mine.case", request=request, ref=f"case:{pk}")
    content = {
        "case": case, "procedure": procedure, "state": procedure.state(case.state), "clock": clock_of(case, procedure, steps),
        "steps": steps_told(procedure, steps), "open_steps": steps_open_to(request.user, case), "faults": faults,
        "given": request.POST, "files": case.attachments.order_by("pk"),
        "grounds": ground_records(case.details.get("records", [])),
    }  # fmt: skip
    return show(request, "case.html", content, status=422 if faults else 200)


@permitted("mine.view")
@require_GET
def paper(request: StaffRequest, pk: int, position: int) -> HttpResponse:
    """A paper as it was served."""
    case = _case(request, pk)
    found = get_object_or_404(CasePaper.objects.select_related("paper"), step__case=case, step__position=position)
    answer = paper_answer(found.paper)
    record_event("mine.paper", request=request, ref=f"case:{pk}", number=found.number)
    return answer


@permitted("mine.view")
@require_GET
def attachment(request: StaffRequest, pk: int, file: int) -> HttpResponse:
    """A file that was attached to a case."""
    found = get_object_or_404(Attachment, pk=file, case=_case(request, pk))
    answer = attachment_answer(found)
    record_event("mine.attachment", request=request, ref=f"case:{pk}", sha256=found.sha256)
    return answer
