"""Every peer gives our grades: the writers every column of both tables we write, the others (subject_no, score, grade).

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

from zhixin.fiction.city import City

AS_OF = date(2026, 11, 1)
WRITERS = ("polars_peer", "duckdb_peer", "pandas_peer", "openfisca_peer")
READERS = (*WRITERS, "zen_peer", "interpreter_peer")
COLUMNS = ["subject_no", "score_milli", "grade"]


def city(subjects: int) -> Path:
    """The folder of a city, made once."""
    folder = Path(tempfile.gettempdir()) / f"zhixin-peers-{subjects}"
    if not (folder / "relations.parquet").exists() or not (folder / "records.parquet").exists():
        City(subjects, 7).write(folder)
    return folder


def table(path: Path) -> pl.DataFrame:
    """A table as written. Text may be a dictionary in the file; without evidence we write no record numbers."""
    frame = pl.read_parquet(path)
    if "record_nos" in frame.columns:
        assert frame["record_nos"].null_count() == len(frame), path
        frame = frame.drop("record_nos")
    return frame.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String))


def check_grades(name: str, folder: Path, expected: pl.DataFrame) -> None:
    found = pl.DataFrame(import_module(name).evaluate(folder, AS_OF)).select(COLUMNS)
    wanted = expected.join(found.select("subject_no"), on="subject_no", how="semi", maintain_order="left")
    assert len(found) == len(wanted) > 0, name
    assert found.equals(wanted), f"{name}: {(found != wanted).sum()}"
    sys.stdout.write(f"{name}: {len(found)} grades equal\n")


def check_written(name: str, folder: Path, out: Path) -> None:
    """Same columns, types, rows, order, values and unknowns as our two tables, which are in ``out``."""
    import_module(name).run(folder, AS_OF, out / name)
    for file in ("grades.parquet", "contributions.parquet"):
        found, wanted = table(out / name / file), table(out / file)
        assert found.schema == wanted.schema, f"{name} {file}: {found.schema} {wanted.schema}"
        assert len(found) == len(wanted), f"{name} {file}: {len(found)} {len(wanted)}"
        differing = [column for column in wanted.columns if found[column].ne_missing(wanted[column]).any()]
        assert not differing, f"{name} {file}: {differing}"
        sys.stdout.write(f"{name}: {file} equal, {len(found)} rows, {len(found.columns)} columns\n")


def check(subjects: int) -> None:
    folder, expected = city(subjects), pl.DataFrame(ours.evaluate(city(subjects), AS_OF))
    assert len(expected) == subjects
    for name in READERS:
        check_grades(name, folder, expected)
    with tempfile.TemporaryDirectory() as out:
        ours.run(folder, AS_OF, Path(out))
        for name in WRITERS:
            check_written(name, folder, Path(out))


if __name__ == "__main__":
    for size in [int(word) for word in sys.argv[1:]] or [20_000, 200_000]:
        check(size)
