"""The result of an evaluation: what an engine computed, decoded in order of subject.

Grades and contributions come as Arrow batches of a fixed size, so that the same inputs give the same bytes whatever the
threads, the database or the order of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from zhixin.dataset.tables import CODED, ROW_GROUP, repeats

if TYPE_CHECKING:
    from zhixin.evaluation.plan.plan import EvaluationPlan

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


class ComputedBy(Protocol):
    """What computed an outcome, as a run names it."""

    name: str
    version: str


@dataclass
class Outcome:
    """The result of a run: batches in order of subject. A database keeps the contributions until its next run."""

    plan: EvaluationPlan
    engine: ComputedBy
    """What computed it: DuckDB instead of Polars where integers might not have fitted (ADR 19)."""
    subject_ids: pa.Array
    graded: pa.Table
    _rows: Callable[[], Iterator[pa.RecordBatch]]
    chosen: pa.Array | None
    """The numbers of the subjects that were asked for; the rows of others, read for their sake, are left out."""

    def __post_init__(self) -> None:
        if self.chosen is not None:
            self.graded = self.graded.filter(pc.is_in(self.graded["subject_no"], self.chosen))

    def grades(self, *, coded: bool = False) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`GRADES`; names that repeat as codes of a dictionary, if ``coded``."""
        deciding, masks = self.plan.scoring.deciding, self.graded["class_mask"].unique().to_pylist()
        classes, acted = self._classes(masks), _Names.of(self.graded["acted_mask"].unique().to_pylist(), self._acted)
        grades, steps = _Names(deciding.grade_codes), _Names(deciding.step_names)
        for batch in self.graded.to_batches(ROW_GROUP):
            columns = [
                self._ids(batch["subject_no"]),
                classes.named(batch["class_mask"]),
                *(batch[name] for name in ("class_mask", "start_milli", "implied_milli", "score_milli")),
                grades.named(batch["ladder_code"]),
                grades.named(batch["grade_code"]),
                steps.named(batch["step_code"]),
                acted.named(batch["acted_mask"]),
            ]
            yield _batch(columns, GRADES, coded)

    def _ids(self, numbers: pa.Array) -> pa.Array:
        """The ids of subjects in order; of a whole city they lie there as they are."""
        if len(numbers) and numbers[-1].as_py() - numbers[0].as_py() + 1 == len(numbers):
            return self.subject_ids.slice(numbers[0].as_py(), len(numbers))
        return self.subject_ids.take(numbers)

    def _classes(self, masks: list[int]) -> _Names:
        classes = [item.id for item in self.plan.rulebook.classes]
        return _Names.of(masks, lambda mask: classes[(mask & -mask).bit_length() - 1] if mask else None)

    def _acted(self, mask: int) -> str:
        return "|".join(name for number, name in enumerate(self.plan.scoring.deciding.step_names) if mask >> number & 1)

    def contributions(self, *, coded: bool = False) -> Iterator[pa.RecordBatch]:
        """Batches of :data:`CONTRIBUTIONS`, by subject and then in order of the rulebook; ``coded`` as for the grades."""
        names = _Names([item.id for item in self.plan.indicators] + self.plan.scoring.adjustment_names)
        for batch in self._rows():
            if self.chosen is not None:
                batch = batch.filter(pc.is_in(batch["subject_no"], self.chosen))
            columns = [
                self.subject_ids.take(batch["subject_no"]),
                names.named(batch["indicator_no"]),
                *(batch[name] for name in ("value_num", "value_den", "points", "uncapped")),
                batch["record_nos"] if "record_nos" in batch.schema.names else pa.nulls(len(batch), CONTRIBUTIONS.types[-1]),
            ]
            yield _batch(columns, CONTRIBUTIONS, coded)


def coded_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with every text but the subject's id as codes of a dictionary."""
    return pa.schema([(item.name, CODED if repeats(item) else item.type) for item in schema])


def _batch(columns: list[Any], schema: pa.Schema, coded: bool) -> pa.RecordBatch:
    wanted = coded_schema(schema) if coded else schema
    return pa.RecordBatch.from_arrays(
        [column if column.type == kind else column.cast(kind) for column, kind in zip(columns, wanted.types, strict=True)],
        schema=wanted,
    )


class _Names:
    """Names of small numbers, as codes of one dictionary."""

    def __init__(self, names: Sequence[str | None], numbers: Sequence[int] | None = None) -> None:
        known = list(dict.fromkeys(name for name in names if name is not None))
        self.names = pa.array(known, pa.string())
        self.codes = pa.array([None if name is None else known.index(name) for name in names], pa.int32())
        self.numbers = None if numbers is None else pa.array(numbers, pa.int64())

    @classmethod
    def of(cls, numbers: Sequence[int], name: Callable[[int], str | None]) -> _Names:
        """Names of numbers that may be large, such as bits."""
        return cls([name(number) for number in numbers], numbers)

    def named(self, numbers: Any) -> pa.DictionaryArray:
        places = numbers if self.numbers is None else pc.index_in(numbers, self.numbers)
        return pa.DictionaryArray.from_arrays(self.codes.take(places), self.names)
