"""Whom an account acts for: its own enterprise, and those that have given its enterprise a mandate."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from zhixin_web.accounts.models import Mandate, Organisation, User
from zhixin_web.accounts.permissions import may


def mandates_in_force(agent: Organisation, today: date) -> QuerySet[Mandate]:
    """Return the mandates that an enterprise holds on a day, both its ends included."""
    return Mandate.objects.filter(agent=agent, from_on__lte=today, until__gte=today, ended_at=None)


def represented_codes(user: User) -> tuple[str, ...]:
    """Return the codes of the enterprises an account acts for today, its own first."""
    unit = user.organisation
    if unit is None or not may(user, "mine.view"):
        return ()
    given = (
        mandates_in_force(unit, timezone.localdate()).order_by("principal__name").values_list("principal__code", flat=True)
    )
    return (unit.code, *dict.fromkeys(given))


def represents(user: User, code: str) -> bool:
    """Whether an account acts for an enterprise today."""
    return code in represented_codes(user)
