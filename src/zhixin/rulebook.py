"""The rulebook model: what a city's 办法 declares, and what it says on one day.

``Rulebook.at(day)`` resolves every dated value and drops what is not in force, so that engines only ever see plain
numbers. The canonical dump and its SHA-256 name a rulebook exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from zhixin.calendar import first_of_month, shift_months
from zhixin.errors import UsageError
from zhixin.expressions import (
    NEVER_MISSING,
    AppendedTerm,
    Attribute,
    AttributeAge,
    Basis,
    CleanYears,
    Combined,
    Condition,
    Count,
    Dated,
    DatedNumber,
    DaysSince,
    Exists,
    Extreme,
    Identifier,
    Latest,
    Measure,
    Node,
    Ratio,
    Related,
    Sum,
    Text,
    milli,
)
from zhixin.points import Cases, Categories, Points
from zhixin.vocabulary import (
    NUMERIC_TYPES,
    Combine,
    Direction,
    FieldType,
    Nature,
    RecordDate,
    Severity,
    Status,
    Visibility,
)


class Effective(Node):
    """In force from a day (inclusive) until a day (exclusive)."""

    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    def covers(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day < self.until)


class Cycle(Node):
    """How often results are made; ``event_driven`` kinds trigger a re-evaluation at once."""

    every: Literal["day", "month", "quarter", "year"]
    snapshot_month: int | None = Field(default=None, ge=1, le=12)
    snapshot_day: int = Field(default=1, ge=1, le=28)
    event_driven: tuple[str, ...] = ()
    basis: tuple[Basis, ...] = ()

    def snapshot_on(self, day: date) -> date:
        """The newest snapshot day not after ``day`` (使用日与评价日: the day's use takes this result)."""
        if self.every == "day":
            return day
        step = {"month": 1, "quarter": 3, "year": 12}[self.every]
        anchor = (self.snapshot_month or 1) - 1
        back = (day.month - 1 - anchor) % step
        newest = first_of_month(day, back).replace(day=self.snapshot_day)
        return newest if newest <= day else shift_months(newest, -step)


class Visible(Node):
    """Who may see the grade and the score, and why (信用风险分类结果不公开; 试点评价结果可公示)."""

    grade: Visibility
    score: Visibility
    basis: tuple[Basis, ...] = ()


class FieldDefinition(Node):
    """Type of an attribute or record field. ``scale`` is the number of decimals of a ``decimal``."""

    type: FieldType
    title: Text | None = None
    scale: int = Field(default=0, ge=0, le=6)
    required: bool = False
    values: tuple[str, ...] = ()

    @property
    def denominator(self) -> int:
        """Integer units of the engine per one unit of the rulebook."""
        if self.type is FieldType.MONEY:
            return 100
        return 10**self.scale if self.type is FieldType.DECIMAL else 1


class AttributeDefinition(FieldDefinition):
    """A typed fact about a subject. ``answered_by`` marks a number that an officer gives inside a band."""

    id: Identifier
    title: Text
    source: Identifier | None = None
    answered_by: Text | None = None
    minimum: DatedNumber | None = None
    maximum: DatedNumber | None = None
    basis: tuple[Basis, ...] = ()


class Source(Node):
    """A data source: whose it is, why it may be used, how often it comes, when it is stale."""

    id: Identifier
    title: Text
    owner: Text
    cadence: Literal["day", "week", "month", "quarter", "year", "event"]
    stale_after_days: int = Field(ge=1)
    basis: tuple[Basis, ...] = ()


class Publicity(Node):
    min_months: DatedNumber
    max_months: DatedNumber


class Repair(Node):
    """When and under which conditions a record may be repaired (信用修复)."""

    after_months: DatedNumber
    conditions: Text
    required_measures: tuple[str, ...] = ()
    basis: tuple[Basis, ...] = ()


class RecordKind(Node):
    """One line of the catalogue of collected information (信用信息归集目录)."""

    id: Identifier
    title: Text
    nature: Nature
    source: Identifier
    evidence: Text | None = None
    severity: Severity | None = None
    publicity: Publicity | None = None
    repair: Repair | None = None
    retention_years: int | None = Field(default=None, ge=1)
    fields: dict[Identifier, FieldDefinition] = Field(default_factory=dict)
    basis: tuple[Basis, ...] = ()
    effective: Effective | None = None


class SubjectClass(Node):
    """A class of subjects (分类), by a condition over attributes."""

    id: Identifier
    title: Text
    when: Condition
    basis: tuple[Basis, ...] = ()


class Limits(Node):
    """Cap and floor; either may be absent."""

    at_least: DatedNumber | None = None
    at_most: DatedNumber | None = None


class PointsWhenMissing(Node):
    points: DatedNumber


def _missing_tag(value: Any) -> str:
    return "word" if isinstance(value, str) else "points"


WhenMissing = Annotated[
    Annotated[Literal["no_points", "leave_out", "hold"], Tag("word")] | Annotated[PointsWhenMissing, Tag("points")],
    Discriminator(_missing_tag),
]


class Indicator(Node):
    """One indicator (指标): what is measured and how it becomes points.

    ``applies_to``/``except_for`` name classes: a class adds an indicator by the first and replaces one by both.
    ``when_missing``: no points; leave the indicator out of a weighted mean; hold the subject ungraded; or points.
    """

    id: Identifier
    title: Text
    dimension: Identifier
    measure: Measure | None = None
    points: Points
    limits: Limits = Limits()
    when_missing: WhenMissing
    applies_to: tuple[Identifier, ...] = ()
    except_for: tuple[Identifier, ...] = ()
    basis: tuple[Basis, ...] = ()
    advice: Text | None = None
    effective: Effective | None = None


class Dimension(Node):
    """A group of indicators: how they combine, from which start, within which limits, with which weight."""

    id: Identifier
    title: Text
    combine: Combine = Combine.SUM
    start: DatedNumber = Decimal(0)
    limits: Limits = Limits()
    weight: DatedNumber | None = None
    basis: tuple[Basis, ...] = ()


class StartCase(Node):
    """A start score under a condition: a constant, or a measure times a factor (seed from another scheme)."""

    when: Condition
    value: DatedNumber | None = None
    measure: Measure | None = None
    times: DatedNumber = Decimal(1)
    effective: Effective | None = None

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.value is None) == (self.measure is None):
            raise ValueError("a start case needs exactly one of: value, measure")
        return self


class Start(Node):
    """Where the score starts: the first case that holds, otherwise the constant."""

    cases: tuple[StartCase, ...] = ()
    otherwise: DatedNumber


class Add(Node):
    add: tuple[Identifier, ...] = Field(min_length=1)


class WeightedMean(Node):
    """Sum of weight × value over the dimensions that have a value, divided by the sum of their weights."""

    weighted_mean: tuple[Identifier, ...] = Field(min_length=1)


class Floor(Node):
    floor: DatedNumber


class Ceiling(Node):
    ceiling: DatedNumber


class Round(Node):
    """Round to a multiple, half up or down or up; ``to`` is in points."""

    round: DatedNumber
    how: Literal["half_up", "down", "up"] = "half_up"


_STEP_KEYS: dict[str, type[Node]] = {
    "add": Add,
    "weighted_mean": WeightedMean,
    "floor": Floor,
    "ceiling": Ceiling,
    "round": Round,
}


def _step_tag(value: Any) -> str | None:
    if isinstance(value, Node):
        return next((key for key, node in _STEP_KEYS.items() if type(value) is node), None)
    return next((key for key in _STEP_KEYS if key in value), None) if isinstance(value, dict) else None


ScoreStep = Annotated[
    Annotated[Add, Tag("add")]
    | Annotated[WeightedMean, Tag("weighted_mean")]
    | Annotated[Floor, Tag("floor")]
    | Annotated[Ceiling, Tag("ceiling")]
    | Annotated[Round, Tag("round")],
    Discriminator(
        _step_tag, custom_error_type="step", custom_error_message="a score step needs one of: " + ", ".join(_STEP_KEYS)
    ),
]


class Score(Node):
    """The score: start, then the steps in the order written."""

    start: Start
    steps: tuple[ScoreStep, ...] = ()
    basis: tuple[Basis, ...] = ()


class Grade(Node):
    """A grade of the ladder, best first. One half-open cut, none on the last; ``requires`` adds a condition.

    ``by_class`` gives a class its own cut.
    """

    id: str
    title: Text
    at_least: DatedNumber | None = None
    above: DatedNumber | None = None
    at_most: DatedNumber | None = None
    below: DatedNumber | None = None
    requires: Condition | None = None
    by_class: dict[Identifier, DatedNumber] = Field(default_factory=dict)
    basis: tuple[Basis, ...] = ()

    @property
    def side(self) -> str | None:
        """The name of the bound that is given, or ``None``."""
        return next((side for side in ("at_least", "above", "at_most", "below") if getattr(self, side) is not None), None)


class SideGrade(Node):
    """A grade that is not on the ladder (M, unrated)."""

    id: str
    title: Text


class Rule(Node):
    """One rule of a decision step."""

    id: Identifier
    title: Text
    when: Condition
    applies_to: tuple[Identifier, ...] = ()
    basis: tuple[Basis, ...] = ()
    effective: Effective | None = None


class GradeRule(Rule):
    grade: str


class CapRule(Rule):
    """``not_above`` a grade, or ``previous``: not above the last result's grade."""

    not_above: str


class Discretion(Node):
    """An officer's choice inside a band, recorded as an attribute; ``otherwise`` where none was recorded."""

    answer: Identifier
    at_least: int
    at_most: int
    otherwise: int


class ShiftRule(Rule):
    """Move the grade: positive is worse, negative is better."""

    steps: int | Discretion


class Decisions(Node):
    """Fixed order: exclude → direct → score → cut → cap → shift → clamp.

    ``direct_order``: the first rule that holds, or the worst grade among those that hold. ``shift_order``: the
    strongest worsening and the strongest improvement ("two reasons are not two grades"), or all together.
    """

    exclude: tuple[GradeRule, ...] = ()
    direct: tuple[GradeRule, ...] = ()
    direct_order: Literal["first", "worst"] = "worst"
    side: tuple[GradeRule, ...] = ()
    caps: tuple[CapRule, ...] = ()
    shifts: tuple[ShiftRule, ...] = ()
    shift_order: Literal["strongest", "all"] = "strongest"


class MeasureDefinition(Node):
    """A line of the measure catalogue (激励与惩戒措施清单)."""

    code: Identifier
    title: Text
    nature: Literal["incentive", "supervision", "restriction"]
    basis: tuple[Basis, ...] = ()


class Inspect(Node):
    """How a grade is inspected: a share of the pool, checks per months, or no planned checks for months."""

    ratio: DatedNumber | None = None
    ratio_bound: Literal["exactly", "at_least", "at_most"] = "exactly"
    times: DatedNumber | None = None
    times_at_most: DatedNumber | None = None
    per_months: DatedNumber | None = None
    exempt_months: DatedNumber | None = None


class MeasureRule(Node):
    """A measure for grades × classes × scenario, with its duration."""

    id: Identifier
    measure: Identifier
    grades: tuple[str, ...] = Field(min_length=1)
    classes: tuple[Identifier, ...] = ()
    scenario: Identifier
    inspect: Inspect | None = None
    effect: Text | None = None
    amount: DatedNumber | None = None
    duration_months: DatedNumber | None = None
    basis: tuple[Basis, ...] = ()
    effective: Effective | None = None


class Document(Node):
    """A document that bases point to."""

    title: Text
    number: str | None = None
    issued_on: date | None = None
    url: str | None = None


CORE_FIELDS: dict[str, FieldDefinition] = {
    "amount": FieldDefinition(type=FieldType.MONEY, title=Text(zh="金额", en="amount")),
    "quantity": FieldDefinition(type=FieldType.INTEGER, title=Text(zh="数量", en="quantity")),
    "code": FieldDefinition(type=FieldType.CATEGORY, title=Text(zh="代码", en="code")),
}
"""Record fields that every dataset has a column for; a kind must still declare the ones it fills."""


RECORD_COLUMNS = (
    "record_no",
    "record_id",
    "subject_no",
    "subject_id",
    "kind",
    "severity",
    "occurred_on",
    "decided_on",
    "published_on",
    "valid_until",
    "corrected_on",
    "repaired_on",
    "revoked_on",
    "is_first_offence",
    "document",
    "sequence",
)
"""Columns of every records table, besides :data:`CORE_FIELDS`."""


class Repealed(Exception):
    """Raised inside ``at``: a value is not in force, so the list item that holds it falls away."""


class Rulebook(Node):
    """A whole rulebook. Build it with :func:`zhixin.load_rulebook`, which also runs the static checks."""

    format: Literal["rulebook/1"]
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Text
    authority: Text
    document: str
    status: Status
    effective: Effective
    note: Text | None = None
    cycle: Cycle
    direction: Direction
    visibility: Visible
    subject_key: Literal["uscc", "text"] = "uscc"
    documents: dict[str, Document] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    catalogue: tuple[RecordKind, ...] = ()
    attributes: tuple[AttributeDefinition, ...] = ()
    classes: tuple[SubjectClass, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    score: Score
    ladder: tuple[Grade, ...] = Field(min_length=1)
    side_grades: tuple[SideGrade, ...] = ()
    held_grade: str | None = None
    decisions: Decisions = Decisions()
    measure_catalogue: tuple[MeasureDefinition, ...] = ()
    measures: tuple[MeasureRule, ...] = ()

    def at(self, day: date) -> Rulebook:
        """The rulebook as it stands on ``day``: every dated value resolved, what is not in force dropped."""
        head = {name: getattr(self, name) for name in ("effective", "documents")}
        try:
            body = {name: _resolved(getattr(self, name), day) for name in type(self).model_fields if name not in head}
        except Repealed:
            raise self._nothing_on(day, "score", "score") from None
        for part, zh in (("ladder", "等级"), ("dimensions", "维度")):
            if len(body[part]) < len(getattr(self, part)):
                raise self._nothing_on(day, zh, part)
        classes = {item.id for item in body["classes"]}
        if len(classes) < len(self.classes):
            body = {name: _without_classes(value, classes) for name, value in body.items()}
        return self.model_copy(update=body)

    def _nothing_on(self, day: date, zh: str, en: str) -> UsageError:
        return UsageError(
            f"规则 {self.id} 在 {day} 没有有效的数值（{zh}）；请核对生效日期",
            f"the rulebook {self.id} has no value in force on {day} ({en}); check its dates",
        )

    def dump(self) -> dict[str, Any]:
        """The canonical form: JSON values only, defaults left out, order of lists kept."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical dump (JSON, sorted keys, no spaces, UTF-8)."""
        text = json.dumps(self.dump(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def kinds_matching(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Catalogue ids that any pattern names, in catalogue order. ``a.*`` names everything under ``a.``."""
        wanted = tuple(patterns)
        if wanted not in self._matching:
            self._matching[wanted] = tuple(
                kind.id for kind in self.catalogue if any(matches(pattern, kind.id) for pattern in wanted)
            )
        return self._matching[wanted]

    @cached_property
    def _matching(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """What patterns were found to name: filled as they are asked for."""
        return {}

    @cached_property
    def record_fields(self) -> dict[str, FieldDefinition]:
        """Every record field: the core ones and those that kinds declare (first declaration counts)."""
        fields = dict(CORE_FIELDS)
        for kind in self.catalogue:
            for name, definition in kind.fields.items():
                fields.setdefault(name, definition)
        return fields

    @cached_property
    def attribute(self) -> dict[str, AttributeDefinition]:
        return {attribute.id: attribute for attribute in self.attributes}

    @cached_property
    def indicator(self) -> dict[str, Indicator]:
        return {indicator.id: indicator for indicator in self.indicators}

    @cached_property
    def grade_rank(self) -> dict[str, int]:
        """Rank of each ladder grade, 0 is best."""
        return {grade.id: rank for rank, grade in enumerate(self.ladder)}

    @property
    def steps(self) -> tuple[Any, ...]:
        """The score steps; if none are written, all dimensions are added in order."""
        if self.score.steps or not self.dimensions:
            return self.score.steps
        return (Add(add=tuple(dimension.id for dimension in self.dimensions)),)

    def grade_title(self, grade: str) -> Text:
        titles = {entry.id: entry.title for entry in self.ladder} | {entry.id: entry.title for entry in self.side_grades}
        return titles.get(grade) or Text(zh=grade, en=grade)


def matches(pattern: str, kind: str) -> bool:
    """Whether a kind pattern (exact, or ``prefix.*``) names a kind."""
    return kind.startswith(pattern[:-1]) if pattern.endswith(".*") else kind == pattern


def denominator(rulebook: Rulebook, measure: Measure) -> int | None:
    """The fixed denominator of a measure's values, or ``None`` where it differs from subject to subject."""
    match measure:
        case Attribute(id=name):
            return rulebook.attribute[name].denominator
        case Ratio() | Combined():
            return None
        case Related():
            return 1 if measure.aggregate == "count" else denominator(rulebook, measure.measure)
        case AttributeAge() | CleanYears():
            return 1
    if measure.type == "previous_score":
        return 1000
    if measure.type == "mean":
        return None
    field = getattr(measure, "field", None)
    return 1 if field is None else rulebook.record_fields[field].denominator


def is_numeric(definition: FieldDefinition) -> bool:
    return definition.type in NUMERIC_TYPES


N = TypeVar("N")


def _resolved(value: Any, day: date) -> Any:
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
        return value.model_copy(update={name: _resolved_field(value, name, day) for name in type(value).model_fields})
    if isinstance(value, tuple):
        return tuple(_in_force(value, day))
    if isinstance(value, dict):
        return {key: _resolved(item, day) for key, item in value.items()}
    return value


def _resolved_field(owner: Node, name: str, day: date) -> Any:
    """A repealed limit is no limit; a list that must not be empty takes its owner with it when all of it is repealed."""
    value = getattr(owner, name)
    if isinstance(owner, Limits | Inspect) and isinstance(value, Dated):
        return value.at(day)
    resolved = _resolved(value, day)
    if isinstance(value, tuple) and value and not resolved and type(owner).model_fields[name].metadata:
        raise Repealed
    return resolved


def _without_classes(value: Any, classes: set[str]) -> Any:
    """Rules without the classes that are not in force; a rule for those classes only falls away."""
    if isinstance(value, tuple):
        return tuple(kept for item in value if (kept := _without_classes(item, classes)) is not None)
    if not isinstance(value, Node):
        return value
    update: dict[str, Any] = {}
    for name in ("applies_to", "except_for", "classes"):
        names = getattr(value, name, None)
        if isinstance(names, tuple) and names and all(isinstance(item, str) for item in names):
            update[name] = tuple(item for item in names if item in classes)
            if not update[name] and name != "except_for":
                return None
    if isinstance(value, Grade):
        update["by_class"] = {name: cut for name, cut in value.by_class.items() if name in classes}
    if isinstance(value, Decisions):
        update |= {
            name: _without_classes(getattr(value, name), classes) for name in ("exclude", "direct", "side", "caps", "shifts")
        }
    return value.model_copy(update=update) if update else value


def _in_force(items: tuple[N, ...], day: date) -> Iterable[N]:
    for item in items:
        try:
            yield _resolved(item, day)
        except Repealed:
            continue


RECORD_DATES = tuple(RecordDate)


def default_points(indicator: Indicator) -> int | None:
    """Points (milli) of a subject about which nothing is known, before class; ``None`` for points of a value 0.

    A measure that is never missing has the value 0 then; the engines give the points of 0 themselves.
    """
    if isinstance(indicator.measure, NEVER_MISSING) and not isinstance(indicator.points, Cases | Categories):
        return None
    return missing_points(indicator)


def missing_points(indicator: Indicator) -> int:
    """Points (milli) when the measure is missing: as written, outside the indicator's limits."""
    return milli(indicator.when_missing.points) if isinstance(indicator.when_missing, PointsWhenMissing) else 0


def clamp(limits: Limits, points: int) -> int:
    """Points (milli) held within resolved limits."""
    if limits.at_most is not None:
        points = min(points, milli(limits.at_most))
    if limits.at_least is not None:
        points = max(points, milli(limits.at_least))
    return points


def is_sparse(indicator: Indicator) -> bool:
    """Whether an indicator leaves a contribution only where a record counts; others wherever points differ from default."""
    return isinstance(indicator.measure, SPARSE_MEASURES) and not isinstance(indicator.points, Cases | Categories)


SPARSE_MEASURES = (Count, Sum, Extreme, Latest, Exists, DaysSince, AppendedTerm)
