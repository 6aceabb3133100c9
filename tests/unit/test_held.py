"""Tables mapped into memory: the same rows as the files, found again, and never taken for more than they hold."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shipped import shipped
from spec.law import rulebook_of
from zhixin.dataset.reading import read_table
from zhixin.dataset.snapshot import open_snapshot
from zhixin.dataset.tables import Tables
from zhixin.errors import DatasetError
from zhixin.evaluation import mapped as held
from zhixin.evaluation.engines.choice import open_engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.mapped import hold
from zhixin.evaluation.plan.sql import script_for
from zhixin.evaluation.run import reevaluate
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.fiction.city import City
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

HORIZON = Moment(date(2026, 11, 1))


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return shipped("zhengzhou-ip")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("city")
    City(20_000, 7).write(folder)
    return open_snapshot(folder)


def test_every_row_is_held(city: Tables, rulebook: Rulebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_TOGETHER", 1)  # several pieces, whose dictionaries grow
    mapped = hold(city, rulebook, HORIZON, tmp_path / "held")
    assert len(mapped.records.to_batches()) > 1
    for name, columns in script_for(rulebook, HORIZON).inputs.items():
        given = read_table(getattr(city, name), columns=columns)
        assert read_table(getattr(mapped, name), columns=columns).equals(given)
    assert read_table(mapped.relations).equals(read_table(city.relations))


def test_few_subjects_come_out_as_from_the_files(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    numbers = np.random.default_rng(3).choice(20_000, 300, replace=False).tolist()
    mapped = hold(city, rulebook, HORIZON, tmp_path / "held")
    engine = DuckDBEngine(threads=1)
    expected = reevaluate(rulebook, city, HORIZON, numbers, engine=engine)
    assert all(
        a.equals(b) for a, b in zip(reevaluate(rulebook, mapped, HORIZON, numbers, engine=engine), expected, strict=True)
    )
    engine.close()


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_a_whole_city_comes_out_as_from_the_files(name: str, city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    engine = open_engine(name, threads=1)  # type: ignore[arg-type]
    found = [
        pa.Table.from_batches(evaluate_tables(rulebook, tables, HORIZON, engine=engine).grades())
        for tables in (city, hold(city, rulebook, HORIZON, tmp_path / "held"))
    ]
    assert found[0].equals(found[1])
    engine.close()


def test_what_is_held_is_found_again(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    hold(city, rulebook, HORIZON, tmp_path / "held")
    written = (tmp_path / "held" / "records.arrow").stat().st_mtime_ns
    hold(city, rulebook, HORIZON, tmp_path / "held")
    assert (tmp_path / "held" / "records.arrow").stat().st_mtime_ns == written


def test_it_is_made_again_of_other_files(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    hold(city, rulebook, HORIZON, tmp_path / "held")
    City(300, 8).write(tmp_path / "other")
    other = open_snapshot(tmp_path / "other")
    mapped = hold(other, rulebook, HORIZON, tmp_path / "held")
    assert len(mapped.subjects) == 300


def test_it_is_made_again_after_a_kill(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    """A killed try leaves a folder of another name, and no seal."""
    (tmp_path / "held.part").mkdir()
    (tmp_path / "held.part" / "records.arrow").write_bytes(b"half")
    mapped = hold(city, rulebook, HORIZON, tmp_path / "held")
    assert len(mapped.records) == pq.read_metadata(city.records).num_rows
    assert not (tmp_path / "held.part").exists()
    (tmp_path / "held" / "held.json").write_text('{"format": "he', encoding="utf-8")
    assert len(hold(city, rulebook, HORIZON, tmp_path / "held").records) == len(mapped.records)


def test_a_rulebook_that_reads_more_is_refused(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    """A column that is absent would be NULL, and nobody would notice."""
    less = rulebook_of(
        "indicators: {fines: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: 1}}}"
    )
    mapped = hold(city, less, HORIZON, tmp_path / "held")
    with pytest.raises(DatasetError) as refused:
        reevaluate(rulebook, mapped, HORIZON, [1, 2])
    assert "lack the column agency_grade" in refused.value.message.en
    with pytest.raises(DatasetError):
        evaluate_tables(rulebook, mapped, HORIZON)


def test_rows_in_no_order_are_refused(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    rows = pq.read_table(city.records)
    pq.write_table(rows.take(pa.array(range(len(rows) - 1, -1, -1))), tmp_path / "records.parquet")
    with pytest.raises(DatasetError) as refused:
        hold(city._replace(records=tmp_path / "records.parquet"), rulebook, HORIZON, tmp_path / "held")
    assert "records.parquet is not in order of subject" in refused.value.message.en
    assert not (tmp_path / "held").exists()


def test_a_folder_of_something_else_is_left_alone(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DatasetError):
        hold(city, rulebook, HORIZON, tmp_path / "held")
    with pytest.raises(DatasetError):
        hold(city, rulebook, HORIZON, Path(str(city.records)).parent)
    assert (tmp_path / "held" / "mine.txt").is_file()


def test_the_seal_names_what_was_read(city: Tables, rulebook: Rulebook, tmp_path: Path) -> None:
    hold(city, rulebook, HORIZON, tmp_path / "held")
    seal = json.loads((tmp_path / "held" / "held.json").read_text(encoding="utf-8"))
    assert seal["format"] == "held/1"
    assert set(seal["inputs"]) == {"subjects", "records", "relations"}
    assert "document" not in seal["columns"]["records"]
