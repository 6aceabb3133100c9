"""Quarterly reports of the units: written once the quarter is over, with their items as they stood."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.models import PlanVersion, QuarterReport
from zhixin_web.duties.queries import Quarter, duties, last_report, plan_in, quarters
from zhixin_web.received.words import cleaned, fault_of

MOST_CHARACTERS = 4000
PARTS = ("done", "problems", "next_steps")


def file_report(version: PlanVersion, quarter: Quarter, *, by: User, words: dict[str, str]) -> QuarterReport:
    """File the quarterly report of the unit of an account; a second report is stored as the next revision.

    Raises:
        PermissionDenied: the account may not, or its unit is none of the plan.
        ValidationError: by field; the quarter is not over, or not reported under this plan.
    """
    plan, today, unit = plan_in(version, quarter), timezone.localdate(), by.organisation
    if not may(by, "duties.report") or unit is None or unit.code not in {item.code for item in plan.units}:
        raise PermissionDenied
    if today <= quarter.last:
        raise ValidationError(_("该季度尚未结束，%(day)s 起可以填报") % {"day": quarter.following.first})
    if quarter not in quarters(version):
        raise ValidationError(_("该季度尚未结束，或者不在方案的报告范围内"))
    texts = _texts(words)
    with transaction.atomic():
        lock_ledger()
        before = last_report(plan.id, quarter, unit.code)
        if before is not None and all(getattr(before, name) == text for name, text in texts.items()):
            return before
        made = QuarterReport(
            plan=plan.id, unit=unit, year=quarter.year, quarter=quarter.number, revision=before.revision + 1 if before is not None else 1,
            standing=_standing(version, unit.code), due_on=quarter.due_on(plan.reporting), by=by, on=today, **texts,
        )  # fmt: skip
        body = {
            "plan": plan.id, "unit": unit.code, "quarter": f"{quarter.year}-{quarter.number}", "revision": made.revision, "by": by.pk,
            "on": today.isoformat(), "standing": made.standing, **texts,
        }  # fmt: skip
        made.ledger_seq = append_one("duty.quarter", f"plan:{plan.id}", body)
        made.save()
        record_event("duties.quarter", by=by, ref=f"plan:{plan.id}", quarter=body["quarter"], revision=made.revision)
    return made


def _texts(words: dict[str, str]) -> dict[str, str]:
    """Return the parts of a report as they are kept.

    Raises:
        ValidationError: by field, a part that is missing or too long.
    """
    found = {name: cleaned(words.get(name, "")) for name in PARTS}
    faults = {name: fault_of(text, MOST_CHARACTERS, _("请填写；没有的写「无」")) for name, text in found.items()}
    if any(faults.values()):
        raise ValidationError({name: fault for name, fault in faults.items() if fault})
    return found


def _standing(version: PlanVersion, unit: str) -> list[dict[str, str]]:
    """Return how the items of a unit stand today."""
    return [
        {"key": item.key, "title": item.title.zh, "due_on": item.due_on.isoformat(), "state": item.shown_state.value}
        for item in duties(version)
        if item.lead == unit
    ]
