"""Checks that record fields exist, agree in type, and are used as their type allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from zhixin.law.catalogue import RECORD_COLUMNS, is_numeric
from zhixin.law.checks.problems import Path, Problem, problem_at, unknown_name
from zhixin.law.filters import FieldTest, RecordFilter
from zhixin.law.measures import Count
from zhixin.law.points import PerRecord
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import FieldType


def filter_use(rulebook: Rulebook, path: Path, node: RecordFilter) -> Iterator[Problem]:
    for pattern in node.kinds:
        if not rulebook.kinds_matching([pattern]):
            yield unknown_name(path, "信息类别", "record kind", pattern)
    yield from _tests_use(rulebook, path, node.kinds, (*node.where, *node.unless))


def fields_of_measures(rulebook: Rulebook, path: Path, node: Any) -> Iterator[Problem]:
    for name in (getattr(node, "field", None), getattr(node, "weighted_by", None)):
        if name is not None:
            yield from _field_use(rulebook, path, node.of.kinds, name, None)
    yield from _keys_use(rulebook, path, node.of.kinds, getattr(node, "distinct", ()))


def fields_of_points(rulebook: Rulebook) -> Iterator[Problem]:
    """Fields that points per record read: numbers for a proportion, any for what distinguishes records."""
    for indicator in rulebook.indicators:
        points = indicator.points
        path: Path = ("indicators", indicator.id)
        if not isinstance(points, PerRecord) or not isinstance(indicator.measure, Count):
            continue
        kinds = indicator.measure.of.kinds
        for tier in points.tiers:
            yield from _tests_use(rulebook, path, kinds, tier.where)
            for name in () if tier.plus is None else (tier.plus.of, tier.plus.over):
                yield from _field_use(rulebook, path, kinds, name, None)
        yield from _keys_use(rulebook, path, kinds, points.distinct)


def _tests_use(rulebook: Rulebook, path: Path, patterns: tuple[str, ...], tests: Iterable[Any]) -> Iterator[Problem]:
    """The fields of the tests among some parts of a filter."""
    for test in tests:
        if isinstance(test, FieldTest):
            yield from _field_use(rulebook, path, patterns, test.field, test)
            if test.over is not None:
                yield from _field_use(rulebook, path, patterns, test.over, None)


def _keys_use(rulebook: Rulebook, path: Path, patterns: tuple[str, ...], names: Iterable[str]) -> Iterator[Problem]:
    """The fields that distinguish records."""
    for name in names:
        if name not in ("kind", "day", "month", "year"):
            yield from _field_use(rulebook, path, patterns, name, False)


def _test_fits(test: FieldTest, definition: Any) -> bool:
    """Whether a test asks what a field of this type can answer."""
    bounded = any(bound is not None for bound in (test.at_least, test.above, test.at_most, test.below))
    return (
        (is_numeric(definition) and bounded)
        or (definition.type is FieldType.CATEGORY and test.in_ is not None)
        or (definition.type is FieldType.SET and (test.has_all is not None or test.has_any is not None))
        or (definition.type is FieldType.BOOLEAN and test.is_ is not None)
        or (definition.type is FieldType.DATE and test.reached is not None)
    )


def _field_use(rulebook: Rulebook, path: Path, patterns: tuple[str, ...], name: str, test: Any) -> Iterator[Problem]:
    """``test`` is a FieldTest, ``None`` for a numeric use, ``False`` for any use."""
    kinds = [kind for kind in rulebook.catalogue if kind.id in rulebook.kinds_matching(patterns)]
    definition = next((kind.fields[name] for kind in kinds if name in kind.fields), None)
    if definition is None:
        yield problem_at(
            "R023",
            path,
            f"所用信息类别都没有字段 {name}",
            f"none of the record kinds used here has a field {name}",
            "在归集目录的 fields 中声明该字段",
            "declare the field under the kind in the catalogue",
        )
        return
    numeric = is_numeric(definition)
    good = numeric if test is None else True
    if isinstance(test, FieldTest):
        good = _test_fits(test, definition)
    if good and isinstance(test, FieldTest) and definition.values:
        codes = (*(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ()))
        yield from (
            unknown_name(path, f"字段 {name} 的取值", f"value of {name}", code)
            for code in codes
            if code not in definition.values
        )
    if not good:
        yield problem_at(
            "R022",
            path,
            f"字段 {name} 的类型 {definition.type} 不能这样用",
            f"field {name} is of type {definition.type} and cannot be used like this",
            "改用合适类型的字段",
            "use a field of a fitting type",
        )


def fields_agree(rulebook: Rulebook) -> Iterator[Problem]:
    """A record field means the same in every kind that declares it: one column, one type, one unit."""
    for kind in rulebook.catalogue:
        for name, definition in kind.fields.items():
            first = rulebook.record_fields[name]
            if (first.type, first.scale) != (definition.type, definition.scale):
                yield problem_at(
                    "R028",
                    ("catalogue", kind.id),
                    f"字段 {name} 在别处的类型是 {first.type}",
                    f"field {name} is of type {first.type} elsewhere",
                    "统一类型，或改用别的字段名",
                    "use the same type, or another name",
                )


def names_free(rulebook: Rulebook) -> Iterator[Problem]:
    """Attributes and fields do not take the names of the columns every dataset has."""
    taken = [(("attributes", item.id), item.id, {"subject_no", "subject_id", "name"}) for item in rulebook.attributes]
    core = set(RECORD_COLUMNS)
    taken += [(("catalogue", kind.id), name, core) for kind in rulebook.catalogue for name in kind.fields]
    for path, name, reserved in taken:
        if name in reserved:
            yield problem_at(
                "R029",
                path,
                f"名称 {name} 是数据表的固有列",
                f"the name {name} belongs to a column that every dataset has",
                "换一个名称",
                "choose another name",
            )
