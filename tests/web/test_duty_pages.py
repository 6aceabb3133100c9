"""Pages of duties and progress: what each role sees and may do, what a fault says, nothing typed is lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from web.test_duties import PLAN, WORDS, answer, claim, in_force, on, picture
from zhixin_web.duties.models import Meeting, PlanVersion, ProgressEntry, ProgressPaper, QuarterReport
from zhixin_web.duties.services.escalating import escalate_overdue

pytestmark = pytest.mark.django_db
PAGES = ("", "/quarters", "/meetings", "/acceptance", "/papers", "/plan")
TODAY = date(2026, 7, 10)


@pytest.fixture
def plan(people: Any) -> PlanVersion:
    with on(date(2026, 1, 15)):
        return in_force(PLAN, people)


@pytest.fixture(autouse=True)
def _today() -> Any:
    with on(TODAY):
        yield


def signed_in(people: Any, name: str) -> Browser:
    browser = Browser()
    browser.force_login(people[name])
    return browser


def text(answered: Any) -> str:
    return str(answered.content.decode())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_plan_says_what_to_do(people: Any, page: str) -> None:
    shown = text(signed_in(people, "city").get(f"/c/progress{page}"))
    assert "还没有执行中的工作方案" in shown
    assert "/c/progress/plan/new" in shown
    assert "/c/progress/plan/new" not in text(signed_in(people, "department").get(f"/c/progress{page}"))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["city", "approver", "district", "department", "auditor"])
def test_whoever_works_under_the_plan_sees_it(plan: Any, people: Any, name: str, page: str) -> None:
    assert signed_in(people, name).get(f"/c/progress{page}").status_code == 200


def test_the_board_shows_states_filters_and_units(plan: Any, people: Any) -> None:
    browser = signed_in(people, "city")
    shown = text(browser.get("/c/progress"))
    assert "4 项任务，已确认完成 0 项" in shown
    assert "逾期 10 日" in shown
    assert "<svg" in shown
    only = text(browser.get("/c/progress?unit=courts"))
    assert "裁判共享" in only
    assert "/c/progress/items/pilot/data" not in only
    silent = text(browser.get("/c/progress?state=silent"))
    assert "/c/progress/items/pilot/court" in silent
    assert "没有符合条件的结果" in text(browser.get("/c/progress?state=done"))
    for strange in ("?unit=%00", "?state=x&phase=y&unit=z"):
        assert browser.get(f"/c/progress{strange}").status_code == 200


def test_a_unit_claims_with_a_file_and_another_confirms(plan: Any, people: Any) -> None:
    unit = signed_in(people, "department")
    shown = text(unit.get("/c/progress/items/pilot/data"))
    assert "附佐证申报完成" in shown
    refused = unit.post("/c/progress/items/pilot/data", {"act": "claim", "text": "（虚构）写了很多"})
    assert refused.status_code == 422
    assert "申报完成须附佐证" in text(refused)
    assert "（虚构）写了很多" in text(refused)
    file = SimpleUploadedFile("回执.png", picture(), "image/png")
    sent = unit.post("/c/progress/items/pilot/data", {"act": "claim", "text": "（虚构）完成", "file": file})
    assert sent.status_code == 302
    entry = ProgressEntry.objects.get()
    answered = unit.get(f"/c/progress/files/{entry.pk}")
    assert answered.content == picture()
    assert "attachment" in answered["Content-Disposition"]
    assert "核对申报" not in text(unit.get("/c/progress/items/pilot/data"))
    office = signed_in(people, "city")
    assert "核对申报" in text(office.get("/c/progress/items/pilot/data"))
    refused = office.post("/c/progress/items/pilot/data", {"act": "return", "claim": entry.pk, "text": ""})
    assert refused.status_code == 422
    office.post("/c/progress/items/pilot/data", {"act": "confirm", "claim": entry.pk, "text": ""})
    assert "逾期完成" in text(office.get("/c/progress/items/pilot/data"))


@pytest.mark.parametrize("act", ["confirm", "return", "reopen", "claim", "news"])
@pytest.mark.parametrize("name", ["auditor", "district"])
def test_who_has_no_part_in_an_item_does_nothing(plan: Any, people: Any, name: str, act: str) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    sent = signed_in(people, name).post("/c/progress/items/pilot/data", {"act": act, "claim": made.pk, "text": "x"})
    assert sent.status_code == 403
    assert ProgressEntry.objects.count() == 1


def test_an_answer_to_a_claim_of_another_item_or_of_none_is_refused(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    office = signed_in(people, "city")
    for value in (made.pk + 1, "", "x", "９"):
        assert office.post("/c/progress/items/pilot/data", {"act": "confirm", "claim": value}).status_code == 422
    assert office.post("/c/progress/items/pilot/rules", {"act": "confirm", "claim": made.pk}).status_code == 422
    assert ProgressEntry.objects.count() == 1


def test_words_from_outside_are_no_markup_and_a_proof_no_script(plan: Any, people: Any) -> None:
    unit = signed_in(people, "department")
    unit.post("/c/progress/items/pilot/data", {"act": "news", "text": "<b>粗</b>"})
    assert "&lt;b&gt;粗" in text(unit.get("/c/progress/items/pilot/data"))
    sent = unit.post("/c/progress/items/pilot/data", {"act": "news", "text": "x", "link": "javascript:alert(1)"})
    assert sent.status_code == 422


def test_a_version_is_put_forward_shown_against_the_one_in_force_and_decided(plan: Any, people: Any) -> None:
    office, approver = signed_in(people, "city"), signed_in(people, "approver")
    assert "（虚构）试点方案" in text(office.get("/c/progress/plan/new"))
    wrong = PLAN.replace("lead: courts", "lead: nobody").replace('version: "1"', 'version: "2"')
    refused = office.post("/c/progress/plan/new", {"text": wrong, "reason": "（虚构）调整"})
    assert refused.status_code == 422
    assert "W002" in text(refused)
    assert "lead: nobody" in text(refused)
    moved = PLAN.replace("due_on: 2026-06-30", "due_on: 2026-08-31").replace('version: "1"', 'version: "2"')
    file = SimpleUploadedFile("plan.yaml", moved.encode())
    sent = office.post("/c/progress/plan/new", {"text": "", "reason": "（虚构）调整", "file": file})
    made = PlanVersion.objects.latest("pk")
    assert sent.url == f"/c/progress/plan/{made.pk}"
    shown = text(approver.get(sent.url))
    assert "2026-08-31" in shown
    assert "推迟" in shown
    assert "不予批准" not in text(office.get(sent.url))
    assert office.post(f"{sent.url}/decide", {"act": "approve"}).status_code == 403
    approver.post(f"{sent.url}/decide", {"act": "nothing"})
    made.refresh_from_db()
    assert made.status == PlanVersion.Status.PROPOSED
    approver.post(f"{sent.url}/decide", {"act": "approve"})
    assert "原定 2026-06-30" in text(office.get("/c/progress"))
    assert text(office.get(f"{sent.url}/text")) == moved


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 10, b"x" * 600_000, "计划".encode("gb18030")])
def test_a_file_that_is_no_plan_is_refused_in_words(plan: Any, people: Any, content: bytes) -> None:
    file = SimpleUploadedFile("plan.yaml", content)
    sent = signed_in(people, "city").post("/c/progress/plan/new", {"text": "", "reason": "（虚构）", "file": file})
    assert sent.status_code == 422
    assert PlanVersion.objects.count() == 1


def test_a_unit_reports_of_a_quarter_and_sees_who_has_not(plan: Any, people: Any) -> None:
    unit = signed_in(people, "department")
    shown = text(unit.get("/c/progress/quarters?quarter=2026-1"))
    assert "逾期未填报" in shown
    assert "填报本单位的报告" in shown
    refused = unit.post("/c/progress/quarters", {"quarter": "2026-1", **WORDS, "problems": ""})
    assert refused.status_code == 422
    assert "（虚构）继续" in text(refused)
    unit.post("/c/progress/quarters", {"quarter": "2026-1", **WORDS})
    assert QuarterReport.objects.get().quarter == 1
    assert "逾期填报" in text(unit.get("/c/progress/quarters?quarter=2026-1"))
    assert "填报本单位的报告" not in text(signed_in(people, "auditor").get("/c/progress/quarters"))
    assert signed_in(people, "auditor").post("/c/progress/quarters", {"quarter": "2026-1", **WORDS}).status_code == 403


def test_revisions_and_quarters_that_are_not_reported_are_told(plan: Any, people: Any) -> None:
    unit = signed_in(people, "department")
    unit.post("/c/progress/quarters", {"quarter": "2026-1", **WORDS})
    unit.post("/c/progress/quarters", {"quarter": "2026-1", **WORDS, "done": "（虚构）更正之后"})
    shown = text(unit.get("/c/progress/quarters?quarter=2026-1"))
    assert "（虚构）更正之后" in shown
    assert "（虚构）完成" in shown
    assert "该季度尚未结束" in text(unit.get("/c/progress/quarters?quarter=2026-4"))


def test_an_item_that_a_version_drops_is_still_there_to_be_read(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    lines = [line for line in PLAN.splitlines() if "{id: data," not in line and "has_data" not in line]
    in_force("\n".join(lines).replace('version: "1"', 'version: "2"'), people)
    browser = signed_in(people, "city")
    shown = text(browser.get("/c/progress/items/pilot/data"))
    assert "不再列入该项" in shown
    assert str(made.ledger_seq) in shown
    assert "核对申报" not in shown
    board = text(browser.get("/c/progress"))
    assert "现行版本不再列入的任务" in board
    assert "/c/progress/items/pilot/data" in board


def test_a_report_of_a_quarter_that_is_not_asked_for_goes_nowhere(plan: Any, people: Any) -> None:
    unit = signed_in(people, "department")
    for quarter in ("2026-3", "2025-1", "x", "", "2026-5", "99999-1"):
        unit.post("/c/progress/quarters", {"quarter": quarter, **WORDS})
        assert [report.quarter for report in QuarterReport.objects.all()] == [], quarter


def test_minutes_are_recorded_confirmed_and_followed_up(plan: Any, people: Any) -> None:
    office, approver = signed_in(people, "city"), signed_in(people, "approver")
    form = {
        "title": "（虚构）会议", "held_on": "2026-07-01", "present": ["courts"], "minutes": "（虚构）纪要",
        "what": ["（虚构）事项", ""], "lead": ["courts", ""], "due_on": ["", ""], "proof": ["书面说明", ""],
    }  # fmt: skip
    refused = office.post("/c/progress/meetings/new", form)
    assert refused.status_code == 422
    assert "完成期限" in text(refused)
    assert "（虚构）事项" in text(refused)
    sent = office.post("/c/progress/meetings/new", form | {"due_on": ["2026-07-20", ""]})
    made = Meeting.objects.get()
    assert sent.url == f"/c/progress/meetings/{made.pk}"
    assert made.resolutions.count() == 1
    assert "纪要确认后跟踪" in text(office.get(sent.url))
    assert office.post(f"{sent.url}/decide", {"act": "approve"}).status_code == 403
    approver.post(f"{sent.url}/decide", {"act": "approve"})
    assert f"/c/progress/items/meeting:{made.pk}/1" in text(office.get(sent.url))
    assert office.get(f"/c/progress/items/meeting:{made.pk}/1").status_code == 200
    assert "会议议定事项" in text(office.get("/c/progress?phase=meeting"))


def test_papers_are_issued_and_read(plan: Any, people: Any) -> None:
    office = signed_in(people, "city")
    assert "2026-06-29" in text(office.get("/c/progress/papers"))
    office.post("/c/progress/papers/issue", {"week": "2026-06-29"})
    office.post("/c/progress/papers/issue", {"quarter": "2026-1"})
    for nothing in ({}, {"week": "2026-06-30"}, {"quarter": "2026-3"}, {"week": "x"}):
        office.post("/c/progress/papers/issue", nothing)
    assert ProgressPaper.objects.count() == 2
    for made in ProgressPaper.objects.select_related("paper"):
        answered = signed_in(people, "department").get(f"/c/progress/papers/{made.paper.code}")
        assert answered["Content-Type"] == "application/pdf"
        verified = text(Browser().get(f"/v/{made.paper.code}"))
        assert made.paper.number in verified
    assert signed_in(people, "department").post("/c/progress/papers/issue", {"week": "2026-06-29"}).status_code == 403


def test_acceptance_says_what_is_not_there(plan: Any, people: Any) -> None:
    shown = text(signed_in(people, "city").get("/c/progress/acceptance"))
    assert "2 项中达到 0 项" in shown
    assert "尚未达到" in shown


def test_desks_show_what_is_overdue_claimed_and_waiting(plan: Any, people: Any) -> None:
    claim("pilot/data", people["department"], date(2026, 3, 1))
    list(escalate_overdue())
    assert "/c/progress/items/pilot/data" in text(signed_in(people, "city").get("/c/"))
    own = text(signed_in(people, "department").get("/c/"))
    assert "/c/progress/items/pilot/rules/draft" in own
    assert "/c/progress/items/pilot/lists" not in own
    assert "/c/progress/items/pilot/lists" in text(signed_in(people, "city").get("/c/"))
    assert "/c/progress/quarters?quarter=2026-2" in own
    made = ProgressEntry.objects.get()
    answer(made, "return", people["city"], TODAY)
    assert "退回" in text(signed_in(people, "department").get("/c/"))
    waiting = PLAN.replace('version: "1"', 'version: "2"')
    signed_in(people, "city").post("/c/progress/plan/new", {"text": waiting, "reason": "（虚构）"})
    assert "/c/progress/plan/" in text(signed_in(people, "approver").get("/c/"))


def test_it_speaks_english(plan: Any, people: Any) -> None:
    browser = signed_in(people, "department")
    browser.cookies["django_language"] = "en"
    for page in PAGES:
        shown = text(browser.get(f"/c/progress{page}", headers={"accept-language": "en"}))
        assert "Duties and progress" in shown
    assert timezone.localdate() == TODAY
