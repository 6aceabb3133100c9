"""The one table: action → role → scope. What is not in it is denied.

Scopes: ``all``; ``district``: what belongs to the account's district; ``own``: what its organisation owns (a member
unit's sources, an enterprise's own records).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar

from django.http import HttpRequest, HttpResponse

from zhixin_web.accounts.models import Role, User

Scope = Literal["all", "district", "own"]


class StaffRequest(HttpRequest):
    """A request of a signed-in account: what a view behind :func:`permitted` gets for every action but :data:`ANYONE`."""

    user: User


View = TypeVar("View", bound=Callable[..., HttpResponse])

CITY, APPROVER, DISTRICT, INSPECTOR = Role.CITY_OFFICER, Role.APPROVER, Role.DISTRICT_OFFICER, Role.INSPECTOR
DEPARTMENT, ENTERPRISE, AUDITOR = Role.DEPARTMENT_USER, Role.ENTERPRISE_USER, Role.AUDITOR
SECURITY, SYSTEM = Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR
_STAFF: dict[Role, Scope] = {role: "all" for role in Role if role is not ENTERPRISE}

ACTIONS: dict[str, dict[Role, Scope]] = {
    "desk.view": {**_STAFF},
    "sources.view": {CITY: "all", APPROVER: "all", DISTRICT: "all", DEPARTMENT: "own", AUDITOR: "all"},
    "batches.view": {CITY: "all", APPROVER: "all", DISTRICT: "own", DEPARTMENT: "own", AUDITOR: "all"},
    "batches.deliver": {CITY: "all", DISTRICT: "own", DEPARTMENT: "own"},
    "batches.undo": {CITY: "all", DISTRICT: "own", DEPARTMENT: "own"},
    "batches.release_hold": {CITY: "all"},
    "quarantine.fix": {CITY: "all", DISTRICT: "own", DEPARTMENT: "own"},
    "matching.decide": {CITY: "all"},
    "subjects.view": {CITY: "all", APPROVER: "all", AUDITOR: "all", DEPARTMENT: "all", DISTRICT: "district", INSPECTOR: "district"},
    "records.unmask": {CITY: "all", APPROVER: "all", DISTRICT: "district"},
    "records.repair": {CITY: "all"},
    "ways.manage": {CITY: "all"},
    "runs.view": {CITY: "all", APPROVER: "all", DISTRICT: "all", AUDITOR: "all"},
    "runs.start": {CITY: "all"},
    "runs.propose": {CITY: "all"},
    "runs.release": {APPROVER: "all"},
    "rulebooks.propose": {CITY: "all"},
    "rulebooks.approve": {APPROVER: "all"},
    "rulebooks.draft": {CITY: "all"},
    "consultations.manage": {CITY: "all"},
    "grades.propose": {CITY: "all"},
    "grades.approve": {APPROVER: "all"},
    "cases.view": {CITY: "all", APPROVER: "all", DEPARTMENT: "own", AUDITOR: "all"},
    "cases.handle": {CITY: "all"},
    "cases.verify": {CITY: "all", DEPARTMENT: "own"},
    "cases.decide": {APPROVER: "all"},
    "measures.view": {CITY: "all", APPROVER: "all", AUDITOR: "all", DEPARTMENT: "all", DISTRICT: "district"},
    "measures.judge": {CITY: "all", APPROVER: "all", AUDITOR: "all"},
    "commitments.view": {CITY: "all", APPROVER: "all", AUDITOR: "all", DISTRICT: "district"},
    "commitments.check": {CITY: "all", DISTRICT: "district"},
    "reports.view": {CITY: "all", APPROVER: "all", DISTRICT: "own", DEPARTMENT: "own", AUDITOR: "all"},
    "reports.answer": {CITY: "all", DISTRICT: "own", DEPARTMENT: "own"},
    "subjects.note": {CITY: "all", APPROVER: "all", DISTRICT: "district", INSPECTOR: "district"},
    "inspections.view": {CITY: "all", APPROVER: "all", AUDITOR: "all", DISTRICT: "district", INSPECTOR: "own"},
    "inspections.plan": {CITY: "all"},
    "inspections.draw": {CITY: "all"},
    "inspections.numbers": {CITY: "all", APPROVER: "all", DISTRICT: "all"},
    "inspections.approve": {APPROVER: "all"},
    "inspections.submit": {INSPECTOR: "own"},
    "pocket.view": {INSPECTOR: "own"},
    "inspections.ratings": {AUDITOR: "all"},
    "inspections.review": {CITY: "all", DISTRICT: "district"},
    "duties.view": {CITY: "all", APPROVER: "all", DISTRICT: "all", DEPARTMENT: "all", AUDITOR: "all"},
    "duties.report": {CITY: "own", APPROVER: "own", DISTRICT: "own", DEPARTMENT: "own"},
    "duties.confirm": {CITY: "all", APPROVER: "all"},
    "duties.plan": {CITY: "all"},
    "duties.decide": {APPROVER: "all"},
    "ledger.view": _STAFF,
    "ledger.export": {AUDITOR: "all"},
    "audit.view": {AUDITOR: "all"},
    "mine.view": {ENTERPRISE: "own"},
    "mine.apply": {ENTERPRISE: "own"},
    "accounts.invite": {CITY: "all"},
    "accounts.view": {SYSTEM: "all", SECURITY: "all"},
    "accounts.manage": {SYSTEM: "all"},
    "accounts.grant": {SECURITY: "all"},
}  # fmt: skip
ANYONE = "anyone"
SIGNED_IN = "signed_in"


def scope_of(user: Any, action: str) -> Scope | None:
    """The scope in which an account may do an action; ``None``: not at all."""
    if not getattr(user, "is_authenticated", False) or not user.is_active or not user.role:
        return None
    return ACTIONS[action].get(Role(user.role))


def may(user: Any, action: str) -> bool:
    return scope_of(user, action) is not None


def home_of(user: Any) -> str:
    """The address of an account's own front page."""
    return "/my/" if may(user, "mine.view") else "/c/"


def permitted(action: str, *, reauthenticate: bool = False) -> Callable[[View], View]:
    """Declare what a view needs; :class:`zhixin_web.accounts.middleware.DefaultDeny` enforces it.

    Args:
        action: a key of :data:`ACTIONS`, or :data:`ANYONE`, or :data:`SIGNED_IN`.
        reauthenticate: POST asks for the password again unless it was given in the last five minutes.
    """
    if action not in ACTIONS and action not in (ANYONE, SIGNED_IN):
        raise KeyError(action)

    def declare(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        wrapped.permission = action  # type: ignore[attr-defined]
        wrapped.reauthenticate = reauthenticate  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return declare
