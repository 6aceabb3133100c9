"""Tells on what is overdue: the unit first, then the office, then the joint conference, as the plan says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.items import Duty
from zhixin_web.duties.models import Escalation, PlanVersion
from zhixin_web.duties.queries import duties, plan_of, version_in_force, with_milestones

_log = logging.getLogger(__name__)


def escalate_overdue() -> Iterator[str]:
    """Tell on every overdue item whom the plan says it is to be told to by now, once each: a step of ``tick``."""
    version = version_in_force()
    for item in with_milestones(duties(version)) if version is not None else ():
        if version is None or not item.days_overdue:
            continue
        try:
            yield from _escalate(version, item)
        except Exception as error:  # what stops one does not stop the others, and the next minute tries again
            _log.exception("%s could not be escalated", item.key)
            yield f"duty {item.key}: failed ({type(error).__name__})"


def _escalate(version: PlanVersion, item: Duty) -> Iterator[str]:
    due = {step.to: step.days_overdue for step in plan_of(version).escalation if step.days_overdue <= item.days_overdue}
    told = set(Escalation.objects.filter(item=item.key, due_on=item.due_on).values_list("to", flat=True))
    for to in sorted(due.keys() - told, key=lambda name: due[name]):
        with transaction.atomic():
            lock_ledger()
            same = {"item": item.key, "due_on": item.due_on, "to": to}
            if Escalation.objects.filter(**same).exists():
                continue
            today = timezone.localdate()
            body = {
                "item": item.key,
                "due_on": item.due_on.isoformat(),
                "to": to,
                "days_overdue": item.days_overdue,
                "on": today.isoformat(),
            }
            seq = append_one("duty.escalate", f"duty:{item.key}", body)
            Escalation.objects.create(**same, days_overdue=item.days_overdue, on=today, ledger_seq=seq)
            record_event("duties.escalate", ref=f"duty:{item.key}", to=to, days=item.days_overdue)
        yield f"{item.key} is {item.days_overdue} days overdue: told {to}"
