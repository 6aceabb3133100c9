"""Reading rows of some subjects, and the contract of numbers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shipped import shipped
from zhixin.dataset.reading import read_table
from zhixin.dataset.tables import Tables
from zhixin.errors import DatasetError
from zhixin.evaluation.engines.choice import open_engine
from zhixin.evaluation.run import evaluate
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.fiction.city import City
from zhixin.law.moment_and_windows import Moment

NUMBERS = [0, 0, 2, 3, 3, 3, 5, 8, 8, 9]
ROWS = pa.table({"subject_no": pa.array(NUMBERS, pa.int32()), "place": range(len(NUMBERS))})
WANTED = [
    ([], []),
    ([0], [0, 1]),
    ([1, 4, 7], []),
    ([3, 9], [3, 4, 5, 9]),
    ([8, 3, 3], [3, 4, 5, 7, 8]),
    ([-1, 2, 100], [2]),
    (range(10), list(range(10))),
]


@pytest.mark.parametrize(("wanted", "places"), WANTED)
@pytest.mark.parametrize("pieces", [1, 2, 3, 10])
def test_rows_of_some_subjects_are_found_in_every_piece(wanted: list[int], places: list[int], pieces: int) -> None:
    table = pa.concat_tables([ROWS.slice(start, pieces) for start in range(0, len(ROWS), pieces)])
    assert read_table(table, wanted)["place"].to_pylist() == places


@pytest.mark.parametrize(("wanted", "places"), WANTED)
def test_rows_of_some_subjects_are_found_in_a_table_in_no_order(wanted: list[int], places: list[int]) -> None:
    found = read_table(ROWS.take(pa.array([9, 3, 0, 7, 1, 2, 8, 4, 6, 5])), wanted)
    assert sorted(found["place"].to_pylist()) == places


@pytest.mark.parametrize(("wanted", "places"), WANTED)
def test_rows_of_some_subjects_are_found_in_a_file(tmp_path: Path, wanted: list[int], places: list[int]) -> None:
    pq.write_table(ROWS, tmp_path / "rows.parquet", row_group_size=3)
    found = read_table(tmp_path / "rows.parquet", wanted, columns=["place"])
    assert found.schema == pa.schema([("place", pa.int64())])
    assert found["place"].to_pylist() == places


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    City(200, 7).write(folder)
    return folder


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_tables_that_break_the_contract_of_numbers_are_refused(
    city: Path, tmp_path: Path, engine: str, in_memory: bool
) -> None:
    subjects, records = pq.read_table(city / "subjects.parquet"), pq.read_table(city / "records.parquet")
    broken = {
        "0, 1, 2, …": (subjects.slice(1), records),
        "there are 199 subjects": (subjects.slice(0, 199), records.set_column(
            records.column_names.index("subject_no"), "subject_no", pa.array([199] * len(records), pa.int32())
        )),
    }  # fmt: skip
    for said, tables in broken.items():
        given: list[pa.Table | Path] = list(tables)
        if not in_memory:
            given = [tmp_path / name for name in ("subjects.parquet", "records.parquet")]
            for path, table in zip(given, tables, strict=True):
                pq.write_table(table, path)
        with pytest.raises(DatasetError, match=said):
            evaluate_tables(
                shipped("zhengzhou-ip"), Tables(*given), Moment(City.as_of), engine=open_engine(engine, threads=1)
            )  # type: ignore[arg-type]


def test_some_subjects_come_out_as_in_a_full_run_on_either_engine(city: Path, tmp_path: Path) -> None:
    rulebook = shipped("zhengzhou-ip")
    ids = pq.read_table(city / "subjects.parquet")["subject_id"].to_pylist()[3::17]
    full = evaluate(rulebook, city, tmp_path / "full", City.as_of)
    for engine in ("polars", "duckdb"):
        part = evaluate(rulebook, city, tmp_path / engine, City.as_of, engine=open_engine(engine), only=ids)  # type: ignore[arg-type]
        for name in ("grades", "contributions"):
            found, whole = (pq.read_table(folder.path / f"{name}.parquet") for folder in (part, full))
            assert found.equals(whole.filter(pa.compute.is_in(whole["subject_id"], pa.array(ids)))), (engine, name)
            assert len(found)
