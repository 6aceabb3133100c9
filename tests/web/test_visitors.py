"""Visitors: their address behind proxies, how often they may ask, one open report each."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.test import RequestFactory

from zhixin_web.accounts import visitors
from zhixin_web.accounts.visitors import LIMITS, address_of
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases.services.reports import file_report
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.7", "203.0.113.7"),  # what a visitor writes first is not believed
        ("10.0.0.1", "198.51.100.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),  # two proxies of ours
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", ""),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),  # no proxy of ours
        ("", "203.0.113.7", ""),
        ("2001:db8::1", "203.0.113.7", "2001:db8::1"),
    ],
)
def test_only_trusted_proxies_say_who_asks(settings: Any, remote: str, forwarded: str, found: str) -> None:
    settings.PROXIES = "10.0.0.0/8"
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)) == found


@pytest.fixture
def limited(settings: Any) -> None:
    settings.RATE_LIMITS = True
    visitors._storage.cache_clear()


@pytest.mark.parametrize(("address", "name"), [("/v/ABCDEFGHJKLM", "verify_paper"), ("/s?q=x", "search")])
def test_one_visitor_waits_and_others_do_not(limited: None, people: Any, address: str, name: str) -> None:
    most = next(item.rate.amount for item in LIMITS if name in item.names)
    browser = Browser(REMOTE_ADDR="203.0.113.1")
    answers = [browser.get(address).status_code for _ in range(most + 1)]
    assert answers[most - 1] != 429
    assert answers[most] == 429
    last = browser.get(address)
    assert int(last["Retry-After"]) >= 1
    assert "秒后再试" in last.content.decode()
    assert Browser(REMOTE_ADDR="203.0.113.2").get(address).status_code != 429
    assert browser.get("/rules").status_code == 200


def test_the_interface_answers_429_as_json(limited: None, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "API", visitors.parse("2/minute"))
    answers = [Browser().get("/api/v1/subjects") for _ in range(3)]
    assert answers[2].status_code == 429
    assert answers[2].json()["code"] == "too_many_requests"


def test_one_visitor_has_one_open_report_on_a_record(subjects: list[Subject], take: Any, penalty: Any) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    record = CreditRecord.objects.get()
    file_report(record, reason="rule", text="规则适用有误", visitor="a")
    with pytest.raises(ValidationError, match="正在核实"):
        file_report(record, reason="rule", text="规则适用还是有误", visitor="a")
    file_report(record, reason="rule", text="另一个人说", visitor="b")


def test_a_tracking_code_is_in_no_ledger_and_no_event(subjects: list[Subject], take: Any, penalty: Any) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    report = file_report(CreditRecord.objects.get(), reason="rule", text="规则适用有误")
    assert not [data for data in LedgerEntry.objects.values_list("data", flat=True) if report.code in data]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我的电话是13812345678，请回电", "我的电话是（号码已隐去），请回电"),
        ("身份证 41010519900101123X 被冒用", "身份证 （可能的身份证号，已隐去） 被冒用"),
        ("卡号6222 0212 3456 7890 123", "卡号（号码已隐去）"),
        ("全角１３８１２３４５６７８", "全角（号码已隐去）"),
        ("决定书 郑市监罚〔2026〕12号 与 91410100MA44ABCD1X", "决定书 郑市监罚〔2026〕12号 与 91410100MA44ABCD1X"),
    ],
)
def test_numbers_of_persons_are_masked_in_what_visitors_write(
    subjects: list[Subject], take: Any, penalty: Any, text: str, shown: str
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    assert file_report(CreditRecord.objects.get(), reason="rule", text=text).text == shown
