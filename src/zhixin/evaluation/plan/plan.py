"""Rulebook at a date → Ibis tables: the fast engine, independent of the interpreter.

Shape of the plan (ADR 0003): records meet a small slot table by kind, one aggregation by (subject, measure) gives the
long table, a small piece table turns it into sparse contributions, and one wide pass over the subjects adds defaults,
conditions and decisions. Work follows matches, not indicators.

Stages are separate methods so that an engine can keep each one as a table: ``matched`` → ``long`` → ``base`` →
``row_parts`` → ``scoring.dimensioned`` → ``scoring.scored`` → ``scoring.graded``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa

from zhixin.dataset.reading import narrowed
from zhixin.dataset.tables import subjects_schema
from zhixin.evaluation.plan.columns import Wide, attribute_column, field_column, int64
from zhixin.evaluation.plan.conditions import Conditions, class_bits
from zhixin.evaluation.plan.matching import Matching, Small
from zhixin.evaluation.plan.scoring import Scoring
from zhixin.evaluation.plan.slots import UNBOUNDED, SlotTable, integer_pieces
from zhixin.law.conditions import InClass, PreviousIs
from zhixin.law.measures import (
    RECORD_MEASURES,
    AppendedTerm,
    Combined,
    Count,
    DaysSince,
    Exists,
    Latest,
    Mean,
    Measure,
    PreviousScore,
    Ratio,
    Related,
    Sum,
)
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import walk
from zhixin.law.points import Cases, PerRecord
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Indicator, default_points, is_sparse, missing_points

Expr = Any
Table = Any


@dataclass(frozen=True)
class EvaluationPlan:
    """A compiled rulebook: hand it tables, get tables back. Made by :func:`compile_rulebook`."""

    rulebook: Rulebook
    moment: Moment
    table: SlotTable
    matching: Matching
    wide: Wide
    scoring: Scoring
    indicators: tuple[Indicator, ...]

    # --- inputs under the plan's own names ---

    @property
    def subject_columns(self) -> pa.Schema:
        """The columns of the subjects that some rule reads; a dataset may hold more."""
        used = {"subject_no", "subject_id", *self.wide.attributes()}
        return narrowed(subjects_schema(self.rulebook), used)

    def subjects(self, table: Table) -> Table:
        """subject_no, subject_id, and the attributes that are read, under prefixed names."""
        named = {attribute_column(name): table[name] for name in self.wide.attributes()}
        return table.select("subject_no", "subject_id", **named)

    def records(self, table: Table) -> Table:
        """The core columns, and the declared fields under prefixed names; some may be absent."""
        fields = self.rulebook.record_fields
        named = {field_column(name): table[name] for name in fields if name in table.columns}
        return table.select(*[name for name in table.columns if name not in fields], **named)

    # --- long + subjects → base ---

    def base(self, subjects: Table, long: Table | None, relations: Table, previous: Table) -> Table:
        """One row per subject: attributes, the measures that conditions need, earlier results, class mask."""
        table, earlier = self.known(subjects), self.wide.previous(previous)
        for part in (*self.measured(subjects, long, relations), *([] if earlier is None else [earlier])):
            joined = table.left_join(part, "subject_no")
            table = joined.select(*table.columns, *[name for name in part.columns if name != "subject_no"])
        return self.classed(table)

    def known(self, subjects: Table) -> Table:
        """The subjects with the attributes that wide rules read."""
        used = self.wide.attributes(self._rules_on_base())
        return subjects.select("subject_no", *[attribute_column(name) for name in used])

    def measured(self, subjects: Table, long: Table | None, relations: Table) -> list[Table]:
        """The measures that conditions need, and those over related subjects, each by subject_no."""
        pivot = self.wide.pivot(long)
        return [*([] if pivot is None else [pivot]), *self.wide.related(subjects, long, relations)]

    def classed(self, table: Table) -> Table:
        """The subjects and their parts, with the class mask."""
        return table.mutate(class_mask=self._class_mask(table))

    def _rules_on_base(self) -> tuple[Any, ...]:
        book = self.rulebook
        wide = [
            item
            for item in book.indicators
            if not self._needs_attributes_only(item) or self.scoring.is_special(item.dimension)
        ]
        return (book.classes, book.score, book.ladder, book.decisions, tuple(wide))

    def _class_mask(self, table: Table) -> Expr:
        conditions = Conditions(self.wide, table)
        mask: Expr = int64(0)
        for number, item in enumerate(self.rulebook.classes):
            member = conditions.holds(item.when)
            conditions.classes[item.id] = member
            mask = mask + ibis.ifelse(member, int64(1 << number), int64(0))
        return mask

    # --- contributions ---

    def row_parts(self, subjects: Table, base: Table, long: Table | None, small: Small, *, evidence: bool) -> list[Table]:
        """Contributions in parts, the sparse ones and then those of each other indicator: subject_no, indicator_no,
        dimension_no, value_num, value_den, points, uncapped, and default and record_nos where they are needed.
        """
        parts = [] if long is None else self._sparse_rows(base, long, small, evidence)
        for number, indicator in enumerate(self.indicators):
            if not is_sparse(indicator):
                table = subjects if self._needs_attributes_only(indicator) else base
                parts.append(self._dense_rows(table, long, number, indicator, evidence))
        return parts or [self._no_rows(base, evidence)]

    def _needs_attributes_only(self, indicator: Indicator) -> bool:
        """Whether an indicator reads nothing but attributes, so that it can run on the subjects themselves."""
        return not indicator.applies_to and not indicator.except_for and reads_attributes_only(indicator)

    def _no_rows(self, base: Table, evidence: bool) -> Table:
        none = self._row_columns(base, 0, 0, int64(0), int64(0), int64(0), int64(0), 0)
        if evidence:
            none["record_nos"] = ibis.null("array<int64>")
        return base.filter(ibis.literal(False)).select(**none)

    def _row_columns(
        self,
        table: Table,
        number: int,
        dimension: int,
        num: Expr,
        den: Expr,
        points: Expr,
        uncapped: Expr | None,
        default: int,
    ) -> dict[str, Expr]:
        null = ibis.null("int64")
        columns = {
            "subject_no": table.subject_no,
            "indicator_no": ibis.literal(number, "int16"),
            "dimension_no": ibis.literal(dimension, "int16"),
            "value_num": num,
            "value_den": den,
            "points": points,
            "uncapped": null if uncapped is None else ibis.ifelse(uncapped != points, uncapped, null),
        }
        if self.scoring.has_defaults:
            columns["default"] = int64(default)
        return columns

    def _sparse_rows(self, base: Table, long: Table, small: Small, evidence: bool) -> list[Table]:
        plain, scoped = self._piece_arrow(scoped=False), self._piece_arrow(scoped=True)
        parts = []
        if plain is not None:
            parts.append(self._apply_pieces(long, small(plain), evidence))
        if scoped is not None:
            classed = base.select("subject_no", "class_mask").filter(lambda t: t.class_mask != 0)
            free = base.select("subject_no", "class_mask") if self._excepts() else classed
            within = long.filter(long.measure_no.isin(sorted(set(scoped["piece_measure"].to_pylist()))))
            joined = within.join(free, "subject_no")
            parts.append(self._apply_pieces(joined, small(scoped), evidence, scoped=True))
        return parts

    def _excepts(self) -> bool:
        return any(indicator.except_for and not indicator.applies_to for indicator in self.indicators)

    def _apply_pieces(self, long: Table, pieces: Table, evidence: bool, scoped: bool = False) -> Table:
        joined = long.join(pieces, long.measure_no == pieces.piece_measure)
        as_of = ibis.date(self.moment.as_of.isoformat())
        options = {
            "n": joined.n,
            "total": joined.total.fill_null(0),
            "latest": joined.total,
            "top": joined.top,
            "low": -joined.top,
            "exists": int64(1),
            "days": as_of.delta(joined.newest, unit="day").cast("int64"),
        }
        used = [how for how in HOWS if how in self._hows()]
        num = self._by_name(joined.how, {how: options[how] for how in used})
        value = ibis.ifelse(joined.value_is_n, joined.n, num) if self._any_per_record() else num
        raw = joined.start
        if self._any(lambda row: row["slope"]):
            raw = raw + ibis.ifelse(joined.slope == 0, int64(0), joined.slope * num.fill_null(0))
        if self._any(lambda row: row["divisor"] != 1):
            raw = ibis.ifelse(joined.divisor == 1, raw, self.wide.half_up(raw, joined.divisor))
        points = ibis.greatest(ibis.least(raw, joined.cap_high), joined.cap_low)
        columns = {
            "subject_no": joined.subject_no,
            "indicator_no": joined.indicator_no,
            "dimension_no": joined.dimension_no,
            "value_num": value,
            "value_den": joined.den,
            "points": points,
            "uncapped": ibis.ifelse(points != raw, raw, ibis.null("int64")),
        }
        if self.scoring.has_defaults:
            columns["default"] = joined.default
        if evidence:
            columns["record_nos"] = joined.record_nos
        return joined.filter(self._in_piece(joined, num, scoped)).select(**columns)

    def _in_piece(self, joined: Table, num: Any, scoped: bool) -> list[Any]:
        """Conditions under which a piece is that of the measured value, and of the subject's classes."""
        here = (num >= joined.low) & (num < joined.high)
        tests = [here | (joined.is_missing & num.isnull()) if self._any_missing() else here]
        if scoped:
            tests += [
                (joined.class_yes == 0) | ((joined.class_mask & joined.class_yes) != 0),
                (joined.class_mask & joined.class_no) == 0,
            ]
        return tests

    @staticmethod
    def _by_name(number: Expr, choices: dict[str, Expr]) -> Expr:
        if len(choices) == 1:
            return next(iter(choices.values()))
        return ibis.cases(*[(number == HOWS.index(name), choice) for name, choice in choices.items()])

    def _hows(self) -> set[str]:
        return {HOWS[row["how"]] for row in self._piece_rows()}

    def _any(self, test: Callable[[dict[str, Any]], Any]) -> bool:
        return any(test(row) for row in self._piece_rows())

    def _any_per_record(self) -> bool:
        return self._any(lambda row: row["value_is_n"])

    def _any_missing(self) -> bool:
        return self._any(lambda row: row["is_missing"])

    def _piece_arrow(self, *, scoped: bool) -> pa.Table | None:
        rows = [row for row in self._piece_rows() if bool(row["class_yes"] or row["class_no"]) == scoped]
        if not rows:
            return None
        small = {"piece_measure": pa.int32(), "indicator_no": pa.int16(), "dimension_no": pa.int16(), "how": pa.int32()}
        flags = {"is_missing": pa.bool_(), "value_is_n": pa.bool_()}
        return pa.table(
            {name: pa.array([row[name] for row in rows], (small | flags).get(name, pa.int64())) for name in rows[0]}
        )

    def _piece_rows(self) -> list[dict[str, Any]]:
        return [
            row
            for number, indicator in enumerate(self.indicators)
            if is_sparse(indicator)
            for row in self._pieces_of(number, indicator)
        ]

    def _pieces_of(self, number: int, indicator: Indicator) -> list[dict[str, Any]]:
        measure: Any = indicator.measure
        points: Any = indicator.points
        den = self.wide.denominator(measure)
        low, high = self.scoring.limits(indicator)
        common = {
            "indicator_no": number,
            "dimension_no": self.scoring.dimension_no(indicator),
            "den": den,
            "default": self.scoring.default(indicator),
            "cap_low": low,
            "cap_high": high,
            "class_yes": class_bits(self.rulebook, indicator.applies_to),
            "class_no": class_bits(self.rulebook, indicator.except_for),
            "value_is_n": isinstance(points, PerRecord),
        }
        if isinstance(points, PerRecord):
            measure_no = self.table.per_record_number(points, measure)
            how, parts = "total", [(-UNBOUNDED, UNBOUNDED, 0, 1, 1)]
        else:
            measure_no, how = self.table.number(measure), self._how(measure)
            parts = [tuple(piece) for piece in integer_pieces(points, den)]  # type: ignore[misc]
        common |= {"piece_measure": measure_no, "how": HOWS.index(how)}
        names = ("low", "high", "start", "slope", "divisor")
        rows = [dict(zip(names, part, strict=True), is_missing=False, **common) for part in parts]
        if default_points(indicator) is not None:
            missing = missing_points(indicator)
            nothing = dict(zip(names, (0, 0, missing, 0, 1), strict=True), is_missing=True, **common)
            rows.append(nothing | {"cap_low": -UNBOUNDED, "cap_high": UNBOUNDED})
        return rows

    @staticmethod
    def _how(measure: Measure) -> str:
        match measure:
            case Sum():
                return "total"
            case Latest():
                return "latest"
            case Exists():
                return "exists"
            case DaysSince():
                return "days"
            case Count() if not measure.distinct:
                return "n"
            case Count() | AppendedTerm():
                return "total"
        return "top" if measure.type == "maximum" else "low"

    def _dense_rows(self, base: Table, long: Table | None, number: int, indicator: Indicator, evidence: bool) -> Table:
        conditions = self.scoring.conditions(base)
        given = self.scoring.given(conditions, indicator)
        default = self.scoring.default(indicator)
        tests = [] if given.applies is None else [given.applies]
        if given.is_missing is not None and missing_points(indicator) == default:
            tests.append(~given.is_missing)  # says nothing new, but is cheap to test first
        tests.append(given.points != default)
        columns = self._row_columns(
            base, number, self.scoring.dimension_no(indicator), given.num, given.den, given.points, given.uncapped, default
        )
        if evidence:
            return self._with_evidence(base.filter(tests).select(**columns), long, indicator)
        return base.filter(tests).select(**columns)

    def _with_evidence(self, rows: Table, long: Table | None, indicator: Indicator) -> Table:
        numbers = self._record_numbers(indicator.measure)
        if not numbers or long is None:
            return rows.mutate(record_nos=ibis.null("array<int64>"))
        for place, number in enumerate(numbers):
            behind = long.filter(long.measure_no == number).select("subject_no", **{f"behind_{place}": long.record_nos})
            joined = rows.left_join(behind, "subject_no")
            rows = joined.select(*rows.columns, f"behind_{place}")
        lists = [rows[f"behind_{place}"] for place, _ in enumerate(numbers)]
        everything = lists[0]
        if len(lists) > 1:
            nothing = ibis.literal([], "array<int64>")
            filled = [ibis.coalesce(item, nothing) for item in lists]
            known = reduce(lambda a, b: a | b, [item.notnull() for item in lists])
            united = reduce(lambda a, b: a.concat(b), filled).unique().sort()
            everything = ibis.ifelse(known, united, ibis.null("array<int64>"))
        shown = [name for name in rows.columns if not name.startswith("behind_")]
        return rows.select(*shown, record_nos=everything)

    def _record_numbers(self, measure: Measure | None) -> list[int]:
        match measure:
            case Ratio():
                return sorted({*self._record_numbers(measure.numerator), *self._record_numbers(measure.denominator)})
            case Combined():
                return sorted({number for part in measure.of for number in self._record_numbers(part)})
            case Mean():
                return [self.table.mean_numbers(measure)[0]]
        return [self.table.numbers[measure]] if measure in self.table.numbers and not isinstance(measure, Related) else []


HOWS = ["n", "total", "latest", "top", "low", "exists", "days"]


def reads_attributes_only(rules: Any) -> bool:
    """Whether rules look at attributes alone: no records, no relations, no earlier results, no classes."""
    beyond = (*RECORD_MEASURES, Related, PreviousScore, PreviousIs, InClass)
    return not any(isinstance(node, beyond) for node in walk(rules))


def compile_rulebook(rulebook: Rulebook, moment: Moment) -> EvaluationPlan:
    """Compile a rulebook for one moment.

    Args:
        rulebook: as loaded; it is resolved at ``moment.as_of`` here.
        moment: evaluation date, known sequence, dates of earlier evaluations.
    """
    resolved = rulebook.at(moment.as_of)
    table = SlotTable(resolved, moment)
    wide = Wide(resolved, moment, table)
    scoring = Scoring(resolved, wide)
    plan = EvaluationPlan(
        resolved, moment, table, Matching(resolved, moment, table, wide), wide, scoring, resolved.indicators
    )
    for indicator in resolved.indicators:
        _register(plan, indicator)
    for owner in (resolved.classes, resolved.score, resolved.ladder, resolved.decisions):
        for node in walk(owner):
            wide.need(getattr(node, "measure", None))
    return plan


def _register(plan: EvaluationPlan, indicator: Indicator) -> None:
    if isinstance(indicator.points, PerRecord):
        plan.table.per_record_number(indicator.points, indicator.measure)
    elif is_sparse(indicator):
        plan.table.number(indicator.measure)
    if not is_sparse(indicator) or plan.scoring.is_special(indicator.dimension):
        plan.wide.need(indicator.measure)
        if isinstance(indicator.points, PerRecord):
            plan.wide.need_total(plan.table.per_record_number(indicator.points, indicator.measure))
    if isinstance(indicator.points, Cases):
        for node in walk(indicator.points.cases):
            plan.wide.need(getattr(node, "measure", None))
