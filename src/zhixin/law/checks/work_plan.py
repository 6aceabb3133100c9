"""Faults of a work plan: names that nobody has, dates that cannot be kept, tasks nobody can prove."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from zhixin.errors import Fault, Message
from zhixin.law.loading import position_of
from zhixin.law.work_plan import WorkPlan
from zhixin.law.yaml_text import YamlText, dotted

Path_ = tuple[str | int, ...]
Found = tuple[str, Path_, str]
"""Code, path, the name that the fault is about."""
WORDS = {
    "W001": ("{0} 重复", "{0} stands twice", "改名", "rename it"),
    "W002": ("没有 {0}", "there is no {0}", "核对名称", "check the name"),
    "W003": ("{0} 的截止日早于开始日", "{0} ends before it begins", "改正日期", "correct the days"),
    "W004": ("任务 {0} 超出所属阶段的起止日期", "the task {0} lies outside its phase", "改正日期或所属阶段", "correct the days or the phase"),
    "W005": ("节点 {0} 不在任务的起止日期之内", "the milestone {0} lies outside its task", "改正日期", "correct the day"),
    "W006": ("阶段 {0} 早于前一阶段的结束日开始", "the phase {0} begins before the one before it ends", "按时间先后排列，互不重叠", "put them in order, without overlap"),
    "W007": ("逾期天数 {0} 没有递增", "the days {0} do not grow", "按逾期天数从少到多排列", "put the smaller number first"),
    "W008": ("验收项目 {0} 没有写明如何查证", "{0} says not how it is shown", "写 counted 和 at_least，或者只写 task", "write counted and at_least, or task alone"),
    "W009": ("系统不统计 {0}", "the site does not count {0}", "从统计项目中选择，或者改为 task", "choose one that is counted, or name a task"),
    "W010": ("任务 {0} 的配合单位就是牵头单位", "the task {0} is helped by its own lead", "从 helped_by 中删去", "remove it from helped_by"),
    "W020": ("单位 {0} 没有任务", "the unit {0} has no task", "核对是否遗漏", "see whether one is missing"),
    "W021": ("阶段 {0} 没有任务", "the phase {0} has no task", "核对是否遗漏", "see whether one is missing"),
    "W022": ("验收维度 {0} 没有项目", "the axis {0} has no criterion", "核对是否遗漏", "see whether one is missing"),
}  # fmt: skip
HINTS = frozenset({"W020", "W021", "W022"})


def faults_of(plan: WorkPlan, document: YamlText, counted: frozenset[str] | None) -> Iterator[Fault]:
    """Yield every fault and hint."""
    for code, path, name in (*_doubles(plan), *_names(plan, counted), *_days(plan), *_left_out(plan)):
        file, line = position_of(document.positions, path)
        zh, en, fix_zh, fix_en = WORDS[code]
        what, remedy = Message(zh.format(name), en.format(name)), Message(fix_zh, fix_en)
        yield Fault(file, line, code, dotted(path), what, remedy, is_warning=code in HINTS)


def _twice(part: str, names: Iterable[str]) -> Iterator[Found]:
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            yield "W001", (part, place), name


def _doubles(plan: WorkPlan) -> Iterator[Found]:
    yield from _twice("units", (item.code for item in plan.units))
    for part in ("phases", "tasks", "axes", "acceptance"):
        yield from _twice(part, (item.id for item in getattr(plan, part)))
    for place, task in enumerate(plan.tasks):
        for code, path, name in _twice("milestones", (item.id for item in task.milestones)):
            yield code, ("tasks", place, *path), name


def _names(plan: WorkPlan, counted: frozenset[str] | None) -> Iterator[Found]:
    units = {item.code for item in plan.units}
    phases, tasks = {item.id for item in plan.phases}, {item.id for item in plan.tasks}
    axes = {item.id for item in plan.axes}
    yield from (("W002", (part,), name) for part, name in (("office", plan.office),) if name not in units)
    for place, task in enumerate(plan.tasks):
        at: Path_ = ("tasks", place)
        if task.phase not in phases:
            yield "W002", (*at, "phase"), task.phase
        if task.lead not in units:
            yield "W002", (*at, "lead"), task.lead
        yield from (("W002", (*at, "helped_by"), name) for name in task.helped_by if name not in units)
        if task.lead in task.helped_by:
            yield "W010", (*at, "helped_by"), task.id
    for place, item in enumerate(plan.acceptance):
        at = ("acceptance", place)
        if item.axis not in axes:
            yield "W002", (*at, "axis"), item.axis
        by_number = item.counted is not None and item.at_least is not None
        if by_number == (item.task is not None) or (item.counted is None) != (item.at_least is None):
            yield "W008", at, item.id
        if item.task is not None and item.task not in tasks:
            yield "W002", (*at, "task"), item.task
        if item.counted is not None and counted is not None and item.counted not in counted:
            yield "W009", (*at, "counted"), item.counted


def _days(plan: WorkPlan) -> Iterator[Found]:
    for place, phase in enumerate(plan.phases):
        if phase.ends_on < phase.starts_on:
            yield "W003", ("phases", place, "ends_on"), phase.id
        if place and phase.starts_on <= plan.phases[place - 1].ends_on:
            yield "W006", ("phases", place, "starts_on"), phase.id
    phases = {item.id: item for item in plan.phases}
    for place, task in enumerate(plan.tasks):
        if task.due_on < task.starts_on:
            yield "W003", ("tasks", place, "due_on"), task.id
        within = phases.get(task.phase)
        if within and not within.starts_on <= task.starts_on <= task.due_on <= within.ends_on:
            yield "W004", ("tasks", place, "due_on"), task.id
        for number, step in enumerate(task.milestones):
            if not task.starts_on <= step.due_on <= task.due_on:
                yield "W005", ("tasks", place, "milestones", number, "due_on"), step.id
    for place, (before, after) in enumerate(zip(plan.escalation, plan.escalation[1:], strict=False), 1):
        if after.days_overdue <= before.days_overdue:
            yield "W007", ("escalation", place, "days_overdue"), str(after.days_overdue)


def _left_out(plan: WorkPlan) -> Iterator[Found]:
    busy = {name for task in plan.tasks for name in (task.lead, *task.helped_by)} | {plan.office}
    used = {task.phase for task in plan.tasks}
    judged = {item.axis for item in plan.acceptance}
    yield from (("W020", ("units", place), item.code) for place, item in enumerate(plan.units) if item.code not in busy)
    yield from (("W021", ("phases", place), item.id) for place, item in enumerate(plan.phases) if item.id not in used)
    yield from (("W022", ("axes", place), item.id) for place, item in enumerate(plan.axes) if item.id not in judged)
