"""Faults of a work plan: names that nobody has, dates that cannot be kept, tasks nobody can prove."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from zhixin.errors import Fault, Message
from zhixin.law.loading import position_of
from zhixin.law.nodes import Text
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
    "W011": ("{0} 没有写文字，或者含有不可见字符", "{0} has no words, or characters that cannot be seen", "用中文和英文各写一行", "write one line in each language"),
    "W012": ("{0} 的文字超过 {most} 字", "{0} is longer than {most} characters", "缩短", "shorten it"),
    "W013": ("日期 {0} 不可信", "the day {0} cannot be meant", "年份应在 2000 至 2100 之间", "write a year between 2000 and 2100"),
    "W014": ("编号 {0} 超过 {most_id} 字", "the id {0} is longer than {most_id} characters", "缩短", "shorten it"),
    "W020": ("单位 {0} 没有任务", "the unit {0} has no task", "核对是否遗漏", "see whether one is missing"),
    "W021": ("阶段 {0} 没有任务", "the phase {0} has no task", "核对是否遗漏", "see whether one is missing"),
    "W023": ("任务名称 {0} 重复", "two tasks are called {0}", "改名，以免混淆", "give them names of their own"),
    "W022": ("验收维度 {0} 没有项目", "the axis {0} has no criterion", "核对是否遗漏", "see whether one is missing"),
}  # fmt: skip
HINTS = frozenset({"W020", "W021", "W022", "W023"})
MOST_CHARACTERS, MOST_OF_AN_ID = 120, 60
FIRST_YEAR, LAST_YEAR = 2000, 2100
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Kinds of characters that no page shows."""


def faults_of(plan: WorkPlan, document: YamlText, counted: frozenset[str] | None) -> Iterator[Fault]:
    """Yield every fault and hint."""
    for code, path, name in (*_doubles(plan), *_names(plan, counted), *_days(plan), *_words(plan), *_left_out(plan)):
        file, line = position_of(document.positions, path)
        zh, en, fix_zh, fix_en = WORDS[code]
        most = {"most": MOST_CHARACTERS, "most_id": MOST_OF_AN_ID}
        what, remedy = Message(zh.format(name, **most), en.format(name, **most)), Message(fix_zh, fix_en)
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


def _words(plan: WorkPlan) -> Iterator[Found]:
    """Report titles and proofs without words, ids that are too long and days that cannot be meant."""
    yield from _worded(("title",), plan.title)
    for part in ("units", "phases", "tasks", "axes", "acceptance"):
        for place, item in enumerate(getattr(plan, part)):
            at: Path_ = (part, place)
            yield from _worded((*at, "title"), item.title)
            if part == "tasks":
                yield from _worded((*at, "proof"), item.proof)
            for number, step in enumerate(item.milestones if part == "tasks" else ()):
                yield from _worded((*at, "milestones", number, "title"), step.title)
            ids = [getattr(item, "id", ""), *(step.id for step in getattr(item, "milestones", ()))]
            yield from (("W014", at, name[:20]) for name in ids if len(name) > MOST_OF_AN_ID)
            days = [getattr(item, name, None) for name in ("starts_on", "ends_on", "due_on")]
            yield from (("W013", at, str(day)) for day in days if day and not FIRST_YEAR <= day.year <= LAST_YEAR)
    for title, count in Counter(item.title.zh for item in plan.tasks).items():
        if count > 1:
            place = max(number for number, item in enumerate(plan.tasks) if item.title.zh == title)
            yield "W023", ("tasks", place, "title"), title


def _worded(path: Path_, text: Text) -> Iterator[Found]:
    for words in (text.zh, text.en):
        if not words.strip() or any(unicodedata.category(char) in _UNSEEN for char in words):
            yield "W011", path, ".".join(map(str, path))
            return
        if len(words) > MOST_CHARACTERS:
            yield "W012", path, ".".join(map(str, path))
            return


def _left_out(plan: WorkPlan) -> Iterator[Found]:
    busy = {name for task in plan.tasks for name in (task.lead, *task.helped_by)} | {plan.office}
    used = {task.phase for task in plan.tasks}
    judged = {item.axis for item in plan.acceptance}
    yield from (("W020", ("units", place), item.code) for place, item in enumerate(plan.units) if item.code not in busy)
    yield from (("W021", ("phases", place), item.id) for place, item in enumerate(plan.phases) if item.id not in used)
    yield from (("W022", ("axes", place), item.id) for place, item in enumerate(plan.axes) if item.id not in judged)
