"""Imposes measures, and ends them when their term or what they rest on is over; each with an entry in the ledger."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from zhixin.law.proportionality import Allowed, Refused
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.measures.judging import judged
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.measures.words import refusal_in_words
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.rulebooks.law_in_force import law_in_force

Ending = ImposedMeasure.Ending
_log = logging.getLogger(__name__)


def impose(
    subject: Subject, code: str, *, only: Collection[str], case: str, number: str, proposed_by: User, decided_by: User
) -> ImposedMeasure:
    """Impose a measure from today, judged anew; one of the same code that runs is replaced.

    Args:
        subject: on whom.
        code: of the catalogue.
        only: keys of the records that the subject was told of; it rests on no others.
        case: reference of the case.
        number: of the decision.
        proposed_by: who proposed it.
        decided_by: another, who decided.

    Raises:
        ValidationError: the catalogue does not allow it (any more), with the reason.
    """
    today = timezone.localdate()
    with transaction.atomic():
        lock_ledger()
        verdict, grade = judged(subject, code, today, only)
        if isinstance(verdict, Refused):
            raise ValidationError(refusal_in_words(verdict))
        for before in ImposedMeasure.objects.filter(subject=subject, code=code, ended_on=None).select_related("subject"):
            is_over = before.until <= today
            _end(before, Ending.TERM if is_over else Ending.REPLACED, before.until if is_over else today)
        body = {
            "measure": code, "grade": grade, "until": verdict.until.isoformat(), "records": verdict.keys, "case": case, "number": number,
            "proposed_by": proposed_by.pk, "decided_by": decided_by.pk,
        }  # fmt: skip
        seq, release = append_one("measure.impose", case, body), _release_in_force()
        assert release is not None, "what the catalogue allows, a release in force allows"
        made = ImposedMeasure.objects.create(
            subject=subject, code=code, scenario=verdict.rule.scenario, definition=verdict.definition.model_dump(mode="json"),
            answers=described(verdict), release_id=release, grade=grade, case=case, number=number,
            starts_on=today, until=verdict.until, proposed_by=proposed_by, decided_by=decided_by, ledger_seq=seq,
            followed_on=today, followed_seq=seq, followed_grade=grade, followed_release=release,
        )  # fmt: skip
        record_event("measures.impose", by=decided_by, ref=f"subject:{subject.code}", measure=code, paper=number)
    return made


def described(verdict: Allowed) -> list[dict[str, Any]]:
    """Return what a measure answers as it is kept with it."""
    return [
        {
            "records": [item.key for item in answer.conduct],
            "basis": [item.model_dump(mode="json") for item in answer.basis],
            "until": answer.until.isoformat(),
        }
        for answer in verdict.answers
    ]


def follow_subject(subject: Subject) -> list[ImposedMeasure]:
    """Let the measures on a subject follow its records and its grade; gives those that ended."""
    open_ = ImposedMeasure.objects.filter(subject=subject, ended_on=None).select_related("subject")
    return [item for item in open_ if _follow(item)]


def follow_measures() -> Iterator[str]:
    """End or shorten the measures whose grounds may have changed since they were last looked at: a step of ``tick``."""
    today, newest = timezone.localdate(), _release_in_force()
    records = CreditRecord.objects.filter(subject=OuterRef("subject"), seq__gt=OuterRef("followed_seq"))
    grade = CurrentGrade.objects.filter(subject=OuterRef("subject"), in_force=OuterRef("followed_grade"))
    changed = Q(followed_on=None) | Q(followed_on__lt=today) | ~Q(followed_release=newest) | Exists(records) | ~Exists(grade)
    for item in ImposedMeasure.objects.filter(changed, ended_on=None).select_related("subject").order_by("until", "pk"):
        try:
            if _follow(item):
                yield f"measure {item.pk} on {item.subject.code} ended"
        except Exception as error:  # what stops one does not stop the others, and the next minute tries again
            _log.exception("measure %s could not follow its grounds", item.pk)
            yield f"measure {item.pk}: failed ({type(error).__name__})"


def _release_in_force() -> int | None:
    found = law_in_force(timezone.localdate()).releases
    return found[0][0] if found else None


def _follow(measure: ImposedMeasure) -> bool:
    """End a measure, or bring its end forward, as its grounds now say; conduct it was not decided for changes nothing."""
    today = timezone.localdate()
    with transaction.atomic():
        size = lock_ledger()
        measure = ImposedMeasure.objects.select_for_update().select_related("subject").get(pk=measure.pk)
        if measure.ended_on is not None:
            return False
        if measure.until <= today:
            _end(measure, Ending.TERM, measure.until)
            return True
        held = {key for answer in measure.answers for key in answer["records"]}
        verdict, grade = judged(measure.subject, measure.code, today, only=held)
        if isinstance(verdict, Refused):
            _end(measure, Ending(verdict.reason), today)
            return True
        if verdict.until < measure.until:
            measure.until, measure.answers = verdict.until, described(verdict)
            body = {"measure": measure.code, "id": measure.pk, "until": verdict.until.isoformat()}
            append_one("measure.shorten", measure.case, body)
            measure.save()
            record_event("measures.shorten", ref=f"subject:{measure.subject.code}", measure=measure.code)
        ImposedMeasure.objects.filter(pk=measure.pk).update(
            followed_on=today, followed_seq=size - 1, followed_grade=grade, followed_release=_release_in_force()
        )
    return False


def _end(measure: ImposedMeasure, why: ImposedMeasure.Ending, day: date) -> None:
    measure.ended_on, measure.ending = day, why
    append_one(
        "measure.end", measure.case, {"measure": measure.code, "id": measure.pk, "on": day.isoformat(), "why": why.value}
    )
    measure.save()
    record_event("measures.end", ref=f"subject:{measure.subject.code}", measure=measure.code, why=why.value)
