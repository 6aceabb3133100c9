"""Scores as columns of the wide table: points of indicators, dimensions, score steps, the ladder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import ibis

from zhixin.evaluation.plan.columns import Value, Wide, attribute_column, extreme, int64, table_column, whole
from zhixin.evaluation.plan.conditions import Conditions
from zhixin.evaluation.plan.decisions import Deciding
from zhixin.evaluation.plan.slots import UNBOUNDED, IntegerPiece, Piece, coefficients, integer_pieces, pieces
from zhixin.law.measures import NEVER_MISSING
from zhixin.law.nodes import constant, milli
from zhixin.law.points import Cases, Categories, PerRecord
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import (
    Add,
    Ceiling,
    Dimension,
    Floor,
    Indicator,
    Round,
    WeightedMean,
    default_points,
    holding_means,
    missing_points,
)
from zhixin.law.vocabulary import Combine

Expr = Any
Table = Any


class GivenColumns(NamedTuple):
    """What an indicator gives, as columns. ``applies`` and ``is_missing`` are ``None`` where they cannot fail, ``uncapped``
    where there are no limits.
    """

    num: Expr
    den: Expr
    points: Expr
    uncapped: Expr | None
    applies: Expr | None
    is_missing: Expr | None


def simple_points(wide: Wide, points: Any, value: Value) -> Expr:
    """Points (milli, before limits) of a value, for every one-measure shape; NULL where the value is."""
    if isinstance(value.den, int):
        branches = [
            (wide.at_least(value, piece.low), _piece_points(wide, piece, value.num))
            for piece in reversed(integer_pieces(points, value.den))
        ]
    else:
        branches = [(_reached(value, piece), _exact(wide, piece, value)) for piece in reversed(pieces(points))]
    return ibis.cases(*branches)


def _piece_points(wide: Wide, piece: IntegerPiece, num: Expr) -> Expr:
    if piece.slope == 0:
        return int64((2 * piece.start + piece.divisor) // (2 * piece.divisor))
    return wide.half_up(int64(piece.start) + num * piece.slope, piece.divisor)


def _reached(value: Value, piece: Piece) -> Expr:
    if piece.low is None:
        return value.num.notnull()
    left, right = value.num * int64(piece.low.denominator), value.den * int64(piece.low.numerator)
    return left > right if piece.is_open else left >= right


def _exact(wide: Wide, piece: Piece, value: Value) -> Expr:
    start, slope, divisor = coefficients(piece, 1)
    if slope == 0 and divisor == 1:
        return int64(start)
    return wide.half_up(value.den * int64(start) + value.num * int64(slope), value.den * int64(divisor))


@dataclass(frozen=True)
class Scoring:
    """Score and decisions of a resolved rulebook over the wide table."""

    rulebook: Rulebook
    wide: Wide

    @cached_property
    def deciding(self) -> Deciding:
        return Deciding(self.rulebook, self.wide)

    # --- small facts about indicators ---

    def limits(self, indicator: Indicator) -> tuple[int, int]:
        low, high = indicator.limits.at_least, indicator.limits.at_most
        return (-UNBOUNDED if low is None else milli(low)), (UNBOUNDED if high is None else milli(high))

    def default(self, indicator: Indicator) -> int:
        """Points (milli) of a subject about which nothing is known."""
        known = default_points(indicator)
        if known is not None:
            return known
        if isinstance(indicator.points, PerRecord):
            raw = 0
        else:
            den = self.wide.denominator(indicator.measure)
            zero = next(p for p in integer_pieces(indicator.points, den) if p.low <= 0 < p.high)
            raw = (2 * zero.start + zero.divisor) // (2 * zero.divisor)
        low, high = self.limits(indicator)
        return max(min(raw, high), low)

    @cached_property
    def has_defaults(self) -> bool:
        """Whether any indicator gives points where nothing is known; if so, contributions carry what they replace."""
        return any(self.default(indicator) for indicator in self.rulebook.indicators)

    def dimension_no(self, indicator: Indicator) -> int:
        return next(number for number, rule in enumerate(self.rulebook.dimensions) if rule.id == indicator.dimension)

    @cached_property
    def special(self) -> frozenset[str]:
        """Dimensions that need every indicator as a column of the subject: extremes and weighted means."""
        names = {rule.id for rule in self.rulebook.dimensions if rule.combine is not Combine.SUM}
        for step in self.rulebook.steps:
            names |= set(step.weighted_mean) if isinstance(step, WeightedMean) else set()
        return frozenset(names)

    def is_special(self, dimension: str) -> bool:
        return dimension in self.special or any(
            item.when_missing == "hold" for item in self.rulebook.indicators if item.dimension == dimension
        )

    def conditions(self, table: Table, score: Expr | None = None) -> Conditions:
        classes = {}
        if "class_mask" in table.columns:  # absent from the bare subjects, where no rule asks for it
            for number, item in enumerate(self.rulebook.classes):
                classes[item.id] = (table.class_mask & int64(1 << number)) != 0
        return Conditions(self.wide, table, score, classes)

    # --- one indicator as a column of the subject ---

    def given(self, conditions: Conditions, indicator: Indicator) -> GivenColumns:
        applies = conditions.applies(indicator)
        null = ibis.null("int64")
        if isinstance(indicator.points, Categories):
            column = conditions.table[attribute_column(indicator.points.attribute)]
            raw = self._category_points(column, indicator.points)
            value = Value(null, null)
            unknown = is_missing = column.isnull()
        else:
            value = self.wide.value(conditions.table, indicator.measure)
            raw = self._raw_points(conditions, indicator, value)
            unknown = (value.num if value.since is None else value.since).isnull()
            is_missing = None if isinstance(indicator.measure, NEVER_MISSING) else unknown
        low, high = self.limits(indicator)
        points = raw
        if high != UNBOUNDED:
            points = ibis.least(points, int64(high))
        if low != -UNBOUNDED:
            points = ibis.greatest(points, int64(low))
        if is_missing is not None:
            missing = int64(missing_points(indicator))
            points = ibis.ifelse(is_missing, missing, points)
            raw = ibis.ifelse(is_missing, missing, raw)
        den = int64(value.den) if isinstance(value.den, int) else value.den
        if low == -UNBOUNDED and high == UNBOUNDED:
            raw = None
        return GivenColumns(value.num, ibis.ifelse(unknown, null, den), points, raw, applies, is_missing)

    @staticmethod
    def _category_points(column: Expr, points: Categories) -> Expr:
        if not points.points:
            return int64(milli(points.otherwise))
        return ibis.cases(
            *[(column == code, int64(milli(number))) for code, number in points.points.items()],
            else_=int64(milli(points.otherwise)),
        )

    def _raw_points(self, conditions: Conditions, indicator: Indicator, value: Value) -> Expr:
        points = indicator.points
        if isinstance(points, PerRecord):
            number = self.wide.table.per_record_number(points, indicator.measure)
            return table_column(conditions.table, f"m{number}_total", indicator.measure).fill_null(0)
        if isinstance(points, Cases):
            return ibis.cases(
                *[(conditions.holds(case.when), simple_points(self.wide, case.points, value)) for case in points.cases],
                else_=int64(0),
            )
        return simple_points(self.wide, points, value)

    # --- dimensions and score ---

    def totals(self, rows: Table) -> Table:
        """Per subject: points beyond default of each sum dimension, and the defaults that rows replace."""
        columns = {}
        beyond = rows.points - rows.default if self.has_defaults else rows.points
        for number, rule in enumerate(self.rulebook.dimensions):
            if rule.combine is Combine.SUM:
                here = rows.dimension_no == number
                columns[f"t{number}"] = whole(beyond.sum(where=here))
        if self.has_defaults:
            columns["replaced"] = whole(rows.default.sum())
        return rows.group_by("subject_no").aggregate(**columns)

    def _default_sum(self, conditions: Conditions, items: Iterable[Indicator]) -> Expr:
        fixed, varying = 0, []
        for item in items:
            default = self.default(item)
            applies = conditions.applies(item)
            if default and applies is None:
                fixed += default
            elif default:
                varying.append(ibis.ifelse(applies, int64(default), int64(0)))
        return reduce(lambda a, b: a + b, varying, int64(fixed))

    def _inside(self, dimension: Dimension) -> list[Indicator]:
        return [item for item in self.rulebook.indicators if item.dimension == dimension.id]

    def _dimension(self, conditions: Conditions, number: int, dimension: Dimension) -> tuple[Expr, Expr, Expr]:
        """Value within limits, value shown by its rows, and whether any indicator is available."""
        inside = self._inside(dimension)
        start = int64(milli(dimension.start))
        known = self._default_sum(conditions, inside)
        if dimension.combine is Combine.SUM:
            table = conditions.table
            summed = table[f"t{number}"].fill_null(0) if f"t{number}" in table.columns else int64(0)
            raw = shown = start + known + summed
            available = self._any_available(conditions, inside) if dimension.id in self.special else None
        else:
            given = [self.given(conditions, item) for item in inside]
            usable = [self._usable(item, columns) for item, columns in zip(inside, given, strict=True)]
            null = ibis.null("int64")
            picked = [c.points if u is None else ibis.ifelse(u, c.points, null) for c, u in zip(given, usable, strict=True)]
            best = extreme(picked, str(dimension.combine.value)).fill_null(0) if picked else int64(0)
            shown_parts = [c.points if c.applies is None else ibis.ifelse(c.applies, c.points, int64(0)) for c in given]
            raw, shown = start + best, reduce(lambda a, b: a + b, shown_parts, start)
            available = self._any_available(conditions, inside)
        low, high = dimension.limits.at_least, dimension.limits.at_most
        held = raw if high is None else ibis.least(raw, int64(milli(high)))
        held = held if low is None else ibis.greatest(held, int64(milli(low)))
        return held, shown, available

    @staticmethod
    def _usable(indicator: Indicator, columns: GivenColumns) -> Expr | None:
        """Applies and is not left out; ``None`` means always."""
        tests = [] if columns.applies is None else [columns.applies]
        if indicator.when_missing == "leave_out" and columns.is_missing is not None:
            tests.append(~columns.is_missing)
        return reduce(lambda a, b: a & b, tests) if tests else None

    def _any_available(self, conditions: Conditions, inside: list[Indicator]) -> Expr:
        usable = [self._usable(item, self.given(conditions, item)) for item in inside]
        if any(item is None for item in usable):
            return ibis.literal(True)
        return reduce(lambda a, b: a | b, usable, ibis.literal(False))

    def start(self, conditions: Conditions) -> Expr:
        rule = self.rulebook.score.start
        branches = []
        for case in rule.cases:
            test = conditions.holds(case.when)
            if case.value is not None:
                branches.append((test, int64(milli(case.value))))
                continue
            value = self.wide.value(conditions.table, case.measure)
            factor = constant(case.times) * 1000
            top, bottom = factor.as_integer_ratio()
            points = self.wide.half_up(value.num * int64(top), value.den * bottom)
            branches.append((test & value.num.notnull(), points))
        otherwise = int64(milli(rule.otherwise))
        return ibis.cases(*branches, else_=otherwise) if branches else otherwise

    def totalled(self, base: Table, rows: Table) -> Table:
        """The subjects with the totals of their contributions (``t``, ``replaced``)."""
        totals = self.totals(rows)
        joined = base.left_join(totals, "subject_no")
        return joined.select(*base.columns, *[name for name in totals.columns if name != "subject_no"])

    def dimensioned(self, table: Table) -> Table:
        """From the subjects with their totals, per subject: start, implied, each dimension (``v``, ``shown``, ``has``), and every rule that needs no score.

        Kept as a table of its own, like the two that follow: an engine that inlined them would repeat each expression
        inside the next, and three caps in a row already gave a hundred kilobytes of SQL.
        """
        conditions = self.conditions(table)
        implied = sum(milli(rule.start) for rule in self.rulebook.dimensions)
        columns = {
            "subject_no": table.subject_no,
            "class_mask": table.class_mask,
            "start_milli": self.start(conditions),
            "implied_milli": int64(implied)
            + self._default_sum(conditions, self.rulebook.indicators)
            - (table.replaced.fill_null(0) if self.has_defaults else int64(0)),
        }
        for number, rule in enumerate(self.rulebook.dimensions):
            value, shown, available = self._dimension(conditions, number, rule)
            columns[f"v{number}"] = value
            if self._adjusts(rule):
                columns[f"shown{number}"] = shown
            if rule.id in self.special:
                columns[f"has{number}"] = available
        for grade in self.rulebook.ladder:
            if grade.requires is not None:
                columns[f"requires_{self.rulebook.grade_rank[grade.id]}"] = conditions.holds(grade.requires)
        columns |= self.deciding.fired(conditions, with_score=False) | self._held(conditions) | self._held_means(columns)
        totals = {"replaced", *(f"t{number}" for number, _ in enumerate(self.rulebook.dimensions))}
        carried = [name for name in table.columns if self.deciding.uses_score and name not in {*columns, *totals}]
        return table.select(**columns, **{name: table[name] for name in carried})

    def scored(self, dimensioned: Table) -> Table:
        """Adds the score and its adjustments ``a{n}``."""
        score, adjustments = self._score(dimensioned)
        return dimensioned.mutate(score_milli=score, **adjustments)

    def graded(self, scored: Table) -> Table:
        """Everything about the result as numbers: see :class:`Decided`; adjustments as columns ``a{n}``."""
        conditions = self.conditions(scored, scored.score_milli)
        if self.deciding.uses_score:
            scored = scored.mutate(**self.deciding.fired(conditions, with_score=True))
            conditions = self.conditions(scored, scored.score_milli)
        decided = self.deciding.decide(conditions)
        return scored.select(
            "subject_no",
            "class_mask",
            "start_milli",
            "implied_milli",
            "score_milli",
            *[f"a{number}" for number, _ in enumerate(self.adjustment_names)],
            ladder_code=decided.ladder,
            grade_code=decided.grade,
            step_code=decided.step,
            acted_mask=decided.acted,
        )

    @cached_property
    def adjustment_names(self) -> list[str]:
        """Names of the adjustments, in the order of their columns ``a0``, ``a1``, …"""
        names = [
            f"@{number}:{next(iter(type(step).model_fields))}"
            for number, step in enumerate(self.rulebook.steps)
            if not isinstance(step, Add)
        ]
        return names + [f"@{rule.id}" for rule in self.rulebook.dimensions if self._adjusts(rule)]

    def _adjusts(self, rule: Dimension) -> bool:
        bounded = rule.limits.at_least is not None or rule.limits.at_most is not None
        return bounded or rule.combine is not Combine.SUM

    def _score(self, table: Table) -> tuple[Expr, dict[str, Expr]]:
        number = {rule.id: position for position, rule in enumerate(self.rulebook.dimensions)}
        differences: list[Expr] = []
        score = table.start_milli
        for step in self.rulebook.steps:
            if isinstance(step, Add):
                score = reduce(lambda a, b: a + b, [table[f"v{number[name]}"] for name in step.add], score)
                continue
            if isinstance(step, WeightedMean):
                result = self._weighted(step, table, number)
                shown = [table[f"v{number[name]}"] for name in step.weighted_mean]
                differences.append(result - reduce(lambda a, b: a + b, shown))
                score = score + result
                continue
            after = self._stepped(step, score)
            differences.append(after - score)
            score = after
        for rule in self.rulebook.dimensions:
            if self._adjusts(rule):
                differences.append(table[f"v{number[rule.id]}"] - table[f"shown{number[rule.id]}"])
        return score, {f"a{position}": difference for position, difference in enumerate(differences)}

    def _weighted(self, step: WeightedMean, table: Table, number: dict[str, int]) -> Expr:
        weights = {
            rule.id: int(constant(rule.weight) * 10**6) for rule in self.rulebook.dimensions if rule.weight is not None
        }
        parts = [
            (ibis.ifelse(table[f"has{number[name]}"], int64(weights[name]), int64(0)), table[f"v{number[name]}"])
            for name in step.weighted_mean
        ]
        total = reduce(lambda a, b: a + b, [weight for weight, _ in parts])
        product = reduce(lambda a, b: a + b, [weight * value for weight, value in parts])
        mean = self.wide.half_up(product, ibis.greatest(total, int64(1)))
        return ibis.ifelse(total > 0, mean, int64(step.missing_milli))

    def _stepped(self, step: Any, score: Expr) -> Expr:
        match step:
            case Floor():
                return ibis.greatest(score, int64(milli(step.floor)))
            case Ceiling():
                return ibis.least(score, int64(milli(step.ceiling)))
            case Round():
                unit = milli(step.round)
                if step.how == "half_up":
                    return self.wide.half_up(score, unit) * unit
                if step.how == "down":
                    return self._floor(score, unit) * unit
                return -self._floor(-score, unit) * unit
        raise AssertionError(step)

    def _floor(self, num: Expr, unit: int) -> Expr:
        """floor(num / unit): rounding num / unit − 1/2 half up gives exactly that."""
        return self.wide.half_up(num * 2 - unit, 2 * unit)

    def _held(self, conditions: Conditions) -> dict[str, Expr]:
        columns = {}
        for item in self.rulebook.indicators:
            if item.when_missing != "hold" or self.rulebook.held_grade is None:
                continue
            given = self.given(conditions, item)
            if given.is_missing is not None:
                test = given.is_missing if given.applies is None else given.is_missing & given.applies
                columns[f"rule_held_{item.id}"] = test
        return columns

    def _held_means(self, columns: dict[str, Expr]) -> dict[str, Expr]:
        """One column for each mean that holds a subject where none of its dimensions has a value."""
        if self.rulebook.held_grade is None:
            return {}
        number = {rule.id: place for place, rule in enumerate(self.rulebook.dimensions)}
        return {
            f"rule_held_{name}": ~reduce(lambda a, b: a | b, [columns[f"has{number[part]}"] for part in step.weighted_mean])
            for name, step in holding_means(self.rulebook.steps).items()
        }
