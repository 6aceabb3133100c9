"""Our own interpreter on a sample: facts through ``zhixin.dataset.tables.FactReader``, one subject at a time."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhixin.dataset.fact_reader import FactReader
from zhixin.dataset.reading import read_table
from zhixin.dataset.tables import Tables
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.law.loading import load_rulebook
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

RULEBOOK = Path(__file__).parents[2] / "rulebooks" / "zhengzhou-ip"
SAMPLE = 5000


def chosen(folder: Path, size: int) -> list[int]:
    """A fixed random sample of subject numbers."""
    count = pq.read_metadata(folder / "subjects.parquet").num_rows
    return sorted(random.Random(7).sample(range(count), min(size, count)))


def reader(rulebook: Rulebook, folder: Path, as_of: date, numbers: list[int]) -> FactReader:
    """The facts of the sample and of those related to it."""
    links = pq.read_table(folder / "relations.parquet")
    wanted = pa.array(numbers, pa.int32())
    touched = pc.or_(pc.is_in(links["subject_no"], wanted), pc.is_in(links["related_no"], wanted))
    links = links.filter(touched)
    near = {*numbers, *links["subject_no"].to_pylist(), *links["related_no"].to_pylist()}
    subjects = read_table(folder / "subjects.parquet", near)
    return FactReader(rulebook, Tables(subjects, read_table(folder / "records.parquet", near), links), as_of)


def resolved(as_of: date) -> Rulebook:
    return load_rulebook(RULEBOOK).at(as_of)


def decide(rulebook: Rulebook, facts: FactReader, as_of: date, numbers: list[int]) -> pa.Table:
    """Grades of the chosen subjects."""
    interpreter = Interpreter(rulebook, Moment(as_of))
    results = [interpreter.evaluate(facts.facts(number)) for number in numbers]
    return pa.table(
        {
            "subject_no": pa.array(numbers, pa.int32()),
            "score_milli": pa.array([result.score_milli for result in results], pa.int64()),
            "grade": pa.array([result.grade for result in results], pa.string()),
        }
    )


def evaluate(folder: Path, as_of: date, size: int = SAMPLE) -> pa.Table:
    """Grades of a sample, by subject."""
    rulebook, numbers = resolved(as_of), chosen(folder, size)
    return decide(rulebook, reader(rulebook, folder, as_of, numbers), as_of, numbers)
