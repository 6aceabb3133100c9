"""Runs: draft, two persons, current grades, events, replay, as-of, cancel, resume, fencing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from zhixin.dataset.sources import StandingRelease, sources
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.collection.models import Batch
from zhixin_web.evaluations.models import CurrentGrade, Grade, Run, Segment
from zhixin_web.evaluations.queries import grade_as_of
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.reevaluate_after_batch import react, undo_batch
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.services.replay import replay
from zhixin_web.evaluations.snapshots import run_folder, segment_file, segment_folder
from zhixin_web.jobs.invariants import PROJECTIONS, check
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record

LISTING = (
    "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列1,虚构,{day},虚构机关"
)


def test_a_draft_changes_nothing_until_two_persons_release_it(subjects: list[Subject], release: Any, people: Any) -> None:
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    assert (run.status, CurrentGrade.objects.count()) == ("draft", 0)
    propose_run(run, people["city"])
    with pytest.raises(PermissionDenied):
        release_run(Run.objects.get(pk=run.pk), people["city"])
    run = release_run(run, people["approver"])
    assert (run.status, CurrentGrade.objects.count()) == ("released", len(subjects))
    assert LedgerEntry.objects.get(pk=run.ledger_seq).kind == "grade.publish"


def test_maker_and_approver_are_two_in_the_database_too(subjects: Any, release: Any, people: Any) -> None:
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(
            status="released", proposed_by=people["approver"], released_by=people["approver"]
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        type(release).objects.filter(pk=release.pk).update(approved_by=release.proposed_by)


def test_releasing_twice_is_releasing_once(released: Run, people: Any) -> None:
    entries = LedgerEntry.objects.count()
    assert release_run(released, people["approver"]).ledger_seq == released.ledger_seq
    assert LedgerEntry.objects.count() == entries


def test_a_released_run_replays_from_the_facts_to_the_same_bytes(released: Run) -> None:
    assert replay(released)["equal"]


def test_a_replay_after_erasure_says_so(released: Run, people: Any, take: Any, penalty: Any, release: Any) -> None:
    subject = Subject.objects.first()
    take("penalties", penalty((subject.code, subject.name, "罚1")))
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    record = CreditRecord.objects.get(subject=subject)
    change_record(record, state="repaired", on=timezone.localdate(), basis="修1", by=people["city"])
    assert replay(run)["equal"], "the repair came after the run's sequence number"
    erase_record(record, basis="期满", by=people["city"])
    result = replay(run)
    assert not result["equal"]
    assert result["erased_on"] == timezone.localdate().isoformat() or result["erased_on"]


def test_a_changed_archive_is_not_released(subjects: Any, release: Any, people: Any) -> None:
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    with (run_folder(run) / "grades.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValidationError, match="归档的等级文件与其散列不符，不予发布"):
        release_run(run, people["approver"])


def test_a_changed_segment_stops_the_next_run(released: Run, release: Any, people: Any) -> None:
    segment = Segment.objects.first()
    with segment_file(segment_folder(), "records", segment.first_seq, segment.last_seq).open("ab") as file:
        file.write(b"x")
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    assert (run.status, "sealed segment" in run.error) == ("failed", True)


def test_segments_are_sealed_once_and_runs_export_only_what_is_new(
    released: Run, release: Any, people: Any, take: Any, penalty: Any
) -> None:
    subject = Subject.objects.first()
    take("penalties", penalty((subject.code, subject.name, "罚1")))
    services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    ranges = list(Segment.objects.order_by("first_seq").values_list("first_seq", "last_seq"))
    assert len(ranges) == 2
    assert ranges[1][0] == ranges[0][1] + 1


def listed(take: Any, subject: Subject) -> Batch:
    return take("serious_list", LISTING.format(code=subject.code, name=subject.name, day=timezone.localdate()))


def test_a_listing_is_evaluated_at_once_and_waits_for_a_person(released: Run, take: Any, people: Any) -> None:
    """Listing is a legal act: nobody becomes D in the name of an approver who did nothing."""
    subject = Subject.objects.filter(current__grade="B").first()
    run = react(listed(take, subject))
    assert run is not None
    assert (run.kind, run.status, run.only, run.is_automatic) == ("event", "proposed", [subject.code], True)
    assert CurrentGrade.objects.get(subject=subject).grade == "B"
    run = release_run(run, people["approver"])
    assert run.proposed_by_id != run.released_by_id
    assert CurrentGrade.objects.get(subject=subject).grade == "D"
    assert CurrentGrade.objects.exclude(subject=subject).filter(run=run).count() == 0
    assert replay(run)["equal"]


@pytest.mark.parametrize(("days", "status"), [(-1, "proposed"), (0, "released"), (1, "released")])
def test_a_standing_order_of_the_source_releases_until_its_last_day(
    released: Run, take: Any, monkeypatch: pytest.MonkeyPatch, days: int, status: str
) -> None:
    order = StandingRelease(
        order="郑虚构〔2026〕1号", signed_by=("甲", "乙"), until=timezone.localdate() + timedelta(days=days)
    )
    monkeypatch.setitem(sources(), "serious_list", sources()["serious_list"].model_copy(update={"standing_release": order}))
    subject = Subject.objects.filter(current__grade="B").first()
    run = react(listed(take, subject))
    assert run is not None
    assert run.status == status
    if status == "released":
        assert all(word in run.reason for word in ("郑虚构〔2026〕1号", "甲", "乙", order.until.isoformat()))


@pytest.mark.parametrize("persons", [("甲", "甲"), ("甲", " 甲"), ("", "乙")])
def test_a_standing_order_is_signed_by_two(persons: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="two different persons"):
        StandingRelease(order="x", signed_by=persons, until=timezone.localdate())


def test_without_the_standing_order_an_event_waits_for_the_approver(released: Run, release: Any, take: Any) -> None:
    type(release).objects.update(releases_events=False)
    subject = Subject.objects.filter(current__grade="B").first()
    run = react(take("serious_list", LISTING.format(code=subject.code, name=subject.name, day=timezone.localdate())))
    assert run is not None
    assert (run.status, CurrentGrade.objects.get(subject=subject).grade) == ("proposed", "B")


def test_a_past_grade_is_read_as_it_stood(released: Run, take: Any, answer: Any) -> None:
    subject = Subject.objects.filter(current__grade="B").first()
    Run.objects.filter(pk=released.pk).update(released_at=timezone.now() - timedelta(days=3))
    answer(take("serious_list", LISTING.format(code=subject.code, name=subject.name, day=timezone.localdate())))
    today = timezone.localdate()
    assert [grade_as_of(subject, today - timedelta(days=back))["grade"] for back in (0, 1, 2)] == ["D", "B", "B"]
    assert grade_as_of(subject, today - timedelta(days=9)) is None
    assert list(Grade.objects.filter(subject=subject).order_by("pk").values_list("was", "grade")) == [("", "B"), ("B", "D")]


def test_a_batch_cannot_be_undone_once_a_released_run_used_it(
    released: Run, release: Any, take: Any, penalty: Any, people: Any
) -> None:
    subject = Subject.objects.first()
    batch = take("penalties", penalty((subject.code, subject.name, "罚1")))
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    release_run(run, people["approver"])
    with pytest.raises(ValidationError, match=" 号评价已使用该批次并已发布，不能撤回；请以更正批次更正"):
        undo_batch(batch, people["city"], "x")
    later = take("penalties", penalty((subject.code, subject.name, "罚2")))
    assert undo_batch(later, people["city"], "x").status == "undone"


def test_a_cancelled_run_ends_and_can_go_on(subjects: Any, release: Any, people: Any) -> None:
    run = services.start_run(release, as_of=timezone.localdate(), by=people["city"])
    services.cancel_run(run, people["city"])
    assert services.execute(run).status == "cancelled"
    services.retry_run(run, people["city"])
    assert services.execute(run).status == "draft"


def test_a_run_whose_worker_died_is_taken_over_and_the_dead_one_is_fenced_off(
    subjects: Any, release: Any, people: Any
) -> None:
    run = services.start_run(release, as_of=timezone.localdate(), by=people["city"])
    dead = services.claim(run)
    assert services.claim(run) is None, "a living worker holds it"
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - services.STALE_AFTER - timedelta(seconds=1))
    finished = services.execute(run)
    assert finished.status == "draft"
    with pytest.raises(services.Cancelled):
        services._beat(finished, dead, "grades")


@pytest.mark.parametrize(("shift", "accepted"), [(0, True), (1, False)])
def test_the_cut_off_lies_not_in_the_future(subjects: Any, release: Any, people: Any, shift: int, accepted: bool) -> None:
    as_of = timezone.localdate() + timedelta(days=shift)
    if accepted:
        assert services.start_run(release, as_of=as_of, by=people["city"]).as_of == as_of
    else:
        with pytest.raises(ValidationError):
            services.start_run(release, as_of=as_of, by=people["city"])


def test_the_invariants_hold_and_see_what_is_wrong(released: Run, take: Any, penalty: Any) -> None:
    subject = Subject.objects.first()
    batch = take("penalties", penalty((subject.code, subject.name, "罚1"), ("", "无代码公司", "罚2")))
    assert not any(finding.broken for finding in check())
    batch.accepted, batch.quarantined = 0, 2
    batch.save()
    CurrentGrade.objects.filter(subject=subject).update(grade="A", score_milli=1)
    broken = {finding.name for finding in check(replays=0) if finding.broken}
    assert broken == {"rows are accounted for", "grades in force follow from released archives and orders"}


def test_a_lost_or_broken_archive_is_named_and_every_other_invariant_is_still_checked(released: Run) -> None:
    archive = run_folder(released) / "grades.parquet"
    archive.chmod(0o644)
    names = [finding.name for finding in check()]
    for spoil in (lambda: archive.write_bytes(b"PAR1 cut off"), archive.unlink):
        spoil()
        findings = {finding.name: finding.broken for finding in check()}
        assert list(findings) == names
        assert all(
            any(f"run {released.pk}" in text and "archive cannot be read" in text for text in findings[name])
            for name in ("grades in force follow from released archives and orders", "released runs replay")
        )
        assert findings["files are as they were hashed"]
        assert not findings["the ledger verifies"]


def test_an_invariant_that_cannot_be_checked_is_not_taken_for_held(
    subjects: list[Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> tuple[int, list[str]]:
        raise RuntimeError("the disk is gone")

    monkeypatch.setitem(PROJECTIONS, "files are as they were hashed", fails)
    broken = {finding.name: finding.broken for finding in check() if finding.broken}
    assert broken == {"files are as they were hashed": ("could not be checked: RuntimeError: the disk is gone",)}
