"""The command line as its user meets it: every command once, every exit status, both languages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from zhixin.cli.app import main

RULEBOOKS = Path(__file__).parents[2] / "rulebooks"


class Result(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def zhixin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls the command line in this process."""

    def call(*words: str | Path, language: str = "en") -> Result:
        monkeypatch.setenv("ZHIXIN_LANG", language)
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.setattr(sys, "argv", ["zhixin", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        seen = capsys.readouterr()
        return Result(int(stop.value.code or 0), seen.out, seen.err)

    return call


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw files of 600 enterprises with dirt, and two runs over them."""
    return tmp_path_factory.mktemp("city")


@pytest.fixture
def runs(zhixin: Run, city: Path) -> Path:
    if not (city / "run").is_dir():
        assert (
            zhixin("synth", "--out", city / "raw", "--subjects", "600", "--dirt", "3", "--as-of", "2026-11-01").status == 0
        )
        first = zhixin("evaluate", "zhengzhou-ip", city / "raw", "--out", city / "run", "--as-of", "2026-11-01")
        assert first.status == 3, first
        snapshot = city / "run.dataset"
        second = zhixin("evaluate", "zhengzhou-ip-risk", snapshot, "--out", city / "risk", "--as-of", "2026-11-01")
        assert second.status == 0, second
    return city


def a_subject(runs: Path, grade: str) -> str:
    grades = pl.read_parquet(runs / "run" / "grades.parquet")
    return str(grades.filter(pl.col("grade") == grade)["subject_id"][0])


def test_check_passes_a_shipped_rulebook(zhixin: Run) -> None:
    result = zhixin("check", "zhengzhou-ip", "--no-warnings")
    assert (result.status, result.out.split(" ")[0]) == (0, "0")


def test_check_names_every_fault_with_its_line_and_runs_nothing(zhixin: Run, tmp_path: Path) -> None:
    text = (RULEBOOKS / "patent-agency-2023" / "rulebook.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.yaml"
    broken.write_text(text + "\nunheard_of: 1\n", encoding="utf-8")
    result = zhixin("check", broken)
    line = text.count("\n") + 2
    assert result.status == 11
    assert f":{line}: error R010" in result.out
    assert zhixin("evaluate", broken, tmp_path, "--out", tmp_path / "run").status == 11
    assert not (tmp_path / "run").exists()


def test_faults_are_in_chinese_where_the_user_is(zhixin: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("format: rulebook/1\n", encoding="utf-8")
    result = zhixin("check", broken, language="zh")
    assert "缺少 title" in result.out


def test_an_unknown_rulebook_is_wrong_use_and_lists_those_there_are(zhixin: Run) -> None:
    result = zhixin("check", "no-such-rulebook")
    assert result.status == 10
    assert "zhengzhou-ip" in result.err


def test_test_runs_the_cases_of_a_rulebook(zhixin: Run) -> None:
    result = zhixin("test", "ip-agency-zhuhai-2024")
    assert result.status == 0
    assert "0 disagree" in result.out


def test_test_says_which_case_disagrees(zhixin: Run, tmp_path: Path) -> None:
    for name in ("rulebook.yaml", "cases.yaml"):
        text = (RULEBOOKS / "ip-agency-zhuhai-2024" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace("score: 80", "score: 81", 1) if name == "cases.yaml" else text, encoding="utf-8"
        )
    result = zhixin("test", tmp_path, "--engine", "interpreter")
    assert result.status == 12
    assert "score should be 81, came out 80" in result.out


def test_evaluate_accepts_raw_files_and_says_what_lies_in_quarantine(runs: Path, zhixin: Run) -> None:
    again = zhixin("evaluate", "zhengzhou-ip", runs / "raw", "--out", runs / "again", "--as-of", "2026-11-01")
    assert again.status == 3
    assert "are in quarantine" in again.out.strip().splitlines()[-1]
    one, other = (json.loads((runs / name / "run.json").read_text()) for name in ("run", "again"))
    assert one["result_sha256"] == other["result_sha256"]
    assert one["outputs"] == other["outputs"]


def test_a_folder_without_subjects_cannot_be_read(zhixin: Run, tmp_path: Path) -> None:
    result = zhixin("evaluate", "zhengzhou-ip", tmp_path, "--out", tmp_path / "run")
    assert result.status == 13
    assert "subjects" in result.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("language", "word"), [("zh", "得分"), ("en", "scores")])
def test_explain_speaks_both_languages(zhixin: Run, runs: Path, language: str, word: str) -> None:
    result = zhixin("explain", runs / "run", a_subject(runs, "B"), language=language)
    assert result.status == 0
    assert word in result.out


def test_explain_as_json_adds_up(zhixin: Run, runs: Path) -> None:
    content = json.loads(zhixin("explain", runs / "run", a_subject(runs, "A"), "--json").out)
    score = content["score"]
    points = sum(item["points_milli"] for item in content["contributions"])
    assert content["format"] == "explanation/1"
    assert score["start_milli"] + score["implied_milli"] + points == score["total_milli"]


def test_explain_of_an_unknown_subject_is_refused(zhixin: Run, runs: Path) -> None:
    assert zhixin("explain", runs / "run", "91419901MA00000000").status == 13


def test_outlook_says_what_comes(zhixin: Run, runs: Path) -> None:
    content = json.loads(zhixin("outlook", runs / "run", a_subject(runs, "C"), "--json").out)
    assert content["format"] == "outlook/1"
    assert content["text"]["zh"]


def test_compare_shows_transitions_and_workload(zhixin: Run, runs: Path) -> None:
    result = zhixin("compare", runs / "run", runs / "risk")
    assert result.status == 0
    assert "inspections a year" in result.out


def test_validity_needs_findings_of_both_kinds(zhixin: Run, runs: Path, tmp_path: Path) -> None:
    ids = pl.read_parquet(runs / "run" / "grades.parquet")["subject_id"]
    found = pl.DataFrame({"subject_id": ids, "found": [number % 7 == 0 for number in range(len(ids))]})
    found.with_columns(pl.col("found").cast(pl.Int8)).write_csv(tmp_path / "found.csv")
    assert "AUC" in zhixin("validity", runs / "run", tmp_path / "found.csv").out
    found.with_columns(pl.lit(0).alias("found")).write_csv(tmp_path / "none.csv")
    assert zhixin("validity", runs / "run", tmp_path / "none.csv").status == 10


def test_weights_combines_experts_and_data(zhixin: Run, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(",a,b,c\na,1,3,5\nb,1/3,1,2\nc,1/5,1/2,1\n")
    (tmp_path / "data.csv").write_text("a,b,c\n1,5,2\n2,1,9\n4,3,3\n8,2,7\n")
    result = zhixin("weights", "--judgements", tmp_path / "pairs.csv", "--data", tmp_path / "data.csv")
    assert result.status == 0
    assert "AHP+CRITIC" in result.out


def test_weights_refuses_contradictions_and_names_three(zhixin: Run, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(",a,b,c\na,1,9,1/9\nb,1/9,1,9\nc,9,1/9,1\n")
    result = zhixin("weights", "--judgements", tmp_path / "pairs.csv")
    assert result.status == 14
    assert all(name in result.err for name in "abc")


def test_schema_is_json(zhixin: Run) -> None:
    schema = json.loads(zhixin("schema").out)
    assert "indicators" in schema["properties"]


def test_an_unknown_engine_is_refused(zhixin: Run, runs: Path) -> None:
    result = zhixin("evaluate", "zhengzhou-ip", runs / "run.dataset", "--out", runs / "x", "--engine", "abacus")
    assert result.status == 15


def test_an_amount_too_large_to_compute_with_is_refused_and_named(zhixin: Run, tmp_path: Path) -> None:
    """A supplement of 470 billion yuan: the points in proportion to the tax do not fit 64 bits. A tenth of it does."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "subjects.csv").write_text("subject_id\n91419901MA0092T222\n", encoding="utf-8")
    statuses = []
    for amount in ("470亿元", "4700亿元"):
        (raw / "records.csv").write_text(
            "record_id,subject_id,kind,decided_on,amount,tax_due,is_settled,document\n"
            f"r1,91419901MA0092T222,irregular.supplement,2025-05-01,{amount},9000亿元,是,一号\n",
            encoding="utf-8",
        )
        result = zhixin("evaluate", "tax-credit", raw, "--out", tmp_path / "run", "--as-of", "2026-04-01")
        statuses.append(result.status)
    assert statuses == [0, 15]
    assert "tax_due = 900,000,000,000 of r1" in result.err + result.out
    assert not list(tmp_path.glob("*.part"))
