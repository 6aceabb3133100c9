"""What can evaluate a plan, and the databases that run a script: DuckDB in the process, PySpark for a province."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.files import quoted
from zhixin.dataset.tables import ROW_GROUP, TableLike, scanned
from zhixin.errors import EngineError, TooLarge
from zhixin.evaluation.plan.sql import Dialect, Query


def _too_large(error: Exception) -> TooLarge:
    return TooLarge(f"数值过大，超出 64 位整数：{error}", f"a number does not fit 64 bits: {error}")


class Engine(Protocol):
    """Anything that evaluates: a database, or :class:`zhixin.evaluation.engines.polars.Columns`."""

    name: str
    version: str

    def close(self) -> None:
        """Let go of connections and temporary tables."""


class Database(Engine, Protocol):
    """What a run needs from a database. Tables live under their names until ``begin`` or ``forget``."""

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
        """The rows of a query, in its order; raises as ``keep`` does."""

    def forget(self, *names: str) -> None:
        """Free kept tables that are not needed any more."""

    def begin(self) -> None:
        """Start a run: drops the tables of the run before, whose outcome can no longer be read."""


class DuckDB:
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
            raise _too_large(error) from error

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

    def close(self) -> None:
        self.connection.close()


class Spark:
    """PySpark, from the same expressions; ``zhixin[spark]`` and Java 17."""

    name = "spark"
    dialect: Dialect = "pyspark"

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
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.ansi.enabled", "true")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        )
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        self.version = str(self.session.version)
        self._names: set[str] = set()

    def source(self, name: str, source: TableLike, schema: pa.Schema, kinds: tuple[str, ...] | None = None) -> None:
        if isinstance(source, pa.Table):
            self.put(name, scanned(source, schema, kinds).collect().to_arrow().cast(schema))
            return
        frame = self.session.read.parquet(str(source))
        if kinds is not None:
            frame = frame.filter(frame.kind.isin(list(kinds)))
        self._call(name, self._typed(frame, schema))

    def put(self, name: str, table: pa.Table) -> None:
        pieces = table if len(table) else table.schema.empty_table()  # PySpark wants a piece even of no rows
        self._call(name, self.session.createDataFrame(pieces))

    def keep(self, name: str, query: Query) -> None:
        """Spark plans a kept table anew inside each query over it, unless its lineage is cut."""
        with self._refusing():
            self._call(name, self._typed(self.session.sql(query.sql), query.schema).localCheckpoint())

    def _typed(self, frame: Any, schema: pa.Schema) -> Any:
        """The columns of the schema: Spark types a small literal as INT, whatever was asked."""
        from pyspark.sql.functions import col, lit
        from pyspark.sql.pandas.types import from_arrow_type

        return frame.select(
            *[
                (col(f"`{column.name}`") if column.name in frame.columns else lit(None))
                .cast(from_arrow_type(column.type))
                .alias(column.name)
                for column in schema
            ]
        )

    def _call(self, name: str, frame: Any) -> None:
        frame.createOrReplaceTempView(name)
        self._names.add(name)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        with self._refusing():
            yield from self.session.sql(sql).toArrow().to_batches(ROW_GROUP)

    @staticmethod
    @contextmanager
    def _refusing() -> Iterator[None]:
        from pyspark.errors import ArithmeticException

        try:
            yield
        except ArithmeticException as error:
            raise _too_large(error) from error

    def forget(self, *names: str) -> None:
        for name in names:
            self.session.catalog.dropTempView(name)
            self._names.discard(name)

    def begin(self) -> None:
        self.forget(*list(self._names))

    def close(self) -> None:
        self.begin()


_SQL_TYPES = {
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.int64()): "BIGINT[]",
}
