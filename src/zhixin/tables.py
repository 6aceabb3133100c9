"""The four input tables as Arrow, and the way between them and the facts of single subjects.

``subjects``: subject_no (0 … n−1 in order of subject_id), subject_id, one column per attribute.
``records``: record_no (0 … in order of subject_no, decided_on, record_id), subject_no, the core columns, declared fields.
``relations``: subject_no, related_no, relation, since, until (both inclusive, NULL = open).
``previous``: subject_no, evaluated_on, grade, score_milli, step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from zhixin.catalogue import FieldDefinition
from zhixin.facts import Facts, Previous
from zhixin.rulebook import Rulebook
from zhixin.vocabulary import FieldType

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


def read_table(table: TableLike, subject_nos: Iterable[int] | None = None, key: str = "subject_no") -> pa.Table:
    """A table in memory, restricted to some subjects where they are given (Parquet row groups are skipped)."""
    import pyarrow.parquet as pq

    wanted = None if subject_nos is None else sorted(subject_nos)
    if isinstance(table, Path):
        return pq.read_table(table, filters=None if wanted is None else [(key, "in", wanted)])
    return table if wanted is None else table.filter(pc.is_in(table[key], pa.array(wanted, table[key].type)))


def _grouped(rows: Iterable[dict[str, Any]], key: str) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups
