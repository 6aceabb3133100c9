"""A plan over whole columns: the default engine. Polars evaluates the expressions, through Ibis as everywhere; DuckDB does
what needs windows and few rows; three kernels use what a general database cannot know.

What they know: records lie in order of subject, so counting them is sorting numbers that are nearly sorted (:func:`counted`);
subjects are numbered 0, 1, 2, …, so a table beside them is put in its places instead of joined (:func:`beside`), and points are
added up at theirs instead of grouped (:func:`totals`). ADR 18 has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa

from zhixin.dataset.reading import check_numbers, count_rows, scanned
from zhixin.dataset.tables import PREVIOUS, RELATIONS, ROW_GROUP, TableLike, Tables
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.engines.kernels import adjustments, beside, counted, number_type, totals
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.plan.compiled import Compiled
from zhixin.evaluation.plan.sql import Query
from zhixin.evaluation.plan.whole_columns import ColumnPlan, Table
from zhixin.evaluation.rows_within_reach import within_reach


class TooWide(Exception):
    """Polars might wrap an integer silently: a database, which refuses, has to compute."""


class PolarsEngine:
    """The embedded engine for whole cities. ``threads`` and ``memory`` are those of the DuckDB it keeps for windows."""

    name = "polars"

    def __init__(self, threads: int | None = None, memory: str | None = None, folder: Path | None = None) -> None:
        self.version = pl.__version__
        self.database = DuckDBEngine(threads, memory, folder)

    def close(self) -> None:
        self.database.close()

    def evaluate(self, compiled: Compiled, tables: Tables, only: Iterable[int] | None = None) -> Outcome:
        """Evaluate over whole columns; where an integer might not fit (ADR 19), DuckDB evaluates the same plan instead."""
        ready = compiled.whole_columns()
        near, chosen = within_reach(ready.inputs, tables, only)
        try:
            ids, graded, rows = self.results(ready, near)
        except TooWide:
            return self.database.evaluate(compiled, tables, only)
        found = rows.to_arrow()
        return Outcome(ready.plan, self, ids, graded.to_arrow(), lambda: iter(found.to_batches(ROW_GROUP)), chosen)

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
        """The wide columns of the subjects, and the contributions in parts."""
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
