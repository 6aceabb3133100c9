"""The rules as articles: nothing of the rulebook is missing, and every change shows where it belongs."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from shipped import shipped
from zhixin.explanation.articles import Article, ArticleChange, articles, chinese_number, differences
from zhixin.explanation.wording import Wording
from zhixin.law.loading import shipped_rulebooks
from zhixin.law.rulebook import Rulebook

NAMES = sorted(file.parent.name for file in shipped_rulebooks().glob("*/rulebook.yaml"))
LANGUAGES = ("zh", "en")
BOTH = pytest.mark.parametrize("language", LANGUAGES)
Dump = dict[str, Any]


@cache
def loaded(name: str) -> Rulebook:
    return shipped(name)


FLAGSHIP = loaded("zhengzhou-ip")


@cache
def _written(name: str, language: str) -> dict[str, Article]:
    return {item.key: item for item in articles(loaded(name), language)}


def lines_of(key: str, language: str) -> str:
    """The paragraphs of one article of the flagship."""
    return "\n".join(_written("zhengzhou-ip", language)[key].lines)


def changed(change: Callable[[Dump], Any], rulebook: Rulebook = FLAGSHIP) -> Rulebook:
    """A rulebook with one change in its dump."""
    dump = copy.deepcopy(rulebook.dump())
    change(dump)
    return Rulebook.model_validate(dump)


def touched(old: Rulebook, new: Rulebook, language: str = "zh") -> dict[str, ArticleChange]:
    return {item.key: item for item in differences(old, new, language)}


# --- nothing is missing -------------------------------------------------------------------------------------------


@BOTH
def test_every_indicator_stands_in_the_article_of_its_dimension_with_its_rule_and_source(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    assert FLAGSHIP.indicators
    for item in FLAGSHIP.indicators:
        lines = _written("zhengzhou-ip", language)[f"dimension.{item.dimension}"].lines
        own = [line for line in lines if line.startswith(words.text(item.title)) and words.indicator(item) in line]
        assert len(own) == 1, item.id
        assert words.basis(item.basis) in own[0], item.id


@BOTH
def test_every_kind_of_the_catalogue_stands_in_it_with_its_terms(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    lines = _written("zhengzhou-ip", language)["collection.catalogue"].lines
    assert len(lines) == len(FLAGSHIP.catalogue)
    for item, line in zip(FLAGSHIP.catalogue, lines, strict=True):
        assert line.startswith(words.text(item.title)), item.id
        assert item.evidence is None or words.text(item.evidence) in line, item.id
        if item.publicity is not None:
            assert words.number(item.publicity.min_months) in line, item.id
            assert words.number(item.publicity.max_months) in line, item.id
        if item.repair is not None:
            assert words.number(item.repair.after_months) in line, item.id
            assert words.text(item.repair.conditions) in line, item.id


@BOTH
def test_every_source_and_class_is_named(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    for item in FLAGSHIP.sources:
        assert words.text(item.title) in lines_of("collection.sources", language), item.id
        assert words.text(item.owner) in lines_of("collection.sources", language), item.id
    for one in FLAGSHIP.classes:
        assert words.text(one.title) in lines_of("general.classes", language), one.id
        assert words.condition(one.when) in lines_of("general.classes", language), one.id


@BOTH
def test_every_grade_is_told_with_its_letter_and_its_cut(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    lines = _written("zhengzhou-ip", language)["ladder"].lines
    assert len(lines) == len(FLAGSHIP.ladder) + len(FLAGSHIP.side_grades)
    for grade, line in zip((*FLAGSHIP.ladder, *FLAGSHIP.side_grades), lines, strict=True):
        assert words.text(grade.title) in line, grade.id
        assert grade.id in line, f"{grade.id} is used by the rules, but its article does not say which grade it is: {line}"
    for grade in FLAGSHIP.ladder:
        assert grade.side is None or words.bounds(grade) in lines_of("ladder", language), grade.id


@BOTH
def test_every_decision_is_told_with_condition_consequence_and_source(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    count = 0
    for part in ("exclude", "direct", "side", "caps", "shifts"):
        for rule in getattr(FLAGSHIP.decisions, part):
            text = lines_of(f"decisions.{part}", language)
            line = next(line for line in text.splitlines() if line.startswith(words.text(rule.title)))
            assert words.condition(rule.when) in line, rule.id
            assert words.basis(rule.basis) in line, rule.id
            if part == "shifts":
                assert words.shift(rule.steps) in line, rule.id
            else:
                assert (rule.not_above if part == "caps" else rule.grade) in line, rule.id
            count += 1
    assert count > 5


@BOTH
def test_every_measure_stands_under_each_of_its_grades(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    for rule in FLAGSHIP.measures:
        for grade in rule.grades:
            assert words.measure_rule(rule) in lines_of(f"measures.{grade}", language), (rule.id, grade)
            assert words.basis(rule.basis) in lines_of(f"measures.{grade}", language), (rule.id, grade)


@BOTH
def test_start_and_steps_of_the_score_are_told_in_order(language: str) -> None:
    words = Wording(FLAGSHIP, language)
    lines = list(_written("zhengzhou-ip", language)["score"].lines)
    assert lines[-len(FLAGSHIP.steps) :] == [words.step(item) for item in FLAGSHIP.steps]
    assert lines[-len(FLAGSHIP.steps) - 1].endswith(words.number(FLAGSHIP.score.start.otherwise))


@pytest.mark.parametrize("name", NAMES)
@BOTH
def test_every_shipped_rulebook_is_told_in_articles_that_say_something(name: str, language: str) -> None:
    found = articles(loaded(name), language)
    assert [item.number for item in found] == list(range(1, len(found) + 1))
    for item in found:
        assert item.title.strip(), item.key
        assert item.lines, item.key
        assert all(line.strip() for line in item.lines), item.key
        assert not [line for line in item.lines if '{"' in line or "None" in line], item.key
        assert not [line for line in item.lines if re.search(r"(依据：|Basis: ?)$", line)], f"{item.key} names no source"
    assert loaded(name).sha256 in found[-1].lines[-1]


@pytest.mark.parametrize("name", NAMES)
def test_english_articles_have_no_chinese_punctuation_but_in_cited_articles(name: str) -> None:
    rulebook = loaded(name)
    cited = sorted(set(re.findall(r"'article': '([^']+)'", str(rulebook.dump()))), key=len, reverse=True)
    for item in articles(rulebook, "en"):
        for line in (item.chapter, item.title, *item.lines):
            for text in cited:
                line = line.replace(text, "")
            assert not re.search("[，。；：（）、《》“”]", line), f"{item.key}: {line}"


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_unique_and_the_same_in_both_languages(name: str) -> None:
    keys = [item.key for item in articles(loaded(name), "zh")]
    assert len(set(keys)) == len(keys)
    assert keys == [item.key for item in articles(loaded(name), "en")]


def test_keys_name_the_part_of_the_rulebook_and_not_the_number_of_the_article() -> None:
    keys = [item.key for item in articles(FLAGSHIP, "zh")]
    assert {f"dimension.{item.id}" for item in FLAGSHIP.dimensions} < set(keys)
    assert {"score", "ladder", "collection.catalogue", "decisions.direct", "rights", "final"} < set(keys)
    without = changed(lambda dump: dump.pop("classes"), changed(_without_classes))
    left = [item.key for item in articles(without, "zh")]
    assert left == [key for key in keys if key in left]
    assert "general.classes" not in left
    numbers = {item.key: item.number for item in articles(without, "zh")}
    before = {item.key: item.number for item in articles(FLAGSHIP, "zh")}
    assert numbers["ladder"] == before["ladder"] - 1, "numbers move, keys stay"


def _without_classes(dump: Dump) -> None:
    for part in (*dump["indicators"], *dump["measures"]):
        for name in ("applies_to", "except_for", "classes"):
            part.pop(name, None)
    dump["decisions"]["exclude"] = [rule for rule in dump["decisions"]["exclude"] if rule["id"] != "out_of_scope"]


# --- differences --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@BOTH
def test_a_rulebook_does_not_differ_from_itself(name: str, language: str) -> None:
    assert differences(loaded(name), loaded(name), language) == []


def homes(path: tuple[Any, ...], dump: Dump) -> set[str]:
    """The articles in which a part of the flagship stands."""
    match path:
        case ("indicators", place, *_):
            return {f"dimension.{dump['indicators'][place]['dimension']}"}
        case ("dimensions", place, *_):
            return {f"dimension.{dump['dimensions'][place]['id']}"}
        case ("decisions", part, *_):
            return {f"decisions.{part}"}
        case ("measure_catalogue", place, *_):
            code = dump["measure_catalogue"][place]["code"]
            return {f"measures.{grade}" for rule in dump["measures"] if rule["measure"] == code for grade in rule["grades"]}
        case ("measures", place, *_):
            return {f"measures.{grade}" for grade in dump["measures"][place]["grades"]}
    return {
        "catalogue": {"collection.catalogue"},
        "terms": {"collection.terms"},
        "deadlines": {"deadlines"},
        "sources": {"collection.sources"},
        "classes": {"general.classes"},
        "cycle": {"general.cycle"},
        "score": {"score"},
        "ladder": {"ladder"},
    }[str(path[0])]


SILENT = {"title", "basis", "id", "effective", "documents", "note", "attributes"}


def altered(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Callable[[Dump], None]]]:
    """Every number and every date of a dated value in a dump, with a change of just that one."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        if key in SILENT:
            continue
        here = (*path, key)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(key)):
            yield (*here, "date"), lambda dump, path=path, key=key: _move(_reach(dump, path), key)
        if isinstance(item, int) and not isinstance(item, bool):
            yield here, lambda dump, path=path, key=key: _reach(dump, path).__setitem__(key, _reach(dump, path)[key] + 2)
        elif isinstance(item, str) and re.fullmatch(r"-?\d+\.\d+", item):
            yield here, lambda dump, path=path, key=key: _reach(dump, path).__setitem__(key, _more(_reach(dump, path)[key]))
        elif isinstance(item, dict | list):
            yield from altered(item, here)


def _more(text: str) -> str:
    return str(Decimal(text) + Decimal("0.005"))


def _move(owner: Dump, key: str) -> None:
    owner[(date.fromisoformat(key) + timedelta(days=3)).isoformat()] = owner.pop(key)


def _reach(dump: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        dump = dump[step]
    return dump


def shape(path: tuple[Any, ...]) -> str:
    """A path without places and dates: one case for all numbers of one sort."""
    words = ["on" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(part)) else str(part) for part in path if isinstance(part, str)]
    return ".".join(words)


SORTS: dict[str, list[tuple[tuple[Any, ...], Callable[[Dump], None]]]] = {}
for _path, _change in altered(FLAGSHIP.dump()):
    SORTS.setdefault(shape(_path), []).append((_path, _change))


@pytest.mark.parametrize("sort", SORTS)
def test_a_changed_number_changes_the_article_it_stands_in_and_the_one_with_the_hash(sort: str) -> None:
    dump = FLAGSHIP.dump()
    for path, change in SORTS[sort][:12]:
        new = changed(change)
        found = touched(FLAGSHIP, new)
        assert set(found) == {*homes(path, dump), "final"}, path
        assert {item.kind for item in found.values()} == {"changed"}, path
        for key in homes(path, dump):
            assert [mark for mark, _line in found[key].lines] == ["-", "+"], (path, key)
        assert FLAGSHIP.sha256 in str(found["final"].lines)
        assert new.sha256 in str(found["final"].lines)


def test_many_sorts_of_numbers_are_looked_at() -> None:
    assert len(SORTS) > 40


CHANGES: dict[str, tuple[Callable[[Dump], Any], str]] = {
    "the title of an indicator": (lambda d: d["indicators"][0]["title"].update(zh="另一名称"), "dimension."),
    "the title of a grade": (lambda d: d["ladder"][0]["title"].update(zh="另一名称"), "ladder"),
    "the source of an indicator": (lambda d: d["indicators"][0].update(basis=[{"document": "samr_44", "verified": False}]), "dimension."),
    "the day an indicator begins": (lambda d: d["indicators"][0].update(effective={"from": "2027-01-01"}), "dimension."),
    "the day an indicator ends": (lambda d: d["indicators"][0].update(effective={"until": "2027-01-01"}), "dimension."),
    "the day a direct grade begins": (lambda d: d["decisions"]["direct"][0].update(effective={"from": "2027-01-01"}), "decisions.direct"),
    "the day a measure begins": (lambda d: d["measures"][0].update(effective={"from": "2027-01-01"}), "measures."),
    "the day a kind is collected from": (lambda d: d["catalogue"][0].update(effective={"from": "2027-01-01"}), "collection.catalogue"),
    "whom a direct grade concerns": (lambda d: d["decisions"]["direct"][0].update(applies_to=["ip_agency"]), "decisions.direct"),
    "whom a cap concerns": (lambda d: d["decisions"]["caps"][0].update(applies_to=["ip_agency"]), "decisions.caps"),
    "whom a shift concerns": (lambda d: d["decisions"]["shifts"][0].update(applies_to=["ip_agency"]), "decisions.shifts"),
    "which direct grade goes first": (lambda d: d["decisions"].update(direct_order="first"), "decisions.direct"),
    "whether shifts add up": (lambda d: d["decisions"].update(shift_order="all"), "decisions.shifts"),
    "the grade that a listing brings": (lambda d: d["decisions"]["direct"][0].update(grade="C"), "decisions.direct"),
    "how a dimension combines": (lambda d: d["dimensions"][0].update(combine="maximum"), "dimension."),
    "where a dimension starts": (lambda d: d["dimensions"][0].update(start=5), "dimension."),
    "the limit of a dimension": (lambda d: d["dimensions"][0].update(limits={"at_most": 99}), "dimension."),
    "the class of a kind": (lambda d: _kind(d, "severity").update(severity="minor"), "collection.catalogue"),
    "the nature of a kind": (lambda d: d["catalogue"][0].update(nature="neutral"), "collection.catalogue"),
    "the source of a kind": (lambda d: d["catalogue"][0].update(source="customs"), "collection.catalogue"),
    "how long a kind is kept": (lambda d: d["catalogue"][0].update(retention_years=5), "collection.catalogue"),
    "measures of repair": (lambda d: _kind(d, "repair")["repair"].update(required_measures=["训练"]), "collection.catalogue"),
    "the cycle": (lambda d: d["cycle"].update(every="quarter"), "general.cycle"),
    "the day of the cycle": (lambda d: d["cycle"].update(snapshot_day=15), "general.cycle"),
    "the month of the cycle": (lambda d: d["cycle"].update(every="year", snapshot_month=4), "general.cycle"),
    "what calls for a new evaluation": (lambda d: d["cycle"].update(event_driven=["list.serious"]), "general.cycle"),
    "who may see the score": (lambda d: d["visibility"].update(score="internal"), "general.visibility"),
    "how often a source delivers": (lambda d: d["sources"][0].update(cadence="year"), "collection.sources"),
    "whom a measure concerns": (lambda d: d["measures"][0].update(classes=["ip_agency"]), "measures."),
    "where a measure is used": (lambda d: d["measures"][0].update(scenario="procurement"), "measures."),
    "which measure it is": (lambda d: d["measures"][0].update(measure=d["measure_catalogue"][-1]["code"]), "measures."),
    "the nature of a measure": (lambda d: _used(d).update(nature=_another(_used(d)["nature"])), "measures."),
    "the day of entry into force": (lambda d: d["effective"].update({"from": "2027-01-01"}), "final"),
    "the band of an officer's answer": (lambda d: next(a for a in d["attributes"] if "maximum" in a).update(maximum=9), ""),
    "the grade of the held": (lambda d: d.update(held_grade="C"), ""),
}  # fmt: skip
"""Changes that are no numbers: what is changed, and the beginning of the key of the article that must say so."""


def _kind(dump: Dump, part: str) -> Dump:
    found: Dump = next(item for item in dump["catalogue"] if item.get(part) not in (None, "minor"))
    return found


def _used(dump: Dump) -> Dump:
    found: Dump = next(item for item in dump["measure_catalogue"] if item["code"] == dump["measures"][0]["measure"])
    return found


def _another(nature: str) -> str:
    return "restriction" if nature == "incentive" else "incentive"


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_in_the_rules_shows_in_an_article(name: str) -> None:
    change, key = CHANGES[name]
    new = changed(change)
    assert new.sha256 != FLAGSHIP.sha256
    for language in LANGUAGES if "title" not in name else ("zh",):
        found = touched(FLAGSHIP, new, language)
        shown = {item for item in found if item.startswith(key)} - (set() if key == "final" else {"final"})
        assert shown, f"{name} shows in {sorted(found)} only"


def _new_indicator(dump: Dump) -> None:
    added = copy.deepcopy(dump["indicators"][0])
    added |= {"id": "a_new_one", "title": {"zh": "全新的指标", "en": "a brand-new indicator"}}
    dump["indicators"].append(added)


@pytest.mark.parametrize(("language", "title"), [("zh", "全新的指标"), ("en", "a brand-new indicator")])
def test_an_added_indicator_is_said_to_be_added(language: str, title: str) -> None:
    new = changed(_new_indicator)
    found = touched(FLAGSHIP, new, language)
    key = f"dimension.{FLAGSHIP.indicators[0].dimension}"
    assert set(found) == {key, "final"}
    assert [(mark, line.startswith(title)) for mark, line in found[key].lines] == [("+", True)]


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_removed_indicator_is_said_to_be_removed(place: int) -> None:
    gone = FLAGSHIP.indicators[place]
    found = touched(FLAGSHIP, changed(lambda dump: dump["indicators"].pop(place)))
    assert set(found) == {f"dimension.{gone.dimension}", "final"}
    assert [(mark, line.startswith(gone.title.zh)) for mark, line in found[f"dimension.{gone.dimension}"].lines] == [
        ("-", True)
    ]


def _new_dimension(dump: Dump) -> None:
    dump["dimensions"].append({"id": "a_new_one", "title": {"zh": "全新的维度", "en": "a brand-new dimension"}})
    _new_indicator(dump)
    dump["indicators"][-1]["dimension"] = "a_new_one"


def test_a_whole_new_article_is_added_and_the_other_way_round_removed() -> None:
    new = changed(_new_dimension)
    there, back = touched(FLAGSHIP, new), touched(new, FLAGSHIP)
    assert (there["dimension.a_new_one"].kind, back["dimension.a_new_one"].kind) == ("added", "removed")
    assert {mark for mark, _ in there["dimension.a_new_one"].lines} == {"+"}
    assert {mark for mark, _ in back["dimension.a_new_one"].lines} == {"-"}
    assert list(back)[-1] == "dimension.a_new_one", "what is removed comes last"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "zhengzhou-ip"])
def test_the_differences_of_two_rulebooks_lead_from_one_to_the_other(name: str) -> None:
    """What is marked with a minus stood in the one, what is marked with a plus stands in the other, and nothing else."""
    other = loaded(name)
    before, after = _written("zhengzhou-ip", "zh"), _written(name, "zh")
    for item in differences(FLAGSHIP, other, "zh"):
        old = list(before[item.key].lines) if item.key in before else []
        new = list(after[item.key].lines) if item.key in after else []
        minus = [line for mark, line in item.lines if mark == "-"]
        plus = [line for mark, line in item.lines if mark == "+"]
        for line in minus:
            old.remove(line)
        for line in plus:
            new.remove(line)
        assert old == new, item.key
        assert minus or plus, item.key


# --- numerals -----------------------------------------------------------------------------------------------------


def read_chinese(text: str) -> int:
    """The number behind a numeral, read by the rules of writing and not by those of the code."""
    digits = {mark: value for value, mark in enumerate("零一二三四五六七八九")}
    if "十" not in text:
        return digits[text]
    tens, _, ones = text.partition("十")
    return (digits[tens] if tens else 1) * 10 + (digits[ones] if ones else 0)


def test_numerals_from_one_to_ninety_nine_are_told_apart_and_read_back() -> None:
    numerals = [chinese_number(number) for number in range(1, 100)]
    assert len(set(numerals)) == 99
    assert [read_chinese(text) for text in numerals] == list(range(1, 100))
    assert not [text for text in numerals if "零" in text or text.startswith("一十")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"),
        (9, "九"),
        (10, "十"),
        (11, "十一"),
        (19, "十九"),
        (20, "二十"),
        (21, "二十一"),
        (30, "三十"),
        (99, "九十九"),
    ],
)
def test_numerals_are_written_as_articles_count(number: int, text: str) -> None:
    assert chinese_number(number) == text
    assert Article("key", number, "", "", ()).numeral == f"第{text}条"
