"""Our engine in the shape of a peer: evidence off, grades and contributions written to Parquet."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa

from zhixin.dataset.snapshot import write_batches
from zhixin.dataset.tables import Tables
from zhixin.evaluation.outcome import CONTRIBUTIONS, GRADES, Outcome, coded_schema
from zhixin.evaluation.tables_evaluation import evaluate_tables as run_engine
from zhixin.law.loading import load_rulebook
from zhixin.law.moment_and_windows import Moment

RULEBOOK = Path(__file__).parents[2] / "rulebooks" / "zhengzhou-ip"


def outcome(folder: Path, as_of: date) -> Outcome:
    tables = Tables(*(folder / f"{name}.parquet" for name in ("subjects", "records", "relations")))
    return run_engine(load_rulebook(RULEBOOK), tables, Moment(as_of), evidence=False)


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    table = pa.Table.from_batches(outcome(folder, as_of).grades(), GRADES)
    numbers = pa.array(range(len(table)), pa.int32())
    return table.select(["score_milli", "grade"]).add_column(0, "subject_no", numbers)


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet`` in our own schemas."""
    out.mkdir(parents=True, exist_ok=True)
    found = outcome(folder, as_of)
    write_batches(found.grades(coded=True), out / "grades.parquet", coded_schema(GRADES), ["subject_id"])
    write_batches(
        found.contributions(coded=True), out / "contributions.parquet", coded_schema(CONTRIBUTIONS), ["subject_id"]
    )
