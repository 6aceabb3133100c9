"""DuckDB in the process: spills to disk where memory is short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.reading import scanned
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.dataset.tables import ROW_GROUP, TableLike, Tables
from zhixin.evaluation.engines.contract import too_large
from zhixin.evaluation.engines.script_driver import run_script
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.plan.compiled import Compiled
from zhixin.evaluation.plan.sql import Dialect, Query


class DuckDBEngine:
    """The embedded engine. ``memory`` is DuckDB's limit, e.g. ``3GB``; it spills to ``folder`` beyond it."""

    name = "duckdb"
    dialect: Dialect = "duckdb"

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
        self.connection = duckdb.connect(config=options)
        self.connection.execute("SET enable_progress_bar = false")  # it would mix with what is printed
        self._kept: set[str] = set()
        self._registered: set[str] = set()
        self._views: set[str] = set()

    def source(self, name: str, source: TableLike, schema: pa.Schema, kinds: tuple[str, ...] | None = None) -> None:
        if isinstance(source, Path) and kinds is None:
            self._view(name, source, schema)
        else:
            self.put(name, scanned(source, schema, kinds).collect(engine="streaming").to_arrow())

    def _view(self, name: str, path: Path, schema: pa.Schema) -> None:
        found = pq.read_schema(path)
        columns = []
        for column in schema:
            kind = _SQL_TYPES[column.type]
            given = f'"{column.name}"' if column.name in found.names else "NULL"
            is_same = column.name in found.names and found.field(column.name).type == column.type
            columns.append(given if is_same else f'CAST({given} AS {kind}) AS "{column.name}"')
        self._views.add(name)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {', '.join(columns)} FROM read_parquet({quoted(path)})"
        )

    def put(self, name: str, table: pa.Table) -> None:
        self.connection.register(name, table)
        self._registered.add(name)

    def keep(self, name: str, query: Query) -> None:
        self._kept.add(name)
        typed = ", ".join(f'CAST("{item.name}" AS {_SQL_TYPES[item.type]}) AS "{item.name}"' for item in query.schema)
        with self._refusing():
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {typed} FROM ({query.sql})")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        with self._refusing():
            yield from self.connection.execute(sql).to_arrow_reader(ROW_GROUP)

    @staticmethod
    @contextmanager
    def _refusing() -> Iterator[None]:
        from duckdb import ConversionException, OutOfRangeException

        try:
            yield
        except (ConversionException, OutOfRangeException) as error:  # a sum is 128 bits wide until it is cast
            raise too_large(error) from error

    def forget(self, *names: str) -> None:
        for name in names:
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")
            self._kept.discard(name)

    def begin(self) -> None:
        self.forget(*list(self._kept))
        for name in self._registered:
            self.connection.unregister(name)
        for name in self._views:  # the next run may have the same input in memory
            self.connection.execute(f"DROP VIEW {name}")
        self._registered.clear()
        self._views.clear()

    def evaluate(self, compiled: Compiled, tables: Tables, only: Iterable[int] | None = None) -> Outcome:
        """Evaluate by the script of the plan."""
        return run_script(self, compiled, tables, only)

    def close(self) -> None:
        self.connection.close()


_SQL_TYPES = {
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.int64()): "BIGINT[]",
}
