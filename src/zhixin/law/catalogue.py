"""What may be collected: sources, record kinds with their evidence and publicity, attributes, fields and their types."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from zhixin.law.nodes import Basis, DatedNumber, Identifier, Node, Text
from zhixin.law.reckoning_of_terms import Unit
from zhixin.law.vocabulary import NUMERIC_TYPES, FieldType, Nature, Severity


class Effective(Node):
    """In force from a day (inclusive) until a day (exclusive)."""

    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    def covers(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day < self.until)


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


class CatalogueSource(Node):
    """A data source: whose it is, why it may be used, how often it comes, when it is stale."""

    id: Identifier
    title: Text
    owner: Text
    cadence: Literal["day", "week", "month", "quarter", "year", "event"]
    stale_after_days: int = Field(ge=1)
    basis: tuple[Basis, ...] = ()


class Publicity(Node):
    """How long a record of dishonesty is published (公示期限), counted from the day of the decision."""

    min_months: DatedNumber
    max_months: DatedNumber


class DishonestyTerms(Node):
    """The terms of one class of dishonesty (失信程度): publication, and with it the earliest repair.

    ``published``: ``always``, or only where the source itself published the record (轻微失信信息原则上不公示).
    A kind of the catalogue may have terms of its own, by a rule of its sector.
    """

    id: Severity
    publicity: Publicity
    published: Literal["always", "if_published_by_source"] = "always"
    basis: tuple[Basis, ...] = ()


class Deadline(Node):
    """The term within which an act must be done (期限): so many working days (工作日), calendar days, months or years."""

    id: Identifier
    title: Text
    term: DatedNumber
    unit: Unit
    basis: tuple[Basis, ...] = ()


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


def matches(pattern: str, kind: str) -> bool:
    """Whether a kind pattern (exact, or ``prefix.*``) names a kind."""
    return kind.startswith(pattern[:-1]) if pattern.endswith(".*") else kind == pattern


def is_numeric(definition: FieldDefinition) -> bool:
    return definition.type in NUMERIC_TYPES
