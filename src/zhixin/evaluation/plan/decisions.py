"""The compiler's decisions: ladder, direct grades, caps and shifts as columns of the wide table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import ibis

from zhixin.evaluation.plan.columns import Value, Wide, attribute_column, code, int64
from zhixin.evaluation.plan.conditions import Conditions
from zhixin.law.conditions import ScoreIs
from zhixin.law.nodes import walk
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Discretion, Round, WeightedMean, holding_means
from zhixin.law.vocabulary import Combine

Expr = Any
Table = Any


class Decided(NamedTuple):
    """Ladder rank, code of the final grade, number of the deciding rule, and the rules that acted as bits."""

    ladder: Expr
    grade: Expr
    step: Expr
    acted: Expr


@dataclass(frozen=True)
class Deciding:
    """Decisions of a resolved rulebook over the wide table."""

    rulebook: Rulebook
    wide: Wide

    @cached_property
    def grade_codes(self) -> list[str]:
        """Grades by code: the ladder best first, then side grades."""
        return [grade.id for grade in self.rulebook.ladder] + [grade.id for grade in self.rulebook.side_grades]

    @cached_property
    def step_names(self) -> list[str]:
        """Names of the deciding steps by code; bit n of ``acted`` is step n (``cut`` never acts)."""
        decisions = self.rulebook.decisions
        names = ["cut"]
        names += [f"exclude:{rule.id}" for rule in decisions.exclude] + [f"direct:{rule.id}" for rule in decisions.direct]
        names += [f"held:{item.id}" for item in self.rulebook.indicators if item.when_missing == "hold"]
        names += [f"held:{name}" for name in holding_means(self.rulebook.steps)]
        names += [f"side:{rule.id}" for rule in decisions.side] + [f"cap:{rule.id}" for rule in decisions.caps]
        return names + [f"shift:{rule.id}" for rule in decisions.shifts]

    def _step(self, name: str) -> Expr:
        return code(self.step_names.index(name))

    def _bit(self, name: str) -> Expr:
        return int64(1 << self.step_names.index(name))

    def _fires(self, conditions: Conditions, rule: Any) -> Expr:
        applies = conditions.applies(rule)
        holds = conditions.holds(rule.when)
        return holds if applies is None else holds & applies

    @property
    def is_intricate(self) -> bool:
        """Whether inlining the stages would repeat long expressions: rounding, extremes, or many rules in a chain."""
        decisions = self.rulebook.decisions
        chained = len(decisions.caps) + len(decisions.shifts) > 8
        extremes = any(rule.combine is not Combine.SUM for rule in self.rulebook.dimensions)
        return chained or extremes or any(isinstance(step, Round | WeightedMean) for step in self.rulebook.steps)

    @cached_property
    def uses_score(self) -> bool:
        return any(isinstance(node, ScoreIs) for node in walk(self.rulebook.decisions))

    def fired(self, conditions: Conditions, *, with_score: bool) -> dict[str, Expr]:
        """One column per rule: whether it fires; for caps the rank they hold to (else −1), for shifts the steps (else 0)."""
        decisions = self.rulebook.decisions
        columns = {}
        for step in ("exclude", "direct", "side", "caps", "shifts"):
            for rule in getattr(decisions, step):
                if any(isinstance(node, ScoreIs) for node in walk(rule)) != with_score:
                    continue
                fires = self._fires(conditions, rule)
                if step == "caps":
                    rank = self._cap_rank(conditions, rule.not_above)
                    fires = ibis.ifelse(fires & rank.notnull(), rank, code(-1))
                elif step == "shifts":
                    fires = ibis.ifelse(fires, self._steps(conditions, rule), code(0))
                columns[f"rule_{rule.id}"] = fires
        return columns

    def _ladder(self, conditions: Conditions) -> Expr:
        branches = []
        for rank, grade in enumerate(self.rulebook.ladder[:-1]):
            test = self._reaches(conditions, grade)
            if grade.requires is not None:
                test = test & conditions.table[f"requires_{rank}"]
            branches.append((test, code(rank)))
        last = code(len(self.rulebook.ladder) - 1)
        return ibis.cases(*branches, else_=last) if branches else last

    def _reaches(self, conditions: Conditions, grade: Any) -> Expr:
        def test(cut: Any) -> Expr:
            bounds = dict.fromkeys(("at_least", "above", "at_most", "below")) | {grade.side: cut}
            return self.wide.bounded(Value(conditions.score, 1000), _Bounds(**bounds))

        general = test(getattr(grade, grade.side))
        own = [
            (conditions.classes[item.id], test(grade.by_class[item.id]))
            for item in self.rulebook.classes
            if item.id in grade.by_class
        ]
        return ibis.cases(*own, else_=general) if own else general

    def decide(self, conditions: Conditions) -> Decided:
        table, decisions = conditions.table, self.rulebook.decisions
        ladder = self._ladder(conditions)
        rank, step, acted = self._capped_and_shifted(table, ladder)
        finals = [self._final(table, "exclude", rule.id, rule.grade) for rule in decisions.exclude]
        finals += self._direct(table)
        finals += [
            self._final(table, "held", name, self.rulebook.held_grade)
            for name in (*(item.id for item in self.rulebook.indicators), *holding_means(self.rulebook.steps))
            if f"rule_held_{name}" in table.columns and self.rulebook.held_grade is not None
        ]
        finals += [self._final(table, "side", rule.id, rule.grade) for rule in decisions.side]
        if not finals:
            return Decided(ladder, rank, step, acted)
        return Decided(
            ladder,
            ibis.cases(*[(test, grade) for test, grade, _, _ in finals], else_=rank),
            ibis.cases(*[(test, name) for test, _, name, _ in finals], else_=step),
            ibis.cases(*[(test, bits) for test, _, _, bits in finals], else_=acted),
        )

    def _final(self, table: Table, step: str, rule: str, grade: str) -> tuple[Expr, Expr, Expr, Expr]:
        name = f"{step}:{rule}"
        column = f"rule_held_{rule}" if step == "held" else f"rule_{rule}"
        return table[column], code(self.grade_codes.index(grade)), self._step(name), self._bit(name)

    def _direct(self, table: Table) -> list[tuple[Expr, Expr, Expr, Expr]]:
        rules = self.rulebook.decisions.direct
        if not rules:
            return []
        bits = [ibis.ifelse(table[f"rule_{rule.id}"], self._bit(f"direct:{rule.id}"), int64(0)) for rule in rules]
        acted = reduce(lambda a, b: a + b, bits)
        order = list(rules)
        if self.rulebook.decisions.direct_order == "worst":
            order.sort(key=lambda rule: -self.rulebook.grade_rank.get(rule.grade, -1))
        return [(*self._final(table, "direct", rule.id, rule.grade)[:3], acted) for rule in order]

    def _capped_and_shifted(self, table: Table, ladder: Expr) -> tuple[Expr, Expr, Expr]:
        """A cap acts when its rank is below the ladder's and below every earlier cap's."""
        step, acted, rank = self._step("cut"), int64(0), ladder
        for rule in self.rulebook.decisions.caps:
            bound, name = table[f"rule_{rule.id}"], f"cap:{rule.id}"
            binds = bound > rank
            acted = acted + ibis.ifelse(binds, self._bit(name), int64(0))
            step = ibis.ifelse(binds, self._step(name), step)
            rank = ibis.greatest(rank, bound)
        if not self.rulebook.decisions.shifts:
            return rank, step, acted
        total, leader = self._shift(table)
        after = ibis.least(ibis.greatest(rank + total, code(0)), code(len(self.rulebook.ladder) - 1))
        moved = after != rank
        bits = ibis.cases(
            *[
                (leader == self._step(f"shift:{rule.id}"), self._bit(f"shift:{rule.id}"))
                for rule in self.rulebook.decisions.shifts
            ],
            else_=int64(0),
        )
        return after, ibis.ifelse(moved, leader, step), acted + ibis.ifelse(moved, bits, int64(0))

    def _cap_rank(self, conditions: Conditions, grade: str) -> Expr:
        if grade != "previous":
            return code(self.rulebook.grade_rank[grade])
        column = conditions.table.p1_grade
        return ibis.cases(*[(column == name, code(rank)) for name, rank in self.rulebook.grade_rank.items()])

    def _shift(self, table: Table) -> tuple[Expr, Expr]:
        """Net steps, and the code of the rule that leads in the direction of the move."""
        rules = self.rulebook.decisions.shifts
        steps = {rule.id: table[f"rule_{rule.id}"] for rule in rules}
        zero = code(0)
        worse, better = ibis.greatest(*steps.values(), zero), ibis.least(*steps.values(), zero)
        leading = [(steps[rule.id], self._step(f"shift:{rule.id}")) for rule in rules]
        worse_name = ibis.cases(*[(move == worse, name) for move, name in leading], else_=zero)
        better_name = ibis.cases(*[(move == better, name) for move, name in leading], else_=zero)
        everything = reduce(lambda a, b: a + b, steps.values())
        total = everything if self.rulebook.decisions.shift_order == "all" else worse + better
        return total, ibis.ifelse(total > 0, worse_name, better_name)

    @staticmethod
    def _steps(conditions: Conditions, rule: Any) -> Expr:
        if not isinstance(rule.steps, Discretion):
            return code(rule.steps)
        answer = conditions.table[attribute_column(rule.steps.answer)].cast("int64")
        held = ibis.least(ibis.greatest(answer, int64(rule.steps.at_least)), int64(rule.steps.at_most))
        return ibis.ifelse(answer.isnull(), code(rule.steps.otherwise), held.cast("int32"))


@dataclass(frozen=True)
class _Bounds:
    at_least: Any = None
    above: Any = None
    at_most: Any = None
    below: Any = None
