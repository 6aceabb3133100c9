"""What each grade of the flagship separates in the fictional city: ``python benchmarks/separation.py [subjects]``.

Prints, for the subjects in scope, how many hold each grade, and of them the share with a deduction for conduct, the mean of the
points for creation, management and honours, and the share under a direct rule or a cap.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl

from zhixin import City, evaluate, load_rulebook

SEED = 20211230
MERIT = ("creation", "management", "commitment")
CONDUCT = ("conduct", "protection", "online")


def main(subjects: int) -> None:
    rulebook = load_rulebook("zhengzhou-ip")
    dimension = {item.id: item.dimension for item in rulebook.indicators}
    with tempfile.TemporaryDirectory() as folder:
        City(subjects, SEED).write(Path(folder) / "city")
        run = evaluate(rulebook, Path(folder) / "city", Path(folder) / "run", City.as_of)
        grades = pl.read_parquet(run.path / "grades.parquet").select("subject_id", "grade", "step")
        given = pl.read_parquet(run.path / "contributions.parquet").select("subject_id", "indicator", "points_milli")
    given = given.with_columns(part=pl.col("indicator").replace_strict(dimension, default=""))
    merit = given.filter(pl.col("part").is_in(MERIT)).group_by("subject_id").agg(merit=pl.col("points_milli").sum() / 1000)
    faults = given.filter(pl.col("part").is_in(CONDUCT) & (pl.col("points_milli") < 0))
    faulty = faults.select("subject_id").unique().with_columns(is_faulty=pl.lit(True))
    table = grades.join(merit, on="subject_id", how="left").join(faulty, on="subject_id", how="left")
    shown = table.group_by("grade").agg(
        subjects=pl.len(),
        with_deduction=(100 * pl.col("is_faulty").fill_null(False).mean()).round(1),
        merit=pl.col("merit").fill_null(0).mean().round(2),
        by_rule=(100 * (pl.col("step") != "cut").mean()).round(1),
    )
    order = [*rulebook.grade_rank, *(item.id for item in rulebook.side_grades)]
    for row in sorted(shown.iter_rows(named=True), key=lambda row: order.index(row["grade"])):
        print(*row.values(), sep="\t")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
