"""The enterprise's own door: it reads all that is held of it and nothing of others, applies step by step, and sees who read it."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from zhixin.law.calendar import shift_months
from zhixin.law.procedures import procedures
from zhixin_web.accounts.demonstration_people import PASSWORD
from zhixin_web.accounts.models import Invitation, Mandate, Organisation, Role, RoleGrant, User
from zhixin_web.accounts.representation import represented_codes
from zhixin_web.accounts.services import mandates
from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.cases.models import Attachment, Case, CaseDraft
from zhixin_web.cases.services import attachments, drafts
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.jobs.grade_and_file_invariants import file_deviations
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db
WORDS = "（虚构）罚款已缴清，违法行为已改正"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#1a5fb4").save(out, kind)
    return out.getvalue()


def pdf(change: Any = None) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if change is not None:
        change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def draft(record: CreditRecord, people: Any) -> CaseDraft:
    return drafts.begin(procedures()["repair"], record, people["enterprise"])


@pytest.fixture
def other(subjects: list[Subject], people: Any) -> User:
    """An account of another enterprise."""
    unit = Organisation.objects.create(code=subjects[1].code, name=subjects[1].name, kind=Organisation.Kind.ENTERPRISE)
    user = User(username="other", display_name="其他", role=Role.ENTERPRISE_USER, organisation=unit)
    user.set_password(PASSWORD)
    user.save()
    RoleGrant.objects.create(user=user, role=user.role, reason="test")
    people["other"] = user
    return user


# --- who opens what -------------------------------------------------------------------------------------------------------

PAGES = ("", "next", "why", "improve", "records", "cases", "inspections", "reports", "mandates")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_an_enterprise_and_for_nobody_else(page: str, subjects: Any, browser_of: Any) -> None:
    assert browser_of("enterprise").get(f"/my/{page}").status_code == 200
    for who in ("city", "approver", "district", "inspector", "department", "auditor", "security", "system"):
        assert browser_of(who).get(f"/my/{page}").status_code == 403, who
    assert Browser().get(f"/my/{page}")["Location"].startswith("/c/sign-in")


def test_nothing_of_another_enterprise_opens_by_its_number(
    record: CreditRecord, draft: CaseDraft, other: User, people: Any, browser_of: Any
) -> None:
    attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, draft.version, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"])
    begun = drafts.begin(procedures()["objection"], record, people["enterprise"])
    held = case.attachments.get()
    mine, theirs = browser_of("enterprise"), browser_of("other")
    reads = [f"records/{record.pk}", f"cases/{case.pk}", f"cases/{case.pk}/files/{held.pk}", f"drafts/{begun.pk}",
             f"drafts/{begun.pk}/files", f"drafts/{begun.pk}/check"]  # fmt: skip
    for path in reads:
        assert mine.get(f"/my/{path}").status_code == 200, path
        assert theirs.get(f"/my/{path}").status_code == 404, path
    for path in (f"drafts/{begun.pk}/words", f"drafts/{begun.pk}/discard", f"drafts/{begun.pk}/check", f"cases/{case.pk}",
                 f"records/{record.pk}/apply/repair"):  # fmt: skip
        assert theirs.post(f"/my/{path}", {"text": WORDS, "version": "1", "step": "withdraw"}).status_code == 404, path
    assert CaseDraft.objects.filter(pk=begun.pk).exists()


def test_signing_in_leads_an_enterprise_to_its_own_pages(subjects: Any) -> None:
    answer = Browser().post("/c/sign-in", {"username": "enterprise", "password": PASSWORD})
    assert answer["Location"] == "/my/"


# --- records and what would raise the grade ---------------------------------------------------------------------------------


def test_a_record_shows_its_term_and_what_can_be_done(record: CreditRecord, browser_of: Any) -> None:
    page = browser_of("enterprise").get(f"/my/records/{record.pk}").content.decode()
    assert f"{record.publicity_from:%Y-%m-%d} – {record.publicity_until:%Y-%m-%d}" in page
    for procedure in ("repair", "objection", "statement"):
        assert f"/my/records/{record.pk}/apply/{procedure}" in page


def test_repair_that_is_not_open_yet_names_its_day_and_offers_no_form(
    subjects: list[Subject], take: Any, penalty: Any, browser_of: Any
) -> None:
    decided = timezone.localdate() - timedelta(days=1)
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=decided.isoformat()))
    seq = CreditRecord.objects.get().pk
    page = browser_of("enterprise").get(f"/my/records/{seq}").content.decode()
    assert f"{shift_months(decided, 3)} 起方可申请" in page
    assert f"/my/records/{seq}/apply/repair" not in page


def test_ticked_actions_show_what_the_engine_makes_of_them(released: Any, browser_of: Any) -> None:
    browser = browser_of("enterprise")
    page = browser.get("/my/improve").content.decode()
    action = re.findall(r'name="do"\s+value="(earn:[^"]+)"', page)[0]
    ticked = browser.get("/my/improve", {"do": [action, "nonsense", "repair:999999"]}).content.decode()
    assert "做到所选各项" in ticked
    assert ticked.count("checked") == 1
    assert "请重新勾选" in browser.get("/my/improve", {"do": "nonsense"}).content.decode()


# --- applications ---------------------------------------------------------------------------------------------------------


def test_what_was_typed_is_there_the_next_day_and_in_the_list(draft: CaseDraft, browser_of: Any) -> None:
    browser_of("enterprise").post(f"/my/drafts/{draft.pk}/words", {"text": WORDS, "version": "1"})
    again = browser_of("enterprise")
    assert WORDS in again.get(f"/my/drafts/{draft.pk}").content.decode()
    assert f"/my/drafts/{draft.pk}" in again.get("/my/").content.decode()
    assert drafts.begin(procedures()["repair"], CreditRecord.objects.get(), draft.changed_by) == draft


def test_two_who_write_at_once_overwrite_nothing(draft: CaseDraft, browser_of: Any) -> None:
    browser = browser_of("enterprise")
    browser.post(f"/my/drafts/{draft.pk}/words", {"text": "第一位写的文字", "version": "1"})
    late = browser.post(f"/my/drafts/{draft.pk}/words", {"text": "第二位写的文字", "version": "1"})
    assert late.status_code == 409
    page = late.content.decode()
    assert "第一位写的文字" in page
    assert ">第二位写的文字</textarea>" in page
    assert CaseDraft.objects.get().text == "第一位写的文字"
    assert browser.post(f"/my/drafts/{draft.pk}/words", {"text": "两人商定的文字", "version": "2"}).status_code == 302


def test_submitting_twice_opens_one_case(draft: CaseDraft, browser_of: Any, people: Any) -> None:
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    browser = browser_of("enterprise")
    first = browser.post(f"/my/drafts/{draft.pk}/check")
    assert first["Location"].startswith("/my/cases/")
    assert browser.post(f"/my/drafts/{draft.pk}/check").status_code == 404
    with pytest.raises(ValidationError):
        drafts.submit(draft, people["enterprise"])
    assert Case.objects.count() == 1


def test_eligibility_is_judged_again_at_submission_and_the_draft_stays(
    draft: CaseDraft, record: CreditRecord, people: Any, browser_of: Any
) -> None:
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = open_case("repair", record=record, subject=record.subject, text=WORDS, by=people["city"])
    for step, who in (("accept", "city"), ("propose_grant", "city"), ("grant", "approver")):
        case = carry_out(case, step, by=people[who], reason=WORDS)
    refused = browser_of("enterprise").post(f"/my/drafts/{draft.pk}/check")
    assert refused.status_code == 422
    assert WORDS in refused.content.decode()
    assert CaseDraft.objects.filter(pk=draft.pk).exists()
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "name"), [("application/pdf", "说明.pdf"), ("image/jpeg", "a.jpg"), ("image/png", "a.PNG")]
)
def test_a_sound_file_is_kept_and_goes_with_the_case(
    draft: CaseDraft, people: Any, browser_of: Any, kind: str, name: str
) -> None:
    content = {"application/pdf": pdf(), "image/jpeg": picture("JPEG"), "image/png": picture()}[kind]
    browser = browser_of("enterprise")
    sent = browser.post(f"/my/drafts/{draft.pk}/files", {"file": SimpleUploadedFile(name, content)})
    assert sent.status_code == 302
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"])
    held = case.attachments.get()
    assert (held.kind, held.name, held.draft) == (kind, name, None)
    for path in (f"/my/cases/{case.pk}/files/{held.pk}", f"/c/cases/{case.pk}/files/{held.pk}"):
        answer = browser_of("enterprise" if path.startswith("/my") else "city").get(path)
        assert (answer.content, answer["Content-Type"]) == (content, kind)
        assert answer["Content-Disposition"].startswith("attachment")
    entry = LedgerEntry.objects.get(kind="case.open")
    assert held.sha256 in SealedBody.objects.get(pk=entry.pk).body


def _locked(writer: Any) -> None:
    writer.encrypt("secret")


def _script(writer: Any) -> None:
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert('x')")}
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(DictionaryObject(action))


def _embedded(writer: Any) -> None:
    writer.add_attachment("x.exe", b"MZ")


def _launch(writer: Any) -> None:
    action = {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "请选择文件"),
        (b"MZ\x90\x00" * 100, "只接收 PDF"),
        (b"<html><script>1</script></html>", "只接收 PDF"),
        (b"PK\x03\x04" + b"x" * 100, "只接收 PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"macros", "只接收 PDF"),
        (b"%PDF-1.7\nnothing", "已损坏"),
        (pdf()[:200], "已损坏"),
        (pdf(_locked), "口令"),
        (pdf(_script), "脚本"),
        (pdf(_embedded), "脚本"),
        (pdf(_launch), "脚本"),
        (picture("JPEG", (400, 300))[:-900], "已损坏"),
        (picture()[:40], "已损坏"),
        (picture("PNG", (9_000, 9_000)), "像素过多"),
        (picture() + b"\0" * attachments.MOST_BYTES, "超过 10 MB"),
    ],
    ids=["empty", "program", "page", "archive", "old-office", "no-pdf", "cut-pdf", "locked", "script", "embedded", "launch", "cut-jpeg",
         "cut-png", "bomb", "large"],
)  # fmt: skip
def test_what_is_no_sound_harmless_file_is_refused_with_its_remedy(
    draft: CaseDraft, browser_of: Any, content: bytes, said: str
) -> None:
    sent = browser_of("enterprise").post(f"/my/drafts/{draft.pk}/files", {"file": SimpleUploadedFile("a.pdf", content)})
    assert sent.status_code == 422
    assert said in sent.content.decode()
    assert not Attachment.objects.exists()


def test_the_tenth_file_is_kept_and_the_eleventh_refused(draft: CaseDraft, people: Any) -> None:
    for number in range(attachments.MOST_FILES):
        attachments.attach(draft, f"{number}.png", [picture(size=(10 + number, 10))], people["enterprise"])
    with pytest.raises(ValidationError, match="最多附 10 个"):
        attachments.attach(draft, "11.png", [picture(size=(99, 10))], people["enterprise"])
    attachments.attach(draft, "again.png", [picture(size=(10, 10))], people["enterprise"])
    assert draft.attachments.count() == attachments.MOST_FILES


def test_a_file_that_is_taken_away_is_gone_unless_another_needs_it(
    draft: CaseDraft, record: CreditRecord, people: Any, django_capture_on_commit_callbacks: Any
) -> None:
    held = attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    second = drafts.begin(procedures()["objection"], record, people["enterprise"])
    attachments.attach(second, "b.png", [picture()], people["enterprise"])
    with django_capture_on_commit_callbacks(execute=True):
        drafts.discard(draft, people["enterprise"])
    assert attachments.path_of(held.sha256).exists()
    with django_capture_on_commit_callbacks(execute=True):
        drafts.discard(second, people["enterprise"])
    assert not attachments.path_of(held.sha256).exists()


def test_a_file_that_somebody_changes_on_the_disk_is_named_and_not_served(
    draft: CaseDraft, people: Any, browser_of: Any
) -> None:
    held = attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"])
    attachments.path_of(held.sha256).write_bytes(b"another")
    assert any(f"cases_attachment {held.pk}" in fault for fault in file_deviations()[1])
    assert browser_of("enterprise").get(f"/my/cases/{case.pk}/files/{held.pk}").status_code == 404


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\x.pdf", "a\x00b\n.pdf", "", "x" * 400 + ".pdf", "身份证410105199001011234.pdf"])  # fmt: skip
def test_the_name_of_a_file_is_a_name_and_nothing_else(draft: CaseDraft, people: Any, name: str) -> None:
    held = attachments.attach(draft, name, [picture()], people["enterprise"])
    assert held.name
    assert len(held.name) <= 120
    assert not re.search(r"[/\\\x00\n]|410105199001011234", held.name)


# --- mandates -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mandate(other: User, people: Any) -> Mandate:
    unit = people["enterprise"].organisation
    until = timezone.localdate() + timedelta(days=30)
    return mandates.give_mandate(unit, other.organisation.code, until, people["enterprise"])  # type: ignore[union-attr]


@pytest.mark.parametrize(("days", "acts"), [(29, True), (30, True), (31, False)])
def test_an_agent_acts_to_the_last_day_of_its_mandate(
    mandate: Mandate, other: User, monkeypatch: pytest.MonkeyPatch, days: int, acts: bool
) -> None:
    then = timezone.localdate() + timedelta(days=days)
    monkeypatch.setattr(timezone, "localdate", lambda *_args: then)
    assert (mandate.principal.code in represented_codes(other)) is acts


def test_an_agent_chooses_for_whom_it_acts_and_falls_back_when_the_mandate_ends(
    mandate: Mandate, record: CreditRecord, people: Any, browser_of: Any, subjects: list[Subject]
) -> None:
    agent = browser_of("other")
    assert agent.get(f"/my/records/{record.pk}").status_code == 404
    assert agent.post("/my/for", {"code": subjects[0].code}).status_code == 302
    assert agent.get(f"/my/records/{record.pk}").status_code == 200
    begun = agent.post(f"/my/records/{record.pk}/apply/objection")["Location"]
    mandates.end_mandate(mandate, people["enterprise"])
    assert agent.get(f"/my/records/{record.pk}").status_code == 404
    assert agent.get(begun).status_code == 404
    assert subjects[1].name in agent.get("/my/").content.decode()
    with pytest.raises(PermissionDenied):
        drafts.begin(procedures()["objection"], record, people["other"])


def test_an_agent_whose_mandate_ended_submits_nothing(mandate: Mandate, draft: CaseDraft, people: Any) -> None:
    drafts.keep_words(draft, WORDS, 1, people["other"])
    mandates.end_mandate(mandate, people["other"])
    with pytest.raises(PermissionDenied):
        drafts.submit(draft, people["other"])
    assert CaseDraft.objects.filter(pk=draft.pk).exists()


def test_a_mandate_is_not_handed_on(mandate: Mandate, other: User, subjects: list[Subject]) -> None:
    third = Organisation.objects.create(code=subjects[2].code, name="三", kind=Organisation.Kind.ENTERPRISE)
    with pytest.raises(PermissionDenied):
        mandates.give_mandate(mandate.principal, third.code, timezone.localdate(), other)


def test_what_is_no_mandate_is_refused_beside_its_field(other: User, people: Any, browser_of: Any, mandate: Mandate) -> None:
    unit, by, today = people["enterprise"].organisation, people["enterprise"], timezone.localdate()
    agent = other.organisation.code  # type: ignore[union-attr]
    wrong: list[tuple[str, date | None, str]] = [
        ("91410000000000000X", today, "agent"),
        (unit.code, today, "agent"),
        (agent, today, "agent"),  # one is in force
        (agent, today - timedelta(days=1), "until"),
        (agent, None, "until"),
        (agent, shift_months(today, mandates.LONGEST_MONTHS) + timedelta(days=1), "until"),
    ]
    for code, until, field in wrong:
        with pytest.raises(ValidationError) as refused:
            mandates.give_mandate(unit, code, until, by)
        assert field in refused.value.message_dict
    assert Mandate.objects.count() == 1


# --- the first account ------------------------------------------------------------------------------------------------------


def joined(code: str, /, **changes: str) -> Any:
    form = {
        "code": code,
        "username": "firm",
        "display_name": "经办人",
        "password": "Strong-知信-2027",
        "again": "Strong-知信-2027",
    }
    return Browser().post("/my/join", form | changes)


def test_an_invitation_opens_one_account_of_its_enterprise(subjects: list[Subject], people: Any) -> None:
    secret = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    assert joined(secret)["Location"] == "/my/"
    user = User.objects.get(username="firm")
    assert (user.role, user.organisation.code) == (Role.ENTERPRISE_USER, subjects[3].code)  # type: ignore[union-attr]
    assert user.grants.get().granted_by == people["city"]
    assert joined(secret, username="again").status_code == 422
    assert secret not in str(list(Invitation.objects.values()))


@pytest.mark.parametrize(("days", "is_good"), [(13, True), (14, True), (15, False)])
def test_an_invitation_is_good_for_fourteen_days(
    subjects: list[Subject], people: Any, monkeypatch: pytest.MonkeyPatch, days: int, is_good: bool
) -> None:
    secret = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    then = timezone.localdate() + timedelta(days=days)
    monkeypatch.setattr(timezone, "localdate", lambda *_args: then)
    assert (joined(secret).status_code == 302) is is_good


def test_a_new_invitation_makes_the_old_one_worthless(subjects: list[Subject], people: Any) -> None:
    old = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    new = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    assert joined(old).status_code == 422
    assert joined(new).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [{"code": "AAAAAAAAAAAA"}, {"username": "city"}, {"username": ""}, {"username": "a b"}, {"password": "short", "again": "short"}, {"again": "x"}, {"display_name": ""}],
)  # fmt: skip
def test_what_does_not_open_an_account_says_which_field(
    subjects: list[Subject], people: Any, changes: dict[str, str]
) -> None:
    secret = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    answer = joined(secret, **changes)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert "Strong-知信-2027" not in answer.content.decode()
    assert not User.objects.filter(username="firm").exists()


@pytest.mark.parametrize("who", ["approver", "district", "inspector", "department", "enterprise", "auditor", "security", "system"])  # fmt: skip
def test_who_may_not_invite_makes_no_code(subjects: list[Subject], people: Any, who: str) -> None:
    with pytest.raises(PermissionDenied):
        mandates.invite(subjects[3].code, subjects[3].name, people[who])


# --- who read it ------------------------------------------------------------------------------------------------------------


def test_every_reading_by_another_unit_is_listed_without_the_persons_name(
    record: CreditRecord, subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    browser_of("city").get(f"/c/subjects/{subjects[0].code}")
    browser_of("approver").get(f"/c/records/{record.pk}")
    browser_of("city").get(f"/c/subjects/{subjects[1].code}/why")
    browser_of("enterprise").get("/my/why")
    page = browser_of("enterprise").get("/my/reports").content.decode().split("谁看过我的信息")[2]
    assert page.count("<tr>") == 3  # the head, and the two readings
    assert people["city"].organisation.name in page
    assert people["city"].display_name not in page
    assert "查看等级理由" not in page


def test_the_own_report_is_verified_and_holds_what_is_not_published(
    record: CreditRecord, released: Any, browser_of: Any, client: Any
) -> None:
    answer = browser_of("enterprise").get("/my/reports/report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    code = re.findall(r'"(\w+)\.pdf"', answer["Content-Disposition"])[0]
    page = client.get(f"/v/{code}").content.decode()
    assert "真实有效" in page
    assert "得分" not in page
