"""The draw as a public act: plan by two, commitment a day before, numbers by two, one result or an abort, changes that stay local."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

import zhixin.trust.draw
from web.drawing import NUMBERS, OTHERS, drawing_day, issue_of
from zhixin.law.calendar import shift_months
from zhixin.reference.inspection_items import inspection_items
from zhixin.trust.draw import latest_commitment, verify
from zhixin_web.accounts.models import Role, User
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.inspections.models import Conflict, Draw, Inspector, NumberEntry, Plan, Task
from zhixin_web.inspections.published import proof_of, published_draw
from zhixin_web.inspections.queries import planned_strata
from zhixin_web.inspections.services import draws, plans, results
from zhixin_web.inspections.services.plans import stated_ratio
from zhixin_web.inspections.strata import frame_of
from zhixin_web.jobs.grade_and_file_invariants import draw_deviations
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db
# --- plans ----------------------------------------------------------------------------------------------------------


def test_the_ratios_of_a_plan_are_those_of_the_rulebook(make: Any) -> None:
    strata = {item["id"]: (item["num"], item["den"], item["visits"]) for item in make().strata}
    assert strata == {"A": (1, 100, 1), "B": (1, 50, 1), "C": (1, 10, 1), "D": (3, 10, 1), "D:ip_agency": (1, 1, 2)}


def test_the_maker_of_a_plan_does_not_approve_it(make: Any, people: Any) -> None:
    plan = make()
    plans.propose_plan(plan, people["city"])
    people["city"].role = Role.APPROVER
    people["city"].save()
    with pytest.raises(PermissionDenied):
        plans.decide_plan(plan, approve=True, by=people["city"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"title": " "}, "title"), ({"basis": ""}, "basis"), ({"items": []}, "items"), ({"items": ["nothing"]}, "items"), ({"team": 1}, "team"), ({"cap": 0}, "cap"), ({"year": 2020}, "year")],
)  # fmt: skip
def test_what_a_plan_lacks_is_named(make: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**changes)
    assert field in caught.value.message_dict


@pytest.mark.parametrize(("stated", "needs_reason"), [("", False), ("1%", True), ("100%", False)])
def test_more_visits_than_the_notice_states_need_a_reason(make: Any, people: Any, stated: str, needs_reason: bool) -> None:
    plan = make(stated_percent=stated, excess_reason="")
    if needs_reason:
        with pytest.raises(ValidationError, match="高于通知所述"):
            plans.propose_plan(plan, people["city"])
    else:
        plans.propose_plan(plan, people["city"])


@pytest.mark.parametrize("text", ["三", "0", "-1", "101", "3‰"])
def test_a_stated_ratio_is_a_percentage(make: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        stated_ratio(make(stated_percent=text))


def test_a_draw_needs_an_approved_plan(make: Any, people: Any) -> None:
    with pytest.raises(ValidationError, match="已批准的计划"):
        draws.commit_draw(make(), game="kl8", issue=issue_of(drawing_day()), day=drawing_day(), by=people["city"])


# --- commitment -----------------------------------------------------------------------------------------------------


def test_the_commitment_stands_in_the_ledger_before_any_number(committed: Draw) -> None:
    entry = LedgerEntry.objects.get(seq=committed.commit_seq)
    assert (entry.kind, entry.ref) == ("draw.commit", f"draw:{committed.draw_id}")
    assert committed.document["commitment"] == committed.commitment
    assert "numbers" not in committed.document


@pytest.mark.parametrize(("seconds", "is_timely"), [(-1, True), (0, True), (1, False)])
def test_a_commitment_later_than_a_day_before_the_numbers_is_called_so(
    committed: Draw, client: Client, settings: Any, seconds: int, is_timely: bool
) -> None:
    last = latest_commitment([drawing_day()])
    Draw.objects.filter(pk=committed.pk).update(committed_at=last + timedelta(seconds=seconds))
    found = Draw.objects.get(pk=committed.pk)
    assert found.is_timely == is_timely
    settings.DEMO = True
    page = client.get(f"/draws/{found.draw_id}").content.decode()
    assert ("号码和日期是虚构的" in page) == (not is_timely)
    settings.DEMO = False
    page = client.get(f"/draws/{found.draw_id}").content.decode()
    assert ("不能作为证明" in page) == (not is_timely)
    assert any("committed_at: later than 24 hours" in fault for fault in draw_deviations()[1]) == (not is_timely)


def test_nobody_but_the_demonstration_freezes_at_another_moment(approved: Plan, people: Any, settings: Any) -> None:
    settings.DEMO = False
    day = drawing_day()
    with pytest.raises(ValueError, match="frozen now"):
        draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"], frozen_at=timezone.now())


def test_the_public_reads_source_and_reasons_of_a_plan(committed: Draw, client: Client) -> None:
    page = client.get(f"/draws/{committed.draw_id}").content.decode()
    for text in ("快乐8", issue_of(drawing_day()), committed.plan.inversion, committed.plan.excess_reason):
        assert text in page


@pytest.mark.parametrize(
    ("game", "days", "issue", "said"),
    [
        ("3D", 2, None, "比特"), ("彩票", 2, None, "不认识"), ("kl8", 2, "2020001", "不符"), ("kl8", 0, None, "24 小时"), ("kl8", 1, None, "24 小时"), ("kl8", -1, None, "24 小时"),
    ],
)  # fmt: skip
def test_a_source_that_is_weak_unknown_or_known_already_is_refused(
    approved: Plan, people: Any, game: str, days: int, issue: str | None, said: str
) -> None:
    day = timezone.localdate() + timedelta(days=days)
    with pytest.raises(ValidationError, match=said):
        draws.commit_draw(approved, game=game, issue=issue or issue_of(day), day=day, by=people["city"])
    assert Draw.objects.count() == 0


def test_people_without_a_certificate_on_leave_or_gone_are_not_in_the_list(
    approved: Plan, inspectors: list[Inspector], people: Any
) -> None:
    day = drawing_day()
    Inspector.objects.filter(code="INS002").update(valid_until=day - timedelta(days=1))
    Inspector.objects.filter(code="INS003").update(on_leave_from=day, on_leave_until=day)
    Inspector.objects.filter(code="INS004").update(is_active=False)
    Inspector.objects.filter(code="INS005").update(valid_until=day)
    made = draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"])
    assert [line.split("\t")[0] for line in made.document["inspectors"]] == ["INS001", "INS005", "INS006"]


def test_who_was_inspected_this_year_is_left_out_with_the_reason(drawn: Draw, approved: Plan, people: Any) -> None:
    picked = set(Task.objects.values_list("subject__code", flat=True))
    day = drawing_day() + timedelta(days=2)
    later = draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"])
    assert picked
    assert not picked & {line.split("\t")[0] for line in later.document["frame"]}
    assert {item.subject.code for item in later.exclusions.all()} >= picked
    assert all("一年内" in item.reason for item in later.exclusions.filter(subject__code__in=picked))


def test_who_may_not_inspect_every_item_of_the_plan_is_not_in_its_list(
    approved: Plan, inspectors: list[Inspector], people: Any
) -> None:
    Inspector.objects.filter(code="INS002").update(specialities=["trademark_use"])
    Inspector.objects.filter(code="INS003").update(specialities=["patent_claims", "trademark_use", "special_signs"])
    day = drawing_day()
    made = draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"])
    names = [line.split("\t")[0] for line in made.document["inspectors"]]
    assert "INS002" not in names
    assert "INS003" in names


@pytest.mark.parametrize(("months", "is_left_out"), [(11, True), (12, False)])
def test_a_visit_is_forgotten_after_twelve_months(drawn: Draw, approved: Plan, months: int, is_left_out: bool) -> None:
    visited = set(Task.objects.values_list("subject__code", flat=True))
    day = shift_months(timezone.localdate(), -months)
    Task.objects.update(inspected_on=day)
    frame = frame_of(planned_strata(approved), most_visits=1, today=timezone.localdate())
    assert bool(visited - {code for code, _ in frame.units}) is is_left_out


@pytest.mark.parametrize(("code", "value"), [("inspectors_per_visit", 2), ("planned_visits_a_year", 1)])
def test_legal_numbers_of_inspections_are_data_with_a_source(make: Any, code: str, value: int) -> None:
    found = inspection_items().limit(code, timezone.localdate())
    assert found.value == value
    assert found.basis[0].document
    plan = make(team=None)
    assert {"inspectors_per_visit": plan.team, "planned_visits_a_year": plan.most_visits_a_year}[code] == value


# --- numbers and result ---------------------------------------------------------------------------------------------


def test_before_the_day_no_number_is_taken(committed: Draw, people: Any) -> None:
    with pytest.raises(ValidationError, match="之前不能录入"):
        draws.enter_numbers(committed, NUMBERS, people["city"])


def test_one_person_does_not_draw(on_the_day: Draw, people: Any) -> None:
    draws.enter_numbers(on_the_day, NUMBERS, people["city"])
    with pytest.raises(ValidationError, match="另一人"):
        draws.enter_numbers(on_the_day, NUMBERS, people["city"])
    on_the_day.refresh_from_db()
    assert on_the_day.status == "committed"


def test_two_who_differ_both_enter_again(on_the_day: Draw, people: Any) -> None:
    draws.enter_numbers(on_the_day, OTHERS, people["city"])
    with pytest.raises(ValidationError, match="不一致"):
        draws.enter_numbers(on_the_day, NUMBERS, people["approver"])
    assert NumberEntry.objects.count() == 0
    draws.enter_numbers(on_the_day, NUMBERS, people["approver"])
    assert draws.enter_numbers(on_the_day, NUMBERS, people["city"]).status == "drawn"


@pytest.mark.parametrize("numbers", [[], [[1]], [list(range(1, 20)) + [81]], [[1] * 20], NUMBERS * 2])
def test_numbers_that_cannot_be_are_refused(on_the_day: Draw, people: Any, numbers: Any) -> None:
    with pytest.raises(ValidationError):
        draws.enter_numbers(on_the_day, numbers, people["city"])


def test_the_result_follows_and_anyone_can_check_it(drawn: Draw, tmp_path: Path) -> None:
    found = published_draw(drawn.draw_id)
    assert found is not None
    assert verify(found.document) == []
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(found.document), encoding="utf-8")
    verifier = Path(zhixin.trust.draw.__file__).with_name("verify_draw.py")
    assert subprocess.run([sys.executable, "-I", str(verifier), str(file)], capture_output=True, check=False).returncode == 0


def test_every_picked_enterprise_has_a_task_with_its_team(drawn: Draw) -> None:
    for task in Task.objects.filter(draw=drawn):
        team = [item.inspector.code for item in task.assignments.order_by("pk")]
        assert team == drawn.document["assignment"][task.subject.code]
    assert Task.objects.count() == sum(found["n"] for found in drawn.document["strata"].values())


def test_there_is_no_second_result(drawn: Draw, people: Any) -> None:
    with pytest.raises(ValidationError, match="不在待开奖状态"):
        draws.enter_numbers(drawn, NUMBERS, people["district"])
    with pytest.raises(ValidationError, match="不能中止"):
        draws.abort_draw(drawn, "不满意", people["approver"])


def test_every_commitment_has_one_result_or_one_abort(drawn: Draw, approved: Plan, people: Any) -> None:
    day = drawing_day() + timedelta(days=2)
    second = draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"])
    draws.abort_draw(second, "开奖推迟", people["approver"])
    kinds = list(LedgerEntry.objects.filter(kind__startswith="draw.").values_list("kind", flat=True))
    assert (kinds.count("draw.commit"), kinds.count("draw.result"), kinds.count("draw.abort")) == (2, 1, 1)


def test_an_enterprise_sees_that_it_was_in_the_frame(drawn: Draw) -> None:
    for line in drawn.document["frame"]:
        proof = proof_of(drawn, line.split("\t")[0])
        assert proof is not None
        assert proof["N"] >= proof["n"] >= 0
    assert proof_of(drawn, "91419900000000000X") is None


# --- recusal and substitution ----------------------------------------------------------------------------------------


def test_a_conflict_declared_before_keeps_an_inspector_away(
    approved: Plan, inspectors: Any, people: Any, monkeypatch: Any
) -> None:
    for subject in Subject.objects.all():
        Conflict.objects.create(inspector=inspectors[0], subject=subject, reason="亲属", declared_by=people["city"])
    day = drawing_day()
    made = draws.commit_draw(approved, game="kl8", issue=issue_of(day), day=day, by=people["city"])
    monkeypatch.setattr(timezone, "localdate", lambda value=None, **_: day if value is None else value.date())
    draws.enter_numbers(made, NUMBERS, people["city"])
    found = draws.enter_numbers(made, NUMBERS, people["approver"])
    assert "INS001" not in {person for team in found.document["assignment"].values() for person in team}


def test_a_late_recusal_changes_one_team_and_stands_in_the_ledger(drawn: Draw, people: Any) -> None:
    task = Task.objects.first()
    assert task is not None
    others = {item.pk: [a.inspector.code for a in item.assignments.all()] for item in Task.objects.exclude(pk=task.pk)}
    out = task.assignments.order_by("pk").first().inspector
    made = draws.recuse(task, out, "新近发现亲属任职", people["city"])
    assert made.inspector != out
    assert {
        item.pk: [a.inspector.code for a in item.assignments.all()] for item in Task.objects.exclude(pk=task.pk)
    } == others
    assert LedgerEntry.objects.filter(kind="draw.recusal").count() == 1
    drawn.refresh_from_db()
    assert verify(drawn.document) == []


def test_a_substitute_is_the_next_of_the_reserve(drawn: Draw, people: Any) -> None:
    stratum = next(name for name, found in drawn.document["strata"].items() if found["n"] and found["reserve"])
    task = Task.objects.filter(stratum=stratum).first()
    assert task is not None
    made = draws.substitute(task, "已注销", people["city"])
    assert made.subject.code == drawn.document["strata"][stratum]["reserve"][0][1]
    task.refresh_from_db()
    assert task.status == "replaced"
    with pytest.raises(ValidationError, match="待检查"):
        draws.substitute(task, "再来", people["city"])
    with pytest.raises(ValidationError):
        draws.substitute(made, " ", people["city"])


def test_all_of_this_is_bound_to_the_ledger(drawn: Draw, people: Any) -> None:
    assert [finding.broken for finding in check(replays=0) if finding.broken] == []


# --- results ---------------------------------------------------------------------------------------------------------


def submit(task: Task, by: User, **changes: Any) -> Task:
    options = {"method": "on_site", "result": "clean", "disposal": "none", "note": "", "inspected_on": timezone.localdate()}
    return results.submit_result(task, **(options | changes), by=by)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "telepathy"}, "method"), ({"result": ""}, "result"), ({"disposal": "x"}, "disposal"), ({"inspected_on": None}, "inspected_on"),
        ({"result": "corrected"}, "note"),
    ],
)  # fmt: skip
def test_what_a_result_lacks_is_named(task: Task, people: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        submit(task, people["inspector"], **changes)
    assert field in caught.value.message_dict


@pytest.mark.parametrize(("days", "is_refused"), [(1, True), (0, False), (-1, True)])
def test_a_phone_whose_clock_is_a_day_off_is_told(task: Task, people: Any, days: int, is_refused: bool) -> None:
    Draw.objects.filter(pk=task.draw_id).update(drawn_at=timezone.now() + (timezone.localdate() - timezone.now().date()))
    task.refresh_from_db()
    day = timezone.localdate() + timedelta(days=days)
    if is_refused:
        with pytest.raises(ValidationError):
            submit(task, people["inspector"], inspected_on=day)
    else:
        assert submit(task, people["inspector"], inspected_on=day).status == "submitted"


def test_without_two_certificates_nothing_is_taken(task: Task, people: Any) -> None:
    Inspector.objects.exclude(account=people["inspector"]).update(valid_until=timezone.localdate() - timedelta(days=1))
    with pytest.raises(ValidationError, match="不足 2 人"):
        submit(task, people["inspector"])


def test_who_is_not_on_the_team_submits_nothing(task: Task, people: Any) -> None:
    with pytest.raises(PermissionDenied):
        submit(task, people["district"])


def test_a_withdrawn_task_takes_no_result(task: Task, people: Any) -> None:
    draws.substitute(task, "已注销", people["city"])
    with pytest.raises(ValidationError, match="已由候补替换"):
        submit(task, people["inspector"])


def test_a_result_becomes_a_record_once_another_has_reviewed_it(task: Task, people: Any) -> None:
    submit(task, people["inspector"], result="corrected", disposal="order", note="标注不规范，已责令改正")
    assert CreditRecord.objects.filter(source="inspections").count() == 0
    reviewed = results.review_result(Task.objects.get(pk=task.pk), people["city"], accept=True)
    assert reviewed.publish_by is not None
    batch = results.publish_results(people["city"])
    assert batch is not None
    record = CreditRecord.objects.get(source="inspections")
    assert (record.kind, record.subject, record.decided_on) == ("inspection.problem", task.subject, reviewed.inspected_on)
    assert Task.objects.get(pk=task.pk).status == "published"
    assert results.publish_results(people["city"]) is None


def test_who_submits_does_not_review(task: Task, people: Any) -> None:
    submit(task, people["inspector"])
    people["inspector"].role = Role.CITY_OFFICER
    people["inspector"].save()
    with pytest.raises(PermissionDenied):
        results.review_result(Task.objects.get(pk=task.pk), people["inspector"], accept=True)


def test_a_result_sent_back_needs_a_reason_and_is_open_again(task: Task, people: Any) -> None:
    submit(task, people["inspector"])
    with pytest.raises(ValidationError):
        results.review_result(Task.objects.get(pk=task.pk), people["city"], accept=False)
    results.review_result(Task.objects.get(pk=task.pk), people["city"], accept=False, reason="缺照片")
    assert submit(Task.objects.get(pk=task.pk), people["inspector"]).status == "submitted"
