"""Yearly plans: derived from the rulebook in force, proposed by one person, approved by another, filed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.reference.inspection_items import inspection_items
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.inspections.models import Plan
from zhixin_web.inspections.queries import planned_strata
from zhixin_web.inspections.strata import frame_of, strata_of, visits_of
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of

Status = Plan.Status


def make_plan(
    *, year: int, title: str, basis: str, items: list[str], release: RulebookRelease, by: User, team: int | None = None, cap: int = 40,
    stated_percent: str = "", excess_reason: str = "", inversion: str = "",
) -> Plan:  # fmt: skip
    """Draft a plan whose ratios come from the measures of a release.

    Args:
        team: persons for each visit; as few as the law allows by default.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: by field, everything that is missing or impossible.
    """
    if not may(by, "inspections.plan"):
        raise PermissionDenied
    today, known = timezone.localdate(), inspection_items()
    fewest = known.limit("inspectors_per_visit", today).value
    persons = fewest if team is None else team
    faults = _faults(title, basis, items, year, release) | _numbers_at_fault(persons, fewest, cap)
    if faults:
        raise ValidationError(faults)
    strata = strata_of(rulebook_of(release), today)
    if not strata:
        raise ValidationError({"release": _("该规则没有抽查措施")})
    with transaction.atomic():
        plan = Plan.objects.create(
            year=year, title=title.strip()[:120], basis=basis.strip()[:200], items=sorted(set(items)), release=release,
            strata=[item.dump() for item in strata], stated_percent=stated_percent.strip()[:12],
            excess_reason=excess_reason.strip()[:300], inversion=inversion.strip()[:300], team=persons, cap=cap, made_by=by,
            most_visits_a_year=known.limit("planned_visits_a_year", today).value,
        )  # fmt: skip
        record_event("inspections.plan", by=by, ref=f"plan:{plan.pk}")
    return plan


def _faults(title: str, basis: str, items: list[str], year: int, release: RulebookRelease) -> dict[str, str]:
    faults = {name: _("请填写") for name, text in (("title", title), ("basis", basis)) if not text.strip()}
    if not items or set(items) - {item.code for item in inspection_items().items}:
        faults["items"] = _("请从抽查事项清单中选择")
    if abs(year - timezone.localdate().year) > 1:
        faults["year"] = _("计划年度应为今年、去年或明年")
    if release.status != RulebookRelease.Status.RELEASED:
        faults["release"] = _("规则尚未发布")
    return faults


def _numbers_at_fault(persons: int, fewest: int, cap: int) -> dict[str, str]:
    faults = {}
    if persons < fewest:
        faults["team"] = _("执法检查不得少于 %(fewest)s 人（行政处罚法第四十二条）") % {"fewest": fewest}
    if cap < 1:
        faults["cap"] = _("应至少为 1")
    return faults


def stated_ratio(plan: Plan) -> Fraction | None:
    """The overall ratio the notice promises; ``None`` where it promises none.

    Raises:
        ValidationError: it is no percentage.
    """
    text = plan.stated_percent.rstrip("%％ ")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValidationError({"stated_percent": _("请填写百分数，如 3%")}) from error
    if not 0 < found <= 100:
        raise ValidationError({"stated_percent": _("请填写 0 至 100 之间的百分数")})
    return Fraction(found) / 100


def overall(plan: Plan) -> tuple[int, int]:
    """Units in the frame of today and the visits planned for them."""
    strata = planned_strata(plan)
    frame = frame_of(strata, most_visits=plan.most_visits_a_year, today=timezone.localdate())
    counted = visits_of(strata, frame.sizes)
    return len(frame.units), sum(visits for _units, visits in counted.values())


def propose_plan(plan: Plan, by: User) -> None:
    """Put a plan forward; a total above what the notice states needs its reason.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: not a draft, an empty frame, or the ratio is above the stated one without a reason.
    """
    if not may(by, "inspections.plan"):
        raise PermissionDenied
    units, visits = overall(plan)
    if not units:
        raise ValidationError(_("抽样框为空：先发布一次评价"))
    stated = stated_ratio(plan)
    if stated is not None and Fraction(visits, units) > stated and not plan.excess_reason:
        percent = f"{float(Fraction(visits, units)) * 100:.3f}"
        raise ValidationError(
            {"excess_reason": _("按各等级比例合计 %(visits)s 户次，占 %(percent)s%%，高于通知所述的 %(stated)s：请写明理由") % {"visits": visits, "percent": percent, "stated": plan.stated_percent}}
        )  # fmt: skip
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan.pk, status=Status.DRAFT).update(status=Status.PROPOSED):
            raise ValidationError(_("只有草拟中的计划可以提请审批"))
        record_event("inspections.propose", by=by, ref=f"plan:{plan.pk}", units=units, visits=visits)


def decide_plan(plan: Plan, *, approve: bool, by: User) -> None:
    """Approve or refuse a plan; never one's own.

    Raises:
        PermissionDenied: no approver, or the maker.
        ValidationError: not proposed.
    """
    if not may(by, "inspections.approve") or by.pk == plan.made_by_id:
        raise PermissionDenied
    with transaction.atomic():
        found = Plan.objects.select_for_update().get(pk=plan.pk)
        if found.status != Status.PROPOSED:
            raise ValidationError(_("该计划不在待审批状态"))
        found.status = Status.APPROVED if approve else Status.REFUSED
        found.decided_by, found.decided_at = by, timezone.now()
        found.save()
        if approve:
            append_one(
                "inspection.plan",
                f"plan:{found.pk}",
                {"plan": found.pk, "year": found.year, "strata": [item["id"] for item in found.strata]},
            )
        record_event("inspections.approve", by=by, ref=f"plan:{found.pk}", approved=approve)


def file_plan(plan: Plan, number: str, by: User) -> None:
    """Note under which number the plan was filed (备案).

    Raises:
        PermissionDenied: the account may not.
        ValidationError: not approved, or no number.
    """
    if not may(by, "inspections.plan"):
        raise PermissionDenied
    if not number.strip():
        raise ValidationError({"filing": _("请填写备案文号")})
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan.pk, status=Status.APPROVED).update(
            status=Status.FILED, filing=number.strip()[:120]
        ):
            raise ValidationError(_("只有已批准的计划可以备案"))
        record_event("inspections.file", by=by, ref=f"plan:{plan.pk}", number=number.strip()[:120])
