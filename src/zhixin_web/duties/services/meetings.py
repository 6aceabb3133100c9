"""Minutes of the joint conference: recorded by one person, confirmed by another; what was resolved binds from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin.law.calendar import shift_months
from zhixin_web.accounts.models import Organisation, User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.models import Meeting, PlanVersion, Resolution
from zhixin_web.duties.queries import plan_of
from zhixin_web.duties.services.plans import reason_of
from zhixin_web.received.words import printable

MOST_RESOLUTIONS = 20
MOST_MONTHS = 36
MOST_CHARACTERS = 10_000
Status = Meeting.Status


@dataclass(frozen=True)
class Resolved:
    """What was resolved, as it is entered: what, by which unit, until when, shown by what."""

    title: str
    lead: str
    due_on: date | None
    proof: str


def record_meeting(
    version: PlanVersion, *, by: User, held_on: date | None, title: str, present: Sequence[str], minutes: str, resolved: Sequence[Resolved]
) -> Meeting:  # fmt: skip
    """Record a meeting with its minutes and what was resolved.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: by field (``resolutions`` with the line), everything that is missing or impossible.
    """
    if not may(by, "duties.plan"):
        raise PermissionDenied
    plan = plan_of(version)
    units = {item.code for item in plan.units} | {plan.conference}
    name, words = masked(printable(title)).strip(), masked(printable(minutes)).strip()
    faults = {field: [_("请填写")] for field, text in (("title", name), ("minutes", words)) if not text}
    if len(name) > 120:
        faults["title"] = [_("不超过 %(most)s 字，现有 %(have)s 字") % {"most": 120, "have": len(name)}]
    if len(words) > MOST_CHARACTERS:
        faults["minutes"] = [_("不超过 %(most)s 字，现有 %(have)s 字") % {"most": MOST_CHARACTERS, "have": len(words)}]
    if held_on is None or held_on > timezone.localdate():
        faults["held_on"] = [_("请填写会议日期，不得晚于今天")]
    if not present or set(present) - units:
        faults["present"] = [_("请选择参会单位")]
    lines = [fault for place, item in enumerate(resolved, 1) for fault in _line_faults(place, item, units, held_on)]
    if len(resolved) > MOST_RESOLUTIONS:
        lines.append(_("一次会议最多 %(most)s 项议定事项") % {"most": MOST_RESOLUTIONS})
    if lines:
        faults["resolutions"] = lines
    if faults or held_on is None:
        raise ValidationError(faults)
    leads = {item.code: item for item in Organisation.objects.filter(code__in=units)}
    with transaction.atomic():
        lock_ledger()
        same = Meeting.objects.filter(plan=plan.id, held_on=held_on, title=name, recorded_by=by, status=Status.RECORDED)
        held = next((item for item in same if item.minutes == words), None)
        if held is not None:
            return held  # a form sent twice
        meeting = Meeting.objects.create(
            plan=plan.id, held_on=held_on, title=name, present=sorted(set(present)), minutes=words, recorded_by=by
        )
        for place, item in enumerate(resolved, 1):
            assert item.due_on is not None
            Resolution.objects.create(
                meeting=meeting, position=place, title=masked(printable(item.title)).strip(), lead=leads[item.lead],
                due_on=item.due_on, proof=masked(printable(item.proof)).strip(),
            )  # fmt: skip
        record_event("duties.meeting", by=by, ref=f"meeting:{meeting.pk}")
    return meeting


def _line_faults(place: int, item: Resolved, units: set[str], held_on: date | None) -> list[str]:
    wrong = [
        label
        for label, is_wrong in (
            (_("事项（不超过 200 字）"), not 0 < len(item.title.strip()) <= 200),
            (_("责任单位"), item.lead not in units),
            (_("完成期限（会议之日起三年以内）"), not _is_near(item.due_on, held_on)),
            (_("完成标志（不超过 200 字）"), not 0 < len(item.proof.strip()) <= 200),
        )
        if is_wrong
    ]
    return [_("第 %(place)s 项：请填写%(what)s") % {"place": place, "what": label} for label in wrong]


def _is_near(due_on: date | None, held_on: date | None) -> bool:
    if due_on is None:
        return False
    return held_on is None or held_on <= due_on <= shift_months(held_on, MOST_MONTHS)


def decide_minutes(meeting: Meeting, *, approve: bool, reason: str, by: User) -> None:
    """Confirm minutes, so that what was resolved binds, or send them back for good with the reason.

    Raises:
        PermissionDenied: no approver, or the one who recorded them.
        ValidationError: decided already, or sent back without a reason.
    """
    if not may(by, "duties.decide") or by.pk == meeting.recorded_by_id:
        raise PermissionDenied
    why = reason_of(reason, "" if approve else _("退回须写明理由"))
    with transaction.atomic():
        lock_ledger()
        found = Meeting.objects.select_for_update().get(pk=meeting.pk)
        if found.status != Status.RECORDED:
            raise ValidationError(_("该纪要已经办理"))
        found.status = Status.CONFIRMED if approve else Status.REFUSED
        found.decided_by, found.decided_at, found.decision_reason = by, timezone.now(), why
        resolved = [
            [item.title, item.lead.code, item.due_on.isoformat(), item.proof]
            for item in found.resolutions.select_related("lead").order_by("position")
        ]
        body = {
            "meeting": found.pk, "plan": found.plan, "held_on": found.held_on.isoformat(), "title": found.title, "present": found.present,
            "minutes": found.minutes, "resolved": resolved, "approved": approve, "recorded_by": found.recorded_by_id, "decided_by": by.pk,
        }  # fmt: skip
        found.ledger_seq = append_one("duty.meeting", f"meeting:{found.pk}", body)
        found.save()
        record_event("duties.minutes", by=by, ref=f"meeting:{found.pk}", approved=approve)
