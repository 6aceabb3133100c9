"""What a rulebook means, in plain Python: one subject at a time, no cleverness.

This is the oracle that the compiler is held against, and the explainer of single cases. It takes a rulebook that is
already resolved at the run's date (``rulebook.at(day)``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

from zhixin.calendar import full_years, shift_months
from zhixin.expressions import (
    All,
    Any_,
    AppendedTerm,
    AtLeastOf,
    Attribute,
    AttributeAge,
    AttributeTest,
    CleanYears,
    Combined,
    Compare,
    Condition,
    Corrected,
    CorrectedTest,
    Count,
    Dated,
    DatedNumber,
    DaysSince,
    Exists,
    Extreme,
    FieldTest,
    InClass,
    Latest,
    Mean,
    Measure,
    Not,
    PreviousIs,
    PreviousScore,
    Ratio,
    RecordFilter,
    Related,
    ScoreIs,
    Sum,
    constant,
    milli,
)
from zhixin.facts import Contribution, Evaluation, Facts, Previous
from zhixin.horizon import Horizon
from zhixin.points import Affine, Cases, Categories, Linear, Once, PerRecord, PerUnit, SimplePoints, Steps, Tier
from zhixin.rulebook import (
    Add,
    Ceiling,
    Discretion,
    Floor,
    Grade,
    GradeRule,
    Indicator,
    Round,
    Rule,
    Rulebook,
    ShiftRule,
    WeightedMean,
    clamp,
    default_points,
    is_sparse,
    missing_points,
)
from zhixin.vocabulary import Combine, RecordDate

Record = Mapping[str, Any]


def half_up(value: Fraction) -> int:
    """The nearest integer, a half upwards."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def points_of(value: Fraction) -> int:
    """Points as thousandths, half up."""
    return half_up(value * 1000)


@dataclass(frozen=True)
class Measured:
    """A measured value and the records behind it. ``value`` is ``None`` when missing."""

    value: Fraction | None
    records: tuple[int, ...] = ()


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

    def __init__(self, rulebook: Rulebook, horizon: Horizon) -> None:
        self.rulebook = rulebook
        self.horizon = horizon

    def evaluate(self, facts: Facts) -> Evaluation:
        """Grade, score and contributions of one subject."""
        return _Case(self.rulebook, self.horizon, facts).evaluation()


@dataclass(frozen=True)
class _Case:
    rulebook: Rulebook
    horizon: Horizon
    facts: Facts

    # --- records ---

    def counts(self, record: Record, only: RecordFilter) -> bool:
        """Whether a record counts under a filter."""
        as_of, known_at = self.horizon.as_of, self.horizon.known_at
        day = record.get(only.on.value)
        if day is None or day + timedelta(days=only.effective_after_days) > as_of:
            return False
        if known_at is not None and (record.get("sequence") or 0) > known_at:
            return False
        if record["kind"] not in self.rulebook.kinds_matching(only.kinds):
            return False
        if only.severities and record.get("severity") not in {item.value for item in only.severities}:
            return False
        first, last = self.horizon.window(only.within)
        if not first <= day <= last:
            return False
        if only.while_valid and record.get("valid_until") is not None and record["valid_until"] < as_of:
            return False
        return all(self.field_holds(record, test) for test in only.where) and not any(
            self.exempt(record, exemption) for exemption in only.unless
        )

    def exempt(self, record: Record, exemption: str | CorrectedTest | FieldTest) -> bool:
        if isinstance(exemption, FieldTest):
            return self.field_holds(record, exemption)
        if isinstance(exemption, CorrectedTest):
            return self.corrected(record, exemption.corrected)
        if exemption == "first_offence":
            return record.get("is_first_offence") is True
        day = record.get(f"{exemption}_on")
        return day is not None and day <= self.horizon.as_of

    def corrected(self, record: Record, test: Corrected) -> bool:
        done, start = record.get("corrected_on"), record.get(test.of.value)
        if done is None or start is None or done > self.horizon.as_of:
            return False
        return (
            (test.days is None or (done - start).days <= constant(test.days))
            and (test.months is None or done <= shift_months(start, int(constant(test.months))))
            and (test.same_year is None or (done.year == start.year if test.same_year else done.year > start.year))
        )

    def field_holds(self, record: Record, test: FieldTest) -> bool:
        value = record.get(test.field)
        if value is None:
            return False
        if test.in_ is not None:
            return value in test.in_
        if test.is_ is not None:
            return value is test.is_
        if test.has_all is not None or test.has_any is not None:
            members = set(str(value).split(";")) - {""}
            return set(test.has_all or ()) <= members and (test.has_any is None or bool(members & set(test.has_any)))
        return within(Fraction(value, self.rulebook.record_fields[test.field].denominator), test)

    def matching(self, only: RecordFilter) -> list[Record]:
        return [record for record in self.facts.records if self.counts(record, only)]

    # --- measures ---

    def measure(self, measure: Measure) -> Measured:
        if isinstance(measure, Ratio | Combined):
            return self.composed(measure)
        if isinstance(measure, Attribute | AttributeAge | PreviousScore | Related):
            return Measured(self.plain_value(measure))
        records = self.matching(measure.of)
        return Measured(self.record_value(measure, records), tuple(record["record_no"] for record in records))

    def plain_value(self, measure: Attribute | AttributeAge | PreviousScore | Related) -> Fraction | None:
        match measure:
            case Attribute(id=name):
                value: Any = self.facts.attributes.get(name)
                return None if value is None else Fraction(int(value), self.rulebook.attribute[name].denominator)
            case AttributeAge(id=name, unit=unit):
                start: Any = self.facts.attributes.get(name)
                if start is None or start > self.horizon.as_of:
                    return None
                as_of = self.horizon.as_of
                return Fraction((as_of - start).days if unit == "days" else full_years(start, as_of))
            case PreviousScore(back=back):
                previous = self.previous(back)
                score = None if previous is None else previous.score_milli
                return None if score is None else Fraction(score, 1000)
            case Related():
                return self.related(measure)

    def record_value(self, measure: Any, records: list[Record]) -> Fraction | None:
        as_of = self.horizon.as_of
        match measure:
            case Count(distinct=distinct):
                keys = {tuple(self.key(r, measure.of, name) for name in distinct) for r in records}
                return Fraction(len(keys) if distinct else len(records))
            case Exists():
                return Fraction(bool(records))
            case AppendedTerm():
                return Fraction(self.term_runs(measure, records))
            case CleanYears():
                days = [record[measure.of.on.value] for record in records]
                since: Any = self.facts.attributes.get(measure.since)
                starts = days + ([since] if since is not None and since <= as_of else [])
                return Fraction(full_years(max(starts), as_of)) if starts else None
            case DaysSince():
                days = [record[measure.of.on.value] for record in records]
                return Fraction((as_of - max(days)).days) if days else None
            case Mean():
                return self.mean(measure, records)
            case Latest():
                valued = [(r[measure.of.on.value], r[measure.field]) for r in records if r.get(measure.field) is not None]
                return self.in_units(max(valued)[1], measure.field) if valued else None
        values = [record[measure.field] for record in records if record.get(measure.field) is not None]
        if isinstance(measure, Sum):
            return self.in_units(sum(values), measure.field)
        assert isinstance(measure, Extreme)
        pick = min if measure.type == "minimum" else max
        return self.in_units(pick(values), measure.field) if values else None

    def in_units(self, value: int, field: str) -> Fraction:
        return Fraction(value, self.rulebook.record_fields[field].denominator)

    def key(self, record: Record, only: RecordFilter, name: str) -> Any:
        day: date = record[only.on.value]
        parts = {"kind": record["kind"], "day": day, "month": (day.year, day.month), "year": day.year}
        return parts[name] if name in parts else record.get(name)

    def term_runs(self, measure: AppendedTerm, records: list[Record]) -> bool:
        days = [record[measure.of.on.value] for record in records]
        term, longest = int(constant(measure.months)), int(constant(measure.max_months))
        for day in days:
            appended = sum(other >= day for other in days)
            if day > shift_months(self.horizon.as_of, -min(appended * term, longest)):
                return True
        return False

    def mean(self, measure: Mean, records: list[Record]) -> Fraction | None:
        weigh = measure.weighted_by
        valued = [r for r in records if r.get(measure.field) is not None and (weigh is None or r.get(weigh) is not None)]
        weights = [1 if weigh is None else int(r[weigh]) for r in valued]
        if sum(weights) <= 0:
            return None
        total = sum(r[measure.field] * weight for r, weight in zip(valued, weights, strict=True))
        return Fraction(total, sum(weights) * self.rulebook.record_fields[measure.field].denominator)

    def composed(self, measure: Ratio | Combined) -> Measured:
        parts = [measure.numerator, measure.denominator] if isinstance(measure, Ratio) else list(measure.of)
        measured = [self.measure(part) for part in parts]
        records = tuple(sorted({number for item in measured for number in item.records}))
        values = [item.value for item in measured]
        if isinstance(measure, Ratio):
            top, bottom = values
            fits = top is not None and bottom is not None and bottom > 0
            return Measured(top / bottom if fits else None, records)  # type: ignore[operator]
        stand_in = None if measure.missing_as is None else Fraction(constant(measure.missing_as))
        known = [value for value in (stand_in if v is None else v for v in values) if value is not None]
        return Measured(_aggregate(measure.how, known), records)

    def related(self, measure: Related) -> Fraction | None:
        values = []
        for other in self.facts.related.get((measure.relation, measure.direction), ()):
            value = _Case(self.rulebook, self.horizon, other).measure(measure.measure).value
            if value is not None:
                values.append(value)
        if measure.aggregate == "count":
            return Fraction(sum(value > 0 for value in values))
        if measure.aggregate == "sum":
            return sum(values, Fraction(0))
        return _aggregate(measure.aggregate, values)

    def previous(self, back: int) -> Previous | None:
        earlier = sorted(
            (item for item in self.facts.previous if item.evaluated_on < self.horizon.as_of),
            key=lambda item: item.evaluated_on,
            reverse=True,
        )
        return earlier[back - 1] if len(earlier) >= back else None

    # --- conditions ---

    def holds(self, condition: Condition, score: int | None = None) -> bool:
        match condition:
            case Compare():
                value = self.measure(condition.measure).value
                return condition.when_missing if value is None else within(value, condition)
            case ScoreIs():
                assert score is not None
                return within(Fraction(score, 1000), condition)
            case AttributeTest():
                known = self.facts.attributes.get(condition.attribute)
                if known is None:
                    return condition.when_missing
                return known is condition.is_ if condition.in_ is None else known in condition.in_
            case InClass():
                return condition.class_ in self.classes
            case PreviousIs():
                return self.previous_holds(condition)
            case All():
                return all(self.holds(item, score) for item in condition.all)
            case Any_():
                return any(self.holds(item, score) for item in condition.any)
            case Not():
                return not self.holds(condition.not_, score)
            case AtLeastOf():
                return sum(self.holds(item, score) for item in condition.of) >= condition.at_least_of

    def previous_holds(self, condition: PreviousIs) -> bool:
        earlier = self.previous(condition.previous)
        if earlier is None:
            return False
        steps = condition.step_in
        return (condition.grade_in is None or earlier.grade in condition.grade_in) and (
            steps is None or any(earlier.step == step or earlier.step.startswith(f"{step}:") for step in steps)
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Classes of the subject in rulebook order; a class condition sees only the classes before it."""
        found: tuple[str, ...] = ()
        for item in self.rulebook.classes:
            case = _Case(self.rulebook, self.horizon, self.facts)
            case.__dict__["classes"] = found
            if case.holds(item.when):
                found = (*found, item.id)
        return found

    def applies(self, item: Indicator | Rule) -> bool:
        wanted = not item.applies_to or any(name in self.classes for name in item.applies_to)
        return wanted and not any(name in self.classes for name in getattr(item, "except_for", ()))

    # --- points ---

    @cached_property
    def given(self) -> tuple[Given, ...]:
        return tuple(self.give(item) for item in self.rulebook.indicators if self.applies(item))

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
            known = self.facts.attributes.get(points.attribute)
            if known is None:
                return Measured(None), None
            return Measured(None), milli(points.points.get(str(known), points.otherwise))
        assert indicator.measure is not None
        measured = self.measure(indicator.measure)
        if measured.value is None:
            return measured, None
        if isinstance(points, PerRecord):
            assert isinstance(indicator.measure, Count)
            return measured, sum(self.record_points(points, record) for record in self.matching(indicator.measure.of))
        if isinstance(points, Cases):
            case = next((case for case in points.cases if self.holds(case.when)), None)
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

    def record_points(self, points: PerRecord, record: Record) -> int:
        each = self.each_at(points.each, record)
        if each is None:
            return 0
        for tier in points.tiers:
            if self.tier_holds(tier, record):
                if tier.each is not None:
                    return milli(tier.each)
                assert tier.give_back is not None
                return points_of(each * (1 - Fraction(constant(tier.give_back))))
        return points_of(each)

    def each_at(self, each: DatedNumber, record: Record) -> Fraction | None:
        if not isinstance(each, Dated):
            return Fraction(each)
        day = record.get(RecordDate.OCCURRED if each.counts_by == "fact" else RecordDate.DECIDED)
        value = None if day is None else each.at(day)
        return None if value is None else Fraction(value)

    def tier_holds(self, tier: Tier, record: Record) -> bool:
        return all(self.field_holds(record, test) for test in tier.where) and (
            tier.corrected is None or self.corrected(record, tier.corrected)
        )

    # --- score ---

    def start(self) -> int:
        rule = self.rulebook.score.start
        for case in rule.cases:
            if not self.holds(case.when):
                continue
            if case.value is not None:
                return milli(case.value)
            assert case.measure is not None
            value = self.measure(case.measure).value
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
                    result = self.weighted(values)
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

    def weighted(self, values: Mapping[str, tuple[int, int, bool]]) -> int:
        weights = {
            rule.id: Fraction(constant(rule.weight))
            for rule in self.rulebook.dimensions
            if rule.id in values and rule.weight is not None and values[rule.id][2]
        }
        if not weights:
            return 0
        total = sum((weights[name] * values[name][1] for name in weights), Fraction(0))
        return half_up(total / sum(weights.values(), Fraction(0)))

    # --- decisions ---

    def ladder(self, score: int) -> str:
        for grade in self.rulebook.ladder[:-1]:
            if self.reaches(grade, score) and (grade.requires is None or self.holds(grade.requires)):
                return grade.id
        return self.rulebook.ladder[-1].id

    def reaches(self, grade: Grade, score: int) -> bool:
        assert grade.side is not None
        own = next((grade.by_class[name] for name in self.classes if name in grade.by_class), None)
        cut = Fraction(constant(getattr(grade, grade.side) if own is None else own)) * 1000
        return {"at_least": score >= cut, "above": score > cut, "at_most": score <= cut, "below": score < cut}[grade.side]

    def firing(self, rules: Iterable[Any], score: int | None = None) -> list[Any]:
        return [rule for rule in rules if self.applies(rule) and self.holds(rule.when, score)]

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
        held = next((item.indicator.id for item in self.given if item.is_held), None)
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
        earlier = self.previous(1)
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
        answer: Any = self.facts.attributes.get(rule.steps.answer)
        return rule.steps.otherwise if answer is None else min(max(answer, rule.steps.at_least), rule.steps.at_most)

    # --- result ---

    def evaluation(self) -> Evaluation:
        start, implied, score, adjustments = self.score()
        ladder, grade, step, acted = self.decide(score)
        rows = [self.row(item) for item in self.given if item.has_row]
        mask = sum(1 << number for number, item in enumerate(self.rulebook.classes) if item.id in self.classes)
        return Evaluation(
            self.facts.subject_id, mask, start, implied, score, ladder, grade, step, acted, (*rows, *adjustments)
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


def within(value: Fraction, bounds: Any) -> bool:
    """Whether every bound that a node gives holds for a value."""
    return (
        (bounds.at_least is None or value >= Fraction(constant(bounds.at_least)))
        and (bounds.above is None or value > Fraction(constant(bounds.above)))
        and (bounds.at_most is None or value <= Fraction(constant(bounds.at_most)))
        and (bounds.below is None or value < Fraction(constant(bounds.below)))
    )


def _aggregate(how: str, values: list[Fraction]) -> Fraction | None:
    if not values:
        return None
    if how == "minimum":
        return min(values)
    if how == "maximum":
        return max(values)
    total = sum(values, Fraction(0))
    return total / len(values) if how == "mean" else total


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
