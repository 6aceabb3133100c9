"""Releases runs by two persons: proposal, release, roll back, and the grades in force that follow."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.snapshot import sha256_of
from zhixin.law.vocabulary import Visibility
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, insert_rows, lock_ledger
from zhixin_web.audit.services.witnesses import refuse_if_stopped
from zhixin_web.evaluations.models import CurrentGrade, GradeOrder, Run
from zhixin_web.evaluations.queries import codes_decided, overtaken_by, results_of
from zhixin_web.evaluations.services.runs import Status
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of


@transaction.atomic
def propose_run(run: Run, by: User) -> None:
    """The maker's word that the draft may be released.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: it is no draft.
    """
    if not may(by, "runs.propose"):
        raise PermissionDenied
    if not Run.objects.filter(pk=run.pk, status=Status.DRAFT).update(status=Status.PROPOSED, proposed_by=by):
        raise ValidationError(_("只有草稿可以提请发布"))
    record_event("runs.propose", by=by, ref=f"run:{run.pk}")


def propose_rollback(run: Run, *, reason: str, by: User) -> Run:
    """Propose that the results before a released run be published again; another person releases that as any run.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: not the newest full release, nothing before it, or no reason.
    """
    if not may(by, "runs.propose"):
        raise PermissionDenied
    if not reason.strip():
        raise ValidationError({"reason": _("请填写回退理由")})
    with transaction.atomic():
        released = Run.objects.decisive()
        newest, before = [*released[:2], None, None][:2]
        if newest is None or newest.pk != run.pk or before is None:
            raise ValidationError(_("只能回退最近一次已发布的全量评价，且之前须有已发布的评价"))
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


def release_run(run: Run, by: User) -> Run:
    """The approver's release: grades become current, the ledger gets ``grade.publish``. Safe to repeat.

    Raises:
        PermissionDenied: no approver, or the maker.
        ValidationError: not proposed, or the archive does not fit its hashes.
    """
    if not may(by, "runs.release") or by.pk == run.proposed_by_id:
        raise PermissionDenied
    return _release(run, by)


def _release(run: Run, by: User) -> Run:
    refuse_if_stopped()
    with transaction.atomic():
        lock_ledger()
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.status == Status.RELEASED:
            return run
        if run.status != Status.PROPOSED:
            raise ValidationError(_("只有待审批的评价可以发布"))
        if sha256_of(run_folder(run) / "grades.parquet") != run.grades_sha256:
            raise ValidationError(_("归档的等级文件与其散列不符，不予发布"))
        _check_rollback(run)
        run.is_projected = is_projected(run)
        if run.is_projected:
            _check_overtaken(run)
        changed = _apply(run, list(results_of(run).values())) if run.is_projected else 0
        run.status, run.released_by, run.released_at = Status.RELEASED, by, timezone.now()
        run.summary = run.summary | {"changed": changed}
        run.ledger_seq = append_one(
            "grade.publish", f"run:{run.pk}",
            {"run": run.pk, "rulebook": run.release.sha256, "as_of": run.as_of.isoformat(), "known_seq": run.known_seq, "result": run.result_sha256,
             "grades": run.grades_sha256, "contributions": run.contributions_sha256, "subjects": run.summary["subjects"]},
        )  # fmt: skip
        run.save()
        record_event("runs.release", by=by, ref=f"run:{run.pk}", automatic=run.is_automatic)
        cancel_overtaken()
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
    newest = Run.objects.decisive().first()
    if newest is None or newest.pk != run.rolls_back_id:
        raise ValidationError(_("提请后已有更新的评价发布，请重新提请回退"))


def _check_overtaken(run: Run) -> None:
    """Refuse results in whose place later ones stand already.

    Raises:
        ValidationError: an evaluation that is released knows more and is of the same day or later.
    """
    if run.kind == Run.Kind.EVENT and not codes_decided(run):
        raise ValidationError(_("此后的评价已发布这些主体的结果，本结果不再发布"))
    if run.kind == Run.Kind.FULL and run.rolls_back_id is None:
        newer = overtaken_by(run).filter(kind=Run.Kind.FULL, release__rulebook_id=run.release.rulebook_id).first()
        if newer is not None:
            raise ValidationError(_("第 %(newer)s 号评价更新且已发布，本结果不再发布；请重新评价") % {"newer": newer.pk})


def cancel_overtaken() -> None:
    """Cancel the event-driven runs that wait although later results of all their subjects are released."""
    waiting = (Status.QUEUED, Status.DRAFT, Status.PROPOSED)
    for run in Run.objects.filter(kind=Run.Kind.EVENT, status__in=waiting):
        if not codes_decided(run):
            Run.objects.filter(pk=run.pk, status=run.status).update(status=Status.CANCELLED, finished_at=timezone.now())
            record_event("runs.cancel", ref=f"run:{run.pk}", automatic=True)


def is_projected(run: Run) -> bool:
    """Whether the results of a run become the grades in force: an internal class never replaces a public evaluation."""
    if rulebook_of(run.release).visibility.grade == Visibility.PUBLIC:
        return True
    others = CurrentGrade.objects.exclude(run__release__rulebook_id=run.release.rulebook_id)
    held = others.values_list("run__release", flat=True).distinct()
    return not any(
        rulebook_of(release).visibility.grade == Visibility.PUBLIC for release in RulebookRelease.objects.filter(pk__in=held)
    )


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
