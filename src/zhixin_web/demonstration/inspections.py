"""Inspections of the demonstration: a plan, a published draw of last month with results, a draw that waits for its numbers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.utils import timezone

from zhixin_web.accounts.models import Organisation, User
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.inspections.models import Draw, Inspector, Plan, Task
from zhixin_web.inspections.services.draws import commit_draw, enter_numbers, publish_draw
from zhixin_web.inspections.services.plans import decide_plan, file_plan, make_plan, propose_plan
from zhixin_web.inspections.services.results import publish_results, review_result, submit_result
from zhixin_web.rulebooks.models import RulebookRelease

NUMBERS = [[3, 8, 11, 14, 19, 22, 27, 30, 33, 41, 44, 46, 52, 55, 58, 61, 66, 70, 73, 80]]
"""Invented; no drawing of kl8 had them."""
UNITS_PER_INSPECTOR, FEWEST_INSPECTORS = 250, 3
LEFT_OPEN = 3
"""Tasks that are left for the pocket."""


def make_inspections(release: RulebookRelease, people: dict[str, User]) -> None:
    """Make inspectors, an approved plan, one draw with results, one that is committed."""
    _inspectors()
    today = timezone.localdate()
    plan = make_plan(
        year=today.year, title="演示：知识产权领域双随机抽查计划", basis="（虚构）演示〔2026〕5号", items=["trademark_use", "patent_claims"],
        release=release, by=people["city"], stated_percent="3%", excess_reason="演示数据：C、D级户数多于上年",
        inversion="演示城市的等级户数很少，取整后比例倒置",
    )  # fmt: skip
    propose_plan(plan, people["city"])
    decide_plan(plan, approve=True, by=people["approver"])
    plan.refresh_from_db()
    file_plan(plan, "（虚构）演示备〔2026〕5号", people["city"])
    plan.refresh_from_db()
    _publish_last_months(plan, people, today)
    day = today + timedelta(days=3)
    commit_draw(plan, game="kl8", issue=_issue(day), day=day, by=people["city"])


def _issue(day: date) -> str:
    return f"{day.year}{day.timetuple().tm_yday:03d}"


def _inspectors() -> None:
    count = max(FEWEST_INSPECTORS, CurrentGrade.objects.count() // UNITS_PER_INSPECTOR)
    units = list(Organisation.objects.filter(kind=Organisation.Kind.DISTRICT).order_by("code"))
    until = timezone.localdate() + timedelta(days=500)
    Inspector.objects.bulk_create(
        Inspector(
            code=f"INS{number:03d}", name=f"虚构检查员{number:02d}", unit=units[number % len(units)],
            certificate=f"（虚构）豫A{number:05d}", valid_until=until,
        )
        for number in range(1, count + 1)
    )  # fmt: skip


def _publish_last_months(plan: Plan, people: dict[str, User], today: date) -> None:
    day = today - timedelta(days=30)
    frozen = timezone.make_aware(datetime.combine(day - timedelta(days=3), time(9)))
    draw = commit_draw(plan, game="kl8", issue=_issue(day), day=day, by=people["city"], frozen_at=frozen)
    enter_numbers(draw, NUMBERS, people["city"])
    enter_numbers(draw, NUMBERS, people["approver"])
    publish_draw(Draw.objects.get(pk=draw.pk), people["approver"])
    busiest = Inspector.objects.annotate(tasks=Count("assignments")).order_by("-tasks", "code")[0]
    busiest.account, busiest.name = people["inspector"], people["inspector"].display_name
    busiest.save()
    mine = Task.objects.filter(draw=draw, assignments__inspector__account=people["inspector"]).order_by("pk")
    for place, task in enumerate(mine[: max(1, mine.count() - LEFT_OPEN)][:6]):
        result, disposal, note = [("clean", "none", ""), ("corrected", "order", "演示数据：标注不规范，已责令改正")][
            place % 2
        ]
        submit_result(
            task, method="on_site", result=result, disposal=disposal, note=note, inspected_on=today, by=people["inspector"]
        )
        if place < 4:
            review_result(task, people["city"], accept=True)
    publish_results(people["city"])
