"""What has ended is gone at once from every public path, and from the copies that are kept for some seconds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import parse_cookie
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone

from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases.services.reports import file_report
from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.evaluations import fairness, published
from zhixin_web.evaluations.services import runs as evaluation_services
from zhixin_web.evaluations.services.orders import decide_order, propose_order
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.faces.portal import bulk, cache
from zhixin_web.faces.portal.cache import PublicCache
from zhixin_web.faces.portal.credit_report import report_content
from zhixin_web.papers.models import Paper
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.published import published_subject
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record, last_version

DOCUMENT = "（虚构）罚字1号"
FACTS = "售卖虚构商标的商品"
SECRETS = (DOCUMENT, FACTS)
"""Texts of the record that nobody may read once it has ended."""


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Keys repeat from test to test, so what is kept by key must be forgotten."""
    for module in (published, fairness):
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    """A published penalty of the first subject, decided in September."""
    take("penalties", penalty((subjects[0].code, subjects[0].name, DOCUMENT), 违法事实=FACTS))
    return CreditRecord.objects.select_related("subject", "batch").get()


@pytest.fixture
def explained(record: CreditRecord, release: Any, people: Any) -> CreditRecord:
    """The record, used by a released evaluation."""
    run = evaluation_services.execute(evaluation_services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    release_run(run, people["approver"])
    return record


Ending = Callable[[CreditRecord], None]


@pytest.fixture
def ending(request: Any, people: Any, take: Any, penalty: Any, monkeypatch: Any) -> Ending:
    """Ends a record in the way the test is asked for."""

    def change(state: str, record: CreditRecord) -> None:
        change_record(record, state=state, on=timezone.localdate(), basis="决定1号", by=people["city"])

    def undo(record: CreditRecord) -> None:
        reverse_batch(record.batch, people["city"], "误报")

    def pass_by(record: CreditRecord) -> None:
        last = record.publicity_until
        assert last is not None
        monkeypatch.setattr(timezone, "localdate", lambda *_, **__: last)

    def correct(record: CreditRecord) -> None:
        """Corrected to minor dishonesty, which is not published."""
        row = (record.subject.code, record.subject.name, DOCUMENT)
        take("penalties", penalty(row, 违法事实=FACTS, 失信程度="轻微"), is_correction=True)
        assert CreditRecord.objects.filter(key=record.key).count() == 2, "the correction was taken in"

    def erase(record: CreditRecord) -> None:
        change("repaired", record)
        erase_record(last_version(record.key), basis="期满清除", by=people["city"])

    ways = {
        "repaired": partial(change, "repaired"), "revoked": partial(change, "revoked"), "undone": undo, "term passed": pass_by,
        "corrected": correct, "erased": erase,
    }  # fmt: skip
    return ways[request.param]


each_ending = pytest.mark.parametrize(
    "ending", ["repaired", "revoked", "undone", "term passed", "corrected", "erased"], indirect=True
)


def read(address: str) -> str:
    """What a public path gives now, as text; Parquet as its rows."""
    answer = Browser().get(address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if address.endswith(".parquet"):
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), ensure_ascii=False, default=str)
    return body.decode("utf-8-sig")


def held(address: str) -> list[str]:
    """The texts of the record that a public path holds."""
    shown = read(address)
    return [text for text in SECRETS if text in shown]


@each_ending
@pytest.mark.parametrize(
    "address",
    ["/e/{code}", "/e/{code}/r/{seq}", "/pub", "/pub/penalties", "/pub/penalties.rss", "/pub/penalties.csv", "/data/files/records.csv", "/data/files/records.parquet", "/data/changes?since=0"],
)  # fmt: skip
def test_what_has_ended_is_gone_from(record: CreditRecord, ending: Ending, address: str) -> None:
    path = address.format(code=record.subject.code, seq=record.seq)
    mark = {"/pub": f"/r/{record.seq}", "/e/{code}/r/{seq}": FACTS}.get(address, DOCUMENT)
    assert mark in read(path), "it is there before"
    ending(record)
    assert (mark in read(path), held(path)) == (False, [])


@each_ending
def test_what_has_ended_is_gone_from_the_credit_report(record: CreditRecord, ending: Ending) -> None:
    def content() -> str:
        subject = published_subject(record.subject.code)
        assert subject is not None
        return json.dumps(report_content(subject, timezone.localdate()), ensure_ascii=False)

    assert FACTS in content(), "it is there before"
    ending(record)
    assert [text for text in SECRETS if text in content()] == []


@pytest.mark.parametrize("ending", ["repaired", "revoked", "term passed", "corrected", "erased"], indirect=True)
def test_what_has_ended_is_gone_from_the_page_that_says_why(explained: CreditRecord, ending: Ending) -> None:
    address = f"/e/{explained.subject.code}/why"
    assert DOCUMENT in read(address), "it is there before"
    ending(explained)
    assert held(address) == []


@each_ending
def test_the_page_of_a_record_that_has_ended_is_gone_and_says_so(record: CreditRecord, ending: Ending) -> None:
    ending(record)
    answer = Browser().get(f"/e/{record.subject.code}/r/{record.seq}")
    assert (answer.status_code, "该记录的公示已终止" in answer.content.decode()) == (410, True)


@each_ending
def test_the_page_of_a_record_that_has_ended_names_neither_kind_nor_dates(record: CreditRecord, ending: Ending) -> None:
    ending(record)
    shown = read(f"/e/{record.subject.code}/r/{record.seq}")
    assert [text for text in ("商标", "2026-08-01", "一般", "虚构机关", "罚款") if text in shown] == []


@each_ending
def test_what_has_ended_can_no_longer_be_reported(record: CreditRecord, ending: Ending) -> None:
    ending(record)
    assert Browser().get(f"/e/{record.subject.code}/r/{record.seq}/report").status_code == 404


@each_ending
def test_what_has_ended_is_no_longer_counted(record: CreditRecord, ending: Ending) -> None:
    assert '<p class="big">1</p>' in read(f"/e/{record.subject.code}"), "it counts before"
    ending(record)
    assert '<p class="big">0</p>' in read(f"/e/{record.subject.code}")


@each_ending
def test_the_new_version_of_what_has_ended_has_no_page(record: CreditRecord, ending: Ending) -> None:
    ending(record)
    last = last_version(record.key)
    answer = Browser().get(f"/e/{record.subject.code}/r/{last.seq}")
    assert (answer.status_code in (404, 410), [text for text in SECRETS if text in answer.content.decode()]) == (True, [])


@pytest.mark.parametrize("days", [1, 0])
def test_the_last_day_of_publication_is_the_day_before_its_end(record: CreditRecord, days: int, monkeypatch: Any) -> None:
    assert record.publicity_until is not None
    today: date = record.publicity_until - timedelta(days=days)
    monkeypatch.setattr(timezone, "localdate", lambda *_, **__: today)
    assert (DOCUMENT in read(f"/e/{record.subject.code}")) is (days == 1)


def test_an_open_error_report_does_not_keep_a_record_in_sight(record: CreditRecord, people: Any) -> None:
    report = file_report(record, reason="repaired", text="该处罚已经修复")
    change_record(record, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    assert held(f"/e/{record.subject.code}") + held(f"/t/{report.code}") == []


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_other_records_of_the_enterprise_stay(
    record: CreditRecord, take: Any, penalty: Any, people: Any, state: str
) -> None:
    take("penalties", penalty((record.subject.code, record.subject.name, "（虚构）罚字2号")))
    change_record(record, state=state, on=timezone.localdate(), basis="修1号", by=people["city"])
    assert "（虚构）罚字2号" in read(f"/e/{record.subject.code}")


@pytest.mark.parametrize(("state", "words"), [("repaired", "信用修复，终止公示"), ("revoked", "决定撤销，撤下公示")])
def test_an_ending_is_announced_without_naming_anybody(record: CreditRecord, people: Any, state: str, words: str) -> None:
    change_record(record, state=state, on=timezone.localdate(), basis="修1号", by=people["city"])
    shown = read("/pub/repairs")
    assert words in shown
    assert [text for text in (*SECRETS, record.subject.name, record.subject.code) if text in shown] == []


def test_an_undone_correction_brings_back_what_stood_before(
    record: CreditRecord, take: Any, penalty: Any, people: Any
) -> None:
    row = (record.subject.code, record.subject.name, DOCUMENT)
    batch = take("penalties", penalty(row, 违法事实="更正后的虚构事实"), is_correction=True)
    reverse_batch(batch, people["city"], "更正有误")
    path = f"/e/{record.subject.code}/r/{last_version(record.key).seq}"
    shown = read(path)
    assert (FACTS in shown, "更正后的虚构事实" in shown) == (True, False)


def test_what_was_corrected_is_shown_in_its_new_words_only(record: CreditRecord, take: Any, penalty: Any) -> None:
    row = (record.subject.code, record.subject.name, DOCUMENT)
    take("penalties", penalty(row, 违法事实="更正后的虚构事实"), is_correction=True)
    last = last_version(record.key).seq
    old, new = read(f"/e/{record.subject.code}/r/{record.seq}"), read(f"/e/{record.subject.code}/r/{last}")
    assert (FACTS in old, FACTS in new, "更正后的虚构事实" in new) == (False, False, True)


# --- papers --------------------------------------------------------------------------------------------------------------------


@each_ending
def test_a_report_issued_before_is_said_to_be_outdated_without_its_content(record: CreditRecord, ending: Ending) -> None:
    if Browser().get(f"/e/{record.subject.code}/report.pdf").status_code == 503:
        pytest.skip("needs a Chinese font")
    code = Paper.objects.get().code
    assert "真实有效" in read(f"/v/{code}"), "it is valid before"
    ending(record)
    assert ("已不是最新" in read(f"/v/{code}"), held(f"/v/{code}")) == (True, [])


# --- the delta -------------------------------------------------------------------------------------------------------------------


def delta(since: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read(f"/data/changes?since={since}"))
    return found


@pytest.mark.parametrize("ending", ["repaired", "revoked", "undone", "corrected", "erased"], indirect=True)
def test_the_delta_tells_by_a_tombstone_what_has_ended(record: CreditRecord, ending: Ending) -> None:
    before = delta()
    name = next(row["id"] for row in before["published"])
    ending(record)
    assert name in [row["id"] for row in delta(before["next"])["ended"]]


@pytest.mark.parametrize("ending", ["repaired", "revoked", "undone", "erased"], indirect=True)
def test_a_tombstone_holds_a_number_and_a_name_that_says_nothing(record: CreditRecord, ending: Ending) -> None:
    ending(record)
    assert [sorted(row) for row in delta()["ended"]] == [["id", "seq"]]


def test_every_row_of_the_delta_says_when_its_publication_ends_by_itself(record: CreditRecord) -> None:
    assert [row["published_until"] for row in delta()["published"]] == [str(record.publicity_until)]


def test_a_corrected_record_keeps_its_name_in_the_delta(record: CreditRecord, take: Any, penalty: Any) -> None:
    before = delta()
    row = (record.subject.code, record.subject.name, DOCUMENT)
    take("penalties", penalty(row, 违法事实="更正后的虚构事实"), is_correction=True)
    after = delta(before["next"])
    assert [row["id"] for row in after["published"]] == [row["id"] for row in before["published"]]


def test_following_the_delta_in_parts_misses_nothing(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, monkeypatch: Any
) -> None:
    """Parts hold at most so many rows; an ending after a full part must not carry the reader past the rest."""
    take("penalties", penalty(*[(item.code, item.name, f"（虚构）罚{number}") for number, item in enumerate(subjects)]))
    first = CreditRecord.objects.order_by("seq")[0]
    change_record(first, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    monkeypatch.setattr(bulk, "MOST", 3)
    got, since = set(), 0
    for _ in range(30):
        part = delta(since)
        got |= {row["seq"] for row in part["published"]}
        if part["next"] == since:
            break
        since = part["next"]
    assert got == set(CreditRecord.objects.filter(state="active").exclude(key=first.key).values_list("seq", flat=True))


# --- bulk files ------------------------------------------------------------------------------------------------------------------


@each_ending
def test_no_older_bulk_file_stays_on_the_disk(record: CreditRecord, ending: Ending, settings: Any) -> None:
    read("/data/files/records.csv")
    ending(record)
    read("/data/files/records.csv")
    assert len(list((settings.VAR / "open").glob("*records.csv"))) == 1


def test_a_bulk_file_is_not_made_anew_for_each_visitor(record: CreditRecord, settings: Any) -> None:
    read("/data/files/records.csv")
    made = next((settings.VAR / "open").glob("*records.csv"))
    before = made.stat().st_mtime_ns
    read("/data/files/records.csv")
    assert made.stat().st_mtime_ns == before


def test_the_grade_of_an_enterprise_that_is_held_is_not_in_the_bulk_file(explained: CreditRecord, people: Any) -> None:
    assert explained.subject.code in read("/data/files/grades.csv"), "it is there before"
    order = propose_order(explained.subject, kind="hold", grade="", reason="正在核实其记录", basis="核实1号", until=timezone.localdate() + timedelta(days=30), by=people["city"])  # fmt: skip
    decide_order(order, approve=True, by=people["approver"])
    assert explained.subject.code not in read("/data/files/grades.csv")


def test_the_feed_after_an_ending_is_still_a_feed(record: CreditRecord, people: Any) -> None:
    change_record(record, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    assert ElementTree.fromstring(read("/pub/penalties.rss")).findall("channel/item") == []


def test_the_table_after_an_ending_has_its_head_only(record: CreditRecord, people: Any) -> None:
    change_record(record, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    assert list(csv.reader(io.StringIO(read("/pub/penalties.csv")))) == [["date", "title", "detail", "address"]]


def test_the_ledger_holds_no_content_of_a_record(record: CreditRecord) -> None:
    assert [
        seq for seq, data in LedgerEntry.objects.values_list("seq", "data") if any(text in data for text in SECRETS)
    ] == []


# --- the copies that are kept for some seconds -----------------------------------------------------------------------------------


class Clock:
    """A monotonic clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: Any) -> Clock:
    found = Clock()
    monkeypatch.setattr(cache, "time", SimpleNamespace(monotonic=found))
    return found


class Application:
    """A WSGI application that numbers its answers."""

    def __init__(
        self, *headers: tuple[str, str], status: str = "200 OK", takes: float = 0, clock: Clock | None = None
    ) -> None:
        self.headers, self.status, self.takes, self.clock = list(headers), status, takes, clock
        self.calls = 0
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        number = self.calls
        if self.clock is not None:
            self.clock.now += self.takes
        start_response(self.status, [("Content-Type", "text/plain"), *self.headers])
        return Body(self, f"answer {number}".encode())


class Body:
    def __init__(self, application: Application, content: bytes) -> None:
        self.application, self.content = application, content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        self.application.closed += 1


def ask(application: Any, path: str = "/e/X", *, method: str = "GET", **environ: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of one request."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        seen["status"], seen["headers"] = status, headers

    asked = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "HTTP_HOST": "testserver"} | environ
    parts = application(asked, start_response)
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    names = [name.lower() for name, _value in seen["headers"]]
    assert names.count("cache-control") <= 1, "one word on keeping, not two"
    return seen["status"], {name.lower(): value for name, value in seen["headers"]}, body


@pytest.fixture
def public(settings: Any) -> tuple[str, str]:
    return ("Cache-Control", f"public, max-age={settings.PUBLIC_SECONDS}")


def test_a_copy_is_served_while_it_is_fresh(time: Clock, public: Any, settings: Any) -> None:
    application = Application(public)
    kept = PublicCache(application)
    ask(kept)
    time.now += settings.PUBLIC_SECONDS - 1
    assert (ask(kept)[2], application.calls) == (b"answer 1", 1)


@pytest.mark.parametrize("more", [0, 0.001, 1, 10_000])
def test_a_copy_is_not_served_once_it_is_old(time: Clock, public: Any, settings: Any, more: float) -> None:
    kept = PublicCache(Application(public))
    ask(kept)
    time.now += settings.PUBLIC_SECONDS + more
    assert ask(kept)[2] == b"answer 2"


def test_serving_a_copy_does_not_make_it_younger(time: Clock, public: Any, settings: Any) -> None:
    kept = PublicCache(Application(public))
    served = []
    for _ in range(4):
        served.append(ask(kept)[2])
        time.now += settings.PUBLIC_SECONDS * 0.4
    assert served == [b"answer 1", b"answer 1", b"answer 1", b"answer 2"]


def test_the_age_of_a_copy_counts_from_when_it_was_asked_for(time: Clock, public: Any, settings: Any) -> None:
    """What a slow page says was read when it began, not when it was done."""
    application = Application(public, takes=settings.PUBLIC_SECONDS / 2, clock=time)
    kept = PublicCache(application)
    asked = time.now
    ask(kept)
    time.now = asked + settings.PUBLIC_SECONDS + 1
    assert ask(kept)[2] == b"answer 2"


@pytest.mark.parametrize("after", [0, 1, 7.5, 19, 19.9])
def test_others_are_told_to_keep_a_copy_no_longer_than_what_is_left(
    time: Clock, public: Any, settings: Any, after: float
) -> None:
    kept = PublicCache(Application(public))
    ask(kept)
    time.now += after
    told = int(ask(kept)[1]["cache-control"].removeprefix("public, max-age="))
    assert 0 <= told <= settings.PUBLIC_SECONDS - after


def test_a_page_that_says_it_may_be_kept_for_long_is_not(time: Clock, settings: Any) -> None:
    kept = PublicCache(Application(("Cache-Control", "public, max-age=86400")))
    ask(kept)
    time.now += settings.PUBLIC_SECONDS + 1
    assert ask(kept)[2] == b"answer 2"


@pytest.mark.parametrize(
    "headers",
    [
        [("Set-Cookie", "a=b")], [("set-cookie", "a=b")], [("SET-COOKIE", "sessionid=1; HttpOnly")],
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_first", [True, False])
def test_an_answer_that_sets_a_cookie_is_never_kept(time: Clock, public: Any, headers: Any, is_first: bool) -> None:
    kept = PublicCache(Application(*([*headers, public] if is_first else [public, *headers])))
    assert [ask(kept)[2], ask(kept)[2]] == [b"answer 1", b"answer 2"]


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "206 Partial Content", "301 Moved", "302 Found", "304 Not Modified", "400 Bad Request", "403 Forbidden", "404 Not Found", "410 Gone", "422 Unprocessable", "500 Server Error", "503 Service Unavailable"])  # fmt: skip
def test_an_answer_that_is_not_200_is_never_kept(time: Clock, public: Any, status: str) -> None:
    kept = PublicCache(Application(public, status=status))
    assert [ask(kept)[2], ask(kept)[2]] == [b"answer 1", b"answer 2"]


@pytest.mark.parametrize("words", ["private", "private, max-age=20", "no-store", "no-cache", "max-age=20", "", "public", "public, max-age=0", "public, max-age=20, private", "private, public, max-age=20", "public, max-age=20, no-store", "no-store, public, max-age=20", "public, max-age=-5"])  # fmt: skip
def test_an_answer_that_is_not_simply_public_is_served_and_never_kept(time: Clock, words: str) -> None:
    kept = PublicCache(Application(("Cache-Control", words)))
    assert [ask(kept)[2], ask(kept)[2]] == [b"answer 1", b"answer 2"]


@pytest.mark.parametrize("words", ["public, max-age=20, immutable", "public, max-age=20, must-revalidate"])
def test_an_answer_with_more_words_on_keeping_is_served(time: Clock, words: str) -> None:
    assert ask(PublicCache(Application(("Cache-Control", words))))[2] == b"answer 1"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_neither_kept_nor_answered_from_a_copy(time: Clock, public: Any, method: str) -> None:
    kept = PublicCache(Application(public))
    assert [ask(kept)[2], ask(kept, method=method)[2], ask(kept, method=method)[2], ask(kept)[2]] == [b"answer 1", b"answer 2", b"answer 3", b"answer 1"]  # fmt: skip


@pytest.mark.parametrize("path", ["/c/", "/c/subjects", "/api/v1/deliveries"])
def test_pages_of_staff_and_programs_are_never_kept(time: Clock, public: Any, path: str) -> None:
    kept = PublicCache(Application(public))
    assert [ask(kept, path)[2], ask(kept, path)[2]] == [b"answer 1", b"answer 2"]


@pytest.mark.parametrize(("name", "other"), [("PATH_INFO", "/e/Y"), ("QUERY_STRING", "q=1"), ("HTTP_HOST", "other.example"), ("HTTP_COOKIE", "django_language=en"), ("HTTP_COOKIE", "view=large")])  # fmt: skip
def test_another_question_gets_another_answer(time: Clock, public: Any, name: str, other: str) -> None:
    kept = PublicCache(Application(public))
    assert [ask(kept)[2], ask(kept, **{name: other})[2]] == [b"answer 1", b"answer 2"]


def test_cookies_that_change_no_page_do_not_make_new_copies_for_ever(time: Clock, public: Any) -> None:
    application = Application(public)
    kept = PublicCache(application)
    for number in range(50):
        ask(kept, HTTP_COOKIE=f"visitor={number}")
    assert application.calls == 1


def test_the_cache_closes_what_it_was_given(time: Clock, public: Any) -> None:
    application = Application(public)
    ask(PublicCache(application))
    assert application.closed == 1


def test_the_cache_does_not_grow_without_end(time: Clock, public: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(cache, "MOST_PAGES", 10)
    kept = PublicCache(Application(public))
    for number in range(40):
        ask(kept, f"/e/{number}")
    assert len(kept.pages) == 10


class Bilingual(Application):
    """Answers in the language of the cookie, as Django reads cookies."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", self.headers)
        return [(parse_cookie(environ.get("HTTP_COOKIE", "")).get("django_language") or "zh").encode()]


ODD_COOKIES = ["a b; {}", 'prefs={{"a":"b c"}}; {}', "ü=1; {}", "path=/; {}", 'a="b; {}', "{}; a[]=1", "{};", "a=b;{}"]


@pytest.mark.parametrize("odd", ODD_COOKIES)
@pytest.mark.parametrize("others", ["", "visitor=1"])
def test_odd_cookies_of_one_visitor_do_not_change_the_language_of_others(
    time: Clock, public: Any, odd: str, others: str
) -> None:
    kept = PublicCache(Bilingual(public))
    ask(kept, HTTP_COOKIE=odd.format("django_language=en"))
    assert ask(kept, HTTP_COOKIE=others)[2] == b"zh"


# --- the cache before the real site ----------------------------------------------------------------------------------------------


@pytest.fixture
def site(db: None) -> Iterator[Callable[..., tuple[str, dict[str, str], bytes]]]:
    """Asks the site through the cache, as ``wsgi.py`` serves it; the test's connection stays open, as in Django's client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    kept = PublicCache(WSGIHandler())

    def asking(path: str, **environ: Any) -> tuple[str, dict[str, str], bytes]:
        whole = RequestFactory()._base_environ(PATH_INFO=path, HTTP_HOST="testserver", **environ)
        return ask(kept, path, **{key: value for key, value in whole.items() if key not in ("REQUEST_METHOD",)})

    yield asking
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_site_serves_a_copy(record: CreditRecord, site: Any, time: Clock, django_assert_num_queries: Any) -> None:
    site(f"/e/{record.subject.code}")
    with django_assert_num_queries(0):
        assert DOCUMENT in site(f"/e/{record.subject.code}")[2].decode()


@pytest.mark.parametrize(
    "path", ["/e/{code}", "/e/{code}/r/{seq}", "/pub/penalties", "/pub/penalties.rss", "/pub/penalties.csv"]
)
def test_what_has_ended_is_gone_from_the_copies_after_the_seconds(
    record: CreditRecord, site: Any, time: Clock, settings: Any, people: Any, path: str
) -> None:
    address = path.format(code=record.subject.code, seq=record.seq)
    mark = FACTS if "/r/" in path else DOCUMENT
    assert mark in site(address)[2].decode(), "a copy is there"
    change_record(record, state="revoked", on=timezone.localdate(), basis="撤1号", by=people["city"])
    time.now += settings.PUBLIC_SECONDS
    assert [text for text in SECRETS if text in site(address)[2].decode()] == []


@pytest.mark.parametrize("path", ["/data/files/records.csv", "/data/files/records.parquet", "/data/changes"])
def test_files_and_the_delta_are_never_answered_from_a_copy(
    record: CreditRecord, site: Any, time: Clock, people: Any, path: str
) -> None:
    query = "since=0" if path == "/data/changes" else ""
    before = site(path, QUERY_STRING=query)[2]
    change_record(record, state="revoked", on=timezone.localdate(), basis="撤1号", by=people["city"])
    after = site(path, QUERY_STRING=query)[2]
    assert (before == after, DOCUMENT.encode() in after) == (False, False)


def test_the_seconds_allowed_are_at_most_thirty(settings: Any) -> None:
    assert 0 < settings.PUBLIC_SECONDS <= 30
