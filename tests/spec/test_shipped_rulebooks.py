"""Every rulebook that ships is valid, keeps through a dump, and passes its own cases."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from shipped import shipped
from zhixin.analysis.worked_examples import RulebookCase, load_cases, run_cases
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.engines.duckdb import DuckDBEngine
from zhixin.evaluation.engines.polars import PolarsEngine
from zhixin.law.calendar import shift_months
from zhixin.law.loading import check_file, dump_rulebook, loads_rulebook
from zhixin.law.publicity_and_repair import publication_of, repair_from
from zhixin.law.vocabulary import Direction, Visibility

title = {"zh": "自带的规则", "en": "Shipped rulebooks"}

FOLDERS = sorted(file.parent for file in (Path(__file__).parents[2] / "rulebooks").glob("*/rulebook.yaml"))
WITH_CASES = [folder for folder in FOLDERS if (folder / "cases.yaml").is_file()]
SAMPLE = ("zhengzhou-ip", "ip-agency-zhuhai-2024")
"""Rulebooks whose cases run on DuckDB in every run; the others do so in the long one."""
BY_NAME = {folder.name: folder for folder in FOLDERS}
CLASSES = ["patent_owner", "trademark_user", "gi_user", "ip_agency", "online_operator", "cross_border", "logistics"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_has_no_errors(folder: Path) -> None:
    rulebook, faults = check_file(folder)
    assert [fault.sentence("en") for fault in faults if not fault.is_warning] == []
    assert rulebook is not None
    assert rulebook.id == folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_keeps_through_a_dump(folder: Path) -> None:
    rulebook = shipped(folder.name)
    again = loads_rulebook(dump_rulebook(rulebook))
    assert again == rulebook
    assert again.sha256 == rulebook.sha256


@pytest.mark.parametrize("folder", WITH_CASES, ids=lambda folder: folder.name)
def test_its_cases_come_out_as_written(folder: Path) -> None:
    with closing(PolarsEngine(threads=1)) as columns:
        _cases_hold(folder, {"interpreter": None, "polars": columns})


@pytest.mark.parametrize(
    "folder",
    [pytest.param(item, marks=[] if item.name in SAMPLE else [pytest.mark.long]) for item in WITH_CASES],
    ids=[folder.name for folder in WITH_CASES],
)
def test_its_cases_come_out_as_written_on_duckdb(folder: Path) -> None:
    with closing(DuckDBEngine(threads=1)) as database:
        _cases_hold(folder, {"duckdb": database})


def _cases_hold(folder: Path, engines: dict[str, Engine | None]) -> None:
    cases = load_cases(folder / "cases.yaml")
    report = run_cases(shipped(folder.name), cases, engines)
    assert [f"{item.case}: {item.what.en}" for item in report.disagreements] == []
    assert report.cases == len(cases) > 0


@pytest.mark.parametrize("folder", WITH_CASES, ids=lambda folder: folder.name)
def test_its_cases_have_names_of_their_own(folder: Path) -> None:
    names = [case.name for case in load_cases(folder / "cases.yaml")]
    assert len(set(names)) == len(names)


def test_zhengzhou_has_forty_indicators_in_six_dimensions_and_seven_classes() -> None:
    rulebook = shipped("zhengzhou-ip")
    assert len(rulebook.indicators) >= 40
    assert len({indicator.dimension for indicator in rulebook.indicators}) >= 6
    assert [item.id for item in rulebook.classes] == CLASSES


@pytest.mark.parametrize("name", ["zhengzhou-ip", "zhengzhou-ip-risk"])
def test_every_indicator_has_a_case_and_every_decision_acts_in_one(name: str) -> None:
    rulebook, cases = shipped(name), load_cases(BY_NAME[name] / "cases.yaml")
    named = {indicator for case in cases for indicator in case.expect.contributions}
    given = {indicator for case in cases for indicator, points in case.expect.contributions.items() if points}
    decided = {case.expect.step for case in cases}
    rules = {
        f"{step}:{rule.id}"
        for step, rules in (
            ("exclude", rulebook.decisions.exclude),
            ("direct", rulebook.decisions.direct),
            ("side", rulebook.decisions.side),
            ("cap", rulebook.decisions.caps),
            ("shift", rulebook.decisions.shifts),
        )
        for rule in rules
    }
    assert set(rulebook.indicator) <= named
    assert set(rulebook.indicator) <= given
    assert rules <= decided
    assert {grade.id for grade in rulebook.ladder} <= {case.expect.grade for case in cases}


def test_the_risk_class_is_internal_and_riskier_upwards() -> None:
    risk = shipped("zhengzhou-ip-risk")
    assert (risk.visibility.grade, risk.visibility.score) == (Visibility.INTERNAL, Visibility.INTERNAL)
    assert risk.direction is Direction.HIGHER_RISKIER
    assert shipped("zhengzhou-ip").visibility.grade is Visibility.PUBLIC


@pytest.mark.parametrize("name", ["zhengzhou-ip", "zhengzhou-ip-risk"])
@pytest.mark.parametrize(
    ("kind", "step"), [("list.serious", "direct:serious_list"), ("enforcement.defaulter", "direct:defaulter")]
)
def test_who_is_listed_is_graded_d(name: str, kind: str, step: str) -> None:
    attributes = {"trademarks_in_force": 1} if name == "zhengzhou-ip" else {}  # a defaulter alone is outside its scope
    case = RulebookCase.model_validate(
        {
            "name": "listed",
            "as_of": "2026-04-01",
            "facts": {"attributes": attributes, "records": [{"kind": kind, "decided_on": date(2026, 1, 1)}]},
            "expect": {"grade": "D", "step": step},
            "source": "spec",
        }
    )
    assert run_cases(shipped(name), [case], {"interpreter": None}).disagreements == ()


@pytest.mark.parametrize(
    ("day", "window"), [("2026-03-31", 36), ("2026-04-01", 12), ("2026-04-02", 12)], ids=lambda value: str(value)
)
def test_general_dishonesty_counts_for_a_year_from_april_2026(day: str, window: int) -> None:
    whole = shipped("zhengzhou-ip")
    rulebook = whole.at(date.fromisoformat(day))
    for name in ("trademark_general", "counterfeit_general", "patent_infringement", "trademark_use", "gi_misuse", "fines"):
        assert rulebook.indicator[name].measure.of.within.months == window  # type: ignore[union-attr]
    decided = date.fromisoformat(day)
    term = publication_of(whole, "penalty.unfair", None, decided, None)
    assert term is not None
    most, least = (36, 6) if window == 36 else (12, 3)
    assert (term.ends_on, term.earliest_end) == (shift_months(decided, most), shift_months(decided, least))
    assert repair_from(whole, "penalty.unfair", None, decided) == shift_months(decided, least)


@pytest.mark.parametrize(
    ("day", "document"), [("2022-07-24", "henan_2021"), ("2022-07-25", "henan_100"), ("2022-07-26", "henan_100")]
)
def test_the_minimum_of_class_a_rests_on_the_henan_measures_from_july_2022(day: str, document: str) -> None:
    whole = shipped("zhengzhou-ip")
    rule = next(rule for rule in whole.measures if rule.id == "inspect_a")
    assert rule.inspect is not None
    dated = rule.inspect.ratio.values  # type: ignore[union-attr]
    assert dated[max(start for start in dated if start <= date.fromisoformat(day))].document == document
    ratio = next(rule for rule in whole.at(date.fromisoformat(day)).measures if rule.id == "inspect_a").inspect
    assert ratio is not None
    assert str(ratio.ratio) == "0.01"


@pytest.mark.parametrize(
    ("name", "ratios"),
    [
        ("zhengzhou-ip", {"A": "0.01", "B": "0.02", "C": "0.1", "D": "0.3"}),
        ("zhengzhou-ip-risk", {"A": "0.01", "B": "0.02", "C": "0.1", "D": "0.3"}),
    ],
)
def test_each_grade_is_inspected_at_its_ratio(name: str, ratios: dict[str, str]) -> None:
    found = {
        rule.grades[0]: str(rule.inspect.ratio)
        for rule in shipped(name).at(date(2026, 6, 30)).measures
        if rule.inspect is not None and rule.inspect.ratio is not None and not rule.classes
    }
    assert found == ratios
