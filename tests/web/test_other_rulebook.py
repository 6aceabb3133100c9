"""The whole site under a rulebook with other letters, kinds and classes: what is shown comes from the release in force."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.test import Client as Browser
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from zhixin.law.loading import loads_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.services.runs import execute, start_run
from zhixin_web.faces.portal.views import shares
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.services.approval import approve_rulebook, propose_rulebook

pytestmark = pytest.mark.django_db

LETTERS = {"A": "AAA", "B": "AA", "C": "BB", "D": "CC"}


def relettered(flagship: Rulebook) -> Rulebook:
    """The flagship as another city might have it: other grades, other titles of kinds and classes."""
    content = flagship.dump()

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: walk(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item, key) for item in value]
        if key in ("grade", "grades", "not_above", "held_grade") and value in LETTERS:
            return LETTERS[value]
        return value

    content = walk(content)
    for grade in content["ladder"]:
        grade["id"] = LETTERS[grade["id"]]
        grade["title"] = {"zh": f"{grade['id']}级（另城）", "en": f"{grade['id']} elsewhere"}
    for item in content["catalogue"]:
        item["title"] = {"zh": f"另城·{item['title']['zh']}", "en": f"elsewhere {item['title']['en']}"}
    for item in content["classes"]:
        item["title"] = {"zh": f"另类·{item['title']['zh']}", "en": f"other {item['title']['en']}"}
    content["id"] = "other-city"
    content["title"] = {"zh": "另城规则", "en": "rules of another city"}
    return loads_rulebook(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


@pytest.fixture
def other(people: Any, flagship: Rulebook) -> Any:
    return approve_rulebook(propose_rulebook(relettered(flagship), people["city"]), people["approver"])


@pytest.fixture
def graded(other: Any, take_under: Any, people: Any) -> list[Subject]:
    found = take_under(other)
    run = execute(start_run(other, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    run.refresh_from_db()
    release_run(run, people["approver"])
    return found


def test_the_home_page_counts_the_letters_of_the_release(graded: list[Subject]) -> None:
    text = Browser().get("/").content.decode()
    counts = {name: count for name, count, _share in shares(_counts())}
    assert set(counts) == set(LETTERS.values())
    assert sum(counts.values()) == CurrentGrade.objects.exclude(in_force__in=["N", "O"]).count() > 0
    for letter in counts:
        assert letter in text


def _counts() -> dict[str, int]:
    found: dict[str, int] = {}
    for grade in CurrentGrade.objects.values_list("in_force", flat=True):
        found[grade] = found.get(grade, 0) + 1
    return found


def test_grades_have_colours_and_shapes_by_their_place(graded: list[Subject]) -> None:
    from zhixin_web.presentation.templatetags.zhixin import grade_shape, grade_tone

    assert [grade_tone(letter) for letter in LETTERS.values()] == ["good", "info", "warn", "bad"]
    assert [grade_shape(letter) for letter in LETTERS.values()] == ["◆", "●", "▲", "■"]
    assert grade_tone("A") == "none"


def test_titles_of_kinds_and_classes_are_those_of_the_release(graded: list[Subject], browser_of: Any) -> None:
    text = browser_of("city").get("/c/subjects").content.decode()
    assert "另类·" in text
    text = Browser().get("/rules").content.decode()
    assert "另城" in text


def test_no_page_knows_a_letter_that_the_release_does_not_have(graded: list[Subject], browser_of: Any) -> None:
    code = graded[0].code
    for address in ("/", f"/e/{code}", f"/e/{code}/why", "/stats", "/fairness", "/measures", "/pub", "/data"):
        answer = Browser().get(address)
        assert answer.status_code == 200, address
        shown = re.findall(r'class="grade grade-(\w+)">.*?</span>\s*([^<]*)</span>', answer.content.decode(), re.S)
        assert not {letter.strip() for _tone, letter in shown} & set(LETTERS), address
    officer = browser_of("city")
    for address in ("/c/", "/c/subjects", f"/c/subjects/{code}", f"/c/subjects/{code}/why", f"/c/subjects/{code}/outlook",
                    "/c/runs", "/c/grades", "/c/rulebooks", "/c/styleguide"):  # fmt: skip
        answer = officer.get(address)
        assert answer.status_code == 200, address
        shown = re.findall(r'class="grade grade-(\w+)">.*?</span>\s*([^<]*)</span>', answer.content.decode(), re.S)
        assert not {letter.strip() for _tone, letter in shown} & set(LETTERS), address


def test_every_page_without_a_parameter_opens(graded: list[Subject], browser_of: Any) -> None:
    officer = browser_of("city")
    addresses = [
        str(item.pattern)
        for item in get_resolver("zhixin_web.faces.console.urls").url_patterns
        if isinstance(item, URLPattern)
    ]
    for address in addresses:
        if "<" not in address and not re.search(r"sign-|second-factor|password|confirm|language", address):
            assert officer.get(f"/c/{address}").status_code in (200, 302, 403, 404, 405), address
