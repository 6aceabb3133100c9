"""Weekly and quarterly papers on the progress of a plan: computed, numbered, issued, and replaced where something came late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from zhixin.errors import ZhixinError
from zhixin.law.calendar import shift_days
from zhixin.law.paper_numbers import PROGRESS_REPORTS
from zhixin.law.work_plan import WorkPlan
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.items import FINISHED, Duty, DutyState
from zhixin_web.duties.models import Escalation, PlanVersion, ProgressEntry, ProgressPaper, QuarterReport
from zhixin_web.duties.queries import (
    Quarter,
    began_on,
    duties,
    effective_versions,
    plan_in,
    plan_of,
    quarters,
    reports_of,
    unit_names,
    version_in_force,
    version_on,
    with_milestones,
)
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import day_in_words, issue_paper, withdraw_issued

DAYS_AHEAD = 14
WEEKS_BACK = 12
Kind = ProgressPaper.Kind


def monday_of(day: date) -> date:
    """Return the Monday of the week of a day."""
    return shift_days(day, -day.weekday())


def make_weekly_papers() -> Iterator[str]:
    """Issue the weekly papers that are missing, of the last weeks that are over, each once: a step of ``tick``."""
    version = version_in_force()
    if version is None:
        return
    held = ProgressPaper.objects.filter(plan=version.plan, kind=Kind.WEEKLY).values_list("from_on", flat=True)
    for monday in sorted(set(weeks(version)) - set(held)):
        try:
            yield f"weekly paper {issue_weekly(version, monday).paper.number} of {version.plan}"
        except ZhixinError as error:
            yield f"weekly paper of {version.plan}: {error.message.en}"
            return


def weeks(version: PlanVersion) -> list[date]:
    """Return the Mondays of the last weeks that are over and at whose end the plan was in force, the newest first."""
    monday, began = monday_of(timezone.localdate()), began_on(version)
    found = [shift_days(monday, -7 * back) for back in range(1, WEEKS_BACK + 1)]
    return [item for item in found if shift_days(item, 6) >= began]


def issue_weekly(version: PlanVersion, monday: date, by: User | None = None) -> ProgressPaper:
    """Issue the paper of a week that is over; by the clock where nobody is named.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no Monday, or the week is not over.
        FontMissing: no Chinese font is installed.
    """
    until = shift_days(monday, 6)
    if monday.weekday() or not began_on(version) <= until < timezone.localdate():
        raise ValidationError(_("只能出具方案执行以来已经结束的一周（周一至周日）"))
    return _issue(version, Kind.WEEKLY, monday, until, by, {})


def issue_quarterly(version: PlanVersion, quarter: Quarter, by: User) -> ProgressPaper:
    """Issue the paper of a quarter with what the units have reported, and who has not.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: the quarter is not over, or not reported under this plan.
        FontMissing: no Chinese font is installed.
    """
    if quarter not in quarters(version):
        raise ValidationError(_("该季度尚未结束，或者不在方案的报告范围内"))
    plan = plan_in(version, quarter)
    reports = reports_of(plan.id, quarter)
    found = [_told_of(rows) for rows in reports.values()]
    missing = [unit.title.zh for unit in plan.units if unit.code not in reports]
    return _issue(version, Kind.QUARTERLY, quarter.first, quarter.last, by, {"reports": found, "missing": missing})


def _told_of(rows: Sequence[QuarterReport]) -> dict[str, str]:
    """Return what a unit reports: its last words, when it first reported and when it corrected that."""
    first, last = rows[0], rows[-1]
    on = first.on.isoformat() + ("，逾期" if first.on > first.due_on else "")
    corrected = f"，{last.on.isoformat()} 更正" if last is not first else ""
    return {
        "unit": last.unit.name, "on": on + corrected, "done": last.done, "problems": last.problems, "next_steps": last.next_steps,
    }  # fmt: skip


def _issue(
    version: PlanVersion, kind: ProgressPaper.Kind, first: date, last: date, by: User | None, more: dict[str, Any]
) -> ProgressPaper:
    if by is not None and not may(by, "duties.plan"):
        raise PermissionDenied
    today = timezone.localdate()
    with transaction.atomic(), translation.override("zh-hans"):
        lock_ledger()
        plan = plan_of(version)
        same = ProgressPaper.objects.filter(plan=plan.id, kind=kind, from_on=first).order_by("revision")
        before = same.select_related("paper").last()
        content = {"title": f"{plan.title.zh}{kind.label}", **progress_content(version, first, last), **more}
        if before is not None and {**before.content, "number": ""} == {**content, "number": ""}:
            return before
        serial = ProgressPaper.objects.filter(made_on__year=today.year).count() + 1
        content["number"] = f"{PROGRESS_REPORTS}〔{today.year}〕{serial}号"
        paper = issue_paper(Paper.Kind.PROGRESS, "progress.typ", content, today, number=content["number"])
        made = ProgressPaper.objects.create(
            plan=plan.id, kind=kind, from_on=first, until=last, revision=before.revision + 1 if before is not None else 1,
            content=content, paper=paper, made_by=by, made_on=today,
        )  # fmt: skip
        if before is not None:
            withdraw_issued(str(before.paper_id), f"已由{content['number']}代替")
        body = {
            "plan": plan.id,
            "paper": paper.code,
            "number": paper.number,
            "from": first.isoformat(),
            "until": last.isoformat(),
        }
        append_one("duty.paper", f"plan:{plan.id}", body)
        record_event("duties.paper", by=by, ref=f"plan:{plan.id}", number=paper.number)
    return made


def progress_content(version: PlanVersion, first: date, last: date) -> dict[str, Any]:
    """Return what a paper says of a period: how all items stood on its last day, and what happened in it, in Chinese."""
    then = version_on(version.plan, last) or effective_versions(version.plan)[0]
    plan, names = plan_of(then), {code: text.zh for code, text in unit_names(version.plan).items()}
    with translation.override("zh-hans"):
        found = duties(then, last)
        whole = with_milestones(found)
        titles = {item.key: item.title.zh for item in whole}
        overdue = sorted((item for item in whole if item.days_overdue), key=lambda item: -item.days_overdue)
        soon = [item for item in whole if not item.is_finished and last < item.due_on <= shift_days(last, DAYS_AHEAD)]
        return {
            "period": f"{day_in_words(first)}至{day_in_words(last)}", "standing": _sentence(found),
            "units": [[names[row["code"]], *list(row.values())[1:]] for row in by_unit(plan, found)],
            "overdue": [
                [_named(item, titles), names[item.lead], item.due_on.isoformat(), str(item.days_overdue), _told(item, last)]
                for item in overdue
            ],
            "events": [
                [entry.on.isoformat(), titles[entry.item], entry.unit.name, entry.get_kind_display(), entry.text[:120]]
                for entry in _entries(titles, first, last)
            ],
            "ahead": [
                [item.due_on.isoformat(), _named(item, titles), names[item.lead], str(item.state.label)]
                for item in sorted(soon, key=lambda item: item.due_on)
            ],
            "silent": [[item.title.zh, names[item.lead]] for item in found if item.is_silent],
        }  # fmt: skip


def _sentence(found: Sequence[Duty]) -> str:
    counts = Counter(item.shown_state for item in found)
    parts = [f"{state.label} {counts[state]} 项" for state in DutyState if counts[state]]
    return f"共 {len(found)} 项任务：{'，'.join(parts)}。" if found else "没有任务。"


def by_unit(plan: WorkPlan, found: Sequence[Duty]) -> list[dict[str, str]]:
    """Return how many tasks of every unit there are, done, claimed, overdue and silent, under its code."""
    rows = []
    for code in dict.fromkeys([*(item.code for item in plan.units), *(item.lead for item in found)]):
        own = [item for item in found if item.lead == code]
        states = Counter(item.shown_state for item in own)
        done = sum(states[state] for state in FINISHED)
        numbers = (len(own), done, states[DutyState.CLAIMED], states[DutyState.OVERDUE], sum(item.is_silent for item in own))
        names = ("all", "done", "claimed", "overdue", "silent")
        rows.append({"code": code, **dict(zip(names, map(str, numbers), strict=True))})
    return rows


def _named(item: Duty, titles: dict[str, str]) -> str:
    return f"{titles[item.parent]}：{item.title.zh}" if item.parent else item.title.zh


def _told(item: Duty, last: date) -> str:
    told = Escalation.objects.filter(item=item.key, due_on=item.due_on, on__lte=last).order_by("pk")
    return "、".join(row.get_to_display() for row in told) or "—"


def _entries(titles: dict[str, str], first: date, last: date) -> list[ProgressEntry]:
    rows = ProgressEntry.objects.filter(item__in=list(titles), on__gte=first, on__lte=last)
    return list(rows.select_related("unit").order_by("on", "pk"))
