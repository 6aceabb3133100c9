"""What a version of the work plan changes against another, all of it: who decides sees every word and every day that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext as _

from zhixin.law.nodes import Node, Text
from zhixin.law.work_plan import WorkPlan
from zhixin_web.duties.counted import COUNTED
from zhixin_web.duties.items import Duty, DutyState
from zhixin_web.duties.models import Escalation, PlanVersion
from zhixin_web.duties.queries import duties, plan_of, unit_names, with_milestones

LISTS = ("units", "phases", "tasks", "escalation", "axes", "acceptance")
NAMES = frozenset({"id", "code", "format", "version", "to"})
"""Fields that name a part and say nothing more of it."""


@dataclass(frozen=True)
class Change:
    """One thing that differs: a part of the plan, which of its facts, what it was and is; how the item stands now."""

    kind: Literal["added", "dropped", "changed"]
    part: str
    fact: str = ""
    before: str = ""
    after: str = ""
    is_later: bool = False
    state: DutyState | None = None


class Fact(NamedTuple):
    """Where a fact of a plan stands: in which list, of which part (by its id, of tasks by its key), which field; no field: the part itself."""

    part: str
    id: str
    field: str = ""

    @property
    def whole(self) -> Fact:
        """The part that the fact is one of."""
        return self._replace(field="")


def changes(version: PlanVersion) -> list[Change]:
    """Return what a version changes against the one it is compared with; nothing where it is the first.

    Values are compared as they stand in the files: two tasks of the same title are two tasks.
    """
    if version.before is None:
        return []
    plans = plan_of(version.before), plan_of(version)
    old, new = (dict(_facts(plan)) for plan in plans)
    called = _called(plans, unit_names(version.before.plan) | unit_names(version.plan))
    standing = {item.key: item.state for item in with_milestones(duties(version.before))}
    words, found = _words(), []
    for fact in dict.fromkeys((*old, *new)):
        before, after = old.get(fact), new.get(fact)
        stays = fact.whole in old and fact.whole in new
        if before == after or stays == (not fact.field):
            continue  # nothing differs, or it is said by the part that comes or goes
        part = words[fact.part] + (f"「{label}」" if (label := (new if fact.whole in new else old)[fact.whole]) else "")
        state = standing.get(fact.id)
        if not stays:
            found.append(Change("added" if fact in new else "dropped", part, state=state))
            continue
        is_later = isinstance(before, date) and isinstance(after, date) and after > before
        was, now = (_shown(value, called.get(fact.field, {})) for value in (before, after))
        if was == now:  # two that are called the same
            was, now = f"{was}（{before}）", f"{now}（{after}）"
        found.append(Change("changed", part, words.get(fact.field, fact.field), was, now, is_later, state))
    return found


def _facts(plan: WorkPlan) -> Iterator[tuple[Fact, Any]]:
    """Yield every fact of a plan with its value; of a part itself the value is what it is called."""
    yield from _facts_of(Fact("plan", plan.id), plan, leave=(*LISTS, "reporting"))
    yield from _facts_of(Fact("reporting", ""), plan.reporting)
    for step in plan.escalation:
        yield from _facts_of(Fact("escalation", step.to), step, str(Escalation.To(step.to).label))
    for unit in plan.units:
        yield from _facts_of(Fact("units", unit.code), unit)
    for part, items in (("phases", plan.phases), ("axes", plan.axes), ("acceptance", plan.acceptance)):
        for item in items:
            yield from _facts_of(Fact(part, item.id), item)
    for task in plan.tasks:
        key = f"{plan.id}/{task.id}"
        yield from _facts_of(Fact("tasks", key), task, leave=("milestones",))
        for milestone in task.milestones:
            yield from _facts_of(Fact("milestones", f"{key}/{milestone.id}"), milestone)


def _facts_of(whole: Fact, node: Node, label: str = "", leave: tuple[str, ...] = ()) -> Iterator[tuple[Fact, Any]]:
    title = getattr(node, "title", None)
    yield whole, title.zh if isinstance(title, Text) else label
    for field in type(node).model_fields:
        if field not in NAMES and field not in leave:
            yield whole._replace(field=field), getattr(node, field)


def _called(plans: tuple[WorkPlan, WorkPlan], units: Mapping[str, Text]) -> dict[str, dict[str, str]]:
    """Return by field what the ids in it are called."""
    names = {code: text.zh for code, text in units.items()}
    titles = {
        field: {item.id: item.title.zh for plan in plans for item in getattr(plan, part)}
        for field, part in (("phase", "phases"), ("axis", "axes"), ("task", "tasks"))
    }
    counted = {name: str(item.title) for name, item in COUNTED.items()}
    return titles | {"counted": counted} | dict.fromkeys(("lead", "helped_by", "office", "conference"), names)


def _shown(value: Any, called: Mapping[str, str]) -> str:
    if isinstance(value, Text):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Node):
        return "，".join(str(part) for part in value.children() if part is not None)
    if isinstance(value, tuple):
        return "、".join(_shown(item, called) for item in value) or "—"
    return "—" if value in (None, "") else called.get(value, str(value)) if isinstance(value, str) else str(value)


def _words() -> dict[str, str]:
    """Return what parts and facts are called."""
    return {
        "plan": _("方案"), "reporting": _("报告要求"), "escalation": _("逾期提示"), "units": _("单位"), "phases": _("阶段"), "tasks": _("任务"),
        "milestones": _("节点"), "axes": _("验收维度"), "acceptance": _("验收项目"), "title": _("名称"), "basis": _("依据"),
        "office": _("牵头办公室"), "conference": _("联席会议"), "starts_on": _("开始日"), "ends_on": _("结束日"), "due_on": _("期限"),
        "lead": _("责任单位"), "helped_by": _("配合单位"), "phase": _("阶段"), "proof": _("完成标志"), "axis": _("验收维度"),
        "counted": _("统计项目"), "at_least": _("至少"), "task": _("任务"), "days_overdue": _("逾期日数"),
        "news_every_days": _("登记进展的间隔（日）"), "soon_days": _("提前提醒（日）"), "quarter_within_days": _("季度报告期限（日）"),
        "answer_within_days": _("核对申报的期限（日）"),
    }  # fmt: skip


def confirmed_but_changed(version: PlanVersion) -> list[Duty]:
    """Return items whose confirmation a version makes void, because it makes another task of them."""
    if version.before is None:
        return []
    now = {item.key: item for item in with_milestones(duties(version.before))}
    return [
        item
        for item in with_milestones(duties(version))
        if item.changed_since is not None and now.get(item.key, item).done is not None
    ]
