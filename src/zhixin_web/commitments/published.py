"""What the public reads of commitments: the texts, and what became of those an enterprise signed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhixin.reference.commitment_forms import CommitmentForm, commitment_forms
from zhixin_web.commitments.models import Commitment
from zhixin_web.commitments.queries import standing, with_checks
from zhixin_web.commitments.standing import PUBLIC, STATES, CommitmentState, form_of


@dataclass(frozen=True)
class PublishedCommitment:
    """A commitment as the public sees it. While a breach is not determined it is said to be running."""

    title: Any
    number: str
    signed_on: date
    until: date
    state: CommitmentState
    paper: str

    @property
    def state_title(self) -> Any:
        return STATES[self.state]


def published_commitments(code: str, day: date) -> list[PublishedCommitment]:
    """Return the commitments of the enterprise of a code, the newest first."""
    found = with_checks(Commitment.objects.filter(subject__code=code)).order_by("-pk")
    return [
        PublishedCommitment(
            form_of(item).title, item.number, item.signed_on, item.until, _public_state(item, day), item.paper_id
        )
        for item in found
    ]


def _public_state(commitment: Commitment, day: date) -> CommitmentState:
    state = standing(commitment, day)
    if state in PUBLIC:
        return state
    return CommitmentState.RUNNING if day <= commitment.until else CommitmentState.ENDED


def published_forms(day: date) -> list[tuple[CommitmentForm, int]]:
    """Return the texts, each with the number of commitments to it that run on a day by their public state."""
    binding = with_checks(Commitment.objects.filter(signed_on__lte=day, until__gte=day, withdrawn_on=None))
    count = Counter(item.form for item in binding if _public_state(item, day) is CommitmentState.RUNNING)
    return [(form, count[form.code]) for form in commitment_forms().forms]
