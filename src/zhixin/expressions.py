"""The closed, frozen node set that rules are made of: numbers, filters, measures, conditions, points.

Every node is immutable and refuses unknown keys. A measure gives a rational value or is missing; a condition is
always true or false (a missing value makes a comparison false unless the node says otherwise); points turn one
measure into integer thousandths. No node holds a formula or code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from zhixin.vocabulary import RecordDate, Severity

MILLI = 1000


class Node(BaseModel):
    """Base of everything a rulebook is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)

    def children(self) -> Iterator[Any]:
        """The values of the fields, in order of declaration."""
        return (getattr(self, name) for name in type(self).model_fields)


def walk(value: Any) -> Iterator[Node]:
    """Every node at or below ``value``, depth first."""
    if isinstance(value, Node):
        yield value
        for child in value.children():
            yield from walk(child)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from walk(item)


# --- numbers and words -----------------------------------------------------------------------------------------


def _exact(value: Any) -> Any:
    if isinstance(value, (bool, float)):
        raise ValueError("a number must be written in decimal digits, so that it is exact")
    if isinstance(value, int | str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    if isinstance(value, Decimal) and (not value.is_finite() or value.normalize().as_tuple().exponent < -6):  # type: ignore[operator]
        raise ValueError("a number has at most six decimals")
    return value


def plain(value: Decimal) -> int | str:
    """An integer where the number is whole, else its shortest decimal digits."""
    return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")


Number = Annotated[
    Decimal,
    BeforeValidator(_exact),
    PlainSerializer(plain, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}]}),
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
KindPattern = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$")]


class Text(Node):
    """The law's own words in Chinese, and English beside them."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


class Basis(Node):
    """Where a rule comes from. ``verified`` says whether the official text was checked word for word."""

    document: str
    article: str | None = None
    quote: str | None = None
    verified: bool
    note: str | None = None


class DatedValue(Node):
    """A number in force from one day; ``null`` means repealed."""

    value: Number | None
    document: str
    article: str | None = None
    verified: bool


class Dated(Node):
    """A number that the law changed. ``counts_by`` says whose date chooses the value.

    ``evaluation``: the date of the run. ``fact`` and ``decision``: the record's occurred_on or decided_on, allowed
    only for points given per record.
    """

    values: dict[date, DatedValue]
    counts_by: Literal["evaluation", "fact", "decision"] = "evaluation"

    def at(self, day: date) -> Decimal | None:
        """The number in force on ``day``; ``None`` before the first date and after a repeal."""
        started = [start for start in self.values if start <= day]
        return self.values[max(started)].value if started else None


def _is_dated(value: Any) -> str:
    return "dated" if isinstance(value, dict | Dated) else "number"


DatedNumber = Annotated[Annotated[Number, Tag("number")] | Annotated[Dated, Tag("dated")], Discriminator(_is_dated)]


def constant(value: Decimal | Dated) -> Decimal:
    """The number of a resolved node; a rulebook must be taken ``at`` a date first."""
    assert isinstance(value, Decimal), "resolve the rulebook at a date before using its numbers"
    return value


def milli(value: Decimal | Dated) -> int:
    """A number of points in integer thousandths. The loader has checked that it is whole in thousandths."""
    scaled = constant(value) * MILLI
    assert scaled == scaled.to_integral_value(), f"{value} is finer than a thousandth"
    return int(scaled)


# --- filters over records ---------------------------------------------------------------------------------------


class FieldTest(Node):
    """A test on one field of a record; a missing field fails it. Numbers are in the unit of the field."""

    field: Identifier
    in_: tuple[str, ...] | None = Field(default=None, alias="in")
    has_all: tuple[str, ...] | None = None
    has_any: tuple[str, ...] | None = None
    is_: bool | None = Field(default=None, alias="is")
    at_least: DatedNumber | None = None
    above: DatedNumber | None = None
    at_most: DatedNumber | None = None
    below: DatedNumber | None = None
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _one_kind_of_test(self) -> Self:
        kinds = [self.in_, self.has_all, self.has_any, self.is_]
        bounds = [self.at_least, self.above, self.at_most, self.below]
        given = sum(kind is not None for kind in kinds) + any(bound is not None for bound in bounds)
        if given != 1:
            raise ValueError("a field test needs exactly one of: in, has_all, has_any, is, or numeric bounds")
        return self


class Corrected(Node):
    """A record corrected in time, counted from a date of the record. All limits that are given must hold.

    ``days`` and ``months`` include the last day. ``same_year`` true: corrected in the calendar year of ``of``;
    false: in a later one.
    """

    days: DatedNumber | None = None
    months: DatedNumber | None = None
    same_year: bool | None = None
    of: RecordDate = RecordDate.DECIDED


class CorrectedTest(Node):
    corrected: Corrected


def _exemption_tag(value: Any) -> str:
    if isinstance(value, str):
        return "flag"
    has_field = "field" in value if isinstance(value, dict) else isinstance(value, FieldTest)
    return "field" if has_field else "corrected"


Flag = Literal["first_offence", "corrected", "repaired", "revoked"]
Exemption = Annotated[
    Annotated[Flag, Tag("flag")] | Annotated[CorrectedTest, Tag("corrected")] | Annotated[FieldTest, Tag("field")],
    Discriminator(_exemption_tag),
]


class Window(Node):
    """A look-back window on a date of the record; exactly one length.

    ``calendar_months`` and ``calendar_years`` are whole, the current one included; ``back`` moves the window that
    many units into the past. ``evaluations`` reaches back to the n-th last evaluation of the rulebook.
    """

    days: DatedNumber | None = None
    months: DatedNumber | None = None
    calendar_months: DatedNumber | None = None
    calendar_years: DatedNumber | None = None
    evaluations: DatedNumber | None = None
    back: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        lengths = (self.days, self.months, self.calendar_months, self.calendar_years, self.evaluations)
        if sum(length is not None for length in lengths) != 1:
            raise ValueError("a window needs exactly one of: days, months, calendar_months, calendar_years, evaluations")
        return self


class RecordFilter(Node):
    """Which records a measure counts.

    A record counts when its kind matches, its date (plus ``effective_after_days``) is not after the evaluation,
    it lies in the window, every test holds, and no exemption applies. Unless a rule says otherwise, revoked and
    repaired records never count (信用修复: 终止公示、停止共享和使用).
    """

    kinds: tuple[KindPattern, ...] = Field(min_length=1)
    severities: tuple[Severity, ...] = ()
    where: tuple[FieldTest, ...] = ()
    on: RecordDate = RecordDate.DECIDED
    within: Window | None = None
    while_valid: bool = False
    effective_after_days: int = Field(default=0, ge=0)
    unless: tuple[Exemption, ...] = ("revoked", "repaired")


# --- measures -----------------------------------------------------------------------------------------------------


class Count(Node):
    """Number of records, or of distinct combinations of kind, day, month, year or fields."""

    type: Literal["count"]
    of: RecordFilter
    distinct: tuple[Identifier, ...] = ()


class Sum(Node):
    """Sum of a numeric field; records without the field add nothing."""

    type: Literal["sum"]
    of: RecordFilter
    field: Identifier


class Extreme(Node):
    """Smallest or largest value of a numeric field; missing without records."""

    type: Literal["minimum", "maximum"]
    of: RecordFilter
    field: Identifier


class Latest(Node):
    """Value of a numeric field on the newest record (ties: the largest value); missing without records."""

    type: Literal["latest"]
    of: RecordFilter
    field: Identifier


class Exists(Node):
    """1 if any record counts, else 0."""

    type: Literal["exists"]
    of: RecordFilter


class DaysSince(Node):
    """Days from the newest record to the evaluation; missing without records."""

    type: Literal["days_since"]
    of: RecordFilter


class CleanYears(Node):
    """Whole years since the newest record, or since the date attribute where that is later or no record counts.

    Missing when there is neither.
    """

    type: Literal["clean_years"]
    of: RecordFilter
    since: Identifier


class AppendedTerm(Node):
    """1 while a management term runs, else 0 (再次失信的期限顺延, 国知发保字〔2022〕8号 第十条).

    With c effective records on or after a record's date d, the term counted from d is the smaller of c times
    ``months`` and ``max_months``; the term runs if any of them reaches past the evaluation.
    """

    type: Literal["appended_term"]
    of: RecordFilter
    months: DatedNumber
    max_months: DatedNumber


class Mean(Node):
    """Mean of a numeric field, plain or weighted by another; missing without records or with weight 0."""

    type: Literal["mean"]
    of: RecordFilter
    field: Identifier
    weighted_by: Identifier | None = None


class Attribute(Node):
    """A number or a yes/no (1/0) about the subject; may be missing."""

    type: Literal["attribute"]
    id: Identifier


class AttributeAge(Node):
    """Whole days or whole years from a date attribute to the evaluation; missing if the date is unknown or later."""

    type: Literal["age"]
    id: Identifier
    unit: Literal["days", "years"]


class PreviousScore(Node):
    """The score of the n-th last evaluation; missing if there was none."""

    type: Literal["previous_score"]
    back: int = Field(default=1, ge=1, le=5)


class Ratio(Node):
    """One measure divided by another; missing if either is missing or the divisor is not positive."""

    type: Literal["ratio"]
    numerator: SimpleMeasure
    denominator: SimpleMeasure


class Combined(Node):
    """Several measures as one. A missing one counts as ``missing_as`` or is skipped; all skipped is missing."""

    type: Literal["combined"]
    how: Literal["sum", "mean", "minimum", "maximum"]
    of: tuple[SimpleMeasure, ...] = Field(min_length=1)
    missing_as: DatedNumber | None = None


class Related(Node):
    """A measure over related subjects, one step away (关联主体). A related subject without a value is skipped.

    ``outgoing`` follows rows from the subject to others, ``incoming`` from others to it. ``sum`` and ``count`` (of
    related subjects with a value above 0) are 0 without related subjects; the extremes are missing.
    """

    type: Literal["related"]
    relation: Identifier
    direction: Literal["outgoing", "incoming"] = "outgoing"
    aggregate: Literal["sum", "count", "minimum", "maximum"]
    measure: BasicMeasure


BasicMeasure = Annotated[
    Count | Sum | Extreme | Latest | Exists | DaysSince | AppendedTerm | Attribute, Field(discriminator="type")
]
"""Measures that may be taken over related subjects."""
SimpleMeasure = Annotated[
    Count
    | Sum
    | Extreme
    | Latest
    | Exists
    | DaysSince
    | CleanYears
    | AppendedTerm
    | Attribute
    | AttributeAge
    | PreviousScore
    | Related,
    Field(discriminator="type"),
]
"""Measures with a denominator that is the same for every subject."""
Measure = Annotated[
    Count
    | Sum
    | Extreme
    | Latest
    | Exists
    | DaysSince
    | CleanYears
    | AppendedTerm
    | Mean
    | Attribute
    | AttributeAge
    | PreviousScore
    | Ratio
    | Combined
    | Related,
    Field(discriminator="type"),
]

RECORD_MEASURES = (Count, Sum, Extreme, Latest, Exists, DaysSince, CleanYears, AppendedTerm, Mean)
NEVER_MISSING = (Count, Sum, Exists, AppendedTerm)


# --- conditions ---------------------------------------------------------------------------------------------------


class Compare(Node):
    """A measure against bounds, all of which must hold. Missing: false, unless ``when_missing`` is true."""

    measure: Measure
    at_least: DatedNumber | None = None
    above: DatedNumber | None = None
    at_most: DatedNumber | None = None
    below: DatedNumber | None = None
    when_missing: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is self.above is self.at_most is self.below is None:
            raise ValueError("a comparison needs at least one of: at_least, above, at_most, below")
        return self


class ScoreIs(Node):
    """The score against bounds; allowed only after the score is known (side grades, caps, shifts)."""

    score: Literal["total"]
    at_least: DatedNumber | None = None
    above: DatedNumber | None = None
    at_most: DatedNumber | None = None
    below: DatedNumber | None = None


class AttributeTest(Node):
    """A category in a list, or a yes/no. Missing: false, unless ``when_missing`` is true."""

    attribute: Identifier
    in_: tuple[str, ...] | None = Field(default=None, alias="in")
    is_: bool | None = Field(default=None, alias="is")
    when_missing: bool = False
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if (self.in_ is None) == (self.is_ is None):
            raise ValueError("an attribute test needs exactly one of: in, is")
        return self


class InClass(Node):
    """The subject belongs to a class."""

    class_: Identifier = Field(alias="class")
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class PreviousIs(Node):
    """The n-th last result: its grade, and the step that decided it (``direct`` or ``direct:rule_id``)."""

    previous: int = Field(ge=1, le=5)
    grade_in: tuple[str, ...] | None = None
    step_in: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _some_test(self) -> Self:
        if self.grade_in is None and self.step_in is None:
            raise ValueError("a test of an earlier result needs grade_in or step_in")
        return self


class All(Node):
    all: tuple[Condition, ...] = Field(min_length=1)


class Any_(Node):
    any: tuple[Condition, ...] = Field(min_length=1)


class Not(Node):
    not_: Condition = Field(alias="not")
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class AtLeastOf(Node):
    """At least n of the listed conditions hold."""

    at_least_of: int = Field(ge=1)
    of: tuple[Condition, ...] = Field(min_length=1)


_CONDITION_KEYS: dict[str, type[Node]] = {
    "measure": Compare,
    "score": ScoreIs,
    "attribute": AttributeTest,
    "class": InClass,
    "previous": PreviousIs,
    "all": All,
    "any": Any_,
    "not": Not,
    "at_least_of": AtLeastOf,
}


def _condition_tag(value: Any) -> str | None:
    if isinstance(value, Node):
        return next((key for key, node in _CONDITION_KEYS.items() if type(value) is node), None)
    return next((key for key in _CONDITION_KEYS if key in value), None) if isinstance(value, dict) else None


Condition = Annotated[
    Annotated[Compare, Tag("measure")]
    | Annotated[ScoreIs, Tag("score")]
    | Annotated[AttributeTest, Tag("attribute")]
    | Annotated[InClass, Tag("class")]
    | Annotated[PreviousIs, Tag("previous")]
    | Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[AtLeastOf, Tag("at_least_of")],
    Discriminator(
        _condition_tag,
        custom_error_type="condition",
        custom_error_message="a condition needs one of the keys: " + ", ".join(_CONDITION_KEYS),
    ),
]


for _model in (Ratio, Combined, Related, Compare, All, Any_, Not, AtLeastOf):
    _model.model_rebuild()
