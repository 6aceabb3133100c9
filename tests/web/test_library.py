"""The enterprise library: search, facets, saved views, bulk tags, export; and the desk by deadline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.audit.models import Event
from zhixin_web.cases.services.reports import file_report
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import published_records
from zhixin_web.workspace.desk import tasks_of
from zhixin_web.workspace.models import SavedView, SubjectTag
from zhixin_web.workspace.services.notes import MOST_SAVED_VIEWS


@pytest.fixture
def browser(people: Any) -> Browser:
    found = Browser()
    found.force_login(people["city"])
    return found


@pytest.fixture
def graded(subjects: list[Subject], released: Any) -> list[Subject]:
    return subjects


def test_a_facet_narrows_the_list_and_its_count_is_what_it_gives(browser: Browser, graded: list[Subject]) -> None:
    page = browser.get("/c/subjects")
    counts = {name: dict(values) for name, _title, values in page.context["facets"]}
    for name, values in counts.items():
        for value, count in values.items():
            assert browser.get("/c/subjects", {name: value}).context["total"] == count, (name, value)
    assert {"grade", "district", "industry"} <= counts.keys()


def test_facets_of_a_part_are_counted_when_they_are_opened(browser: Browser, graded: list[Subject]) -> None:
    chosen = {"grade": "B"}
    page = browser.get("/c/subjects", chosen)
    assert page.context["facets"] is None
    assert 'hx-get="/c/subjects/facets?grade=B"' in page.content.decode()
    part = browser.get("/c/subjects/facets", chosen)
    for name, _title, counts in part.context["facets"]:
        for value, count in counts:
            assert browser.get("/c/subjects", chosen | {name: value}).context["total"] == count, (name, value)


def test_a_chosen_facet_is_not_offered_again_and_can_be_taken_off(browser: Browser, graded: list[Subject]) -> None:
    page = browser.get("/c/subjects", {"grade": "B", "district": graded[0].district, "facets": "1"})
    assert {name for name, *_rest in page.context["chosen"]} == {"grade", "district"}
    assert not {"grade", "district"} & {name for name, *_rest in page.context["facets"]}
    assert f'href="?district={graded[0].district}"' in page.content.decode()


@pytest.mark.parametrize("value", ["\x00", "'; DROP TABLE", "Z" * 300, "%00"])
def test_nonsense_in_a_facet_finds_nothing_and_breaks_nothing(browser: Browser, graded: list[Subject], value: str) -> None:
    for name in ("grade", "district", "industry", "class", "tag"):
        assert browser.get("/c/subjects", {name: value}).status_code == 200


def test_a_view_is_kept_under_a_name_replaced_and_dropped(browser: Browser, people: Any) -> None:
    browser.post("/c/subjects/views", {"name": "我的", "query": "grade=B&district=410105"})
    browser.post("/c/subjects/views", {"name": "我的", "query": "grade=C"})
    view = SavedView.objects.get()
    assert (view.by, view.name, view.query) == (people["city"], "我的", "grade=C")
    assert "?grade=C" in browser.get("/c/subjects").content.decode()
    browser.post("/c/subjects/views", {"drop": str(view.pk)})
    assert not SavedView.objects.exists()


def test_nobody_drops_the_view_of_another(browser: Browser, people: Any) -> None:
    other = SavedView.objects.create(by=people["approver"], name="别人的", query="")
    browser.post("/c/subjects/views", {"drop": str(other.pk)})
    assert SavedView.objects.filter(pk=other.pk).exists()


def test_views_are_limited(browser: Browser, people: Any) -> None:
    SavedView.objects.bulk_create(
        SavedView(by=people["city"], name=f"v{number}", query="") for number in range(MOST_SAVED_VIEWS - 1)
    )
    browser.post("/c/subjects/views", {"name": "last", "query": ""})
    assert SavedView.objects.count() == MOST_SAVED_VIEWS
    browser.post("/c/subjects/views", {"name": "one too many", "query": ""})
    assert SavedView.objects.count() == MOST_SAVED_VIEWS


def test_chosen_subjects_are_tagged_once_and_all_of_the_list_by_one_tick(browser: Browser, graded: list[Subject]) -> None:
    for _ in range(2):
        browser.post("/c/subjects/bulk", {"label": "重点", "code": [graded[0].code, graded[1].code], "query": ""})
    assert set(SubjectTag.objects.values_list("subject__code", flat=True)) == {graded[0].code, graded[1].code}
    browser.post("/c/subjects/bulk", {"label": "全部", "all": "1", "query": "grade=B"})
    tagged = browser.get("/c/subjects", {"tag": "全部"}).context["total"]
    assert tagged == browser.get("/c/subjects", {"grade": "B"}).context["total"] > 0
    browser.post("/c/subjects/bulk", {"untag": "全部"})
    assert browser.get("/c/subjects", {"tag": "全部"}).context["total"] == 0


def test_a_district_tags_its_own_subjects_only(people: Any, graded: list[Subject]) -> None:
    browser = Browser()
    browser.force_login(people["district"])
    browser.post("/c/subjects/bulk", {"label": "区里", "code": [item.code for item in graded], "query": ""})
    assert set(SubjectTag.objects.values_list("subject__district", flat=True)) <= {"410105"}


def test_the_list_is_exported_without_formulas_and_the_export_is_noted(browser: Browser, graded: list[Subject]) -> None:
    Subject.objects.filter(pk=graded[0].pk).update(name="=1+1")
    answer = browser.post("/c/subjects/export", {"query": f"district={graded[0].district}"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "code,name,district,industry,grade,score"
    assert len(lines) == 1 + Subject.objects.filter(district=graded[0].district).count()
    assert any("'=1+1" in line for line in lines)
    assert Event.objects.filter(action="subjects.export").count() == 1


# --- the desk -------------------------------------------------------------------------------------------------------------


def test_the_desk_puts_the_nearest_deadline_first_and_marks_what_is_late(
    people: Any, subjects: list[Subject], take: Any, penalty: Any
) -> None:
    take(
        "penalties",
        penalty((subjects[0].code, subjects[0].name, "（虚构）罚1"), (subjects[1].code, subjects[1].name, "（虚构）罚2")),
    )
    first, second = published_records(timezone.localdate()).order_by("seq")
    late = file_report(first, reason="expired", text="公示期已经届满")
    file_report(second, reason="repaired", text="已经获得修复")
    type(late).objects.filter(pk=late.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    tasks = tasks_of(people["city"])
    assert [task.urgency for task in tasks if "/reports/" in task.address] == ["late", ""]
    dated = [task.due_on for task in tasks if task.due_on]
    assert dated == sorted(dated)


@pytest.mark.parametrize(("days", "urgency"), [(2, "soon"), (3, "soon"), (10, "")])
def test_what_is_due_in_two_working_days_is_soon(
    people: Any, subjects: list[Subject], take: Any, penalty: Any, monkeypatch: Any, days: int, urgency: str
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1")))
    report = file_report(CreditRecord.objects.get(), reason="expired", text="公示期已经届满")
    friday = timezone.localdate().replace(year=2026, month=11, day=20)  # a Friday: two working days are four days
    monkeypatch.setattr("zhixin_web.workspace.desk.timezone.localdate", lambda *_args: friday)
    type(report).objects.filter(pk=report.pk).update(due_on=friday + timedelta(days=days + 1))
    found = next(task for task in tasks_of(people["city"]) if "/reports/" in task.address)
    assert found.urgency == urgency


def test_the_owner_of_a_source_sees_its_reports_and_others_do_not(
    people: Any, subjects: list[Subject], take: Any, penalty: Any
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1")))
    file_report(CreditRecord.objects.get(), reason="not_mine", text="不是本企业的处罚")
    assert [task for task in tasks_of(people["department"]) if "/reports/" in task.address]
    assert not [task for task in tasks_of(people["district"]) if "/reports/" in task.address]
