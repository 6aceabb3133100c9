"""A draft on live data: who would move and why, by district, class and industry, and what it does to the workload."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from zhixin import RunFolder, compare, evaluate
from zhixin.analysis.comparison import Comparison
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.errors import ZhixinError
from zhixin_web.audit.services.events import record_event
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.results import contribution_titles, told_movers
from zhixin_web.evaluations.snapshots import build_dataset, run_folder, sealed_segments, segment_folder
from zhixin_web.governance.models import WhatIf
from zhixin_web.governance.services.drafts import rulebook_of_draft
from zhixin_web.records.models import Subject

MOST_MOVERS = 200


def do_what_if(item: WhatIf) -> WhatIf:
    """Evaluate the draft on the facts of the run and keep what it would change. Nothing of it takes effect."""
    if not WhatIf.objects.filter(pk=item.pk, status=WhatIf.Status.QUEUED).update(status=WhatIf.Status.RUNNING):
        item.refresh_from_db()
        return item
    folder = Path(tempfile.mkdtemp(prefix="what-if-", dir=settings.VAR))
    try:
        result, error = _evaluate(item, folder), ""
        status = WhatIf.Status.DONE
    except (ZhixinError, ValueError, OSError) as failure:
        result, error, status = {}, str(getattr(failure, "message", failure))[:2000], WhatIf.Status.FAILED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    item.result, item.error, item.status, item.finished_at = result, error, status, timezone.now()
    item.save()
    record_event("rulebooks.what_if_done", by=item.by, ref=f"what-if:{item.pk}", outcome=str(status))
    return item


def _evaluate(item: WhatIf, folder: Path) -> dict[str, Any]:
    run, rulebook = item.run, rulebook_of_draft(item.draft)
    ranges = [(part.first_seq, part.last_seq) for part in sealed_segments(run.known_seq)]
    before = Run.objects.filter(pk__in=run.previous_runs).order_by("as_of", "pk")
    build_dataset(folder / "facts", segment_folder(), ranges, rulebook, run.known_seq, before)
    made = evaluate(rulebook, folder / "facts", folder / "run", run.as_of, known_at=run.known_seq)
    old = RunFolder.open(run_folder(run))
    outcome = compare(old, made, movers=MOST_MOVERS)
    return _told(outcome, old, made) | {"groups": _groups(old, made)}


def _told(outcome: Comparison, old: RunFolder, new: RunFolder) -> dict[str, Any]:
    titles: dict[str, Any] = {}
    for folder in (old, new):
        titles |= contribution_titles(folder.rulebook)
    after, before = outcome.workload_after, outcome.workload_before
    grades = list(dict.fromkeys((*outcome.grades_before, *outcome.grades_after)))
    return {
        "grades": grades,
        "matrix": [[outcome.transitions.get((one, other), 0) for other in grades] for one in grades],
        "moved": outcome.moved,
        "subjects": sum(outcome.transitions.values()),
        "movers": list(told_movers(outcome, titles)),
        "causes": [{"title": titles.get(name, {"zh": name, "en": name}), "subjects": count, "change": change} for name, count, change in outcome.causes[:20]],
        "workload": [
            {"grade": grade, "before": float(before.by_grade.get(grade, 0)), "after": float(after.by_grade.get(grade, 0))}
            for grade in grades
            if before.by_grade.get(grade) or after.by_grade.get(grade)
        ],
    }  # fmt: skip


def _groups(old: RunFolder, new: RunFolder) -> dict[str, list[dict[str, Any]]]:
    """How many of each district, class and industry move up, down, or stay."""
    ladder = list(new.rulebook.grade_rank)
    rows = list(Subject.objects.values_list("code", "district", "industry"))
    subjects = pa.table(
        {"subject_id": [row[0] for row in rows], "district": [row[1] for row in rows], "industry": [row[2] for row in rows]}
    )
    found = {}
    with duckdb.connect() as connection:
        connection.register("subjects", subjects)
        connection.register("ladder", pa.table({"grade": ladder, "rank": list(range(len(ladder)))}))
        for name, column in (("district", "s.district"), ("class", "coalesce(a.class, '')"), ("industry", "s.industry")):
            query = (
                f"SELECT {column} AS name, count(*), count(*) FILTER (y.rank < x.rank), count(*) FILTER (y.rank > x.rank) "
                f"FROM read_parquet({quoted(old.path / 'grades.parquet')}) b JOIN read_parquet({quoted(new.path / 'grades.parquet')}) a USING (subject_id) "
                "JOIN subjects s USING (subject_id) LEFT JOIN ladder x ON x.grade = b.grade LEFT JOIN ladder y ON y.grade = a.grade "
                "GROUP BY 1 ORDER BY 2 DESC, 1"
            )
            parts = connection.execute(query).fetchall()
            found[name] = [{"name": key, "subjects": count, "better": up, "worse": down} for key, count, up, down in parts]
    return found
