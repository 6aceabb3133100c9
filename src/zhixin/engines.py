"""Running a compiled rulebook: DuckDB in the process by default, PySpark for a province.

The engine keeps each stage of the plan as a table, then hands out grades and contributions in order of subject, as
Arrow batches of a fixed size, so that the same inputs give the same bytes whatever the threads or the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from zhixin.compiler import Plan, compile_rulebook
from zhixin.errors import EngineError
from zhixin.horizon import Horizon
from zhixin.rulebook import Rulebook
from zhixin.tables import PREVIOUS, RELATIONS, TableLike, Tables, records_schema, subjects_schema

EngineName = Literal["duckdb", "spark"]
BATCH_ROWS = 122_880

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


class Engine(Protocol):
    """What a run needs from a database."""

    name: str
    version: str

    def table(self, name: str, source: TableLike, schema: pa.Schema) -> Any:
        """An Ibis table of the source, with every column of the schema (absent ones NULL)."""

    def keep(self, name: str, expression: Any) -> Any:
        """Compute an expression once and hand back a table of it."""

    def batches(self, expression: Any) -> Iterator[pa.RecordBatch]:
        """The rows of an expression, in its order."""

    def small(self, table: pa.Table) -> Any:
        """A small Arrow table as an Ibis table."""

    def forget(self, *tables: Any) -> None:
        """Free kept tables that are not needed any more."""

    def begin(self) -> None:
        """Start a run: drops the tables of the run before, whose outcome can no longer be read."""

    def close(self) -> None:
        """Let go of connections and temporary tables."""


class DuckDB:
    """The embedded engine. ``memory`` is DuckDB's limit, e.g. ``3GB``; it spills to ``folder`` beyond it."""

    name = "duckdb"

    def __init__(self, threads: int | None = None, memory: str | None = None, folder: Path | None = None) -> None:
        import duckdb

        self.version = duckdb.__version__
        options: dict[str, Any] = {"preserve_insertion_order": False}
        if threads is not None:
            options["threads"] = threads
        if memory is not None:
            options["memory_limit"] = memory
        if folder is not None:
            options["temp_directory"] = str(folder)
        self.connection = ibis.duckdb.connect(**options)
        self.connection.raw_sql("SET enable_progress_bar = false")  # it would mix with what is printed
        self._run = 0
        self._kept: list[str] = []

    def small(self, table: pa.Table) -> Any:
        return ibis.memtable(table)

    def forget(self, *tables: Any) -> None:
        for table in tables:
            self.connection.drop_table(table.get_name(), force=True)

    def begin(self) -> None:
        for name in self._kept:
            self.connection.drop_table(name, force=True)
        self._kept, self._run = [], self._run + 1

    def _name(self, name: str) -> str:
        self._kept.append(f"{name}_{self._run}")
        return self._kept[-1]

    def table(self, name: str, source: TableLike, schema: pa.Schema) -> Any:
        if isinstance(source, Path):
            table = self.connection.read_parquet(str(source), table_name=f"{name}_file_{self._run}")
        else:
            table = self.connection.create_table(self._name(name), source, temp=True)
        return completed(table, schema)

    def keep(self, name: str, expression: Any) -> Any:
        return self.connection.create_table(self._name(name), expression, temp=True)

    def batches(self, expression: Any) -> Iterator[pa.RecordBatch]:
        yield from self.connection.raw_sql(self.connection.compile(expression)).to_arrow_reader(BATCH_ROWS)

    def close(self) -> None:
        self.connection.disconnect()


class Spark:
    """PySpark through the same Ibis expressions; ``zhixin[spark]`` and Java 17."""

    name = "spark"

    def __init__(self, master: str = "local[2]") -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise EngineError(
                "没有安装 PySpark：pip install 'zhixin[spark]'，并安装 Java 17",
                "PySpark is not installed: pip install 'zhixin[spark]', and install Java 17",
            ) from error
        builder = (
            SparkSession.builder.master(master)
            .appName("zhixin")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.ansi.enabled", "true")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        )
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        self.version = str(self.session.version)
        self.connection = ibis.pyspark.connect(self.session)

        self._kept: list[Any] = []
        self._views = 0

    def small(self, table: pa.Table) -> Any:
        self._views += 1
        name = f"small_{self._views}"
        self.session.createDataFrame(table).createOrReplaceTempView(name)
        return self.connection.table(name)

    def forget(self, *tables: Any) -> None:
        """Spark computes lazily: everything stays until the next run."""

    def begin(self) -> None:
        for table in self._kept:
            table.release()
        self._kept = []

    def table(self, name: str, source: TableLike, schema: pa.Schema) -> Any:
        frame = self.session.read.parquet(str(source)) if isinstance(source, Path) else self.session.createDataFrame(source)
        frame.createOrReplaceTempView(name)
        return completed(self.connection.table(name), schema)

    def keep(self, name: str, expression: Any) -> Any:
        self._kept.append(expression.cache())
        return conformed(self._kept[-1], expression.schema())  # Spark types a small literal as INT, whatever Ibis asked

    def batches(self, expression: Any) -> Iterator[pa.RecordBatch]:
        yield from self.connection.to_pyarrow(expression).to_batches(BATCH_ROWS)

    def close(self) -> None:
        self.begin()


def completed(table: Any, schema: pa.Schema) -> Any:
    """The table with the schema's columns and types; absent columns are NULL."""
    return conformed(table, ibis.Schema.from_pyarrow(schema))


def conformed(table: Any, wanted: Any) -> Any:
    """The table with the columns and types of an Ibis schema; absent columns are NULL."""
    columns = {
        name: (table[name] if table[name].type() == kind else table[name].cast(kind))
        if name in table.columns
        else ibis.null(kind)
        for name, kind in wanted.items()
    }
    return table.select(**columns)


def open_engine(name: EngineName, **options: Any) -> Engine:
    """An engine by name. Options: ``threads``, ``memory``, ``folder`` (DuckDB); ``master`` (Spark)."""
    if name == "duckdb":
        return DuckDB(**options)
    if name == "spark":
        return Spark(**options)
    raise EngineError(f"没有这个引擎：{name}（可用 duckdb、spark）", f"no such engine: {name} (duckdb or spark)")


def plan_for(rulebook: Rulebook, horizon: Horizon) -> Plan:
    """The compiled rulebook, compiled once per (hash, moment)."""
    return _plan_of(_Hashed(rulebook.sha256, rulebook), horizon)


@dataclass(frozen=True)
class _Hashed:
    """A rulebook that is hashed and compared by its SHA-256."""

    sha256: str
    rulebook: Rulebook = field(hash=False, compare=False)


@lru_cache(maxsize=32)
def _plan_of(key: _Hashed, horizon: Horizon) -> Plan:
    return compile_rulebook(key.rulebook, horizon)


@dataclass
class Outcome:
    """The result of a run: batches in order of subject, decoded when read. Read each stream once."""

    plan: Plan
    engine: Engine
    subject_ids: _Ids
    _grades: Any
    _contributions: Any
    evidence: bool

    def grades(self) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`GRADES`."""
        for batch in self.engine.batches(self._grades):
            yield self._decoded_grades(batch)

    def contributions(self) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`CONTRIBUTIONS`, by subject and then in order of the rulebook."""
        names = pa.array([item.id for item in self.plan.indicators] + self.plan.scoring.adjustment_names, pa.string())
        for batch in self.engine.batches(self._contributions):
            columns = {
                "subject_id": self.subject_ids.take(batch["subject_no"]),
                "indicator": names.take(batch["indicator_no"]),
                "value_num": batch["value_num"],
                "value_den": batch["value_den"],
                "points_milli": batch["points"],
                "uncapped_milli": batch["uncapped"],
                "record_nos": batch["record_nos"] if self.evidence else pa.nulls(len(batch), pa.list_(pa.int64())),
            }
            yield pa.RecordBatch.from_arrays(
                [column.cast(kind) for column, kind in zip(columns.values(), CONTRIBUTIONS.types, strict=True)],
                schema=CONTRIBUTIONS,
            )

    def _decoded_grades(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        scoring = self.plan.scoring
        classes = [item.id for item in self.plan.rulebook.classes]
        grades, steps = (
            pa.array(scoring.deciding.grade_codes, pa.string()),
            pa.array(scoring.deciding.step_names, pa.string()),
        )
        columns = [
            self.subject_ids.take(batch["subject_no"]),
            _decoded(batch["class_mask"], lambda mask: classes[(mask & -mask).bit_length() - 1] if mask else None),
            batch["class_mask"],
            batch["start_milli"],
            batch["implied_milli"],
            batch["score_milli"],
            grades.take(batch["ladder_code"]),
            grades.take(batch["grade_code"]),
            steps.take(batch["step_code"]),
            _decoded(
                batch["acted_mask"],
                lambda mask: "|".join(s for n, s in enumerate(scoring.deciding.step_names) if mask >> n & 1),
            ),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=GRADES)


def _decoded(codes: Any, name: Any) -> pa.Array:
    """Names of integer codes, each distinct code named once."""
    encoded = pc.dictionary_encode(codes)
    names = pa.array([name(code) for code in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def run(
    rulebook: Rulebook,
    tables: Tables,
    horizon: Horizon,
    *,
    engine: Engine | None = None,
    evidence: bool = True,
    only: Sequence[int] | None = None,
) -> Outcome:
    """Evaluate every subject of a dataset.

    Args:
        rulebook: as loaded; resolved at ``horizon.as_of``.
        tables: subjects, records, relations, previous (see :mod:`zhixin.tables`).
        horizon: evaluation date and what was known.
        engine: an open engine; DuckDB in memory by default.
        evidence: whether contributions carry the numbers of the records behind them.
        only: subject numbers to evaluate; ``None`` for everybody.
    """
    engine = engine or DuckDB()
    engine.begin()
    plan = plan_for(rulebook, horizon)
    subjects = plan.subjects(engine.table("subjects", tables.subjects, subjects_schema(plan.rulebook)))
    records = plan.records(engine.table("records", tables.records, records_schema(plan.rulebook)))
    empty = {"relations": RELATIONS.empty_table(), "previous": PREVIOUS.empty_table()}
    relations = engine.table("relations", tables.relations or empty["relations"], RELATIONS)
    previous = engine.table("previous", tables.previous or empty["previous"], PREVIOUS)
    chosen = None
    if only is not None:
        chosen = engine.keep("chosen", engine.small(pa.table({"chosen_no": pa.array(only, pa.int32())})))
        reach = engine.keep("reach", _within_reach(chosen, relations))
        subjects = subjects.semi_join(reach, subjects.subject_no == reach.chosen_no)
        records = engine.keep("records_in_reach", records.semi_join(reach, records.subject_no == reach.chosen_no))
    long = _long(plan, engine, records, evidence)
    base = engine.keep("base", plan.base(subjects, long, relations, previous))
    rows = engine.keep("contribution_rows", plan.rows(subjects, base, long, engine.small, evidence=evidence))
    engine.forget(*([] if long is None else [long]))
    is_intricate = plan.scoring.deciding.is_intricate
    dimensioned = plan.scoring.dimensioned(base, rows)
    if is_intricate:
        dimensioned = engine.keep("dimensioned", dimensioned)
    scored = plan.scoring.scored(dimensioned)
    if is_intricate:
        scored = engine.keep("scored", scored)
    graded = engine.keep("graded", plan.scoring.graded(scored))
    engine.forget(base, *([dimensioned, scored] if is_intricate else []))
    adjustments = plan.adjustments(graded, evidence=evidence)
    everything = rows if adjustments is None else ibis.union(rows, adjustments)
    if chosen is not None:
        graded = graded.semi_join(chosen, graded.subject_no == chosen.chosen_no)
        everything = everything.semi_join(chosen, everything.subject_no == chosen.chosen_no)
    return Outcome(
        plan,
        engine,
        _subject_ids(engine, subjects),
        graded.order_by("subject_no"),
        everything.drop("default", "dimension_no").order_by(["subject_no", "indicator_no"]),
        evidence,
    )


def _subject_ids(engine: Engine, subjects: Any) -> _Ids:
    chosen = subjects.order_by("subject_no").select("subject_no", "subject_id")
    batches = list(engine.batches(chosen))
    numbers = pa.chunked_array([batch["subject_no"] for batch in batches], pa.int32()).combine_chunks()
    names = pa.chunked_array([batch["subject_id"] for batch in batches], pa.string()).combine_chunks()
    is_dense = len(numbers) == 0 or numbers[len(numbers) - 1].as_py() == len(numbers) - 1
    return _Ids(names, None if is_dense else numbers)


@dataclass(frozen=True)
class _Ids:
    """subject_no → subject_id; ``numbers`` is ``None`` where the subjects are all there."""

    names: Any
    numbers: Any

    def take(self, wanted: Any) -> Any:
        return self.names.take(wanted if self.numbers is None else pc.index_in(wanted.cast(pa.int32()), self.numbers))


def _within_reach(chosen: Any, relations: Any) -> Any:
    """The chosen subjects and those one step away."""
    out = relations.semi_join(chosen, relations.subject_no == chosen.chosen_no).select(chosen_no="related_no")
    back = relations.semi_join(chosen, relations.related_no == chosen.chosen_no).select(chosen_no="subject_no")
    return ibis.union(chosen, out, back, distinct=True)


def _long(plan: Plan, engine: Engine, records: Any, evidence: bool) -> Any:
    """The long table: simple kinds in one narrow pass, the others (few records, as a rule) from a table of their own."""
    matching = plan.matching
    simple = matching.simple_long(records, engine.small, evidence=evidence)
    parts = [] if simple is None else [simple]
    others = records
    if simple is not None and any(slot.kind not in plan.table.simple_kinds() for slot in plan.table.slots):
        others = engine.keep("other_records", matching.others(records))
    matched = matching.matched(others, engine.small, special=False)
    parts += [] if matched is None else [matching.plain_long(matched, evidence=evidence)]
    special = matching.matched(others, engine.small, special=True)
    if special is not None:
        kept = engine.keep("special_matched", special)
        parts += [matching.special_long(kept, number, evidence=evidence) for number in sorted(plan.table.specials)]
    if not parts:
        return None
    return engine.keep("long", ibis.union(*parts) if len(parts) > 1 else parts[0])
