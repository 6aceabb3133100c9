"""Judges what the catalogue allows against subjects: grade in force, classes and effective conduct, read for many at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from zhixin.dataset.documents import document_key
from zhixin.law.proportionality import Allowed, Conduct, Refused, judge, measures_against
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.evaluations.queries import grade_as_of
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import last_versions
from zhixin_web.records.services.versions import chunked
from zhixin_web.rulebooks.law_in_force import law_in_force

AT_ONCE = 200
"""Subjects that are read together."""


@dataclass(frozen=True)
class Standing:
    """What measures against a subject are judged by: its grade in force (empty: none), classes, effective conduct."""

    subject: Subject
    grade: str
    classes: frozenset[str]
    conduct: tuple[Conduct, ...]


def answered_kinds(rulebook: Rulebook) -> tuple[str, ...]:
    """Return the kinds of conduct that some measure of the catalogue answers."""
    return rulebook.kinds_matching(
        [pattern for item in rulebook.measure_catalogue for conduct in item.answers for pattern in conduct.kinds]
    )


def answering_grades(rulebook: Rulebook) -> set[str]:
    """Return the grades that some rule gives a measure against conduct."""
    answering = {item.code for item in rulebook.measure_catalogue if item.answers}
    return {grade for rule in rulebook.measures if rule.measure in answering for grade in rule.grades}


def effective_records(rulebook: Rulebook, day: date) -> QuerySet[CreditRecord]:
    """Return the records that measures may answer: last versions, neither repaired nor revoked, nor past their own end."""
    known = CreditRecord.objects.filter(kind__in=answered_kinds(rulebook))
    in_time = Q(valid_until=None) | Q(valid_until__gte=day)
    return last_versions(known).filter(in_time, state=CreditRecord.State.ACTIVE, erased_at=None)


def effective_conduct(rulebook: Rulebook, subjects: Iterable[Subject], day: date) -> dict[int, list[Conduct]]:
    """Return the effective conduct of subjects."""
    found: dict[int, dict[tuple[str, str], Conduct]] = defaultdict(dict)
    records = effective_records(rulebook, day).filter(subject__in=list(subjects)).order_by("decided_on", "seq")
    for subject, key, kind, decided_on, body in records.values_list("subject_id", "key", "kind", "decided_on", "body"):
        found[subject].setdefault((kind, _act(key, body)), Conduct(key, kind, decided_on))
    return {subject: list(acts.values()) for subject, acts in found.items()}


def _act(key: str, body: str) -> str:
    """Return what tells one act from another: the document that a determination rests on, else its own.

    One act that two sources tell of counts once, by its first document.
    """
    said = json.loads(body) if body else {}
    named = said.get("reported", {}).get("grounds") or said.get("document")
    return document_key(str(named)) if named else key


def standings(subjects: Iterable[Subject], rulebook: Rulebook, day: date) -> list[Standing]:
    """Return where subjects stand today, in the order given."""
    wanted = list(subjects)
    grades = dict(CurrentGrade.objects.filter(subject__in=wanted).values_list("subject_id", "in_force"))
    conduct = effective_conduct(rulebook, wanted, day)
    answering = {item.code for item in rulebook.measure_catalogue if item.answers}
    needs_classes = any(rule.classes for rule in rulebook.measures if rule.measure in answering)
    return [
        Standing(
            subject,
            grades.get(subject.pk, ""),
            _classes(rulebook, subject, day) if needs_classes and subject.pk in conduct else frozenset(),
            tuple(conduct.get(subject.pk, ())),
        )
        for subject in wanted
    ]


def _classes(rulebook: Rulebook, subject: Subject, day: date) -> frozenset[str]:
    """Return the classes that the evaluation in force found the subject in."""
    row = grade_as_of(subject, day)
    mask = row["class_mask"] if row else 0
    return frozenset(item.id for number, item in enumerate(rulebook.classes) if mask >> number & 1)


def judged(subject: Subject, code: str, day: date, only: Collection[str] | None = None) -> tuple[Allowed | Refused, str]:
    """Judge one measure against a subject on a day; gives the grade it was judged by as well.

    ``only``: keys of the records that may count, where the measure rests on no others.
    """
    rulebook = law_in_force(day).rulebook
    if rulebook is None:
        return Refused(None, None, "not_in_the_catalogue"), ""
    found = standings([subject], rulebook, day)[0]
    conduct = [item for item in found.conduct if only is None or item.key in only]
    return judge(rulebook, code, grade=found.grade, classes=found.classes, conduct=conduct, on=day), found.grade


def judged_all(subjects: QuerySet[Subject], day: date) -> Iterator[tuple[Standing, list[Allowed | Refused]]]:
    """Judge every measure of the catalogue against subjects, some at a time."""
    rulebook = law_in_force(day).rulebook
    if rulebook is None:
        return
    for some in chunked(subjects.iterator(chunk_size=AT_ONCE), AT_ONCE):
        for found in standings(some, rulebook, day):
            verdicts = measures_against(rulebook, grade=found.grade, classes=found.classes, conduct=found.conduct, on=day)
            yield found, list(verdicts)
