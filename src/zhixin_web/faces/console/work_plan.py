"""The work plan itself: its versions, the quarterly reports of the units, the minutes of the joint conference."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.errors import Fault
from zhixin_web.accounts.permissions import StaffRequest, may, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.duties.comparing import changes, confirmed_but_changed
from zhixin_web.duties.models import Meeting, PlanVersion
from zhixin_web.duties.queries import (
    dropped,
    duties,
    effective_versions,
    key_of,
    plan_in,
    plan_of,
    quarters,
    reports_of,
    unit_names,
    version_in_force,
)
from zhixin_web.duties.services import meetings, plans
from zhixin_web.duties.services import quarters as quarterly
from zhixin_web.faces.console.progress import frame, named_quarter
from zhixin_web.presentation import asked
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import faults_by_field, refusals_shown

LINES = 5
"""Lines for resolutions that an empty form shows."""


@permitted("duties.view")
@require_GET
def plans_page(request: StaffRequest) -> HttpResponse:
    """The versions of the plan, what waits for approval, and how to put the next one forward."""
    version = version_in_force()
    content = frame(version, "plan") | {
        "page": page_of(request, PlanVersion.objects.select_related("proposed_by", "decided_by").order_by("-pk")),
        "dropped": dropped(version) if version is not None else [],
    }  # fmt: skip
    return render(request, "work_plans.html", content)


@permitted("duties.plan")
def new_plan(request: StaffRequest) -> HttpResponse:
    """Put a version forward, as a file or as text; faults are shown with line and remedy, and nothing typed is lost."""
    faults: dict[str, list[str]] = {}
    in_text: list[Fault] = []
    version = version_in_force()
    text = request.POST.get("text", "") if request.method == "POST" else version.text if version is not None else ""
    if request.method == "POST":
        try:
            text = _text(request) or text
            made = plans.propose_plan(text, reason=request.POST.get("reason", ""), by=request.user)
            messages.success(request, _("已提请审批；须由另一位审批人批准后执行"))
            return redirect("work_plan", pk=made.pk)
        except plans.PlanRefused as refused:
            in_text = refused.faults
        except ValidationError as error:
            faults = faults_by_field(error)
    content = frame(version, "plan") | {"text": text, "faults": faults, "in_text": in_text, "given": request.POST}
    return render(request, "work_plan_new.html", content, status=422 if faults or in_text else 200)


def _text(request: StaffRequest) -> str:
    """Return the content of the file that was sent; empty where none was.

    Raises:
        ValidationError: too large, or no text in UTF-8.
    """
    file = request.FILES.get("file")
    if file is None:
        return ""
    content: bytes = file.read(plans.MOST_BYTES + 1)
    if len(content) > plans.MOST_BYTES:  # cut in the middle of a character it would seem to be no text
        raise ValidationError({"file": plans.too_large()})
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError({"file": _("文件不是 UTF-8 编码的文本；请另存为 UTF-8 后上传")}) from None


@permitted("duties.view")
@require_GET
def work_plan(request: StaffRequest, pk: int) -> HttpResponse:
    """A version: what it says, what it changes, who put it forward and who decided."""
    version = get_object_or_404(PlanVersion.objects.select_related("proposed_by", "decided_by"), pk=pk)
    waits = version.status == PlanVersion.Status.PROPOSED
    content = frame(version_in_force(), "plan") | {
        "shown": version, "shown_plan": plan_of(version), "changes": changes(version), "void": confirmed_but_changed(version),
        "names": unit_names(version.plan),
        "may_decide": waits and may(request.user, "duties.decide") and request.user.pk != version.proposed_by_id,
    }  # fmt: skip
    return render(request, "work_plan.html", content)


@permitted("duties.view")
@require_GET
def work_plan_text(request: StaffRequest, pk: int) -> HttpResponse:
    """The file of a version, as it was put forward."""
    version = get_object_or_404(PlanVersion, pk=pk)
    headers = {"Content-Disposition": f'attachment; filename="{version.plan}.yaml"'}
    return HttpResponse(version.text, content_type="application/yaml; charset=utf-8", headers=headers)


@permitted("duties.decide")
@require_POST
def decide_plan(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a version into force, or refuse it."""
    version = get_object_or_404(PlanVersion, pk=pk)
    with refusals_shown(request, denied=_("须由另一位有权限的人办理")):
        approve = _decision(request)
        plans.decide_plan(version, approve=approve, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("已批准，即日起执行") if approve else _("已退回"))
    return redirect("work_plan", pk=pk)


def _decision(request: StaffRequest) -> bool:
    act = request.POST.get("act")
    if act not in ("approve", "refuse"):
        raise ValidationError(_("请选择批准或退回"))
    return act == "approve"


@permitted("duties.view")
def quarters_page(request: StaffRequest) -> HttpResponse:
    """Quarterly reports: which unit has reported of which quarter; one's own unit reports here."""
    version = version_in_force()
    content = frame(version, "quarters")
    if version is None:
        return render(request, "progress_quarters.html", content)
    known = quarters(version)
    asked_for = named_quarter((request.POST or request.GET).get("quarter"))
    quarter = asked_for if asked_for in known else known[0] if known else None
    if request.method == "GET" and "quarter" in request.GET and asked_for != quarter:
        messages.warning(request, _("该季度尚未结束，或者不在方案的报告范围内"))
    plan = plan_in(version, quarter) if quarter is not None else plan_of(version)
    unit = request.user.unit_code
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            if quarter is None or quarter != asked_for:  # never what was written for one quarter under another
                raise ValidationError(_("该季度尚未结束，或者不在方案的报告范围内"))
            words = {name: request.POST.get(name, "") for name in quarterly.PARTS}
            quarterly.file_report(version, quarter, by=request.user, words=words)
            messages.success(request, _("已填报"))
            return redirect(f"{request.path}?quarter={quarter.year}-{quarter.number}")
        except ValidationError as error:
            faults = faults_by_field(error)
    reports = reports_of(plan.id, quarter) if quarter is not None else {}
    own = reports[unit][-1] if unit in reports else None
    given = request.POST or ({name: getattr(own, name) for name in quarterly.PARTS} if own is not None else {})
    content |= {
        "known": known, "quarter": quarter, "due_on": quarter.due_on(plan.reporting) if quarter is not None else None,
        "rows": [(item.code, reports.pop(item.code, [])) for item in plan.units] + list(reports.items()), "faults": faults, "given": given, "own": own,
        "may_write": quarter is not None and may(request.user, "duties.report") and unit in {item.code for item in plan.units},
        "own_items": [item for item in duties(version) if item.lead == unit],
    }  # fmt: skip
    return render(request, "progress_quarters.html", content, status=422 if faults else 200)


@permitted("duties.view")
@require_GET
def meetings_page(request: StaffRequest) -> HttpResponse:
    """The meetings of the joint conference, the last first."""
    version = version_in_force()
    content = frame(version, "meetings")
    if version is not None:
        rows = Meeting.objects.filter(plan=version.plan).select_related("recorded_by", "decided_by")
        content["page"] = page_of(request, rows.order_by("-held_on", "-pk"))
    return render(request, "meetings.html", content)


@permitted("duties.plan")
def new_meeting(request: StaffRequest) -> HttpResponse:
    """Record a meeting, its minutes and what was resolved."""
    version = version_in_force()
    if version is None:
        raise Http404
    plan = plan_of(version)
    faults: dict[str, list[str]] = {}
    lines = _lines(request) if request.method == "POST" else []
    if request.method == "POST":
        try:
            made = meetings.record_meeting(
                version, by=request.user, held_on=asked.day(request.POST.get("held_on")), title=request.POST.get("title", ""),
                present=request.POST.getlist("present"), minutes=request.POST.get("minutes", ""), resolved=lines,
            )  # fmt: skip
            messages.success(request, _("已记录，须由另一人确认后生效"))
            return redirect("meeting", pk=made.pk)
        except ValidationError as error:
            faults = faults_by_field(error)
    empty = meetings.Resolved("", "", None, "")
    shown = [*lines, *[empty] * max(LINES - len(lines), 1)][: meetings.MOST_RESOLUTIONS]
    content = frame(version, "meetings") | {
        "faults": faults, "given": request.POST, "present": request.POST.getlist("present"), "lines": shown,
        "units": {item.code: item.title for item in plan.units},
    }  # fmt: skip
    return render(request, "meeting_new.html", content, status=422 if faults else 200)


def _lines(request: StaffRequest) -> list[meetings.Resolved]:
    """Return the lines of the form that hold anything."""
    columns = [request.POST.getlist(name) for name in ("what", "lead", "due_on", "proof")]
    rows = zip(*(column[: meetings.MOST_RESOLUTIONS + 1] for column in columns), strict=False)
    return [
        meetings.Resolved(what, lead, asked.day(day), proof)
        for what, lead, day, proof in rows
        if any((what, lead, day, proof))
    ]


@permitted("duties.view")
@require_GET
def meeting_page(request: StaffRequest, pk: int) -> HttpResponse:
    """A meeting: who was there, the minutes, what was resolved and how it stands."""
    meeting = get_object_or_404(Meeting.objects.select_related("recorded_by", "decided_by"), pk=pk)
    record_event("duties.read_minutes", request=request, ref=f"meeting:{pk}")
    version = version_in_force()
    standing = {item.key: item for item in duties(effective_versions(meeting.plan)[-1])}
    names = unit_names(meeting.plan)
    resolved = [
        (item, standing.get(key_of(item))) for item in meeting.resolutions.select_related("lead").order_by("position")
    ]
    waits = meeting.status == Meeting.Status.RECORDED
    content = frame(version, "meetings") | {
        "meeting": meeting, "resolved": resolved,
        "names": names, "present": [names.get(code) for code in meeting.present],
        "may_decide": waits and may(request.user, "duties.decide") and request.user.pk != meeting.recorded_by_id,
    }  # fmt: skip
    return render(request, "meeting.html", content)


@permitted("duties.decide")
@require_POST
def decide_meeting(request: StaffRequest, pk: int) -> HttpResponse:
    """Confirm the minutes, or send them back."""
    meeting = get_object_or_404(Meeting, pk=pk)
    with refusals_shown(request, denied=_("须由另一位有权限的人办理")):
        approve = _decision(request)
        meetings.decide_minutes(meeting, approve=approve, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("纪要已确认，议定事项开始跟踪") if approve else _("已退回"))
    return redirect("meeting", pk=pk)
