"""A run on disk: ``grades.parquet``, ``contributions.parquet`` and ``run.json``, written whole or not at all.

The same inputs give the same bytes in both tables, whatever the threads; in ``run.json`` only ``timings`` and
``machine`` differ, and ``result_sha256`` covers everything else. A folder without ``run.json`` is not a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.folders import begin_folder, check_place, put_in_place
from zhixin.dataset.reading import read_table
from zhixin.dataset.snapshot import open_snapshot, sha256_of, write_batches
from zhixin.dataset.tables import Tables
from zhixin.errors import DatasetError, UsageError, ZhixinError
from zhixin.evaluation.archive import RunFolder
from zhixin.evaluation.outcome import CONTRIBUTIONS, GRADES, ComputedBy, Outcome, coded_schema
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.law.loading import dump_rulebook
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

if TYPE_CHECKING:
    from zhixin.evaluation.engines.contract import Engine
    from zhixin.evaluation.engines.duckdb import DuckDBEngine

Progress = Callable[[str], None]


def evaluation_dates(tables: Tables, as_of: date) -> tuple[date, ...]:
    """Dates of the earlier evaluations in ``previous``, newest first."""
    if tables.previous is None:
        return ()
    days = set(read_table(tables.previous)["evaluated_on"].to_pylist())
    return tuple(sorted((day for day in days if day < as_of), reverse=True))


def refuse_outside_effective(rulebook: Rulebook, as_of: date) -> None:
    """Refuse to evaluate under a rulebook on a day on which it is not in force.

    Raises:
        UsageError: names the day and the period.
    """
    period = rulebook.effective
    if not period.covers(as_of):
        zh = f"自 {period.from_ or '—'} 起" + (f"，到 {period.until} 止（不含）" if period.until else "")
        en = f"from {period.from_ or '—'}" + (f" until {period.until} (exclusive)" if period.until else "")
        raise UsageError(
            f"{as_of} 不在规则 {rulebook.id} 的有效期内（{zh}）；换一个日期或当时有效的版本",
            f"{rulebook.id} is not in force on {as_of} ({en}): take another day, or the version in force then",
        )


def evaluate(
    rulebook: Rulebook,
    dataset: Path,
    out: Path,
    as_of: date,
    *,
    known_at: int | None = None,
    engine: Engine | None = None,
    evidence: bool = True,
    only: Iterable[str] | None = None,
    progress: Progress = lambda stage: None,
) -> RunFolder:
    """Evaluate a snapshot and write the run into ``out`` (replaced if it exists).

    Args:
        rulebook: as loaded.
        dataset: a snapshot made by :func:`zhixin.dataset.snapshot.accept`, or by ``City.write``.
        out: the run's folder; an unfinished earlier try is never taken for a run.
        as_of: evaluation date.
        known_at: only records with a ledger sequence up to it.
        engine: columns by default.
        evidence: whether contributions carry record numbers.
        only: the subjects to evaluate; ``None`` for everybody.
        progress: called with the name of each stage.

    Raises:
        UsageError: the rulebook is not in force on that day.
        DatasetError: the snapshot is not finished, lacks a subject of ``only``, or ``out`` holds something else.
        TooLarge: a sum or product does not fit 64 bits.
    """
    refuse_outside_effective(rulebook, as_of)
    tables = open_snapshot(dataset)
    chosen = None if only is None else sorted(set(only))
    check_place(out, "run.json", dataset)
    started = time.perf_counter()
    moment = Moment(as_of, known_at, evaluation_dates(tables, as_of))
    work = begin_folder(out)
    progress("evaluate")
    from zhixin.evaluation.engines.choice import default_engine  # engines and their libraries load with the first run

    engine = engine or default_engine(work / "spill")
    numbers = None if chosen is None else _numbers_of(tables, chosen)
    with ThreadPoolExecutor(1) as hashing:
        inputs = hashing.submit(_input_hashes, tables)
        try:
            outcome = evaluate_tables(rulebook, tables, moment, engine=engine, evidence=evidence, only=numbers)
        except ZhixinError:
            shutil.rmtree(work, ignore_errors=True)
            raise
        progress("grades")
        counts = _write(outcome, work, progress)
        engine.close()
    shutil.rmtree(work / "spill", ignore_errors=True)
    progress("seal")
    (work / "rulebook.yaml").write_text(dump_rulebook(rulebook), encoding="utf-8")
    info = _sealed(work, rulebook, moment, inputs.result(), counts, evidence=evidence, chosen=chosen)
    info |= {"dataset": os.path.relpath(dataset.resolve(), out.resolve()), "machine": _machine(outcome.engine)}
    info["timings"] = {"seconds": round(time.perf_counter() - started, 3)}
    (work / "run.json").write_text(json.dumps(info, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    put_in_place(work, out, "run.json")
    return RunFolder(out, info)


def _sealed(
    work: Path,
    rulebook: Rulebook,
    moment: Moment,
    inputs: dict[str, str],
    counts: dict[str, Any],
    *,
    evidence: bool,
    chosen: list[str] | None,
) -> dict[str, Any]:
    """Describe a run by what decides its results, and seal the description with its hash."""
    info: dict[str, Any] = {
        "format": "run/1",
        "rulebook": {"id": rulebook.id, "sha256": rulebook.sha256},
        "as_of": moment.as_of.isoformat(),
        "known_at": moment.known_at,
        "evaluations": [day.isoformat() for day in moment.evaluations],
        "inputs": inputs,
        "outputs": {name: sha256_of(work / name) for name in ("grades.parquet", "contributions.parquet")},
        "counts": counts,
        "evidence": evidence,
    }
    if chosen is not None:
        info["only"] = chosen
    info["result_sha256"] = hashlib.sha256(json.dumps(info, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return info


def _write(outcome: Outcome, work: Path, progress: Progress) -> dict[str, Any]:
    """Write both tables in parallel; return their row counts."""
    counts: Counter[str] = Counter()
    keys = ["subject_id"]
    with ThreadPoolExecutor(1) as beside:
        grades = _counted(outcome.grades(coded=True), counts)
        written = beside.submit(write_batches, grades, work / "grades.parquet", coded_schema(GRADES), keys)
        progress("contributions")
        rows = outcome.contributions(coded=True)
        contributions = write_batches(rows, work / "contributions.parquet", coded_schema(CONTRIBUTIONS), keys)
        subjects = written.result()
    return {"subjects": subjects, "contributions": contributions, "grades": dict(sorted(counts.items()))}


def _machine(engine: ComputedBy) -> dict[str, str]:
    """What computed a run; no part of its hash."""
    return {
        "engine": f"{engine.name} {engine.version}",
        "ibis": version("ibis-framework"),
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
    }


def _numbers_of(tables: Tables, subject_ids: list[str]) -> list[int]:
    assert isinstance(tables.subjects, Path)
    found = pq.read_table(tables.subjects, columns=["subject_no", "subject_id"], filters=[("subject_id", "in", subject_ids)])
    missing = sorted(set(subject_ids) - set(found["subject_id"].to_pylist()))
    if missing:
        raise DatasetError(f"数据中没有主体 {missing[0]}", f"the dataset has no subject {missing[0]}")
    return sorted(found["subject_no"].to_pylist())


def _counted(batches: Iterable[pa.RecordBatch], counts: Counter[str]) -> Iterable[pa.RecordBatch]:
    for batch in batches:
        for entry in batch["grade"].value_counts().to_pylist():
            counts[entry["values"]] += entry["counts"]
        yield batch


def _input_hashes(tables: Tables) -> dict[str, str]:
    return {name: sha256_of(path) for name, path in tables._asdict().items() if isinstance(path, Path)}


_opened = threading.local()


def _few_rows() -> DuckDBEngine:
    """The engine for few rows, opened once in each thread: a second thread of its own would cost more than it brings."""
    if not hasattr(_opened, "engine"):
        from zhixin.evaluation.engines.duckdb import DuckDBEngine

        _opened.engine = DuckDBEngine(threads=1)
    engine: DuckDBEngine = _opened.engine
    return engine


def reevaluate(
    rulebook: Rulebook,
    tables: Tables,
    moment: Moment,
    subject_nos: Iterable[int],
    *,
    engine: Engine | None = None,
    evidence: bool = True,
) -> tuple[pa.Table, pa.Table]:
    """Grades and contributions of some subjects only: identical to their rows in a full run.

    Subjects related to them by one step are read too, since measures may look there.
    """
    engine = engine or _few_rows()
    outcome = evaluate_tables(rulebook, tables, moment, engine=engine, evidence=evidence, only=sorted(set(subject_nos)))
    grades = pa.Table.from_batches(outcome.grades(), GRADES)
    return grades, pa.Table.from_batches(outcome.contributions(), CONTRIBUTIONS)
