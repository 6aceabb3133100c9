"""What the public may not see is on no public path: internal grades, scores, personal data, complaints, suits that were won.

Most tests compare: what may not be seen is changed in the database, and no byte of any public path may change with it.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.utils import timezone

from shipped import shipped
from zhixin.dataset.sources import sources
from zhixin_web.evaluations import fairness, published
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.published import published_grade, published_why
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.faces.portal.credit_report import report_content
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.published import published_subject
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.rulebooks.services import approval as rulebook_services

LISTING = (
    "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列1,虚构,{day},虚构机关"
)
KINDS = ("results", "penalties", "lists", "honours", "repairs", "consultations")
GENERAL = ("/", "/s?q=郑州", "/pub", "/rules", "/measures", "/consultations", "/data", "/data/changes?since=0", "/data/schema.json",
           "/ledger", "/stats", "/fairness?by=district", "/fairness?by=industry", "/help")  # fmt: skip
FILES = ("records.csv", "records.parquet", "grades.csv", "grades.parquet")
CHANGING = re.compile(r"csrfmiddlewaretoken[^>]*>|<pubDate>.*?</pubDate>|<lastBuildDate>.*?</lastBuildDate>")


def read(browser: Browser, address: str) -> str:
    """What a path gives, as text; Parquet as its rows."""
    answer = browser.get(address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if address.endswith(".parquet") and answer.status_code == 200:
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), ensure_ascii=False, default=str)
    return f"{answer.status_code} " + CHANGING.sub("", body.decode("utf-8-sig"))


def everything(subject: Subject, *, general: bool = True) -> dict[str, str]:
    """Every public path that could say something about a subject, in both languages, and the content of its report."""
    for made in Path(settings.VAR).glob("open/*"):
        made.unlink()
    own = [f"/e/{subject.code}", f"/e/{subject.code}/why", f"/s?q={subject.name}"]
    own += [
        f"/e/{subject.code}/r/{seq}" for seq in CreditRecord.objects.filter(subject=subject).values_list("pk", flat=True)
    ]
    own += [f"/e/{subject.code}/r/{item.seq}/report" for item in CreditRecord.objects.filter(subject=subject)]
    addresses = [*own, *(f"/pub/{kind}{form}" for kind in KINDS for form in ("", ".rss", ".csv"))]
    addresses += [*(f"/data/files/{name}" for name in FILES), *(GENERAL if general else ())]
    found = {}
    for language in ("zh-hans", "en"):
        browser = Browser()
        browser.cookies["django_language"] = language
        found |= {f"{address} ({language})": read(browser, address) for address in addresses}
    shown = published_subject(subject.code)
    assert shown is not None
    return found | {"the report": json.dumps(report_content(shown, timezone.localdate()), ensure_ascii=False)}


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [path for path in before if before[path] != after[path]]


def holding(found: dict[str, str], *texts: str) -> list[str]:
    """The paths that hold one of the texts."""
    return [path for path, text in found.items() if any(part in text for part in texts)]


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Keys repeat from test to test, so what is kept by key must be forgotten."""
    for module in (published, fairness):
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def evaluated(people: Any) -> Callable[[Any], Run]:
    """Evaluates with a release today and releases the result."""

    def evaluating(release: Any) -> Run:
        run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
        assert run.status == "draft", run.error
        propose_run(run, people["city"])
        return release_run(run, people["approver"])

    return evaluating


@pytest.fixture
def risk(people: Any) -> Any:
    """The internal risk class, released by two persons."""
    rulebook = shipped("zhengzhou-ip-risk")
    return rulebook_services.approve_rulebook(
        rulebook_services.propose_rulebook(rulebook, people["city"]), people["approver"]
    )


@pytest.fixture
def penalised(subjects: list[Subject], take: Any, penalty: Any) -> Subject:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号")))
    return subjects[0]


# --- three answers -------------------------------------------------------------------------------------------------------


def test_an_enterprise_without_records_is_said_to_have_none(subjects: list[Subject], release: Any, evaluated: Any) -> None:
    evaluated(release)
    assert "没有失信记录" in read(Browser(), f"/e/{subjects[0].code}")


def test_an_enterprise_with_a_record_is_not_said_to_have_none(penalised: Subject) -> None:
    assert "没有失信记录" not in read(Browser(), f"/e/{penalised.code}")


def test_an_enterprise_nobody_evaluated_is_said_not_to_be_evaluated_and_why(subjects: list[Subject]) -> None:
    shown = read(Browser(), f"/e/{subjects[0].code}")
    assert ("尚未评价" in shown, "已发布的评价还不包含该企业" in shown, "该等级是内部分类" in shown) == (True, True, False)


def test_an_excluded_enterprise_is_told_by_which_rule(
    subjects: list[Subject], take: Any, release: Any, evaluated: Any
) -> None:
    head = "统一社会信用代码,企业名称,登记区县,是否注销吊销"
    take("registrations", f"{head}\n{subjects[0].code},{subjects[0].name},410105,是")
    evaluated(release)
    shown, why = read(Browser(), f"/e/{subjects[0].code}"), read(Browser(), f"/e/{subjects[0].code}/why")
    assert ("依规则不予评价" in shown, "grade-none" in shown, "注销" in why) == (True, True, True)


def test_an_internal_grade_is_said_not_to_be_public_and_why(subjects: list[Subject], risk: Any, evaluated: Any) -> None:
    evaluated(risk)
    shown = read(Browser(), f"/e/{subjects[0].code}")
    assert ("依法不公开" in shown, "不向社会公开" in shown, "尚未评价" in shown) == (True, True, False)


def test_the_three_answers_are_three_in_the_report_too(
    subjects: list[Subject], release: Any, risk: Any, evaluated: Any
) -> None:
    def answer() -> str:
        shown = published_subject(subjects[0].code)
        assert shown is not None
        return str(dict(report_content(shown, timezone.localdate())["overview"])["公共信用评价等级（知识产权）"])

    answers = [answer()]
    evaluated(risk)
    answers.append(answer())
    evaluated(release)
    answers.append(answer()[:1])
    assert (answers[0], answers[1], answers[2] in "ABCDN不") == ("尚未评价", "依规则不公开", True)


# --- a grade that is not public ----------------------------------------------------------------------------------------------


def test_no_public_byte_depends_on_an_internal_grade(penalised: Subject, risk: Any, evaluated: Any) -> None:
    run = evaluated(risk)
    before = everything(penalised)
    other = "D" if CurrentGrade.objects.get(subject=penalised).grade != "D" else "A"
    CurrentGrade.objects.filter(subject=penalised).update(grade=other, in_force=other, score_milli=654_321, step="direct:x")
    Run.objects.filter(pk=run.pk).update(summary=run.summary | {"grades": {other: 777}})
    assert differing(before, everything(penalised)) == []


def test_the_spread_of_an_internal_grade_is_on_no_path(penalised: Subject, risk: Any, evaluated: Any) -> None:
    run = evaluated(risk)
    Run.objects.filter(pk=run.pk).update(summary=run.summary | {"grades": {"A": 7771, "D": 7773}})
    assert holding(everything(penalised), "7771", "7773") == []


@pytest.mark.parametrize("name", ["grades.csv", "grades.parquet"])
def test_the_bulk_file_of_an_internal_grade_has_no_row(subjects: Any, risk: Any, evaluated: Any, name: str) -> None:
    evaluated(risk)
    shown = read(Browser(), f"/data/files/{name}")
    assert [code for code in Subject.objects.values_list("code", flat=True) if code in shown] == []


def test_the_bulk_file_of_a_public_grade_has_a_row_for_everybody(subjects: Any, release: Any, evaluated: Any) -> None:
    evaluated(release)
    shown = read(Browser(), "/data/files/grades.csv")
    assert [item.code for item in subjects if item.code not in shown] == []


def test_an_internal_class_never_stands_in_for_a_public_grade(
    penalised: Subject, release: Any, evaluated: Any, people: Any, take: Any, answer: Any
) -> None:
    """A released run of an internal rulebook stays in the archive; an event is answered by the public one."""
    evaluated(release)
    before = everything(penalised)
    rulebook = shipped("zhengzhou-ip-risk")
    risk = rulebook_services.approve_rulebook(
        rulebook_services.propose_rulebook(rulebook, people["city"]), people["approver"]
    )
    run = evaluated(risk)
    assert (run.status, run.is_projected) == ("released", False)
    counting = ("/data", "/ledger", "/stats")  # these say how long the ledger is, and it has grown
    assert [path for path in differing(before, everything(penalised)) if not path.startswith(counting)] == []
    event = answer(take("serious_list", LISTING.format(code=penalised.code, name=penalised.name, day=timezone.localdate())))
    assert event is not None
    assert event.release == release
    shown = published_subject(penalised.code)
    assert shown is not None
    assert (published_grade(shown).state, published_grade(shown).grade) == ("graded", "D")


def test_the_text_of_an_internal_rulebook_is_on_no_path(subjects: Any, risk: Any, evaluated: Any) -> None:
    """Its thresholds would let anybody work out the class that is not public."""
    evaluated(risk)
    browser = Browser()
    shown = {path: read(browser, path) for path in ("/rules", f"/rules/{risk.pk}", f"/rules/{risk.pk}.yaml", "/measures")}
    assert holding(shown, "risk_new", "risk_inspect_a", "信用风险高") == []


def test_an_internal_grade_is_not_in_the_text_of_the_pdf(penalised: Subject, risk: Any, evaluated: Any) -> None:
    evaluated(risk)
    text = pdf_text(Browser().get(f"/e/{penalised.code}/report.pdf"))
    assert ("依规则不公开" in text, re.search(r"评价等级[^\n]*[ABCD]（自", text)) == (True, None)


def pdf_text(answer: Any) -> str:
    if answer.status_code == 503 or shutil.which("pdftotext") is None:
        pytest.skip("needs a Chinese font and pdftotext")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=answer.content, capture_output=True, check=True)
    return done.stdout.decode()


# --- scores and points -------------------------------------------------------------------------------------------------------


def test_no_public_byte_depends_on_the_score(penalised: Subject, release: Any, evaluated: Any) -> None:
    evaluated(release)
    before = everything(penalised)
    CurrentGrade.objects.update(score_milli=654_321)
    assert differing(before, everything(penalised)) == []


def test_points_and_score_are_not_on_the_page_that_says_why(penalised: Subject, release: Any, evaluated: Any) -> None:
    evaluated(release)
    shown = published_subject(penalised.code)
    assert shown is not None
    explanation = published_why(shown, published_grade(shown))
    assert explanation is not None
    page = read(Browser(), f"/e/{penalised.code}/why")
    assert "与公示记录有关的指标" in page
    lines = [line for line in explanation["text"]["zh"] if line in page]
    assert (lines, "waterfall" in page, re.search(r'class="tag">[+-]\d', page)) == ([], False, None)


def test_the_page_that_says_why_says_that_points_are_for_the_enterprise_only(
    penalised: Subject, release: Any, evaluated: Any
) -> None:
    evaluated(release)
    assert "得分和各项分值只向企业本人公开" in read(Browser(), f"/e/{penalised.code}/why")


def test_the_page_that_says_why_counts_no_record_that_is_not_published(
    subjects: list[Subject], take: Any, penalty: Any, release: Any, evaluated: Any, people: Any
) -> None:
    """Three penalties, two repaired: the words on the third must not still count the others."""
    subject = subjects[0]
    take("penalties", penalty(*[(subject.code, subject.name, f"（虚构）罚{number}号") for number in range(3)]))
    evaluated(release)
    before = read(Browser(), f"/e/{subject.code}/why")
    for record in CreditRecord.objects.filter(version=1).order_by("seq")[:2]:
        change_record(record, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    after = read(Browser(), f"/e/{subject.code}/why")
    measured = re.findall(r"<p>[^<]*3[^<]*</p>", before)
    assert measured, "the count of three is told while all three are published"
    assert [words for words in measured if words in after] == []


# --- personal data -----------------------------------------------------------------------------------------------------------

PERSONAL = [f"私{number:02}密{number:02}" for number in range(20)]


def test_personal_fields_of_a_penalty_are_on_no_path(subjects: list[Subject], take: Any, penalty: Any) -> None:
    subject = subjects[0]
    personal = [item for item in sources()["penalties"].fields if item.personal]
    assert len(personal) >= 5
    changes = {item.title: PERSONAL[number] for number, item in enumerate(personal)}
    batch = take("penalties", penalty((subject.code, subject.name, "（虚构）罚1号"), **changes))
    assert batch.accepted == 1
    found = everything(subject)
    assert "（虚构）罚1号" in found[f"/e/{subject.code} (zh-hans)"], "the record itself is shown"
    assert holding(found, *PERSONAL) == []


def test_the_representative_in_the_register_is_on_no_path(subjects: list[Subject], take: Any) -> None:
    subject = subjects[0]
    head = "统一社会信用代码,企业名称,登记区县,法定代表人"
    assert take("registrations", f"{head}\n{subject.code},{subject.name},410105,{PERSONAL[0]}").accepted == 1
    assert holding(everything(subject), *PERSONAL) == []


def test_the_number_of_a_debtor_is_on_no_path(subjects: list[Subject], take: Any) -> None:
    subject = subjects[0]
    head = "统一社会信用代码,企业名称,执行依据文号,执行法院,发布日期,被执行人证件号码"
    row = f"{subject.code},{subject.name},（虚构）执1号,虚构法院,2026-08-01,{PERSONAL[0]}"
    assert take("defaulters", f"{head}\n{row}").accepted == 1
    found = everything(subject)
    assert "（虚构）执1号" in found["/pub/lists (zh-hans)"], "the record itself is announced"
    assert holding(found, *PERSONAL) == []


def test_contact_details_used_for_evaluation_only_are_no_public_facts(subjects: list[Subject], take: Any) -> None:
    subject = subjects[0]
    head = "统一社会信用代码,企业名称,登记区县,登记住所无法联系,应公示信息完整"
    take("registrations", f"{head}\n{subject.code},{subject.name},410105,是,否")
    shown = {path: text for path, text in everything(subject).items() if not path.startswith("/rules")}
    assert holding(shown, "无法联系", "应公示信息完整") == []


@pytest.mark.parametrize(
    "name", sorted(name for name, item in sources().items() if any(part.personal for part in item.fields))
)
def test_no_personal_field_of_a_source_is_kept_under_a_name_that_is_shown(name: str) -> None:
    assert [item.id for item in sources()[name].fields if item.personal and item.to is not None] == []


# --- what is no published dishonesty -----------------------------------------------------------------------------------------


@pytest.fixture
def complaint(subjects: list[Subject], take: Any) -> CreditRecord:
    head = "统一社会信用代码,企业名称,处理结果文书号,办结日期,投诉人"
    batch = take("complaints", f"{head}\n{subjects[0].code},{subjects[0].name},（虚构）投诉9号,2026-10-01,{PERSONAL[0]}")
    assert batch.accepted == 1
    return CreditRecord.objects.get()


def test_a_complaint_is_on_no_path(complaint: CreditRecord, release: Any, evaluated: Any) -> None:
    evaluated(release)
    assert holding(everything(complaint.subject), "（虚构）投诉9号", *PERSONAL) == []


def test_no_public_page_of_an_enterprise_says_that_there_is_a_complaint(
    complaint: CreditRecord, release: Any, evaluated: Any
) -> None:
    evaluated(release)
    code = complaint.subject.code
    pages = {path: text for path, text in everything(complaint.subject).items() if code in path or path == "the report"}
    assert holding(pages, "投诉举报", "complaint") == []


@pytest.mark.parametrize("path", ["", "/report"])
def test_the_address_of_a_complaint_is_one_that_never_was(complaint: CreditRecord, path: str) -> None:
    assert Browser().get(f"/e/{complaint.subject.code}/r/{complaint.seq}{path}").status_code == 404


def test_a_complaint_that_was_revoked_leaves_no_tombstone(complaint: CreditRecord, people: Any) -> None:
    """The hash of its key can be guessed from its number: it would say that there was a complaint."""
    change_record(complaint, state="revoked", on=timezone.localdate(), basis="撤1号", by=people["city"])
    assert json.loads(Browser().get("/data/changes?since=0").content)["ended"] == []


def test_a_complaint_cannot_be_repaired_and_is_not_announced(complaint: CreditRecord, people: Any) -> None:
    with pytest.raises(ValidationError):
        change_record(complaint, state="repaired", on=timezone.localdate(), basis="修1号", by=people["city"])
    assert "目前没有" in read(Browser(), "/pub/repairs")


@pytest.fixture
def suits(subjects: list[Subject], take: Any) -> Subject:
    head = "统一社会信用代码,企业名称,案号,裁判结果,审理法院,生效日期"
    rows = [f"{subjects[0].code},{subjects[0].name},（虚构）案{number},{outcome},虚构法院,2026-08-01" for number, outcome in enumerate(("维权胜诉", "侵权败诉"), 1)]  # fmt: skip
    assert take("judgments", "\n".join([head, *rows])).accepted == 2
    return subjects[0]


def test_a_suit_that_was_won_is_on_no_path(suits: Subject) -> None:
    assert holding(everything(suits), "（虚构）案1") == []


def test_a_suit_that_was_lost_is_published(suits: Subject) -> None:
    assert "（虚构）案2" in read(Browser(), f"/e/{suits.code}")


def test_a_suit_that_was_won_is_not_counted_among_published_records(suits: Subject) -> None:
    assert re.search(r'<p class="big">1</p>', read(Browser(), f"/e/{suits.code}"))


def test_minor_dishonesty_that_its_source_did_not_publish_is_on_no_path(
    subjects: list[Subject], take: Any, penalty: Any
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚7号"), 失信程度="轻微"))
    assert CreditRecord.objects.count() == 1
    assert holding(everything(subjects[0]), "（虚构）罚7号") == []


@pytest.mark.parametrize("number", ["410105199003078515", "410105 19900307 8515", "41010519900307851X"])
def test_an_identity_number_inside_a_text_is_on_no_path(
    subjects: list[Subject], take: Any, penalty: Any, number: str
) -> None:
    subject = subjects[0]
    take("penalties", penalty((subject.code, subject.name, "（虚构）罚9号"), 违法事实=f"当事人{number}销售"))
    assert CreditRecord.objects.count() == 1
    assert holding(everything(subject), "19900307") == []


@pytest.fixture
def coming(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    """A record whose publication begins tomorrow."""
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚8号"), 公示日期=tomorrow))
    return CreditRecord.objects.get()


def test_a_record_is_on_no_path_before_its_publication_begins(coming: CreditRecord) -> None:
    assert holding(everything(coming.subject), "（虚构）罚8号") == []


def test_a_record_is_not_said_to_have_ended_before_its_publication_begins(coming: CreditRecord) -> None:
    assert Browser().get(f"/e/{coming.subject.code}/r/{coming.seq}").status_code == 404


# --- one enterprise is not another -------------------------------------------------------------------------------------------


def test_the_record_of_one_enterprise_is_not_shown_under_another(penalised: Subject, subjects: list[Subject]) -> None:
    seq = CreditRecord.objects.get().seq
    shown = read(Browser(), f"/e/{subjects[1].code}/r/{seq}")
    assert holding({"page": shown}, "（虚构）罚1号", penalised.name) == []


def test_the_address_of_a_record_under_another_enterprise_is_not_said_to_have_ended(
    penalised: Subject, subjects: list[Subject]
) -> None:
    seq = CreditRecord.objects.get().seq
    assert Browser().get(f"/e/{subjects[1].code}/r/{seq}").status_code == 404
