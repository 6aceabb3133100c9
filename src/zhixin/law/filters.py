"""Which records a rule counts: kinds, windows, tests on fields, exemptions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from zhixin.law.nodes import DatedNumber, Identifier, KindPattern, Node
from zhixin.law.vocabulary import RecordDate, Severity


class FieldTest(Node):
    """A test on one field of a record; a missing field fails it. Numbers are in the unit of the field.

    ``over`` makes it a test on the record's own ratio of two numbers, which fails where the second is missing or not above
    0. ``reached`` asks whether the day in a date field has come at the evaluation; unlike a yes/no, it stays true to history.
    """

    field: Identifier
    in_: tuple[str, ...] | None = Field(default=None, alias="in")
    has_all: tuple[str, ...] | None = None
    has_any: tuple[str, ...] | None = None
    is_: bool | None = Field(default=None, alias="is")
    reached: bool | None = None
    over: Identifier | None = None
    at_least: DatedNumber | None = None
    above: DatedNumber | None = None
    at_most: DatedNumber | None = None
    below: DatedNumber | None = None
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _one_kind_of_test(self) -> Self:
        kinds = [self.in_, self.has_all, self.has_any, self.is_, self.reached]
        bounds = [self.at_least, self.above, self.at_most, self.below]
        given = sum(kind is not None for kind in kinds) + any(bound is not None for bound in bounds)
        if given != 1:
            raise ValueError("a field test needs exactly one of: in, has_all, has_any, is, reached, or numeric bounds")
        if self.over is not None and all(bound is None for bound in bounds):
            raise ValueError("over needs numeric bounds")
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


Flag = Literal["first_offence", "corrected", "repaired", "revoked"]


class DatedFlag(Node):
    """A flag that exempts only records of a time: ``on`` not before ``from`` and not after ``until``."""

    flag: Flag
    on: RecordDate = RecordDate.DECIDED
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.from_ is None and self.until is None:
            raise ValueError("a dated exemption needs from, until, or both")
        return self


def _exemption_tag(value: Any) -> str:
    if isinstance(value, str):
        return "flag"
    if "flag" in value if isinstance(value, dict) else isinstance(value, DatedFlag):
        return "dated"
    has_field = "field" in value if isinstance(value, dict) else isinstance(value, FieldTest)
    return "field" if has_field else "corrected"


Exemption = Annotated[
    Annotated[Flag, Tag("flag")]
    | Annotated[DatedFlag, Tag("dated")]
    | Annotated[CorrectedTest, Tag("corrected")]
    | Annotated[FieldTest, Tag("field")],
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
