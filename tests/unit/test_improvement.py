"""What a subject can do for a better grade: every answer is the engine's own, and no smaller choice is enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from shipped import shipped
from spec.law import rulebook_of
from zhixin.dataset.facts import Facts
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.explanation.improvement import Action, Improvement, Reached
from zhixin.explanation.outlook import Outlook
from zhixin.law.moment_and_windows import Moment

DAY = date(2026, 6, 30)
TOMORROW = date(2026, 7, 1)
REPAIR = "repair: {after_months: 3, conditions: {zh: 改正, en: corrected}}"
BOOK = rulebook_of(
    f"""
    catalogue:
      fine: {{nature: negative, {REPAIR}}}
      warning: {{nature: negative, {REPAIR}}}
      listing: {{nature: negative, repair: {{after_months: 12, conditions: {{zh: 改正, en: corrected}}}}}}
      award: {{nature: positive}}
      survey: {{nature: positive}}
      honour: {{nature: positive}}
    indicators:
      fines: {{measure: {{type: count, of: {{kinds: [fine]}}}}, points: {{type: per_unit, each: -6}}}}
      warnings: {{measure: {{type: count, of: {{kinds: [warning], unless: [corrected, repaired]}}}}, points: {{type: per_unit, each: -3}}}}
      awards: {{measure: {{type: exists, of: {{kinds: [award]}}}}, points: {{type: per_unit, each: 4}}}}
      surveys: {{measure: {{type: exists, of: {{kinds: [survey]}}}}, points: {{type: per_unit, each: -5}}}}
    decisions: {{direct: {{listed: {{when: {{measure: {{type: exists, of: {{kinds: [listing]}}}}, at_least: 1}}, grade: D}}}}}}
    """
)


def improvement(*records: tuple[str, str], start: int | None = None) -> Improvement:
    rows = tuple(
        {"record_no": number, "kind": kind, "decided_on": date.fromisoformat(day), "document": f"{number}号"}
        for number, (kind, day) in enumerate(records)
    )
    facts = Facts("x", {} if start is None else {"other": start * 1000}, rows)
    return Improvement(Outlook(BOOK, facts, Moment(DAY)))


def chosen(found: Improvement) -> list[str]:
    suggestion = found.suggestion()
    assert suggestion is not None
    return [action.id for action in suggestion.reached.actions]


def test_every_way_is_listed_with_its_first_day() -> None:
    found = improvement(("fine", "2026-05-01"), ("warning", "2026-01-01"))
    days = {item.id: item.day for item in found.actions}
    assert days == {"repair:0": date(2026, 8, 1), "correct:1": TOMORROW, "repair:1": TOMORROW, "earn:award": TOMORROW}


def test_what_changes_nothing_or_harms_is_not_listed() -> None:
    ids = {item.id for item in improvement(("fine", "2026-05-01")).actions}
    assert "correct:0" not in ids  # a corrected fine counts like any other
    assert not ids & {"earn:honour", "earn:survey"}


def test_a_choice_is_worth_what_the_engine_says_of_it() -> None:
    found = improvement(("fine", "2026-01-01"), ("fine", "2026-05-01"))
    reached = found.reached(["repair:0", "repair:1", "earn:award"])
    assert (reached.day, reached.score_milli, reached.grade) == (date(2026, 8, 1), 104_000, "A")
    assert (reached.score_without, reached.grade_without) == (88_000, "B")


def test_nothing_chosen_is_tomorrow_as_it_will_be() -> None:
    reached = improvement(("fine", "2026-01-01")).reached(["repair:77", "nonsense"])
    assert reached == Reached((), TOMORROW, 94_000, "A", 94_000, "A")


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((("fine", "2026-01-01"), ("fine", "2026-05-01")), ["repair:0"]),  # the earlier of two that are alike
        ((("fine", "2026-05-01"), ("warning", "2026-05-02"), ("warning", "2026-05-03")), ["earn:award"]),
        ((("fine", "2026-02-01"),) * 3, ["repair:0", "repair:1"]),
        ((("listing", "2026-01-01"),), ["repair:0"]),
    ],
)
def test_a_smallest_choice_is_suggested_the_earliest_first(records: Any, expected: list[str]) -> None:
    found = improvement(*records)
    assert chosen(found) == expected
    assert found.suggestion().is_smallest  # type: ignore[union-attr]


def test_nothing_is_suggested_where_nothing_is_enough() -> None:
    assert improvement(start=-60).suggestion() is None
    assert improvement().suggestion() is None  # the best grade already


def test_a_long_list_is_thinned_out_and_says_so() -> None:
    found = improvement(*(("fine", f"2026-01-{day:02}") for day in range(1, 13)))
    suggestion = found.suggestion()
    assert suggestion is not None
    assert not suggestion.is_smallest
    assert suggestion.reached.grade == "C"
    _is_enough_and_lean(found, suggestion.reached)


def short(rules: str, *records: tuple[str, str], start: int | None = None, **options: Any) -> Improvement:
    """An improvement under short rules of its own."""
    rows = tuple(
        {"record_no": number, "kind": kind, "decided_on": date.fromisoformat(day), "document": f"{number}号"}
        for number, (kind, day) in enumerate(records)
    )
    facts = Facts("x", {} if start is None else {"other": start}, rows)
    return Improvement(Outlook(rulebook_of(rules), facts, Moment(DAY)), **options)


def test_what_waiting_gives_as_well_is_no_suggestion() -> None:
    found = short(
        """
        catalogue:
          fine: {nature: negative}
          listing: {nature: negative, repair: {after_months: 12, conditions: {zh: 改正, en: corrected}}}
        indicators:
          fines: {measure: {type: count, of: {kinds: [fine], within: {months: 6}}}, points: {type: per_unit, each: -12}}
          lists: {measure: {type: count, of: {kinds: [listing]}}, points: {type: per_unit, each: -1}}
        """,
        ("fine", "2026-03-01"),
        ("listing", "2026-05-01"),
    )
    assert found.reached(["repair:1"]).grade == "A"
    assert found.suggestion() is None


def test_what_is_worth_something_for_a_while_alone_is_found_in_a_long_list() -> None:
    fines = [("fine", f"2026-01-{day:02}") for day in range(1, 13)]
    found = short(
        """
        catalogue:
          fine: {nature: negative, repair: {after_months: 3, conditions: {zh: 改正, en: corrected}}}
          slow: {nature: negative, repair: {after_months: 24, conditions: {zh: 改正, en: corrected}}}
          award: {nature: positive}
        indicators:
          fines: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -0.1}}
          slows: {measure: {type: count, of: {kinds: [slow]}}, points: {type: per_unit, each: -0.1}}
          awards: {measure: {type: exists, of: {kinds: [award], within: {months: 6}}}, points: {type: per_unit, each: 5}}
        """,
        *fines,
        ("slow", "2026-05-01"),
        start=-14_700,
    )
    suggestion = found.suggestion()
    assert suggestion is not None
    assert (suggestion.reached.day, suggestion.reached.grade) == (TOMORROW, "A")
    assert "repair:12" not in [item.id for item in suggestion.reached.actions]


def test_nothing_is_done_in_the_past_or_to_what_is_settled() -> None:
    found = improvement(("fine", "2026-01-01"), ("fine", "2026-05-01"))
    later = Improvement(found.outlook, today=date(2026, 11, 1), settled={0})
    assert {item.id: item.day for item in later.actions} == {"repair:1": date(2026, 11, 2), "earn:award": date(2026, 11, 2)}
    assert later.reached([]).day == date(2026, 11, 2)


def _is_enough_and_lean(found: Improvement, reached: Reached) -> None:
    rank = BOOK.grade_rank
    now = rank[found.outlook.at(DAY).grade]

    def is_enough(some: Reached) -> bool:
        return rank[some.grade] < now and rank[some.grade] < rank[some.grade_without]

    assert is_enough(reached)
    for fewer in combinations(reached.actions, len(reached.actions) - 1):
        assert not fewer or not is_enough(found.reached(item.id for item in fewer))


kinds = st.sampled_from(["fine", "warning", "listing"])
days = st.dates(date(2024, 1, 1), DAY).map(date.isoformat)


@given(st.lists(st.tuples(kinds, days), max_size=14), st.integers(-30, 5))
@examples(40)
def test_a_suggestion_is_enough_lean_and_the_engines_own(records: list[tuple[str, str]], start: int) -> None:
    found = improvement(*records, start=start)
    suggestion = found.suggestion()
    if suggestion is None:
        return
    _is_enough_and_lean(found, suggestion.reached)
    for item in _single(found.actions):
        plain = Interpreter(BOOK, Moment(item.day)).evaluate(found.outlook.facts)
        reached = found.reached([item.id])
        assert (reached.score_without, reached.grade_without) == (plain.score_milli, plain.grade)


def _single(actions: tuple[Action, ...]) -> Iterator[Action]:
    yield from actions[:3]


# --- what counts only together ------------------------------------------------------------------------------------------------

FLAGSHIP = {
    "two acts, of which one is refused enforcement": (
        [("refusal.enforcement", "2024-08-31"), ("refusal.enforcement", "2025-06-16"),
         ("customs.seizure", "2025-07-12"), ("customs.seizure", "2025-01-25")],
        2, TOMORROW,
    ),
    "two repairs that give nothing alone": (
        [("filing.malicious_trademark", "2026-04-17"), ("filing.malicious_trademark", "2025-04-21"), ("filing.malicious_trademark", "2025-02-22")],
        2, date(2026, 10, 17),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLAGSHIP)
def test_actions_that_help_only_together_are_found_under_the_flagship(name: str) -> None:
    records, size, day = FLAGSHIP[name]
    rows = tuple(
        {"record_no": number, "kind": kind, "decided_on": date.fromisoformat(on)}
        for number, (kind, on) in enumerate(records)
    )
    found = Improvement(
        Outlook(shipped("zhengzhou-ip"), Facts("x", {"trademarks_in_force": 1}, rows), Moment(DAY))
    ).suggestion()
    assert found is not None
    assert (len(found.reached.actions), found.reached.day, found.reached.grade, found.is_smallest) == (size, day, "B", True)


def test_any_two_of_three_that_must_go_are_found() -> None:
    book = rulebook_of(
        f"""
        catalogue: {{fine: {{nature: negative, {REPAIR}}}}}
        decisions: {{direct: {{many: {{when: {{measure: {{type: count, of: {{kinds: [fine]}}}}, at_least: 2}}, grade: D}}}}}}
        """
    )
    rows = tuple({"record_no": number, "kind": "fine", "decided_on": date(2026, 1, 1)} for number in range(3))
    found = Improvement(Outlook(book, Facts("x", {}, rows), Moment(DAY)))
    assert [item.id for item in found.actions] == ["repair:0", "repair:1", "repair:2"]
    suggestion = found.suggestion()
    assert suggestion is not None
    assert (len(suggestion.reached.actions), suggestion.reached.day) == (2, TOMORROW)


def test_of_equal_choices_the_one_with_less_risk_is_suggested() -> None:
    book = rulebook_of(
        f"""
        direction: higher_riskier
        catalogue:
          fine: {{nature: negative, {REPAIR}}}
          big: {{nature: negative, {REPAIR}}}
        indicators:
          fines: {{measure: {{type: count, of: {{kinds: [fine]}}}}, points: {{type: per_unit, each: 25}}}}
          bigs: {{measure: {{type: count, of: {{kinds: [big]}}}}, points: {{type: per_unit, each: 60}}}}
        score: {{start: {{otherwise: 0}}}}
        ladder: {{A: {{below: 10}}, B: {{below: 70}}, C: {{}}}}
        """
    )
    rows = tuple(
        {"record_no": number, "kind": kind, "decided_on": date(2026, 1, 1)} for number, kind in enumerate(["fine", "big"])
    )
    found = Improvement(Outlook(book, Facts("x", {}, rows), Moment(DAY))).suggestion()
    assert found is not None
    assert [item.id for item in found.reached.actions] == ["repair:1"]
