"""Whether an indicator falls on one group: grades and points taken by district, industry, ownership, size and age.

Groups with fewer than ``FEWEST`` subjects are put together, so that nobody can be singled out and no interval is as wide
as to say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import duckdb

from zhixin.analysis.validity_of_grades import wilson
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.law.vocabulary import Visibility
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import attribute_types, run_folder, sealed_segments, segment_file, segment_folder
from zhixin_web.rulebooks.queries import rulebook_of

FEWEST = 30
FEWEST_HITS = 5
"""Fewer subjects struck say nothing about a group."""
OTHERS = "others"
AGES = "CASE WHEN date_sub('year', established_on, DATE '{day}') < 3 THEN '0-2' WHEN date_sub('year', established_on, DATE '{day}') < 10 THEN '3-9' ELSE '10+' END"
GROUPS = {"district": "district", "industry": "industry", "ownership": "ownership", "scale": "scale", "age": AGES}


@dataclass(frozen=True)
class Cohort:
    """One group: how its grades are spread, its share of the lower half of the ladder with an interval."""

    name: str
    subjects: int
    grades: tuple[tuple[str, int], ...]
    low: int
    share: float
    interval: tuple[float, float]
    differs: bool
    """The interval does not contain the share of everybody."""


@dataclass(frozen=True)
class Burden:
    """An indicator that takes points from one group more often than from everybody."""

    indicator: str
    title: dict[str, str]
    cohort: str
    hits: int
    subjects: int
    share: float
    interval: tuple[float, float]
    overall: float


@dataclass(frozen=True)
class Distribution:
    """Grades by group in the newest released run."""

    run: int
    subjects: int
    overall: float
    grades: tuple[str, ...]
    groups: tuple[Cohort, ...]
    burdens: tuple[Burden, ...]


def latest_groups() -> tuple[str, ...]:
    """What one may group by: attributes that the sources give."""
    return tuple(name for name in GROUPS if name == "age" or name in attribute_types())


def group_distributions(by: str) -> Distribution | None:
    """The newest released evaluation by group; ``None`` where there is none or its grades are not public."""
    newest = Run.objects.newest_decisive()
    if newest is None or rulebook_of(newest.release).visibility.grade != Visibility.PUBLIC:
        return None
    return _distribution(newest.pk, by)


@lru_cache(maxsize=16)
def _distribution(run_pk: int, by: str) -> Distribution:
    run = Run.objects.select_related("release").get(pk=run_pk)
    rulebook = rulebook_of(run.release)
    ladder = tuple(rulebook.grade_rank)
    lower = ladder[len(ladder) // 2 :]
    files = [
        str(segment_file(segment_folder(), "subjects", part.first_seq, part.last_seq))
        for part in sealed_segments(run.known_seq)
    ]
    listed = "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
    column = GROUPS[by].format(day=run.as_of.isoformat())
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TEMP TABLE member AS WITH last AS (SELECT * FROM read_parquet({listed}, union_by_name = true) "
            f"WHERE is_registered AND seq <= {run.known_seq} QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY version DESC) = 1), "
            f"named AS (SELECT subject_id, coalesce(({column})::VARCHAR, '') AS name FROM last) "
            "SELECT g.subject_id, g.grade, name "
            f"FROM read_parquet({quoted(run_folder(run) / 'grades.parquet')}) g JOIN named USING (subject_id) WHERE g.grade IN ({_words(ladder)})"
        )
        sizes = connection.execute("SELECT name, count(*) FROM member GROUP BY 1 ORDER BY 2, 1").fetchall()
        for name in small_groups(sizes):
            connection.execute("UPDATE member SET name = ? WHERE name = ?", [OTHERS, name])
        rows = connection.execute("SELECT name, grade, count(*) FROM member GROUP BY ALL").fetchall()
        struck = connection.execute(
            f"SELECT c.indicator, m.name, count(*) FROM read_parquet({quoted(run_folder(run) / 'contributions.parquet')}) c "
            "JOIN member m USING (subject_id) WHERE c.points_milli < 0 GROUP BY ALL"
        ).fetchall()
    titles = {item.id: {"zh": item.title.zh, "en": item.title.en} for item in rulebook.indicators}
    return _told(run.pk, ladder, lower, rows, struck, titles)


def small_groups(sizes: list[tuple[str, int]]) -> list[str]:
    """Groups to put together: those below ``FEWEST``, and the next smallest until together they are not below it.

    Args:
        sizes: (name, subjects), the smallest first.
    """
    together, taken = [], 0
    for name, size in sizes:
        if size >= FEWEST and (taken == 0 or taken >= FEWEST):
            break
        together.append(name)
        taken += size
    return together


def _words(names: tuple[str, ...]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def _told(
    run: int,
    ladder: tuple[str, ...],
    lower: tuple[str, ...],
    rows: list[tuple[str, str, int]],
    struck: list[tuple[str, str, int]],
    titles: dict[str, dict[str, str]],
) -> Distribution:
    by_group: dict[str, dict[str, int]] = {}
    for name, grade, count in rows:
        by_group.setdefault(name, {})[grade] = count
    sizes = {name: sum(counts.values()) for name, counts in by_group.items()}
    everybody = sum(sizes.values())
    overall = sum(counts.get(grade, 0) for counts in by_group.values() for grade in lower) / (everybody or 1)
    groups = []
    if everybody < FEWEST:
        by_group = {}
    for name, counts in sorted(by_group.items(), key=lambda item: -sizes[item[0]]):
        low = sum(counts.get(grade, 0) for grade in lower)
        interval = wilson(low, sizes[name])
        spread = tuple((grade, counts.get(grade, 0)) for grade in ladder)
        groups.append(
            Cohort(name, sizes[name], spread, low, low / sizes[name], interval, not interval[0] <= overall <= interval[1])
        )
    return Distribution(run, everybody, overall, ladder, tuple(groups), _burdens(struck, sizes, everybody, titles))


def _burdens(
    struck: list[tuple[str, str, int]], sizes: dict[str, int], everybody: int, titles: dict[str, dict[str, str]]
) -> tuple[Burden, ...]:
    """Indicators whose share in one group lies with its whole interval above 1.5 times the share of everybody."""
    totals: dict[str, int] = {}
    for indicator, _name, count in struck:
        totals[indicator] = totals.get(indicator, 0) + count
    found = []
    for indicator, name, count in struck:
        overall = totals[indicator] / (everybody or 1)
        interval = wilson(min(count, sizes[name]), sizes[name])
        if indicator in titles and count >= FEWEST_HITS and interval[0] > 1.5 * overall:
            found.append(
                Burden(indicator, titles[indicator], name, count, sizes[name], count / sizes[name], interval, overall)
            )
    return tuple(sorted(found, key=lambda item: -item.share / item.overall)[:20])
