"""The law comes from the released rulebook alone: a changed number in a release changes what every page and clock says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.utils import timezone

from shipped import shipped
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import Run
from zhixin_web.jobs import tick
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import published_records
from zhixin_web.records.services.reapply_law import apply_law_in_force, law_is_applied
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.document import rules_document
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import approve_rulebook, propose_rulebook

pytestmark = pytest.mark.django_db


def released(rulebook: Rulebook, people: Any) -> RulebookRelease:
    return approve_rulebook(propose_rulebook(rulebook, people["city"]), people["approver"])


def changed(rulebook: Rulebook, **parts: Any) -> Rulebook:
    return type(rulebook).model_validate(rulebook.dump() | parts)


def with_terms(rulebook: Rulebook, least: int, most: int) -> Rulebook:
    terms = rulebook.dump()["terms"]
    general = next(item for item in terms if item["id"] == "general")["publicity"]
    general["min_months"]["values"]["2026-04-01"]["value"] = least
    general["max_months"]["values"]["2026-04-01"]["value"] = most
    return changed(rulebook, terms=terms)


def with_days(rulebook: Rulebook, name: str, days: int) -> Rulebook:
    deadlines = rulebook.dump()["deadlines"]
    next(item for item in deadlines if item["id"] == name)["term"] = days
    return changed(rulebook, deadlines=deadlines)


@pytest.fixture
def decided() -> date:
    return timezone.localdate() - timedelta(days=30)


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any, decided: date) -> CreditRecord:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), 处罚决定日期=decided.isoformat()))
    return CreditRecord.objects.get()


def page(address: str) -> str:
    return Browser().get(address).content.decode()


def test_a_release_with_other_terms_moves_what_is_published_already(
    record: CreditRecord, people: Any, flagship: Rulebook
) -> None:
    before = record.publicity_until
    released(with_terms(flagship, 4, 5), people)
    assert not law_is_applied()
    assert list(apply_law_in_force())
    record.refresh_from_db()
    law = law_in_force().publication(record.kind, None, record.decided_on, None)
    assert law is not None
    assert (record.publicity_min_until, record.publicity_until) == (law.earliest_end, law.ends_on)
    assert record.publicity_until < before  # type: ignore[operator]
    assert record.publicity_until.isoformat() in page(f"/e/{record.subject.code}/r/{record.seq}")  # type: ignore[union-attr]


def test_applying_the_law_again_changes_nothing(record: CreditRecord, people: Any) -> None:
    list(apply_law_in_force())
    assert law_is_applied()
    assert list(apply_law_in_force()) == []


def test_a_release_that_publishes_for_no_time_ends_what_is_published(
    record: CreditRecord, people: Any, flagship: Rulebook
) -> None:
    assert published_records(timezone.localdate()).count() == 1
    released(with_terms(flagship, 0, 0), people)
    list(apply_law_in_force())
    assert published_records(timezone.localdate()).count() == 0


def test_the_text_of_the_rules_says_the_changed_number(people: Any, release: Any, flagship: Rulebook) -> None:
    found = released(with_terms(flagship, 4, 5), people)
    text = page(f"/rules/{found.pk}")
    assert "最短 3 个月" not in text
    assert "2026-04-01 起 5" in text or "5 个月" in text
    assert rules_document(with_terms(flagship, 4, 5), "docx", "https://x.example/v/", timezone.localdate())[2]


def test_a_clock_counts_the_days_of_the_release(people: Any, release: Any, flagship: Rulebook) -> None:
    today = timezone.localdate()
    assert clock("report.answer", today).days == 7
    released(with_days(flagship, "report.answer", 9), people)
    found = clock("report.answer", today)
    assert (found.days, len(found.counted)) == (9, 9)


def test_the_form_of_a_report_says_the_changed_deadline(record: CreditRecord, people: Any, flagship: Rulebook) -> None:
    released(with_days(flagship, "report.answer", 9), people)
    assert "9 个工作日内" in page(f"/e/{record.subject.code}/r/{record.seq}/report")


def test_without_a_rulebook_there_is_no_deadline_and_the_refusal_says_so(people: Any) -> None:
    with pytest.raises(ValidationError, match=r"report\.answer"):
        clock("report.answer", timezone.localdate())


@pytest.mark.parametrize(("late", "is_open"), [(-1, False), (0, True), (1, True)])
def test_a_repair_opens_on_its_day(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, late: int, is_open: bool
) -> None:
    today = timezone.localdate()
    back = next(days for days in range(80, 100) if _opens(today - timedelta(days)) == today)
    day = today - timedelta(days=back + late)
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), 处罚决定日期=day.isoformat()))
    record = CreditRecord.objects.get()
    if is_open:
        change_record(record, state="repaired", on=today, basis="修1", by=people["city"])
        assert CreditRecord.objects.order_by("-seq")[0].state == "repaired"
    else:
        with pytest.raises(ValidationError, match=_opens(day).isoformat()):
            change_record(record, state="repaired", on=today, basis="修1", by=people["city"])


def _opens(decided: date) -> date:
    found = law_in_force().repair_from("penalty.trademark.infringement", None, decided)
    assert found is not None
    return found


def test_a_kind_without_repair_cannot_be_repaired(subjects: list[Subject], take: Any, people: Any) -> None:
    code, name = subjects[0].code, subjects[0].name
    header = "被执行人姓名或名称,统一社会信用代码,执行依据文号,发布时间"
    from zhixin.dataset.sources import sources

    titles = {item.to or item.id: item.title for item in sources()["defaulters"].fields if item.required}
    values = {"name": name, "subject_id": code, "document": "（2024）豫0105执1号", "decided_on": "2024-01-10"}
    row = {title: values.get(key, "虚构") for key, title in titles.items()}
    row |= {sources()["defaulters"].field("subject_id").title: code}
    batch = take("defaulters", ",".join(row) + "\n" + ",".join(row.values()))
    assert batch.accepted == 1, (header, batch.preview)
    with pytest.raises(ValidationError):
        change_record(CreditRecord.objects.get(), state="repaired", on=timezone.localdate(), basis="修1", by=people["city"])


def test_each_rulebook_in_force_has_a_schedule_of_its_own(
    subjects: list[Subject], take: Any, people: Any, flagship: Rulebook
) -> None:

    internal = released(shipped("zhengzhou-ip-risk"), people)
    assert len(list(tick.start_due_runs())) == 2
    runs = Run.objects.values_list("release__rulebook_id", flat=True)
    assert sorted(runs) == ["zhengzhou-ip", "zhengzhou-ip-risk"]
    assert list(tick.start_due_runs()) == []
    assert internal.rulebook_id == "zhengzhou-ip-risk"
