"""Cases follow their procedures: who may, by when, with which paper; nobody decides alone, nothing is done twice."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from zhixin.dataset.delivery.layout import FileRefused
from zhixin.dataset.sources import sources
from zhixin.law.calendar import shift_months
from zhixin.law.procedures import procedures
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases import clocks
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.cases.queries import cases_of_party, disputed_keys, published_statements, visible_cases
from zhixin_web.cases.services import filing, transitions
from zhixin_web.cases.services.effects import settle_case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.transitions import carry_out, run_case_clocks, steps_open_to
from zhixin_web.collection.models import Batch
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.reevaluate_after_batch import undo_batch
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.services.runs import execute, start_run
from zhixin_web.jobs.case_invariants import case_deviations
from zhixin_web.jobs.invariants import check
from zhixin_web.papers.services.issue import kept_file
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.workspace.desk import tasks_of

WHY = "（虚构）义务已履行，材料齐全"


@pytest.fixture
def repair(record: CreditRecord, people: Any) -> Case:
    return open_case("repair", record=record, subject=record.subject, text="（虚构）已缴清罚款，申请修复", by=people["city"])


def walk(case: Case, people: Any, *steps: tuple[str, str | None]) -> Case:
    for step, who in steps:
        case = carry_out(case, step, by=people[who] if who else None, reason=WHY)
    return case


def raw(rows: Any, **values: Any) -> None:
    """Update rows as somebody with access to the database would, without a commitment."""
    QuerySet.update(rows, **values)


def in_chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


GRANT = (("accept", "city"), ("propose_grant", "city"), ("grant", "approver"))
REFUSE = (("accept", "city"), ("propose_refusal", "city"), ("refuse", "approver"))


# --- opening --------------------------------------------------------------------------------------------------------------


def test_an_application_has_a_deadline_an_entry_and_a_place_on_the_desk(repair: Case, people: Any) -> None:
    assert (repair.state, repair.is_open, repair.due_on) == (
        "applied",
        True,
        clocks.clock("repair.accept", repair.opened_on).due_on,
    )
    assert LedgerEntry.objects.filter(kind="case.open", ref=f"case:{repair.pk}").count() == 1
    assert any(item.address == f"/c/cases/{repair.pk}" for item in tasks_of(people["city"]))
    assert not any(item.address == f"/c/cases/{repair.pk}" for item in tasks_of(people["approver"]))


@pytest.mark.parametrize(("days", "is_eligible"), [(-1, False), (0, True), (1, True)])
def test_repair_is_applied_for_from_the_first_day_of_its_rule(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, days: int, is_eligible: bool
) -> None:
    decided, first = date(2026, 8, 18), date(2026, 11, 18)
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=decided.isoformat()))
    record = CreditRecord.objects.get()
    with mock.patch.object(timezone, "localdate", return_value=first + timedelta(days=days)):
        if is_eligible:
            case = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
            assert case.eligibility["is_eligible"]
            assert case.eligibility["rulebook"]
            return
        with pytest.raises(ValidationError, match=first.isoformat()):
            open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
    assert not Case.objects.exists()


def test_what_cannot_be_repaired_is_refused(subjects: list[Subject], take: Any, people: Any) -> None:
    take(
        "complaints", f"信用代码,主体名称,文书号,办结日期\n{subjects[0].code},{subjects[0].name},（虚构）诉1号,2026-01-01\n"
    )
    record = CreditRecord.objects.get()
    with pytest.raises(ValidationError):
        open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])


def test_a_second_application_on_the_same_record_is_refused_by_service_and_database(
    repair: Case, record: CreditRecord, people: Any
) -> None:
    with pytest.raises(ValidationError):
        open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
    again = Case(
        **{field.attname: getattr(repair, field.attname) for field in Case._meta.concrete_fields if not field.primary_key}
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


@pytest.mark.parametrize("text", ["", "四个字啊", " " * 20, "x" * 4001])
def test_an_application_says_why(record: CreditRecord, people: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        open_case("repair", record=record, subject=record.subject, text=text, by=people["city"])


@pytest.mark.parametrize("who", ["approver", "inspector", "district", "department", "auditor", "security", "system"])
def test_who_may_not_apply_opens_nothing(record: CreditRecord, people: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        open_case("repair", record=record, subject=record.subject, text=WHY, by=people[who])


def test_an_enterprise_applies_for_its_own_record_alone(
    record: CreditRecord, subjects: list[Subject], people: Any, take: Any, penalty: Any
) -> None:
    own = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    assert own.opened_by == people["enterprise"]
    take("penalties", penalty((subjects[1].code, subjects[1].name, "（虚构）罚2号"), 处罚决定日期="2026-01-05"))
    other = CreditRecord.objects.exclude(pk=record.pk).get()
    with pytest.raises(PermissionDenied):
        open_case("objection", record=other, subject=other.subject, text=WHY, by=people["enterprise"])
    with pytest.raises(ValidationError):
        open_case("objection", record=other, subject=record.subject, text=WHY, by=people["enterprise"])


# --- steps ----------------------------------------------------------------------------------------------------------------


def test_repair_ends_publication_and_issues_a_numbered_paper(repair: Case, record: CreditRecord, people: Any) -> None:
    case = walk(repair, people, *GRANT)
    last = CreditRecord.objects.filter(key=record.key).latest("version")
    paper = CasePaper.objects.get()
    assert (case.state, case.is_open, case.due_on) == ("granted", False, None)
    assert (last.state, last.publicity_from) == ("repaired", None)
    assert paper.number == f"郑市监信修〔{timezone.localdate().year}〕1号"
    assert paper.number in last.body
    assert (kept_file(paper.paper.code, paper.paper.file_sha256) or b"")[:5] == b"%PDF-"


def test_a_refusal_tells_the_remedies_and_their_last_days(repair: Case, record: CreditRecord, people: Any) -> None:
    walk(repair, people, *REFUSE)
    content = CasePaper.objects.get().content
    review, suit = clocks.clock("remedy.review", timezone.localdate()), clocks.clock("remedy.suit", timezone.localdate())
    assert len(content["remedies"]) == 2
    assert "60日内申请行政复议" in content["remedies"][0]
    assert in_chinese(review.due_on) in content["remedies"][0]
    assert "6个月内提起行政诉讼" in content["remedies"][1]
    assert in_chinese(suit.due_on) in content["remedies"][1]
    assert WHY in "".join(content["body"])
    assert CreditRecord.objects.get(key=record.key).state == "active"


def test_nobody_decides_an_own_proposal(repair: Case, people: Any) -> None:
    case = walk(repair, people, ("accept", "city"), ("propose_grant", "city"))
    with pytest.raises(PermissionDenied):
        carry_out(case, "grant", by=people["city"], reason=WHY)
    people["city"].role = people["approver"].role  # also when the role changes between the steps
    people["city"].save()
    assert "grant" not in {step.id for step in steps_open_to(people["city"], case)}
    with pytest.raises(PermissionDenied):
        carry_out(case, "grant", by=people["city"], reason=WHY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(decided_by=people["city"])


def test_a_step_is_taken_once(repair: Case, people: Any) -> None:
    stale = Case.objects.get(pk=repair.pk)
    carry_out(repair, "accept", by=people["city"])
    with pytest.raises(ValidationError):
        carry_out(stale, "accept", by=people["city"])
    assert CaseStep.objects.count() == 1


@pytest.mark.parametrize("step", ["grant", "refuse", "supply", "lapse", "nothing"])
def test_steps_out_of_order_are_refused(repair: Case, people: Any, step: str) -> None:
    for who in ("city", "approver", None):
        with pytest.raises((ValidationError, PermissionDenied)):
            carry_out(repair, step, by=people[who] if who else None, reason=WHY)
    assert not CaseStep.objects.exists()


def test_a_step_that_needs_a_reason_is_refused_without(repair: Case, people: Any) -> None:
    case = walk(repair, people, ("accept", "city"))
    with pytest.raises(ValidationError):
        carry_out(case, "propose_grant", by=people["city"], reason="")
    assert Case.objects.get(pk=case.pk).state == "accepted"


def test_a_crash_in_a_step_leaves_neither_step_nor_paper_nor_number(repair: Case, people: Any, monkeypatch: Any) -> None:
    case = walk(repair, people, *GRANT[:2])

    def crash(name: str) -> None:
        if name == "case.stepped":
            raise RuntimeError

    monkeypatch.setattr(transitions, "failpoint", crash)
    entries = LedgerEntry.objects.count()
    with pytest.raises(RuntimeError):
        carry_out(case, "grant", by=people["approver"], reason=WHY)
    assert (CasePaper.objects.count(), CaseStep.objects.count(), LedgerEntry.objects.count()) == (0, 2, entries)
    monkeypatch.undo()
    carry_out(case, "grant", by=people["approver"], reason=WHY)
    assert CasePaper.objects.get().serial == 1


def test_numbers_run_on_within_a_procedure(record: CreditRecord, repair: Case, people: Any) -> None:
    walk(repair, people, *REFUSE)
    second = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
    walk(second, people, *REFUSE)
    objection = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["city"])
    walk(objection, people, ("verify", "city"), ("propose_reject", "city"), ("reject", "approver"))
    numbers = list(CasePaper.objects.order_by("pk").values_list("number", flat=True))
    year = timezone.localdate().year
    assert numbers == [f"郑市监信修〔{year}〕1号", f"郑市监信修〔{year}〕2号", f"郑市监信异〔{year}〕1号"]


def test_identity_numbers_in_what_is_said_are_hidden(record: CreditRecord, people: Any) -> None:
    case = open_case(
        "objection", record=record, subject=record.subject, text="本人证号11010519491231002X，处罚有误", by=people["city"]
    )
    assert "11010519491231002X" not in case.text


# --- clocks ---------------------------------------------------------------------------------------------------------------


def test_days_of_a_supplement_do_not_count(repair: Case, people: Any) -> None:
    """law.md, anchors E 2: ten working days from 2026-09-18, suspended from 09-22 to 09-29, end on 10-15 and not on 10-09."""
    case = walk(repair, people, ("accept", "city"), ("ask", "city"), ("supply", "city"))
    days = [date(2026, 9, 18), date(2026, 9, 22), date(2026, 9, 30)]
    for step, day in zip(case.steps.order_by("position"), days, strict=True):
        CaseStep.objects.filter(pk=step.pk).update(on=day)
    Case.objects.filter(pk=case.pk).update(opened_on=date(2026, 9, 17))
    found = Case.objects.get(pk=case.pk)
    clock = clocks.clock_of(found, clocks.procedure_of(found), list(found.steps.order_by("position")))
    assert clock is not None
    assert clock.due_on == date(2026, 10, 15)


@pytest.mark.parametrize(
    ("opened", "own", "due"),
    [(date(2026, 9, 29), "report.answer_own", date(2026, 10, 9)), (date(2026, 9, 29), "report.answer", date(2026, 10, 14))],
)
def test_terms_of_an_objection_registered_before_the_holidays(
    record: CreditRecord, opened: date, own: str, due: date
) -> None:
    """anchors E 3: registered on Tuesday 2026-09-29."""
    assert clocks.clock(own, opened).due_on == due


@pytest.mark.parametrize(("days", "is_lapsed"), [(-1, False), (0, False), (1, True)])
def test_the_clock_ends_what_is_not_supplemented(repair: Case, people: Any, days: int, is_lapsed: bool) -> None:
    case = walk(repair, people, ("ask", "city"))
    with mock.patch.object(timezone, "localdate", return_value=case.due_on + timedelta(days=days)):
        list(run_case_clocks())
    found = Case.objects.get(pk=case.pk)
    assert (found.state == "lapsed") == is_lapsed
    assert CasePaper.objects.filter(title="终止信用修复办理通知书").exists() == is_lapsed


def test_no_account_takes_a_step_of_the_clock(repair: Case, people: Any) -> None:
    case = walk(repair, people, ("ask", "city"))
    Case.objects.filter(pk=case.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    with pytest.raises(PermissionDenied):
        carry_out(case, "lapse", by=people["city"], reason=WHY)


def test_a_running_case_keeps_the_procedure_it_began_with(repair: Case, people: Any, monkeypatch: Any) -> None:
    changed = procedures()["repair"].model_copy(update={"transitions": procedures()["repair"].transitions[:1]})
    monkeypatch.setattr(filing, "procedures", lambda: {"repair": changed})
    assert walk(repair, people, *GRANT).state == "granted"


# --- effects --------------------------------------------------------------------------------------------------------------


def test_a_record_is_marked_while_an_objection_is_open(record: CreditRecord, people: Any, client: Any) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    assert disputed_keys([record.key]) == {record.key}
    assert "异议处理中" in client.get(f"/e/{record.subject.code}/r/{record.seq}").content.decode()
    walk(case, people, ("verify", "city"), ("propose_reject", "city"), ("reject", "approver"))
    assert disputed_keys([record.key]) == set()


def test_an_objection_upheld_takes_the_record_off_every_page(record: CreditRecord, people: Any, client: Any) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    walk(case, people, ("verify", "city"), ("propose_uphold", "city"), ("uphold", "approver"))
    assert CreditRecord.objects.filter(key=record.key).latest("version").state == "revoked"
    assert "（虚构）罚1号" not in client.get(f"/e/{record.subject.code}").content.decode()


def test_a_statement_stands_beside_the_record_once_another_admits_it(record: CreditRecord, people: Any, client: Any) -> None:
    said = "（虚构）我公司已整改并通过复查"
    case = open_case("statement", record=record, subject=record.subject, text=said, by=people["enterprise"])
    address = f"/e/{record.subject.code}/r/{record.seq}"
    assert said not in client.get(address).content.decode()
    walk(case, people, ("propose_publication", "city"), ("publish", "approver"))
    assert published_statements(record.seq) == [said]
    assert said in client.get(address).content.decode()


def test_the_grade_follows_a_repair_at_once(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, release: Any
) -> None:
    day = shift_months(timezone.localdate(), -8).isoformat()
    rows = [(subjects[0].code, subjects[0].name, f"（虚构）罚{n}号") for n in (1, 2, 3)]
    take("penalties", penalty(*rows, 处罚决定日期=day))
    run = execute(start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    release_run(run, people["approver"])
    before = CurrentGrade.objects.get(subject=subjects[0])
    for record in CreditRecord.objects.filter(version=1).order_by("seq"):
        case = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
        settle_case(walk(case, people, *GRANT))
    after = CurrentGrade.objects.get(subject=subjects[0])
    assert after.score_milli > before.score_milli
    assert Run.objects.filter(trigger__startswith="case:").count() == 3
    assert Case.objects.filter(is_settled=True).count() == 3


def test_what_a_crash_left_unsettled_is_settled_by_the_clock(repair: Case, people: Any, released: Run) -> None:
    walk(repair, people, *GRANT)
    assert not Case.objects.get().is_settled
    list(run_case_clocks())
    assert Case.objects.get().is_settled
    list(run_case_clocks())
    assert Run.objects.filter(trigger=f"case:{repair.pk}").count() == 1


# --- determination ------------------------------------------------------------------------------------------------------

GROUNDS = {
    "conduct": "提交虚假材料",
    "document": "（虚构）行政确认〔2026〕7号",
    "document_on": "2026-08-03",
    "is_final": "1",
}


@pytest.fixture
def filed(subjects: list[Subject], people: Any) -> Case:
    return open_case(
        "determination",
        subject=subjects[2],
        text="（虚构）申请地理标志时提交虚假检验报告",
        details=GROUNDS,
        by=people["city"],
    )


def after_the_term(case: Case) -> Case:
    """Let the days of the present term pass."""
    for step in case.steps.all():
        CaseStep.objects.filter(pk=step.pk).update(on=step.on - timedelta(days=60))
    Case.objects.filter(pk=case.pk).update(
        opened_on=case.opened_on - timedelta(days=60), due_on=timezone.localdate() - timedelta(days=1)
    )
    list(run_case_clocks())
    return Case.objects.get(pk=case.pk)


DEFENDED = (("notify", "city"), ("defend", "enterprise"))
RECOGNISED = (("propose_recognition", "city"), ("recognise", "approver"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"conduct": ""}, "conduct"), ({"conduct": "看不顺眼"}, "conduct"), ({"document": ""}, "document"), ({"document": "暂无"}, "document"),
        ({"document": "/"}, "document"), ({"document_on": ""}, "document_on"), ({"document_on": "2026-02-30"}, "document_on"),
        ({"document_on": "2999-01-01"}, "document_on"), ({"is_final": ""}, "is_final"), ({"document": "无无无无无"}, "document"),
    ],
)  # fmt: skip
def test_nothing_is_filed_without_an_effective_document(
    subjects: list[Subject], people: Any, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(ValidationError) as found:
        open_case("determination", subject=subjects[2], text=WHY, details=GROUNDS | changes, by=people["city"])
    assert field in found.value.message_dict
    assert not Case.objects.exists()


def test_recognition_comes_after_notice_and_defence_and_becomes_a_record(
    filed: Case, subjects: list[Subject], people: Any
) -> None:
    people["enterprise"].organisation.code = subjects[2].code
    people["enterprise"].organisation.save()
    case = walk(filed, people, *DEFENDED)
    assert case.state == "defence", "what it says early does not end its time"
    case = walk(after_the_term(case), people, *RECOGNISED)
    assert case.state == "recognised"
    papers = list(CasePaper.objects.order_by("serial"))
    assert [paper.title for paper in papers] == ["失信行为认定告知书（附信用修复告知）", "失信行为认定决定书"]
    record = CreditRecord.objects.get()
    assert (record.kind, record.subject, record.source, record.decided_on) == (
        "material.false",
        subjects[2],
        "determinations",
        timezone.localdate(),
    )
    assert papers[1].number in record.body
    assert GROUNDS["document"] in record.body


def test_the_notice_says_what_on_which_document_until_when_and_how_to_repair(filed: Case, people: Any) -> None:
    case = walk(filed, people, ("notify", "city"))
    text = "".join(CasePaper.objects.get().content["body"])
    assert case.due_on is not None
    for wanted in (
        GROUNDS["conduct"],
        GROUNDS["document"],
        "虚假检验报告",
        in_chinese(case.due_on),
        "申辩",
        "复核",
        "信用修复告知",
    ):
        assert wanted in text


@pytest.mark.parametrize("step", ["propose_recognition", "recognise", "time_over"])
def test_the_time_of_defence_cannot_be_skipped(filed: Case, people: Any, step: str) -> None:
    case = walk(filed, people, ("notify", "city"))
    for who in ("city", "approver", None):
        with pytest.raises((ValidationError, PermissionDenied)):
            carry_out(case, step, by=people[who] if who else None, reason=WHY)
    assert not CreditRecord.objects.exists()


@pytest.mark.parametrize(("days", "is_over"), [(-1, False), (0, False), (1, True)])
def test_silence_is_heard_the_day_after_the_last(filed: Case, people: Any, days: int, is_over: bool) -> None:
    case = walk(filed, people, ("notify", "city"))
    today = case.due_on + timedelta(days=days)
    with mock.patch.object(timezone, "localdate", return_value=today):
        list(run_case_clocks())
    assert (Case.objects.get().state == "review") == is_over


def test_early_correction_may_be_left_unrecognised(filed: Case, people: Any) -> None:
    case = after_the_term(walk(filed, people, ("notify", "city")))
    case = walk(case, people, ("propose_waiver", "city"), ("waive", "approver"))
    assert (case.state, CreditRecord.objects.count()) == ("waived", 0)


def test_a_record_that_the_pipeline_refuses_is_no_decision(filed: Case, subjects: list[Subject], people: Any) -> None:
    case = after_the_term(walk(filed, people, ("notify", "city")))
    case = walk(case, people, ("propose_recognition", "city"))
    QuerySet.update(Subject.objects.filter(pk=subjects[2].pk), code="91410100MA44ABCD1X")
    with pytest.raises(ValidationError):
        carry_out(case, "recognise", by=people["approver"], reason=WHY)
    assert (Case.objects.get().state, CasePaper.objects.count(), CreditRecord.objects.count()) == ("to_recognise", 1, 0)


def test_a_determination_is_filed_on_the_page(subjects: list[Subject], browser_of: Any) -> None:
    browser, address = browser_of("city"), f"/c/subjects/{subjects[2].code}/determination"
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    refused = browser.post(address, GROUNDS | {"document": "无", "text": WHY})
    assert refused.status_code == 422
    assert "没有生效文书不得认定" in refused.content.decode()
    assert WHY in refused.content.decode()
    assert browser.post(address, GROUNDS | {"text": WHY})["Location"] == f"/c/cases/{Case.objects.get().pk}"


# --- who sees what --------------------------------------------------------------------------------------------------------


def test_each_sees_its_own(repair: Case, people: Any, subjects: list[Subject]) -> None:
    for who in ("city", "approver", "auditor"):
        assert visible_cases(people[who]).count() == 1, who
    for who in ("inspector", "security", "system", "enterprise"):
        assert visible_cases(people[who]).count() == 0, who
    assert [cases_of_party(item.code).count() for item in subjects[:2]] == [1, 0]


def test_pages_open_act_and_keep_what_was_typed(record: CreditRecord, browser_of: Any) -> None:
    enterprise, city, approver = browser_of("enterprise"), browser_of("city"), browser_of("approver")
    door = enterprise.post(f"/my/records/{record.pk}/apply/repair")["Location"]
    assert "说明（5 至 4000 字" in enterprise.get(door).content.decode()
    for browser in (enterprise, city, approver):
        session = browser.session
        session["confirmed"] = int(time.time())
        session.save()
    enterprise.post(f"{door}/words", {"text": "短", "version": "1"})
    assert "提交</button>" not in enterprise.get(f"{door}/check").content.decode()
    assert enterprise.post(f"{door}/check").status_code == 409
    assert ">短</textarea>" in enterprise.get(door).content.decode()
    enterprise.post(f"{door}/words", {"text": "（虚构）已履行完毕，申请修复", "version": "2"})
    shown = enterprise.get(f"{door}/check").context["seen"]
    own = enterprise.post(f"{door}/check", {"seen": shown})["Location"]
    address = own.replace("/my/", "/c/")
    assert "现在由其他人办理" in approver.get(address).content.decode()
    assert city.post(address, {"step": "accept", "reason": ""}).status_code == 302
    kept = city.post(address, {"step": "propose_grant", "reason": "短"})
    assert kept.status_code == 422
    assert ">短</textarea>" in kept.content.decode()
    assert city.post(address, {"step": "propose_grant", "reason": WHY}).status_code == 302
    assert "须由另一位有权限的人决定" in city.get(address).content.decode()
    assert approver.post(address, {"step": "grant", "reason": ""}).status_code == 302
    page = enterprise.get(own).content.decode()
    assert "信用修复决定书" in page
    assert enterprise.get(f"{own}/paper/2")["Content-Type"] == "application/pdf"
    assert "已办结" in city.get("/c/cases?status=closed").content.decode()


def test_the_paper_is_verified_in_public(repair: Case, people: Any, client: Any) -> None:
    walk(repair, people, *GRANT)
    page = client.get(f"/v/{CasePaper.objects.get().paper.code}").content.decode()
    assert "真实有效" in page
    assert CasePaper.objects.get().number in page


def test_all_of_it_is_bound_to_the_ledger(repair: Case, people: Any) -> None:
    walk(repair, people, *GRANT)
    assert [fault for finding in check() for fault in finding.broken] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: raw(Case.objects.all(), state="refused"), "state: expected granted, found refused"),
        (lambda: raw(Case.objects.all(), is_open=True), "is_open"),
        (lambda: raw(CaseStep.objects.filter(position=2), by=None), "another step, person or reason"),
        (lambda: raw(CaseStep.objects.filter(position=1), reason="（虚构）另一个理由"), "another step, person or reason"),
        (lambda: raw(CaseStep.objects.filter(position=2), transition="refuse"), "has no step refuse from to_grant"),
        (lambda: raw(CasePaper.objects.all(), serial=7), "are not 1 to 1"),
    ],
)
def test_what_somebody_changes_in_the_database_is_named(repair: Case, people: Any, change: Any, said: str) -> None:
    walk(repair, people, *GRANT)
    change()
    assert any(said in fault for fault in case_deviations()[1])


def test_a_paper_whose_file_was_changed_is_named(repair: Case, people: Any, settings: Any) -> None:
    walk(repair, people, *GRANT)
    paper = CasePaper.objects.get()
    (settings.VAR / "papers" / f"{paper.paper.code}.pdf").write_bytes(b"%PDF-1.7 other")
    assert any("is missing or was changed" in fault for fault in case_deviations()[1])


# --- what an attack found, each as its kind -------------------------------------------------------------------------------


def on_days(case: Case, people: Any, *steps: tuple[str, str | None, date]) -> Case:
    """Carry out steps, each on a day of its own."""
    for step, who, day in steps:
        with mock.patch.object(timezone, "localdate", return_value=day):
            case = carry_out(case, step, by=people[who] if who else None, reason=WHY)
    return case


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 12, 1), date(2026, 12, 25)),
        (date(2026, 12, 2), date(2026, 12, 25)),
        (date(2026, 12, 3), date(2026, 12, 24)),
    ],
)
def test_days_of_a_supplement_asked_on_the_first_day_do_not_count_either(
    repair: Case, people: Any, asked: date, due: date
) -> None:
    first = date(2026, 12, 1)
    case = on_days(repair, people, ("accept", "city", first), ("ask", "city", asked), ("supply", "city", date(2026, 12, 14)))
    assert case.due_on == due


def test_a_supplement_is_asked_for_once(repair: Case, people: Any) -> None:
    case = walk(repair, people, ("accept", "city"), ("ask", "city"), ("supply", "city"))
    assert "ask" not in {step.id for step in steps_open_to(people["city"], case)}
    with pytest.raises(ValidationError):
        carry_out(case, "ask", by=people["city"], reason=WHY)


def test_the_term_of_a_supplement_begins_when_it_is_asked_for(repair: Case, people: Any) -> None:
    asked = timezone.localdate() + timedelta(days=20)
    case = on_days(repair, people, ("accept", "city", timezone.localdate()), ("ask", "city", asked))
    assert case.due_on == clocks.clock("repair.supplement", asked).due_on


def test_an_officer_does_not_act_for_a_party_that_acts_for_itself(record: CreditRecord, people: Any) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    with pytest.raises(PermissionDenied):
        carry_out(case, "withdraw", by=people["city"], reason=WHY)
    assert carry_out(case, "withdraw", by=people["enterprise"]).state == "withdrawn"


def test_what_a_party_brings_to_the_counter_is_registered_with_a_reason(repair: Case, people: Any) -> None:
    with pytest.raises(ValidationError):
        carry_out(repair, "withdraw", by=people["city"], reason="")
    assert carry_out(repair, "withdraw", by=people["city"], reason="（虚构）当事人书面撤回").state == "withdrawn"


def test_a_statement_of_the_enterprise_is_made_by_itself(record: CreditRecord, people: Any) -> None:
    with pytest.raises(PermissionDenied):
        open_case("statement", record=record, subject=record.subject, text=WHY, by=people["city"])


@pytest.mark.parametrize("who_opens", ["city", "enterprise"])
def test_who_has_worked_on_a_case_does_not_decide_it_under_another_role(
    record: CreditRecord, people: Any, who_opens: str
) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people[who_opens])
    case = walk(case, people, ("verify", "city"))
    other = people["auditor"]
    other.role = people["city"].role
    other.save()
    case = carry_out(case, "propose_uphold", by=other, reason=WHY)
    people["city"].role = people["approver"].role
    people["city"].save()
    with pytest.raises(PermissionDenied):  # it verified, although another proposed
        carry_out(case, "uphold", by=people["city"], reason=WHY)


def test_the_same_conduct_on_the_same_document_is_determined_once(filed: Case, people: Any) -> None:
    for document in (GROUNDS["document"], GROUNDS["document"].replace("〔", "[").replace("〕", "]")):
        with pytest.raises(ValidationError):
            open_case(
                "determination", subject=filed.subject, text=WHY, details=GROUNDS | {"document": document}, by=people["city"]
            )
    other = GROUNDS | {"document": "（虚构）行政确认〔2026〕8号"}
    open_case("determination", subject=filed.subject, text=WHY, details=other, by=people["city"])


def test_a_record_that_changed_meanwhile_is_neither_revoked_nor_repaired(
    record: CreditRecord, subjects: list[Subject], people: Any, take: Any, penalty: Any
) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    case = walk(case, people, ("verify", "city"), ("propose_uphold", "city"))
    assert "close" not in {step.id for step in steps_open_to(people["city"], case)}
    day = record.decided_on.isoformat()
    take(
        "penalties",
        penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=day, 违法事实="另一事实"),
        is_correction=True,
    )
    with pytest.raises(ValidationError):
        carry_out(case, "uphold", by=people["approver"], reason=WHY)
    assert CreditRecord.objects.filter(key=record.key).latest("version").state == "active"
    assert "close" in {step.id for step in steps_open_to(people["city"], case)}
    closed = carry_out(case, "close", by=people["city"], reason="（虚构）来源已更正")
    assert closed.state == "moot"
    assert CasePaper.objects.get().content["remedies"]


def test_a_correction_does_not_revive_what_was_revoked(
    record: CreditRecord, subjects: list[Subject], people: Any, take: Any, penalty: Any
) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    walk(case, people, ("verify", "city"), ("propose_uphold", "city"), ("uphold", "approver"))
    day = record.decided_on.isoformat()
    row = penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=day, 违法事实="另一事实")
    batch = take("penalties", row, is_correction=True)
    assert (batch.accepted, batch.quarantined) == (0, 1)
    assert CreditRecord.objects.filter(key=record.key).latest("version").state == "revoked"


def test_determinations_come_from_cases_alone(subjects: list[Subject], people: Any, take: Any) -> None:
    text = f"统一社会信用代码,企业名称,认定决定书文号,失信行为,认定日期,所依据的法律文书\n{subjects[0].code},{subjects[0].name},（虚构）认1号,提交虚假材料,2026-08-01,没有\n"
    with pytest.raises(FileRefused):
        take("determinations", text)
    assert not CreditRecord.objects.exists()


def test_a_batch_that_a_decision_made_is_not_taken_back(filed: Case, people: Any) -> None:
    walk(after_the_term(walk(filed, people, ("notify", "city"))), people, *RECOGNISED)
    with pytest.raises(ValidationError):
        undo_batch(Batch.objects.get(source="determinations"), people["city"], "（虚构）撤回")
    assert CreditRecord.objects.get().state == "active"


def test_a_record_with_an_open_case_is_not_changed_by_another_door(
    record: CreditRecord, repair: Case, browser_of: Any
) -> None:
    browser = browser_of("city")
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    browser.post(
        f"/c/records/{record.pk}/change",
        {"state": "repaired", "on": timezone.localdate().isoformat(), "basis": "（虚构）一人所定"},
    )
    assert CreditRecord.objects.get(key=record.key).state == "active"


@pytest.mark.parametrize(
    "odd",
    [
        "\x01",
        "\x1f",
        "\ufffe",
        "\U0003134a",
        "\U0002ebf0",
        "ཀ",
        "ก",
        "ᚠ",
        "😀",
        "𠮷",
        "#set page()",
        "$x$",
        "</script>",
        "*_`<a>@b",
    ],
)
def test_no_character_stops_a_case_from_being_decided(record: CreditRecord, people: Any, odd: str) -> None:
    case = open_case("repair", record=record, subject=record.subject, text=f"（虚构）说明{odd}完毕", by=people["city"])
    case = carry_out(case, "accept", by=people["city"])
    case = carry_out(case, "propose_refusal", by=people["city"], reason=f"（虚构）理由{odd}不足")
    assert carry_out(case, "refuse", by=people["approver"]).state == "refused"
    paper = CasePaper.objects.get().paper
    assert kept_file(paper.code, paper.file_sha256) is not None


def test_one_case_that_fails_does_not_stop_the_clock_of_the_others(
    record: CreditRecord, repair: Case, people: Any, monkeypatch: Any
) -> None:
    walk(repair, people, *REFUSE)
    second = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
    walk(second, people, *GRANT)
    done: list[int] = []

    def failing(case: Case) -> None:
        if case.pk == repair.pk:
            raise RuntimeError
        done.append(case.pk)

    monkeypatch.setattr(transitions, "settle_case", failing)
    said = list(run_case_clocks())
    assert done == [second.pk]
    assert any("failed" in line for line in said)


def test_reasons_of_proposal_and_decision_and_what_the_party_said_stand_in_the_paper(repair: Case, people: Any) -> None:
    case = carry_out(repair, "ask", by=people["city"], reason="（虚构）缺少履行证明")
    case = carry_out(case, "supply", by=people["city"], reason="（虚构）补交缴款凭证")
    case = carry_out(case, "propose_refusal", by=people["city"], reason="（虚构）凭证与决定书不符")
    carry_out(case, "refuse", by=people["approver"], reason="（虚构）同意")
    text = "".join(CasePaper.objects.latest("pk").content["body"])
    for said in ("补交缴款凭证", "凭证与决定书不符", "（虚构）同意"):
        assert said in text


@pytest.mark.parametrize(
    "text",
    [
        "电话 138 1234 5678 谢谢",
        "电话138-1234-5678谢谢",
        "邮箱 a.b@example.cn 谢谢",
        "座机 0371-65551234 谢谢",
        "证号 11010519491231002X 谢谢",
    ],
)
def test_numbers_and_addresses_of_persons_are_hidden_in_every_spelling(record: CreditRecord, people: Any, text: str) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=text, by=people["city"])
    assert not any(part in case.text for part in ("5678", "example.cn", "65551234", "1002X"))
    filed = open_case(
        "determination",
        subject=record.subject,
        text=WHY,
        details=GROUNDS | {"document": f"文1号{text}"[:100]},
        by=people["city"],
    )
    assert not any(part in str(filed.details) for part in ("5678", "example.cn", "65551234", "1002X"))


def test_a_determination_is_nobodys_business_before_the_notice(
    filed: Case, subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    people["enterprise"].organisation.code = subjects[2].code
    people["enterprise"].organisation.save()
    assert not cases_of_party(subjects[2].code).exists()
    assert browser_of("enterprise").get(f"/my/cases/{filed.pk}").status_code == 404
    case = walk(filed, people, ("notify", "city"))
    page = browser_of("enterprise").get(f"/my/cases/{case.pk}").content.decode()
    assert "失信行为认定告知书" in page
    assert people["city"].display_name not in page.split("办理经过")[1]


def test_a_department_sees_what_it_has_to_verify_alone(repair: Case, record: CreditRecord, people: Any) -> None:
    assert not visible_cases(people["department"]).exists()
    objection = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    assert [case.pk for case in visible_cases(people["department"])] == [objection.pk]


def test_the_paper_of_a_revoked_determination_says_so(filed: Case, people: Any, client: Any) -> None:
    walk(after_the_term(walk(filed, people, ("notify", "city"))), people, *RECOGNISED)
    record = CreditRecord.objects.get()
    decision = CasePaper.objects.get(title="失信行为认定决定书")
    assert "真实有效" in client.get(f"/v/{decision.paper.code}").content.decode()
    objection = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["city"])
    assert objection.due_on == clocks.clock("report.verify", timezone.localdate()).due_on
    verified = walk(objection, people, ("verify", "city"))
    assert verified.due_on == clocks.clock("report.answer_own", timezone.localdate()).due_on
    walk(verified, people, ("propose_uphold", "city"), ("uphold", "approver"))
    assert "已撤回" in client.get(f"/v/{decision.paper.code}").content.decode()


def test_a_statement_does_not_stand_under_a_corrected_record(
    record: CreditRecord, subjects: list[Subject], people: Any, take: Any, penalty: Any
) -> None:
    case = open_case(
        "statement", record=record, subject=record.subject, text="（虚构）我公司已整改", by=people["enterprise"]
    )
    walk(case, people, ("propose_publication", "city"), ("publish", "approver"))
    day = record.decided_on.isoformat()
    take(
        "penalties",
        penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=day, 违法事实="另一事实"),
        is_correction=True,
    )
    assert published_statements(CreditRecord.objects.filter(key=record.key).latest("version").seq) == []


def test_an_unsettled_effect_that_claims_to_be_settled_is_named(released: Run, repair: Case, people: Any) -> None:
    walk(repair, people, *GRANT)
    raw(Case.objects.all(), is_settled=True)
    assert any("no evaluation followed" in fault for fault in case_deviations()[1])


@pytest.mark.parametrize(("source", "is_ours"), [("abnormal_filings", False), ("penalties", True)])
def test_who_determined_it_repairs_it(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, source: str, is_ours: bool
) -> None:
    day = shift_months(timezone.localdate(), -8).isoformat()
    who = (subjects[0].code, subjects[0].name)
    if source == "penalties":
        take(source, penalty((*who, "（虚构）罚1号"), 处罚决定日期=day))
    else:
        manifest = sources()[source]
        cells = {"subject_id": who[0], "name": who[1], "document": "（虚构）通报1号", "decided_on": day, "quantity": "1"}
        head = ",".join(item.title for item in manifest.fields)
        take(
            source,
            f"{head}\n{','.join(cells.get(item.id, day if item.type == 'date' else '虚构') for item in manifest.fields)}\n",
        )
    record = CreditRecord.objects.get()
    if is_ours:
        assert open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"]).is_open
    else:
        with pytest.raises(ValidationError, match="国家知识产权局"):
            open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])


def test_the_party_does_not_read_the_direction_of_a_proposal(record: CreditRecord, people: Any, browser_of: Any) -> None:
    case = open_case("objection", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    walk(case, people, ("verify", "city"), ("propose_reject", "city"))
    for address in ("cases", f"cases/{case.pk}", f"records/{record.pk}"):
        page = browser_of("enterprise").get(f"/my/{address}").content.decode()
        assert "拟维持" not in page
        assert "审核中" in page
        assert "拟维持" in browser_of("city").get(f"/c/{address}").content.decode()


def test_the_party_reads_how_far_its_case_is_and_no_internal_reason(
    record: CreditRecord, people: Any, browser_of: Any
) -> None:
    case = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["enterprise"])
    carry_out(case, "accept", by=people["city"], reason="（虚构）内部意见：材料属实")
    carry_out(case, "propose_grant", by=people["city"], reason="（虚构）内部意见：拟同意")
    page = browser_of("enterprise").get(f"/my/cases/{case.pk}").content.decode()
    assert "受理" in page.split("办理经过")[1]
    assert "拟准予" not in page
    assert "内部意见" not in page
    carry_out(case, "grant", by=people["approver"], reason="（虚构）同意")
    page = browser_of("enterprise").get(f"/my/cases/{case.pk}").content.decode()
    assert "准予修复" in page.split("办理经过")[1]
    assert "内部意见" not in page


def test_an_old_version_of_a_record_says_so_and_offers_nothing(
    repair: Case, record: CreditRecord, browser_of: Any, people: Any
) -> None:
    address = f"/c/records/{record.pk}"
    city = browser_of("city")
    assert f"{address}/cases/objection" in city.get(address).content.decode()
    walk(repair, people, *GRANT)
    newest = CreditRecord.objects.order_by("-seq")[0]
    page = city.get(address).content.decode()
    assert f"/c/records/{newest.pk}" in page.split("查看最新版本")[0]
    assert "这是第 1 版；最新的是第 2 版（已修复）" in page
    assert f"{address}/cases/" not in page
    assert "登记修复或撤销" not in page
    assert "查看最新版本" not in city.get(f"/c/records/{newest.pk}").content.decode()
    for procedure in ("repair", "objection", "statement"):
        answer = city.get(f"{address}/cases/{procedure}")
        assert (answer.status_code, answer["Location"]) == (302, f"/c/records/{newest.pk}")
        assert city.post(f"{address}/cases/{procedure}", {"text": WHY}).status_code == 302
    assert Case.objects.count() == 1


def test_the_page_of_the_sites_own_source_offers_neither_template_nor_upload(browser_of: Any) -> None:
    page = browser_of("city").get("/c/sources/determinations").content.decode()
    assert "下载模板" not in page
    assert 'type="file"' not in page
    assert 'type="file"' in browser_of("city").get("/c/sources/penalties").content.decode()
