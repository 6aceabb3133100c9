"""A case as somebody may read it: who works on it reads all, its party what was served on it and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from zhixin.law.procedures import Procedure, Transition
from zhixin_web.cases.models import CasePaper, CaseStep


class ShownStep(NamedTuple):
    """A step as one reader may see it."""

    done: CaseStep
    step: Transition
    paper: CasePaper | None
    reason: str

    @classmethod
    def of(cls, done: CaseStep, procedure: Procedure) -> ShownStep:
        return cls(done, procedure.transition(done.transition), getattr(done, "paper", None), done.reason)


def steps_told(procedure: Procedure, steps: Iterable[CaseStep]) -> list[ShownStep]:
    """Return the steps as the party may read them.

    It reads how far its case is, what was served on it and what it did itself; not what is being prepared: proposals, what the
    source says of them, what is sent back.
    """
    found = []
    for item in (ShownStep.of(done, procedure) for done in steps):
        is_told = item.paper is not None or item.step.by == "applicant" or procedure.state(item.step.to).is_end
        is_internal = item.step.id in procedure.proposals or item.step.by in ("source", "approver")
        if is_told or not is_internal:
            found.append(item if is_told else item._replace(reason=""))
    return found
