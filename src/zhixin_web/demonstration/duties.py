"""Duties in the demonstration: a plan in force, tasks done, claimed, returned and overdue, a meeting, reports, papers."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from django.utils import timezone

from zhixin.law.calendar import shift_days, shift_months
from zhixin_web.accounts.models import User
from zhixin_web.demonstration.past import acting_on
from zhixin_web.duties.models import PlanVersion
from zhixin_web.duties.queries import ends_of, plan_of, quarters
from zhixin_web.duties.services.escalating import escalate_overdue
from zhixin_web.duties.services.meetings import Resolved, decide_minutes, record_meeting
from zhixin_web.duties.services.papers import issue_quarterly, make_weekly_papers
from zhixin_web.duties.services.plans import decide_plan, propose_plan
from zhixin_web.duties.services.progress import answer, report
from zhixin_web.duties.services.quarters import file_report

FILE = Path(__file__).parent / "work_plan.yaml"
WRITTEN_FOR = date(2026, 11, 28)
"""The day around which the days of the file lie; a demonstration built later moves them by whole months."""


def plan_text(today: date) -> str:
    """Return the plan with its days moved by whole months, so that today lies in its second phase."""
    months = 12 * (today.year - WRITTEN_FOR.year) + today.month - WRITTEN_FOR.month

    def moved(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[0])
        is_last = shift_days(day, 1).day == 1
        first = shift_months(day.replace(day=1), months)
        return (shift_days(shift_months(first, 1), -1) if is_last else shift_months(day, months)).isoformat()

    return re.sub(r"\b20\d\d-\d\d-\d\d\b", moved, FILE.read_text(encoding="utf-8"))


def make_duties(people: dict[str, User]) -> None:
    """Put the plan into force some months ago and let the units report since."""
    today = timezone.localdate()
    started = shift_months(today, -8)
    with acting_on(started):
        version = _in_force(plan_text(today), "演示数据：按试点通知制定", people)
    for key, name, text in (
        ("work_group", "city", "演示数据：工作专班已成立，成员单位联络员已确定"),
        ("plan_filed", "city", "演示数据：方案已报送"),
        ("catalogue", "department", "演示数据：目录已印发，来源清单已录入系统"),
        ("rules/draft", "city", "演示数据：征求意见稿已形成"),
    ):
        due_on = ends_of(plan_of(version))[f"pilot/{key}"]
        with acting_on(max(started, shift_days(due_on, -3))):
            claim = report(f"pilot/{key}", by=people[name], text=text, link="/c/sources", is_claim=True)
        with acting_on(shift_days(due_on, 2)):
            answer(claim, kind="confirm", by=people["approver"], text="演示数据：材料齐全")
    with acting_on(shift_days(today, -20)):
        report("pilot/commitments", by=people["department"], text="演示数据：办法初稿完成，正在征求各单位意见")
    with acting_on(shift_days(today, -6)):
        claim = report(
            "pilot/platform", by=people["department"], text="演示数据：已接入主要来源", link="/c/batches", is_claim=True
        )
    with acting_on(shift_days(today, -4)):
        answer(claim, kind="return", by=people["approver"], text="演示数据：海关来源尚未接入，请补充后再申报")
        _meeting(version, people, today)
    report("pilot/inspectors", by=people["district"], text="演示数据：名录已录入", link="/c/inspections", is_claim=True)
    _quarter(version, people, today)
    list(escalate_overdue())
    list(make_weekly_papers())


def _in_force(text: str, reason: str, people: dict[str, User]) -> PlanVersion:
    version = propose_plan(text, reason=reason, by=people["city"])
    decide_plan(version, approve=True, reason="", by=people["approver"])
    version.refresh_from_db()
    return version


def _meeting(version: PlanVersion, people: dict[str, User], today: date) -> None:
    resolved = [
        Resolved("海关数据专线联调", "customs", shift_days(today, 20), "首批数据入库回执"),
        Resolved("裁判信息共享逾期，提交原因和新的时间表", "courts", shift_days(today, -1), "书面说明"),
    ]
    meeting = record_meeting(
        version, by=people["city"], held_on=timezone.localdate(), title="演示：联席会议第三次会议", minutes="演示数据：通报进展，研究逾期事项。",
        present=["city_bureau", "market_supervision", "courts", "customs"], resolved=resolved,
    )  # fmt: skip
    decide_minutes(meeting, approve=True, reason="", by=people["approver"])


def _quarter(version: PlanVersion, people: dict[str, User], today: date) -> None:
    for quarter in quarters(version, today)[:1]:
        for name in ("city", "department"):
            words = {
                "done": "演示数据：按方案推进，任务状态见附。", "problems": "演示数据：部分来源接入较晚。", "next_steps": "演示数据：补齐来源，完成规则发布。",
            }  # fmt: skip
            with acting_on(min(shift_days(quarter.last, 10), today)):
                file_report(version, quarter, by=people[name], words=words)
        issue_quarterly(version, quarter, people["city"])
