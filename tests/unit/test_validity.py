"""Does the measuring measure? Against published intervals, scikit-learn, SciPy and brute force."""

from __future__ import annotations

from itertools import permutations
from math import log
from statistics import fmean

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from zhixin.analysis.validity_of_grades import (
    bootstrap,
    captured,
    measure,
    population_stability,
    stability_of_shares,
    wilson,
)
from zhixin.errors import UsageError


@pytest.mark.parametrize(
    ("found", "total", "low", "high"),
    [  # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_the_published_ones(found: int, total: int, low: float, high: float) -> None:
    assert wilson(found, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(("found", "total"), [(0, 1), (1, 1), (3, 10), (10, 10), (500, 1000)])
def test_wilson_follows_its_formula(found: int, total: int, confidence: float) -> None:
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = found / total
    middle = (share + z * z / 2 / total) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / 4 / total**2) ** 0.5
    assert wilson(found, total, confidence) == pytest.approx((middle - half, middle + half), abs=1e-12)


def test_wilson_knows_nothing_without_inspections() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


# --- capture ---


def expected_capture(risk: list[int], found: list[int], budget: int) -> float:
    """Average over every order that puts higher risk first."""
    shares = []
    for order in permutations(range(len(risk))):
        if all(risk[one] >= risk[other] for one, other in zip(order, order[1:], strict=False)):
            shares.append(sum(found[place] for place in order[:budget]) / sum(found))
    return fmean(shares)


@pytest.mark.parametrize(
    ("risk", "found"),
    [
        ([5, 4, 3, 2, 1, 0], [1, 0, 1, 0, 0, 1]),
        ([1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 0, 0]),
        ([3, 3, 2, 2, 2, 1], [0, 1, 1, 0, 1, 0]),
        ([0, 2, 0, 2, 1, 2], [1, 1, 0, 0, 1, 0]),
        ([-1, -1, 0, 0, 0, 7], [1, 1, 1, 1, 1, 1]),
    ],
    ids=["no ties", "all tied", "ties", "ties out of order", "all found"],
)
@pytest.mark.parametrize("budget", range(7))
def test_capture_counts_ties_at_their_expected_value(risk: list[int], found: list[int], budget: int) -> None:
    share = captured(np.array(risk, float), np.array(found), budget / 6)
    assert share == pytest.approx(expected_capture(risk, found, budget))


def test_capture_does_not_depend_on_the_order_of_the_inspections() -> None:
    rng = np.random.default_rng(3)
    risk, found = rng.integers(0, 5, 200).astype(float), rng.integers(0, 2, 200)
    for _ in range(5):
        order = rng.permutation(200)
        assert captured(risk[order], found[order], 0.37) == pytest.approx(captured(risk, found, 0.37))


def test_nothing_to_find_is_captured_as_nothing() -> None:
    assert captured(np.array([1.0, 2.0]), np.array([0, 0]), 0.5) == 0.0


def test_findings_may_be_given_as_truth_values() -> None:
    risk, found = np.array([2.0, 2.0, 1.0, 1.0]), np.array([1, 1, 1, 0])
    assert captured(risk, found.astype(bool), 0.5) == captured(risk, found, 0.5) == pytest.approx(2 / 3)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_a_share_between_two_inspections_is_counted_in_part(share: float) -> None:
    assert captured(np.array([2.0, 1.0]), np.array([1, 1]), share) == pytest.approx(share)


# --- measuring ---


def drawn(seed: int, size: int = 300, levels: int = 12) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    risk = rng.integers(0, levels, size).astype(float)
    found = (rng.random(size) < 0.1 + 0.5 * risk / levels).astype(int)
    return risk, found, [("A", "B", "C")[int(level * 3 // levels)] for level in risk]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_auc_and_ks_are_those_of_the_libraries(seed: int) -> None:
    risk, found, grades = drawn(seed)
    result = measure(risk, found, grades, ("A", "B", "C"), rounds=20)
    assert result.auc == pytest.approx(roc_auc_score(found, risk))
    test = stats.ks_2samp(risk[found == 1], risk[found == 0])
    assert (result.ks, result.ks_p_value) == pytest.approx((test.statistic, test.pvalue))
    pairs = [(one > other) + (one == other) / 2 for one in risk[found == 1] for other in risk[found == 0]]
    assert result.auc == pytest.approx(fmean(pairs))
    gaps = [abs((risk[found == 1] <= level).mean() - (risk[found == 0] <= level).mean()) for level in set(risk)]
    assert result.ks == pytest.approx(max(gaps))


@pytest.mark.parametrize(
    ("risk", "auc", "half"),
    [([1, 2, 3, 4], 1.0, 1.0), ([4, 3, 2, 1], 0.0, 0.0), ([1, 1, 1, 1], 0.5, 0.5), ([1, 3, 2, 4], 0.75, 0.5)],
)
def test_orders_of_four_by_hand(risk: list[float], auc: float, half: float) -> None:
    result = measure(risk, [0, 0, 1, 1], ["A"] * 4, ("A",), rounds=50)
    assert (result.auc, result.first_half) == (auc, half)
    assert result.curve[0] == (0.0, 0.0)
    assert result.curve[5] == (0.5, half)
    assert result.curve[10] == (1.0, 1.0)


def test_grades_have_rates_intervals_and_lift() -> None:
    found = [1, 0, 0, 0, 1, 1, 0, 1]
    grades = ["A", "A", "A", "A", "B", "B", "B", "B"]
    result = measure(range(8), found, grades, ("B", "A", "Z"), rounds=20)
    assert [(row.grade, row.inspected, row.found, row.rate, row.lift) for row in result.grades] == [
        ("B", 4, 3, 0.75, 1.5), ("A", 4, 1, 0.25, 0.5), ("Z", 0, 0, 0.0, 0.0),
    ]  # fmt: skip
    assert [row.interval for row in result.grades] == [wilson(3, 4), wilson(1, 4), (0.0, 1.0)]
    assert (result.inspected, result.found) == (8, 4)


@pytest.mark.parametrize("found", [[], [0, 0, 0], [1, 1, 1]], ids=["no inspection", "no finding", "only findings"])
def test_validity_needs_both_findings_and_none(found: list[int]) -> None:
    with pytest.raises(UsageError, match="with and without findings"):
        measure([1.0] * len(found), found, ["A"] * len(found), ("A",))


@pytest.mark.parametrize("found", [[0, 1], [1, 0]], ids=["found last", "found first"])
def test_one_of_each_is_enough(found: list[int]) -> None:
    assert measure([1, 2], found, ["A", "B"], ("A", "B"), rounds=50).auc == found[1]


def test_intervals_are_the_same_every_time_and_hold_the_value() -> None:
    risk, found, grades = drawn(7)
    one, other = (measure(risk, found, grades, ("A", "B", "C"), rounds=300) for _ in range(2))
    assert one == other
    assert one.auc_interval[0] < one.auc < one.auc_interval[1]
    assert one.first_half_interval[0] < one.first_half < one.first_half_interval[1]


def test_the_bootstrap_of_a_mean_is_about_its_normal_interval() -> None:
    rng = np.random.default_rng(5)
    risk, found = rng.normal(10, 2, 400), rng.integers(0, 2, 400)
    low, high = bootstrap(lambda one, _: one.mean(), risk, found)
    half = 1.96 * risk.std() / 20
    assert (low, high) == pytest.approx((risk.mean() - half, risk.mean() + half), abs=0.03)


# --- stability ---


@pytest.mark.parametrize(
    ("before", "after", "index"),
    [
        ({"A": 50, "B": 50}, {"A": 50, "B": 50}, 0.0),
        ({"A": 50, "B": 50}, {"A": 60, "B": 40}, 0.1 * log(1.2) - 0.1 * log(0.8)),
        ({"A": 50, "B": 50}, {"A": 6, "B": 4}, 0.1 * log(1.2) - 0.1 * log(0.8)),
        ({"A": 10, "B": 20, "C": 70}, {"A": 20, "B": 20, "C": 60}, 0.1 * log(2) - 0.1 * log(6 / 7)),
        ({"A": 9, "B": 1}, {"A": 1, "B": 9}, 1.6 * log(9)),
    ],
    ids=["unchanged", "six to four", "other size", "three grades", "upside down"],
)
def test_stability_of_shares_by_hand(before: dict[str, int], after: dict[str, int], index: float) -> None:
    assert stability_of_shares(before, after) == pytest.approx(index)
    assert stability_of_shares(after, before) == pytest.approx(index)


@pytest.mark.parametrize(("before", "after"), [({"A": 10}, {"A": 9, "B": 1}), ({"A": 10, "B": 0}, {"A": 9, "B": 1})])
def test_an_empty_grade_counts_as_half_a_subject(before: dict[str, int], after: dict[str, int]) -> None:
    old, new = (10 / 10.5, 0.5 / 10.5), (0.9, 0.1)
    expected = sum((b - a) * log(b / a) for a, b in zip(old, new, strict=True))
    assert stability_of_shares(before, after) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("old", "new", "bins", "index"),
    [
        (range(100), range(100), 10, 0.0),
        (range(100), [*range(60)] + [*range(10, 50)], 2, None),
        ([0, 0, 1, 1], [0, 1, 1, 1], 2, 0.25 * log(1.5) - 0.25 * log(0.5)),
        ([5.0] * 8, [5.0] * 3, 10, 0.0),
    ],
    ids=["unchanged", "counted", "two values", "one value"],
)
def test_population_stability_by_hand(old: list[float], new: list[float], bins: int, index: float | None) -> None:
    found = population_stability(old, new, bins)
    if index is None:  # half of the old lie below 49.5; of the new 50 of the first list and all 40 of the second
        index = (0.9 - 0.5) * log(0.9 / 0.5) + (0.1 - 0.5) * log(0.1 / 0.5)
    assert found == pytest.approx(index)


def test_a_population_that_moved_away_altogether_has_a_finite_index_far_above_the_limit() -> None:
    index = population_stability(range(1000), range(5000, 6000))
    assert 0.25 < index < 100


def test_a_small_shift_stays_below_the_limit_and_a_large_one_does_not() -> None:
    rng = np.random.default_rng(1)
    old = rng.normal(0, 1, 20_000)
    assert population_stability(old, rng.normal(0.1, 1, 20_000)) < 0.1
    assert population_stability(old, rng.normal(1, 1, 20_000)) > 0.25
