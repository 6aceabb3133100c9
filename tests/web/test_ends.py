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


@pytest.mark.parametrize(("day", "count"), [("2029-11-01", 0), ("2029-11-02", 1), ("2029-11-03", 0)])
def test_a_listing_ends_on_the_day_it_is_removed(subjects: list[Subject], take: Any, day: str, count: int) -> None:
    line = f"{subjects[0].code},{subjects[0].name},（虚构）列1号,（虚构）事由,2026-11-02,2029-11-02,（虚构）机关"
    take("serious_list", LISTED + line)
    noted(date.fromisoformat(day))
    assert len(entries("validity.end")) == count
