"""Conditions: comparisons of measures, scores, attributes, classes and earlier results. A condition is always true or false."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from zhixin.law.measures import Measure
from zhixin.law.nodes import DatedNumber, Identifier, Node


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


for _model in (Compare, All, Any_, Not, AtLeastOf):
    _model.model_rebuild()
