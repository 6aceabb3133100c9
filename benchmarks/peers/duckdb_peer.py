"""The rulebook by hand in DuckDB: ``duckdb_peer.sql`` and the dates it needs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from rules import GENERAL, ORDER, Moment

SQL = Path(__file__).with_suffix(".sql")


def filled(folder: Path, as_of: date) -> str:
    """The statements with paths and dates written in, so that the optimizer sees constants."""
    moment = Moment(as_of)
    dates = {f"m{months}": moment.first(months) for months in (3, 12, 24, 36, 60, 120)}
    dates |= {f"y{years}": moment.anniversary(years) for years in (1, 3, 5)}
    dates |= {"general": moment.first(GENERAL), "as_of": as_of}
    words = {name: f"DATE '{day}'" for name, day in dates.items()} | {"month_and_day": str(moment.month_and_day)}
    words |= {name: f"'{folder / name}.parquet'" for name in ("subjects", "records", "relations")}
    text = SQL.read_text(encoding="utf-8")
    for name in sorted(words, key=len, reverse=True):
        text = text.replace(f"${name}", words[name])
    return text


def computed(folder: Path, as_of: date) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(filled(folder, as_of))
    return connection


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    with computed(folder, as_of) as connection:
        return connection.sql("SELECT * FROM grades ORDER BY subject_no").to_arrow_table()


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    places = "MAP {" + ", ".join(f"'{name}': {number}" for number, name in enumerate(ORDER)) + "}"
    contributions = f"""
        SELECT subject_no, indicator, given.v AS value, given.p AS points_milli
        FROM (UNPIVOT (SELECT subject_no, {structs()} FROM points) ON COLUMNS(* EXCLUDE subject_no) INTO NAME indicator VALUE given)
        ORDER BY subject_no, {places}[indicator]"""
    with computed(folder, as_of) as connection:
        for name, query in (("grades", "FROM grades ORDER BY subject_no"), ("contributions", contributions)):
            connection.execute(f"COPY ({query}) TO '{out / name}.parquet' (COMPRESSION zstd)")


def structs() -> str:
    """Every indicator as one type of struct, which UNPIVOT wants."""
    return ", ".join(f"{name}::STRUCT(v BIGINT, p BIGINT) AS {name}" for name in ORDER)
