"""What the law in force makes of a record: its class, and from when to when it is published."""

from __future__ import annotations

from datetime import date

from zhixin_web.rulebooks.law_in_force import LawInForce

LISTS = "list."
"""Beginning of the kinds that are entries on a list, published no longer than they are valid."""
Projected = tuple[str | None, date | None, date | None, date | None]
"""Class; start, earliest end and end of publication."""


def projected_terms(
    law: LawInForce,
    kind: str,
    state: str,
    stated: str | None,
    decided_on: date | None,
    published_on: date | None,
    valid_until: date | None,
) -> Projected:
    """Return the class and the publication of a record version; only an active one is published.

    The class stands without a rulebook only where the source states it; the publication never does.
    """
    severity = law.severity(kind, stated)
    if state != "active" or decided_on is None:
        return severity, None, None, None
    term = law.publication(kind, stated, decided_on, published_on)
    if term is None:
        return severity, None, None, None
    ends_on = term.ends_on
    if valid_until is not None and kind.startswith(LISTS):  # who is off the list is not shown on it
        ends_on = valid_until if ends_on is None else min(ends_on, valid_until)
    earliest = term.earliest_end if ends_on is None or term.earliest_end is None else min(term.earliest_end, ends_on)
    return severity, term.starts_on, earliest, ends_on
