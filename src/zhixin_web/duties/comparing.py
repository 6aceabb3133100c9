"""What a version of the work plan changes against another, all of it: who decides sees every word and every day that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.utils.translation import gettext as _

from zhixin.law.nodes import Node, Text
from zhixin.law.work_plan import WorkPlan
from zhixin_web.duties.counted import COUNTED
from zhixin_web.duties.items import Duty, DutyState
from zhixin_web.duties.models import Escalation, PlanVersion
from zhixin_web.duties.queries import duties, plan_of, unit_names, with_milestones

Kind = Literal["added", "dropped", "changed"]


@dataclass(frozen=True)
class Change:
    """One thing that differs: a part of the plan, which of its facts, what it was and is; how the item stands now."""

    kind: Kind
    part: str
    fact: str = ""
    before: str = ""
    after: str = ""
    is_later: bool = False
    state: DutyState | None = None


def changes(version: PlanVersion) -> list[Change]:
    """Return what a version changes against the one it is compared with; nothing where it is the first."""
    if version.before is None:
        return []
    names = unit_names(version.plan) | unit_names(version.before.plan)
    old, new = (dict(_facts(plan_of(item), names)) for item in (version.before, version))
    standing = {item.key: item.state for item in with_milestones(duties(version.before))}
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key.parent is not None and (key.parent not in old or key.parent not in new):
            continue  # said with the part that comes or goes
        before, after = old.get(key), new.get(key)
        if before == after or (key.parent is None and None not in (before, after)):
            continue  # another title is said as a fact of the part
        kind: Kind = "added" if before is None else "dropped" if after is None else "changed"
        label = (new if after is not None else old)[key.parent or key]
        part = f"{_words()[key.part]}「{label}」" if label else _words()[key.part]
        is_later = all(isinstance(value, date) for value in (before, after)) and after > before  # type: ignore[operator]
        fact = _words().get(key.fact, key.fact) if key.parent is not None else ""
        shown = (_shown(before), _shown(after)) if key.parent is not None else ("", "")
        found.append(Change(kind, part, fact, *shown, is_later, standing.get(key.item)))
    return found


@dataclass(frozen=True)
class _Key:
    """A fact of a part of the plan; without ``fact`` the part itself, whose value is its name."""

    part: str
    id: str
    fact: str = ""
    item: str = ""

    @property
    def parent(self) -> _Key | None:
        return _Key(self.part, self.id, item=self.item) if self.fact else None


def _facts(plan: WorkPlan, names: dict[str, Text]) -> Iterator[tuple[_Key, Any]]:
    """Yield every fact of a plan, by part, id and name."""

    called = names | {item.id: item.title for part in (plan.phases, plan.axes, plan.tasks) for item in part}
    called |= {name: Text(zh=str(item.title), en=str(item.title)) for name, item in COUNTED.items()}

    def of(part: str, node: Node, name: str, item: str = "", leave: tuple[str, ...] = ()) -> Iterator[tuple[_Key, Any]]:
        title = getattr(node, "title", None)
        yield _Key(part, name, item=item), title.zh if title is not None else ""
        for field in type(node).model_fields:
            if field not in ("id", "code", "format", *leave):
                yield _Key(part, name, field, item), _plain(getattr(node, field), called)

    lists = ("units", "phases", "tasks", "escalation", "axes", "acceptance")
    yield from of("plan", plan, "plan", leave=(*lists, "reporting", "version"))
    yield from of("reporting", plan.reporting, "reporting")
    for step in plan.escalation:
        told = _Key("escalation", step.to)
        yield told, str(Escalation.To(step.to).label)
        yield _Key("escalation", step.to, "days_overdue"), step.days_overdue
    for unit in plan.units:
        yield from of("units", unit, unit.code)
    for part in ("phases", "axes", "acceptance"):
        for item in getattr(plan, part):
            yield from of(part, item, item.id)
    for task in plan.tasks:
        key = f"{plan.id}/{task.id}"
        yield from of("tasks", task, key, key, leave=("milestones",))
        for milestone in task.milestones:
            yield from of("milestones", milestone, f"{key}/{milestone.id}", f"{key}/{milestone.id}")


def _plain(value: Any, names: Mapping[str, Text]) -> Any:
    if isinstance(value, Text):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Node):
        return "，".join(str(_plain(part, names)) for part in value.children() if part is not None)
    if isinstance(value, tuple):
        return "、".join(str(_plain(item, names)) for item in value)
    return names[value].zh if isinstance(value, str) and value in names else value


def _shown(value: Any) -> str:
    return "—" if value in (None, "") else str(value)


def _words() -> dict[str, str]:
    """What parts and facts are called."""
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
