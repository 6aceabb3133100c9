"""However large the numbers: what fits 64 bits comes out as the interpreter says, and what does not is refused.

Numbers of random facts are enlarged until sums and products no longer fit. Polars would wrap them silently.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given

from examples import examples
from property.agreement import Drawn, compiled, disagreement, drawn, interpreted
from shipped import shipped
from strategies import Dataset
from zhixin.dataset.facts import Facts
from zhixin.dataset.snapshot import open_snapshot
from zhixin.dataset.tables import PREVIOUS
from zhixin.errors import TooLarge
from zhixin.evaluation.engines.polars import PolarsEngine, TooWide
from zhixin.evaluation.plan.overflow import Widths
from zhixin.evaluation.plan.whole_columns import ColumnPlan, columns_for
from zhixin.fiction.city import City
from zhixin.law.moment_and_windows import Moment

MOST = 10**18
"""A thousand times what intake accepts."""
FACTORS = [1, 10**9, 10**14, 10**18]


def enlarged(dataset: Dataset, factor: int) -> Dataset:
    """The same facts with every number so many times as large, up to the most."""

    def more(values: dict[str, Any]) -> dict[str, Any]:
        numbers = {name: item for name, item in values.items() if type(item) is int and not name.startswith("record_")}
        return {
            **values,
            **{name: max(min(item * factor, MOST), -MOST) for name, item in numbers.items() if name != "sequence"},
        }

    def of(facts: Facts) -> Facts:
        return replace(facts, attributes=more(dict(facts.attributes)), records=tuple(more(dict(r)) for r in facts.records))

    return replace(dataset, subjects=tuple(of(facts) for facts in dataset.subjects))


def test_large_numbers_come_out_right_or_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = PolarsEngine(threads=1)
    told = {"same": 0, "refused": 0, "left to DuckDB": 0}
    fit = Widths.fit

    def watched(self: Widths, *inputs: Any) -> bool:
        fits = fit(self, *inputs)
        told["left to DuckDB"] += not fits
        return fits

    monkeypatch.setattr(Widths, "fit", watched)

    @examples(40, in_test=16)
    @given(example=drawn())
    def right_or_refused(example: Drawn) -> None:
        for factor in FACTORS:
            larger = Drawn(example.rulebook, enlarged(example.dataset, factor))
            try:
                given = compiled(larger.rulebook, larger.dataset, engine)
            except TooLarge:
                told["refused"] += 1
                continue
            wrong = disagreement(larger, interpreted(larger.rulebook, larger.dataset), given)
            assert not wrong, f"{factor}: {wrong}"
            told["same"] += 1

    right_or_refused()
    engine.close()
    assert told["same"] > 30
    assert told["left to DuckDB"] > 3
    assert told["refused"]


def test_no_number_of_a_run_lies_outside_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame that a stage is handed, in every run that Polars may compute, against the intervals found before it."""
    engine = PolarsEngine(threads=1)
    intervals: dict[str, Any] = {}
    checked = 0
    put_through = ColumnPlan.frames

    def watched(self: ColumnPlan, expressions: list[Any], **frames: Any) -> list[pl.LazyFrame]:
        nonlocal checked
        for name, frame in frames.items():
            whole = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
            for column in () if whole is None or name == "records" else whole:
                if column.dtype.is_integer() and len(column.drop_nulls()) and column.name in intervals[name]:
                    low, high, is_known = intervals[name][column.name]
                    assert low <= column.min() <= column.max() <= high, (name, column)  # type: ignore[operator]
                    assert not (is_known and column.null_count()), (name, column)
                    checked += 1
        return put_through(self, expressions, **frames)

    monkeypatch.setattr(ColumnPlan, "frames", watched)

    @examples(25, in_test=8)
    @given(example=drawn())
    def inside(example: Drawn) -> None:
        ready = columns_for(example.rulebook, example.dataset.moment)
        asked = ready.widths.intervals

        def remembered(*arguments: Any) -> Any:
            intervals.clear()
            intervals.update(asked(*arguments) or {})
            return intervals or None

        for factor in FACTORS:
            larger = Drawn(example.rulebook, enlarged(example.dataset, factor))
            ready.widths.told.clear()
            monkeypatch.setattr(ready.widths, "intervals", remembered)
            try:
                compiled(larger.rulebook, larger.dataset, engine)
            except TooLarge:
                continue

    inside()
    engine.close()
    assert checked > 600


def test_a_city_is_known_to_fit(tmp_path: Any) -> None:
    """Otherwise DuckDB would compute what Polars does in half the time, and nobody would notice."""
    City(2_000, 7).write(tmp_path)
    tables = open_snapshot(tmp_path)
    engine = PolarsEngine(threads=1)
    ready = columns_for(shipped("zhengzhou-ip"), Moment(date(2026, 11, 1)))
    try:
        engine.results(ready, tables._replace(previous=PREVIOUS.empty_table()))
    except TooWide:
        pytest.fail("left to DuckDB")
    finally:
        engine.close()
