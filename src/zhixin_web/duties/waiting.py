"""What waits for an account under the work plans: its unit's items and reports, claims to check, versions and minutes to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_days
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.duties.items import Duty, DutyState
from zhixin_web.duties.models import Escalation, Meeting, PlanVersion
from zhixin_web.duties.queries import duties, plan_in, quarters, reports_of, told_on, version_in_force, with_milestones
from zhixin_web.duties.services.progress import may_answer

URGENT = (DutyState.OVERDUE, DutyState.SOON)


@dataclass(frozen=True)
class Waiting:
    """One thing that waits: what, of what, where, until when (``None``: no deadline)."""

    title: str
    detail: str
    address: str
    due_on: date | None


def waiting_for(user: User) -> Iterator[Waiting]:
    """Yield what waits for an account."""
    if not may(user, "duties.view"):
        return
    version = version_in_force()
    if version is not None:
        found = with_milestones(duties(version))
        told = told_on(found)
        for item in found:
            yield from _of_item(user, item, told)
        yield from _reports(user, version)
    if may(user, "duties.decide"):
        for proposed in PlanVersion.objects.filter(status=PlanVersion.Status.PROPOSED).exclude(proposed_by=user):
            yield Waiting(
                _("工作方案待审批"), f"{proposed.title} {proposed.version}", f"/c/progress/plan/{proposed.pk}", None
            )
        for meeting in Meeting.objects.filter(status=Meeting.Status.RECORDED).exclude(recorded_by=user):
            yield Waiting(_("会议纪要待确认"), meeting.title, f"/c/progress/meetings/{meeting.pk}", None)


def _of_item(user: User, item: Duty, told: set[tuple[str, date, str]]) -> Iterator[Waiting]:
    title = item.title.in_language(get_language() or "zh")
    is_own = may(user, "duties.report") and user.unit_code == item.lead
    if item.progress.claim is not None and may_answer(user, item):
        until = shift_days(item.progress.claim.on, item.reporting.answer_within_days)
        yield Waiting(_("申报完成，待核对"), title, item.address, until)
    if is_own and item.progress.sent_back is not None and not item.is_finished:
        yield Waiting(_("申报被退回"), title, item.address, item.due_on)
    elif is_own and item.state in URGENT:
        yield Waiting(_("责任事项"), title, item.address, item.due_on)
    elif is_own and item.is_silent and not item.parent:
        yield Waiting(_("责任事项长期无进展"), title, item.address, item.due_on)
    for to, action in ((Escalation.To.OFFICE, "duties.plan"), (Escalation.To.CONFERENCE, "duties.decide")):
        if not is_own and item.days_overdue and (item.key, item.due_on, to.value) in told and may(user, action):
            yield Waiting(_("逾期事项，请督促"), title, item.address, item.due_on)


def _reports(user: User, version: PlanVersion) -> Iterator[Waiting]:
    """Yield the quarters of which the account's unit, or for the office others, have not reported; the last four, lest they fill a desk."""
    own = user.unit_code
    for quarter in quarters(version)[:4]:
        plan, name = plan_in(version, quarter), f"{quarter.year}-{quarter.number}"
        due_on, address = quarter.due_on(plan.reporting), f"/c/progress/quarters?quarter={name}"
        missing = {item.code for item in plan.units} - reports_of(plan.id, quarter).keys()
        if may(user, "duties.report") and own in missing:
            yield Waiting(_("季度报告待填报"), name, address, due_on)
        if may(user, "duties.plan") and missing - {own} and timezone.localdate() > due_on:
            yield Waiting(_("季度报告逾期未报的单位"), f"{name}：{len(missing - {own})}", address, due_on)
