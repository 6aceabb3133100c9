"""A run over the tables of a dataset: the script's stages in a database, then results decoded in order of subject.

Grades and contributions come as Arrow batches of a fixed size, so that the same inputs give the same bytes whatever the
threads, the database or the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zhixin.compiler import Plan
from zhixin.engines import BATCH_ROWS, DuckDB, Engine
from zhixin.horizon import Horizon
from zhixin.rulebook import Rulebook
from zhixin.scripts import Script, script_for
from zhixin.tables import PREVIOUS, RELATIONS, Tables, read_table

GRADES = pa.schema(
    [
        ("subject_id", pa.string()),
        ("class", pa.string()),
        ("class_mask", pa.int64()),
        ("start_milli", pa.int64()),
        ("implied_milli", pa.int64()),
        ("score_milli", pa.int64()),
        ("ladder_grade", pa.string()),
        ("grade", pa.string()),
        ("step", pa.string()),
        ("acted", pa.string()),
    ]
)
CONTRIBUTIONS = pa.schema(
    [
        ("subject_id", pa.string()),
        ("indicator", pa.string()),
        ("value_num", pa.int64()),
        ("value_den", pa.int64()),
        ("points_milli", pa.int64()),
        ("uncapped_milli", pa.int64()),
        ("record_nos", pa.list_(pa.int64())),
    ]
)


@dataclass
class Outcome:
    """The result of a run: batches in order of subject. The contributions are in the engine until they are read."""

    plan: Plan
    engine: Engine
    subject_ids: _Ids
    graded: pa.Table
    _rows: str
    chosen: pa.Array | None

    def grades(self) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`GRADES`."""
        for batch in self.graded.to_batches(BATCH_ROWS):
            yield self._decoded_grades(batch)

    def contributions(self) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`CONTRIBUTIONS`, by subject and then in order of the rulebook."""
        names = pa.array([item.id for item in self.plan.indicators] + self.plan.scoring.adjustment_names, pa.string())
        for batch in self.engine.batches(self._rows):
            if self.chosen is not None:
                batch = batch.filter(pc.is_in(batch["subject_no"], self.chosen))
            columns = [
                self.subject_ids.take(batch["subject_no"]),
                names.take(batch["indicator_no"]),
                *(batch[name] for name in ("value_num", "value_den", "points", "uncapped")),
                batch["record_nos"] if "record_nos" in batch.schema.names else pa.nulls(len(batch), CONTRIBUTIONS.types[-1]),
            ]
            yield pa.RecordBatch.from_arrays(
                [column.cast(kind) for column, kind in zip(columns, CONTRIBUTIONS.types, strict=True)],
                schema=CONTRIBUTIONS,
            )

    def _decoded_grades(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        deciding = self.plan.scoring.deciding
        classes = [item.id for item in self.plan.rulebook.classes]
        grades, steps = pa.array(deciding.grade_codes, pa.string()), pa.array(deciding.step_names, pa.string())
        columns = [
            self.subject_ids.take(batch["subject_no"]),
            _decoded(batch["class_mask"], lambda mask: classes[(mask & -mask).bit_length() - 1] if mask else None),
            *(batch[name] for name in ("class_mask", "start_milli", "implied_milli", "score_milli")),
            grades.take(batch["ladder_code"]),
            grades.take(batch["grade_code"]),
            steps.take(batch["step_code"]),
            _decoded(
                batch["acted_mask"],
                lambda mask: "|".join(s for n, s in enumerate(deciding.step_names) if mask >> n & 1),
            ),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=GRADES)


def _decoded(codes: Any, name: Any) -> pa.Array:
    """Names of integer codes, each distinct code named once."""
    encoded = pc.dictionary_encode(codes)
    names = pa.array([name(code) for code in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def run(
    rulebook: Rulebook,
    tables: Tables,
    horizon: Horizon,
    *,
    engine: Engine | None = None,
    evidence: bool = True,
    only: Sequence[int] | None = None,
) -> Outcome:
    """Evaluate every subject of a dataset.

    Args:
        rulebook: as loaded; resolved at ``horizon.as_of``.
        tables: subjects, records, relations, previous (see :mod:`zhixin.tables`).
        horizon: evaluation date and what was known.
        engine: an open engine; DuckDB in memory by default.
        evidence: whether contributions carry the numbers of the records behind them.
        only: subject numbers to evaluate; ``None`` for everybody.
    """
    engine = engine or DuckDB()
    engine.begin()
    script = script_for(rulebook, horizon, engine.dialect, evidence=evidence)
    chosen = None if only is None else pa.array(only, pa.int32())
    tables = tables._replace(
        relations=RELATIONS.empty_table() if tables.relations is None else tables.relations,
        previous=PREVIOUS.empty_table() if tables.previous is None else tables.previous,
    )
    if only is not None:
        tables = _within_reach(script, tables, only)
    for name, source in script.sources.items():
        engine.source(name, getattr(tables, source.table), source.schema, source.kinds)
    for name, table in script.smalls.items():
        engine.put(name, table)
    for stage in script.stages:
        engine.keep(stage.name, stage.sql, stage.schema)
        engine.forget(*stage.frees)
    graded = pa.Table.from_batches(engine.batches(script.graded))
    engine.put("adjustments", _adjustments(script, graded))
    if chosen is not None:
        graded = graded.filter(pc.is_in(graded["subject_no"], chosen))
    return Outcome(script.plan, engine, _subject_ids(tables), graded, script.rows, chosen)


def _adjustments(script: Script, graded: pa.Table) -> pa.Table:
    """The rows that make contributions add up (caps, weights, floors, rounding); numbered on after the indicators."""
    assert script.row_schema is not None
    first, parts = len(script.plan.indicators), []
    for number, _ in enumerate(script.plan.scoring.adjustment_names):
        column = graded[f"a{number}"]
        if not pc.any(pc.not_equal(column, 0)).as_py():
            continue
        moved = graded.select(["subject_no", f"a{number}"]).filter(pc.not_equal(column, 0))
        given = {
            "subject_no": moved["subject_no"],
            "indicator_no": pa.repeat(first + number, len(moved)),
            "points": moved[f"a{number}"],
        }
        columns = [
            given[name].cast(kind) if name in given else pa.nulls(len(moved), kind)
            for name, kind in zip(script.row_schema.names, script.row_schema.types, strict=True)
        ]
        parts.append(pa.table(columns, schema=script.row_schema))
    return pa.concat_tables(parts) if parts else script.row_schema.empty_table()


def _subject_ids(tables: Tables) -> _Ids:
    table = read_table(tables.subjects, columns=["subject_no", "subject_id"])
    numbers = table["subject_no"].to_numpy()
    names = table["subject_id"].combine_chunks()
    if np.array_equal(numbers, np.arange(len(numbers))):
        return _Ids(names, None)
    return _Ids(names, pa.array(numbers, pa.int32()))


@dataclass(frozen=True)
class _Ids:
    """subject_no → subject_id; ``numbers`` is ``None`` where the n-th name is that of number n."""

    names: Any
    numbers: Any

    def take(self, wanted: Any) -> Any:
        return self.names.take(wanted if self.numbers is None else pc.index_in(wanted.cast(pa.int32()), self.numbers))


def _within_reach(script: Script, tables: Tables, only: Iterable[int]) -> Tables:
    """The rows of some subjects and of those one step away from them, in memory, with the columns that the script reads."""
    chosen = set(only)
    assert tables.relations is not None
    out, back = (read_table(tables.relations, chosen, key) for key in ("subject_no", "related_no"))
    reach = {*chosen, *out["related_no"].to_pylist(), *back["subject_no"].to_pylist()}
    columns: dict[str, set[str]] = {}
    for source in script.sources.values():
        columns.setdefault(source.table, set()).update(source.schema.names)
    return Tables(
        read_table(tables.subjects, reach, columns=columns["subjects"]),
        read_table(tables.records, reach, columns=columns.get("records", {"subject_no", "kind"})),
        pa.concat_tables([out, back.filter(pc.invert(pc.is_in(back["subject_no"], pa.array(list(chosen), pa.int32()))))]),
        read_table(tables.previous, reach) if tables.previous is not None else None,
    )
