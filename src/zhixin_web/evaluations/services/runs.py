"""Runs from their start to a finished draft: queue, claim, snapshot, evaluation, cancel, retry."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin import RunFolder, evaluate
from zhixin.errors import ZhixinError
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import lock_ledger
from zhixin_web.collection.originals import write_progress
from zhixin_web.evaluations.models import CurrentGrade, Run, Segment
from zhixin_web.evaluations.preflight import preflight
from zhixin_web.evaluations.queries import previous_runs
from zhixin_web.evaluations.snapshots import (
    build_dataset,
    read_grades,
    sealed_segments,
    segment_folder,
    write_segment,
)
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of

STALE_AFTER = timedelta(minutes=3)
Status = Run.Status


class Cancelled(Exception):
    """A person asked for the run to end."""


# --- runs ----------------------------------------------------------------------------------------------------------------


def start_run(
    release: RulebookRelease,
    *,
    as_of: date,
    by: User,
    known_seq: int | None = None,
    kind: str = Run.Kind.FULL,
    only: list[str] | None = None,
    trigger: str | None = None,
) -> Run:
    """Queue a run. ``known_seq``: the last ledger entry whose facts count; everything known now by default.

    Raises:
        PermissionDenied: the account may not start runs (an event-driven run needs no such permission).
        ValidationError: the rulebook is not released, or the date lies before it or in the future.
    """
    if kind == Run.Kind.FULL and not may(by, "runs.start"):
        raise PermissionDenied
    if release.status != RulebookRelease.Status.RELEASED:
        raise ValidationError({"release": _("规则尚未发布")})
    if as_of < release.effective_from or as_of > timezone.localdate():
        raise ValidationError(
            {"as_of": _("截止日应在 %(lease_effective_from)s 与今天之间") % {"lease_effective_from": release.effective_from}}
        )
    with transaction.atomic():
        last = lock_ledger() - 1
        known = last if known_seq is None else known_seq
        if not 0 <= known <= last:
            raise ValidationError({"known_seq": _("账本序号应在 0 与 %(last)s 之间") % {"last": last}})
        run = Run.objects.create(
            release=release, as_of=as_of, known_seq=known, kind=kind, only=sorted(set(only or [])),
            trigger=trigger, started_by=by,
            previous_runs=[item.pk for item in previous_runs(release, as_of)], preflight=preflight(release, as_of) if kind == Run.Kind.FULL else {},
        )  # fmt: skip
        record_event("runs.start", by=by, ref=f"run:{run.pk}", as_of=as_of.isoformat(), known_seq=known)
    return run


def claim(run: Run) -> str | None:
    """Take a queued run, or one whose worker has gone silent; the token fences off the one before."""
    token = uuid.uuid4().hex
    free = Run.objects.filter(pk=run.pk, status=Status.QUEUED)
    stale = Run.objects.filter(pk=run.pk, status=Status.RUNNING, heartbeat_at__lt=timezone.now() - STALE_AFTER)
    changes = {"status": Status.RUNNING, "token": token, "heartbeat_at": timezone.now(), "error": ""}
    return token if free.update(**changes) or stale.update(**changes) else None


def execute(run: Run) -> Run:
    """Do a run: snapshot, evaluation, archive, draft. Any crash leaves it to be claimed again; the result is the same."""
    token = claim(run)
    if token is None:
        run.refresh_from_db()
        return run
    run.refresh_from_db()
    folder = Path(settings.VAR) / "runs" / f"{run.pk}-{token[:8]}"
    try:
        _beat(run, token, "snapshot")
        rulebook = rulebook_of(run.release)
        dataset = seal_facts(run, rulebook, folder)
        failpoint("run.snapshot")
        _beat(run, token, "evaluate")
        result = evaluate(
            rulebook,
            dataset,
            folder,
            run.as_of,
            known_at=run.known_seq,
            only=run.only or None,
            progress=lambda stage: _beat(run, token, stage),
        )
        failpoint("run.evaluated")
        _finish(run, token, folder, result)
    except Cancelled:
        _end(run, token, Status.CANCELLED, "")
        shutil.rmtree(folder.with_name(folder.name + ".part"), ignore_errors=True)
    except (ZhixinError, ValueError, OSError) as error:
        _end(run, token, Status.FAILED, str(getattr(error, "message", error)))
    failpoint("run.after_finish")
    run.refresh_from_db()
    return run


def _beat(run: Run, token: str, stage: str) -> None:
    """Heartbeat and progress; stops where the run was cancelled or another worker took over."""
    found = Run.objects.filter(pk=run.pk, token=token, status=Status.RUNNING)
    if not found.update(heartbeat_at=timezone.now(), stage=stage) or found.filter(cancel_requested=True).exists():
        raise Cancelled
    stages = ("snapshot", "evaluate", "grades", "contributions", "seal")
    write_progress(f"run-{run.pk}", stage, stages.index(stage) if stage in stages else 0, len(stages))


def _end(run: Run, token: str, status: str, error: str) -> None:
    Run.objects.filter(pk=run.pk, token=token).update(
        status=status, error=error[:2000], finished_at=timezone.now(), stage=""
    )


def seal_facts(run: Run, rulebook: Rulebook, folder: Path) -> Path:
    """Seal what the ledger gained since the last segment, then make the run's dataset from the segments."""
    with transaction.atomic():
        lock_ledger()
        newest = Segment.objects.order_by("-last_seq").first()
        first = newest.last_seq + 1 if newest else 0
        if first <= run.known_seq:
            hashes = write_segment(segment_folder(), first, run.known_seq)
            Segment.objects.create(
                first_seq=first, last_seq=run.known_seq, sha256_records=hashes[0], sha256_subjects=hashes[1]
            )
    ranges = [(item.first_seq, item.last_seq) for item in sealed_segments(run.known_seq)]
    dataset = folder.with_name(folder.name + "-facts")
    before = Run.objects.filter(pk__in=run.previous_runs).order_by("as_of", "pk")
    build_dataset(dataset, segment_folder(), ranges, rulebook, run.known_seq, before)
    return dataset


def _finish(run: Run, token: str, folder: Path, result: RunFolder) -> None:
    grades = read_grades(folder)
    summary = _summary(grades)
    with transaction.atomic():
        found = Run.objects.select_for_update().get(pk=run.pk)
        if found.token != token or found.status != Status.RUNNING:
            raise Cancelled
        found.folder = folder.name
        found.result_sha256 = result.info["result_sha256"]
        found.grades_sha256 = result.info["outputs"]["grades.parquet"]
        found.contributions_sha256 = result.info["outputs"]["contributions.parquet"]
        found.summary, found.status, found.stage = summary | {"seconds": result.info["timings"]["seconds"]}, Status.DRAFT, ""
        found.finished_at = timezone.now()
        found.save()
        failpoint("run.before_finish")


def _summary(grades: list[dict[str, Any]]) -> dict[str, Any]:
    """Distribution, and movers against the grades in force."""
    current = dict(CurrentGrade.objects.values_list("subject__code", "grade"))
    matrix: Counter[str] = Counter()
    movers = 0
    for row in grades:
        was = current.get(row["subject_id"], "")
        matrix[f"{was}>{row['grade']}"] += 1
        movers += was not in ("", row["grade"])
    return {
        "subjects": len(grades),
        "grades": dict(sorted(Counter(row["grade"] for row in grades).items())),
        "matrix": dict(sorted(matrix.items())),
        "movers": movers,
    }


@transaction.atomic
def cancel_run(run: Run, by: User) -> None:
    """Ask a queued or running run to end; a queued one ends at once."""
    Run.objects.filter(pk=run.pk, status__in=[Status.QUEUED, Status.RUNNING]).update(cancel_requested=True)
    Run.objects.filter(pk=run.pk, status=Status.QUEUED).update(status=Status.CANCELLED, finished_at=timezone.now())
    record_event("runs.cancel", by=by, ref=f"run:{run.pk}")


@transaction.atomic
def retry_run(run: Run, by: User) -> None:
    """Queue a failed or cancelled run again: same rulebook, same cut-off, same facts."""
    Run.objects.filter(pk=run.pk, status__in=[Status.FAILED, Status.CANCELLED]).update(
        status=Status.QUEUED, cancel_requested=False, error="", token=""
    )
    record_event("runs.retry", by=by, ref=f"run:{run.pk}")


# --- events --------------------------------------------------------------------------------------------------------------


# --- replay --------------------------------------------------------------------------------------------------------------
