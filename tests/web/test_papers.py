"""Papers: the same content gives the same bytes, a code says whether a paper still holds, a missing font is explained."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from shipped import shipped
from zhixin_web.collection.models import Batch
from zhixin_web.faces.portal import credit_report as credit_report_module
from zhixin_web.faces.portal.credit_report import credit_report, report_content
from zhixin_web.faces.portal.verification import paper_by_code
from zhixin_web.papers import fonts
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services import issue as services
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.published import PublishedSubject, published_subject
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.rulebooks.document import rules_document

pytestmark = pytest.mark.django_db

VERIFY = "https://credit.example/v/"
FLAGSHIP = shipped("zhengzhou-ip")
Report = Callable[..., tuple[Paper, bytes]]


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def chinese() -> None:
    """A Chinese font; its absence skips, and fails under ``ZHIXIN_REQUIRE_ALL=1``."""
    if not fonts.installed() & {*fonts.SANS, *fonts.SONG}:
        told = f"no Chinese font is installed: apt install {fonts.PACKAGE}"
        if os.environ.get("ZHIXIN_REQUIRE_ALL") == "1":
            pytest.fail(f"ZHIXIN_REQUIRE_ALL=1, but {told}")
        pytest.skip(told)


@pytest.fixture
def known(subjects: list[Subject]) -> PublishedSubject:
    found = published_subject(subjects[0].code)
    assert found is not None
    return found


@pytest.fixture
def report(known: PublishedSubject, chinese: None) -> Report:
    def reporting(day: date | None = None, verify: str = VERIFY) -> tuple[Paper, bytes]:
        return credit_report(known, day or today(), verify)

    return reporting


@pytest.fixture
def no_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", frozenset)


def another_folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "another"
    settings.VAR.mkdir()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def inside(pdf: bytes) -> bytes:
    """A PDF with its compressed streams opened."""
    found = [pdf]
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match.group(1)))
        except zlib.error:
            continue
    return b"\n".join(found)


def words_of(pdf: bytes) -> str:
    """The words of a PDF, without spaces; the test is skipped where nothing can read them."""
    if shutil.which("pdftotext") is None:
        if os.environ.get("ZHIXIN_REQUIRE_ALL") == "1":
            pytest.fail("ZHIXIN_REQUIRE_ALL=1, but pdftotext is missing: apt install poppler-utils")
        pytest.skip("pdftotext is missing: apt install poppler-utils")
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return re.sub(r"\s", "", done.stdout.decode())


# --- the same bytes -----------------------------------------------------------------------------------------------


def test_the_same_content_gives_the_same_bytes_also_when_nothing_was_kept(
    report: Report, settings: Any, tmp_path: Path
) -> None:
    paper, content = report()
    assert sha256(content) == paper.file_sha256
    assert report() == (paper, content)
    another_folder(settings, tmp_path)
    assert report() == (paper, content), "the file was lost, its entry is there"
    Paper.objects.all().delete()
    another_folder(settings, tmp_path / "var")
    again, compiled = report()
    assert (again.code, again.number, again.file_sha256, compiled) == (paper.code, paper.number, paper.file_sha256, content)


def test_compiling_twice_gives_the_same_bytes(chinese: None) -> None:
    data = {
        "title": "报告", "name": "虚构公司", "code": "X", "number": "XY-1", "day": "2026年1月2日", "date": [2026, 1, 2], "fonts": fonts.choose(fonts.SANS),
        "qr": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>', "address": VERIFY, "watermark": "水印",
        "demo": "", "words": dict.fromkeys(("verify", "number", "day", "notes", "overview", "facts", "detail", "none", "end"), "字"),
        "notes": ["说明"], "overview": [["名称", "虚构公司"]], "facts": [], "records": [],
    }  # fmt: skip
    one, other = (services.compile_layout("credit_report.typ", data) for _ in range(2))
    assert one == other
    assert services.compile_layout("credit_report.typ", {**data, "watermark": "另一个"}) != one


def test_another_day_or_other_content_is_another_paper(
    report: Report, take: Any, penalty: Any, known: PublishedSubject
) -> None:
    first, content = report()
    tomorrow, other = report(today() + timedelta(1))
    assert (tomorrow.code != first.code, other != content) == (True, True)
    take("penalties", penalty((known.code, known.name, "罚1"), 处罚决定日期=(today() - timedelta(20)).isoformat()))
    changed, later = report()
    assert (changed.code not in (first.code, tomorrow.code), later not in (content, other)) == (True, True)
    assert Paper.objects.count() == 3


def test_code_and_number_can_be_read_and_typed(report: Report) -> None:
    paper, _ = report()
    assert re.fullmatch("[A-HJ-NP-Z2-9]{12}", paper.code), "no I, O, 0 or 1"
    assert paper.number == f"XY-{today():%Y%m%d}-{paper.code}"


def test_the_hash_of_the_entry_is_that_of_the_file_handed_out_whatever_address_was_asked(
    report: Report, settings: Any, tmp_path: Path
) -> None:
    """The verification page compares a file with this hash; the file names the address that was asked for."""
    report()
    another_folder(settings, tmp_path)
    paper, content = report(verify="https://other.example/v/")
    assert sha256(content) == paper.file_sha256


def test_a_damaged_file_is_not_handed_out(report: Report, settings: Any) -> None:
    paper, content = report()
    file = settings.VAR / "papers" / f"{paper.code}.pdf"
    file.write_bytes(content[: len(content) // 2])
    _, again = report()
    assert again == content


# --- what a report is and says ------------------------------------------------------------------------------------


def test_a_report_is_pdf_for_archiving(report: Report) -> None:
    _, content = report()
    assert content.startswith(b"%PDF-")
    opened = inside(content)
    assert re.search(rb"pdfaid:part(>|=[\"'])2", opened)
    assert re.search(rb"pdfaid:conformance(>|=[\"'])B", opened)
    assert b"/FontFile" in opened, "fonts are embedded"
    assert b"/JavaScript" not in opened


def test_a_report_says_name_code_number_and_what_it_is(report: Report, known: PublishedSubject) -> None:
    paper, content = report()
    words = words_of(content)
    for text in (
        known.name,
        known.code,
        paper.number,
        f"{VERIFY}{paper.code}",
        "公示期内没有信用记录",
        "尚未评价",
        "（报告结束）",
    ):
        assert text in words, text


def test_a_report_lists_the_published_records_only(report: Report, known: PublishedSubject, take: Any, penalty: Any) -> None:
    ended, running = (today() - timedelta(back) for back in (2000, 20))
    for number, (facts, day) in enumerate([("早已期满的行为", ended), ("公示中的行为", running)]):
        row = penalty((known.code, known.name, f"罚{number}"), 处罚决定日期=day.isoformat(), 违法事实=facts)
        assert take("penalties", row).accepted == 1
    told = str(report_content(known, today())["records"])
    assert ("公示中的行为" in told, "早已期满的行为" in told) == (True, False)
    assert "公示期内的记录1条" in words_of(report()[1])


@pytest.mark.parametrize(("demo", "mark"), [(True, "演示数据"), (False, "公共信用信息")])
def test_every_page_of_a_report_bears_the_watermark(
    report: Report, settings: Any, monkeypatch: pytest.MonkeyPatch, demo: bool, mark: str
) -> None:
    settings.DEMO = demo
    seen: list[dict[str, Any]] = []
    compile_ = services.compile_layout
    monkeypatch.setattr(
        credit_report_module, "compile_layout", lambda layout, data: seen.append(data) or compile_(layout, data)
    )
    _, content = report()
    assert [data["watermark"] for data in seen] == [mark]
    assert ("虚构" in seen[0]["demo"]) is demo
    pages = len(re.findall(rb"/Type ?/Page\b", inside(content)))
    assert pages >= 2
    words = words_of(content)
    for letter in mark:  # slanted words are read letter by letter
        assert words.count(letter) >= pages + 1, letter
    assert ("演示数据" in words) is demo


def test_the_day_on_which_facts_came_in_is_that_of_the_clock_on_the_wall(known: PublishedSubject) -> None:
    """Half past seven in the morning in Zhengzhou is the evening before in UTC."""
    Batch.objects.update(committed_at=datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    titles = [block["title"] for block in report_content(known, today())["facts"]]
    assert titles
    assert [title for title in titles if "2026-03-05" not in title] == []


# --- verification -------------------------------------------------------------------------------------------------


def verified(code: str, **cookies: str) -> tuple[int, str]:
    browser = Browser()
    for name, value in cookies.items():
        browser.cookies[name] = value
    answer = browser.get(f"/v/{code}")
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.content.decode()


def test_a_new_report_is_valid(report: Report, known: PublishedSubject) -> None:
    paper, _ = report()
    assert paper_by_code(paper.code) == (paper, "valid")
    for typed in (paper.code, paper.code.lower(), f"{paper.code[:4]}-{paper.code[4:8]}-{paper.code[8:]}"):
        status, page = verified(typed)
        assert (status, "真实有效" in page) == (200, True), typed
        for text in (known.name, paper.number, paper.file_sha256):
            assert text in page, text
    assert (
        "Genuine" in verified(paper.code, django_language="en")[1]
        or "真实有效" not in verified(paper.code, django_language="en")[1]
    )


def test_a_new_record_makes_a_report_outdated(report: Report, known: PublishedSubject, take: Any, penalty: Any) -> None:
    paper, _ = report()
    take("penalties", penalty((known.code, known.name, "罚1"), 处罚决定日期=(today() - timedelta(20)).isoformat()))
    status, page = verified(paper.code)
    assert (status, "已不是最新" in page, "真实有效" in page) == (200, True, False)


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_the_end_of_a_record_makes_a_report_outdated(
    report: Report, known: PublishedSubject, take: Any, penalty: Any, people: Any, state: str
) -> None:
    take("penalties", penalty((known.code, known.name, "罚1"), 处罚决定日期=(today() - timedelta(120)).isoformat()))
    paper, _ = report()
    assert paper_by_code(paper.code)[1] == "valid"
    record = CreditRecord.objects.get(subject=known.pk)
    change_record(record, state=state, on=today(), basis="决定1号", by=people["city"])
    assert paper_by_code(paper.code)[1] == "outdated"
    assert "已不是最新" in verified(paper.code)[1]


def test_a_record_of_another_does_not_make_a_report_outdated(
    report: Report, subjects: list[Subject], take: Any, penalty: Any
) -> None:
    paper, _ = report()
    other = subjects[1]
    take("penalties", penalty((other.code, other.name, "罚1"), 处罚决定日期=(today() - timedelta(20)).isoformat()))
    assert paper_by_code(paper.code)[1] == "valid"


def test_a_withdrawn_report_says_why(report: Report) -> None:
    paper, _ = report()
    Paper.objects.update(withdrawn_at=timezone.now(), withdrawn_why="（虚构）印制有误")
    status, page = verified(paper.code)
    assert (status, "已撤回" in page, "（虚构）印制有误" in page, "真实有效" in page) == (200, True, True, False)


@pytest.mark.parametrize("code", ["ABCDEFGHJKLM", "x", "<script>", "0" * 300])
def test_an_unknown_code_is_said_to_be_unknown(db: None, code: str) -> None:
    status, page = verified(code)
    assert (status, "查无此编号" in page, "真实有效" in page) == (404, True, False)
    assert "<script>0" not in page
    assert "<SCRIPT>" not in page


def test_a_code_that_is_one_character_off_is_unknown(report: Report) -> None:
    paper, _ = report()
    assert verified(paper.code[:-1] + ("A" if paper.code[-1] != "A" else "B"))[0] == 404


# --- the pages ----------------------------------------------------------------------------------------------------


def test_the_page_gives_the_report(known: PublishedSubject, chinese: None) -> None:
    answer = Browser().get(f"/e/{known.code}/report.pdf")
    paper = Paper.objects.get()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert paper.code in answer["Content-Disposition"]
    assert sha256(answer.content) == paper.file_sha256
    assert Browser().get(f"/e/{known.code}/report.pdf").content == answer.content


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "没有安装中文字体"), ("en", "no Chinese font is installed")])
def test_a_missing_font_names_the_package_and_leaves_nothing_behind(
    known: PublishedSubject, release: Any, no_font: None, settings: Any, language: str, words: str
) -> None:
    browser = Browser()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for address in (f"/e/{known.code}/report.pdf", f"/rules/{release.pk}/document.pdf"):
        answer = browser.get(address)
        page = answer.content.decode()
        assert (answer.status_code, "fonts-noto-cjk" in page, words in page) == (503, True, True), address
        assert answer["Content-Type"].startswith("text/html")
        assert answer["Cache-Control"] == "no-store"
    assert not Paper.objects.exists()
    assert not list(settings.VAR.glob("papers/*"))


def test_a_missing_font_is_an_error_that_names_the_package(known: PublishedSubject, no_font: None) -> None:
    with pytest.raises(fonts.FontMissing) as caught:
        credit_report(known, today(), VERIFY)
    for words in (caught.value.message.zh, caught.value.message.en):
        assert f"apt install {fonts.PACKAGE}" in words
    assert fonts.PACKAGE == "fonts-noto-cjk"


def test_without_a_font_the_word_text_is_still_there(release: Any, no_font: None) -> None:
    answer = Browser().get(f"/rules/{release.pk}/document.docx")
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")


def test_fonts_are_chosen_in_the_order_of_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: frozenset({"SimHei", "Noto Sans CJK SC", "KaiTi", "Courier"}))
    assert fonts.choose(fonts.SANS) == ["Noto Sans CJK SC", "SimHei"]
    assert fonts.choose(fonts.KAI, fonts.SANS) == ["KaiTi", "Noto Sans CJK SC", "SimHei"]
    with pytest.raises(fonts.FontMissing):
        fonts.choose(fonts.SONG, fonts.FANGSONG)


# --- the rules as Word and PDF ------------------------------------------------------------------------------------


def rules(form: str) -> bytes:
    return rules_document(FLAGSHIP, form, VERIFY, date(2026, 1, 2))[2]


def test_the_word_text_of_the_rules_has_the_same_bytes_twice() -> None:
    assert rules("docx") == rules("docx")


def test_the_pdf_of_the_rules_has_the_same_bytes_twice_and_is_for_archiving(db: None, chinese: None) -> None:
    content = rules("pdf")
    assert content == rules("pdf")
    assert re.search(rb"pdfaid:part(>|=[\"'])2", inside(content))


def test_the_word_text_has_page_and_margins_of_the_standard_for_official_documents() -> None:
    """GB/T 9704-2012: A4; 37 mm above, 28 mm left; a type area of 156 mm by 225 mm."""
    section = Document(io.BytesIO(rules("docx"))).sections[0]
    wanted = {
        "page_width": Mm(210), "page_height": Mm(297), "top_margin": Mm(37), "bottom_margin": Mm(35), "left_margin": Mm(28), "right_margin": Mm(26),
    }  # fmt: skip
    for name, length in wanted.items():
        assert abs(getattr(section, name) - length) <= 635, f"{name} is {getattr(section, name).mm} mm"
    assert abs(section.page_width - section.left_margin - section.right_margin - Mm(156)) <= 1270
    assert abs(section.page_height - section.top_margin - section.bottom_margin - Mm(225)) <= 1270


def test_the_word_text_has_22_lines_of_28_characters() -> None:
    made = Document(io.BytesIO(rules("docx")))
    grid = made.sections[0]._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    pitch = int(grid.get(qn("w:linePitch")))
    assert 22 * pitch <= Mm(225) / 635 < 23 * pitch
    width = Pt(16) / 12700 + int(grid.get(qn("w:charSpace"))) / 4096
    assert 28 * width <= Mm(156) / 12700 + 0.5 < 29 * width
    for paragraph in made.paragraphs:
        assert paragraph.paragraph_format.line_spacing is not None
        assert abs(paragraph.paragraph_format.line_spacing - pitch * 635) <= 635, paragraph.text


def test_the_word_text_is_set_in_the_typefaces_of_the_standard() -> None:
    made = Document(io.BytesIO(rules("docx")))
    faces: dict[str, set[float]] = {}
    for paragraph in made.paragraphs:
        for run in paragraph.runs:
            if run.text and run.font.size is not None:
                face = run._element.rPr.rFonts.get(qn("w:eastAsia"))
                faces.setdefault(face, set()).add(run.font.size.pt)
    assert 22 in faces["方正小标宋简体"], "the title in 二号"
    assert faces["黑体"] == {16}
    assert faces["楷体_GB2312"] == {16}
    assert faces["仿宋_GB2312"] == {16, 10.5}


def test_page_numbers_of_the_word_text_stand_at_the_outer_edge() -> None:
    """GB/T 9704-2012, 7.5: odd pages right, even pages left, as in the PDF."""
    made = Document(io.BytesIO(rules("docx")))
    section = made.sections[0]
    assert made.settings.odd_and_even_pages_header_footer
    alignments = [part.paragraphs[0].alignment for part in (section.footer, section.even_page_footer)]
    assert [str(item).split(" ")[0] for item in alignments] == ["RIGHT", "LEFT"]


def test_the_word_text_contains_every_indicator_title_and_the_hash() -> None:
    text = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(rules("docx"))).paragraphs)
    for item in FLAGSHIP.indicators:
        assert item.title.zh in text, item.id
    for part in (*FLAGSHIP.measures,):
        assert part.effect is None or part.effect.zh in text, part.id
    assert FLAGSHIP.sha256 in text
    assert "2026年1月2日" in text
    numbers = re.findall("^第([一二三四五六七八九十]+)条", text, re.MULTILINE)
    assert (numbers[0], len(set(numbers))) == ("一", len(numbers))


def test_the_pdf_of_the_rules_contains_every_indicator_title(db: None, chinese: None) -> None:
    words = words_of(rules("pdf"))
    missing = [item.title.zh for item in FLAGSHIP.indicators if re.sub(r"\s", "", item.title.zh) not in words]
    assert missing == []


@pytest.mark.parametrize("form", ["docx", "pdf"])
def test_the_code_that_the_text_of_the_rules_bears_verifies(release: Any, chinese: None, form: str) -> None:
    answer = Browser().get(f"/rules/{release.pk}/document.{form}")
    if form == "pdf":
        text = words_of(answer.content)
    else:
        text = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(answer.content)).paragraphs)
    printed = re.search("/v/([A-HJ-NP-Z2-9]{12})", text)
    assert printed is not None, "it bears a code"
    status, page = verified(printed.group(1))
    assert (status, "真实有效" in page) == (200, True)


def test_the_hash_of_the_rules_is_that_of_the_file_handed_out_whatever_address_was_asked(
    release: Any, chinese: None, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for host in ("credit.example", "other.example"):
        content = Browser().get(f"/rules/{release.pk}/document.pdf", headers={"host": host}).content
        assert sha256(content) in Paper.objects.filter(kind=Paper.Kind.RULES).values_list("file_sha256", flat=True), host


def test_the_page_gives_the_word_text(release: Any) -> None:
    answer = Browser().get(f"/rules/{release.pk}/document.docx")
    assert answer.status_code == 200
    assert f"{FLAGSHIP.id}-{FLAGSHIP.sha256[:12]}.docx" in answer["Content-Disposition"]
    assert Document(io.BytesIO(answer.content)).paragraphs[0].text == FLAGSHIP.title.zh


@pytest.mark.parametrize("form", ["odt", "doc", "pdfx"])
def test_another_form_is_not_found(release: Any, form: str) -> None:
    assert Browser().get(f"/rules/{release.pk}/document.{form}").status_code == 404
