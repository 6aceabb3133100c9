"""What a stratified draw says of the whole: totals and rates with intervals (Horvitz–Thompson), and who should be drawn next.

Within a stratum the draw is simple random sampling without replacement, so every unit had the probability n/N. Raw hits are never
pooled over strata: a stratum that is drawn ten times as often would count ten times as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Sampled:
    """One stratum: how many units it has, and what was found at those inspected (1: a finding, 0: none; or counts)."""

    id: str
    units: int
    found: Sequence[float]

    @property
    def drawn(self) -> int:
        return len(self.found)

    @property
    def mean(self) -> float:
        return float(np.mean(self.found)) if self.drawn else math.nan

    @property
    def variance(self) -> float | None:
        """Variance of the stratum's estimated total; 0 where all were inspected, ``None`` where one of several was."""
        n, size = self.drawn, self.units
        if n == size:
            return 0.0
        if n < 2:
            return None
        return float(size**2 * (1 - n / size) * np.var(self.found, ddof=1) / n)


@dataclass(frozen=True)
class Estimate:
    """An estimated total over all units, as a rate, with its 95 % interval; no interval where a stratum has no variance."""

    units: int
    total: float
    error: float | None
    without_variance: tuple[str, ...]
    """Strata in which one of several units was inspected: they say nothing of their spread."""
    unseen: tuple[str, ...]
    """Strata of which nothing was inspected: the estimate leaves them out, with their units."""

    @property
    def rate(self) -> float:
        return self.total / self.units if self.units else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the rate."""
        if self.error is None or not self.units:
            return None
        half = Z_95 * self.error / self.units
        return max(0.0, self.rate - half), self.rate + half


def horvitz_thompson(strata: Sequence[Sampled]) -> Estimate:
    """Estimate the total of a finding over all units: each inspected unit represents N/n units of its stratum."""
    seen = [item for item in strata if item.drawn]
    variances = [(item, item.variance) for item in seen]
    lacking = tuple(item.id for item, variance in variances if variance is None)
    error = None if lacking else math.sqrt(sum(variance or 0.0 for _item, variance in variances))
    total = sum(item.units * item.mean for item in seen)
    unseen = tuple(item.id for item in strata if not item.drawn and item.units)
    return Estimate(sum(item.units for item in seen), total, error, lacking, unseen)


@dataclass(frozen=True)
class Pool:
    """A stratum to be drawn from: its size, the rate of findings expected there, the bounds that the law sets."""

    id: str
    units: int
    rate: float
    least: int = 0
    most: int | None = None

    @property
    def ceiling(self) -> int:
        return self.units if self.most is None else min(self.units, self.most)


def neyman(pools: Sequence[Pool], inspections: int) -> dict[str, int]:
    """Allot inspections so that the overall rate is known best: in proportion to size times spread, within the bounds.

    Args:
        pools: strata with the rates seen so far.
        inspections: how many there are; what bounds ask for comes first.

    Returns:
        Inspections by stratum; their sum is ``inspections`` unless the bounds forbid it.
    """
    fixed: dict[str, int] = {}
    while True:
        free = [item for item in pools if item.id not in fixed]
        left = inspections - sum(fixed.values())
        weights = {item.id: item.units * math.sqrt(max(item.rate * (1 - item.rate), 0.0)) for item in free}
        whole = sum(weights.values())
        share = {name: (max(left, 0) * weight / whole if whole else 0.0) for name, weight in weights.items()}
        bound = {item.id: item.least for item in free if share[item.id] < item.least}
        bound |= {item.id: item.ceiling for item in free if share[item.id] > item.ceiling}
        if not bound:
            return fixed | _whole(share, max(left, 0) if whole else 0)
        fixed |= bound


def _whole(share: dict[str, float], total: int) -> dict[str, int]:
    """Whole numbers with the given sum, by largest remainders."""
    found = {name: math.floor(value) for name, value in share.items()}
    order = sorted(share, key=lambda name: (found[name] - share[name], name))
    for name in order[: max(0, total - sum(found.values()))]:
        found[name] += 1
    return found
