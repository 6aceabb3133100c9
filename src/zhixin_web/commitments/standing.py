"""How a commitment stands on a day, and what of it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhixin.dataset.sources import determinations
from zhixin.law.calendar import shift_months
from zhixin.reference.commitment_forms import CommitmentForm, Promise
from zhixin_web.cases.models import Case
from zhixin_web.cases.queries import decided_record
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.records.models import CreditRecord


class CommitmentState(StrEnum):
    """Where a commitment stands. What was repaired or revoked of a breach stands against it no longer."""

    RUNNING = "running"
    TO_RECTIFY = "to_rectify"
    OVERDUE = "overdue"
    BEING_DETERMINED = "being_determined"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


STATES = {
    CommitmentState.RUNNING: _("履行中"),
    CommitmentState.TO_RECTIFY: _("限期整改中"),
    CommitmentState.OVERDUE: _("整改期满，待复核"),
    CommitmentState.BEING_DETERMINED: _("失信行为认定中"),
    CommitmentState.BROKEN: _("已认定违背承诺"),
    CommitmentState.WITHDRAWN: _("已撤回"),
    CommitmentState.ENDED: _("期满"),
}
PUBLIC = {CommitmentState.RUNNING, CommitmentState.BROKEN, CommitmentState.WITHDRAWN, CommitmentState.ENDED}
"""States that are published; a breach is published once it is determined, not before."""


@dataclass(frozen=True)
class Due:
    """A promise and the last day to carry it out; ``None``: as long as the commitment runs."""

    promise: Promise
    by: date | None


def form_of(commitment: Commitment) -> CommitmentForm:
    """Return the text as it was signed."""
    content: dict[str, Any] = {name: value for name, value in commitment.definition.items() if name != "version"}
    return CommitmentForm.model_validate(content)


def dues_of(commitment: Commitment) -> list[Due]:
    """Return the promises with their last days."""
    return [
        Due(item, shift_months(commitment.signed_on, item.within_months) if item.within_months else None)
        for item in form_of(commitment).promises
    ]


def state_of(commitment: Commitment, day: date, checks: Sequence[CommitmentCheck]) -> CommitmentState:
    """Return where a commitment stands on a day; ``checks`` in order.

    A breach is answered by a decision; a case that one officer dropped has decided nothing.
    """
    case = commitment.determination
    if case is not None:
        if case.is_open:
            return CommitmentState.BEING_DETERMINED
        record = decided_record(case, "record.publish", determinations().id)
        if record is not None and record.state == CreditRecord.State.ACTIVE:
            return CommitmentState.BROKEN
    if commitment.withdrawn_on is not None:
        return CommitmentState.WITHDRAWN
    last = checks[-1] if checks else None
    is_answered = case is not None and case.decided_by_id is not None and last is not None and last.on <= _closed_on(case)
    if last is not None and last.rectify_by is not None and not is_answered:
        return CommitmentState.TO_RECTIFY if day <= last.rectify_by else CommitmentState.OVERDUE
    return CommitmentState.RUNNING if day <= commitment.until else CommitmentState.ENDED


def _closed_on(case: Case) -> date:
    """Return the day on which a closed case ended: what was found until then is answered by it."""
    assert case.closed_at is not None
    return timezone.localtime(case.closed_at).date()
