"""The work plan of a pilot as data (责任分工和进度安排): units, phases, tasks with their proof and dates, reports, acceptance.

It is read and checked like a rulebook: every fault has file and line. The dates and terms of a plan stand in its file and nowhere
else; a later version moves them, and what they were before stays to be seen.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from zhixin.errors import Fault, RulebookError
from zhixin.law.loading import schema_faults
from zhixin.law.nodes import Basis, Identifier, Node, Text
from zhixin.law.yaml_text import YamlText

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
"""Code of an organisation of the site."""
Addressee = Literal["unit", "office", "conference"]
"""Who learns that a task is overdue: the unit itself, the office that coordinates, the joint conference."""
MOST_TASKS = 300
REFERENCE = "docs/howto/keep-the-work-plan.md"
Days = Annotated[int, Field(ge=1, le=366)]


class Unit(Node):
    """A unit with duties under the plan (责任单位)."""

    code: Code
    title: Text


class Phase(Node):
    """A phase of the plan, from its first to its last day."""

    id: Identifier
    title: Text
    starts_on: date
    ends_on: date


class Milestone(Node):
    """A step of a task that is proved for itself."""

    id: Identifier
    title: Text
    due_on: date


class PlannedTask(Node):
    """What one unit answers for (牵头), with whose help (配合), from when until when, and what proves that it is done."""

    id: Identifier
    title: Text
    phase: Identifier
    lead: Code
    helped_by: tuple[Code, ...] = ()
    starts_on: date
    due_on: date
    proof: Text
    milestones: tuple[Milestone, ...] = ()
    basis: tuple[Basis, ...] = ()


class EscalationStep(Node):
    """Name who is notified of an overdue task, and how many days after its due date."""

    days_overdue: Days
    to: Addressee


class Reporting(Node):
    """When units report: after how many days without news a task that runs is silent, and until when a quarter is reported."""

    news_every_days: Days
    soon_days: Days
    """So many days before its end a task is marked as due soon."""
    quarter_within_days: Days
    answer_within_days: Days
    """So many days after a claim its proof should have been checked."""


class Axis(Node):
    """A side on which the pilot is judged (验收维度)."""

    id: Identifier
    title: Text


class Criterion(Node):
    """What must be there when the pilot is judged: a number that the site counts itself, or a task whose proof was confirmed."""

    id: Identifier
    axis: Identifier
    title: Text
    counted: Identifier | None = None
    at_least: Annotated[int, Field(strict=True, ge=1)] | None = None
    task: Identifier | None = None


class WorkPlan(Node):
    """Hold a work plan as its file states it.

    ``office`` is the unit that coordinates the plan and confirms claims; ``conference`` is notified of what stays overdue.
    """

    format: Literal["work_plan/1"]
    id: Identifier
    title: Text
    version: Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]
    basis: tuple[Basis, ...] = Field(min_length=1)
    office: Code
    conference: Code
    units: tuple[Unit, ...] = Field(min_length=1, max_length=200)
    phases: tuple[Phase, ...] = Field(min_length=1)
    tasks: tuple[PlannedTask, ...] = Field(min_length=1, max_length=MOST_TASKS)
    reporting: Reporting
    escalation: tuple[EscalationStep, ...] = Field(min_length=1)
    axes: tuple[Axis, ...] = ()
    acceptance: tuple[Criterion, ...] = ()

    def task(self, name: str) -> PlannedTask:
        """Return a task.

        Raises:
            KeyError: the plan has none of this id.
        """
        return {item.id: item for item in self.tasks}[name]


def is_work_plan(file: Path) -> bool:
    """Whether a file says that it is a work plan; whether it is a good one is another question."""
    return file.is_file() and "format: work_plan/" in file.read_text(encoding="utf-8", errors="replace")[:4_000]


def check_work_plan(document: YamlText, counted: frozenset[str] | None = None) -> tuple[WorkPlan | None, list[Fault]]:
    """Check a work plan that was read.

    Args:
        document: its YAML.
        counted: ids of the numbers that the site counts; names are not compared where it is ``None``.

    Returns:
        The plan (``None`` if it cannot be built), and every fault and hint with file and line.
    """
    from zhixin.law.checks.work_plan import faults_of

    if document.faults:
        return None, document.faults
    try:
        plan = WorkPlan.model_validate(document.value)
    except ValidationError as error:
        return None, sorted(schema_faults(error, document.positions, REFERENCE))
    return plan, sorted(faults_of(plan, document, counted))


def loads_work_plan(text: str, name: str = "<text>", counted: frozenset[str] | None = None) -> WorkPlan:
    """Read a work plan.

    Raises:
        RulebookError: with every fault, each with file and line; hints alone do not raise.
    """
    plan, faults = check_work_plan(YamlText(name, text), counted)
    errors = [fault for fault in faults if not fault.is_warning]
    if plan is None or errors:
        raise RulebookError(errors)
    return plan
