"""Conditions as boolean columns of the wide table: never NULL, as the interpreter is never undecided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import ibis

from zhixin.evaluation.plan.columns import Value, Wide, attribute_column, int64
from zhixin.law.conditions import All, Any_, AtLeastOf, AttributeTest, Compare, InClass, Not, PreviousIs, ScoreIs
from zhixin.law.rulebook import Rulebook

Expr = Any


@dataclass
class Conditions:
    """Reads conditions against one wide table; ``classes`` fills as classes become known."""

    wide: Wide
    table: Any
    score: Expr | None = None
    classes: dict[str, Expr] = field(default_factory=dict)

    def holds(self, condition: Any) -> Expr:
        match condition:
            case Compare():
                value = self.wide.value(self.table, condition.measure)
                return self.wide.bounded(value, condition).fill_null(condition.when_missing)
            case ScoreIs():
                assert self.score is not None
                return self.wide.bounded(Value(self.score, 1000), condition)
            case AttributeTest():
                column = self.table[attribute_column(condition.attribute)]
                test = column.isin(condition.in_) if condition.in_ is not None else column == condition.is_
                return test.fill_null(condition.when_missing)
            case InClass():
                return self.classes.get(condition.class_, ibis.literal(False))
            case PreviousIs():
                return self._previous(condition)
            case All():
                return reduce(lambda a, b: a & b, [self.holds(item) for item in condition.all])
            case Any_():
                return reduce(lambda a, b: a | b, [self.holds(item) for item in condition.any])
            case Not():
                return ~self.holds(condition.not_)
            case AtLeastOf():
                count = [ibis.ifelse(self.holds(item), int64(1), int64(0)) for item in condition.of]
                return reduce(lambda a, b: a + b, count) >= condition.at_least_of
        raise AssertionError(condition)

    def _previous(self, condition: PreviousIs) -> Expr:
        tests = []
        if condition.grade_in is not None:
            tests.append(self.table[f"p{condition.previous}_grade"].isin(condition.grade_in))
        if condition.step_in is not None:
            column = self.table[f"p{condition.previous}_step"]
            hits = [(column == step) | column.startswith(f"{step}:") for step in condition.step_in]
            tests.append(reduce(lambda a, b: a | b, hits))
        return reduce(lambda a, b: a & b, tests).fill_null(False)

    def applies(self, item: Any) -> Expr | None:
        """Whether an indicator or a rule applies to the subject's classes; ``None`` where it applies to everybody."""
        tests = []
        if item.applies_to:
            tests.append((self.table.class_mask & int64(class_bits(self.wide.rulebook, item.applies_to))) != 0)
        if getattr(item, "except_for", ()):
            tests.append((self.table.class_mask & int64(class_bits(self.wide.rulebook, item.except_for))) == 0)
        return reduce(lambda a, b: a & b, tests) if tests else None


def class_bits(rulebook: Rulebook, names: Iterable[str]) -> int:
    """Classes as bits of ``class_mask``: bit n is the n-th class of the rulebook."""
    order = [item.id for item in rulebook.classes]
    return sum(1 << order.index(name) for name in names)
