"""Every peer gives the same (subject_no, score_milli, grade) as our engine, and the writers the same contributions.

python benchmarks/peers/check_equal.py [SUBJECTS ...]   (default 20000 200000; cities are made under the temporary folder)
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from importlib import import_module
from pathlib import Path

import ours
import polars as pl

from zhixin.synthetic import City

AS_OF = date(2026, 11, 1)
WRITERS = ("polars_peer", "duckdb_peer", "pandas_peer")
READERS = (*WRITERS, "openfisca_peer", "zen_peer", "interpreter_peer")
COLUMNS = ["subject_no", "score_milli", "grade"]


def city(subjects: int) -> Path:
    """The folder of a city, made once."""
    folder = Path(tempfile.gettempdir()) / f"zhixin-peers-{subjects}"
    if not (folder / "relations.parquet").exists() or not (folder / "records.parquet").exists():
        City(subjects, 7).write(folder)
    return folder


def our_contributions(folder: Path, out: Path) -> pl.DataFrame:
    """Our rows in the columns of the peers: money in fen, ratios in thousandths rounded down, no adjustments."""
    keys = pl.read_parquet(folder / "subjects.parquet", columns=["subject_no", "subject_id"])
    table = pl.read_parquet(out / "contributions.parquet").filter(~pl.col("indicator").str.starts_with("@"))
    scale = pl.col("indicator").replace_strict(
        {"fines": 100, "damages": 100, "maintenance": 1000, "takedowns_per_shop": 1000}, default=1, return_dtype=pl.Int64
    )
    table = table.join(keys, on="subject_id", maintain_order="left")
    return table.select(
        "subject_no", "indicator", pl.col("value_num") * scale // pl.col("value_den"), "points_milli"
    ).rename({"value_num": "value"})


def check_grades(name: str, folder: Path, expected: pl.DataFrame) -> None:
    found = pl.DataFrame(import_module(name).evaluate(folder, AS_OF)).select(COLUMNS)
    wanted = expected.join(found.select("subject_no"), on="subject_no", how="semi", maintain_order="left")
    assert len(found) == len(wanted) > 0, name
    assert found.equals(wanted), f"{name}: {(found != wanted).sum()}"
    sys.stdout.write(f"{name}: {len(found)} grades equal\n")


def check_written(name: str, folder: Path, out: Path, expected: pl.DataFrame, rows: pl.DataFrame) -> None:
    import_module(name).run(folder, AS_OF, out / name)
    assert pl.read_parquet(out / name / "grades.parquet").equals(expected), name
    assert pl.read_parquet(out / name / "contributions.parquet").equals(rows), name
    sys.stdout.write(f"{name}: {len(rows)} contributions equal\n")


def check(subjects: int) -> None:
    folder, expected = city(subjects), pl.DataFrame(ours.evaluate(city(subjects), AS_OF))
    assert len(expected) == subjects
    for name in READERS:
        check_grades(name, folder, expected)
    with tempfile.TemporaryDirectory() as out:
        ours.run(folder, AS_OF, Path(out))
        rows = our_contributions(folder, Path(out))
        for name in WRITERS:
            check_written(name, folder, Path(out), expected, rows)


if __name__ == "__main__":
    for size in [int(word) for word in sys.argv[1:]] or [20_000, 200_000]:
        check(size)
