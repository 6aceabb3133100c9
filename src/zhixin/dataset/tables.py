"""The four input tables as Arrow, and the way between them and the facts of single subjects.

``subjects``: subject_no (0 … n−1 in order of subject_id), subject_id, one column per attribute.
``records``: record_no (0 … in order of subject_no, decided_on, record_id), subject_no, the core columns, declared fields.
``relations``: subject_no, related_no, relation, since, until (both inclusive, NULL = open).
``previous``: subject_no, evaluated_on, grade, score_milli, step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhixin.dataset.facts import Facts, Previous
from zhixin.errors import DatasetError
from zhixin.law.catalogue import FieldDefinition
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import FieldType

if TYPE_CHECKING:
    import polars as pl

ARROW: dict[FieldType, pa.DataType] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.int64(),
    FieldType.MONEY: pa.int64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.CATEGORY: pa.string(),
    FieldType.SET: pa.string(),
    FieldType.DATE: pa.date32(),
}

RECORD_CORE: dict[str, pa.DataType] = {
    "record_no": pa.int64(),
    "record_id": pa.string(),
    "subject_no": pa.int32(),
    "kind": pa.string(),
    "severity": pa.string(),
    "occurred_on": pa.date32(),
    "decided_on": pa.date32(),
    "published_on": pa.date32(),
    "valid_until": pa.date32(),
    "corrected_on": pa.date32(),
    "repaired_on": pa.date32(),
    "revoked_on": pa.date32(),
    "is_first_offence": pa.bool_(),
    "document": pa.string(),
    "sequence": pa.int64(),
}
RELATIONS = pa.schema(
    [
        ("subject_no", pa.int32()),
        ("related_no", pa.int32()),
        ("relation", pa.string()),
        ("since", pa.date32()),
        ("until", pa.date32()),
    ]
)
PREVIOUS = pa.schema(
    [
        ("subject_no", pa.int32()),
        ("evaluated_on", pa.date32()),
        ("grade", pa.string()),
        ("score_milli", pa.int64()),
        ("step", pa.string()),
    ]
)

TableLike: TypeAlias = "pa.Table | Path"


class Tables(NamedTuple):
    """One dataset, each table in memory or as a Parquet file. ``relations`` and ``previous`` may be absent."""

    subjects: TableLike
    records: TableLike
    relations: TableLike | None = None
    previous: TableLike | None = None


def arrow_type(definition: FieldDefinition) -> pa.DataType:
    return ARROW[definition.type]


def subjects_schema(rulebook: Rulebook) -> pa.Schema:
    fields = [("subject_no", pa.int32()), ("subject_id", pa.string())]
    return pa.schema(fields + [(item.id, arrow_type(item)) for item in rulebook.attributes])


def records_schema(rulebook: Rulebook) -> pa.Schema:
    fields = dict(RECORD_CORE)
    fields |= {name: arrow_type(item) for name, item in rulebook.record_fields.items()}
    return pa.schema(list(fields.items()))


def from_facts(rulebook: Rulebook, facts: Iterable[Facts]) -> Tables:
    """Tables of subjects given as facts; related subjects must be among them. ``record_no`` is taken as given."""
    everyone = sorted(facts, key=lambda item: item.subject_id)
    number = {item.subject_id: position for position, item in enumerate(everyone)}
    subjects = [
        {"subject_no": number[item.subject_id], "subject_id": item.subject_id, **item.attributes} for item in everyone
    ]
    records = [{"subject_no": number[item.subject_id], **record} for item in everyone for record in item.records]
    previous = [
        {
            "subject_no": number[item.subject_id],
            "evaluated_on": result.evaluated_on,
            "grade": result.grade,
            "score_milli": result.score_milli,
            "step": result.step,
        }
        for item in everyone
        for result in item.previous
    ]
    pairs = {
        (number[item.subject_id], number[other.subject_id], relation)
        if direction == "outgoing"
        else (number[other.subject_id], number[item.subject_id], relation)
        for item in everyone
        for (relation, direction), others in item.related.items()
        for other in others
    }
    relations = [{"subject_no": a, "related_no": b, "relation": name} for a, b, name in sorted(pairs)]
    return Tables(
        table_of(subjects, subjects_schema(rulebook)),
        table_of(records, records_schema(rulebook)),
        table_of(relations, RELATIONS),
        table_of(previous, PREVIOUS),
    )


def table_of(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table; keys that are absent become NULL, keys that are not in the schema are dropped."""
    return pa.table({name: pa.array([row.get(name) for row in rows], schema.field(name).type) for name in schema.names})


class FactReader:
    """Reads the facts of chosen subjects from tables held in memory."""

    def __init__(self, rulebook: Rulebook, tables: Tables, as_of: date) -> None:
        self.rulebook = rulebook
        self.as_of = as_of
        self.subjects = {row["subject_no"]: row for row in _rows(tables.subjects)}
        self.records = _grouped(_rows(tables.records), "subject_no")
        self.previous = _grouped(_rows(tables.previous), "subject_no")
        self.outgoing: dict[tuple[int, str], set[int]] = {}
        self.incoming: dict[tuple[int, str], set[int]] = {}
        for row in _rows(tables.relations):
            if _valid(row, as_of):
                self.outgoing.setdefault((row["subject_no"], row["relation"]), set()).add(row["related_no"])
                self.incoming.setdefault((row["related_no"], row["relation"]), set()).add(row["subject_no"])

    def facts(self, subject_no: int, *, with_related: bool = True) -> Facts:
        """The facts of one subject, with those of its related subjects one step away."""
        subject = self.subjects[subject_no]
        related = {}
        if with_related:
            for direction, links in (("outgoing", self.outgoing), ("incoming", self.incoming)):
                for (me, relation), others in links.items():
                    if me == subject_no:
                        related[relation, direction] = tuple(self.facts(no, with_related=False) for no in sorted(others))
        return Facts(
            subject["subject_id"],
            {item.id: subject.get(item.id) for item in self.rulebook.attributes},
            tuple(self.records.get(subject_no, ())),
            tuple(
                Previous(row["evaluated_on"], row["grade"], row["score_milli"], row["step"] or "cut")
                for row in self.previous.get(subject_no, ())
            ),
            related,
        )

    def everyone(self) -> Iterable[Facts]:
        return (self.facts(number) for number in sorted(self.subjects))


def _valid(row: Mapping[str, Any], as_of: date) -> bool:
    since, until = row.get("since"), row.get("until")
    return (since is None or since <= as_of) and (until is None or until >= as_of)


def _rows(table: TableLike | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    rows: list[dict[str, Any]] = read_table(table).to_pylist()
    return rows


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


CODED = pa.dictionary(pa.int32(), pa.string())


def repeats(column: pa.Field) -> bool:
    """Whether a column holds texts that occur again and again, and so is better kept as codes of a dictionary."""
    return bool(column.type == pa.string()) and not column.name.endswith("_id")


def _decoded(table: pa.Table) -> pa.Table:
    """The same with texts in place of their codes."""
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, table[column.name].cast(pa.string()))
    return table


IN_ORDER = {b"order": b"subject_no"}
"""Says of a table that its rows are in order of subject, so that nobody need look."""
LEFT_OUT = b"left_out"
"""Names the columns that a table in memory does not have and its file does. A column that is absent is NULL, which they are not."""


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


ROW_GROUP = 122_880
"""Rows of a row group in every file that is written, and of a batch in memory."""
_ENCODINGS = {
    "record_no": "DELTA_BINARY_PACKED",
    "sequence": "DELTA_BINARY_PACKED",
    "record_nos.list.element": "DELTA_BINARY_PACKED",
    "record_id": "DELTA_BYTE_ARRAY",
}
"""Columns that rise along the rows: stored as differences they take no room, and skipping over them takes no time."""
_DIFFERENT = {"subject_id"}
"""Columns for which a dictionary is lost work; in order, they compress best as they are."""


def parquet_writer(path: Path, schema: pa.Schema, statistics: Sequence[str] | None = None) -> pq.ParquetWriter:
    """A writer of Parquet in the project's encodings; the rest is up to the row groups that the caller writes.

    ``statistics``: the columns by which readers skip row groups; all of them by default.
    """
    leaves = {f"{name}.list.element" if pa.types.is_list(schema.field(name).type) else name for name in schema.names}
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=sorted(leaves - _ENCODINGS.keys() - _DIFFERENT),
        column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in leaves},
        write_statistics=True if statistics is None else list(statistics),
        store_schema=False,  # what is handed over as codes of a dictionary is read back as text
    )


def _grouped(rows: Iterable[dict[str, Any]], key: str) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups
