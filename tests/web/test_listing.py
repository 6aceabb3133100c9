"""Entry on the serious-dishonesty list: a heavy penalty and grave conduct, notice, defence, every factor weighed, a higher bureau, two persons."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client as Browser
from django.utils import timezone

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.law.calendar import shift_months
from zhixin.reference import listing_rules as reference
from zhixin.reference.listing_rules import ListingRules, listing_rules
from zhixin_web.accounts.models import Organisation, User
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.listing import is_listed, listing_record, listings_without_penalty, penalties_of
from zhixin_web.cases.services.reports import file_report
from zhixin_web.cases.services.transitions import carry_out, run_case_clocks, settle_or_leave, steps_open_to
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services.reevaluate_after_batch import undo_batch
from zhixin_web.jobs.case_invariants import case_deviations
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import published_records
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.workspace.desk import tasks_of

pytestmark = pytest.mark.django_db
WHY = "（虚构）事实清楚，证据充分"
FACTORS = {f"factor_{item.code}": "grave" for item in listing_rules().factors} | {
    f"note_{item.code}": "（虚构）案卷第一页" for item in listing_rules().factors
}
SUPERIOR = {"superior_document": "（虚构）豫市监批〔2026〕1号", "superior_on": timezone.localdate().isoformat()}


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def penalised(released: Any, subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    """A heavy penalty on the first subject, eight months old."""
    day = shift_months(today(), -8).isoformat()
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=day))
    return CreditRecord.objects.get(kind__startswith="penalty.")


def filed(record: CreditRecord, people: Any, **changes: str) -> Case:
    details = {"listing": "infringement", "penalty": record.key, "heavy": "heavy_fine"} | changes
    return open_case("listing", subject=record.subject, text=WHY, details=details, by=people["city"])


def heard(case: Case, people: Any) -> Case:
    """Give notice and let the time for defence pass."""
    case = carry_out(case, "notify", by=people["city"], reason=WHY)
    assert case.due_on is not None
    with mock.patch.object(timezone, "localdate", return_value=case.due_on + timedelta(days=1)):
        list(run_case_clocks())
    case.refresh_from_db()
    return case


def weighed(case: Case, people: Any, **changes: str) -> Case:
    return carry_out(case, "weigh", by=people["city"], reason=WHY, answers=FACTORS | changes)


def proposed(record: CreditRecord, people: Any, **changes: str) -> Case:
    """Bring a case before the one who decides."""
    case = weighed(heard(filed(record, people), people), people, **changes)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    return carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=SUPERIOR)


def listed(record: CreditRecord, people: Any) -> Case:
    case = carry_out(proposed(record, people), "list", by=people["approver"], reason=WHY)
    settle_or_leave(case)
    return case


# --- what it rests on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("listing", {"listing": "nothing"}), ("listing", {"listing": ""}), ("penalty", {"penalty": "nothing"}), ("penalty", {"penalty": ""}),
        ("heavy", {"heavy": ""}), ("heavy", {"heavy": "warning"}),
    ],
)  # fmt: skip
def test_no_listing_without_conduct_penalty_and_its_weight(
    penalised: CreditRecord, people: Any, field: str, changes: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        filed(penalised, people, **changes)
    assert set(caught.value.message_dict) == {field}


def test_default_needs_no_heavy_penalty(penalised: CreditRecord, people: Any) -> None:
    assert filed(penalised, people, listing="refusal", heavy="").details["heavy"] == ""


def test_the_penalty_of_another_is_no_ground(penalised: CreditRecord, subjects: list[Subject], people: Any) -> None:
    details = {"listing": "infringement", "penalty": penalised.key, "heavy": "heavy_fine"}
    with pytest.raises(ValidationError):
        open_case("listing", subject=subjects[1], text=WHY, details=details, by=people["city"])
    assert penalties_of(subjects[1]) == []


def test_a_penalty_under_verification_carries_no_listing(penalised: CreditRecord, people: Any) -> None:
    file_report(penalised, reason="wrong_value", text="（虚构）金额有误")
    with pytest.raises(ValidationError, match="异议核实"):
        filed(penalised, people)


def test_one_penalty_lists_once(penalised: CreditRecord, people: Any) -> None:
    first = filed(penalised, people)
    with pytest.raises(ValidationError, match=f"第 {first.pk} 号"):
        filed(penalised, people)
    carry_out(first, "drop", by=people["city"], reason=WHY)
    filed(penalised, people)


@pytest.mark.parametrize("name", ["approver", "district", "department", "enterprise", "auditor"])
def test_only_the_office_files(penalised: CreditRecord, people: Any, name: str) -> None:
    details = {"listing": "infringement", "penalty": penalised.key, "heavy": "heavy_fine"}
    with pytest.raises(PermissionDenied):
        open_case("listing", subject=penalised.subject, text=WHY, details=details, by=people[name])


# --- the factors ----------------------------------------------------------------------------------------------------------


def test_every_factor_has_weight_and_ground(penalised: CreditRecord, people: Any) -> None:
    case = heard(filed(penalised, people), people)
    for changes, wrong in (
        ({"factor_malice": ""}, {"factor_malice"}), ({"note_effect": "  "}, {"factor_effect"}), ({"factor_loss": "very"}, {"factor_loss"}),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            weighed(case, people, **changes)
        assert set(caught.value.message_dict) == wrong
    with pytest.raises(ValidationError, match="逐项裁量"):
        carry_out(case, "report_up", by=people["city"], reason=WHY)


def test_who_is_shown_to_have_had_no_intent_is_not_listed(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people, factor_malice="absent")
    with pytest.raises(ValidationError, match="主观恶意"):
        carry_out(case, "report_up", by=people["city"], reason=WHY)
    case = carry_out(case, "propose_waiver", by=people["city"], reason=WHY)
    assert carry_out(case, "waive", by=people["approver"], reason=WHY).state == "waived"
    assert not CreditRecord.objects.filter(kind="list.serious").exists()


def test_what_is_grave_in_nothing_is_not_listed(penalised: CreditRecord, people: Any) -> None:
    slight = {name: "slight" for name in FACTORS if name.startswith("factor_")}
    case = weighed(heard(filed(penalised, people), people), people, **slight)
    with pytest.raises(ValidationError, match="情节严重"):
        carry_out(case, "report_up", by=people["city"], reason=WHY)


def test_weighed_anew_the_last_word_counts(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people, factor_malice="absent")
    case = weighed(case, people, note_malice="（虚构）后查明故意")
    assert case.details["factors"]["malice"] == {"weight": "grave", "note": "（虚构）后查明故意"}
    assert carry_out(case, "report_up", by=people["city"], reason=WHY).state == "at_superior"
    assert case_deviations()[1] == []


def test_factors_rewritten_behind_the_site_are_named(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    factors = case.details["factors"] | {"malice": {"weight": "slight", "note": "（虚构）"}}
    Case.objects.filter(pk=case.pk).update(details=case.details | {"factors": factors})
    assert any("factors" in words for words in case_deviations()[1])


# --- the higher bureau ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("superior_document", {"superior_document": ""}), ("superior_document", {"superior_document": "同意"}),
        ("superior_on", {"superior_on": ""}), ("superior_on", {"superior_on": "2026-02-30"}), ("superior_on", {"superior_on": "2999-01-01"}),
    ],
)  # fmt: skip
def test_its_word_has_number_and_day(penalised: CreditRecord, people: Any, field: str, changes: dict[str, str]) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    with pytest.raises(ValidationError) as caught:
        carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=SUPERIOR | changes)
    assert set(caught.value.message_dict) == {field}


def test_without_its_word_nobody_proposes_while_it_is_required(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    assert "propose_listing" not in {step.id for step in steps_open_to(people["city"], case)}
    with pytest.raises(ValidationError):
        carry_out(case, "propose_listing", by=people["city"], reason=WHY)


def test_from_the_day_it_is_not_required_the_office_proposes_itself(penalised: CreditRecord, people: Any) -> None:
    held = listing_rules()
    off = held.switches[0].model_copy(update={"from_": today(), "value": False})
    changed = ListingRules.model_construct(**{**dict(held), "switches": (*held.switches, off)})
    case = weighed(heard(filed(penalised, people), people), people)
    with mock.patch("zhixin_web.cases.services.listing.listing_rules", return_value=changed):
        open_now = {step.id for step in steps_open_to(people["city"], case)}
        assert "propose_listing" in open_now
        assert "report_up" not in open_now
        case = carry_out(case, "propose_listing", by=people["city"], reason=WHY)
        assert carry_out(case, "list", by=people["approver"], reason=WHY).state == "listed"
    assert not changed.requires("superior_approval", today())
    assert changed.requires("superior_approval", today() - timedelta(days=1))


def test_what_it_refuses_is_waived(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    case = carry_out(case, "superior_refuses", by=people["city"], reason=WHY, answers=SUPERIOR)
    assert {step.id for step in steps_open_to(people["approver"], case)} == {"back", "waive"}


# --- the decision ---------------------------------------------------------------------------------------------------------


def test_it_is_published_with_its_end_and_the_grade_follows(penalised: CreditRecord, people: Any) -> None:
    case = listed(penalised, people)
    record = CreditRecord.objects.get(kind="list.serious")
    paper = case.steps.get(transition="list").paper
    assert record.valid_until == shift_months(today(), 36)
    assert record.publicity_from is not None
    assert listing_record(case) == record
    run = Run.objects.get(trigger=f"case:{case.pk}")
    assert (run.status, run.summary["grades"]) == (Run.Status.PROPOSED, {"D": 1}), "what lowers a grade waits for a person"
    said = "".join(paper.content["body"])
    for words in (
        "故意侵犯知识产权",
        "（虚构）罚1号",
        "依照从重处罚原则处以罚款",
        "主观恶意情节严重",
        "豫市监批",
        "提前移出",
    ):
        assert words in said, words
    assert any("行政复议" in line for line in paper.content["remedies"])
    kinds = LedgerEntry.objects.filter(ref=f"case:{case.pk}").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["case.open"] + ["case.step"] * 6
    assert case_deviations()[1] == []


@pytest.mark.parametrize(("after", "is_on"), [(-1, True), (0, False)])
def test_it_ends_by_itself_after_three_years(penalised: CreditRecord, people: Any, after: int, is_on: bool) -> None:
    record = listing_record(listed(penalised, people))
    assert record is not None
    assert is_listed(record, shift_months(today(), 36) + timedelta(days=after)) == is_on


def test_nobody_lists_alone(penalised: CreditRecord, people: Any) -> None:
    case = proposed(penalised, people)
    with pytest.raises(PermissionDenied):
        carry_out(case, "list", by=people["city"], reason=WHY)


def test_a_penalty_that_fell_meanwhile_lists_nobody(penalised: CreditRecord, people: Any) -> None:
    case = proposed(penalised, people)
    change_record(penalised, state="revoked", on=today(), basis="（虚构）复议决定一号", by=people["city"])
    with pytest.raises(ValidationError, match="已变更"):
        carry_out(case, "list", by=people["approver"], reason=WHY)
    case = carry_out(case, "back", by=people["approver"], reason=WHY)
    assert carry_out(case, "propose_waiver", by=people["city"], reason=WHY).state == "to_waive"


def test_a_penalty_that_is_disputed_meanwhile_waits(penalised: CreditRecord, people: Any) -> None:
    case = proposed(penalised, people)
    file_report(penalised, reason="wrong_value", text="（虚构）金额有误")
    with pytest.raises(ValidationError, match="异议核实"):
        carry_out(case, "list", by=people["approver"], reason=WHY)


def test_a_listing_whose_penalty_was_revoked_is_shown_until_it_is_lifted(penalised: CreditRecord, people: Any) -> None:
    case = listed(penalised, people)
    assert listings_without_penalty(today()) == []
    change_record(penalised, state="revoked", on=today(), basis="（虚构）复议决定一号", by=people["city"])
    assert listings_without_penalty(today()) == [case]
    waiting = [task for task in tasks_of(people["city"]) if task.address == f"/c/cases/{case.pk}"]
    assert waiting
    assert waiting[0].due_on is not None
    record = listing_record(case)
    assert record is not None
    change_record(record, state="revoked", on=today(), basis="（虚构）撤销一号", by=people["city"])
    assert listings_without_penalty(today()) == []


def test_a_repaired_penalty_does_not_lift_the_listing(penalised: CreditRecord, people: Any) -> None:
    listed(penalised, people)
    change_record(penalised, state="repaired", on=today(), basis="（虚构）修复一号", by=people["city"])
    assert listings_without_penalty(today()) == []


# --- pages ----------------------------------------------------------------------------------------------------------------


def test_it_is_walked_in_the_pages_and_nothing_typed_is_lost(penalised: CreditRecord, people: Any) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    page = f"/c/subjects/{penalised.subject.code}/listing"
    assert "（虚构）罚1号" in browser.get(page).content.decode()
    refused = browser.post(page, {"listing": "infringement", "penalty": penalised.key, "text": "（虚构）写好的理由"})
    assert refused.status_code == 422
    assert "较重行政处罚" in refused.content.decode()
    assert "（虚构）写好的理由" in refused.content.decode()
    sent = browser.post(page, {"listing": "infringement", "penalty": penalised.key, "heavy": "heavy_fine", "text": WHY})
    case = heard(Case.objects.get(), people)
    assert sent.url == f"/c/cases/{case.pk}"
    wrong = browser.post(sent.url, {"step": "weigh", "reason": WHY, **FACTORS, "note_effect": ""})
    assert wrong.status_code == 422
    assert "请写明依据的事实和证据" in wrong.content.decode()
    assert "（虚构）案卷第一页" in wrong.content.decode()
    browser.post(sent.url, {"step": "weigh", "reason": WHY, **FACTORS})
    shown = browser.get(sent.url).content.decode()
    assert "主观恶意：情节严重" in shown
    assert "从重处罚原则" in shown


def test_a_subject_without_penalty_has_no_form(released: Any, subjects: list[Subject], people: Any) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    shown = browser.get(f"/c/subjects/{subjects[1].code}/listing").content.decode()
    assert "没有有效的行政处罚记录" in shown
    assert "<textarea" not in shown


def test_the_rules_are_read_once_and_name_their_source() -> None:
    rules = reference.listing_rules()
    assert rules is reference.listing_rules()
    assert all(item.basis for item in (*rules.conducts, *rules.switches))
    assert rules.requires("factor_checklist", date(1999, 1, 1)), "before the first entry nothing is skipped"


# --- the party ------------------------------------------------------------------------------------------------------------


def test_the_party_is_told_states_its_case_and_reads_the_decision(penalised: CreditRecord, people: Any) -> None:
    unit = people["enterprise"].organisation
    assert unit is not None
    Organisation.objects.filter(pk=unit.pk).update(code=penalised.subject.code)
    browser = Browser()
    browser.force_login(people["enterprise"])
    case = filed(penalised, people)
    assert browser.get(f"/my/cases/{case.pk}").status_code == 404, "nobody is told before the notice"
    case = carry_out(case, "notify", by=people["city"], reason=WHY)
    told = browser.get(f"/my/cases/{case.pk}").content.decode()
    assert "列入严重违法失信名单告知书" in told
    people["enterprise"].refresh_from_db()
    case = carry_out(case, "defend", by=User.objects.get(pk=people["enterprise"].pk), reason="（虚构）没有主观故意，请核查")
    assert case.state == "defence"
    assert case.due_on is not None
    with mock.patch.object(timezone, "localdate", return_value=case.due_on + timedelta(days=1)):
        list(run_case_clocks())
    case.refresh_from_db()
    case = weighed(case, people)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    case = carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=SUPERIOR)
    case = carry_out(case, "list", by=people["approver"], reason=WHY)
    said = "".join(case.steps.get(transition="list").paper.content["body"])
    assert "没有主观故意，请核查" in said
    assert "列入严重违法失信名单决定书" in browser.get(f"/my/cases/{case.pk}").content.decode()


@pytest.mark.parametrize(("after", "state"), [(-1, "defence"), (0, "defence"), (1, "review")])
def test_the_time_for_defence_ends_the_day_after_its_last(
    penalised: CreditRecord, people: Any, after: int, state: str
) -> None:
    case = carry_out(filed(penalised, people), "notify", by=people["city"], reason=WHY)
    assert case.due_on is not None
    with mock.patch.object(timezone, "localdate", return_value=case.due_on + timedelta(days=after)):
        list(run_case_clocks())
    case.refresh_from_db()
    assert case.state == state


def test_days_at_the_higher_bureau_do_not_count_for_the_decision(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    before = case.due_on
    assert before is not None
    day = today()
    with mock.patch.object(timezone, "localdate", return_value=day):
        case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    later = day + timedelta(days=10)
    with mock.patch.object(timezone, "localdate", return_value=later):
        said = SUPERIOR | {"superior_on": later.isoformat()}
        case = carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=said)
    assert case.due_on is not None
    assert case.due_on > before


# --- what an attack found -------------------------------------------------------------------------------------------------


@pytest.fixture
def deliver_penalty(take: Any, penalty: Any) -> Any:
    """Deliver a penalty on a subject; returns its record."""

    def delivering(subject: Subject, number: str, *, correction: bool = False, **changes: str) -> CreditRecord:
        take("penalties", penalty((subject.code, subject.name, number), **changes), is_correction=correction)
        rows = CreditRecord.objects.filter(subject=subject, kind__startswith="penalty.").order_by("-seq")
        return next(row for row in rows if number in row.body)

    return delivering


@pytest.mark.parametrize(
    ("changes", "heavy", "wrong"),
    [
        ({"处罚类别": "警告", "罚款金额（万元）": ""}, "heavy_fine", {"heavy"}), ({}, "licence", {"heavy"}), ({}, "restriction", {"heavy"}),
        ({"处罚类别": "警告", "罚款金额（万元）": ""}, "other", {"heavy"}), ({"处罚类别": "责令停产停业", "罚款金额（万元）": ""}, "restriction", set()),
        ({}, "heavy_fine", set()),
    ],
)  # fmt: skip
def test_a_penalty_is_heavy_only_as_its_record_says(
    penalised: CreditRecord,
    subjects: list[Subject],
    deliver_penalty: Any,
    people: Any,
    changes: Any,
    heavy: str,
    wrong: set[str],
) -> None:
    record = deliver_penalty(subjects[1], "（虚构）罚7号", 处罚决定日期=today().isoformat(), **changes)
    if not wrong:
        assert filed(record, people, heavy=heavy).pk
        return
    with pytest.raises(ValidationError) as caught:
        filed(record, people, heavy=heavy)
    assert set(caught.value.message_dict) == wrong


def test_a_minor_offence_lists_nobody(penalised: CreditRecord, subjects: list[Subject], people: Any) -> None:
    CreditRecord.objects.filter(pk=penalised.pk).update(severity="minor")
    with pytest.raises(ValidationError) as caught:
        filed(penalised, people)
    assert set(caught.value.message_dict) == {"heavy"}


def test_an_agency_is_listed_for_what_an_agency_did(penalised: CreditRecord, people: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        filed(penalised, people, listing="agency")
    assert set(caught.value.message_dict) == {"penalty"}


def test_a_penalty_that_is_published_no_more_lists_nobody(penalised: CreditRecord, people: Any) -> None:
    assert penalised.publicity_until is not None
    with mock.patch.object(timezone, "localdate", return_value=penalised.publicity_until), pytest.raises(ValidationError):
        filed(penalised, people)


def test_a_decision_not_to_list_stands(penalised: CreditRecord, people: Any) -> None:
    case = heard(filed(penalised, people), people)
    case = carry_out(case, "propose_waiver", by=people["city"], reason=WHY)
    case = carry_out(case, "waive", by=people["approver"], reason=WHY)
    with pytest.raises(ValidationError, match=f"第 {case.pk} 号"):
        filed(penalised, people)


def test_a_penalty_corrected_after_the_notice_lists_nobody(
    penalised: CreditRecord, deliver_penalty: Any, people: Any
) -> None:
    case = proposed(penalised, people)
    deliver_penalty(
        penalised.subject, "（虚构）罚1号", correction=True, 处罚决定日期=penalised.decided_on.isoformat(), 处罚类别="警告"
    )
    with pytest.raises(ValidationError, match="已更正"):
        carry_out(case, "list", by=people["approver"], reason=WHY)


def test_a_penalty_corrected_before_the_notice_is_judged_anew(
    penalised: CreditRecord, deliver_penalty: Any, people: Any
) -> None:
    case = filed(penalised, people)
    deliver_penalty(
        penalised.subject, "（虚构）罚1号", correction=True, 处罚决定日期=penalised.decided_on.isoformat(), 处罚类别="警告"
    )
    with pytest.raises(ValidationError):
        carry_out(case, "notify", by=people["city"], reason=WHY)


def test_the_word_of_the_higher_bureau_is_on_this_report(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    early = SUPERIOR | {"superior_on": (today() - timedelta(days=1)).isoformat()}
    with pytest.raises(ValidationError) as caught:
        carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=early)
    assert set(caught.value.message_dict) == {"superior_on"}
    case = carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=SUPERIOR)
    case = carry_out(case, "back", by=people["approver"], reason=WHY)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    with pytest.raises(ValidationError) as caught:
        carry_out(case, "superior_agrees", by=people["city"], reason=WHY, answers=SUPERIOR)
    assert set(caught.value.message_dict) == {"superior_document"}


LISTED = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,移出日期,列入机关\n"


def test_no_file_lists_corrects_or_takes_back_what_a_case_decides(penalised: CreditRecord, people: Any, take: Any) -> None:
    case = listed(penalised, people)
    record = listing_record(case)
    assert record is not None
    number = case.steps.get(transition="list").paper.number
    for line, correction in (
        (number, True),
        (number, False),
        ("郑市监严列〔2026〕99号", False),
        ("郑市监严列[2026]099号", False),
    ):
        row = f"{case.subject.code},{case.subject.name},{line},（虚构）事由,2026-11-02,2029-11-02,（虚构）机关"
        batch = take("serious_list", LISTED + row, is_correction=correction)
        assert (batch.accepted, batch.quarantined) == (0, 1), line
    with pytest.raises(FileRefused):
        take("listings", LISTED)
    with pytest.raises(ValidationError):
        undo_batch(record.batch, people["city"], "（虚构）录入有误")
    assert listing_record(case) == record


def test_nobody_alone_revokes_a_listing_whose_penalty_stands(penalised: CreditRecord, people: Any) -> None:
    case = listed(penalised, people)
    record = listing_record(case)
    assert record is not None
    browser = Browser()
    browser.force_login(people["city"])
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    form = {"state": "revoked", "on": today().isoformat(), "basis": "（虚构）市监函〔2026〕9号"}
    browser.post(f"/c/records/{record.seq}/change", form)
    assert listing_record(case) == record
    change_record(penalised, state="revoked", on=today(), basis="（虚构）复议决定一号", by=people["city"])
    assert any(task.address == f"/c/cases/{case.pk}" for task in tasks_of(people["approver"]))
    browser.post(f"/c/records/{record.seq}/change", form)
    assert listing_record(case) != record
    paper = case.steps.get(transition="list").paper.paper
    assert paper.withdrawn_at is not None


def test_who_was_punished_heavily_again_is_not_removed_early(
    penalised: CreditRecord, deliver_penalty: Any, people: Any
) -> None:
    record = listing_record(listed(penalised, people))
    assert record is not None
    day = shift_months(today(), 12)
    with mock.patch.object(timezone, "localdate", return_value=day):
        deliver_penalty(
            record.subject, "（虚构）罚8号", 处罚决定日期=(day - timedelta(days=90)).isoformat(), 处罚类别="责令停产停业"
        )
        case = open_case("repair", record=record, subject=record.subject, text=WHY, by=people["city"])
        case = carry_out(case, "accept", by=people["city"], reason=WHY)
        with pytest.raises(ValidationError, match="罚8号"):
            carry_out(case, "propose_grant", by=people["city"], reason=WHY)


def test_what_the_higher_bureau_refused_stands_in_the_paper(penalised: CreditRecord, people: Any) -> None:
    case = weighed(heard(filed(penalised, people), people), people)
    case = carry_out(case, "report_up", by=people["city"], reason=WHY)
    case = carry_out(case, "superior_refuses", by=people["city"], reason=WHY, answers=SUPERIOR)
    case = carry_out(case, "waive", by=people["approver"], reason=WHY)
    said = "".join(case.steps.get(transition="waive").paper.content["body"])
    assert "上一级市场监督管理部门批复：（虚构）豫市监批〔2026〕1号" in said


def test_a_reason_that_is_too_short_is_named_at_its_field(penalised: CreditRecord, people: Any) -> None:
    case = filed(penalised, people)
    browser = Browser()
    browser.force_login(people["city"])
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    shown = browser.post(f"/c/cases/{case.pk}", {"step": "notify", "reason": "已告知"}).content.decode()
    assert "请用 5 至 4000 字说明" in shown


@pytest.mark.parametrize(("day", "is_public"), [("2026-12-19", True), ("2026-12-20", False)])
def test_who_is_off_an_imported_list_is_shown_no_more(
    released: Any, subjects: list[Subject], take: Any, day: str, is_public: bool
) -> None:
    row = f"{subjects[0].code},{subjects[0].name},（虚构）列1号,（虚构）事由,2026-11-01,2026-12-20,（虚构）机关"
    take("serious_list", LISTED + row)
    shown = published_records(date.fromisoformat(day)).filter(kind="list.serious")
    assert shown.exists() == is_public
