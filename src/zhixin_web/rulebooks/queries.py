"""Reads of released rulebooks."""

from __future__ import annotations

from functools import lru_cache

from zhixin.law.loading import loads_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.rulebooks.models import RulebookRelease


@lru_cache(maxsize=16)
def _loaded(sha256: str, text: str, name: str) -> Rulebook:
    return loads_rulebook(text, name)


def rulebook_of(release: RulebookRelease) -> Rulebook:
    """Return the rulebook of a release; loading and checking one takes half a second, so the last few are kept."""
    return _loaded(release.sha256, release.text, release.rulebook_id)


@lru_cache(maxsize=16)
def _by_hash(sha256: str, pk: int) -> Rulebook:
    return rulebook_of(RulebookRelease.objects.get(pk=pk))


def rulebook_by_pk(pk: int) -> Rulebook:
    """Return the rulebook of a release by its key; its text is only read where it is not kept."""
    return _by_hash(RulebookRelease.objects.values_list("sha256", flat=True).get(pk=pk), pk)
