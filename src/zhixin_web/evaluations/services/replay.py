"""Recomputes a past run from the facts and compares bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from zhixin import evaluate
from zhixin.dataset.snapshot import sha256_of
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import (
    build_dataset,
    read_grades,
    run_folder,
    write_segment,
)
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.queries import rulebook_of


def replay(run: Run) -> dict[str, Any]:
    """Recompute a run from the facts in the database, not from its archive, and compare bytes.

    ``unexplained`` holds what differs and is no result of a subject whose records were erased since: subjects, or files.
    """
    gone = CreditRecord.objects.filter(seq__lte=run.known_seq, erased_at__isnull=False)
    erased = gone.order_by("erased_at").first()
    excused = set(gone.values_list("subject__code", flat=True))
    with tempfile.TemporaryDirectory(dir=settings.VAR) as name:
        folder = Path(name)
        write_segment(folder / "segments", 0, run.known_seq)
        rulebook = rulebook_of(run.release)
        before = Run.objects.filter(pk__in=run.previous_runs).order_by("as_of", "pk")
        build_dataset(folder / "facts", folder / "segments", [(0, run.known_seq)], rulebook, run.known_seq, before)
        result = evaluate(
            rulebook, folder / "facts", folder / "run", run.as_of, known_at=run.known_seq, only=run.only or None
        )
        same = {
            name: sha256_of(folder / "run" / name) == sha256_of(run_folder(run) / name) == expected
            for name, expected in (
                ("grades.parquet", run.grades_sha256),
                ("contributions.parquet", run.contributions_sha256),
            )
        }
        is_equal = all(same.values()) and result.info["result_sha256"] == run.result_sha256
        unexplained = [] if is_equal else _unexplained(folder / "run", run, excused)
    return {
        "run": run.pk, "equal": is_equal, "files": same, "unexplained": unexplained,
        "result_sha256": result.info["result_sha256"], "archived_sha256": run.result_sha256,
        "erased_on": erased.erased_at.date().isoformat() if erased and erased.erased_at else None,
    }  # fmt: skip


def _unexplained(again: Path, run: Run, excused: set[str]) -> list[str]:
    """Subjects whose archived grade differs from the recomputed one, and archives that do not fit their hashes."""
    names = {"grades.parquet": run.grades_sha256, "contributions.parquet": run.contributions_sha256}
    changed = [name for name, expected in names.items() if sha256_of(run_folder(run) / name) != expected]
    now = {row["subject_id"]: row for row in read_grades(again)}
    then = {row["subject_id"]: row for row in read_grades(run_folder(run))}
    differing = sorted(code for code in {*now, *then} if now.get(code) != then.get(code))
    if not excused and not differing:
        return changed or ["contributions.parquet"]
    return changed + [code for code in differing if code not in excused]
