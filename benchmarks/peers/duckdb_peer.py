"""The rulebook by hand in DuckDB: ``duckdb_peer.sql`` and the paths, lists and dates it needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from rules import COUNTED, DIMENSION_OF, DIMENSIONS, GENERAL, NAMES, ORDER, STAINS, TERM, Moment

SQL = Path(__file__).with_suffix(".sql")
FEW = {kind for rule in COUNTED if rule.each < 0 for kind in rule.kinds} | {*STAINS, "gi.approval", "standard.certified"}


def quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def counted_rows(moment: Moment) -> str:
    """One row of constants for each kind of each counting indicator."""
    return ",\n".join(
        f"('{rule.id}', '{kind}', DATE '{moment.first(rule.months)}', {rule.each}, {rule.limit}, "
        f"{f'[{quoted(rule.severities)}]' if rule.severities else 'NULL'}, '{rule.scope}', '{rule.spared}')"
        for rule in COUNTED
        for kind in rule.kinds
    )


def filled(folder: Path, as_of: date, sql: Path = SQL) -> str:
    """The statements with paths, lists and dates written in, so that the optimizer sees constants."""
    moment = Moment(as_of)
    dates = {f"m{months}": moment.first(months) for months in (3, 12, 24, 36, 60, 120)}
    dates |= {f"y{years}": moment.anniversary(years) for years in (1, 3, 5)}
    dates |= {"general": moment.first(GENERAL), "as_of": as_of}
    words = {name: f"DATE '{day}'" for name, day in dates.items()} | {"month_and_day": str(moment.month_and_day)}
    words |= {name: f"'{folder / name}.parquet'" for name in ("subjects", "records", "relations")}
    words |= {"names": quoted(NAMES), "few": quoted(sorted({*FEW, "enforcement.defaulter"})), "stains": quoted(STAINS)}
    words |= {"term": quoted(TERM), "counted": counted_rows(moment)}
    inside = {dimension: [n for n, name in enumerate(ORDER) if DIMENSION_OF[name] == dimension] for dimension in DIMENSIONS}
    words["sums"] = ", ".join(
        f"coalesce(sum(points) FILTER (place BETWEEN {places[0]} AND {places[-1]}), 0)::BIGINT AS {dimension}"
        for dimension, places in inside.items()
    )
    text = sql.read_text(encoding="utf-8")
    for name in sorted(words, key=len, reverse=True):
        text = text.replace(f"${name}", words[name])
    return text


def computed(folder: Path, as_of: date, sql: Path = SQL) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(filled(folder, as_of, sql))
    return connection


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    query = "SELECT (row_number() OVER () - 1)::INT AS subject_no, score_milli, grade FROM grades"
    with computed(folder, as_of) as connection:
        return connection.sql(query).to_arrow_table()


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    with computed(folder, as_of) as connection:
        for name in ("grades", "contributions"):
            connection.execute(f"COPY (FROM {name}) TO '{out / name}.parquet' (COMPRESSION zstd, COMPRESSION_LEVEL 1)")
