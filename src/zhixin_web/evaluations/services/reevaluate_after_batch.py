"""Re-evaluates at once what an event-driven record touches, and follows a batch that is taken back."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.sources import sources
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import settle_batch
from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.queries import results_of
from zhixin_web.evaluations.services.release import _release, cancel_overtaken
from zhixin_web.evaluations.services.runs import Status, execute, start_run
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.queries import rulebook_of

ENDED = (CreditRecord.State.REPAIRED, CreditRecord.State.REVOKED)
"""States that end what a record does to a grade."""


def react(batch: Batch) -> Run | None:
    """After a batch: re-evaluate at once the subjects that an event-driven kind, a repair or a revocation has touched.

    A result that lowers a grade waits, proposed, for an approver: listing is a legal act (ADR 22). It is released at once
    where it lowers none, or where the source's file names a standing order in force; both only if the approver of the
    rulebook allows event-driven results and is not the one who took the batch in. Each step may be cut off and done again:
    until all is done the batch is not settled, and ``tick`` comes back to it.
    """
    if batch.status not in (Batch.Status.COMMITTED, Batch.Status.UNDONE) or batch.is_settled:
        return None
    run = _event_run(batch)
    if run is not None:
        run = settle_event(execute(run), batch.committed_by or batch.by, batch.source)
    if run is None or not run.is_busy:
        settle_batch(batch)
    return run


def _event_run(batch: Batch) -> Run | None:
    """The run that answers a batch, begun earlier or now; ``None``: it calls for none."""
    newest = Run.objects.newest_decisive()
    release = newest.release if newest is not None else None
    if release is None or not CurrentGrade.objects.exists():
        return None
    is_touching = Q(kind__in=rulebook_of(release).cycle.event_driven) | Q(state__in=ENDED)
    touched = CreditRecord.objects.filter(is_touching, batch=batch)
    last = touched.aggregate(last=Max("seq"))["last"]
    if last is None:
        return None
    trigger = f"batch:{batch.pk}:{last}"  # a row mended, repaired or revoked later is answered by a run of its own
    found = Run.objects.filter(trigger=trigger).first()
    if found is not None:
        return found
    codes = sorted(set(touched.values_list("subject__code", flat=True)))
    by = batch.committed_by or batch.by
    return start_run(release, as_of=timezone.localdate(), by=by, kind=Run.Kind.EVENT, only=codes, trigger=trigger)


def reevaluate(subject_code: str, *, trigger: str, by: User) -> Run | None:
    """Re-evaluate one subject at once because of an act (a repair, a revocation); see :func:`react` for the release.

    ``trigger`` names the act: done again, it gives the same run. ``None``: no evaluation is in force.
    """
    run = Run.objects.filter(trigger=trigger).first()
    if run is None:
        newest = Run.objects.newest_decisive()
        if newest is None or not CurrentGrade.objects.exists():
            return None
        run = start_run(
            newest.release, as_of=timezone.localdate(), by=by, kind=Run.Kind.EVENT, only=[subject_code], trigger=trigger
        )
    return settle_event(execute(run), by, None)


def settle_event(run: Run, maker: User, source: str | None) -> Run:
    """Propose the draft of an event-driven run; release it where that lowers no grade or a standing order says so.

    A run whose subjects were all decided anew meanwhile is cancelled.
    """
    cancel_overtaken()
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, status=Status.DRAFT).update(
            status=Status.PROPOSED, proposed_by=maker, is_automatic=True
        ):
            record_event("runs.propose", by=maker, ref=f"run:{run.pk}", automatic=True)
    run.refresh_from_db()
    release = run.release
    if (
        run.status != Status.PROPOSED
        or not run.is_automatic
        or not release.releases_events
        or release.approved_by is None
        or release.approved_by == maker
    ):
        return run
    order = sources()[source].standing_release if source is not None else None
    if order is not None and order.holds_on(timezone.localdate()):
        named = f"{order.order}（{'、'.join(order.signed_by)}；{order.until}）"
        Run.objects.filter(pk=run.pk).update(reason=named[:500])
        record_event("runs.standing_order", by=maker, ref=f"run:{run.pk}", order=order.order, until=order.until.isoformat())
    elif _lowers_a_grade(run):
        return run
    return _release(run, release.approved_by)


def _lowers_a_grade(run: Run) -> bool:
    """Whether a result is worse than the grade in force, or cannot be compared with it: then a person decides."""
    ranks = rulebook_of(run.release).grade_rank
    held = dict(CurrentGrade.objects.filter(subject__code__in=run.only).values_list("subject__code", "grade"))
    for code, row in results_of(run).items():
        was, now = held.get(code), row["grade"]
        if was != now and not (was in ranks and now in ranks and ranks[now] < ranks[was]):
            return True
    return False


def undo_batch(batch: Batch, by: User, reason: str) -> Batch:
    """Take a batch back while no released run has used it.

    Raises:
        ValidationError: a released run used it; deliver a correction batch instead.
    """
    if sources()[batch.source].made_by_site:
        raise ValidationError(_("认定决定产生的批次不能撤回；对认定有异议的，以异议办件撤销"))
    used = Run.objects.released().filter(known_seq__gte=batch.first_seq or 0).order_by("released_at").first()
    if used is not None and batch.accepted:
        raise ValidationError(
            _("第 %(used_pk)s 号评价已使用该批次并已发布，不能撤回；请以更正批次更正") % {"used_pk": used.pk}
        )
    batch = reverse_batch(batch, by, reason)
    react(batch)
    return batch
