"""Reads of released rulebooks."""

from __future__ import annotations

from functools import lru_cache

from zhixin.law.loading import loads_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.rulebooks.models import RulebookRelease


@lru_cache(maxsize=8)
def _loaded(sha256: str, text: str, name: str) -> Rulebook:
    return loads_rulebook(text, name)


def rulebook_of(release: RulebookRelease) -> Rulebook:
    """The rulebook of a release; loading and checking one takes half a second, so the last few are kept."""
    return _loaded(release.sha256, release.text, release.rulebook_id)
