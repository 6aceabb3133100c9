"""What the public may see of rulebooks: released ones whose grades are public."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from django.db.models import QuerySet

from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Visibility
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of


@lru_cache(maxsize=16)
def _rulebook_by_hash(sha256: str, release: int) -> Rulebook:
    return rulebook_of(RulebookRelease.objects.get(pk=release))


def _rulebook(release: int) -> Rulebook:
    """The rulebook of a release, which never changes."""
    sha256 = RulebookRelease.objects.values_list("sha256", flat=True).get(pk=release)
    return _rulebook_by_hash(sha256, release)


def public_releases() -> list[int]:
    """Released rulebooks whose grades are public. Everything the portal shows of grades and rules hangs on these."""
    rows = RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED).values_list("sha256", "pk")
    return [pk for sha256, pk in rows if _rulebook_by_hash(sha256, pk).visibility.grade == Visibility.PUBLIC]


def published_releases() -> QuerySet[RulebookRelease]:
    """Released rulebooks whose grades are public, the newest first; the rules of an internal class would reveal it."""
    return RulebookRelease.objects.filter(pk__in=public_releases()).order_by("-approved_at", "-pk")


def published_rulebook(release: int) -> Rulebook:
    """A released rulebook, checked once and kept."""
    return _rulebook(release)


def rulebook_in_force(day: date) -> tuple[RulebookRelease, Rulebook] | None:
    """The newest released rulebook that is in force on a day."""
    found = published_releases().filter(effective_from__lte=day).first()
    return (found, _rulebook(found.pk)) if found else None
