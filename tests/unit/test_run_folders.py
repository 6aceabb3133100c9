"""A run names its snapshot by place and hash: both may move together, and another snapshot in the place is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shipped import shipped
from zhixin import City, RunFolder, evaluate, explain, facts_of
from zhixin.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "here"
    City(12, 7).write(place / "data")
    evaluate(shipped("zhengzhou-ip"), place / "data", place / "runs" / "1", City.as_of)
    return place


def code() -> str:
    return str(City(12, 7).codes()[0])


def test_run_and_snapshot_move_together(folder: Path, tmp_path: Path) -> None:
    before = explain(RunFolder.open(folder / "runs" / "1"), code())
    shutil.move(folder, tmp_path / "elsewhere")
    assert explain(RunFolder.open(tmp_path / "elsewhere" / "runs" / "1"), code()) == before


def test_no_path_of_the_machine_stands_in_a_run(folder: Path, tmp_path: Path) -> None:
    assert str(tmp_path) not in (folder / "runs" / "1" / "run.json").read_text(encoding="utf-8")


def test_another_snapshot_in_its_place_is_refused(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    City(12, 8).write(folder / "data")
    with pytest.raises(DatasetError, match="is not the snapshot"):
        facts_of(RunFolder.open(folder / "runs" / "1"), code())


def test_a_snapshot_that_is_gone_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    with pytest.raises(DatasetError, match="not a finished snapshot"):
        facts_of(RunFolder.open(folder / "runs" / "1"), code())
