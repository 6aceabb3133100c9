"""The real example: Chicago's food inspections, evaluated month by month as they were due, judged on 2014."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from zhixin.analysis.validity_of_grades import Validity, bootstrap, captured, measure, wilson
from zhixin.dataset.tables import Tables
from zhixin.errors import DatasetError
from zhixin.evaluation.engines.polars import PolarsEngine
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

TEST_FROM = date(2014, 1, 1)

ATTRIBUTES = {
    "License": "licence", "pastMinor": "past_minor", "Facility_Type": "facility",
    "firstRecord": "is_first", "consumption_on_premises_incidental_activity": "serves_alcohol", "outdoor_patio": "has_patio",
    "filling_station": "is_filling_station", "tobacco_retail_over_counter": "sells_tobacco",
    "timeSinceLast": "years_since_last", "ageAtInspection": "age", "temperatureMax": "temperature",
    "heat_burglary": "burglary", "heat_garbage": "garbage", "heat_sanitation": "sanitation_plus_one",
}  # fmt: skip


@dataclass(frozen=True)
class ChicagoResult:
    """How our order of 2014's inspections compares with the order in which they were done, and with chance."""

    validity: Validity
    as_it_happened: float
    as_it_happened_interval: tuple[float, float]
    chance_interval: tuple[float, float]
    inspections: pl.DataFrame
    """One row per inspection of every month: date, id, found, score_milli, grade."""


def data_file() -> Path:
    """Return the file of inspections: next to the checkout, or inside an installed package."""
    package = Path(__file__).parents[1]
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / "chicago-food" / "inspections.parquet").is_file():
            return folder / "chicago-food" / "inspections.parquet"
    raise DatasetError(
        "找不到芝加哥检查数据（examples/chicago-food）", "the Chicago data are missing (examples/chicago-food)"
    )


def months(inspections: pl.DataFrame) -> list[date]:
    """The first days of the months in which inspections were due; the first month has no history and is left out."""
    return sorted(inspections["Inspection_Date"].dt.truncate("1mo").unique().to_list())[1:]


def month_tables(inspections: pl.DataFrame, first: date) -> Tables:
    """The inspections due in a month as subjects, the earlier ones of the same licence as their records."""
    month = pl.col("Inspection_Date").dt.truncate("1mo") == first
    due = (
        inspections.filter(month)
        .with_columns(pl.col("Inspection_ID").cast(pl.String).alias("subject_id"))
        .sort("subject_id")
    )
    subjects = due.select(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("subject_no"),
        "subject_id",
        *[_attribute(column, name) for column, name in ATTRIBUTES.items()],
    )
    earlier = inspections.filter(pl.col("Inspection_Date") < first)
    records = (
        due.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("subject_no"), "License")
        .join(earlier, on="License")
        .sort("subject_no", "Inspection_Date", "Inspection_ID")
        .select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias("record_no"),
            "subject_no",
            pl.lit("inspection").alias("kind"),
            pl.col("Inspection_ID").cast(pl.String).alias("record_id"),
            pl.col("Inspection_Date").alias("decided_on"),
            *[pl.col(f"{level}Count").cast(pl.Int64).alias(level) for level in ("critical", "serious", "minor")],
        )
    )
    return Tables(subjects.to_arrow(), records.to_arrow())


def _attribute(column: str, name: str) -> pl.Expr:
    value = pl.col(column)
    if name == "sanitation_plus_one":
        value = value + 1
    if name in ("licence", "facility"):
        return value.cast(pl.String).alias(name)
    if name in ("past_minor",):
        return value.cast(pl.Int64).alias(name)
    if name in ("years_since_last", "age", "temperature", "burglary", "garbage", "sanitation_plus_one"):
        return (value * 10**6).round().cast(pl.Int64).alias(name)
    return value.cast(pl.Boolean).alias(name)


def evaluate_months(
    rulebook: Rulebook, inspections: pl.DataFrame, progress: Callable[[date], None]
) -> Iterator[pl.DataFrame]:
    """Scores and grades of each month's inspections, seen on the last day of the month before."""
    engine = PolarsEngine()
    for first in months(inspections):
        progress(first)
        outcome = evaluate_tables(
            rulebook, month_tables(inspections, first), Moment(first - timedelta(days=1)), engine=engine, evidence=False
        )
        for batch in outcome.grades():
            yield pl.DataFrame(pl.from_arrow(batch)).select("subject_id", "score_milli", "grade")
    engine.close()


def evaluate(rulebook: Rulebook, progress: Callable[[date], None] = lambda first: None) -> ChicagoResult:
    """Evaluate every month, report on 2014 only."""
    inspections = pl.read_parquet(data_file())
    scores = pl.concat(evaluate_months(rulebook, inspections, progress))
    outcome = inspections.select(
        pl.col("Inspection_ID").cast(pl.String).alias("subject_id"),
        pl.col("Inspection_Date").alias("date"),
        pl.col("criticalFound").cast(pl.Int64).alias("found"),
    )
    table = outcome.join(scores, on="subject_id").sort("date", "subject_id")
    test = table.filter(pl.col("date") >= TEST_FROM)
    found = test["found"].to_numpy()
    order = [grade.id for grade in rulebook.ladder]
    result = measure(test["score_milli"].to_numpy(), found, test["grade"].to_list(), order)
    happened = -test["date"].to_physical().to_numpy().astype(float)

    def half(one: Any, other: Any) -> float:
        return captured(one, other, 0.5)

    return ChicagoResult(
        result,
        half(happened, found),
        bootstrap(half, happened, found),
        wilson(int(found.sum()) // 2, int(found.sum())),
        table,
    )
