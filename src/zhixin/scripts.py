"""A plan as text: the statements a database runs, stage by stage.

Building Ibis expressions and turning them into SQL costs more than evaluating ten thousand subjects. A script depends on
the rulebook, the moment and the dialect alone, never on the data, so it is written once for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import ibis
import pyarrow as pa

from zhixin.compiler import Plan, compile_rulebook
from zhixin.horizon import Horizon
from zhixin.rulebook import Rulebook
from zhixin.tables import PREVIOUS, RELATIONS, records_schema, subjects_schema

Dialect = Literal["duckdb", "pyspark"]
Table = Any


@dataclass(frozen=True)
class Source:
    """An input as the script reads it: of one of the four tables, these columns, and perhaps only rows of these kinds."""

    table: str
    schema: pa.Schema
    kinds: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Stage:
    """A query whose rows are kept under a name; afterwards the tables of ``frees`` are not needed any more."""

    name: str
    sql: str
    schema: pa.Schema
    frees: tuple[str, ...] = ()


@dataclass
class Script:
    """Everything a database does for a run: inputs, small tables, stages, and the two queries that hand out results.

    ``graded``: one row per subject in order of ``subject_no``, codes for grade and step, adjustments as ``a0``, ``a1``, ….
    ``rows``: the contributions in order, read from ``contribution_rows`` and from the table ``adjustments`` that the
    runner makes of ``graded``; its columns are ``row_schema``.
    """

    plan: Plan
    sources: dict[str, Source] = field(default_factory=dict)
    smalls: dict[str, pa.Table] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    graded: str = ""
    rows: str = ""
    row_schema: pa.Schema | None = None

    @property
    def inputs(self) -> dict[str, set[str]]:
        """The columns that are read of subjects and records."""
        names: dict[str, set[str]] = {"subjects": set(), "records": {"subject_no", "kind"}}
        for source in self.sources.values():
            if source.table in names:
                names[source.table] |= set(source.schema.names)
        return names


@dataclass(frozen=True)
class Hashed:
    """A rulebook that is hashed and compared by its SHA-256."""

    sha256: str
    rulebook: Rulebook = field(hash=False, compare=False)


def script_for(rulebook: Rulebook, horizon: Horizon, dialect: Dialect = "duckdb", *, evidence: bool = True) -> Script:
    """The script of a rulebook at a moment, written once per (hash, moment, dialect, evidence)."""
    return _script_of(Hashed(rulebook.sha256, rulebook), horizon, dialect, evidence)


@lru_cache(maxsize=64)
def _script_of(key: Hashed, horizon: Horizon, dialect: Dialect, evidence: bool) -> Script:
    return Writer(compile_rulebook(key.rulebook, horizon), dialect, evidence).script()


class Writer:
    """Writes stages of one plan as text."""

    def __init__(self, plan: Plan, dialect: Dialect, evidence: bool) -> None:
        self.plan, self.dialect, self.evidence = plan, dialect, evidence
        self.done = Script(plan)

    # --- names and text ---

    def sql(self, expression: Table) -> str:
        return str(ibis.to_sql(expression, dialect=self.dialect, pretty=False))

    def source(self, name: str, table: str, schema: pa.Schema, kinds: tuple[str, ...] | None = None) -> Table:
        self.done.sources[name] = Source(table, schema, kinds)
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

    def small(self, table: pa.Table) -> Table:
        name = f"small_{len(self.done.smalls)}"
        self.done.smalls[name] = table
        return ibis.table(ibis.Schema.from_pyarrow(table.schema), name=name)

    def keep(self, name: str, expression: Table, frees: tuple[str, ...] = ()) -> Table:
        schema = expression.schema()
        self.done.stages.append(Stage(name, self.sql(expression), schema.to_pyarrow(), frees))
        return ibis.table(schema, name=name)

    # --- the stages ---

    def script(self) -> Script:
        """The whole plan."""
        plan, scoring = self.plan, self.plan.scoring
        subjects, relations, previous = self.beside()
        parts = [*self.simple_part(), *self.other_parts()]
        long = self.keep("long", united(parts)) if parts else None
        base = self.keep("base", plan.base(subjects, long, relations, previous))
        parts = plan.row_parts(subjects, base, long, self.small, evidence=self.evidence)
        rows = self.keep("contribution_rows", united(parts), () if long is None else ("long",))
        dimensioned = scoring.dimensioned(scoring.totalled(base, rows))
        if scoring.deciding.is_intricate:
            dimensioned = self.keep("dimensioned", dimensioned, ("base",))
            scored = self.keep("scored", scoring.scored(dimensioned), ("dimensioned",))
        else:
            scored = scoring.scored(dimensioned)
        self.done.graded = self.sql(scoring.graded(scored).order_by("subject_no"))
        shown = rows.drop("dimension_no", *(["default"] if scoring.has_defaults else []))
        self.done.row_schema = shown.schema().to_pyarrow()
        everything = ibis.union(shown, ibis.table(shown.schema(), name="adjustments"))
        self.done.rows = self.sql(everything.order_by(["subject_no", "indicator_no"]))
        return self.done

    def beside(self) -> tuple[Table, Table, Table]:
        """Subjects under the plan's names, relations, and earlier results."""
        subjects = self.plan.subjects(self.source("subjects", "subjects", subjects_schema(self.plan.rulebook)))
        return subjects, self.source("relations", "relations", RELATIONS), self.source("previous", "previous", PREVIOUS)

    def records(self) -> Table:
        """The records of the simple kinds under the plan's names, with the columns that are read of them."""
        schema = self._narrow(self.plan.matching.simple_columns(evidence=self.evidence))
        return self.plan.records(self.source("records", "records", schema))

    def simple_part(self) -> list[Table]:
        """The long table of the simple kinds: one narrow pass over all records."""
        if not self.plan.table.simple_kinds():
            return []
        return [self.plan.matching.simple_long(self.records(), self.small, evidence=self.evidence)]

    def other_parts(self) -> list[Table]:
        """The long table of the other kinds (few records, as a rule), from a source of their own."""
        matching = self.plan.matching
        kinds = matching.other_kinds()
        if not kinds:
            return []
        others = self.source("other_records", "records", self._narrow(matching.other_columns(evidence=self.evidence)), kinds)
        others = self.plan.records(others)
        matched = matching.matched(others, self.small, special=False)
        parts = [] if matched is None else [matching.plain_long(matched, evidence=self.evidence)]
        special = matching.matched(others, self.small, special=True)
        if special is not None:
            kept = self.keep("special_matched", special)
            specials = sorted(self.plan.table.specials)
            parts += [matching.special_long(kept, number, evidence=self.evidence) for number in specials]
        return parts

    def _narrow(self, names: set[str]) -> pa.Schema:
        """The schema of the records with these columns only."""
        return pa.schema([column for column in records_schema(self.plan.rulebook) if column.name in names])


def united(parts: list[Table]) -> Table:
    """All rows of tables with the same columns."""
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
