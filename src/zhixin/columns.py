"""A plan over whole columns: the default engine. Polars evaluates the expressions, through Ibis as everywhere; DuckDB does
what needs windows and few rows; three kernels use what a general database cannot know.

What they know: records lie in order of subject, so counting them is sorting numbers that are nearly sorted (:func:`counted`);
subjects are numbered 0, 1, 2, …, so a table beside them is put in its places instead of joined (:func:`beside`), and points are
added up at theirs instead of grouped (:func:`totals`). ADR 18 has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
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

from zhixin.compiler import Plan, compile_rulebook
from zhixin.engines import DuckDB
from zhixin.expressions import AppendedTerm
from zhixin.horizon import Horizon
from zhixin.rulebook import Rulebook
from zhixin.scripts import Hashed, Stage
from zhixin.slots import Slot
from zhixin.tables import PREVIOUS, RELATIONS, TableLike, Tables, records_schema, subjects_schema
from zhixin.vocabulary import Combine

Table = Any
Frames = dict[str, pl.LazyFrame | pl.DataFrame]
_translating = Lock()
"""Ibis reads the frames of a connection while it translates, and scripts of one plan share theirs."""


@dataclass
class ColumnPlan:
    """A plan made ready: Ibis expressions over the frames of a Polars connection, and SQL where windows are needed."""

    plan: Plan
    evidence: bool
    connection: Any
    simple: Table | None
    """Records of the simple kinds that may count."""
    kinds: tuple[str, ...]
    """The other kinds."""
    plain: Table | None
    """The long table of their plain measures, over ``other_records``."""
    matched: Table | None
    """What their special measures match, over ``other_records``."""
    special: list[Table | Stage]
    """The long table of each special measure, over ``special_matched``."""
    known: Table
    parts: list[Table]
    """What is put beside the subjects: measures from ``long``, and those over related subjects."""
    earlier: Stage | None
    """Earlier results beside the subjects."""
    classed: Table
    rows: list[Table]
    results: list[tuple[str, Table]]
    """The stages from the totals to the grades: the frame that each makes for the next."""

    @property
    def inputs(self) -> dict[str, set[str]]:
        """The columns that are read of subjects and records."""
        records = {"subject_no", "kind"}
        for name, is_used in (("records", self.simple is not None), ("other_records", bool(self.kinds))):
            records |= set(self.schema(name)) if is_used else set()
        return {"subjects": set(self.schema("subjects")), "records": records}

    def schema(self, name: str) -> pl.Schema:
        """The columns of an input, as Polars has them."""
        return pl.Schema(self.connection.table(name).schema().to_polars())

    def frame(self, expression: Table, **tables: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
        """An expression over some frames, not yet computed."""
        return self.frames([expression], **tables)[0]

    def frames(self, expressions: list[Table], **tables: pl.LazyFrame | pl.DataFrame) -> list[pl.LazyFrame]:
        """Several expressions over the same frames."""
        with _translating:
            declared = {name: self.connection.table(name).schema() for name in tables}
            for name, table in tables.items():
                self.connection.create_table(name, table, overwrite=True)
            found = [self.connection.compile(expression) for expression in expressions]
            for name, schema in declared.items():  # the plan is kept, the frames must not be
                self.connection.create_table(name, schema=schema, overwrite=True)
            return found


class _Preparing:
    """Makes a :class:`ColumnPlan`."""

    def __init__(self, plan: Plan, evidence: bool) -> None:
        self.plan, self.evidence = plan, evidence
        self.connection = ibis.polars.connect()
        self.pieces = 0

    def declare(self, name: str, schema: Any) -> Table:
        """A frame to come, of a known schema."""
        self.connection.create_table(name, schema=schema, overwrite=True)
        return self.connection.table(name)

    def piece(self, table: pa.Table) -> Table:
        """A small table as a frame."""
        self.pieces += 1
        return self.connection.create_table(f"piece_{self.pieces}", pl.DataFrame(pl.from_arrow(table)))

    def prepared(self) -> ColumnPlan:
        plan, matching, scoring = self.plan, self.plan.matching, self.plan.scoring
        people = plan.subjects(self.declare("subjects", ibis.Schema.from_pyarrow(subjects_schema(plan.rulebook))))
        relations = self.declare("relations", ibis.Schema.from_pyarrow(RELATIONS))
        simple = plain = matched = schema = None
        special: list[Table | Stage] = []
        if plan.table.simple_kinds():
            records = plan.records(self.narrow("records", matching.simple_columns(evidence=self.evidence)))
            simple = matching.simple_records(records, evidence=self.evidence)
            schema = matching.simple_long(records, ibis.memtable, evidence=self.evidence).schema()
        kinds = matching.other_kinds()
        if kinds:
            others = plan.records(self.narrow("other_records", matching.other_columns(evidence=self.evidence)))
            met = matching.matched(others, self.piece, special=False)
            if met is not None:
                plain = matching.plain_long(met, evidence=self.evidence)
                schema = plain.schema()
            matched = matching.matched(others, self.piece, special=True)
            if matched is not None:
                declared = self.declare("special_matched", matched.schema())
                special = self.special(declared)
                schema = matching.special_long(declared, min(plan.table.specials), evidence=self.evidence).schema()
        long = None if schema is None else self.declare("long", schema)
        known, parts = plan.known(people), plan.measured(people, long, relations)
        self.declare("previous", ibis.Schema.from_pyarrow(PREVIOUS))
        earlier = plan.wide.previous(ibis.table(ibis.Schema.from_pyarrow(PREVIOUS), name="previous"))
        columns = dict(known.schema().items())
        for part in (*parts, *([] if earlier is None else [earlier])):
            columns |= dict(part.schema().items())
        classed = plan.classed(self.declare("joined", ibis.schema(columns)))
        rows = plan.row_parts(people, self.declare("base", classed.schema()), long, self.piece, evidence=self.evidence)
        totals = dict(scoring.totals(self.declare("rows", rows[0].schema())).schema().items())
        table = self.declare("totalled", ibis.schema(dict(classed.schema().items()) | totals))
        results = []
        stages = [("dimensioned", scoring.dimensioned), ("scored", scoring.scored), ("graded", scoring.graded)]
        for name, stage in stages:
            table = stage(table)
            if scoring.deciding.is_intricate or name == "graded":
                results.append((name, table))
                table = self.declare(name, table.schema())
        return ColumnPlan(
            plan,
            self.evidence,
            self.connection,
            simple,
            kinds,
            plain,
            matched,
            special,
            known,
            parts,
            None if earlier is None else self.stage(earlier),
            classed,
            rows,
            results,
        )

    def special(self, matched: Table) -> list[Table | Stage]:
        """The special measures; an appended term ranks records, and so is SQL."""
        named = ibis.table(matched.schema(), name="special_matched")
        found: list[Table | Stage] = []
        for number, measure in sorted(self.plan.table.specials.items()):
            is_term = isinstance(measure, AppendedTerm)
            made = self.plan.matching.special_long(named if is_term else matched, number, evidence=self.evidence)
            found.append(self.stage(made) if is_term else made)
        return found

    def narrow(self, name: str, columns: set[str]) -> Table:
        """A frame of records with some columns."""
        schema = records_schema(self.plan.rulebook)
        return self.declare(name, ibis.Schema.from_pyarrow(pa.schema([field for field in schema if field.name in columns])))

    def stage(self, expression: Table) -> Stage:
        return Stage("", str(ibis.to_sql(expression, dialect="duckdb", pretty=False)), expression.schema().to_pyarrow())


def columns_for(rulebook: Rulebook, horizon: Horizon, *, evidence: bool = True) -> ColumnPlan:
    """The prepared plan of a rulebook at a moment, made once per (hash, moment, evidence)."""
    return _columns_of(Hashed(rulebook.sha256, rulebook), horizon, evidence)


@lru_cache(maxsize=64)
def _columns_of(key: Hashed, horizon: Horizon, evidence: bool) -> ColumnPlan:
    return _Preparing(compile_rulebook(key.rulebook, horizon), evidence).prepared()


class Columns:
    """The embedded engine for whole cities. ``threads`` and ``memory`` are those of the DuckDB beside it."""

    name = "polars"

    def __init__(self, threads: int | None = None, memory: str | None = None, folder: Path | None = None) -> None:
        self.version = pl.__version__
        self.database = DuckDB(threads, memory, folder)

    def close(self) -> None:
        self.database.close()

    def results(self, ready: ColumnPlan, tables: Tables) -> tuple[pa.Array, pl.DataFrame, pl.DataFrame]:
        """The ids of the subjects, their grades (see :class:`zhixin.scripts.Script`), and the contributions with their
        adjustments, all in order.

        Args:
            tables: subjects numbered 0, 1, 2, …; relations and previous may be empty, not absent.
        """
        people = _subjects(ready, tables)
        long = self._long(ready, tables, len(people))
        base = self._base(ready, tables, people, long)
        given: Frames = {"subjects": people, "base": base}
        if long is not None:
            given["long"] = long
        parts = pl.collect_all(ready.frames(ready.rows, **given), engine="streaming")
        table = base.with_columns(totals(ready.plan, parts, len(base)))
        previous = "totalled"
        for name, expression in ready.results:
            table = ready.frame(expression, **{previous: table}).collect(engine="streaming")
            previous = name
        shown = [name for name in parts[0].columns if name not in ("dimension_no", "default")]
        rows = pl.concat([*(part.select(shown) for part in parts), *adjustments(ready.plan, table, parts[0].select(shown))])
        width = len(ready.plan.indicators) + len(ready.plan.scoring.adjustment_names)
        kind = number_type(len(base) * width)
        key = pl.col("subject_no").cast(kind) * width + pl.col("indicator_no").cast(kind)
        ids = people["subject_id"].to_arrow().cast(pa.string())
        return ids, table, rows[rows.select(key).to_series().arg_sort()]  # half the work of a sort that carries the columns

    def _long(self, ready: ColumnPlan, tables: Tables, subjects: int) -> pl.DataFrame | None:
        parts = [] if ready.simple is None else counted(ready, tables.records, subjects)
        if ready.kinds:
            records = _read(tables.records, ready.schema("other_records"))
            others = records.filter(pl.col("kind").is_in(ready.kinds)).collect(engine="streaming")
            if ready.plain is not None:
                parts.append(ready.frame(ready.plain, other_records=others).collect(engine="streaming"))
            if ready.matched is not None:
                matched = ready.frame(ready.matched, other_records=others).collect(engine="streaming")
                parts += [self._special(ready, measure, matched) for measure in ready.special]
        return pl.concat(parts, how="vertical_relaxed") if parts else None

    def _special(self, ready: ColumnPlan, measure: Table | Stage, matched: pl.DataFrame) -> pl.DataFrame:
        if not isinstance(measure, Stage):
            return ready.frame(measure, special_matched=matched).collect()
        return self._queried(measure, "special_matched", matched)

    def _queried(self, stage: Stage, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """What DuckDB answers to a query over one table."""
        self.database.put(name, frame.to_arrow())
        table = self.database.connection.execute(stage.sql).to_arrow_table()
        return pl.DataFrame(pl.from_arrow(table.cast(stage.schema)))

    def _base(self, ready: ColumnPlan, tables: Tables, people: pl.DataFrame, long: pl.DataFrame | None) -> pl.DataFrame:
        assert tables.relations is not None
        assert tables.previous is not None
        given: Frames = {"subjects": people, "relations": _read(tables.relations, ready.schema("relations"))}
        if long is not None:
            given["long"] = long
        known, *parts = pl.collect_all(ready.frames([ready.known, *ready.parts], **given), engine="streaming")
        if ready.earlier is not None:
            previous = _read(tables.previous, ready.schema("previous")).collect()
            parts.append(self._queried(ready.earlier, "previous", previous))
        for part in parts:
            known = beside(known, part)
        return ready.frame(ready.classed, joined=known).collect(engine="streaming")


def _subjects(ready: ColumnPlan, tables: Tables) -> pl.DataFrame:
    people = _read(tables.subjects, ready.schema("subjects")).collect()
    return people if people["subject_no"].is_sorted() else people.sort("subject_no")


def _read(source: TableLike, schema: pl.Schema) -> pl.LazyFrame:
    """A source with the columns and types of a schema; absent columns are NULL."""
    frame = pl.scan_parquet(source) if isinstance(source, Path) else pl.DataFrame(pl.from_arrow(source)).lazy()
    given = frame.collect_schema()
    columns = [pl.col(name) if name in given else pl.lit(None).alias(name) for name in schema]
    return frame.select([column.cast(kind) for column, kind in zip(columns, schema.values(), strict=True)])


def counted(ready: ColumnPlan, records: TableLike, subjects: int) -> list[pl.DataFrame]:
    """The long table of the simple kinds: every record that counts becomes a number, subject and measure in one, and equal
    numbers are counted. In order of subject they are nearly sorted, and sorting them is cheaper than hashing.
    """
    table = ready.plan.table
    width = max(table.numbers.values()) + 1
    source = _read(records, ready.schema("records"))
    assert ready.simple is not None
    rows = ready.frame(ready.simple, records=source)
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
    return part.select(**{name: columns[name] for name in ready.schema("long")})


def beside(people: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """The columns of a part at the places of its subjects, NULL for the others."""
    if part.is_empty():
        blank = {name: pl.lit(None, kind) for name, kind in part.schema.items() if name != "subject_no"}
        return people.with_columns(**blank)
    places = part["subject_no"]
    is_known = (places >= 0) & (places < len(people))
    if not is_known.all():  # relations may name subjects that the dataset does not hold
        part, places = part.filter(is_known), places.filter(is_known)
    rows = pl.repeat(None, len(people), dtype=pl.UInt32, eager=True)
    rows = rows.scatter(places, pl.int_range(len(part), dtype=pl.UInt32, eager=True))
    columns = []
    for name, kind in part.schema.items():
        if kind == pl.String:  # texts cannot be scattered
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


def adjustments(plan: Plan, graded: pl.DataFrame, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows that make contributions add up (limits, floors, rounding), like ``rows``; numbered on after the indicators."""
    first, parts = len(plan.indicators), []
    for number, _ in enumerate(plan.scoring.adjustment_names):
        given = {
            "subject_no": pl.col("subject_no"),
            "indicator_no": pl.lit(first + number),
            "points": pl.col(f"a{number}"),
        }
        moved = graded.lazy().filter(pl.col(f"a{number}") != 0)
        parts.append(moved.select(**{name: given.get(name, pl.lit(None)).cast(kind) for name, kind in rows.schema.items()}))
    return pl.collect_all(parts)


def number_type(count: int) -> type[pl.DataType]:
    """The narrowest type for so many numbers: half the width sorts in half the time."""
    return pl.UInt32 if count < 2**32 else pl.UInt64
