"""Two runs beside each other, counted by hand and by brute force."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shipped import shipped
from zhixin.analysis.comparison import Mover, compare, transition_rows, workload
from zhixin.evaluation.archive import RunFolder
from zhixin.evaluation.outcome import CONTRIBUTIONS, GRADES
from zhixin.law.loading import dump_rulebook

BOOK = shipped("zhengzhou-ip")
AS_OF = date(2026, 11, 24)
AGENCY = 1 << [item.id for item in BOOK.classes].index("ip_agency")
Points = dict[str, int]


def run_of(folder: Path, subjects: dict[str, tuple[str, int, Points]], masks: dict[str, int] | None = None) -> RunFolder:
    """A run made by hand: subject → grade, score, points by indicator."""
    folder.mkdir(parents=True)
    grades = [
        {"subject_id": name, "class": "", "class_mask": (masks or {}).get(name, 0), "start_milli": 80_000, "implied_milli": 0,
         "score_milli": score, "ladder_grade": grade, "grade": grade, "step": "cut", "acted": ""}
        for name, (grade, score, _) in sorted(subjects.items())
    ]  # fmt: skip
    contributions: list[dict[str, Any]] = [
        {"subject_id": name, "indicator": indicator, "points_milli": points, "record_nos": []}
        for name, (_, _, all_points) in sorted(subjects.items())
        for indicator, points in all_points.items()
    ]
    pq.write_table(pa.Table.from_pylist(grades, GRADES), folder / "grades.parquet")
    pq.write_table(pa.Table.from_pylist(contributions, CONTRIBUTIONS), folder / "contributions.parquet")
    (folder / "rulebook.yaml").write_text(dump_rulebook(BOOK), encoding="utf-8")
    return RunFolder(folder, {"as_of": AS_OF.isoformat(), "known_at": None, "evaluations": [], "dataset": str(folder)})


BEFORE: dict[str, tuple[str, int, Points]] = {
    "s1": ("A", 95_000, {"suits_won": 1_000}),
    "s2": ("A", 92_000, {"complaints": -1_000, "suits_won": 500}),
    "s3": ("B", 80_000, {}),
    "s4": ("C", 65_000, {"suits_lost": -4_000}),
    "s5": ("B", 76_000, {"complaints": -1_000}),
    "gone": ("D", 10_000, {"suits_lost": -16_000}),
}
AFTER: dict[str, tuple[str, int, Points]] = {
    "s1": ("A", 90_000, {"suits_won": 500}),
    "s2": ("B", 80_000, {"complaints": -6_000, "suits_won": 500, "suits_lost": -4_000}),
    "s3": ("B", 80_000, {}),
    "s4": ("B", 77_000, {}),
    "s5": ("N", 76_000, {"complaints": -1_000}),
    "new": ("A", 99_000, {}),
    "newer": ("A", 98_000, {}),
}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[RunFolder, RunFolder]:
    return run_of(tmp_path / "before", BEFORE), run_of(tmp_path / "after", AFTER)


def test_transitions_count_every_subject_of_both_runs_once(pair: tuple[RunFolder, RunFolder]) -> None:
    found = compare(*pair)
    both = BEFORE.keys() & AFTER.keys()
    assert found.transitions == Counter((BEFORE[name][0], AFTER[name][0]) for name in both)
    assert sum(found.transitions.values()) == 5
    assert (found.only_before, found.only_after, found.moved) == (1, 2, 3)


def test_movers_come_with_the_largest_change_first_and_their_indicators(pair: tuple[RunFolder, RunFolder]) -> None:
    assert compare(*pair).movers == (
        Mover("s2", "A", "B", 92_000, 80_000, (("complaints", -5_000), ("suits_lost", -4_000)), "cut", "cut"),
        Mover("s4", "C", "B", 65_000, 77_000, (("suits_lost", 4_000),), "cut", "cut"),
        Mover("s5", "B", "N", 76_000, 76_000, (), "cut", "cut"),
    )


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4])
def test_no_more_movers_are_listed_than_asked_for(pair: tuple[RunFolder, RunFolder], most: int) -> None:
    found = compare(*pair, movers=most)
    assert [mover.subject_id for mover in found.movers] == ["s2", "s4", "s5"][:most]
    assert found.moved == 3


def test_causes_are_summed_over_all_movers_whatever_is_listed(pair: tuple[RunFolder, RunFolder]) -> None:
    for most in (0, 100):
        assert compare(*pair, movers=most).causes == (("suits_lost", 2, 0), ("complaints", 1, -5_000))


def test_the_matrix_holds_all_grades_in_order_and_only_rows_with_subjects(pair: tuple[RunFolder, RunFolder]) -> None:
    found = compare(*pair)
    assert found.grades_before == found.grades_after == ("A", "B", "C", "D", "N", "O")
    assert list(transition_rows(found)) == [("A", [1, 1, 0, 0, 0, 0]), ("B", [0, 1, 0, 0, 1, 0]), ("C", [0, 1, 0, 0, 0, 0])]


def test_a_run_compared_with_itself_moves_nobody(pair: tuple[RunFolder, RunFolder]) -> None:
    found = compare(pair[0], pair[0])
    assert (found.moved, found.movers, found.causes, found.only_before, found.only_after) == (0, (), (), 0, 0)
    assert found.workload_before == found.workload_after


def test_runs_without_a_common_subject_are_compared_too(tmp_path: Path) -> None:
    one, other = run_of(tmp_path / "1", {"a": ("A", 1, {})}), run_of(tmp_path / "2", {"b": ("A", 1, {})})
    found = compare(one, other)
    assert (found.transitions, found.only_before, found.only_after) == ({}, 1, 1)


def test_empty_runs_are_compared_too(tmp_path: Path) -> None:
    found = compare(run_of(tmp_path / "1", {}), run_of(tmp_path / "2", {}))
    assert (found.transitions, found.moved, found.workload_after.total) == ({}, 0, 0)


def test_runs_may_lie_in_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    assert compare(run_of(folder / "1", BEFORE), run_of(folder / "2", AFTER)).moved == 3


def test_the_workload_is_the_share_of_each_grade_and_the_checks_of_agencies(tmp_path: Path) -> None:
    """1 % of A, 2 % of B, 10 % of C, 30 % of D, and two checks a year of every agency in D."""
    counts = {"A": 100, "B": 50, "C": 7, "D": 10, "N": 3}
    subjects = {f"{grade}{number:03}": (grade, 1, {}) for grade, count in counts.items() for number in range(count)}
    masks = {"D000": AGENCY, "D001": AGENCY | 1, "D002": 1, "A000": AGENCY}
    run = run_of(tmp_path / "run", subjects, masks)
    found = workload(BOOK.at(AS_OF), run.path / "grades.parquet")
    assert found.by_grade == {"A": Fraction(1), "B": Fraction(1), "C": Fraction(7, 10), "D": Fraction(3) + 2 * 2}
    assert found.total == Fraction(97, 10)


def test_the_workload_is_exact_not_rounded(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"one": ("A", 1, {})})
    assert workload(BOOK.at(AS_OF), run.path / "grades.parquet").by_grade["A"] == Fraction(1, 100)
