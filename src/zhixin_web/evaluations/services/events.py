"""Re-evaluates at once what an event-driven record touches, and follows a batch that is taken back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import settle_batch
from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.release import _release
from zhixin_web.evaluations.services.runs import Status, execute, start_run
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.queries import rulebook_of


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
        settle_batch(batch)
    return run


def _event_run(batch: Batch) -> Run | None:
    """The run that answers a batch, begun earlier or now; ``None``: it calls for none."""
    trigger = f"batch:{batch.pk}:{batch.status}"
    found = Run.objects.filter(trigger=trigger).first()
    if found is not None:
        return found
    newest = Run.objects.newest_decisive()
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
    used = Run.objects.released().filter(known_seq__gte=batch.first_seq or 0).order_by("released_at").first()
    if used is not None and batch.accepted:
        raise ValidationError(
            _("第 %(used_pk)s 号评价已使用该批次并已发布，不能撤回；请以更正批次更正") % {"used_pk": used.pk}
        )
    batch = reverse_batch(batch, by, reason)
    react(batch)
    return batch
