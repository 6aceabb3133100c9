"""Numbers at the limit of 64 bits come out exactly; beyond it, the evaluation is refused and the number named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import ibis
import pytest

from spec.law import AS_OF, rulebook_of
from zhixin.dataset.facts import Facts
from zhixin.dataset.tables import from_facts
from zhixin.errors import TooLarge
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.engines.polars import PolarsEngine
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.evaluation.plan.overflow import BoundedStage, Interval, put_through
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

MOST = 10**15
"""The largest amount (fen) that intake accepts."""
SALES = "indicators: {sales: {measure: {type: attribute, id: sales}, points: {type: affine, constant: 0, each: 1000}}}"
FINES = (
    "indicators: {fines: {measure: {type: sum, field: amount, of: {kinds: [fine]}}, points: {type: per_unit, each: 100}}}"
)
SHARE = (
    "indicators: {share: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_record, each: 1,"
    " tiers: [{each: 0, plus: {each: 100, of: quantity, over: amount}}]}}}"
)
MEAN = (
    "indicators: {mean: {measure: {type: mean, field: amount, weighted_by: quantity, of: {kinds: [fine]}},"
    " points: {type: once, points: 1}}}"
)
TIMES_SALES = 10_000
"""Thousandths of a point for one fen."""
LAST_SALES = (2**63 - 1 - 100_000) // TIMES_SALES
"""With the 100 points of the start, this is the last amount whose score fits."""


@pytest.fixture(scope="module", params=[PolarsEngine, DuckDBEngine])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    opened = request.param(threads=1)
    yield opened
    opened.close()


def facts(sales: int | None = None, *fines: tuple[int, int | None]) -> Facts:
    records: list[dict[str, Any]] = [
        {"record_no": no, "record_id": f"r{no}", "kind": "fine", "decided_on": date(2026, 1, 10), "amount": a, "quantity": q}
        for no, (a, q) in enumerate(fines)
    ]
    return Facts("91410100MA00000001", {"sales": sales}, tuple(records))


def scores(rulebook: Rulebook, given: Facts, engine: Engine) -> list[int]:
    found: list[int] = []
    for batch in evaluate_tables(rulebook, from_facts(rulebook, [given]), Moment(AS_OF), engine=engine).grades():
        found += batch["score_milli"].to_pylist()
    return found


FITS = [
    (SALES, facts(LAST_SALES)),
    (SALES, facts(-LAST_SALES)),
    (FINES, facts(None, *[(MOST, None)] * 9)),
    (SHARE, facts(None, (700, 46 * 10**10))),
    (SHARE, facts(None, (0, 10**11), (700, None))),
    (MEAN, facts(None, (MOST, 9223))),
]
BEYOND = [
    (SALES, facts(LAST_SALES + 1), "sales = 9,223,372,036,854.68 of 91410100MA00000001"),
    (FINES, facts(None, *[(MOST, None)] * 10), "amount = 10,000,000,000,000 of r0"),
    (SHARE, facts(None, (700, 47 * 10**10)), "quantity = 470,000,000,000 of r0"),
    (MEAN, facts(None, (5, 1), (MOST, 9224)), "amount = 10,000,000,000,000 of r1"),
]


@pytest.mark.parametrize(("rules", "given"), FITS)
def test_what_fits_comes_out_exactly(rules: str, given: Facts, engine: Engine) -> None:
    rulebook = rulebook_of(rules)
    expected = Interpreter(rulebook.at(AS_OF), Moment(AS_OF)).evaluate(given).score_milli
    assert scores(rulebook, given, engine) == [expected]


@pytest.mark.parametrize(("rules", "given", "named"), BEYOND)
def test_what_does_not_is_refused_and_named(rules: str, given: Facts, named: str, engine: Engine) -> None:
    with pytest.raises(TooLarge) as refused:
        scores(rulebook_of(rules), given, engine)
    assert named in refused.value.message.en
    assert named.split(" = ")[1].split(" of ")[0] in refused.value.message.zh


def test_an_engine_goes_on_after_a_refusal(engine: Engine) -> None:
    rulebook = rulebook_of(SALES)
    with pytest.raises(TooLarge):
        scores(rulebook, facts(LAST_SALES + 1), engine)
    assert scores(rulebook, facts(1), engine) == [110_000]


def test_a_run_names_the_engine_that_computed_it() -> None:
    """Polars would have wrapped somewhere in this one, for all that is known beforehand."""
    found = []
    for sales in (1, LAST_SALES):
        rulebook = rulebook_of(SALES)
        tables = from_facts(rulebook, [facts(sales)])
        with closing(PolarsEngine(threads=1)) as engine:
            found.append(evaluate_tables(rulebook, tables, Moment(AS_OF), engine=engine).engine.name)
    assert found == ["polars", "duckdb"]


@pytest.mark.parametrize(("is_known", "high"), [(False, 100), (True, 5)])
def test_what_may_be_missing_holds_nothing_down(is_known: bool, high: int) -> None:
    """The least of NULL and 100 is 100."""
    table = ibis.table({"a": "int64", "b": "int64"}, name="given")
    stage = BoundedStage("made", table.select(least=ibis.least(table.a, table.b)))
    given = {"a": Interval(0, 5, is_known), "b": Interval(100, 100)}
    made = put_through([stage], {"given": given}, 1)
    assert made is not None
    assert made["made"]["least"][:2] == (0, high)


def test_columns_that_stand_beside_may_be_missing() -> None:
    known = ibis.table({"a": "int64"}, name="known").mutate(c=1)
    part = ibis.table({"b": "int64"}, name="part").mutate(d=2)
    stages = [BoundedStage("joined", known, is_beside=True), BoundedStage("joined", part, is_beside=True)]
    made = put_through(stages, {}, 1)
    assert made is not None
    assert made["joined"]["c"].is_known
    assert not made["joined"]["d"].is_known
