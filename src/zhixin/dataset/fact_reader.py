"""Facts of single subjects read from the four tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from zhixin.dataset.facts import Facts, Previous
from zhixin.law.rulebook import Rulebook

if TYPE_CHECKING:
    pass
from zhixin.dataset.reading import read_table
from zhixin.dataset.tables import TableLike, Tables


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


def _grouped(rows: Iterable[dict[str, Any]], key: str) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups
