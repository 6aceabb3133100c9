"""Reads of the work plan: what is in force, how every item stands, who has reported of which quarter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from django.db.models import QuerySet
from django.utils import timezone

from zhixin.law.calendar import shift_days
from zhixin.law.nodes import Text
from zhixin.law.work_plan import PlannedTask, Reporting, WorkPlan, loads_work_plan
from zhixin_web.duties.items import Duty, Move, Progress, folded
from zhixin_web.duties.models import Meeting, PlanVersion, ProgressEntry, QuarterReport, Resolution

Status = PlanVersion.Status


@lru_cache(maxsize=32)
def _loaded(sha256: str, text: str) -> WorkPlan:
    return loads_work_plan(text)


def plan_of(version: PlanVersion) -> WorkPlan:
    """Return the work plan that a version is."""
    return _loaded(version.sha256, version.text)


def versions_in_force() -> list[PlanVersion]:
    """Return the version in force of every plan, the newest plan first."""
    return list(PlanVersion.objects.filter(status=Status.IN_FORCE).order_by("-pk"))


def version_in_force(plan: str = "") -> PlanVersion | None:
    """Return the version in force of a plan; of the newest where none is named."""
    return next((item for item in versions_in_force() if plan in ("", item.plan)), None)


def duties(version: PlanVersion, today: date | None = None) -> list[Duty]:
    """Return the tasks of a plan in their order, then what meetings have resolved, each with what was said of it."""
    today = today or timezone.localdate()
    plan = plan_of(version)
    said = _progress(ProgressEntry.objects.filter(item__startswith=f"{plan.id}/"), today)
    moves = _moves(plan.id)
    tasks = [_task(plan, task, said, moves, today) for task in plan.tasks]
    return tasks + list(_resolved(plan, today))


def duty(key: str, today: date | None = None) -> Duty | None:
    """Return the item of a key as the plan in force has it; ``None``: there is none."""
    named = key.split("/")[0]
    if named.startswith("meeting:"):
        meeting = Meeting.objects.filter(pk=named[8:] if named[8:].isdigit() else -1).first()
        named = meeting.plan if meeting is not None else ""
    version = version_in_force(named) if named else None
    found = duties(version, today) if version is not None else []
    return next((item for task in found for item in (task, *task.milestones) if item.key == key), None)


def _progress(entries: QuerySet[ProgressEntry], today: date) -> dict[str, Progress]:
    """Fold the entries written until a day, by item."""
    by_item: dict[str, list[ProgressEntry]] = defaultdict(list)
    for entry in entries.filter(on__lte=today).select_related("unit", "by").order_by("pk"):
        by_item[entry.item].append(entry)
    return {item: folded(found) for item, found in by_item.items()}


def _task(
    plan: WorkPlan, task: PlannedTask, said: dict[str, Progress], moves: dict[str, tuple[Move, ...]], today: date
) -> Duty:
    key = f"{plan.id}/{task.id}"
    whole = Duty(
        key=key, plan=plan.id, title=task.title, proof=task.proof, lead=task.lead, starts_on=task.starts_on, due_on=task.due_on,
        today=today, reporting=plan.reporting, progress=said.get(key, Progress()), phase=task.phase, helped_by=task.helped_by,
        basis=task.basis, moves=moves.get(key, ()),
    )  # fmt: skip
    steps = tuple(
        replace(
            whole, key=f"{key}/{step.id}", parent=key, title=step.title, due_on=step.due_on,
            progress=said.get(f"{key}/{step.id}", Progress()), moves=moves.get(f"{key}/{step.id}", ()), basis=(),
        )
        for step in task.milestones
    )  # fmt: skip
    return replace(whole, milestones=steps)


def _resolved(plan: WorkPlan, today: date) -> Iterator[Duty]:
    """Yield what meetings have resolved whose minutes are confirmed."""
    rows = Resolution.objects.filter(
        meeting__plan=plan.id, meeting__status=Meeting.Status.CONFIRMED, meeting__held_on__lte=today
    )
    found = list(rows.select_related("meeting", "lead").order_by("meeting__held_on", "meeting_id", "position"))
    keys = [key_of(row) for row in found]
    said = _progress(ProgressEntry.objects.filter(item__in=keys), today)
    for row, key in zip(found, keys, strict=True):
        yield Duty(
            key=key, plan=plan.id, title=Text(zh=row.title, en=row.title), proof=Text(zh=row.proof, en=row.proof), lead=row.lead.code,
            starts_on=row.meeting.held_on, due_on=row.due_on, today=today, reporting=plan.reporting,
            progress=said.get(key, Progress()), meeting=row.meeting_id,
        )  # fmt: skip


def key_of(resolution: Resolution) -> str:
    """Return the key of what a meeting resolved."""
    return f"meeting:{resolution.meeting_id}/{resolution.position}"


def ends_of(plan: WorkPlan) -> dict[str, date]:
    """Return the last day of every task and milestone of a plan, by key."""
    found = {f"{plan.id}/{task.id}": task.due_on for task in plan.tasks}
    return found | {f"{plan.id}/{task.id}/{step.id}": step.due_on for task in plan.tasks for step in task.milestones}


def effective_versions(plan: str) -> list[PlanVersion]:
    """Return the versions of a plan that are or were in force, the first of them first."""
    return list(
        PlanVersion.objects.filter(plan=plan, status__in=[Status.IN_FORCE, Status.REPLACED]).order_by("decided_at", "pk")
    )


def began_on(version: PlanVersion) -> date:
    """Return from which day the plan has been in force, in whatever version."""
    days = [item.in_force_from for item in effective_versions(version.plan) if item.in_force_from is not None]
    return min(days, default=timezone.localdate())


def _moves(plan: str) -> dict[str, tuple[Move, ...]]:
    found: dict[str, list[Move]] = defaultdict(list)
    held: dict[str, date] = {}
    for version in effective_versions(plan):
        ends = ends_of(plan_of(version))
        for key, day in ends.items():
            if held.get(key, day) != day:
                found[key].append(Move(version.version, held[key], day, version.reason))
        held |= ends
    return {key: tuple(moves) for key, moves in found.items()}


def dropped(version: PlanVersion) -> list[tuple[str, Text, PlanVersion]]:
    """Return tasks that an earlier version had and this one has not: key, title, the last version that had it."""
    now = {task.id for task in plan_of(version).tasks}
    found: dict[str, tuple[str, Text, PlanVersion]] = {}
    for earlier in effective_versions(version.plan):
        for task in plan_of(earlier).tasks:
            if task.id not in now:
                found[task.id] = (f"{version.plan}/{task.id}", task.title, earlier)
    return list(found.values())


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year."""

    year: int
    number: int

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        return shift_days(self.following.first, -1)

    @property
    def following(self) -> Quarter:
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    def due_on(self, reporting: Reporting) -> date:
        """Return the last day to report of it."""
        return shift_days(self.last, reporting.quarter_within_days)


def quarter_on(day: date) -> Quarter:
    """Return the quarter that a day lies in."""
    return Quarter(day.year, (day.month + 2) // 3)


def quarters(version: PlanVersion, today: date | None = None) -> list[Quarter]:
    """Return the quarters that units report of, the newest first: those that have ended since the plan is in force."""
    today = today or timezone.localdate()
    plan = plan_of(version)
    found, quarter = [], quarter_on(max(began_on(version), plan.phases[0].starts_on))
    while quarter.last < today and quarter.first <= plan.phases[-1].ends_on:
        found.append(quarter)
        quarter = quarter.following
    return found[::-1]


def latest_reports(plan: str, quarter: Quarter) -> dict[str, QuarterReport]:
    """Return the last revision of every unit's report of a quarter, by the unit's code."""
    rows = QuarterReport.objects.filter(plan=plan, year=quarter.year, quarter=quarter.number)
    return {row.unit.code: row for row in rows.select_related("unit", "by").order_by("revision")}
