"""A finished run on disk, opened for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.fact_reader import FactReader
from zhixin.dataset.facts import Facts
from zhixin.dataset.reading import read_table
from zhixin.dataset.snapshot import open_snapshot
from zhixin.dataset.tables import RELATIONS, Tables
from zhixin.errors import DatasetError
from zhixin.law.loading import loads_rulebook
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook


@lru_cache(maxsize=8)
def _kept_rulebook(text: str) -> Rulebook:
    """The rulebook of a run: loading and checking one takes half a second, and most runs share theirs."""
    return loads_rulebook(text, "rulebook.yaml")


@lru_cache(maxsize=32)
def _resolved(text: str, as_of: date) -> Rulebook:
    return _kept_rulebook(text).at(as_of)


@dataclass(frozen=True)
class RunFolder:
    """A finished run, opened for reading."""

    path: Path
    info: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a finished run.

        Raises:
            DatasetError: the folder holds no finished run.
        """
        file = path / "run.json"
        if not file.is_file():
            raise DatasetError(f"{path} 不是完整的评价结果（缺 run.json）", f"{path} is not a finished run (no run.json)")
        try:
            return cls(path, json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise DatasetError(f"{file} 不完整：{error}", f"{file} is not whole: {error}") from error

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.info["as_of"])

    @property
    def moment(self) -> Moment:
        days = tuple(date.fromisoformat(day) for day in self.info["evaluations"])
        return Moment(self.as_of, self.info["known_at"], days)

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook as it was used, kept inside the run."""
        return _kept_rulebook((self.path / "rulebook.yaml").read_text(encoding="utf-8"))

    @property
    def resolved(self) -> Rulebook:
        """The rulebook with every dated value resolved at the run's date."""
        return _resolved((self.path / "rulebook.yaml").read_text(encoding="utf-8"), self.as_of)

    @property
    def tables(self) -> Tables:
        """Open the snapshot that was evaluated, from the folder next to the run; compare the hashes of its tables.

        Raises:
            DatasetError: it is not there, or another one stands in its place.
        """
        folder = (self.path / self.info["dataset"]).resolve()
        tables = open_snapshot(folder)
        kept = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["outputs"]
        if self.info["inputs"] != {name: kept.get(f"{name}.parquet") for name in self.info["inputs"]}:
            raise DatasetError(
                f"{folder} 不是 {self.path} 评价所用的数据快照（散列不符）；请放回原来的快照",
                f"{folder} is not the snapshot that {self.path} evaluated (the hashes differ): put that one back",
            )
        return tables

    def rows_of(self, subject_id: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The grade of a subject and its contributions; row groups that cannot hold it are skipped."""
        keep = [("subject_id", "==", subject_id)]
        grades = pq.read_table(self.path / "grades.parquet", filters=keep).to_pylist()
        contributions = pq.read_table(self.path / "contributions.parquet", filters=keep).to_pylist()
        return (grades[0] if grades else None), contributions


def facts_of(run_folder: RunFolder, subject_id: str) -> Facts:
    """The facts of one subject (and of those related to it) from the snapshot of a run.

    Raises:
        DatasetError: no such subject.
    """
    tables = run_folder.tables
    found = pq.read_table(tables.subjects, columns=["subject_no"], filters=[("subject_id", "==", subject_id)])
    if not len(found):
        raise DatasetError(f"数据中没有主体 {subject_id}", f"the dataset has no subject {subject_id}")
    number = found["subject_no"][0].as_py()
    relations = _ties(tables, number)
    numbers = {number, *relations["subject_no"].to_pylist(), *relations["related_no"].to_pylist()}
    part = Tables(
        read_table(tables.subjects, numbers),
        read_table(tables.records, numbers),
        relations,
        None if tables.previous is None else read_table(tables.previous, numbers),
    )
    return FactReader(run_folder.resolved, part, run_folder.as_of).facts(number)


def _ties(tables: Tables, number: int) -> pa.Table:
    if tables.relations is None:
        return RELATIONS.empty_table()
    outgoing = read_table(tables.relations, [number])
    incoming = read_table(tables.relations, [number], "related_no")
    table = pa.concat_tables([outgoing, incoming])
    for name in ("since", "until"):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.date32()))
    return table
