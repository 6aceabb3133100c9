"""Static checks of a rulebook: everything that can be known to be wrong before a single record is read.

Each check is a generator of problems; all of them run, so that the author sees all faults at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from zhixin.errors import Message, UsageError
from zhixin.law.catalogue import RECORD_COLUMNS, is_numeric
from zhixin.law.checks.numbers import NUMBER_RULES
from zhixin.law.checks.problems import KEYED, Path, Problem, decision_rules, problem_at, scopes
from zhixin.law.expressions import (
    RECORD_MEASURES,
    Attribute,
    AttributeAge,
    AttributeTest,
    CleanYears,
    Count,
    InClass,
    PreviousIs,
    ScoreIs,
)
from zhixin.law.filters import FieldTest, RecordFilter
from zhixin.law.nodes import Basis, Dated, DatedValue, walk
from zhixin.law.points import Categories, PerRecord
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Add, Discretion, WeightedMean
from zhixin.law.vocabulary import Direction, FieldType, Nature, Step, Visibility


def check(rulebook: Rulebook) -> list[Problem]:
    """Every problem of a rulebook, each once. Checks of numbers run at every date on which something changes."""
    problems: dict[tuple[str, Path, str], Problem] = {}
    structural = [problem for rule in STRUCTURE_RULES for problem in rule(rulebook)]
    dated: list[Problem] = []
    if not any(not problem.is_warning for problem in structural):
        for day in change_dates(rulebook):
            try:
                snapshot = rulebook.at(day)
            except UsageError as error:
                dated.append(
                    Problem("R047", ("score",), error.message, Message("补全各期取值", "give a value for every period"))
                )
                continue
            dated += [problem for rule in (ladder_shape, *NUMBER_RULES) for problem in rule(snapshot)]
    for problem in structural + dated:
        path = _indexed(rulebook, problem.path)
        problems.setdefault((problem.code, path, problem.what.en), problem._replace(path=path))
    return list(problems.values())


def change_dates(rulebook: Rulebook) -> list[date]:
    """Every day on which a dated value or an effective period of the rulebook starts or ends."""
    days: set[date] = {rulebook.effective.from_ or date(2000, 1, 1)}
    for node in walk(rulebook):
        if isinstance(node, Dated):
            days.update(node.values)
        effective = getattr(node, "effective", None)
        if effective is not None:
            days.update(day for day in (effective.from_, effective.until) if day is not None)
    first = min(rulebook.effective.from_ or min(days), max(days))
    return sorted(day for day in days if day >= first and (rulebook.effective.until or date.max) > day)


def _indexed(rulebook: Rulebook, path: Path) -> Path:
    """Replace an item's id by its index: ("indicators", "late_filing") → ("indicators", 3)."""
    if len(path) >= 2 and path[0] == "decisions":
        return ("decisions", *_indexed_in(rulebook.decisions, path[1:]))
    return _indexed_in(rulebook, path)


def _indexed_in(owner: Any, path: Path) -> Path:
    if len(path) < 2 or not isinstance(path[1], str):
        return path
    items = getattr(owner, str(path[0]), ())
    if isinstance(items, tuple):
        for index, item in enumerate(items):
            if getattr(item, "id", getattr(item, "code", None)) == path[1]:
                return (path[0], index, *path[2:])
    return path


# --- structure ----------------------------------------------------------------------------------------------------


def duplicate_ids(rulebook: Rulebook) -> Iterator[Problem]:
    """Ids are unique inside their part; grades across ladder and side grades; rules across all decisions."""
    places: list[list[tuple[str, Path]]] = [
        [(getattr(item, "id", None) or item.code, (part, index)) for index, item in enumerate(getattr(rulebook, part))]
        for part in KEYED
        if part not in ("ladder", "side_grades")
    ]
    grades: list[tuple[str, Path]] = [(grade.id, ("ladder", index)) for index, grade in enumerate(rulebook.ladder)]
    grades += [(grade.id, ("side_grades", index)) for index, grade in enumerate(rulebook.side_grades)]
    rules: list[tuple[str, Path]] = []
    for step in ("exclude", "direct", "side", "caps", "shifts"):
        rules += [(rule.id, ("decisions", step, index)) for index, rule in enumerate(getattr(rulebook.decisions, step))]
    for group in (*places, grades, rules):
        seen: set[str] = set()
        for name, path in group:
            if name in seen:
                yield problem_at(
                    "R020", path, f"编号 {name} 重复", f"the id {name} is used twice", "换一个编号", "choose another id"
                )
            seen.add(name)


def _unknown(path: Path, zh: str, en: str, name: str) -> Problem:
    return problem_at(
        "R021",
        path,
        f"没有定义的{zh} {name}",
        f"unknown {en} {name}",
        "先定义它，或改正编号",
        "declare it first, or mend the id",
    )


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
            yield _unknown((*path, "source"), "数据来源", "source", source)
        for name in (*getattr(item, "applies_to", ()), *getattr(item, "except_for", ())):
            if name not in classes:
                yield _unknown(path, "分类", "class", name)
        if path[0] == "indicators" and item.dimension not in dimensions:
            yield _unknown((*path, "dimension"), "维度", "dimension", item.dimension)
        if path[0] == "ladder":
            yield from (_unknown((*path, "by_class"), "分类", "class", name) for name in set(item.by_class) - classes)
        if path[0] == "measures":
            if item.measure not in codes:
                yield _unknown((*path, "measure"), "措施", "measure", item.measure)
            yield from (_unknown((*path, "grades"), "等级", "grade", name) for name in set(item.grades) - grades)
            yield from (_unknown((*path, "classes"), "分类", "class", name) for name in set(item.classes) - classes)
        yield from _grades_of_rule(rulebook, path, item, grades)
        yield from _nodes_below(rulebook, path, item, classes, grades)


def _grades_of_rule(rulebook: Rulebook, path: Path, item: Any, grades: set[str]) -> Iterator[Problem]:
    grade = getattr(item, "grade", None)
    if path[0] == "decisions" and grade is not None and grade not in grades:
        yield _unknown((*path, "grade"), "等级", "grade", grade)
    cap = getattr(item, "not_above", None)
    if cap is not None and cap != "previous" and cap not in rulebook.grade_rank:
        yield _unknown((*path, "not_above"), "等级", "grade", cap)


def _nodes_below(rulebook: Rulebook, path: Path, item: Any, classes: set[str], grades: set[str]) -> Iterator[Problem]:
    for node in walk(item):
        match node:
            case Basis() | DatedValue() if node.document not in rulebook.documents:
                yield _unknown((*path, "basis"), "文件", "document", node.document)
            case InClass() if node.class_ not in classes:
                yield _unknown(path, "分类", "class", node.class_)
            case Discretion() if node.answer not in rulebook.attribute:
                yield _unknown(path, "主体属性", "attribute", node.answer)
            case PreviousIs():
                yield from (
                    _unknown(path, "决定步骤", "step", name) for name in node.step_in or () if not _is_step(rulebook, name)
                )
                yield from (_unknown(path, "等级", "grade", n) for n in set(node.grade_in or ()) - grades)
            case Attribute() | AttributeAge() | AttributeTest() | Categories() | CleanYears():
                yield from _attribute_use(rulebook, path, node)
            case RecordFilter():
                yield from _filter_use(rulebook, path, node)
        if isinstance(node, RECORD_MEASURES):
            yield from _measure_fields(rulebook, path, node)


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
        yield _unknown(path, "主体属性", "attribute", str(name))
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
            _unknown(path, f"属性 {name} 的取值", f"value of {name}", c) for c in codes if c not in definition.values
        )


def _filter_use(rulebook: Rulebook, path: Path, node: RecordFilter) -> Iterator[Problem]:
    for pattern in node.kinds:
        if not rulebook.kinds_matching([pattern]):
            yield _unknown(path, "信息类别", "record kind", pattern)
    yield from _tests_use(rulebook, path, node.kinds, (*node.where, *node.unless))


def _measure_fields(rulebook: Rulebook, path: Path, node: Any) -> Iterator[Problem]:
    for name in (getattr(node, "field", None), getattr(node, "weighted_by", None)):
        if name is not None:
            yield from _field_use(rulebook, path, node.of.kinds, name, None)
    yield from _keys_use(rulebook, path, node.of.kinds, getattr(node, "distinct", ()))


def fields_of_points(rulebook: Rulebook) -> Iterator[Problem]:
    """Fields that points per record read: numbers for a proportion, any for what tells records apart."""
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
    """The fields among what tells records apart."""
    for name in names:
        if name not in ("kind", "day", "month", "year"):
            yield from _field_use(rulebook, path, patterns, name, False)


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
        bounded = any(b is not None for b in (test.at_least, test.above, test.at_most, test.below))
        good = (
            (numeric and bounded)
            or (definition.type is FieldType.CATEGORY and test.in_ is not None)
            or (definition.type is FieldType.SET and (test.has_all is not None or test.has_any is not None))
            or (definition.type is FieldType.BOOLEAN and test.is_ is not None)
            or (definition.type is FieldType.DATE and test.reached is not None)
        )
    if good and isinstance(test, FieldTest) and definition.values:
        codes = (*(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ()))
        yield from (
            _unknown(path, f"字段 {name} 的取值", f"value of {name}", code)
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


_WITH_BASIS = ("sources", "catalogue", "indicators", "decisions", "measures", "measure_catalogue")


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


def basis_given(rulebook: Rulebook) -> Iterator[Problem]:
    """Every source, kind, indicator, rule and measure states its legal basis."""
    for path, item in scopes(rulebook):
        if path[0] in _WITH_BASIS and not item.basis:
            yield problem_at("R030", path, "没有依据", "no basis is given", "补写 basis", "add its basis")
    if rulebook.visibility.grade is Visibility.PUBLIC and not rulebook.visibility.basis:
        yield problem_at(
            "R031",
            ("visibility",),
            "等级对外公开但没有依据",
            "the grade is public without a basis",
            "补写 visibility.basis",
            "add visibility.basis",
        )


def evidence_required(rulebook: Rulebook) -> Iterator[Problem]:
    """No dishonesty record without an effective document (domain/law.md §12.2 rule 1)."""
    for kind in rulebook.catalogue:
        if kind.nature is Nature.NEGATIVE and kind.evidence is None:
            yield problem_at(
                "R032",
                ("catalogue", kind.id),
                "负面信息没有写明认定文书",
                "a negative kind names no evidence document",
                "补写 evidence",
                "add its evidence document",
            )


def shapes_fit(rulebook: Rulebook) -> Iterator[Problem]:
    """Points fit their measure; score conditions stand only after the score; dated facts only per record."""
    for indicator in rulebook.indicators:
        path: Path = ("indicators", indicator.id)
        wants = not isinstance(indicator.points, Categories)
        if wants and indicator.measure is None:
            yield problem_at("R024", path, "缺少 measure", "measure is missing", "写明所测量的内容", "say what is measured")
        plain_count = isinstance(indicator.measure, Count) and not indicator.measure.distinct
        if isinstance(indicator.points, PerRecord) and not plain_count:
            yield problem_at(
                "R025",
                path,
                "逐条计分须用不去重的 count",
                "points per record need a count without distinct",
                "改用 count",
                "use a plain count",
            )
    allowed = {
        id(node) for step in ("side", "caps", "shifts") for r in getattr(rulebook.decisions, step) for node in walk(r)
    }
    per_record = {
        id(node)
        for indicator in rulebook.indicators
        if isinstance(indicator.points, PerRecord)
        for node in walk(indicator.points.each)
    }
    for path, item in scopes(rulebook):
        for node in walk(item):
            if isinstance(node, ScoreIs) and id(node) not in allowed:
                yield problem_at(
                    "R026",
                    path,
                    "此处得分尚未算出",
                    "the score is not known yet at this step",
                    "移到 side、caps 或 shifts",
                    "move it to side, caps or shifts",
                )
            if isinstance(node, Dated) and node.counts_by != "evaluation" and id(node) not in per_record:
                yield problem_at(
                    "R027",
                    path,
                    "只有逐条计分的 each 可按记录日期取值",
                    "only the each of points per record may go by the record's date",
                    "改为 counts_by: evaluation",
                    "write counts_by: evaluation",
                )


def dates_in_order(rulebook: Rulebook) -> Iterator[Problem]:
    for path, item in scopes(rulebook):
        for node in walk(item):
            if isinstance(node, Dated) and any(a >= b for a, b in pairwise(node.values)):
                yield problem_at(
                    "R033",
                    path,
                    "分期取值的日期没有按先后排列",
                    "dated values are out of order",
                    "按日期先后排列",
                    "write them in order of date",
                )


def score_uses_dimensions(rulebook: Rulebook) -> Iterator[Problem]:
    known = {dimension.id: dimension for dimension in rulebook.dimensions}
    used: Counter[str] = Counter()
    for step in rulebook.steps:
        names = step.add if isinstance(step, Add) else step.weighted_mean if isinstance(step, WeightedMean) else ()
        used.update(names)
        for name in names:
            if name not in known:
                yield _unknown(("score",), "维度", "dimension", name)
            elif isinstance(step, WeightedMean) and known[name].weight is None:
                yield problem_at(
                    "R034",
                    ("dimensions", name),
                    "加权维度没有权重",
                    "a weighted dimension has no weight",
                    "补写 weight",
                    "add its weight",
                )
    for name in known:
        if used[name] != 1:
            yield problem_at(
                "R035",
                ("dimensions", name),
                f"维度在得分步骤中出现 {used[name]} 次",
                f"the dimension is used {used[name]} times by the score steps",
                "在 add 或 weighted_mean 中恰好列出一次",
                "list it exactly once in add or weighted_mean",
            )


def ladder_shape(rulebook: Rulebook) -> Iterator[Problem]:
    """Every grade but the last has a cut on the side that the direction of the score asks for."""
    sides = ("at_least", "above") if rulebook.direction is Direction.HIGHER_BETTER else ("at_most", "below")
    last = rulebook.ladder[-1]
    for grade in rulebook.ladder:
        given = [side for side in ("at_least", "above", "at_most", "below") if getattr(grade, side) is not None]
        wrong = given if grade is last else ([] if len(given) == 1 and given[0] in sides else given or ["-"])
        if wrong:
            yield problem_at(
                "R036",
                ("ladder", grade.id),
                "等级分界写法不对" if grade is not last else "最末等级不应有分界",
                "the last grade takes what is left and has no cut"
                if grade is last
                else f"a grade needs exactly one cut, {sides[0]} or {sides[1]}",
                f"用 {sides[0]} 或 {sides[1]}（最末等级不写）",
                f"use {sides[0]} or {sides[1]}, none on the last",
            )
    holds = any(indicator.when_missing == "hold" for indicator in rulebook.indicators)
    if (holds or rulebook.held_grade) and rulebook.held_grade not in {item.id for item in rulebook.side_grades}:
        yield problem_at(
            "R037",
            ("held_grade",),
            "暂不评价的主体没有旁列等级",
            "subjects on hold need a side grade",
            "在 side_grades 中定义并写入 held_grade",
            "declare one under side_grades and name it in held_grade",
        )


def unverified_numbers(rulebook: Rulebook) -> Iterator[Problem]:
    for path, item in scopes(rulebook):
        nodes = [node for node in walk(item) if isinstance(node, Basis) and not node.verified]
        dated = [
            value for node in walk(item) if isinstance(node, Dated) for value in node.values.values() if not value.verified
        ]
        if nodes or dated:
            names = "、".join(sorted({node.document for node in nodes} | {value.document for value in dated}))
            yield problem_at(
                "R090",
                path,
                f"数值未经官方文本核对（{names}）",
                f"not checked against the official text ({names})",
                "核对后改为 verified: true",
                "check it, then write verified: true",
                warning=True,
            )


# --- numbers, at one date ----------------------------------------------------------------------------------------


STRUCTURE_RULES: tuple[Callable[[Rulebook], Iterator[Problem]], ...] = (
    duplicate_ids,
    references,
    fields_of_points,
    fields_agree,
    names_free,
    basis_given,
    evidence_required,
    shapes_fit,
    dates_in_order,
    score_uses_dimensions,
    ladder_shape,
    unverified_numbers,
)
