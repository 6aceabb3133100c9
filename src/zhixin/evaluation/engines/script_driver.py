"""Runs a script on a database: the driver that DuckDB and Spark share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from zhixin.dataset.reading import read_table
from zhixin.dataset.tables import TableLike, Tables
from zhixin.errors import TooLarge
from zhixin.evaluation.engines.kernels import adjustments
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.plan.compiled import Compiled
from zhixin.evaluation.plan.sql import Dialect, Query, Script
from zhixin.evaluation.rows_within_reach import subject_ids, within_reach


class Database(Protocol):
    """What a script needs from a database. Tables live under their names until ``begin`` or ``forget``."""

    name: str
    version: str
    dialect: Dialect

    def source(self, name: str, source: TableLike, schema: pa.Schema, kinds: tuple[str, ...] | None = None) -> None:
        """Make an input readable: the columns of the schema (absent ones NULL), and only rows of ``kinds`` if given."""

    def put(self, name: str, table: pa.Table) -> None:
        """Make a small table in memory readable."""

    def keep(self, name: str, query: Query) -> None:
        """Compute a query once and keep its rows, in the types of its schema.

        Raises:
            TooLarge: a sum or product does not fit its type.
        """

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Return the rows of a query, in its order; raises as ``keep`` does."""

    def forget(self, *names: str) -> None:
        """Free kept tables that are not needed any more."""

    def begin(self) -> None:
        """Start a run: drops the tables of the run before, whose outcome can no longer be read."""


def run_script(database: Database, compiled: Compiled, tables: Tables, only: Iterable[int] | None = None) -> Outcome:
    """Evaluate on a database; see :meth:`zhixin.evaluation.engines.contract.Engine.evaluate`."""
    script = compiled.script(database.dialect)
    near, chosen = within_reach(script.inputs, tables, only)
    try:
        graded = _graded(script, database, near)
    except TooLarge as error:
        raise _naming_the_largest(script, tables) from error
    return Outcome(script.plan, database, subject_ids(near), graded, lambda: database.batches(script.rows.sql), chosen)


def _graded(script: Script, database: Database, tables: Tables) -> pa.Table:
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
