"""Terms of a record of dishonesty: how long it is published, and from when it may be repaired.

The one computation of these terms: articles, portal, outlook, eligibility and clocks all read it. A dated number of a
term is the one in force on the day of the decision (令36: 自文书认定之日起).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhixin.law.calendar import shift_months
from zhixin.law.catalogue import DishonestyTerms, Publicity, RecordKind
from zhixin.law.nodes import number_on
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Nature, Severity


@dataclass(frozen=True)
class Publication:
    """When a record is published: from ``starts_on``, at least until ``earliest_end``, at most until ``ends_on`` (exclusive)."""

    starts_on: date
    earliest_end: date
    ends_on: date


def severity_of(rulebook: Rulebook, kind: str, stated: str | None) -> Severity | None:
    """Return the class of a record: as its source states it, else as the catalogue classes its kind.

    ``None``: the kind is no dishonesty, or nothing says how grave it is.
    """
    found = rulebook.kind.get(kind)
    if found is None or found.nature is not Nature.NEGATIVE:
        return None
    return Severity(stated) if stated else found.severity


def terms_of(rulebook: Rulebook, severity: Severity) -> DishonestyTerms | None:
    """Return the terms of a class of dishonesty."""
    return next((item for item in rulebook.terms if item.id is severity), None)


def _publicity(rulebook: Rulebook, kind: RecordKind, severity: Severity) -> Publicity | None:
    terms = terms_of(rulebook, severity)
    return kind.publicity or (terms.publicity if terms is not None else None)


def publication_of(
    rulebook: Rulebook, kind: str, stated: str | None, decided_on: date, published_on: date | None
) -> Publication | None:
    """Return when a record is published; ``None`` where it never is.

    Args:
        rulebook: unresolved; the dated numbers are taken as of ``decided_on``.
        kind: of the catalogue.
        stated: the class that the source states, if it does.
        decided_on: day of the document that recognises the conduct.
        published_on: day on which the source published it, if it did.
    """
    severity = severity_of(rulebook, kind, stated)
    if severity is None:
        return None
    found = _publicity(rulebook, rulebook.kind[kind], severity)
    terms = terms_of(rulebook, severity)
    if found is None or (terms is not None and terms.published == "if_published_by_source" and published_on is None):
        return None
    least, most = number_on(found.min_months, decided_on), number_on(found.max_months, decided_on)
    if least is None or most is None:
        return None
    starts_on, ends_on = published_on or decided_on, shift_months(decided_on, most)
    if starts_on >= ends_on:  # published after its term had run out: nothing is left to publish
        return None
    return Publication(starts_on, shift_months(decided_on, least), ends_on)


def repair_from(rulebook: Rulebook, kind: str, stated: str | None, decided_on: date) -> date | None:
    """Return the first day on which a repair may be granted; ``None`` where the kind cannot be repaired.

    It is the later of the kind's own wait and of the shortest publication of the record's class.
    """
    severity = severity_of(rulebook, kind, stated)
    found = rulebook.kind.get(kind)
    if found is None or found.repair is None:
        return None
    waits = [number_on(found.repair.after_months, decided_on)]
    publicity = None if severity is None else _publicity(rulebook, found, severity)
    if publicity is not None:
        waits.append(number_on(publicity.min_months, decided_on))
    return shift_months(decided_on, max((wait for wait in waits if wait is not None), default=0))
