"""Minutes of the joint conference: recorded by one person, confirmed by another; what was resolved binds from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_months
from zhixin_web.accounts.models import Organisation, User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.models import Meeting, PlanVersion, Resolution
from zhixin_web.duties.queries import plan_of
from zhixin_web.duties.services.plans import reason_of
from zhixin_web.received.words import cleaned, fault_of

MOST_RESOLUTIONS = 20
MOST_MONTHS = 36
MOST_CHARACTERS, MOST_OF_A_TITLE, MOST_OF_A_LINE = 10_000, 120, 200
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
    name, words, there = cleaned(title), cleaned(minutes), sorted(set(present))
    lines = [replace(item, title=cleaned(item.title), proof=cleaned(item.proof)) for item in resolved]
    faults = {
        "title": fault_of(name, MOST_OF_A_TITLE, _("请填写")), "minutes": fault_of(words, MOST_CHARACTERS, _("请填写")),
        "held_on": "" if held_on is not None and held_on <= timezone.localdate() else _("请填写会议日期，不得晚于今天"),
        "present": "" if there and set(there) <= units else _("请选择参会单位"), "resolutions": _faults_of_lines(lines, units, held_on),
    }  # fmt: skip
    if held_on is None or any(faults.values()):
        raise ValidationError({field: fault for field, fault in faults.items() if fault})
    meeting = Meeting(plan=plan.id, held_on=held_on, title=name, present=there, minutes=words, recorded_by=by)
    leads = {item.code: item for item in Organisation.objects.filter(code__in=units)}
    with transaction.atomic():
        lock_ledger()
        held = _sent_before(meeting)
        if held is not None:
            return held
        meeting.save()
        for place, item in enumerate(lines, 1):
            values = {"title": item.title, "lead": leads[item.lead], "due_on": item.due_on, "proof": item.proof}
            Resolution.objects.create(meeting=meeting, position=place, **values)
        record_event("duties.meeting", by=by, ref=f"meeting:{meeting.pk}")
    return meeting


def _sent_before(meeting: Meeting) -> Meeting | None:
    """Return the same minutes if the same person has sent them and they wait: a form sent twice."""
    same = Meeting.objects.filter(
        plan=meeting.plan, held_on=meeting.held_on, title=meeting.title, recorded_by=meeting.recorded_by, status=Status.RECORDED
    )  # fmt: skip
    return next((item for item in same if item.minutes == meeting.minutes), None)


def _faults_of_lines(lines: Sequence[Resolved], units: set[str], held_on: date | None) -> list[str]:
    """Return what is missing or impossible in the resolutions, each with its number."""
    found = [fault for place, item in enumerate(lines, 1) for fault in _line_faults(place, item, units, held_on)]
    return found + [_("一次会议最多 %(most)s 项议定事项") % {"most": MOST_RESOLUTIONS}] * (len(lines) > MOST_RESOLUTIONS)


def _line_faults(place: int, item: Resolved, units: set[str], held_on: date | None) -> list[str]:
    wrong = {
        _("事项（不超过 200 字）"): not 0 < len(item.title) <= MOST_OF_A_LINE,
        _("责任单位"): item.lead not in units,
        _("完成期限（会议之日起三年以内）"): not _is_near(item.due_on, held_on),
        _("完成标志（不超过 200 字）"): not 0 < len(item.proof) <= MOST_OF_A_LINE,
    }
    return [
        _("第 %(place)s 项：请填写%(what)s") % {"place": place, "what": what} for what, is_wrong in wrong.items() if is_wrong
    ]


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
