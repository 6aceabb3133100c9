"""Facts from the database as sealed Parquet segments, and a dataset for a run made from them.

A segment holds the versions of one range of ledger sequence numbers and is never written again, so a run exports only
what came since the last one. A dataset takes the last version of each key known at the run's sequence number. The same
facts give the same bytes, however they were cut into segments.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from zhixin.dataset.folders import begin_folder, flush, put_in_place
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.dataset.snapshot import sha256_of, write_batches
from zhixin.dataset.sources import ENGINE_FIELDS, sources
from zhixin.dataset.tables import PREVIOUS, ROW_GROUP, records_schema, subjects_schema
from zhixin.errors import DatasetError
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import Run, Segment
from zhixin_web.records.models import CreditRecord, SubjectVersion

BATCH = 20_000
DATES = ("occurred_on", "decided_on", "published_on", "valid_until", "corrected_on", "repaired_on", "revoked_on")
RECORDS = pa.schema(
    [("seq", pa.int64()), ("key", pa.string()), ("version", pa.int32()), ("subject_id", pa.string()), ("kind", pa.string()), ("state", pa.string()), ("severity", pa.string()), ("document", pa.string())]
    + [(name, pa.date32()) for name in DATES]
    + [("amount", pa.int64()), ("quantity", pa.int64()), ("code", pa.string())]
)  # fmt: skip
_TYPES = {"integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(), "money": pa.int64(), "money_wan": pa.int64()}


@cache
def attribute_types() -> dict[str, pa.DataType]:
    """Attributes that the sources give, with their Arrow types."""
    found: dict[str, pa.DataType] = {}
    for manifest in sources().values():
        if manifest.gives in ("subjects", "attributes"):
            for item in manifest.fields:
                if item.to and item.to not in ("subject_id", "name"):
                    found[item.to] = _TYPES.get(item.type, pa.string())
    return dict(sorted(found.items()))


def subjects_segment_schema() -> pa.Schema:
    head = [
        ("seq", pa.int64()),
        ("subject_id", pa.string()),
        ("source", pa.string()),
        ("version", pa.int32()),
        ("is_registered", pa.bool_()),
    ]
    return pa.schema(head + list(attribute_types().items()))


def segment_folder() -> Path:
    return Path(settings.VAR) / "segments"


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


def _record_batches(first: int, last: int) -> Iterator[pa.RecordBatch]:
    rows = CreditRecord.objects.filter(seq__gte=first, seq__lte=last).order_by("seq")
    columns = rows.values_list("seq", "key", "version", "subject__code", "body")
    for part in _parts(columns):
        bodies = [json.loads(row[4]) if row[4] else {} for row in part]
        data: dict[str, list[Any]] = {
            "seq": [row[0] for row in part],
            "key": [row[1] for row in part],
            "version": [row[2] for row in part],
            "subject_id": [row[3] for row in part],
            "kind": [body.get("kind") for body in bodies],
            "state": [body.get("state", "erased") for body in bodies],
            "severity": [body.get("severity") for body in bodies],
            "document": [body.get("document") for body in bodies],
        }
        data |= {name: [_day(body.get(name)) for body in bodies] for name in DATES}
        data |= {name: [body.get("fields", {}).get(name) for body in bodies] for name in ENGINE_FIELDS}
        yield pa.RecordBatch.from_pydict(data, schema=RECORDS)


def _subject_batches(first: int, last: int) -> Iterator[pa.RecordBatch]:
    schema = subjects_segment_schema()
    rows = SubjectVersion.objects.filter(seq__gte=first, seq__lte=last).order_by("seq")
    registering = {item.id for item in sources().values() if item.gives == "subjects"}
    dates = {name for name, kind in attribute_types().items() if pa.types.is_date(kind)}
    for part in _parts(rows.values_list("seq", "subject__code", "source", "version", "body")):
        attributes = [json.loads(row[4])["attributes"] if row[4] else {} for row in part]
        data: dict[str, list[Any]] = {
            "seq": [row[0] for row in part],
            "subject_id": [row[1] for row in part],
            "source": [row[2] for row in part],
            "version": [row[3] for row in part],
            "is_registered": [row[2] in registering and bool(found) for row, found in zip(part, attributes, strict=True)],
        }
        for name in attribute_types():
            data[name] = [_day(found.get(name)) if name in dates else found.get(name) for found in attributes]
        yield pa.RecordBatch.from_pydict(data, schema=schema)


def _parts(rows: Any) -> Iterator[list[Any]]:
    part = []
    for row in rows.iterator(chunk_size=BATCH):
        part.append(row)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part


def write_segment(folder: Path, first: int, last: int) -> tuple[str, str]:
    """Write the versions of a range; gives the hashes of records and subjects."""
    folder.mkdir(parents=True, exist_ok=True)
    hashes = []
    for name, batches, schema in (
        ("records", _record_batches(first, last), RECORDS),
        ("subjects", _subject_batches(first, last), subjects_segment_schema()),
    ):
        part = folder / f"{name}-{first}-{last}.part"
        write_batches(batches, part, schema)
        flush(part)
        part.replace(segment_file(folder, name, first, last))
        hashes.append(sha256_of(segment_file(folder, name, first, last)))
    return hashes[0], hashes[1]


def segment_file(folder: Path, name: str, first: int, last: int) -> Path:
    return folder / f"{name}-{first}-{last}.parquet"


def sealed_segments(known_seq: int) -> list[Segment]:
    """The sealed segments up to a sequence number; each is checked against its hash.

    Raises:
        DatasetError: a sealed file was changed or is gone.
    """
    found = list(Segment.objects.filter(first_seq__lte=known_seq).order_by("first_seq"))
    for item in found:
        for name, expected in (("records", item.sha256_records), ("subjects", item.sha256_subjects)):
            path = segment_file(segment_folder(), name, item.first_seq, item.last_seq)
            if not path.is_file() or sha256_of(path) != expected:
                raise DatasetError(
                    f"数据段 {path.name} 已被改动或缺失", f"the sealed segment {path.name} was changed or is gone"
                )
    return found


def build_dataset(
    out: Path, folder: Path, ranges: Sequence[tuple[int, int]], rulebook: Rulebook, known_seq: int, previous: Iterable[Run]
) -> None:
    """Make the dataset of a run from segments; ``dataset.json`` is written last."""
    work = begin_folder(out)
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(work / "spill")}) as connection:
        connection.execute("SET enable_progress_bar = false")
        files = {name: [str(segment_file(folder, name, *item)) for item in ranges] for name in ("records", "subjects")}
        _write(
            connection,
            work / "subjects.parquet",
            _subjects_query(files["subjects"], rulebook, known_seq),
            subjects_schema(rulebook),
        )
        _write(
            connection,
            work / "records.parquet",
            _records_query(files["records"], work, rulebook, known_seq),
            records_schema(rulebook),
        )
        query = _previous_query(previous, work)
        if query:
            _write(connection, work / "previous.parquet", query, PREVIOUS)
    shutil.rmtree(work / "spill", ignore_errors=True)
    content = {
        "format": "dataset/1",
        "known_seq": known_seq,
        "outputs": {path.name: sha256_of(path) for path in sorted(work.glob("*.parquet"))},
    }
    (work / "dataset.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    put_in_place(work, out, "dataset.json")


def _write(connection: duckdb.DuckDBPyConnection, path: Path, query: str, schema: pa.Schema) -> None:
    reader = connection.execute(query).to_arrow_reader(ROW_GROUP)
    write_batches((batch.cast(schema) for batch in reader), path, schema)


def _list(files: Sequence[str]) -> str:
    return "read_parquet([" + ", ".join(quoted(Path(file)) for file in files) + "], union_by_name = true)"


def _sql_type(kind: pa.DataType) -> str:
    names = {pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.bool_(): "BOOLEAN", pa.date32(): "DATE"}
    return names.get(kind, "VARCHAR")


def _subjects_query(files: Sequence[str], rulebook: Rulebook, known_seq: int) -> str:
    given = attribute_types()
    columns = []
    for field in subjects_schema(rulebook):
        if field.name in ("subject_no", "subject_id"):
            continue
        value = f'max("{field.name}")' if field.name in given else "NULL"
        columns.append(f'{value}::{_sql_type(field.type)} AS "{field.name}"')
    return (
        f"WITH last AS (SELECT * FROM {_list(files)} WHERE seq <= {known_seq} "
        "QUALIFY row_number() OVER (PARTITION BY subject_id, source ORDER BY version DESC) = 1) "
        f"SELECT (row_number() OVER (ORDER BY subject_id) - 1)::INTEGER AS subject_no, subject_id, {', '.join(columns)} "
        "FROM last GROUP BY subject_id HAVING bool_or(is_registered) ORDER BY subject_id"
    )


def _records_query(files: Sequence[str], work: Path, rulebook: Rulebook, known_seq: int) -> str:
    kinds = ", ".join("'" + item.id.replace("'", "''") + "'" for item in rulebook.catalogue)
    given = {
        "record_id": "r.seq::VARCHAR",
        "subject_no": "s.subject_no",
        "sequence": "r.seq",
        "is_first_offence": "NULL::BOOLEAN",
    }
    given |= {name: f"r.{name}" for name in ("kind", "document", *DATES, *ENGINE_FIELDS)}
    classed = " ".join(
        f"WHEN '{item.id}' THEN '{item.severity}'" for item in rulebook.catalogue if item.severity is not None
    )
    given["severity"] = f"COALESCE(r.severity, CASE r.kind {classed} END)" if classed else "r.severity"
    columns = [
        f'{given.get(field.name, "NULL")}::{_sql_type(field.type)} AS "{field.name}"'
        for field in records_schema(rulebook)
        if field.name != "record_no"
    ]
    return (
        f"WITH last AS (SELECT * FROM {_list(files)} WHERE seq <= {known_seq} "
        "QUALIFY row_number() OVER (PARTITION BY key ORDER BY version DESC) = 1) "
        "SELECT row_number() OVER (ORDER BY s.subject_no, r.decided_on, r.seq) - 1 AS record_no, "
        f"{', '.join(columns)} FROM last r JOIN read_parquet({quoted(work / 'subjects.parquet')}) s USING (subject_id) "
        f"WHERE r.state NOT IN ('withdrawn', 'erased') AND r.kind IN ({kinds}) ORDER BY s.subject_no, r.decided_on, r.seq"
    )


def _previous_query(previous: Iterable[Run], work: Path) -> str:
    parts = [
        f"SELECT s.subject_no, DATE '{run.as_of.isoformat()}' AS evaluated_on, g.grade, g.score_milli, g.step "
        f"FROM read_parquet({quoted(run_folder(run) / 'grades.parquet')}) g "
        f"JOIN read_parquet({quoted(work / 'subjects.parquet')}) s USING (subject_id)"
        for run in previous
    ]
    return " UNION ALL ".join(parts) + " ORDER BY 1, 2" if parts else ""


def run_folder(run: Run) -> Path:
    """Where a run's archive lies."""
    return Path(settings.VAR) / "runs" / run.folder


def read_grades(folder: Path) -> list[dict[str, Any]]:
    """The grades of an archived run."""
    rows: list[dict[str, Any]] = pq.read_table(
        folder / "grades.parquet", columns=["subject_id", "grade", "score_milli", "step", "class"]
    ).to_pylist()
    return rows
