"""Commitments at the bureau: which run, which must be put right, what was found, the determination of a broken one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin_web.accounts.permissions import StaffRequest, may, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.queries import by_day_to_put_right, checks_of, standing, visible_commitments
from zhixin_web.commitments.services.checking import begin_determination, check
from zhixin_web.commitments.standing import STATES, CommitmentState, dues_of, form_of
from zhixin_web.presentation import asked
from zhixin_web.presentation.kept_files import paper_answer
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import faults_by_field
from zhixin_web.records.queries import named

CHUNK = 200
CHECKED = (CommitmentState.RUNNING, CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE)


@permitted("commitments.view")
@require_GET
def commitments_page(request: StaffRequest) -> HttpResponse:
    """All commitments, those with a day to put them right first; by state and enterprise."""
    today, query = timezone.localdate(), asked.name(request.GET.get("q"))
    wanted = request.GET.get("state", "")
    found = by_day_to_put_right(visible_commitments(request.user).filter(named(query, "subject__")))
    page = page_of(
        request, CommitmentsIn(found, CommitmentState(wanted), today) if wanted in set(CommitmentState) else found
    )
    rows = [(item, form_of(item).title, STATES[standing(item, today)], _until(item)) for item in page.items]
    content = {"page": replace(page, items=rows), "query": query, "wanted": wanted, "states": STATES.items()}
    return render(request, "commitments.html", content)


class CommitmentsIn:
    """The commitments of a state, read as far as a page asks: the state follows from checks and cases, not from a column."""

    def __init__(self, commitments: QuerySet[Commitment], state: CommitmentState, day: date) -> None:
        self.commitments, self.state, self.day = commitments, state, day

    def __getitem__(self, part: slice) -> Iterator[Commitment]:
        wanted = (item for item in self.commitments.iterator(CHUNK) if standing(item, self.day) is self.state)
        return islice(wanted, part.start, part.stop)


def _until(commitment: Commitment) -> Any:
    """Return the last day to put right what the last check found, if any."""
    checks = checks_of(commitment)
    return checks[-1].rectify_by if checks else None


@permitted("commitments.view")
@require_GET
def commitment_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One commitment."""
    found = get_object_or_404(visible_commitments(request.user), pk=pk)
    record_event("commitments.view", request=request, ref=f"commitment:{pk}")
    return _shown(request, found, {}, {})


def _shown(request: StaffRequest, found: Commitment, faults: dict[str, Any], typed: dict[str, Any]) -> HttpResponse:
    state = standing(found, timezone.localdate())
    content = {
        "commitment": found, "form": form_of(found), "dues": dues_of(found), "state": STATES[state], "today": timezone.localdate(),
        "checks": found.checks.select_related("by", "answered_by").order_by("position"), "outcomes": CommitmentCheck.Outcome.choices,
        "may_check": may(request.user, "commitments.check") and state in CHECKED,
        "may_determine": may(request.user, "cases.handle") and state is CommitmentState.OVERDUE, "faults": faults, "typed": typed,
    }  # fmt: skip
    return render(request, "commitment.html", content, status=422 if faults else 200)


@permitted("commitments.check")
@require_POST
def check_commitment(request: StaffRequest, pk: int) -> HttpResponse:
    """Enter what was found; what was typed stays where it is refused."""
    found = get_object_or_404(visible_commitments(request.user), pk=pk)
    outcome, promises = request.POST.get("outcome", ""), request.POST.getlist("promises")
    finding, seen = request.POST.get("text", ""), asked.key(request.POST.get("seen", ""))
    typed = {"outcome": outcome, "promises": promises, "finding": finding}
    try:
        made = check(found, outcome=outcome, promises=promises, finding=finding, seen=seen, by=request.user)
    except ValidationError as error:
        return _shown(request, found, faults_by_field(error), typed)
    if made.rectify_by is not None:
        messages.success(request, _("已登记并责令整改，期限至 %(day)s") % {"day": made.rectify_by})
    else:
        messages.success(request, _("已登记核查结果"))
    return redirect("commitment", pk=pk)


@permitted("cases.handle", reauthenticate=True)
@require_POST
def determine(request: StaffRequest, pk: int) -> HttpResponse:
    """Open the determination of a commitment that was not put right in time."""
    found = get_object_or_404(visible_commitments(request.user), pk=pk)
    details = {name: request.POST.get(name, "") for name in ("document", "document_on", "is_final")}
    text = request.POST.get("grounds", "")
    try:
        case = begin_determination(found, details=details, text=text, by=request.user)
    except ValidationError as error:
        faults = faults_by_field(error)
        return _shown(request, found, faults | {"grounds": faults.pop("text", [])}, details | {"grounds": text})
    messages.success(request, _("已立案：下一步告知当事人，听取陈述申辩"))
    return redirect("case", pk=case.pk)


@permitted("commitments.view")
@require_GET
def paper(request: StaffRequest, pk: int) -> HttpResponse:
    """The paper of a commitment."""
    found = get_object_or_404(visible_commitments(request.user), pk=pk)
    record_event("commitments.paper", request=request, ref=f"commitment:{pk}", number=found.number)
    return paper_answer(found.paper)


@permitted("commitments.view")
@require_GET
def order(request: StaffRequest, pk: int, position: int) -> HttpResponse:
    """The order to put a breach right, as it was issued."""
    found = get_object_or_404(visible_commitments(request.user), pk=pk)
    made = get_object_or_404(CommitmentCheck, commitment=found, position=position, paper__isnull=False)
    assert made.paper is not None
    record_event("commitments.paper", request=request, ref=f"commitment:{pk}", number=made.number)
    return paper_answer(made.paper)
