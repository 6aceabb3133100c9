"""What was typed is kept where the session or the confirmation of the password has ended, and is sent again only by a click."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest
from django.test import Client as Browser

from zhixin_web.accounts.demonstration_people import PASSWORD
from zhixin_web.accounts.held_request import MOST_CHARACTERS, SECONDS
from zhixin_web.accounts.models import User
from zhixin_web.records.models import Subject
from zhixin_web.workspace.models import SubjectNote

pytestmark = pytest.mark.django_db
WORDS = "第一行 & <b>\n第二行"


@pytest.fixture
def browser(people: Any) -> Browser:
    made = Browser()
    made.login(username="city", password=PASSWORD)
    return made


def age(browser: Browser, **keys: int) -> None:
    session = browser.session
    for key, seconds in keys.items():
        session[key] = int(time.time()) - seconds
    session.save()


def kept(browser: Browser) -> tuple[str, dict[str, str]]:
    """Where the form of the page goes, and its fields."""
    text = browser.get("/c/continue").content.decode()
    form = re.search(r'<form method="post" action="([^"]+)" data-once>(.*?)</form>', text, re.DOTALL)
    assert form is not None
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[2], re.DOTALL)
    return form[1], {name: html.unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def test_what_needs_the_password_again_is_sent_after_it(browser: Browser, subjects: list[Subject], people: Any) -> None:
    address = f"/c/subjects/{subjects[0].code}/determination"
    form = {"conduct": "x", "document": "（虚构）一号", "text": WORDS}
    age(browser, confirmed=10_000)
    asked = browser.post(address, form)
    assert asked["Location"] == "/c/confirm?next=%2Fc%2Fcontinue"
    assert browser.post("/c/confirm", {"password": PASSWORD, "next": "/c/continue"})["Location"] == "/c/continue"
    assert kept(browser) == (address, form)
    sent = browser.post(address, form)
    assert sent.status_code == 422, "it was looked at, and its own faults are shown"
    assert html.escape(WORDS) in sent.content.decode().replace("\r\n", "\n")
    assert browser.get("/c/continue").status_code == 302, "what was sent is let go"


def test_what_was_typed_when_the_session_ended_is_sent_after_signing_in(browser: Browser, subjects: list[Subject]) -> None:
    address = f"/c/subjects/{subjects[0].code}/note"
    age(browser, seen=100_000, started=100)
    sent = browser.post(address, {"text": WORDS})
    assert sent["Location"] == "/c/sign-in?next=%2Fc%2Fcontinue"
    assert not SubjectNote.objects.exists()
    entered = browser.post("/c/sign-in", {"username": "city", "password": PASSWORD, "next": "/c/continue"})
    assert entered["Location"] == "/c/continue"
    place, fields = kept(browser)
    browser.post(place, fields)
    assert SubjectNote.objects.get().text.splitlines() == WORDS.splitlines()


def test_nobody_else_is_shown_what_was_typed(browser: Browser, subjects: list[Subject]) -> None:
    age(browser, seen=100_000, started=100)
    browser.post(f"/c/subjects/{subjects[0].code}/note", {"text": WORDS})
    browser.post("/c/sign-in", {"username": "approver", "password": PASSWORD})
    assert browser.get("/c/continue").status_code == 302


@pytest.mark.parametrize(("seconds", "is_kept"), [(SECONDS - 5, True), (SECONDS + 5, False)])
def test_it_is_kept_for_a_quarter_of_an_hour(browser: Browser, subjects: list[Subject], seconds: int, is_kept: bool) -> None:
    age(browser, confirmed=10_000)
    browser.post(f"/c/subjects/{subjects[0].code}/determination", {"text": WORDS})
    session = browser.session
    session["held"] = session["held"] | {"at": int(time.time()) - seconds}
    session.save()
    assert (browser.get("/c/continue").status_code == 200) == is_kept


@pytest.mark.parametrize(
    "form", [{"text": "a" * (MOST_CHARACTERS + 1)}, {"new_password": "geheim", "text": "x"}], ids=["too long", "a password"]
)
def test_what_is_too_long_or_a_secret_is_not_kept(browser: Browser, subjects: list[Subject], form: dict[str, str]) -> None:
    age(browser, confirmed=10_000)
    answer = browser.post(f"/c/subjects/{subjects[0].code}/determination", form, HTTP_REFERER="/c/subjects")
    assert answer["Location"] == "/c/confirm?next=%2Fc%2Fsubjects"
    assert "held" not in browser.session


def test_a_page_that_is_too_old_says_so_and_shows_what_was_typed(people: Any, subjects: list[Subject]) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="city"), backend="django.contrib.auth.backends.ModelBackend")
    answer = strict.post(f"/c/subjects/{subjects[0].code}/note", {"text": WORDS, "password": "geheim geheim"})
    shown = answer.content.decode()
    assert answer.status_code == 403
    assert "页面已过期，没有提交" in shown
    assert html.escape(WORDS) in shown
    assert "geheim" not in shown
    assert not SubjectNote.objects.exists()
