"""A rulebook begun from a template is sound as it is, on every engine, and every cut of it has a case at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dirty_deliveries import firms
from zhixin import RunFolder, explain
from zhixin.analysis.worked_examples import load_cases, run_cases
from zhixin.cli.app import app
from zhixin.cli.rulebooks import TEMPLATES
from zhixin.evaluation.engines.choice import open_engine
from zhixin.explanation.sentences import sentences
from zhixin.explanation.wording import Wording
from zhixin.law.loading import check_file, load_rulebook

CODES = [code for code, _name, _district in firms(2, 7)]


def begun(template: str, folder: Path) -> Path:
    done = CliRunner().invoke(app, ["new", template, str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_sound(template: str, tmp_path: Path) -> None:
    folder = begun(template, tmp_path / "my-city")
    rulebook, faults = check_file(str(folder))
    assert rulebook is not None
    assert rulebook.id == "my-city"
    assert [fault for fault in faults if not fault.is_warning] == []
    assert {fault.code for fault in faults} <= {"R090"}, "nothing but what its author has to verify"
    cases = load_cases(folder / "cases.yaml")
    report = run_cases(load_rulebook(folder), cases, {"interpreter": None, "polars": open_engine("polars")})
    assert report.disagreements == ()
    grades = {case.expect.grade for case in cases} - {None}
    assert grades >= {grade.id for grade in rulebook.ladder}, "each grade is reached by a case"


@pytest.mark.parametrize("name", ["My-City", "城市", "a_b", "-a", "a--b", "true", "null"])
def test_an_id_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["new", "veto-list", "--", str(tmp_path / name)])
    assert done.exit_code != 0
    assert not (tmp_path / name).exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = begun("veto-list", tmp_path / "mine")
    (folder / "rulebook.yaml").write_text("mine", encoding="utf-8")
    assert CliRunner().invoke(app, ["new", "veto-list", str(folder)]).exit_code != 0
    assert (folder / "rulebook.yaml").read_text(encoding="utf-8") == "mine"


def test_an_unknown_template_is_named_with_those_there_are(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["new", "scorecard", str(tmp_path / "mine")])
    assert done.exit_code != 0
    assert all(name in str(done.exception) for name in TEMPLATES)


def test_a_mean_of_nothing_is_held_and_the_explanation_says_so(tmp_path: Path) -> None:
    """The template, changed so that every dimension may lack a value; one subject has none, the other one of them."""
    folder = begun("weighted-mean", tmp_path / "mine")
    text = (folder / "rulebook.yaml").read_text(encoding="utf-8")
    text = text.replace("when_missing: hold", "when_missing: leave_out")
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    assert {fault.code for fault in check_file(folder)[1] if not fault.is_warning} == {"R061"}
    text = text.replace("[compliance_part, innovation_part]}", "[compliance_part, innovation_part], when_missing: hold}")
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    (data / "subjects.csv").write_text(f"subject_id,name,innovation\n{CODES[0]},甲,\n{CODES[1]},乙,95\n", encoding="utf-8")
    done = CliRunner().invoke(
        app, ["evaluate", str(folder), str(data), "--out", str(tmp_path / "run"), "--as-of", "2026-06-30"]
    )
    assert done.exit_code == 0, done.output
    held, graded = (explain(RunFolder.open(tmp_path / "run"), code) for code in CODES)
    assert (held["grade"]["id"], graded["grade"]["id"]) == ("U", "A")
    assert held["decision"]["step"] == "held"
    assert held["decision"]["title"] == {"zh": "加权平均（各维度都没有数据）", "en": "weighted mean (no dimension has data)"}
    for language in ("zh", "en"):
        assert any("加权平均" in line or "weighted mean" in line for line in sentences(held, language))
    assert "各维度都没有数据的，暂不定级" in Wording(load_rulebook(folder), "zh").step(load_rulebook(folder).steps[0])


LAPSES = "{values: {2026-01-01: {value: 65, document: measures, verified: false}, 2026-06-01: {value: null, document: measures, verified: false}}}"


@pytest.mark.parametrize(
    ("changes", "is_said"),
    [
        ([("when_missing: hold", "when_missing: leave_out")], False),
        ([("points: {type: per_unit, each: 1}, when_missing: hold", f"points: {{type: per_unit, each: {LAPSES}}}, when_missing: no_points")], False),
        ([("when_missing: hold", f"when_missing: {{points: {LAPSES}}}")], False),
        ([("when_missing: hold", "when_missing: {points: 65}")], True),
        ([("when_missing: hold", "when_missing: leave_out"), ("innovation_part]}", f"innovation_part], when_missing: {{points: {LAPSES}}}}}")], False),
        ([("when_missing: hold", "when_missing: leave_out"), ("innovation_part]}", "innovation_part], when_missing: {points: 60}}")], True),
        ([("when_missing: hold", "effective: {until: 2026-06-01}, when_missing: hold")], False),
    ],
    ids=["left out", "repealed each", "repealed points", "points", "repealed points of the mean", "points of the mean", "until a day"],
)  # fmt: skip
def test_a_mean_that_may_be_of_nothing_on_some_day_must_say_what_holds(
    changes: list[tuple[str, str]], is_said: bool, tmp_path: Path
) -> None:
    folder = begun("weighted-mean", tmp_path / "mine")
    text = (folder / "rulebook.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    assert ("R061" in {fault.code for fault in check_file(folder)[1]}) != is_said
