"""Writes of evaluation: start, execute, cancel, propose, release, roll back and replay runs."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from zhixin import RunFolder, evaluate
from zhixin.dataset.snapshot import sha256_of
from zhixin.errors import ZhixinError
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Visibility
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services import append_one, insert_rows, lock_ledger, record_event
from zhixin_web.evaluations.models import CurrentGrade, GradeOrder, RulebookRelease, Run, Segment
from zhixin_web.evaluations.queries import events_kept, preflight, previous_runs, rulebook_of
from zhixin_web.evaluations.snapshots import (
    build_dataset,
    read_grades,
    run_folder,
    sealed_segments,
    segment_folder,
    write_segment,
)
from zhixin_web.records import services as record_services
from zhixin_web.records.models import Batch, CreditRecord, Subject
from zhixin_web.records.originals import write_progress

STALE_AFTER = timedelta(minutes=3)
Status = Run.Status


class Cancelled(Exception):
    """A person asked for the run to end."""


# --- runs ----------------------------------------------------------------------------------------------------------------


def start_run(
    release: RulebookRelease,
    *,
    as_of: date,
    by: Any,
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
        raise ValidationError({"release": "规则尚未发布 / the rulebook is not released"})
    if as_of < release.effective_from or as_of > timezone.localdate():
        raise ValidationError(
            {
                "as_of": f"截止日应在 {release.effective_from} 与今天之间 / the cut-off must lie between {release.effective_from} and today"
            }
        )
    with transaction.atomic():
        last = lock_ledger() - 1
        known = last if known_seq is None else known_seq
        if not 0 <= known <= last:
            raise ValidationError(
                {"known_seq": f"账本序号应在 0 与 {last} 之间 / give a sequence number between 0 and {last}"}
            )
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
def cancel_run(run: Run, by: Any) -> None:
    """Ask a queued or running run to end; a queued one ends at once."""
    Run.objects.filter(pk=run.pk, status__in=[Status.QUEUED, Status.RUNNING]).update(cancel_requested=True)
    Run.objects.filter(pk=run.pk, status=Status.QUEUED).update(status=Status.CANCELLED, finished_at=timezone.now())
    record_event("runs.cancel", by=by, ref=f"run:{run.pk}")


@transaction.atomic
def retry_run(run: Run, by: Any) -> None:
    """Queue a failed or cancelled run again: same rulebook, same cut-off, same facts."""
    Run.objects.filter(pk=run.pk, status__in=[Status.FAILED, Status.CANCELLED]).update(
        status=Status.QUEUED, cancel_requested=False, error="", token=""
    )
    record_event("runs.retry", by=by, ref=f"run:{run.pk}")


@transaction.atomic
def propose_run(run: Run, by: Any) -> None:
    """The maker's word that the draft may be released.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: it is no draft.
    """
    if not may(by, "runs.propose"):
        raise PermissionDenied
    if not Run.objects.filter(pk=run.pk, status=Status.DRAFT).update(status=Status.PROPOSED, proposed_by=by):
        raise ValidationError("只有草稿可以提请发布 / only a draft can be proposed")
    record_event("runs.propose", by=by, ref=f"run:{run.pk}")


def propose_rollback(run: Run, *, reason: str, by: Any) -> Run:
    """Propose that the results before a released run be published again; another person releases that as any run.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: not the newest full release, nothing before it, or no reason.
    """
    if not may(by, "runs.propose"):
        raise PermissionDenied
    if not reason.strip():
        raise ValidationError({"reason": "请填写回退理由 / give a reason"})
    with transaction.atomic():
        released = Run.objects.filter(status=Status.RELEASED, kind=Run.Kind.FULL, is_projected=True).order_by("-released_at")
        newest, before = [*released[:2], None, None][:2]
        if newest is None or newest.pk != run.pk or before is None:
            raise ValidationError(
                "只能回退最近一次已发布的全量评价，且之前须有已发布的评价 / only the newest full release with one before it"
            )
        copied = {
            name: getattr(before, name)
            for name in ("release", "as_of", "known_seq", "previous_runs", "folder", "result_sha256", "grades_sha256",
                         "contributions_sha256", "summary")
        }  # fmt: skip
        made = Run.objects.create(
            **copied, status=Status.PROPOSED, started_by=by, proposed_by=by, finished_at=timezone.now(), rolls_back=run, republishes=before.republishes or before,
            reason=reason.strip()[:500],
        )  # fmt: skip
        record_event("runs.roll_back", by=by, ref=f"run:{run.pk}", proposed=made.pk, reason=reason.strip()[:500])
    return made


def release_run(run: Run, by: Any) -> Run:
    """The approver's release: grades become current, the ledger gets ``grade.publish``. Safe to repeat.

    Raises:
        PermissionDenied: no approver, or the maker.
        ValidationError: not proposed, or the archive does not fit its hashes.
    """
    if not may(by, "runs.release") or by.pk == run.proposed_by_id:
        raise PermissionDenied
    return _release(run, by)


def _release(run: Run, by: Any) -> Run:
    with transaction.atomic():
        lock_ledger()
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.status == Status.RELEASED:
            return run
        if run.status != Status.PROPOSED:
            raise ValidationError("只有待审批的评价可以发布 / only a proposed run can be released")
        if sha256_of(run_folder(run) / "grades.parquet") != run.grades_sha256:
            raise ValidationError("归档的等级文件与其散列不符，不予发布 / the archived grades do not fit their hash")
        _check_rollback(run)
        run.is_projected = is_projected(run)
        changed = _apply(run, _grades_to_publish(run)) if run.is_projected else 0
        run.status, run.released_by, run.released_at = Status.RELEASED, by, timezone.now()
        run.summary = run.summary | {"changed": changed}
        run.ledger_seq = append_one(
            "grade.publish", f"run:{run.pk}",
            {"run": run.pk, "rulebook": run.release.sha256, "as_of": run.as_of.isoformat(), "known_seq": run.known_seq, "result": run.result_sha256,
             "grades": run.grades_sha256, "contributions": run.contributions_sha256, "subjects": run.summary["subjects"]},
        )  # fmt: skip
        run.save()
        record_event("runs.release", by=by, ref=f"run:{run.pk}", automatic=run.is_automatic)
        failpoint("release.before_commit")
    failpoint("release.after_commit")
    return run


def _check_rollback(run: Run) -> None:
    """A proposal to roll back that a newer release has overtaken would take that one back too.

    Raises:
        ValidationError: what it takes back is no longer the newest.
    """
    if run.rolls_back_id is None:
        return
    newest = (
        Run.objects.filter(status=Status.RELEASED, kind=Run.Kind.FULL, is_projected=True).order_by("-released_at").first()
    )
    if newest is None or newest.pk != run.rolls_back_id:
        raise ValidationError("提请后已有更新的评价发布，请重新提请回退 / a newer release has overtaken this proposal")


def is_projected(run: Run) -> bool:
    """Whether the results of a run become the grades in force: an internal class never replaces a public evaluation."""
    if rulebook_of(run.release).visibility.grade == Visibility.PUBLIC:
        return True
    others = CurrentGrade.objects.exclude(run__release__rulebook_id=run.release.rulebook_id)
    held = others.values_list("run__release", flat=True).distinct()
    return not any(
        rulebook_of(release).visibility.grade == Visibility.PUBLIC for release in RulebookRelease.objects.filter(pk__in=held)
    )


def _grades_to_publish(run: Run) -> list[dict[str, Any]]:
    """The rows of the archive; in a roll back those of event-driven runs since stand over them."""
    rows = {row["subject_id"]: row for row in read_grades(run_folder(run))}
    for event in events_kept(run):
        rows |= {row["subject_id"]: row for row in read_grades(run_folder(event)) if row["subject_id"] in event.only}
    return list(rows.values())


def _apply(run: Run, grades: list[dict[str, Any]]) -> int:
    """Insert grades that differ from those in force and bring the projection up to date."""
    subjects = dict(Subject.objects.values_list("code", "pk"))
    current = {
        key: rest
        for key, *rest in CurrentGrade.objects.values_list("subject_id", "grade", "score_milli", "step", "class_name")
    }
    changed: list[tuple[Any, ...]] = []
    update: list[tuple[Any, ...]] = []
    create: list[tuple[Any, ...]] = []
    for row in grades:
        key = subjects[row["subject_id"]]
        was = current.get(key)
        now = [row["grade"], row["score_milli"], row["step"], row["class"] or ""]
        if was == now:
            continue
        changed.append((run.pk, key, now[0], was[0] if was else "", now[1], now[2], now[3]))
        (create if was is None else update).append((key, run.pk, *now, run.as_of.isoformat(), now[0]))
    gone = []
    if run.rolls_back_id is not None:  # subjects that only what is taken back knew have no grade any more
        known = {subjects[row["subject_id"]] for row in grades}
        gone = [key for key in current if key not in known]
        changed += [(run.pk, key, "", current[key][0], 0, "withdrawn", "") for key in gone]
    insert_rows("evaluations_grade", ("run_id", "subject_id", "grade", "was", "score_milli", "step", "class_name"), changed)
    columns = ("subject_id", "run_id", "grade", "score_milli", "step", "class_name", "since", "in_force")
    stale = [row[0] for row in update] + gone
    for place in range(0, len(stale), 900):
        CurrentGrade.objects.filter(pk__in=stale[place : place + 900]).delete()
    insert_rows("evaluations_currentgrade", columns, [*create, *update])
    for order in GradeOrder.objects.filter(status=GradeOrder.Status.ACTIVE):  # what persons ordered outlives a new run
        CurrentGrade.objects.filter(subject_id=order.subject_id).update(in_force=order.grade)
    return len(changed)


# --- events --------------------------------------------------------------------------------------------------------------


def react(batch: Batch) -> Run | None:
    """After a batch: re-evaluate at once the subjects that an event-driven kind has touched (a listing makes D).

    The result is released at once where the approver of the rulebook gave that standing order and is not the one who
    took the batch in; otherwise it waits, proposed, for an approver. Each step may be cut off and done again: until all
    is done the batch is not settled, and ``tick`` comes back to it.
    """
    if batch.status not in (Batch.Status.COMMITTED, Batch.Status.UNDONE) or batch.is_settled:
        return None
    run = _event_run(batch)
    if run is not None:
        run = _settle_event(execute(run), batch.committed_by or batch.by)
    if run is None or not run.is_busy:
        Batch.objects.filter(pk=batch.pk, status=batch.status).update(is_settled=True)
    return run


def _event_run(batch: Batch) -> Run | None:
    """The run that answers a batch, begun earlier or now; ``None``: it calls for none."""
    trigger = f"batch:{batch.pk}:{batch.status}"
    found = Run.objects.filter(trigger=trigger).first()
    if found is not None:
        return found
    full = Run.objects.filter(status=Status.RELEASED, kind=Run.Kind.FULL, is_projected=True)
    newest = full.order_by("-released_at").select_related("release").first()
    release = newest.release if newest is not None else None
    if release is None or not CurrentGrade.objects.exists():
        return None
    kinds = rulebook_of(release).cycle.event_driven
    codes = sorted(set(CreditRecord.objects.filter(batch=batch, kind__in=kinds).values_list("subject__code", flat=True)))
    if not codes:
        return None
    by = batch.committed_by or batch.by
    return start_run(release, as_of=timezone.localdate(), by=by, kind=Run.Kind.EVENT, only=codes, trigger=trigger)


def _settle_event(run: Run, maker: Any) -> Run:
    """Propose the draft of an event-driven run and carry out the standing order."""
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, status=Status.DRAFT).update(
            status=Status.PROPOSED, proposed_by=maker, is_automatic=True
        ):
            record_event("runs.propose", by=maker, ref=f"run:{run.pk}", automatic=True)
    run.refresh_from_db()
    release = run.release
    if run.status == Status.PROPOSED and run.is_automatic and release.releases_events and release.approved_by_id != maker.pk:
        run = _release(run, release.approved_by)
    return run


def undo_batch(batch: Batch, by: Any, reason: str) -> Batch:
    """Take a batch back while no released run has used it.

    Raises:
        ValidationError: a released run used it; deliver a correction batch instead.
    """
    used = Run.objects.filter(status=Status.RELEASED, known_seq__gte=batch.first_seq or 0).order_by("released_at").first()
    if used is not None and batch.accepted:
        raise ValidationError(
            f"第 {used.pk} 号评价已使用该批次并已发布，不能撤回；请以更正批次更正 / run {used.pk} used this batch and was released: deliver a correction batch"
        )
    batch = record_services.reverse_batch(batch, by, reason)
    react(batch)
    return batch


# --- replay --------------------------------------------------------------------------------------------------------------


def replay(run: Run) -> dict[str, Any]:
    """Recompute a run from the facts in the database, not from its archive, and compare bytes."""
    erased = CreditRecord.objects.filter(seq__lte=run.known_seq, erased_at__isnull=False).order_by("erased_at").first()
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
    return {
        "run": run.pk, "equal": all(same.values()) and result.info["result_sha256"] == run.result_sha256, "files": same,
        "result_sha256": result.info["result_sha256"], "archived_sha256": run.result_sha256,
        "erased_on": erased.erased_at.date().isoformat() if erased and erased.erased_at else None,
    }  # fmt: skip
