"""Who is in no class and has no record of intellectual property is not judged: an answer of its own, never a grade."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client as Browser

from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.published import grade_counts, published_grade, ungraded_counts
from zhixin_web.evaluations.results import results_of
from zhixin_web.faces.portal.credit_report import report_content
from zhixin_web.faces.portal.views import shares
from zhixin_web.inspections.queries import planned_strata
from zhixin_web.inspections.strata import frame_of
from zhixin_web.records.models import Subject
from zhixin_web.records.published import published_subject

REASON = "不属于任何知识产权类别，五年内也没有知识产权信用记录"


@pytest.fixture
def outside(released: Run) -> Subject:
    """A subject that the released evaluation leaves out of its scope."""
    return (
        CurrentGrade.objects.filter(step="exclude:out_of_scope").select_related("subject").earliest("subject__code").subject
    )


def test_the_page_of_the_enterprise_says_why_it_is_not_graded(outside: Subject) -> None:
    page = Browser().get(f"/e/{outside.code}").content.decode()
    assert REASON in page
    assert "不在评价范围" in page
    assert "这不是失信" in page
    browser = Browser()
    browser.cookies["django_language"] = "en"
    english = browser.get(f"/e/{outside.code}").content.decode()
    assert "no record of it in five years" in english


def test_it_has_no_letter_anywhere(outside: Subject) -> None:
    found = published_subject(outside.code)
    assert found is not None
    grade = published_grade(found)
    assert (grade.state, grade.reason and grade.reason["zh"], grade.score_milli) == ("excluded", REASON, None)
    hits = Browser().get("/s", {"q": outside.code}, follow=True).content.decode()
    assert "不在评价范围" in hits


def test_the_report_says_so(outside: Subject, settings: Any) -> None:
    found = published_subject(outside.code)
    assert found is not None
    lines = dict(report_content(found, CurrentGrade.objects.get(subject=outside).run.as_of)["overview"])
    assert lines["公共信用评价等级（知识产权）"] == f"不在评价范围（{REASON}）"


def test_statistics_count_it_apart_from_the_grades(outside: Subject) -> None:
    count = CurrentGrade.objects.filter(in_force="O").count()
    assert (
        {"zh": REASON, "en": "in no class of intellectual property, and no record of it in five years"},
        count,
    ) in ungraded_counts()
    graded = CurrentGrade.objects.exclude(in_force__in=["O", "N"]).count()
    assert sum(number for _name, number, _share in shares(grade_counts())) == graded > 0
    page = Browser().get("/stats").content.decode()
    assert REASON in page


def test_the_bulk_file_gives_the_reason_in_place_of_a_grade(outside: Subject) -> None:
    answer = Browser().get("/data/files/grades.csv")
    rows = {row["code"]: row for row in csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))}
    assert (rows[outside.code]["grade"], rows[outside.code]["reason"]) == ("", REASON)
    graded = CurrentGrade.objects.exclude(in_force__in=["O", "N"]).select_related("subject")[0]
    assert (rows[graded.subject.code]["grade"], rows[graded.subject.code]["reason"]) == (graded.in_force, "")


def test_it_is_in_no_frame_of_a_draw(outside: Subject, approved: Any) -> None:
    frame = frame_of(planned_strata(approved), most_visits=9, today=approved.created_at.date())
    assert outside.code not in {code for code, _stratum in frame.units}
    assert (outside.pk, "等级「O」没有抽查措施") in frame.excluded


def test_it_is_not_among_the_scores_an_officer_looks_at(outside: Subject, released: Run) -> None:
    found = results_of(released)
    assert found is not None
    graded = CurrentGrade.objects.exclude(in_force__in=["O", "N"]).count()
    assert sum(number for _edge, number in found.histogram) == graded
    assert outside.code not in {item["code"] for item in found.outliers}


def test_no_score_and_no_peers_are_shown_beside_it(outside: Subject, browser_of: Any) -> None:
    page = browser_of("city").get(f"/c/subjects/{outside.code}").content.decode()
    grade = page.split('<p class="big">')[1].split("</p>")[0]
    assert "80" not in grade
    assert "同行业、同分类" not in page
