"""The interpreter and the compiled rulebook on DuckDB say the same about every subject."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from property.agreement import adds_up, compiled, differences, interpreted
from strategies import SUBJECTS, Dataset, datasets, rulebooks
from zhixin.engines import DuckDB
from zhixin.rulebook import Rulebook

# Ibis 12 calls a DuckDB method that DuckDB 1.5 deprecates; nothing of ours can avoid it.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_record_batch:DeprecationWarning")

PAIRS = 2_000
LONG_PAIRS = 50_000
SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    verbosity=Verbosity.normal,
)


def compare(pairs: int, **options: object) -> int:
    """Compare at least so many (rulebook, subject) pairs; the number that were compared."""
    engine = DuckDB(threads=1)
    compared = 0

    @settings(SETTINGS, max_examples=-(-pairs // SUBJECTS), **options)
    @given(rulebook=rulebooks(), dataset=datasets())
    def agree(rulebook: Rulebook, dataset: Dataset) -> None:
        nonlocal compared
        expected = interpreted(rulebook, dataset)
        found = compiled(rulebook, dataset, engine)
        assert not differences(expected, found)
        assert all(adds_up(item) for item in (*expected.values(), *found.values()))
        compared += len(expected)

    try:
        agree()
    finally:
        engine.close()
    return compared


def test_interpreter_and_duckdb_agree() -> None:
    assert compare(PAIRS) >= PAIRS


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("ZHIXIN_LONG") != "1", reason="set ZHIXIN_LONG=1 to compare 50,000 pairs")
def test_interpreter_and_duckdb_agree_at_length() -> None:
    assert compare(LONG_PAIRS, derandomize=False) >= LONG_PAIRS
