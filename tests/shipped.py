"""Rulebooks that come with the project, loaded and checked once in a process: each takes half a second."""

from __future__ import annotations

from functools import cache

from zhixin.law.loading import load_rulebook, shipped_rulebooks
from zhixin.law.rulebook import Rulebook


@cache
def shipped(name: str) -> Rulebook:
    """Return a rulebook by the name of its folder; it is never changed."""
    return load_rulebook(shipped_rulebooks() / name)
