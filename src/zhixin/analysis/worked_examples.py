"""Cases: facts and expected results that belong to a rulebook, each named by a sentence of the law.

``cases.yaml`` holds ``cases``: name, as_of, facts (attributes, records, previous, related), expect (score, grade, step,
ladder_grade, contributions), source, note. Values are in the rulebook's units; every case runs on every engine asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from zhixin.dataset.facts import Facts, Previous
from zhixin.dataset.tables import from_facts
from zhixin.errors import Message, UsageError
from zhixin.evaluation.evaluation import Contribution, Evaluation
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.law.catalogue import RECORD_COLUMNS, FieldDefinition
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import Node, Number
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import NUMERIC_TYPES
from zhixin.law.yaml_text import YamlText

if TYPE_CHECKING:
    from zhixin.evaluation.engines.contract import Engine


class CasePrevious(Node):
    evaluated_on: date
    grade: str
    score: Number | None = None
    step: str = "cut"


class CaseRelated(Node):
    relation: str
    direction: str = "outgoing"
    attributes: dict[str, Any] = Field(default_factory=dict)
    records: tuple[dict[str, Any], ...] = ()


class CaseFacts(Node):
    attributes: dict[str, Any] = Field(default_factory=dict)
    records: tuple[dict[str, Any], ...] = ()
    previous: tuple[CasePrevious, ...] = ()
    related: tuple[CaseRelated, ...] = ()


class Expected(Node):
    """What must come out; only what is written is compared. Points are in points, not thousandths."""

    score: Number | None = None
    grade: str | None = None
    step: str | None = None
    ladder_grade: str | None = None
    contributions: dict[str, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not any(getattr(self, name) not in (None, {}) for name in self.model_fields_set):
            raise ValueError("expect is empty: a case that expects nothing cannot fail")
        return self


class RulebookCase(Node):
    """One case."""

    name: str
    as_of: date
    known_at: int | None = None
    facts: CaseFacts = CaseFacts()
    expect: Expected
    source: str
    note: str | None = None
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Disagreement(NamedTuple):
    """A case that came out otherwise than written."""

    case: str
    engine: str
    what: Message


@dataclass(frozen=True)
class CaseReport:
    """How many cases ran on how many engines, and what disagreed."""

    cases: int
    engines: tuple[str, ...]
    disagreements: tuple[Disagreement, ...] = ()
    evaluations: Mapping[str, tuple[Evaluation, ...]] = field(default_factory=dict)


def load_cases(path: Path) -> tuple[RulebookCase, ...]:
    """The cases of a file.

    Raises:
        UsageError: the file is not valid; names file, line and reason.
    """
    document = YamlText.of_file(path, str(path))
    if document.faults:
        raise UsageError(document.faults[0].sentence("zh"), document.faults[0].sentence("en"))
    given = document.value.get("cases") if isinstance(document.value, Mapping) else None
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UsageError(f"{path}:1: 没有任何用例（cases 为空）", f"{path}:1: there is no case: cases is empty")
    cases = []
    for index, value in enumerate(given):
        try:
            cases.append(RulebookCase.model_validate(value))
        except ValidationError as error:
            line = document.positions.get(("cases", index), ("", 1))[1]
            reason = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
            raise UsageError(f"{path}:{line}: 用例不合要求：{reason}", f"{path}:{line}: bad case: {reason}") from None
    return tuple(cases)


def run_cases(rulebook: Rulebook, cases: Sequence[RulebookCase], engines: Mapping[str, Engine | None]) -> CaseReport:
    """Run cases on the engines given; the name ``interpreter`` with ``None`` is the interpreter.

    Raises:
        UsageError: a case names something the rulebook does not have, or a date on which it is not in force.
    """
    for case in cases:
        _check_case(rulebook, case)
    resolved = {day: rulebook.at(day) for day in {case.as_of for case in cases}}
    disagreements: list[Disagreement] = []
    evaluations: dict[str, tuple[Evaluation, ...]] = {}
    for name, engine in engines.items():
        results = (
            [_interpreted(resolved[case.as_of], case) for case in cases]
            if engine is None
            else _compiled(rulebook, cases, engine)
        )
        evaluations[name] = tuple(results)
        for case, result in zip(cases, results, strict=True):
            found = _differences(resolved[case.as_of], case, result)
            disagreements += [Disagreement(case.name, name, what) for what in found]
    return CaseReport(len(cases), tuple(engines), tuple(disagreements), evaluations)


def _check_case(rulebook: Rulebook, case: RulebookCase) -> None:
    unknown = sorted(
        name for name in case.expect.contributions if name not in rulebook.indicator and not name.startswith("@")
    )
    if unknown:
        raise UsageError(
            f"用例「{case.name}」写了没有定义的指标 {unknown[0]}",
            f"the case “{case.name}” names the unknown indicator {unknown[0]}",
        )
    if not rulebook.effective.covers(case.as_of):
        raise UsageError(
            f"用例「{case.name}」的日期 {case.as_of} 不在规则有效期内",
            f"the date {case.as_of} of the case “{case.name}” lies outside the rulebook's effective period",
        )


def _interpreted(rulebook: Rulebook, case: RulebookCase) -> Evaluation:
    return Interpreter(rulebook, _moment(case)).evaluate(case_facts(rulebook, case, "case"))


def _moment(case: RulebookCase) -> Moment:
    days = sorted({item.evaluated_on for item in case.facts.previous if item.evaluated_on < case.as_of}, reverse=True)
    return Moment(case.as_of, case.known_at, tuple(days))


def _compiled(rulebook: Rulebook, cases: Sequence[RulebookCase], engine: Engine) -> list[Evaluation]:
    """All cases of one moment in one run."""
    groups: dict[Moment, list[int]] = {}
    for index, case in enumerate(cases):
        groups.setdefault(_moment(case), []).append(index)
    results: dict[int, Evaluation] = {}
    for moment, members in groups.items():
        resolved = rulebook.at(moment.as_of)
        facts = [case_facts(resolved, cases[index], f"case{index:05d}") for index in members]
        found = evaluate_facts(rulebook, facts, moment, engine)
        results |= {index: found[f"case{index:05d}"] for index in members}
    return [results[index] for index in range(len(cases))]


def evaluate_facts(rulebook: Rulebook, facts: Iterable[Facts], moment: Moment, engine: Engine) -> dict[str, Evaluation]:
    """Evaluations of subjects (and of those related to them) by a compiled engine, by subject_id."""
    everyone = {item.subject_id: item for item in facts}
    for item in list(everyone.values()):
        for other in (other for others in item.related.values() for other in others):
            everyone.setdefault(other.subject_id, other)
    outcome = evaluate_tables(rulebook, from_facts(rulebook.at(moment.as_of), everyone.values()), moment, engine=engine)
    contributions: dict[str, list[Contribution]] = {}
    grades = [row for batch in outcome.grades() for row in batch.to_pylist()]
    for batch in outcome.contributions():
        for row in batch.to_pylist():
            numbers = tuple(row.pop("record_nos") or ())
            subject = row.pop("subject_id")
            contributions.setdefault(subject, []).append(Contribution(**row, record_nos=numbers))
    return {
        row["subject_id"]: Evaluation(
            **{key: value for key, value in row.items() if key != "class"},
            contributions=tuple(contributions.get(row["subject_id"], ())),
        )
        for row in grades
    }


def case_facts(rulebook: Rulebook, case: RulebookCase, subject_id: str) -> Facts:
    """The facts of a case in engine units; records are numbered in the order written."""
    related: dict[tuple[str, str], list[Facts]] = {}
    for number, item in enumerate(case.facts.related):
        other = Facts(
            f"{subject_id}-related{number}",
            _attributes(rulebook, item.attributes),
            _records(rulebook, item.records, 1000 * (number + 1)),
        )
        related.setdefault((item.relation, item.direction), []).append(other)
    return Facts(
        subject_id,
        _attributes(rulebook, case.facts.attributes),
        _records(rulebook, case.facts.records, 0),
        tuple(
            Previous(item.evaluated_on, item.grade, None if item.score is None else int(item.score * 1000), item.step)
            for item in case.facts.previous
        ),
        {key: tuple(value) for key, value in related.items()},
    )


def _attributes(rulebook: Rulebook, values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(rulebook.attribute))
    if unknown:
        raise UsageError(f"用例写了没有定义的属性 {unknown[0]}", f"a case gives the unknown attribute {unknown[0]}")
    for name, value in values.items():
        codes = rulebook.attribute[name].values
        if codes and value is not None and str(value) not in codes:
            raise UsageError(f"用例中 {name} 的取值 {value} 不在代码表中", f"a case gives {name} the unknown value {value}")
    return {name: in_engine_units(rulebook.attribute[name], value) for name, value in values.items()}


_RECORD_KEYS = set(RECORD_COLUMNS) - {"record_no", "record_id", "subject_no", "subject_id"}


def _records(rulebook: Rulebook, records: Iterable[Mapping[str, Any]], first: int) -> tuple[dict[str, Any], ...]:
    result = []
    for number, record in enumerate(records, first):
        row: dict[str, Any] = {"record_no": number, "record_id": f"r{number}"}
        if record.get("kind") not in {kind.id for kind in rulebook.catalogue}:
            kind = record.get("kind")
            raise UsageError(f"用例的记录类别 {kind} 不在归集目录中", f"a record of a case is of the unknown kind {kind}")
        for name, value in record.items():
            if name in rulebook.record_fields:
                row[name] = in_engine_units(rulebook.record_fields[name], value)
            elif name in _RECORD_KEYS:
                row[name] = value
            else:
                raise UsageError(f"用例的记录有未知字段 {name}", f"a record of a case has the unknown field {name}")
        result.append(row)
    return tuple(result)


def in_engine_units(definition: FieldDefinition, value: Any) -> Any:
    """A value in the rulebook's unit as the engine holds it (money in fen, decimals scaled)."""
    if definition.type not in NUMERIC_TYPES or value is None or isinstance(value, bool):
        return value
    scaled = Decimal(value) * definition.denominator
    if scaled != scaled.to_integral_value():
        raise UsageError(f"{value} 的小数位过多", f"{value} has too many decimals for its field")
    return int(scaled)


def _differences(rulebook: Rulebook, case: RulebookCase, result: Evaluation) -> Iterable[Message]:
    def differ(zh: str, en: str, wanted: Any, found: Any) -> Message:
        return Message(f"{zh}应为 {wanted}，算得 {found}", f"{en} should be {wanted}, came out {found}")

    expected = case.expect
    if expected.score is not None and expected.score * 1000 != result.score_milli:
        yield differ("得分", "score", expected.score, Decimal(result.score_milli) / 1000)
    for name, zh in (("grade", "等级"), ("step", "决定步骤"), ("ladder_grade", "阶梯等级")):
        wanted = getattr(expected, name)
        if wanted is not None and wanted != getattr(result, name):
            yield differ(zh, name, wanted, getattr(result, name))
    if expected.contributions:
        given = _points_given(rulebook, _moment(case), result)
        for indicator, points in expected.contributions.items():
            if points * 1000 != given.get(indicator, 0):
                yield differ(indicator, indicator, points, Decimal(given.get(indicator, 0)) / 1000)


def _points_given(rulebook: Rulebook, moment: Moment, result: Evaluation) -> dict[str, int]:
    """Points by indicator; one without a row gives its default where it applies."""
    given = {item.indicator: item.points_milli for item in result.contributions}
    interpreter = Interpreter(rulebook, moment)
    classes = {item.id for number, item in enumerate(rulebook.classes) if result.class_mask >> number & 1}
    for item in rulebook.indicators:
        applies = (not item.applies_to or classes & set(item.applies_to)) and not classes & set(item.except_for)
        if item.id not in given and applies:
            given[item.id] = interpreter.default(item)
    return given
