"""Reads of a run's archive: how scores are spread, who moved and why, what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from zhixin import RunFolder, compare
from zhixin.analysis.comparison import Comparison
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.law.nodes import Dated
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.queries import rulebook_of

INTERVALS = 40
MOST_MOVERS = 50
MOST_OUTLIERS = 12
MILLI = 1000


@dataclass(frozen=True)
class Results:
    """What an officer looks at before a release."""

    histogram: tuple[tuple[int, int], ...]
    """Lower edge in points, subjects."""
    step: int
    cuts: tuple[tuple[int, str], ...]
    movers: tuple[dict[str, Any], ...]
    outliers: tuple[dict[str, Any], ...]
    samples: tuple[tuple[str, str, str], ...]
    """One subject of each grade to read the explanation of: grade, code, name."""


def run_before(run: Run) -> Run | None:
    """The full run that was in force before this one: what its results are compared with."""
    released = Run.objects.decisive().exclude(pk=run.pk).select_related("release")
    if run.released_at is not None:
        released = released.filter(released_at__lt=run.released_at)
    return released.order_by("-released_at").first()


def results_of(run: Run) -> Results | None:
    """The results of a finished full run; ``None`` while there are none."""
    if not run.folder or run.kind != Run.Kind.FULL or not (run_folder(run) / "grades.parquet").is_file():
        return None
    before = run_before(run)
    return _results(run.pk, before.pk if before else 0, run.result_sha256)


@lru_cache(maxsize=8)
def _results(run_pk: int, before_pk: int, _sha256: str) -> Results:
    run = Run.objects.select_related("release").get(pk=run_pk)
    before = Run.objects.get(pk=before_pk) if before_pk else None
    rulebook = rulebook_of(run.release).at(run.as_of)
    path = quoted(run_folder(run) / "grades.parquet")
    graded = "grade IN (" + ", ".join("'" + name.replace("'", "''") + "'" for name in rulebook.grade_rank) + ")"
    with duckdb.connect() as connection:
        low, high = connection.execute(
            f"SELECT coalesce(min(score_milli), 0), coalesce(max(score_milli), 0) FROM read_parquet({path}) WHERE {graded}"
        ).fetchall()[0]
        step = max((high - low) // MILLI // INTERVALS, 1)
        histogram = connection.execute(
            f"SELECT (floor(score_milli / {MILLI * step}) * {step})::BIGINT AS edge, count(*) FROM read_parquet({path}) WHERE {graded} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        samples = connection.execute(
            f"SELECT grade, min_by(subject_id, hash(subject_id)) FROM read_parquet({path}) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        extremes = connection.execute(
            f"(SELECT subject_id, grade, score_milli, step FROM read_parquet({path}) WHERE {graded} ORDER BY score_milli LIMIT {MOST_OUTLIERS // 2}) UNION ALL "
            f"(SELECT subject_id, grade, score_milli, step FROM read_parquet({path}) WHERE {graded} ORDER BY score_milli DESC LIMIT {MOST_OUTLIERS // 2})"
        ).fetchall()
    cuts = tuple((int(cut), grade.id) for grade in rulebook.ladder if (cut := _cut(grade)) is not None)
    movers = _movers(run, before) if before else ()
    names = dict(
        Subject.objects.filter(code__in=[row[0] for row in extremes] + [row[1] for row in samples]).values_list(
            "code", "name"
        )
    )
    return Results(
        tuple(histogram), step, cuts, movers,
        tuple({"code": code, "name": names.get(code, ""), "grade": grade, "score": score, "step": how} for code, grade, score, how in extremes),
        tuple((grade, code, names.get(code, "")) for grade, code in samples),
    )  # fmt: skip


def _cut(grade: Any) -> Any:
    if grade.side is None:
        return None
    value = getattr(grade, grade.side)
    return None if isinstance(value, Dated) else value


def contribution_titles(rulebook: Rulebook) -> dict[str, dict[str, str]]:
    """Titles of everything that contributes points: indicators, and the limits of dimensions and of the score."""
    titles = {item.id: {"zh": item.title.zh, "en": item.title.en} for item in rulebook.indicators}
    for item in rulebook.dimensions:
        titles[f"@{item.id}"] = {"zh": f"「{item.title.zh}」的封顶或保底", "en": f"limits of “{item.title.en}”"}
    return titles


def _movers(run: Run, before: Run) -> tuple[dict[str, Any], ...]:
    old, new = RunFolder.open(run_folder(before)), RunFolder.open(run_folder(run))
    return told_movers(compare(old, new, movers=MOST_MOVERS), contribution_titles(rulebook_of(run.release)))


def told_movers(outcome: Comparison, titles: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The listed movers with the subject's name and the titles of the three indicators that moved most; scores in thousandths."""
    names = dict(Subject.objects.filter(code__in=[mover.subject_id for mover in outcome.movers]).values_list("code", "name"))
    return tuple(
        {
            "code": mover.subject_id, "name": names.get(mover.subject_id, ""), "before": mover.before, "after": mover.after,
            "score_before": mover.score_before, "score_after": mover.score_after,
            "causes": [{"title": titles.get(name, {"zh": name, "en": name}), "change": change} for name, change in mover.indicators[:3]],
            "step": mover.step_after,
        }
        for mover in outcome.movers
    )  # fmt: skip
