"""What a rulebook says on one day: dated values are replaced by the value in force, what is not in force is left out."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import Any, TypeVar

from zhixin.law.conditions import All, AtLeastOf
from zhixin.law.filters import RecordFilter
from zhixin.law.measures import Combined
from zhixin.law.nodes import Dated, Node
from zhixin.law.points import Tier
from zhixin.law.rules import (
    Decisions,
    Inspect,
    LadderGrade,
    Limits,
    MeasureRule,
    WeightedMean,
)


class Repealed(Exception):
    """Raised inside ``at``: a value is not in force, so the list item that holds it falls away."""


N = TypeVar("N")


_PLAIN = (str, Decimal, bool, int, date, NoneType)
"""Most of what a rulebook holds: nothing in it goes by dates."""


def value_on(value: Any, day: date) -> Any:
    """Return what a value is on a day; the very same object where nothing in it goes by dates.

    Raises:
        Repealed: it is not in force.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Dated):
        if value.counts_by != "evaluation":
            return value
        number = value.at(day)
        if number is None:
            raise Repealed
        return number
    if isinstance(value, Node):
        effective = getattr(value, "effective", None)
        if effective is not None and not effective.covers(day):
            raise Repealed
        held = value.__dict__
        found = {
            name: _resolved_field(value, name, day)
            for name in type(value).model_fields
            if not isinstance(held[name], _PLAIN)
        }
        changed = {name: item for name, item in found.items() if item is not held[name]}
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple):
        return _same_or(value, tuple(_in_force(value, day)))
    if isinstance(value, dict):
        items = {key: value_on(item, day) for key, item in value.items()}
        return items if any(item is not value[key] for key, item in items.items()) else value
    return value


def _same_or(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the old tuple where the new one holds the very same items."""
    return old if len(old) == len(new) and all(map(operator.is_, old, new)) else new


_ALL_NEEDED: dict[type[Node], tuple[str, ...]] = {
    RecordFilter: ("where",),
    Tier: ("where",),
    All: ("all",),
    AtLeastOf: ("of",),
    Combined: ("of",),
}
"""Lists that mean "and": a repealed part must not widen the rest, so the whole rule falls away."""


def _resolved_field(owner: Node, name: str, day: date) -> Any:
    """A repealed limit is no limit, and repealed points of a mean of nothing are not said; a list that must not be empty takes its
    owner with it when all of it is repealed.
    """
    value = getattr(owner, name)
    if isinstance(owner, WeightedMean) and name == "when_missing":
        try:
            return value_on(value, day)
        except Repealed:
            return None
    if isinstance(owner, Limits | Inspect) and isinstance(value, Dated):
        return value.at(day)
    if name in _ALL_NEEDED.get(type(owner), ()):
        return _same_or(value, tuple(value_on(item, day) for item in value))
    found = value_on(value, day)
    if isinstance(value, tuple) and value and not found and type(owner).model_fields[name].metadata:
        raise Repealed
    return found


def without_classes(value: Any, classes: set[str]) -> Any:
    """Rules without the classes that are not in force; a rule for those classes only falls away."""
    if isinstance(value, tuple):
        return tuple(kept for item in value if (kept := without_classes(item, classes)) is not None)
    if not isinstance(value, Node):
        return value
    update: dict[str, Any] = {}
    for name in ("applies_to", "except_for", "classes"):
        names = getattr(value, name, None)
        if isinstance(names, tuple) and names and all(isinstance(item, str) for item in names):
            update[name] = tuple(item for item in names if item in classes)
            if not update[name] and name != "except_for":
                return None
    if isinstance(value, LadderGrade):
        update["by_class"] = {name: cut for name, cut in value.by_class.items() if name in classes}
    if isinstance(value, Decisions):
        update |= {
            name: without_classes(getattr(value, name), classes) for name in ("exclude", "direct", "side", "caps", "shifts")
        }
    return value.model_copy(update=update) if update else value


def without_grades(measures: tuple[MeasureRule, ...], gone: set[str]) -> tuple[MeasureRule, ...]:
    """Measures without the grades that are not in force; a measure for those only falls away."""
    kept = [(rule, tuple(grade for grade in rule.grades if grade not in gone)) for rule in measures]
    return tuple(rule.model_copy(update={"grades": grades}) for rule, grades in kept if grades)


def _in_force(items: tuple[N, ...], day: date) -> Iterable[N]:
    for item in items:
        try:
            yield value_on(item, day)
        except Repealed:
            continue
