"""A run over the tables of a dataset: an engine computes, then results are decoded in order of subject.

Grades and contributions come as Arrow batches of a fixed size, so that the same inputs give the same bytes whatever the
threads, the database or the order of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from zhixin.dataset.tables import (
    CODED,
    PREVIOUS,
    RELATIONS,
    ROW_GROUP,
    TableLike,
    Tables,
    check_columns,
    check_numbers,
    read_table,
    repeats,
)
from zhixin.errors import EngineError, TooLarge
from zhixin.evaluation.engines.databases import Database, DuckDB, Engine, Spark
from zhixin.evaluation.engines.polars import Columns, TooWide, adjustments, columns_for
from zhixin.evaluation.plan.plan import Plan
from zhixin.evaluation.plan.sql import Script, script_for
from zhixin.law.moment import Moment
from zhixin.law.rulebook import Rulebook

GRADES = pa.schema(
    [
        ("subject_id", pa.string()),
        ("class", pa.string()),
        ("class_mask", pa.int64()),
        ("start_milli", pa.int64()),
        ("implied_milli", pa.int64()),
        ("score_milli", pa.int64()),
        ("ladder_grade", pa.string()),
        ("grade", pa.string()),
        ("step", pa.string()),
        ("acted", pa.string()),
    ]
)
CONTRIBUTIONS = pa.schema(
    [
        ("subject_id", pa.string()),
        ("indicator", pa.string()),
        ("value_num", pa.int64()),
        ("value_den", pa.int64()),
        ("points_milli", pa.int64()),
        ("uncapped_milli", pa.int64()),
        ("record_nos", pa.list_(pa.int64())),
    ]
)


@dataclass
class Outcome:
    """The result of a run: batches in order of subject. A database keeps the contributions until its next run."""

    plan: Plan
    engine: Engine
    """What computed it: where integers might not have fitted (ADR 19), the database beside the columns."""
    subject_ids: pa.Array
    graded: pa.Table
    _rows: Callable[[], Iterator[pa.RecordBatch]]
    chosen: pa.Array | None
    """The numbers of the subjects that were asked for; the rows of others, read for their sake, are left out."""

    def __post_init__(self) -> None:
        if self.chosen is not None:
            self.graded = self.graded.filter(pc.is_in(self.graded["subject_no"], self.chosen))

    def grades(self, *, coded: bool = False) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`GRADES`; names that repeat as codes of a dictionary, if ``coded``."""
        deciding, masks = self.plan.scoring.deciding, self.graded["class_mask"].unique().to_pylist()
        classes, acted = self._classes(masks), _Names.of(self.graded["acted_mask"].unique().to_pylist(), self._acted)
        grades, steps = _Names(deciding.grade_codes), _Names(deciding.step_names)
        for batch in self.graded.to_batches(ROW_GROUP):
            columns = [
                self._ids(batch["subject_no"]),
                classes.named(batch["class_mask"]),
                *(batch[name] for name in ("class_mask", "start_milli", "implied_milli", "score_milli")),
                grades.named(batch["ladder_code"]),
                grades.named(batch["grade_code"]),
                steps.named(batch["step_code"]),
                acted.named(batch["acted_mask"]),
            ]
            yield _batch(columns, GRADES, coded)

    def _ids(self, numbers: pa.Array) -> pa.Array:
        """The ids of subjects in order; of a whole city they lie there as they are."""
        if len(numbers) and numbers[-1].as_py() - numbers[0].as_py() + 1 == len(numbers):
            return self.subject_ids.slice(numbers[0].as_py(), len(numbers))
        return self.subject_ids.take(numbers)

    def _classes(self, masks: list[int]) -> _Names:
        classes = [item.id for item in self.plan.rulebook.classes]
        return _Names.of(masks, lambda mask: classes[(mask & -mask).bit_length() - 1] if mask else None)

    def _acted(self, mask: int) -> str:
        return "|".join(name for number, name in enumerate(self.plan.scoring.deciding.step_names) if mask >> number & 1)

    def contributions(self, *, coded: bool = False) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`CONTRIBUTIONS`, by subject and then in order of the rulebook; ``coded`` as for the grades."""
        names = _Names([item.id for item in self.plan.indicators] + self.plan.scoring.adjustment_names)
        for batch in self._rows():
            if self.chosen is not None:
                batch = batch.filter(pc.is_in(batch["subject_no"], self.chosen))
            columns = [
                self.subject_ids.take(batch["subject_no"]),
                names.named(batch["indicator_no"]),
                *(batch[name] for name in ("value_num", "value_den", "points", "uncapped")),
                batch["record_nos"] if "record_nos" in batch.schema.names else pa.nulls(len(batch), CONTRIBUTIONS.types[-1]),
            ]
            yield _batch(columns, CONTRIBUTIONS, coded)


def coded_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with every text but the subject's id as codes of a dictionary."""
    return pa.schema([(item.name, CODED if repeats(item) else item.type) for item in schema])


def _batch(columns: list[Any], schema: pa.Schema, coded: bool) -> pa.RecordBatch:
    wanted = coded_schema(schema) if coded else schema
    return pa.RecordBatch.from_arrays(
        [column if column.type == kind else column.cast(kind) for column, kind in zip(columns, wanted.types, strict=True)],
        schema=wanted,
    )


class _Names:
    """Names of small numbers, as codes of one dictionary."""

    def __init__(self, names: Sequence[str | None], numbers: Sequence[int] | None = None) -> None:
        known = list(dict.fromkeys(name for name in names if name is not None))
        self.names = pa.array(known, pa.string())
        self.codes = pa.array([None if name is None else known.index(name) for name in names], pa.int32())
        self.numbers = None if numbers is None else pa.array(numbers, pa.int64())

    @classmethod
    def of(cls, numbers: Sequence[int], name: Callable[[int], str | None]) -> _Names:
        """Names of numbers that may be large, such as bits."""
        return cls([name(number) for number in numbers], numbers)

    def named(self, numbers: Any) -> pa.DictionaryArray:
        places = numbers if self.numbers is None else pc.index_in(numbers, self.numbers)
        return pa.DictionaryArray.from_arrays(self.codes.take(places), self.names)


EngineName = Literal["polars", "duckdb", "spark"]


def open_engine(name: EngineName, **options: Any) -> Engine:
    """An engine by name. Options: ``threads``, ``memory``, ``folder`` (DuckDB, and the DuckDB of ``polars``); ``master`` (Spark)."""
    if name == "polars":
        return Columns(**options)
    if name == "duckdb":
        return DuckDB(**options)
    if name == "spark":
        return Spark(**options)
    raise EngineError(
        f"没有这个引擎：{name}（可用 polars、duckdb、spark）", f"no such engine: {name} (polars, duckdb or spark)"
    )


def run(
    rulebook: Rulebook,
    tables: Tables,
    moment: Moment,
    *,
    engine: Engine | None = None,
    evidence: bool = True,
    only: Iterable[int] | None = None,
) -> Outcome:
    """Evaluate every subject of a dataset.

    Args:
        rulebook: as loaded; resolved at ``moment.as_of``.
        tables: subjects, records, relations, previous (see :mod:`zhixin.dataset.tables`).
        moment: evaluation date and what was known.
        engine: an open engine; columns in memory by default.
        evidence: whether contributions carry the numbers of the records behind them.
        only: subject numbers to evaluate; ``None`` for everybody.

    Raises:
        DatasetError: the tables do not keep to the contract of their numbers.
        TooLarge: a sum or product does not fit 64 bits; the largest number that was read is named.
    """
    engine = engine or Columns()
    tables = tables._replace(
        relations=RELATIONS.empty_table() if tables.relations is None else tables.relations,
        previous=PREVIOUS.empty_table() if tables.previous is None else tables.previous,
    )
    if isinstance(engine, Columns):
        ready = columns_for(rulebook, moment, evidence=evidence)
        near, chosen = _within_reach(ready.inputs, tables, only)
        with suppress(TooWide):
            ids, frame, rows = engine.results(ready, near)
            found = rows.to_arrow()
            return Outcome(ready.plan, engine, ids, frame.to_arrow(), lambda: iter(found.to_batches(ROW_GROUP)), chosen)
        engine = engine.database
    database = cast(Database, engine)
    script = script_for(rulebook, moment, database.dialect, evidence=evidence)
    given, (tables, chosen) = tables, _within_reach(script.inputs, tables, only)
    try:
        graded = _scripted(script, database, tables)
    except TooLarge as error:
        raise _naming_the_largest(script, given) from error
    return Outcome(script.plan, engine, _subject_ids(tables), graded, lambda: database.batches(script.rows.sql), chosen)


def _naming_the_largest(script: Script, tables: Tables) -> TooLarge:
    """The refusal, with the largest number that the script read."""
    book = script.plan.rulebook
    subjects = read_table(tables.subjects, columns={"subject_no", "subject_id", *script.inputs["subjects"]})
    records = read_table(tables.records, columns={"record_id", "subject_no", *script.inputs["records"]})
    found = []
    for table, fields, key in ((subjects, book.attribute, "subject_id"), (records, book.record_fields, "record_id")):
        for name in (name for name in table.column_names if name in fields and table.schema.field(name).type == pa.int64()):
            sizes = pc.abs(table[name])
            if (most := pc.max(sizes).as_py()) is not None:
                row = table.slice(pc.index(sizes, most).as_py(), 1)
                found.append((most, name, row[key][0].as_py() if key in row.column_names else "", fields[name].denominator))
    most, name, owner, unit = max(found, default=(0, "", "", 1))
    shown = Decimal(most) / unit
    return TooLarge(
        f"数值过大：按规则相乘或累加后超出 64 位整数。读到的最大数值是 {owner} 的 {name} = {shown:,f}；请核对该数据的单位",
        "numbers are too large: multiplied and added up by the rules they do not fit 64 bits. The largest one that was read is "
        f"{name} = {shown:,f} of {owner}: check its unit",
    )


def _scripted(script: Script, database: Database, tables: Tables) -> pa.Table:
    """Run a script up to its grades; its contributions are there to be read."""
    database.begin()
    for name, source in script.sources.items():
        database.source(name, getattr(tables, source.table), source.schema, source.kinds)
    for name, table in script.smalls.items():
        database.put(name, table)
    for stage in script.stages:
        database.keep(stage.name, stage.query)
        database.forget(*stage.frees)
    graded = pa.Table.from_batches(database.batches(script.graded))
    shown = pl.DataFrame(pl.from_arrow(script.rows.schema.empty_table())).schema
    moved = adjustments(script.plan, pl.DataFrame(pl.from_arrow(graded)), shown)
    database.put("adjustments", moved.to_arrow().cast(script.rows.schema))
    return graded


def _subject_ids(tables: Tables) -> pa.Array:
    """The ids of the subjects by their numbers."""
    table = read_table(tables.subjects, columns=["subject_no", "subject_id"]).sort_by("subject_no")
    check_numbers(table["subject_no"].to_numpy(), tables.records)
    return table["subject_id"].combine_chunks()


def _within_reach(
    inputs: Mapping[str, set[str]], tables: Tables, only: Iterable[int] | None
) -> tuple[Tables, pa.Array | None]:
    """The rows of some subjects and of those one step away, in memory with the columns that are read, subjects numbered
    anew from 0; and the new numbers of the subjects asked for. ``None`` asks for everybody: the tables as they are.
    """
    for name, columns in inputs.items():
        check_columns(getattr(tables, name), columns)
    if only is None:
        return tables, None
    chosen = set(only)
    assert tables.relations is not None
    assert tables.previous is not None
    out, back = (read_table(tables.relations, chosen, key) for key in ("subject_no", "related_no"))
    reach = {*chosen, *out["related_no"].to_pylist(), *back["subject_no"].to_pylist()}
    subjects = read_table(tables.subjects, reach, columns=inputs["subjects"]).sort_by("subject_no")
    numbers = subjects["subject_no"].combine_chunks()
    own = back.filter(pc.invert(pc.is_in(back["subject_no"], pa.array(list(chosen), pa.int32()))))
    found = Tables(
        subjects,
        read_table(tables.records, reach, columns=inputs["records"]),
        pa.concat_tables([out, own]),
        read_table(tables.previous, reach),
    )
    renumbered = Tables(*(_renumbered(table, numbers) for table in found))
    return renumbered, pc.index_in(pa.array(sorted(chosen), pa.int32()), numbers).drop_null()


def _renumbered(table: TableLike | None, numbers: pa.Array) -> pa.Table:
    """A table whose subjects are counted by their places in ``numbers``; rows of unknown subjects are left out."""
    found: Any = table
    for name in ("subject_no", "related_no"):
        if name in found.column_names:
            places = pc.index_in(found[name].cast(pa.int32()), numbers)
            found = found.set_column(found.column_names.index(name), name, places)
            if places.null_count:
                found = found.filter(pc.is_valid(found[name]))
    return found
