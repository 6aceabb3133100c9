"""Re-evaluates at once the subjects whose event-driven records have ended by themselves: what a listing did ends with it."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from zhixin_web.accounts.models import User
from zhixin_web.audit.services.ledger import lock_ledger
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.reevaluate_after_batch import settle_event
from zhixin_web.evaluations.services.runs import execute, start_run
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.queries import last_versions
from zhixin_web.rulebooks.queries import rulebook_of

TRIGGER = "ends:"
"""Begins the trigger of these runs; the day follows."""


def begin_after_ends(by: User) -> Run | None:
    """Queue the run of today over the subjects with a term that ended since the last one; ``None``: there are none."""
    today = timezone.localdate()
    trigger = f"{TRIGGER}{today.isoformat()}"
    with transaction.atomic():
        lock_ledger()
        newest = Run.objects.newest_decisive()
        if newest is None or Run.objects.filter(trigger=trigger).exists() or not CurrentGrade.objects.exists():
            return None
        kinds = rulebook_of(newest.release).cycle.event_driven
        codes = _ended(kinds, max(newest.as_of, _looked_at(newest)), today)
        if not codes:
            return None
        return start_run(newest.release, as_of=today, by=by, kind=Run.Kind.EVENT, only=codes, trigger=trigger)


def _looked_at(newest: Run) -> date:
    """Return the day of the last such run that came to a result."""
    failed = (Run.Status.FAILED, Run.Status.CANCELLED)
    done = Run.objects.filter(trigger__startswith=TRIGGER).exclude(status__in=failed).order_by("-as_of").first()
    return done.as_of if done is not None else newest.as_of


def _ended(kinds: tuple[str, ...], since: date, today: date) -> list[str]:
    """Return the codes of those with a record that counted on a day and counts no more today; its last day counts."""
    active = CreditRecord.objects.filter(state=CreditRecord.State.ACTIVE, kind__in=kinds)
    ended = last_versions(active).filter(valid_until__gte=since, valid_until__lt=today)
    return sorted(set(ended.values_list("subject__code", flat=True)))


def finish_after_ends(run: Run) -> Run:
    """Evaluate and propose; what lowers no grade is released under the approval of the rulebook."""
    return settle_event(execute(run), run.started_by, None)
