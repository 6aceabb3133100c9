"""A problem of a rulebook, and the parts of a rulebook that problems are reported against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from zhixin.errors import Message
from zhixin.law.rulebook import Rulebook

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """A fault by its path in the rulebook; the loader adds file and line."""

    code: str
    path: Path
    what: Message
    remedy: Message
    is_warning: bool = False


def problem_at(code: str, path: Path, zh: str, en: str, fix_zh: str, fix_en: str, warning: bool = False) -> Problem:
    return Problem(code, path, Message(zh, en), Message(fix_zh, fix_en), warning)


KEYED = (
    "sources",
    "catalogue",
    "terms",
    "deadlines",
    "attributes",
    "classes",
    "dimensions",
    "indicators",
    "ladder",
    "side_grades",
    "measure_catalogue",
    "measures",
)


_DECISIONS = ("exclude", "direct", "side", "caps", "shifts")


def decision_rules(rulebook: Rulebook) -> Iterator[tuple[str, Any]]:
    for step in _DECISIONS:
        for rule in getattr(rulebook.decisions, step):
            yield step, rule


def scopes(rulebook: Rulebook) -> Iterator[tuple[Path, Any]]:
    """Each keyed item with its path: what a reference is reported against."""
    for part in KEYED:
        for item in getattr(rulebook, part):
            yield (part, getattr(item, "id", None) or item.code), item
    for step, rule in decision_rules(rulebook):
        yield ("decisions", step, rule.id), rule
    yield ("score",), rulebook.score
    yield ("visibility",), rulebook.visibility
    yield ("cycle",), rulebook.cycle


def unknown_name(path: Path, zh: str, en: str, name: str) -> Problem:
    return problem_at(
        "R021",
        path,
        f"没有定义的{zh} {name}",
        f"unknown {en} {name}",
        "先定义它，或改正编号",
        "declare it first, or mend the id",
    )
