"""Checks that every name a rule uses is declared: attributes, classes, grades, kinds, sources, documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zhixin.law.catalogue import is_numeric
from zhixin.law.checks.fields import fields_of_measures, filter_use
from zhixin.law.checks.problems import Path, Problem, decision_rules, problem_at, scopes, unknown_name
from zhixin.law.conditions import AttributeTest, InClass, PreviousIs
from zhixin.law.filters import RecordFilter
from zhixin.law.measures import RECORD_MEASURES, Attribute, AttributeAge, CleanYears
from zhixin.law.nodes import Basis, DatedValue, walk
from zhixin.law.points import Categories
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Discretion
from zhixin.law.vocabulary import FieldType, Step


def references(rulebook: Rulebook) -> Iterator[Problem]:
    """Every id that a rule names is declared."""
    sources = {source.id for source in rulebook.sources}
    classes = {item.id for item in rulebook.classes}
    dimensions = {item.id for item in rulebook.dimensions}
    codes = {item.code for item in rulebook.measure_catalogue}
    grades = {*rulebook.grade_rank, *(item.id for item in rulebook.side_grades)}
    for path, item in scopes(rulebook):
        source = getattr(item, "source", None)
        if isinstance(source, str) and source not in sources:
            yield unknown_name((*path, "source"), "数据来源", "source", source)
        for name in (*getattr(item, "applies_to", ()), *getattr(item, "except_for", ())):
            if name not in classes:
                yield unknown_name(path, "分类", "class", name)
        if path[0] == "indicators" and item.dimension not in dimensions:
            yield unknown_name((*path, "dimension"), "维度", "dimension", item.dimension)
        if path[0] == "ladder":
            yield from (unknown_name((*path, "by_class"), "分类", "class", name) for name in set(item.by_class) - classes)
        if path[0] == "measures":
            if item.measure not in codes:
                yield unknown_name((*path, "measure"), "措施", "measure", item.measure)
            yield from (unknown_name((*path, "grades"), "等级", "grade", name) for name in set(item.grades) - grades)
            yield from (unknown_name((*path, "classes"), "分类", "class", name) for name in set(item.classes) - classes)
        yield from _grades_of_rule(rulebook, path, item, grades)
        yield from _nodes_below(rulebook, path, item, classes, grades)
    yield from _classes_before_use(rulebook)


def _classes_before_use(rulebook: Rulebook) -> Iterator[Problem]:
    """A class is decided from classes above it: one that names itself or a later one would never be known in time."""
    places = {item.id: place for place, item in enumerate(rulebook.classes)}
    for place, item in enumerate(rulebook.classes):
        for name in sorted({node.class_ for node in walk(item.when) if isinstance(node, InClass)}):
            if places.get(name, -1) >= place:
                yield problem_at(
                    "R038",
                    ("classes", place, "when"),
                    f"分类 {item.id} 引用了{'自身' if name == item.id else f'排在其后的分类 {name}'}，判定时尚无结果",
                    f"class {item.id} refers to {'itself' if name == item.id else f'the later class {name}'}, which is not yet decided",
                    "把被引用的分类排在前面，或改写条件",
                    "put the class it needs above it, or write the condition out",
                )


def _grades_of_rule(rulebook: Rulebook, path: Path, item: Any, grades: set[str]) -> Iterator[Problem]:
    grade = getattr(item, "grade", None)
    if path[0] == "decisions" and grade is not None and grade not in grades:
        yield unknown_name((*path, "grade"), "等级", "grade", grade)
    cap = getattr(item, "not_above", None)
    if cap is not None and cap != "previous" and cap not in rulebook.grade_rank:
        yield unknown_name((*path, "not_above"), "等级", "grade", cap)


def _nodes_below(rulebook: Rulebook, path: Path, item: Any, classes: set[str], grades: set[str]) -> Iterator[Problem]:
    for node in walk(item):
        match node:
            case Basis() | DatedValue() if node.document not in rulebook.documents:
                yield unknown_name((*path, "basis"), "文件", "document", node.document)
            case InClass() if node.class_ not in classes:
                yield unknown_name(path, "分类", "class", node.class_)
            case Discretion() if node.answer not in rulebook.attribute:
                yield unknown_name(path, "主体属性", "attribute", node.answer)
            case PreviousIs():
                yield from (
                    unknown_name(path, "决定步骤", "step", name)
                    for name in node.step_in or ()
                    if not _is_step(rulebook, name)
                )
                yield from (unknown_name(path, "等级", "grade", n) for n in set(node.grade_in or ()) - grades)
            case Attribute() | AttributeAge() | AttributeTest() | Categories() | CleanYears():
                yield from _attribute_use(rulebook, path, node)
            case RecordFilter():
                yield from filter_use(rulebook, path, node)
        if isinstance(node, RECORD_MEASURES):
            yield from fields_of_measures(rulebook, path, node)


def _is_step(rulebook: Rulebook, name: str) -> bool:
    """A step (``direct``), or a step with one of its rules (``direct:rule_id``)."""
    step, _, rule = name.partition(":")
    if step not in {item.value for item in Step}:
        return False
    known = {item.id for _, item in decision_rules(rulebook)} | set(rulebook.indicator)
    return not rule or rule in known


def _attribute_use(rulebook: Rulebook, path: Path, node: Any) -> Iterator[Problem]:
    name = getattr(node, "id", None) or getattr(node, "attribute", None) or getattr(node, "since", None)
    definition = rulebook.attribute.get(str(name))
    if definition is None:
        yield unknown_name(path, "主体属性", "attribute", str(name))
        return
    kind = definition.type
    fits = {
        "attribute": is_numeric(definition) or kind is FieldType.BOOLEAN,
        "age": kind is FieldType.DATE,
        "clean_years": kind is FieldType.DATE,
        "categories": kind is FieldType.CATEGORY,
    }
    if isinstance(node, AttributeTest):
        good = kind is FieldType.BOOLEAN if node.in_ is None else kind is FieldType.CATEGORY
        codes = node.in_ or ()
    else:
        good = fits[node.type]
        codes = tuple(node.points) if isinstance(node, Categories) else ()
    if not good:
        yield problem_at(
            "R022",
            path,
            f"属性 {name} 的类型 {kind} 不能这样用",
            f"attribute {name} is of type {kind} and cannot be used like this",
            "改用合适类型的属性",
            "use an attribute of a fitting type",
        )
    elif definition.values:
        yield from (
            unknown_name(path, f"属性 {name} 的取值", f"value of {name}", c) for c in codes if c not in definition.values
        )
