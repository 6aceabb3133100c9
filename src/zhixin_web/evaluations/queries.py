"""Reads of evaluation: pre-flight, current and past grades."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.db.models import Q
from django.utils import timezone

from zhixin import Outlook, RunFolder, explain, facts_of
from zhixin.errors import ZhixinError
from zhixin_web.evaluations.models import GradeOrder, Run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.models import RulebookRelease

YEARS_BACK = 3


def previous_runs(release: RulebookRelease, as_of: date) -> list[Run]:
    """The earlier evaluations under this rulebook that a run may look back at: the last released one of each day."""
    found: dict[date, Run] = {}
    withdrawn = Run.objects.released().filter(rolls_back__isnull=False).values("rolls_back")
    since = date(as_of.year - YEARS_BACK, 1, 1)
    runs = (
        Run.objects.released()
        .filter(release__rulebook_id=release.rulebook_id, kind=Run.Kind.FULL, as_of__lt=as_of, as_of__gte=since)
        .exclude(pk__in=withdrawn)
    )
    for run in runs.order_by("released_at"):
        found[run.as_of] = run
    return [found[day] for day in sorted(found)]


def run_in_force(subject: Subject, day: date) -> Run | None:
    """The released run that gave a subject its grade as it stood at the end of a day."""
    moment = datetime.combine(day, time.max, tzinfo=timezone.get_current_timezone())
    released = Run.objects.released().filter(released_at__lte=moment, is_projected=True)
    for run in released.order_by("-released_at").iterator():
        if run.kind == Run.Kind.EVENT and subject.code in run.only:
            return run
        if run.kind == Run.Kind.FULL:
            kept = next((item for item in reversed(events_kept(run)) if subject.code in item.only), None)
            return kept or run
    return None


def why_in_force(subject: Subject, day: date) -> tuple[Run | None, dict[str, Any] | None]:
    """The run that gave a subject its grade as of a day, and its explanation (``explanation/1``); ``None`` where there is none."""
    run = run_in_force(subject, day)
    if run is None:
        return None, None
    try:
        return run, explain(RunFolder.open(run_folder(run)), subject.code)
    except ZhixinError:  # the run does not name the subject
        return None, None


def outlook_in_force(subject: Subject) -> tuple[Run | None, Outlook | None]:
    """The run in force today and the outlook from it; ``None`` where the subject was not evaluated."""
    run = run_in_force(subject, timezone.localdate())
    if run is None:
        return None, None
    folder = RunFolder.open(run_folder(run))
    try:
        return run, Outlook(folder.rulebook, facts_of(folder, subject.code), folder.moment)
    except ZhixinError:
        return run, None


def events_kept(run: Run) -> list[Run]:
    """For a roll back: the event-driven runs since the results it publishes again, oldest first; they stay in force.

    A listing that made a subject D is no part of what is taken back.
    """
    before = run.republishes
    if before is None or before.released_at is None:
        return []
    events = Run.objects.released().filter(kind=Run.Kind.EVENT, is_projected=True)
    since = events.filter(released_at__gt=before.released_at)
    if run.released_at is not None:
        since = since.filter(released_at__lt=run.released_at)
    return list(since.order_by("released_at", "pk"))


def grade_as_of(subject: Subject, day: date) -> dict[str, Any] | None:
    """The grade row of a subject as it stood at the end of a day, from the archive; ``None``: there was none."""
    run = run_in_force(subject, day)
    if run is None:
        return None
    row, _ = RunFolder.open(run_folder(run)).rows_of(subject.code)
    order = order_as_of(subject, day)
    return row | {"run": run.pk, "as_of": run.as_of, "in_force": order.grade if order else row["grade"]} if row else None


def order_in_force(subject_id: int) -> GradeOrder | None:
    """The order by two persons that sets a subject's grade by hand, if one is in force."""
    return GradeOrder.objects.filter(subject=subject_id, status=GradeOrder.Status.ACTIVE).first()


def order_as_of(subject: Subject, day: date) -> GradeOrder | None:
    """The override or hold in force for a subject at the end of a day."""
    moment = datetime.combine(day, time.max, tzinfo=timezone.get_current_timezone())
    decided = GradeOrder.objects.filter(
        subject=subject, status__in=[GradeOrder.Status.ACTIVE, GradeOrder.Status.ENDED], decided_at__lte=moment
    )
    return decided.filter(Q(ended_at=None) | Q(ended_at__gt=moment)).order_by("-decided_at").first()
