"""Engines by name, and the one that is taken where none is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from zhixin.errors import EngineError
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.engines.polars import PolarsEngine
from zhixin.evaluation.engines.spark import SparkEngine

EngineName = Literal["polars", "duckdb", "spark"]


def default_engine(folder: Path | None = None) -> Engine:
    """Open the engine that evaluates where none is named: Polars over whole columns (ADR 18).

    Args:
        folder: where it may spill; its own by default.
    """
    return PolarsEngine(folder=folder)


def open_engine(name: EngineName, **options: Any) -> Engine:
    """Open an engine by name.

    Args:
        name: ``polars``, ``duckdb`` or ``spark``.
        options: ``threads``, ``memory``, ``folder`` (DuckDB, also the one that ``polars`` keeps); ``master`` (Spark).

    Raises:
        EngineError: no such engine, or it is not installed.
    """
    if name == "polars":
        return PolarsEngine(**options)
    if name == "duckdb":
        return DuckDBEngine(**options)
    if name == "spark":
        return SparkEngine(**options)
    raise EngineError(
        f"没有这个引擎：{name}（可用 polars、duckdb、spark）", f"no such engine: {name} (polars, duckdb or spark)"
    )
