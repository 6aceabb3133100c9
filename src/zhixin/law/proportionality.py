"""Proportionality of measures (过惩相当): what the catalogue allows against a subject, why, and until when.

The one place that decides it: the list of measures due, the case that imposes one, its paper and its end all read from here. A
measure answers conduct that an effective document recognises, of a kind that the catalogue names, of a subject whose grade and
class the rule names; its term runs from those documents. Whatever does not fit is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from zhixin.law.calendar import shift_months
from zhixin.law.nodes import Basis, number_on
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import AnsweredConduct, MeasureDefinition, MeasureRule


@dataclass(frozen=True)
class Conduct:
    """An effective record of dishonesty, neither revoked nor repaired: its key, its kind, the day of its document."""

    key: str
    kind: str
    decided_on: date


@dataclass(frozen=True)
class Answer:
    """Conduct of one article, and the first day on which a measure for it no longer runs."""

    conduct: tuple[Conduct, ...]
    basis: tuple[Basis, ...]
    until: date


@dataclass(frozen=True)
class Allowed:
    """A measure that may be imposed: the rule, its line of the catalogue, what it answers, its first day without it."""

    rule: MeasureRule
    definition: MeasureDefinition
    answers: tuple[Answer, ...]

    @property
    def until(self) -> date:
        """First day on which the measure no longer runs."""
        return max(answer.until for answer in self.answers)

    @property
    def keys(self) -> list[str]:
        """Keys of the records that the measure answers, oldest document first."""
        found = {item.key: item for answer in self.answers for item in answer.conduct}
        return [item.key for item in sorted(found.values(), key=lambda item: (item.decided_on, item.key))]


Reason = Literal["no_conduct", "term_over", "not_of_the_grade", "not_of_the_class", "not_in_the_catalogue"]


@dataclass(frozen=True)
class Refused:
    """A measure that may not be imposed, and why."""

    rule: MeasureRule | None
    definition: MeasureDefinition | None
    reason: Reason


def ends_of_terms(article: AnsweredConduct, rule: MeasureRule, decided: Sequence[date]) -> list[date | None]:
    """Return for each document the first day after the terms of its run; ``None`` where it has none.

    A document within the running terms of earlier ones appends its own (国知发保字〔2022〕8号 第十条), one after they are over begins
    anew. In a run the terms counted from a document's day are together at most the longest time from that day. The numbers are
    those in force on the day of each document; a rule may shorten them.

    Args:
        article: conduct and its terms.
        rule: that gives the measure.
        decided: days of the documents, oldest first.
    """
    ends: list[date | None] = [None] * len(decided)
    run: list[tuple[int, int, int]] = []  # place, months of the term, most months from this document
    end: date | None = None
    for place, day in enumerate(decided):
        one, most = number_on(article.months, day), number_on(article.at_most_months, day)
        if one is None or most is None:
            continue
        shorter = None if rule.duration_months is None else number_on(rule.duration_months, day)
        if end is not None and day >= end:
            run = []
        run.append((place, one if shorter is None else min(one, shorter), most))
        end = max(
            shift_months(decided[first], min(sum(term for _place, term, _most in run[number:]), longest))
            for number, (first, _term, longest) in enumerate(run)
        )
        for member, _term, _most in run:  # the documents of a run end together
            ends[member] = end
    return ends


def judge(
    rulebook: Rulebook, measure: str, *, grade: str | None, classes: Collection[str], conduct: Iterable[Conduct], on: date
) -> Allowed | Refused:
    """Judge whether a measure of the catalogue may be imposed on a subject on a day.

    Args:
        rulebook: the one in force, unresolved.
        measure: code of the catalogue.
        grade: of the subject, as in force.
        classes: ids of the classes that the subject belongs to.
        conduct: its effective records.
        on: the day.
    """
    definition = next((item for item in rulebook.measure_catalogue if item.code == measure), None)
    rules = [rule for rule in rulebook.measures if rule.measure == measure and _in_force(rule, on)]
    if definition is None or not definition.answers or not rules:
        return Refused(None, definition, "not_in_the_catalogue")
    fitting = [rule for rule in rules if grade in rule.grades]
    if not fitting:
        return Refused(rules[0], definition, "not_of_the_grade")
    of_class = [rule for rule in fitting if not rule.classes or set(rule.classes) & set(classes)]
    if not of_class:
        return Refused(fitting[0], definition, "not_of_the_class")
    known = list(conduct)
    found = [_answer(rulebook, definition, rule, known, on) for rule in of_class]
    allowed = [item for item in found if isinstance(item, Allowed)]
    return max(allowed, key=lambda item: item.until) if allowed else found[0]


def measures_against(
    rulebook: Rulebook, *, grade: str | None, classes: Collection[str], conduct: Collection[Conduct], on: date
) -> Iterator[Allowed | Refused]:
    """Judge each measure of the catalogue that answers conduct and that a rule gives to a grade and class; see :func:`judge`."""
    for definition in rulebook.measure_catalogue:
        if not definition.answers:
            continue
        found = judge(rulebook, definition.code, grade=grade, classes=classes, conduct=conduct, on=on)
        if isinstance(found, Allowed) or found.reason in ("no_conduct", "term_over"):
            yield found


def _in_force(rule: MeasureRule, on: date) -> bool:
    return rule.effective is None or rule.effective.covers(on)


def _answer(
    rulebook: Rulebook, definition: MeasureDefinition, rule: MeasureRule, conduct: list[Conduct], on: date
) -> Allowed | Refused:
    answers, matching = [], False
    for article in definition.answers:
        kinds = set(rulebook.kinds_matching(article.kinds))
        meant = sorted(
            (item for item in conduct if item.kind in kinds and item.decided_on <= on),
            key=lambda item: (item.decided_on, item.key),
        )
        matching = matching or bool(meant)
        ends = ends_of_terms(article, rule, [item.decided_on for item in meant])
        running = [(item, end) for item, end in zip(meant, ends, strict=True) if end is not None and end > on]
        if running:
            answers.append(Answer(tuple(item for item, _ in running), article.basis, max(end for _, end in running)))
    if answers:
        return Allowed(rule, definition, tuple(answers))
    return Refused(rule, definition, "term_over" if matching else "no_conduct")
