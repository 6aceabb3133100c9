"""Credit commitments: signed whole and freely, recorded, public; a breach is put right first, determined by two, told when it is."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from zhixin.law.calendar import shift_months
from zhixin.law.reckoning_of_terms import reckon
from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.models import Organisation, Role, User
from zhixin_web.accounts.services.mandates import give_mandate
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.published import published_commitments, published_forms
from zhixin_web.commitments.queries import NO_COMMITMENT, standing, why_not
from zhixin_web.commitments.services.checking import CONDUCT, answer, begin_determination, follow_broken
from zhixin_web.commitments.services.checking import check as checked
from zhixin_web.commitments.services.signing import sign, withdraw
from zhixin_web.commitments.standing import CommitmentState, dues_of
from zhixin_web.jobs.invariants import check as invariants
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.workspace.desk import tasks_of

pytestmark = pytest.mark.django_db
FORMS = commitment_forms().forms
GROUNDS = {"document": "（虚构）行政确认〔2026〕7号", "document_on": date.today().isoformat(), "is_final": "1"}
WHY = "（虚构）到期没有履行承诺"


def today() -> date:
    return timezone.localdate()


def on(day: date) -> Any:
    return mock.patch.object(timezone, "localdate", return_value=day)


def every(code: str) -> list[str]:
    form = commitment_forms().form(code)
    assert form is not None
    return [item.code for item in form.promises]


def check(commitment: Commitment, **given: Any) -> CommitmentCheck:
    """Enter a check on a page that was just read."""
    return checked(commitment, **{"seen": commitment.checks.count()} | given)


@pytest.fixture
def subject(subjects: list[Subject], people: Any) -> Subject:
    """The enterprise of the account ``enterprise``."""
    return subjects[0]


@pytest.fixture
def signed(subject: Subject, people: Any) -> Commitment:
    return sign("ip_honesty", subject=subject, read=every("ip_honesty"), by=people["enterprise"])


@pytest.fixture
def broken(signed: Commitment, people: Any) -> Commitment:
    """A commitment of two months ago that was found not kept, whose time to put it right is over."""
    Commitment.objects.filter(pk=signed.pk).update(signed_on=today() - timedelta(days=60))
    signed.refresh_from_db()
    with on(today() - timedelta(days=30)):
        check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    return signed


def state(commitment: Commitment, day: date | None = None) -> CommitmentState:
    return standing(Commitment.objects.get(pk=commitment.pk), day or today())


def determine(commitment: Commitment, people: Any) -> Any:
    case = begin_determination(commitment, details=GROUNDS, text=WHY, by=people["city"])
    case = carry_out(case, "notify", by=people["city"], reason=WHY)
    with on(case.due_on + timedelta(days=1)):
        case = carry_out(case, "time_over", by=None)
        case = carry_out(case, "propose_recognition", by=people["city"], reason=WHY)
        return carry_out(case, "recognise", by=people["approver"])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
def test_a_signature_is_number_paper_record_and_entry(subject: Subject, people: Any, form: Any) -> None:
    made = sign(form.code, subject=subject, read=every(form.code), by=people["enterprise"])
    assert made.number == f"郑市监信诺〔{today().year}〕1号"
    assert made.until == shift_months(today(), form.months)
    record = CreditRecord.objects.get(key=made.record_key)
    assert (record.kind, record.document, record.valid_until) == ("commitment.signed", made.number, made.until)
    assert LedgerEntry.objects.get(pk=made.ledger_seq).kind == "commitment.sign"
    assert made.paper.number == made.number
    assert [row.broken for row in invariants() if row.broken] == []


def test_every_promise_is_read(subject: Subject, people: Any) -> None:
    for missing in every("ip_honesty"):
        with pytest.raises(ValidationError, match="逐条阅读"):
            sign("ip_honesty", subject=subject, read=set(every("ip_honesty")) - {missing}, by=people["enterprise"])
    assert not Commitment.objects.exists()
    assert not CreditRecord.objects.exists()


@pytest.mark.parametrize("who", ["city", "approver", "district", "department", "auditor"])
def test_nobody_signs_for_an_enterprise_but_itself(subject: Subject, people: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        sign("ip_honesty", subject=subject, read=every("ip_honesty"), by=people[who])


def test_an_enterprise_signs_for_no_other(subjects: list[Subject], people: Any) -> None:
    with pytest.raises(PermissionDenied):
        sign("ip_honesty", subject=subjects[1], read=every("ip_honesty"), by=people["enterprise"])


def test_one_text_is_signed_once_while_it_binds(signed: Commitment, subject: Subject, people: Any) -> None:
    with pytest.raises(ValidationError, match="同一承诺正在履行"):
        sign("ip_honesty", subject=subject, read=every("ip_honesty"), by=people["enterprise"])
    form = commitment_forms().form("ip_honesty")
    assert form is not None
    assert why_not(form, subject, signed.until)
    assert not why_not(form, subject, signed.until + timedelta(days=1))


@pytest.mark.parametrize(
    ("days", "then"), [(-1, CommitmentState.RUNNING), (0, CommitmentState.RUNNING), (1, CommitmentState.ENDED)]
)
def test_it_binds_through_its_last_day(signed: Commitment, days: int, then: CommitmentState) -> None:
    assert state(signed, signed.until + timedelta(days=days)) is then


def test_a_later_text_changes_nothing_that_was_signed(signed: Commitment, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [item.promise.zh for item in dues_of(signed)]
    later = commitment_forms().model_copy(update={"forms": (), "version": "2030.1"})
    monkeypatch.setattr("zhixin_web.commitments.queries.commitment_forms", lambda: later)
    assert [item.promise.zh for item in dues_of(Commitment.objects.get())] == before
    assert signed.definition["version"] == commitment_forms().version


def test_a_promise_within_months_has_its_day(subject: Subject, people: Any) -> None:
    made = sign("funding_application", subject=subject, read=every("funding_application"), by=people["enterprise"])
    assert {item.promise.code: item.by for item in dues_of(made)} == {
        "true_application": None, "missing_papers": shift_months(today(), 2), "use_of_funds": None,
    }  # fmt: skip


@pytest.fixture
def closed_regime(subject: Subject, people: Any) -> ImposedMeasure:
    """The measure that takes the regime of commitments from the enterprise, until ten days from now."""
    return ImposedMeasure.objects.create(
        subject=subject, code=NO_COMMITMENT, scenario="approval", definition={}, answers=[], release=RulebookRelease.objects.get(),
        grade="D", case="case:1", number="郑市监信惩〔2026〕1号", starts_on=today() - timedelta(days=5), until=today() + timedelta(days=10),
        proposed_by=people["city"], decided_by=people["approver"], ledger_seq=1,
    )  # fmt: skip


def test_a_measure_closes_what_stands_in_for_papers_and_not_what_is_offered(
    closed_regime: ImposedMeasure, subject: Subject, people: Any
) -> None:
    with pytest.raises(ValidationError, match="不适用信用承诺制"):
        sign("funding_application", subject=subject, read=every("funding_application"), by=people["enterprise"])
    sign("ip_honesty", subject=subject, read=every("ip_honesty"), by=people["enterprise"])
    form = commitment_forms().form("funding_application")
    assert form is not None
    assert [bool(why_not(form, subject, closed_regime.until + timedelta(days=days))) for days in (-1, 0, 1)] == [
        True,
        False,
        False,
    ]


def test_it_is_withdrawn_with_its_record(signed: Commitment, people: Any) -> None:
    withdraw(signed, reason="（虚构）不再经营该业务", by=people["enterprise"])
    assert state(signed) is CommitmentState.WITHDRAWN
    last = CreditRecord.objects.filter(key=signed.record_key).order_by("-version")[0]
    assert last.state == CreditRecord.State.REVOKED
    assert LedgerEntry.objects.filter(kind="commitment.withdraw").count() == 1
    assert [row.broken for row in invariants() if row.broken] == []


@pytest.mark.parametrize("who", ["city", "approver"])
def test_no_officer_withdraws_it(signed: Commitment, people: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        withdraw(signed, reason="（虚构）理由充分", by=people[who])


def test_who_did_not_keep_it_does_not_get_away_by_withdrawing(signed: Commitment, people: Any) -> None:
    check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    with pytest.raises(ValidationError, match="先按要求整改"):
        withdraw(signed, reason="（虚构）不再经营该业务", by=people["enterprise"])


def test_what_is_not_kept_has_ten_working_days_to_be_put_right(signed: Commitment, people: Any) -> None:
    found = check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    due = reckon(today(), 10, "working").due_on
    assert (found.rectify_by, found.promises) == (due, ["duties"])
    assert state(signed, due) is CommitmentState.TO_RECTIFY
    assert state(signed, due + timedelta(days=1)) is CommitmentState.OVERDUE
    assert [task.due_on for task in tasks_of(people["city"]) if task.address == f"/c/commitments/{signed.pk}"] == [due]


def test_what_was_put_right_runs_on(broken: Commitment, people: Any) -> None:
    check(broken, outcome="kept", promises=[], finding="（虚构）已经履行", by=people["city"])
    assert state(broken) is CommitmentState.RUNNING
    assert not [task for task in tasks_of(people["city"]) if task.address == f"/c/commitments/{broken.pk}"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"outcome": ""}, "outcome"), ({"outcome": "broken"}, "outcome"), ({"promises": []}, "promises"),
        ({"promises": ["no_such"]}, "promises"), ({"finding": ""}, "text"), ({"finding": "x"}, "text"),
    ],
)  # fmt: skip
def test_a_check_says_what_and_why(signed: Commitment, people: Any, given: dict[str, Any], field: str) -> None:
    whole = {"outcome": "not_kept", "promises": ["duties"], "finding": WHY}
    with pytest.raises(ValidationError) as caught:
        check(signed, by=people["city"], **whole | given)
    assert set(caught.value.message_dict) == {field}
    assert not signed.checks.exists()


@pytest.mark.parametrize("who", ["approver", "auditor", "department", "enterprise", "inspector"])
def test_only_officers_check(signed: Commitment, people: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        check(signed, outcome="kept", promises=[], finding=WHY, by=people[who])


def test_nothing_is_determined_before_the_time_to_put_it_right_is_over(signed: Commitment, people: Any) -> None:
    with pytest.raises(ValidationError, match="整改期限届满"):
        begin_determination(signed, details=GROUNDS, text=WHY, by=people["city"])
    found = check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    assert found.rectify_by is not None
    with on(found.rectify_by), pytest.raises(ValidationError, match="整改期限届满"):
        begin_determination(signed, details=GROUNDS, text=WHY, by=people["city"])


def test_without_an_effective_document_nothing_is_determined(broken: Commitment, people: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        begin_determination(broken, details=GROUNDS | {"is_final": ""}, text=WHY, by=people["city"])
    assert set(caught.value.message_dict) == {"is_final"}
    assert state(broken) is CommitmentState.OVERDUE


def test_a_breach_is_determined_by_two_and_becomes_a_record(broken: Commitment, people: Any) -> None:
    case = determine(broken, people)
    assert case.details["conduct"] == CONDUCT
    assert state(broken, today() + timedelta(days=60)) is CommitmentState.BROKEN
    assert CreditRecord.objects.get(kind="commitment.broken").subject == broken.subject
    with pytest.raises(ValidationError, match="已经终止"):
        check(broken, outcome="kept", promises=[], finding=WHY, by=people["city"])


def test_a_breach_that_was_revoked_stands_against_it_no_longer(broken: Commitment, people: Any) -> None:
    determine(broken, people)
    record, later = CreditRecord.objects.get(kind="commitment.broken"), today() + timedelta(days=60)
    with on(later):
        change_record(record, state="revoked", on=later, basis="（虚构）复议1号", by=people["city"])
    assert state(broken, later) is CommitmentState.RUNNING


def test_while_a_breach_is_not_determined_the_public_is_told_nothing_of_it(broken: Commitment, people: Any) -> None:
    def told(day: date) -> CommitmentState:
        return published_commitments(broken.subject.code, day)[0].state

    assert told(today()) is CommitmentState.RUNNING
    case = begin_determination(broken, details=GROUNDS, text=WHY, by=people["city"])
    assert state(broken) is CommitmentState.BEING_DETERMINED
    assert told(today()) is CommitmentState.RUNNING
    carry_out(case, "drop", by=people["city"], reason=WHY)
    assert told(today()) is CommitmentState.RUNNING


def test_a_number_is_given_once(signed: Commitment) -> None:
    signed.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        signed.save()


def test_a_promise_with_a_day_is_not_broken_before_it(subject: Subject, people: Any) -> None:
    made = sign("funding_application", subject=subject, read=every("funding_application"), by=people["enterprise"])
    due = shift_months(today(), 2)
    for day, is_early in ((due - timedelta(days=1), True), (due, True), (due + timedelta(days=1), False)):
        with on(day), pytest.raises(ValidationError) if is_early else nullcontext() as caught:
            check(made, outcome="not_kept", promises=["missing_papers"], finding=WHY, by=people["city"])
        if caught is not None:
            assert set(caught.value.message_dict) == {"promises"}
    assert made.checks.count() == 1


@pytest.mark.parametrize(
    "given", [{"outcome": "kept", "promises": ["duties"]}, {"promises": ["duties", "no_such"]}], ids=["both", "forged"]
)
def test_what_contradicts_itself_is_not_silently_dropped(signed: Commitment, people: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        check(signed, by=people["city"], **{"outcome": "not_kept", "finding": WHY} | given)
    assert set(caught.value.message_dict) == {"promises"}


def test_a_dropped_case_leaves_the_breach_as_it_was(broken: Commitment, people: Any) -> None:
    case = begin_determination(broken, details=GROUNDS, text=WHY, by=people["city"])
    carry_out(case, "drop", by=people["city"], reason=WHY)
    assert state(broken) is CommitmentState.OVERDUE
    with pytest.raises(ValidationError, match="先按要求整改"):
        withdraw(broken, reason="（虚构）撤案之后撤回", by=people["enterprise"])
    again = begin_determination(broken, details=GROUNDS, text=WHY, by=people["city"])
    assert again.pk != case.pk


def test_what_another_person_found_not_dishonest_runs_on(broken: Commitment, people: Any) -> None:
    case = begin_determination(broken, details=GROUNDS, text=WHY, by=people["city"])
    case = carry_out(case, "notify", by=people["city"], reason=WHY)
    with on(case.due_on + timedelta(days=1)):
        case = carry_out(case, "time_over", by=None)
        case = carry_out(case, "propose_waiver", by=people["city"], reason=WHY)
        carry_out(case, "waive", by=people["approver"])
    assert state(broken) is CommitmentState.RUNNING
    later = today() + timedelta(days=40)
    with on(later):
        check(broken, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    assert state(broken, later) is CommitmentState.TO_RECTIFY


def test_found_not_kept_again_it_has_no_more_time(signed: Commitment, people: Any) -> None:
    first = check(signed, outcome="not_kept", promises=["duties", "true_material"], finding=WHY, by=people["city"])
    with on(today() + timedelta(days=3)):
        again = check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
        assert (again.rectify_by, again.number) == (first.rectify_by, first.number)
        with pytest.raises(ValidationError, match="先前所列的事项"):
            check(signed, outcome="not_kept", promises=["honest_filing"], finding=WHY, by=people["city"])
    assert first.rectify_by is not None
    with on(first.rectify_by + timedelta(days=5)):
        late = check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
        assert late.rectify_by == first.rectify_by
        assert state(signed, first.rectify_by + timedelta(days=5)) is CommitmentState.OVERDUE


def test_nobody_overwrites_what_another_has_just_found(signed: Commitment, people: Any) -> None:
    check(signed, outcome="kept", promises=[], finding="（虚构）已经履行", by=people["city"])
    with pytest.raises(ValidationError, match="他人刚登记"):
        checked(signed, outcome="not_kept", promises=["duties"], finding=WHY, seen=0, by=people["city"])
    assert signed.checks.count() == 1


def test_a_document_older_than_the_commitment_proves_nothing(broken: Commitment, people: Any) -> None:
    for day, holds in ((broken.signed_on - timedelta(days=1), False), (broken.signed_on, True)):
        with nullcontext() if holds else pytest.raises(ValidationError, match="早于签署"):
            begin_determination(broken, details=GROUNDS | {"document_on": day.isoformat()}, text=WHY, by=people["city"])
    assert state(broken) is CommitmentState.BEING_DETERMINED


def test_notice_and_decision_say_which_commitment_and_what(broken: Commitment, people: Any) -> None:
    case = determine(broken, people)
    for step in case.steps.exclude(paper=None):
        said = "".join(step.paper.content["body"])
        assert broken.number in said
        assert "生效文书确定的义务" in said
    assert case.details["commitment"] == broken.number


def test_the_order_to_put_it_right_is_a_paper_that_is_answered(signed: Commitment, people: Any, browser_of: Any) -> None:
    found = check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    assert found.number == f"郑市监信诺改〔{today().year}〕1号"
    enterprise, officer = browser_of("enterprise"), browser_of("city")
    assert "信用承诺须整改" in enterprise.get("/my/").content.decode()
    for browser, address in ((enterprise, "/my/commitments"), (officer, "/c/commitments")):
        assert browser.get(f"{address}/{signed.pk}/orders/0")["Content-Type"] == "application/pdf"
    assert enterprise.post(f"/my/commitments/{signed.pk}/answer", {"text": "短"}).status_code == 422
    enterprise.post(f"/my/commitments/{signed.pk}/answer", {"text": "（虚构）罚款已于昨日缴清"})
    assert "（虚构）罚款已于昨日缴清" in officer.get(f"/c/commitments/{signed.pk}").content.decode()
    with pytest.raises(PermissionDenied):
        answer(signed, text="（虚构）代为答复", by=people["city"])
    assert LedgerEntry.objects.filter(kind="commitment.answer").count() == 1


def test_a_broken_commitment_counts_for_nothing_and_its_paper_says_so(broken: Commitment, people: Any) -> None:
    determine(broken, people)
    later = today() + timedelta(days=60)
    with on(later):
        assert len(list(follow_broken())) == 1
        assert list(follow_broken()) == []
    last = CreditRecord.objects.filter(key=broken.record_key).order_by("-version")[0]
    assert last.state == CreditRecord.State.REVOKED
    broken.paper.refresh_from_db()
    assert "违背承诺" in broken.paper.withdrawn_why
    assert {form.code: count for form, count in published_forms(later)}["ip_honesty"] == 0
    with on(later):
        assert [row.broken for row in invariants() if row.broken] == []


def test_who_broke_one_signs_neither_it_nor_what_stands_in_for_papers_until_it_is_repaired(
    broken: Commitment, people: Any, subject: Subject
) -> None:
    case = determine(broken, people)
    assert not case.is_open
    may = {form.code: not why_not(form, subject, today() + timedelta(days=60)) for form in FORMS}
    assert may == {"ip_honesty": False, "online_protection": True, "funding_application": False}


def test_the_paper_of_a_withdrawn_commitment_says_so(signed: Commitment, people: Any, client: Browser) -> None:
    assert "真实有效" in client.get(f"/v/{signed.paper_id}").content.decode()
    withdraw(signed, reason="（虚构）不再经营该业务", by=people["enterprise"])
    shown = client.get(f"/v/{signed.paper_id}").content.decode()
    assert "已撤回" in shown
    assert "真实有效" not in shown


@pytest.mark.parametrize(("length", "holds"), [(199, True), (200, True), (201, False)])
def test_nothing_that_is_typed_is_cut(signed: Commitment, browser_of: Any, length: int, holds: bool) -> None:
    browser, words = confirmed(browser_of("enterprise")), "理" * length
    sent = browser.post(f"/my/commitments/{signed.pk}/withdraw", {"text": words})
    assert sent.status_code == (302 if holds else 422)
    assert Commitment.objects.get().withdrawn_why == (words if holds else "")
    assert holds or words in sent.content.decode()


def test_what_stands_in_for_papers_is_withdrawn_only_before_the_matter_is_concluded(subject: Subject, people: Any) -> None:
    made = sign("funding_application", subject=subject, read=every("funding_application"), by=people["enterprise"])
    with pytest.raises(ValidationError) as caught:
        withdraw(made, reason="（虚构）不再申报", by=people["enterprise"])
    assert set(caught.value.message_dict) == {"is_pending"}
    withdraw(made, reason="（虚构）不再申报", is_pending=True, by=people["enterprise"])
    assert state(made) is CommitmentState.WITHDRAWN


def test_an_agent_who_signs_is_named(subject: Subject, people: Any, subjects: list[Subject], browser_of: Any) -> None:
    other = subjects[1]
    agency = Organisation.objects.create(code=other.code, name=other.name, kind=Organisation.Kind.ENTERPRISE)
    give_mandate(people["enterprise"].organisation, agency.code, today() + timedelta(days=30), people["enterprise"])
    agent = User.objects.create(username="agent", role=Role.ENTERPRISE_USER, organisation=agency)
    made = sign("ip_honesty", subject=subject, read=every("ip_honesty"), by=agent)
    for browser, address in ((browser_of("enterprise"), "/my"), (browser_of("city"), "/c")):
        shown = browser.get(f"{address}/commitments/{made.pk}").content.decode()
        assert "受委托签署" in shown
        assert other.name in shown


def test_the_texts_count_what_binds(signed: Commitment, people: Any) -> None:
    def count(day: date) -> int:
        return {form.code: number for form, number in published_forms(day)}["ip_honesty"]

    assert [count(signed.signed_on - timedelta(days=1)), count(signed.until), count(signed.until + timedelta(days=1))] == [
        0,
        1,
        0,
    ]


# --- pages ---------------------------------------------------------------------------------------------------------------


def confirmed(browser: Browser) -> Browser:
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    return browser


def test_an_enterprise_signs_and_withdraws_on_its_pages(subject: Subject, browser_of: Any) -> None:
    browser = confirmed(browser_of("enterprise"))
    assert "阅读并签署" in browser.get("/my/commitments").content.decode()
    refused = browser.post("/my/commitments/sign/ip_honesty", {"read": ["duties"]})
    assert refused.status_code == 422
    assert 'value="duties" checked' in " ".join(refused.content.decode().split())
    made = browser.post("/my/commitments/sign/ip_honesty", {"read": every("ip_honesty")})
    page = browser.get(made.url).content.decode()
    assert "郑市监信诺" in page
    assert browser.get(f"{made.url}/paper")["Content-Type"] == "application/pdf"
    assert "郑市监信诺" in browser.get(f"/e/{subject.code}").content.decode()
    browser.post(f"{made.url}/withdraw", {"text": "（虚构）不再经营该业务"})
    assert "已撤回" in browser.get(made.url).content.decode()


def test_an_enterprise_sees_no_commitment_of_another(signed: Commitment, subjects: list[Subject], browser_of: Any) -> None:
    Commitment.objects.filter(pk=signed.pk).update(subject=subjects[1])
    browser = browser_of("enterprise")
    for address in (f"/my/commitments/{signed.pk}", f"/my/commitments/{signed.pk}/paper"):
        assert browser.get(address).status_code == 404


def test_an_officer_checks_and_files_a_determination(signed: Commitment, browser_of: Any) -> None:
    browser = confirmed(browser_of("city"))
    address = f"/c/commitments/{signed.pk}"
    refused = browser.post(f"{address}/check", {"outcome": "not_kept", "text": WHY})
    assert refused.status_code == 422
    assert WHY in refused.content.decode()
    with on(today() - timedelta(days=30)):
        browser.post(f"{address}/check", {"outcome": "not_kept", "promises": ["duties"], "text": WHY, "seen": "0"})
    assert "整改期满，待复核" in browser.get("/c/commitments?state=overdue").content.decode()
    refused = browser.post(f"{address}/determine", GROUNDS | {"grounds": ""})
    assert refused.status_code == 422
    assert GROUNDS["document"] in refused.content.decode()
    sent = browser.post(f"{address}/determine", GROUNDS | {"grounds": WHY})
    assert sent.url == f"/c/cases/{Commitment.objects.get().determination_id}"


def test_the_texts_are_public(client: Browser, release: Any) -> None:
    page = client.get("/commitments").content.decode()
    for form in FORMS:
        assert form.title.zh in page
        assert all(item.zh in page for item in form.promises)
    assert "10 个工作日" in page
    client.cookies["django_language"] = "en"
    assert "commitment to honest conduct" in client.get("/commitments").content.decode()


def test_the_list_shows_what_is_to_be_put_right_first_and_any_state(
    signed: Commitment, subject: Subject, people: Any, browser_of: Any
) -> None:
    other = sign("online_protection", subject=subject, read=every("online_protection"), by=people["enterprise"])
    check(signed, outcome="not_kept", promises=["duties"], finding=WHY, by=people["city"])
    browser = browser_of("city")

    def numbers(state: str) -> list[str]:
        return re.findall(r"郑市监信诺〔\d+〕\d+号", browser.get(f"/c/commitments?state={state}").content.decode())

    assert numbers("") == [signed.number, other.number]
    assert numbers("to_rectify") == [signed.number]
    assert numbers("running") == [other.number]
    assert numbers("broken") == []
