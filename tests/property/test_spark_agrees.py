"""The interpreter and the compiled rulebook on PySpark say the same about every subject."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from examples import IS_LONG, SETTINGS
from property.agreement import Drawn, compiled, disagreement, drawn, interpreted
from shipped import shipped
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.spark import SparkEngine
from zhixin.evaluation.run import evaluate
from zhixin.fiction.city import City

# PySpark 4.0 uses parts of pandas 3 that pandas deprecates, and leaves sockets to the garbage collector; nothing of ours
# can avoid either.
pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:.* deprecated and will be removed in"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

RULEBOOKS = 8 if IS_LONG else 1
SUBJECTS = 12


def missing() -> str:
    """What Spark lacks here; empty where it can run."""
    lacks = []
    if find_spec("pyspark") is None:
        lacks.append("PySpark (pip install 'zhixin[spark]')")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        lacks.append("Java 17 (no java on PATH and no JAVA_HOME)")
    return " and ".join(lacks)


@pytest.fixture(scope="module")
def spark() -> Iterator[Engine]:
    """One session for all rulebooks. ``ZHIXIN_REQUIRE_ALL=1`` makes its absence a failure."""
    lacks = missing()
    if lacks and os.environ.get("ZHIXIN_REQUIRE_ALL") == "1":
        pytest.fail(f"ZHIXIN_REQUIRE_ALL=1, but Spark needs {lacks}")
    if lacks:
        pytest.skip(f"Spark needs {lacks}")
    engine = SparkEngine()
    yield engine
    engine.close()
    gc.collect()  # sockets go while their warnings are still ignored


def test_interpreter_and_spark_agree(spark: Engine) -> None:
    compared = 0

    @settings(SETTINGS, max_examples=RULEBOOKS, phases=(Phase.explicit, Phase.generate))
    @given(example=drawn(SUBJECTS))
    def agree(example: Drawn) -> None:
        nonlocal compared
        expected = interpreted(example.rulebook, example.dataset)
        told = disagreement(example, expected, compiled(example.rulebook, example.dataset, spark))
        assert not told, told
        compared += len(expected)

    agree()
    assert compared >= RULEBOOKS * SUBJECTS


def test_a_city_gives_the_same_bytes_on_spark_and_on_duckdb(spark: Engine, tmp_path: Path) -> None:
    City(500, 7).write(tmp_path / "city")
    rulebook, as_of = shipped("zhengzhou-ip"), City.as_of
    one = evaluate(rulebook, tmp_path / "city", tmp_path / "duckdb", as_of)
    other = evaluate(rulebook, tmp_path / "city", tmp_path / "spark", as_of, engine=spark)
    assert one.info["counts"]["contributions"] > 500
    assert other.info["outputs"] == one.info["outputs"]
    assert other.info["result_sha256"] == one.info["result_sha256"]
