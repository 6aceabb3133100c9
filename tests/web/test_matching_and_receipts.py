"""The matching desk never guesses; receipts say what became of every row and carry no formulas."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client as Browser
from python_calamine import CalamineWorkbook

from zhixin.dataset.sources import sources
from zhixin.dataset.spreadsheets import safe_cell
from zhixin_web.collection.matching import candidates
from zhixin_web.collection.models import Batch, QuarantinedRow
from zhixin_web.collection.receipts import receipt, receipt_workbook
from zhixin_web.collection.template_workbook import template_workbook
from zhixin_web.records.models import CreditRecord, Subject


def _as_city(people: Any) -> Browser:
    browser = Browser()
    browser.force_login(people["city"])
    return browser


def test_the_right_subject_is_the_first_candidate(subjects: list[Subject], take: Any, penalty: Any) -> None:
    for subject in subjects[:4]:
        batch = take("penalties", penalty(("", subject.name.replace("有限公司", "公司"), f"罚{subject.pk}")))
        assert candidates(QuarantinedRow.objects.get(batch=batch))[0]["subject"] == subject


def test_a_wrong_code_is_met_by_its_inner_part(subjects: list[Subject], take: Any, penalty: Any) -> None:
    subject = subjects[2]
    wrong = subject.code[:17] + ("0" if subject.code[17] != "0" else "1")
    batch = take("penalties", penalty((wrong, "完全不同的名字", "罚1")))
    found = candidates(QuarantinedRow.objects.get(batch=batch))
    assert (found[0]["subject"], found[0]["same_tail"]) == (subject, True)


def test_a_person_confirms_and_only_then_it_is_a_record(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    batch = take("penalties", penalty(("", subjects[1].name, "罚1")))
    row = QuarantinedRow.objects.get(batch=batch)
    assert CreditRecord.objects.count() == 0
    assert subjects[1].name in _as_city(people).get("/c/match").content.decode()
    _as_city(people).post(f"/c/match/{row.pk}", {"code": subjects[1].code})
    record = CreditRecord.objects.get()
    row.refresh_from_db()
    assert (record.subject, row.status, row.seq) == (subjects[1], "resolved", record.seq)


def test_the_receipt_names_every_row_once(subjects: list[Subject], take: Any, penalty: Any) -> None:
    one = (subjects[0].code, subjects[0].name, "罚1")
    batch = take("penalties", penalty(one, one, ("", "x", "罚2")))
    assert [(row["line"], row["outcome"]) for row in receipt(batch)["lines"]] == [
        (2, "accepted"),
        (3, "duplicate"),
        (4, "quarantined"),
    ]


PAYLOADS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠x", " =1", "\u200b=1", "\n=1"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_export_carries_a_formula(subjects: list[Subject], take: Any, payload: str) -> None:
    assert safe_cell(payload).startswith("'")
    assert safe_cell("郑州=好") == "郑州=好"


@pytest.mark.parametrize("payload", ["=HYPERLINK(1)", "＝1", "@x"])
def test_the_workbook_of_refused_rows_holds_texts_only(
    subjects: list[Subject], take: Any, penalty: Any, payload: str
) -> None:
    batch = take("penalties", penalty(("", payload, "罚1")))
    content = receipt_workbook(batch, english=False)
    cells = [
        cell for row in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python() for cell in row
    ]
    assert "'" + payload in cells
    assert b"<f>" not in content


@pytest.mark.parametrize("name", sorted(name for name, item in sources().items() if not item.made_by_site))
def test_the_template_of_each_source_is_understood_when_it_comes_back(people: Any, take: Any, name: str) -> None:
    batch = take(name, template_workbook(sources()[name]), commit=False, file_name="t.xlsx")
    assert batch.status == Batch.Status.HELD, batch.fault
    assert batch.preview["missing"] == []


def test_a_pull_and_a_key_are_set_on_the_screen(people: Any) -> None:
    browser = _as_city(people)
    browser.post(
        "/c/ways/pull", {"source": "penalties", "address": "https://1.1.1.1/p.csv", "every": "60", "is_active": "1"}
    )
    assert "1.1.1.1" in browser.get("/c/ways").content.decode()
    for bad in (
        {"source": "penalties", "address": "file:///etc/passwd", "every": "60"},
        {"source": "penalties", "address": "https://a.example", "every": "0"},
        {"source": "nothing", "address": "https://a.example", "every": "5"},
    ):
        browser.post("/c/ways/pull", bad)
        assert "1.1.1.1" in browser.get("/c/ways").content.decode()
    session = browser.session
    session["confirmed"] = 2**31
    session.save()
    page = browser.post("/c/ways/client", {"name": "业务系统", "account": people["department"].pk}).content.decode()
    key = page.split("<code>")[1].split("</code>")[0]
    answer = Browser().post(
        "/api/v1/deliveries?source=judgments",
        b"x",
        content_type="text/csv",
        HTTP_AUTHORIZATION=f"Bearer {key}",
        HTTP_IDEMPOTENCY_KEY="12345678",
    )
    assert answer.status_code == 403, "known, but not its source"
