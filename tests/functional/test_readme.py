"""The README's example runs as it stands, and its figures are those of the demo."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from zhixin.fiction.chicago import ChicagoResult, evaluate
from zhixin.fiction.chicago_draw import DrawComparison, compare_draws
from zhixin.law.loading import load_rulebook

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "得分" in done.stdout


@pytest.fixture(scope="module")
def result() -> ChicagoResult:
    return evaluate(load_rulebook("chicago-food"))


@pytest.fixture(scope="module")
def shares(result: ChicagoResult) -> list[str]:
    return [f"{share:.1%}" for share in (result.validity.first_half, 0.5, result.as_it_happened)]


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "docs/explanation/chicago.md"])
def test_the_figures_of_chicago_are_those_that_come_out(name: str, shares: list[str]) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace(" %", "%")
    assert all(share in text for share in shares)


@pytest.fixture(scope="module")
def draws(result: ChicagoResult) -> DrawComparison:
    return compare_draws(result, [grade.id for grade in load_rulebook("chicago-food").ladder])


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "docs/explanation/chicago.md"])
def test_drawing_by_grade_finds_more_for_the_same_work(name: str, draws: DrawComparison) -> None:
    found = draws
    assert found.interval[0] > 0
    text = (ROOT / name).read_text(encoding="utf-8")
    low, high = found.interval
    assert all(figure in text for figure in (f"{found.by_grade:.1f}", f"{found.uniform:.1f}", f"{low:.1f}–{high:.1f}"))
