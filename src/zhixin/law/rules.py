"""What a rulebook does with the facts: classes, indicators, dimensions, score steps, grades, decisions, measures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from zhixin.law.catalogue import Effective
from zhixin.law.conditions import Condition
from zhixin.law.measures import NEVER_MISSING, AppendedTerm, Count, DaysSince, Exists, Extreme, Latest, Measure, Sum
from zhixin.law.nodes import Basis, DatedNumber, Identifier, Node, Text, milli
from zhixin.law.points import Cases, Categories, Points
from zhixin.law.vocabulary import Combine


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


MeanWhenMissing = Annotated[
    Annotated[Literal["hold"], Tag("word")] | Annotated[PointsWhenMissing, Tag("points")], Discriminator(_missing_tag)
]


class WeightedMean(Node):
    """Sum of weight × value over the dimensions that have a value, divided by the sum of their weights.

    ``when_missing``: where none of them has a value, hold the subject ungraded, or so many points. It must be said where that can
    happen: a mean of nothing is not 0.
    """

    weighted_mean: tuple[Identifier, ...] = Field(min_length=1)
    when_missing: MeanWhenMissing | None = None

    @property
    def missing_milli(self) -> int:
        """Points (milli) of a mean of nothing; of one that holds the subject they decide nothing."""
        return milli(self.when_missing.points) if isinstance(self.when_missing, PointsWhenMissing) else 0


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


class LadderGrade(Node):
    """A grade of the ladder, best first. One half-open cut, none on the last; ``requires`` adds a condition.

    ``by_class`` gives a class its own cut. Outside ``effective`` the grade is not on the ladder: no rule may give it, and
    measures for it fall away; conditions on earlier results may still name it.
    """

    id: str
    title: Text
    effective: Effective | None = None
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


class AnsweredConduct(Node):
    """Conduct that a measure may answer, for how long, and the article that says so.

    The term runs from the day of the document that recognises the conduct. Of several documents each appends another term, up
    to ``at_most_months`` from the first (再次失信的期限顺延).
    """

    kinds: tuple[str, ...] = Field(min_length=1)
    months: DatedNumber
    at_most_months: DatedNumber
    basis: tuple[Basis, ...] = Field(min_length=1)


class MeasureDefinition(Node):
    """A line of the measure catalogue (激励与惩戒措施清单).

    ``kind`` is that of the national list: ``derogation`` takes rights or adds duties (I: needs a law, a regulation or a document
    of the central government), ``management`` does neither (II), ``third_party`` is applied by others (III). A measure that
    ``answers`` conduct is imposed on a subject by a case of its own, for nothing else and with an end; one that answers none
    applies to every subject of a grade alike.
    """

    code: Identifier
    title: Text
    nature: Literal["incentive", "supervision", "restriction"]
    kind: Literal["derogation", "management", "third_party"] | None = None
    answers: tuple[AnsweredConduct, ...] = ()
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
    """A measure for grades × classes × scenario, with its duration.

    The term of a measure against conduct is set by the catalogue (:class:`AnsweredConduct`); ``duration_months`` may shorten it.
    """

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


def holding_means(steps: Sequence[Any]) -> dict[str, WeightedMean]:
    """Return the means that hold a subject ungraded where they are of nothing, by the name of their step."""
    return {
        f"@{number}:weighted_mean": step
        for number, step in enumerate(steps)
        if isinstance(step, WeightedMean) and step.when_missing == "hold"
    }


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
