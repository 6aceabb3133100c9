"""The closed vocabularies of a rulebook and of the dataset contract, one enum each."""

from __future__ import annotations

from enum import StrEnum


class Nature(StrEnum):
    """Nature of a record kind (信用信息性质)."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    NEUTRAL = "neutral"


class Severity(StrEnum):
    """Class of dishonesty information (轻微、一般、严重), NDRC 信用修复管理办法 (令36, 2025)."""

    MINOR = "minor"
    GENERAL = "general"
    SERIOUS = "serious"


class Visibility(StrEnum):
    """Who may see a score or a grade."""

    PUBLIC = "public"
    SUBJECT = "subject"
    INTERNAL = "internal"


class Status(StrEnum):
    """Life of a rulebook."""

    DRAFT = "draft"
    CONSULTATION = "consultation"
    TRIAL = "trial"
    IN_FORCE = "in_force"
    REPEALED = "repealed"


class Direction(StrEnum):
    """Which way a score points."""

    HIGHER_BETTER = "higher_better"
    HIGHER_RISKIER = "higher_riskier"


class Combine(StrEnum):
    """How the indicators of a dimension become one number."""

    SUM = "sum"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


class RecordDate(StrEnum):
    """Date columns of a credit record that rules may count by."""

    OCCURRED = "occurred_on"
    DECIDED = "decided_on"
    PUBLISHED = "published_on"


class FieldType(StrEnum):
    """Type of an attribute or a record field. ``money`` is yuan in the rulebook, integer fen in the engine."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    DATE = "date"
    SET = "set"


class Step(StrEnum):
    """The step of the fixed order that decided a grade."""

    EXCLUDED = "exclude"
    DIRECT = "direct"
    HELD = "held"
    SIDE = "side"
    CUT = "cut"
    CAP = "cap"
    SHIFT = "shift"


NUMERIC_TYPES = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY)
