"""Reads of measures: what runs, on whom, on what grounds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from zhixin.law.calendar import shift_months
from zhixin.law.nodes import number_on
from zhixin_web.measures.judging import answering_grades, effective_records
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import last_versions
from zhixin_web.rulebooks.law_in_force import law_in_force


def running_measures(day: date) -> QuerySet[ImposedMeasure]:
    """Return the measures that run on a day, whether or not the clock has already ended those whose term is over."""
    begun = ImposedMeasure.objects.filter(starts_on__lte=day, until__gt=day)
    return begun.filter(Q(ended_on=None) | Q(ended_on__gt=day)).select_related("subject")


def measures_on(subject: Subject) -> QuerySet[ImposedMeasure]:
    """Return the measures imposed on a subject, those that run first, then the newest."""
    return ImposedMeasure.objects.filter(subject=subject).order_by(F("ended_on").desc(nulls_first=True), "-starts_on", "-pk")


def candidates(subjects: QuerySet[Subject], day: date) -> QuerySet[Subject]:
    """Return those of some subjects whose grade in force some rule gives a measure against conduct."""
    rulebook = law_in_force(day).rulebook
    return subjects.filter(current__in_force__in=answering_grades(rulebook)) if rulebook is not None else subjects.none()


def with_conduct(subjects: QuerySet[Subject], day: date) -> QuerySet[Subject]:
    """Return those of some subjects who have effective conduct that a measure answers."""
    rulebook = law_in_force(day).rulebook
    if rulebook is None:
        return subjects.none()
    longest = max(
        (number_on(item.at_most_months, day) or 0 for line in rulebook.measure_catalogue for item in line.answers), default=0
    )
    within = effective_records(rulebook, day).filter(decided_on__gt=shift_months(day, -longest), decided_on__lte=day)
    return subjects.filter(Exists(within.filter(subject=OuterRef("pk"))))


def ground_records(keys: Iterable[str]) -> dict[str, CreditRecord]:
    """Return the last versions of records by key."""
    found = last_versions(CreditRecord.objects.filter(key__in=list(keys))).select_related("subject")
    return {item.key: item for item in found}
