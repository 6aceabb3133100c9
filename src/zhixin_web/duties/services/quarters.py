"""Quarterly reports of the units: written once the quarter is over, with their items as they stood."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.models import PlanVersion, QuarterReport
from zhixin_web.duties.queries import Quarter, duties, plan_in, quarters, reports_of
from zhixin_web.received.words import printable

MOST_CHARACTERS = 4000
PARTS = ("done", "problems", "next_steps")


def file_report(version: PlanVersion, quarter: Quarter, *, by: User, words: dict[str, str]) -> QuarterReport:
    """Report of a quarter for one's unit; a second report is a revision beside the first.

    Raises:
        PermissionDenied: the account may not, or its unit is none of the plan.
        ValidationError: by field; the quarter is not over.
    """
    plan, today = plan_in(version, quarter), timezone.localdate()
    unit = by.organisation
    if not may(by, "duties.report") or unit is None or unit.code not in {item.code for item in plan.units}:
        raise PermissionDenied
    if today <= quarter.last:
        raise ValidationError(_("该季度尚未结束，%(day)s 起可以填报") % {"day": quarter.following.first})
    if quarter not in quarters(version):
        raise ValidationError(_("该季度尚未结束，或者不在方案的报告范围内"))
    texts = {name: masked(printable(words.get(name, ""))).strip() for name in PARTS}
    faults = {name: _("请填写；没有的写「无」") for name, text in texts.items() if not text}
    faults |= {
        name: _("不超过 %(most)s 字，现有 %(have)s 字") % {"most": MOST_CHARACTERS, "have": len(text)}
        for name, text in texts.items()
        if len(text) > MOST_CHARACTERS
    }
    if faults:
        raise ValidationError(faults)
    with transaction.atomic():
        lock_ledger()
        before = reports_of(plan.id, quarter).get(unit.code, [None])[-1]
        if before is not None and all(getattr(before, name) == text for name, text in texts.items()):
            return before
        own = [item for item in duties(version) if item.lead == unit.code]
        standing = [
            {"key": item.key, "title": item.title.zh, "due_on": item.due_on.isoformat(), "state": item.shown_state.value}
            for item in own
        ]
        revision = before.revision + 1 if before is not None else 1
        body = {
            "plan": plan.id, "unit": unit.code, "quarter": f"{quarter.year}-{quarter.number}", "revision": revision, "by": by.pk,
            "on": today.isoformat(), "standing": standing, **texts,
        }  # fmt: skip
        seq = append_one("duty.quarter", f"plan:{plan.id}", body)
        made = QuarterReport.objects.create(
            plan=plan.id, unit=unit, year=quarter.year, quarter=quarter.number, revision=revision, standing=standing,
            due_on=quarter.due_on(plan.reporting), by=by, on=today, ledger_seq=seq, **texts,
        )  # fmt: skip
        record_event("duties.quarter", by=by, ref=f"plan:{plan.id}", quarter=body["quarter"], revision=revision)
    return made
