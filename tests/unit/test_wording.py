"""A rulebook in words: nothing is left out, nothing is said twice alike, in Chinese and in English."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from shipped import shipped
from strategies import one_indicator, rulebooks
from zhixin.explanation.wording import Wording
from zhixin.law.conditions import Compare
from zhixin.law.filters import RecordFilter, Window
from zhixin.law.loading import shipped_rulebooks
from zhixin.law.measures import AppendedTerm, Exists
from zhixin.law.nodes import Dated, DatedValue, Node, plain
from zhixin.law.points import PerUnit, Tier
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Discretion, Inspect, ShiftRule

NAMES = sorted(file.parent.name for file in shipped_rulebooks().glob("*/rulebook.yaml"))
LANGUAGES = ("zh", "en")
EVERY = pytest.mark.parametrize("name", NAMES)
BOTH = pytest.mark.parametrize("language", LANGUAGES)
CHINESE_MARKS = re.compile("[，。；：？！（）、《》〈〉【】“”‘’「」…—]")
CHINESE = re.compile("[\u4e00-\u9fff]")
SILENT = {"title", "basis", "advice", "effect", "id", "effective", "measure_no"}
"""Parts of a rule that are words, names or sources themselves, or are told apart from its sentence."""


@cache
def loaded(name: str) -> Rulebook:
    return shipped(name)


@dataclass(frozen=True)
class Said:
    """One rule of a rulebook and how it is put into words."""

    where: str
    node: Any
    tell: Callable[[Wording, Any], str]

    def words(self, rulebook: Rulebook, language: str, node: Any = None) -> str:
        return self.tell(Wording(rulebook, language), self.node if node is None else node)


def said(rulebook: Rulebook) -> Iterator[Said]:
    """Every indicator, class, step of the score, grade, decision and measure."""
    for indicator in rulebook.indicators:
        yield Said(f"indicator {indicator.id}", indicator, Wording.indicator)
    for item in rulebook.classes:
        yield Said(f"class {item.id}", item, lambda words, node: words.condition(node.when))
    for number, step in enumerate(rulebook.steps):
        yield Said(f"step {number}", step, Wording.step)
    for grade in rulebook.ladder:
        yield Said(f"grade {grade.id}", grade, Wording.grade)
    for part in ("exclude", "direct", "side", "caps"):
        for rule in getattr(rulebook.decisions, part):
            yield Said(f"{part} {rule.id}", rule, lambda words, node: words.condition(node.when))
    for rule in rulebook.decisions.shifts:
        yield Said(f"shift {rule.id}", rule, lambda words, node: f"{words.condition(node.when)} {words.shift(node.steps)}")
    for measure in rulebook.measures:
        yield Said(f"measure {measure.id}", measure, Wording.measure_rule)


# --- everything has words -----------------------------------------------------------------------------------------


@EVERY
@BOTH
def test_every_rule_has_words_of_its_own(name: str, language: str) -> None:
    rules = list(said(loaded(name)))
    assert rules
    for rule in rules:
        words = rule.words(loaded(name), language)
        assert len(words.strip()) > 1, rule.where
        assert '{"' not in words, f"{rule.where} falls back on JSON: {words}"
        assert "None" not in words, f"{rule.where}: {words}"
        assert "  " not in words, f"{rule.where} has a gap: {words}"


@EVERY
@BOTH
def test_the_fallback_on_json_is_never_asked_for(name: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Wording, "raw", lambda _self, node: asked.append(node) or "")
    for rule in said(loaded(name)):
        rule.words(loaded(name), language)
    assert asked == []


def test_a_node_without_words_is_written_as_the_machine_reads_it() -> None:
    window = Window(days=Decimal(30))
    assert Wording(loaded("zhengzhou-ip"), "zh").condition(window) == '{"days": 30}'


@EVERY
@BOTH
def test_every_rule_names_what_it_counts(name: str, language: str) -> None:
    """The title of each record kind, attribute and class that a rule uses stands in its words."""
    rulebook = loaded(name)
    words = Wording(rulebook, language)
    for rule in said(rulebook):
        told = rule.words(rulebook, language)
        for node in nodes(rule.node):
            if isinstance(node, RecordFilter):
                for kind in rulebook.kinds_matching(node.kinds):
                    assert words.text(words.titles[kind]) in told, f"{rule.where} does not name {kind}"
            if node.__class__.__name__ == "Attribute":
                assert words.attribute(node.id) in told, f"{rule.where} does not name {node.id}"
        for item in (*getattr(rule.node, "applies_to", ()), *getattr(rule.node, "except_for", ())):
            if rule.where.startswith("indicator"):
                assert words.text(words.classes[item]) in told, f"{rule.where} does not name {item}"


@EVERY
def test_english_has_no_chinese_punctuation_and_no_chinese(name: str) -> None:
    for rule in said(loaded(name)):
        words = rule.words(loaded(name), "en")
        assert not CHINESE_MARKS.search(words), f"{rule.where}: {words}"
        assert not CHINESE.search(words), f"{rule.where}: {words}"


@EVERY
def test_english_sources_have_no_chinese_punctuation_but_in_the_cited_article(name: str) -> None:
    words = Wording(loaded(name), "en")
    for rule in said(loaded(name)):
        for item in getattr(rule.node, "basis", ()):
            told = words.basis((item,)).replace(item.article or "\0", "")
            assert told.strip(), rule.where
            assert not CHINESE_MARKS.search(told), f"{rule.where}: {told}"


@EVERY
def test_what_was_not_checked_word_for_word_is_said_to_be_so(name: str) -> None:
    items = [item for rule in said(loaded(name)) for item in getattr(rule.node, "basis", ())]
    for language, mark in (("zh", "未核对"), ("en", "not verified")):
        for item in items:
            assert (mark in Wording(loaded(name), language).basis((item,))) is not item.verified, item


# --- every number is said -----------------------------------------------------------------------------------------


def nodes(value: Any) -> Iterator[Node]:
    """Every node of a rule, without its sources."""
    if isinstance(value, Node):
        yield value
        for name in type(value).model_fields:
            if name not in SILENT:
                yield from nodes(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from nodes(item)


def implied(node: Node, name: str, value: Any) -> bool:
    """Numbers that are said by a word: there is one, all is given back, from the first unit on, now."""
    match node, name:
        case (Compare(measure=Exists() | AppendedTerm()), "at_least") | (Tier(), "give_back"):
            return bool(value == 1)
        case (PerUnit(), "free") | (Window(), "back") | (RecordFilter(), "effective_after_days"):
            return bool(value == 0)
    return False


def numbers(value: Any) -> Iterator[str]:
    """Every number of a rule as it ought to be written."""
    for node in nodes(value):
        for name in type(node).model_fields:
            item = getattr(node, name)
            if name in SILENT or implied(node, name, item) or isinstance(node, Dated | DatedValue):
                continue
            parts = item.values() if isinstance(item, dict) else (item,)
            for part in parts:
                for number in values_of(part):
                    yield written(node, name, number)


def values_of(part: Any) -> list[Decimal | int]:
    if isinstance(part, Dated):
        return [entry.value for entry in part.values.values() if entry.value is not None]
    return [part] if isinstance(part, Decimal | int) and not isinstance(part, bool) else []


def written(node: Node, name: str, number: Decimal | int) -> str:
    if isinstance(node, Inspect) and name == "ratio":
        return f"{plain(Decimal(number) * 100)}%"
    if isinstance(node, ShiftRule) and name == "steps":
        return str(abs(number))
    return str(plain(Decimal(number)))


def found(words: str, rulebook: Rulebook, language: str) -> Counter[str]:
    """Numbers in words, without those of titles, codes and dates."""
    telling = Wording(rulebook, language)
    titles = [
        item.title for part in ("catalogue", "attributes", "classes", "dimensions") for item in getattr(rulebook, part)
    ]
    titles += [item.title for part in ("measure_catalogue", "ladder") for item in getattr(rulebook, part)]
    titles += [field.title for field in rulebook.record_fields.values() if field.title is not None]
    effects = [rule.effect for rule in rulebook.measures if rule.effect is not None]
    for title in sorted((telling.text(item) for item in [*titles, *effects]), key=len, reverse=True):
        words = words.replace(title, " ")
    words = re.sub(r"\d{4}-\d{2}-\d{2}", " ", words)
    return Counter(re.findall(r"-?\d+(?:\.\d+)?%?", words))


@EVERY
@BOTH
def test_every_number_of_a_rule_stands_in_its_words(name: str, language: str) -> None:
    rulebook = loaded(name)
    count = 0
    for rule in said(rulebook):
        expected = Counter(numbers(rule.node))
        words = rule.words(rulebook, language)
        missing = expected - found(words, rulebook, language)
        assert not missing, f"{rule.where} does not say {dict(missing)}: {words}"
        count += expected.total()
    assert count


@EVERY
@BOTH
def test_dated_values_name_each_of_their_dates(name: str, language: str) -> None:
    rulebook = loaded(name)
    for rule in said(rulebook):
        words = rule.words(rulebook, language)
        for node in nodes(rule.node):
            if isinstance(node, Dated):
                for start, item in node.values.items():
                    assert start.isoformat() in words, f"{rule.where}: {words}"
                    assert item.value is not None or ("废止" if language == "zh" else "repealed") in words, rule.where


def test_some_shipped_rules_have_dated_values_and_repeals() -> None:
    """So that the test above has something to look at."""
    dated = [node for rule in said(loaded("tax-credit")) for node in nodes(rule.node) if isinstance(node, Dated)]
    assert len(dated) > 10
    assert any(item.value is None for node in dated for item in node.values.values())


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (Decimal("3"), "3", "3"),
        (Decimal("-2.50"), "-2.5", "-2.5"),
        (Decimal("0.001"), "0.001", "0.001"),
        (Decimal("100000"), "100000", "100000"),
        (None, "无", "none"),
    ],
)
def test_a_number_is_written_in_its_shortest_digits(value: Decimal | None, zh: str, en: str) -> None:
    rulebook = loaded("zhengzhou-ip")
    assert [Wording(rulebook, language).number(value) for language in LANGUAGES] == [zh, en]


def test_a_dated_number_is_told_in_the_order_of_its_dates() -> None:
    value = Dated.model_validate(
        {
            "values": {
                date(2026, 4, 1): {"value": None, "document": "law", "verified": True},
                date(2021, 9, 1): {"value": "0.5", "document": "law", "verified": True},
            }
        }
    )
    rulebook = loaded("zhengzhou-ip")
    assert Wording(rulebook, "zh").number(value) == "（自 2021-09-01 起 0.5；自 2026-04-01 起 废止）"
    assert Wording(rulebook, "en").number(value) == "(0.5 from 2021-09-01; repealed from 2026-04-01)"
    assert Wording(rulebook, "zh").share(value) == "自 2021-09-01 起 50%；自 2026-04-01 起 废止"
    assert Wording(rulebook, "en").share(value) == "50% from 2021-09-01; repealed from 2026-04-01"


@pytest.mark.parametrize(("steps", "zh", "en"), [(2, "降 2 级", "2 down"), (-1, "升 1 级", "1 up")])
def test_a_shift_says_its_direction(steps: int, zh: str, en: str) -> None:
    rulebook = loaded("zhengzhou-ip")
    assert [Wording(rulebook, language).shift(steps) for language in LANGUAGES] == [zh, en]


def test_a_discretion_says_its_band_and_what_holds_without_an_answer() -> None:
    rule = next(item for name in NAMES for item in loaded(name).decisions.shifts if isinstance(item.steps, Discretion))
    assert isinstance(rule.steps, Discretion)
    owner = next(name for name in NAMES if rule in loaded(name).decisions.shifts)
    for language in LANGUAGES:
        words = Wording(loaded(owner), language).shift(rule.steps)
        for number in (rule.steps.at_least, rule.steps.at_most, rule.steps.otherwise):
            assert re.search(rf"(?<!\d){number}(?!\d)", words), words


# --- different rules have different words -------------------------------------------------------------------------


def altered(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Callable[[Any], None]]]:
    """Every number, yes/no and date of a dumped rule, with a change of just that one."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in SILENT:
                continue
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(key)):
                yield (*path, key, "date"), _at(path, lambda owner, key=key: _later(owner, key))
            if isinstance(item, bool):
                yield (*path, key), _at(path, lambda owner, key=key: owner.update({key: not owner[key]}))
            elif isinstance(item, int) or (isinstance(item, str) and re.fullmatch(r"-?\d+\.\d+", item)):
                yield (*path, key), _at(path, lambda owner, key=key: owner.update({key: _other(owner[key])}))
            else:
                yield from altered(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from altered(item, (*path, place))


def _other(number: Any) -> Any:
    return number + 7 if isinstance(number, int) else str(Decimal(number) + Decimal("0.007"))


def _later(owner: dict[str, Any], key: str) -> None:
    owner[(date.fromisoformat(key) + timedelta(days=11)).isoformat()] = owner.pop(key)


def _at(path: tuple[Any, ...], change: Callable[[Any], Any]) -> Callable[[Any], None]:
    def apply(whole: Any) -> None:
        for step in path:
            whole = whole[step]
        change(whole)

    return apply


SHORT = {"previous", "back", "verified"}
"""Counted back at most five; verified belongs to the source."""


@EVERY
@BOTH
def test_a_changed_number_date_or_yes_changes_the_words(name: str, language: str) -> None:
    """Every single one of every rule, one at a time."""
    rulebook = loaded(name)
    same = []
    for rule in said(rulebook):
        dumped = rule.node.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        before = rule.words(rulebook, language)
        for path, change in altered(dumped):
            if path[-1] in SHORT:
                continue
            other = copy.deepcopy(dumped)
            change(other)
            if rule.words(rulebook, language, type(rule.node).model_validate(other)) == before:
                same.append(f"{rule.where}: {'.'.join(map(str, path))}")
    assert same == []


PENALTY = {"kinds": ["penalty"]}
COUNT = {"type": "count", "of": PENALTY}
STAFF = {"type": "attribute", "id": "staff"}
TOTAL = {"type": "sum", "of": PENALTY, "field": "amount"}
ONCE = {"type": "per_unit", "each": 1}
BANDS = {"type": "steps", "side": "at_least", "bands": [{"from": 3, "points": 5}], "below": 0}
RELATED = {"type": "related", "relation": "controls", "aggregate": "sum", "measure": COUNT}
COMBINED = {"type": "combined", "how": "sum", "of": [STAFF, COUNT]}
MEAN = {"type": "mean", "of": PENALTY, "field": "amount"}
TERM = {"type": "appended_term", "of": PENALTY, "months": 6, "max_months": 36}
PER_RECORD = {"type": "per_record", "each": -5, "tiers": [{"corrected": {"days": 30}, "give_back": "0.5"}]}
MANY = {"measure": COUNT, "at_least": 3}
BIG = {"measure": STAFF, "above": 10}
FARM = {"attribute": "sector", "in": ["farm"]}
LAW = {"document": "law", "verified": True}
DATED = {"values": {date(2020, 1, 1): {"value": -5, **LAW}, date(2025, 7, 1): {"value": -3, **LAW}}}


def cases(when: dict[str, Any]) -> dict[str, Any]:
    return {"type": "cases", "cases": [{"when": when, "points": {"type": "once", "points": 2}}]}


PAIRS: dict[str, tuple[tuple[Any, Any], tuple[Any, Any]]] = {
    "severity": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"severities": ["minor"]}}, ONCE)),
    "which severity": (
        (COUNT | {"of": PENALTY | {"severities": ["serious"]}}, ONCE),
        (COUNT | {"of": PENALTY | {"severities": ["minor"]}}, ONCE),
    ),
    "window": (
        (COUNT | {"of": PENALTY | {"within": {"months": 12}}}, ONCE),
        (COUNT | {"of": PENALTY | {"within": {"days": 12}}}, ONCE),
    ),
    "calendar window": (
        (COUNT | {"of": PENALTY | {"within": {"months": 12}}}, ONCE),
        (COUNT | {"of": PENALTY | {"within": {"calendar_months": 12}}}, ONCE),
    ),
    "window of years and of evaluations": (
        (COUNT | {"of": PENALTY | {"within": {"calendar_years": 1}}}, ONCE),
        (COUNT | {"of": PENALTY | {"within": {"evaluations": 1}}}, ONCE),
    ),
    "window moved back": (
        (COUNT | {"of": PENALTY | {"within": {"calendar_years": 1}}}, ONCE),
        (COUNT | {"of": PENALTY | {"within": {"calendar_years": 1, "back": 1}}}, ONCE),
    ),
    "date that counts": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"on": "occurred_on"}}, ONCE)),
    "which date counts": (
        (COUNT | {"of": PENALTY | {"on": "published_on"}}, ONCE),
        (COUNT | {"of": PENALTY | {"on": "occurred_on"}}, ONCE),
    ),
    "only while valid": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"while_valid": True}}, ONCE)),
    "effective later": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"effective_after_days": 15}}, ONCE)),
    "first offences": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"unless": ["repaired", "revoked", "first_offence"]}}, ONCE)),
    "repaired count": ((COUNT, ONCE), (COUNT | {"of": PENALTY | {"unless": ["revoked"]}}, ONCE)),
    "revoked count": (
        (COUNT | {"of": PENALTY | {"unless": ["repaired"]}}, ONCE),
        (COUNT | {"of": PENALTY | {"unless": ["revoked"]}}, ONCE),
    ),
    "a test on a field": (
        (COUNT | {"of": PENALTY | {"where": [{"field": "quantity", "above": 2}]}}, ONCE),
        (COUNT | {"of": PENALTY | {"where": [{"field": "quantity", "at_least": 2}]}}, ONCE),
    ),
    "all or any of the tags": (
        (COUNT | {"of": PENALTY | {"where": [{"field": "tags", "has_all": ["t1", "t2"]}]}}, ONCE),
        (COUNT | {"of": PENALTY | {"where": [{"field": "tags", "has_any": ["t1", "t2"]}]}}, ONCE),
    ),
    "yes or no": (
        (COUNT | {"of": PENALTY | {"where": [{"field": "wilful", "is": True}]}}, ONCE),
        (COUNT | {"of": PENALTY | {"where": [{"field": "wilful", "is": False}]}}, ONCE),
    ),
    "counted once a day": ((COUNT, ONCE), (COUNT | {"distinct": ["day"]}, ONCE)),
    "counted by day or month": ((COUNT | {"distinct": ["month"]}, ONCE), (COUNT | {"distinct": ["day"]}, ONCE)),
    "field of a sum": ((TOTAL, ONCE), (TOTAL | {"field": "quantity"}, ONCE)),
    "smallest or largest": ((TOTAL | {"type": "minimum"}, ONCE), (TOTAL | {"type": "maximum"}, ONCE)),
    "mean, plain or weighted": ((MEAN, ONCE), (MEAN | {"weighted_by": "quantity"}, ONCE)),
    "weight of a mean": ((MEAN | {"weighted_by": "level"}, ONCE), (MEAN | {"weighted_by": "quantity"}, ONCE)),
    "a missing part skipped or counted": ((COMBINED, ONCE), (COMBINED | {"missing_as": 10}, ONCE)),
    "what a missing part counts as": ((COMBINED | {"missing_as": 3}, ONCE), (COMBINED | {"missing_as": 10}, ONCE)),
    "how parts combine": ((COMBINED, ONCE), (COMBINED | {"how": "maximum"}, ONCE)),
    "aggregate over related subjects": ((RELATED, ONCE), (RELATED | {"aggregate": "count"}, ONCE)),
    "direction of a relation": ((RELATED, ONCE), (RELATED | {"direction": "incoming"}, ONCE)),
    "relation": ((RELATED, ONCE), (RELATED | {"relation": "branch_of"}, ONCE)),
    "term of management": ((TERM, ONCE), (TERM | {"max_months": 24}, ONCE)),
    "days or years of age": (
        ({"type": "age", "id": "founded", "unit": "days"}, ONCE),
        ({"type": "age", "id": "founded", "unit": "years"}, ONCE),
    ),
    "divided the other way round": (
        ({"type": "ratio", "numerator": COUNT, "denominator": STAFF}, ONCE),
        ({"type": "ratio", "numerator": STAFF, "denominator": COUNT}, ONCE),
    ),
    "free units": ((COUNT, ONCE), (COUNT, ONCE | {"free": 2})),
    "side of a step": ((STAFF, BANDS), (STAFF, BANDS | {"side": "above"})),
    "below the first step": ((STAFF, BANDS), (STAFF, BANDS | {"below": -1})),
    "rounded before the steps": ((STAFF, BANDS), (STAFF, BANDS | {"round": True})),
    "share given back": ((COUNT, PER_RECORD), (COUNT, PER_RECORD | {"tiers": [{"corrected": {"days": 30}, "give_back": 1}]})),
    "points in proportion": (
        (COUNT, PER_RECORD | {"tiers": [{"each": -1}]}),
        (COUNT, PER_RECORD | {"tiers": [{"each": -1, "plus": {"each": -100, "of": "amount", "over": "due"}}]}),
    ),
    "once a month": ((COUNT, PER_RECORD), (COUNT, PER_RECORD | {"distinct": ["month"]})),
    "once a month or a year": ((COUNT, PER_RECORD | {"distinct": ["year"]}), (COUNT, PER_RECORD | {"distinct": ["month"]})),
    "other points or a share": ((COUNT, PER_RECORD), (COUNT, PER_RECORD | {"tiers": [{"corrected": {"days": 30}, "each": "0.5"}]})),
    "corrected from which day": (
        (COUNT, PER_RECORD),
        (COUNT, PER_RECORD | {"tiers": [{"corrected": {"days": 30, "of": "occurred_on"}, "give_back": "0.5"}]}),
    ),
    "days or months to correct": (
        (COUNT, PER_RECORD),
        (COUNT, PER_RECORD | {"tiers": [{"corrected": {"months": 30}, "give_back": "0.5"}]}),
    ),
    "corrected in the year or later": (
        (COUNT, PER_RECORD | {"tiers": [{"corrected": {"same_year": True}, "give_back": "0.5"}]}),
        (COUNT, PER_RECORD | {"tiers": [{"corrected": {"same_year": False}, "give_back": "0.5"}]}),
    ),
    "whose date chooses the value": (
        (COUNT, {"type": "per_record", "each": {**DATED, "counts_by": "fact"}}),
        (COUNT, {"type": "per_record", "each": {**DATED, "counts_by": "decision"}}),
    ),
    "all or any": ((STAFF, cases({"all": [MANY, BIG]})), (STAFF, cases({"any": [MANY, BIG]}))),
    "any within all, or all within any": (
        (STAFF, cases({"all": [{"any": [MANY, BIG]}, FARM]})),
        (STAFF, cases({"any": [MANY, {"all": [BIG, FARM]}]})),
    ),
    "how many of": (
        (STAFF, cases({"at_least_of": 1, "of": [MANY, BIG]})),
        (STAFF, cases({"at_least_of": 2, "of": [MANY, BIG]})),
    ),
    "how many of, and one more": (
        (STAFF, cases({"all": [{"at_least_of": 1, "of": [MANY, BIG]}, FARM]})),
        (STAFF, cases({"at_least_of": 1, "of": [MANY, {"all": [BIG, FARM]}]})),
    ),
    "not": ((STAFF, cases(MANY)), (STAFF, cases({"not": MANY}))),
    "a comparison where nothing is known": ((STAFF, cases(BIG)), (STAFF, cases(BIG | {"when_missing": True}))),
    "an attribute of which nothing is known": ((STAFF, cases(FARM)), (STAFF, cases(FARM | {"when_missing": True}))),
    "an attribute that is not so": (
        (STAFF, cases({"attribute": "exporting", "is": False})),
        (STAFF, cases({"attribute": "exporting", "is": False, "when_missing": True})),
    ),
    "there is one, and there is just one": (
        (STAFF, cases({"measure": COUNT, "at_least": 1})),
        (STAFF, cases({"measure": COUNT, "at_least": 1, "at_most": 1})),
    ),
    "category": ((STAFF, cases(FARM)), (STAFF, cases(FARM | {"in": ["shop"]}))),
    "earlier grade": (
        (STAFF, cases({"previous": 1, "grade_in": ["A"]})),
        (STAFF, cases({"previous": 2, "grade_in": ["A"]})),
    ),
}  # fmt: skip
"""Two rules each that differ in one thing, over the catalogue and the attributes of the drawn rulebooks."""


@BOTH
@pytest.mark.parametrize("name", PAIRS)
def test_rules_that_differ_in_one_thing_have_different_words(name: str, language: str) -> None:
    one, other = (one_indicator(*pair) for pair in PAIRS[name])
    assert one.sha256 != other.sha256
    told = [Wording(item, language).indicator(item.indicators[0]) for item in (one, other)]
    assert told[0] != told[1], told[0]


def _changed(rulebook: Rulebook, **update: Any) -> Any:
    return rulebook.indicators[0].model_copy(update=update)


@BOTH
def test_what_an_indicator_does_without_data_is_told(language: str) -> None:
    rulebook = one_indicator(STAFF, ONCE)
    words = Wording(rulebook, language)
    told = {words.indicator(_changed(rulebook, when_missing=way)) for way in ("no_points", "leave_out", "hold")}
    assert len(told) == 3


@BOTH
def test_the_limits_of_an_indicator_are_told(language: str) -> None:
    rulebook = one_indicator(STAFF, ONCE)
    words = Wording(rulebook, language)
    kind = type(rulebook.indicators[0].limits)
    told = [
        words.indicator(_changed(rulebook, limits=limits))
        for limits in (kind(), kind(at_most=Decimal(7)), kind(at_least=Decimal(7)), kind(at_least=Decimal(-7)))
    ]
    assert len(set(told)) == 4


# --- drawn rulebooks ----------------------------------------------------------------------------------------------


@settings(
    max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)  # fmt: skip
@given(rulebook=rulebooks())
def test_whatever_the_language_can_say_has_words(rulebook: Rulebook) -> None:
    for language in LANGUAGES:
        for rule in said(rulebook):
            words = rule.words(rulebook, language)
            assert words.strip(), rule.where
            assert '{"' not in words, f"{rule.where} falls back on JSON: {words}"
