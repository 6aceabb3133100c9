"""What must not matter does not matter, and what must be equal is equal."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from property.agreement import Drawn, adds_up, compiled, differences, drawn, evaluations, interpreted
from shipped import shipped
from strategies import UNCOUNTED, Dataset, one_indicator, rulebooks
from zhixin.dataset.facts import Facts, Previous
from zhixin.evaluation.archive import RunFolder, facts_of
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.evaluation import Evaluation
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.evaluation.run import evaluate, reevaluate
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.explanation.outlook import Outlook
from zhixin.fiction.city import City
from zhixin.law.loading import dump_rulebook, loads_rulebook
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

CITY = City(2000, 3)
SEEDS = st.integers(0, 2**32 - 1)
MONTHS = 13
"""How far the outlook is compared day by day: about 400 days."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    database = DuckDBEngine(threads=1)
    yield database
    database.close()


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    order = list(range(len(table)))
    random.Random(seed).shuffle(order)
    return table.take(pa.array(order, pa.int64()))


def same(expected: dict[str, Evaluation], found: dict[str, Evaluation]) -> None:
    lines = differences(expected, found)
    assert not lines, "\n".join(lines)


# --- drawn rulebooks and facts ------------------------------------------------------------------------------------


@examples(8)
@given(example=drawn(), seed=SEEDS)
def test_order_of_rows_does_not_matter(engine: Engine, example: Drawn, seed: int) -> None:
    expected = compiled(example.rulebook, example.dataset, engine)
    tables = example.dataset.tables(example.rulebook)
    mixed = tables._replace(**{name: shuffled(table, seed) for name, table in tables._asdict().items()})
    same(expected, evaluations(evaluate_tables(example.rulebook, mixed, example.dataset.moment, engine=engine)))


@examples(60, in_test=12)
@given(example=drawn(), seed=SEEDS)
def test_order_of_records_does_not_matter_to_the_interpreter(example: Drawn, seed: int) -> None:
    rng = random.Random(seed)
    mixed = tuple(
        replace(
            item,
            records=tuple(rng.sample(item.records, len(item.records))),
            previous=tuple(rng.sample(item.previous, len(item.previous))),
        )
        for item in example.dataset.subjects
    )
    same(
        interpreted(example.rulebook, example.dataset),
        interpreted(example.rulebook, replace(example.dataset, subjects=mixed)),
    )


@examples(60, in_test=12)
@given(example=drawn())
def test_start_and_points_add_up_to_the_score(example: Drawn) -> None:
    for evaluation in interpreted(example.rulebook, example.dataset).values():
        assert adds_up(evaluation)


def with_noise(dataset: Dataset) -> Dataset:
    """Every subject with one more record, of a kind that no rule counts, decided on the day of the run."""
    day = dataset.moment.as_of
    dates = dict.fromkeys(("occurred_on", "decided_on", "published_on"), day)
    noise = {"kind": UNCOUNTED, "severity": "serious", **dates, "amount": 100_00, "quantity": 3, "sequence": 1}
    subjects = tuple(
        replace(item, records=(*item.records, {"record_no": 10_000 + number, "record_id": f"n{number}", **noise}))
        for number, item in enumerate(dataset.subjects)
    )
    return replace(dataset, subjects=subjects)


@examples(8)
@given(example=drawn())
def test_record_that_nobody_counts_changes_nothing(engine: Engine, example: Drawn) -> None:
    noisy = with_noise(example.dataset)
    same(interpreted(example.rulebook, example.dataset), interpreted(example.rulebook, noisy))
    same(
        compiled(example.rulebook, example.dataset, engine),
        compiled(example.rulebook, noisy, engine),
    )


def with_newcomer(dataset: Dataset) -> Dataset:
    """One more subject before the others: a copy of the first under another id, which moves every subject's number."""
    model = dataset.subjects[0]
    records = tuple({**row, "record_no": 20_000 + n, "record_id": f"m{n}"} for n, row in enumerate(model.records))
    links = tuple(replace(link, source=link.source + 1, target=link.target + 1) for link in dataset.links)
    return replace(dataset, subjects=(replace(model, subject_id="r00", records=records), *dataset.subjects), links=links)


@examples(8)
@given(example=drawn())
def test_another_subject_changes_no_other(engine: Engine, example: Drawn) -> None:
    expected = compiled(example.rulebook, example.dataset, engine)
    found = compiled(example.rulebook, with_newcomer(example.dataset), engine)
    assert found.pop("r00")
    same(expected, found)


@examples(8)
@given(example=drawn(), seed=SEEDS)
def test_reevaluated_subjects_are_those_of_the_full_run(engine: Engine, example: Drawn, seed: int) -> None:
    tables, moment = example.dataset.tables(example.rulebook), example.dataset.moment
    outcome = evaluate_tables(example.rulebook, tables, moment, engine=engine)
    grades, contributions = (
        [row for batch in batches for row in batch.to_pylist()] for batches in (outcome.grades(), outcome.contributions())
    )
    numbers = random.Random(seed).sample(range(len(example.dataset.subjects)), 5)
    names = {example.dataset.subjects[number].subject_id for number in numbers}
    some_grades, some_contributions = reevaluate(example.rulebook, tables, moment, numbers, engine=engine)
    assert some_grades.to_pylist() == [row for row in grades if row["subject_id"] in names]
    assert some_contributions.to_pylist() == [row for row in contributions if row["subject_id"] in names]


@examples(80, in_test=16)
@given(rulebook=rulebooks())
def test_dumped_rulebook_loads_as_itself(rulebook: Rulebook) -> None:
    again = loads_rulebook(dump_rulebook(rulebook))
    assert again == rulebook
    assert again.sha256 == rulebook.sha256
    assert dump_rulebook(again) == dump_rulebook(rulebook)


# --- a city on disk -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zhengzhou() -> Rulebook:
    return shipped("zhengzhou-ip")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city") / "snapshot"
    CITY.write(folder)
    return folder


@pytest.fixture(scope="module")
def full(zhengzhou: Rulebook, snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The whole city on one thread."""
    out = tmp_path_factory.mktemp("runs") / "full"
    return evaluate(zhengzhou, snapshot, out, CITY.as_of, engine=DuckDBEngine(threads=1))


def same_bytes(left: RunFolder, right: RunFolder) -> None:
    for name in ("grades.parquet", "contributions.parquet"):
        assert (left.path / name).read_bytes() == (right.path / name).read_bytes(), f"{name} differs"


def test_threads_do_not_change_a_byte(zhengzhou: Rulebook, snapshot: Path, full: RunFolder, tmp_path: Path) -> None:
    same_bytes(full, evaluate(zhengzhou, snapshot, tmp_path / "run", CITY.as_of, engine=DuckDBEngine(threads=2)))


def test_rows_in_another_order_do_not_change_a_byte(
    zhengzhou: Rulebook, snapshot: Path, full: RunFolder, tmp_path: Path
) -> None:
    mixed = tmp_path / "snapshot"
    shutil.copytree(snapshot, mixed)
    for number, file in enumerate(sorted(mixed.glob("*.parquet"))):
        pq.write_table(shuffled(pq.read_table(file), number), file, row_group_size=700)
    same_bytes(full, evaluate(zhengzhou, mixed, tmp_path / "run", CITY.as_of, engine=DuckDBEngine(threads=2)))


def test_points_of_a_run_add_up(full: RunFolder) -> None:
    grades = pq.read_table(full.path / "grades.parquet")
    given_points = pq.read_table(full.path / "contributions.parquet").group_by("subject_id")
    totals = given_points.aggregate([("points_milli", "sum")]).to_pydict()
    by_subject = dict(zip(totals["subject_id"], totals["points_milli_sum"], strict=True))
    assert len(grades) == CITY.subjects
    for row in grades.to_pylist():
        total = row["start_milli"] + row["implied_milli"] + by_subject.get(row["subject_id"], 0)
        assert total == row["score_milli"], row["subject_id"]


@pytest.mark.parametrize("size", [1, 40])
def test_reevaluated_enterprises_are_those_of_the_full_run(
    engine: Engine, zhengzhou: Rulebook, full: RunFolder, size: int
) -> None:
    numbers = random.Random(size).sample(range(CITY.subjects), size)
    names = pa.array([str(code) for number, code in enumerate(CITY.codes()) if number in numbers])
    found = reevaluate(zhengzhou, full.tables, full.moment, numbers, engine=engine)
    for table, name in zip(found, ("grades.parquet", "contributions.parquet"), strict=True):
        everyone = pq.read_table(full.path / name)
        assert table.to_pylist() == everyone.filter(pc.is_in(everyone["subject_id"], names)).to_pylist(), name


# --- the outlook, day by day --------------------------------------------------------------------------------------

Ahead = list[tuple[date, int, str, str, dict[str, int]]]


class Daily:
    """Evaluates every day ahead; the rulebook is resolved anew on each day that it mentions."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.mentioned = {date.fromisoformat(text) for text in re.findall(r"\d{4}-\d{2}-\d{2}", dump_rulebook(rulebook))}
        self.resolved: dict[int, Rulebook] = {}

    def at(self, facts: Facts, moment: Moment) -> Evaluation:
        period = sum(day <= moment.as_of for day in self.mentioned)
        if period not in self.resolved:
            self.resolved[period] = self.rulebook.at(moment.as_of)
        return Interpreter(self.resolved[period], moment).evaluate(facts)

    def changes(self, facts: Facts, moment: Moment, until: date) -> Ahead:
        found: Ahead = []
        before, day = self.at(facts, moment), moment.as_of
        while day < until:
            day += timedelta(days=1)
            after = self.at(facts, replace(moment, as_of=day))
            moved = _moved(before, after)
            if moved or (after.score_milli, after.grade, after.step) != (before.score_milli, before.grade, before.step):
                found.append((day, after.score_milli, after.grade, after.step, moved))
            before = after
        return found


def _moved(before: Evaluation, after: Evaluation) -> dict[str, int]:
    old, new = ({item.indicator: item.points_milli for item in side.contributions} for side in (before, after))
    return {
        name: new.get(name, 0) - old.get(name, 0) for name in sorted({*old, *new}) if new.get(name, 0) != old.get(name, 0)
    }


def foreseen(rulebook: Rulebook, facts: Facts, moment: Moment) -> tuple[Ahead, date]:
    outlook = Outlook(rulebook, facts, moment, MONTHS)
    changes = [(item.day, item.score_milli, item.grade, item.step, item.indicators) for item in outlook.changes()]
    return changes, outlook.until


def missed(rulebook: Rulebook, daily: Daily, facts: Facts, moment: Moment) -> str:
    """Empty where the outlook names every change; otherwise the days on which they differ, and all that repeats it."""
    found, until = foreseen(rulebook, facts, moment)
    expected = daily.changes(facts, moment, until)
    if found == expected:
        return ""
    lines = [f"outlook misses {item}" for item in expected if item not in found]
    lines += [f"outlook invents {item}" for item in found if item not in expected]
    return "\n".join([*lines, dump_rulebook(rulebook), repr(facts), repr(moment)])


def recorded(facts: Facts, as_of: date) -> Facts:
    """The facts that can be known on a day: nothing dated later, except the end of a validity."""
    records = tuple(
        {name: value for name, value in row.items() if name == "valid_until" or not _is_later(value, as_of)}
        for row in facts.records
        if not _is_later(row["decided_on"], as_of)
    )
    attributes = {name: value for name, value in facts.attributes.items() if not _is_later(value, as_of)}
    previous = tuple(item for item in facts.previous if item.evaluated_on < as_of)
    related = {key: tuple(recorded(other, as_of) for other in others) for key, others in facts.related.items()}
    return replace(facts, attributes=attributes, records=records, previous=previous, related=related)


def _is_later(value: Any, day: date) -> bool:
    return isinstance(value, date) and value > day


@examples(15, in_test=6)
@given(example=drawn())
def test_outlook_names_every_day_of_change(example: Drawn) -> None:
    daily, moment = Daily(example.rulebook), example.dataset.moment
    for facts in example.dataset.everyone()[:3]:
        told = missed(example.rulebook, daily, recorded(facts, moment.as_of), moment)
        assert not told, told


def test_outlook_of_enterprises_names_every_day_of_change(zhengzhou: Rulebook, full: RunFolder) -> None:
    daily = Daily(zhengzhou)
    records = pq.read_table(full.tables.records, columns=["subject_no", "kind"]).to_pylist()
    bad = sorted({row["subject_no"] for row in records if row["kind"].startswith(("penalty.", "list.", "enforcement."))})
    for number in bad[:12]:
        facts = facts_of(full, str(CITY.codes()[number]))
        told = missed(zhengzhou, daily, facts, full.moment)
        assert not told, told


PENALTY = {"kinds": ["penalty"]}
SINCE = {"type": "days_since", "of": PENALTY}
AGE = {"type": "age", "id": "founded", "unit": "days"}
ONCE = {"type": "per_unit", "each": 1}
LATE = {"type": "steps", "side": "at_least", "bands": [{"from": 400, "points": 5}], "below": 0}
THEN = date(2024, 6, 1)
NOW = date(2025, 1, 1)


def penalty(**dates: date) -> dict[str, Any]:
    return {"record_no": 0, "record_id": "r0", "kind": "penalty", "decided_on": THEN, **dates}


DAILY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "days_since_per_unit": (SINCE, ONCE),
    "days_since_beyond_free": (SINCE, ONCE | {"free": 500}),
    "days_since_linear": (SINCE, {"type": "linear", "points": [{"x": 0, "y": -10}, {"x": 730, "y": 0}]}),
    "age_per_unit": (AGE, ONCE),
    "days_since_in_a_sum": ({"type": "combined", "how": "sum", "of": [SINCE, {"type": "attribute", "id": "staff"}]}, LATE),
    "age_in_a_ratio": (
        {"type": "ratio", "numerator": AGE, "denominator": {"type": "attribute", "id": "staff"}},
        {"type": "steps", "side": "at_least", "bands": [{"from": 200, "points": 5}], "below": 0},
    ),
    "related_days_since": ({"type": "related", "relation": "controls", "aggregate": "minimum", "measure": SINCE}, LATE),
    "days_since_bands": (SINCE, LATE),
}
"""Measures that grow by the day."""


@pytest.mark.parametrize("name", DAILY)
def test_outlook_follows_what_grows_by_the_day(name: str) -> None:
    other = Facts("s1", {}, (penalty(),))
    facts = Facts("s0", {"staff": 3, "founded": date(2023, 10, 1)}, (penalty(),), (), {("controls", "outgoing"): (other,)})
    rulebook = one_indicator(*DAILY[name])
    told = missed(rulebook, Daily(rulebook), facts, Moment(NOW))
    assert not told, told


FUTURE: dict[str, tuple[dict[str, Any], tuple[dict[str, Any], ...], tuple[Previous, ...]]] = {
    "published_later": (
        {"type": "count", "of": PENALTY | {"on": "published_on"}},
        (penalty(published_on=date(2025, 1, 10)),),
        (),
    ),
    "corrected_later": (
        {"type": "count", "of": PENALTY | {"unless": ["corrected"]}},
        (penalty(corrected_on=date(2025, 2, 1)),),
        (),
    ),
    "valid_until_later": (
        {"type": "count", "of": PENALTY | {"while_valid": True}},
        (penalty(valid_until=date(2025, 2, 28)),),
        (),
    ),
    "result_of_the_same_day": ({"type": "previous_score"}, (), (Previous(NOW, "A", 3000),)),
    "term_with_a_dated_end": (
        {
            "type": "appended_term",
            "of": PENALTY,
            "months": 6,
            "max_months": {"values": {date(2000, 1, 1): {"value": 36, "document": "law", "verified": True}}},
        },
        (penalty(), penalty(decided_on=date(2024, 9, 1)) | {"record_no": 1, "record_id": "r1"}),
        (),
    ),
    "effective_after_a_wait": (
        {"type": "count", "of": PENALTY | {"effective_after_days": 60, "within": {"days": 90}}},
        (penalty(decided_on=date(2024, 12, 20)),),
        (),
    ),
    "whole_years_from_a_leap_day": (
        {"type": "clean_years", "of": PENALTY, "since": "founded"},
        (penalty(decided_on=date(2024, 2, 29)),),
        (),
    ),
}
"""Dates that lie ahead, of every sort."""


@pytest.mark.parametrize("name", FUTURE)
def test_outlook_knows_dates_ahead(name: str) -> None:
    measure, records, previous = FUTURE[name]
    rulebook = one_indicator(measure, ONCE)
    told = missed(rulebook, Daily(rulebook), Facts("s0", {}, records, previous), Moment(NOW))
    assert not told, told
