"""Commitments as the enterprise sees them: the texts it may sign, its own, what was found of them."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.commitments.queries import commitments_of, offered, standing, why_not
from zhixin_web.commitments.services.committing import sign, withdraw
from zhixin_web.commitments.standing import STATES, CommitmentState, dues_of, form_of
from zhixin_web.faces.enterprise.principal import principal, show
from zhixin_web.presentation.kept_files import paper_answer
from zhixin_web.presentation.refusals import refusals_shown


@permitted("mine.view")
@require_GET
def commitments_page(request: StaffRequest) -> HttpResponse:
    """Its commitments, and the texts it may sign or why not."""
    subject, today = principal(request), timezone.localdate()
    record_event("mine.commitments", request=request, ref=subject.code)
    rows = [(item, form_of(item).title, STATES[standing(item, today)]) for item in commitments_of(subject)]
    return show(request, "commitments.html", {"rows": rows, "offered": offered(subject, today)})


@permitted("mine.apply", reauthenticate=True)
def sign_page(request: StaffRequest, code: str) -> HttpResponse:
    """The whole text, each promise to be ticked, and the signature."""
    subject, form, today = principal(request), commitment_forms().form(code), timezone.localdate()
    if form is None:
        raise Http404
    read, faults = request.POST.getlist("read"), []
    if request.method == "POST":
        try:
            made = sign(code, subject=subject, read=read, by=request.user)
            messages.success(request, _("已签署 %(number)s，承诺书可下载、可验证") % {"number": made.number})
            return redirect("my_commitment", pk=made.pk)
        except ValidationError as error:
            faults = error.messages
    content = {"form": form, "read": read, "faults": faults, "refused": why_not(form, subject, today), "subject": subject}
    return show(request, "commitment_sign.html", content, status=422 if faults else 200)


@permitted("mine.view")
@require_GET
def commitment_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One of its commitments: promises with their last days, what was found, what it may do."""
    subject, today = principal(request), timezone.localdate()
    found = get_object_or_404(commitments_of(subject), pk=pk)
    state = standing(found, today)
    record_event("mine.commitment", request=request, ref=f"commitment:{pk}")
    content = {
        "commitment": found, "form": form_of(found), "dues": dues_of(found), "state": STATES[state], "today": today,
        "checks": found.checks.order_by("position"), "may_withdraw": state is CommitmentState.RUNNING,
    }  # fmt: skip
    return show(request, "commitment.html", content)


@permitted("mine.apply", reauthenticate=True)
@require_POST
def withdraw_commitment(request: StaffRequest, pk: int) -> HttpResponse:
    """Withdraw one of its commitments, with the reason."""
    found = get_object_or_404(commitments_of(principal(request)), pk=pk)
    with refusals_shown(request):
        withdraw(found, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("承诺已撤回；对应的信用记录同时撤销"))
    return redirect("my_commitment", pk=pk)


@permitted("mine.view")
@require_GET
def paper(request: StaffRequest, pk: int) -> HttpResponse:
    """The paper of one of its commitments."""
    found = get_object_or_404(commitments_of(principal(request)), pk=pk)
    answer = paper_answer(found.paper)
    record_event("mine.paper", request=request, ref=f"commitment:{pk}", number=found.number)
    return answer
