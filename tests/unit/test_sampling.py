"""Estimates from stratified draws: unbiased, with intervals that hold, silent where one unit says nothing; allotment within bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zhixin.analysis.sampling import Pool, Sampled, horvitz_thompson, neyman


def test_each_inspected_unit_stands_for_its_share() -> None:
    found = horvitz_thompson([Sampled("A", 100, [1, 0, 0, 0]), Sampled("D", 10, [1, 1, 0, 0, 0])])
    assert (found.units, found.total) == (110, 100 / 4 + 10 * 2 / 5)
    assert found.rate == pytest.approx(29 / 110)


def test_raw_hits_are_not_pooled() -> None:
    strata = [Sampled("A", 1_000, [0] * 10), Sampled("D", 10, [1] * 10)]
    assert horvitz_thompson(strata).rate == pytest.approx(10 / 1_010)


def test_a_census_has_no_error() -> None:
    found = horvitz_thompson([Sampled("A", 4, [1, 0, 0, 1])])
    assert found.error == 0
    assert found.interval == (0.5, 0.5)


@pytest.mark.parametrize(("units", "values", "has"), [(1, [1], True), (2, [1], False), (2, [1, 0], True), (3, [1, 0], True)])
def test_one_of_several_says_nothing_of_its_spread(units: int, values: list[int], has: bool) -> None:
    found = horvitz_thompson([Sampled("A", units, values), Sampled("B", 50, [0, 1, 0])])
    assert (found.interval is not None) is has
    assert found.without_variance == (() if has else ("A",))


def test_a_stratum_without_inspections_is_named_and_left_out() -> None:
    found = horvitz_thompson([Sampled("A", 10, [0, 1]), Sampled("B", 90, [])])
    assert (found.units, found.unseen) == (10, ("B",))


def test_nothing_inspected_is_no_rate() -> None:
    found = horvitz_thompson([Sampled("A", 10, [])])
    assert math.isnan(found.rate)
    assert found.interval is None


def test_the_estimate_is_unbiased_and_its_interval_holds() -> None:
    """10,000 simulated draws: the true rate lies inside the 95 % interval in 93 to 97 of 100."""
    random = np.random.default_rng(7)
    sizes, rates, quotas = (4_000, 900, 300), (0.05, 0.2, 0.5), (200, 120, 90)
    pools = [(random.random(size) < rate).astype(float) for size, rate in zip(sizes, rates, strict=True)]
    true = sum(pool.sum() for pool in pools) / sum(sizes)
    inside, rates_seen = 0, []
    for _ in range(10_000):
        strata = [
            Sampled(
                str(number),
                len(pool),
                np.arange(quota) < random.hypergeometric(int(pool.sum()), int(len(pool) - pool.sum()), quota),
            )
            for number, (pool, quota) in enumerate(zip(pools, quotas, strict=True))
        ]
        found = horvitz_thompson(strata)
        assert found.interval is not None
        inside += found.interval[0] <= true <= found.interval[1]
        rates_seen.append(found.rate)
    assert 0.93 <= inside / 10_000 <= 0.97
    assert np.mean(rates_seen) == pytest.approx(true, rel=0.005)


# --- allotment ---------------------------------------------------------------------------------------------------------


def test_inspections_go_where_size_and_spread_are() -> None:
    found = neyman([Pool("A", 1_000, 0.05), Pool("D", 1_000, 0.5)], 100)
    assert sum(found.values()) == 100
    assert found["D"] / found["A"] == pytest.approx(0.5 / math.sqrt(0.05 * 0.95), rel=0.05)


@pytest.mark.parametrize("total", [0, 1, 7, 40, 100, 10_000])
def test_bounds_of_the_law_come_first(total: int) -> None:
    pools = [Pool("A", 1_000, 0.01, least=10), Pool("C", 200, 0.2, most=30), Pool("D", 20, 0.5, least=12)]
    found = neyman(pools, total)
    for pool in pools:
        assert min(pool.least, pool.units) <= found[pool.id] <= pool.ceiling
    reachable = max(total, 22)
    assert sum(found.values()) == min(reachable, 1_000 + 30 + 20)


def test_strata_without_spread_get_their_least() -> None:
    assert neyman([Pool("A", 10, 0.0, least=2), Pool("B", 10, 1.0)], 5) == {"A": 2, "B": 0}
