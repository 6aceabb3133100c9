"""A snapshot: the sealed Parquet tables of a dataset, read and written. ``dataset.json`` is written last: a folder without it is none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from zhixin.dataset.tables import ROW_GROUP, Tables, parquet_writer
from zhixin.errors import DatasetError

TABLE_NAMES = ("subjects", "records", "relations", "previous")


def open_snapshot(folder: Path) -> Tables:
    """The tables of a finished snapshot.

    Raises:
        DatasetError: the folder is no finished snapshot.
    """
    if not (folder / "dataset.json").is_file():
        raise DatasetError(
            f"{folder} 不是完整的数据快照（缺 dataset.json）", f"{folder} is not a finished snapshot (no dataset.json)"
        )
    for name in ("subjects", "records"):
        if not (folder / f"{name}.parquet").is_file():
            raise DatasetError(f"数据快照 {folder} 缺少 {name}.parquet", f"the snapshot {folder} lacks {name}.parquet")
    optional = [folder / f"{name}.parquet" for name in ("relations", "previous")]
    return Tables(
        folder / "subjects.parquet", folder / "records.parquet", *[path if path.is_file() else None for path in optional]
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_batches(batches: Any, path: Path, schema: pa.Schema, statistics: Sequence[str] | None = None) -> int:
    """Write record batches as Parquet with row groups of a fixed size, so that equal rows give equal bytes.

    ``statistics`` as in :func:`zhixin.dataset.tables.parquet_writer`; returns the number of rows.
    """
    rows = 0
    waiting: list[pa.RecordBatch] = []
    held = 0
    with parquet_writer(path, schema, statistics) as writer:
        for batch in batches:
            waiting.append(batch)
            held += len(batch)
            rows += len(batch)
            while held >= ROW_GROUP:
                table = pa.Table.from_batches(waiting, schema)
                writer.write_table(table.slice(0, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)
                waiting = table.slice(ROW_GROUP).to_batches()
                held -= ROW_GROUP
        if held or not rows:
            writer.write_table(pa.Table.from_batches(waiting, schema).combine_chunks(), row_group_size=ROW_GROUP)
    return rows
