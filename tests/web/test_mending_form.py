"""The form that mends a refused row: faulty fields first, choices to choose from, days as days, what was reported stays to be read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client as Browser

from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db
HEAD = "统一社会信用代码,企业名称,处置公示编号,平台名称,处置方式,处置日期,涉及链接数\n"


@pytest.fixture
def refused(subjects: list[Subject], take: Any) -> QuarantinedRow:
    """A row with a day that is none and a way of disposal that nobody knows."""
    row = f"{subjects[0].code},{subjects[0].name},（虚构）平台1号,虚构平台,劝说,2026-02-30,3\n"
    take("platform_notices", HEAD + row)
    return QuarantinedRow.objects.get()


@pytest.fixture
def browser(people: Any) -> Browser:
    made = Browser()
    made.force_login(people["city"])
    return made


def shown(browser: Browser, row: QuarantinedRow) -> str:
    return str(browser.get(f"/c/quarantine/{row.pk}").content.decode())


def test_faulty_fields_stand_first(browser: Browser, refused: QuarantinedRow) -> None:
    names = re.findall(r'<(?:input|select|textarea)[^>]*?name="(\w+)"', shown(browser, refused))
    fields = [name for name in names if name not in ("csrfmiddlewaretoken", "language", "next")]
    faulty = {fault["field"] for fault in refused.faults}
    assert set(fields[: len(faulty)]) == faulty


def test_a_choice_is_chosen_and_a_day_that_is_none_stays_to_be_read(browser: Browser, refused: QuarantinedRow) -> None:
    text = shown(browser, refused)
    assert re.search(r'<option value="劝说" selected>\s*劝说\s*（不在可选范围）', text)
    assert '<option value="下架"' in text or "<option" in text
    day = re.search(r'<input[^>]*value="2026-02-30"[^>]*>', text)
    assert day is not None
    assert 'type="date"' not in day[0]
    assert "写成 2026-01-31 的样子" in text


def test_what_the_form_offers_is_taken(browser: Browser, refused: QuarantinedRow) -> None:
    text = shown(browser, refused)
    options = re.findall(r'<option value="([^"]+)">', text)
    cells = {name: value for name, value in refused.cells.items() if value}
    faulty = {fault["field"]: fault for fault in refused.faults}
    day = next(name for name in faulty if cells.get(name) == "2026-02-30")
    way = next(name for name in faulty if cells.get(name) == "劝说")
    sent = browser.post(f"/c/quarantine/{refused.pk}", cells | {day: "2026-02-27", way: options[0]})
    assert sent.status_code == 302
    assert CreditRecord.objects.get().decided_on.isoformat() == "2026-02-27"


def test_a_good_day_is_a_day_field(browser: Browser, subjects: list[Subject], take: Any) -> None:
    take("platform_notices", HEAD + f"{subjects[0].code},{subjects[0].name},（虚构）平台1号,虚构平台,劝说,2026-02-20,3\n")
    assert re.search(r'<input[^>]*value="2026-02-20"\s+type="date"', shown(browser, QuarantinedRow.objects.get()))


def test_an_amount_stands_under_the_unit_of_its_file(
    browser: Browser, subjects: list[Subject], take: Any, penalty: Any
) -> None:
    text = penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期="2026-02-30")
    take("penalties", text.replace("罚款金额（万元）", "罚款金额（元）").replace(",1.5,", ",15000,"))
    page = shown(browser, QuarantinedRow.objects.get())
    assert "罚款金额（元）" in page
    assert "罚款金额（万元）" not in page


def test_a_code_is_chosen_by_its_title(browser: Browser, subjects: list[Subject], take: Any) -> None:
    head = "行政相对人名称,行政相对人类别,统一社会信用代码,行政许可决定文书名称,行政许可决定文书号,许可类别,许可内容,许可决定日期,有效期自,有效期至,许可机关,当前状态\n"
    row = f"{subjects[0].name},法人及非法人组织,{subjects[0].code},（虚构）许可,（虚构）许1号,普通,虚构,2026-02-30,2026-01-01,长期有效,虚构机关,1\n"
    batch = take("licences", head + row)
    assert batch.status == "committed", batch.preview
    text = shown(browser, QuarantinedRow.objects.get())
    assert re.search(r'<option value="1" selected>\s*1 有效', text)
    assert {fault["field"] for fault in QuarantinedRow.objects.get().faults} == {"decided_on"}


def test_line_breaks_of_a_text_are_kept(browser: Browser, subjects: list[Subject], take: Any, penalty: Any) -> None:
    text = penalty(
        (subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期="2026-02-30", 违法事实='"第一行\n第二行"'
    )
    take("penalties", text)
    row = QuarantinedRow.objects.get()
    found = re.search(r'<textarea[^>]*name="facts"[^>]*>([^<]*)</textarea>', shown(browser, row))
    assert found is not None
    assert found[1].strip() == "第一行\n第二行"
    sent = {name: str(value or "").replace("\n", "\r\n") for name, value in row.cells.items()}
    browser.post(f"/c/quarantine/{row.pk}", sent | {"decided_on": "2026-02-28"})
    assert json.loads(CreditRecord.objects.get().body)["reported"]["facts"] == "第一行\n第二行"
