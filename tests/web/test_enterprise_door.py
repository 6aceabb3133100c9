"""The enterprise's own door: it reads all that is held of it and nothing of others, applies step by step, and sees who read it."""

from __future__ import annotations

import io
import os
import re
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
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
from zhixin_web.cases.services.grounds import conducts
from zhixin_web.cases.services.transitions import carry_out, steps_open_to
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.jobs import tick
from zhixin_web.jobs.case_invariants import case_deviations
from zhixin_web.jobs.grade_and_file_invariants import file_deviations
from zhixin_web.received import store
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record

pytestmark = pytest.mark.django_db
WORDS = "（虚构）罚款已缴清，违法行为已改正"


def seen(draft: CaseDraft) -> str:
    """What somebody has looked at who opens the last page of a draft now."""
    draft.refresh_from_db()
    return drafts.as_shown(draft)


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
    case = drafts.submit(draft, people["enterprise"], seen(draft))
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


def test_ticked_actions_show_what_the_engine_makes_of_them(released: Any, people: Any, browser_of: Any) -> None:
    unit = people["enterprise"].organisation
    unit.code = CurrentGrade.objects.exclude(step__startswith="exclude:").select_related("subject")[0].subject.code
    unit.save()
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


def test_what_changed_since_it_was_looked_at_is_not_submitted_unseen(
    draft: CaseDraft, record: CreditRecord, browser_of: Any, people: Any, take: Any, penalty: Any
) -> None:
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    browser, looked_at = browser_of("enterprise"), seen(draft)
    drafts.keep_words(draft, "（虚构）同事改写的说明", 2, people["enterprise"])
    answer = browser.post(f"/my/drafts/{draft.pk}/check", {"seen": looked_at})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "（虚构）同事改写的说明" in page
    assert "有了变化" in page
    looked_at = seen(draft)
    attachments.attach(draft, "说明.pdf", [pdf()], people["enterprise"])
    assert browser.post(f"/my/drafts/{draft.pk}/check", {"seen": looked_at}).status_code == 409
    looked_at = seen(draft)
    change_record(record, state="revoked", on=timezone.localdate(), basis="（虚构）撤1号", by=people["city"])
    assert browser.post(f"/my/drafts/{draft.pk}/check", {"seen": looked_at}).status_code == 409
    assert not Case.objects.exists()


def test_submitting_twice_opens_one_case(draft: CaseDraft, browser_of: Any, people: Any) -> None:
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    browser = browser_of("enterprise")
    looked_at = seen(draft)
    first = browser.post(f"/my/drafts/{draft.pk}/check", {"seen": looked_at})
    assert first["Location"].startswith("/my/cases/")
    assert browser.post(f"/my/drafts/{draft.pk}/check", {"seen": looked_at}).status_code == 404
    with pytest.raises(ValidationError):
        drafts.submit(draft, people["enterprise"], looked_at)
    assert Case.objects.count() == 1


def test_eligibility_is_judged_again_at_submission_and_the_draft_stays(
    draft: CaseDraft, record: CreditRecord, people: Any, browser_of: Any
) -> None:
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = open_case("repair", record=record, subject=record.subject, text=WORDS, by=people["city"])
    for step, who in (("accept", "city"), ("propose_grant", "city"), ("grant", "approver")):
        case = carry_out(case, step, by=people[who], reason=WORDS)
    refused = browser_of("enterprise").post(f"/my/drafts/{draft.pk}/check", {"seen": seen(draft)})
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
    case = drafts.submit(draft, people["enterprise"], seen(draft))
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


def written(catalog: bytes = b"", page: bytes = b"", **objects: bytes) -> bytes:
    """A PDF as somebody writes it by hand who means harm; ``objects`` by number, as ``o5=…``."""
    parts = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] " + page + b" >>",
    } | {int(name[1:]): body for name, body in objects.items()}
    out, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, body in parts.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start, size = len(out), max(parts) + 1
    rows = [
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n" for number in range(size)
    ]
    out += b"xref\n0 %d\n" % size + b"".join(rows)
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start))


def stream(head: bytes, body: bytes) -> bytes:
    return b"<< " + head + b" /Length %d >>\nstream\n" % len(body) + body + b"\nendstream"


FILE = {"o5": stream(b"", b"MZ"), "o6": b"<< /Type /Filespec /F (x.exe) /EF << /F 5 0 R >> >>"}
ACTIVE = {
    "script-escaped": written(b"/OpenAction << /S /J#61vaScript /J#53 (app.alert(1)) >>"),
    "page-action": written(page=b"/AA << /O << /S /URI /URI (http://evil.example/) >> >>"),
    "name-tree": written(b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>"),
    "type-elsewhere": written(b"/OpenAction << /S 7 0 R /F (cmd.exe) >>", o7=b"/Launch"),
    "doubled-key": written(page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /GoTo /S /Launch /F (cmd.exe) >> >>]"),
    "attached-untyped": written(page=b"/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 6 0 R >>]", **FILE),
    "associated-untyped": written(b"/AF [6 0 R]", **FILE),
    "other-file": written(b"/OpenAction << /S /GoToR /F (\\\\\\\\evil\\\\x.pdf) /D [0 /Fit] >>"),
    "beacon": written(b"/OpenAction << /S /URI /URI (http://evil.example/track) >>"),
    "rendition": written(b"/OpenAction << /S /Rendition /OP 0 >>"),
    "movie": written(page=b"/Annots [<< /Subtype /Movie /Rect [0 0 9 9] /Movie << /F (http://evil.example/x.mov) >> >>]"),
    "outside-stream": written(page=b"/Contents 5 0 R", o5=b"<< /Length 0 /F (x) >>\nstream\n\nendstream"),
    "solid": written(page=b"/Annots [<< /Subtype /3D /Rect [0 0 9 9] /3DD 5 0 R >>]", o5=stream(b"/Type /3D /Subtype /U3D", b"x")),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVE)
def test_a_pdf_that_acts_or_carries_something_is_refused(draft: CaseDraft, people: Any, name: str) -> None:
    with pytest.raises(ValidationError, match="脚本"):
        attachments.attach(draft, "a.pdf", [ACTIVE[name]], people["enterprise"])


def test_a_pdf_that_opens_at_a_place_or_links_to_a_page_is_taken(draft: CaseDraft, people: Any) -> None:
    jump = written(b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>")
    place = written(b"/OpenAction [3 0 R /Fit]")
    link = written(
        page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.cn) >> >>]"
    )
    for number, content in enumerate((jump, place, link)):
        attachments.attach(draft, f"{number}.pdf", [content], people["enterprise"])


def test_a_photo_of_a_phone_with_its_preview_is_a_jpeg(draft: CaseDraft, people: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60))])
    assert attachments.attach(draft, "IMG_1.jpg", [out.getvalue()], people["enterprise"]).kind == "image/jpeg"


def test_of_several_files_the_sound_ones_are_kept_and_the_faulty_named(draft: CaseDraft, browser_of: Any) -> None:
    sent = [("good.png", picture()), ("bad.exe", b"MZ"), ("fine.png", picture(size=(8, 8)))]
    files = [SimpleUploadedFile(name, content) for name, content in sent]
    answer = browser_of("enterprise").post(f"/my/drafts/{draft.pk}/files", {"file": files})
    assert answer.status_code == 422
    assert "bad.exe: " in answer.content.decode()
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["fine.png", "good.png"]


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


def _a_day_later(path: Path) -> None:
    """Make a file, and the last sweep of its folder, a day older."""
    then = time.time() - 86_401
    os.utime(path, (then, then))
    (path.parents[1] / store.SWEPT).unlink(missing_ok=True)


def test_a_content_is_swept_when_nothing_has_named_it_for_a_day(draft: CaseDraft, record: CreditRecord, people: Any) -> None:
    held = attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    second = drafts.begin(procedures()["objection"], record, people["enterprise"])
    attachments.attach(second, "b.png", [picture()], people["enterprise"])
    path = attachments.path_of(held.sha256)
    drafts.discard(draft, people["enterprise"])
    _a_day_later(path)
    list(tick.sweep())
    assert path.exists()  # the other draft needs it
    drafts.discard(second, people["enterprise"])
    _a_day_later(path)
    third = drafts.begin(procedures()["statement"], record, people["enterprise"])
    with pytest.raises(ValidationError):
        attachments.attach(CaseDraft(pk=999_999), "c.png", [picture()], people["enterprise"])
    (path.parents[1] / store.SWEPT).unlink(missing_ok=True)
    list(tick.sweep())
    assert path.exists()  # sent again a moment ago, whoever it was for
    drafts.discard(third, people["enterprise"])
    _a_day_later(path)
    list(tick.sweep())
    assert not path.exists()


def test_nothing_of_a_submitted_case_is_taken_away(draft: CaseDraft, people: Any) -> None:
    held = attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    stale = Attachment.objects.select_related("draft").get(pk=held.pk)
    case = drafts.submit(draft, people["enterprise"], seen(draft))
    with pytest.raises(ValidationError):
        attachments.remove(stale, people["enterprise"])
    for act in (
        lambda: drafts.discard(draft, people["enterprise"]),
        lambda: drafts.keep_words(draft, "x", 2, people["enterprise"]),
    ):
        with pytest.raises(ValidationError, match="已提交或删除"):
            act()
    with pytest.raises(ValidationError, match="已提交或删除"):
        attachments.attach(draft, "b.png", [picture(size=(9, 9))], people["enterprise"])
    assert case.attachments.get().sha256 == held.sha256
    assert attachments.path_of(held.sha256).exists()
    assert case_deviations()[1] == []


def test_a_file_that_somebody_takes_out_of_a_case_is_named(draft: CaseDraft, people: Any) -> None:
    attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"], seen(draft))
    QuerySet.delete(Attachment.objects.all())
    assert any(f"cases_attachment of case {case.pk}" in fault for fault in case_deviations()[1])


def test_a_file_that_somebody_changes_on_the_disk_is_named_and_not_served(
    draft: CaseDraft, people: Any, browser_of: Any
) -> None:
    held = attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"], seen(draft))
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
        drafts.submit(draft, people["other"], seen(draft))
    assert CaseDraft.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize("end", ["mandate", "account"])
def test_who_filed_is_remembered_when_the_account_does_not_act_any_more(
    mandate: Mandate, record: CreditRecord, people: Any, end: str
) -> None:
    agent = people["other"]
    case = open_case("repair", record=record, subject=record.subject, text=WORDS, by=agent)
    if end == "mandate":
        mandates.end_mandate(mandate, people["enterprise"])
    else:
        User.objects.filter(pk=agent.pk).update(is_active=False)
    case.refresh_from_db()
    assert "withdraw" not in [step.id for step in steps_open_to(people["city"], case)]
    with pytest.raises(PermissionDenied):
        carry_out(case, "withdraw", by=people["city"], reason=WORDS)


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
    [{"code": "AAAAAAAAAAAA"}, {"username": "city"}, {"username": "City"}, {"username": "сity"}, {"username": ""}, {"username": "a b"}, {"username": "x" * 31}, {"password": "Ab1-" * 40, "again": "Ab1-" * 40}, {"password": "short", "again": "short"}, {"again": "x"}, {"display_name": ""}],
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


def test_the_code_of_a_unit_is_not_invited_and_the_page_says_so(
    subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    Organisation.objects.create(code=subjects[3].code, name="单位", kind=Organisation.Kind.MEMBER_UNIT)
    browser = browser_of("city")
    session = browser.session
    session["confirmed"] = int(time.time())
    session.save()
    answer = browser.post(f"/c/subjects/{subjects[3].code}/invite", follow=True)
    assert "不能按企业开通" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_a_number_of_a_person_is_hidden_in_a_name(subjects: list[Subject], people: Any) -> None:
    secret = mandates.invite(subjects[3].code, subjects[3].name, people["city"])
    joined(secret, display_name="张三 410105199001011234")
    assert "410105199001011234" not in User.objects.get(username="firm").display_name


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


def uses(browser_of: Any) -> str:
    return str(browser_of("enterprise").get("/my/reports").content.decode().split("谁看过我的信息")[-1])


def test_papers_files_exports_and_the_agent_are_listed_too(
    draft: CaseDraft, mandate: Mandate, subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    attachments.attach(draft, "a.png", [picture()], people["enterprise"])
    drafts.keep_words(draft, WORDS, 1, people["enterprise"])
    case = drafts.submit(draft, people["enterprise"], seen(draft))
    carry_out(case, "decline", by=people["city"], reason=WORDS)
    city = browser_of("city")
    city.get(f"/c/cases/{case.pk}/files/{case.attachments.get().pk}")
    city.get(f"/c/cases/{case.pk}/paper/0")
    city.post("/c/subjects/export", {"query": ""})
    agent = browser_of("other")
    agent.post("/my/for", {"code": subjects[0].code})
    agent.get("/my/reports/report.pdf")
    page = uses(browser_of)
    for said in ("查看办件材料", "查看办件文书", "导出企业名单", "代理人下载信用报告"):
        assert said in page
    assert (
        "代理人"
        not in browser_of("other").get("/my/reports").content.decode().split("谁看过我的信息")[-1].split("<table>")[0]
    )


def test_a_determination_is_not_told_by_the_list_before_its_notice(
    subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    details = {"conduct": conducts()[0], "document": "（虚构）文〔2026〕1号", "document_on": "2026-01-05", "is_final": "1"}
    case = open_case("determination", subject=subjects[0], text=WORDS, details=details, by=people["city"])
    browser_of("city").get(f"/c/cases/{case.pk}")
    assert "办理案件" not in uses(browser_of)
    carry_out(case, "notify", by=people["city"], reason=WORDS)
    assert "办理案件" in uses(browser_of)


def test_a_reason_shows_no_number_of_a_person(record: CreditRecord, browser_of: Any) -> None:
    browser_of("city").post(f"/c/records/{record.pk}/unmask", {"reason": "核对 410105199001011234"})
    page = uses(browser_of)
    assert "核对" in page
    assert "410105199001011234" not in page


def test_who_is_out_of_scope_is_not_told_to_rise(
    released: Any, subjects: list[Subject], people: Any, browser_of: Any
) -> None:
    out = CurrentGrade.objects.filter(step__startswith="exclude:").select_related("subject").first()
    if out is None:
        pytest.skip("everybody is in scope")
    unit = people["enterprise"].organisation
    unit.code = out.subject.code
    unit.save()
    page = browser_of("enterprise").get("/my/improve").content.decode()
    assert "不在评价范围内" in page
    assert 'name="do"' not in page


def test_the_own_report_is_verified_and_holds_what_is_not_published(
    record: CreditRecord, released: Any, browser_of: Any, client: Any
) -> None:
    answer = browser_of("enterprise").get("/my/reports/report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    code = re.findall(r'"(\w+)\.pdf"', answer["Content-Disposition"])[0]
    page = client.get(f"/v/{code}").content.decode()
    assert "真实有效" in page
    assert "得分" not in page
