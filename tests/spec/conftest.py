"""Every spec runs on the interpreter and on DuckDB; with ZHIXIN_SPEC_SPARK=1 on PySpark too."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from zhixin.evaluation.engines.choice import open_engine
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.spark import SparkEngine

ENGINES = ["interpreter", "polars", "duckdb"]
if os.environ.get("ZHIXIN_SPEC_SPARK") == "1":
    ENGINES.append(pytest.param("spark", marks=pytest.mark.spark))  # type: ignore[arg-type]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Engine | None]]:
    """The name of an engine and the engine (``None``: the interpreter), one for all specs."""
    match request.param:
        case "interpreter":
            yield request.param, None
        case "polars" | "duckdb":
            compiled = open_engine(request.param, threads=1)
            yield request.param, compiled
            compiled.close()
        case "spark":
            spark = SparkEngine()
            yield request.param, spark
            spark.close()
