"""What changes a grade is followed at once, whichever way it came: a mended row, a repair or revocation entered on a record page."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.release import release_run
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db
HEAD = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n"


@pytest.fixture
def browser(people: Any) -> Browser:
    """A city officer who has just confirmed the password."""
    made = Browser()
    made.force_login(people["city"])
    session = made.session
    session["confirmed"] = int(time.time())
    session.save()
    return made


@pytest.fixture
def subject(released: Run) -> Subject:
    found = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert found is not None
    return found


def grade(subject: Subject) -> str:
    return CurrentGrade.objects.get(subject=subject).grade


def line(subject: Subject, number: int, day: str) -> str:
    return f"{subject.code},{subject.name},（虚构）列{number}号,虚构,{day},虚构机关\n"


def test_a_listing_that_is_mended_in_the_quarantine_is_evaluated(
    browser: Browser, subject: Subject, take: Any, people: Any
) -> None:
    take("serious_list", HEAD + line(subject, 1, "2026-02-30"))
    row = QuarantinedRow.objects.get()
    sent = browser.post(f"/c/quarantine/{row.pk}", row.cells | {"listed_on": "2026-11-02", "decided_on": "2026-11-02"})
    assert sent.status_code == 302
    run = Run.objects.get(kind=Run.Kind.EVENT)
    assert (run.only, run.status) == ([subject.code], Run.Status.PROPOSED)
    release_run(run, people["approver"])
    assert grade(subject) == "D"


def test_each_row_that_is_mended_later_is_answered(browser: Browser, released: Run, take: Any) -> None:
    two = list(Subject.objects.filter(current__grade="B").order_by("code")[:2])
    today = timezone.localdate().isoformat()
    take("serious_list", HEAD + line(two[0], 1, today) + line(two[1], 2, "2026-02-30"))
    row = QuarantinedRow.objects.get()
    browser.post(f"/c/quarantine/{row.pk}", row.cells | {"listed_on": today, "decided_on": today})
    runs = Run.objects.filter(kind=Run.Kind.EVENT).order_by("pk")
    assert {code for run in runs.exclude(status=Run.Status.CANCELLED) for code in run.only} == {item.code for item in two}


def test_a_revocation_entered_on_the_record_page_gives_the_grade_back(
    browser: Browser, subject: Subject, take: Any, people: Any, answer: Any
) -> None:
    answer(take("serious_list", HEAD + line(subject, 1, timezone.localdate().isoformat())))
    assert grade(subject) == "D"
    record = CreditRecord.objects.get(subject=subject, kind="list.serious")
    form = {"state": "revoked", "on": timezone.localdate().isoformat(), "basis": "（虚构）复议决定1号"}
    browser.post(f"/c/records/{record.seq}/change", form)
    assert grade(subject) == "B"
    assert [row.broken for row in check() if row.broken] == []


@pytest.mark.parametrize("basis", ["郑市监信修〔2026〕1号", "根据郑市监信异［2026］3号"])
def test_a_number_of_the_own_cases_is_no_basis_on_the_record_page(
    browser: Browser, subject: Subject, take: Any, penalty: Any, basis: str
) -> None:
    take("penalties", penalty((subject.code, subject.name, "（虚构）罚1号")))
    record = CreditRecord.objects.get()
    form = {"state": "revoked", "on": timezone.localdate().isoformat(), "basis": basis}
    shown = browser.post(f"/c/records/{record.seq}/change", form, follow=True).content.decode()
    assert "属于本局办件文书的编号" in shown
    assert CreditRecord.objects.count() == 1
