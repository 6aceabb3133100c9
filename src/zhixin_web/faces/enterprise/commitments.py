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
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.queries import checks_of, commitments_of, offered, standing, why_not
from zhixin_web.commitments.services.checking import answer
from zhixin_web.commitments.services.signing import sign, withdraw
from zhixin_web.commitments.standing import STATES, CommitmentState, dues_of, form_of
from zhixin_web.faces.enterprise.principal import principal, show
from zhixin_web.presentation.kept_files import paper_answer
from zhixin_web.presentation.refusals import faults_by_field


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
    refused = why_not(form, subject, today)
    content = {"form": form, "read": read, "faults": faults if not refused else [], "refused": refused, "subject": subject}
    return show(request, "commitment_sign.html", content, status=422 if faults else 200)


def _of(request: StaffRequest, pk: int) -> Commitment:
    return get_object_or_404(commitments_of(principal(request)).select_related("signed_by__organisation"), pk=pk)


@permitted("mine.view")
@require_GET
def commitment_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One of its commitments: promises with their last days, what was found, what it may do."""
    record_event("mine.commitment", request=request, ref=f"commitment:{pk}")
    return _shown(request, _of(request, pk), {})


def _shown(request: StaffRequest, found: Commitment, faults: dict[str, list[str]]) -> HttpResponse:
    today = timezone.localdate()
    state = standing(found, today)
    content = {
        "commitment": found, "form": form_of(found), "dues": dues_of(found), "state": STATES[state], "today": today,
        "checks": checks_of(found), "may_withdraw": state is CommitmentState.RUNNING, "typed": request.POST, "faults": faults,
        "may_answer": state in (CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE),
    }  # fmt: skip
    return show(request, "commitment.html", content, status=422 if faults else 200)


@permitted("mine.apply", reauthenticate=True)
@require_POST
def withdraw_commitment(request: StaffRequest, pk: int) -> HttpResponse:
    """Withdraw one of its commitments, with the reason."""
    found = _of(request, pk)
    try:
        withdraw(
            found, reason=request.POST.get("text", ""), is_pending=request.POST.get("is_pending") == "1", by=request.user
        )
    except ValidationError as error:
        return _shown(request, found, faults_by_field(error))
    messages.success(request, _("承诺已撤回；对应的信用记录同时撤销"))
    return redirect("my_commitment", pk=pk)


@permitted("mine.apply")
@require_POST
def answer_check(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what was done, or what is wrong with what was found."""
    found = _of(request, pk)
    try:
        answer(found, text=request.POST.get("text", ""), by=request.user)
    except ValidationError as error:
        return _shown(request, found, faults_by_field(error))
    messages.success(request, _("已答复，办理人员可以看到"))
    return redirect("my_commitment", pk=pk)


@permitted("mine.view")
@require_GET
def order(request: StaffRequest, pk: int, position: int) -> HttpResponse:
    """The order to put a breach right, as it was issued."""
    check = get_object_or_404(CommitmentCheck, commitment=_of(request, pk), position=position, paper__isnull=False)
    assert check.paper is not None
    record_event("mine.paper", request=request, ref=f"commitment:{pk}", number=check.number)
    return paper_answer(check.paper)


@permitted("mine.view")
@require_GET
def paper(request: StaffRequest, pk: int) -> HttpResponse:
    """The paper of one of its commitments."""
    found = _of(request, pk)
    record_event("mine.paper", request=request, ref=f"commitment:{pk}", number=found.number)
    return paper_answer(found.paper)
