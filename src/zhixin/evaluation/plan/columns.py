"""The compiler's wide side: measures, earlier results and related subjects as columns of each subject."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import reduce
from math import ceil, floor, lcm
from typing import Any, NamedTuple

import ibis
import ibis.expr.operations as ops

from zhixin.evaluation.plan.slots import SlotTable
from zhixin.law.calendar import latest_start
from zhixin.law.conditions import PreviousIs
from zhixin.law.measures import (
    NEVER_MISSING,
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
    PreviousScore,
    Ratio,
    Related,
    Sum,
)
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import constant, walk
from zhixin.law.rulebook import Rulebook, denominator

Expr = Any
Table = Any

NOTHING = 2**63 - 1
"""Replaces a missing value while the minimum or maximum of several columns is computed; never part of a result."""


def int64(value: int) -> Expr:
    """An integer literal of 64 bits."""
    return ibis.literal(value, "int64")


def code(value: int) -> Expr:
    """A rank, a step or the number of a rule: half as wide, for decisions look at these columns many times."""
    return ibis.literal(value, "int32")


def whole(total: Expr) -> Expr:
    """A sum as an integer of 64 bits. Ibis believes it is one already; DuckDB makes it 128 bits wide, and slow for it."""
    return ops.Cast(total, to="int64").to_expr()


class Value(NamedTuple):
    """A measured value as columns: ``num`` / ``den``; ``num`` is NULL when missing.

    ``since``: for a number of full years, the day they count from. Comparing days is far cheaper than counting years.
    """

    num: Expr
    den: int | Expr
    since: Expr | None = None


@dataclass
class Wide:
    """Which measures the wide columns hold, and how to read them there."""

    rulebook: Rulebook
    moment: Moment
    table: SlotTable
    needed: dict[int, set[str]] = field(default_factory=dict)
    """measure number → columns of the long table to pivot."""
    relations: dict[Related, int] = field(default_factory=dict)

    # --- what is needed ---

    def need(self, measure: Any) -> None:
        """Add a measure to the wide columns; no-op for ``None`` and for plain attributes."""
        match measure:
            case Ratio():
                self.need(measure.numerator)
                self.need(measure.denominator)
            case Combined():
                for part in measure.of:
                    self.need(part)
            case Related():
                self.relations.setdefault(measure, len(self.relations))
                if not isinstance(measure.measure, Attribute):
                    self.table.number(measure.measure)
            case Mean():
                for number in self.table.mean_numbers(measure):
                    self.need_total(number)
            case Count() | Sum() | Extreme() | Latest() | Exists() | DaysSince() | CleanYears() | AppendedTerm():
                self.needed.setdefault(self.table.number(measure), set()).add(self.long_column(measure))

    def need_total(self, number: int) -> None:
        self.needed.setdefault(number, set()).add("total")

    @staticmethod
    def long_column(measure: Any) -> str:
        """The column of the long table that holds a record measure."""
        match measure:
            case Count() if not measure.distinct:
                return "n"
            case Exists():
                return "n"
            case Extreme():
                return "top"
            case DaysSince() | CleanYears():
                return "newest"
        return "total"

    # --- tables to join ---

    def pivot(self, long: Table | None) -> Table | None:
        """subject_no and one column ``m{number}_{column}`` per needed measure."""
        if long is None or not self.needed:
            return None
        rows = long.filter(long.measure_no.isin(sorted(self.needed)))
        columns = {
            f"m{number}_{name}": rows[name].max(where=rows.measure_no == number)
            for number, names in sorted(self.needed.items())
            for name in sorted(names)
        }
        return rows.group_by("subject_no").aggregate(**columns)

    def related(self, subjects: Table, long: Table | None, relations: Table) -> Iterator[Table]:
        """One table (subject_no, r{number}) per measure over related subjects."""
        as_of = ibis.date(self.moment.as_of.isoformat())
        for measure, number in self.relations.items():
            valid = relations.filter(
                relations.relation == measure.relation,
                (relations.since <= as_of).fill_null(True),
                (relations.until >= as_of).fill_null(True),
            )
            me, other = ("subject_no", "related_no") if measure.direction == "outgoing" else ("related_no", "subject_no")
            pairs = valid.select(me=valid[me], other=valid[other]).distinct()
            values = self._values_of(measure.measure, subjects, long)
            joined = pairs.left_join(values, pairs.other == values.value_no)
            value = joined.value
            if isinstance(measure.measure, NEVER_MISSING):
                value = value.fill_null(0)
            table = joined.select(subject_no=joined.me, value=value)
            aggregate = {
                "sum": whole(table.value.sum()),
                "count": whole(ibis.ifelse(table.value > 0, int64(1), int64(0)).sum()),
                "minimum": table.value.min(),
                "maximum": table.value.max(),
            }[measure.aggregate]
            yield table.group_by("subject_no").aggregate(**{f"r{number}": aggregate})

    def _values_of(self, measure: Any, subjects: Table, long: Table | None) -> Table:
        if isinstance(measure, Attribute):
            return subjects.select(value_no=subjects.subject_no, value=subjects[attribute_column(measure.id)].cast("int64"))
        if long is None:
            return subjects.filter(ibis.literal(False)).select(value_no=subjects.subject_no, value=ibis.null("int64"))
        rows = long.filter(long.measure_no == self.table.number(measure))
        raw = rows[self.long_column(measure)]
        return rows.select(value_no=rows.subject_no, value=self._from_long(measure, raw))

    def _from_long(self, measure: Any, raw: Expr) -> Expr:
        match measure:
            case Exists():
                return ibis.ifelse(raw > 0, int64(1), int64(0))
            case DaysSince():
                return ibis.date(self.moment.as_of.isoformat()).delta(raw, unit="day").cast("int64")
            case Extreme() if measure.type == "minimum":
                return -raw
        return raw.cast("int64")

    def attributes(self, rules: Any = None) -> list[str]:
        """The attributes that some rules read (all rules, if none are given), in the order of their declaration."""
        used = set()
        for node in walk(self._rules() if rules is None else rules):
            for name in ("attribute", "since", "answer"):
                used.add(getattr(node, name, None) if isinstance(getattr(node, name, None), str) else None)
            if isinstance(node, Attribute | AttributeAge):
                used.add(node.id)
        return [item.id for item in self.rulebook.attributes if item.id in used]

    def _rules(self) -> tuple[Any, ...]:
        book = self.rulebook
        return (book.classes, book.score, book.ladder, book.decisions, book.indicators)

    def backs(self) -> list[int]:
        """Which earlier results the rulebook looks at."""
        found: set[int] = set()
        for node in walk(self._rules()):
            if isinstance(node, PreviousIs):
                found.add(node.previous)
            if isinstance(node, PreviousScore):
                found.add(node.back)
        if any(rule.not_above == "previous" for rule in self.rulebook.decisions.caps):
            found.add(1)
        return sorted(found)

    def previous(self, previous: Table) -> Table | None:
        """subject_no and grade, score, step of each needed earlier result."""
        backs = self.backs()
        if not backs:
            return None
        earlier = previous.filter(previous.evaluated_on < ibis.date(self.moment.as_of.isoformat()))
        order = ibis.window(group_by=earlier.subject_no, order_by=ibis.desc(earlier.evaluated_on))
        ranked = earlier.mutate(back=ibis.row_number().over(order) + 1)
        ranked = ranked.filter(ranked.back <= max(backs))
        columns = {}
        for back in backs:
            here = ranked.back == back
            columns[f"p{back}_grade"] = ranked.grade.max(where=here)
            columns[f"p{back}_score"] = ranked.score_milli.max(where=here)
            columns[f"p{back}_step"] = ranked.step.max(where=here)
        return ranked.group_by("subject_no").aggregate(**columns)

    # --- reading measures from the wide table ---

    def denominator(self, measure: Any) -> int:
        fixed = denominator(self.rulebook, measure)
        assert fixed is not None
        return fixed

    def value(self, table: Table, measure: Any) -> Value:
        """A measure as columns of the wide table."""
        match measure:
            case Ratio():
                return self._ratio(table, measure)
            case Combined():
                return self._combined(table, measure)
            case Mean():
                return self._mean(table, measure)
            case Attribute():
                return Value(table[attribute_column(measure.id)].cast("int64"), self.denominator(measure))
            case AttributeAge() if measure.unit == "days":
                return Value(self._days(table[attribute_column(measure.id)]), 1)
            case AttributeAge():
                return self._years(self._begun(table[attribute_column(measure.id)]))
            case PreviousScore():
                return Value(table[f"p{measure.back}_score"], 1000)
            case Related():
                column = table[f"r{self.relations[measure]}"]
                counts = measure.aggregate in ("sum", "count")
                return Value(column.fill_null(0) if counts else column, self.denominator(measure))
            case CleanYears():
                return self._years(self._clean_since(table, measure))
        raw = self._column(table, measure)
        num = self._from_long(measure, raw)
        if isinstance(measure, NEVER_MISSING):
            num = num.fill_null(0)
        return Value(num, self.denominator(measure))

    def _column(self, table: Table, measure: Any) -> Expr:
        return table_column(table, f"m{self.table.number(measure)}_{self.long_column(measure)}", measure)

    def _begun(self, start: Expr) -> Expr:
        """A day, or NULL where it is still to come."""
        return ibis.ifelse(start <= ibis.date(self.moment.as_of.isoformat()), start, ibis.null("date"))

    def _days(self, start: Expr) -> Expr:
        as_of = ibis.date(self.moment.as_of.isoformat())
        return ibis.ifelse(start <= as_of, as_of.delta(start, unit="day").cast("int64"), ibis.null("int64"))

    def _years(self, start: Expr) -> Value:
        as_of = self.moment.as_of
        day_of_year = start.month().cast("int64") * 100 + start.day()  # a month may be an integer of 8 bits
        if not isleap(as_of.year):
            day_of_year = ibis.ifelse(day_of_year == 229, 228, day_of_year)
        years = int64(as_of.year) - start.year().cast("int64")
        not_yet = ibis.ifelse(day_of_year > as_of.month * 100 + as_of.day, int64(1), int64(0))
        return Value(years - not_yet, 1, start)

    def _clean_since(self, table: Table, measure: CleanYears) -> Expr:
        since = self._begun(table[attribute_column(measure.since)])
        newest = self._column(table, measure)
        return ibis.ifelse(since.isnull() | (newest > since), newest, since)

    def _mean(self, table: Table, measure: Mean) -> Value:
        total_no, weight_no = self.table.mean_numbers(measure)
        total = table_column(table, f"m{total_no}_total", measure)
        weight = table_column(table, f"m{weight_no}_total", measure)
        scale = self.rulebook.record_fields[measure.field].denominator
        return Value(ibis.ifelse(weight > 0, total, ibis.null("int64")), weight * scale)

    def _ratio(self, table: Table, measure: Ratio) -> Value:
        top, bottom = self.value(table, measure.numerator), self.value(table, measure.denominator)
        return Value(ibis.ifelse(bottom.num > 0, top.num * bottom.den, ibis.null("int64")), bottom.num * top.den)

    def _combined(self, table: Table, measure: Combined) -> Value:
        parts = [self.value(table, part) for part in measure.of]
        stand_in = None if measure.missing_as is None else constant(measure.missing_as)
        common = lcm(*[int(part.den) for part in parts], *([] if stand_in is None else [stand_in.as_integer_ratio()[1]]))
        nums = [part.num * int64(common // int(part.den)) for part in parts]
        if stand_in is not None:
            nums = [num.fill_null(int(stand_in * common)) for num in nums]
        if measure.how in ("minimum", "maximum"):
            return Value(extreme(nums, measure.how), common)
        known = reduce(lambda a, b: a + b, [ibis.ifelse(num.isnull(), int64(0), int64(1)) for num in nums])
        total = reduce(lambda a, b: a + b, [num.fill_null(0) for num in nums])
        num = ibis.ifelse(known > 0, total, ibis.null("int64"))
        return Value(num, known * common if measure.how == "mean" else common)

    # --- arithmetic ---

    def at_least(self, value: Value, low: int) -> Expr:
        """Whether the numerator reaches an integer (NULL where the value is missing)."""
        if value.since is None:
            return value.num >= int64(low)
        latest = latest_start(self.moment.as_of, low)
        return (
            value.since < ibis.date(date.min.isoformat()) if latest is None else value.since <= ibis.date(latest.isoformat())
        )

    def bounded(self, value: Value, bounds: Any) -> Expr:
        """Whether a value satisfies every bound of a node (NULL where it is missing)."""
        tests = []
        for name in ("at_least", "above", "at_most", "below"):
            bound = getattr(bounds, name)
            if bound is not None:
                tests.append(self._bound(value, name, constant(bound)))
        return reduce(lambda a, b: a & b, tests)

    def _bound(self, value: Value, name: str, bound: Decimal) -> Expr:
        if isinstance(value.den, int):
            scaled = bound * value.den
            low = ceil(scaled) if name in ("at_least", "below") else floor(scaled) + 1
            reached = self.at_least(value, low)
            return reached if name in ("at_least", "above") else ~reached
        top, bottom = bound.as_integer_ratio()
        left, right = value.num * int64(bottom), value.den * int64(top)
        return {"at_least": left >= right, "above": left > right, "at_most": left <= right, "below": left < right}[name]

    @staticmethod
    def half_up(num: Expr, den: int | Expr) -> Expr:
        """num / den to the nearest integer, a half upwards; ``den`` > 0. Exact for 64-bit integers.

        Floor division is a float on some engines, so its result is mended twice by the exact remainder: a quotient beyond
        2^53 is off by some hundreds at first, by at most one after the first mending.
        """
        if isinstance(den, int) and den == 1:
            return num
        bottom = int64(den) if isinstance(den, int) else den
        top, bottom = num * 2 + bottom, bottom * 2
        guess = (top.cast("float64") / bottom.cast("float64")).floor().cast("int64")
        guess = guess + ((top - guess * bottom).cast("float64") / bottom.cast("float64")).floor().cast("int64")
        rest = top - guess * bottom
        return guess + ibis.ifelse(rest < 0, int64(-1), ibis.ifelse(rest >= bottom, int64(1), int64(0)))


def attribute_column(name: str) -> str:
    """Column of an attribute inside a plan: prefixed, so that no name a rulebook chooses meets one of the plan's own."""
    return f"x_{name}"


def field_column(name: str) -> str:
    """Column of a record field inside a plan, prefixed for the same reason."""
    return f"f_{name}"


def table_column(table: Table, name: str, measure: Any) -> Expr:
    """A column of the wide table, or NULL of its type where no record stage was run."""
    if name in table.columns:
        return table[name]
    return ibis.null("date" if isinstance(measure, DaysSince | CleanYears) else "int64")


def extreme(nums: list[Expr], how: str) -> Expr:
    """Smallest or largest of several columns, NULLs skipped; NULL if all are."""
    worst = int64(NOTHING if how == "minimum" else -NOTHING)
    filled = [num.fill_null(worst) for num in nums]
    if len(filled) == 1:
        return nums[0]
    best = ibis.least(*filled) if how == "minimum" else ibis.greatest(*filled)
    return ibis.ifelse(best == worst, ibis.null("int64"), best)
