"""Writes of grade management: an override or a hold, proposed by one, approved by another, ended by its term."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.evaluations.models import HELD, CurrentGrade, GradeOrder
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.queries import rulebook_of

Status = GradeOrder.Status


def propose_order(
    subject: Subject, *, kind: str, grade: str, reason: str, basis: str, until: date | None, by: User
) -> GradeOrder:
    """Put forward that a grade be set by hand, or held.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: names every field that is wrong, and what it should be.
    """
    if not may(by, "grades.propose"):
        raise PermissionDenied
    current = CurrentGrade.objects.filter(subject=subject).select_related("run__release").first()
    if current is None:
        raise ValidationError(_("该主体还没有已发布的等级，无从调整"))
    today = timezone.localdate()
    longest = clock("order.longest", today).due_on
    ladder = [item.id for item in rulebook_of(current.run.release).ladder_on(today)]
    faults: dict[str, str] = {}
    if kind not in GradeOrder.Kind.values:
        faults["kind"] = _("请选择调整或暂缓")
    if kind == GradeOrder.Kind.OVERRIDE and (grade not in ladder or grade == current.grade):
        faults["grade"] = _("请选择与现等级不同的等级：%(join_ladder)s") % {"join_ladder": "、".join(ladder)}
    if len(reason.strip()) < 5:
        faults["reason"] = _("请写明理由（不少于五个字）")
    if not basis.strip():
        faults["basis"] = _("请填写依据的文书或条款")
    if until is None or not today < until <= longest:
        faults["until"] = _("期限应在明天与 %(longest)s 之间") % {"longest": longest}
    if faults or until is None:
        raise ValidationError(faults)
    with transaction.atomic():
        order = GradeOrder.objects.create(
            subject=subject, kind=kind, grade=grade if kind == GradeOrder.Kind.OVERRIDE else HELD,
            reason=reason.strip()[:500], basis=basis.strip()[:200], until=until, proposed_by=by,
        )  # fmt: skip
        record_event("grades.propose", by=by, ref=subject.code, kind=kind, grade=order.grade, until=until.isoformat())
    return order


def decide_order(order: GradeOrder, *, approve: bool, by: User) -> GradeOrder:
    """Approve or refuse an order; never one's own.

    Raises:
        PermissionDenied: no approver, or the maker.
        ValidationError: decided already, its term is over, or another order is in force.
    """
    if not may(by, "grades.approve") or by.pk == order.proposed_by_id:
        raise PermissionDenied
    with transaction.atomic():
        order = GradeOrder.objects.select_for_update().get(pk=order.pk)
        if order.status != Status.PROPOSED:
            raise ValidationError(_("该调整已有决定"))
        if approve and order.until <= timezone.localdate():
            raise ValidationError(_("期限已过，请重新提出"))
        if approve and GradeOrder.objects.filter(subject=order.subject_id, status=Status.ACTIVE).exists():
            raise ValidationError(_("该主体已有生效中的调整，请先终止"))
        order.status, order.decided_by = Status.ACTIVE if approve else Status.REFUSED, by
        order.decided_at = timezone.now()
        order.save()
        if approve:
            CurrentGrade.objects.filter(subject=order.subject_id).update(in_force=order.grade)
            append_one(
                "grade.override" if order.kind == GradeOrder.Kind.OVERRIDE else "grade.hold",
                f"order:{order.pk}",
                {"subject": order.subject_id, "grade": order.grade, "until": order.until.isoformat(), "basis": order.basis},
            )
        record_event("grades.approve", by=by, ref=f"order:{order.pk}", approved=approve)
    return order


def end_order(order: GradeOrder, *, by: User | None) -> None:
    """End an order in force before its term; ``None``: its term is over.

    Raises:
        PermissionDenied: the account may not.
    """
    if by is not None and not (may(by, "grades.propose") or may(by, "grades.approve")):
        raise PermissionDenied
    with transaction.atomic():
        found = GradeOrder.objects.select_for_update().get(pk=order.pk)
        if found.status != Status.ACTIVE:
            return
        found.status, found.ended_at = Status.ENDED, timezone.now()
        found.save()
        for current in CurrentGrade.objects.filter(subject=found.subject_id):
            CurrentGrade.objects.filter(pk=current.pk).update(in_force=current.grade)
        append_one("grade.order_ended", f"order:{found.pk}", {"subject": found.subject_id, "by": by.pk if by else None})
        record_event("grades.end", by=by, ref=f"order:{found.pk}")


def end_expired_orders() -> Iterator[str]:
    """Orders whose term is over: a step of ``tick``."""
    for order in GradeOrder.objects.filter(status=Status.ACTIVE, until__lte=timezone.localdate()):
        end_order(order, by=None)
        yield f"ended order {order.pk}"
