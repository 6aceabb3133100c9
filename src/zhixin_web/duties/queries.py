"""Reads of the work plan: what was in force when, how every item stands, who has reported of which quarter.

There is one plan in force at a time. What lies in the past is read by the version that was in force then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from django.db.models import QuerySet
from django.utils import timezone

from zhixin.law.calendar import shift_days
from zhixin.law.nodes import Text
from zhixin.law.work_plan import PlannedTask, Reporting, WorkPlan, loads_work_plan
from zhixin_web.accounts.models import Organisation
from zhixin_web.duties.items import Duty, Move, Progress, folded
from zhixin_web.duties.models import Escalation, Meeting, PlanVersion, ProgressEntry, QuarterReport, Resolution

Status = PlanVersion.Status
MEETING = "meeting:"
"""Begins the keys of what meetings have resolved; no plan has a colon in its id."""


@lru_cache(maxsize=32)
def _loaded(sha256: str, pk: int) -> WorkPlan:
    return loads_work_plan(PlanVersion.objects.values_list("text", flat=True).get(pk=pk))


def plan_of(version: PlanVersion) -> WorkPlan:
    """Return the work plan that a version is; its text is read where the plan is not kept in memory."""
    return _loaded(version.sha256, version.pk)


def version_in_force() -> PlanVersion | None:
    """Return the version in force."""
    return PlanVersion.objects.filter(status=Status.IN_FORCE).first()


def effective_versions(plan: str) -> list[PlanVersion]:
    """Return the versions of a plan that are or were in force, the first of them first, without their texts."""
    found = PlanVersion.objects.filter(plan=plan, status__in=[Status.IN_FORCE, Status.REPLACED])
    return list(found.defer("text").order_by("decided_at", "pk"))


def version_on(plan: str, day: date) -> PlanVersion | None:
    """Return the version of a plan that was in force at the end of a day; ``None``: none was yet."""
    found = [item for item in effective_versions(plan) if item.in_force_from is not None and item.in_force_from <= day]
    return found[-1] if found else None


def began_on(version: PlanVersion) -> date:
    """Return from which day the plan has been in force, in whatever version."""
    days = [item.in_force_from for item in effective_versions(version.plan) if item.in_force_from is not None]
    return min(days, default=timezone.localdate())


def unit_names(plan: str) -> dict[str, Text]:
    """Return what units are called: as the last version that names them says, or as the organisation is."""
    found = {item.code: Text(zh=item.name, en=item.name) for item in Organisation.objects.all()}
    for version in effective_versions(plan):
        found |= {item.code: item.title for item in plan_of(version).units}
    return found


def duties(version: PlanVersion, today: date | None = None) -> list[Duty]:
    """Return the tasks of a version in their order, then what meetings have resolved, each with what was said of it until a day."""
    today = today or timezone.localdate()
    plan = plan_of(version)
    said = _progress(ProgressEntry.objects.filter(item__startswith=f"{plan.id}/"), today)
    moves = _moves(plan.id, today)
    tasks = [_task(plan, task, said, moves, today) for task in plan.tasks]
    return tasks + list(_resolved(plan, today))


def with_milestones(found: list[Duty]) -> list[Duty]:
    """Return tasks each followed by its milestones."""
    return [step for item in found for step in (item, *item.milestones)]


def duty(key: str, today: date | None = None) -> Duty | None:
    """Return the item of a key as the plan in force has it, or as the last version had it that did; ``None``: none ever did."""
    for version in reversed(effective_versions(_plan_named(key))):
        if not key.startswith(MEETING) and key not in ends_of(plan_of(version)):
            continue
        found = next((item for item in with_milestones(duties(version, today)) if item.key == key), None)
        if found is None or version.status == Status.IN_FORCE:
            return found
        return replace(found, dropped_from=version.version)
    return None


def _plan_named(key: str) -> str:
    """Return the id of the plan that a key belongs to; empty: of none."""
    named = key.split("/")[0]
    number = named.removeprefix(MEETING)
    if number == named:
        return named
    is_key = number.isascii() and number.isdigit() and len(number) < 19
    return Meeting.objects.filter(pk=number).values_list("plan", flat=True).first() or "" if is_key else ""


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
    return f"{MEETING}{resolution.meeting_id}/{resolution.position}"


def ends_of(plan: WorkPlan) -> dict[str, date]:
    """Return the last day of every task and milestone of a plan, by key."""
    found = {f"{plan.id}/{task.id}": task.due_on for task in plan.tasks}
    return found | {f"{plan.id}/{task.id}/{step.id}": step.due_on for task in plan.tasks for step in task.milestones}


def _moves(plan: str, today: date) -> dict[str, tuple[Move, ...]]:
    found: dict[str, list[Move]] = defaultdict(list)
    held: dict[str, date] = {}
    for version in effective_versions(plan):
        if version.in_force_from is None or version.in_force_from > today:
            continue
        ends = ends_of(plan_of(version))
        for key, day in ends.items():
            if held.get(key, day) != day:
                found[key].append(Move(version.version, held[key], day, version.reason))
        held |= ends
    return {key: tuple(moves) for key, moves in found.items()}


def dropped(version: PlanVersion) -> list[Duty]:
    """Return tasks and milestones that an earlier version had and this one has not, as the last version that had them left them."""
    now = ends_of(plan_of(version))
    last = {key: item for item in effective_versions(version.plan) for key in ends_of(plan_of(item)) if key not in now}
    found = []
    for earlier in dict.fromkeys(last.values()):
        items = {item.key: item for item in with_milestones(duties(earlier))}
        found += [replace(items[key], dropped_from=earlier.version) for key in last if last[key] == earlier]
    return found


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


def plan_in(version: PlanVersion, quarter: Quarter) -> WorkPlan:
    """Return the plan by which a quarter is reported: as it was in force at its end, or as it first came into force."""
    return plan_of(version_on(version.plan, quarter.last) or effective_versions(version.plan)[0])


def reports_of(plan: str, quarter: Quarter) -> dict[str, list[QuarterReport]]:
    """Return every unit's reports of a quarter, the first revision first, by the unit's code."""
    found: dict[str, list[QuarterReport]] = defaultdict(list)
    rows = QuarterReport.objects.filter(plan=plan, year=quarter.year, quarter=quarter.number)
    for row in rows.select_related("unit", "by").order_by("revision"):
        found[row.unit.code].append(row)
    return dict(found)


def last_report(plan: str, quarter: Quarter, unit: str) -> QuarterReport | None:
    """Return the last revision of a unit's report of a quarter."""
    return reports_of(plan, quarter).get(unit, [None])[-1]


def told_on(items: Iterable[Duty]) -> set[tuple[str, date, str]]:
    """Return who has been told that some items are overdue: item, its end, addressee."""
    found = Escalation.objects.filter(item__in=[item.key for item in items])
    return set(found.values_list("item", "due_on", "to"))
