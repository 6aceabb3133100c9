"""A plan over whole columns: the default engine. Polars evaluates the expressions, through Ibis as everywhere; DuckDB does
what needs windows and few rows; three kernels use what a general database cannot know.

What they know: records lie in order of subject, so counting them is sorting numbers that are nearly sorted (:func:`counted`);
subjects are numbered 0, 1, 2, …, so a table beside them is put in its places instead of joined (:func:`beside`), and points are
added up at theirs instead of grouped (:func:`totals`). ADR 18 has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path
from threading import Lock
from typing import Any

import ibis
import numpy as np
import polars as pl
import pyarrow as pa

from zhixin.dataset.tables import (
    PREVIOUS,
    RELATIONS,
    TableLike,
    Tables,
    check_numbers,
    count_rows,
    narrowed,
    records_schema,
    scanned,
)
from zhixin.evaluation.engines.databases import DuckDB
from zhixin.evaluation.engines.overflow import Stage, Widths
from zhixin.evaluation.plan.plan import Plan
from zhixin.evaluation.plan.slots import Slot
from zhixin.evaluation.plan.sql import Hashed, Query, plan_of, query_of
from zhixin.law.expressions import AppendedTerm
from zhixin.law.moment import Moment
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Combine

Table = Any
Frame = pl.LazyFrame | pl.DataFrame
_translating = Lock()
"""Ibis reads the frames of a connection while it translates, and scripts of one plan share theirs."""


@dataclass
class ColumnPlan:
    """A plan made ready: Ibis expressions over the frames of a Polars connection, and SQL where windows are needed."""

    plan: Plan
    evidence: bool
    connection: Any
    sources: dict[str, pa.Schema]
    """The columns that are read of ``subjects``, of ``records`` of the simple kinds, and of ``other_records``."""
    simple: Table | None
    """Records of the simple kinds that may count."""
    plain: Table | None
    """The long table of their plain measures, over ``other_records``."""
    matched: Table | None
    """What their special measures match, over ``other_records``."""
    special: list[Table | Query]
    """The long table of each special measure, over ``special_matched``."""
    known: Table
    parts: list[Table]
    """What is put beside the subjects: measures from ``long``, and those over related subjects."""
    earlier: Query | None
    """Earlier results beside the subjects."""
    classed: Table
    rows: list[Table]
    results: list[tuple[str, Table]]
    """The stages from the totals to the grades: the frame that each makes for the next."""
    widths: Widths
    """Whether all of this fits 64 bits."""

    @property
    def inputs(self) -> dict[str, set[str]]:
        """The columns that are read of subjects and records."""
        records = (set(self.sources[name].names) for name in ("records", "other_records") if name in self.sources)
        return {"subjects": set(self.sources["subjects"].names), "records": {"subject_no", "kind"}.union(*records)}

    def frame(self, expression: Table, **frames: Frame) -> pl.LazyFrame:
        """An expression over some frames, not yet computed."""
        return self.frames([expression], **frames)[0]

    def frames(self, expressions: list[Table], **frames: Frame | None) -> list[pl.LazyFrame]:
        """Several expressions over the same frames; ``None`` where the plan reads no such frame."""
        given = {name: frame for name, frame in frames.items() if frame is not None}
        with _translating:
            declared = {name: self.connection.table(name).schema() for name in given}
            for name, frame in given.items():
                self.connection.create_table(name, frame, overwrite=True)
            found = [self.connection.compile(expression) for expression in expressions]
            for name, schema in declared.items():  # the plan is kept, the frames must not be
                self.connection.create_table(name, schema=schema, overwrite=True)
            return found


class _Preparing:
    """Makes a :class:`ColumnPlan`."""

    def __init__(self, plan: Plan, evidence: bool) -> None:
        self.plan, self.evidence = plan, evidence
        self.connection = ibis.polars.connect()
        self.sources: dict[str, pa.Schema] = {}
        self.pieces: dict[str, pl.DataFrame] = {}
        self.stages: list[Stage] = []

    def declare(self, name: str, schema: Any) -> Table:
        """A frame to come, of a known schema."""
        self.connection.create_table(name, schema=schema, overwrite=True)
        return self.connection.table(name)

    def source(self, name: str, schema: pa.Schema) -> Table:
        """A frame that is read from the dataset."""
        self.sources[name] = schema
        return self.declare(name, ibis.Schema.from_pyarrow(schema))

    def records(self, name: str, columns: set[str]) -> Table:
        """Records with some columns, under the plan's names."""
        return self.plan.records(self.source(name, narrowed(records_schema(self.plan.rulebook), columns)))

    def piece(self, table: pa.Table) -> Table:
        """A small table as a frame."""
        name = f"piece_{len(self.pieces)}"
        self.pieces[name] = pl.DataFrame(pl.from_arrow(table))
        return self.connection.create_table(name, self.pieces[name])

    def prepared(self) -> ColumnPlan:
        plan, stages = self.plan, self.stages
        people = plan.subjects(self.source("subjects", plan.subject_columns))
        relations = self.declare("relations", ibis.Schema.from_pyarrow(RELATIONS))
        simple, shapes = self.simple()
        plain, matched, special, more = self.others()
        shapes += more
        long = self.declare("long", shapes[0]) if shapes else None
        known, parts = plan.known(people), plan.measured(people, long, relations)
        earlier = plan.wide.previous(ibis.table(ibis.Schema.from_pyarrow(PREVIOUS), name="previous"))
        columns = dict(known.schema().items())
        for part in (*parts, *([] if earlier is None else [earlier])):
            columns |= dict(part.schema().items())
        classed = plan.classed(self.declare("joined", ibis.schema(columns)))
        rows = plan.row_parts(people, self.declare("base", classed.schema()), long, self.piece, evidence=self.evidence)
        results = self.results(classed.schema(), rows[0].schema())
        beside = [part for part in (known, *parts, earlier) if part is not None]
        stages += [*(Stage("joined", part, is_beside=True) for part in beside), Stage("base", classed)]
        stages += [Stage("rows", part) for part in rows]
        return ColumnPlan(
            plan,
            self.evidence,
            self.connection,
            self.sources,
            simple,
            plain,
            matched,
            special,
            known,
            parts,
            None if earlier is None else query_of(earlier, "duckdb"),
            classed,
            rows,
            results,
            Widths(plan, self.pieces, stages, [Stage(*result) for result in results]),
        )

    def simple(self) -> tuple[Table | None, list[Any]]:
        """Records of the simple kinds that may count, and the schema of their long table."""
        matching = self.plan.matching
        if not matching.simple_slots:
            return None, []
        records = self.records("records", matching.simple_columns(evidence=self.evidence))
        long = matching.simple_long(records, ibis.memtable, evidence=self.evidence)
        return matching.simple_records(records, evidence=self.evidence), [long.schema()]

    def others(self) -> tuple[Table | None, Table | None, list[Table | Query], list[Any]]:
        """The long table of plain measures of the other kinds, what their special ones match, each of these, and schemas.

        An appended term ranks records, and so is SQL.
        """
        matching = self.plan.matching
        if not matching.other_kinds():
            return None, None, [], []
        others = self.records("other_records", matching.other_columns(evidence=self.evidence))
        met = matching.matched(others, self.piece, special=False)
        plain = None if met is None else matching.plain_long(met, evidence=self.evidence)
        shapes = [] if plain is None else [plain.schema()]
        self.stages += [] if plain is None else [Stage("long", plain)]
        matched = matching.matched(others, self.piece, special=True)
        special: list[Table | Query] = []
        if matched is not None:
            declared = self.declare("special_matched", matched.schema())
            named = ibis.table(matched.schema(), name="special_matched")
            self.stages.append(Stage("special_matched", matched))
            for number, measure in sorted(self.plan.table.specials.items()):
                is_term = isinstance(measure, AppendedTerm)
                made = matching.special_long(named if is_term else declared, number, evidence=self.evidence)
                special.append(query_of(made, "duckdb") if is_term else made)
                shapes.append(made.schema())
                self.stages.append(Stage("long", made))
        return plain, matched, special, shapes

    def results(self, base: Any, rows: Any) -> list[tuple[str, Table]]:
        """From the totals to the grades; where inlining would repeat long expressions, each stage by itself."""
        scoring = self.plan.scoring
        totals = dict(scoring.totals(self.declare("rows", rows)).schema().items())
        table = self.declare("totalled", ibis.schema(dict(base.items()) | totals))
        found = []
        for name, stage in (("dimensioned", scoring.dimensioned), ("scored", scoring.scored), ("graded", scoring.graded)):
            table = stage(table)
            if scoring.deciding.is_intricate or name == "graded":
                found.append((name, table))
                table = self.declare(name, table.schema())
        return found


def columns_for(rulebook: Rulebook, moment: Moment, *, evidence: bool = True) -> ColumnPlan:
    """The prepared plan of a rulebook at a moment, made once per (hash, moment, evidence)."""
    return _columns_of(Hashed.of(rulebook), moment, evidence)


@lru_cache(maxsize=64)
def _columns_of(key: Hashed, moment: Moment, evidence: bool) -> ColumnPlan:
    return _Preparing(plan_of(key, moment), evidence).prepared()


class TooWide(Exception):
    """Polars might wrap an integer silently: a database, which refuses, has to compute."""


class Columns:
    """The embedded engine for whole cities. ``threads`` and ``memory`` are those of the DuckDB beside it."""

    name = "polars"

    def __init__(self, threads: int | None = None, memory: str | None = None, folder: Path | None = None) -> None:
        self.version = pl.__version__
        self.database = DuckDB(threads, memory, folder)

    def close(self) -> None:
        self.database.close()

    def results(self, ready: ColumnPlan, tables: Tables) -> tuple[pa.Array, pl.DataFrame, pl.DataFrame]:
        """The ids of the subjects, their grades (see :class:`zhixin.evaluation.plan.sql.Script`), and the contributions with their
        adjustments, all in order.

        Args:
            tables: relations and previous may be empty, not absent.

        Raises:
            DatasetError: see :func:`zhixin.dataset.tables.check_numbers`.
            TooWide: some sum or product might not fit 64 bits; nothing was computed.
        """
        self.database.begin()
        inputs = _read(ready, tables)
        if not ready.widths.fit(inputs, count_rows(tables.records)):
            raise TooWide
        ids = inputs["subjects"]["subject_id"].to_arrow().cast(pa.string())
        base, parts = self._rows(ready, tables.records, inputs)
        table = base.with_columns(totals(ready.plan, parts, len(base)))
        del inputs, base  # what is given back in time is used again: fresh memory costs a fifth of a run
        previous = "totalled"
        for name, expression in ready.results:
            table = ready.frame(expression, **{previous: table}).collect(engine="streaming")
            previous = name
        shown = {name: kind for name, kind in parts[0].schema.items() if name not in ("dimension_no", "default")}
        parts = [*(part.select(list(shown)) for part in parts), adjustments(ready.plan, table, shown)]
        rows = pl.concat(parts, rechunk=True)  # picking rows from many pieces takes four times as long
        del parts
        width = len(ready.plan.indicators) + len(ready.plan.scoring.adjustment_names)
        kind = number_type(len(ids) * width)
        key = pl.col("subject_no").cast(kind) * width + pl.col("indicator_no").cast(kind)
        return ids, table, rows[rows.select(key).to_series().arg_sort()]  # half the work of a sort that carries the columns

    def _rows(
        self, ready: ColumnPlan, records: TableLike, inputs: dict[str, pl.DataFrame]
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """What stands beside the subjects, and the contributions in parts."""
        people = inputs["subjects"]
        long = self._long(ready, records, inputs.get("other_records"), len(people))
        base = self._base(ready, inputs, long)
        return base, pl.collect_all(ready.frames(ready.rows, subjects=people, base=base, long=long), engine="streaming")

    def _long(
        self, ready: ColumnPlan, records: TableLike, others: pl.DataFrame | None, subjects: int
    ) -> pl.DataFrame | None:
        parts = [] if ready.simple is None else counted(ready, records, subjects)
        if others is not None:
            if ready.plain is not None:
                parts.append(ready.frame(ready.plain, other_records=others).collect(engine="streaming"))
            if ready.matched is not None:
                matched = ready.frame(ready.matched, other_records=others).collect(engine="streaming")
                parts += [self._special(ready, measure, matched) for measure in ready.special]
        return pl.concat(parts, how="vertical_relaxed") if parts else None

    def _special(self, ready: ColumnPlan, measure: Table | Query, matched: pl.DataFrame) -> pl.DataFrame:
        if not isinstance(measure, Query):
            return ready.frame(measure, special_matched=matched).collect()
        return self._queried(measure, "special_matched", matched)

    def _queried(self, query: Query, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """What DuckDB answers to a query over one table."""
        self.database.put(name, frame.to_arrow())
        table = self.database.connection.execute(query.sql).to_arrow_table()
        return pl.DataFrame(pl.from_arrow(table.cast(query.schema)))

    def _base(self, ready: ColumnPlan, inputs: dict[str, pl.DataFrame], long: pl.DataFrame | None) -> pl.DataFrame:
        given = {name: inputs[name] for name in ("subjects", "relations")}
        known, *parts = pl.collect_all(ready.frames([ready.known, *ready.parts], **given, long=long), engine="streaming")
        if ready.earlier is not None:
            parts.append(self._queried(ready.earlier, "previous", inputs["previous"]))
        for part in parts:
            known = beside(known, part)
        return ready.frame(ready.classed, joined=known).collect(engine="streaming")


def _subjects(ready: ColumnPlan, tables: Tables) -> pl.DataFrame:
    people = scanned(tables.subjects, ready.sources["subjects"]).collect()
    return people if people["subject_no"].is_sorted() else people.sort("subject_no")


def _read(ready: ColumnPlan, tables: Tables) -> dict[str, pl.DataFrame]:
    """All inputs but the records of the simple kinds, which are scanned when they are counted."""
    assert tables.relations is not None
    assert tables.previous is not None
    people = _subjects(ready, tables)
    check_numbers(people["subject_no"].to_numpy(), tables.records)
    inputs = {
        "subjects": people,
        "relations": scanned(tables.relations, RELATIONS).collect(),
        "previous": scanned(tables.previous, PREVIOUS).collect(),
    }
    if "other_records" in ready.sources:
        kinds = ready.plan.matching.other_kinds()
        others = scanned(tables.records, ready.sources["other_records"], kinds)
        inputs["other_records"] = others.collect(engine="streaming")
    return inputs


def counted(ready: ColumnPlan, records: TableLike, subjects: int) -> list[pl.DataFrame]:
    """The long table of the simple kinds: every record that counts becomes a number, subject and measure in one, and equal
    numbers are counted. In order of subject they are nearly sorted, and sorting them is cheaper than hashing.
    """
    table = ready.plan.table
    width = max(table.numbers.values()) + 1
    rows = ready.frame(ready.simple, records=scanned(records, ready.sources["records"]))
    kind, slots = number_type(subjects * width), ready.plan.matching.simple_slots
    dated = sorted(table.uses_newest & {slot.measure_no for slot in slots})
    found = pl.concat([_numbered(rows, layer, dated, width, kind) for layer in _layers(slots)])
    frame = found.collect(engine="streaming")
    parts = []
    if dated:
        is_dated = pl.col("is_dated")
        groups = frame.lazy().filter(is_dated).group_by("key")
        nos = {"record_nos": pl.col("record_no").sort()} if ready.evidence else {}
        parts.append(groups.agg(n=pl.len(), newest=pl.col("day").max(), **nos).collect(engine="streaming"))
        frame = frame.lazy().filter(~is_dated).drop("day", "is_dated").collect(engine="streaming")
    parts.append(_runs(frame, ready.evidence))
    return [_as_long(part, ready, width) for part in parts]


def _layers(slots: list[Slot]) -> list[list[Slot]]:
    """Slots in layers: inside one, no kind and no measure occurs twice."""
    layers: list[list[Slot]] = []
    for slot in slots:
        free = (
            layer
            for layer in layers
            if all(slot.kind != other.kind and slot.measure_no != other.measure_no for other in layer)
        )
        layer = next(free, None)
        if layer is None:
            layers.append(layer := [])
        layer.append(slot)
    return layers


def _numbered(rows: pl.LazyFrame, slots: list[Slot], dated: list[int], width: int, kind: type[pl.DataType]) -> pl.LazyFrame:
    """The number of each record that counts for one of the slots, and its day where a measure asks for the newest one.

    A kind becomes its measure by a cast to an Enum.
    """
    kinds = {slot.measure_no: slot.kind for slot in slots}
    places = pl.Enum([kinds.get(number, f"#{number}") for number in range(width)])
    windows: dict[Any, list[int]] = {}
    for slot in slots:
        windows.setdefault(slot.first, []).append(slot.measure_no)
    place, tests = pl.col("place"), []
    for first, numbers in windows.items():
        tests.append(place.is_in(numbers) & (pl.col("day") >= first))
    key = pl.col("subject_no").cast(kind) * width + place.cast(kind)
    return (
        rows.with_columns(place=pl.col("kind").cast(places, strict=False).to_physical())
        .filter(reduce(or_, tests))
        .select(
            *(["record_no"] if "record_no" in rows.collect_schema() else []),
            key=key,
            **({"day": pl.col("day"), "is_dated": place.is_in(dated)} if dated else {}),
        )
    )


def _runs(frame: pl.DataFrame, evidence: bool) -> pl.DataFrame:
    """How often each number occurs, and which records it stands for."""
    if evidence:
        frame = frame.select("key", "record_no").sort("key", "record_no")
    runs = (frame["key"] if evidence else frame["key"].sort()).rle()
    counts = pl.DataFrame({"key": runs.struct["value"], "n": runs.struct["len"]})
    if not evidence:
        return counts
    ends = np.concatenate([[0], counts["n"].to_numpy().cumsum(dtype=np.int64)])
    lists = pa.LargeListArray.from_arrays(pa.array(ends), frame["record_no"].to_arrow())
    return counts.with_columns(pl.Series("record_nos", pl.from_arrow(lists), dtype=pl.List(pl.Int64)))


LONG = ["subject_no", "measure_no", "n", "total", "top", "newest"]
"""The long table, as every stage that makes a part of it has it; with evidence ``record_nos`` follows."""


def _as_long(part: pl.DataFrame, ready: ColumnPlan, width: int) -> pl.DataFrame:
    columns = {
        "subject_no": (pl.col("key") // width).cast(pl.Int32),
        "measure_no": (pl.col("key") % width).cast(pl.Int32),
        "n": pl.col("n").cast(pl.Int64),
        "total": pl.lit(None, pl.Int64),
        "top": pl.lit(None, pl.Int64),
        "newest": pl.col("newest") if "newest" in part.columns else pl.lit(None, pl.Date),
    }
    if ready.evidence:
        columns["record_nos"] = pl.col("record_nos")
    return part.select(**{name: columns[name] for name in LONG + ["record_nos"] * ready.evidence})


def beside(people: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """The columns of a part at the places of its subjects, NULL for the others."""
    if part.is_empty():
        blank = {name: pl.lit(None, kind) for name, kind in part.schema.items() if name != "subject_no"}
        return people.with_columns(**blank)
    places = part["subject_no"]
    is_known = (places >= 0) & (places < len(people))
    if not is_known.all():  # relations may name subjects that the dataset does not hold
        part, places = part.filter(is_known), places.filter(is_known)
    columns, rows = [], None
    for name, kind in part.schema.items():
        if kind == pl.String:  # texts cannot be scattered
            if rows is None:
                rows = pl.repeat(None, len(people), dtype=pl.UInt32, eager=True)
                rows = rows.scatter(places, pl.int_range(len(part), dtype=pl.UInt32, eager=True))
            columns.append(part[name].gather(rows))
        elif name != "subject_no":
            empty = pl.repeat(None, len(people), dtype=kind, eager=True)
            columns.append(empty.scatter(places, part[name]).alias(name))
    return people.with_columns(columns)


def totals(plan: Plan, parts: Sequence[pl.DataFrame], subjects: int) -> list[pl.Series]:
    """The columns that the stage of the dimensions reads (see ``Scoring.totals``), added up at their places."""
    scoring, dimensions = plan.scoring, plan.rulebook.dimensions
    sums, replaced = np.zeros(subjects * len(dimensions), np.int64), np.zeros(subjects, np.int64)
    for part in parts:
        subject, points = part["subject_no"].to_numpy(), part["points"].to_numpy()
        if scoring.has_defaults:
            default = part["default"].to_numpy()
            np.add.at(replaced, subject, default)
            points = points - default
        np.add.at(sums, part["dimension_no"].to_numpy() * np.int64(subjects) + subject, points)
    columns = [
        pl.Series(f"t{number}", sums[number * subjects : (number + 1) * subjects])
        for number, rule in enumerate(dimensions)
        if rule.combine is Combine.SUM
    ]
    return [*columns, pl.Series("replaced", replaced)] if scoring.has_defaults else columns


def adjustments(plan: Plan, graded: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The rows that make contributions add up (limits, floors, rounding), numbered on after the indicators.

    ``schema``: columns and types of the contributions; those that an adjustment does not have are NULL.
    """
    first, parts = len(plan.indicators), [pl.LazyFrame(schema=schema)]
    for number, _ in enumerate(plan.scoring.adjustment_names):
        given = {
            "subject_no": pl.col("subject_no"),
            "indicator_no": pl.lit(first + number),
            "points": pl.col(f"a{number}"),
        }
        moved = graded.lazy().filter(pl.col(f"a{number}") != 0)
        parts.append(moved.select(**{name: given.get(name, pl.lit(None)).cast(kind) for name, kind in schema.items()}))
    return pl.concat(parts).collect()


def number_type(count: int) -> type[pl.DataType]:
    """The narrowest type for so many numbers: half the width sorts in half the time."""
    return pl.UInt32 if count < 2**32 else pl.UInt64
