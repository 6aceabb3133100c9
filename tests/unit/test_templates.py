"""A rulebook begun from a template is sound as it is, on every engine, and every cut of it has a case at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from zhixin.analysis.worked_examples import load_cases, run_cases
from zhixin.cli.app import app
from zhixin.cli.rulebooks import TEMPLATES
from zhixin.evaluation.engines.choice import open_engine
from zhixin.law.loading import check_file, load_rulebook


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


@pytest.mark.parametrize("name", ["My-City", "城市", "a_b", "-a", "a--b"])
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
