"""Inspections as the inspected enterprise sees them: draws it was in, visits with their results, what it says of them."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.faces.enterprise.principal import principal, principal_code, show
from zhixin_web.inspections.queries import draws_with, visits_to
from zhixin_web.inspections.services.ratings import MOST_WORDS, QUESTIONS, rate_visit
from zhixin_web.presentation.refusals import faults_by_field


@permitted("mine.view")
@require_GET
def visits_page(request: StaffRequest) -> HttpResponse:
    """Visits with their results, and the public draws whose frame held the enterprise."""
    subject = principal(request)
    record_event("mine.inspections", request=request, ref=subject.code)
    content = {"subject": subject, "visits": visits_to(subject.code), "draws": draws_with(subject.code)}
    return show(request, "visits.html", content)


@permitted("mine.apply")
def rate(request: StaffRequest, pk: int) -> HttpResponse:
    """Say how a visit went; auditors alone read it."""
    task = get_object_or_404(visits_to(principal_code(request)), pk=pk)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            rate_visit(task, request.POST, request.POST.get("text", ""), request.user)
            messages.success(request, _("谢谢，已送审计管理员"))
            return redirect("my_visits")
        except ValidationError as error:
            faults = faults_by_field(error)
    questions = [(name, text, request.POST.get(name, ""), faults.get(name)) for name, text in QUESTIONS.items()]
    content = {
        "task": task,
        "questions": questions,
        "faults": faults,
        "text": request.POST.get("text", ""),
        "most": MOST_WORDS,
    }
    return show(request, "rating.html", content, status=422 if faults else 200)
