"""The dirt of the fictional city: what the truth file says is what acceptance finds, row by row."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from shipped import shipped
from unit.writing import outputs, rules
from zhixin.dataset.acceptance import accept
from zhixin.dataset.identity import check_uscc
from zhixin.fiction.city import City
from zhixin.fiction.dirt import SPOILS, write_dirty

BOOK = shipped("zhengzhou-ip")
AS_OF = date(2026, 11, 1)
AT_ACCEPTANCE_OF_THE_TABLE = ("row.duplicate", "")


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        yield from enumerate(reader, 2)


def truth_of(folder: Path) -> dict[str, dict[int, tuple[str, str]]]:
    found: dict[str, dict[int, tuple[str, str]]] = {"subjects": {}, "records": {}}
    for _, (table, line, dirt, rule) in lines(folder / "truth" / "truth.csv"):
        assert int(line) not in found[table], "each row is spoilt at most once"
        found[table][int(line)] = (dirt, rule)
    return found


def clean_and_dirty(tmp_path: Path, city: City, rate: float) -> None:
    for name, share in (("clean", 0.0), ("dirty", rate)):
        counts = write_dirty(city, tmp_path / name, share)
        report = accept(BOOK, tmp_path / name, tmp_path / f"{name}-snapshot", AS_OF)
        for table, entry in report.tables.items():
            assert entry.rows == counts[table] == entry.accepted + entry.quarantined


def check_truth(tmp_path: Path, city: City, rate: float) -> None:
    clean_and_dirty(tmp_path, city, rate)
    truth = truth_of(tmp_path / "dirty")
    assert rules(tmp_path / "clean-snapshot", "subjects") == rules(tmp_path / "clean-snapshot", "records") == {}
    assert truth_of(tmp_path / "clean") == {"subjects": {}, "records": {}}
    found = rules(tmp_path / "dirty-snapshot", "subjects")
    assert found == {line: rule for line, (_, rule) in truth["subjects"].items() if rule}
    # a record of a refused subject is refused too, unless it is refused for its own cells before
    refused = {line for line, rule in found.items()}
    gone = {row[0] for line, row in lines(tmp_path / "clean" / "subjects.csv") if line in refused}
    expected = {}
    for line, row in lines(tmp_path / "clean" / "records.csv"):
        _, rule = truth["records"].get(line, ("", ""))
        if rule in AT_ACCEPTANCE_OF_THE_TABLE and row[1] in gone:
            rule = "record.unknown_subject"
        if rule:
            expected[line] = rule
    assert rules(tmp_path / "dirty-snapshot", "records") == expected
    # what is cured is cured to what it was
    compared = {name: snapshot_rows(tmp_path / f"{name}-snapshot") for name in ("clean", "dirty")}
    assert compared["dirty"]["subjects"] == {
        key: row for key, row in compared["clean"]["subjects"].items() if key not in gone
    }
    accepted = compared["dirty"]["records"]
    assert accepted == {key: compared["clean"]["records"][key] for key in accepted}
    assert len(accepted) == len(compared["clean"]["records"]) - len(expected)


def snapshot_rows(folder: Path) -> dict[str, dict[Any, Any]]:
    subjects = pq.read_table(folder / "subjects.parquet").to_pylist()
    number = {row.pop("subject_no"): row["subject_id"] for row in subjects}
    records = pq.read_table(folder / "records.parquet").to_pylist()
    for row in records:
        row["subject_id"] = number[row.pop("subject_no")]
        del row["record_no"]
    return {"subjects": {row["subject_id"]: row for row in subjects}, "records": {row["record_id"]: row for row in records}}


@pytest.mark.parametrize(("seed", "rate"), [(1, 1.0), (2, 5.0), (3, 9.0)])
def test_the_truth_agrees_with_what_is_quarantined_and_cured(tmp_path: Path, seed: int, rate: float) -> None:
    check_truth(tmp_path, City(2_000, seed), rate)


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("ZHIXIN_LONG") != "1", reason="set ZHIXIN_LONG=1 for 200,000 rows")
def test_the_truth_agrees_at_length(tmp_path: Path) -> None:
    check_truth(tmp_path, City(18_000, 4), 2.0)


def test_every_kind_of_dirt_occurs(tmp_path: Path) -> None:
    write_dirty(City(4_000, 6), tmp_path, 6.0)
    found = Counter(dirt for table in truth_of(tmp_path).values() for dirt, _ in table.values())
    assert set(found) == {spoil.name for spoil in SPOILS}


def test_the_same_city_gives_the_same_dirt(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_dirty(City(500, 8), tmp_path / name, 3.0)
    for file in ("subjects.csv", "records.csv", "relations.csv", "truth/truth.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_snapshot_of_the_clean_files_is_the_snapshot_of_the_city(tmp_path: Path) -> None:
    city = City(800, 9)
    city.write(tmp_path / "direct")
    write_dirty(city, tmp_path / "in", 0.0)
    accept(BOOK, tmp_path / "in", tmp_path / "snapshot", AS_OF)
    direct, taken = snapshot_rows(tmp_path / "direct"), snapshot_rows(tmp_path / "snapshot")
    assert taken["subjects"].keys() == direct["subjects"].keys()
    for table in ("subjects", "records"):
        for key, row in taken[table].items():
            shared = row.keys() & direct[table][key].keys() - {"name", "document"}  # of text, width is not compared
            if direct[table][key].get("severity") is None:
                shared -= {"severity"}  # acceptance fills it from the catalogue
            assert {name: row[name] for name in shared} == {name: direct[table][key][name] for name in shared}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_code_of_the_city_is_valid_fictional_and_in_order(seed: int) -> None:
    codes = [str(code) for code in City(3_000, seed).codes()]
    assert codes == sorted(set(codes))
    assert all(check_uscc(code) == (code, None, None, None) for code in codes)
    assert all(code[2:6] == "4199" for code in codes)


@pytest.mark.parametrize("subjects", [0, 1, 2])
def test_the_smallest_cities_can_be_written_and_accepted(tmp_path: Path, subjects: int) -> None:
    write_dirty(City(subjects, 1), tmp_path / "in", 1.0)
    report = accept(BOOK, tmp_path / "in", tmp_path / "snapshot", AS_OF)
    assert report.tables["subjects"].rows == subjects
    assert "subjects.parquet" in outputs(tmp_path / "snapshot")
