"""District, unit, enterprise: each sees its own and nothing of the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from zhixin_web.audit.models import Event
from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.records.models import CreditRecord, Subject

PERSONAL = "410105199001011234"


def _as(people: Any, username: str) -> Browser:
    browser = Browser()
    browser.force_login(people[username])
    return browser


@pytest.mark.parametrize("username", ["district", "inspector"])
def test_a_district_sees_its_own_subjects_only(subjects: list[Subject], people: Any, username: str) -> None:
    browser = _as(people, username)
    for subject in subjects:
        expected = 200 if subject.district == "410105" else 404
        assert browser.get(f"/c/subjects/{subject.code}").status_code == expected
        assert browser.get(f"/c/subjects/{subject.code}/why").status_code == expected


def test_an_enterprise_sees_itself_only(subjects: list[Subject], people: Any) -> None:
    browser = _as(people, "enterprise")
    page = browser.get("/my/").content.decode()
    assert subjects[0].name in page
    assert subjects[1].name not in page
    assert browser.get(f"/c/subjects/{subjects[0].code}").status_code == 403


def test_records_follow_their_subject(subjects: list[Subject], people: Any, take: Any, penalty: Any) -> None:
    take("penalties", penalty(*[(item.code, item.name, f"罚{n}") for n, item in enumerate(subjects)]))
    for record in CreditRecord.objects.select_related("subject"):
        assert _as(people, "enterprise").get(f"/my/records/{record.seq}").status_code == (
            200 if record.subject == subjects[0] else 404
        )


def test_a_member_unit_sees_batches_of_its_own_sources(subjects: Any, people: Any, take: Any, penalty: Any) -> None:
    mine = take("penalties", penalty(("", "x", "罚1")))
    other = take("judgments", "案号,企业名称,裁判结果,审理法院,裁判日期\n1,x,侵权败诉,y,2026-01-01")
    browser = _as(people, "department")
    assert browser.get(f"/c/batches/{mine.pk}").status_code == 200
    assert browser.get(f"/c/batches/{other.pk}").status_code == 404
    assert browser.get("/c/sources/judgments").status_code == 404
    row = QuarantinedRow.objects.get(batch=other)
    assert browser.get(f"/c/quarantine/{row.pk}").status_code == 404
    assert browser.post(f"/c/batches/{other.pk}/undo", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("username", ["city", "approver", "auditor", "department"])
def test_personal_data_is_masked_and_shown_only_with_a_reason(
    subjects: list[Subject], people: Any, take: Any, penalty: Any, username: str
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), 法定代表人证件号码=PERSONAL))
    record = CreditRecord.objects.get()
    browser = _as(people, username)
    page = browser.get(f"/c/records/{record.seq}").content.decode()
    assert PERSONAL not in page
    assert "410***" in page
    answer = browser.post(f"/c/records/{record.seq}/unmask", {"reason": "核实身份"})
    if username in ("city", "approver"):
        assert PERSONAL in answer.content.decode()
        event = Event.objects.get(action="records.unmask")
        assert (event.by.username, event.detail["reason"], PERSONAL in str(event.detail)) == (username, "核实身份", False)
        assert browser.post(f"/c/records/{record.seq}/unmask", {"reason": " "}).status_code == 302
    else:
        assert answer.status_code == 403


def test_each_reading_of_a_subject_is_one_event(subjects: list[Subject], people: Any) -> None:
    _as(people, "city").get(f"/c/subjects/{subjects[0].code}")
    assert list(Event.objects.filter(action="subjects.view").values_list("ref", "by__username")) == [
        (subjects[0].code, "city")
    ]


def test_no_list_page_shows_personal_data(subjects: list[Subject], people: Any, take: Any, penalty: Any) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), 法定代表人证件号码=PERSONAL))
    browser = _as(people, "city")
    for address in (
        "/c/",
        "/c/subjects",
        f"/c/subjects/{subjects[0].code}",
        "/c/batches",
        "/c/ledger",
        "/c/quarantine",
        "/c/match",
    ):
        assert PERSONAL not in browser.get(address).content.decode(), address
