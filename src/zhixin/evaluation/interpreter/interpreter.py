"""What a rulebook means, in plain Python: one subject at a time, no cleverness.

This is the oracle that the compiler is held against, and the explainer of single cases. It takes a rulebook that is
already resolved at the run's date (``rulebook.at(day)``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from zhixin.dataset.facts import Facts
from zhixin.evaluation.evaluation import Contribution, Evaluation
from zhixin.evaluation.interpreter.measuring import Measured, Record, SubjectFacts, half_up, points_of
from zhixin.law.filters import RecordFilter
from zhixin.law.measures import Count
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import Dated, DatedNumber, constant, milli
from zhixin.law.points import (
    Affine,
    Cases,
    Categories,
    Linear,
    Once,
    PerRecord,
    PerUnit,
    Proportion,
    SimplePoints,
    Steps,
    Tier,
)
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import (
    Add,
    Ceiling,
    Discretion,
    Floor,
    GradeRule,
    Indicator,
    LadderGrade,
    Round,
    ShiftRule,
    WeightedMean,
    clamp,
    default_points,
    holding_means,
    is_sparse,
    missing_points,
)
from zhixin.law.vocabulary import Combine, RecordDate


@dataclass(frozen=True)
class Given:
    """What one applicable indicator gave."""

    indicator: Indicator
    measured: Measured
    points: int
    uncapped: int
    is_left_out: bool
    is_held: bool
    has_row: bool


class Interpreter:
    """Evaluates facts under one resolved rulebook at one moment."""

    def __init__(self, rulebook: Rulebook, moment: Moment) -> None:
        self.rulebook = rulebook
        self.moment = moment

    def default(self, indicator: Indicator) -> int:
        """Points (milli) of a subject about which nothing is known: what an indicator without a row gives."""
        return _Case(SubjectFacts(self.rulebook, self.moment, Facts(""))).give(indicator).points

    def evaluate(self, facts: Facts) -> Evaluation:
        """Grade, score and contributions of one subject."""
        return _Case(SubjectFacts(self.rulebook, self.moment, facts)).evaluation()


@dataclass(frozen=True)
class _Case:
    """Points, score and decision of one subject."""

    subject: SubjectFacts

    @property
    def rulebook(self) -> Rulebook:
        return self.subject.rulebook

    # --- points ---

    @cached_property
    def given(self) -> tuple[Given, ...]:
        return tuple(self.give(item) for item in self.rulebook.indicators if self.subject.applies(item))

    def give(self, indicator: Indicator) -> Given:
        measured, raw = self.raw_points(indicator)
        if raw is None:
            points = uncapped = missing_points(indicator)
        else:
            points, uncapped = clamp(indicator.limits, raw), raw
        is_missing = raw is None
        if is_sparse(indicator):
            has_row = bool(measured.records)
        else:
            default = default_points(indicator)
            if default is None:
                default = clamp(indicator.limits, self.points(indicator.points, Fraction(0)))
            has_row = points != default
        rule = indicator.when_missing
        return Given(
            indicator, measured, points, uncapped, is_missing and rule == "leave_out", is_missing and rule == "hold", has_row
        )

    def raw_points(self, indicator: Indicator) -> tuple[Measured, int | None]:
        """What was measured, and the points before limits (``None`` when missing)."""
        points = indicator.points
        if isinstance(points, Categories):
            known = self.subject.facts.attributes.get(points.attribute)
            if known is None:
                return Measured(None), None
            return Measured(None), milli(points.points.get(str(known), points.otherwise))
        assert indicator.measure is not None
        measured = self.subject.measure(indicator.measure)
        if measured.value is None:
            return measured, None
        if isinstance(points, PerRecord):
            assert isinstance(indicator.measure, Count)
            return measured, self.sum_of_records(points, indicator.measure.of)
        if isinstance(points, Cases):
            case = next((case for case in points.cases if self.subject.holds(case.when)), None)
            return measured, 0 if case is None else self.points(case.points, measured.value)
        return measured, self.points(points, measured.value)

    def points(self, points: SimplePoints | Any, value: Fraction) -> int:
        match points:
            case PerUnit():
                beyond = max(value - Fraction(constant(points.free)), Fraction(0)) if constant(points.free) else value
                return points_of(beyond * Fraction(constant(points.each)))
            case Once():
                return milli(points.points) if value > 0 else 0
            case Affine():
                return points_of(Fraction(constant(points.constant)) + value * Fraction(constant(points.each)))
            case Steps():
                return self.step_points(points, value)
            case Linear():
                return self.line_points(points, value)
        raise AssertionError(points)

    def step_points(self, points: Steps, value: Fraction) -> int:
        if points.round:
            value = Fraction(half_up(value))
        result = points.below
        for band in points.bands:
            edge = Fraction(constant(band.from_))
            if value > edge or (value == edge and points.side == "at_least"):
                result = band.points
        return milli(result)

    def line_points(self, points: Linear, value: Fraction) -> int:
        ends = [(Fraction(constant(point.x)), Fraction(constant(point.y))) for point in points.points]
        if value <= ends[0][0]:
            return points_of(ends[0][1])
        for (x0, y0), (x1, y1) in zip(ends, ends[1:], strict=False):
            if value <= x1:
                return points_of(y0 + (y1 - y0) * (value - x0) / (x1 - x0))
        return points_of(ends[-1][1])

    def sum_of_records(self, points: PerRecord, of: RecordFilter) -> int:
        given: dict[Any, list[int]] = {}
        for number, record in enumerate(self.subject.matching(of)):
            key = tuple(self.subject.key(record, of, name) for name in points.distinct) if points.distinct else number
            given.setdefault(key, []).append(self.record_points(points, record))
        return sum(min(alike) if min(alike) < 0 else max(alike) for alike in given.values())

    def record_points(self, points: PerRecord, record: Record) -> int:
        each = self.each_at(points.each, record)
        if each is None:
            return 0
        for tier in points.tiers:
            if self.tier_holds(tier, record):
                if tier.each is not None:
                    return milli(tier.each) + (0 if tier.plus is None else self.proportion(tier.plus, record))
                assert tier.give_back is not None
                return points_of(each * (1 - Fraction(constant(tier.give_back))))
        return points_of(each)

    def proportion(self, points: Proportion, record: Record) -> int:
        part, whole = record.get(points.of), record.get(points.over)
        if part is None or whole is None or whole <= 0:
            return 0
        fields = self.rulebook.record_fields
        ratio = Fraction(part * fields[points.over].denominator, whole * fields[points.of].denominator)
        return points_of(Fraction(constant(points.each)) * ratio)

    def each_at(self, each: DatedNumber, record: Record) -> Fraction | None:
        if not isinstance(each, Dated):
            return Fraction(each)
        day = record.get(RecordDate.OCCURRED if each.counts_by == "fact" else RecordDate.DECIDED)
        value = None if day is None else each.at(day)
        return None if value is None else Fraction(value)

    def tier_holds(self, tier: Tier, record: Record) -> bool:
        return all(self.subject.field_holds(record, test) for test in tier.where) and (
            tier.corrected is None or self.subject.corrected(record, tier.corrected)
        )

    # --- score ---

    def start(self) -> int:
        rule = self.rulebook.score.start
        for case in rule.cases:
            if not self.subject.holds(case.when):
                continue
            if case.value is not None:
                return milli(case.value)
            assert case.measure is not None
            value = self.subject.measure(case.measure).value
            if value is not None:
                return points_of(value * Fraction(constant(case.times)))
        return milli(rule.otherwise)

    def dimension(self, name: str) -> tuple[int, int, bool]:
        """Value before and after limits (milli), and whether any indicator is available."""
        rule = next(item for item in self.rulebook.dimensions if item.id == name)
        parts = [item for item in self.given if item.indicator.dimension == name and not item.is_left_out]
        points = [item.points for item in parts]
        if rule.combine is Combine.SUM:
            combined = sum(points)
        else:
            pick = max if rule.combine is Combine.MAXIMUM else min
            combined = pick(points) if points else 0
        raw = milli(rule.start) + combined
        return raw, clamp(rule.limits, raw), bool(parts)

    def score(self) -> tuple[int, int, int, list[Contribution]]:
        """Start, implied points, score (milli) and the adjustments that make the rows add up."""
        start = self.start()
        adjustments: list[Contribution] = []
        score = start
        for number, step in enumerate(self.rulebook.steps):
            match step:
                case Add():
                    for name in step.add:
                        score += self.dimension(name)[1]
                case WeightedMean():
                    values = {name: self.dimension(name) for name in step.weighted_mean}
                    result = self.weighted(step, values)
                    adjust(adjustments, f"@{number}:weighted_mean", result - sum(value[1] for value in values.values()))
                    score += result
                case _:
                    after = stepped(step, score)
                    adjust(adjustments, f"@{number}:{next(iter(type(step).model_fields))}", after - score)
                    score = after
        for rule in self.rulebook.dimensions:
            held = self.dimension(rule.id)[1]
            shown = milli(rule.start) + sum(item.points for item in self.given if item.indicator.dimension == rule.id)
            adjust(adjustments, f"@{rule.id}", held - shown)
        implied = sum(milli(rule.start) for rule in self.rulebook.dimensions)
        implied += sum(item.points for item in self.given if not item.has_row)
        return start, implied, score, adjustments

    def weighted(self, step: WeightedMean, values: Mapping[str, tuple[int, int, bool]]) -> int:
        weights = {
            rule.id: Fraction(constant(rule.weight))
            for rule in self.rulebook.dimensions
            if rule.id in values and rule.weight is not None and values[rule.id][2]
        }
        if not weights:
            return step.missing_milli
        total = sum((weights[name] * values[name][1] for name in weights), Fraction(0))
        return half_up(total / sum(weights.values(), Fraction(0)))

    def held_mean(self) -> str | None:
        """Name of the first mean that is of nothing and holds the subject for that."""
        means = holding_means(self.rulebook.steps)
        return next(
            (name for name, step in means.items() if not any(self.dimension(part)[2] for part in step.weighted_mean)), None
        )

    # --- decisions ---

    def ladder(self, score: int) -> str:
        for grade in self.rulebook.ladder[:-1]:
            if self.reaches(grade, score) and (grade.requires is None or self.subject.holds(grade.requires)):
                return grade.id
        return self.rulebook.ladder[-1].id

    def reaches(self, grade: LadderGrade, score: int) -> bool:
        assert grade.side is not None
        own = next((grade.by_class[name] for name in self.subject.classes if name in grade.by_class), None)
        cut = Fraction(constant(getattr(grade, grade.side) if own is None else own)) * 1000
        return {"at_least": score >= cut, "above": score > cut, "at_most": score <= cut, "below": score < cut}[grade.side]

    def firing(self, rules: Iterable[Any], score: int | None = None) -> list[Any]:
        return [rule for rule in rules if self.subject.applies(rule) and self.subject.holds(rule.when, score)]

    def decide(self, score: int) -> tuple[str, str, str, str]:
        """Ladder grade, final grade, deciding step, and every rule that acted."""
        decisions, rank = self.rulebook.decisions, self.rulebook.grade_rank
        ladder = self.ladder(score)
        excluded = self.firing(decisions.exclude)
        if excluded:
            return ladder, excluded[0].grade, f"exclude:{excluded[0].id}", f"exclude:{excluded[0].id}"
        direct = self.firing(decisions.direct)
        if direct:
            chosen = direct[0] if decisions.direct_order == "first" else self.worst(direct)
            return ladder, chosen.grade, f"direct:{chosen.id}", "|".join(f"direct:{rule.id}" for rule in direct)
        held = next((item.indicator.id for item in self.given if item.is_held), self.held_mean())
        if held is not None and self.rulebook.held_grade is not None:
            return ladder, self.rulebook.held_grade, f"held:{held}", f"held:{held}"
        side = self.firing(decisions.side, score)
        if side:
            return ladder, side[0].grade, f"side:{side[0].id}", f"side:{side[0].id}"
        return ladder, *self.capped_and_shifted(rank[ladder], score)

    def worst(self, rules: list[GradeRule]) -> GradeRule:
        rank = self.rulebook.grade_rank
        return max(rules, key=lambda rule: (rank.get(rule.grade, -1), -rules.index(rule)))

    def capped_and_shifted(self, rank: int, score: int) -> tuple[str, str, str]:
        step, acted = "cut", []
        for rule in self.firing(self.rulebook.decisions.caps, score):
            bound = self.cap_rank(rule.not_above)
            if bound is not None and bound > rank:
                rank, step = bound, f"cap:{rule.id}"
                acted.append(step)
        shifted, name = self.shift(score)
        after = min(max(rank + shifted, 0), len(self.rulebook.ladder) - 1)
        if after != rank:
            rank, step = after, f"shift:{name}"
            acted.append(step)
        return self.rulebook.ladder[rank].id, step, "|".join(acted)

    def cap_rank(self, grade: str) -> int | None:
        if grade != "previous":
            return self.rulebook.grade_rank[grade]
        earlier = self.subject.previous(1)
        return None if earlier is None else self.rulebook.grade_rank.get(earlier.grade)

    def shift(self, score: int) -> tuple[int, str]:
        """Steps to move, and the rule that leads: the strongest in the direction of the move."""
        moves = [(self.steps(rule), rule.id) for rule in self.firing(self.rulebook.decisions.shifts, score)]
        worse = max((move for move in moves if move[0] > 0), key=lambda move: move[0], default=(0, ""))
        better = min((move for move in moves if move[0] < 0), key=lambda move: move[0], default=(0, ""))
        total = worse[0] + better[0]
        if self.rulebook.decisions.shift_order == "all":
            total = sum(move[0] for move in moves)
        return total, worse[1] if total > 0 else better[1]

    def steps(self, rule: ShiftRule) -> int:
        if not isinstance(rule.steps, Discretion):
            return rule.steps
        answer: Any = self.subject.facts.attributes.get(rule.steps.answer)
        return rule.steps.otherwise if answer is None else min(max(answer, rule.steps.at_least), rule.steps.at_most)

    # --- result ---

    def evaluation(self) -> Evaluation:
        start, implied, score, adjustments = self.score()
        ladder, grade, step, acted = self.decide(score)
        rows = [self.row(item) for item in self.given if item.has_row]
        mask = sum(1 << number for number, item in enumerate(self.rulebook.classes) if item.id in self.subject.classes)
        return Evaluation(
            self.subject.facts.subject_id, mask, start, implied, score, ladder, grade, step, acted, (*rows, *adjustments)
        )

    def row(self, item: Given) -> Contribution:
        value = item.measured.value
        return Contribution(
            item.indicator.id,
            None if value is None else value.numerator,
            None if value is None else value.denominator,
            item.points,
            item.uncapped if item.uncapped != item.points else None,
            tuple(sorted(item.measured.records)),
        )


def adjust(rows: list[Contribution], name: str, difference: int) -> None:
    if difference:
        rows.append(Contribution(name, None, None, difference))


def stepped(step: Any, score: int) -> int:
    """The score (milli) after a floor, a ceiling or a rounding."""
    match step:
        case Floor():
            return max(score, milli(step.floor))
        case Ceiling():
            return min(score, milli(step.ceiling))
        case Round():
            unit = milli(step.round)
            share = Fraction(score, unit)
            if step.how == "half_up":
                return half_up(share) * unit
            whole = score // unit
            return (whole if step.how == "down" or share == whole else whole + 1) * unit
    raise AssertionError(step)
