"""Weights of dimensions or indicators: from experts (AHP), from data (entropy, CRITIC), or both combined.

AHP: Saaty's eigenvector with consistency ratio; refused above 0.1, naming the three judgements that contradict each
other most. Entropy and CRITIC take a matrix of subjects × indicators with higher meaning better in every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from zhixin.errors import UsageError, WeightingRefused

Array = np.ndarray[Any, np.dtype[Any]]

RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
"""Saaty's random index by number of items."""
HIGHEST_RATIO = 0.1


@dataclass(frozen=True)
class Weights:
    """Weights that sum to 1, with the consistency ratio where judgements were given."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    consistency_ratio: float | None = None

    def __post_init__(self) -> None:
        assert abs(sum(self.values) - 1) < 1e-9


def ahp(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> Weights:
    """Weights from a pairwise matrix: entry (i, j) says how many times i matters as much as j.

    Raises:
        UsageError: not square, not positive, or not reciprocal; names the pair.
        WeightingRefused: consistency ratio above 0.1; names the most inconsistent three.
    """
    table = np.asarray(matrix, float)
    _check_pairwise(names, table)
    values, vectors = np.linalg.eig(table)
    largest = int(np.argmax(values.real))
    weights = np.abs(vectors[:, largest].real)
    weights = weights / weights.sum()
    size = len(names)
    index = 0.0 if size < 3 else (values[largest].real - size) / (size - 1)
    ratio = 0.0 if size < 3 else float(index / RANDOM_INDEX[min(size, len(RANDOM_INDEX) - 1)])
    if ratio > HIGHEST_RATIO:
        one, two, three, error = most_inconsistent(names, table)
        raise WeightingRefused(
            f"一致性比率 {ratio:.3f} 超过 {HIGHEST_RATIO}，不予采用；最矛盾的三项是「{one}」「{two}」「{three}」"
            f"（{one}比{two}、{two}比{three}推得的与{one}比{three}相差 {error:.2f} 倍），请专家重新判断",
            f"the consistency ratio {ratio:.3f} is above {HIGHEST_RATIO}; most inconsistent are {one}, {two} and {three} "
            f"({one} to {three} through {two} is {error:.2f} times off): ask the expert to judge them again",
        )
    return Weights(tuple(names), tuple(float(weight) for weight in weights), max(ratio, 0.0))


def _check_pairwise(names: Sequence[str], table: Array) -> None:
    size = len(names)
    if table.shape != (size, size) or size == 0:
        raise UsageError(f"判断矩阵应为 {size}×{size}", f"the pairwise matrix should be {size} by {size}")
    for row in range(size):
        for column in range(size):
            one, other = table[row, column], table[column, row]
            if not np.isfinite(one) or one <= 0 or abs(one * other - 1) > 5e-3:
                raise UsageError(
                    f"「{names[row]}」与「{names[column]}」的判断应为互为倒数的正数，现为 {one:g} 与 {other:g}",
                    f"the judgements of {names[row]} and {names[column]} should be positive reciprocals, not {one:g} and {other:g}",
                )


def most_inconsistent(names: Sequence[str], table: Array) -> tuple[str, str, str, float]:
    """The three items whose judgements contradict each other most, and by what factor."""
    worst = ("", "", "", 0.0)
    for one, two, three in combinations(range(len(names)), 3):
        product = table[one, two] * table[two, three] * table[three, one]
        factor = float(max(product, 1 / product))
        if factor > worst[3]:
            worst = (names[one], names[two], names[three], factor)
    return worst


def _scaled(names: Sequence[str], data: Sequence[Sequence[float]] | Array) -> Array:
    table = np.asarray(data, float)
    if table.ndim != 2 or table.shape[1] != len(names) or len(table) < 2:
        raise UsageError(
            f"数据应至少有两行、恰有 {len(names)} 列",
            f"the data should have at least two rows and exactly {len(names)} columns",
        )
    if not np.isfinite(table).all():
        raise UsageError("数据中有缺失值；请先补齐或剔除", "the data has missing values: fill them in or leave the rows out")
    spread = table.max(axis=0) - table.min(axis=0)
    flat = [name for name, width in zip(names, spread, strict=True) if width == 0]
    if flat:
        raise UsageError(
            f"指标「{flat[0]}」对所有主体取值相同，不能由数据定权；请去掉它",
            f"the indicator {flat[0]} is the same for every subject and cannot be weighted by data: leave it out",
        )
    return np.asarray((table - table.min(axis=0)) / spread)


def entropy(names: Sequence[str], data: Sequence[Sequence[float]] | Array) -> Weights:
    """Entropy weights: an indicator on which subjects differ more weighs more."""
    table = _scaled(names, data)
    shares = table / table.sum(axis=0)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    information = -(shares * logs).sum(axis=0) / np.log(len(table))
    return _normal(names, 1 - information)


def critic(names: Sequence[str], data: Sequence[Sequence[float]] | Array) -> Weights:
    """CRITIC weights: spread of an indicator times its lack of correlation with the others."""
    table = _scaled(names, data)
    spread = table.std(axis=0, ddof=1)
    correlation = np.atleast_2d(np.corrcoef(table, rowvar=False))
    return _normal(names, spread * (1 - correlation).sum(axis=0) if len(names) > 1 else spread)


def combine(subjective: Weights, objective: Weights, share: float = 0.5) -> Weights:
    """Experts and data together: geometric, with the experts' share of the exponent; names must agree.

    A product keeps an indicator light when either side thinks little of it.
    """
    if subjective.names != objective.names:
        raise UsageError("两组权重的指标不一致", "the two sets of weights name different items")
    if not 0 <= share <= 1:
        raise UsageError("专家权重的份额应在0与1之间", "the experts' share lies between 0 and 1")
    one, other = np.asarray(subjective.values), np.asarray(objective.values)
    combined = _normal(subjective.names, one**share * other ** (1 - share))
    return Weights(combined.names, combined.values, subjective.consistency_ratio)


def _normal(names: Sequence[str], raw: Array) -> Weights:
    values = np.maximum(raw, 0)
    if not np.isfinite(values).all() or values.sum() <= 1e-12:
        raise UsageError(
            "由这些数据得不到权重：各指标完全相关，或两组权重互相抵消",
            "no weights follow from these: the items are wholly correlated, or the two sets cancel out",
        )
    return Weights(tuple(names), tuple(float(value) for value in values / values.sum()))
