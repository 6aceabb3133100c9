"""Ends that come by themselves: what was published until a day, or valid until a day, ends on it, with an entry in the ledger.

Pages read the days themselves, so nothing is shown a day too long where the clock stands still; the entry proves the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from zhixin_web.audit.services.ledger import Sealed, append, lock_ledger, seal
from zhixin_web.records.models import CreditRecord, NotedEnds
from zhixin_web.records.queries import last_versions

PUBLICATION, VALIDITY = ENDS = ("publication.end", "validity.end")
"""Kinds of entries."""


def note_ends() -> Iterator[str]:
    """Enter what has ended since the last time, day by day and each once: a step of ``tick``.

    The first time it begins with today: of what ended before nobody kept a record.
    """
    today = timezone.localdate()
    noted = NotedEnds.objects.first()
    if noted is not None and noted.day >= today:
        return
    day = noted.day + timedelta(days=1) if noted is not None else today
    while day <= today:
        count = _note(day)
        if count:
            yield f"{count} terms ended on {day}"
        day += timedelta(days=1)


@transaction.atomic
def _note(day: date) -> int:
    """Enter what ended on a day, unless somebody else has; return how many."""
    last = lock_ledger() - 1
    noted = NotedEnds.objects.select_for_update().first()
    if noted is not None and noted.day >= day:
        return 0
    items = list(_ends(day, noted))
    if items:
        append(items)
    if noted is None:
        NotedEnds.objects.create(day=day, seq=last)
    else:
        noted.day, noted.seq = day, last
        noted.save()
    return len(items)


def _ends(day: date, noted: NotedEnds | None) -> Iterator[Sealed]:
    """Ends of a day, and of days noted before that a later version has moved there."""
    active = last_versions(CreditRecord.objects.filter(state=CreditRecord.State.ACTIVE, erased_at=None))
    published = active.filter(publicity_from__lt=F("publicity_until"))
    for kind, rows, column, after in (
        (PUBLICATION, published, "publicity_until", timedelta(0)),  # the first day without publication
        (VALIDITY, active, "valid_until", timedelta(days=1)),  # the last day counts
    ):
        found = Q(**{column: day - after})
        if noted is not None and noted.seq is not None:
            latest = noted.day - after
            before = CreditRecord.objects.filter(key=OuterRef("key"), version=OuterRef("version") - 1)
            runs_before = Q(Exists(before.filter(Q(**{f"{column}__gt": latest}) | Q(**{column: None}))))
            found |= Q(**{f"{column}__lte": latest}, seq__gt=noted.seq) & runs_before
        for seq, ends in rows.filter(found).order_by("seq").values_list("seq", column):
            yield seal(kind, f"R{seq}", {"record": seq, "on": (ends + after).isoformat()})
