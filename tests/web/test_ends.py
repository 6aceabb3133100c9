"""Ends that come by themselves stand in the ledger on their day, each once, whatever the clock has missed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import CreditRecord, NotedEnds, Subject
from zhixin_web.records.queries import published_records
from zhixin_web.records.services.ends import note_ends
from zhixin_web.records.services.repair_and_revocation import change_record

pytestmark = pytest.mark.django_db
LISTED = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,移出日期,列入机关\n"


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    """A penalty that is published until some day."""
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期="2026-03-02"))
    return CreditRecord.objects.get()


def noted(day: date) -> list[str]:
    with mock.patch.object(timezone, "localdate", return_value=day):
        return list(note_ends())


def entries(kind: str) -> list[dict[str, Any]]:
    found = LedgerEntry.objects.filter(kind=kind).order_by("seq").values("seq")
    return [json.loads(body) for body in SealedBody.objects.filter(seq__in=found).values_list("body", flat=True)]


@pytest.mark.parametrize(("after", "count"), [(-1, 0), (0, 1), (1, 0)])
def test_a_publication_ends_on_its_day(record: CreditRecord, after: int, count: int) -> None:
    assert record.publicity_until is not None
    day = record.publicity_until + timedelta(days=after)
    assert len(noted(day)) == count, "the first time begins with its own day"
    assert len(entries("publication.end")) == count
    assert published_records(record.publicity_until).count() == 0
    assert published_records(record.publicity_until - timedelta(days=1)).count() == 1


def test_each_end_is_entered_once_and_what_the_clock_missed_on_its_own_day(record: CreditRecord, people: Any) -> None:
    assert record.publicity_until is not None
    noted(record.publicity_until - timedelta(days=3))
    noted(record.publicity_until + timedelta(days=5))
    noted(record.publicity_until + timedelta(days=5))
    noted(record.publicity_until + timedelta(days=6))
    assert entries("publication.end") == [{"record": record.seq, "on": record.publicity_until.isoformat()}]
    assert NotedEnds.objects.get().day == record.publicity_until + timedelta(days=6)
    assert [row.broken for row in check() if row.broken] == []
    browser = Browser()
    browser.force_login(people["city"])
    assert "到期自行终止" in browser.get(f"/c/records/{record.seq}").content.decode()


def test_what_was_revoked_before_does_not_end_again(record: CreditRecord, people: Any) -> None:
    assert record.publicity_until is not None
    change_record(record, state="revoked", on=timezone.localdate(), basis="（虚构）撤销一号", by=people["city"])
    noted(record.publicity_until)
    assert entries("publication.end") == []
    assert LedgerEntry.objects.filter(kind="publication.withdraw").count() == 1


@pytest.mark.parametrize(("day", "count"), [("2029-11-02", 0), ("2029-11-03", 1), ("2029-11-04", 0)])
def test_a_listing_ends_after_its_last_day(subjects: list[Subject], take: Any, day: str, count: int) -> None:
    line = f"{subjects[0].code},{subjects[0].name},（虚构）列1号,（虚构）事由,2026-11-02,2029-11-02,（虚构）机关"
    take("serious_list", LISTED + line)
    noted(date.fromisoformat(day))
    assert len(entries("validity.end")) == count


def listing(subject: Subject, until: str) -> str:
    return LISTED + f"{subject.code},{subject.name},（虚构）列1号,（虚构）事由,2026-11-02,{until},（虚构）机关"


@pytest.mark.parametrize(("until", "count"), [("2026-12-09", 1), ("2026-12-10", 1), ("2026-12-11", 0)])
def test_a_term_that_a_correction_moves_into_the_past_ends_too(
    subjects: list[Subject], take: Any, until: str, count: int
) -> None:
    """What a tick has looked at is 10 December; the correction comes after it on the same day."""
    take("serious_list", listing(subjects[0], "2029-11-02"))
    noted(date(2026, 12, 10))
    with mock.patch.object(timezone, "localdate", return_value=date(2026, 12, 10)):
        take("serious_list", listing(subjects[0], until), is_correction=True)
    noted(date(2026, 12, 11))
    day = date.fromisoformat(until) + timedelta(days=1)
    assert [item["on"] for item in entries("validity.end")] == [day.isoformat()] * count
    noted(date(2026, 12, 12))
    noted(date(2026, 12, 13))
    assert len(entries("validity.end")) == 1


def test_what_was_over_when_it_was_delivered_or_corrected_has_no_second_end(subjects: list[Subject], take: Any) -> None:
    noted(date(2026, 11, 20))
    take("serious_list", listing(subjects[0], "2026-11-10"))
    noted(date(2026, 11, 28))
    take("serious_list", listing(subjects[0], "2026-11-11"), is_correction=True)
    noted(date(2026, 11, 29))
    assert entries("validity.end") == []


def test_a_record_whose_term_is_over_says_so(subjects: list[Subject], take: Any, browser_of: Any) -> None:
    today = timezone.localdate()
    for number, until in enumerate((today - timedelta(days=1), today)):
        take("serious_list", listing(subjects[number], until.isoformat()))
    shown = [
        browser_of("city").get(f"/c/records/{item.seq}").content.decode() for item in CreditRecord.objects.order_by("seq")
    ]
    assert ["期限已满" in text for text in shown] == [True, False]
