"""What an engine must offer, and the refusal that all engines share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from zhixin.dataset.tables import Tables
from zhixin.errors import TooLarge
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.plan.compiled import Compiled


class Engine(Protocol):
    """Evaluates a compiled rulebook on the tables of a dataset. All engines give the same rows."""

    name: str
    version: str

    def evaluate(self, compiled: Compiled, tables: Tables, only: Iterable[int] | None = None) -> Outcome:
        """Evaluate every subject, or the subjects with the numbers ``only``.

        Args:
            compiled: the rulebook at a moment.
            tables: relations and previous may be empty, not absent.
            only: subject numbers; ``None`` for everybody.

        Raises:
            DatasetError: the tables do not keep to the contract of their numbers.
            TooLarge: a sum or product does not fit 64 bits; the largest number that was read is named.
        """

    def close(self) -> None:
        """Let go of connections and temporary tables."""


def too_large(error: Exception) -> TooLarge:
    """Return the refusal for an engine's own error on an integer that does not fit."""
    return TooLarge(f"数值过大，超出 64 位整数：{error}", f"a number does not fit 64 bits: {error}")
