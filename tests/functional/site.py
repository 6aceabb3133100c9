"""What the browser tests share: the demonstration served on a free port, a browser, signing in, axe."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from zhixin_web.accounts.demonstration_people import PASSWORD

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox"]
HAS_CHROMIUM = Path(CHROMIUM).exists()
needs_chromium = pytest.mark.skipif(
    not HAS_CHROMIUM and os.environ.get("ZHIXIN_REQUIRE_ALL") != "1", reason="Chromium is missing: apt install chromium"
)
VIOLATIONS = {"resultTypes": ["violations"]}
"""What axe need not describe is what passed: that takes it as long as the rules themselves."""
AXE = VIOLATIONS | {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


_sessions: dict[tuple[str, str], Any] = {}


def enter(browser: Browser, site: str, username: str, width: int = 1280) -> Page:
    """Open a page signed in as somebody: through the form the first time, with that session's cookies afterwards."""
    page = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN").new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    if (site, username) in _sessions:
        page.context.add_cookies(_sessions[site, username])
        page.goto(f"{site}/c/")
        if "/c/sign-in" not in page.url:
            return page
    page.goto(f"{site}/c/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click(".door button")
    page.wait_for_url(lambda address: "/c/sign-in" not in address)
    _sessions[site, username] = page.context.cookies()  # type: ignore[assignment]
    return page


CONTRAST = VIOLATIONS | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""All that another colour scheme can change."""


def accessibility_faults(page: Page, options: Any = AXE) -> list[Any]:
    found = Axe().run(page, options=options).response["violations"]
    return [(item["id"], item["nodes"][0]["html"][:120]) for item in found]
