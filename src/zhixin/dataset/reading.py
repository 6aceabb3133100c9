"""Reads of the four tables: whole, by subject, by column; and the check of their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhixin.errors import DatasetError

if TYPE_CHECKING:
    import polars as pl
from zhixin.dataset.tables import IN_ORDER, LEFT_OUT, TableLike


def read_table(
    table: TableLike,
    subject_nos: Iterable[int] | None = None,
    key: str = "subject_no",
    columns: Collection[str] | None = None,
) -> pa.Table:
    """A table in memory: the rows of some subjects where they are given, and of ``columns`` those that there are.

    From a file, only pages that hold such rows are unpacked (Polars), so that a few subjects cost little more than their
    rows.
    """
    import polars as pl

    if isinstance(table, pa.Table):
        if columns is not None:
            table = table.select([name for name in table.column_names if name in columns])
        return _decoded(table if subject_nos is None else _rows_of(table, sorted(set(subject_nos)), key))
    schema = pq.read_schema(table)
    names = [name for name in schema.names if columns is None or name in columns]
    if subject_nos is None:
        return pq.read_table(table, columns=names)
    wanted = pl.Series(sorted(subject_nos), dtype=pl.Int32)
    rows = pl.scan_parquet(table).filter(pl.col(key).is_in(wanted.implode())).select(names).collect(engine="streaming")
    return rows.to_arrow().cast(pa.schema([schema.field(name) for name in names]))


def _rows_of(table: pa.Table, subject_nos: list[int], key: str) -> pa.Table:
    """The rows of some subjects; where the table is in their order, found by halving each piece and not by reading it."""
    batches = [batch for batch in table.to_batches() if len(batch)]
    pieces = [batch[key].to_numpy() for batch in batches]
    is_noted = key == "subject_no" and IN_ORDER.items() <= (table.schema.metadata or {}).items()
    if not is_noted and not _in_order(pieces):
        return table.filter(pc.is_in(table[key], pa.array(subject_nos, table[key].type)))
    parts = []
    for batch, piece in zip(batches, pieces, strict=True):
        wanted = np.asarray(subject_nos, piece.dtype)  # of another type, the whole piece would be converted first
        wanted = wanted[np.searchsorted(wanted, piece[0]) : np.searchsorted(wanted, piece[-1], "right")]
        first, last = (np.searchsorted(piece, wanted, side) for side in ("left", "right"))
        counts = last - first
        if counts.any():
            starts = np.repeat(first - (counts.cumsum() - counts), counts)
            parts.append(batch.take(pa.array(starts + np.arange(len(starts)))))
    return pa.Table.from_batches(parts, table.schema).combine_chunks()


def _in_order(pieces: list[Any]) -> bool:
    in_each = all(np.all(piece[1:] >= piece[:-1]) for piece in pieces)
    return in_each and all(one[-1] <= other[0] for one, other in pairwise(pieces))


def _decoded(table: pa.Table) -> pa.Table:
    """The same with texts in place of their codes."""
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, table[column.name].cast(pa.string()))
    return table


def check_columns(table: TableLike | None, columns: Collection[str]) -> None:
    """Refuse a table from which a column that is to be read was left out.

    Raises:
        DatasetError: names the column.
    """
    noted = {} if table is None or isinstance(table, Path) else table.schema.metadata or {}
    for name in sorted({*noted.get(LEFT_OUT, b"").decode().split(",")} & {*columns}):
        raise DatasetError(
            f"内存映射的数据中没有 {name} 一列；请按这份规则重新调用 hold",
            f"the held tables lack the column {name}: call hold again for this rulebook",
        )


def scanned(source: TableLike, schema: pa.Schema, kinds: Collection[str] | None = None) -> pl.LazyFrame:
    """A source with the columns and types of a schema (absent ones NULL), and only rows of some kinds, if given.

    From a file, the other columns are unpacked for pages that hold such rows only: half the work of DuckDB.
    """
    import polars as pl

    frame = pl.scan_parquet(source) if isinstance(source, Path) else pl.DataFrame(pl.from_arrow(source)).lazy()
    given = frame.collect_schema()
    if kinds is not None:
        frame = frame.filter(pl.col("kind").is_in(list(kinds)))
    wanted = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
    return frame.select((pl.col(n) if n in given else pl.lit(None).alias(n)).cast(kind) for n, kind in wanted.items())


def check_numbers(subjects: Any, records: TableLike) -> None:
    """Hold the tables to their contract, on which every place of a result rests.

    Args:
        subjects: the numbers of the subjects in order, as a NumPy array.
        records: their numbers of subjects are looked at; of a file, its statistics.

    Raises:
        DatasetError: subjects are not numbered 0, 1, 2, …, or a record names a subject that is not there.
    """
    if not np.array_equal(subjects, np.arange(len(subjects))):
        raise DatasetError(
            "subjects 的 subject_no 应为从 0 开始的连续整数；请用 zhixin accept 生成数据快照",
            "subject_no of subjects must run 0, 1, 2, … without gaps: make the snapshot with zhixin accept",
        )
    highest = _highest(records)
    if highest is not None and highest >= len(subjects):
        raise DatasetError(
            f"records 中有主体 {highest}，而 subjects 只有 {len(subjects)} 个；请用 zhixin accept 生成数据快照",
            f"records name the subject {highest}, and there are {len(subjects)} subjects: make the snapshot with zhixin accept",
        )


def _highest(records: TableLike) -> int | None:
    """The highest number of a subject, if there is any record."""
    if isinstance(records, Path):
        metadata = pq.read_metadata(records)
        place = metadata.schema.to_arrow_schema().names.index("subject_no")
        groups = [metadata.row_group(number).column(place) for number in range(metadata.num_row_groups)]
        known = [group.statistics for group in groups if group.num_values]
        if all(item is not None and item.has_min_max for item in known):
            return max((item.max for item in known), default=None)
        records = pq.read_table(records, columns=["subject_no"])
    highest: int | None = pc.max(records["subject_no"]).as_py()
    return highest


def count_rows(table: TableLike) -> int:
    """How many rows a table has."""
    rows: int = pq.read_metadata(table).num_rows if isinstance(table, Path) else len(table)
    return rows


def narrowed(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    """The columns of a schema that are named, in its order."""
    return pa.schema([column for column in schema if column.name in names])
