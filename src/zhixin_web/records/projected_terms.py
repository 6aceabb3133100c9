"""What the law in force makes of a record: its class, and from when to when it is published."""

from __future__ import annotations

from datetime import date

from zhixin_web.rulebooks.law_in_force import LawInForce

Projected = tuple[str | None, date | None, date | None, date | None]
"""Class; start, earliest end and end of publication."""


def projected_terms(
    law: LawInForce, kind: str, state: str, stated: str | None, decided_on: date | None, published_on: date | None
) -> Projected:
    """Return the class and the publication of a record version; only an active one is published.

    The class stands without a rulebook only where the source states it; the publication never does.
    """
    severity = law.severity(kind, stated)
    if state != "active" or decided_on is None:
        return severity, None, None, None
    term = law.publication(kind, stated, decided_on, published_on)
    return (severity, None, None, None) if term is None else (severity, term.starts_on, term.earliest_end, term.ends_on)
