"""Cases that cannot fail are refused, and so is an evaluation on a day on which the rulebook is not in force."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shipped import shipped
from zhixin.analysis.worked_examples import load_cases
from zhixin.errors import UsageError
from zhixin.evaluation.run import refuse_outside_effective
from zhixin.law.catalogue import Effective

CASE = "cases:\n  - name: one\n    as_of: 2026-01-01\n    source: test\n    expect: {}\n".format


@pytest.mark.parametrize("text", ["", "cases:\n", "cases: []\n", "cases: {}\n", "case: []\n", "[]\n"])
def test_a_file_without_cases_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "cases.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        load_cases(tmp_path / "cases.yaml")


@pytest.mark.parametrize(
    ("expect", "is_fine"), [("{}", False), ("{contributions: {}}", False), ("{grade: A}", True), ("{score: 0}", True)]
)
def test_a_case_that_expects_nothing_is_refused(tmp_path: Path, expect: str, is_fine: bool) -> None:
    (tmp_path / "cases.yaml").write_text(CASE(expect), encoding="utf-8")
    if is_fine:
        assert len(load_cases(tmp_path / "cases.yaml")) == 1
    else:
        with pytest.raises(UsageError, match="expect"):
            load_cases(tmp_path / "cases.yaml")


@pytest.mark.parametrize(
    ("day", "is_fine"),
    [(date(2019, 12, 31), False), (date(2020, 1, 1), True), (date(2020, 12, 31), True), (date(2021, 1, 1), False)],
)
def test_a_rulebook_evaluates_inside_its_effective_period_alone(day: date, is_fine: bool) -> None:
    period = Effective(from_=date(2020, 1, 1), until=date(2021, 1, 1))
    rulebook = shipped("tax-credit").model_copy(update={"effective": period})
    if is_fine:
        refuse_outside_effective(rulebook, day)
    else:
        with pytest.raises(UsageError, match=str(day)):
            refuse_outside_effective(rulebook, day)
