"""A fault of a row as it is stored and shown: rule, field, value, reason and remedy."""

from __future__ import annotations

from typing import Any

from zhixin.dataset.cell_parsers import (
    Refusal,
)
from zhixin.dataset.hiding_persons import hide_persons
from zhixin.errors import Message


def fault(rule: str, field_id: str, value: Any, reason: Message, remedy: Message) -> dict[str, Any]:
    """A fault as it is stored and shown."""
    shown = "" if value is None else str(hide_persons(str(value)))[:200]
    return {
        "rule": rule,
        "field": field_id,
        "value": shown,
        "zh": hide_persons(reason.zh),
        "en": hide_persons(reason.en),
        "fix_zh": remedy.zh,
        "fix_en": remedy.en,
    }


def fault_of(refused: Refusal, field_id: str, value: Any) -> dict[str, Any]:
    """A refusal as a fault of a field."""
    return fault(refused.rule, field_id, value, refused.reason, refused.remedy)
