"""Indicators under watch: coverage, drift between two runs, and whether they still separate where findings exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import duckdb

from zhixin.analysis.validity_of_grades import stability_of_shares, wilson
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.queries import rulebook_of

DRIFT_WATCH, DRIFT_ACT = 0.1, 0.25
"""Customary bounds of the population stability index: below 0.1 stable, above 0.25 shifted."""
FEWEST = 30
FINDINGS = {"inspection.problem": True, "inspection.clean": False}


@dataclass(frozen=True)
class Watched:
    """One indicator: how many subjects it says something about, how its points drifted, and what it finds."""

    indicator: str
    title: dict[str, str]
    dimension: dict[str, str]
    subjects: int
    coverage: float
    drift: float | None
    hit: tuple[int, int] | None
    """Findings and inspections among subjects it took points from."""
    hit_interval: tuple[float, float] | None
    base: float | None
    """Share of findings among everybody inspected."""
    note: str
    """``silent``, ``drifts``, ``drifted``, ``separates_no_more`` or empty."""


def watched(newest: Run, before: Run | None) -> list[Watched]:
    """Every indicator of the newest released run, against the run before it and the inspections after that one."""
    return list(_watched(newest.pk, before.pk if before else 0))


@lru_cache(maxsize=4)
def _watched(newest_pk: int, before_pk: int) -> tuple[Watched, ...]:
    newest = Run.objects.select_related("release").get(pk=newest_pk)
    before = Run.objects.get(pk=before_pk) if before_pk else None
    rulebook = rulebook_of(newest.release)
    now = _distribution(newest)
    then = _distribution(before) if before else None
    total = newest.summary.get("subjects") or 1
    findings = _findings(before.as_of if before else newest.as_of)
    struck = _struck(before or newest)
    return tuple(_one(rulebook, item, total, now, then, findings, struck) for item in rulebook.indicators)


def _one(
    rulebook: Rulebook, item: Any, total: int, now: Any, then: Any, findings: dict[str, bool], struck: dict[str, set[str]]
) -> Watched:
    dimension = next(part for part in rulebook.dimensions if part.id == item.dimension)
    counts = now.get(item.id, {})
    covered = sum(counts.values())
    drift = None
    if then is not None:
        old, new = dict(then.get(item.id, {})), dict(counts)
        old["none"], new["none"] = max(total - sum(old.values()), 0), max(total - covered, 0)
        drift = stability_of_shares(old, new) if any(old.values()) and any(new.values()) else None
    inspected = [findings[code] for code in struck.get(item.id, ()) if code in findings]
    base = sum(findings.values()) / len(findings) if findings else None
    hit = (sum(inspected), len(inspected)) if inspected else None
    interval = wilson(*hit) if hit else None
    return Watched(
        item.id, {"zh": item.title.zh, "en": item.title.en}, {"zh": dimension.title.zh, "en": dimension.title.en}, covered,
        covered / total, drift, hit, interval, base, note_of(covered, drift, hit, interval, base),
    )  # fmt: skip


def note_of(
    covered: int, drift: float | None, hit: tuple[int, int] | None, interval: tuple[float, float] | None, base: float | None
) -> str:
    """What an officer should look at: nothing measured, drift, or an indicator that finds no more than chance."""
    if not covered:
        return "silent"
    if drift is not None and drift > DRIFT_ACT:
        return "drifted"
    if hit is not None and interval is not None and base is not None and hit[1] >= FEWEST and interval[1] < base:
        return "separates_no_more"
    if hit is not None and base is not None and hit[1] >= FEWEST and hit[0] / hit[1] <= base:
        return "separates_no_more"
    if drift is not None and drift > DRIFT_WATCH:
        return "drifts"
    return ""


def _distribution(run: Run) -> dict[str, dict[str, int]]:
    """Points → number of subjects, by indicator."""
    found: dict[str, dict[str, int]] = {}
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT indicator, points_milli::VARCHAR, count(*) FROM read_parquet({quoted(run_folder(run) / 'contributions.parquet')}) GROUP BY ALL"
        ).fetchall()
    for indicator, points, count in rows:
        found.setdefault(indicator, {})[points] = count
    return found


def _struck(run: Run) -> dict[str, set[str]]:
    """Subjects from whom an indicator took points, by indicator."""
    found: dict[str, set[str]] = {}
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT indicator, subject_id FROM read_parquet({quoted(run_folder(run) / 'contributions.parquet')}) WHERE points_milli < 0"
        ).fetchall()
    for indicator, subject in rows:
        found.setdefault(indicator, set()).add(subject)
    return found


def _findings(since: date) -> dict[str, bool]:
    """Subjects inspected after a day: whether anything was found."""
    found: dict[str, bool] = {}
    rows = CreditRecord.objects.filter(kind__in=list(FINDINGS), decided_on__gt=since, state="active")
    for code, kind in rows.values_list("subject__code", "kind"):
        found[code] = found.get(code, False) or FINDINGS[kind]
    return found
