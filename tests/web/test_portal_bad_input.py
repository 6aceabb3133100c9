"""Whatever is typed into a public address or form: no page fails, none echoes it unescaped, each says something useful."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin.dataset.identity import organisation_check_character, uscc_check_character
from zhixin.law.loading import dump_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.governance.models import Comment, Consultation, Draft
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.rulebooks.models import RulebookRelease

MARK = "naughty7"
"""Stands in every string with markup, so that an echo without escaping is found whatever surrounds it."""
MARKUP = [
    f"<script>alert('{MARK}')</script>",
    f"\"><img src=x onerror=alert('{MARK}')>",
    f"'><svg/onload=alert({MARK})>",
    f"</title><script>{MARK}</script>",
    f"</textarea><b>{MARK}</b>",
    f"<!--{MARK}-->",
    f"<a href='javascript:{MARK}'>",
    f'" autofocus onfocus="{MARK}()',
    f"<?php echo '{MARK}' ?>",
    f"<![CDATA[{MARK}]]>",
    f"<iframe src=//{MARK}.example>",
    f"<ScRiPt\x0b>{MARK}</sCrIpT>",
    f"\x3c{MARK}\x3e&lt;{MARK}&gt;",
]
TEMPLATE = ["{{ 1187|add:150 }}", "{% now 'Y' %}", "{{ request.user.password }}", "${1187+150}", "#{1187+150}", "<%= 1187+150 %>", "{% debug %}", "%(name)s %s %n"]  # fmt: skip
SQL = ["' OR '1'='1", "'; DROP TABLE records_subject; --", '" OR ""="', "1) UNION SELECT password FROM accounts_user --", "'; SELECT pg_sleep(9); --", "\\'; --", "%' ESCAPE '\\", "0 OR 1=1", "1/*!*/;", "$$;SELECT 1;$$"]  # fmt: skip
SEARCH = ['" OR * NEAR(', "NEAR(郑州 河南, 5)", "name:郑*", "^郑州", "郑州 AND NOT", '""', '"', "*", "**", "-郑州", "(郑州", "& | ! :*", "<->", "郑州 <2> 河南", "!!", "郑州:*&", "a:*b", "'郑州' | '", "\\", "\\\\:*", "郑州'", "OR", "AND NOT OR"]  # fmt: skip
SIGNS = ["\x00", "郑州\x00河南", "\x01\x02\x1b[31m", "\u200b", "郑\u200b州", "\u202e州郑", "\ufeff郑州", "\u00ad", "\U0001f600", "👨‍👩‍👧‍👦🏳️‍🌈", "\ud800", "\udfff郑", "Z̷̛͑a̵̓l̶g̴o̵", "ﷺ" * 20, "\u2028\u2029", "𠮷野家", "１２３ＡＢＣ", "ß" * 18, "İ" * 18, "ǆ", "\r\nSet-Cookie: a=b", "\t\n\r", " ", "　", "\u0085", "\uffff"]  # fmt: skip
NUMBERS = ["-1", "+1", "0x10", "1e9", "9" * 18, "9" * 40, "9" * 5000, "١٢٣", "²", "1.5", "NaN", "∞", "1_000", "00", "-0", "9.14E+17"]  # fmt: skip
PATHS = ["../../../../etc/passwd", "..\\..\\windows", "/etc/passwd", "//evil.example/", "a/b", "file:///etc/passwd", ".", "..", "%2e%2e%2f", "con", "records.csv/../x", "http://evil.example", "javascript:alert(1)", "?a=b", "#x", ";a=b"]  # fmt: skip
LONG = ["A" * 10_000, "郑" * 10_000, "' OR " * 2_000, "9" * 10_000, "{{" * 5_000, "<" * 3_000]
NAUGHTY = [*MARKUP, *TEMPLATE, *SQL, *SEARCH, *SIGNS, *NUMBERS, *PATHS, *LONG]
RAW = ["%00", "%FF", "%C0%AF", "%ED%A0%80", "%", "%zz", "%u0041", "%25%30%30", "%E9%83", "%0d%0aX-Evil:1", "+", "%26%7C", "&&==&", "%2500"]  # fmt: skip
"""Written into the address as they are."""

QUERIES = ("/s?q={}", "/v?code={}", "/ledger?seq={}", "/data/changes?since={}", "/fairness?by={}")
PATH_ADDRESSES = ("/e/{}", "/e/{}/why", "/e/{}/report.pdf", "/v/{}", "/t/{}", "/pub/{}", "/pub/{}.rss", "/pub/{}.csv", "/data/files/{}", "/rules/{}", "/rules/{}.yaml", "/rules/{}/diff/1", "/e/{}/r/{}", "/e/{}/r/{}/report", "/consultations/{}", "/rules/1/document.{}")  # fmt: skip
PLAIN_PAGES = ("/", "/s", "/pub", "/pub/results", "/rules", "/measures", "/consultations", "/data", "/data/schema.json", "/v", "/ledger", "/stats", "/fairness", "/help", "/help/site-check", "/preferences", "/tour")  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def escaped(text: str) -> str:
    """A string as it stands in an address."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


SPELLED = [(repr(text)[:60], text, escaped(text)) for text in NAUGHTY] + [(f"raw {text}", text, text) for text in RAW]
CHOSEN = [item for place, item in enumerate(SPELLED) if place % 3 == 0 or "\x00" in item[1] or item[1] in LONG]
"""A third of them, for pages that take long."""


@pytest.fixture
def browser(db: None, settings: Any) -> Iterator[Browser]:
    settings.SIGNER_COMMAND = "/nowhere/signer"  # the ledger page starts it for each visitor
    logging.disable(logging.CRITICAL)  # thousands of refused requests
    yield Browser(raise_request_exception=False)
    logging.disable(logging.NOTSET)


class Markup(HTMLParser):
    """Sees where the mark stands as more than text or the value of a harmless attribute."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.places: list[str] = []
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag
        loaded = tag in ("script", "iframe", "img", "svg", "object", "embed", "b")
        for name, value in attrs:
            harmless = name in ("href", "value", "content", "class", "id", "action") and not loaded
            if MARK in name or (MARK in (value or "") and (not harmless or (value or "").startswith("javascript:"))):
                self.places.append(f"{tag}.{name}")
        if MARK in tag:
            self.places.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if MARK in data and self.within in ("script", "style", "b"):
            self.places.append(self.within)

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.places.append("comment")

    handle_pi = handle_decl = unknown_decl = handle_comment

    @classmethod
    def found(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        return parser.places


def test_the_reader_of_markup_sees_what_it_should() -> None:
    assert [bool(Markup.found(f"<p>{text}</p>")) for text in (f"<b>{MARK}", f"<i onclick={MARK}>", f"<!--{MARK}-->")] == [
        True
    ] * 3


def faults_of(answer: Any, text: str) -> list[str]:
    """What is wrong with an answer to a naughty string."""
    if answer.status_code >= 500:
        return [f"gave {answer.status_code}"]
    found = []
    kind = answer.headers.get("Content-Type", "")
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    shown = body.decode("utf-8", "replace")
    if answer.status_code >= 400 and not CHINESE.search(shown):
        found.append(f"gave {answer.status_code} without a word of help")
    if kind.startswith("text/html"):
        if MARK in text and any(char in text for char in "<>\"'") and text in shown:
            found.append("stands in the page unescaped")
        if MARK in text and Markup.found(shown):
            found.append("became markup of the page")
        if "1337" in shown and "1187" in text:
            found.append("was worked out as a template")
    elif answer.headers.get("X-Content-Type-Options") != "nosniff":
        found.append("is no page and may be sniffed as one")
    return found


def every_fault(browser: Browser, address: str, strings: list[tuple[str, str, str]] = SPELLED) -> dict[str, list[str]]:
    """Naughty string → what is wrong with the answer, for those where something is."""
    found = {}
    for name, text, spelled in strings:
        answer = browser.get(address.replace("{}", spelled), follow=True)
        if faults := faults_of(answer, text):
            found[name] = faults
    return found


def test_the_list_is_long_enough_and_holds_no_string_twice() -> None:
    assert len(set(NAUGHTY)) == len(NAUGHTY) >= 60


@pytest.mark.parametrize("address", QUERIES)
def test_a_question_may_hold_anything(browser: Browser, subjects: list[Subject], address: str) -> None:
    assert every_fault(browser, address) == {}


@pytest.mark.parametrize("address", PATH_ADDRESSES)
def test_an_address_may_hold_anything(browser: Browser, subjects: list[Subject], address: str) -> None:
    assert every_fault(browser, address) == {}


@pytest.mark.parametrize("page", PLAIN_PAGES)
def test_parameters_that_no_page_knows_break_nothing(browser: Browser, page: str) -> None:
    strings = [*CHOSEN, ("a pair", MARK, f"x&{MARK}=<b>{MARK}</b>&=&{MARK}")]
    found = every_fault(browser, page + "?{}=1&other={}", strings) | every_fault(browser, page + "?{}", strings)
    assert found == {}


@pytest.mark.parametrize("page", ["/s", "/data/changes"])
def test_a_parameter_that_is_not_known_is_named(browser: Browser, page: str) -> None:
    assert "nmae" in browser.get(page, {"nmae": "郑州"}).content.decode()


@pytest.mark.parametrize("name", ["django_language", "view"])
def test_a_cookie_may_hold_anything(browser: Browser, name: str) -> None:
    found = {}
    for text in ["en\x7f", "../en", "zh-hant", "EN", "x" * 4000, "<b>", "large<", "en;q=1", '"', "{{en}}", "\\012"]:
        answer = browser.get("/help", headers={"cookie": f"{name}={text}"})
        if answer.status_code != 200 or not CHINESE.search(answer.content.decode()):
            found[text[:20]] = answer.status_code
    assert found == {}


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example", "\\\\evil.example", "///evil.example", "http:evil.example", "\x00//evil.example", " //evil.example"])  # fmt: skip
def test_preferences_lead_back_to_this_site_only(browser: Browser, wanted: str) -> None:
    answer = browser.get("/preferences", {"language": "en", "next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, "/")


# --- wrong codes -----------------------------------------------------------------------------------------------------------


def wrong_codes(good: str) -> dict[str, tuple[str, str, str]]:
    """What is wrong → the code as typed, and words of the answer in Chinese and English."""
    last = next(char for char in "0123456789" if char != good[17])
    return {
        "check character": (good[:17] + last, f"第18位校验码不符（应为 {good[17]}）", f"place 18 should be {good[17]}"),
        "letter O": (good[:9] + "O" + good[10:], "第10位是 O，代码中不使用该字符，可能是 0", "place 10 is O"),
        "letter I": (good[:3] + "I" + good[4:], "第4位是 I，代码中不使用该字符，可能是 1", "place 4 is I"),
        "one too few": (good[:17], "代码有 17 位，应为18位", "has 17 characters instead of 18"),
        "one too many": (good + "0", "代码有 19 位，应为18位", "has 19 characters instead of 18"),
        "old number": ("410100000000005", "15位旧注册号", "old 15-digit registration number"),
        "look-alike": (good[:9] + "А" + good[10:], "形似字母 А", "look-alike А"),
        "invisible": (good[:9] + "\u200b" + good[9:], "看不见的字符", "invisible characters"),
        "spreadsheet": ("9.14E+17", "科学计数法", "scientific notation"),
        "organisation code": (good[8:17], "9位组织机构代码", "nine-character organisation code"),
    }


WRONG = list(wrong_codes("914199000000000000"))


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("address", ["/e/{}", "/e/{}/why"])
def test_the_address_of_a_wrong_code_says_what_is_wrong(
    browser: Browser, codes: list[str], address: str, fault: str
) -> None:
    typed, words, _english = wrong_codes(codes[0])[fault]
    answer = browser.get(address.replace("{}", escaped(typed)))
    assert (answer.status_code, words in html.unescape(answer.content.decode())) == (404, True)


@pytest.mark.parametrize("fault", ["check character", "letter O", "one too few", "one too many", "old number", "look-alike", "invisible"])  # fmt: skip
def test_a_wrong_code_in_the_search_box_says_what_is_wrong(browser: Browser, codes: list[str], fault: str) -> None:
    typed, words, _english = wrong_codes(codes[0])[fault]
    assert words in html.unescape(browser.get("/s", {"q": typed}).content.decode())


@pytest.mark.parametrize("fault", WRONG)
def test_an_english_visitor_reads_in_english_what_is_wrong(browser: Browser, codes: list[str], fault: str) -> None:
    browser.cookies["django_language"] = "en"
    typed, _words, words = wrong_codes(codes[0])[fault]
    assert words in html.unescape(browser.get("/e/" + escaped(typed)).content.decode())


def test_a_very_long_code_is_not_said_to_be_shorter_than_it_is(browser: Browser) -> None:
    shown = browser.get("/e/" + "9" * 64).content.decode()
    assert "代码有 64 位" in shown or "代码有" not in shown


def code_with(organisation: str) -> str:
    """A unified social credit code around an organisation code."""
    body = "91419900" + organisation
    return body + uscc_check_character(body)


GOOD_ORGANISATION = "99999999" + organisation_check_character("99999999")
ODD_ORGANISATION = "99999999" + next(char for char in "12345678" if char != organisation_check_character("99999999"))


@pytest.mark.parametrize("organisation", [GOOD_ORGANISATION, ODD_ORGANISATION])
def test_a_code_that_is_right_but_unknown_is_said_to_be_right(browser: Browser, organisation: str) -> None:
    """An odd organisation code inside is a hint by GB 32100, no fault: such codes are registered."""
    assert "代码写法正确" in browser.get("/e/" + code_with(organisation)).content.decode()


@pytest.mark.parametrize("organisation", [GOOD_ORGANISATION, ODD_ORGANISATION])
def test_a_registered_code_is_found_in_lower_case_whatever_its_organisation_code(
    browser: Browser, take: Any, organisation: str
) -> None:
    code = code_with(organisation)
    take("registrations", f"统一社会信用代码,企业名称,登记区县\n{code},郑州虚构科技有限公司,410105")
    assert Subject.objects.filter(code=code).exists(), "the code is taken in"
    assert browser.get("/e/" + code.lower(), follow=True).status_code == 200


def test_a_registered_code_with_an_odd_organisation_code_is_no_fault_in_the_search_box(browser: Browser, take: Any) -> None:
    code = code_with(ODD_ORGANISATION)
    take("registrations", f"统一社会信用代码,企业名称,登记区县\n{code},郑州虚构科技有限公司,410105")
    assert "不是有效的组织机构代码" not in browser.get("/s", {"q": code}, follow=True).content.decode()


@pytest.mark.parametrize("typed", ["lower", "wide", "blank"])
def test_habits_of_typing_a_code_lead_to_the_enterprise(browser: Browser, subjects: list[Subject], typed: str) -> None:
    code = subjects[0].code
    wide = "".join(chr(ord(char) + 0xFEE0) for char in code)
    spelled = {"lower": code.lower(), "wide": wide, "blank": f"{code[:2]} {code[2:8]} {code[8:]}"}[typed]
    assert subjects[0].name in browser.get("/e/" + escaped(spelled), follow=True).content.decode()


# --- forms -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    return CreditRecord.objects.get()


@pytest.fixture
def consultation(release: RulebookRelease, flagship: Rulebook, people: Any) -> Consultation:
    text, today, by = dump_rulebook(flagship), timezone.localdate(), people["city"]
    draft = Draft.objects.create(title="草案", base=release, text=text, by=by, changed_by=by)
    return Consultation.objects.create(
        draft=draft, title="征求意见", explanation="起草说明：测试", text=text, sha256=release.sha256, opens_on=today, closes_on=today + timedelta(days=40), by=by,
    )  # fmt: skip


def form_faults(browser: Browser, address: str, field: str, others: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, text, spelled in CHOSEN:
        body = "&".join(
            [f"{field}={spelled}", *(f"{key}={escaped(value)}" for key, value in others.items() if key != field)]
        )
        answer = browser.post(address, body, content_type="application/x-www-form-urlencoded", follow=True)
        if faults := faults_of(answer, text):
            found[name] = faults
    return found


@pytest.mark.parametrize("field", ["reason", "text", "unknown", "csrfmiddlewaretoken"])
def test_an_error_report_may_hold_anything(browser: Browser, record: CreditRecord, field: str) -> None:
    address = f"/e/{record.subject.code}/r/{record.seq}/report"
    assert form_faults(browser, address, field, {"reason": "expired", "text": "公示期限已过，请核实"}) == {}


@pytest.mark.parametrize("field", ["about", "stance", "text", "unknown"])
def test_a_comment_may_hold_anything(browser: Browser, consultation: Consultation, field: str) -> None:
    others = {"about": "", "stance": "change", "text": "建议修改第一条的分值"}
    assert form_faults(browser, f"/consultations/{consultation.pk}", field, others) == {}


@pytest.mark.parametrize("text", MARKUP)
def test_a_comment_is_shown_as_text(browser: Browser, consultation: Consultation, text: str) -> None:
    browser.post(f"/consultations/{consultation.pk}", {"stance": "oppose", "text": text + "反对该条", "about": text})
    assert Comment.objects.count() == 1, "it was taken"
    assert faults_of(browser.get(f"/consultations/{consultation.pk}"), text) == []


@pytest.mark.parametrize("size", [4, 2001])
def test_an_error_report_of_a_wrong_length_is_sent_back_with_what_was_written(
    browser: Browser, record: CreditRecord, size: int
) -> None:
    address = f"/e/{record.subject.code}/r/{record.seq}/report"
    answer = browser.post(address, {"reason": "expired", "text": "错" * size})
    shown = answer.content.decode()
    assert (answer.status_code, "5 至 2000 字" in shown, "错" * size in shown) == (422, True, True)


@pytest.mark.parametrize("address", ["/e/{code}/r/999999/report", "/e/{code}/r/{other}/report", "/consultations/999999"])
def test_a_form_for_something_that_is_not_there_says_so(
    browser: Browser, record: CreditRecord, subjects: list[Subject], address: str
) -> None:
    spelled = address.format(code=subjects[1].code, other=record.seq)
    answer = browser.post(spelled, {"reason": "expired", "text": "公示期限已过", "stance": "oppose"})
    assert (answer.status_code, "没有这个页面" in answer.content.decode()) == (404, True)


@pytest.mark.parametrize("page", ["/", "/s", "/e/X", "/data/changes", "/ledger", "/pub/results"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_refused_and_the_right_ones_named(browser: Browser, page: str, method: str) -> None:
    answer = getattr(browser, method)(page)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


# --- answers for programs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("since", ["", "-1", "x", "1.5", "9" * 40, "١٢٣", "²", "1 OR 1=1"])
def test_a_wrong_delta_question_is_answered_in_both_languages(browser: Browser, since: str) -> None:
    answer = browser.get("/data/changes", {"since": since})
    said = json.loads(answer.content)
    assert (answer.status_code, CHINESE.search(said["zh"]) is not None, "since" in said["en"]) == (422, True, True)


@pytest.mark.parametrize("seq", ["-1", "x", "9" * 40, "١٢٣", "999999"])
def test_a_wrong_ledger_number_is_answered_with_the_right_ones(browser: Browser, subjects: Any, seq: str) -> None:
    assert re.search(r"序号应为小于 [\d,]+ 的非负整数", browser.get("/ledger", {"seq": seq}).content.decode())
