"""Who acts in a case as applicant, officer, source or approver."""

from __future__ import annotations

from collections.abc import Iterable

from zhixin.law.procedures import Actor, Procedure
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may, scope_of
from zhixin_web.accounts.representation import represents
from zhixin_web.cases.models import Case, CaseStep
from zhixin_web.collection.scope import visible_sources

ACTIONS: dict[Actor, str] = {
    "applicant": "mine.apply",
    "officer": "cases.handle",
    "source": "cases.verify",
    "approver": "cases.decide",
}


def acts_as(user: User, actor: Actor, case: Case) -> bool:
    """Whether an account may act in a case as applicant, officer, source or approver.

    An applicant acts through its own account. What it brings to the counter is registered by an officer, in a case that was filed
    at the counter: nobody withdraws or answers for a party that acts for itself.
    """
    if actor == "applicant" and may(user, "cases.handle"):
        return case.pk is not None and not case.is_filed_by_party
    action = ACTIONS.get(actor)
    if action is None or not may(user, action):
        return False
    if actor == "applicant":
        return is_party(user, case)
    return scope_of(user, action) == "all" or actor != "source" or case.source in visible_sources(user, action)


def workers(case: Case, procedure: Procedure, steps: Iterable[CaseStep]) -> set[int]:
    """Return the accounts that filed a case or carried out a step that was no approval: none of them decides it."""
    by_hand = {item.id for item in procedure.transitions if item.by != "approver"}
    return {case.opened_by_id} | {done.by_id for done in steps if done.by_id is not None and done.transition in by_hand}


def is_party(user: User, case: Case) -> bool:
    """Whether an account acts for the enterprise that a case is about."""
    return represents(user, case.subject.code)
