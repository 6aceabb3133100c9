"""PySpark, for a province or the nation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from zhixin.dataset.reading import scanned
from zhixin.dataset.tables import ROW_GROUP, TableLike, Tables
from zhixin.errors import EngineError
from zhixin.evaluation.engines.contract import too_large
from zhixin.evaluation.engines.script_driver import run_script
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.plan.compiled import Compiled
from zhixin.evaluation.plan.sql import Dialect, Query


class SparkEngine:
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
        """Spark plans a cached table again in each query over it, unless its lineage is cut."""
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
            raise too_large(error) from error

    def forget(self, *names: str) -> None:
        for name in names:
            self.session.catalog.dropTempView(name)
            self._names.discard(name)

    def begin(self) -> None:
        self.forget(*list(self._names))

    def evaluate(self, compiled: Compiled, tables: Tables, only: Iterable[int] | None = None) -> Outcome:
        """Evaluate by the script of the plan."""
        return run_script(self, compiled, tables, only)

    def close(self) -> None:
        self.begin()
