"""The site in a real browser: each role walks its pages, axe finds nothing, the workflows of F1 and F2 end to end.

Needs Chromium (Debian's ``chromium``). The demonstration is built small, once, on SQLite.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser

from functional.site import accessibility_faults, enter, needs_chromium
from zhixin_web.accounts.demonstration_people import PASSWORD, PEOPLE

pytestmark = needs_chromium
ADDRESSES = {
    "city": ["/c/", "/c/sources", "/c/sources/penalties", "/c/batches", "/c/quarantine", "/c/match", "/c/ways", "/c/subjects", "/c/subjects?q=金恒", "/c/subjects?q=无此企业", "/c/runs", "/c/runs/1", "/c/runs/new", "/c/rulebooks", "/c/ledger", "/c/password", "/c/grades", "/c/reports", "/c/cases", "/c/cases/1", "/c/cases/2", "/c/cases?status=closed", "/c/measures", "/c/measures?tab=refused", "/c/measures?tab=running", "/c/measures/1", "/c/commitments", "/c/commitments/2", "/c/progress", "/c/progress/items/pilot/rules", "/c/progress/quarters", "/c/progress/meetings/1", "/c/progress/meetings/new", "/c/progress/acceptance", "/c/progress/papers", "/c/progress/plan/new", "/c/progress/plan/1", "/c/indicators", "/c/styleguide", "/c/rulebooks/1", "/c/subjects?grade=B&district=410105"],
    "approver": ["/c/", "/c/cases/1", "/c/runs/2", "/c/rulebooks", "/c/grades", "/c/reports"],
    "district": ["/c/", "/c/subjects", "/c/batches"],
    "inspector": ["/c/", "/c/subjects"],
    "department": ["/c/", "/c/sources", "/c/batches", "/c/reports", "/c/measures", "/c/progress/items/pilot/platform"],
    "enterprise": ["/my/", "/my/why", "/my/improve", "/my/records", "/my/cases", "/my/commitments", "/my/commitments/2", "/my/commitments/sign/online_protection", "/my/inspections", "/my/reports", "/my/mandates", "/my/drafts/1", "/my/drafts/1/files", "/my/drafts/1/check"],
    "auditor": ["/c/", "/c/audit", "/c/ledger"],
    "security": ["/c/", "/c/accounts"],
    "system": ["/c/", "/c/accounts"],
}  # fmt: skip


@pytest.mark.parametrize("username", [name for name, *_ in PEOPLE])
def test_each_role_finds_its_pages_whole_accessible_and_marked_as_demonstration(
    browser: Browser, site: str, username: str
) -> None:
    page = enter(browser, site, username)
    for address in ADDRESSES[username]:
        answer = page.goto(site + address)
        assert answer is not None
        assert answer.status == 200, address
        assert "演示数据" in page.inner_text("body"), address
        assert accessibility_faults(page) == [], address
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    [
        "/c/sign-in",
        "/c/",
        "/c/sources",
        "/c/sources/penalties",
        "/c/batches",
        "/c/quarantine",
        "/c/match",
        "/c/subjects",
        "/c/runs/1",
        "/c/ledger",
        "/c/grades",
        "/c/reports",
        "/c/cases",
        "/c/cases/1",
        "/c/rulebooks",
        "/c/rulebooks/1",
        "/c/indicators",
        "/c/styleguide",
        "/c/commitments",
        "/c/progress",
        "/c/progress/items/pilot/inspectors",
    ],
)
def test_no_page_is_wider_than_a_phone(browser: Browser, site: str, address: str) -> None:
    page = enter(browser, site, "city", width=360)
    page.goto(site + address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(SIDEWAYS) == []


SIDEWAYS = """[...document.querySelectorAll('.wide')].filter(
  (part) => part.querySelector('table.told') && part.scrollWidth > part.clientWidth + 1).map((part) => part.ariaLabel)"""
"""Tables told their columns that a phone would still have to scroll."""


def test_on_a_phone_a_table_is_cards_that_name_their_columns(browser: Browser, site: str) -> None:
    page = enter(browser, site, "city", width=390)
    page.goto(f"{site}/c/commitments")
    heads = page.eval_on_selector_all("thead th", "cells => cells.map((cell) => cell.textContent.trim())")
    named = "cells => cells.map((cell) => getComputedStyle(cell, '::before').content.replaceAll('\"', ''))"
    assert page.eval_on_selector_all("tbody tr:first-child td", named) == heads[1:]
    assert page.locator("tbody tr").first.get_attribute("role") == "row"
    assert accessibility_faults(page) == []
    wide = enter(browser, site, "city")
    wide.goto(f"{site}/c/commitments")
    assert set(wide.eval_on_selector_all("tbody td", named)) == {"none"}


def test_the_subject_why_and_record_pages_are_accessible_and_linked(browser: Browser, site: str) -> None:
    page = enter(browser, site, "city", width=390)
    page.goto(f"{site}/c/subjects?grade=C")
    page.click("tbody th a")
    assert accessibility_faults(page) == []
    subject = page.url
    page.click("text=为什么是这个等级")
    assert accessibility_faults(page) == []
    page.click("tbody td a >> nth=0")
    assert "/c/records/" in page.url
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{subject}?as_of=2020-01-01")
    assert "当时还没有已发布的等级" in page.inner_text("main")
    assert page.errors == []  # type: ignore[attr-defined]


def test_the_page_speaks_english_by_switch_and_stays_where_it_is(browser: Browser, site: str) -> None:
    page = enter(browser, site, "city")
    page.goto(f"{site}/c/runs")
    page.click("button:has-text('English')")
    assert page.url == f"{site}/c/runs"
    assert page.inner_text("h1") == "Runs"
    assert page.get_attribute("html", "lang") == "en"
    page.click("button:has-text('中文')")
    assert page.inner_text("h1") == "评价运行"


def test_import_from_upload_to_mended_row(browser: Browser, site: str, tmp_path: Path) -> None:
    """F1: upload → checked → taken in by the worker → receipt → a refused row mended in place."""
    page = enter(browser, site, "city")
    page.goto(f"{site}/c/subjects")
    name, code = page.inner_text("tbody th >> nth=0"), page.inner_text("tbody td.code >> nth=0").replace(" ", "")
    file = tmp_path / "投诉.csv"
    file.write_text(
        f"信用代码,主体名称,文书号,办结日期\n{code},{name},（虚构）测1,2026-09-01\n{code},{name},（虚构）测2,2026-02-30\n",
        encoding="utf-8",
    )
    page.goto(f"{site}/c/sources/complaints")
    page.set_input_files("#file", str(file))
    page.click("text=提交并检查")
    page.wait_for_selector("button:has-text('确认入库')", timeout=30_000)
    assert "1 行可以入库" in page.inner_text("main")
    assert accessibility_faults(page) == []
    page.click("button:has-text('确认入库')")
    page.wait_for_selector("h2:has-text('回执')", timeout=30_000)
    assert accessibility_faults(page) == []
    page.click("table a:has-text('更正')")
    assert "没有「2026-02-30」这一天" in page.inner_text("main")
    page.fill("#decided_on", "2026-02-28")
    assert accessibility_faults(page) == []
    page.click("text=更正并入库")
    assert "已更正并入库" in page.inner_text("main")


def test_evaluation_from_start_to_release_by_two_persons(browser: Browser, site: str) -> None:
    """F2: start → draft → proposed by one → released by another, who confirms the password."""
    page = enter(browser, site, "city")
    page.goto(f"{site}/c/runs/new")
    page.click("text=开始评价")
    page.wait_for_selector("button:has-text('提请发布')", timeout=60_000)
    address = page.url
    page.click("button:has-text('提请发布')")
    assert page.locator("button:has-text('审批并发布')").count() == 0
    other = enter(browser, site, "approver")
    other.goto(address)
    other.click("button:has-text('审批并发布')")
    other.wait_for_selector("text=已发布，等级生效")
    other.click("text=重算并比对")
    assert "逐字节一致" in other.inner_text("main")
    assert accessibility_faults(other) == []


def test_it_works_by_keyboard_alone(browser: Browser, site: str) -> None:
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(f"{site}/c/sign-in")
    page.keyboard.type("city")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/c/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_repair_is_gone_from_every_public_place_within_a_minute(browser: Browser, site: str) -> None:
    """Stop-watch from the decision to the disappearance from page, column, table, feed and bulk file."""
    page = enter(browser, site, "approver")
    page.goto(f"{site}/c/cases/1")
    record = (page.get_attribute("a[href^='/c/records/']", "href") or "").rsplit("/", 1)[1]
    page.click("a[href^='/c/subjects/']")
    code = page.url.rsplit("/", 1)[1]
    visitor = browser.new_context(locale="zh-CN").new_page()
    places = [f"/e/{code}/r/{record}", f"/e/{code}", "/data/files/records.csv"]
    assert f"/r/{record}" in visitor.request.get(f"{site}/e/{code}").text()
    page.goto(f"{site}/c/cases/1")
    started = time.monotonic()
    page.click("button[value=grant]")
    assert "已修复" in page.inner_text("h1")
    while True:
        shown = [place for place in places if _shows(visitor.request.get(site + place), record, code)]
        if not shown:
            break
        assert time.monotonic() - started < 60, shown
        time.sleep(0.5)
    assert page.request.get(f"{site}/c/cases/1/paper/2").headers["content-type"] == "application/pdf"


def _shows(answer: APIResponse, record: str, code: str) -> bool:
    """Whether a public answer still holds the record."""
    text = answer.text()
    return answer.status == 200 and (f"/r/{record}" in text or f"\n{record}," in text or f",{record}," in text)
