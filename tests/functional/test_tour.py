"""The ten-minute tour, walked in a real browser as a first-time user would: every step of ``tour.yaml``, axe on every page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from functional.site import accessibility_faults, enter, needs_chromium
from zhixin_web.faces.portal.tour import steps

pytestmark = needs_chromium


def _act(page: Page, action: dict[str, str], kept: dict[str, str], site: str) -> None:
    match action:
        case {"fill": field, "with": text}:
            page.fill(field, text)
        case {"choose": field, "with": value}:
            page.select_option(field, value)
        case {"click": target}:
            page.click(target)
            page.wait_for_load_state()
        case {"check": target}:
            page.check(target)
        case {"wait": target}:
            page.wait_for_selector(target, timeout=90_000)
        case {"keep": name, "from": "url"}:
            kept[name] = page.url.removeprefix(site).split("?")[0]


def test_every_step_of_the_tour_shows_what_it_promises(browser: Browser, site: str) -> None:
    pages: dict[str, Page] = {}
    kept: dict[str, str] = {}
    errors: list[str] = []
    for number, step in enumerate(steps(), 1):
        who = step["as"]
        if who not in pages:
            pages[who] = enter(browser, site, who) if who else browser.new_context(locale="zh-CN").new_page()
            pages[who].on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page = pages[who]
        answer = page.goto(site + step["go"].format(**kept))
        assert answer is not None
        assert answer.status == 200, f"step {number}: {step['go']}"
        for action in step.get("do", []):
            _act(page, action, kept, site)
        text = page.inner_text("body")
        for wanted in step["see"]:
            assert wanted in text, f"step {number} ({step['title']['en']}): {wanted} is not on {page.url}"
        assert "演示数据" in text
        assert accessibility_faults(page) == [], f"step {number}: {page.url}"
    assert errors == []


def test_the_tour_is_told_in_both_languages() -> None:
    told: list[dict[str, Any]] = [step[part] for step in steps() for part in ("title", "say")]
    assert all(words["zh"] and words["en"] for words in told)
    assert len(steps()) >= 15
