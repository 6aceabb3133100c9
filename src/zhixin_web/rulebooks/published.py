"""What the public may see of rulebooks: released ones whose grades are public."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Visibility
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_by_pk


def public_releases() -> list[int]:
    """Released rulebooks whose grades are public. Everything the portal shows of grades and rules hangs on these."""
    rows = RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED).values_list("pk", flat=True)
    return [pk for pk in rows if rulebook_by_pk(pk).visibility.grade == Visibility.PUBLIC]


def published_releases() -> QuerySet[RulebookRelease]:
    """Released rulebooks whose grades are public, the newest first; the rules of an internal class would reveal it."""
    return RulebookRelease.objects.filter(pk__in=public_releases()).order_by("-approved_at", "-pk")


def published_rulebook(release: int) -> Rulebook:
    """A released rulebook, checked once and kept."""
    return rulebook_by_pk(release)


def rulebook_in_force(day: date) -> tuple[RulebookRelease, Rulebook] | None:
    """The public rulebook that is in force on a day, with its release."""
    law = law_in_force(day)
    if law.rulebook is None:
        return None
    return RulebookRelease.objects.get(pk=law.releases[0][0]), law.rulebook
