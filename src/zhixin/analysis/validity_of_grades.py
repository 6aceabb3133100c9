"""Does the grading work? Measured against findings: hit rate and lift per grade, KS, AUC, PSI, capture curve.

Scores are turned so that higher always means riskier before anything is measured. Intervals are Wilson for shares and
percentile bootstrap (fixed seed) for the others; ties in the order are counted at their expected value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhixin.errors import UsageError

Array = np.ndarray[Any, np.dtype[Any]]
Interval = tuple[float, float]


@dataclass(frozen=True)
class GradeValidity:
    """Findings in one grade: how many of how many, the share with its Wilson interval, and lift over all."""

    grade: str
    inspected: int
    found: int
    rate: float
    interval: Interval
    lift: float


@dataclass(frozen=True)
class Validity:
    """How well an order of risk separates findings from the rest."""

    inspected: int
    found: int
    grades: tuple[GradeValidity, ...]
    auc: float
    auc_interval: Interval
    ks: float
    ks_p_value: float
    first_half: float
    first_half_interval: Interval
    curve: tuple[tuple[float, float], ...]
    """Share inspected, share of findings captured, at every tenth."""


def wilson(found: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson interval of a share; (0, 1) when nothing was inspected."""
    if total == 0:
        return 0.0, 1.0
    from scipy import stats  # scipy and scikit-learn take seconds to import

    interval = stats.binomtest(found, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def captured(risk: Array, found: Array, share: float) -> float:
    """Share of findings among the riskiest ``share`` of the inspections; ties at their expected value."""
    total = found.sum()
    if total == 0:
        return 0.0
    budget = share * len(risk)
    order = np.argsort(-risk, kind="stable")
    values, starts, counts = np.unique(-risk[order], return_index=True, return_counts=True)
    hits = np.add.reduceat(found[order], starts)
    taken = np.clip((budget - starts) / counts, 0.0, 1.0)
    return float((hits * taken).sum() / total)


def bootstrap(statistic: Any, risk: Array, found: Array, rounds: int = 2000, seed: int = 20261124) -> Interval:
    """Percentile interval of a statistic of (risk, found), resampling inspections; the seed is fixed."""
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(rounds):
        chosen = rng.integers(0, len(risk), len(risk))
        if 0 < found[chosen].sum() < len(chosen):
            results.append(statistic(risk[chosen], found[chosen]))
    low, high = np.percentile(results, [2.5, 97.5])
    return float(low), float(high)


def measure(
    risk: Sequence[float] | Array,
    found: Sequence[int] | Array,
    grades: Sequence[str],
    order: Sequence[str],
    rounds: int = 2000,
) -> Validity:
    """Measure an order of risk against findings.

    Args:
        risk: one number per inspection, higher is riskier.
        found: 1 where the inspection found something, else 0.
        grades: the grade of each inspected subject.
        order: grades in the order to report.
        rounds: bootstrap rounds.

    Raises:
        UsageError: no inspection, or all or none of them found something.
    """
    risks, finds, names = np.asarray(risk, float), np.asarray(found, int), np.asarray(grades)
    if not 0 < finds.sum() < len(finds):
        raise UsageError(
            f"检验需要既有发现问题也有未发现问题的检查（共 {len(finds)} 次，发现 {int(finds.sum())} 次）",
            f"validity needs inspections with and without findings ({len(finds)} inspections, {int(finds.sum())} findings)",
        )
    base = finds.mean()
    rows = []
    for grade in order:
        here = finds[names == grade]
        rate = float(here.mean()) if len(here) else 0.0
        rows.append(GradeValidity(grade, len(here), int(here.sum()), rate, wilson(int(here.sum()), len(here)), rate / base))
    from scipy import stats

    test = stats.ks_2samp(risks[finds == 1], risks[finds == 0])
    tenths = [number / 10 for number in range(11)]

    def half(one: Array, other: Array) -> float:
        return captured(one, other, 0.5)

    def area(one: Array, other: Array) -> float:
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(other, one))

    return Validity(
        len(finds),
        int(finds.sum()),
        tuple(rows),
        area(risks, finds),
        bootstrap(area, risks, finds, rounds),
        float(test.statistic),
        float(test.pvalue),
        half(risks, finds),
        bootstrap(half, risks, finds, rounds),
        tuple((share, captured(risks, finds, share)) for share in tenths),
    )


def population_stability(expected: Sequence[float] | Array, actual: Sequence[float] | Array, bins: int = 10) -> float:
    """Population stability index over quantile bins of the expected distribution; 0 is unchanged, above 0.25 is drift.

    Empty bins count as half an observation, so that the index stays finite.
    """
    old, new = np.asarray(expected, float), np.asarray(actual, float)
    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    size = len(edges) + 1

    def counts(values: Array) -> Any:
        return np.bincount(np.searchsorted(edges, values, side="right"), minlength=size).astype(float)

    return _stability(counts(old), counts(new))


def stability_of_shares(expected: dict[str, int], actual: dict[str, int]) -> float:
    """Population stability index of two distributions over grades."""
    names = sorted({*expected, *actual})
    before = np.array([float(expected.get(name, 0)) for name in names])
    return _stability(before, np.array([float(actual.get(name, 0)) for name in names]))


def _stability(before: Any, after: Any) -> float:
    """The index over two rows of counts; a bin empty on one side counts half there, on both sides nothing."""
    filled = (before > 0) | (after > 0)
    before, after = np.where(before == 0, 0.5, before)[filled], np.where(after == 0, 0.5, after)[filled]
    before, after = before / before.sum(), after / after.sum()
    return float(((after - before) * np.log(after / before)).sum())
