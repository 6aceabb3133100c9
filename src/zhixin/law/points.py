"""How a measured value becomes points: the closed set of shapes published models use.

A missing value never reaches points; the indicator's ``when_missing`` decides before. Results are integer thousandths.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from zhixin.law.conditions import Condition
from zhixin.law.filters import Corrected, FieldTest
from zhixin.law.nodes import DatedNumber, Identifier, Node


class PerUnit(Node):
    """So many points for each unit of the measure beyond ``free`` units."""

    type: Literal["per_unit"]
    each: DatedNumber
    free: DatedNumber = Decimal(0)


class Once(Node):
    """The same points whenever the measure is above 0."""

    type: Literal["once"]
    points: DatedNumber


class Band(Node):
    """From this value on (or above it), so many points, until the next band."""

    from_: DatedNumber = Field(alias="from")
    points: DatedNumber
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Steps(Node):
    """A step table. ``side: at_least`` puts the edge into the upper band, ``above`` into the lower one.

    ``below`` are the points under the first band; ``round`` rounds the value half up to a whole number first.
    """

    type: Literal["steps"]
    side: Literal["at_least", "above"]
    bands: tuple[Band, ...] = Field(min_length=1)
    below: DatedNumber
    round: bool = False


class Point(Node):
    x: DatedNumber
    y: DatedNumber


class Linear(Node):
    """Straight lines between two or more points; flat outside them. Half up to the thousandth."""

    type: Literal["linear"]
    points: tuple[Point, ...] = Field(min_length=2)


class Affine(Node):
    """A constant plus so many points per unit of the measure. Half up to the thousandth."""

    type: Literal["affine"]
    constant: DatedNumber
    each: DatedNumber


class Categories(Node):
    """Points by the category of an attribute."""

    type: Literal["categories"]
    attribute: Identifier
    points: dict[str, DatedNumber]
    otherwise: DatedNumber


class PointsCase(Node):
    when: Condition
    points: SimplePoints


class Cases(Node):
    """The first case that holds gives the points; none: 0."""

    type: Literal["cases"]
    cases: tuple[PointsCase, ...] = Field(min_length=1)


class Proportion(Node):
    """So many points for the whole of a record's own ratio ``of`` ÷ ``over``; half up to the thousandth.

    None where either is missing, or ``over`` is not above 0.
    """

    each: DatedNumber
    of: Identifier
    over: Identifier


class Tier(Node):
    """One line of a per-record table: the first whose tests all hold decides.

    Exactly one of ``each`` (these points instead, ``plus`` points in proportion to the record's ratio) and ``give_back``
    (this share of the points is returned).
    """

    where: tuple[FieldTest, ...] = ()
    corrected: Corrected | None = None
    each: DatedNumber | None = None
    plus: Proportion | None = None
    give_back: DatedNumber | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if (self.each is None) == (self.give_back is None):
            raise ValueError("a tier needs exactly one of: each, give_back")
        if self.plus is not None and self.each is None:
            raise ValueError("plus needs each")
        return self


class PerRecord(Node):
    """Points decided record by record, then summed; the measure must be a plain count.

    A give-back of share g leaves ``each`` × (1 − g), half up to the thousandth. Of records that agree in all of
    ``distinct`` (as for a count), one gives points: the one that takes most off, or, where none takes any off, gives most.
    """

    type: Literal["per_record"]
    each: DatedNumber
    tiers: tuple[Tier, ...] = ()
    distinct: tuple[Identifier, ...] = ()


SimplePoints = Annotated[PerUnit | Once | Steps | Linear | Affine, Field(discriminator="type")]
Points = Annotated[PerUnit | Once | Steps | Linear | Affine | Categories | Cases | PerRecord, Field(discriminator="type")]

for _model in (PointsCase, Cases):
    _model.model_rebuild()
