"""The four input tables as Arrow, and the way between them and the facts of single subjects.

``subjects``: subject_no (0 … n−1 in order of subject_id), subject_id, one column per attribute.
``records``: record_no (0 … in order of subject_no, decided_on, record_id), subject_no, the core columns, declared fields.
``relations``: subject_no, related_no, relation, since, until (both inclusive, NULL = open).
``previous``: subject_no, evaluated_on, grade, score_milli, step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.facts import Facts
from zhixin.law.catalogue import FieldDefinition
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import FieldType

if TYPE_CHECKING:
    pass

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


CODED = pa.dictionary(pa.int32(), pa.string())


def repeats(column: pa.Field) -> bool:
    """Whether a column holds texts that occur again and again, and so is better kept as codes of a dictionary."""
    return bool(column.type == pa.string()) and not column.name.endswith("_id")


IN_ORDER = {b"order": b"subject_no"}
"""Says of a table that its rows are in order of subject, so that nobody need look."""
LEFT_OUT = b"left_out"
"""Names the columns that a table in memory does not have and its file does. A column that is absent is NULL, which they are not."""


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
