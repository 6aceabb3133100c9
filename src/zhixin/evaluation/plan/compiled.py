"""What an engine is asked to evaluate: a rulebook at a moment, with its plan in the form that each engine runs."""

from __future__ import annotations

from dataclasses import dataclass

from zhixin.evaluation.plan.plan import EvaluationPlan
from zhixin.evaluation.plan.sql import Dialect, Hashed, Script, plan_of, script_for
from zhixin.evaluation.plan.whole_columns import ColumnPlan, columns_for
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook


@dataclass(frozen=True)
class Compiled:
    """A rulebook at a moment. Its plan, its script and its column plan are made once per (hash, moment) and kept.

    ``evidence``: whether contributions carry the numbers of the records behind them.
    """

    rulebook: Rulebook
    moment: Moment
    evidence: bool = True

    @property
    def plan(self) -> EvaluationPlan:
        """Return the plan as Ibis expressions."""
        return plan_of(Hashed.of(self.rulebook), self.moment)

    def script(self, dialect: Dialect) -> Script:
        """Return the plan as the ordered statements of a database."""
        return script_for(self.rulebook, self.moment, dialect, evidence=self.evidence)

    def whole_columns(self) -> ColumnPlan:
        """Return the plan as ordered expressions over the frames of Polars."""
        return columns_for(self.rulebook, self.moment, evidence=self.evidence)
