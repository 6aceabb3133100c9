"""Brings class and publication of the records in line with the law in force: after a release, and on its first day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from zhixin_web.audit.services.events import record_event
from zhixin_web.records.models import AppliedLaw, CreditRecord
from zhixin_web.records.projected_terms import projected_terms
from zhixin_web.rulebooks.law_in_force import law_in_force

CHUNK = 5_000
PROJECTED = ("severity", "publicity_from", "publicity_min_until", "publicity_until")


def law_is_applied() -> bool:
    """Whether the records follow the rulebooks that are in force today."""
    return AppliedLaw.objects.filter(releases=_names()).exists()


def _names() -> str:
    return ",".join(str(pk) for pk, _rulebook in law_in_force().releases)


def apply_law_in_force() -> Iterator[str]:
    """Recompute class and publication of every record under the law of today; nothing where that was done.

    Records are written in pieces, so that others can write between; the law counts as applied when all are.
    """
    names = _names()
    if law_is_applied() or not (names or AppliedLaw.objects.exists()):
        return
    changed = last = 0
    while True:
        with transaction.atomic():
            rows = list(
                CreditRecord.objects.filter(seq__gt=last)
                .order_by("seq")
                .values_list(
                    "seq", "kind", "state", "stated_severity", "decided_on", "published_on", "valid_until", *PROJECTED
                )[:CHUNK]
            )
            changed += _rewrite(rows)
        if not rows:
            break
        last = rows[-1][0]
    with transaction.atomic():
        AppliedLaw.objects.update_or_create(pk=1, defaults={"releases": names})
        record_event("records.apply_law", ref=names[:200], records=changed)
    yield f"{changed} record(s) brought in line with the rulebooks in force"


def _rewrite(rows: list[Any]) -> int:
    """Write the projected columns of some records where they differ; return how many did."""
    law, wrong = law_in_force(), []
    for seq, kind, state, stated, decided_on, published_on, valid_until, *held in rows:
        right = projected_terms(law, kind, state, stated, decided_on, published_on, valid_until)
        if tuple(held) != right:
            wrong.append((*right, seq))
    if wrong:
        columns = ", ".join(f"{name} = %s" for name in PROJECTED)
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE records_creditrecord SET {columns} WHERE seq = %s", wrong)
    return len(wrong)
