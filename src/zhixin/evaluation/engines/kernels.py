"""Kernels for whole columns: they use that records lie in order of subject and that subjects are numbered 0, 1, 2, …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from zhixin.dataset.reading import scanned
from zhixin.dataset.tables import TableLike
from zhixin.evaluation.plan.plan import EvaluationPlan
from zhixin.evaluation.plan.slots import Slot
from zhixin.evaluation.plan.whole_columns import ColumnPlan
from zhixin.law.vocabulary import Combine

LONG = ["subject_no", "measure_no", "n", "total", "top", "newest"]
"""The long table, as every stage that makes a part of it has it; with evidence ``record_nos`` follows."""


def counted(ready: ColumnPlan, records: TableLike, subjects: int) -> list[pl.DataFrame]:
    """The long table of the simple kinds: every record that counts becomes a number, subject and measure in one, and equal
    numbers are counted. In order of subject they are nearly sorted, and sorting them is cheaper than hashing.
    """
    table = ready.plan.table
    width = max(table.numbers.values()) + 1
    rows = ready.frame(ready.simple, records=scanned(records, ready.sources["records"]))
    kind, slots = number_type(subjects * width), ready.plan.matching.simple_slots
    dated = sorted(table.uses_newest & {slot.measure_no for slot in slots})
    found = pl.concat([_numbered(rows, layer, dated, width, kind) for layer in _layers(slots)])
    frame = found.collect(engine="streaming")
    parts = []
    if dated:
        is_dated = pl.col("is_dated")
        groups = frame.lazy().filter(is_dated).group_by("key")
        nos = {"record_nos": pl.col("record_no").sort()} if ready.evidence else {}
        parts.append(groups.agg(n=pl.len(), newest=pl.col("day").max(), **nos).collect(engine="streaming"))
        frame = frame.lazy().filter(~is_dated).drop("day", "is_dated").collect(engine="streaming")
    parts.append(_runs(frame, ready.evidence))
    return [_as_long(part, ready, width) for part in parts]


def _layers(slots: list[Slot]) -> list[list[Slot]]:
    """Slots in layers: inside one, no kind and no measure occurs twice."""
    layers: list[list[Slot]] = []
    for slot in slots:
        free = (
            layer
            for layer in layers
            if all(slot.kind != other.kind and slot.measure_no != other.measure_no for other in layer)
        )
        layer = next(free, None)
        if layer is None:
            layers.append(layer := [])
        layer.append(slot)
    return layers


def _numbered(rows: pl.LazyFrame, slots: list[Slot], dated: list[int], width: int, kind: type[pl.DataType]) -> pl.LazyFrame:
    """The number of each record that counts for one of the slots, and its day where a measure asks for the newest one.

    A kind becomes its measure by a cast to an Enum.
    """
    kinds = {slot.measure_no: slot.kind for slot in slots}
    places = pl.Enum([kinds.get(number, f"#{number}") for number in range(width)])
    windows: dict[Any, list[int]] = {}
    for slot in slots:
        windows.setdefault(slot.first, []).append(slot.measure_no)
    place, tests = pl.col("place"), []
    for first, numbers in windows.items():
        tests.append(place.is_in(numbers) & (pl.col("day") >= first))
    key = pl.col("subject_no").cast(kind) * width + place.cast(kind)
    return (
        rows.with_columns(place=pl.col("kind").cast(places, strict=False).to_physical())
        .filter(reduce(or_, tests))
        .select(
            *(["record_no"] if "record_no" in rows.collect_schema() else []),
            key=key,
            **({"day": pl.col("day"), "is_dated": place.is_in(dated)} if dated else {}),
        )
    )


def _runs(frame: pl.DataFrame, evidence: bool) -> pl.DataFrame:
    """How often each number occurs, and which records it represents."""
    if evidence:
        frame = frame.select("key", "record_no").sort("key", "record_no")
    runs = (frame["key"] if evidence else frame["key"].sort()).rle()
    counts = pl.DataFrame({"key": runs.struct["value"], "n": runs.struct["len"]})
    if not evidence:
        return counts
    ends = np.concatenate([[0], counts["n"].to_numpy().cumsum(dtype=np.int64)])
    lists = pa.LargeListArray.from_arrays(pa.array(ends), frame["record_no"].to_arrow())
    return counts.with_columns(pl.Series("record_nos", pl.from_arrow(lists), dtype=pl.List(pl.Int64)))


def _as_long(part: pl.DataFrame, ready: ColumnPlan, width: int) -> pl.DataFrame:
    columns = {
        "subject_no": (pl.col("key") // width).cast(pl.Int32),
        "measure_no": (pl.col("key") % width).cast(pl.Int32),
        "n": pl.col("n").cast(pl.Int64),
        "total": pl.lit(None, pl.Int64),
        "top": pl.lit(None, pl.Int64),
        "newest": pl.col("newest") if "newest" in part.columns else pl.lit(None, pl.Date),
    }
    if ready.evidence:
        columns["record_nos"] = pl.col("record_nos")
    return part.select(**{name: columns[name] for name in LONG + ["record_nos"] * ready.evidence})


def beside(people: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """The columns of a part at the places of its subjects, NULL for the others."""
    if part.is_empty():
        blank = {name: pl.lit(None, kind) for name, kind in part.schema.items() if name != "subject_no"}
        return people.with_columns(**blank)
    places = part["subject_no"]
    is_known = (places >= 0) & (places < len(people))
    if not is_known.all():  # relations may name subjects that the dataset does not hold
        part, places = part.filter(is_known), places.filter(is_known)
    columns, rows = [], None
    for name, kind in part.schema.items():
        if kind == pl.String:  # texts cannot be scattered
            if rows is None:
                rows = pl.repeat(None, len(people), dtype=pl.UInt32, eager=True)
                rows = rows.scatter(places, pl.int_range(len(part), dtype=pl.UInt32, eager=True))
            columns.append(part[name].gather(rows))
        elif name != "subject_no":
            empty = pl.repeat(None, len(people), dtype=kind, eager=True)
            columns.append(empty.scatter(places, part[name]).alias(name))
    return people.with_columns(columns)


def totals(plan: EvaluationPlan, parts: Sequence[pl.DataFrame], subjects: int) -> list[pl.Series]:
    """The columns that the stage of the dimensions reads (see ``Scoring.totals``), added up at their places."""
    scoring, dimensions = plan.scoring, plan.rulebook.dimensions
    sums, replaced = np.zeros(subjects * len(dimensions), np.int64), np.zeros(subjects, np.int64)
    for part in parts:
        subject, points = part["subject_no"].to_numpy(), part["points"].to_numpy()
        if scoring.has_defaults:
            default = part["default"].to_numpy()
            np.add.at(replaced, subject, default)
            points = points - default
        np.add.at(sums, part["dimension_no"].to_numpy() * np.int64(subjects) + subject, points)
    columns = [
        pl.Series(f"t{number}", sums[number * subjects : (number + 1) * subjects])
        for number, rule in enumerate(dimensions)
        if rule.combine is Combine.SUM
    ]
    return [*columns, pl.Series("replaced", replaced)] if scoring.has_defaults else columns


def number_type(count: int) -> type[pl.DataType]:
    """The narrowest type for so many numbers: half the width sorts in half the time."""
    return pl.UInt32 if count < 2**32 else pl.UInt64


def adjustments(plan: EvaluationPlan, graded: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The rows that make contributions add up (limits, floors, rounding), numbered on after the indicators.

    ``schema``: columns and types of the contributions; those that an adjustment does not have are NULL.
    """
    first, parts = len(plan.indicators), [pl.LazyFrame(schema=schema)]
    for number, _ in enumerate(plan.scoring.adjustment_names):
        given = {
            "subject_no": pl.col("subject_no"),
            "indicator_no": pl.lit(first + number),
            "points": pl.col(f"a{number}"),
        }
        moved = graded.lazy().filter(pl.col(f"a{number}") != 0)
        parts.append(moved.select(**{name: given.get(name, pl.lit(None)).cast(kind) for name, kind in schema.items()}))
    return pl.concat(parts).collect()
