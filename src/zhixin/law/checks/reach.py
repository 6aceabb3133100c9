"""Which values the points and the score of a resolved rulebook can take: the reach of every indicator."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from zhixin.law.measures import NEVER_MISSING, Measure
from zhixin.law.nodes import constant
from zhixin.law.points import Affine, Cases, Categories, Linear, Once, PerRecord, PerUnit, Steps
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Add, Ceiling, Dimension, Floor, Indicator, Limits, PointsWhenMissing, Round, WeightedMean
from zhixin.law.vocabulary import Combine

INFINITY = Decimal("Infinity")


class Reach(NamedTuple):
    """Smallest and largest value, either may be infinite."""

    low: Decimal
    high: Decimal

    def join(self, other: Reach) -> Reach:
        return Reach(min(self.low, other.low), max(self.high, other.high))

    def plus(self, other: Reach) -> Reach:
        return Reach(self.low + other.low, self.high + other.high)

    def within(self, limits: Limits) -> Reach:
        low, high = self
        if limits.at_most is not None:
            low, high = min(low, constant(limits.at_most)), min(high, constant(limits.at_most))
        if limits.at_least is not None:
            low, high = max(low, constant(limits.at_least)), max(high, constant(limits.at_least))
        return Reach(low, high)


def only(value: Decimal) -> Reach:
    return Reach(value, value)


ZERO = only(Decimal(0))


def points_reach(rulebook: Rulebook, indicator: Indicator) -> Reach:
    """What an indicator can give before its own limits, missing and absent included."""
    points = indicator.points
    match points:
        case Once():
            reach = ZERO.join(only(constant(points.points)))
        case Steps():
            reach = only(constant(points.below))
            for band in points.bands:
                reach = reach.join(only(constant(band.points)))
        case Linear():
            reach = only(constant(points.points[0].y))
            for point in points.points:
                reach = reach.join(only(constant(point.y)))
        case Categories():
            reach = only(constant(points.otherwise))
            for value in points.points.values():
                reach = reach.join(only(constant(value)))
        case PerUnit():
            reach = ZERO.join(_line(Decimal(0), constant(points.each), _values(rulebook, indicator.measure)))
        case Affine():
            reach = _line(constant(points.constant), constant(points.each), _values(rulebook, indicator.measure))
        case Cases():
            reach = ZERO
            for case in points.cases:
                part = indicator.model_copy(update={"points": case.points})
                reach = reach.join(points_reach(rulebook, part))
        case PerRecord():
            reach = ZERO
            for each in _record_points(points):
                reach = reach.join(ZERO if each == 0 else only(each * INFINITY))
            if any(tier.plus is not None for tier in points.tiers):
                reach = Reach(-INFINITY, INFINITY)
    if not isinstance(indicator.measure, NEVER_MISSING):
        missing = indicator.when_missing
        reach = reach.join(only(constant(missing.points)) if isinstance(missing, PointsWhenMissing) else ZERO)
    return reach if not indicator.applies_to and not indicator.except_for else reach.join(ZERO)


def _record_points(points: PerRecord) -> list[Decimal]:
    each = (
        [points.each]
        if isinstance(points.each, Decimal)
        else [item.value for item in points.each.values.values() if item.value is not None]
    )
    return each + [tier.each for tier in points.tiers if isinstance(tier.each, Decimal)]


def _line(start: Decimal, each: Decimal, values: Reach) -> Reach:
    if each == 0:
        return only(start)
    ends = sorted((start + each * values.low, start + each * values.high))
    return Reach(*ends)


def _values(rulebook: Rulebook, measure: Measure | None) -> Reach:
    if measure is not None and measure.type in ("exists", "appended_term"):
        return Reach(Decimal(0), Decimal(1))
    if measure is not None and measure.type == "attribute":
        definition = rulebook.attribute[measure.id]
        if definition.type == "boolean":
            return Reach(Decimal(0), Decimal(1))
        low = -INFINITY if definition.minimum is None else constant(definition.minimum)
        return Reach(low, INFINITY if definition.maximum is None else constant(definition.maximum))
    if measure is not None and measure.type in ("count", "days_since", "clean_years", "age"):
        return Reach(Decimal(0), INFINITY)
    return Reach(-INFINITY, INFINITY)


def dimension_reach(rulebook: Rulebook, dimension: Dimension) -> Reach:
    """What a dimension can give before its own limits."""
    reaches = [
        points_reach(rulebook, indicator).within(indicator.limits)
        for indicator in rulebook.indicators
        if indicator.dimension == dimension.id
    ]
    start = constant(dimension.start)
    if not reaches:
        return only(start)
    if dimension.combine is Combine.SUM:
        total = only(start)
        for reach in reaches:
            total = total.plus(reach)
        return total
    pick = max if dimension.combine is Combine.MAXIMUM else min
    return Reach(start + pick(reach.low for reach in reaches), start + pick(reach.high for reach in reaches))


def score_reach(rulebook: Rulebook) -> Reach:
    """What the score can be after every step."""
    start = rulebook.score.start
    reach = only(constant(start.otherwise))
    for case in start.cases:
        reach = reach.join(Reach(-INFINITY, INFINITY) if case.value is None else only(constant(case.value)))
    inside = {
        dimension.id: dimension_reach(rulebook, dimension).within(dimension.limits) for dimension in rulebook.dimensions
    }
    for step in rulebook.steps:
        match step:
            case Add():
                for name in step.add:
                    reach = reach.plus(inside[name])
            case WeightedMean():
                parts = [inside[name] for name in step.weighted_mean]
                mean = Reach(min(part.low for part in parts), max(part.high for part in parts))
                said = step.when_missing
                reach = reach.plus(only(constant(said.points)).join(mean) if isinstance(said, PointsWhenMissing) else mean)
            case Floor():
                reach = reach.within(Limits(at_least=step.floor))
            case Ceiling():
                reach = reach.within(Limits(at_most=step.ceiling))
            case Round():
                reach = Reach(reach.low - constant(step.round), reach.high + constant(step.round))
    return reach
