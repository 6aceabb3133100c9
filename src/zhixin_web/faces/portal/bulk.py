"""Bulk files of open data: CSV and Parquet of published records and public grades; a delta with tombstones; the schema.

A file is made when it is asked for and none of today's is there, or when something was withdrawn, repaired, corrected or
re-graded since it was made: what has ended is never in a file that is handed out.
"""

from __future__ import annotations

import csv
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from zhixin.dataset.spreadsheets import safe_cell
from zhixin.errors import Message
from zhixin_web.audit.queries import ledger_size
from zhixin_web.evaluations.published import every_public_grade, grade_stamp
from zhixin_web.records.published import change_stamp, ended_since, every_published, published_since

BATCH = 5_000
MOST = 10_000
"""Rows of a kind in one answer of the delta; ``has_more`` says that the next answer goes on."""
RECORD_COLUMNS = (
    ("seq", pa.int64(), Message("账本序号", "ledger sequence number of the version shown")),
    ("code", pa.string(), Message("统一社会信用代码", "unified social credit code")),
    ("name", pa.string(), Message("名称", "name")),
    ("kind", pa.string(), Message("信息类别", "record kind")),
    ("severity", pa.string(), Message("失信程度", "severity: minor, general or serious")),
    ("document", pa.string(), Message("认定文书号", "document")),
    ("decided_on", pa.date32(), Message("认定日期", "date of recognition")),
    ("published_from", pa.date32(), Message("公示起", "published from")),
    ("published_until", pa.date32(), Message("公示止（不含）", "published until, not including")),
    ("source", pa.string(), Message("来源", "source")),
)
GRADE_COLUMNS = (
    ("code", pa.string(), Message("统一社会信用代码", "unified social credit code")),
    ("name", pa.string(), Message("名称", "name")),
    ("grade", pa.string(), Message("现行公开等级", "public grade in force")),
    ("since", pa.date32(), Message("自", "since")),
    (
        "reason",
        pa.string(),
        Message("依规则不评价的理由；有等级的为空", "why the rules leave it ungraded; empty with a grade"),
    ),
)
TABLES = {"records": RECORD_COLUMNS, "grades": GRADE_COLUMNS}
FILES = ("records.csv", "records.parquet", "grades.csv", "grades.parquet")


def _rows(table: str) -> Iterator[tuple[Any, ...]]:
    if table == "grades":
        yield from every_public_grade()
        return
    for item, code, name in every_published(timezone.localdate()):
        yield record_row(item, code, name)


def record_row(item: Any, code: str, name: str) -> tuple[Any, ...]:
    """One row of the records table."""
    return (item.seq, code, name, item.kind, item.severity, item.document, item.decided_on, item.publicity_from, item.publicity_until, item.source)  # fmt: skip


def bulk_file(name: str) -> Path:
    """The path of a bulk file as of now."""
    folder = Path(settings.VAR) / "open"
    folder.mkdir(exist_ok=True)
    stamp = hashlib.sha256(f"{change_stamp()}|{grade_stamp()}|{timezone.localdate()}".encode()).hexdigest()[:16]
    path = folder / f"{stamp}-{name}"
    if not path.exists():
        _make(path, name)
        for old in folder.glob(f"*-{name}"):
            if old != path:
                old.unlink(missing_ok=True)
    return path


def _make(path: Path, name: str) -> None:
    table, _, form = name.partition(".")
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    columns = TABLES[table]
    if form == "csv":
        with Path(part).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column for column, _kind, _words in columns])
            for row in _rows(table):
                writer.writerow([safe_cell(value) if isinstance(value, str) else value for value in row])
    else:
        fields = [
            pa.field(column, kind, metadata={"description": words.zh, "description_en": words.en})
            for column, kind, words in columns
        ]
        with pq.ParquetWriter(part, pa.schema(fields)) as writer:
            for rows in _batches(_rows(table)):
                writer.write_batch(pa.RecordBatch.from_arrays([pa.array(column, kind) for column, (_c, kind, _w) in zip(zip(*rows, strict=True), columns, strict=True)], schema=pa.schema(fields)))  # fmt: skip
    Path(part).replace(path)


def _batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    part: list[tuple[Any, ...]] = []
    for row in rows:
        part.append(row)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part


def delta(since: int) -> dict[str, Any]:
    """What was published after a ledger entry and still is, and which earlier entries are no longer published.

    A tombstone holds the number of the new version and a hash of the record's key, never its content.
    """
    names = [column for column, _kind, _words in RECORD_COLUMNS]
    new, old = published_since(since, timezone.localdate(), MOST), ended_since(since, MOST)
    full = [part[-1] for part in ([item.seq for item, *_rest in new], [seq for seq, _key in old]) if len(part) == MOST]
    upto = min(full, default=None)
    added = [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in zip(names, record_row(item, code, subject), strict=True)
        }
        | {"id": record_id(item.key)}
        for item, code, subject in new
        if upto is None or item.seq <= upto
    ]
    ended = [{"seq": seq, "id": record_id(key)} for seq, key in old if upto is None or seq <= upto]
    last = max([since, *(row["seq"] for row in added), *(row["seq"] for row in ended)])
    return {
        "format": "delta/1", "since": since, "next": last, "has_more": upto is not None, "size": ledger_size(),
        "published": added, "ended": ended,
    }  # fmt: skip


def record_id(key: str) -> str:
    """A name of a record that stays the same over its versions; keyed, so that nobody can guess a record from it."""
    return salted_hmac("zhixin.open-data", key, algorithm="sha256").hexdigest()[:24]


def schema() -> dict[str, Any]:
    """Columns of the bulk files and fields of the delta."""
    tables = {
        table: [{"name": name, "type": str(kind), "description": words._asdict()} for name, kind, words in columns]
        for table, columns in TABLES.items()
    }
    return {
        "format": "open-data/1",
        "tables": tables,
        "files": list(FILES),
        "delta": {"published": "records + id", "ended": ["seq", "id"]},
    }
