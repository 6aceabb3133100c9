"""The compiler's record stage: records × slots → one row per subject and measure (the long table)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa

from zhixin.evaluation.plan.columns import Value, Wide, field_column, int64, whole
from zhixin.evaluation.plan.slots import WORD_BITS, Atom, Portion, Slot, SlotTable
from zhixin.law.calendar import shift_months
from zhixin.law.measures import AppendedTerm, Count, Latest
from zhixin.law.moment_and_windows import Moment
from zhixin.law.points import PerRecord
from zhixin.law.rulebook import Rulebook

Expr = Any
Table = Any

Small = Callable[[pa.Table], Any]
"""Turns a small Arrow table into an Ibis table of the engine."""


@dataclass(frozen=True)
class Matching:
    """The record stage of a plan."""

    rulebook: Rulebook
    moment: Moment
    table: SlotTable
    wide: Wide

    @property
    def simple_slots(self) -> list[Slot]:
        """The slots of the simple kinds."""
        kinds = self.table.simple_kinds()
        return [slot for slot in self.table.slots if slot.kind in kinds]

    def simple_records(self, records: Table, *, evidence: bool) -> Table:
        """The records that may count for the simple slots: subject_no, kind, day (and record_no)."""
        slots = self.simple_slots
        as_of = ibis.date(self.moment.as_of.isoformat())
        day = records[self.table.dates[slots[0].date_no].value]
        tests = [day <= as_of]
        if self.moment.known_at is not None:
            tests.append(records.sequence.fill_null(0) <= self.moment.known_at)
        tests += [~self._atom(records, atom) for atom, bit in self.table.atoms.items() if slots[0].no >> bit & 1]
        return records.filter(tests).select("subject_no", "kind", *(["record_no"] if evidence else []), day=day)

    def simple_long(self, records: Table, small: Small, *, evidence: bool) -> Table:
        """The long table of the simple kinds: subject, kind and date are all it reads besides the exemptions."""
        rows, slots = self.simple_records(records, evidence=evidence), self.simple_slots
        slot_table = small(
            pa.table(
                {
                    "slot_kind": pa.array([slot.kind for slot in slots], pa.string()),
                    "measure_no": pa.array([slot.measure_no for slot in slots], pa.int32()),
                    "first_day": pa.array([slot.first for slot in slots], pa.date32()),
                }
            )
        )
        joined = rows.join(slot_table, rows.kind == slot_table.slot_kind)
        met = joined.filter(joined.day >= joined.first_day)
        columns = {"n": met.count().cast("int64"), "total": ibis.null("int64"), "top": ibis.null("int64")}
        columns["newest"] = met.day.max() if self.table.uses_newest else ibis.null("date")
        if evidence:
            columns["record_nos"] = met.record_no.collect()
        return self._in_order(met.group_by(["subject_no", "measure_no"]).aggregate(**columns))

    def simple_columns(self, *, evidence: bool) -> set[str]:
        """Columns of the records that :meth:`simple_long` reads."""
        first = next(slot for slot in self.table.slots if slot.kind in self.table.simple_kinds())
        used = {"subject_no", "kind", self.table.dates[first.date_no].value, *(["record_no"] if evidence else [])}
        if self.moment.known_at is not None:
            used.add("sequence")
        for atom, bit in self.table.atoms.items():
            if first.no >> bit & 1:
                used |= self._columns_of(atom)
        return used

    def other_kinds(self) -> tuple[str, ...]:
        """The kinds that slots ask for and that are not simple."""
        return tuple(sorted({slot.kind for slot in self.table.slots} - self.table.simple_kinds()))

    def other_columns(self, *, evidence: bool) -> set[str]:
        """Columns of those records, by their own names, that atoms, dates, sources and special measures read."""
        used = {
            "subject_no",
            "kind",
            *(["record_no"] if evidence else []),
            *(column.value for column in self.table.dates),
            *self._distinct_fields(),
        }
        if self.moment.known_at is not None:
            used.add("sequence")
        for source in self.table.sources:
            used |= set(source.fields)
        for atom in self.table.atoms:
            used |= self._columns_of(atom)
        return used

    @staticmethod
    def _columns_of(atom: Atom) -> set[str]:
        match atom.kind:
            case "severity":
                return {"severity"}
            case "valid":
                return {"valid_until"}
            case "flag":
                return {"is_first_offence" if atom.detail == "first_offence" else f"{atom.detail}_on"}
            case "dated":
                return {atom.detail.on.value} | Matching._columns_of(Atom("flag", atom.detail.flag))
            case "corrected":
                return {"corrected_on", atom.detail.of.value}
            case "period":
                return {atom.detail[0].value}
        return {atom.detail.field, *([] if atom.detail.over is None else [atom.detail.over])}

    def matched(self, records: Table, small: Small, *, special: bool) -> Table | None:
        """Records × slots that match, simple kinds left out: subject_no, measure_no, value, day (and record_no)."""
        simple = self.table.simple_kinds()
        slots = [
            slot
            for slot in self.table.slots
            if (slot.measure_no in self.table.specials) == special and slot.kind not in simple
        ]
        if not slots:
            return None
        if self.moment.known_at is not None:
            records = records.filter(records.sequence.fill_null(0) <= self.moment.known_at)
        slot_table = small(self._slot_arrow(slots))
        bits = {f"w{word}": self._word(records, word) for word in range(self.table.words)}
        facts = records.mutate(**bits) if bits else records
        joined = facts.join(slot_table, facts.kind == slot_table.slot_kind)
        day = self._by_number(joined.date_no, [joined[column.value] for column in self.table.dates])
        tests = [day >= joined.first_day, day <= joined.last_day]
        tests += [(joined[f"w{word}"] & joined[f"mask{word}"]) == joined[f"want{word}"] for word in range(self.table.words)]
        value = self._by_number(joined.source_no, [self._source(joined, source) for source in self.table.sources])
        columns = {
            "subject_no": joined.subject_no,
            "measure_no": joined.measure_no,
            "day": day,
            "value": value * joined.factor,
        }
        if "record_no" in joined.columns:
            columns["record_no"] = joined.record_no
        extra = [_planned(name) for name in self._distinct_fields()] if special else []
        return joined.filter(tests).select(**columns, **{name: joined[name] for name in extra if name not in columns})

    def _slot_arrow(self, slots: Iterable[Any]) -> pa.Table:
        rows = []
        for slot in slots:
            row = {
                "slot_kind": slot.kind,
                "measure_no": slot.measure_no,
                "date_no": slot.date_no,
                "first_day": slot.first,
                "last_day": slot.last,
                "source_no": slot.source_no,
                "factor": slot.factor,
            }
            for word in range(self.table.words):
                shift = word * WORD_BITS
                row[f"mask{word}"] = ((slot.yes | slot.no) >> shift) & (2**WORD_BITS - 1)
                row[f"want{word}"] = (slot.yes >> shift) & (2**WORD_BITS - 1)
            rows.append(row)
        types = {"slot_kind": pa.string(), "first_day": pa.date32(), "last_day": pa.date32()}
        small = {"measure_no": pa.int32(), "date_no": pa.int32(), "source_no": pa.int32()}
        return pa.table(
            {name: pa.array([row[name] for row in rows], (types | small).get(name, pa.int64())) for name in rows[0]}
        )

    @staticmethod
    def _by_number(number: Expr, choices: list[Expr]) -> Expr:
        if len(choices) == 1:
            return choices[0]
        return ibis.cases(*[(number == index, choice) for index, choice in enumerate(choices)])

    def _source(self, records: Table, source: Any) -> Expr:
        if isinstance(source, Portion):
            part, whole = (records[field_column(name)].cast("int64") for name in source.fields)
            top, bottom = source.rate.as_integer_ratio()
            is_known = (whole > 0) & part.notnull()
            share = self.wide.half_up(part * int64(top), ibis.ifelse(is_known, whole, int64(1)) * int64(bottom))
            return int64(source.start) + ibis.ifelse(is_known, share, int64(0))
        if source.field is None:
            return int64(1)
        value = records[field_column(source.field)].cast("int64")
        weight = int64(1) if source.weight is None else records[field_column(source.weight)].cast("int64")
        if source.only_known:
            return ibis.ifelse(value.isnull(), ibis.null("int64"), weight)
        return value * weight

    def _word(self, records: Table, word: int) -> Expr:
        atoms = [(atom, number - word * WORD_BITS) for atom, number in self.table.atoms.items()]
        bits = [
            ibis.ifelse(self._atom(records, atom), int64(1 << bit), int64(0)) for atom, bit in atoms if 0 <= bit < WORD_BITS
        ]
        return reduce(lambda left, right: left + right, bits)

    def _atom(self, records: Table, atom: Atom) -> Expr:
        as_of = ibis.date(self.moment.as_of.isoformat())
        match atom.kind:
            case "severity":
                test = records.severity.isin(atom.detail)
            case "valid":
                return (records.valid_until >= as_of).fill_null(True)
            case "flag" if atom.detail == "first_offence":
                test = records.is_first_offence
            case "flag":
                test = records[f"{atom.detail}_on"] <= as_of
            case "dated":
                day = records[atom.detail.on.value]
                test = self._atom(records, Atom("flag", atom.detail.flag))
                if atom.detail.from_ is not None:
                    test = test & (day >= ibis.date(atom.detail.from_.isoformat()))
                if atom.detail.until is not None:
                    test = test & (day <= ibis.date(atom.detail.until.isoformat()))
            case "corrected":
                test = self._corrected(records, atom.detail)
            case "period":
                column, first, last = atom.detail
                if first is None:
                    return records[column.value].isnull()
                test = records[column.value].between(ibis.date(first.isoformat()), ibis.date(last.isoformat()))
            case _:
                test = self._field(records, atom.detail)
        return test.fill_null(False)

    def _corrected(self, records: Table, test: Any) -> Expr:
        done, start = records.corrected_on, records[test.of.value]
        parts = [done <= ibis.date(self.moment.as_of.isoformat()), start.notnull()]
        if test.days is not None:
            parts.append(done.delta(start, unit="day") <= int(test.days))
        if test.months is not None:
            parts.append(self._within_months(start, done, int(test.months)))
        if test.same_year is not None:
            parts.append(done.year() == start.year() if test.same_year else done.year() > start.year())
        return reduce(lambda left, right: left & right, parts)

    @staticmethod
    def _within_months(start: Expr, end: Expr, months: int) -> Expr:
        """Whether ``end`` is not after ``start`` moved on by months; later days are clamped to the end of a shorter month."""
        passed = (end.year() - start.year()).cast("int64") * 12 + (end.month() - start.month())
        return (passed < months) | ((passed == months) & (end.day() <= start.day()))

    def _field(self, records: Table, test: Any) -> Expr:
        value = records[field_column(test.field)]
        if test.in_ is not None:
            return value.isin(test.in_)
        if test.is_ is not None:
            return value == test.is_
        if test.has_all is not None or test.has_any is not None:
            padded = ibis.literal(";") + value + ibis.literal(";")
            inside = [padded.contains(f";{code};") for code in (test.has_all or test.has_any)]
            join = (lambda a, b: a & b) if test.has_all is not None else (lambda a, b: a | b)
            return reduce(join, inside)
        if test.reached is not None:
            come = value <= ibis.date(self.moment.as_of.isoformat())
            return come if test.reached else ~come
        scale = self.rulebook.record_fields[test.field].denominator
        if test.over is not None:
            whole, unit = records[field_column(test.over)].cast("int64"), self.rulebook.record_fields[test.over].denominator
            ratio = Value(value.cast("int64") * unit, whole * scale)
            return (whole > 0) & self.wide.bounded(ratio, test)
        return self.wide.bounded(Value(value.cast("int64"), scale), test)

    def _distinct_fields(self) -> list[str]:
        """What special measures tell records apart by, or read the latest value of: fields, and perhaps the kind."""
        specials = self.table.specials.values()
        keys = {name for measure in specials for name in getattr(measure, "distinct", ())} - {"day", "month", "year"}
        fields = (keys - {"kind"}) | {measure.field for measure in specials if isinstance(measure, Latest)}
        return ["kind"] * ("kind" in keys) + sorted(fields)

    def plain_long(self, matched: Table, *, evidence: bool) -> Table:
        """One row per (subject, measure) of the plain measures."""
        columns = {"n": matched.count().cast("int64")}
        columns["total"] = whole(matched.value.sum()) if self.table.uses_total else ibis.null("int64")
        columns["top"] = matched.value.max() if self.table.uses_top else ibis.null("int64")
        columns["newest"] = matched.day.max() if self.table.uses_newest else ibis.null("date")
        if evidence:
            columns["record_nos"] = matched.record_no.collect()
        return self._in_order(matched.group_by(["subject_no", "measure_no"]).aggregate(**columns))

    @staticmethod
    def _in_order(table: Table) -> Table:
        """The same with the record numbers of each row in order."""
        return table.mutate(record_nos=table.record_nos.sort()) if "record_nos" in table.columns else table

    def special_long(self, matched: Table, number: int, *, evidence: bool) -> Table:
        """The same columns for one special measure: distinct count or points, latest value, or appended term."""
        rows = matched.filter(matched.measure_no == number)
        measure = self.table.specials[number]
        match measure:
            case Count():
                values = self._distinct_count(rows, measure)
            case PerRecord():
                values = self._distinct_points(rows, measure)
            case Latest():
                values = self._latest(rows, measure)
            case AppendedTerm():
                values = self._term(rows, measure)
        everything = rows.group_by("subject_no").aggregate(
            n=rows.count().cast("int64"), **({"record_nos": rows.record_no.collect()} if evidence else {})
        )
        everything = self._in_order(everything)
        joined = everything.left_join(values, "subject_no")
        return joined.select(
            subject_no=joined.subject_no,
            measure_no=ibis.literal(number, "int32"),
            n=joined.n,
            total=joined.total,
            top=ibis.null("int64"),
            newest=ibis.null("date"),
            **({"record_nos": joined.record_nos} if evidence else {}),
        )

    def _distinct_count(self, rows: Table, measure: Count) -> Table:
        unique = rows.select(**self._keys(rows, measure)).distinct()
        return unique.group_by("subject_no").aggregate(total=unique.count().cast("int64"))

    def _distinct_points(self, rows: Table, points: PerRecord) -> Table:
        """The points of one record of each combination, added up."""
        keys = self._keys(rows, points)
        keyed = rows.select(**keys, value=rows.value)
        alike = keyed.group_by(list(keys)).aggregate(least=keyed.value.min(), most=keyed.value.max())
        given = ibis.ifelse(alike.least < 0, alike.least, alike.most)
        return alike.group_by("subject_no").aggregate(total=whole(given.sum()))

    @staticmethod
    def _keys(rows: Table, measure: Count | PerRecord) -> dict[str, Expr]:
        """The columns that identify a record: its subject and its distinguishing fields."""
        keys = {"subject_no": rows.subject_no}
        for name in measure.distinct:
            match name:
                case "day":
                    keys["key_day"] = rows.day
                case "month":
                    keys["key_month"] = rows.day.year().cast("int64") * 100 + rows.day.month()
                case "year":
                    keys["key_year"] = rows.day.year()
                case _:
                    keys[f"key_{name}"] = rows[_planned(name)]
        return keys

    @staticmethod
    def _latest(rows: Table, measure: Latest) -> Table:
        valued = rows.select(subject_no=rows.subject_no, day=rows.day, value=rows[field_column(measure.field)].cast("int64"))
        valued = valued.filter(valued.value.notnull())
        newest = valued.group_by("subject_no").aggregate(newest_day=valued.day.max())
        joined = valued.join(newest, ["subject_no"]).filter(lambda t: t.day == t.newest_day)
        return joined.group_by("subject_no").aggregate(total=joined.value.max())

    def _term(self, rows: Table, measure: AppendedTerm) -> Table:
        window = ibis.window(group_by=rows.subject_no, order_by=rows.day)
        ranked = rows.select(
            subject_no=rows.subject_no,
            day=rows.day,
            before=ibis.rank().over(window),
            n=rows.count().over(ibis.window(group_by=rows.subject_no)),
        )
        term, longest = int(measure.months), int(measure.max_months)  # type: ignore[arg-type]
        most = max(-(-longest // term), 1)
        appended = ranked.n - ranked.before
        starts = [shift_months(self.moment.as_of, -min(count * term, longest)) for count in range(1, most + 1)]
        steps = [(appended == count, ibis.date(start.isoformat())) for count, start in enumerate(starts[:-1], 1)]
        last = ibis.date(starts[-1].isoformat())
        limit = ibis.cases(*steps, else_=last) if steps else last
        running = ranked.mutate(runs=ibis.ifelse(ranked.day > limit, int64(1), int64(0)))
        return running.group_by("subject_no").aggregate(total=running.runs.max())


def _planned(name: str) -> str:
    """A field's column inside a plan; the kind keeps its name."""
    return name if name == "kind" else field_column(name)
