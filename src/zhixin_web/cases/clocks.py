"""The deadline of a case: from which day it runs, what suspends it, when it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from zhixin.dataset.sources import sources
from zhixin.law.procedures import Procedure
from zhixin.law.reckoning_of_terms import Suspension
from zhixin_web.cases.models import Case, CaseStep
from zhixin_web.rulebooks.deadlines import Clock, clock


def procedure_of(case: Case) -> Procedure:
    """Return the procedure as it was when the case was opened."""
    return _read(json.dumps(case.definition, sort_keys=True))


@lru_cache(maxsize=64)
def _read(definition: str) -> Procedure:
    """Read a frozen definition; the cases of a list share a few."""
    return Procedure.model_validate_json(definition)


def clock_of(case: Case, procedure: Procedure, steps: Sequence[CaseStep]) -> Clock | None:
    """Return the clock of the state that a case is in; ``None`` at its end.

    A deadline that continues an earlier state runs from the day that state was first entered; days spent in states that suspend
    it do not count. The term of a state that suspends others begins anew each time it is entered.
    """
    state = procedure.state(case.state)
    if state.deadline is None:
        return None
    root = state.continues or state.id
    entered = [
        (procedure.start, case.opened_on),
        *((step.state_to, step.on) for step in steps if step.state_from != step.state_to),
    ]
    days = [day for name, day in entered if name == root]
    start = days[-1] if procedure.state(root).suspends else days[0]
    is_own = case.source in sources() and sources()[case.source].made_by_site
    name = state.deadline_own if is_own and state.deadline_own else state.deadline
    return clock(name, start, _suspensions(procedure, root, entered, start))


def _suspensions(procedure: Procedure, root: str, entered: list[tuple[str, date]], start: date) -> list[Suspension]:
    """The days from entering a state that suspends ``root`` to the day before it was left, after the term began."""
    found: list[Suspension] = []
    for (name, first), (_next, left) in zip(entered, entered[1:], strict=False):
        last, first = left - timedelta(days=1), max(first, start + timedelta(days=1))  # the first day does not count anyway
        if root in procedure.state(name).suspends and last >= first:
            if found and found[-1].last >= first:
                first = found[-1].last + timedelta(days=1)
            if last >= first:
                found.append(Suspension(first, last))
    return found


def set_deadline(case: Case, procedure: Procedure) -> None:
    """Keep the deadline of the state a case is in, for lists and for the clock."""
    found = clock_of(case, procedure, list(case.steps.order_by("position")))
    case.due_on, case.is_presumed = (found.due_on, found.is_presumed) if found else (None, False)
