"""Carries out the steps of cases: permission, event, ledger entry, deadline, paper and effect in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin.law.procedures import Procedure, Transition
from zhixin_web.accounts.models import User
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.clocks import clock_of, procedure_of, set_deadline
from zhixin_web.cases.models import Case, CaseStep
from zhixin_web.cases.parties import acts_as, is_party, workers
from zhixin_web.cases.services.case_papers import issue_case_paper
from zhixin_web.cases.services.effects import has_changed, settle_case, take_effect
from zhixin_web.cases.services.grounds import may_be_imposed, renew_grounds
from zhixin_web.cases.services.listing import is_superior_required
from zhixin_web.cases.words import said

_log = logging.getLogger(__name__)


def steps_open_to(user: User, case: Case) -> list[Transition]:
    """Return the steps that an account may carry out now."""
    procedure = procedure_of(case)
    return [
        step
        for step in procedure.leaving(case.state)
        if acts_as(user, step.by, case) and not _has_worked_on_it(case, procedure, step, user) and _is_open(case, step)
    ]


def is_turn_of(user: User, case: Case) -> bool:
    """Whether a case waits for an account: whether a step of those whose turn it is, is open to it whatever became of the record."""
    procedure = procedure_of(case)
    turn = procedure.state(case.state).turn
    return any(
        acts_as(user, step.by, case) and not _has_worked_on_it(case, procedure, step, user)
        for step in procedure.leaving(case.state)
        if step.by == turn and not step.only_if
    )


def _has_worked_on_it(case: Case, procedure: Procedure, step: Transition, user: User) -> bool:
    """Whether somebody who would decide has filed the case, or carried out a step of it that was not a decision."""
    return step.by == "approver" and user.pk in workers(case, procedure, case.steps.all())


def _is_open(case: Case, step: Transition) -> bool:
    """Whether a step that may be taken once, or only if what the case rests on has changed, is open."""
    if step.is_once and any(done.transition == step.id for done in case.steps.all()):
        return False
    if step.only_if == "measure_refused":
        return not may_be_imposed(case)
    if step.only_if in ("superior_required", "superior_not_required"):
        return is_superior_required(timezone.localdate()) == (step.only_if == "superior_required")
    return step.only_if != "record_changed" or has_changed(case)


def carry_out(
    case: Case, transition_id: str, *, by: User | None, reason: str = "", answers: Mapping[str, str] | None = None
) -> Case:
    """Carry out a step of a case; ``by`` is ``None`` for the clock, ``answers`` are to what the step asks.

    Raises:
        PermissionDenied: the account may not carry out this step, or decides its own proposal.
        ValidationError: not a step of this state (somebody else may have been quicker), no reason, not yet due, or what the effect
            refuses.
    """
    with transaction.atomic():
        lock_ledger()
        found = Case.objects.select_for_update().select_related("subject").get(pk=case.pk)
        procedure = procedure_of(found)
        step = next((item for item in procedure.leaving(found.state) if item.id == transition_id), None)
        if step is None:
            raise ValidationError(
                _("该办件现在处于「%(state)s」，不能办理这一步") % {"state": _title(procedure, found.state)}
            )
        _refuse_unless_permitted(found, procedure, step, by)
        if not _is_open(found, step):
            raise ValidationError(_("这一步只能办理一次，或者只在所依据的情况已变更时办理"))
        if step.needs_reason or reason.strip() or (by is not None and step.by == "applicant" and not is_party(by, found)):
            reason = said(reason)
        renew_grounds(found, step, answers or {})
        done = _step(found, step, by, reason)
        _note_persons(found, procedure, step, by)
        found.state = step.to
        found.is_open = not procedure.state(step.to).is_end
        if not found.is_open:
            found.closed_at, found.due_on, found.is_presumed = timezone.now(), None, False
        else:
            set_deadline(found, procedure)
        found.save()
        number = issue_case_paper(found, procedure, step, done).number if step.paper else ""
        take_effect(found, step, by, number)
        record_event(f"cases.{step.id}", by=by, ref=f"case:{found.pk}", paper=number)
        failpoint("case.stepped")
    return found


def _title(procedure: Procedure, state: str) -> str:
    return procedure.state(state).title.in_language(get_language() or "zh")


def _refuse_unless_permitted(case: Case, procedure: Procedure, step: Transition, by: User | None) -> None:
    if step.by == "clock":
        if by is not None:
            raise PermissionDenied
        now = clock_of(case, procedure, list(case.steps.order_by("position")))  # holidays may have been announced since
        due_on = max(filter(None, (case.due_on, now.due_on if now else None)), default=None)
        if due_on is None or timezone.localdate() <= due_on:
            raise ValidationError(_("期限未满"))
        return
    if by is None or not acts_as(by, step.by, case) or _has_worked_on_it(case, procedure, step, by):
        raise PermissionDenied


def _step(case: Case, step: Transition, by: User | None, reason: str) -> CaseStep:
    today = timezone.localdate()
    body = {
        "procedure": case.procedure,
        "step": step.id,
        "from": case.state,
        "to": step.to,
        "by": by.pk if by else None,
        "reason": reason,
    } | ({"answers": case.details[step.asks]} if step.asks else {})
    seq = append_one("case.step", f"case:{case.pk}", body)
    return CaseStep.objects.create(
        case=case, position=case.steps.count(), transition=step.id, state_from=case.state, state_to=step.to, by=by, on=today, reason=reason,
        ledger_seq=seq,
    )  # fmt: skip


def _note_persons(case: Case, procedure: Procedure, step: Transition, by: User | None) -> None:
    """Keep whose proposal and whose decision it is where the database compares them."""
    if step.id in procedure.proposals:
        case.proposed_by, case.decided_by = by, None
    elif step.other_than:
        case.decided_by = by


def run_case_clocks() -> Iterator[str]:
    """Carry out the steps of the clock that are due, and settle what a crash left unsettled: a step of ``tick``."""
    for case in Case.objects.filter(is_open=True, due_on__lt=timezone.localdate()).select_related("subject"):
        step = next((item for item in procedure_of(case).leaving(case.state) if item.by == "clock"), None)
        if step is None:
            continue
        yield from _guarded(case, step.id, partial(carry_out, case, step.id, by=None))
    for case in Case.objects.filter(is_open=False, is_settled=False).select_related("subject"):
        yield from _guarded(case, "settled", partial(settle_case, case))


def _guarded(case: Case, what: str, act: Callable[[], Any]) -> Iterator[str]:
    """Do something to one case; what stops it does not stop the others, and the next minute tries again."""
    try:
        act()
    except ValidationError as error:
        yield f"case {case.pk}: {'; '.join(error.messages)}"
    except Exception as error:
        _log.exception("case %s: %s failed", case.pk, what)
        yield f"case {case.pk}: {what} failed ({type(error).__name__})"
    else:
        yield f"case {case.pk}: {what}"


def settle_or_leave(case: Case) -> None:
    """Let the grade follow a step that was just carried out; what stops it is left to the clock."""
    list(_guarded(case, "settled", partial(settle_case, case)))
