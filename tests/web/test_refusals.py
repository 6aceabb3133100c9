"""A form of the console whose act is done leads on; one whose act is refused leads back and says why."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from zhixin_web.evaluations.models import Run
from zhixin_web.governance.models import Consultation, Draft, Panel, WhatIf
from zhixin_web.governance.services import drafts as services
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.models import RulebookRelease


@pytest.fixture
def draft(release: RulebookRelease, people: Any) -> Draft:
    return services.open_draft(release, title="测试", by=people["city"])


def post(browser: Any, address: str, **fields: str) -> tuple[str, list[str]]:
    """Post a form; return where it leads and what is said there."""
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    answer = browser.post(address, fields, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.redirect_chain[0][0], [str(message) for message in answer.context["messages"]]


def test_a_new_draft(browser_of: Any, release: RulebookRelease) -> None:
    browser = browser_of("city")
    address, said = post(browser, "/c/drafts/new", base=str(release.pk), title="")
    assert (address, said) == ("/c/rulebooks", ["请填写名称"])
    address, _said = post(browser, "/c/drafts/new", base=str(release.pk), title="草案")
    assert address == f"/c/drafts/{Draft.objects.get().pk}"


def test_the_difference_of_a_draft(browser_of: Any, draft: Draft) -> None:
    browser = browser_of("city")
    assert browser.get(f"/c/drafts/{draft.pk}/difference").status_code == 200
    Draft.objects.update(text="id: [")
    assert browser.get(f"/c/drafts/{draft.pk}/difference")["Location"] == f"/c/drafts/{draft.pk}"


def test_a_what_if(browser_of: Any, draft: Draft, released: Run) -> None:
    address, _said = post(browser_of("city"), f"/c/drafts/{draft.pk}/what-if")
    assert address == f"/c/what-if/{WhatIf.objects.get().pk}"


def test_a_consultation(browser_of: Any, draft: Draft) -> None:
    browser, day = browser_of("city"), timezone.localdate() + timedelta(days=60)
    address, said = post(browser, f"/c/drafts/{draft.pk}/consult", title="", explanation="", closes_on=day.isoformat())
    assert address == f"/c/drafts/{draft.pk}"
    assert said
    fields = {"title": "征求意见", "explanation": "起草说明：为测试而开", "closes_on": day.isoformat()}
    address, said = post(browser, f"/c/drafts/{draft.pk}/consult", **fields)
    assert (address, said) == (f"/c/consultations/{Consultation.objects.get().pk}", ["已公开征求意见"])


def test_a_panel_of_experts(browser_of: Any, draft: Draft, released: Run) -> None:
    browser = browser_of("city")
    address, said = post(browser, f"/c/drafts/{draft.pk}/panel", title="", share="50")
    assert address == f"/c/drafts/{draft.pk}"
    assert said
    address, _said = post(browser, f"/c/drafts/{draft.pk}/panel", title="第一轮", share="50")
    assert address == f"/c/panels/{Panel.objects.get().pk}"


def test_a_state_of_a_record(browser_of: Any, subjects: Any, take: Any, penalty: Any) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号")))
    record, browser = CreditRecord.objects.get(), browser_of("city")
    address, said = post(browser, f"/c/records/{record.pk}/change", state="repaired", on="2026-08-02", basis="")
    assert address == f"/c/records/{record.pk}"
    assert said
    on = timezone.localdate().isoformat()
    address, said = post(browser, f"/c/records/{record.pk}/change", state="revoked", on=on, basis="（虚构）撤销1号")
    assert address == f"/c/records/{CreditRecord.objects.latest('pk').pk}" != f"/c/records/{record.pk}"
    assert len(said) == 1


def test_a_roll_back(browser_of: Any, released: Run) -> None:
    address, said = post(browser_of("city"), f"/c/runs/{released.pk}/roll-back", reason="")
    assert address == f"/c/runs/{released.pk}"
    assert said
