"""The rulebook model: what a city's 办法 declares, and what it says on one day.

``Rulebook.at(day)`` resolves every dated value and drops what is not in force, so that engines only ever see plain
numbers. The canonical dump and its SHA-256 name a rulebook exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from zhixin.errors import UsageError
from zhixin.law.calendar import first_of_month, shift_months
from zhixin.law.catalogue import (
    CORE_FIELDS,
    AttributeDefinition,
    CatalogueSource,
    Deadline,
    DishonestyTerms,
    Effective,
    FieldDefinition,
    RecordKind,
    matches,
)
from zhixin.law.measures import Attribute, AttributeAge, CleanYears, Combined, Measure, Ratio, Related
from zhixin.law.nodes import Basis, Node, Text
from zhixin.law.resolving_dated_values import Repealed, value_on, without_classes, without_grades
from zhixin.law.rules import (
    Add,
    Decisions,
    Dimension,
    Indicator,
    LadderGrade,
    MeasureDefinition,
    MeasureRule,
    Score,
    SideGrade,
    SubjectClass,
)
from zhixin.law.vocabulary import Direction, Status, Visibility


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


LegalForce = Literal[
    "law", "administrative_regulation", "central_policy", "local_regulation", "departmental_rule", "normative_document"
]
MAY_DEROGATE: frozenset[LegalForce] = frozenset({"law", "administrative_regulation", "central_policy", "local_regulation"})
"""法律、法规或者党中央、国务院政策文件 (国办发〔2020〕49号)."""


class Document(Node):
    """A document that bases point to.

    ``legal_force``: where it stands among the sources of law; only the first four may take rights or add duties.
    """

    title: Text
    number: str | None = None
    legal_force: LegalForce | None = None
    issued_on: date | None = None
    url: str | None = None


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
    sources: tuple[CatalogueSource, ...] = ()
    catalogue: tuple[RecordKind, ...] = ()
    terms: tuple[DishonestyTerms, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    attributes: tuple[AttributeDefinition, ...] = ()
    classes: tuple[SubjectClass, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    score: Score
    ladder: tuple[LadderGrade, ...] = Field(min_length=1)
    side_grades: tuple[SideGrade, ...] = ()
    held_grade: str | None = None
    decisions: Decisions = Decisions()
    measure_catalogue: tuple[MeasureDefinition, ...] = ()
    measures: tuple[MeasureRule, ...] = ()

    def at(self, day: date) -> Rulebook:
        """The rulebook in force on ``day``: every dated value resolved, what is not in force dropped."""
        head = {name: getattr(self, name) for name in ("effective", "documents")}
        try:
            body = {name: value_on(getattr(self, name), day) for name in type(self).model_fields if name not in head}
        except Repealed:
            raise self._nothing_on(day, "score", "score") from None
        ladder = self.ladder_on(day)
        if not ladder or len(body["ladder"]) < len(ladder):
            raise self._nothing_on(day, "等级", "ladder")
        if len(body["dimensions"]) < len(self.dimensions):
            raise self._nothing_on(day, "维度", "dimensions")
        gone = {grade.id for grade in self.ladder} - {grade.id for grade in ladder}
        if gone:
            body["measures"] = without_grades(body["measures"], gone)
        classes = {item.id for item in body["classes"]}
        if len(classes) < len(self.classes):
            body = {name: without_classes(value, classes) for name, value in body.items()}
        resolved = self.model_copy(update=body)
        for name in _LOOKUPS:  # a copy would carry on what was looked up in the unresolved parts
            resolved.__dict__.pop(name, None)
        resolved.__dict__["sha256"] = self.sha256  # the document stays the same one
        return resolved

    def ladder_on(self, day: date) -> tuple[LadderGrade, ...]:
        """The grades of the ladder on ``day``, best first; their cuts as written."""
        return tuple(grade for grade in self.ladder if grade.effective is None or grade.effective.covers(day))

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
        """SHA-256 of the canonical dump (JSON, sorted keys, no spaces, UTF-8); of the whole document, also once resolved."""
        text = json.dumps(self.dump(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def canonical_text(self) -> str:
        """The canonical dump as YAML."""
        return yaml.safe_dump(self.dump(), allow_unicode=True, sort_keys=False, width=110)

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
    def kind(self) -> dict[str, RecordKind]:
        return {kind.id: kind for kind in self.catalogue}

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


_LOOKUPS = [name for name, value in vars(Rulebook).items() if isinstance(value, cached_property)]


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
