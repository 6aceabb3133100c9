"""What a crash leaves is taken up again: found by fault runs, held here."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from zhixin_web.audit.models import Event
from zhixin_web.collection.models import Batch
from zhixin_web.collection.originals import staged_path
from zhixin_web.collection.services import batches as record_services
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.reevaluate_after_batch import _event_run
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.jobs import tick as schedule
from zhixin_web.records.models import CreditRecord, Subject

LISTING = (
    "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列1,虚构,{day},虚构机关"
)


@pytest.fixture
def listed(subjects: list[Subject], release: Any, people: Any, take: Any) -> tuple[Subject, Batch]:
    """A subject of grade B and the committed batch that lists it, whose worker died before anything followed."""
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    release_run(run, people["approver"])
    subject = Subject.objects.filter(current__grade="B").first()
    assert subject is not None
    batch = take("serious_list", LISTING.format(code=subject.code, name=subject.name, day=timezone.localdate()))
    Batch.objects.filter(pk=batch.pk).update(committed_at=timezone.now() - timedelta(hours=1))
    Batch.objects.exclude(pk=batch.pk).update(is_settled=True)
    batch.refresh_from_db()
    return subject, batch


def decided(people: Any) -> None:
    """The one event-driven run waits for a person, who releases it."""
    run = Run.objects.get(kind="event")
    assert run.status == "proposed"
    release_run(run, people["approver"])


def test_a_listing_whose_worker_died_is_proposed_at_the_next_tick(listed: tuple[Subject, Batch], people: Any) -> None:
    subject, _ = listed
    assert CurrentGrade.objects.get(subject=subject).grade == "B"
    assert any("what follows" in line for line in schedule.resume())
    decided(people)
    assert CurrentGrade.objects.get(subject=subject).grade == "D"
    assert list(schedule.resume()) == []


@pytest.mark.parametrize("cut_off", ["queued", "draft", "proposed"])
def test_an_event_run_cut_off_at_any_state_is_carried_through_once(
    listed: tuple[Subject, Batch], people: Any, cut_off: str
) -> None:
    subject, batch = listed
    run = _event_run(batch)
    assert run is not None
    if cut_off != "queued":
        services.execute(run)
    if cut_off == "proposed":
        Run.objects.filter(pk=run.pk).update(status="proposed", proposed_by=batch.by, is_automatic=True)
    list(schedule.resume())
    decided(people)
    assert CurrentGrade.objects.get(subject=subject).grade == "D"
    assert Run.objects.filter(kind="event").count() == 1


def test_a_late_worker_does_not_undo_a_persons_confirmation(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    batch = take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")), commit=False)
    late = Batch.objects.get(pk=batch.pk)
    late.status = Batch.Status.RECEIVED  # as the late worker found it
    assert record_services.request_commit(batch, people["city"])
    assert record_services.stage(late).status == Batch.Status.COMMITTING
    assert not record_services.request_commit(batch, people["city"])
    assert Event.objects.filter(action="batches.commit", ref=f"batch:{batch.pk}").count() == 1


def test_leftovers_are_swept_after_a_day_and_archives_are_not(listed: tuple[Subject, Batch], settings: Any) -> None:
    kept = {path.name for path in (settings.VAR / "runs").iterdir()}
    old, new = settings.VAR / "runs" / "99-dead.part", settings.VAR / "originals" / ".new.part"
    old.mkdir()
    new.write_bytes(b"x")
    for path in (settings.VAR / "runs").iterdir():
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    assert len(list(schedule.sweep())) == 1
    assert {path.name for path in (settings.VAR / "runs").iterdir()} == kept
    assert new.exists()


@pytest.mark.parametrize("automatic", [False, True])
def test_a_staged_file_that_was_rewritten_is_never_taken_in(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, automatic: bool
) -> None:
    """What a person saw and what goes in are the same; otherwise the original is read anew and a person decides again."""
    batch = take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")), commit=False)
    staged = staged_path(batch.pk)
    staged.write_text(staged.read_text(encoding="utf-8").replace("1500000", "9900000"), encoding="utf-8")
    Batch.objects.filter(pk=batch.pk).update(automatic=automatic)
    batch.refresh_from_db()
    record_services.request_commit(batch, people["city"])
    batch.refresh_from_db()
    batch = record_services.process(batch)
    assert batch.status == "staged"
    assert CreditRecord.objects.count() == 0
    assert Event.objects.filter(action="batches.staged_changed").count() == 1
    record_services.request_commit(batch, people["city"])
    batch.refresh_from_db()
    record_services.process(batch)
    assert "1500000" in CreditRecord.objects.get().body
