"""Every mechanism found in published models that this release expresses has at least one spec."""

from __future__ import annotations

import pytest

from spec import (
    test_caps_and_dimensions,
    test_classes,
    test_dated_values,
    test_grades_and_decisions,
    test_measures,
    test_no_points_models,
    test_points,
    test_previous_results,
    test_record_exemptions_and_repair,
    test_records_and_windows,
    test_related_subjects,
    test_score_and_rounding,
)

LATER = {"M25", "M34", "M35", "M37", "M38"}
MECHANISMS = sorted({f"M{number:02}" for number in range(1, 53)} - LATER)
CHAPTERS = (
    test_records_and_windows,
    test_measures,
    test_points,
    test_caps_and_dimensions,
    test_score_and_rounding,
    test_grades_and_decisions,
    test_classes,
    test_previous_results,
    test_related_subjects,
    test_dated_values,
    test_record_exemptions_and_repair,
    test_no_points_models,
)
SPECS = [spec for chapter in CHAPTERS for spec in chapter.SPECS]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_mechanism_has_a_spec(mechanism: str) -> None:
    assert mechanism in {spec.mechanism for spec in SPECS} | set(test_grades_and_decisions.MECHANISMS)


def test_chapters_and_sentences_have_both_languages() -> None:
    for chapter in CHAPTERS:
        assert set(chapter.title) == {"zh", "en"}
    for spec in SPECS:
        assert spec.mechanism in MECHANISMS
        assert spec.zh.endswith("。")
        assert spec.en.endswith(".")
    assert len({spec.zh for spec in SPECS}) == len({spec.en for spec in SPECS}) == len(SPECS)
