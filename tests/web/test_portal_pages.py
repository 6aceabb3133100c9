"""How public pages are served and what they say: headers, language and view, weight, feeds, schema, error reports."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client as Browser
from django.utils import timezone

from zhixin.reference.holidays import announced_years
from zhixin_web.accounts.models import Organisation, Role, RoleGrant, User
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.audit.services import checkpoints as audit_services
from zhixin_web.cases.models import ErrorReport
from zhixin_web.cases.queries import visible_reports
from zhixin_web.cases.services.reports import answer_report, file_report
from zhixin_web.evaluations import fairness, published
from zhixin_web.evaluations.models import Run
from zhixin_web.faces.portal.credit_report import report_content
from zhixin_web.governance.models import Consultation
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.published import published_subject
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.published import published_releases

DOCUMENT = "（虚构）罚字1号"
HAN = re.compile(r"[\u3400-\u9fff]")
MOST_BYTES = 150_000
KINDS = ("results", "penalties", "lists", "honours", "repairs", "consultations")


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Keys repeat from test to test, so what is kept by key must be forgotten."""
    for module in (published, fairness):
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def record(penalised_city: None) -> CreditRecord:
    return CreditRecord.objects.select_related("subject").get()


@pytest.fixture
def evaluated(evaluated_city: None) -> CreditRecord:
    """The record, in a city with a released evaluation and an open consultation."""
    return CreditRecord.objects.select_related("subject").get()


def pages(record: CreditRecord) -> list[str]:
    """Every kind of public page that is HTML and may be kept."""
    code, release = record.subject.code, published_releases().get().pk
    own = [f"/e/{code}", f"/e/{code}/why", f"/e/{code}/r/{record.seq}"]
    columns = [f"/pub/{kind}" for kind in KINDS]
    rules = ["/rules", f"/rules/{release}", f"/rules/{release}/diff/{release}", "/measures", "/consultations"]
    rest = ["/", "/s", "/s?q=郑州", "/pub", "/data", "/v", "/ledger", f"/ledger?seq={record.seq}", "/stats", "/fairness", "/fairness?by=age", "/help", "/help/site-check"]  # fmt: skip
    return [*own, *columns, *rules, *rest]


def others(record: CreditRecord) -> list[str]:
    """Public answers that are no pages but may be kept."""
    release = published_releases().get().pk
    feeds = [f"/pub/{kind}{form}" for kind in KINDS for form in (".rss", ".csv")]
    return [*feeds, f"/rules/{release}.yaml", f"/rules/{release}/document.docx", "/data/schema.json"]


def fresh(record: CreditRecord) -> list[str]:
    """Public answers that may not be kept: what they say changes at once, or is not there."""
    code = record.subject.code
    return ["/data/changes?since=0", "/data/files/records.csv", "/data/files/grades.parquet", "/e/X", "/v/XXXXXXXXXXXX", f"/e/{code}/r/999999", "/nothing", "/pub/nothing"]  # fmt: skip


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def page(address: str, **cookies: str) -> str:
    browser = Browser()
    for name, value in cookies.items():
        browser.cookies[name] = value
    return body_of(browser.get(address)).decode("utf-8-sig")


# --- headers -----------------------------------------------------------------------------------------------------------------


def test_every_page_answers(evaluated: CreditRecord) -> None:
    statuses = {address: Browser().get(address).status_code for address in [*pages(evaluated), *others(evaluated)]}
    assert {address: status for address, status in statuses.items() if status != 200} == {}


def test_no_public_page_sets_a_cookie(evaluated: CreditRecord) -> None:
    asked = [*pages(evaluated), *others(evaluated), *fresh(evaluated)]
    assert [address for address in asked if Browser().get(address).cookies] == []


def test_pages_may_be_kept_by_anybody_for_the_seconds_that_are_set(evaluated: CreditRecord, settings: Any) -> None:
    wanted = f"public, max-age={settings.PUBLIC_SECONDS}"
    said = {address: Browser().get(address).get("Cache-Control") for address in [*pages(evaluated), *others(evaluated)]}
    assert {address: words for address, words in said.items() if words != wanted} == {}


def test_what_may_change_at_once_or_is_not_there_is_not_kept(evaluated: CreditRecord) -> None:
    said = {address: Browser().get(address).get("Cache-Control") for address in fresh(evaluated)}
    assert {address: words for address, words in said.items() if words != "no-store"} == {}


def test_pages_say_that_they_depend_on_the_visitors_cookies(evaluated: CreditRecord) -> None:
    assert [address for address in pages(evaluated) if "cookie" not in Browser().get(address)["Vary"].lower()] == []


def test_a_visitor_with_a_session_gets_the_same_page(evaluated: CreditRecord, people: Any) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    address = f"/e/{evaluated.subject.code}"
    assert browser.get(address).content == Browser().get(address).content


def test_public_pages_ask_nothing_of_the_session_table(
    evaluated: CreditRecord, people: Any, django_assert_max_num_queries: Any
) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    with django_assert_max_num_queries(20) as asked:
        browser.get(f"/e/{evaluated.subject.code}")
    assert [item["sql"] for item in asked.captured_queries if "django_session" in item["sql"]] == []


def test_every_answer_has_a_content_security_policy_without_inline_code(evaluated: CreditRecord) -> None:
    wrong = {}
    for address in [*pages(evaluated), *others(evaluated), *fresh(evaluated), f"/e/{evaluated.subject.code}/r/{evaluated.seq}/report"]:  # fmt: skip
        policy = Browser().get(address).get("Content-Security-Policy", "")
        if (
            "default-src 'none'" not in policy
            or "unsafe" in policy
            or "*" in policy
            or "frame-ancestors 'none'" not in policy
        ):
            wrong[address] = policy
    assert wrong == {}


class Inline(HTMLParser):
    """Finds code and style that a strict policy refuses, and addresses of other sites."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.is_script = tag == "script"
        if tag == "style" or (tag == "script" and "src" not in values):
            self.found.append(tag)
        for name, value in values.items():
            if name == "style" or name.startswith("on") or value.strip().lower().startswith("javascript:"):
                self.found.append(f"{tag}.{name}")
        for name in ("src", "action") + (("href",) if tag == "link" else ()):
            if values.get(name, "").startswith(("http:", "https:", "//")):
                self.found.append(f"{tag}.{name}={values[name]}")

    def handle_data(self, data: str) -> None:
        if self.is_script and data.strip():
            self.found.append("script text")

    def handle_endtag(self, tag: str) -> None:
        self.is_script = False


def test_no_page_has_inline_code_or_style_or_anything_of_another_site(evaluated: CreditRecord) -> None:
    found = {}
    form = f"/e/{evaluated.subject.code}/r/{evaluated.seq}/report"
    for address in [*pages(evaluated), "/e/X", "/nothing", form, f"/consultations/{Consultation.objects.get().pk}"]:
        parser = Inline()
        parser.feed(page(address))
        if parser.found:
            found[address] = parser.found
    assert found == {}


def test_head_says_what_get_says_without_the_body(evaluated: CreditRecord) -> None:
    answer = Browser().head(f"/e/{evaluated.subject.code}")
    assert (answer.status_code, answer.content, answer["Cache-Control"][:6]) == (200, b"", "public")


# --- weight ------------------------------------------------------------------------------------------------------------------


def test_no_page_weighs_more_than_150_kb(evaluated: CreditRecord) -> None:
    weights = {address: len(Browser().get(address).content) for address in pages(evaluated)}
    assert {address: weight for address, weight in weights.items() if weight >= MOST_BYTES} == {}


def test_the_page_of_an_enterprise_with_two_hundred_records_weighs_less_too(
    subjects: list[Subject], take: Any, penalty: Any
) -> None:
    rows = [(subjects[0].code, subjects[0].name, f"（虚构）罚字{number}号") for number in range(200)]
    assert take("penalties", penalty(*rows)).accepted == 200
    assert len(Browser().get(f"/e/{subjects[0].code}").content) < MOST_BYTES


@pytest.mark.parametrize("address", ["/pub", "/pub/penalties", "/s?q=郑州"])
def test_lists_weigh_less_too_when_there_is_much_to_list(
    subjects: list[Subject], take: Any, penalty: Any, address: str
) -> None:
    rows = [(item.code, item.name, f"（虚构）罚字{number}号" * 5) for number in range(20) for item in subjects]
    assert take("penalties", penalty(*rows)).accepted == 240
    assert len(Browser().get(address).content) < MOST_BYTES


# --- language and view -------------------------------------------------------------------------------------------------------


class Spoken(HTMLParser):
    """The words of the site itself: navigation, headings, column heads, labels, buttons."""

    TAGS = ("nav", "h1", "h2", "h3", "h4", "label", "legend", "button", "summary", "footer", "title")

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.is_chinese = False
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.is_chinese = values.get("lang") == "zh-CN"
        if tag in self.TAGS or (tag == "th" and values.get("scope") == "col"):
            self.inside.append(tag)
        self.words += [values[name] or "" for name in ("aria-label", "placeholder") if name in values]

    def handle_endtag(self, tag: str) -> None:
        self.is_chinese = False
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside and not self.is_chinese:
            self.words.append(data)


def test_navigation_headings_and_labels_of_english_pages_hold_no_chinese(evaluated: CreditRecord, settings: Any) -> None:
    data = [evaluated.subject.name, settings.SITE_NAME]
    form, consultation = (
        f"/e/{evaluated.subject.code}/r/{evaluated.seq}/report",
        f"/consultations/{Consultation.objects.get().pk}",
    )
    found = {}
    for address in [*pages(evaluated), form, consultation, "/e/X", "/v/XXXXXXXXXXXX"]:
        parser = Spoken()
        parser.feed(page(address, django_language="en"))
        assert parser.words, address
        left = []
        for words in parser.words:
            for known in data:
                words = words.replace(known, "")
            left += [words.strip()] if HAN.search(words) else []
        if left:
            found[address] = left
    assert found == {}


def test_the_language_cookie_changes_the_page(evaluated: CreditRecord) -> None:
    address = f"/e/{evaluated.subject.code}"
    assert ("公示的信用记录" in page(address), "公示的信用记录" in page(address, django_language="en")) == (True, False)


@pytest.mark.parametrize(("cookie", "wanted"), [("en", ("en", 'lang="en"')), ("zh-hans", ("zh-CN", 'lang="zh-CN"')), ("fr", ("zh-CN", 'lang="zh-CN"'))])  # fmt: skip
def test_a_page_says_which_language_it_is_in(db: None, cookie: str, wanted: tuple[str, str]) -> None:
    browser = Browser()
    browser.cookies["django_language"] = cookie
    answer = browser.get("/help")
    assert (answer["Content-Language"], f"<html {wanted[1]}" in answer.content.decode()) == (wanted[0], True)


@pytest.mark.parametrize("address", ["/nothing", "/pub/nothing", "/rules/999999", "/t/XXXXXXXXXXXX", "/data/files/nothing"])
def test_an_english_visitor_reads_in_english_that_there_is_no_such_page(db: None, address: str) -> None:
    shown = page(address, django_language="en")
    assert ("没有这个页面" in shown, "There is no such page" in shown) == (False, True)


@pytest.mark.parametrize("path", ["/e/{code}", "/e/{code}/r/{seq}/report", "/e/{code}/r/{seq}"])
def test_the_browsers_own_language_changes_no_page(record: CreditRecord, path: str) -> None:
    """One visitor reads pages and forms in one language: Chinese until another is chosen."""
    address = path.format(code=record.subject.code, seq=record.seq)
    answer = Browser().get(address, headers={"accept-language": "en-GB,en"})
    assert "首页" in answer.content.decode()


def test_the_view_cookie_changes_the_page(db: None) -> None:
    assert ('data-view="large"' in page("/help"), 'data-view="large"' in page("/help", view="large")) == (False, True)


@pytest.mark.parametrize(("query", "name", "value"), [("language=en", "django_language", "en"), ("language=zh-hans", "django_language", "zh-hans"), ("view=large", "view", "large")])  # fmt: skip
def test_preferences_are_kept_and_lead_back(db: None, query: str, name: str, value: str) -> None:
    browser = Browser()
    answer = browser.get(f"/preferences?{query}&next=/help")
    assert (answer["Location"], answer.cookies[name].value, answer["Cache-Control"]) == ("/help", value, "no-store")


def test_the_large_view_is_left_again(db: None) -> None:
    browser = Browser()
    browser.get("/preferences?view=large")
    browser.get("/preferences?view=normal")
    assert 'data-view="large"' not in browser.get("/help").content.decode()


@pytest.mark.parametrize("query", ["language=fr", "view=huge", "language=", ""])
def test_preferences_that_do_not_exist_are_not_kept(db: None, query: str) -> None:
    assert not Browser().get(f"/preferences?{query}").cookies


# --- what a record and a report say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [DOCUMENT, "2026-08-01", "虚构机关", "罚款"])
def test_the_page_of_a_record_holds_what_its_document_says(record: CreditRecord, words: str) -> None:
    assert words in page(f"/e/{record.subject.code}/r/{record.seq}")


@pytest.mark.parametrize("words", [DOCUMENT, "2026-08-01", "虚构机关"])
def test_the_credit_report_holds_what_the_documents_say(record: CreditRecord, words: str) -> None:
    subject = published_subject(record.subject.code)
    assert subject is not None
    assert words in json.dumps(report_content(subject, timezone.localdate())["records"], ensure_ascii=False)


def test_the_page_of_a_record_says_when_its_publication_ends(record: CreditRecord) -> None:
    assert "2027-08-01" in page(f"/e/{record.subject.code}/r/{record.seq}")


def test_the_enterprise_page_counts_the_days_left(record: CreditRecord) -> None:
    assert record.publicity_until is not None
    days = (record.publicity_until - timezone.localdate()).days
    assert f"还有 {days} 天" in page(f"/e/{record.subject.code}")


def test_a_result_is_announced_under_the_day_of_the_city_not_of_greenwich(evaluated: CreditRecord) -> None:
    at = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)  # half past one on the 24th in Zhengzhou
    Run.objects.update(released_at=at)
    assert next(csv.DictReader(io.StringIO(page("/pub/results.csv"))))["date"] == "2026-11-24"


# --- the ledger page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/bin/false", "/nowhere/signer", "/bin/echo"])
def test_the_ledger_page_is_there_when_the_signer_is_not(subjects: Any, settings: Any, command: str) -> None:
    for value in list(vars(audit_services).values()):
        if hasattr(value, "cache_clear"):
            value.cache_clear()
    settings.SIGNER_COMMAND = command
    assert Browser(raise_request_exception=False).get("/ledger").status_code == 200


def test_visitors_of_the_ledger_page_do_not_start_a_process_each(subjects: Any, monkeypatch: Any) -> None:
    started = []
    run = audit_services.subprocess.run

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return run(*arguments, **options)

    monkeypatch.setattr(audit_services.subprocess, "run", counted)
    for seq in range(4):
        page(f"/ledger?seq={seq}")
    assert len(started) <= 1


# --- open data and feeds -----------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page("/data/schema.json"))
    return found


@pytest.mark.parametrize("table", ["records", "grades"])
def test_the_schema_names_the_columns_of_the_csv_in_their_order(evaluated: CreditRecord, table: str) -> None:
    head = next(csv.reader(io.StringIO(page(f"/data/files/{table}.csv"))))
    assert [item["name"] for item in schema()["tables"][table]] == head


@pytest.mark.parametrize("table", ["records", "grades"])
def test_the_schema_gives_names_and_types_of_the_parquet_file(evaluated: CreditRecord, table: str) -> None:
    held = pq.read_schema(io.BytesIO(body_of(Browser().get(f"/data/files/{table}.parquet"))))
    said = [(item["name"], item["type"]) for item in schema()["tables"][table]]
    assert said == [(field.name, str(field.type)) for field in held]


def test_every_column_is_described_in_both_languages(db: None) -> None:
    words = [item["description"] for columns in schema()["tables"].values() for item in columns]
    assert [text for text in words if not (HAN.search(text["zh"]) and re.search("[a-z]{4}", text["en"]))] == []


def test_every_file_of_the_schema_can_be_downloaded(evaluated: CreditRecord) -> None:
    assert {name: Browser().get(f"/data/files/{name}").status_code for name in schema()["files"]} == dict.fromkeys(schema()["files"], 200)  # fmt: skip


def test_both_forms_of_a_file_hold_the_same_rows(evaluated: CreditRecord) -> None:
    rows = list(csv.reader(io.StringIO(page("/data/files/records.csv"))))[1:]
    table = pq.read_table(io.BytesIO(body_of(Browser().get("/data/files/records.parquet")))).to_pylist()
    assert rows == [[str(value) for value in row.values()] for row in table]


def test_the_delta_has_the_columns_of_the_records_and_an_id(evaluated: CreditRecord) -> None:
    row = json.loads(page("/data/changes?since=0"))["published"][0]
    assert list(row) == [*(item["name"] for item in schema()["tables"]["records"]), "id"]


def test_a_download_says_how_long_it_is(evaluated: CreditRecord) -> None:
    answer = Browser().get("/data/files/records.csv")
    assert int(answer["Content-Length"]) == len(body_of(answer))


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_a_table_is_read_as_a_formula(subjects: list[Subject], take: Any, penalty: Any, start: str) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, f"{start}HYPERLINK(1)")))
    rows = list(csv.reader(io.StringIO(page("/data/files/records.csv"))))[1:]
    assert [[cell for cell in row if cell.startswith(start)] for row in rows] == [[]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_feed_is_well_formed_and_names_its_column(evaluated: CreditRecord, kind: str) -> None:
    channel = ElementTree.fromstring(page(f"/pub/{kind}.rss")).find("channel")
    assert channel is not None
    assert all(channel.findtext(name) for name in ("title", "link", "description"))


def test_every_item_of_the_feeds_leads_to_a_page_of_this_site(evaluated: CreditRecord) -> None:
    items = [item for kind in KINDS for item in ElementTree.fromstring(page(f"/pub/{kind}.rss")).iter("item")]
    links = {(item.findtext("link") or "").partition("#")[0] for item in items}
    assert len(links) >= 3
    assert [link for link in links if not link.startswith("http://testserver/") or Browser().get(link).status_code != 200] == []  # fmt: skip


@pytest.mark.parametrize("sign", ["&<>\"'", "]]>", "\x0b", "\x1f", "\ufffe"])
def test_signs_in_a_document_number_do_not_break_the_feed(
    subjects: list[Subject], take: Any, penalty: Any, sign: str
) -> None:
    quoted = '"' + f"（虚构）罚{sign}1".replace('"', '""') + '"'
    batch = take("penalties", penalty((subjects[0].code, subjects[0].name, quoted)))
    answer = Browser(raise_request_exception=False).get("/pub/penalties.rss")
    assert answer.status_code == 200
    assert len(list(ElementTree.fromstring(answer.content).iter("item"))) == batch.accepted


def test_the_columns_lists_and_penalties_share_no_record(evaluated: CreditRecord, take: Any) -> None:
    head = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关"
    take("serious_list", f"{head}\n{evaluated.subject.code},{evaluated.subject.name},（虚构）列1,虚构,2026-10-08,虚构机关")
    one, other = ({item.findtext("link") for item in ElementTree.fromstring(page(f"/pub/{kind}.rss")).iter("item")} for kind in ("lists", "penalties"))  # fmt: skip
    assert (len(one), len(other), one & other) == (1, 1, set())


# --- error reports -----------------------------------------------------------------------------------------------------------

FORM = {"reason": "wrong_value", "text": "罚款金额与决定书不一致，应为一万元"}


def filed(record: CreditRecord, **changes: str) -> tuple[Any, Browser]:
    browser = Browser()
    return browser.post(f"/e/{record.subject.code}/r/{record.seq}/report", FORM | changes), browser


def test_filing_an_error_report_gives_a_code_to_follow_it_by(record: CreditRecord) -> None:
    answer, _browser = filed(record)
    code = ErrorReport.objects.get().code
    assert (answer.status_code, answer["Location"], len(code)) == (302, f"/t/{code}", 12)


def test_the_code_leads_to_how_the_report_stands(record: CreditRecord) -> None:
    answer, browser = filed(record)
    shown = browser.get(answer["Location"]).content.decode()
    report = ErrorReport.objects.get()
    assert [words for words in (report.code, "核实中", "市场监督管理局", str(report.due_on), "内容或日期有误") if words not in shown] == []  # fmt: skip


def test_the_code_may_be_typed_in_small_letters(record: CreditRecord) -> None:
    answer, browser = filed(record)
    assert browser.get(answer["Location"].lower().replace("/t/", "/t/")).status_code == 200


def test_codes_do_not_follow_one_another(record: CreditRecord) -> None:
    codes = {file_report(record, reason="rule", text="规则适用有误，请核实").code for _ in range(12)}
    assert (len(codes), len({code[:4] for code in codes}) > 6) == (12, True)


def test_the_clock_runs_for_seven_working_days_over_a_holiday(record: CreditRecord, monkeypatch: Any) -> None:
    """From Wednesday 30 September 2026: holidays to 7 October; 8, 9, 10 (worked), 12, 13, 14, 15 October count."""
    monkeypatch.setattr(timezone, "localdate", lambda *_, **__: date(2026, 9, 30))
    filed(record)
    report = ErrorReport.objects.get()
    assert (report.filed_on, report.due_on) == (date(2026, 9, 30), date(2026, 10, 15))


def test_the_form_tells_the_days_of_the_rulebook_in_force(record: CreditRecord) -> None:
    rule, days, _source = law_in_force().deadline("report.answer")
    shown = page(f"/e/{record.subject.code}/r/{record.seq}/report")
    assert (rule.unit, days, f"{days} 个工作日内" in shown) == ("working", 7, True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_one_can_report_when_the_holidays_of_the_coming_year_are_not_known(
    subjects: list[Subject], take: Any, penalty: Any, monkeypatch: Any, method: str
) -> None:
    """The table of holidays ends with a year; visitors of its last days must still be able to report."""
    last = date(max(announced_years()), 12, 30)
    monkeypatch.setattr(timezone, "localdate", lambda *_, **__: last)
    row = (subjects[0].code, subjects[0].name, DOCUMENT)
    take("penalties", penalty(row, 处罚决定日期=last.isoformat()))
    address = f"/e/{subjects[0].code}/r/{CreditRecord.objects.get().seq}/report"
    assert getattr(Browser(raise_request_exception=False), method)(address, FORM).status_code in (200, 302)


@pytest.mark.parametrize("path", ["/e/{code}", "/e/{code}/r/{seq}"])
def test_a_reported_record_is_marked_as_disputed(record: CreditRecord, path: str) -> None:
    address = path.format(code=record.subject.code, seq=record.seq)
    assert "异议处理中" not in page(address), "not before"
    filed(record)
    assert "异议处理中" in page(address)


def test_only_the_reported_record_is_marked(record: CreditRecord, take: Any, penalty: Any) -> None:
    take("penalties", penalty((record.subject.code, record.subject.name, "（虚构）罚字2号")))
    filed(record)
    assert page(f"/e/{record.subject.code}").count("异议处理中") == 1


@pytest.mark.parametrize("upheld", [True, False])
def test_the_mark_goes_with_the_answer(record: CreditRecord, people: Any, upheld: bool) -> None:
    filed(record)
    answer_report(ErrorReport.objects.get(), upheld=upheld, answer="经核对决定书，情况属实。", by=people["department"])
    assert "异议处理中" not in page(f"/e/{record.subject.code}")


def test_a_second_report_keeps_the_mark_until_it_is_answered_too(record: CreditRecord, people: Any) -> None:
    first = file_report(record, reason="rule", text="规则适用有误，请核实")
    file_report(record, reason="expired", text="公示期限已过")
    answer_report(first, upheld=False, answer="经核实无误。", by=people["department"])
    assert "异议处理中" in page(f"/e/{record.subject.code}")


@pytest.fixture
def courts(people: Any) -> User:
    """An account of a department that does not own the source of penalties."""
    unit = Organisation.objects.get(code="courts")
    user = User.objects.create(username="courts", display_name="冯法官", role=Role.DEPARTMENT_USER, organisation=unit)
    RoleGrant.objects.create(user=user, role=Role.DEPARTMENT_USER, reason="test")
    return user


@pytest.mark.parametrize(("name", "sees"), [("department", True), ("city", True), ("approver", True), ("auditor", True), ("district", False), ("inspector", False), ("enterprise", False), ("security", False), ("system", False)])  # fmt: skip
def test_a_report_is_seen_by_the_owner_of_the_source_and_the_city(
    record: CreditRecord, people: Any, name: str, sees: bool
) -> None:
    filed(record)
    assert visible_reports(people[name]).exists() is sees


def test_a_report_is_not_seen_by_another_department(record: CreditRecord, courts: User) -> None:
    filed(record)
    assert not visible_reports(courts).exists()


def test_a_report_on_a_source_of_the_courts_goes_to_the_courts_only(
    subjects: list[Subject], take: Any, courts: User, people: Any
) -> None:
    head = "统一社会信用代码,企业名称,案号,裁判结果,审理法院,生效日期"
    take("judgments", f"{head}\n{subjects[0].code},{subjects[0].name},（虚构）案1,侵权败诉,虚构法院,2026-08-01")
    filed(CreditRecord.objects.get())
    assert (visible_reports(courts).count(), visible_reports(people["department"]).count()) == (1, 0)


def test_another_department_cannot_answer(record: CreditRecord, courts: User) -> None:
    filed(record)
    with pytest.raises(PermissionDenied):
        answer_report(ErrorReport.objects.get(), upheld=True, answer="经核对，情况属实。", by=courts)


def test_the_owner_answers_and_the_one_who_filed_reads_it(record: CreditRecord, people: Any) -> None:
    answer, browser = filed(record)
    answer_report(ErrorReport.objects.get(), upheld=False, answer="经核对决定书，金额无误。", by=people["department"])
    shown = browser.get(answer["Location"]).content.decode()
    assert [words for words in ("经核实无误", "经核对决定书，金额无误。", "行政复议") if words not in shown] == []


def test_an_answer_on_the_last_day_is_not_late(record: CreditRecord, people: Any) -> None:
    filed(record)
    answer_report(ErrorReport.objects.get(), upheld=True, answer="经核对，情况属实。", by=people["department"])
    shown = page("/stats")
    assert re.findall(r"<dt>(?:已逾期未答复|逾期后才答复)</dt>\s*<dd>\s*(\d+)\s*</dd>", shown) == ["0", "0"]


@pytest.mark.parametrize("answer", ["", "无误", "     "])
def test_an_answer_without_reasons_is_refused(record: CreditRecord, people: Any, answer: str) -> None:
    filed(record)
    with pytest.raises(ValidationError):
        answer_report(ErrorReport.objects.get(), upheld=False, answer=answer, by=people["department"])


def test_a_report_is_answered_once(record: CreditRecord, people: Any) -> None:
    filed(record)
    report = ErrorReport.objects.get()
    answer_report(report, upheld=False, answer="经核实无误。", by=people["department"])
    with pytest.raises(ValidationError):
        answer_report(report, upheld=True, answer="经核对，情况属实。", by=people["department"])


def test_what_somebody_reported_is_on_no_public_page(evaluated: CreditRecord) -> None:
    answer, _browser = filed(evaluated, text="虚构人物私密一二三四五")
    asked = [*pages(evaluated), answer["Location"], "/data/changes?since=0", "/data/files/records.csv"]
    assert [address for address in asked if "虚构人物私密" in page(address)] == []


def test_too_many_open_reports_on_one_record_are_refused_with_a_word_of_help(record: CreditRecord) -> None:
    for _ in range(20):
        file_report(record, reason="rule", text="规则适用有误，请核实")
    answer, _browser = filed(record)
    assert (answer.status_code, "已有多件报错在核实" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("changes", [{"reason": ""}, {"reason": "nothing"}, {"text": "错"}, {"text": "        "}])
def test_a_report_with_a_fault_is_not_filed(record: CreditRecord, changes: dict[str, str]) -> None:
    answer, _browser = filed(record, **changes)
    assert (answer.status_code, ErrorReport.objects.count()) == (422, 0)


def test_the_form_keeps_what_was_chosen_when_it_comes_back(record: CreditRecord) -> None:
    answer, _browser = filed(record, text="错")
    assert re.search(r'value="wrong_value" checked', answer.content.decode())


@pytest.fixture
def strict() -> Browser:
    return Browser(enforce_csrf_checks=True)


def test_the_form_is_taken_with_its_token(record: CreditRecord, strict: Browser) -> None:
    address = f"/e/{record.subject.code}/r/{record.seq}/report"
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(address).content.decode())
    assert found
    assert strict.post(address, FORM | {"csrfmiddlewaretoken": found[1]}).status_code == 302


def test_the_form_is_refused_without_its_token(record: CreditRecord, strict: Browser) -> None:
    assert strict.post(f"/e/{record.subject.code}/r/{record.seq}/report", FORM).status_code == 403


def test_the_form_with_its_token_is_kept_by_nobody(record: CreditRecord) -> None:
    said = Browser().get(f"/e/{record.subject.code}/r/{record.seq}/report").get("Cache-Control", "")
    assert "public" not in said
    assert "no-store" in said or "private" in said


def test_filing_leaves_an_entry_in_the_ledger_without_the_words(record: CreditRecord) -> None:
    filed(record, text="虚构人物私密一二三四五")
    kinds = LedgerEntry.objects.order_by("-seq").values_list("kind", "data")[:1]
    assert [(kind, "私密" in data) for kind, data in kinds] == [("objection.file", False)]
