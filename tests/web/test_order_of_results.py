"""What is known later stands over what is known earlier, whatever is released first: no old result comes back by its release."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.queries import grade_as_of, run_in_force
from zhixin_web.evaluations.services import runs
from zhixin_web.evaluations.services.reevaluate_after_batch import react, reevaluate
from zhixin_web.evaluations.services.release import propose_rollback, propose_run, release_run
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record

pytestmark = pytest.mark.django_db
HEAD = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n"


@pytest.fixture
def subject(released: Run) -> Subject:
    found = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert found is not None
    return found


@pytest.fixture
def listed(take: Any, subject: Subject) -> Any:
    """Take in a listing of today; give the event-driven run that waits."""

    def listing(number: int = 1, of: Subject | None = None) -> Run:
        one = of or subject
        line = f"{one.code},{one.name},（虚构）列{number}号,虚构,{timezone.localdate()},虚构机关\n"
        run = react(take("serious_list", HEAD + line))
        assert run is not None
        assert run.status == Run.Status.PROPOSED
        return run

    return listing


@pytest.fixture
def full(release: Any, people: Any) -> Any:
    """Evaluate everybody as of some days ago; a proposal."""

    def evaluating(days: int = 0) -> Run:
        as_of = max(timezone.localdate() - timedelta(days=days), release.effective_from)
        run = runs.execute(runs.start_run(release, as_of=as_of, by=people["city"]))
        assert run.status == Run.Status.DRAFT, run.error
        propose_run(run, people["city"])
        return run

    return evaluating


def grade(subject: Subject) -> str:
    return CurrentGrade.objects.get(subject=subject).grade


def sound() -> bool:
    return [row.broken for row in check() if row.broken] == []


def revoke(subject: Subject, people: Any) -> None:
    record = CreditRecord.objects.get(subject=subject, kind="list.serious")
    change_record(record, state="revoked", on=timezone.localdate(), basis="（虚构）复议1号", by=people["city"])


def test_an_older_full_run_that_is_released_later_leaves_an_event_in_force(
    listed: Any, full: Any, subject: Subject, people: Any
) -> None:
    older = full()
    release_run(listed(), people["approver"])
    assert grade(subject) == "D"
    release_run(older, people["approver"])
    assert grade(subject) == "D"
    assert run_in_force(subject, timezone.localdate()).kind == Run.Kind.EVENT
    assert grade_as_of(subject, timezone.localdate())["grade"] == "D"
    assert sound()


def test_a_full_run_of_an_earlier_day_leaves_an_event_of_today_in_force_although_it_knows_more(
    listed: Any, full: Any, subject: Subject, people: Any, release: Any
) -> None:
    type(release).objects.update(effective_from=timezone.localdate() - timedelta(days=40))
    release.refresh_from_db()
    release_run(listed(), people["approver"])
    release_run(full(30), people["approver"])
    assert grade(subject) == "D"
    assert sound()


def test_a_full_run_of_the_day_that_knows_more_stands_over_an_event(
    listed: Any, full: Any, subject: Subject, people: Any
) -> None:
    release_run(listed(), people["approver"])
    revoke(subject, people)
    release_run(full(), people["approver"])
    assert grade(subject) == "B"
    assert run_in_force(subject, timezone.localdate()).kind == Run.Kind.FULL
    assert sound()


def test_an_event_that_waited_longer_than_a_later_one_is_cancelled(listed: Any, subject: Subject, people: Any) -> None:
    """The listing was revoked while its result waited: nobody can make the subject D afterwards."""
    waiting = listed()
    revoke(subject, people)
    later = reevaluate(subject.code, trigger="test:revoked", by=people["city"])
    assert later is not None
    assert later.status == Run.Status.RELEASED
    waiting.refresh_from_db()
    assert waiting.status == Run.Status.CANCELLED
    with pytest.raises(ValidationError):
        release_run(waiting, people["approver"])
    assert grade(subject) == "B"
    assert sound()


def test_of_an_event_about_two_only_what_is_not_decided_since_is_released(take: Any, released: Run, people: Any) -> None:
    one, other = Subject.objects.filter(current__grade="B").order_by("code")[:2]
    today = timezone.localdate()
    lines = [
        f"{item.code},{item.name},（虚构）列{number}号,虚构,{today},虚构机关\n" for number, item in enumerate((one, other))
    ]
    waiting = react(take("serious_list", HEAD + "".join(lines)))
    revoke(one, people)
    reevaluate(one.code, trigger="test:revoked", by=people["city"])
    release_run(waiting, people["approver"])
    assert [grade(item) for item in (one, other)] == ["B", "D"]
    assert sound()


def test_a_full_run_that_a_later_one_has_overtaken_is_not_released(
    full: Any, take: Any, penalty: Any, people: Any, subject: Subject
) -> None:
    older = full()
    take("penalties", penalty((subject.code, subject.name, "（虚构）罚1号")))
    newer = full()
    release_run(newer, people["approver"])
    with pytest.raises(ValidationError, match=f"第 {newer.pk} 号评价更新"):
        release_run(older, people["approver"])
    assert sound()


def test_two_full_runs_that_know_the_same_may_both_be_released(full: Any, people: Any, released: Run) -> None:
    first = full()
    again = Run.objects.filter(pk=first.pk)
    again.update(known_seq=released.known_seq)
    assert release_run(again.get(), people["approver"]).status == Run.Status.RELEASED


def test_a_roll_back_leaves_later_events_in_force(listed: Any, full: Any, subject: Subject, people: Any) -> None:
    release_run(listed(), people["approver"])
    newest = full()
    release_run(newest, people["approver"])
    back = propose_rollback(newest, reason="（虚构）数据有误", by=people["city"])
    release_run(back, people["approver"])
    assert grade(subject) == "D"
    assert sound()


def test_what_a_roll_back_took_back_overtakes_nothing(
    full: Any, take: Any, penalty: Any, subject: Subject, people: Any
) -> None:
    older = full()
    take("penalties", penalty((subject.code, subject.name, "（虚构）罚1号")))
    newest = full()
    release_run(newest, people["approver"])
    release_run(propose_rollback(newest, reason="（虚构）数据有误", by=people["city"]), people["approver"])
    assert release_run(older, people["approver"]).status == Run.Status.RELEASED
    assert sound()
