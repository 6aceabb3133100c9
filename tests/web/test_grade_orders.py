"""Grades set by hand or held: two persons, a reason, a term that ends by itself; and results taken back by two persons."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from zhixin import City
from zhixin_web.accounts.models import Role
from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.demonstration.city_files import subject_files
from zhixin_web.evaluations.models import HELD, CurrentGrade, Grade, GradeOrder, Run
from zhixin_web.evaluations.published import published_grade
from zhixin_web.evaluations.queries import grade_as_of, previous_runs
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.orders import decide_order, end_expired_orders, end_order, propose_order
from zhixin_web.evaluations.services.release import propose_rollback, propose_run, release_run
from zhixin_web.evaluations.services.replay import replay
from zhixin_web.jobs.invariants import check
from zhixin_web.jobs.tick import tick
from zhixin_web.records.models import Subject
from zhixin_web.records.published import published_subject

ROLES = ("city", "approver", "district", "inspector", "department", "enterprise", "auditor", "security", "system")
LISTING = "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列{number},虚构,{day},虚构机关"
Evaluate = Callable[..., Run]
Order = Callable[..., GradeOrder]


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def evaluate(subjects: list[Subject], release: Any, people: Any) -> Evaluate:
    """A full run of a day, released by two persons."""

    def evaluating(as_of: date | None = None) -> Run:
        run = services.execute(services.start_run(release, as_of=as_of or today(), by=people["city"]))
        assert run.status == "draft", run.error
        propose_run(run, people["city"])
        return release_run(run, people["approver"])

    return evaluating


@pytest.fixture
def subject(released: Run) -> Subject:
    """A subject evaluated as B."""
    found = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert found is not None
    return found


@pytest.fixture
def order(subject: Subject, people: Any) -> Order:
    """A proposal, sound unless something is changed."""

    def ordering(**changes: Any) -> GradeOrder:
        values: dict[str, Any] = {
            "kind": "override", "grade": "C", "reason": "（虚构）核查后调整", "basis": "（虚构）核查报告一号",
            "until": today() + timedelta(30), "by": people["city"], "subject": subject,
        } | changes  # fmt: skip
        return propose_order(values.pop("subject"), **values)

    return ordering


@pytest.fixture
def active(order: Order, people: Any) -> Order:
    """An order proposed by the one and approved by the other."""

    def ordering(**changes: Any) -> GradeOrder:
        return decide_order(order(**changes), approve=True, by=people["approver"])

    return ordering


def current(subject: Subject) -> CurrentGrade:
    return CurrentGrade.objects.get(subject=subject)


def entries(*kinds: str) -> int:
    return LedgerEntry.objects.filter(kind__in=kinds).count()


def expire(order: GradeOrder, day: date) -> None:
    """Move the end of an order, as if time had passed."""
    GradeOrder.objects.filter(pk=order.pk).update(until=day)


def list_as_serious(take: Any, subject: Subject, number: int = 1) -> Any:
    return take("serious_list", LISTING.format(code=subject.code, name=subject.name, number=number, day=today()))


def nothing_is_broken() -> None:
    findings = list(check())
    assert [(item.name, item.broken) for item in findings if item.broken] == []
    assert all(
        item.checked for item in findings if not any(word in item.name for word in ("draw", "case", "measure", "duty"))
    ), "something was looked at"


# --- proposing ----------------------------------------------------------------------------------------------------


def test_a_proposal_changes_nothing_and_waits(order: Order, subject: Subject) -> None:
    made = order()
    assert (made.status, made.grade, made.decided_by) == ("proposed", "C", None)
    assert (current(subject).grade, current(subject).in_force) == ("B", "B")
    assert entries("grade.override", "grade.hold") == 0


def test_only_the_city_officer_proposes(order: Order, people: Any) -> None:
    for role in ROLES:
        if role != "city":
            with pytest.raises(PermissionDenied):
                order(by=people[role])
    assert not GradeOrder.objects.exists()
    assert order(by=people["city"]).proposed_by == people["city"]


def test_a_term_from_tomorrow_to_a_year_is_taken(order: Order) -> None:
    for shift in (1, 2, 364, 365):
        assert order(until=today() + timedelta(shift)).until == today() + timedelta(shift)


def test_a_term_that_ends_today_or_after_more_than_a_year_is_refused(order: Order) -> None:
    for shift in (-1, 0, 366, 1000):
        with pytest.raises(ValidationError) as caught:
            order(until=today() + timedelta(shift))
        assert set(caught.value.message_dict) == {"until"}, shift
        assert str(today() + timedelta(365)) in caught.value.message_dict["until"][0]


def test_an_order_without_a_term_is_refused(order: Order) -> None:
    with pytest.raises(ValidationError) as caught:
        order(until=None)
    assert set(caught.value.message_dict) == {"until"}


def test_a_reason_of_five_characters_is_required(order: Order) -> None:
    for reason in ("", "四个字呀", "　 四个字呀 　"):
        with pytest.raises(ValidationError) as caught:
            order(reason=reason)
        assert set(caught.value.message_dict) == {"reason"}, reason
    for reason in ("正好五个字", "超过了五个字"):
        assert order(reason=f" {reason} ").reason == reason


def test_a_basis_is_required(order: Order) -> None:
    for basis in ("", "  ", "　"):
        with pytest.raises(ValidationError) as caught:
            order(basis=basis)
        assert set(caught.value.message_dict) == {"basis"}, repr(basis)


def test_an_override_names_another_grade_of_the_ladder(order: Order) -> None:
    for grade in ("", "B", HELD, "N", "E"):
        with pytest.raises(ValidationError) as caught:
            order(grade=grade)
        assert set(caught.value.message_dict) == {"grade"}, grade
    assert [order(grade=grade).grade for grade in ("A", "C", "D")] == ["A", "C", "D"]


def test_an_unknown_kind_is_refused(order: Order) -> None:
    with pytest.raises(ValidationError) as caught:
        order(kind="forget")
    assert set(caught.value.message_dict) == {"kind"}


def test_every_fault_is_named_at_once(order: Order) -> None:
    with pytest.raises(ValidationError) as caught:
        order(grade="B", reason="", basis="", until=today())
    assert set(caught.value.message_dict) == {"grade", "reason", "basis", "until"}
    assert not GradeOrder.objects.exists()


def test_a_subject_without_a_released_grade_cannot_be_ordered(subjects: list[Subject], people: Any) -> None:
    with pytest.raises(ValidationError, match="该主体还没有已发布的等级，无从调整"):
        propose_order(
            subjects[0], kind="hold", grade="", reason="（虚构）核查后暂缓", basis="文书", until=today() + timedelta(3), by=people["city"]
        )  # fmt: skip


# --- two persons --------------------------------------------------------------------------------------------------


def test_only_the_approver_decides(order: Order, subject: Subject, people: Any) -> None:
    made = order()
    for role in ROLES:
        if role != "approver":
            with pytest.raises(PermissionDenied):
                decide_order(made, approve=True, by=people[role])
    assert current(subject).in_force == "B"
    assert decide_order(made, approve=True, by=people["approver"]).status == "active"


def test_a_maker_who_became_approver_does_not_decide_on_the_own_proposal(order: Order, people: Any) -> None:
    made = order()
    people["city"].role = Role.APPROVER
    people["city"].save()
    for approve in (True, False):
        with pytest.raises(PermissionDenied):
            decide_order(made, approve=approve, by=people["city"])
    made.refresh_from_db()
    assert made.status == "proposed"


def test_the_database_wants_two_persons_too(order: Order, people: Any) -> None:
    made = GradeOrder.objects.filter(pk=order().pk)
    for status in ("active", "refused", "ended"):
        for decided_by in (None, people["city"]):
            with pytest.raises(IntegrityError), transaction.atomic():
                made.update(status=status, decided_by=decided_by)
    with pytest.raises(IntegrityError), transaction.atomic():
        made.update(status="proposed", decided_by=people["approver"])
    for status in ("active", "refused", "ended"):
        assert made.update(status=status, decided_by=people["approver"]) == 1


def test_an_order_is_decided_once(order: Order, people: Any, subject: Subject) -> None:
    made = decide_order(order(), approve=False, by=people["approver"])
    with pytest.raises(ValidationError, match="该调整已有决定"):
        decide_order(made, approve=True, by=people["approver"])
    assert (made.status, current(subject).in_force) == ("refused", "B")
    assert entries("grade.override", "grade.hold") == 0


def test_an_order_is_approved_only_before_its_term_is_over(order: Order, people: Any) -> None:
    for shift in (-1, 0):
        made = order()
        expire(made, today() + timedelta(shift))
        with pytest.raises(ValidationError, match="期限已过，请重新提出"):
            decide_order(made, approve=True, by=people["approver"])
        assert decide_order(made, approve=False, by=people["approver"]).status == "refused"
    made = order()
    expire(made, today() + timedelta(1))
    assert decide_order(made, approve=True, by=people["approver"]).status == "active"


# --- in force -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "in_force", "state", "shown"), [("override", "C", "graded", "C"), ("hold", HELD, "held", "")]
)
def test_an_approved_order_is_in_force_and_public_while_the_evaluated_grade_stays(
    active: Order, subject: Subject, kind: str, in_force: str, state: str, shown: str
) -> None:
    made = active(kind=kind)
    assert (made.status, made.grade) == ("active", in_force)
    assert made.decided_at is not None
    assert (current(subject).grade, current(subject).in_force) == ("B", in_force)
    known = published_subject(subject.code)
    assert known is not None
    found = published_grade(known)
    assert (found.state, found.grade) == (state, shown)
    others = CurrentGrade.objects.exclude(subject=subject)
    assert all(item.grade == item.in_force for item in others)


@pytest.mark.parametrize(("kind", "in_force"), [("override", "C"), ("hold", HELD)])
def test_an_order_outlives_a_later_release_that_changes_the_grade_beneath(
    active: Order, evaluate: Evaluate, subject: Subject, take: Any, kind: str, in_force: str
) -> None:
    active(kind=kind)
    list_as_serious(take, subject)
    evaluate()
    assert (current(subject).grade, current(subject).in_force) == ("D", in_force)


def test_an_order_outlives_an_event(active: Order, subject: Subject, take: Any, answer: Any) -> None:
    active(kind="hold")
    run = answer(list_as_serious(take, subject))
    assert run is not None
    assert (run.status, current(subject).grade, current(subject).in_force) == ("released", "D", HELD)


def test_a_subject_without_an_order_takes_the_grade_of_the_new_release(
    active: Order, subject: Subject, take: Any, answer: Any
) -> None:
    active()
    other = Subject.objects.filter(current__grade="B").exclude(pk=subject.pk).order_by("code").first()
    assert other is not None
    answer(list_as_serious(take, other))
    assert (current(other).grade, current(other).in_force) == ("D", "D")


@pytest.mark.parametrize(("shift", "ended"), [(-1, True), (0, True), (1, False)])
def test_an_order_ends_by_itself_on_its_day(active: Order, subject: Subject, shift: int, ended: bool) -> None:
    made = active()
    expire(made, today() + timedelta(shift))
    told = list(end_expired_orders())
    made.refresh_from_db()
    assert (made.status, len(told)) == (("ended", 1) if ended else ("active", 0))
    assert current(subject).in_force == ("B" if ended else "C")
    assert (made.ended_at is not None) is ended
    assert entries("grade.order_ended") == int(ended)


def test_the_clock_of_the_server_ends_orders(active: Order, subject: Subject) -> None:
    made = active(kind="hold")
    expire(made, today())
    assert f"ended order {made.pk}" in tick()
    assert current(subject).in_force == "B"


def test_what_ends_gives_way_to_the_grade_evaluated_meanwhile(
    active: Order, evaluate: Evaluate, subject: Subject, take: Any
) -> None:
    made = active()
    list_as_serious(take, subject)
    evaluate()
    expire(made, today())
    assert len(list(end_expired_orders())) == 1
    assert (current(subject).grade, current(subject).in_force) == ("D", "D")


def test_a_proposal_whose_term_passes_never_comes_into_force(order: Order, subject: Subject) -> None:
    made = order()
    expire(made, today() - timedelta(1))
    assert list(end_expired_orders()) == []
    made.refresh_from_db()
    assert (made.status, current(subject).in_force) == ("proposed", "B")


def test_maker_and_approver_may_end_an_order_early_and_nobody_else(active: Order, subject: Subject, people: Any) -> None:
    made = active()
    for role in ROLES:
        if role not in ("city", "approver"):
            with pytest.raises(PermissionDenied):
                end_order(made, by=people[role])
    assert current(subject).in_force == "C"
    for role in ("city", "approver"):
        end_order(made, by=people[role])
        assert current(subject).in_force == "B"
        made = active()


def test_ending_twice_is_ending_once(active: Order, people: Any) -> None:
    made = active()
    end_order(made, by=people["city"])
    end_order(made, by=people["approver"])
    assert entries("grade.order_ended") == 1


def test_only_one_order_is_in_force_at_a_time(active: Order, order: Order, subject: Subject, people: Any) -> None:
    first, second = active(), order(kind="hold")
    with pytest.raises(ValidationError, match="该主体已有生效中的调整，请先终止"):
        decide_order(second, approve=True, by=people["approver"])
    with pytest.raises(IntegrityError), transaction.atomic():
        GradeOrder.objects.filter(pk=second.pk).update(status="active", decided_by=people["approver"])
    assert current(subject).in_force == "C"
    end_order(first, by=people["city"])
    assert decide_order(second, approve=True, by=people["approver"]).status == "active"
    assert current(subject).in_force == HELD


def test_orders_of_two_subjects_do_not_touch_each_other(active: Order, subject: Subject, people: Any) -> None:
    other = CurrentGrade.objects.exclude(subject=subject).exclude(grade="D").order_by("subject__code").first()
    assert other is not None
    first, _ = active(), active(subject=other.subject, kind="hold")
    end_order(first, by=people["city"])
    assert (current(subject).in_force, current(other.subject).in_force) == ("B", HELD)


@pytest.mark.parametrize(("kind", "entry"), [("override", "grade.override"), ("hold", "grade.hold")])
def test_order_and_end_stand_in_the_ledger(active: Order, subject: Subject, people: Any, kind: str, entry: str) -> None:
    made = active(kind=kind)
    written = LedgerEntry.objects.get(kind=entry)
    assert written.ref == f"order:{made.pk}"
    body = json.loads(SealedBody.objects.get(seq=written.seq).body)
    assert body == {
        "subject": subject.pk, "grade": made.grade, "until": made.until.isoformat(), "basis": "（虚构）核查报告一号"
    }  # fmt: skip
    end_order(made, by=people["approver"])
    ended = LedgerEntry.objects.get(kind="grade.order_ended")
    assert (ended.ref, ended.seq > written.seq) == (f"order:{made.pk}", True)
    assert json.loads(SealedBody.objects.get(seq=ended.seq).body)["by"] == people["approver"].pk


def test_the_invariants_hold_with_orders_in_force_and_ended(
    active: Order, evaluate: Evaluate, subject: Subject, take: Any, penalty: Any, people: Any
) -> None:
    other = CurrentGrade.objects.exclude(subject=subject).exclude(grade="D").order_by("subject__code").first()
    assert other is not None
    first, _ = active(), active(subject=other.subject, kind="hold")
    take("penalties", penalty((subject.code, subject.name, "罚1")))
    list_as_serious(take, subject)
    nothing_is_broken()
    evaluate()
    nothing_is_broken()
    end_order(first, by=people["city"])
    nothing_is_broken()


# --- results taken back -------------------------------------------------------------------------------------------


def grades() -> dict[str, tuple[str, int, str]]:
    rows = CurrentGrade.objects.values_list("subject__code", "grade", "score_milli", "in_force")
    return {code: (grade, score, in_force) for code, grade, score, in_force in rows}


@pytest.fixture
def before(released: Run) -> dict[str, tuple[str, int, str]]:
    """The grades of the first release."""
    return grades()


@pytest.fixture
def second(before: Any, subject: Subject, evaluate: Evaluate, take: Any) -> Run:
    """A second release in which the subject became D."""
    list_as_serious(take, subject)
    run = evaluate()
    assert current(subject).grade == "D"
    return run


REASON = "（虚构）数据源有误"


def test_a_roll_back_publishes_the_results_before_again_once_another_has_released_it(
    before: Any, second: Run, released: Run, people: Any, subject: Subject
) -> None:
    after = grades()
    made = propose_rollback(second, reason=f"  {REASON} ", by=people["city"])
    assert (made.status, made.rolls_back, made.reason) == ("proposed", second, REASON)
    assert (made.folder, made.grades_sha256, made.as_of) == (released.folder, released.grades_sha256, released.as_of)
    assert grades() == after, "a proposal changes nothing"
    made = release_run(made, people["approver"])
    assert (made.status, grades()) == ("released", before)
    entry = LedgerEntry.objects.get(pk=made.ledger_seq)
    assert (entry.kind, entry.ref) == ("grade.publish", f"run:{made.pk}")
    history = Grade.objects.filter(subject=subject).order_by("pk").values_list("was", "grade")
    assert list(history) == [("", "B"), ("B", "D"), ("D", "B")]
    found = grade_as_of(subject, today())
    assert found is not None
    assert (found["grade"], found["run"]) == ("B", made.pk)


def test_the_maker_of_a_roll_back_does_not_release_it(second: Run, people: Any) -> None:
    made = propose_rollback(second, reason=REASON, by=people["city"])
    with pytest.raises(PermissionDenied):
        release_run(made, people["city"])
    people["city"].role = Role.APPROVER
    people["city"].save()
    with pytest.raises(PermissionDenied):
        release_run(made, people["city"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=made.pk).update(status="released", released_by=people["city"])


def test_only_the_city_officer_proposes_a_roll_back_and_gives_a_reason(second: Run, people: Any) -> None:
    for role in ROLES:
        if role != "city":
            with pytest.raises(PermissionDenied):
                propose_rollback(second, reason=REASON, by=people[role])
    for reason in ("", "  ", "　\n"):
        with pytest.raises(ValidationError) as caught:
            propose_rollback(second, reason=reason, by=people["city"])
        assert set(caught.value.message_dict) == {"reason"}, repr(reason)
    assert not Run.objects.exclude(rolls_back=None).exists()


def test_only_the_newest_full_release_is_rolled_back(second: Run, released: Run, release: Any, people: Any) -> None:
    draft = services.execute(services.start_run(release, as_of=today(), by=people["city"]))
    for other in (released, draft):
        with pytest.raises(ValidationError, match="只能回退最近一次已发布的全量评价，且之前须有已发布的评价"):
            propose_rollback(other, reason=REASON, by=people["city"])


def test_the_first_release_has_nothing_before_it(released: Run, people: Any) -> None:
    with pytest.raises(ValidationError, match="只能回退最近一次已发布的全量评价，且之前须有已发布的评价"):
        propose_rollback(released, reason=REASON, by=people["city"])


def test_an_event_is_not_rolled_back(second: Run, take: Any, answer: Any, people: Any) -> None:
    other = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert other is not None
    event = answer(list_as_serious(take, other, 2))
    assert event is not None
    assert event.status == "released"
    with pytest.raises(ValidationError, match="只能回退最近一次已发布的全量评价，且之前须有已发布的评价"):
        propose_rollback(event, reason=REASON, by=people["city"])


def test_a_roll_back_that_a_newer_release_has_overtaken_is_not_released(
    second: Run, evaluate: Evaluate, take: Any, people: Any
) -> None:
    """It was proposed against the second release; it would throw away the third."""
    made = propose_rollback(second, reason=REASON, by=people["city"])
    other = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert other is not None
    list_as_serious(take, other, 2)
    evaluate()
    third = grades()
    with pytest.raises(ValidationError):
        release_run(made, people["approver"])
    assert grades() == third


def test_a_roll_back_keeps_what_an_event_brought_before_the_release(
    released: Run, subject: Subject, evaluate: Evaluate, take: Any, answer: Any, people: Any
) -> None:
    """The results before the second release held the D of the listing; the archive of the first run does not."""
    assert answer(list_as_serious(take, subject)) is not None
    assert current(subject).grade == "D"
    second = evaluate()
    release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    assert current(subject).grade == "D", "a subject on the list of serious dishonesty was given back its B"


def test_a_roll_back_keeps_what_an_event_brought_after_the_release(second: Run, take: Any, answer: Any, people: Any) -> None:
    other = Subject.objects.filter(current__grade="B").order_by("code").first()
    assert other is not None
    event = answer(list_as_serious(take, other, 2))
    assert event is not None
    assert current(other).grade == "D"
    release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    assert current(other).grade == "D", "a subject listed after the release was given back its B"


def test_a_roll_back_leaves_no_grade_to_a_subject_that_only_the_release_taken_back_knew(
    released: Run, evaluate: Evaluate, take: Any, people: Any
) -> None:
    newcomer = _register_one_more(take)
    second = evaluate()
    assert CurrentGrade.objects.filter(subject=newcomer).exists()
    release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    known = published_subject(newcomer.code)
    assert known is not None
    assert published_grade(known).state == "not_evaluated", "a result taken back is still public"


def _register_one_more(take: Any) -> Subject:
    codes = set(Subject.objects.values_list("code", flat=True))
    table = City(13, 99).subject_table()
    table = table.filter(~table["subject_id"].is_in(list(codes))).head(1)
    take("registrations", next(content for name, content in subject_files(table) if name == "registrations"))
    found: Subject = Subject.objects.exclude(code__in=codes).get()
    return found


def test_a_result_taken_back_is_no_earlier_result_of_the_next_evaluation(
    subjects: list[Subject], evaluate: Evaluate, release: Any, take: Any, people: Any
) -> None:
    first = evaluate(today() - timedelta(2))
    list_as_serious(take, subjects[0])
    second = evaluate(today() - timedelta(1))
    release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    found = previous_runs(release, today())
    assert second.pk not in [run.pk for run in found]
    assert [run.folder for run in found] == [first.folder]


def test_an_order_outlives_a_roll_back(second: Run, active: Order, subject: Subject, people: Any) -> None:
    active(kind="hold")
    release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    assert (current(subject).grade, current(subject).in_force) == ("B", HELD)


def test_the_invariants_hold_after_a_roll_back_and_the_run_after_it(
    second: Run, evaluate: Evaluate, subject: Subject, people: Any
) -> None:
    made = release_run(propose_rollback(second, reason=REASON, by=people["city"]), people["approver"])
    nothing_is_broken()
    assert replay(made)["equal"]
    evaluate()
    assert current(subject).grade == "D"
    nothing_is_broken()
