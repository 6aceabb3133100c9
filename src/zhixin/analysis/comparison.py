"""Compares two runs: who moves, which indicators moved them, and what it does to the inspectors' workload.

Two rulebooks on the same data are two runs as well: evaluate the snapshot under each, then compare.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.evaluation.archive import RunFolder
from zhixin.law.nodes import constant
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import MeasureRule

MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Mover:
    """One subject whose grade changes, with the indicators that changed, largest change first (thousandths)."""

    subject_id: str
    before: str
    after: str
    score_before: int
    score_after: int
    indicators: tuple[tuple[str, int], ...]
    step_before: str
    step_after: str


@dataclass(frozen=True)
class Workload:
    """Planned inspections a year under a rulebook: a share of each grade's pool plus fixed numbers of checks."""

    by_grade: dict[str, Fraction]

    @property
    def total(self) -> Fraction:
        return sum(self.by_grade.values(), Fraction(0))


@dataclass(frozen=True)
class Comparison:
    """The outcome of :func:`compare`."""

    grades_before: tuple[str, ...]
    grades_after: tuple[str, ...]
    transitions: dict[tuple[str, str], int]
    only_before: int
    only_after: int
    movers: tuple[Mover, ...]
    causes: tuple[tuple[str, int, int], ...]
    """Indicator, subjects whose points it changed among the movers, sum of the changes (thousandths)."""
    workload_before: Workload
    workload_after: Workload

    @property
    def moved(self) -> int:
        return sum(count for (before, after), count in self.transitions.items() if before != after)


def compare(before: RunFolder, after: RunFolder, *, movers: int = 100) -> Comparison:
    """Compare two finished runs, subject by subject.

    Args:
        before: the run compared with.
        after: the run compared.
        movers: how many movers to list; the largest changes of score first.
    """
    with duckdb.connect() as connection:
        for name, folder in (("before", before), ("after", after)):
            for table in ("grades", "contributions"):
                connection.execute(f"CREATE VIEW {name}_{table} AS FROM read_parquet({quoted(_path(folder, table))})")
        pairs = connection.execute(
            "SELECT b.grade, a.grade, count(*) FROM before_grades b JOIN after_grades a USING (subject_id) GROUP BY ALL"
        ).fetchall()
        gone, new = (_only(connection, one, other) for one, other in (("before", "after"), ("after", "before")))
        connection.execute(_MOVED)
        causes = connection.execute(
            "SELECT indicator, count(*), sum(change)::BIGINT FROM moved_points GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        listed = _movers(connection, movers)
    old, new_book = before.resolved, after.resolved
    return Comparison(
        _order(old),
        _order(new_book),
        {(one, other): count for one, other, count in pairs},
        gone,
        new,
        listed,
        tuple(causes),
        workload(old, _path(before, "grades")),
        workload(new_book, _path(after, "grades")),
    )


def _path(folder: RunFolder, table: str) -> Path:
    return folder.path / f"{table}.parquet"


def _order(rulebook: Rulebook) -> tuple[str, ...]:
    return (*rulebook.grade_rank, *(grade.id for grade in rulebook.side_grades))


def _only(connection: Any, one: str, other: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {one}_grades ANTI JOIN {other}_grades USING (subject_id)").fetchone()
    return int(found[0])


_MOVED = """
CREATE TEMP TABLE moved AS
SELECT subject_id, b.grade AS before, a.grade AS after, b.score_milli AS score_before, a.score_milli AS score_after,
       b.step AS step_before, a.step AS step_after
FROM before_grades b JOIN after_grades a USING (subject_id) WHERE b.grade <> a.grade;
CREATE TEMP TABLE moved_points AS
SELECT subject_id, indicator, coalesce(a.points_milli, 0) - coalesce(b.points_milli, 0) AS change
FROM (SELECT * FROM before_contributions SEMI JOIN moved USING (subject_id)) b
FULL JOIN (SELECT * FROM after_contributions SEMI JOIN moved USING (subject_id)) a USING (subject_id, indicator)
WHERE coalesce(a.points_milli, 0) <> coalesce(b.points_milli, 0)
"""


def _movers(connection: Any, most: int) -> tuple[Mover, ...]:
    rows = connection.execute(
        "SELECT * FROM moved ORDER BY abs(score_after - score_before) DESC, subject_id LIMIT ?", [most]
    ).fetchall()
    chosen = [row[0] for row in rows]
    points: dict[str, list[tuple[str, int]]] = {}
    found = connection.execute(
        "SELECT * FROM moved_points WHERE subject_id IN (SELECT unnest(?)) ORDER BY abs(change) DESC, indicator", [chosen]
    ).fetchall()
    for subject, indicator, change in found:
        points.setdefault(subject, []).append((indicator, change))
    return tuple(
        Mover(subject, before, after, score_before, score_after, tuple(points.get(subject, ())), step_before, step_after)
        for subject, before, after, score_before, score_after, step_before, step_after in rows
    )


def workload(rulebook: Rulebook, grades: Path) -> Workload:
    """Planned inspections a year: for every ``inspection`` measure, share of the pool or checks per period.

    Args:
        rulebook: resolved.
        grades: the grades table of a run.
    """
    with duckdb.connect() as connection:
        pools = connection.execute(
            f"SELECT grade, class_mask, count(*) FROM read_parquet({quoted(grades)}) GROUP BY ALL"
        ).fetchall()
    by_grade: dict[str, Fraction] = {}
    for rule in rulebook.measures:
        if rule.scenario != "inspection" or rule.inspect is None:
            continue
        for grade in rule.grades:
            pool = sum(count for name, mask, count in pools if name == grade and _in_classes(rulebook, rule, mask))
            by_grade[grade] = by_grade.get(grade, Fraction(0)) + pool * _checks_a_year(rule)
    return Workload(by_grade)


def _in_classes(rulebook: Rulebook, rule: MeasureRule, mask: int) -> bool:
    order = [item.id for item in rulebook.classes]
    return not rule.classes or any(mask >> order.index(name) & 1 for name in rule.classes)


def _checks_a_year(rule: MeasureRule) -> Fraction:
    inspect = rule.inspect
    assert inspect is not None
    total = Fraction(0)
    if inspect.ratio is not None:
        total += Fraction(constant(inspect.ratio))
    if inspect.times is not None:
        months = Decimal(MONTHS_A_YEAR) if inspect.per_months is None else constant(inspect.per_months)
        total += Fraction(constant(inspect.times)) * MONTHS_A_YEAR / Fraction(months)
    return total


def transition_rows(result: Comparison) -> Iterable[tuple[str, list[int]]]:
    """The transition matrix as rows (grade before, counts by grade after)."""
    for before in result.grades_before:
        counts = [result.transitions.get((before, after), 0) for after in result.grades_after]
        if any(counts):
            yield before, counts
