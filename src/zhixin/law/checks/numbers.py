"""Static checks of the numbers of a rulebook, on one day: bands, limits, reach of grades, whole lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from zhixin.law.checks.problems import Path, Problem, problem_at, scopes
from zhixin.law.checks.reach import dimension_reach, points_reach, score_reach
from zhixin.law.filters import Corrected, Window
from zhixin.law.measures import AppendedTerm
from zhixin.law.nodes import Node, constant, walk
from zhixin.law.points import Affine, Band, Categories, Once, PerRecord, PerUnit, Point, Steps, Tier
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Ceiling, Dimension, Floor, Limits, PointsWhenMissing, Round, Start, StartCase, WeightedMean
from zhixin.law.vocabulary import Direction


def bands_in_order(rulebook: Rulebook) -> Iterator[Problem]:
    for path, item in scopes(rulebook):
        for node in walk(item):
            edges: list[Decimal] = []
            if isinstance(node, Steps):
                edges = [constant(band.from_) for band in node.bands if isinstance(band, Band)]
            elif getattr(node, "type", None) == "linear":
                edges = [constant(point.x) for point in node.points]  # type: ignore[attr-defined]
            if any(a >= b for a, b in pairwise(edges)):
                yield problem_at(
                    "R040",
                    path,
                    "分档重叠或没有按从小到大排列",
                    "bands overlap or are out of order",
                    "每档的 from 依次增大",
                    "let each from be larger than the one before",
                )


_POINT_FIELDS: dict[type[Node], tuple[str, ...]] = {
    PerUnit: ("each",),
    Once: ("points",),
    Band: ("points",),
    Steps: ("below",),
    Point: ("y",),
    Affine: ("constant", "each"),
    Categories: ("otherwise",),
    PerRecord: ("each",),
    Tier: ("each",),
    Limits: ("at_least", "at_most"),
    PointsWhenMissing: ("points",),
    Dimension: ("start",),
    Floor: ("floor",),
    Ceiling: ("ceiling",),
    Round: ("round",),
    Start: ("otherwise",),
    StartCase: ("value",),
}


def thousandths(rulebook: Rulebook) -> Iterator[Problem]:
    """Points are whole thousandths; anything finer could not add up exactly."""
    for path, item in scopes(rulebook):
        for node in walk(item):
            numbers = [getattr(node, name) for name in _POINT_FIELDS.get(type(node), ())]
            numbers += list(node.points.values()) if isinstance(node, Categories) else []
            for number in numbers:
                if isinstance(number, Decimal) and number * 1000 != (number * 1000).to_integral_value():
                    yield problem_at(
                        "R041",
                        path,
                        f"{number} 比千分之一更细",
                        f"{number} is finer than a thousandth",
                        "最多写三位小数",
                        "write at most three decimals",
                    )


def limits_bind(rulebook: Rulebook) -> Iterator[Problem]:
    """A cap or floor that no points can reach is a slip of the pen."""
    for indicator in rulebook.indicators:
        reach = points_reach(rulebook, indicator)
        yield from _idle(("indicators", indicator.id, "limits"), indicator.limits, reach.low, reach.high)
    for dimension in rulebook.dimensions:
        reach = dimension_reach(rulebook, dimension)
        yield from _idle(("dimensions", dimension.id, "limits"), dimension.limits, reach.low, reach.high)
    best = rulebook.ladder[0].id
    for rule in rulebook.decisions.caps:
        if rule.not_above == best:
            yield problem_at(
                "R042",
                ("decisions", "caps", rule.id),
                "以最高等级为上限等于没有上限",
                "a cap at the best grade never binds",
                "改为较低等级",
                "name a lower grade",
            )


def _idle(path: Path, limits: Limits, low: Decimal, high: Decimal) -> Iterator[Problem]:
    too_high = limits.at_most is not None and constant(limits.at_most) > high
    too_low = limits.at_least is not None and constant(limits.at_least) < low
    crossed = (
        limits.at_most is not None and limits.at_least is not None and constant(limits.at_least) > constant(limits.at_most)
    )
    if too_high or too_low or crossed:
        yield problem_at(
            "R042",
            path,
            f"上限或下限不会起作用（可达范围 {low} 至 {high}）",
            f"the limit can never bind (reach {low} to {high})",
            "改正或删去该限值",
            "mend or remove the limit",
        )


def grades_reachable(rulebook: Rulebook) -> Iterator[Problem]:
    """Cuts fall in order and every grade lies within the reach of the score or is the target of a rule."""
    better = rulebook.direction is Direction.HIGHER_BETTER
    cuts = [constant(getattr(grade, grade.side)) for grade in rulebook.ladder[:-1] if grade.side]
    if len(cuts) != len(rulebook.ladder) - 1:
        return
    ordered = cuts if better else [-cut for cut in cuts]
    for grade, (upper, lower) in zip(rulebook.ladder[1:], pairwise(ordered), strict=False):
        if upper < lower or (upper == lower and grade.side == rulebook.ladder[0].side):
            yield problem_at(
                "R043",
                ("ladder", grade.id),
                "等级分界重叠",
                "the cuts of the grades overlap",
                "按先后排列分界",
                "put the cuts in order",
            )
    targets = {rule.grade for rule in (*rulebook.decisions.direct, *rulebook.decisions.side)}
    if rulebook.decisions.shifts or rulebook.decisions.caps:
        targets |= {grade.id for grade in rulebook.ladder[1:]}
    low, high = score_reach(rulebook)
    low, high = (low, high) if better else (-high, -low)
    for index, grade in enumerate(rulebook.ladder):
        floor = ordered[index] if index < len(ordered) else Decimal("-Infinity")
        roof = ordered[index - 1] if index else Decimal("Infinity")
        open_roof = index > 0 and rulebook.ladder[index - 1].side in ("above", "below" if better else "at_most")
        strict = grade.side in ("above", "below")
        out_of_reach = (
            high < floor or (strict and high <= floor) or low > roof or (not open_roof and index > 0 and low >= roof)
        )
        if out_of_reach and grade.id not in targets:
            yield problem_at(
                "R044",
                ("ladder", grade.id),
                f"得分范围 {low} 至 {high} 内无法达到该等级",
                f"no score from {low} to {high} reaches this grade",
                "改正分界或起始分",
                "mend the cut or the start",
            )


def grades_in_force(rulebook: Rulebook) -> Iterator[Problem]:
    """No rule gives a grade that the ladder does not have on that day."""
    known = {*rulebook.grade_rank, *(item.id for item in rulebook.side_grades), "previous"}
    for step in ("exclude", "direct", "side", "caps"):
        for rule in getattr(rulebook.decisions, step):
            grade = rule.not_above if step == "caps" else rule.grade
            if grade not in known:
                yield problem_at(
                    "R049",
                    ("decisions", step, rule.id),
                    f"等级 {grade} 在该规则适用的某一天不在阶梯上",
                    f"the grade {grade} is not on the ladder on some day on which the rule is in force",
                    "让规则和等级的 effective 一致",
                    "let the effective periods of the rule and the grade agree",
                )


def direct_rules_agree(rulebook: Rulebook) -> Iterator[Problem]:
    """The same condition cannot lead to two grades."""
    seen: dict[Any, str] = {}
    for rule in rulebook.decisions.direct:
        earlier = seen.setdefault(rule.when, rule.grade)
        if earlier != rule.grade:
            yield problem_at(
                "R045",
                ("decisions", "direct", rule.id),
                f"同一条件又直接定为 {earlier}",
                f"the same condition also gives grade {earlier}",
                "保留其中一条",
                "keep one of the two",
            )


_LENGTHS: dict[type[Node], tuple[str, ...]] = {
    Window: ("days", "months", "calendar_months", "calendar_years", "evaluations"),
    Corrected: ("days", "months"),
    AppendedTerm: ("months", "max_months"),
}


def whole_lengths(rulebook: Rulebook) -> Iterator[Problem]:
    """Lengths of time are whole numbers; windows and terms are at least 1."""
    for path, item in scopes(rulebook):
        for node in walk(item):
            for name in _LENGTHS.get(type(node), ()):
                number = getattr(node, name)
                least = 0 if isinstance(node, Corrected) else 1
                if isinstance(number, Decimal) and (number != number.to_integral_value() or number < least):
                    yield problem_at(
                        "R048",
                        path,
                        f"{name} 应为不小于 {least} 的整数，现为 {number}",
                        f"{name} should be a whole number of at least {least}, not {number}",
                        "改为整数",
                        "write a whole number",
                    )


def weights_positive(rulebook: Rulebook) -> Iterator[Problem]:
    for dimension in rulebook.dimensions:
        if dimension.weight is not None and constant(dimension.weight) <= 0:
            yield problem_at(
                "R046",
                ("dimensions", dimension.id),
                "权重须大于 0",
                "a weight must be above 0",
                "改正权重",
                "mend the weight",
            )


def means_of_nothing(rulebook: Rulebook) -> Iterator[Problem]:
    """A weighted mean of which every dimension may lack a value says what holds then, on every day."""
    for number, step in enumerate(rulebook.steps):
        is_unsaid = isinstance(step, WeightedMean) and step.when_missing is None
        if is_unsaid and all(_may_lack_a_value(rulebook, name) for name in step.weighted_mean):
            yield problem_at(
                "R061",
                ("score", "steps", number),
                "各维度都可能没有数据，没有规定加权平均此时怎么算",
                "every dimension may lack a value, and what the mean is then is not said",
                "写明 when_missing: hold（暂不定级）或者 {points: 分值}，在各期都有值",
                "say when_missing: hold, or {points: so many} with a value on every day",
            )


def _may_lack_a_value(rulebook: Rulebook, dimension: str) -> bool:
    """Whether each indicator of a dimension that is in force may be left out, or does not apply to some subject."""
    return all(
        item.when_missing == "leave_out" or item.applies_to or item.except_for
        for item in rulebook.indicators
        if item.dimension == dimension
    )


NUMBER_RULES: tuple[Callable[[Rulebook], Iterator[Problem]], ...] = (
    bands_in_order,
    thousandths,
    limits_bind,
    grades_reachable,
    grades_in_force,
    direct_rules_agree,
    weights_positive,
    means_of_nothing,
    whole_lengths,
)
