"""Chicago's inspections of 2014 as a pool to draw from: by grade, heavier grades more often, against uniform drawing at equal cost."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from zhixin.fiction.chicago import TEST_FROM, ChicagoResult, evaluate
from zhixin.law.loading import load_rulebook

INSPECTIONS = 600
WEIGHTS = (1, 2, 10, 30)
"""Grades are drawn in the proportion of Henan's ratios of 2021: 1, 2, 10 and 30 % (``docs/explanation/chicago.md``)."""
SEED = 20140101


@dataclass(frozen=True)
class DrawComparison:
    """Critical findings among the same number of inspections."""

    by_grade: float
    uniform: float
    interval: tuple[float, float]
    """95 % bootstrap interval of the mean difference over all draws: the inspections themselves drawn with replacement."""
    ratios: dict[str, float]


def compare_draws(result: ChicagoResult, grades: list[str], *, draws: int = 1_000) -> DrawComparison:
    """Draw so many times by grade and uniformly; grades from the lightest to the heaviest."""
    table = result.inspections.filter(pl.col("date") >= TEST_FROM)
    found, place = table["found"].to_numpy(), np.array([grades.index(name) for name in table["grade"]])
    random = np.random.default_rng(SEED)
    quotas = _quotas(place, len(grades))
    both = np.array([_draw(found, place, quotas, random) for _ in range(draws)])
    differences = []
    for _ in range(draws):
        chosen = random.integers(0, len(found), len(found))
        differences.append(_expected(found[chosen], place[chosen], len(grades)))
    low, high = np.quantile(differences, [0.025, 0.975])
    sizes = np.bincount(place, minlength=len(grades))
    ratios = {name: round(float(quotas[number] / sizes[number]), 3) for number, name in enumerate(grades) if sizes[number]}
    return DrawComparison(float(both[:, 0].mean()), float(both[:, 1].mean()), (float(low), float(high)), ratios)


def _quotas(place: Any, grades: int) -> Any:
    """Inspections of each grade, in proportion to its size and weight, never more than there are."""
    sizes = np.bincount(place, minlength=grades)
    weights = np.array([WEIGHTS[min(number, len(WEIGHTS) - 1)] for number in range(grades)])
    quotas = np.minimum(sizes, np.floor(INSPECTIONS * sizes * weights / (sizes * weights).sum())).astype(int)
    for number in np.argsort(-weights, kind="stable"):
        quotas[number] += min(sizes[number] - quotas[number], INSPECTIONS - quotas.sum())
    return quotas


def _expected(found: Any, place: Any, grades: int) -> float:
    """By how many findings drawing by grade is ahead on average over all draws."""
    quotas = _quotas(place, grades)
    rates = [found[place == number].mean() if quota else 0.0 for number, quota in enumerate(quotas)]
    return float(quotas @ np.array(rates) - quotas.sum() * found.mean())


def _draw(found: Any, place: Any, quotas: Any, random: Any) -> tuple[int, int]:
    order = random.permutation(len(found))
    uniform = int(found[order[: quotas.sum()]].sum())
    by_grade = 0
    for number, quota in enumerate(quotas):
        by_grade += int(found[order[place[order] == number][:quota]].sum())
    return by_grade, uniform


def main() -> None:
    """Print the comparison with the rulebook that comes with the project."""
    rulebook = load_rulebook("chicago-food")
    found = compare_draws(evaluate(rulebook), [grade.id for grade in rulebook.ladder])
    low, high = found.interval
    sys.stdout.write(f"by grade {found.by_grade:.1f}, uniform {found.uniform:.1f}, difference {low:.1f} to {high:.1f}\n")


if __name__ == "__main__":
    main()
