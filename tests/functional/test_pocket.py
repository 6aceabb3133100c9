"""The inspector's pocket in a real browser: filled without a signal, reloaded, killed, and everything arrives exactly once."""

from __future__ import annotations

import http.client
import io
import os
import re
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route

from functional.site import ARGUMENTS, CHROMIUM, accessibility_faults, needs_chromium
from zhixin_web.accounts.demonstration_people import PASSWORD

pytestmark = needs_chromium
PHONE = {"width": 360, "height": 760}


def photos(count: int) -> list[Any]:
    found: list[Any] = []
    for number in range(count):
        out = io.BytesIO()
        Image.new("RGB", (320 + number, 240), (30 * number, 90, 160)).save(out, "JPEG")
        found.append({"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
    return found


def opened(browser: Browser, folder: Path) -> BrowserContext:
    """A browser whose data outlives it."""
    return browser.browser_type.launch_persistent_context(
        str(folder), executable_path=CHROMIUM, args=ARGUMENTS, viewport=PHONE, locale="zh-CN", service_workers="allow"
    )  # type: ignore[arg-type]


def killed(context: BrowserContext, folder: Path) -> None:
    """Kill every process of a browser, as a phone does that runs out of memory."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder) in place.read_bytes().decode(errors="replace"):
                os.kill(int(place.parent.name), signal.SIGKILL)
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            continue
    with suppress(Error):
        context.close()


def signed_in(page: Page, site: str) -> None:
    page.goto(f"{site}/c/sign-in?next=/m/")
    page.fill("#username", "inspector")
    page.fill("#password", PASSWORD)
    page.click(".door button")
    page.wait_for_url("**/m/")


def ready(context: BrowserContext, site: str) -> Page:
    """Sign in on a phone and wait until it holds the tasks and can begin without a signal."""
    page = context.new_page()
    signed_in(page, site)
    page.wait_for_selector("ul.records li")
    page.wait_for_function("navigator.serviceWorker.ready.then((found) => !!found.active)")
    page.reload()
    page.wait_for_selector("ul.records li")
    return page


@pytest.fixture
def phone(browser: Browser, site: str) -> tuple[BrowserContext, Page]:
    """A phone that is ready."""
    context = browser.new_context(viewport=PHONE, locale="zh-CN", service_workers="allow")  # type: ignore[arg-type]
    return context, ready(context, site)


@pytest.fixture
def lasting_phone(browser: Browser, site: str, tmp_path: Path) -> Iterator[tuple[BrowserContext, Page, Path]]:
    """A phone that is ready and can be killed: what it keeps lies in a folder."""
    context = opened(browser, tmp_path / "phone")
    yield context, ready(context, site), tmp_path / "phone"
    with suppress(Error):
        context.close()


def first_task(page: Page) -> str:
    page.goto(page.url.split("#")[0] + "#/")
    found = page.get_attribute("ul.records h2 a", "href")
    assert found is not None
    return found


def sign(page: Page, selector: str, hand: int) -> None:
    """Draw a signature; each hand draws its own."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120 + 20 * hand, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_timeout(150)


def go_on(page: Page) -> None:
    page.click("main .actions a.first")
    page.wait_for_timeout(100)


def answer_all(page: Page, task: str) -> None:
    page.goto(page.url.split("#")[0] + task)
    go_on(page)
    while "/q/" in page.url:
        page.check("input[name=answer][value=fine]")
        go_on(page)


def finish(page: Page) -> None:
    """From the result to the last signature."""
    page.select_option("#method", "on_site")
    page.select_option("#result", "clean")
    page.select_option("#disposal", "none")
    go_on(page)
    for place in range(page.locator("canvas").count()):
        sign(page, f"canvas >> nth={place}", place)
    page.fill("#name", "（虚构）店长")
    go_on(page)


def reports(site_folder: Path) -> list[tuple[str, str, int]]:
    with sqlite3.connect(f"file:{site_folder / 'zhixin.sqlite3'}?mode=ro", uri=True) as held:
        return held.execute("SELECT status, number, task_id FROM inspections_visitreport ORDER BY id").fetchall()


def write(site_folder: Path, statement: str, values: tuple[Any, ...]) -> None:
    with sqlite3.connect(site_folder / "zhixin.sqlite3", timeout=30) as held:
        held.execute(statement, values)


def test_a_task_filled_without_a_signal_arrives_exactly_once(
    lasting_phone: tuple[BrowserContext, Page, Path], browser: Browser, site: str, site_folder: Path
) -> None:
    context, page, folder = lasting_phone
    before = len(reports(site_folder))
    task = first_task(page)
    number = int(task.rsplit("/", 1)[1])
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("text=没有信号")
    answer_all(page, task)
    page.set_input_files("#photo", photos(5))
    page.wait_for_selector("li.card >> nth=4")
    page.reload()
    page.wait_for_selector("li.card img >> nth=4")
    killed(context, folder)

    again = opened(browser, folder)
    again.set_offline(True)
    page = again.new_page()
    page.goto(f"{site}/m/#/t/{number}/photos")
    page.wait_for_selector("li.card img >> nth=4")
    go_on(page)
    finish(page)
    assert page.locator("main .warning").count() == 0
    page.click("main .actions button.first")
    page.wait_for_selector("text=待发送")
    assert "只在这部手机上" in page.inner_text("main")
    assert len(reports(site_folder)) == before
    killed(again, folder)

    online = opened(browser, folder)
    page = online.new_page()
    signed_in(page, site)  # a browser that was killed has forgotten the session, and nothing else
    page.goto(f"{site}/m/#/outbox")
    page.wait_for_selector("text=已收妥", timeout=60_000)
    shown = page.inner_text("main")
    page.click("text=现在发送")
    page.wait_for_timeout(1_000)
    mine = reports(site_folder)[before:]
    assert [(status, at) for status, _number, at in mine] == [("taken", number)]
    assert mine[0][1] in shown
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 1
    page.goto(f"{site}/m/#/")
    page.wait_for_timeout(500)
    assert page.locator(f"a[href='{task}']").count() == 0
    online.close()


def test_an_answer_that_is_lost_after_the_commit_changes_nothing(
    phone: tuple[BrowserContext, Page], site_folder: Path
) -> None:
    context, page = phone
    before = len(reports(site_folder))
    lost: list[int] = []

    def lose(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.status)
            route.abort()

    context.route("**/report", lose)
    answer_all(page, first_task(page))
    go_on(page)
    finish(page)
    page.click("main .actions button.first")
    page.wait_for_selector("text=待发送")
    for _attempt in range(50):
        if lost:
            break
        page.wait_for_timeout(200)
    assert lost == [200]
    page.wait_for_timeout(500)
    page.click("text=现在发送")
    page.wait_for_selector("text=已收妥", timeout=60_000)
    assert [status for status, _number, _task in reports(site_folder)[before:]] == ["taken"]


def test_what_is_missing_is_named_and_nothing_is_sent(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    task = first_task(page)
    page.goto(page.url.split("#")[0] + task + "/check")
    page.wait_for_selector("main .warning")
    said = page.inner_text("main .warning")
    for text in ("没有回答的问题", "检查人员签名不足两人", "企业签名"):
        assert text in said
    assert page.is_disabled("main .actions button.first")


def test_a_file_that_is_no_photo_is_not_taken(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    page.goto(page.url.split("#")[0] + first_task(page) + "/photos")
    page.set_input_files("#photo", [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}])
    page.wait_for_selector("text=这不是照片")
    assert page.locator("li.card img").count() == 0


def test_an_expired_session_loses_nothing_and_says_where_to_sign_in(
    phone: tuple[BrowserContext, Page],
) -> None:
    context, page = phone
    answer_all(page, first_task(page))
    go_on(page)
    finish(page)
    context.clear_cookies()
    page.click("main .actions button.first")
    page.wait_for_selector("text=登录已过期")
    assert "只在这部手机上" in page.inner_text("main")
    assert page.get_attribute("#notices a", "href") == "/c/sign-in?next=/m/"


def kept_draft(page: Page) -> dict[str, Any]:
    """The one draft on the phone, as it is kept."""
    found: dict[str, Any] = page.evaluate(
        """() => new Promise((done) => { const asked = indexedDB.open("zhixin-pocket", 1);
        asked.onsuccess = () => { const all = asked.result.transaction("drafts").objectStore("drafts").getAll();
        all.onsuccess = () => done(all.result[0] || {}); }; })"""
    )
    return found


def test_words_are_there_after_a_reload_and_grow_by_the_next_key(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    task = first_task(page)
    page.goto(page.url.split("#")[0] + f"{task}/q/0")
    page.fill("#remark", "（虚构）门头标注")
    page.wait_for_timeout(200)
    page.goto(page.url.split("#")[0] + f"{task}/result")
    page.fill("#note", "（虚构）现场情况")
    page.wait_for_timeout(200)
    page.reload()
    page.wait_for_selector("#note")
    page.wait_for_timeout(200)
    assert page.input_value("#note") == "（虚构）现场情况"
    page.press("#note", "End")
    page.type("#note", "补充")
    page.wait_for_timeout(200)
    draft = kept_draft(page)
    assert draft["note"] == "（虚构）现场情况补充"
    assert [one["remark"] for one in draft["answers"].values()] == ["（虚构）门头标注"]


def test_a_place_that_comes_late_changes_the_photo_and_nothing_else(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    page.evaluate(
        """() => { navigator.geolocation.getCurrentPosition = (found) => setTimeout(() => found({ coords: { latitude: 34.7, longitude: 113.6, accuracy: 9 } }), 2500); }"""
    )
    page.goto(page.url.split("#")[0] + first_task(page) + "/photos")
    page.wait_for_selector("#place")
    page.check("#place")
    page.set_input_files("#photo", photos(1))
    page.wait_for_selector("li.card img")
    go_on(page)
    page.select_option("#result", "clean")
    page.fill("#note", "（虚构）等位置时写的")
    page.wait_for_timeout(3_000)
    assert page.locator("#note").count() == 1
    draft = kept_draft(page)
    assert (draft["note"], draft["result"]) == ("（虚构）等位置时写的", "clean")
    assert draft["photos"][0]["place"] == {"latitude": 34.7, "longitude": 113.6, "accuracy": 9}


def test_a_tap_is_no_signature(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    page.goto(page.url.split("#")[0] + first_task(page) + "/sign")
    page.wait_for_selector("canvas")
    page.locator("canvas >> nth=0").click()
    page.wait_for_timeout(300)
    assert kept_draft(page)["inspectors"] == {}


def test_a_full_phone_lets_nobody_leave_what_is_not_kept(phone: tuple[BrowserContext, Page]) -> None:
    _context, page = phone
    page.goto(page.url.split("#")[0] + first_task(page) + "/q/0")
    page.wait_for_selector("#remark")
    page.evaluate(
        """() => { window.keptPut = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function () { throw new DOMException("full", "QuotaExceededError"); }; }"""
    )
    page.fill("#remark", "（虚构）存不下的话")
    page.wait_for_selector("text=手机存储已满")
    page.click("main .actions a.first")
    page.wait_for_timeout(200)
    assert page.url.endswith("/q/0")
    assert page.input_value("#remark") == "（虚构）存不下的话"
    page.evaluate("() => { IDBObjectStore.prototype.put = window.keptPut; }")
    page.check("input[name=answer][value=problem]")
    page.wait_for_timeout(300)
    assert page.locator("text=手机存储已满").count() == 0
    assert next(iter(kept_draft(page)["answers"].values())) == {"answer": "problem", "remark": "（虚构）存不下的话"}


def submitted_without_a_signal(page: Page, context: BrowserContext, task: str) -> None:
    context.set_offline(True)
    answer_all(page, task)
    page.set_input_files("#photo", photos(1))
    page.wait_for_selector("li.card img")
    go_on(page)
    finish(page)
    page.click("main .actions button.first")
    page.wait_for_selector("text=待发送")


def test_a_queued_report_is_taken_back_and_not_begun_again(phone: tuple[BrowserContext, Page]) -> None:
    context, page = phone
    task = first_task(page)
    submitted_without_a_signal(page, context, task)
    page.goto(page.url.split("#")[0] + f"{task}/q/0")
    page.wait_for_selector("text=报告在发件箱里")
    page.goto(page.url.split("#")[0] + "#/outbox")
    with page.expect_download() as download:
        page.click("text=导出到文件")
    assert Path(download.value.path()).stat().st_size > 3_000
    page.click("button:has-text('修改')")
    page.wait_for_url("**/check")
    page.wait_for_selector("main dl.facts")
    assert page.locator("main .warning").count() == 0
    assert len(kept_draft(page)["photos"]) == 1


def test_what_one_has_filled_in_is_not_sent_by_who_signs_in_next(
    phone: tuple[BrowserContext, Page], site_folder: Path
) -> None:
    context, page = phone
    before = len(reports(site_folder))
    submitted_without_a_signal(page, context, first_task(page))

    def as_another(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"user": "another", "name": "另一人"})

    context.route("**/tasks.json", as_another)
    context.set_offline(False)
    page.click("text=现在发送")
    page.wait_for_selector("#who:has-text('另一人')")
    page.wait_for_timeout(500)
    assert "没有待发送的内容" in page.inner_text("main")
    assert len(reports(site_folder)) == before
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("#who:has-text('另一人')")
    page.goto(page.url.split("#")[0] + "#/outbox")
    page.wait_for_timeout(300)
    assert page.locator("main ul.records").count() == 0
    context.unroute_all(behavior="ignoreErrors")


def test_a_report_taken_back_while_others_are_sent_is_not_sent(
    phone: tuple[BrowserContext, Page], site_folder: Path
) -> None:
    context, page = phone
    write(site_folder, "UPDATE inspections_task SET status = 'open' WHERE status = ?", ("submitted",))  # of other tests
    page.reload()
    page.wait_for_selector("ul.records li >> nth=1")
    before = len(reports(site_folder))
    for task in page.eval_on_selector_all("ul.records h2 a", "all => all.map(one => one.getAttribute('href'))")[:2]:
        submitted_without_a_signal(page, context, task)
    waiting = page.locator("main ul.records li")
    assert waiting.count() == 2
    held: list[Route] = []
    context.route("**/report", lambda route: held.append(route))
    context.set_offline(False)
    page.click("text=现在发送")
    page.wait_for_function("() => document.querySelectorAll('main .tag').length")
    for _wait in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    page.goto(page.url.split("#")[0] + "#/")
    page.goto(page.url.split("#")[0] + "#/outbox")
    page.wait_for_selector("main ul.records li")
    page.wait_for_selector("button:has-text('修改')")
    assert page.locator("main ul.records li").count() == 2
    assert page.locator("button:has-text('修改')").count() == 1, "what is on its way cannot be changed"
    page.click("button:has-text('修改')")
    page.wait_for_url("**/check")
    held[0].continue_()
    page.wait_for_timeout(1500)
    context.unroute_all(behavior="ignoreErrors")
    assert len(reports(site_folder)) == before + 1
    assert len(kept_draft(page)["photos"]) == 1


def test_what_another_window_has_changed_is_not_submitted_unseen(phone: tuple[BrowserContext, Page]) -> None:
    context, page = phone
    task = first_task(page)
    answer_all(page, task)
    page.goto(page.url.split("#")[0] + f"{task}/result")
    finish(page)
    page.wait_for_url("**/check")
    other = context.new_page()
    other.goto(page.url.split("#")[0] + f"{task}/result")
    other.fill("#note", "（虚构）另一窗口的新说明")
    other.wait_for_timeout(500)
    context.set_offline(True)
    page.click("main button.first")
    page.wait_for_selector("text=已在别的窗口改过")
    page.wait_for_selector("text=另一窗口的新说明")
    assert kept_draft(page)["note"] == "（虚构）另一窗口的新说明"
    page.click("main button.first")
    page.wait_for_url("**/outbox")


def test_signing_out_closes_the_pocket_and_keeps_what_is_unsent(phone: tuple[BrowserContext, Page], site: str) -> None:
    context, page = phone
    task = first_task(page)
    answer_all(page, task)
    page.goto(f"{site}/c/password")
    page.evaluate("document.querySelector('[data-signs-out]').requestSubmit()")
    page.wait_for_url("**/c/sign-in**")
    context.set_offline(True)
    page.goto(f"{site}/m/{task}")
    page.wait_for_selector("text=已退出登录")
    assert page.inner_text("#who") == ""
    assert "（虚构）" not in page.inner_text("main")
    context.set_offline(False)
    signed_in(page, site)
    page.wait_for_selector("ul.records li")
    assert page.inner_text("#who") != ""
    assert kept_draft(page)["answers"]


@pytest.fixture
def newer(site: str) -> Iterator[tuple[str, list[str]]]:
    """The site at another address, which serves the version of the pocket that stands in a list."""
    version = ["1"]

    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = int(self.headers.get("Content-Length") or 0)
            with closing(http.client.HTTPConnection(urlsplit(site).netloc)) as link:
                link.request(self.command, self.path, self.rfile.read(sent) if sent else None, dict(self.headers))
                answer = link.getresponse()
                body = answer.read()
            if self.path == "/m/sw.js":
                body = re.sub(rb'const VERSION = "[^"]*"', f'const VERSION = "v{version[0]}"'.encode(), body)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "content-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *given: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", version
    server.shutdown()
    server.server_close()


KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) found[name] = (await (await caches.open(name)).keys()).length;
  const said = await (await caches.open("pocket-current")).match("/current");
  return { ...found, current: said ? await said.text() : "" };
}"""


@pytest.mark.parametrize("has_draft", [False, True])
def test_a_new_version_comes_whole_when_nothing_is_unsent(
    browser: Browser, newer: tuple[str, list[str]], tmp_path: Path, has_draft: bool
) -> None:
    address, version = newer
    context = opened(browser, tmp_path / "phone")
    page = context.new_page()
    signed_in(page, address)
    page.wait_for_selector("ul.records li")
    page.wait_for_function("navigator.serviceWorker.ready.then((found) => !!found.active)")
    page.reload()
    page.wait_for_selector("ul.records li")
    files = page.evaluate(KEPT)["v1"]
    assert files >= 4
    if has_draft:
        answer_all(page, first_task(page))
    version[0] = "2"
    page.evaluate("navigator.serviceWorker.getRegistration('/m/').then((found) => found.update())")
    page.wait_for_function("() => navigator.serviceWorker.getRegistration('/m/').then((found) => !found.installing)")
    for _round in range(3):
        page.goto(f"{address}/m/#/outbox")
        page.click("text=现在发送")
        page.wait_for_timeout(600)
    kept = page.evaluate(KEPT)
    served = "v1" if has_draft else "v2"
    assert (kept["current"], kept[served]) == (served, files)
    assert has_draft or "v1" not in kept
    context.set_offline(True)
    for _round in range(2):
        page.reload()
        page.wait_for_selector("text=没有待发送的内容")
    with suppress(Error):
        context.close()


def test_who_comes_second_sees_both_results_side_by_side(phone: tuple[BrowserContext, Page], site_folder: Path) -> None:
    context, page = phone
    task = first_task(page)
    submitted_without_a_signal(page, context, task)
    number = int(task.rsplit("/", 1)[1])
    partners = ("submitted", "corrected", "order", "（虚构）搭档先提交", "2026-11-29 10:00:00")
    columns = "status=?, result=?, disposal=?, note=?, submitted_at=?"
    write(site_folder, f"UPDATE inspections_task SET {columns} WHERE id=?", (*partners, number))
    context.set_offline(False)
    page.click("text=现在发送")
    page.wait_for_selector("main table")
    shown = page.inner_text("main table")
    assert "未发现问题" in shown
    assert "发现问题已责令改正" in shown
    assert "（虚构）搭档先提交" in shown
    write(
        site_folder, f"UPDATE inspections_task SET {columns} WHERE id=?", ("open", "", "", "", None, number)
    )  # for the next test


def test_trouble_at_the_server_is_called_so_and_loses_nothing(phone: tuple[BrowserContext, Page]) -> None:
    context, page = phone
    submitted_without_a_signal(page, context, first_task(page))
    context.route("**/report", lambda route: route.fulfill(status=500, body="<html>broken</html>"))
    context.set_offline(False)
    page.click("text=现在发送")
    page.wait_for_selector("text=服务器暂时不能接收")
    assert "待发送" in page.inner_text("main")
    assert page.locator("text=没有信号").count() == 0
    context.unroute("**/report")
    context.route("**/report", lambda route: route.fulfill(status=413, body="<html>too large</html>"))
    page.click("text=现在发送")
    page.wait_for_selector("text=服务器没有收下 (413)")
    assert page.locator("button:has-text('修改')").count() == 1


def test_every_screen_is_accessible_and_fits_a_small_phone(phone: tuple[BrowserContext, Page], site: str) -> None:
    _context, page = phone
    task = first_task(page)
    for screen in (
        "#/",
        task,
        f"{task}/q/0",
        f"{task}/photos",
        f"{task}/result",
        f"{task}/sign",
        f"{task}/check",
        "#/outbox",
        "#/scan",
    ):
        page.goto(f"{site}/m/{screen}")
        page.wait_for_timeout(300)
        assert accessibility_faults(page) == [], screen
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], screen


def test_a_code_is_looked_up_with_and_without_a_signal(phone: tuple[BrowserContext, Page], site: str) -> None:
    context, page = phone
    task = first_task(page)
    page.goto(f"{site}/m/{task}")
    code = page.inner_text("dl.facts dd >> nth=0")
    page.goto(f"{site}/m/#/scan")
    page.fill("#code", f"https://example.cn/?uscc={code}")
    page.click("main form button")
    page.wait_for_selector("#answer")
    assert "可以检查" in page.inner_text("#answer")
    context.set_offline(True)
    page.fill("#code", code)
    page.click("main form button")
    page.wait_for_selector("text=查询需要信号")
    assert page.locator(f"section a[href='{task}']").count() == 1
