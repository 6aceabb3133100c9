"""Grade management and the reports desk: overrides and holds by two persons, error reports with a clock."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.sources import sources
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.models import ErrorReport
from zhixin_web.cases.queries import visible_reports
from zhixin_web.cases.services.reports import answer_report
from zhixin_web.evaluations.models import GradeOrder
from zhixin_web.evaluations.services import orders as order_services
from zhixin_web.presentation import asked
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.scope import visible_subjects
from zhixin_web.rulebooks.deadlines import clock


@permitted("runs.view")
@require_GET
def grades_page(request: StaffRequest) -> HttpResponse:
    """All orders: proposed first, then in force, then past."""
    found = GradeOrder.objects.select_related("subject", "proposed_by", "decided_by")
    status = request.GET.get("status", "")
    if status in GradeOrder.Status.values:
        found = found.filter(status=status)
    rows = page_of(request, found.order_by("-pk"))
    return render(request, "grades.html", {"page": rows, "status": status, "statuses": GradeOrder.Status.choices})


@permitted("grades.propose", reauthenticate=True)
@require_POST
def propose_order(request: StaffRequest, code: str) -> HttpResponse:
    """Propose that a subject's grade be set by hand or held."""
    subject: Subject = get_object_or_404(visible_subjects(request.user), code=code)
    until = asked.day(request.POST.get("until"))
    with refusals_shown(request):
        order_services.propose_order(
            subject, kind=request.POST.get("kind", ""), grade=request.POST.get("grade", ""), reason=request.POST.get("reason", ""),
            basis=request.POST.get("basis", ""), until=until, by=request.user,
        )  # fmt: skip
        messages.success(request, _("已提请，等待另一人审批"))
    return redirect(f"/c/subjects/{code}#orders")


@permitted("grades.approve", reauthenticate=True)
@require_POST
def decide_order(request: StaffRequest, pk: int) -> HttpResponse:
    """Approve or refuse what another person proposed."""
    with refusals_shown(request, denied=_("提请人与审批人不能是同一人")):
        approve = request.POST.get("approve") == "1"
        order_services.decide_order(get_object_or_404(GradeOrder, pk=pk), approve=approve, by=request.user)
        messages.success(request, _("已批准，等级调整生效") if approve else _("未予批准"))
    return redirect("grades")


@permitted("grades.propose", reauthenticate=True)
@require_POST
def end_order(request: StaffRequest, pk: int) -> HttpResponse:
    """End an order before its term."""
    order_services.end_order(get_object_or_404(GradeOrder, pk=pk), by=request.user)
    messages.success(request, _("已终止，恢复评价结果"))
    return redirect("grades")


# --- error reports ---------------------------------------------------------------------------------------------------------


@permitted("reports.view")
@require_GET
def reports_page(request: StaffRequest) -> HttpResponse:
    """Error reports on this account's sources, the nearest deadline first."""
    status = request.GET.get("status", "open")
    found = visible_reports(request.user)
    if status in ErrorReport.Status.values:
        found = found.filter(status=status)
    rows = page_of(request, found.order_by("due_on", "pk"))
    content = {"page": rows, "status": status, "statuses": ErrorReport.Status.choices, "today": timezone.localdate()}
    return render(request, "reports.html", content)


@permitted("reports.view")
def report_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One report with the record it is about; the owner answers with reasons."""
    report = get_object_or_404(visible_reports(request.user), pk=pk)
    faults: list[str] = []
    if request.method == "POST":
        try:
            answer_report(
                report, upheld=request.POST.get("upheld") == "1", answer=request.POST.get("answer", ""), by=request.user
            )
            messages.success(request, _("已答复，报错人可凭编号看到"))
            return redirect("report", pk=pk)
        except PermissionDenied:
            faults = [_("该来源不属于您的单位，只能由来源单位或市局答复")]
        except ValidationError as error:
            faults = error.messages
    record_event("reports.view", request=request, ref=f"report:{pk}")
    versions = CreditRecord.objects.filter(key=report.record_key).order_by("version")
    content: dict[str, Any] = {
        "report": report, "versions": versions, "manifest": sources()[report.source], "faults": faults,
        "clock": clock("report.answer", report.filed_on), "sent": request.POST,
    }  # fmt: skip
    return render(request, "report.html", content, status=422 if faults else 200)
