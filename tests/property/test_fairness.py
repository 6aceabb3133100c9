"""The same conduct gives the same result, whoever it is: district, industry, name, code, company and order do not matter.

Metamorphic tests of the flagship on both engines: facts are drawn or come from a synthetic city, changed in what must
not matter, and evaluated again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from property.agreement import comparable, evaluations
from shipped import shipped
from zhixin.dataset.facts import Facts, Previous
from zhixin.dataset.tables import from_facts, subjects_schema
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.evaluation import Evaluation
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.fiction.city import DISTRICT_SHARES, City
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

FLAGSHIP = shipped("zhengzhou-ip")
AS_OF = date(2026, 11, 24)
RULEBOOK = FLAGSHIP.at(AS_OF)
HORIZON = Moment(AS_OF, None, (date(2026, 10, 31), date(2026, 9, 30)))
INDUSTRIES = list("ABCDEFGHIJKLMNOPQRST")
KINDS = [item.id for item in FLAGSHIP.catalogue]
SIZE = 24
"""A run costs about the same for ten subjects as for fifty; so few examples, of many."""
IRRELEVANT = ("district", "industry")
"""Declared because they are collected; no rule may look at them."""
UNDECLARED = ("ownership", "scale", "name", "legal_representative", "nationality")
SEEDS = st.integers(0, 2**32 - 1)

People = tuple[Facts, ...]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    database = DuckDBEngine(threads=1)
    yield database
    database.close()


# --- facts --------------------------------------------------------------------------------------------------------

DAYS = st.integers(0, 1500).map(lambda back: AS_OF - timedelta(days=back))
MAYBE = st.one_of(st.none(), DAYS)


def _attribute(name: str) -> st.SearchStrategy[Any]:
    definition = FLAGSHIP.attribute[name]
    known: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(0, 40),
        "boolean": st.booleans(),
        "date": DAYS,
        "category": st.sampled_from(list(definition.values) or [*INDUSTRIES, *DISTRICT_SHARES]),
    }
    if name == "officer_shift":
        return st.sampled_from([None, 1, 2])
    return st.one_of(st.none(), known[str(definition.type)])


RECORD = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "severity": st.sampled_from([None, "minor", "general", "serious"]),
        "occurred_on": MAYBE,
        "decided_on": DAYS,
        "published_on": MAYBE,
        "valid_until": st.one_of(st.none(), st.integers(-400, 400).map(lambda days: AS_OF + timedelta(days=days))),
        "corrected_on": MAYBE,
        "repaired_on": st.one_of(st.none(), st.none(), DAYS),
        "revoked_on": st.one_of(st.none(), st.none(), DAYS),
        "is_first_offence": st.sampled_from([None, True, False]),
        "amount": st.sampled_from([None, 0, 100_00, 50_000_00, 1_000_000_00]),
        "quantity": st.sampled_from([None, 0, 1, 3, 12]),
        "code": st.sampled_from([None, "a", "b"]),
    }
)
EARLIER = st.lists(
    st.builds(
        Previous,
        st.sampled_from(HORIZON.evaluations),
        st.sampled_from([grade.id for grade in FLAGSHIP.ladder]),
        st.integers(0, 100_000),
        st.sampled_from(["cut", f"direct:{FLAGSHIP.decisions.direct[0].id}"]),
    ),
    max_size=2,
    unique_by=lambda item: item.evaluated_on,
).map(tuple)


@st.composite
def people(draw: Any, size: int = SIZE) -> People:
    """Facts of a few subjects; records come from a pool that they share, so that conduct meets conduct."""
    pool = draw(st.lists(RECORD, min_size=1, max_size=14))
    found, first = [], 0
    for number in range(size):
        chosen = draw(st.lists(st.sampled_from(pool), max_size=6))
        records = tuple({"record_no": first + n, "record_id": f"r{first + n}", **row} for n, row in enumerate(chosen))
        first += len(records)
        attributes = {name: draw(_attribute(name)) for name in FLAGSHIP.attribute}
        found.append(Facts(f"s{number:02d}", attributes, records, draw(EARLIER)))
    return tuple(found)


def city(size: int, seed: int) -> People:
    """Subjects of a synthetic city with their records: conduct as it is spread in reality."""
    made = City(size, seed, as_of=AS_OF)
    rows = {row["subject_no"]: row for row in made.subject_table().to_dicts()}
    records: dict[int, list[dict[str, Any]]] = {}
    number = 0
    for block in made.record_blocks():
        for row in block.to_dicts():
            records.setdefault(row.pop("subject_no"), []).append({**row, "record_no": number, "record_id": f"r{number}"})
            number += 1
    return tuple(
        Facts(str(row["subject_id"]), {name: row.get(name) for name in FLAGSHIP.attribute}, tuple(records.get(key, ())))
        for key, row in sorted(rows.items())
    )


# --- evaluating ---------------------------------------------------------------------------------------------------

Results = dict[str, Evaluation]


def by_interpreter(rulebook: Rulebook, everyone: People) -> Results:
    interpreter = Interpreter(rulebook.at(AS_OF), HORIZON)
    return {facts.subject_id: interpreter.evaluate(facts) for facts in everyone}


def by_duckdb(rulebook: Rulebook, everyone: People, engine: Engine) -> Results:
    return evaluations(evaluate_tables(rulebook, from_facts(rulebook.at(AS_OF), everyone), HORIZON, engine=engine))


def on_both(everyone: People, engine: Engine, rulebook: Rulebook = FLAGSHIP) -> dict[str, Results]:
    return {"interpreter": by_interpreter(rulebook, everyone), "duckdb": by_duckdb(rulebook, everyone, engine)}


def outcome(evaluation: Evaluation, *, numbered: bool = True) -> dict[str, Any]:
    """All of a result but whose it is; without the numbers of its records where those were given anew."""
    values = comparable(evaluation)
    del values["subject_id"]
    if not numbered:
        values = {name: value[:3] if isinstance(value, tuple) else value for name, value in values.items()}
    return values


def assert_same(
    before: dict[str, Results],
    after: dict[str, Results],
    renamed: Callable[[str], str] = lambda name: name,
    *,
    numbered: bool = True,
) -> None:
    """Every engine says the same of every subject, under its new name, as before."""
    for name, results in before.items():
        assert len(after[name]) == len(results)
        for subject, evaluation in results.items():
            expected = outcome(evaluation, numbered=numbered)
            found = outcome(after[name][renamed(subject)], numbered=numbered)
            assert found == expected, f"{name} says otherwise of {subject}"


def changed(everyone: People, seed: int, change: Callable[[Facts, random.Random], Facts]) -> People:
    rng = random.Random(seed)
    return tuple(change(facts, rng) for facts in everyone)


# --- the draws say something --------------------------------------------------------------------------------------


def test_drawn_conduct_is_graded_differently_and_loses_points() -> None:
    """So that sameness below is no sameness of empty things."""
    grades: set[str] = set()
    indicators: set[str] = set()

    @examples(40)
    @given(everyone=people())
    def look(everyone: People) -> None:
        for evaluation in by_interpreter(FLAGSHIP, everyone).values():
            grades.add(evaluation.grade)
            indicators.update(item.indicator for item in evaluation.contributions if item.points_milli)

    look()
    assert {"B", "C", "D"} <= grades
    assert len(indicators & set(FLAGSHIP.indicator)) > len(FLAGSHIP.indicators) // 4


# --- who somebody is does not matter ------------------------------------------------------------------------------


def elsewhere(facts: Facts, rng: random.Random) -> Facts:
    """The same subject in another district and another industry, or in none that is known."""
    other = {"district": rng.choice([*DISTRICT_SHARES, "410199", "", None]), "industry": rng.choice([*INDUSTRIES, "", None])}
    return replace(facts, attributes={**facts.attributes, **other})


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_district_and_industry_do_not_matter(engine: Engine, everyone: People, seed: int) -> None:
    moved = changed(everyone, seed, elsewhere)
    assert_same(on_both(everyone, engine), on_both(moved, engine))


def test_the_rulebook_declares_district_and_industry_so_that_the_test_above_changes_something() -> None:
    assert set(IRRELEVANT) <= set(subjects_schema(RULEBOOK).names)


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_code_does_not_matter(engine: Engine, everyone: People, seed: int) -> None:
    """Other codes, in another order of the alphabet: every subject and every record gets another number."""
    codes = random.Random(seed).sample([f"9141{number:04d}" for number in range(500)], len(everyone))
    names = {facts.subject_id: code for facts, code in zip(everyone, codes, strict=True)}
    renamed = tuple(replace(facts, subject_id=names[facts.subject_id]) for facts in everyone)
    assert_same(on_both(everyone, engine), on_both(renamed, engine), names.__getitem__)


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_two_with_the_same_conduct_get_the_same_result(engine: Engine, everyone: People, seed: int) -> None:
    """A twin of each subject: same facts, other code, other place, other records of the same content."""
    twins = changed(everyone, seed, elsewhere)
    twins = tuple(
        replace(
            facts,
            subject_id=f"a-{facts.subject_id}",
            records=tuple(
                {**row, "record_no": row["record_no"] + 10_000, "record_id": f"t{row['record_id']}"} for row in facts.records
            ),
        )
        for facts in twins
    )
    for name, results in on_both((*everyone, *twins), engine).items():
        for facts in everyone:
            one, other = (outcome(results[key], numbered=False) for key in (facts.subject_id, f"a-{facts.subject_id}"))
            assert one == other, f"{name} treats {facts.subject_id} and its twin differently"


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_order_of_subjects_and_records_does_not_matter(engine: Engine, everyone: People, seed: int) -> None:
    rng = random.Random(seed)
    mixed = tuple(
        replace(
            facts, records=tuple(rng.sample(facts.records, len(facts.records))), previous=tuple(reversed(facts.previous))
        )
        for facts in rng.sample(everyone, len(everyone))
    )
    assert_same(on_both(everyone, engine), on_both(mixed, engine))


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_number_and_document_of_a_record_do_not_matter(engine: Engine, everyone: People, seed: int) -> None:
    def refiled(facts: Facts, rng: random.Random) -> Facts:
        records = tuple(
            {
                **row,
                "record_no": row["record_no"] + 7_000,
                "record_id": f"z{rng.random()}",
                "document": f"（虚构）{rng.random()}号",
            }
            for row in facts.records
        )
        return replace(facts, records=records)

    assert_same(on_both(everyone, engine), on_both(changed(everyone, seed, refiled), engine), numbered=False)


# --- what is not declared cannot enter ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNDECLARED)
def test_the_rulebook_declares_nothing_of_who_owns_or_how_big(name: str) -> None:
    assert name not in FLAGSHIP.attribute
    assert name not in FLAGSHIP.record_fields
    assert name not in subjects_schema(RULEBOOK).names


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_attributes_that_are_not_declared_do_not_enter(engine: Engine, everyone: People, seed: int) -> None:
    def told_more(facts: Facts, rng: random.Random) -> Facts:
        more = {name: rng.choice(["国有", "民营", "外资", "大型", "微型", 1, 0, True]) for name in UNDECLARED}
        return replace(facts, attributes={**facts.attributes, **more})

    more = changed(everyone, seed, told_more)
    tables = from_facts(RULEBOOK, more)
    assert not set(UNDECLARED) & set(tables.subjects.column_names)
    assert_same(on_both(everyone, engine), on_both(more, engine))


def test_a_column_that_is_not_declared_does_not_enter_a_run(engine: Engine) -> None:
    """Also where the table itself holds it."""
    everyone = city(60, 5)
    tables = from_facts(RULEBOOK, everyone)
    wide = tables.subjects
    for name in UNDECLARED:
        wide = wide.append_column(name, [[f"{name}{number % 3}" for number in range(len(wide))]])
    plain = evaluations(evaluate_tables(FLAGSHIP, tables, HORIZON, engine=engine))
    told = evaluations(evaluate_tables(FLAGSHIP, tables._replace(subjects=wide), HORIZON, engine=engine))
    assert_same({"duckdb": plain}, {"duckdb": told})


# --- together or apart --------------------------------------------------------------------------------------------


def in_two(everyone: People, seed: int) -> tuple[People, People]:
    rng = random.Random(seed)
    here = {facts.subject_id for facts in everyone if rng.random() < 0.5}
    return tuple(item for item in everyone if item.subject_id in here), tuple(
        item for item in everyone if item.subject_id not in here
    )


def apart(everyone: People, seed: int, engine: Engine) -> dict[str, Results]:
    """What two runs of a part each say, put together."""
    found: dict[str, Results] = {"interpreter": {}, "duckdb": {}}
    for part in in_two(everyone, seed):
        for name, results in on_both(part, engine).items() if part else ():
            found[name] |= results
    return found


@examples(3)
@given(everyone=people(), seed=SEEDS)
def test_two_runs_of_a_part_each_say_what_one_run_says(engine: Engine, everyone: People, seed: int) -> None:
    assert_same(on_both(everyone, engine), apart(everyone, seed, engine))


# --- a city -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def townspeople() -> People:
    return city(400, 11)


@pytest.fixture(scope="module")
def usual(townspeople: People, engine: Engine) -> dict[str, Results]:
    found = on_both(townspeople, engine)
    assert len({item.grade for item in found["interpreter"].values()}) >= 3
    return found


def test_a_city_in_which_everybody_moves_is_graded_as_before(
    townspeople: People, usual: dict[str, Results], engine: Engine
) -> None:
    assert_same(usual, on_both(changed(townspeople, 1, elsewhere), engine))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_city_in_two_halves_is_graded_as_the_whole(
    townspeople: People, usual: dict[str, Results], engine: Engine, seed: int
) -> None:
    assert all(len(part) > 100 for part in in_two(townspeople, seed))
    assert_same(usual, apart(townspeople, seed, engine))


def test_a_city_with_all_codes_changed_is_graded_as_before(
    townspeople: People, usual: dict[str, Results], engine: Engine
) -> None:
    codes = [facts.subject_id for facts in townspeople]
    names = dict(zip(codes, random.Random(3).sample(codes, len(codes)), strict=True))
    renamed = tuple(replace(facts, subject_id=names[facts.subject_id]) for facts in townspeople)
    assert_same(usual, on_both(renamed, engine), names.__getitem__)


def test_a_rule_that_looks_at_the_district_would_be_found(engine: Engine) -> None:
    """The tests above can fail: a rulebook with one unfair indicator does not pass them."""
    dump = FLAGSHIP.dump()
    unfair = {
        "id": "unfair", "title": {"zh": "不公", "en": "unfair"}, "dimension": dump["dimensions"][0]["id"], "when_missing": "no_points",
        "points": {"type": "categories", "attribute": "district", "points": {"410105": -5}, "otherwise": 0},
    }  # fmt: skip
    rulebook = Rulebook.model_validate({**dump, "indicators": [*dump["indicators"], unfair]})
    facts = Facts("s0", {"district": "410105", "established_on": date(2015, 1, 1)})
    moved = replace(facts, attributes={**facts.attributes, "district": "410102"})
    with pytest.raises(AssertionError, match="says otherwise of s0"):
        assert_same(on_both((facts,), engine, rulebook), on_both((moved,), engine, rulebook))
