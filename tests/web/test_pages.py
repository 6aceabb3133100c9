"""Every address × role × method: the permission table and nothing else decides; no page fails."""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver

from zhixin_web.accounts.demonstration_people import PEOPLE
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import ACTIONS, ANYONE, SIGNED_IN, may

USERNAMES = [name for name, *_ in PEOPLE]
METHODS = ("get", "post")
OTHER_METHODS = () if "DATABASE_URL" in os.environ else ("put", "patch", "delete")
"""Refused before they reach a database, after the permission: one role that may most and one that may least are enough."""
VALUES = {
    "old": "999999",
    "new": "999998",
    "name": "records.csv",
    "pk": "999999",
    "seq": "0",
    "code": "X",
    "source": "penalties",
    "form": "json",
    "kind": "results",
    "draw_id": "none",
    "position": "0",
    "procedure": "repair",
    "file": "999999",
    "sha256": "0" * 64,
    "key": "pilot/none",
}


def _patterns(resolver: URLResolver, prefix: str = "/") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for item in resolver.url_patterns:
        route = prefix + str(item.pattern)
        found += _patterns(item, route) if isinstance(item, URLResolver) else [(route, item)]
    return found


PATTERNS: list[tuple[str, URLPattern]] = _patterns(get_resolver())


def _address(route: str) -> str:
    for converter in ("int:", "str:", "slug:", "path:"):
        route = route.replace("<" + converter, "<")
    for name, value in VALUES.items():
        route = route.replace(f"<{name}>", value)
    assert "<" not in route, route
    return route


def test_every_view_declares_what_it_needs() -> None:
    for route, pattern in PATTERNS:
        permission = getattr(pattern.callback, "permission", None)
        assert permission in ACTIONS or permission in (ANYONE, SIGNED_IN), f"{route} declares nothing"


@pytest.mark.parametrize(
    ("method", "username"),
    [*product(METHODS, USERNAMES), *product(OTHER_METHODS, ("city", "enterprise"))],
)
def test_every_address_by_role_and_method(people: dict[str, User], settings: Any, username: str, method: str) -> None:
    settings.DEMO = True
    user = people[username]
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    for route, pattern in PATTERNS:
        if route in ("/c/sources", "/c/password"):  # after the doors that sign out or change the session
            browser.force_login(user)
        answer = getattr(browser, method)(_address(route))
        permission = pattern.callback.permission  # type: ignore[attr-defined]
        assert answer.status_code < 500, f"{username} {method} {route}: {answer.status_code}"
        if permission in (ANYONE, SIGNED_IN) or may(user, permission):
            assert answer.status_code != 403, f"{username} {method} {route} should be allowed"
        else:
            assert answer.status_code == 403, f"{username} {method} {route} gave {answer.status_code}"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_reaches_the_doors_and_public_proofs_only(people: dict[str, User], method: str) -> None:
    for route, pattern in PATTERNS:
        answer = getattr(Browser(), method)(_address(route))
        if pattern.callback.permission != ANYONE:  # type: ignore[attr-defined]
            assert answer.status_code == 302, route
            assert answer["Location"].startswith("/c/sign-in?next="), route


def test_a_form_without_its_token_is_refused(people: dict[str, User]) -> None:
    for route, _pattern in PATTERNS:
        if route.startswith("/api/"):
            continue
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(people["city"])
        assert browser.post(_address(route)).status_code in (403, 405), route
