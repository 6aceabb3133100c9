"""Every fault code: a broken rulebook, the line that is named, and words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import zhixin.law.loading
from zhixin.errors import Fault, RulebookError
from zhixin.law.loading import check_file, load_rulebook

title = {"zh": "规则的静态检查", "en": "Static checks"}

GOOD = """\
format: rulebook/1
id: checked
title: {zh: 规则, en: rules}
authority: {zh: 机关, en: authority}
document: 一号
status: in_force
effective: {from: 2020-01-01}
cycle: {every: month}
direction: higher_better
visibility: {grade: internal, score: internal}
documents:
  law: {title: {zh: 办法, en: measures}}
sources:
  - {id: city, title: {zh: 市, en: city}, owner: {zh: 市, en: city}, cadence: day, stale_after_days: 9, basis: &law [{document: law, verified: true}]}
catalogue:
  - id: fine
    title: {zh: 处罚, en: fine}
    nature: negative
    source: city
    evidence: {zh: 决定书, en: decision}
    fields: {amount: {type: money}, code: {type: category}}
    basis: *law
  - id: award
    title: {zh: 表彰, en: award}
    nature: positive
    source: city
    fields: {level: {type: integer}}
    basis: *law
attributes:
  - {id: staff, type: integer, title: {zh: 人数, en: staff}}
  - {id: sector, type: category, title: {zh: 行业, en: sector}, values: [farm, shop]}
  - {id: listed, type: boolean, title: {zh: 列入, en: listed}}
classes:
  - {id: farmer, title: {zh: 农业, en: farmer}, when: {attribute: sector, in: [farm]}}
dimensions:
  - {id: main, title: {zh: 主, en: main}}
indicators:
  - id: fines
    title: {zh: 处罚, en: fines}
    dimension: main
    measure: {type: count, of: {kinds: [fine]}}
    points: {type: per_unit, each: -5}
    when_missing: no_points
    basis: *law
  - id: staffed
    title: {zh: 人员, en: staff}
    dimension: main
    measure: {type: attribute, id: staff}
    points: {type: steps, side: at_least, below: 0, bands: [{from: 1, points: 1}, {from: 3, points: 2}]}
    when_missing: no_points
    basis: *law
score:
  start: {otherwise: 100}
  steps: [{add: [main]}]
ladder:
  - {id: A, title: {zh: 甲, en: A}, at_least: 90}
  - {id: B, title: {zh: 乙, en: B}, at_least: 60}
  - {id: D, title: {zh: 丁, en: D}}
side_grades:
  - {id: N, title: {zh: 不评, en: none}}
decisions:
  direct:
    - {id: listed, title: {zh: 列入, en: listed}, grade: D, when: {attribute: listed, is: true}, basis: *law}
  caps:
    - {id: farms, title: {zh: 农业, en: farms}, not_above: B, when: {class: farmer}, basis: *law}
measure_catalogue:
  - {code: check, title: {zh: 抽查, en: check}, nature: supervision, basis: *law}
measures:
  - {id: check_d, measure: check, grades: [D], scenario: inspection, inspect: {ratio: 0.3}, basis: *law}
"""
TWICE = "{values: {2026-01-01: {value: 1, document: law, verified: true}, 2020-01-01: {value: 2, document: law, verified: true}}}"
BY_FACT = "{values: {2020-01-01: {value: 2, document: law, verified: true}}, counts_by: fact}"
LATE = "{values: {2021-01-01: {value: 2, document: law, verified: true}}}"

TERMS = """\
terms:
  - id: general
    publicity: {{min_months: {least}, max_months: {most}}}
    basis: *law
"""
DEADLINES = """\
deadlines:
  - id: answer
    title: {{zh: 答复, en: answer}}
    term: {days}
    unit: working
    basis: *law
"""


SCORED = GOOD[GOOD.index("dimensions:") : GOOD.index("ladder:")]
EMPTY_MEAN = (
    SCORED.replace("en: main}}", "en: main}, weight: 1}")
    .replace("no_points", "leave_out")
    .replace("{add: [main]}", "{weighted_mean: [main]}")
)


# Code, what is written, what stands there instead, and how the line named begins: that of the item, or (empty) the line
# that ends in #!, or else the one that was broken.
ANSWERS = "kind: management, answers: [{{kinds: [{kind}], months: {one}, at_most_months: {most}, basis: *law}}]"

FAULTS = [
    ("R001", "cycle: {every: month}", "cycle: {every: month", "direction:"),
    ("R002", "document: 一号", "document: 一号\nstatus: draft\nstatus: draft  #!", ""),
    ("R002", "    nature: positive", "    nature: positive\n    nature: neutral  #!", ""),
    ("R003", "effective: {from: 2020-01-01}", "effective: {from: 2020-02-30}", ""),
    ("R006", "document: 一号", "document: 一号\nauthor: &a [*a]  #!", ""),
    ("R006", "document: 一号", "document: 一号\nauthor: " + "[" * 41 + "]" * 41 + "  #!", ""),
    ("R006", "start: {otherwise: 100}", "start: {otherwise: " + "9" * 31 + "}", ""),
    ("R010", "document: 一号", "document: 一号\nauthor: someone  #!", ""),
    ("R010", "cycle: {every: month}", "cycle: {every: month, often: true}", ""),
    ("R010", "    nature: positive", "    nature: positive\n    colour: red  #!", ""),
    ("R010", "    nature: negative", "    nature: negative\n    publicity: {min_months: 3, max_months: 6, days: 1}  #!", ""),
    ("R010", "{level: {type: integer}}", "{level: {type: integer, unit: kg}}", ""),
    ("R010", "title: {zh: 人数, en: staff}", "title: {zh: 人数, en: staff, fr: effectif}", ""),
    ("R010", "{type: count, of: {kinds: [fine]}}", "{type: count, of: {kinds: [fine], since: 2020}}", ""),
    ("R010", "{type: per_unit, each: -5}", "{type: per_unit, each: -5, most: 3}", ""),
    ("R010", "{from: 1, points: 1}", "{from: 1, points: 1, until: 3}", ""),
    ("R010", "start: {otherwise: 100}", "start: {otherwise: 100, seed: 3}", ""),
    ("R010", "steps: [{add: [main]}]", "steps: [{add: [main], twice: true}]", ""),
    ("R010", "at_least: 60}", "at_least: 60, colour: red}", ""),
    ("R010", "when: {attribute: listed, is: true}", "when: {attribute: listed, is: true, not: false}", ""),
    ("R010", "inspect: {ratio: 0.3}", "inspect: {ratio: 0.3, share: 1}", ""),
    ("R010", "decisions:", "decisions:\n  later: []  #!", ""),
    ("R010", "basis: &law [{document: law, verified: true}]", "basis: &law [{document: law, verified: true, page: 3}]", ""),
    ("R011", "authority: {zh: 机关, en: authority}\n", "", "format:"),
    ("R011", "title: {zh: 人数, en: staff}", "title: {zh: 人数}", ""),
    ("R011", "cycle: {every: month}", "cycle: {}", ""),
    ("R012", "status: in_force", "status: forever", ""),
    ("R012", "start: {otherwise: 100}", "start: {otherwise: 1.0000001}", ""),
    ("R012", "start: {otherwise: 100}", "start: {otherwise: many}", ""),
    ("R012", "when: {class: farmer}", "when: {klass: farmer}", ""),
    ("R012", "steps: [{add: [main]}]", "steps: [{subtract: [main]}]", ""),
    ("R012", "{type: count, of: {kinds: [fine]}}", "{type: count, of: {kinds: [Fine]}}", ""),
    ("R038", "when: {attribute: sector, in: [farm]}}", "when: {class: farmer}}", ""),
    ("R038", "when: {attribute: sector, in: [farm]}}", "when: {not: {class: late}}}\n  - {id: late, title: {zh: 后, en: l}, when: {attribute: listed, is: true}}", "id: farmer"),
    ("R020", "  - id: award", "  - id: fine  #!", ""),
    ("R020", "{id: N, title: {zh: 不评, en: none}}", "{id: A, title: {zh: 不评, en: none}}  #!", ""),
    ("R020", "{id: farms, title", "{id: listed, title", "id: listed, title: {zh: 农业"),
    ("R021", "    dimension: main\n    measure: {type: count", "    dimension: other  #!\n    measure: {type: count", ""),
    ("R021", "    source: city\n    evidence", "    source: town  #!\n    evidence", ""),
    ("R021", "kinds: [fine]", "kinds: [fines]", "id: fines"),
    ("R021", "{type: attribute, id: staff}", "{type: attribute, id: people}", "id: staffed"),
    ("R021", "when: {class: farmer}", "when: {class: fisher}", ""),
    ("R021", "in: [farm]", "in: [fish]", ""),
    ("R021", "grade: D, when", "grade: E, when", ""),
    ("R021", "not_above: B", "not_above: N", ""),
    ("R021", "grades: [D]", "grades: [E]", ""),
    ("R021", "measure: check, grades", "measure: visit, grades", ""),
    ("R021", "scenario: inspection, inspect", "classes: [fisher], scenario: inspection, inspect", ""),
    ("R021", "basis: &law [{document: law, verified: true}]", "basis: &law [{document: act, verified: true}]", ""),
    ("R021", "at_least: 60}", "at_least: 60, by_class: {fisher: 50}}", ""),
    ("R021", "when: {class: farmer}", "when: {previous: 1, grade_in: [E]}", ""),
    ("R021", "steps: [{add: [main]}]", "steps: [{add: [main, more]}]", "score:"),
    ("R022", "{type: attribute, id: staff}", "{type: attribute, id: sector}", "id: staffed"),
    ("R022", "when: {attribute: listed, is: true}", "when: {attribute: staff, is: true}", ""),
    ("R022", "kinds: [fine]}", "kinds: [fine], where: [{field: amount, in: [a]}]}", "id: fines"),
    ("R023", "kinds: [fine]}", "kinds: [fine], where: [{field: level, at_least: 1}]}", "id: fines"),
    ("R022", "points: {type: per_unit, each: -5}",
     "points: {type: per_record, each: -5, tiers: [{where: [{field: amount, in: [a]}], each: -1}]}", "id: fines"),
    ("R023", "points: {type: per_unit, each: -5}",
     "points: {type: per_record, each: -5, tiers: [{each: -1, plus: {each: -1, of: amount, over: due}}]}", "id: fines"),
    ("R023", "points: {type: per_unit, each: -5}", "points: {type: per_record, each: -5, distinct: [level]}", "id: fines"),
    ("R024", "    measure: {type: attribute, id: staff}\n", "", "id: staffed"),
    ("R025", "{type: count, of: {kinds: [fine]}}\n    points: {type: per_unit, each: -5}",
     "{type: exists, of: {kinds: [fine]}}\n    points: {type: per_record, each: -5}", "id: fines"),
    ("R026", "when: {attribute: listed, is: true}", "when: {score: total, below: 3}", ""),
    ("R027", "otherwise: 100", f"otherwise: {BY_FACT}", "score:"),
    ("R028", "{level: {type: integer}}", "{amount: {type: integer}}", "id: award"),
    ("R029", "{id: listed, type", "{id: subject_id, type", ""),
    ("R029", "{level: {type: integer}}", "{severity: {type: integer}}", "id: award"),
    ("R030", "{ratio: 0.3}, basis: *law}", "{ratio: 0.3}}", ""),
    ("R030", "when: {class: farmer}, basis: *law}", "when: {class: farmer}}", ""),
    ("R031", "visibility: {grade: internal", "visibility: {grade: public", ""),
    ("R032", "    evidence: {zh: 决定书, en: decision}\n", "", "id: fine"),
    ("R052", "effective: {from: 2020-01-01}", "effective: {from: 2020-01-01, until: 2020-01-01}", ""),
    ("R052", "effective: {from: 2020-01-01}", "effective: {from: 2020-01-01, until: 2019-12-31}", ""),
    ("R053", "status: in_force", "status: repealed", ""),
    ("R033", "otherwise: 100", f"otherwise: {TWICE}", "score:"),
    ("R034", "{add: [main]}", "{weighted_mean: [main]}", "id: main"),
    ("R061", SCORED, EMPTY_MEAN, "steps:"),
    ("R035", "steps: [{add: [main]}]", "steps: [{add: [main]}, {add: [main]}]", "id: main"),
    ("R035", "steps: [{add: [main]}]", "steps: [{floor: 0}]", "id: main"),
    ("R036", "at_least: 60}", "at_most: 60}", ""),
    ("R036", "{id: D, title: {zh: 丁, en: D}}", "{id: D, title: {zh: 丁, en: D}, at_least: 5}", ""),
    ("R036", ", at_least: 90}", "}", ""),
    ("R037", "document: 一号", "document: 一号\nheld_grade: M  #!", ""),
    ("R040", "{from: 3, points: 2}", "{from: 1, points: 2}", "id: staffed"),
    ("R041", "each: -5", "each: -5.0005", "id: fines"),
    ("R042", "not_above: B", "not_above: A", ""),
    ("R042", "{from: 3, points: 2}]}", "{from: 3, points: 2}]}\n    limits: {at_most: 3}  #!", ""),
    ("R043", "at_least: 60}", "at_least: 95}", ""),
    ("R044", "at_least: 90}", "at_least: 103}", ""),
    ("R045", "  caps:", "  #\n    - {id: again, title: {zh: 又, en: again}, grade: B, when: {attribute: listed, is: true}, basis: *law}  #!\n  caps:", ""),
    ("R046", "{id: main, title: {zh: 主, en: main}}", "{id: main, title: {zh: 主, en: main}, weight: 0}", ""),
    ("R047", "otherwise: 100", f"otherwise: {LATE}", "score:"),
    ("R048", "kinds: [fine]}", "kinds: [fine], within: {months: 1.5}}", "id: fines"),
    ("R048", "kinds: [fine]}", "kinds: [fine], within: {days: 0}}", "id: fines"),
    ("R050", "attributes:\n", TERMS.format(least=13, most=12) + "attributes:\n", "id: general"),
    ("R051", "attributes:\n", DEADLINES.format(days=0) + "attributes:\n", "id: answer"),
    ("R051", "attributes:\n", DEADLINES.format(days=1.5) + "attributes:\n", "id: answer"),
    ("R049", "title: {zh: 乙, en: B}, at_least: 60}", "title: {zh: 乙, en: B}, effective: {from: 2024-01-01}, at_least: 60}",
     "id: farms"),
    ("R036", "{id: D, title: {zh: 丁, en: D}}", "{id: D, title: {zh: 丁, en: D}, effective: {until: 2024-01-01}}", "id: B"),
    ("R054", "nature: supervision, basis", "nature: restriction, kind: derogation, basis", ""),
    ("R055", "nature: supervision, basis", "nature: supervision, answers: [{kinds: [fine], months: 12, at_most_months: 36, basis: *law}], basis", ""),
    ("R056", "nature: supervision, basis", f"nature: incentive, {ANSWERS.format(kind='fine', one=12, most=36)}, basis", ""),
    ("R057", "nature: supervision, basis", "nature: restriction, kind: management, basis", ""),
    ("R058", "nature: supervision, basis", f"nature: supervision, {ANSWERS.format(kind='award', one=12, most=36)}, basis", ""),
    ("R058", "nature: supervision, basis", f"nature: supervision, {ANSWERS.format(kind='theft', one=12, most=36)}, basis", ""),
    ("R059", "nature: supervision, basis", f"nature: supervision, {ANSWERS.format(kind='fine', one=0, most=36)}, basis", ""),
    ("R059", "nature: supervision, basis", f"nature: supervision, {ANSWERS.format(kind='fine', one=37, most=36)}, basis", ""),
    ("R060", "nature: supervision, basis: *law}\nmeasures:\n  - {id: check_d,",
     f"nature: supervision, {ANSWERS.format(kind='fine', one=12, most=36)}, basis: *law}}\nmeasures:\n  - {{id: check_d, duration_months: 13,", "id: check_d"),
    ("R090", "basis: &law [{document: law, verified: true}]", "basis: &law [{document: law, verified: false}]", ""),
]  # fmt: skip


GOOD_MEASURES = (
    ("nature: supervision, basis", f"nature: supervision, {ANSWERS.format(kind='fine', one=36, most=36)}, basis"),
    ("nature: supervision, basis: *law}\nmeasures:\n  - {id: check_d,",
     f"nature: supervision, {ANSWERS.format(kind='fine', one=12, most=36)}, basis: *law}}\nmeasures:\n  - {{id: check_d, duration_months: 12,"),
)  # fmt: skip
FORCES = [("law", True), ("administrative_regulation", True), ("central_policy", True), ("local_regulation", True),
          ("departmental_rule", False), ("normative_document", False)]  # fmt: skip


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    return folder


def broken(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


def line_of(text: str, mark: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if mark in line)


def item_line(text: str, start: str) -> int:
    """The first line that begins so, list and mapping signs apart."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.lstrip("- {").startswith(start))


def assert_worded(fault: Fault) -> None:
    for message in (fault.what, fault.remedy):
        assert message.zh.strip()
        assert message.en.strip()
    assert re.search("[一-鿿]", fault.what.zh + fault.remedy.zh)
    assert fault.sentence("zh").startswith(f"{fault.file}:{fault.line}: ")
    assert fault.sentence("en").startswith(f"{fault.file}:{fault.line}: ")


def test_the_good_rulebook_is_good(tmp_path: Path) -> None:
    rulebook, faults = check_file(written(tmp_path / "checked", GOOD))
    assert rulebook is not None
    assert faults == []


@pytest.mark.parametrize(("old", "new"), GOOD_MEASURES)
def test_a_measure_within_its_catalogue_is_good(tmp_path: Path, old: str, new: str) -> None:
    assert check_file(written(tmp_path / "checked", broken(old, new)))[1] == []


@pytest.mark.parametrize(("force", "is_enough"), FORCES)
def test_only_law_regulation_and_central_documents_carry_a_measure_that_takes_rights(
    tmp_path: Path, force: str, is_enough: bool
) -> None:
    answers = ANSWERS.format(kind="fine", one=12, most=36).replace("management", "derogation")
    text = broken("nature: supervision, basis", f"nature: restriction, {answers}, basis")
    documents = text.index("  law: {title: ") + len("  law: {")
    text = text[:documents] + f"legal_force: {force}, " + text[documents:]
    faults = [fault.code for fault in check_file(written(tmp_path / "checked", text))[1]]
    assert faults == ([] if is_enough else ["R054"])


@pytest.mark.parametrize(("code", "old", "new", "at"), FAULTS, ids=lambda value: value[:40].replace("\n", " "))
def test_fault_is_found_on_its_line(tmp_path: Path, code: str, old: str, new: str, at: str) -> None:
    text = broken(old, new)
    rulebook, faults = check_file(written(tmp_path / "checked", text))
    mended = line_of(text, "#!") if "#!" in new else GOOD[: GOOD.index(old)].count("\n") + 1
    line = item_line(text, at) if at else mended
    assert (code, line) in {(fault.code, fault.line) for fault in faults}
    assert (rulebook is None) == (code < "R020")
    for fault in faults:
        assert_worded(fault)
        assert fault.file.endswith("rulebook.yaml")
        assert fault.is_warning == (fault.code in ("R057", "R090"))


def test_every_code_is_tested() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in Path(zhixin.law.loading.__file__).parent.rglob("*.py"))
    assert set(re.findall(r'"(R\d{3})"', sources)) == {code for code, *_ in FAULTS} | {"R004", "R005"}


@pytest.mark.parametrize(("least", "most"), [(0, 12), (11, 12), (12, 12)])
def test_a_shortest_term_up_to_the_longest_is_no_fault(tmp_path: Path, least: int, most: int) -> None:
    text = GOOD.replace("attributes:\n", TERMS.format(least=least, most=most) + "attributes:\n", 1)
    assert not [fault for fault in check_file(written(tmp_path / "checked", text))[1] if not fault.is_warning]


@pytest.mark.parametrize("text", ["- a\n- b\n", "words\n"])
def test_r004_a_rulebook_is_a_mapping(tmp_path: Path, text: str) -> None:
    rulebook, faults = check_file(written(tmp_path / "checked", text))
    assert rulebook is None
    assert [(fault.code, fault.line) for fault in faults] == [("R004", 1)]
    assert_worded(faults[0])


def test_r005_rulebooks_do_not_extend_each_other(tmp_path: Path) -> None:
    written(tmp_path / "one", "id: one\nextends: two\n")
    written(tmp_path / "two", "id: two\nextends: one\n")
    rulebook, faults = check_file(tmp_path / "one")
    assert rulebook is None
    assert [(fault.code, fault.line) for fault in faults] == [("R005", 1)]
    assert_worded(faults[0])


def test_a_warning_alone_does_not_refuse(tmp_path: Path) -> None:
    folder = written(tmp_path / "checked", GOOD.replace("verified: true", "verified: false"))
    assert load_rulebook(folder).id == "checked"
    assert {fault.code for fault in check_file(folder)[1]} == {"R090"}


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD
    for old, new in [
        ("kinds: [fine]", "kinds: [fines]"),
        ("{type: attribute, id: staff}", "{type: attribute, id: sector}"),
        ("when: {class: farmer}", "when: {class: fisher}"),
        ("grades: [D]", "grades: [E]"),
        ("    evidence: {zh: 决定书, en: decision}\n", ""),
        ("visibility: {grade: internal", "visibility: {grade: public"),
        ("{ratio: 0.3}, basis: *law}", "{ratio: 0.3}}"),
        ("at_least: 60}", "at_most: 60}"),
        ("steps: [{add: [main]}]", "steps: [{floor: 0}]"),
    ]:
        text = text.replace(old, new, 1)
    with pytest.raises(RulebookError) as caught:
        load_rulebook(written(tmp_path / "checked", text))
    found = [(fault.line, fault.code) for fault in caught.value.faults]
    assert found == sorted(found)
    assert {code for _, code in found} == {"R021", "R022", "R030", "R031", "R032", "R035", "R036"}
    assert len(found) == 9
    assert {line for line, code in found if code == "R021"} >= {line_of(text, "not_above: B"), line_of(text, "grades: [E]")}


def test_all_faults_of_shape_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("status: in_force", "status: forever\ncolour: red").replace("cycle: {every: month}", "cycle: {}")
    text = text.replace("when: {class: farmer}", "when: {klass: farmer}")
    _, faults = check_file(written(tmp_path / "checked", text))
    assert [(fault.code, fault.line) for fault in faults] == [
        ("R012", line_of(text, "forever")),
        ("R010", line_of(text, "colour")),
        ("R011", line_of(text, "cycle")),
        ("R012", line_of(text, "klass")),
    ]


# --- extends -------------------------------------------------------------------------------------------------------

CHILD = """\
id: local
extends: checked
remove: {measures: [check_d], decisions: []}
title: {zh: 地方规则, en: local rules}
indicators:
  - id: fines
    title: {zh: 处罚加倍, en: fines twice}
    dimension: main
    measure: {type: count, of: {kinds: [fine]}}
    points: {type: per_unit, each: -10}
    when_missing: no_points
    basis: [{document: law, verified: true}]
  - id: awards
    title: {zh: 表彰, en: awards}
    dimension: main
    measure: {type: count, of: {kinds: [award]}}
    points: {type: per_unit, each: 1}
    when_missing: no_points
    basis: [{document: law, verified: true}]
"""


def test_extends_replaces_adds_and_removes(tmp_path: Path) -> None:
    written(tmp_path / "checked", GOOD)
    rulebook, faults = check_file(written(tmp_path / "local", CHILD))
    assert faults == []
    assert rulebook is not None
    assert rulebook.id == "local"
    assert [indicator.id for indicator in rulebook.indicators] == ["fines", "staffed", "awards"]
    assert rulebook.indicator["fines"].points.each == -10  # type: ignore[union-attr]
    assert rulebook.measures == ()
    assert [rule.id for rule in rulebook.decisions.direct] == ["listed"]


def test_remove_star_removes_everything(tmp_path: Path) -> None:
    written(tmp_path / "checked", GOOD)
    child = 'id: local\nextends: checked\nremove: {measures: ["*"], indicators: ["staffed"]}\n'
    rulebook = load_rulebook(written(tmp_path / "local", child))
    assert rulebook.measures == ()
    assert list(rulebook.indicator) == ["fines"]


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        ("kinds: [award]", "kinds: [prize]", "id: awards"),
        ("kinds: [fine]", "kinds: [prize]", "id: fines"),
        ("{document: law, verified: true}]\n  - id: awards", "{document: act, verified: true}]\n  - id: awards", "act"),
    ],
)
def test_a_fault_of_the_child_is_placed_in_the_child(tmp_path: Path, old: str, new: str, mark: str) -> None:
    written(tmp_path / "checked", GOOD)
    text = CHILD.replace(old, new, 1)
    _, faults = check_file(written(tmp_path / "local", text))
    assert [fault.code for fault in faults] == ["R021"]
    assert Path(faults[0].file).parent.name == "local"
    assert faults[0].line == line_of(text, mark)


def test_a_fault_of_the_parent_is_placed_in_the_parent(tmp_path: Path) -> None:
    text = GOOD.replace("{type: attribute, id: staff}", "{type: attribute, id: people}")
    written(tmp_path / "checked", text)
    _, faults = check_file(written(tmp_path / "local", CHILD))
    assert [(fault.code, Path(fault.file).parent.name, fault.line) for fault in faults] == [
        ("R021", "checked", line_of(text, "id: staffed"))
    ]


def test_an_unknown_key_is_placed_in_the_file_that_writes_it(tmp_path: Path) -> None:
    parent = GOOD.replace("{type: attribute, id: staff}", "{type: attribute, id: staff, colour: red}")
    written(tmp_path / "checked", parent)
    child = CHILD.replace("each: 1}", "each: 1, colour: red}")
    _, faults = check_file(written(tmp_path / "local", child))
    assert [(fault.code, Path(fault.file).parent.name, fault.line) for fault in faults] == [
        ("R010", "checked", line_of(parent, "colour")),
        ("R010", "local", line_of(child, "colour")),
    ]


def test_yaml_faults_of_a_parent_are_reported(tmp_path: Path) -> None:
    written(tmp_path / "checked", GOOD.replace("cycle: {every: month}", "cycle: {every: month}\ncycle: {every: day}"))
    rulebook, faults = check_file(written(tmp_path / "local", CHILD))
    assert rulebook is None
    assert [(fault.code, fault.line) for fault in faults] == [("R002", line_of(GOOD, "cycle") + 1)]
