"""What the interpreter derives for one subject: which records count, what measures give, which conditions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

from zhixin.dataset.facts import Facts, Previous
from zhixin.law.calendar import full_years, shift_months
from zhixin.law.conditions import All, Any_, AtLeastOf, AttributeTest, Compare, Condition, InClass, Not, PreviousIs, ScoreIs
from zhixin.law.filters import Corrected, CorrectedTest, DatedFlag, FieldTest, RecordFilter
from zhixin.law.measures import (
    AppendedTerm,
    Attribute,
    AttributeAge,
    CleanYears,
    Combined,
    Count,
    DaysSince,
    Exists,
    Extreme,
    Latest,
    Mean,
    Measure,
    PreviousScore,
    Ratio,
    Related,
    Sum,
)
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import constant
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Indicator, Rule

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
class SubjectFacts:
    """One subject's facts under a resolved rulebook at one moment."""

    rulebook: Rulebook
    moment: Moment
    facts: Facts

    # --- records ---

    def counts(self, record: Record, only: RecordFilter) -> bool:
        """Whether a record of a kind that a filter names counts under it."""
        as_of, known_at = self.moment.as_of, self.moment.known_at
        day = record.get(only.on.value)
        if day is None or day + timedelta(days=only.effective_after_days) > as_of:
            return False
        if known_at is not None and (record.get("sequence") or 0) > known_at:
            return False
        if only.severities and record.get("severity") not in {item.value for item in only.severities}:
            return False
        first, last = self.moment.window(only.within)
        if not first <= day <= last:
            return False
        if only.while_valid and record.get("valid_until") is not None and record["valid_until"] < as_of:
            return False
        return all(self.field_holds(record, test) for test in only.where) and not any(
            self.exempt(record, exemption) for exemption in only.unless
        )

    def exempt(self, record: Record, exemption: str | DatedFlag | CorrectedTest | FieldTest) -> bool:
        if isinstance(exemption, DatedFlag):
            day = record.get(exemption.on.value)
            return (
                day is not None
                and (exemption.from_ is None or day >= exemption.from_)
                and (exemption.until is None or day <= exemption.until)
                and self.exempt(record, exemption.flag)
            )
        if isinstance(exemption, FieldTest):
            return self.field_holds(record, exemption)
        if isinstance(exemption, CorrectedTest):
            return self.corrected(record, exemption.corrected)
        if exemption == "first_offence":
            return record.get("is_first_offence") is True
        day = record.get(f"{exemption}_on")
        return day is not None and day <= self.moment.as_of

    def corrected(self, record: Record, test: Corrected) -> bool:
        done, start = record.get("corrected_on"), record.get(test.of.value)
        if done is None or start is None or done > self.moment.as_of:
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
        if test.reached is not None:
            return (value <= self.moment.as_of) is test.reached
        number = self.in_units(value, test.field)
        if test.over is not None:
            whole = record.get(test.over)
            if whole is None or whole <= 0:
                return False
            number /= self.in_units(whole, test.over)
        return within(number, test)

    def matching(self, only: RecordFilter) -> list[Record]:
        kinds = self.rulebook.kinds_matching(only.kinds)
        return [record for record in self.facts.records if record["kind"] in kinds and self.counts(record, only)]

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
                if start is None or start > self.moment.as_of:
                    return None
                as_of = self.moment.as_of
                return Fraction((as_of - start).days if unit == "days" else full_years(start, as_of))
            case PreviousScore(back=back):
                previous = self.previous(back)
                score = None if previous is None else previous.score_milli
                return None if score is None else Fraction(score, 1000)
            case Related():
                return self.related(measure)

    def record_value(self, measure: Any, records: list[Record]) -> Fraction | None:
        as_of = self.moment.as_of
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
            if day > shift_months(self.moment.as_of, -min(appended * term, longest)):
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
            value = SubjectFacts(self.rulebook, self.moment, other).measure(measure.measure).value
            if value is not None:
                values.append(value)
        if measure.aggregate == "count":
            return Fraction(sum(value > 0 for value in values))
        if measure.aggregate == "sum":
            return sum(values, Fraction(0))
        return _aggregate(measure.aggregate, values)

    def previous(self, back: int) -> Previous | None:
        earlier = sorted(
            (item for item in self.facts.previous if item.evaluated_on < self.moment.as_of),
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
            case = SubjectFacts(self.rulebook, self.moment, self.facts)
            case.__dict__["classes"] = found
            if case.holds(item.when):
                found = (*found, item.id)
        return found

    def applies(self, item: Indicator | Rule) -> bool:
        wanted = not item.applies_to or any(name in self.classes for name in item.applies_to)
        return wanted and not any(name in self.classes for name in getattr(item, "except_for", ()))


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
