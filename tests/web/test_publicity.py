"""Publication: begins and ends by itself, stops with repair; three dates are kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from zhixin_web.audit.models import LedgerEntry
from zhixin_web.collection.services import batches as services
from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import known_at, published_records
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    take(
        "penalties",
        penalty(
            (subjects[0].code, subjects[0].name, "罚1"),
            处罚决定日期="2026-05-10",
            公示日期="2026-05-17",
            违法行为发生日期="2026-03-01",
        ),
    )
    return CreditRecord.objects.get()


def test_three_dates_and_the_terms_of_its_class_are_stored(record: CreditRecord) -> None:
    assert [record.document_on, record.decided_on, record.published_on] == [
        date(2026, 5, 10),
        date(2026, 5, 10),
        date(2026, 5, 17),
    ]
    assert [record.publicity_from, record.publicity_min_until, record.publicity_until] == [
        date(2026, 5, 17),
        date(2026, 8, 10),
        date(2027, 5, 10),
    ]


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 5, 16), False),
        (date(2026, 5, 17), True),
        (date(2027, 5, 9), True),
        (date(2027, 5, 10), False),
        (date(2030, 1, 1), False),
    ],
)
def test_publication_begins_on_its_day_and_stops_by_itself_at_the_maximum(
    record: CreditRecord, day: date, shown: bool
) -> None:
    assert published_records(day).exists() is shown


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_repair_and_revocation_end_publication_at_once_and_keep_the_old_version(
    record: CreditRecord, people: Any, state: str
) -> None:
    change_record(record, state=state, on=date(2026, 11, 20), basis="决定1号", by=people["city"])
    assert not published_records(date(2026, 11, 24)).exists()
    assert list(CreditRecord.objects.order_by("version").values_list("state", flat=True)) == ["active", state]
    assert LedgerEntry.objects.filter(kind="publication.withdraw").count() == 1
    assert [item.state for item in known_at(record.subject, record.seq)] == ["active"], "as it was known before"


def test_what_is_published_no_longer_is_not_withdrawn_from_publication(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), 处罚决定日期="2021-05-10"))
    record = CreditRecord.objects.get()
    assert not record.is_published_on(timezone.localdate())
    change_record(record, state="revoked", on=date(2026, 11, 20), basis="决定1号", by=people["city"])
    assert not LedgerEntry.objects.filter(kind="publication.withdraw").exists()


def test_a_batch_that_is_taken_back_ends_the_publication_of_its_records(record: CreditRecord, people: Any) -> None:
    reverse_batch(record.batch, people["city"], "（虚构）录入有误")
    assert LedgerEntry.objects.filter(kind="publication.withdraw").count() == 1
    assert not published_records(timezone.localdate()).exists()


def test_only_the_active_last_version_can_be_changed(record: CreditRecord, people: Any) -> None:
    change_record(record, state="repaired", on=date(2026, 11, 20), basis="决定1号", by=people["city"])
    with pytest.raises(services.ValidationError):
        change_record(record, state="revoked", on=date(2026, 11, 21), basis="决定2号", by=people["city"])


def test_an_active_record_is_not_erased(record: CreditRecord, people: Any) -> None:
    with pytest.raises(services.ValidationError):
        erase_record(record, basis="x", by=people["city"])


def test_a_record_that_a_correction_gives_to_another_is_known_of_that_one(take: Any, subjects: list[Subject]) -> None:
    head = "统一社会信用代码,企业名称,商标注册号,登记事项,公告日,有效期至,核定类别数\n"
    first, second = subjects[:2]
    take("trademark_register", f"{head}{first.code},{first.name},12345678,注册,2026-01-05,,1\n")
    before = CreditRecord.objects.get()
    take("trademark_register", f"{head}{second.code},{second.name},12345678,注册,2026-01-05,,1\n", is_correction=True)
    after = CreditRecord.objects.order_by("-seq").first()
    assert after is not None
    assert [known_at(item, after.seq) for item in (first, second)] == [[], [after]]
    assert [known_at(item, before.seq) for item in (first, second)] == [[before], []]
