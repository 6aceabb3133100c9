"""Measures: what a rule reads from the records and attributes of a subject, as a rational value or missing.

No node holds a formula or code.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from zhixin.law.filters import RecordFilter
from zhixin.law.nodes import DatedNumber, Identifier, Node

# --- numbers and words -----------------------------------------------------------------------------------------


# --- filters over records ---------------------------------------------------------------------------------------


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


for _model in (Ratio, Combined, Related):
    _model.model_rebuild()
