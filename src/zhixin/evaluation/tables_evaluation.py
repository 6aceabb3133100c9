"""Evaluates the tables of a dataset, whatever the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zhixin.dataset.tables import PREVIOUS, RELATIONS, Tables
from zhixin.evaluation.outcome import Outcome
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

if TYPE_CHECKING:
    from zhixin.evaluation.engines.contract import Engine


def evaluate_tables(
    rulebook: Rulebook,
    tables: Tables,
    moment: Moment,
    *,
    engine: Engine | None = None,
    evidence: bool = True,
    only: Iterable[int] | None = None,
) -> Outcome:
    """Evaluate every subject of a dataset.

    Args:
        rulebook: as loaded; resolved at ``moment.as_of``.
        tables: subjects, records, relations, previous (see :mod:`zhixin.dataset.tables`).
        moment: evaluation date and what was known.
        engine: an open engine; Polars by default.
        evidence: whether contributions carry the numbers of the records behind them.
        only: subject numbers to evaluate; ``None`` for everybody.

    Raises:
        DatasetError: the tables do not keep to the contract of their numbers.
        TooLarge: a sum or product does not fit 64 bits; the largest number that was read is named.
    """
    whole = tables._replace(
        relations=RELATIONS.empty_table() if tables.relations is None else tables.relations,
        previous=PREVIOUS.empty_table() if tables.previous is None else tables.previous,
    )
    # Engines and plan load their libraries when they are first used.
    from zhixin.evaluation.engines.choice import default_engine
    from zhixin.evaluation.plan.compiled import Compiled

    return (engine or default_engine()).evaluate(Compiled(rulebook, moment, evidence), whole, only)
