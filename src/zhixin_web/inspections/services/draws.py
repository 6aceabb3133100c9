"""The draw as a public act: freeze and commit, numbers by two persons, draw, tasks, recusal, substitution, abort."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin.dataset.identity import has_valid_check_character
from zhixin.errors import DrawRefused
from zhixin.trust import draw as cdraw
from zhixin.trust.draw.drawing import number_faults
from zhixin.trust.draw.public_numbers import PublicSource, agreed, game_of
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.inspections.models import Assignment, Conflict, Draw, Exclusion, Inspector, NumberEntry, Plan, Task
from zhixin_web.inspections.queries import available_inspectors, planned_strata
from zhixin_web.inspections.strata import Frame, frame_of
from zhixin_web.records.models import Subject

Status = Draw.Status
DAYS_TO_INSPECT = 60
"""Calendar days that a task has by default; a plan's own campaign may shorten it."""


def _refused(error: DrawRefused) -> ValidationError:
    language = get_language() or "zh"
    return ValidationError([reason.in_language(language) for reason in error.reasons])


def commit_draw(plan: Plan, *, game: str, issue: str, day: date, by: User, frozen_at: datetime | None = None) -> Draw:
    """Freeze frame, people and plan of today and put the commitment into the ledger.

    ``frozen_at`` is now; only the demonstration, which makes a draw of last month, gives another moment, and its pages say so.

    Raises:
        ValueError: another moment than now, outside the demonstration.
        PermissionDenied: the account may not.
        ValidationError: the plan is not approved, or everything that forbids the draw.
    """
    if frozen_at is not None and not settings.DEMO:
        raise ValueError("a draw is frozen now")
    if not may(by, "inspections.draw"):
        raise PermissionDenied
    if plan.status not in (Plan.Status.APPROVED, Plan.Status.FILED):
        raise ValidationError(_("只有已批准的计划可以抽取"))
    frame = frame_of(planned_strata(plan), most_visits=plan.most_visits_a_year, today=timezone.localdate())
    with transaction.atomic():
        proposal = _proposal(plan, frame, game, issue, day, frozen_at or timezone.localtime())
        try:
            document = cdraw.commit(proposal, has_valid_check_character)
        except DrawRefused as error:
            raise _refused(error) from error
        made = _committed(plan, document, by)
        Exclusion.objects.bulk_create(
            [Exclusion(draw=made, subject_id=subject, reason=reason) for subject, reason in frame.excluded]
        )
        record_event("draws.commit", by=by, ref=f"draw:{made.draw_id}", units=len(frame.units))
        failpoint("draw.committed")
    return made


def _committed(plan: Plan, document: cdraw.Document, by: User) -> Draw:
    """Put the commitment into the ledger and keep the draw."""
    name, commitment = document["plan"]["draw_id"], document["commitment"]
    body = {"draw": name, "commitment": commitment, "frame_root": document["plan"]["frame_root"]}
    seq = append_one("draw.commit", f"draw:{name}", body)
    return Draw.objects.create(
        plan=plan, draw_id=name, document=document, commitment=commitment, committed_by=by, commit_seq=seq
    )


def _proposal(plan: Plan, frame: Frame, game: str, issue: str, day: date, frozen_at: datetime) -> cdraw.Proposal:
    """All that a draw of this plan depends on: the frame, who may be sent on the day, and their conflicts."""
    people = [
        cdraw.Inspector(item.code, item.unit.code, item.valid_until)
        for item in available_inspectors(day).select_related("unit")
        if item.may_inspect(plan.items)
    ]
    names, units, sizes = {item.id for item in people}, {code for code, _stratum in frame.units}, frame.sizes
    pairs = Conflict.objects.values_list("inspector__code", "subject__code")
    known = game_of(game)
    return cdraw.Proposal(
        draw_id=f"zz-{plan.year}-{plan.pk}-{Draw.objects.filter(plan=plan).count() + 1}",
        basis=f"{plan.title}（{plan.basis}）",
        frozen_at=frozen_at.replace(microsecond=0),
        strata=[item.for_draw() for item in planned_strata(plan) if sizes[item.id]],
        sources=[PublicSource(known.id if known else game, issue.strip(), day)],
        frame=frame.units,
        inspectors=people,
        conflicts=[(person, unit) for person, unit in pairs if person in names and unit in units],
        k=plan.team,
        cap=plan.cap,
        inversion=plan.inversion or None,
    )


def enter_numbers(draw: Draw, numbers: Sequence[Sequence[int]], by: User) -> Draw:
    """Take the public numbers as one person read them; the second who enters the same ones draws.

    Two who differ are both forgotten: each enters again from the announcement.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no such numbers, too early, entered by this person already, or not those of the first person.
    """
    if not may(by, "inspections.numbers"):
        raise PermissionDenied
    entered = [sorted(source) for source in numbers]
    with transaction.atomic():
        found = Draw.objects.select_for_update().get(pk=draw.pk)
        first = _first_entry(found, entered, by)
        if first is None or first.numbers == entered:
            NumberEntry.objects.create(draw=found, by=by, numbers=entered)
            record_event("draws.enter", by=by, ref=f"draw:{found.draw_id}")
            if first is not None:
                _perform(found, entered, by)
            return found
        NumberEntry.objects.filter(draw=found).delete()  # kept, although the second person is refused below
        record_event("draws.disagree", by=by, ref=f"draw:{found.draw_id}", outcome="refused")
    try:
        agreed(first.numbers, entered)
    except DrawRefused as error:
        raise _refused(error) from error
    return found


def _first_entry(draw: Draw, entered: list[list[int]], by: User) -> NumberEntry | None:
    """The entry of the first person, if these numbers may be entered now by this one.

    Raises:
        ValidationError: no such numbers, too early, or entered by this person already.
    """
    if draw.status != Status.COMMITTED:
        raise ValidationError(_("该次抽取不在待开奖状态"))
    plan = draw.document["plan"]
    faults = number_faults(plan, entered)
    if faults:
        raise _refused(DrawRefused(faults))
    last = max(date.fromisoformat(item["date"]) for item in plan["sources"])
    if timezone.localdate() < last:
        raise ValidationError(_("%(day)s 开奖，之前不能录入号码") % {"day": last})
    first = NumberEntry.objects.filter(draw=draw).first()
    if first is not None and first.by_id == by.pk:
        raise ValidationError(_("您已录入，须由另一人独立录入"))
    return first


def _perform(draw: Draw, numbers: list[list[int]], by: User) -> None:
    """Draw, note the result in the ledger, make the tasks; in the caller's transaction."""
    try:
        document = cdraw.draw(draw.document, numbers)
    except DrawRefused as error:
        raise _refused(error) from error
    picked = {name: [unit for _ticket, unit in found["picked"]] for name, found in document["strata"].items()}
    body = {
        "draw": draw.draw_id,
        "commitment": draw.commitment,
        "seed": document["sources"],
        "prk": document["prk"],
        "picked": picked,
    }
    failpoint("draw.computed")
    draw.document, draw.status, draw.drawn_at = document, Status.DRAWN, timezone.now()
    draw.result_seq = append_one("draw.result", f"draw:{draw.draw_id}", body)
    draw.save()
    subjects = dict(
        Subject.objects.filter(code__in=[unit for units in picked.values() for unit in units]).values_list("code", "pk")
    )
    people = dict(Inspector.objects.values_list("code", "pk"))
    due_on, number = timezone.localdate() + timedelta(days=DAYS_TO_INSPECT), 0
    for stratum, units in picked.items():
        for unit in units:
            number += 1
            _make_task(
                draw, subjects[unit], stratum, number, due_on, [people[person] for person in document["assignment"][unit]]
            )
    record_event("draws.draw", by=by, ref=f"draw:{draw.draw_id}", tasks=number)
    failpoint("draw.drawn")


def _make_task(draw: Draw, subject: int, stratum: str, number: int, due_on: date, team: Sequence[int]) -> Task:
    task = Task.objects.create(
        draw=draw, subject_id=subject, stratum=stratum, number=f"{draw.draw_id}-{number:04d}", due_on=due_on
    )
    Assignment.objects.bulk_create([Assignment(task=task, inspector_id=person) for person in team])
    return task


def publish_draw(draw: Draw, by: User) -> None:
    """Publish the result with all that a verifier needs.

    Raises:
        PermissionDenied: no approver.
        ValidationError: not drawn.
    """
    if not may(by, "inspections.approve"):
        raise PermissionDenied
    with transaction.atomic():
        if not Draw.objects.filter(pk=draw.pk, status=Status.DRAWN).update(
            status=Status.PUBLISHED, published_at=timezone.now()
        ):
            raise ValidationError(_("只有已抽取的结果可以公布"))
        record_event("draws.publish", by=by, ref=f"draw:{draw.draw_id}")


def abort_draw(draw: Draw, reason: str, by: User) -> None:
    """End a committed draw without a result; that is published with its reason.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no reason, or there is a result.
    """
    if not may(by, "inspections.approve"):
        raise PermissionDenied
    if not reason.strip():
        raise ValidationError({"reason": _("请写明中止的理由")})
    with transaction.atomic():
        found = Draw.objects.select_for_update().get(pk=draw.pk)
        if found.status != Status.COMMITTED:
            raise ValidationError(_("已有结果的抽取不能中止"))
        found.status, found.abort_reason = Status.ABORTED, reason.strip()[:300]
        found.result_seq = append_one(
            "draw.abort",
            f"draw:{found.draw_id}",
            {"draw": found.draw_id, "commitment": found.commitment, "reason": found.abort_reason},
        )
        found.save()
        record_event("draws.abort", by=by, ref=f"draw:{found.draw_id}", reason=found.abort_reason)


@transaction.atomic
def recuse(task: Task, inspector: Inspector, reason: str, by: User) -> Assignment:
    """Replace an inspector of one task by the next of its own order; no other task changes.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: the task is no longer open, the inspector is not on it, nobody is left, or no reason.
    """
    change = _change(
        task,
        by,
        lambda document, code: cdraw.recuse(document, code, inspector.code, reason.strip()),
        "late_recusal",
        "draw.recusal",
    )
    following = Inspector.objects.get(code=change["next"])
    task.assignments.filter(inspector=inspector).update(recused_reason=reason.strip()[:300])
    return Assignment.objects.create(task=task, inspector=following)


@transaction.atomic
def substitute(task: Task, reason: str, by: User) -> Task:
    """Replace a task's enterprise by the next of its stratum's reserve list.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: the task is no longer open, the list is used up, or no reason.
    """
    change = _change(
        task,
        by,
        lambda document, code: cdraw.substitute(document, code, reason.strip()),
        "substitution",
        "draw.substitution",
    )
    Task.objects.filter(pk=task.pk).update(status=Task.Status.REPLACED, note=reason.strip()[:2000])
    number = Task.objects.filter(draw=task.draw).count() + 1
    people = dict(Inspector.objects.values_list("code", "pk"))
    subject = Subject.objects.get(code=change["next"])
    return _make_task(task.draw, subject.pk, task.stratum, number, task.due_on, [people[code] for code in change["team"]])


def _change(task: Task, by: User, change: Any, name: str, kind: str) -> dict[str, Any]:
    if not may(by, "inspections.draw"):
        raise PermissionDenied
    draw = Draw.objects.select_for_update().get(pk=task.draw_id)
    current = Task.objects.select_for_update().get(pk=task.pk)
    if current.status != Task.Status.OPEN:
        raise ValidationError(_("该任务已不在待检查状态"))
    try:
        draw.document = change(draw.document, task.subject.code)
    except DrawRefused as error:
        raise _refused(error) from error
    made: dict[str, Any] = draw.document[name][-1]
    draw.save(update_fields=["document"])
    append_one(kind, f"draw:{draw.draw_id}", {"draw": draw.draw_id, **made})
    record_event(f"draws.{name}", by=by, ref=f"task:{task.number}", **made)
    task.draw = draw
    return made
