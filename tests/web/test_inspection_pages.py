"""Pages of inspections: every state shows, forms do what they say, what refuses is shown in words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from web.drawing import NUMBERS, drawing_day, issue_of
from zhixin_web.inspections.models import Draw, Plan, Task

pytestmark = pytest.mark.django_db
TYPED = " ".join(map(str, NUMBERS[0]))


@pytest.fixture
def confirmed(browser_of: Any) -> Callable[[str], Browser]:
    """A browser whose password was confirmed just now, as weighty acts ask."""

    def opening(who: str) -> Browser:
        browser: Browser = browser_of(who)
        session = browser.session
        session["confirmed"] = int(time.time())
        session.save()
        return browser

    return opening


def test_weighty_acts_ask_for_the_password_again(on_the_day: Draw, browser_of: Any) -> None:
    answer = browser_of("city").post(f"/c/inspections/draws/{on_the_day.pk}/act", {"act": "enter", "numbers0": TYPED})
    assert answer["Location"].startswith("/c/confirm")
    assert on_the_day.entries.count() == 0


def text_of(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize("who", ["city", "approver", "auditor", "inspector", "district"])
def test_every_page_shows_before_anything_is_there(people: Any, browser_of: Any, who: str) -> None:
    assert "还没有抽查计划" in text_of(browser_of(who), "/c/inspections")


def test_a_plan_is_made_proposed_approved_filed_and_committed(
    make: Any, inspectors: Any, confirmed: Any, release: Any
) -> None:
    city, approver = confirmed("city"), confirmed("approver")
    fields = {
        "year": "2026",
        "title": "抽查",
        "basis": "一号",
        "items": ["trademark_use"],
        "release": release.pk,
        "team": "2",
        "cap": "40",
        "inversion": "户数少",
    }
    answer = city.post("/c/inspections/plans/new", fields)
    plan = Plan.objects.get()
    assert answer["Location"].endswith(f"/{plan.pk}")
    assert "合计" in text_of(city, f"/c/inspections/plans/{plan.pk}")
    act = f"/c/inspections/plans/{plan.pk}/act"
    for browser, given in (
        (city, {"act": "propose"}),
        (approver, {"act": "approve"}),
        (city, {"act": "file", "number": "备1"}),
    ):
        browser.post(act, given)
    day = drawing_day()
    city.post(act, {"act": "commit", "game": "kl8", "issue": issue_of(day), "day": day.isoformat()})
    plan.refresh_from_db()
    assert plan.status == "filed"
    assert Draw.objects.get().status == "committed"


def test_what_is_wrong_in_a_plan_stands_beside_its_field_and_what_was_typed_is_kept(released: Any, browser_of: Any) -> None:
    answer = browser_of("city").post("/c/inspections/plans/new", {"year": "x", "title": "留下我", "team": "²", "cap": "-1"})
    text = answer.content.decode()
    assert "留下我" in text
    assert "请填写整数" in text
    assert Plan.objects.count() == 0


def test_a_draw_is_entered_by_two_and_published(on_the_day: Draw, confirmed: Any) -> None:
    address = f"/c/inspections/draws/{on_the_day.pk}"
    city, approver = confirmed("city"), confirmed("approver")
    assert "录入公共号码" in text_of(city, address)
    city.post(f"{address}/act", {"act": "enter", "numbers0": TYPED})
    assert "等待另一人独立录入" in text_of(approver, address)
    assert "录入公共号码" not in text_of(city, address)
    approver.post(f"{address}/act", {"act": "enter", "numbers0": TYPED.replace(" ", "，")})
    assert "入样概率" in text_of(city, address)
    approver.post(f"{address}/act", {"act": "publish"})
    on_the_day.refresh_from_db()
    assert on_the_day.status == "published"


@pytest.mark.parametrize("typed", ["", "abc", "²", "1e9", "1 2 3", "99999999999999999999", "\x00"])
def test_numbers_that_are_none_are_refused_in_words(on_the_day: Draw, confirmed: Any, typed: str) -> None:
    answer = confirmed("city").post(
        f"/c/inspections/draws/{on_the_day.pk}/act", {"act": "enter", "numbers0": typed}, follow=True
    )
    assert answer.status_code == 200
    assert on_the_day.entries.count() == 0


def test_a_task_is_filled_reviewed_and_published(task: Task, browser_of: Any) -> None:
    address = f"/c/inspections/tasks/{task.pk}"
    inspector, city = browser_of("inspector"), browser_of("city")
    assert "填写结果" in text_of(inspector, address)
    wrong = inspector.post(address, {"act": "submit", "note": "写了很多"}).content.decode()
    assert "写了很多" in wrong
    assert "请选择" in wrong
    inspector.post(
        address,
        {
            "act": "submit",
            "method": "on_site",
            "result": "clean",
            "disposal": "none",
            "inspected_on": timezone.localdate().isoformat(),
        },
    )
    assert "复核通过" in text_of(city, address)
    city.post(address, {"act": "accept"})
    assert "公示已复核的 1 件结果" in text_of(city, "/c/inspections?status=reviewed")
    city.post("/c/inspections/results")
    task.refresh_from_db()
    assert task.status == "published"


def test_an_inspector_sees_own_tasks_only(task: Task, drawn: Draw, browser_of: Any, people: Any) -> None:
    browser = browser_of("inspector")
    others = Task.objects.exclude(assignments__inspector__account=people["inspector"])
    for item in others:
        assert browser.get(f"/c/inspections/tasks/{item.pk}").status_code == 404
    assert browser.get(f"/c/inspections/tasks/{task.pk}").status_code == 200


def test_a_draw_shows_an_inspector_no_task_of_others(task: Task, drawn: Draw, browser_of: Any) -> None:
    text = text_of(browser_of("inspector"), f"/c/inspections/draws/{drawn.pk}")
    for item in Task.objects.filter(draw=drawn):
        assert (item.number in text) is item.assignments.filter(inspector__account__username="inspector").exists()


def test_recusal_and_substitution_from_the_page(task: Task, browser_of: Any) -> None:
    city, address = browser_of("city"), f"/c/inspections/tasks/{task.pk}"
    first = task.assignments.order_by("pk").first().inspector
    city.post(address, {"act": "recuse", "inspector": first.code, "reason": "亲属"})
    assert "亲属" in text_of(city, address)
    answer = city.post(address, {"act": "substitute", "reason": "已注销"})
    assert answer.status_code == 302
    task.refresh_from_db()
    assert task.status == "replaced"


# --- in public -------------------------------------------------------------------------------------------------------


def test_the_public_sees_a_commitment_before_the_numbers(committed: Draw) -> None:
    text = text_of(Browser(), f"/draws/{committed.draw_id}")
    assert committed.commitment in text
    assert "谁也不知道" in text
    assert json.loads(text_of(Browser(), f"/draws/{committed.draw_id}.json"))["commitment"] == committed.commitment


def test_the_public_sees_who_was_drawn_and_gets_the_files(drawn: Draw) -> None:
    text = text_of(Browser(), f"/draws/{drawn.draw_id}")
    for found in drawn.document["strata"].values():
        for _ticket, code in found["picked"]:
            assert f"/draws/{drawn.draw_id}/{code}" in text
    assert json.loads(text_of(Browser(), f"/draws/{drawn.draw_id}.json")) == drawn.document
    assert "DRAW VERIFIED" in text_of(Browser(), "/verify_draw.py")
    assert drawn.draw_id in text_of(Browser(), "/draws")


def test_every_enterprise_of_the_frame_finds_its_proof(drawn: Draw) -> None:
    for line in drawn.document["frame"]:
        code = line.split("\t")[0]
        assert drawn.document["plan"]["frame_root"] in text_of(Browser(), f"/draws/{drawn.draw_id}/{code}")
    assert Browser().get(f"/draws/{drawn.draw_id}/91419900000000000X").status_code == 404
    assert Browser().get("/draws/none").status_code == 404
