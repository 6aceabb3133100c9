"""The interpreter and the compiled rulebook, over columns and on DuckDB, say the same about every subject."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from examples import SETTINGS
from property.agreement import Drawn, compiled, disagreement, drawn, interpreted
from strategies import SUBJECTS
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.engines.polars import PolarsEngine

PAIRS = 1_000
LONG_PAIRS = 50_000


DUCKDB_EVERY = 10
"""In ``make test`` DuckDB evaluates every tenth rulebook, at length every one."""


def compare(pairs: int, profile: settings = SETTINGS, duckdb_every: int = DUCKDB_EVERY) -> int:
    """Compare at least so many (rulebook, subject) pairs with Polars, and some with DuckDB; the number compared."""
    engines: list[Engine] = [PolarsEngine(threads=1), DuckDBEngine(threads=1)]
    compared = 0

    @settings(profile, max_examples=-(-pairs // SUBJECTS))
    @given(example=drawn())
    def agree(example: Drawn) -> None:
        nonlocal compared
        expected = interpreted(example.rulebook, example.dataset)
        turn = compared // SUBJECTS
        for engine in engines if turn % duckdb_every == 0 else engines[:1]:
            told = disagreement(example, expected, compiled(example.rulebook, example.dataset, engine))
            assert not told, f"{engine.name}: {told}"
        compared += len(expected)

    try:
        agree()
    finally:
        for engine in engines:
            engine.close()
    return compared


def test_the_engines_agree() -> None:
    assert compare(PAIRS) >= PAIRS


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("ZHIXIN_LONG") != "1", reason="set ZHIXIN_LONG=1 to compare 50,000 pairs")
def test_the_engines_agree_at_length() -> None:
    assert compare(LONG_PAIRS, settings(SETTINGS, derandomize=False), duckdb_every=1) >= LONG_PAIRS
