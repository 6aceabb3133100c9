"""A plan made ready for whole columns: Ibis expressions over the frames of a Polars connection, SQL where windows are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import ibis
import polars as pl
import pyarrow as pa

from zhixin.dataset.reading import narrowed
from zhixin.dataset.tables import PREVIOUS, RELATIONS, records_schema
from zhixin.evaluation.plan.overflow import BoundedStage, Widths
from zhixin.evaluation.plan.plan import EvaluationPlan
from zhixin.evaluation.plan.sql import Hashed, Query, plan_of, query_of
from zhixin.law.measures import AppendedTerm
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

Table = Any


Frame = pl.LazyFrame | pl.DataFrame


_translating = Lock()
"""Ibis reads the frames of a connection while it translates, and scripts of one plan share theirs."""


@dataclass
class ColumnPlan:
    """A plan made ready: Ibis expressions over the frames of a Polars connection, and SQL where windows are needed."""

    plan: EvaluationPlan
    evidence: bool
    connection: Any
    sources: dict[str, pa.Schema]
    """The columns that are read of ``subjects``, of ``records`` of the simple kinds, and of ``other_records``."""
    simple: Table | None
    """Records of the simple kinds that may count."""
    plain: Table | None
    """The long table of their plain measures, over ``other_records``."""
    matched: Table | None
    """What their special measures match, over ``other_records``."""
    special: list[Table | Query]
    """The long table of each special measure, over ``special_matched``."""
    known: Table
    parts: list[Table]
    """Columns added to the subjects: measures from ``long``, and those over related subjects."""
    earlier: Query | None
    """Earlier results as columns of the subjects."""
    classed: Table
    rows: list[Table]
    results: list[tuple[str, Table]]
    """The stages from the totals to the grades: the frame that each makes for the next."""
    widths: Widths
    """Whether all of this fits 64 bits."""

    @property
    def inputs(self) -> dict[str, set[str]]:
        """The columns that are read of subjects and records."""
        records = (set(self.sources[name].names) for name in ("records", "other_records") if name in self.sources)
        return {"subjects": set(self.sources["subjects"].names), "records": {"subject_no", "kind"}.union(*records)}

    def frame(self, expression: Table, **frames: Frame) -> pl.LazyFrame:
        """An expression over some frames, not yet computed."""
        return self.frames([expression], **frames)[0]

    def frames(self, expressions: list[Table], **frames: Frame | None) -> list[pl.LazyFrame]:
        """Several expressions over the same frames; ``None`` where the plan reads no such frame."""
        given = {name: frame for name, frame in frames.items() if frame is not None}
        with _translating:
            declared = {name: self.connection.table(name).schema() for name in given}
            for name, frame in given.items():
                self.connection.create_table(name, frame, overwrite=True)
            found = [self.connection.compile(expression) for expression in expressions]
            for name, schema in declared.items():  # the plan is kept, the frames must not be
                self.connection.create_table(name, schema=schema, overwrite=True)
            return found


class _Preparation:
    """Makes a :class:`ColumnPlan`."""

    def __init__(self, plan: EvaluationPlan, evidence: bool) -> None:
        self.plan, self.evidence = plan, evidence
        self.connection = ibis.polars.connect()
        self.sources: dict[str, pa.Schema] = {}
        self.pieces: dict[str, pl.DataFrame] = {}
        self.stages: list[BoundedStage] = []

    def declare(self, name: str, schema: Any) -> Table:
        """A frame to come, of a known schema."""
        self.connection.create_table(name, schema=schema, overwrite=True)
        return self.connection.table(name)

    def source(self, name: str, schema: pa.Schema) -> Table:
        """A frame that is read from the dataset."""
        self.sources[name] = schema
        return self.declare(name, ibis.Schema.from_pyarrow(schema))

    def records(self, name: str, columns: set[str]) -> Table:
        """Records with some columns, under the plan's names."""
        return self.plan.records(self.source(name, narrowed(records_schema(self.plan.rulebook), columns)))

    def piece(self, table: pa.Table) -> Table:
        """A small table as a frame."""
        name = f"piece_{len(self.pieces)}"
        self.pieces[name] = pl.DataFrame(pl.from_arrow(table))
        return self.connection.create_table(name, self.pieces[name])

    def prepared(self) -> ColumnPlan:
        plan, stages = self.plan, self.stages
        people = plan.subjects(self.source("subjects", plan.subject_columns))
        relations = self.declare("relations", ibis.Schema.from_pyarrow(RELATIONS))
        simple, shapes = self.simple()
        plain, matched, special, more = self.others()
        shapes += more
        long = self.declare("long", shapes[0]) if shapes else None
        known, parts = plan.known(people), plan.measured(people, long, relations)
        earlier = plan.wide.previous(ibis.table(ibis.Schema.from_pyarrow(PREVIOUS), name="previous"))
        columns = dict(known.schema().items())
        for part in (*parts, *([] if earlier is None else [earlier])):
            columns |= dict(part.schema().items())
        classed = plan.classed(self.declare("joined", ibis.schema(columns)))
        rows = plan.row_parts(people, self.declare("base", classed.schema()), long, self.piece, evidence=self.evidence)
        results = self.results(classed.schema(), rows[0].schema())
        beside = [part for part in (known, *parts, earlier) if part is not None]
        stages += [*(BoundedStage("joined", part, is_beside=True) for part in beside), BoundedStage("base", classed)]
        stages += [BoundedStage("rows", part) for part in rows]
        return ColumnPlan(
            plan,
            self.evidence,
            self.connection,
            self.sources,
            simple,
            plain,
            matched,
            special,
            known,
            parts,
            None if earlier is None else query_of(earlier, "duckdb"),
            classed,
            rows,
            results,
            Widths(plan, self.pieces, stages, [BoundedStage(*result) for result in results]),
        )

    def simple(self) -> tuple[Table | None, list[Any]]:
        """Records of the simple kinds that may count, and the schema of their long table."""
        matching = self.plan.matching
        if not matching.simple_slots:
            return None, []
        records = self.records("records", matching.simple_columns(evidence=self.evidence))
        long = matching.simple_long(records, ibis.memtable, evidence=self.evidence)
        return matching.simple_records(records, evidence=self.evidence), [long.schema()]

    def others(self) -> tuple[Table | None, Table | None, list[Table | Query], list[Any]]:
        """The long table of plain measures of the other kinds, what their special ones match, each of these, and schemas.

        An appended term ranks records, and so is SQL.
        """
        matching = self.plan.matching
        if not matching.other_kinds():
            return None, None, [], []
        others = self.records("other_records", matching.other_columns(evidence=self.evidence))
        met = matching.matched(others, self.piece, special=False)
        plain = None if met is None else matching.plain_long(met, evidence=self.evidence)
        shapes = [] if plain is None else [plain.schema()]
        self.stages += [] if plain is None else [BoundedStage("long", plain)]
        matched = matching.matched(others, self.piece, special=True)
        special: list[Table | Query] = []
        if matched is not None:
            declared = self.declare("special_matched", matched.schema())
            named = ibis.table(matched.schema(), name="special_matched")
            self.stages.append(BoundedStage("special_matched", matched))
            for number, measure in sorted(self.plan.table.specials.items()):
                is_term = isinstance(measure, AppendedTerm)
                made = matching.special_long(named if is_term else declared, number, evidence=self.evidence)
                special.append(query_of(made, "duckdb") if is_term else made)
                shapes.append(made.schema())
                self.stages.append(BoundedStage("long", made))
        return plain, matched, special, shapes

    def results(self, base: Any, rows: Any) -> list[tuple[str, Table]]:
        """From the totals to the grades; where inlining would repeat long expressions, each stage by itself."""
        scoring = self.plan.scoring
        totals = dict(scoring.totals(self.declare("rows", rows)).schema().items())
        table = self.declare("totalled", ibis.schema(dict(base.items()) | totals))
        found = []
        for name, stage in (("dimensioned", scoring.dimensioned), ("scored", scoring.scored), ("graded", scoring.graded)):
            table = stage(table)
            if scoring.deciding.is_intricate or name == "graded":
                found.append((name, table))
                table = self.declare(name, table.schema())
        return found


def columns_for(rulebook: Rulebook, moment: Moment, *, evidence: bool = True) -> ColumnPlan:
    """The prepared plan of a rulebook at a moment, made once per (hash, moment, evidence)."""
    return _columns_of(Hashed.of(rulebook), moment, evidence)


@lru_cache(maxsize=64)
def _columns_of(key: Hashed, moment: Moment, evidence: bool) -> ColumnPlan:
    return _Preparation(plan_of(key, moment), evidence).prepared()
