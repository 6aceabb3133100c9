"""Weights against published examples of Saaty and against numbers worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from zhixin.analysis import weighting
from zhixin.analysis.weighting import RANDOM_INDEX, Weights, ahp, combine, critic, entropy, most_inconsistent
from zhixin.errors import UsageError, WeightingRefused

ABC = ("a", "b", "c")

# Saaty (2008), Decision making with the analytic hierarchy process: which drink is consumed more in the U.S.?
DRINKS = ("coffee", "wine", "tea", "beer", "sodas", "milk", "water")
DRINKS_MATRIX = [
    [1, 9, 5, 2, 1, 1, 1 / 2],
    [1 / 9, 1, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    [1 / 5, 3, 1, 1 / 3, 1 / 4, 1 / 3, 1 / 9],
    [1 / 2, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [1, 9, 4, 2, 1, 2, 1 / 2],
    [1, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [2, 9, 9, 3, 2, 3, 1],
]
DRINKS_WEIGHTS = (0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327)

# Saaty (1990), How to make a decision: buying a house; published λ 9.669, C.R. 0.169
HOUSE = ("size", "transport", "neighbourhood", "age", "yard", "facilities", "condition", "financing")
HOUSE_MATRIX = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]


def three(d: float) -> list[list[float]]:
    """A reciprocal matrix whose one triple is off by the factor ``d``: a over b 2, b over c 3, a over c 6·d."""
    return [[1, 2, 6 * d], [1 / 2, 1, 3], [1 / (6 * d), 1 / 3, 1]]


def ratio_of(d: float) -> float:
    """Consistency ratio of a matrix of three, worked out: its largest eigenvalue is 1 + ∛d + 1/∛d."""
    root = d ** (1 / 3)
    return (1 + root + 1 / root - 3) / 2 / 0.58


def factor_of(ratio: float) -> float:
    """The inverse of :func:`ratio_of` for d ≥ 1."""
    total = 2 + 2 * 0.58 * ratio
    return float(((total + math.sqrt(total * total - 4)) / 2) ** 3)


def test_the_random_indices_are_saatys() -> None:
    assert RANDOM_INDEX[1:11] == (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)


def test_the_drinks_of_saaty_get_the_published_weights() -> None:
    found = ahp(DRINKS, DRINKS_MATRIX)
    assert found.names == DRINKS
    assert found.values == pytest.approx(DRINKS_WEIGHTS, abs=0.0015)
    assert found.consistency_ratio == pytest.approx(0.022, abs=0.001)


def test_the_house_of_saaty_is_refused_with_the_published_ratio_and_the_worst_triple() -> None:
    with pytest.raises(WeightingRefused) as refused:
        ahp(HOUSE, HOUSE_MATRIX)
    assert "0.169" in refused.value.message.en
    assert "0.169" in refused.value.message.zh
    for name in ("size", "neighbourhood", "condition"):  # 3 · 6 · 3 = 54 times off
        assert name in refused.value.message.en
        assert name in refused.value.message.zh
    assert "54.00 times" in refused.value.message.en


def test_three_items_by_hand() -> None:
    """a/b = 1/3, b/c = 7, a/c = 5: weights are geometric means of the rows, λ = 1 + ∛(15/7) + ∛(7/15)."""
    found = ahp(ABC, [[1, 1 / 3, 5], [3, 1, 7], [1 / 5, 1 / 7, 1]])
    means = [(5 / 3) ** (1 / 3), 21 ** (1 / 3), (1 / 35) ** (1 / 3)]
    assert found.values == pytest.approx([mean / sum(means) for mean in means])
    assert found.values == pytest.approx((0.2790, 0.6491, 0.0719), abs=5e-5)
    assert found.consistency_ratio == pytest.approx(0.0559, abs=5e-5)
    assert found.consistency_ratio == pytest.approx(ratio_of(15 / 7))


@pytest.mark.parametrize(
    "weights", [(1.0,), (0.5, 0.5), (0.9, 0.1), (0.5, 0.3, 0.2), tuple(np.arange(1, 16) / 120), tuple(np.full(20, 0.05))]
)
def test_consistent_judgements_give_back_their_weights(weights: tuple[float, ...]) -> None:
    names = [f"i{number}" for number in range(len(weights))]
    found = ahp(names, [[one / other for other in weights] for one in weights])
    assert found.values == pytest.approx(weights)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)
    assert sum(found.values) == pytest.approx(1)


@pytest.mark.parametrize(
    ("ratio", "is_refused"), [(0.0, False), (0.05, False), (0.0999999, False), (0.1000001, True), (0.2, True)]
)
@pytest.mark.parametrize("upside_down", [False, True])
def test_judgements_are_refused_above_a_ratio_of_a_tenth(ratio: float, is_refused: bool, upside_down: bool) -> None:
    factor = factor_of(ratio) if not upside_down else 1 / factor_of(ratio)
    if is_refused:
        with pytest.raises(WeightingRefused) as refused:
            ahp(ABC, three(factor))
        assert "a, b and c" in refused.value.message.en
        assert f"{max(factor, 1 / factor):.2f} times" in refused.value.message.en
        assert refused.value.exit_status == 14
    else:
        assert ahp(ABC, three(factor)).consistency_ratio == pytest.approx(ratio, abs=1e-9)


def test_a_ratio_of_exactly_the_limit_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    ratio = ahp(ABC, three(2.0)).consistency_ratio
    assert ratio is not None
    monkeypatch.setattr(weighting, "HIGHEST_RATIO", ratio)
    assert ahp(ABC, three(2.0)).consistency_ratio == ratio
    monkeypatch.setattr(weighting, "HIGHEST_RATIO", math.nextafter(ratio, 0))
    with pytest.raises(WeightingRefused):
        ahp(ABC, three(2.0))


def test_the_limit_is_a_tenth() -> None:
    assert weighting.HIGHEST_RATIO == 0.1


def test_the_worst_triple_is_the_one_that_was_spoilt() -> None:
    weights = (0.4, 0.3, 0.2, 0.1)
    table = np.array([[one / other for other in weights] for one in weights])
    table[1, 3], table[3, 1] = table[1, 3] * 50, table[3, 1] / 50  # in both triples with b and d; so spoil a second pair
    table[0, 3], table[3, 0] = table[0, 3] / 2, table[3, 0] * 2
    names = ("a", "b", "c", "d")
    assert most_inconsistent(names, table)[:3] == ("a", "b", "d")
    assert most_inconsistent(names, table)[3] == pytest.approx(100)
    with pytest.raises(WeightingRefused, match="a, b and d"):
        ahp(names, table.tolist())


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        ([[1, 2], [0.5, 1], [1, 1]], "2 by 2"),
        ([[1, 2, 3], [0.5, 1, 1]], "2 by 2"),
        ([[1, 2], [2, 1]], "a and b"),
        ([[1, -2], [-0.5, 1]], "a and b"),
        ([[1, 0], [0, 1]], "a and b"),
        ([[2, 1], [1, 1]], "a and a"),
        ([[1, math.inf], [0, 1]], "a and b"),
        ([[1, math.nan], [math.nan, 1]], "a and b"),
    ],
    ids=["too many rows", "too many columns", "not reciprocal", "negative", "zero", "diagonal", "infinite", "missing"],
)
def test_what_is_no_pairwise_matrix_is_refused_by_pair(matrix: list[list[float]], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ahp(("a", "b"), matrix)


def test_no_items_get_no_weights() -> None:
    with pytest.raises(UsageError):
        ahp((), [])


@pytest.mark.parametrize("third", ["0.333", "0.33333"])
def test_thirds_may_be_written_with_three_decimals(third: str) -> None:
    assert ahp(("a", "b"), [[1, 3], [float(third), 1]]).values == pytest.approx((0.75, 0.25), abs=1e-3)


# --- weights from data ---


def test_entropy_by_hand() -> None:
    """Scaled columns (0, ½, 1) and (0, 0, 1): shares (0, ⅓, ⅔) and (0, 0, 1)."""
    data = [[10, 5], [20, 5], [30, 9]]
    first = -(math.log(1 / 3) / 3 + 2 * math.log(2 / 3) / 3) / math.log(3)
    raw = (1 - first, 1.0)
    found = entropy(("x", "y"), data)
    assert found.values == pytest.approx([item / sum(raw) for item in raw])
    assert found.values[1] > found.values[0]
    assert found.consistency_ratio is None


def test_two_rows_leave_every_indicator_the_same_entropy() -> None:
    assert entropy(ABC, [[0, 9, 5], [1, 0, 7]]).values == pytest.approx([1 / 3] * 3)


def test_critic_by_hand() -> None:
    """Scaled columns x (0, ½, 1), y (0, 1, ½), z (1, ½, 0): equal spread, correlations ½, −1, −½."""
    found = critic(("x", "y", "z"), [[0, 0, 7], [1, 2, 6], [2, 1, 5]])
    conflict = (Fraction(5, 2), Fraction(2), Fraction(7, 2))  # (1 − ½) + (1 + 1); (1 − ½) + (1 + ½); (1 + 1) + (1 + ½)
    assert found.values == pytest.approx([float(item / sum(conflict)) for item in conflict])


def test_critic_of_two_is_their_spread() -> None:
    found = critic(("x", "y"), [[0, 0], [0, 1], [1, 0], [0, 2]])
    spread = np.std([[0, 0], [0, 0.5], [1, 0], [0, 1]], axis=0, ddof=1)
    assert found.values == pytest.approx(spread / spread.sum())


def test_one_indicator_gets_everything() -> None:
    assert critic(("x",), [[0], [1], [5]]).values == (1.0,)
    assert entropy(("x",), [[0], [1], [5]]).values == (1.0,)
    assert ahp(("x",), [[1]]).values == (1.0,)


@pytest.mark.parametrize("method", [entropy, critic])
def test_weights_do_not_depend_on_the_units(method: object) -> None:
    assert callable(method)
    data = np.array([[1, 20, 3], [4, 10, 9], [2, 70, 1], [8, 30, 2.0]])
    assert method(ABC, data * [1, 1000, 0.01] + [0, 5, -7]).values == pytest.approx(method(ABC, data).values)


@pytest.mark.parametrize("method", [entropy, critic])
@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([[1, 2]], "two rows"),
        ([], "two rows"),
        ([[1], [2]], "exactly 2 columns"),
        ([[1, 2], [1, 3]], "indicator x is the same"),
        ([[1, math.nan], [2, 3]], "missing values"),
        ([[1, math.inf], [2, 3]], "missing values"),
    ],
    ids=["one row", "no row", "one column", "constant", "missing", "infinite"],
)
def test_data_that_cannot_weigh_are_refused(method: object, data: list[list[float]], told: str) -> None:
    assert callable(method)
    with pytest.raises(UsageError, match=told):
        method(("x", "y"), data)


def test_indicators_that_say_the_same_are_refused_by_critic_not_a_crash() -> None:
    with pytest.raises(UsageError):
        critic(("x", "y"), [[1, 2], [2, 4], [5, 10]])


# --- both together ---


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (1.0, (0.8, 0.2)),
        (0.0, (0.2, 0.8)),
        (0.5, (0.5, 0.5)),
        (0.75, (2 / 3, 1 / 3)),  # 0.8^¾·0.2^¼ : 0.2^¾·0.8^¼ = √4 : 1
    ],
)
def test_experts_and_data_together(share: float, expected: tuple[float, float]) -> None:
    one, other = Weights(("x", "y"), (0.8, 0.2), 0.03), Weights(("x", "y"), (0.2, 0.8))
    found = combine(one, other, share)
    assert found.values == pytest.approx(expected)
    assert found.consistency_ratio == 0.03


@pytest.mark.parametrize("share", [-0.001, 1.001])
def test_the_share_of_the_experts_lies_between_none_and_all(share: float) -> None:
    with pytest.raises(UsageError, match="share"):
        combine(Weights(("x",), (1.0,)), Weights(("x",), (1.0,)), share)


def test_only_weights_of_the_same_items_are_combined() -> None:
    with pytest.raises(UsageError, match="different items"):
        combine(Weights(("x", "y"), (0.5, 0.5)), Weights(("y", "x"), (0.5, 0.5)))


def test_weights_that_leave_nothing_together_are_refused_not_a_crash() -> None:
    with pytest.raises(UsageError):
        combine(Weights(("x", "y"), (1.0, 0.0)), Weights(("x", "y"), (0.0, 1.0)))
