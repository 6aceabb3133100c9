"""The dataset contract: input files → a checked snapshot, or rows in quarantine; every row is in exactly one of them.

A dataset folder holds ``subjects``, ``records`` and optionally ``relations`` and ``previous`` as CSV, Excel or Parquet.
:func:`accept` checks each cell, then each row, then the table as a whole (duplicates, unknown subjects), and writes a
snapshot: Parquet sorted by subject, ``quarantine/*.csv`` with rule, field, value, reason, remedy, and ``dataset.json``,
which is written last: a folder without it is not a snapshot.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.contract import contract
from zhixin.dataset.delivery.source_files import SourceFiles
from zhixin.dataset.folders import begin_folder, check_place, put_in_place
from zhixin.dataset.intake import DUPLICATE, NO_SUBJECT, Intake, Progress, rows_at
from zhixin.dataset.quarantine import Quarantine, TableReport
from zhixin.dataset.sheets_and_encodings import SUFFIXES, quoted
from zhixin.dataset.snapshot import TABLE_NAMES, sha256_of, write_batches
from zhixin.dataset.sources import sources
from zhixin.dataset.tables import ROW_GROUP, records_schema
from zhixin.errors import DatasetError
from zhixin.law.rulebook import Rulebook


@dataclass
class Report:
    """The outcome of :func:`accept`."""

    folder: Path
    tables: dict[str, TableReport] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        return sum(table.quarantined for table in self.tables.values())


def find_tables(folder: Path) -> dict[str, Path]:
    """Return the files of a dataset folder by table or by source.

    Raises:
        DatasetError: no subjects, one table in two files, or a file that is neither a table nor a source.
    """
    found: dict[str, Path] = {}
    _refuse_unknown(folder)
    for name in (*TABLE_NAMES, *sources()):
        files = [file for file in _files(folder) if file.stem == name and file.suffix.lower() in SUFFIXES]
        if len(files) > 1:
            names = "、".join(file.name for file in files)
            raise DatasetError(
                f"{folder} 中 {name} 有多个文件：{names}", f"{folder} has more than one file of {name}: {names}"
            )
        if files:
            found[name] = files[0]
    if "subjects" not in found and not any(sources()[name].gives == "subjects" for name in found if name in sources()):
        raise DatasetError(
            f"{folder} 中没有 subjects 文件（CSV、Excel 或 Parquet）",
            f"{folder} has no subjects file (CSV, Excel or Parquet)",
        )
    return found


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*")) if file.is_file() and not file.name.startswith(".")]


def _refuse_unknown(folder: Path) -> None:
    """Refuse a folder with a table that nobody would read: a misnamed file must not vanish.

    Raises:
        DatasetError: names the files and what they may have been meant to be.
    """
    known = {*TABLE_NAMES, *sources()}
    strange = [
        file
        for file in _files(folder)
        if file.suffix.lower() != ".md" and (file.suffix.lower() not in SUFFIXES or file.stem not in known)
    ]
    if strange:
        names = "、".join(file.name for file in strange)
        likely = get_close_matches(strange[0].stem.lower(), known, 1)
        hint = (f"（是不是 {likely[0]}？）", f" (is it {likely[0]}?)") if likely else ("", "")
        raise DatasetError(
            f"{folder} 中有无法识别的文件：{names}{hint[0]}；请改名为 {'、'.join(TABLE_NAMES)} 或数据来源的编号（{'、'.join(SUFFIXES)}），或移出该文件夹",
            f"{folder} holds files that are not known: {names}{hint[1]}; name them {', '.join(TABLE_NAMES)} or by the id of a source, "
            "or move them away",
        )


def accept(
    rulebook: Rulebook,
    folder: Path,
    out: Path,
    as_of: date,
    *,
    epoch: int = 1900,
    answers: Mapping[str, Mapping[str, str]] | None = None,
    progress: Progress = lambda table, rows: None,
) -> Report:
    """Check a dataset folder and write a snapshot into ``out``.

    Args:
        rulebook: gives attributes, kinds and fields.
        folder: see the module's docstring.
        out: made new; an unfinished earlier try is replaced, a finished snapshot too.
        as_of: records decided after it are quarantined.
        epoch: 1900 or 1904, for spreadsheet serials in text files.
        answers: by source, what a person says of its file (``unit:amount`` → ``10000``).
        progress: called with table and rows read, about every 50,000 rows.
    """
    files = find_tables(folder)
    check_place(out, "dataset.json", folder)
    work = begin_folder(out)
    (work / "quarantine").mkdir()
    report = Report(out)
    delivered = {name: path for name, path in files.items() if name not in TABLE_NAMES}
    _refuse_both(folder, files, delivered)

    def take_in(name: str) -> None:
        report.tables[name] = Intake(rulebook, name, files[name], work, as_of, epoch, progress).read()

    if delivered:
        reader = SourceFiles(rulebook, delivered, work, as_of, answers or {}, epoch)
        if "subjects" in files:
            take_in("subjects")
            reader.know(pq.read_table(work / "subjects.staging", columns=["subject_id", "name"]))
        files |= reader.read()
        report.tables |= reader.reports
    for name in TABLE_NAMES:
        if name in files and name not in report.tables:
            take_in(name)
    _Settlement(rulebook, work, report, files).settle()
    _seal(work, report, files)
    put_in_place(work, out, "dataset.json")
    return report


def _refuse_both(folder: Path, files: Mapping[str, Path], delivered: Collection[str]) -> None:
    """Refuse a folder in which a table and the files of sources give the same.

    Raises:
        DatasetError: names both.
    """
    tables = {"subjects": "subjects", "attributes": "subjects", "records": "records"}
    given = {tables[sources()[name].gives]: name for name in delivered if sources()[name].gives in tables}
    for table, source in sorted(given.items()):
        if table in files:
            raise DatasetError(
                f"{folder} 中既有 {table} 表又有来源文件 {source}，两者给出同样的内容；只留一种",
                f"{folder} holds the table {table} and the file of the source {source}, which give the same; keep one",
            )


def _seal(work: Path, report: Report, files: Mapping[str, Path]) -> None:
    """Write dataset.json last: hashes of inputs and outputs, and counts that add up."""
    for name, table in report.tables.items():
        assert table.adds_up, f"{name}: {table.rows} rows, {table.accepted} accepted, {table.quarantined} quarantined"
    content = {
        "format": "dataset/1",
        "inputs": {name: {"file": path.name, "sha256": sha256_of(path)} for name, path in files.items() if path.is_file()},
        "tables": {
            name: {
                "rows": table.rows,
                "accepted": table.accepted,
                "quarantined": table.quarantined,
                "duplicates": table.duplicates,
                "rules": dict(sorted(table.rules.items())),
            }
            for name, table in report.tables.items()
        },
        "outputs": {path.name: sha256_of(path) for path in sorted(work.glob("*.parquet"))},
    }
    (work / "dataset.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


class _Settlement:
    """Whole-table checks in DuckDB (duplicates, unknown subjects), then the sorted Parquet files."""

    KEYS = {
        "subjects": "subject_id",
        "records": "record_id",
        "relations": "subject_id, related_id, relation, since",
        "previous": "subject_id, evaluated_on",
    }

    def __init__(self, rulebook: Rulebook, work: Path, report: Report, files: Mapping[str, Path]) -> None:
        self.rulebook, self.work, self.report, self.files = rulebook, work, report, files
        self.connection = duckdb.connect(
            config={"preserve_insertion_order": True, "memory_limit": "2GB", "temp_directory": str(work / "spill")}
        )
        self.connection.execute("SET enable_progress_bar = false")  # it would mix with what is printed

    def settle(self) -> None:
        for name in TABLE_NAMES:
            if name in self.report.tables:
                self._stage(name)
        for name in TABLE_NAMES:  # subjects first: the others take their numbers from them
            if name in self.report.tables:
                self._write(name)
            elif name == "records":
                empty = records_schema(self.rulebook).empty_table()
                pq.write_table(empty, self.work / "records.parquet")
        for path in self.work.glob("*.staging"):
            path.unlink()
        self.connection.close()
        shutil.rmtree(self.work / "spill", ignore_errors=True)

    def _stage(self, name: str) -> None:
        """A view of the rows that pass; the others go to quarantine."""
        staging = self.work / f"{name}.staging"
        key = self.KEYS[name]
        known = "true" if name == "subjects" else "subject_id IN (SELECT subject_id FROM subjects)"
        if name == "relations":
            known += " AND related_id IN (SELECT subject_id FROM subjects)"
        self.connection.execute(
            f"CREATE VIEW {name}_all AS SELECT *, coalesce({known}, false) AS is_known FROM read_parquet({quoted(staging)})"
        )
        # Only keys and lines are grouped, which DuckDB spills; ranking whole rows in a window would need them all in memory.
        columns = key.split(", ")
        same = " AND ".join(f"a.{column} IS NOT DISTINCT FROM d.{column}" for column in columns)
        self.connection.execute(
            f"CREATE TABLE {name}_doubled AS SELECT {key}, is_known, min(line) AS first FROM {name}_all "
            f"GROUP BY {key}, is_known HAVING count(*) > 1"
        )
        self.connection.execute(
            f"CREATE TABLE {name}_refused AS SELECT line FROM {name}_all WHERE NOT is_known UNION SELECT a.line FROM {name}_all a "
            f"JOIN {name}_doubled d ON {same} AND a.is_known = d.is_known AND a.line > d.first"
        )
        self.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {name}_all ANTI JOIN {name}_refused USING (line)")
        self._quarantine_refused(name, columns[0])

    def _quarantine_refused(self, name: str, shown: str) -> None:
        """Write the refused rows of a table as they came, each with its reason; ``shown`` is the field that is doubled."""
        report = self.report.tables[name]
        quarantine = _Appending(self.work / "quarantine" / f"{name}.csv", report)
        subjects = f"{name}_all" if name == "subjects" else "subjects"
        other = "related_id" if name == "relations" else "NULL"
        refused = self.connection.execute(
            f"SELECT line, is_known, subject_id IN (SELECT subject_id FROM {subjects}), subject_id, {shown}, {other} "
            f"FROM {name}_all SEMI JOIN {name}_refused USING (line) ORDER BY line"
        ).fetchall()
        as_they_came = rows_at(self.files[name], [line for line, *_ in refused])
        for line, is_known, knows_subject, subject, value, related in refused:
            if is_known:
                quarantine.add(line, shown, value, DUPLICATE, as_they_came[line])
            elif knows_subject:
                quarantine.add(line, "related_id", related, NO_SUBJECT, as_they_came[line])
            else:
                quarantine.add(line, "subject_id", subject, NO_SUBJECT, as_they_came[line])
        quarantine.close()
        report.accepted = report.rows - report.quarantined

    def _write(self, name: str) -> None:
        path = self.work / f"{name}.parquet"
        names = [column for column in contract(self.rulebook, name) if column != "subject_id"]
        query = _ORDERED[name].format(
            columns=", ".join(f'r."{column}"' for column in names),
            subjects=f"read_parquet({quoted(self.work / 'subjects.parquet')})",
        )
        reader = self.connection.execute(query).to_arrow_reader(ROW_GROUP)
        if name not in _NUMBERS:
            write_batches(reader, path, reader.schema)
            return
        schema = reader.schema.insert(0, _NUMBERS[name])
        write_batches(_numbered(reader, schema), path, schema)


_ORDERED = {
    "subjects": "SELECT r.subject_id, {columns} FROM subjects r ORDER BY r.subject_id",
    "records": "SELECT s.subject_no, {columns} FROM records r JOIN {subjects} s USING (subject_id) "
    "ORDER BY s.subject_no, r.decided_on, r.record_id",
    "relations": "SELECT a.subject_no, b.subject_no AS related_no, r.relation, r.since, r.until FROM relations r "
    "JOIN {subjects} a ON a.subject_id = r.subject_id JOIN {subjects} b ON b.subject_id = r.related_id ORDER BY ALL",
    "previous": "SELECT s.subject_no, p.evaluated_on, p.grade, p.score AS score_milli, coalesce(p.step, 'cut') AS step "
    "FROM previous p JOIN {subjects} s USING (subject_id) ORDER BY ALL",
}


_NUMBERS = {"subjects": pa.field("subject_no", pa.int32()), "records": pa.field("record_no", pa.int64())}
"""Rows that are numbered in their order, while they are written: a window over them would need them all in memory."""


def _numbered(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches in order, with the number of each row in front."""
    first = 0
    for batch in batches:
        numbers = pa.array(np.arange(first, first + len(batch)), schema.types[0])
        yield pa.RecordBatch.from_arrays([numbers, *batch.columns], schema=schema)
        first += len(batch)


class _Appending(Quarantine):
    """Goes on with a quarantine file that the first stage began."""

    def __init__(self, path: Path, report: TableReport) -> None:
        self.report = report
        self.file = path.open("a", encoding="utf-8", newline="")
        self.writer = csv.writer(self.file)
