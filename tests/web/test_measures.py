"""Measures against dishonest conduct: only what the catalogue allows, after notice and defence, by two persons, with an end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from zhixin.law.calendar import shift_months
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases.models import Case, CasePaper
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.transitions import carry_out, run_case_clocks, steps_open_to
from zhixin_web.evaluations.models import CurrentGrade, GradeOrder
from zhixin_web.evaluations.queries import order_in_force
from zhixin_web.evaluations.services.orders import decide_order, end_order, propose_order
from zhixin_web.jobs.invariants import check
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.measures.queries import running_measures
from zhixin_web.measures.services import imposing
from zhixin_web.measures.services.imposing import follow_measures
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record

pytestmark = pytest.mark.django_db
WHY = "（虚构）事实清楚，文书已生效"
FILINGS = "统一社会信用代码,企业名称,驳回通知书文号,认定日期,涉及件数\n"


def today() -> date:
    return timezone.localdate()


def grade(subject: Subject, letter: str, people: Any) -> None:
    """Set the grade in force by an order of two persons; ``!held``: hold it back."""
    order = order_in_force(subject.pk)
    if order is not None:
        end_order(order, by=people["approver"])
    proposed = propose_order(
        subject, kind="hold" if letter == "!held" else "override", grade="" if letter == "!held" else letter,
        reason=WHY, basis="（虚构）核查报告一号", until=today() + timedelta(days=30), by=people["city"],
    )  # fmt: skip
    decide_order(proposed, approve=True, by=people["approver"])


@pytest.fixture
def filed(released: Any, subjects: list[Subject], people: Any, take: Any) -> Any:
    """Deliver notices of abnormal filings against the first subject, by the months since they were issued; it is graded D."""

    def filing(*months: int) -> list[CreditRecord]:
        for number in months:
            day = shift_months(today(), -number)
            take(
                "abnormal_filings",
                FILINGS + f"{subjects[0].code},{subjects[0].name},（虚构）通报〔{day}〕{number}号,{day},1\n",
            )
        grade(subjects[0], "D", people)
        return list(CreditRecord.objects.filter(subject=subjects[0], kind="filing.abnormal_patent").order_by("decided_on"))

    return filing


@pytest.fixture
def begun(filed: Any, subjects: list[Subject], people: Any) -> Any:
    """Begin a measure on one notice of seven months ago."""

    def beginning(code: str = "fund_scrutiny", *months: int) -> Case:
        if not CreditRecord.objects.filter(kind="filing.abnormal_patent").exists():
            filed(*(months or (7,)))
        return open_case("measure", subject=subjects[0], text=WHY, details={"measure": code}, by=people["city"])

    return beginning


def after_defence(case: Case, people: Any) -> Case:
    """Give notice, and let the time for defence pass."""
    case = carry_out(case, "notify", by=people["city"], reason=WHY)
    with mock.patch.object(timezone, "localdate", return_value=case.due_on + timedelta(days=1)):
        list(run_case_clocks())
    case.refresh_from_db()
    assert case.state == "review"
    return case


def to_decision(case: Case, people: Any) -> Case:
    """Take a case through notice and defence to the desk of the approver."""
    return carry_out(after_defence(case, people), "propose_measure", by=people["city"], reason=WHY)


def imposed_now(waiting: Case, people: Any) -> ImposedMeasure:
    carry_out(waiting, "impose", by=people["approver"], reason=WHY)
    return ImposedMeasure.objects.get(case=f"case:{waiting.pk}")


def imposed(case: Case, people: Any) -> ImposedMeasure:
    return imposed_now(to_decision(case, people), people)


def nothing_is_broken() -> None:
    assert [(item.name, item.broken) for item in check() if item.broken] == []


# --- what is allowed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "code", "words"),
    [
        ("A", "fund_scrutiny", "等级不适用"),
        ("B", "fund_scrutiny", "等级不适用"),
        ("C", "fee_scrutiny", "等级不适用"),
        ("D", "random_inspection", "清单"),
        ("D", "fast_track", "清单"),
        ("D", "", "清单"),
        ("D", "expropriation", "清单"),
    ],
)
def test_what_the_catalogue_does_not_allow_is_refused_in_words(
    filed: Any, subjects: list[Subject], people: Any, letter: str, code: str, words: str
) -> None:
    filed(7)
    grade(subjects[0], letter, people)
    with pytest.raises(ValidationError, match=words):
        open_case("measure", subject=subjects[0], text=WHY, details={"measure": code}, by=people["city"])
    assert not Case.objects.filter(procedure="measure").exists()


def test_a_grade_without_conduct_brings_no_measure(released: Any, subjects: list[Subject], people: Any) -> None:
    grade(subjects[0], "D", people)
    with pytest.raises(ValidationError, match="没有措施清单所针对的"):
        open_case("measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people["city"])


@pytest.mark.parametrize(("days", "is_allowed"), [(-1, True), (0, False), (1, False)])
def test_a_measure_is_begun_until_the_last_day_of_its_term(
    filed: Any, subjects: list[Subject], people: Any, days: int, is_allowed: bool
) -> None:
    record = filed(7)[0]
    with mock.patch.object(timezone, "localdate", return_value=shift_months(record.decided_on, 12) + timedelta(days=days)):
        if is_allowed:
            made = open_case(
                "measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people["city"]
            )
            assert made.details["until"] == shift_months(record.decided_on, 12).isoformat()
        else:
            with pytest.raises(ValidationError, match="期限已满"):
                open_case("measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people["city"])


def test_what_is_being_verified_carries_no_measure(filed: Any, subjects: list[Subject], people: Any) -> None:
    record = filed(7)[0]
    open_case("objection", record=record, subject=record.subject, text=WHY, by=people["city"])
    with pytest.raises(ValidationError, match="异议核实"):
        open_case("measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people["city"])


@pytest.mark.parametrize("who", ["approver", "district", "department", "enterprise", "auditor", "inspector"])
def test_only_an_officer_of_the_city_begins_a_measure(filed: Any, subjects: list[Subject], people: Any, who: str) -> None:
    filed(7)
    with pytest.raises(PermissionDenied):
        open_case("measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people[who])


def test_one_measure_is_begun_once(begun: Any) -> None:
    case = begun()
    with pytest.raises(ValidationError, match=str(case.pk)):
        begun()
    begun("fee_scrutiny")


# --- imposing -----------------------------------------------------------------------------------------------------------------


def test_a_measure_is_imposed_after_notice_and_defence_by_another_person(begun: Any, people: Any) -> None:
    case = begun()
    record = CreditRecord.objects.get(kind="filing.abnormal_patent")
    waiting = to_decision(case, people)
    with pytest.raises(PermissionDenied):
        carry_out(waiting, "impose", by=people["city"], reason=WHY)
    measure = imposed_now(waiting, people)
    assert (measure.code, measure.scenario, measure.grade) == ("fund_scrutiny", "subsidy", "D")
    assert (measure.starts_on, measure.until) == (today(), shift_months(record.decided_on, 12))
    assert measure.answers[0]["records"] == [record.key]
    assert measure.answers[0]["basis"][0]["article"]
    assert (measure.proposed_by, measure.decided_by) == (people["city"], people["approver"])
    assert LedgerEntry.objects.filter(kind="measure.impose", ref=f"case:{case.pk}").count() == 1
    assert measure.number == CasePaper.objects.get(step__case=case, step__transition="impose").number
    nothing_is_broken()


def test_the_papers_say_the_measure_its_grounds_its_end_and_the_remedies(begun: Any, people: Any) -> None:
    case = begun()
    record = CreditRecord.objects.get(kind="filing.abnormal_patent")
    measure = imposed(case, people)
    until = f"{measure.until.year}年{measure.until.month}月{measure.until.day}日"
    notice, decision = CasePaper.objects.filter(step__case=case).order_by("step__position")
    for paper in (notice, decision):
        text = "".join(paper.content["body"])
        assert "财政性资金项目申请从严审批" in text
        assert until in text
        assert "（虚构）通报" in text
        assert f"{record.decided_on.year}年" in text
    assert "申辩" in "".join(notice.content["body"])
    assert len(decision.content["remedies"]) == 2


def test_nothing_is_imposed_that_has_been_repaired_meanwhile(begun: Any, people: Any) -> None:
    waiting = to_decision(begun(), people)
    assert "drop" not in {step.id for step in steps_open_to(people["city"], waiting)}
    change_record(
        CreditRecord.objects.get(kind="filing.abnormal_patent"),
        state="repaired",
        on=today(),
        basis="（虚构）修1号",
        by=people["city"],
    )
    with pytest.raises(ValidationError, match="不予适用"):
        carry_out(waiting, "impose", by=people["approver"], reason=WHY)
    assert not ImposedMeasure.objects.exists()
    waiting.refresh_from_db()
    assert waiting.state == "to_impose"
    assert "drop" in {step.id for step in steps_open_to(people["city"], waiting)}
    done = carry_out(waiting, "drop", by=people["city"])
    assert (done.state, done.is_open) == ("dropped", False)


def test_it_rests_only_on_what_the_party_was_told_of(begun: Any, filed: Any, people: Any) -> None:
    waiting = to_decision(begun(), people)
    told = waiting.details["records"]
    filed(1)
    measure = imposed_now(waiting, people)
    assert measure.answers[0]["records"] == told
    assert measure.until.isoformat() == waiting.details["until"]


def test_new_conduct_lengthens_a_measure_only_by_a_new_decision(begun: Any, filed: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    with pytest.raises(ValidationError, match="正在实施"):
        begun()
    filed(1)
    list(follow_measures())
    measure.refresh_from_db()
    first_until = measure.until
    assert measure.ended_on is None
    longer = imposed(begun(), people)
    measure.refresh_from_db()
    assert (measure.ending, measure.ended_on) == ("replaced", today())
    assert longer.until == shift_months(first_until, 12)
    assert list(running_measures(today())) == [longer]
    nothing_is_broken()


def test_a_decision_not_to_impose_does_not_say_that_it_runs(begun: Any, people: Any) -> None:
    case = after_defence(begun(), people)
    carry_out(carry_out(case, "propose_waiver", by=people["city"], reason=WHY), "waive", by=people["approver"])
    paper = CasePaper.objects.get(step__case=case, step__transition="waive")
    text = "".join(paper.content["body"])
    assert "本次不实施" in text
    assert "自决定之日起实施" not in text
    with pytest.raises(ValidationError, match="不予实施"):
        begun()
    assert not ImposedMeasure.objects.exists()


def test_the_paper_cites_what_the_measure_rests_on(released: Any, subjects: list[Subject], take: Any, people: Any) -> None:
    code, name = subjects[0].code, subjects[0].name
    day = shift_months(today(), -2)
    take(
        "serious_list",
        f"统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列1,虚构,{day},虚构机关",
    )
    grade(subjects[0], "D", people)
    case = open_case("measure", subject=subjects[0], text=WHY, details={"measure": "award_exclusion"}, by=people["city"])
    measure = imposed(case, people)
    assert measure.until == shift_months(day, 36)
    for paper in CasePaper.objects.filter(step__case=case):
        assert "第十五条、第二十一条" in "".join(paper.content["body"])
        assert "总局令第44号" in "".join(paper.content["body"])


def corrected(take: Any, subject: Subject, day: date, on: date) -> None:
    """Deliver the notice of some months ago again, with another day."""
    line = f"{subject.code},{subject.name},（虚构）通报〔{day}〕7号,{on},1\n"
    take("abnormal_filings", FILINGS + line, is_correction=True)


@pytest.mark.parametrize("months", [1, 9])
def test_what_differs_from_the_notice_is_not_imposed(
    begun: Any, people: Any, take: Any, subjects: list[Subject], months: int
) -> None:
    waiting = to_decision(begun(), people)
    corrected(take, subjects[0], shift_months(today(), -7), shift_months(today(), -months))
    with pytest.raises(ValidationError, match="与告知的不同"):
        carry_out(waiting, "impose", by=people["approver"], reason=WHY)
    assert "drop" in {step.id for step in steps_open_to(people["city"], waiting)}
    assert not ImposedMeasure.objects.exists()


def test_the_notice_says_what_holds_on_its_day(begun: Any, people: Any, filed: Any) -> None:
    case = begun()
    change_record(
        CreditRecord.objects.get(kind="filing.abnormal_patent"),
        state="repaired",
        on=today(),
        basis="（虚构）修1号",
        by=people["city"],
    )
    with pytest.raises(ValidationError, match="不予适用"):
        carry_out(case, "notify", by=people["city"])
    assert carry_out(case, "drop", by=people["city"]).state == "dropped"


def test_one_act_that_two_sources_tell_of_counts_once(
    begun: Any, filed: Any, subjects: list[Subject], take: Any, people: Any
) -> None:
    record = filed(7)[0]
    case = open_case(
        "determination", subject=subjects[0], text=WHY, by=people["city"],
        details={"conduct": "非正常专利申请", "document": f"（虚构）通报〔{record.decided_on}〕7号",
                 "document_on": record.decided_on.isoformat(), "is_final": "1"},
    )  # fmt: skip
    case = after_defence(case, people)
    carry_out(carry_out(case, "propose_recognition", by=people["city"], reason=WHY), "recognise", by=people["approver"])
    assert CreditRecord.objects.filter(kind="filing.abnormal_patent").count() == 2
    assert begun().details["until"] == shift_months(record.decided_on, 12).isoformat()


def test_of_two_records_the_one_in_dispute_is_left_out(begun: Any, filed: Any, people: Any) -> None:
    first, second = filed(8, 7)
    open_case("objection", record=second, subject=second.subject, text=WHY, by=people["city"])
    case = begun()
    assert (case.details["records"], case.details["left_out"]) == ([first.key], [second.key])
    assert case.details["until"] == shift_months(first.decided_on, 12).isoformat()


def test_on_the_last_day_a_new_measure_follows_before_the_clock_has_looked(begun: Any, filed: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    filed(1)
    with mock.patch.object(timezone, "localdate", return_value=measure.until):
        grade_until_then = GradeOrder.objects.filter(status="active")
        assert grade_until_then.exists()
        later = imposed(begun(), people)
    measure.refresh_from_db()
    assert (measure.ending, measure.ended_on) == ("term_over", measure.until)
    assert later.starts_on == measure.until


def test_one_measure_that_cannot_follow_does_not_hold_up_the_others(begun: Any, people: Any) -> None:
    one, two = imposed(begun(), people), imposed(begun("fee_scrutiny"), people)
    genuine = imposing._follow

    def failing(measure: ImposedMeasure) -> bool:
        if measure.pk == one.pk:
            raise FileNotFoundError("an archive")
        return genuine(measure)

    with mock.patch.object(imposing, "_follow", failing), mock.patch.object(timezone, "localdate", return_value=two.until):
        said = list(follow_measures())
    two.refresh_from_db()
    assert two.ending == "term_over"
    assert any("failed" in line for line in said)


def test_a_change_right_after_the_clock_has_looked_is_seen(begun: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    ImposedMeasure.objects.filter(pk=measure.pk).update(followed_on=None)
    assert list(follow_measures()) == []
    change_record(
        CreditRecord.objects.get(kind="filing.abnormal_patent"),
        state="repaired",
        on=today(),
        basis="（虚构）修1号",
        by=people["city"],
    )
    assert len(list(follow_measures())) == 1


def test_the_notice_is_in_chinese_whatever_the_officer_reads(filed: Any, subjects: list[Subject], browser_of: Any) -> None:
    filed(7)
    browser = browser_of("city")
    browser.cookies["django_language"] = "en"
    browser.post("/c/measures/begin", {"measure": [f"{subjects[0].code}:fund_scrutiny"]})
    body = "".join(CasePaper.objects.get().content["body"])
    assert "begun by" not in body
    assert "按措施清单启动。" in body


def test_what_is_long_over_is_not_on_the_list(filed: Any, subjects: list[Subject], browser_of: Any) -> None:
    filed(37)
    assert subjects[0].name not in browser_of("city").get("/c/measures?tab=due").content.decode()
    assert subjects[0].name in browser_of("city").get("/c/measures?tab=refused").content.decode()


# --- ending -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "runs"), [(-1, True), (0, False), (1, False)])
def test_a_measure_ends_by_itself_on_its_day_with_an_entry(begun: Any, people: Any, days: int, runs: bool) -> None:
    measure = imposed(begun(), people)
    with mock.patch.object(timezone, "localdate", return_value=measure.until + timedelta(days=days)):
        assert running_measures(timezone.localdate()).filter(pk=measure.pk).exists() is runs, (
            "even before the clock has looked"
        )
        list(follow_measures())
    measure.refresh_from_db()
    assert (measure.ended_on is None) is runs
    if not runs:
        assert (measure.ended_on, measure.ending) == (measure.until, "term_over")
        assert LedgerEntry.objects.filter(kind="measure.end").count() == 1


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_a_measure_ends_with_the_record_it_answers(begun: Any, people: Any, state: str) -> None:
    measure = imposed(begun(), people)
    change_record(
        CreditRecord.objects.get(kind="filing.abnormal_patent"),
        state=state,
        on=today(),
        basis="（虚构）改1号",
        by=people["city"],
    )
    assert len(list(follow_measures())) == 1
    assert list(follow_measures()) == []
    measure.refresh_from_db()
    assert (measure.ended_on, measure.ending) == (today(), "no_conduct")
    nothing_is_broken()


def test_a_repair_decided_in_a_case_ends_the_measure_in_the_same_act(
    released: Any, subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    day = shift_months(today(), -7).isoformat()
    take(
        "penalties",
        penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 违法行为类型="专利代理违法", 处罚决定日期=day),
    )
    grade(subjects[0], "D", people)
    record = CreditRecord.objects.get()
    begun = open_case("measure", subject=subjects[0], text=WHY, details={"measure": "fund_scrutiny"}, by=people["city"])
    measure = imposed(begun, people)
    case = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
    for step, who in (("accept", "city"), ("propose_grant", "city"), ("grant", "approver")):
        case = carry_out(case, step, by=people[who], reason=WHY)
    measure.refresh_from_db()
    assert (measure.ended_on, measure.ending) == (today(), "no_conduct")


def test_repair_of_one_of_two_records_brings_the_end_forward(begun: Any, people: Any) -> None:
    measure = imposed(begun("fund_scrutiny", 8, 7), people)
    first, second = CreditRecord.objects.filter(kind="filing.abnormal_patent").order_by("decided_on")
    assert measure.until == shift_months(first.decided_on, 24)
    change_record(second, state="repaired", on=today(), basis="（虚构）修1号", by=people["city"])
    list(follow_measures())
    measure.refresh_from_db()
    assert measure.ended_on is None
    assert measure.until == shift_months(first.decided_on, 12)
    assert measure.answers[0]["records"] == [first.key]
    assert LedgerEntry.objects.filter(kind="measure.shorten").count() == 1
    nothing_is_broken()


@pytest.mark.parametrize(
    ("letter", "ending"), [("A", "not_of_the_grade"), ("B", "not_of_the_grade"), ("C", ""), ("!held", "not_of_the_grade")]
)
def test_a_measure_follows_the_grade(begun: Any, people: Any, letter: str, ending: str) -> None:
    measure = imposed(begun(), people)
    grade(measure.subject, letter, people)
    list(follow_measures())
    measure.refresh_from_db()
    assert measure.ending == ending


def test_a_subject_that_is_no_longer_evaluated_has_no_measure(begun: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    CurrentGrade.objects.filter(subject=measure.subject).delete()
    list(follow_measures())
    measure.refresh_from_db()
    assert measure.ending == "not_of_the_grade"


def test_the_clock_looks_at_a_measure_again_only_when_something_changed(begun: Any, people: Any) -> None:
    imposed(begun(), people)
    list(follow_measures())
    with mock.patch("zhixin_web.measures.services.imposing._follow") as follow:
        list(follow_measures())
    assert follow.call_count == 0


def test_no_measure_without_an_end_or_decided_by_its_proposer_is_kept(begun: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    for changes in (
        {"until": measure.starts_on}, {"decided_by": people["city"]}, {"ended_on": today()}, {"ending": "term_over"},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            ImposedMeasure.objects.filter(pk=measure.pk).update(**changes)


def test_a_measure_changed_behind_the_ledger_is_found(begun: Any, people: Any) -> None:
    measure = imposed(begun(), people)
    for changes in (
        {"until": measure.until + timedelta(days=1)},
        {"ended_on": today(), "ending": "term_over"},
        {"number": "无"},
    ):
        was = {name: getattr(measure, name) for name in changes}
        ImposedMeasure.objects.filter(pk=measure.pk).update(**changes)
        found = {item.name: item.broken for item in check()}
        assert found["every measure follows a decision, the ledger and its end"], changes
        ImposedMeasure.objects.filter(pk=measure.pk).update(**was)
    nothing_is_broken()


# --- pages --------------------------------------------------------------------------------------------------------------------


def test_the_lists_say_what_is_allowed_and_why_the_rest_is_refused(
    filed: Any, subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    filed(7)
    grade(subjects[1], "D", people)
    due = browser_of("city").get("/c/measures?tab=due").content.decode()
    assert subjects[0].name in due
    assert subjects[1].name not in due
    assert f'value="{subjects[0].code}:fund_scrutiny"' in due
    refused = browser_of("city").get("/c/measures?tab=refused").content.decode()
    assert subjects[1].name in refused
    assert subjects[0].name not in refused
    assert "没有措施清单所针对的、有效的失信信息" in refused
    assert 'name="measure"' not in refused


def test_ticked_measures_are_begun_and_notice_is_given_at_once(filed: Any, subjects: list[Subject], browser_of: Any) -> None:
    filed(7)
    code = subjects[0].code
    browser = browser_of("city")
    chosen = [f"{code}:fund_scrutiny", f"{code}:focused_supervision", f"{code}:expropriation", "nobody:fund_scrutiny"]
    answer = browser.post("/c/measures/begin", {"measure": chosen}, follow=True)
    said = answer.content.decode()
    assert "2 项" in said
    assert "清单没有针对" in said
    cases = Case.objects.filter(procedure="measure")
    assert {(case.details["measure"], case.state) for case in cases} == {
        ("fund_scrutiny", "defence"),
        ("focused_supervision", "defence"),
    }
    assert CasePaper.objects.filter(step__case__in=cases).count() == 2
    again = browser.post("/c/measures/begin", {"measure": chosen[:1]}, follow=True).content.decode()
    assert "同一措施已在" in again
    assert "办理中" in browser.get("/c/measures").content.decode()


def test_nothing_ticked_says_what_to_do(filed: Any, browser_of: Any) -> None:
    assert "请先勾选" in browser_of("city").post("/c/measures/begin", follow=True).content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("approver", 403), ("auditor", 403), ("district", 403), ("department", 403), ("inspector", 403)]
)
def test_others_do_not_begin_measures(filed: Any, subjects: list[Subject], browser_of: Any, who: str, status: int) -> None:
    filed(7)
    answer = browser_of(who).post("/c/measures/begin", {"measure": [f"{subjects[0].code}:fund_scrutiny"]})
    assert answer.status_code == status
    assert not Case.objects.filter(procedure="measure").exists()


def test_a_department_sees_what_runs_and_not_what_is_considered(begun: Any, people: Any, browser_of: Any) -> None:
    measure = imposed(begun(), people)
    page = browser_of("department").get("/c/measures?tab=due").content.decode()
    assert "可以实施" not in page
    assert measure.number in page
    shown = browser_of("department").get(f"/c/measures/{measure.pk}")
    assert shown.status_code == 200
    assert "第九条、第十条" in shown.content.decode()


def test_a_district_sees_the_measures_of_its_own_subjects(
    begun: Any, people: Any, browser_of: Any, subjects: list[Subject]
) -> None:
    measure = imposed(begun(), people)
    mine = people["district"].organisation.district
    for district, status in ((mine, 200), ("410199", 404)):
        Subject.objects.filter(pk=measure.subject.pk).update(district=district)
        assert browser_of("district").get(f"/c/measures/{measure.pk}").status_code == status


def test_the_party_reads_notice_measure_and_end_at_its_own_door(begun: Any, people: Any, browser_of: Any) -> None:
    case = begun()
    enterprise = browser_of("enterprise")
    assert enterprise.get(f"/my/cases/{case.pk}").status_code == 404, "nothing is told before the notice"
    measure = imposed(case, people)
    page = enterprise.get(f"/my/cases/{case.pk}").content.decode()
    assert "财政性资金项目申请从严审批" in page
    assert "（虚构）通报" in page
    home = enterprise.get("/my/").content.decode()
    assert measure.number in home
    assert "实施中" in home
    with mock.patch.object(timezone, "localdate", return_value=measure.until):
        assert "期限届满" in enterprise.get("/my/").content.decode()
