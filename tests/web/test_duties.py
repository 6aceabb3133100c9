"""Duties under the work plan: proved by the unit, confirmed by another, overdue at its day, told on in time, nothing forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from zhixin_web.accounts.models import Role, User
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.duties.acceptance import judged
from zhixin_web.duties.comparing import changes, confirmed_but_changed
from zhixin_web.duties.items import Duty, DutyState
from zhixin_web.duties.models import Escalation, Meeting, PlanVersion, ProgressEntry, ProgressPaper, QuarterReport
from zhixin_web.duties.queries import (
    Quarter,
    dropped,
    duties,
    duty,
    plan_in,
    quarter_on,
    quarters,
    reports_of,
    version_in_force,
)
from zhixin_web.duties.services import meetings, papers, plans, progress
from zhixin_web.duties.services import quarters as quarterly
from zhixin_web.duties.services.escalating import escalate_overdue
from zhixin_web.jobs.invariants import check
from zhixin_web.papers.services.issue import kept_file

pytestmark = pytest.mark.django_db
PLAN = """\
format: work_plan/1
id: pilot
title: {zh: （虚构）试点方案, en: Pilot}
version: "1"
basis: [{document: （虚构）试点通知, verified: false}]
office: city_bureau
conference: joint_conference
units:
  - {code: city_bureau, title: {zh: 市局, en: Bureau}}
  - {code: market_supervision, title: {zh: 业务条线, en: Divisions}}
  - {code: courts, title: {zh: 法院, en: Courts}}
phases:
  - {id: first, title: {zh: 建设, en: Building}, starts_on: 2026-01-01, ends_on: 2026-12-31}
tasks:
  - {id: data, title: {zh: 数据共享, en: Data}, phase: first, lead: market_supervision, helped_by: [city_bureau], starts_on: 2026-02-01, due_on: 2026-06-30, proof: {zh: 回执, en: receipt}}
  - {id: lists, title: {zh: 清单, en: Lists}, phase: first, lead: city_bureau, starts_on: 2026-02-01, due_on: 2026-05-31, proof: {zh: 文件, en: document}}
  - id: rules
    title: {zh: 规则, en: Rules}
    phase: first
    lead: market_supervision
    starts_on: 2026-01-01
    due_on: 2026-12-31
    proof: {zh: 文件, en: document}
    milestones: [{id: draft, title: {zh: 草案, en: Draft}, due_on: 2026-03-31}]
  - {id: court, title: {zh: 裁判共享, en: Judgments}, phase: first, lead: courts, starts_on: 2026-02-01, due_on: 2026-12-31, proof: {zh: 回执, en: receipt}}
reporting: {news_every_days: 30, soon_days: 10, quarter_within_days: 15, answer_within_days: 15}
escalation: [{days_overdue: 1, to: unit}, {days_overdue: 8, to: office}, {days_overdue: 31, to: conference}]
axes: [{id: base, title: {zh: 基础, en: Base}}]
acceptance:
  - {id: has_rules, axis: base, title: {zh: 规则, en: Rules}, counted: rules.in_force, at_least: 1}
  - {id: has_data, axis: base, title: {zh: 数据, en: Data}, task: data}
"""
START, DUE = date(2026, 1, 15), date(2026, 6, 30)
On = Callable[[date], Any]


def on(day: date) -> Any:
    """Let the block happen on a day."""
    return mock.patch.object(timezone, "localdate", return_value=day)


def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (40, 40), "white").save(made, "PNG")
    return made.getvalue()


def in_force(text: str, people: Any, reason: str = "（虚构）制定") -> PlanVersion:
    version = plans.propose_plan(text, reason=reason, by=people["city"])
    plans.decide_plan(version, approve=True, reason="", by=people["approver"])
    version.refresh_from_db()
    return version


@pytest.fixture
def plan(people: Any) -> PlanVersion:
    """The plan in force since the fifteenth of January."""
    with on(START):
        return in_force(PLAN, people)


def item(key: str, day: date) -> Duty:
    found = duty(key, day)
    assert found is not None
    return found


def claim(key: str, by: User, day: date, **more: Any) -> ProgressEntry:
    with on(day):
        return progress.report(key, by=by, text="（虚构）已完成", is_claim=True, **{"link": "/c/sources", **more})


def answer(entry: ProgressEntry, kind: str, by: User, day: date, text: str = "（虚构）意见") -> ProgressEntry:
    with on(day):
        return progress.answer(entry, kind=kind, by=by, text=text)


def days(first: date, number: int) -> date:
    return first + timedelta(days=number)


# --- how an item stands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "state", "overdue"),
    [
        (date(2026, 1, 31), DutyState.NOT_STARTED, 0), (date(2026, 2, 1), DutyState.RUNNING, 0), (days(DUE, -11), DutyState.RUNNING, 0),
        (days(DUE, -10), DutyState.SOON, 0), (DUE, DutyState.SOON, 0), (days(DUE, 1), DutyState.OVERDUE, 1), (days(DUE, 40), DutyState.OVERDUE, 40),
    ],
)  # fmt: skip
def test_an_item_is_overdue_from_the_day_after_its_last(plan: Any, day: date, state: DutyState, overdue: int) -> None:
    found = item("pilot/data", day)
    assert (found.state, found.days_overdue) == (state, overdue)


def test_a_claim_is_not_done_until_another_confirms_it(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], days(DUE, -3))
    assert item("pilot/data", days(DUE, 5)).state == DutyState.CLAIMED
    assert not item("pilot/data", days(DUE, 5)).is_finished
    answer(made, "confirm", people["city"], days(DUE, 5))
    found = item("pilot/data", days(DUE, 6))
    assert found.state == DutyState.DONE, "it was claimed in time; that the office looked later is not the unit's fault"
    kinds = LedgerEntry.objects.filter(kind__startswith="duty.").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["duty.plan", "duty.claim", "duty.confirm"]


def test_a_claim_after_the_end_stays_overdue_and_is_done_late(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], days(DUE, 1))
    assert item("pilot/data", days(DUE, 2)).state == DutyState.OVERDUE
    answer(made, "confirm", people["city"], days(DUE, 2))
    assert item("pilot/data", days(DUE, 2)).state == DutyState.DONE_LATE


def test_a_claim_on_the_last_day_is_in_time(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], DUE)
    answer(made, "confirm", people["city"], days(DUE, 3))
    assert item("pilot/data", days(DUE, 3)).state == DutyState.DONE


def test_what_was_returned_is_open_again_and_says_why(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], days(DUE, -20))
    answer(made, "return", people["city"], days(DUE, -19), "缺少回执")
    found = item("pilot/data", days(DUE, -19))
    assert found.state == DutyState.RUNNING
    assert found.progress.sent_back is not None
    assert found.progress.sent_back.text == "缺少回执"
    again = claim("pilot/data", people["department"], days(DUE, -18), link="/c/batches")
    assert item("pilot/data", days(DUE, -18)).progress.sent_back is None
    assert again.pk != made.pk


def test_as_of_a_day_only_what_was_said_until_then_counts(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], days(DUE, -3))
    answer(made, "confirm", people["city"], days(DUE, -1))
    assert item("pilot/data", days(DUE, -4)).state == DutyState.SOON
    assert item("pilot/data", days(DUE, -2)).state == DutyState.CLAIMED


def test_an_overdue_milestone_is_not_hidden_behind_the_end_of_its_task(plan: Any) -> None:
    found = item("pilot/rules", date(2026, 4, 1))
    assert found.state == DutyState.RUNNING
    assert found.shown_state == DutyState.OVERDUE
    assert item("pilot/rules", date(2026, 3, 31)).shown_state == DutyState.SOON


def test_a_task_is_claimed_after_its_milestones(plan: Any, people: Any) -> None:
    with pytest.raises(ValidationError, match="草案"):
        claim("pilot/rules", people["department"], date(2026, 3, 1))
    made = claim("pilot/rules/draft", people["department"], date(2026, 3, 1))
    with pytest.raises(ValidationError, match="草案"):
        claim("pilot/rules", people["department"], date(2026, 3, 2))
    answer(made, "confirm", people["city"], date(2026, 3, 2))
    claim("pilot/rules", people["department"], date(2026, 3, 3))


def test_a_milestone_reopened_under_a_claim_keeps_the_claim_from_being_confirmed(plan: Any, people: Any) -> None:
    made = claim("pilot/rules/draft", people["department"], date(2026, 3, 1))
    answer(made, "confirm", people["city"], date(2026, 3, 2))
    whole = claim("pilot/rules", people["department"], date(2026, 3, 3))
    answer(made, "reopen", people["approver"], date(2026, 3, 4))
    with pytest.raises(ValidationError, match="节点"):
        answer(whole, "confirm", people["city"], date(2026, 3, 5))


@pytest.mark.parametrize(("since", "silent"), [(30, False), (31, True)])
def test_a_running_task_without_news_is_silent(plan: Any, people: Any, since: int, silent: bool) -> None:
    assert item("pilot/data", days(date(2026, 2, 1), since)).is_silent == silent
    with on(date(2026, 3, 10)):
        progress.report("pilot/data", by=people["department"], text="（虚构）进展")
    assert item("pilot/data", days(date(2026, 3, 10), since)).is_silent == silent


def test_news_of_a_milestone_speak_for_its_task_and_nothing_is_silent_before_it_begins(plan: Any, people: Any) -> None:
    with on(date(2026, 3, 1)):
        progress.report("pilot/rules/draft", by=people["department"], text="（虚构）进展")
    assert not item("pilot/rules", date(2026, 3, 31)).is_silent
    assert not item("pilot/data", date(2026, 1, 31)).is_silent


# --- who may say what -----------------------------------------------------------------------------------------------------


def test_only_the_lead_claims_and_helpers_report(plan: Any, people: Any) -> None:
    with on(date(2026, 3, 1)):
        progress.report("pilot/data", by=people["city"], text="（虚构）已协助")
        with pytest.raises(PermissionDenied):
            progress.report("pilot/data", by=people["city"], text="（虚构）完成", link="/c/", is_claim=True)
        for name in ("district", "inspector", "enterprise", "auditor", "security", "system"):
            with pytest.raises(PermissionDenied):
                progress.report("pilot/data", by=people[name], text="（虚构）")
        with pytest.raises(PermissionDenied):
            progress.report("pilot/court", by=people["department"], text="（虚构）他单位的任务")


def test_nobody_confirms_what_he_claimed_and_an_officer_not_his_own_unit(plan: Any, people: Any) -> None:
    made = claim("pilot/lists", people["city"], date(2026, 3, 1))
    colleague = User.objects.create(username="second", role=Role.CITY_OFFICER, organisation=people["city"].organisation)
    for by in (people["city"], colleague, people["department"], people["auditor"]):
        with pytest.raises(PermissionDenied):
            answer(made, "confirm", by, date(2026, 3, 2))
    answer(made, "confirm", people["approver"], date(2026, 3, 2))


def test_a_confirmation_is_withdrawn_by_a_third_person_with_a_reason(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    answer(made, "confirm", people["approver"], date(2026, 3, 2))
    for by in (people["approver"], people["city"]):
        with pytest.raises(PermissionDenied):
            answer(made, "reopen", by, date(2026, 3, 3))
    other = User.objects.create(username="other", role=Role.APPROVER, organisation=people["city"].organisation)
    with pytest.raises(ValidationError):
        answer(made, "reopen", other, date(2026, 3, 3), "  ")
    answer(made, "reopen", other, date(2026, 3, 3), "佐证不实")
    assert item("pilot/data", date(2026, 3, 3)).state == DutyState.RUNNING


def test_a_claim_is_answered_once(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    answer(made, "return", people["city"], date(2026, 3, 2))
    with pytest.raises(ValidationError, match="刷新"):
        answer(made, "confirm", people["approver"], date(2026, 3, 2))
    again = claim("pilot/data", people["department"], date(2026, 3, 3))
    with pytest.raises(ValidationError, match="刷新"):
        answer(made, "confirm", people["approver"], date(2026, 3, 3))
    answer(again, "confirm", people["approver"], date(2026, 3, 3))


def test_the_database_holds_what_the_service_holds(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    values = {"item": made.item, "unit": made.unit, "by": made.by, "on": made.on, "due_on": made.due_on, "text": "x"}
    for wrong in ({"kind": "claim"}, {"kind": "confirm"}, {"kind": "news", "about": made}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProgressEntry.objects.create(**values, **wrong)


# --- what is taken --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "ftp://a.example/x", "c/sources", "/" + "a" * 300, "https://" + "a" * 300 + ".gov.cn", "http://evil.com", "https://gov.cn.evil.com/", "https://www.gov.cn@evil.com/", "/c/nothing/here", "/c/../admin", "https://xgov.cn", "http://user@www.gov.cn/"])  # fmt: skip
def test_a_proof_stands_on_this_site_or_on_the_web(plan: Any, people: Any, link: str) -> None:
    with pytest.raises(ValidationError) as caught:
        claim("pilot/data", people["department"], date(2026, 3, 1), link=link)
    assert set(caught.value.message_dict) == {"link"}


def test_a_claim_needs_a_proof_and_words(plan: Any, people: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        claim("pilot/data", people["department"], date(2026, 3, 1), link="")
    assert set(caught.value.message_dict) == {"proof"}
    for text in ("", "   ", "a" * 2001):
        with on(date(2026, 3, 1)), pytest.raises(ValidationError) as caught:
            progress.report("pilot/data", by=people["department"], text=text)
        assert set(caught.value.message_dict) == {"text"}
    assert not ProgressEntry.objects.exists()


def test_a_file_is_checked_kept_and_hashed(plan: Any, people: Any) -> None:
    made = claim(
        "pilot/data", people["department"], date(2026, 3, 1), link="", upload=("回执 110101199003078515.png", [picture()])
    )
    assert progress.content_of(made) == picture()
    assert "110101199003078515" not in made.file_name
    with pytest.raises(ValidationError) as caught:
        claim("pilot/rules/draft", people["department"], date(2026, 3, 1), link="", upload=("x.docx", [b"PK\x03\x04"]))
    assert set(caught.value.message_dict) == {"file"}
    progress.store.path_of(progress.FOLDER, made.sha256).write_bytes(b"another")
    assert progress.content_of(made) is None


def test_the_same_form_sent_twice_is_one_entry(plan: Any, people: Any) -> None:
    first = claim("pilot/data", people["department"], date(2026, 3, 1))
    assert claim("pilot/data", people["department"], date(2026, 3, 1)).pk == first.pk
    with pytest.raises(ValidationError, match="等待确认"):
        claim("pilot/data", people["department"], date(2026, 3, 1), link="/c/batches")
    assert ProgressEntry.objects.count() == 1


def test_persons_numbers_are_masked_and_a_finished_item_takes_nothing(plan: Any, people: Any) -> None:
    with on(date(2026, 3, 1)):
        made = progress.report("pilot/data", by=people["department"], text="联系人 110101199003078515")
    assert "110101199003078515" not in made.text
    done = claim("pilot/data", people["department"], date(2026, 3, 2))
    answer(done, "confirm", people["city"], date(2026, 3, 2))
    with on(date(2026, 3, 3)), pytest.raises(ValidationError, match="已确认完成"):
        progress.report("pilot/data", by=people["department"], text="（虚构）补充")


def test_an_item_that_no_plan_has_takes_nothing(plan: Any, people: Any) -> None:
    for key in ("pilot/nothing", "other/data", "pilot/data/nothing", "meeting:1/1", "meeting:x/1", "meeting:/", ""):
        assert duty(key) is None
        with pytest.raises(ValidationError, match="没有这项任务"):
            progress.report(key, by=people["department"], text="（虚构）")


# --- versions of the plan -------------------------------------------------------------------------------------------------


def test_a_version_is_put_into_force_by_another_person(people: Any) -> None:
    version = plans.propose_plan(PLAN, reason="（虚构）制定", by=people["city"])
    assert version_in_force() is None
    assert duty("pilot/data") is None
    with pytest.raises(PermissionDenied):
        plans.decide_plan(version, approve=True, reason="", by=people["city"])
    for name in ("department", "approver", "auditor", "district"):
        with pytest.raises(PermissionDenied):
            plans.propose_plan(PLAN, reason="（虚构）", by=people[name])
    with pytest.raises(ValidationError):
        plans.decide_plan(version, approve=False, reason="", by=people["approver"])
    plans.decide_plan(version, approve=True, reason="", by=people["approver"])
    with pytest.raises(ValidationError):
        plans.decide_plan(version, approve=True, reason="", by=people["approver"])


def test_a_moved_end_stays_to_be_seen(plan: Any, people: Any) -> None:
    moved = PLAN.replace("due_on: 2026-06-30", "due_on: 2026-08-31").replace('version: "1"', 'version: "2"')
    waiting = plans.propose_plan(moved, reason="（虚构）数据来源推迟", by=people["city"])
    assert [(row.part, row.fact, row.before, row.after, row.is_later) for row in changes(waiting)] == [
        ("任务「数据共享」", "期限", "2026-06-30", "2026-08-31", True)
    ]
    assert item("pilot/data", days(DUE, 1)).state == DutyState.OVERDUE, "what waits for approval moves nothing"
    with on(days(DUE, 1)):
        plans.decide_plan(waiting, approve=True, reason="", by=people["approver"])
    found = item("pilot/data", days(DUE, 1))
    assert (found.due_on, found.first_due_on, found.state) == (date(2026, 8, 31), DUE, DutyState.RUNNING)
    assert found.moves[0].reason == "（虚构）数据来源推迟"
    plan.refresh_from_db()
    assert plan.status == PlanVersion.Status.REPLACED


def test_a_task_that_is_dropped_is_named(plan: Any, people: Any) -> None:
    lines = [line for line in PLAN.splitlines() if "{id: court," not in line and "code: courts" not in line]
    in_force("\n".join(lines).replace('version: "1"', 'version: "2"'), people)
    current = version_in_force()
    assert current is not None
    assert [(found.key, found.dropped_from) for found in dropped(current)] == [("pilot/court", "1")]
    assert item("pilot/court", date(2027, 1, 1)).dropped_from == "1"
    with pytest.raises(ValidationError, match="没有这项任务"):
        progress.report("pilot/court", by=people["city"], text="（虚构）")


def test_a_plan_with_faults_or_strange_units_is_not_taken(people: Any) -> None:
    with pytest.raises(plans.PlanRefused) as refused:
        plans.propose_plan(PLAN.replace("lead: courts", "lead: nobody"), reason="（虚构）", by=people["city"])
    assert [fault.code for fault in refused.value.faults] == ["W002"]
    with pytest.raises(plans.PlanRefused):
        plans.propose_plan("a: [", reason="（虚构）", by=people["city"])
    with pytest.raises(plans.PlanRefused) as refused:
        plans.propose_plan(PLAN.replace("rules.in_force", "rules.wished"), reason="（虚构）", by=people["city"])
    assert [fault.code for fault in refused.value.faults] == ["W009"]
    for text, reason in ((PLAN.replace("courts", "unknown_unit"), "（虚构）"), (PLAN, " "), ("x" * 600_000, "（虚构）")):
        with pytest.raises(ValidationError):
            plans.propose_plan(text, reason=reason, by=people["city"])
    assert not PlanVersion.objects.exists()


def test_one_version_waits_at_a_time_and_no_name_is_used_twice(plan: Any, people: Any) -> None:
    with pytest.raises(ValidationError, match="版本号"):
        plans.propose_plan(PLAN, reason="（虚构）", by=people["city"])
    second = PLAN.replace('version: "1"', 'version: "2"')
    waiting = plans.propose_plan(second, reason="（虚构）", by=people["city"])
    with pytest.raises(ValidationError, match="等待审批"):
        plans.propose_plan(second.replace('"2"', '"3"'), reason="（虚构）", by=people["city"])
    plans.decide_plan(waiting, approve=False, reason="（虚构）日期有误", by=people["approver"])
    plans.propose_plan(second, reason="（虚构）改正后再报", by=people["city"])


# --- overdue --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "told"), [(0, []), (1, ["unit"]), (7, ["unit"]), (8, ["unit", "office"]), (30, ["unit", "office"]), (31, ["unit", "office", "conference"])])  # fmt: skip
def test_who_is_told_on_which_day(plan: Any, after: int, told: list[str]) -> None:
    with on(days(DUE, after)):
        list(escalate_overdue())
        list(escalate_overdue())
    rows = Escalation.objects.filter(item="pilot/data").order_by("pk")
    assert [row.to for row in rows] == told


def test_what_was_claimed_in_time_or_moved_is_not_told_on(plan: Any, people: Any) -> None:
    claim("pilot/data", people["department"], DUE)
    with on(days(DUE, 5)):
        list(escalate_overdue())
    assert not Escalation.objects.filter(item="pilot/data").exists()
    assert Escalation.objects.filter(item="pilot/lists").exists()


def test_one_item_that_fails_does_not_stop_the_others(plan: Any) -> None:
    def fails(found: Duty, to: str) -> Any:
        if found.key == "pilot/rules/draft":
            raise RuntimeError
        return real(found, to)

    from zhixin_web.duties.services import escalating

    real = escalating._tell
    with on(days(DUE, 1)), mock.patch.object(escalating, "_tell", fails):
        done = list(escalate_overdue())
    assert any("failed" in line for line in done)
    assert Escalation.objects.filter(item="pilot/data").exists()


# --- quarters -------------------------------------------------------------------------------------------------------------
WORDS = {"done": "（虚构）完成", "problems": "无", "next_steps": "（虚构）继续"}


def test_the_quarters_are_those_that_ended_since_the_plan_is_in_force(plan: Any) -> None:
    assert quarters(plan, date(2026, 3, 31)) == []
    assert quarters(plan, date(2026, 4, 1)) == [Quarter(2026, 1)]
    assert quarters(plan, date(2026, 12, 31)) == [Quarter(2026, 3), Quarter(2026, 2), Quarter(2026, 1)]
    assert quarters(plan, date(2028, 1, 1))[0] == Quarter(2026, 4), "the plan ends with its last phase"
    assert quarter_on(date(2026, 12, 31)).following == Quarter(2027, 1)
    assert (Quarter(2027, 4).first, Quarter(2027, 4).last) == (date(2027, 10, 1), date(2027, 12, 31))


def test_a_unit_reports_once_the_quarter_is_over_and_corrects_beside(plan: Any, people: Any) -> None:
    first = Quarter(2026, 1)
    with on(date(2026, 3, 31)), pytest.raises(ValidationError, match="尚未结束"):
        quarterly.file_report(plan, first, by=people["department"], words=WORDS)
    with on(date(2026, 4, 1)):
        made = quarterly.file_report(plan, first, by=people["department"], words=WORDS)
        assert quarterly.file_report(plan, first, by=people["department"], words=WORDS).pk == made.pk
    states = {row["key"]: row["state"] for row in made.standing}
    assert states == {"pilot/data": "running", "pilot/rules": "overdue"}
    with on(date(2026, 5, 1)):
        again = quarterly.file_report(plan, first, by=people["department"], words=WORDS | {"problems": "（虚构）有"})
    assert (again.revision, QuarterReport.objects.count()) == (2, 2)
    assert [row.pk for row in reports_of("pilot", first)["market_supervision"]] == [made.pk, again.pk]
    assert made.due_on == date(2026, 4, 15)


def test_units_outside_the_plan_and_empty_words_are_refused(plan: Any, people: Any) -> None:
    with on(date(2026, 4, 1)):
        for name in ("district", "auditor", "enterprise"):
            with pytest.raises(PermissionDenied):
                quarterly.file_report(plan, Quarter(2026, 1), by=people[name], words=WORDS)
        with pytest.raises(ValidationError) as caught:
            quarterly.file_report(
                plan, Quarter(2026, 1), by=people["department"], words={"done": " ", "problems": "a" * 4001}
            )
    assert set(caught.value.message_dict) == {"done", "problems", "next_steps"}


# --- meetings -------------------------------------------------------------------------------------------------------------


def resolved(**more: Any) -> meetings.Resolved:
    return meetings.Resolved(
        **{"title": "（虚构）提交时间表", "lead": "courts", "due_on": date(2026, 7, 20), "proof": "书面说明", **more}
    )


def meeting(plan: PlanVersion, people: Any, **more: Any) -> Meeting:
    values = {
        "held_on": date(2026, 7, 1), "title": "（虚构）第一次会议", "present": ["courts", "city_bureau"], "minutes": "（虚构）纪要",
        "resolved": [resolved()], **more,
    }  # fmt: skip
    with on(date(2026, 7, 2)):
        return meetings.record_meeting(plan, by=people["city"], **values)


def test_what_a_meeting_resolved_binds_once_the_minutes_are_confirmed(plan: Any, people: Any) -> None:
    made = meeting(plan, people)
    key = f"meeting:{made.pk}/1"
    assert duty(key, date(2026, 7, 2)) is None
    with on(date(2026, 7, 2)), pytest.raises(PermissionDenied):
        meetings.decide_minutes(made, approve=True, reason="", by=people["city"])
    with on(date(2026, 7, 2)):
        meetings.decide_minutes(made, approve=True, reason="", by=people["approver"])
    assert item(key, date(2026, 7, 20)).state == DutyState.SOON
    assert item(key, date(2026, 7, 21)).state == DutyState.OVERDUE
    assert [found.key for found in duties(plan, date(2026, 7, 21))][-1] == key
    with on(date(2026, 7, 21)):
        list(escalate_overdue())
    assert Escalation.objects.filter(item=key).exists()
    with on(date(2026, 7, 3)), pytest.raises(ValidationError):
        meetings.decide_minutes(made, approve=False, reason="（虚构）", by=people["approver"])


def test_minutes_that_were_sent_back_bind_nobody(plan: Any, people: Any) -> None:
    made = meeting(plan, people)
    with pytest.raises(ValidationError):
        meetings.decide_minutes(made, approve=False, reason="", by=people["approver"])
    meetings.decide_minutes(made, approve=False, reason="（虚构）有误", by=people["approver"])
    assert duty(f"meeting:{made.pk}/1", date(2026, 7, 20)) is None


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("title", {"title": " "}), ("title", {"title": "会" * 121}), ("minutes", {"minutes": ""}), ("minutes", {"minutes": "会" * 10_001}),
        ("held_on", {"held_on": None}), ("held_on", {"held_on": date(2026, 7, 3)}), ("present", {"present": []}),
        ("present", {"present": ["nobody"]}), ("resolutions", {"resolved": [resolved(title="")]}),
        ("resolutions", {"resolved": [resolved(lead="nobody")]}), ("resolutions", {"resolved": [resolved(due_on=None)]}),
        ("resolutions", {"resolved": [resolved(due_on=date(2026, 6, 30))]}), ("resolutions", {"resolved": [resolved(proof="证" * 201)]}),
        ("resolutions", {"resolved": [resolved()] * 21}),
    ],
)  # fmt: skip
def test_minutes_with_something_missing_are_refused_by_field(plan: Any, people: Any, field: str, more: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        meeting(plan, people, **more)
    assert set(caught.value.message_dict) == {field}
    assert not Meeting.objects.exists()


# --- papers ---------------------------------------------------------------------------------------------------------------
MONDAY = date(2026, 7, 6)


def test_the_clock_issues_the_paper_of_the_last_whole_week_once(plan: Any, people: Any) -> None:
    with on(days(MONDAY, 6)):
        list(papers.make_weekly_papers())
    assert not ProgressPaper.objects.filter(from_on=MONDAY).exists()
    with on(days(MONDAY, 7)):
        list(papers.make_weekly_papers())
        assert list(papers.make_weekly_papers()) == []
    made = ProgressPaper.objects.get(from_on=MONDAY)
    assert (made.from_on, made.until, made.made_by) == (MONDAY, days(MONDAY, 6), None)
    file = kept_file(made.paper.code, made.paper.file_sha256)
    assert file is not None
    assert file.startswith(b"%PDF")
    assert [row[0] for row in made.content["overdue"]] == ["规则：草案", "清单", "数据共享"]
    assert made.content["overdue"][0][3] == "103"


def test_no_paper_of_a_week_before_the_plan(people: Any) -> None:
    with on(MONDAY):
        in_force(PLAN, people)
        assert list(papers.make_weekly_papers()) == []


def test_a_paper_says_what_happened_in_its_week_as_it_stood_at_its_end(plan: Any, people: Any) -> None:
    made = claim("pilot/data", people["department"], days(MONDAY, 6))
    answer(made, "confirm", people["city"], days(MONDAY, 7))
    with on(days(MONDAY, 8)):
        paper = papers.issue_weekly(plan, MONDAY, people["city"])
    assert [row[3] for row in paper.content["events"]] == ["申报完成"]
    assert "数据共享" in [row[0] for row in paper.content["overdue"]]
    assert paper.content["units"][1] == ["业务条线", "2", "0", "0", "2", "1"]


def test_a_paper_issued_again_replaces_the_first_only_where_something_changed(plan: Any, people: Any) -> None:
    with on(days(MONDAY, 8)):
        first = papers.issue_weekly(plan, MONDAY, people["city"])
        assert papers.issue_weekly(plan, MONDAY, people["city"]).pk == first.pk
    with on(days(MONDAY, 3)):
        progress.report("pilot/data", by=people["department"], text="（虚构）补录")
    with on(days(MONDAY, 8)):
        second = papers.issue_weekly(plan, MONDAY, people["city"])
    first.paper.refresh_from_db()
    assert (first.paper.withdrawn_at is not None, second.revision) == (True, 2)
    assert second.paper.number == "郑市监信督〔2026〕2号"


def test_a_week_or_quarter_that_is_not_over_has_no_paper(plan: Any, people: Any) -> None:
    with on(days(MONDAY, 6)):
        with pytest.raises(ValidationError):
            papers.issue_weekly(plan, MONDAY, people["city"])
        with pytest.raises(ValidationError):
            papers.issue_weekly(plan, days(MONDAY, -6), people["city"])
        with pytest.raises(ValidationError):
            papers.issue_quarterly(plan, Quarter(2026, 3), people["city"])
        with pytest.raises(PermissionDenied):
            papers.issue_weekly(plan, days(MONDAY, -7), people["department"])


def test_the_quarterly_paper_names_who_has_not_reported(plan: Any, people: Any) -> None:
    with on(date(2026, 4, 10)):
        quarterly.file_report(plan, Quarter(2026, 1), by=people["department"], words=WORDS)
        made = papers.issue_quarterly(plan, Quarter(2026, 1), people["city"])
    assert [row["done"] for row in made.content["reports"]] == ["（虚构）完成"]
    assert made.content["missing"] == ["市局", "法院"]


# --- acceptance and evidence ----------------------------------------------------------------------------------------------


def test_a_criterion_is_met_by_what_is_counted_or_proved(plan: Any, people: Any, release: Any) -> None:
    met = {found.criterion.id: found.is_met for _axis, items in judged(plan) for found in items}
    assert met == {"has_rules": True, "has_data": False}
    made = claim("pilot/data", people["department"], date(2026, 3, 1))
    met = {found.criterion.id: found.is_met for _axis, items in judged(plan) for found in items}
    assert not met["has_data"], "what is only claimed is not shown"
    answer(made, "confirm", people["city"], date(2026, 3, 2))
    met = {found.criterion.id: found.is_met for _axis, items in judged(plan) for found in items}
    assert met["has_data"]


def test_what_is_not_there_is_not_met(plan: Any, people: Any) -> None:
    met = {found.criterion.id: found.is_met for _axis, items in judged(plan) for found in items}
    assert not met["has_rules"]


def broken() -> list[str]:
    found = {row.name: row.broken for row in check()}
    return [words for name in found if "duty" in name or "files are" in name for words in found[name]]


def lived(plan: PlanVersion, people: Any) -> None:
    """Let everything happen once: proof, return, confirmation, withdrawal, a meeting, a report, an escalation, a paper."""
    sent = claim("pilot/data", people["department"], date(2026, 3, 1), upload=("回执.png", [picture()]))
    answer(sent, "return", people["city"], date(2026, 3, 2))
    again = claim("pilot/data", people["department"], date(2026, 3, 3))
    answer(again, "confirm", people["city"], date(2026, 3, 4))
    answer(again, "reopen", people["approver"], date(2026, 3, 5))
    meetings.decide_minutes(meeting(plan, people), approve=True, reason="", by=people["approver"])
    with on(date(2026, 7, 20)):
        quarterly.file_report(plan, Quarter(2026, 1), by=people["department"], words=WORDS)
        list(escalate_overdue())
        list(papers.make_weekly_papers())


def test_everything_follows_from_the_ledger(plan: Any, people: Any) -> None:
    lived(plan, people)
    assert broken() == []


CHANGES: list[tuple[Any, dict[str, Any]]] = [
    (ProgressEntry, {"text": "另一句"}), (ProgressEntry, {"link": "/other"}), (ProgressEntry, {"on": date(2026, 1, 1)}),
    (ProgressEntry, {"due_on": date(2027, 1, 1)}), (ProgressEntry, {"item": "pilot/court"}), (ProgressEntry, {"ledger_seq": None}),
    (PlanVersion, {"text": PLAN + "#"}), (PlanVersion, {"version": "9"}), (Meeting, {"minutes": "另一份"}),
    (QuarterReport, {"done": "另一句"}), (QuarterReport, {"standing": []}), (Escalation, {"due_on": date(2026, 1, 1)}),
    (Escalation, {"days_overdue": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "change"), CHANGES, ids=lambda part: getattr(part, "__name__", None) or str(part))
def test_what_was_changed_behind_the_site_is_named(plan: Any, people: Any, model: Any, change: dict[str, Any]) -> None:
    lived(plan, people)
    model.objects.filter(pk=model.objects.order_by("pk").first().pk).update(**change)
    assert any(words.startswith(f"duties_{model.__name__.lower()} ") for words in broken())


def test_a_proof_that_was_replaced_is_named(plan: Any, people: Any) -> None:
    lived(plan, people)
    made = ProgressEntry.objects.exclude(sha256="").get()
    progress.store.path_of(progress.FOLDER, made.sha256).write_bytes(b"another")
    assert any(f"duties_progressentry {made.pk}" in words for words in broken())


def test_what_was_removed_is_named(plan: Any, people: Any) -> None:
    lived(plan, people)
    seq = Escalation.objects.earliest("pk").ledger_seq
    Escalation.objects.filter(ledger_seq=seq).delete()
    assert any(f"entry {seq} " in words for words in broken())


# --- what an attack found -------------------------------------------------------------------------------------------------


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """The plan with other words, as its second version."""
    for old, new in (*pairs, ('version: "1"', 'version: "2"')):
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


EVERYTHING = [
    ("title: {zh: （虚构）试点方案", "title: {zh: （虚构）别的方案"), ("office: city_bureau", "office: courts"),
    ("title: {zh: 法院, en: Courts}", "title: {zh: 中级人民法院, en: Courts}"), ("title: {zh: 建设,", "title: {zh: 收尾,"),
    ("ends_on: 2026-12-31", "ends_on: 2027-12-31"), ("title: {zh: 数据共享,", "title: {zh: 数据初稿,"), ("helped_by: [city_bureau], ", ""),
    ("lead: market_supervision, helped_by", "lead: courts, helped_by"), ("starts_on: 2026-02-01, due_on: 2026-06-30", "starts_on: 2026-06-01, due_on: 2026-06-30"),
    ("proof: {zh: 回执,", "proof: {zh: 无,"), ("title: {zh: 草案,", "title: {zh: 提纲,"), ("due_on: 2026-03-31}", "due_on: 2026-11-30}"),
    ("news_every_days: 30", "news_every_days: 366"), ("soon_days: 10", "soon_days: 1"), ("quarter_within_days: 15", "quarter_within_days: 300"),
    ("answer_within_days: 15", "answer_within_days: 90"), ("days_overdue: 31", "days_overdue: 366"), (", {days_overdue: 31, to: conference}", ""),
    ("title: {zh: 基础,", "title: {zh: 别的,"), ("at_least: 1}", "at_least: 2}"), ("counted: rules.in_force, at_least: 1}", "task: lists}"),
    ("task: data}", "task: lists}"), ("  - {id: has_data, axis: base, title: {zh: 数据, en: Data}, task: data}\n", ""),
    ("basis: [{document: （虚构）试点通知", "basis: [{document: （虚构）别的通知"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), EVERYTHING, ids=range(len(EVERYTHING)))
def test_whoever_approves_sees_whatever_a_version_changes(plan: Any, people: Any, old: str, new: str) -> None:
    waiting = plans.propose_plan(changed(PLAN, (old, new)), reason="（虚构）调整", by=people["city"])
    found = changes(waiting)
    assert found, "nothing is said of it"
    assert all(row.part and (row.fact or row.kind != "changed") for row in found)
    plans.decide_plan(waiting, approve=True, reason="", by=people["approver"])
    waiting.refresh_from_db()
    assert changes(waiting) == found, "it stays to be read"


def test_a_version_that_changes_nothing_but_its_number_says_so(plan: Any, people: Any) -> None:
    assert changes(plans.propose_plan(changed(PLAN), reason="（虚构）", by=people["city"])) == []


def test_another_task_of_the_same_title_is_another_task(plan: Any, people: Any) -> None:
    """Names may be shared by phase, axis and task, and titles by tasks: what differs in the file is said."""
    both = changed(
        PLAN,
        ("title: {zh: 清单, en: Lists}", "title: {zh: 数据共享, en: Data}"),
        ("id: base,", "id: first,"),
        ("axis: base", "axis: first"),
        ("axis: base", "axis: first"),
    )
    second = in_force(both, people)
    third = both.replace('version: "2"', 'version: "3"').replace("task: data}", "task: lists}")
    waiting = plans.propose_plan(third, reason="（虚构）", by=people["city"])
    assert second.pk != waiting.pk
    assert [(row.part, row.fact, row.before, row.after) for row in changes(waiting)] == [
        ("验收项目「数据」", "任务", "数据共享（data）", "数据共享（lists）")
    ]
    renamed = plans_of(waiting, people, third.replace("title: {zh: 基础, en: Base}", "title: {zh: 别的, en: Other}"))
    assert {(row.part, row.fact) for row in changes(renamed)} == {("验收维度「别的」", "名称"), ("验收项目「数据」", "任务")}


def plans_of(waiting: PlanVersion, people: Any, text: str) -> PlanVersion:
    """Refuse what waits and put another text forward."""
    plans.decide_plan(waiting, approve=False, reason="（虚构）改正", by=people["approver"])
    return plans.propose_plan(text, reason="（虚构）", by=people["city"])


def test_what_was_done_late_stays_late_whatever_a_later_version_says(plan: Any, people: Any) -> None:
    late = claim("pilot/data", people["department"], days(DUE, 5))
    answer(late, "confirm", people["city"], days(DUE, 6))
    early = claim("pilot/lists", people["city"], date(2026, 5, 30))
    answer(early, "confirm", people["approver"], date(2026, 5, 31))
    with on(days(DUE, 7)):
        in_force(
            changed(PLAN, ("due_on: 2026-06-30", "due_on: 2026-12-30"), ("due_on: 2026-05-31", "due_on: 2026-03-31")), people
        )
    assert item("pilot/data", days(DUE, 8)).state == DutyState.DONE_LATE
    assert item("pilot/lists", days(DUE, 8)).state == DutyState.DONE


def test_a_task_is_done_only_while_its_milestones_are(plan: Any, people: Any) -> None:
    step = claim("pilot/rules/draft", people["department"], date(2026, 3, 1))
    answer(step, "confirm", people["city"], date(2026, 3, 1))
    whole = claim("pilot/rules", people["department"], date(2026, 3, 2))
    answer(whole, "confirm", people["city"], date(2026, 3, 2))
    assert item("pilot/rules", date(2026, 4, 1)).is_finished
    answer(step, "reopen", people["approver"], date(2026, 4, 1), "（虚构）不实")
    found = item("pilot/rules", date(2026, 4, 2))
    assert (found.is_finished, found.shown_state) == (False, DutyState.OVERDUE)
    again = claim("pilot/rules/draft", people["department"], date(2026, 4, 3))
    answer(again, "confirm", people["city"], date(2026, 4, 3))
    assert item("pilot/rules", date(2026, 4, 4)).is_finished


def test_a_milestone_that_a_version_adds_opens_its_task_again(plan: Any, people: Any) -> None:
    done = claim("pilot/data", people["department"], date(2026, 3, 1))
    answer(done, "confirm", people["city"], date(2026, 3, 1))
    more = (
        "proof: {zh: 回执, en: receipt}}",
        "proof: {zh: 回执, en: receipt}, milestones: [{id: more, title: {zh: 补充, en: More}, due_on: 2026-03-31}]}",
    )
    with on(date(2026, 4, 1)):
        in_force(changed(PLAN, more), people)
    assert item("pilot/data", date(2026, 4, 1)).shown_state == DutyState.OVERDUE


def test_a_confirmation_holds_for_what_was_confirmed(plan: Any, people: Any) -> None:
    done = claim("pilot/data", people["department"], date(2026, 3, 1))
    answer(done, "confirm", people["city"], date(2026, 3, 1))
    other = changed(PLAN, ("title: {zh: 数据共享,", "title: {zh: 全市修复办结,"))
    with on(date(2026, 4, 1)):
        waiting = plans.propose_plan(other, reason="（虚构）", by=people["city"])
        assert [found.key for found in confirmed_but_changed(waiting)] == ["pilot/data"]
        plans.decide_plan(waiting, approve=True, reason="", by=people["approver"])
    found = item("pilot/data", date(2026, 4, 1))
    assert (found.is_finished, found.changed_since) == (False, done)
    assert item("pilot/data", date(2026, 3, 2)).progress.done == done
    met = {row.criterion.id: row.is_met for _axis, rows in judged(waiting) for row in rows}
    assert not met["has_data"]


def test_a_claim_made_of_another_task_is_returned_not_confirmed(plan: Any, people: Any) -> None:
    sent = claim("pilot/data", people["department"], date(2026, 3, 1))
    with on(date(2026, 3, 2)):
        in_force(changed(PLAN, ("proof: {zh: 回执,", "proof: {zh: 回执和清单,")), people)
    with pytest.raises(ValidationError, match="退回"):
        answer(sent, "confirm", people["city"], date(2026, 3, 3))
    answer(sent, "return", people["city"], date(2026, 3, 3))


def test_the_past_is_told_by_the_plan_of_its_day(plan: Any, people: Any) -> None:
    with on(days(MONDAY, 8)):
        first = papers.issue_weekly(plan, MONDAY, people["city"])
        second = in_force(
            changed(PLAN, ("due_on: 2026-06-30", "due_on: 2026-12-30"), ("quarter_within_days: 15", "quarter_within_days: 300"), ("title: {zh: 草案", "title: {zh: 提纲")),
            people,
        )  # fmt: skip
        assert papers.issue_weekly(second, MONDAY, people["city"]).pk == first.pk, "nothing of that week has changed"
        assert plan_in(second, Quarter(2026, 1)).reporting.quarter_within_days == 15
        assert plan_in(second, Quarter(2026, 3)).reporting.quarter_within_days == 300
    assert item("pilot/data", days(MONDAY, 8)).state == DutyState.RUNNING


def test_a_unit_that_left_the_plan_keeps_its_reports_and_its_arrears(plan: Any, people: Any) -> None:
    with on(date(2026, 4, 10)):
        quarterly.file_report(plan, Quarter(2026, 1), by=people["department"], words=WORDS)
    lines = [line.replace("market_supervision", "city_bureau") for line in PLAN.splitlines() if "code: market" not in line]
    without = (
        "\n".join(lines)
        .replace("lead: city_bureau, helped_by: [city_bureau]", "lead: city_bureau")
        .replace('version: "1"', 'version: "2"')
    )
    with on(date(2026, 5, 1)):
        second = in_force(without, people)
        made = papers.issue_quarterly(second, Quarter(2026, 1), people["city"])
    assert [row["unit"] for row in made.content["reports"]] == ["市场监督管理业务条线（演示）"]
    assert made.content["missing"] == ["市局", "法院"]


def test_a_correction_does_not_make_a_report_late(plan: Any, people: Any) -> None:
    with on(date(2026, 4, 10)):
        quarterly.file_report(plan, Quarter(2026, 1), by=people["department"], words=WORDS)
    with on(date(2026, 5, 1)):
        quarterly.file_report(plan, Quarter(2026, 1), by=people["department"], words=WORDS | {"done": "（虚构）更正"})
        made = papers.issue_quarterly(plan, Quarter(2026, 1), people["city"])
    assert made.content["reports"][0]["on"] == "2026-04-10，2026-05-01 更正"


def test_no_second_plan_hides_what_is_owed_under_the_first(plan: Any, people: Any) -> None:
    other = PLAN.replace("id: pilot", "id: other")
    with on(date(2026, 12, 31)), pytest.raises(ValidationError, match="不能另立"):
        plans.propose_plan(other, reason="（虚构）", by=people["city"])
    with on(date(2027, 1, 1)):
        second = plans.propose_plan(other, reason="（虚构）", by=people["city"])
        assert any(row.kind == "dropped" and row.state == DutyState.OVERDUE for row in changes(second))
        plans.decide_plan(second, approve=True, reason="", by=people["approver"])
    assert item("pilot/data", date(2027, 1, 2)).dropped_from == "1"


def test_the_unit_that_leads_now_does_not_confirm_for_itself(plan: Any, people: Any) -> None:
    sent = claim("pilot/data", people["department"], date(2026, 3, 1))
    handed = changed(
        PLAN, ("lead: market_supervision, helped_by: [city_bureau]", "lead: city_bureau, helped_by: [market_supervision]")
    )
    with on(date(2026, 3, 2)):
        in_force(handed, people)
    with pytest.raises(PermissionDenied):
        answer(sent, "confirm", people["city"], date(2026, 3, 3))
    answer(sent, "confirm", people["approver"], date(2026, 3, 3))


def test_who_confirms_without_a_word_is_given_none(plan: Any, people: Any) -> None:
    sent = claim("pilot/data", people["department"], date(2026, 3, 1))
    assert answer(sent, "confirm", people["city"], date(2026, 3, 2), "").text == ""


def test_minutes_sent_twice_are_one_meeting(plan: Any, people: Any) -> None:
    assert meeting(plan, people).pk == meeting(plan, people).pk
    assert Meeting.objects.count() == 1


@pytest.mark.parametrize(("after", "waits"), [(15, 0), (16, 16)])
def test_a_claim_that_nobody_answers_comes_into_sight(plan: Any, people: Any, after: int, waits: int) -> None:
    claim("pilot/data", people["department"], date(2026, 3, 1))
    assert item("pilot/data", days(date(2026, 3, 1), after)).waits_since == waits


def test_weeks_without_the_clock_are_issued_when_it_is_back(plan: Any, people: Any) -> None:
    with on(days(MONDAY, 7)):
        list(papers.make_weekly_papers())
    before = ProgressPaper.objects.count()
    with on(days(MONDAY, 7 + 35)):
        list(papers.make_weekly_papers())
    assert ProgressPaper.objects.count() == before + 5


@pytest.mark.parametrize("monday", [date(1, 1, 1), date(1990, 1, 1), date(2026, 1, 5)])
def test_no_paper_of_a_week_in_which_there_was_no_plan(plan: Any, people: Any, monday: date) -> None:
    with on(date(2026, 7, 14)), pytest.raises(ValidationError):
        papers.issue_weekly(plan, monday, people["city"])


def test_a_reason_is_refused_rather_than_cut(people: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        plans.propose_plan(PLAN, reason="理" * 301, by=people["city"])
    assert set(caught.value.message_dict) == {"reason"}
    version = plans.propose_plan(PLAN, reason="理" * 300, by=people["city"])
    with pytest.raises(ValidationError):
        plans.decide_plan(version, approve=True, reason="理" * 301, by=people["approver"])


def test_what_a_meeting_resolves_is_due_within_three_years(plan: Any, people: Any) -> None:
    meeting(plan, people, resolved=[resolved(due_on=date(2029, 7, 1))])
    with pytest.raises(ValidationError):
        meeting(plan, people, title="（虚构）第二次", resolved=[resolved(due_on=date(2029, 7, 2))])
