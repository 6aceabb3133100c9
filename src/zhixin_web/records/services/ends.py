"""Ends that come by themselves: what was published until a day, or valid until a day, ends on it, with an entry in the ledger.

Pages read the days themselves, so nothing is shown a day too long where the clock stands still; the entry proves the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
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
    lock_ledger()
    noted = NotedEnds.objects.select_for_update().first()
    if noted is not None and noted.day >= day:
        return 0
    items = list(_ends(day))
    if items:
        append(items)
    if noted is None:
        NotedEnds.objects.create(day=day)
    else:
        noted.day = day
        noted.save()
    return len(items)


def _ends(day: date) -> Iterator[Sealed]:
    active = last_versions(CreditRecord.objects.filter(state=CreditRecord.State.ACTIVE, erased_at=None))
    published = active.filter(publicity_until=day, publicity_from__lt=F("publicity_until"))
    for kind, rows in ((PUBLICATION, published), (VALIDITY, active.filter(valid_until=day))):
        for seq in rows.order_by("seq").values_list("seq", flat=True):
            yield seal(kind, f"R{seq}", {"record": seq, "on": day.isoformat()})
