"""What a phone reports of a visit is taken exactly once, whole, from the team alone, or kept as refused with its reasons."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from PIL import Image

from zhixin_web.accounts.models import User
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.faces.inspector.words import words
from zhixin_web.inspections.models import Draw, Inspector, Task, VisitPhoto, VisitReport
from zhixin_web.inspections.queries import visits_to
from zhixin_web.inspections.services import visit_reports
from zhixin_web.inspections.services.ratings import QUESTIONS, rate_visit
from zhixin_web.inspections.services.results import review_result, submit_result
from zhixin_web.inspections.services.visit_reports import ANSWERS, KeyReused, add_photo, missing_photos, take_report

pytestmark = pytest.mark.django_db
KEY = "0b5f0a4e-9f2c-4a57-8a8e-1f0d3c8f7a11"


def picture(number: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60 + number, 40), (number, 80, 160)).save(out, kind)
    return out.getvalue()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PICTURES = [picture(number) for number in range(5)]
"""Two photos, two inspectors' signatures, the enterprise's."""


def content_of(task: Task, **changes: Any) -> dict[str, Any]:
    now = timezone.now().isoformat()
    codes = list(task.assignments.filter(recused_reason="").values_list("inspector__code", flat=True))[:2]
    asked = [(item.code, place) for item in visit_reports.items_of(task) for place in range(len(item.checklist))]
    return {
        "started_at": now, "submitted_at": now, "inspected_on": timezone.localdate().isoformat(), "method": "on_site", "result": "clean",
        "disposal": "none", "note": "", "answers": [{"item": item, "question": place, "answer": "fine", "remark": ""} for item, place in asked],
        "photos": [{"sha256": sha(item), "taken_at": now, "caption": "（虚构）门头", "place": None} for item in PICTURES[:2]],
        "inspectors": [{"code": code, "sha256": sha(item)} for code, item in zip(codes, PICTURES[2:4], strict=False)],
        "party": {"kind": "signed", "name": "（虚构）店长", "sha256": sha(PICTURES[4])},
    } | changes  # fmt: skip


def send_pictures(task: Task, by: User, pictures: list[bytes] = PICTURES) -> None:
    for item in pictures:
        add_photo(task, sha(item), [item], by)


def report(task: Task, by: User, key: str = KEY, device_at: datetime | None = None, **changes: Any) -> VisitReport:
    found = take_report(task, key, content_of(task, **changes), by, device_at or timezone.now())
    found.refresh_from_db()
    return found


@pytest.fixture
def inspector(people: Any) -> User:
    found: User = people["inspector"]
    return found


# --- taken ----------------------------------------------------------------------------------------------------------------


def test_a_whole_report_becomes_a_result_a_numbered_record_and_an_entry(task: Task, inspector: User, client: Any) -> None:
    send_pictures(task, inspector)
    taken = report(task, inspector)
    task.refresh_from_db()
    assert (taken.status, task.status, task.result, task.submitted_by) == ("taken", "submitted", "clean", inspector)
    assert taken.number == f"郑市监检〔{timezone.localdate().year}〕1号"
    assert LedgerEntry.objects.filter(kind="inspection.report", ref=f"task:{task.number}").count() == 1
    page = client.get(f"/v/{taken.paper.code}").content.decode()  # type: ignore[union-attr]
    assert taken.number in page
    assert "真实有效" in page


def test_the_same_report_again_changes_nothing(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    content = content_of(task)
    first = take_report(task, KEY, content, inspector, timezone.now())
    again = take_report(task, KEY, content, inspector, timezone.now() + timedelta(minutes=5))
    assert (again.pk, again.number) == (first.pk, first.number)
    assert VisitReport.objects.count() == 1
    assert LedgerEntry.objects.filter(kind="inspection.report").count() == 1


def test_a_key_stands_for_one_content(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    report(task, inspector)
    with pytest.raises(KeyReused):
        report(task, inspector, note="（虚构）另一份")


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_it_waits_until_every_picture_has_arrived(task: Task, inspector: User, order: list[int]) -> None:
    waiting = report(task, inspector)
    for place in order:
        waiting.refresh_from_db()
        assert waiting.status == "waiting"
        assert sha(PICTURES[place]) in missing_photos(waiting)
        task.refresh_from_db()
        assert task.status == "open"
        send_pictures(task, inspector, [PICTURES[place]])
    waiting.refresh_from_db()
    assert (waiting.status, missing_photos(waiting)) == ("taken", [])


def test_numbers_have_neither_gap_nor_double(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    report(task, inspector, "key-refused-0", result="clean", answers=[])
    report(task, inspector, "key-taken-001")
    Task.objects.filter(pk=task.pk).update(status="open")  # sent back by the reviewer
    second = report(task, inspector, "key-taken-002")
    assert [item.serial for item in VisitReport.objects.exclude(serial=None).order_by("pk")] == [1, 2]
    assert second.number.endswith("〕2号")


# --- refused, and kept ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "is_taken"), [(11.9, True), (12.0, True), (12.1, False), (24, False), (-11.9, True), (-12.1, False)])  # fmt: skip
def test_a_phone_whose_clock_is_wrong_by_half_a_day_is_told(
    task: Task,
    inspector: User,
    hours: float,
    is_taken: bool,
) -> None:
    send_pictures(task, inspector)
    edge = 1 if abs(hours) == 12.0 else 0  # the request itself takes a moment
    device_at = timezone.now() + timedelta(hours=hours) - timedelta(seconds=edge)
    at = {"started_at": device_at.isoformat(), "submitted_at": device_at.isoformat()}
    photos = [item | {"taken_at": device_at.isoformat()} for item in content_of(task)["photos"]]
    found = report(task, inspector, device_at=device_at, photos=photos, **at)
    assert (found.status == "taken") is is_taken
    if not is_taken:
        assert any("手机时间与服务器相差" in fault for fault in found.faults)
        assert found.content["note"] == ""
        assert VisitReport.objects.get().content["answers"]


def one(task: Task, **changes: Any) -> list[dict[str, Any]]:
    first, *rest = content_of(task)["answers"]
    return [first | changes, *rest]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (lambda task: {"answers": one(task, answer="problem", remark="（虚构）标注不规范")}, "结果不能是「未发现问题」"),
        (lambda task: {"answers": one(task, answer="not_checked")}, "没有检查"),
        (lambda task: {"answers": one(task, answer="problem"), "result": "corrected", "note": "（虚构）"}, "请写明情况"),
        (lambda task: {"answers": content_of(task)["answers"][1:]}, "还有 1 个问题没有回答"),
        (lambda task: {"answers": [*content_of(task)["answers"], content_of(task)["answers"][0]]}, "答了两次"),
        (lambda task: {"answers": one(task, item="trademark_agency")}, "不属于该任务"),
        (lambda task: {"inspectors": content_of(task)["inspectors"][:1]}, "须有 2 名当日持有效执法证的检查人员签名"),
        (lambda task: {"inspectors": [content_of(task)["inspectors"][0]] * 2}, "签了两次名"),
        (lambda task: {"inspectors": [content_of(task)["inspectors"][0], {"code": "NOBODY", "sha256": sha(PICTURES[3])}]}, "不是该任务的检查人员"),
        (lambda task: {"party": {"kind": "signed", "name": ""}}, "选择拒签"),
        (lambda task: {"party": {"kind": "refused", "reason": "（虚构）拒绝"}}, "见证人"),
        (lambda task: {"inspectors": [one | {"sha256": sha(PICTURES[2])} for one in content_of(task)["inspectors"]]}, "同一张图片"),
        (lambda task: {"party": {"kind": "signed", "name": "（虚构）", "sha256": sha(PICTURES[0])}}, "同一张图片"),
        (lambda task: {"party": {"kind": "refused", "reason": "（虚构）", "witness": task.assignments.all()[0].inspector.name}}, "见证人不能是"),
        (lambda task: {"submitted_at": "2020-01-01T00:00:00+08:00"}, "提交时间早于开始时间"),
        (lambda task: {"photos": [content_of(task)["photos"][0] | {"taken_at": "2021-01-01T00:00:00+08:00"}]}, "拍摄时间"),
        (lambda task: {"result": "corrected"}, "请写明发现的情况"),
        (lambda task: {"result": "nonsense"}, "请选择"),
        (lambda task: {"inspected_on": (timezone.localdate() + timedelta(days=1)).isoformat()}, "检查日期晚于今天"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_kept_as_refused_with_its_reason(
    task: Task, inspector: User, changes: Any, said: str
) -> None:
    send_pictures(task, inspector)
    found = report(task, inspector, **changes(task))
    assert found.status == "refused"
    assert any(said in fault for fault in found.faults), found.faults
    task.refresh_from_db()
    assert task.status == "open"
    assert not found.number
    assert report(task, inspector, "another-key-0").status == "taken"


def test_refusal_to_sign_with_its_witness_is_taken(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    party = {"kind": "refused", "reason": "（虚构）负责人不在", "witness": "（虚构）物业"}
    assert report(task, inspector, party=party).status == "taken"


@pytest.mark.parametrize(
    "content",
    [{}, {"answers": "x"}, {"unknown": 1}, {"photos": [{"sha256": "x"}]}, {"inspected_on": "2026-02-30"}, {"started_at": "2026-01-01T00:00:00"}, {"note": "x" * 2001}, {"started_at": "9999-12-31T23:59:59Z"}, {"started_at": "0001-01-01T00:00:00+14:00"}, {"photos": [{"sha256": "0" * 64, "taken_at": "2026-01-01T00:00:00Z", "place": {"latitude": 1, "longitude": 1, "accuracy": float("inf")}}]}],
    ids=str,
)  # fmt: skip
def test_what_is_malformed_is_refused_at_once(task: Task, inspector: User, content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        take_report(task, KEY, content_of(task) | content if content else {}, inspector, timezone.now())
    assert not VisitReport.objects.exists()


def test_a_stranger_sends_nothing(task: Task, inspector: User, people: Any) -> None:
    for by in (people["city"], people["district"], people["enterprise"]):
        with pytest.raises(PermissionDenied):
            report(task, by)
        with pytest.raises(PermissionDenied):
            send_pictures(task, by, PICTURES[:1])
    task.assignments.update(recused_reason="（虚构）回避")
    with pytest.raises(PermissionDenied):
        report(task, inspector)


def test_who_comes_second_sees_both_field_by_field(task: Task, inspector: User, people: Any, browser_of: Any) -> None:
    partner = task.assignments.exclude(inspector__account=inspector).first().inspector  # type: ignore[union-attr]
    other = User.objects.create(
        username="partner", display_name="搭档", role="inspector", organisation=inspector.organisation
    )
    Inspector.objects.filter(pk=partner.pk).update(account=other)
    note = "（虚构）已责令改正"
    submit_result(
        task, method="on_site", result="corrected", disposal="order", note=note, inspected_on=timezone.localdate(), by=other
    )
    send_pictures(task, inspector)
    answer = browser_of("inspector").post(
        f"/m/tasks/{task.pk}/report", json.dumps(content_of(task)), content_type="application/json",
        headers={"idempotency-key": KEY, "device-time": timezone.now().isoformat(), "reported-by": "inspector"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.json()["theirs"] == {
        "method": "on_site", "result": "corrected", "disposal": "order", "note": note, "inspected_on": str(timezone.localdate()), "by": "搭档",
    }  # fmt: skip
    task.refresh_from_db()
    assert (task.submitted_by, task.result) == (other, "corrected")
    assert VisitReport.objects.get().status == "refused"


def test_a_task_that_was_replaced_meanwhile_keeps_what_was_typed(task: Task, inspector: User) -> None:
    waiting = report(task, inspector)
    Task.objects.filter(pk=task.pk).update(status="replaced")
    send_pictures(task, inspector)
    waiting.refresh_from_db()
    assert waiting.status == "refused"
    assert "已由候补替换" in waiting.faults[0]


@pytest.mark.parametrize("content", [b"no picture", b"", PICTURES[1]], ids=["text", "empty", "another"])
def test_a_photo_that_is_none_or_another_is_not_taken(task: Task, inspector: User, content: bytes) -> None:
    with pytest.raises(ValidationError):
        add_photo(task, sha(PICTURES[0]), [content], inspector)
    assert not VisitPhoto.objects.filter(sha256=sha(PICTURES[0])).exists()


def test_the_same_photo_twice_is_one(task: Task, inspector: User) -> None:
    for _time in range(2):
        send_pictures(task, inspector, PICTURES[:1])
    assert VisitPhoto.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "（虚构）𪚥龘",
        "（虚构）ไทย",
        "（虚构）\uffff",
        "（虚构）\x01",
        "（虚构）\x00末",
        "（虚构）\ud7ff",
        "（虚构）#strong[x] $x$ \\ @a",
    ],
)
def test_whatever_is_written_becomes_a_paper(task: Task, inspector: User, text: str) -> None:
    send_pictures(task, inspector)
    asked = [one | {"answer": "problem", "remark": text} for one in content_of(task)["answers"]]
    party = content_of(task)["party"] | {"name": text}
    photos = [one | {"caption": text} for one in content_of(task)["photos"]]
    found = report(
        task, inspector, note=text, answers=asked, party=party, photos=photos, result="corrected", disposal="order"
    )
    assert found.status == "taken", found.faults


def test_numbers_of_persons_are_hidden_everywhere(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    text = "（虚构）410105199001011234 电话 13812345678"
    party = content_of(task)["party"] | {"name": text}
    found = report(task, inspector, note=text, party=party, result="corrected", disposal="order")
    task.refresh_from_db()
    held = json.dumps(found.content, ensure_ascii=False) + task.note
    assert "410105199001011234" not in held
    assert "13812345678" not in held


def test_a_later_report_replaces_one_that_waits(task: Task, inspector: User) -> None:
    first = report(task, inspector, "first-key-00", note="（虚构）旧的", result="corrected", disposal="order")
    second = report(task, inspector, "second-key-0")
    send_pictures(task, inspector)
    first.refresh_from_db()
    second.refresh_from_db()
    task.refresh_from_db()
    assert (first.status, second.status, task.result) == ("refused", "taken", "clean")


def test_a_report_that_waits_is_closed_when_anothers_is_taken(task: Task, inspector: User) -> None:
    partner = task.assignments.exclude(inspector__account=inspector).first().inspector  # type: ignore[union-attr]
    other = User.objects.create(
        username="partner", display_name="搭档", role="inspector", organisation=inspector.organisation
    )
    Inspector.objects.filter(pk=partner.pk).update(account=other)
    extra = picture(9)
    now = timezone.now().isoformat()
    waiting = report(
        task, other, "partner-key-0", photos=[{"sha256": sha(extra), "taken_at": now, "caption": "", "place": None}]
    )
    send_pictures(task, inspector)
    assert report(task, inspector).status == "taken"
    waiting.refresh_from_db()
    assert waiting.status == "refused"
    Task.objects.filter(pk=task.pk).update(status="open")  # sent back: what had waited does not come back to life
    add_photo(Task.objects.get(pk=task.pk), sha(extra), [extra], inspector)
    waiting.refresh_from_db()
    assert waiting.status == "refused"


def test_a_waiting_report_of_who_was_recused_does_not_hold_up_the_partner(task: Task, inspector: User) -> None:
    partner = task.assignments.exclude(inspector__account=inspector).first().inspector  # type: ignore[union-attr]
    other = User.objects.create(
        username="partner", display_name="搭档", role="inspector", organisation=inspector.organisation
    )
    Inspector.objects.filter(pk=partner.pk).update(account=other)
    waiting = report(task, other, "partner-key-0")
    task.assignments.filter(inspector=partner).update(recused_reason="（虚构）回避")
    send_pictures(task, inspector)
    waiting.refresh_from_db()
    assert (waiting.status, VisitPhoto.objects.count()) == ("refused", len(PICTURES))


def test_a_result_that_was_sent_back_has_one_record_in_force_and_the_phone_is_told(
    task: Task, inspector: User, people: Any, browser_of: Any, client: Any
) -> None:
    send_pictures(task, inspector)
    first = report(task, inspector, "first-key-00", note="（虚构）第一次")
    task.refresh_from_db()
    review_result(task, people["city"], accept=False, reason="（虚构）请补充照片")
    brief = next(item for item in browser_of("inspector").get("/m/tasks.json").json()["tasks"] if item["id"] == task.pk)
    assert brief["returned"]["reason"] == "（虚构）请补充照片"
    assert brief["returned"]["content"]["note"] == "（虚构）第一次"
    assert brief["history"] == []
    second = report(task, inspector, "second-key-0")
    assert second.status == "taken"
    assert "已撤回" in client.get(f"/v/{first.paper.code}").content.decode()  # type: ignore[union-attr]
    assert "真实有效" in client.get(f"/v/{second.paper.code}").content.decode()  # type: ignore[union-attr]
    assert browser_of("inspector").get(f"/m/tasks/{task.pk}/record.pdf")["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(("days", "is_taken"), [(-1, False), (0, True), (1, True)])
def test_who_signs_holds_a_certificate_on_the_day(task: Task, inspector: User, days: int, is_taken: bool) -> None:
    send_pictures(task, inspector)
    partner = task.assignments.exclude(inspector__account=inspector).first().inspector  # type: ignore[union-attr]
    Inspector.objects.filter(pk=partner.pk).update(valid_until=timezone.localdate() + timedelta(days=days))
    assert (report(task, inspector).status == "taken") is is_taken


def test_who_reports_has_signed(task: Task, inspector: User) -> None:
    third = Inspector.objects.exclude(assignments__task=task).order_by("pk")[0]
    task.assignments.create(inspector=third)
    mine = task.assignments.get(inspector__account=inspector).inspector.code
    send_pictures(task, inspector)
    codes = [code for code in task.assignments.values_list("inspector__code", flat=True) if code != mine]
    signed = [{"code": code, "sha256": sha(item)} for code, item in zip(codes, PICTURES[2:4], strict=True)]
    found = report(task, inspector, inspectors=signed)
    assert found.faults == ["提交报告的检查人员本人没有签名"]


@pytest.mark.parametrize("content", [picture(70, "JPEG"), picture(7) + b"\0" * 400_000], ids=["photo", "large"])
def test_a_signature_is_a_small_picture_of_the_page(task: Task, inspector: User, content: bytes) -> None:
    party = {"kind": "signed", "name": "（虚构）", "sha256": sha(content)}
    send_pictures(task, inspector, [*PICTURES[:4], content])
    assert any("签名图片" in fault for fault in report(task, inspector, party=party).faults)


def test_no_more_pictures_than_reports_can_need(task: Task, inspector: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit_reports, "MOST_PICTURES", 2)
    send_pictures(task, inspector, PICTURES[:2])
    with pytest.raises(ValidationError, match="上限"):
        send_pictures(task, inspector, PICTURES[2:3])
    Task.objects.filter(pk=task.pk).update(status="published")
    with pytest.raises(ValidationError):
        add_photo(Task.objects.get(pk=task.pk), sha(PICTURES[3]), [PICTURES[3]], inspector)


# --- the doors --------------------------------------------------------------------------------------------------------------


def test_the_phone_gets_its_own_tasks_alone(task: Task, inspector: User, browser_of: Any) -> None:
    found = browser_of("inspector").get("/m/tasks.json").json()
    assert task.pk in [item["id"] for item in found["tasks"]]
    assert all(any(one["is_me"] for one in item["team"]) for item in found["tasks"])


@pytest.mark.parametrize(
    "who", ["city", "approver", "district", "department", "enterprise", "auditor", "security", "system"]
)
def test_nobody_else_has_a_pocket(who: str, people: Any, browser_of: Any) -> None:
    for path in ("/m/", "/m/tasks.json", "/m/check.json?code=x", "/m/tasks/1/record.pdf"):
        assert browser_of(who).get(path).status_code == 403


@pytest.mark.parametrize("key", ["", "short", "x" * 37, "键" * 10])
def test_a_report_without_a_sound_key_is_refused(task: Task, inspector: User, browser_of: Any, key: str) -> None:
    answer = browser_of("inspector").post(
        f"/m/tasks/{task.pk}/report",
        b"{}",
        content_type="application/json",
        headers={"idempotency-key": key, "reported-by": "inspector"},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("author", ["", "partner", "INSPECTOR"])
def test_what_another_has_filled_in_is_not_sent_in_ones_own_name(
    task: Task, inspector: User, browser_of: Any, author: str
) -> None:
    browser = browser_of("inspector")
    for path, body in (
        (f"/m/tasks/{task.pk}/report", json.dumps(content_of(task))),
        (f"/m/tasks/{task.pk}/photos/{sha(PICTURES[0])}", "x"),
    ):
        answer = browser.post(
            path, body, content_type="application/json", headers={"idempotency-key": KEY, "reported-by": author}
        )
        assert (answer.status_code, answer.json()["state"]) == (409, "other_user")
    assert not VisitReport.objects.exists()


def test_the_page_that_a_phone_keeps_names_nobody(inspector: User, browser_of: Any) -> None:
    page = browser_of("inspector").get("/m/").content.decode()
    assert inspector.display_name not in page
    assert inspector.username not in page.replace("inspectors", "").replace("inspector_signs", "")


@pytest.mark.parametrize(
    "said", ["", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "nonsense"]
)
def test_a_time_that_no_clock_says_is_no_error(task: Task, inspector: User, browser_of: Any, said: str) -> None:
    answer = browser_of("inspector").post(
        f"/m/tasks/{task.pk}/report", json.dumps(content_of(task)), content_type="application/json",
        headers={"idempotency-key": KEY, "device-time": said, "reported-by": "inspector"},
    )  # fmt: skip
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{}\n",
        "https://example.cn/?a={}&b=1",
        "统一社会信用代码：{}；名称：虚构",
        "https://example.cn/{}?x",
        "{}#x",
        "NATIONALENTERPRISE {}",
    ],
)
def test_a_code_is_found_in_what_a_licence_holds(task: Task, inspector: User, browser_of: Any, form: str) -> None:
    found = browser_of("inspector").get("/m/check.json", {"code": form.format(task.subject.code)})
    assert found.json().get("code") == task.subject.code
    wide = "".join(chr(ord(char) + 0xFEE0) for char in task.subject.code)
    assert browser_of("inspector").get("/m/check.json", {"code": wide}).json().get("code") == task.subject.code


def test_who_is_on_leave_or_has_a_conflict_must_not_go_in(task: Task, inspector: User, people: Any, browser_of: Any) -> None:
    mine, today = Inspector.objects.get(account=inspector), timezone.localdate()
    Inspector.objects.filter(pk=mine.pk).update(on_leave_from=today, on_leave_until=today)
    mine.conflicts.create(subject=task.subject, reason="（虚构）亲属", declared_by=people["city"])
    found = browser_of("inspector").get("/m/check.json", {"code": task.subject.code}).json()
    assert (found["may"], len(found["why"])) == (False, 3)


def test_an_enterprise_of_another_district_without_a_task_is_not_shown(
    inspector: User, subjects: Any, browser_of: Any
) -> None:
    other = next(item for item in subjects if item.district != "410105")
    answer = browser_of("inspector").get("/m/check.json", {"code": other.code})
    assert answer.status_code == 404
    assert other.name not in answer.content.decode()


def test_a_phone_that_does_not_say_its_time_is_not_believed(task: Task, inspector: User, browser_of: Any) -> None:
    send_pictures(task, inspector)
    answer = browser_of("inspector").post(
        f"/m/tasks/{task.pk}/report",
        json.dumps(content_of(task)),
        content_type="application/json",
        headers={"idempotency-key": KEY, "reported-by": "inspector"},
    )
    assert (answer.status_code, answer.json()["state"]) == (422, "refused")
    assert VisitReport.objects.get().device_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_the_code_of_a_licence_says_whether_one_may_go_in(
    task: Task, inspector: User, browser_of: Any, subjects: Any
) -> None:
    browser = browser_of("inspector")
    found = browser.get("/m/check.json", {"code": f"https://example.cn/qr?uscc={task.subject.code}"}).json()
    assert (found["may"], found["why"], [item["id"] for item in found["tasks"]]) == (True, [], [task.pk])
    without = next(item for item in subjects if item.district == "410105" and not Task.objects.filter(subject=item).exists())
    refused = browser.get("/m/check.json", {"code": without.code}).json()
    assert (refused["may"], refused["tasks"]) == (False, [])
    assert "不得检查" in refused["why"][0]
    assert browser.get("/m/check.json", {"code": "nonsense"}).status_code == 404
    Inspector.objects.filter(account=inspector).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert not browser.get("/m/check.json", {"code": task.subject.code}).json()["may"]


def test_the_worker_is_another_when_anything_it_keeps_changes(
    people: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zhixin_web.faces.inspector import pocket

    first = client.get("/m/sw.js").content
    monkeypatch.setattr(pocket, "ASSETS", ("zhixin.css",))
    assert client.get("/m/sw.js").content != first
    assert client.get("/m/manifest.webmanifest").json()["scope"] == "/m/"


def test_every_word_that_the_pocket_shows_is_given_and_every_word_given_is_shown() -> None:
    program = (Path(settings.STATICFILES_DIRS[0]) / "pocket.js").read_text(encoding="utf-8")
    named = set(re.findall(r"\bW\.(\w+)", program))
    by_state = {*ANSWERS, *("queued", "sending", "waiting", "taken"), *("offline", "sign_in", "busy", "other_user")}
    by_field = {"method", "result", "disposal", "note", "inspected_on"}
    given = set(words())
    assert named - given == set()
    assert given - named - by_state - by_field == set()
    assert (by_state | by_field) - given == set()


# --- who may, when ----------------------------------------------------------------------------------------------------------


def on_leave(task: Task, mine: Inspector, people: Any) -> None:
    Inspector.objects.filter(pk=mine.pk).update(on_leave_from=timezone.localdate(), on_leave_until=timezone.localdate())


def related(task: Task, mine: Inspector, people: Any) -> None:
    mine.conflicts.create(subject=task.subject, reason="（虚构）亲属", declared_by=people["city"])


def sent_later(task: Task, mine: Inspector, people: Any) -> None:
    task.assignments.filter(inspector=mine).update(assigned_on=timezone.localdate() + timedelta(days=1))


def stopped(task: Task, mine: Inspector, people: Any) -> None:
    Inspector.objects.filter(pk=mine.pk).update(is_active=False)


@pytest.mark.parametrize("change", [on_leave, related, sent_later, stopped])
def test_who_may_not_inspect_on_the_day_signs_no_report(task: Task, inspector: User, people: Any, change: Any) -> None:
    send_pictures(task, inspector)
    change(task, Inspector.objects.get(account=inspector), people)
    found = report(task, inspector)
    assert found.status == "refused"
    assert any("当日不得检查" in fault for fault in found.faults)
    with pytest.raises(ValidationError, match="不足"):
        submit_result(
            task, method="on_site", result="clean", disposal="none", note="", inspected_on=timezone.localdate(), by=inspector
        )


def test_a_witness_is_not_the_inspector_in_other_letters(task: Task, inspector: User) -> None:
    send_pictures(task, inspector)
    name = Inspector.objects.get(account=inspector).name
    for number, written in enumerate((name, f"{name[0]} {name[1:]}", f" {name}。", name + "\u3000")):
        party = {"kind": "refused", "reason": "（虚构）不在场", "witness": written}
        assert any("见证人不能是" in fault for fault in report(task, inspector, f"key-witness-{number}", party=party).faults)


@pytest.mark.parametrize(
    ("started", "submitted", "is_taken"),
    [(0, 0, True), (-1, 9, True), (0, 11, False), (-11 * 60 * 24 * 40, 0, False), (0, 60 * 24 * 400, False)],
)
def test_times_lie_between_the_draw_and_the_sending(
    task: Task, inspector: User, started: int, submitted: int, is_taken: bool
) -> None:
    send_pictures(task, inspector)
    now = timezone.now()
    at = {
        "started_at": (now + timedelta(minutes=started)).isoformat(),
        "submitted_at": (now + timedelta(minutes=submitted)).isoformat(),
    }
    assert (report(task, inspector, device_at=now, **at).status == "taken") is is_taken


def test_a_report_from_before_the_return_does_not_answer_it(task: Task, inspector: User, people: Any, client: Any) -> None:
    send_pictures(task, inspector)
    before = timezone.now()
    taken = report(task, inspector, "key-first-0001")
    review_result(task, people["city"], accept=False, reason="（虚构）请补充照片")
    assert "真实有效" not in client.get(f"/v/{taken.paper.code}").content.decode()  # type: ignore[union-attr]
    late = {"started_at": before.isoformat(), "submitted_at": before.isoformat()}
    stale = report(task, inspector, "key-stale-0001", **late)
    assert any("退回之前" in fault for fault in stale.faults)
    task.refresh_from_db()
    assert task.returned_reason
    assert report(task, inspector, "key-second-001").status == "taken"


def test_of_two_that_wait_the_one_written_last_counts_in_whatever_order_they_come(task: Task, inspector: User) -> None:
    now = timezone.now()
    earlier = {
        "started_at": (now - timedelta(minutes=9)).isoformat(),
        "submitted_at": (now - timedelta(minutes=5)).isoformat(),
    }
    newer = report(task, inspector, "key-newer-0001")
    older = report(task, inspector, "key-older-0001", **earlier)
    newer.refresh_from_db()
    assert (newer.status, older.status) == ("waiting", "refused")


def test_a_visit_that_was_sent_back_is_not_rated(task: Task, inspector: User, people: Any) -> None:
    send_pictures(task, inspector)
    report(task, inspector)
    assert task in visits_to(task.subject.code)
    review_result(task, people["city"], accept=False, reason="（虚构）请补充照片")
    assert task not in visits_to(task.subject.code)
    people["enterprise"].organisation.code = task.subject.code
    people["enterprise"].organisation.save()
    with pytest.raises(ValidationError, match="尚未录入"):
        rate_visit(task, dict.fromkeys(QUESTIONS, "yes"), "", people["enterprise"])


def test_pictures_that_are_held_come_again_without_end(task: Task, inspector: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit_reports, "MOST_PICTURES", len(PICTURES))
    send_pictures(task, inspector)
    send_pictures(task, inspector)
    with pytest.raises(ValidationError, match="上限"):
        send_pictures(task, inspector, [picture(20)])


def test_who_was_drawn_is_public_only_with_the_draw(task: Task, client: Any) -> None:
    draw = task.draw
    for status, is_shown in (("drawn", False), ("published", True)):
        Draw.objects.filter(pk=draw.pk).update(status=status)
        page = client.get(f"/draws/{draw.draw_id}/{task.subject.code}").content.decode()
        assert ("被抽中" in page) is is_shown
        assert ("尚未公布" in page) is not is_shown
