"""A plan as text: the statements a database runs, stage by stage.

Building Ibis expressions and turning them into SQL costs more than evaluating ten thousand subjects. A script depends on
the rulebook, the moment and the dialect alone, never on the data, so it is written once for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import ibis
import pyarrow as pa

from zhixin.dataset.reading import narrowed
from zhixin.dataset.tables import PREVIOUS, RELATIONS, records_schema
from zhixin.evaluation.plan.plan import EvaluationPlan, compile_rulebook
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

Dialect = Literal["duckdb", "pyspark"]
Table = Any


@dataclass(frozen=True)
class Input:
    """An input as the script reads it: of one of the four tables, these columns, and perhaps only rows of these kinds."""

    table: str
    schema: pa.Schema
    kinds: tuple[str, ...] | None = None


class Query(NamedTuple):
    """A query, and the columns and types of its rows."""

    sql: str
    schema: pa.Schema


@dataclass(frozen=True)
class KeptQuery:
    """A query whose rows are kept under a name; afterwards the tables of ``frees`` are not needed any more."""

    name: str
    query: Query
    frees: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """Everything a database does for a run: inputs, small tables, stages, and the two queries that hand out results.

    ``graded``: one row per subject in order of ``subject_no``, codes for grade and step, adjustments as ``a0``, ``a1``, ….
    ``rows``: the contributions in order, read from ``contribution_rows`` and from the table ``adjustments``, of the same
    columns, that the runner makes of ``graded``.
    """

    plan: EvaluationPlan
    sources: dict[str, Input]
    smalls: dict[str, pa.Table]
    stages: list[KeptQuery]
    graded: str
    rows: Query

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

    @classmethod
    def of(cls, rulebook: Rulebook) -> Hashed:
        return cls(rulebook.sha256, rulebook)


@lru_cache(maxsize=64)
def plan_of(key: Hashed, moment: Moment) -> EvaluationPlan:
    """The compiled rulebook, compiled once per (hash, moment)."""
    return compile_rulebook(key.rulebook, moment)


def script_for(rulebook: Rulebook, moment: Moment, dialect: Dialect = "duckdb", *, evidence: bool = True) -> Script:
    """The script of a rulebook at a moment, written once per (hash, moment, dialect, evidence)."""
    return _script_of(Hashed.of(rulebook), moment, dialect, evidence)


@lru_cache(maxsize=64)
def _script_of(key: Hashed, moment: Moment, dialect: Dialect, evidence: bool) -> Script:
    return _Writer(plan_of(key, moment), dialect, evidence).script()


def query_of(expression: Table, dialect: Dialect) -> Query:
    """An expression over named tables as text."""
    return Query(str(ibis.to_sql(expression, dialect=dialect, pretty=False)), expression.schema().to_pyarrow())


def united(parts: list[Table]) -> Table:
    """All rows of tables with the same columns."""
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


class _Writer:
    """Writes the script of one plan."""

    def __init__(self, plan: EvaluationPlan, dialect: Dialect, evidence: bool) -> None:
        self.plan, self.dialect, self.evidence = plan, dialect, evidence
        self.sources: dict[str, Input] = {}
        self.smalls: dict[str, pa.Table] = {}
        self.stages: list[KeptQuery] = []

    # --- names and text ---

    def source(self, name: str, table: str, schema: pa.Schema, kinds: tuple[str, ...] | None = None) -> Table:
        self.sources[name] = Input(table, schema, kinds)
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

    def small(self, table: pa.Table) -> Table:
        name = f"small_{len(self.smalls)}"
        self.smalls[name] = table
        return ibis.table(ibis.Schema.from_pyarrow(table.schema), name=name)

    def keep(self, name: str, expression: Table, *frees: str) -> Table:
        self.stages.append(KeptQuery(name, query_of(expression, self.dialect), frees))
        return ibis.table(expression.schema(), name=name)

    # --- the stages ---

    def script(self) -> Script:
        """The whole plan."""
        plan, scoring = self.plan, self.plan.scoring
        subjects = plan.subjects(self.source("subjects", "subjects", plan.subject_columns))
        relations = self.source("relations", "relations", RELATIONS)
        previous = self.source("previous", "previous", PREVIOUS)
        parts = [*self.simple_part(), *self.other_parts()]
        long = self.keep("long", united(parts)) if parts else None
        base = self.keep("base", plan.base(subjects, long, relations, previous))
        parts = plan.row_parts(subjects, base, long, self.small, evidence=self.evidence)
        rows = self.keep("contribution_rows", united(parts), *([] if long is None else ["long"]))
        dimensioned = scoring.dimensioned(scoring.totalled(base, rows))
        if scoring.deciding.is_intricate:
            dimensioned = self.keep("dimensioned", dimensioned, "base")
            scored = self.keep("scored", scoring.scored(dimensioned), "dimensioned")
        else:
            scored = scoring.scored(dimensioned)
        shown = rows.drop("dimension_no", *(["default"] if scoring.has_defaults else []))
        everything = ibis.union(shown, ibis.table(shown.schema(), name="adjustments"))
        return Script(
            plan,
            self.sources,
            self.smalls,
            self.stages,
            query_of(scoring.graded(scored).order_by("subject_no"), self.dialect).sql,
            query_of(everything.order_by(["subject_no", "indicator_no"]), self.dialect),
        )

    def simple_part(self) -> list[Table]:
        """The long table of the simple kinds: one narrow pass over all records."""
        matching = self.plan.matching
        if not self.plan.table.simple_kinds():
            return []
        schema = self._narrow(matching.simple_columns(evidence=self.evidence))
        records = self.plan.records(self.source("records", "records", schema))
        return [matching.simple_long(records, self.small, evidence=self.evidence)]

    def other_parts(self) -> list[Table]:
        """The long table of the other kinds (few records, as a rule), from a source of their own."""
        matching = self.plan.matching
        kinds = matching.other_kinds()
        if not kinds:
            return []
        schema = self._narrow(matching.other_columns(evidence=self.evidence))
        others = self.plan.records(self.source("other_records", "records", schema, kinds))
        matched = matching.matched(others, self.small, special=False)
        parts = [] if matched is None else [matching.plain_long(matched, evidence=self.evidence)]
        special = matching.matched(others, self.small, special=True)
        if special is not None:
            kept = self.keep("special_matched", special)
            specials = sorted(self.plan.table.specials)
            parts += [matching.special_long(kept, number, evidence=self.evidence) for number in specials]
        return parts

    def _narrow(self, names: set[str]) -> pa.Schema:
        return narrowed(records_schema(self.plan.rulebook), names)
