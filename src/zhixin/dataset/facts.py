"""Input and output of both engines as plain Python: the facts of one subject and its evaluation.

Numbers are in engine units: integers, money in fen, decimals scaled by the field's denominator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Value = int | bool | str | date | None


@dataclass(frozen=True)
class Previous:
    """One earlier result of the subject."""

    evaluated_on: date
    grade: str
    score_milli: int | None = None
    step: str = "cut"


@dataclass(frozen=True)
class Facts:
    """Everything known about one subject. ``records`` are mappings of record columns to values."""

    subject_id: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    records: tuple[Mapping[str, Any], ...] = ()
    previous: tuple[Previous, ...] = ()
    related: Mapping[tuple[str, str], tuple[Facts, ...]] = field(default_factory=dict)
    """(relation, direction) → the subjects at the other end, valid on the evaluation date."""
