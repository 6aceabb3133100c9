"""Terms of a record of dishonesty: class, publication and repair, around the days on which they change."""

from __future__ import annotations

from datetime import date

import pytest

from shipped import shipped
from zhixin.explanation.articles import articles
from zhixin.law.publicity_and_repair import publication_of, repair_from, severity_of

RULEBOOK = shipped("zhengzhou-ip")
KIND = "penalty.trademark.infringement"
TURN = date(2026, 4, 1)


def publicity(severity: str | None, decided: date, published: date | None) -> tuple[date | None, date | None, date | None]:
    """Start, earliest end and end of the publication of a penalty."""
    found = publication_of(RULEBOOK, KIND, severity, decided, published)
    return (found.starts_on, found.earliest_end, found.ends_on) if found else (None, None, None)


@pytest.mark.parametrize(
    ("severity", "decided", "earliest", "latest"),
    [
        ("general", date(2026, 3, 31), date(2026, 9, 30), date(2029, 3, 31)),
        ("general", date(2026, 4, 1), date(2026, 7, 1), date(2027, 4, 1)),
        ("general", date(2026, 4, 2), date(2026, 7, 2), date(2027, 4, 2)),
        ("serious", date(2026, 3, 31), date(2027, 3, 31), date(2029, 3, 31)),
        ("serious", date(2026, 4, 1), date(2027, 4, 1), date(2029, 4, 1)),
        ("serious", date(2026, 4, 2), date(2027, 4, 2), date(2029, 4, 2)),
        ("minor", date(2026, 3, 31), date(2026, 3, 31), date(2026, 6, 30)),
        ("minor", date(2026, 4, 1), date(2026, 4, 1), date(2026, 7, 1)),
        ("minor", date(2026, 4, 2), date(2026, 4, 2), date(2026, 7, 2)),
    ],
)
def test_terms_around_the_first_of_april_2026(severity: str, decided: date, earliest: date, latest: date) -> None:
    assert publicity(severity, decided, decided) == (decided, earliest, latest)


@pytest.mark.parametrize(
    ("severity", "decided", "earliest", "latest"),
    [
        ("general", date(2025, 8, 31), date(2026, 2, 28), date(2028, 8, 31)),
        ("general", date(2023, 8, 31), date(2024, 2, 29), date(2026, 8, 31)),
        ("general", date(2026, 8, 31), date(2026, 11, 30), date(2027, 8, 31)),
        ("general", date(2026, 11, 30), date(2027, 2, 28), date(2027, 11, 30)),
        ("general", date(2028, 2, 29), date(2028, 5, 29), date(2029, 2, 28)),
        ("serious", date(2024, 2, 29), date(2025, 2, 28), date(2027, 2, 28)),
        ("minor", date(2026, 11, 30), date(2026, 11, 30), date(2027, 2, 28)),
    ],
)
def test_terms_that_begin_at_the_end_of_a_month(severity: str, decided: date, earliest: date, latest: date) -> None:
    assert publicity(severity, decided, decided) == (decided, earliest, latest)


def test_terms_run_from_the_decision_though_it_was_published_later() -> None:
    assert publicity("general", TURN, date(2026, 5, 1)) == (date(2026, 5, 1), date(2026, 7, 1), date(2027, 4, 1))


def test_the_rule_is_that_of_the_decision_though_it_was_published_under_the_next() -> None:
    assert publicity("general", date(2026, 3, 31), TURN) == (TURN, date(2026, 9, 30), date(2029, 3, 31))


@pytest.mark.parametrize("severity", ["general", "serious"])
def test_without_a_date_of_publication_it_begins_with_the_decision(severity: str) -> None:
    assert publicity(severity, TURN, None)[0] == TURN


def test_minor_information_that_was_not_published_is_not_published() -> None:
    assert publicity("minor", TURN, None) == (None, None, None)


@pytest.mark.parametrize("kind", ["judgment.won", "inspection.clean", "patent.invention", "no.such"])
def test_what_is_no_dishonesty_has_no_class_and_is_not_published(kind: str) -> None:
    assert severity_of(RULEBOOK, kind, "serious") is None
    assert publication_of(RULEBOOK, kind, "serious", TURN, TURN) is None


def test_a_penalty_whose_class_is_not_stated_is_general() -> None:
    assert severity_of(RULEBOOK, KIND, None) == "general"
    assert publicity(None, TURN, TURN) == publicity("general", TURN, TURN)


def test_minor_information_published_after_its_longest_term_is_not_shown_backwards() -> None:
    start, _, latest = publicity("minor", date(2026, 1, 1), date(2026, 6, 1))
    assert start is None or latest is None or start <= latest


@pytest.mark.parametrize(
    ("kind", "stated", "decided", "from_"),
    [
        (KIND, "general", date(2026, 3, 31), date(2026, 9, 30)),
        (KIND, "general", date(2026, 4, 1), date(2026, 7, 1)),
        (KIND, "general", date(2026, 4, 2), date(2026, 7, 2)),
        (KIND, "serious", date(2026, 4, 1), date(2027, 4, 1)),
        (KIND, "minor", date(2026, 4, 1), date(2026, 7, 1)),
        ("filing.abnormal_patent", None, date(2026, 4, 1), date(2026, 10, 1)),
        ("material.false", None, date(2026, 4, 1), date(2027, 4, 1)),
        ("list.serious", None, date(2026, 2, 28), date(2027, 2, 28)),
        ("enforcement.defaulter", None, TURN, None),
        ("judgment.lost", None, TURN, None),
        ("no.such", None, TURN, None),
    ],
)
def test_a_repair_waits_for_its_own_term_and_for_the_shortest_publication(
    kind: str, stated: str | None, decided: date, from_: date | None
) -> None:
    assert repair_from(RULEBOOK, kind, stated, decided) == from_


def test_a_changed_number_changes_article_and_term_alike() -> None:
    content = RULEBOOK.dump()
    general = next(item for item in content["terms"] if item["id"] == "general")
    general["publicity"]["max_months"]["values"]["2026-04-01"]["value"] = 5
    general["publicity"]["min_months"]["values"]["2026-04-01"]["value"] = 4
    changed = type(RULEBOOK).model_validate(content)
    found = publication_of(changed, KIND, None, TURN, None)
    assert found is not None
    assert (found.earliest_end, found.ends_on) == (date(2026, 8, 1), date(2026, 9, 1))
    assert repair_from(changed, KIND, None, TURN) == date(2026, 8, 1)
    lines = next(item for item in articles(changed, "zh") if item.key == "collection.terms").lines
    assert any("最长" in line and "5" in line for line in lines)
