"""A listing that has ended does nothing more to a grade, on the day after its last one, without anybody asking for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.release import release_run
from zhixin_web.jobs import tick as clock
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import Subject

pytestmark = pytest.mark.django_db
HEAD = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,移出日期,列入机关\n"
TERM = 40


@pytest.fixture
def subject(released: Run, take: Any, answer: Any) -> Subject:
    """A subject of grade D by a listing that ends in forty days."""
    found = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert found is not None
    today = timezone.localdate()
    until = today + timedelta(days=TERM)
    answer(take("serious_list", HEAD + f"{found.code},{found.name},（虚构）列1号,虚构,{today},{until},虚构机关\n"))
    assert grade(found) == "D"
    return found


def grade(subject: Subject) -> str:
    return CurrentGrade.objects.get(subject=subject).grade


def follow(day: date) -> list[str]:
    with mock.patch.object(timezone, "localdate", return_value=day):
        return list(clock.follow_ends())


@pytest.mark.parametrize(("days", "then"), [(TERM - 1, "D"), (TERM, "D"), (TERM + 1, "B"), (TERM + 9, "B")])
def test_the_grade_follows_the_end_of_a_listing(subject: Subject, days: int, then: str) -> None:
    done = follow(timezone.localdate() + timedelta(days=days))
    assert grade(subject) == then
    assert len(done) == (then == "B")


def test_each_end_is_followed_once(subject: Subject) -> None:
    end = timezone.localdate() + timedelta(days=TERM + 1)
    for day in (end, end, end + timedelta(days=1), end + timedelta(days=2)):
        follow(day)
    run = Run.objects.get(trigger__startswith="ends:")
    assert (run.only, run.as_of, run.status) == ([subject.code], end, Run.Status.RELEASED)
    with mock.patch.object(timezone, "localdate", return_value=end):
        assert [row.broken for row in check() if row.broken] == []


def test_without_an_approved_standing_the_result_waits_for_a_person(subject: Subject, release: Any, people: Any) -> None:
    type(release).objects.update(releases_events=False)
    follow(timezone.localdate() + timedelta(days=TERM + 1))
    run = Run.objects.get(trigger__startswith="ends:")
    assert (run.status, grade(subject)) == (Run.Status.PROPOSED, "D")
    release_run(run, people["approver"])
    assert grade(subject) == "B"


def test_a_run_that_was_cut_off_is_resumed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    end = timezone.localdate() + timedelta(days=TERM + 1)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "evaluate_after_ends", mock.Mock())
        follow(end)
    run = Run.objects.get(trigger__startswith="ends:")
    assert run.status == Run.Status.QUEUED
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=1))
    follow(end)
    assert grade(subject) == "B"
