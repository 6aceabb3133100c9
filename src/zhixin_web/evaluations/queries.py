"""Reads of evaluation: pre-flight, current and past grades."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.db.models import Q
from django.utils import timezone

from zhixin import Outlook, RunFolder, explain, facts_of
from zhixin.errors import ZhixinError
from zhixin_web.evaluations.models import GradeOrder, Run, RunQuerySet
from zhixin_web.evaluations.snapshots import read_grades, run_folder
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
        if run.kind == Run.Kind.EVENT and subject.code in codes_decided(run):
            return run
        if run.kind == Run.Kind.FULL:
            kept = next((item for item in reversed(events_kept(run)) if subject.code in codes_decided(item)), None)
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


def _released_before(run: Run) -> RunQuerySet:
    """Runs whose results became grades in force before those of a run, without what was rolled back by then."""
    released = Run.objects.released().filter(is_projected=True)
    if run.released_at is not None:
        released = released.filter(released_at__lt=run.released_at)
    return released.exclude(pk__in=released.exclude(rolls_back=None).values("rolls_back"))


def overtaken_by(run: Run) -> RunQuerySet:
    """Return the released runs that know more than a run and are of its day or later: their results stand over its own."""
    return _released_before(run).filter(as_of__gte=run.as_of, known_seq__gt=run.known_seq)


def events_kept(run: Run) -> list[Run]:
    """Return the event-driven runs whose results stand over those of a full run: of a later day, or with more known; in order.

    A listing that made a subject D is not undone by an evaluation that did not know it yet, nor by a roll back to one.
    """
    if run.kind == Run.Kind.EVENT:
        return []
    later = Q(as_of__gt=run.as_of) | Q(known_seq__gt=run.known_seq)
    return list(_released_before(run).filter(later, kind=Run.Kind.EVENT).order_by("known_seq", "pk"))


def codes_decided(run: Run) -> set[str]:
    """Return the codes of the subjects that an event-driven run decides: those that no later evaluation has decided since."""
    codes = set(run.only)
    for kind, only in overtaken_by(run).values_list("kind", "only"):
        codes -= codes if kind == Run.Kind.FULL else set(only)
    return codes


def results_of(run: Run) -> dict[str, dict[str, Any]]:
    """Return the rows that a run publishes, by credit code: its own, and those of later events in their place.

    Raises:
        OSError: an archive cannot be read.
    """
    rows = {row["subject_id"]: row for row in read_grades(run_folder(run))}
    if run.kind == Run.Kind.EVENT:
        codes = codes_decided(run)
        return {code: row for code, row in rows.items() if code in codes}
    for event in events_kept(run):
        codes = codes_decided(event)
        rows |= {row["subject_id"]: row for row in read_grades(run_folder(event)) if row["subject_id"] in codes}
    return rows


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
