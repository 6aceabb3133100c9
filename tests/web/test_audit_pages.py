"""Audit pages of the auditor: filters, and a table that is streamed without formulas and noted itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.audit.models import Event
from zhixin_web.audit.services.events import record_event


@pytest.fixture
def browser(people: Any) -> Browser:
    record_event("subjects.view", by=people["city"], ref="=cmd()")
    record_event("runs.start", by=people["approver"], ref="run:7")
    found = Browser()
    found.force_login(people["auditor"])
    return found


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ({"who": "city"}, {"subjects.view"}),
        ({"action": "runs."}, {"runs.start"}),
        ({"ref": "run:7"}, {"runs.start"}),
        ({"day": "2001-01-01"}, set()),
        ({"day": "nonsense"}, set()),
        ({"who": "\x00"}, None),
    ],
)
def test_events_are_found_by_account_action_object_and_day(browser: Browser, query: dict[str, str], actions: Any) -> None:
    page = browser.get("/c/audit", query)
    assert page.status_code == 200
    if actions is not None:
        assert {item.action for item in page.context["page"].items} == actions


def test_the_events_of_today_are_there(browser: Browser) -> None:
    page = browser.get("/c/audit", {"day": timezone.localdate().isoformat()})
    assert {"subjects.view", "runs.start"} <= {item.action for item in page.context["page"].items}


def test_the_table_has_no_formulas_and_taking_it_out_is_noted(browser: Browser) -> None:
    answer = browser.get("/c/audit.csv", {"who": "city"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert "'=cmd()" in lines[1]
    assert Event.objects.filter(action="audit.export").count() == 1


def test_nobody_but_the_auditor_sees_them(people: Any, browser: Browser) -> None:
    for name in ("city", "system", "security", "approver"):
        other = Browser()
        other.force_login(people[name])
        assert other.get("/c/audit.csv").status_code == 403
