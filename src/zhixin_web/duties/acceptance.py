"""Acceptance: every criterion of the plan with what the site counts now, or with the task whose proof was confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from zhixin.law.work_plan import Axis, Criterion
from zhixin_web.duties.counted import COUNTED, Counted
from zhixin_web.duties.items import Duty
from zhixin_web.duties.models import PlanVersion
from zhixin_web.duties.queries import duties, plan_of


@dataclass(frozen=True)
class Judged:
    """A criterion as it stands: met or not, by which number or which task."""

    criterion: Criterion
    is_met: bool
    number: int | None = None
    counted: Counted | None = None
    task: Duty | None = None


def judged(version: PlanVersion) -> list[tuple[Axis, list[Judged]]]:
    """Return the criteria of every axis, each looked at now."""
    plan = plan_of(version)
    tasks = {item.key: item for item in duties(version)}

    def one(item: Criterion) -> Judged:
        if item.task is not None:
            task = tasks[f"{plan.id}/{item.task}"]
            return Judged(item, task.is_finished, task=task)
        assert item.counted is not None, "checked when the plan was read"
        assert item.at_least is not None
        counted = COUNTED[item.counted]
        number = counted.count()
        return Judged(item, number >= item.at_least, number, counted)

    return [(axis, [one(item) for item in plan.acceptance if item.axis == axis.id]) for axis in plan.axes]
