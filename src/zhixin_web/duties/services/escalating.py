"""Tells on what is overdue: the unit first, then the office, then the joint conference, as the plan says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.items import Duty
from zhixin_web.duties.models import Escalation
from zhixin_web.duties.queries import duties, plan_of, told_on, version_in_force, with_milestones

_log = logging.getLogger(__name__)


def escalate_overdue() -> Iterator[str]:
    """Notify the addressees that the escalation steps of the plan name for each overdue item, each of them once.

    Called by ``tick``.

    Yields:
        A line for the log for each notification and for each item that failed.
    """
    version = version_in_force()
    if version is None:
        return
    overdue = [item for item in with_milestones(duties(version)) if item.days_overdue]
    told = told_on(overdue)
    for item in overdue:
        due = [step.to for step in plan_of(version).escalation if step.days_overdue <= item.days_overdue]
        try:
            for to in due:
                if (item.key, item.due_on, to) not in told:
                    yield from _tell(item, to)
        except Exception as error:  # what stops one does not stop the others, and the next minute tries again
            _log.exception("%s could not be escalated", item.key)
            yield f"duty {item.key}: failed ({type(error).__name__})"


def _tell(item: Duty, to: str) -> Iterator[str]:
    """Enter that an addressee is told of an overdue item, unless somebody else just has."""
    same = {"item": item.key, "due_on": item.due_on, "to": to}
    with transaction.atomic():
        lock_ledger()
        if Escalation.objects.filter(**same).exists():
            return
        said = {"days_overdue": item.days_overdue, "on": timezone.localdate().isoformat()}
        seq = append_one("duty.escalate", f"duty:{item.key}", same | said | {"due_on": item.due_on.isoformat()})
        Escalation.objects.create(**same, days_overdue=item.days_overdue, on=timezone.localdate(), ledger_seq=seq)
        record_event("duties.escalate", ref=f"duty:{item.key}", to=to, days=item.days_overdue)
    yield f"{item.key} is {item.days_overdue} days overdue: told {to}"
