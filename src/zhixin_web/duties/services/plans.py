"""Versions of a work plan: read and checked, put forward by one person, put into force by another."""

from __future__ import annotations

import hashlib

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.errors import Fault
from zhixin.law.work_plan import WorkPlan, check_work_plan
from zhixin.law.yaml_text import YamlText
from zhixin_web.accounts.models import Organisation, User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.counted import COUNTED
from zhixin_web.duties.models import PlanVersion
from zhixin_web.duties.queries import plan_of, version_in_force
from zhixin_web.received.words import cleaned, fault_of

Status = PlanVersion.Status
MOST_BYTES = 500_000
MOST_OF_A_REASON = 300


class PlanRefused(Exception):
    """A plan has faults; each says line, what and remedy."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.sentence("en") for fault in faults))


def propose_plan(text: str, *, reason: str, by: User) -> PlanVersion:
    """Put a version of a plan forward.

    Raises:
        PermissionDenied: the account may not.
        PlanRefused: the text has faults.
        ValidationError: a unit has no organisation here, no reason, the same version twice, or one is waiting already.
    """
    if not may(by, "duties.plan"):
        raise PermissionDenied
    plan = _read(text)
    known = set(Organisation.objects.values_list("code", flat=True))
    strange = sorted({plan.conference, *(item.code for item in plan.units)} - known)
    if strange:
        raise ValidationError(
            {
                "text": _("系统中没有这些单位：%(codes)s；请先在账号与角色中登记，或者改正代码")
                % {"codes": "、".join(strange)}
            }
        )
    why = reason_of(reason, _("请写明制定或者调整的理由"))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        lock_ledger()
        if PlanVersion.objects.filter(status=Status.PROPOSED).exists():
            raise ValidationError(_("已有一个版本等待审批；请先办理"))
        current = version_in_force()
        _refuse_second_plan(plan, current)
        held = PlanVersion.objects.filter(plan=plan.id)
        if held.exclude(status=Status.REFUSED).filter(version=plan.version).exists():
            raise ValidationError({"text": _("版本号 %(version)s 已经用过；请改用新的版本号") % {"version": plan.version}})
        made = PlanVersion.objects.create(
            plan=plan.id, version=plan.version, title=plan.title.zh[:200], text=text, sha256=sha256, reason=why, proposed_by=by, before=current,
        )  # fmt: skip
        record_event("duties.propose", by=by, ref=f"plan:{plan.id}", version=plan.version, sha256=sha256[:12])
    return made


def _refuse_second_plan(plan: WorkPlan, current: PlanVersion | None) -> None:
    """Refuse another plan while one runs: what is owed under it would be out of sight."""
    if current is not None and plan.id != current.plan and timezone.localdate() <= plan_of(current).phases[-1].ends_on:
        raise ValidationError(
            {"text": _("现行方案 %(plan)s 执行至 %(day)s；期间只能调整该方案（id 不变），不能另立方案") % {"plan": current.plan, "day": plan_of(current).phases[-1].ends_on}}
        )  # fmt: skip


def reason_of(text: str, missing: str) -> str:
    """Return a reason as it is kept.

    Raises:
        ValidationError: under ``reason``: none where one is ``missing``, or too long.
    """
    why = cleaned(text)
    fault = fault_of(why, MOST_OF_A_REASON, missing)
    if fault:
        raise ValidationError({"reason": fault})
    return why


def too_large() -> str:
    """Say how large the file of a plan may be."""
    return _("方案文件不得超过 %(most)s KB") % {"most": MOST_BYTES // 1000}


def _read(text: str) -> WorkPlan:
    if len(text.encode()) > MOST_BYTES:
        raise ValidationError({"text": too_large()})
    plan, faults = check_work_plan(YamlText("plan.yaml", text), frozenset(COUNTED))
    errors = [fault for fault in faults if not fault.is_warning]
    if plan is None or errors:
        raise PlanRefused(errors)
    return plan


def decide_plan(version: PlanVersion, *, approve: bool, reason: str, by: User) -> None:
    """Put a version into force in place of the one before, or refuse it.

    Raises:
        PermissionDenied: no approver, or the one who put it forward.
        ValidationError: decided already, or refused without a reason.
    """
    if not may(by, "duties.decide") or by.pk == version.proposed_by_id:
        raise PermissionDenied
    why = reason_of(reason, "" if approve else _("不予批准须写明理由"))
    with transaction.atomic():
        lock_ledger()
        found = PlanVersion.objects.select_for_update().get(pk=version.pk)
        if found.status != Status.PROPOSED:
            raise ValidationError(_("该版本已经办理"))
        if approve:
            current = version_in_force()
            _refuse_second_plan(plan_of(found), current)
            PlanVersion.objects.filter(status=Status.IN_FORCE).update(status=Status.REPLACED)
            found.in_force_from, found.before = timezone.localdate(), current
        found.status = Status.IN_FORCE if approve else Status.REFUSED
        found.decided_by, found.decided_at, found.decision_reason = by, timezone.now(), why
        body = {
            "plan": found.plan, "version": found.version, "sha256": found.sha256, "approved": approve, "proposed_by": found.proposed_by_id,
            "decided_by": by.pk,
        }  # fmt: skip
        found.ledger_seq = append_one("duty.plan", f"plan:{found.plan}", body)
        found.save()
        record_event("duties.decide", by=by, ref=f"plan:{found.plan}", version=found.version, approved=approve)
