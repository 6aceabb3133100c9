"""The base types of a rulebook: frozen nodes, exact numbers, dated numbers, words in two languages.

Every node is immutable and refuses unknown keys. Numbers are decimals written in digits, never floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainSerializer,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

MILLI = 1000


class Node(BaseModel):
    """Base of everything a rulebook is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)

    def children(self) -> Iterator[Any]:
        """The values of the fields, in order of declaration."""
        return map(self.__dict__.__getitem__, type(self).model_fields)


def walk(value: Any) -> Iterator[Node]:
    """Every node at or below ``value``, depth first."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Node):
            yield found
            waiting.extend(reversed(tuple(found.children())))
        elif isinstance(found, tuple | list):
            waiting.extend(reversed(found))
        elif isinstance(found, str | Decimal | int | None | date):  # most of a rulebook; a Mapping is asked for slowly
            continue
        elif isinstance(found, Mapping):
            waiting.extend(reversed(tuple(found.values())))


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
    """The text of the law in Chinese, with its English translation."""

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


def number_on(value: Decimal | Dated, day: date) -> int | None:
    """Return a whole number as it is in force on a day; ``None`` before its first value and after a repeal."""
    found = value.at(day) if isinstance(value, Dated) else value
    return None if found is None else int(found)


def days_of_change(*numbers: Decimal | Dated) -> list[date]:
    """Return the days from which a value of some numbers is in force; one day where none is dated."""
    return sorted({day for number in numbers if isinstance(number, Dated) for day in number.values}) or [date.today()]


def constant(value: Decimal | Dated) -> Decimal:
    """The number of a resolved node; a rulebook must be taken ``at`` a date first."""
    assert isinstance(value, Decimal), "resolve the rulebook at a date before using its numbers"
    return value


def milli(value: Decimal | Dated) -> int:
    """A number of points in integer thousandths. The loader has checked that it is whole in thousandths."""
    scaled = constant(value) * MILLI
    assert scaled == scaled.to_integral_value(), f"{value} is finer than a thousandth"
    return int(scaled)
