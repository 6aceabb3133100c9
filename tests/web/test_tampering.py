"""Whoever writes into the database or the files past the site is found out: every table and column, changed, added, removed.

One small but complete state is tampered with hundreds of times, each time in a savepoint, as somebody would who may write SQL:
triggers are taken away and put back. What ``check_invariants`` then says must name something it did not name before, unless
:data:`NEEDS_NO_PROOF` says why the place decides nothing that the public reads and nothing that anybody answers for.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice, product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, models, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from zhixin import City
from zhixin.dataset.delivery.rows import content_digest
from zhixin.law.loading import loads_rulebook
from zhixin.trust import ledger, signing
from zhixin_web.accounts.models import User
from zhixin_web.accounts.services.accounts import grant_role, open_account
from zhixin_web.accounts.services.second_factor import device_of
from zhixin_web.audit.models import Event, LedgerEntry, LedgerTile, RowCommitment, SealedBody, SignedCheckpoint
from zhixin_web.audit.queries import TILE, row_heads
from zhixin_web.audit.services.witnesses import deviations, sign_and_show, witness_log
from zhixin_web.cases.models import ErrorReport
from zhixin_web.cases.services.reports import answer_report, file_report
from zhixin_web.collection.models import Batch, QuarantinedRow
from zhixin_web.collection.originals import original_path, staged_path
from zhixin_web.collection.services.batches import map_columns, process, refuse_batch, request_commit
from zhixin_web.collection.services.correction import discard_rows, mend_row
from zhixin_web.collection.services.ways import open_client, schedule_pull
from zhixin_web.demonstration.city_files import subject_files
from zhixin_web.evaluations.models import CurrentGrade, Grade, GradeOrder, Run, Segment
from zhixin_web.evaluations.services import runs
from zhixin_web.evaluations.services.orders import decide_order, end_order, propose_order
from zhixin_web.evaluations.services.reevaluate_after_batch import react, undo_batch
from zhixin_web.evaluations.services.release import propose_rollback, propose_run, release_run
from zhixin_web.evaluations.snapshots import run_folder, segment_file, segment_folder
from zhixin_web.faces.portal.bulk import bulk_file
from zhixin_web.faces.portal.credit_report import credit_report
from zhixin_web.governance.services import drafts
from zhixin_web.governance.services.consultations import file_comment, open_consultation, reply_comment
from zhixin_web.governance.services.panels import open_panel, save_sheet
from zhixin_web.governance.what_if import do_what_if
from zhixin_web.inspections.models import Conflict, Inspector, Task
from zhixin_web.inspections.services import draws, plans, results
from zhixin_web.jobs.invariants import check
from zhixin_web.papers.fonts import FontMissing
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import keep_file, register_paper
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.published import published_subject
from zhixin_web.records.services.reapply_law import apply_law_in_force
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record
from zhixin_web.rulebooks.document import rules_document
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import approve_rulebook, propose_rulebook
from zhixin_web.workspace.services.notes import add_note, save_view, tag_subjects

pytestmark = pytest.mark.long
"""Five minutes on SQLite, seven on PostgreSQL. It fails on the places that are still to be mended (closing note of issue 14)."""

NEEDS_NO_PROOF: dict[str, str] = {
    # signing in: changes at any time; what is done under an account is answered for elsewhere
    "django_session.*": "who is signed in just now; signed with the secret key, ends by itself",
    "accounts_user.last_login": "written at every sign-in; sign-ins are events",
    "otp_totp_totpdevice.*": "a secret for signing in, as a password is; steps and counters change with every code",
    "axes_accessattempt.*": "counts failed sign-ins to lock an address out for a quarter of an hour",
    "axes_accessattemptexpiration.*": "counts failed sign-ins to lock an address out for a quarter of an hour",
    "axes_accessfailurelog.*": "a package's own log of failed sign-ins that no page reads",
    "axes_accesslog.*": "a package's own log of sign-ins that no page reads; sign-ins are events",
    # groups and permissions of Django: what an account may is its role, by the table in accounts.permissions
    "auth_group.*": "groups are not used: what an account may is its role",
    "auth_group_permissions.*": "permissions of Django are not used: what an account may is its role",
    "auth_permission.*": "permissions of Django are not used: what an account may is its role",
    "accounts_user_groups.*": "groups are not used: what an account may is its role",
    "accounts_user_user_permissions.*": "permissions of Django are not used: what an account may is its role",
    "django_content_type.*": "names models for the permissions of Django, which are not used",
    "django_migrations.*": "says which migrations ran; read by the next migration alone",
    # work in progress: a lost or doubled task is done again from the rows that it is about
    "django_tasks_database_dbtaskresult.*": "a queue: what a task may do follows from its batch or run; tick queues lost ones anew",
    "evaluations_run.heartbeat_at": "a sign of life of a worker",
    "evaluations_run.stage": "progress of a worker",
    "evaluations_run.token": "fences off a worker that went silent",
    "evaluations_run.cancel_requested": "stops a worker; the run may be queued again and gives the same result",
    "collection_batch.heartbeat_at": "a sign of life of a worker",
    "collection_pull.next_at": "when a worker asks next",
    "collection_pull.failures": "how often an address did not answer, which makes the pause longer",
    "collection_pull.last_result": "progress of a worker, for staff",
    "collection_pull.last_at": "progress of a worker, for staff",
    "governance_whatif.error": "why a simulation failed, for staff; it has no effect",
    "governance_whatif.finished_at": "when a worker was ready; no page and no rule reads it",
    "files.progress": "progress of a worker; losing it loses nothing",
    # derived
    "files.papers": "compared with its hash, which is proven, whenever it is handed out, and made anew where it differs",
    "records_search.*": "an index made from codes and names, which are proven themselves; whoever lacks in it is found by code",
    "audit_signedcheckpoint.id": "a number that nothing refers to: checkpoints are found by their size",
    "collection_duplicaterow.id": "a number that nothing refers to: rows are found by batch and line",
    # one's own desk
    "workspace_savedview.*": "a list that somebody comes back to: a preference",
    "workspace_subjecttag.*": "a word by which staff sort enterprises on their desks; putting it on is an event",
}
"""Places that decide nothing the public reads and nothing anybody answers for: ``table.column``, ``table.column[key of JSON]``,
``table.delete``, ``table.insert``, ``table.*``, ``files.kind``; each with why."""


# --- the state ----------------------------------------------------------------------------------------------------

LISTING = (
    "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,列入机关\n{code},{name},（虚构）列1,虚构,{day},虚构机关"
)
NUMBERS = 20
"""Penalties of each subject: enough entries for a whole tile of the ledger."""


@dataclass
class State:
    """What a site holds after some months, small; with handles to the rows that attacks are about."""

    people: dict[str, Any]
    subjects: list[Subject]
    take: Callable[..., Batch]
    penalty: Callable[..., str]
    first: Run
    """The first released run."""
    newest: Run
    """The newest released full run."""
    event: Run
    """A released run of a listing; a record that it knew was erased since."""
    override: GradeOrder
    ended: GradeOrder


@pytest.fixture
def state(
    released: Run, subjects: list[Subject], release: RulebookRelease, take: Any, penalty: Any, people: Any, monkeypatch: Any
) -> State:
    """Every table has a row: records in every state, runs, orders, reports, a consultation, papers, ways in, accounts."""
    city, approver, today = people["city"], people["approver"], timezone.localdate()
    list(apply_law_in_force())
    _deliveries(subjects, take, penalty, people)
    sign_and_show()
    yesterday = _released_run(release, today - timedelta(1), people)
    newest = _released_run(release, today, people)
    newest = release_run(propose_rollback(newest, reason="（虚构）数据源有误", by=city), approver)
    sign_and_show()
    erased = take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）清1"), 处罚决定日期=_day(250)))
    event = react(take("serious_list", LISTING.format(code=subjects[1].code, name=subjects[1].name, day=_day(1))))
    assert event is not None
    event = release_run(event, approver)
    _ended_records(CreditRecord.objects.get(batch=erased), city)
    proposed = runs.execute(runs.start_run(release, as_of=today, by=city))
    propose_run(proposed, city)
    runs.execute(runs.start_run(release, as_of=today, by=city))
    runs.cancel_run(runs.start_run(release, as_of=today, by=city), city)
    override, ended = _orders(subjects, people)
    _reports(subjects, city)
    _governance(release, yesterday, people)
    _inspections(release, subjects, people, monkeypatch)
    sign_and_show()
    _papers(subjects[0], release)
    _accounts_and_ways(people)
    _desk(subjects, city)
    take("registrations", _one_more(), file_name="one_more.csv")
    undone = take("penalties", penalty((subjects[2].code, subjects[2].name, "（虚构）误1")))
    undo_batch(undone, city, "误报")
    bulk_file("records.csv")
    bulk_file("grades.parquet")
    _third_parties(people)
    assert LedgerTile.objects.exists(), "no whole tile: more penalties are needed"
    return State(people, subjects, take, penalty, released, newest, event, override, ended)


def _day(ago: int) -> str:
    return (timezone.localdate() - timedelta(ago)).isoformat()


def _deliveries(subjects: list[Subject], take: Any, penalty: Any, people: Any) -> None:
    """Batches in every state, rows of every fate, a correction, a mapping that is remembered."""
    city = people["city"]
    rows = [(item.code, item.name, f"（虚构）罚{item.pk}-{number}") for item in subjects[2:] for number in range(NUMBERS)]
    faulty = [("", "无代码公司", f"（虚构）缺{number}") for number in range(3)]
    first = take("penalties", penalty(*rows, rows[0], *faulty, 处罚决定日期=_day(60)))
    open_rows = list(QuarantinedRow.objects.filter(batch=first).order_by("line"))
    fixed = open_rows[0].cells | {"subject_id": subjects[0].code, "name": subjects[0].name}
    assert mend_row(open_rows[0], fixed, city, is_confirmed=True) == []
    discard_rows([open_rows[1]], reason="合计行", by=city)
    take("penalties", penalty(rows[1], 处罚决定日期=_day(60), 违法事实="（虚构）更正"), is_correction=True, supersedes=first)
    take("penalties", penalty(*rows[2:4], 处罚决定日期=_day(50), 失信程度="严重", 公示日期=_day(45)), is_correction=True)
    unknown = penalty((subjects[0].code, subjects[0].name, "（虚构）列1"), 处罚决定日期=_day(40)).replace(
        "决定书文号", "编码"
    )
    mapping = take("penalties", unknown)
    assert mapping.status == "mapping"
    map_columns(mapping, {"行政处罚编码": "document"}, city)
    mapping = process(Batch.objects.get(pk=mapping.pk))
    request_commit(mapping, city)
    process(Batch.objects.get(pk=mapping.pk))
    refuse_batch(take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）退1")), commit=False), "重复", city)
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）待1")), commit=False)
    take("penalties", b"")


def _released_run(release: RulebookRelease, as_of: date, people: Any) -> Run:
    run = runs.execute(runs.start_run(release, as_of=as_of, by=people["city"]))
    assert run.status == "draft", run.error
    propose_run(run, people["city"])
    return release_run(run, people["approver"])


def _ended_records(record: CreditRecord, city: Any) -> None:
    """One record repaired and erased, one revoked."""
    change_record(record, state="repaired", on=timezone.localdate(), basis="修复决定1号", by=city)
    erase_record(record, basis="期满清除", by=city)
    revoked = CreditRecord.objects.filter(state="active", version=1, source="penalties").order_by("seq")[10]
    change_record(revoked, state="revoked", on=timezone.localdate(), basis="撤销决定1号", by=city)


def _orders(subjects: list[Subject], people: Any) -> tuple[GradeOrder, GradeOrder]:
    """An override and a hold in force, one that was ended, one refused, one proposed."""
    graded = list(CurrentGrade.objects.exclude(subject=subjects[1]).order_by("subject__code").select_related("subject"))
    words = {"reason": "（虚构）核查后调整", "basis": "（虚构）核查报告一号", "until": timezone.localdate() + timedelta(90)}

    def order(place: int, kind: str = "override", approve: bool | None = True) -> GradeOrder:
        current = graded[place]
        grade = next(letter for letter in "CBA" if letter != current.grade)
        made = propose_order(current.subject, kind=kind, grade=grade, by=people["city"], **words)
        return made if approve is None else decide_order(made, approve=approve, by=people["approver"])

    override, ended = order(0), order(1)
    end_order(ended, by=people["city"])
    order(2, "hold")
    order(3, approve=False)
    order(4, approve=None)
    return override, ended


def _reports(subjects: list[Subject], city: Any) -> None:
    """An open error report, one upheld, one refused."""
    records = CreditRecord.objects.filter(state="active", publicity_from__isnull=False).order_by("seq")[:3]
    for number, record in enumerate(records):
        report = file_report(record, reason="wrong_value", text="（虚构）金额有误，请核实")
        if number:
            answer_report(report, upheld=number == 1, answer="（虚构）已核实并转更正", by=city)


def _governance(release: RulebookRelease, run: Run, people: Any) -> None:
    """A released and a proposed version, a closed draft and an open one with what-if, panels and consultations."""
    city, today = people["city"], timezone.localdate()

    def draft(title: str) -> Any:
        made = drafts.open_draft(release, title=title, by=city)
        return drafts.save_draft(made, text=made.text, cases="", revision=made.revision, by=city)

    coming = drafts.put_forward(draft("下一版"), by=city, effective_from=today + timedelta(40))
    approve_rulebook(coming, people["approver"], releases_events=False)
    propose_rulebook(loads_rulebook(release.text.replace("建议稿", "再下一版")), city)
    current = draft("草案")
    do_what_if(drafts.start_what_if(current, run, by=city))
    for title in ("第一轮", "第二轮"):
        panel = open_panel(current, run, title=title, share_milli=500, by=city)
        pairs = len(panel.names) * (len(panel.names) - 1) // 2
        save_sheet(panel, expert="甲", judgements=["1"] * pairs, by=city)
        words = {"title": title, "explanation": "起草说明：为便于测试而拟", "closes_on": today + timedelta(60)}
        consultation = open_consultation(current, by=city, **words)
        reply_comment(
            file_comment(consultation, about="ladder", stance="change", text="建议降低 A 级界限"),
            reply="已采纳，界限改为 88 分", is_adopted=True, by=city,
        )  # fmt: skip
        file_comment(consultation, about="", stance="support", text="赞成这一草案")


def _inspections(release: RulebookRelease, subjects: list[Subject], people: Any, monkeypatch: Any) -> None:
    """A plan with a draw whose result is published and one that waits, a team that changed, a result that became a record."""
    city, approver, today = people["city"], people["approver"], timezone.localdate()
    for number in range(1, 7):
        Inspector.objects.create(
            code=f"INS{number:03d}", name=f"虚构{number}", unit=people["inspector"].organisation, certificate=f"豫A{number:05d}",
            valid_until=today + timedelta(400), specialities=[],
        )  # fmt: skip
    for subject in subjects[:2]:
        Conflict.objects.create(
            inspector=Inspector.objects.get(code="INS006"), subject=subject, reason="亲属", declared_by=city
        )
    words = {"basis": "郑虚构〔2026〕1号", "inversion": "示例城市各等级户数很少", "excess_reason": "户数少"}
    plan, _other = (
        plans.make_plan(year=today.year, title=title, items=["trademark_use"], release=release, by=city, **words)
        for title in ("年度抽查计划", "补充计划")
    )
    plans.propose_plan(plan, city)
    plans.decide_plan(plan, approve=True, by=approver)
    plan.refresh_from_db()
    day = today + timedelta(2)
    issue = f"{day.year}{day.timetuple().tm_yday:03d}"
    drawn = draws.commit_draw(plan, game="kl8", issue=issue, day=day, by=city)
    with monkeypatch.context() as patch:  # the day of the drawing has come
        patch.setattr(timezone, "localdate", lambda value=None, **_: day if value is None else value.date())
        for person in (city, approver):
            drawn = draws.enter_numbers(drawn, [list(range(1, 80, 4))], person)
    draws.publish_draw(drawn, approver)
    first, second = Task.objects.order_by("pk")[:2]
    draws.recuse(second, second.assignments.order_by("pk")[0].inspector, "新近发现亲属任职", city)
    visiting = first.assignments.order_by("pk")[0].inspector
    visiting.account = people["inspector"]
    visiting.save()
    found = {
        "method": "on_site",
        "result": "corrected",
        "disposal": "order",
        "note": "标注不规范，已责令改正",
        "inspected_on": today,
    }
    results.review_result(results.submit_result(first, **found, by=people["inspector"]), city, accept=True)
    assert results.publish_results(city) is not None
    draws.commit_draw(plan, game="kl8", issue=issue, day=day, by=city)


def _papers(subject: Subject, release: RulebookRelease) -> None:
    """A credit report and the rules as a document."""
    known, today = published_subject(subject.code), timezone.localdate()
    assert known is not None
    try:
        credit_report(known, today, "https://credit.example/v/")
    except FontMissing:
        register_paper("ABCDEFGH2345", Paper.Kind.CREDIT_REPORT, today, "0" * 64, "0" * 64, subject_id=subject.pk)
        keep_file("ABCDEFGH2345", b"%PDF")
    rules_document(loads_rulebook(release.text), "docx", "https://credit.example/v/", release.effective_from)


def _accounts_and_ways(people: Any) -> None:
    """Two programs that push, two pulls, a new account with a role, an authenticator."""
    city = people["city"]
    for name, account, source in (("业务系统", "department", "penalties"), ("省平台", "city", "judgments")):
        open_client(name=name, account=people[account], by=city)
        schedule_pull(source=source, address=f"https://{source}.example/p.csv", every_minutes=60, is_active=True, by=city)
    made = open_account(
        username="new",
        display_name="新同志",
        organisation=city.organisation,
        password="Demo-知信-2026-新",
        by=people["system"],
    )
    grant_role(user=made, role="inspector", reason="（虚构）调入", by=people["security"])
    device_of(city)


def _desk(subjects: list[Subject], city: Any) -> None:
    for subject in subjects[:2]:
        add_note(subject, text="（虚构）已约谈", by=city)
    tag_subjects(subjects[:2], label="专项", by=city)
    save_view(name="专项", query="tag=专项", by=city)


def _one_more() -> str:
    """The registration of a thirteenth subject: known, evaluated by nobody."""
    known = set(Subject.objects.values_list("code", flat=True))
    table = City(13, 99).subject_table()
    table = table.filter(~table["subject_id"].is_in(list(known))).head(1)
    content = next(content for name, content in subject_files(table) if name == "registrations")
    return content.decode() if isinstance(content, bytes) else content


def _third_parties(people: Any) -> None:
    """Rows of what Django and its packages keep: sessions, groups, failed sign-ins, queued tasks."""
    browser = Browser()
    browser.force_login(people["city"], backend="django.contrib.auth.backends.ModelBackend")
    group = Group.objects.create(name="unused")
    group.permissions.add(Permission.objects.first())
    people["city"].groups.add(group)
    people["city"].user_permissions.add(Permission.objects.first())
    now, sign_in = timezone.now(), {"user_agent": "x", "ip_address": "10.0.0.1", "username": "city", "http_accept": "x", "path_info": "/c/sign-in"}  # fmt: skip
    made = {
        "AccessAttempt": sign_in | {"get_data": "", "post_data": "", "failures_since_start": 1},
        "AccessLog": sign_in | {"logout_time": now}, "AccessFailureLog": sign_in | {"locked_out": False},
    }  # fmt: skip
    attempts = {name: apps.get_model("axes", name).objects.create(**values) for name, values in made.items()}
    apps.get_model("axes", "AccessAttemptExpiration").objects.create(
        access_attempt=attempts["AccessAttempt"], expires_at=now
    )
    apps.get_model("django_tasks_database", "DBTaskResult").objects.create(
        args_kwargs={"args": [1], "kwargs": {}}, priority=0, task_path="zhixin_web.evaluations.tasks.process_batch",
        queue_name="default", backend_name="default", run_after=now,
    )  # fmt: skip


# --- what is said -------------------------------------------------------------------------------------------------

UNNOTICED = "unnoticed"
WITNESSES = "named by the comparison with the witnesses"
REFUSED = "refused by the database"


class Watch:
    """What ``check_invariants`` says of the untouched state, and whether it says more of a tampered one."""

    def __init__(self) -> None:
        self.before: dict[str, set[str]] = {}
        self.replayed: set[str] = set()
        """Tables that a replay reads: after tampering with another one a replay would say what it said before."""
        self.tried = 0
        assert not deviations()
        forget_what_is_cached()
        findings = check()
        while True:
            with CaptureQueriesContext(connection) as captured:
                finding = next(findings, None)
            if finding is None:
                break
            self.before[finding.name] = set(finding.broken)
            self.replayed = set(re.findall(r"\w+_\w+", " ".join(query["sql"] for query in captured)))
        assert not any(self.before.values()), self.before

    def outcome(self, table: str | None) -> str:
        """What became of a tampering with a table (``None``: with several, or with files)."""
        self.tried += 1
        replays = None if table is None or table in self.replayed else 0
        try:
            for finding in check(replays=replays):
                if set(finding.broken) - self.before.get(finding.name, set()):
                    return finding.name
        except Exception as error:
            return f"the check itself falls over, naming nothing: {type(error).__name__}"
        return WITNESSES if deviations() else UNNOTICED

    def attempt(self, table: str, act: Callable[[], None]) -> str:
        """Tamper with one table in a savepoint and say what became of it."""
        with undone():
            try:
                with transaction.atomic(), triggers_away(table):
                    act()
            except DatabaseError:
                return REFUSED
            if table.startswith(CACHED):
                forget_what_is_cached()
            found = self.outcome(table)
        if table.startswith(CACHED):
            forget_what_is_cached()
        return found


CACHED = ("rulebooks_", "governance_consultation")
"""Tables whose texts a process keeps once read; the next process reads them anew."""


def is_missed(outcome: str) -> bool:
    return outcome == UNNOTICED or outcome.startswith("the check itself")


def forget_what_is_cached() -> None:
    """As in a new process: ``check_invariants`` begins with empty caches."""
    for name, module in list(sys.modules.items()):
        if name.startswith("zhixin_web."):
            for item in list(vars(module).values()):
                if callable(getattr(item, "cache_clear", None)):
                    item.cache_clear()


@contextmanager
def undone() -> Iterator[None]:
    """A savepoint that is always rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def triggers_away(*tables: str) -> Iterator[None]:
    """Tables without their append-only triggers; they are there again afterwards, as a careful attacker leaves them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        marks = ", ".join(["%s"] * len(tables))
        cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks})", tables)
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        for _name, sql in triggers:
            cursor.execute(sql, None)


# --- other values -------------------------------------------------------------------------------------------------

Model = type[models.Model]
Field = models.Field
Row = dict[str, Any]
Variant = tuple[str, Any]
"""What is changed within the column (a key of JSON, or nothing), and the other value."""

LETTERS = ("A", "B", "C", "D")
OTHERS: dict[str, tuple[Any, ...]] = {
    "evaluations_grade.grade": LETTERS, "evaluations_grade.was": LETTERS, "evaluations_currentgrade.grade": LETTERS,
    "evaluations_currentgrade.in_force": LETTERS, "evaluations_gradeorder.grade": LETTERS,
    "records_creditrecord.severity": ("minor", "serious"), "records_creditrecord.stated_severity": ("minor", "serious"),
    "records_creditrecord.kind": ("penalty.trademark.use", "list.serious"), "collection_batch.suffix": (".xlsx",),
    "records_subject.district": ("410102", "410105"), "records_subject.industry": ("C", "M"), "governance_comment.about": ("ladder",),
}  # fmt: skip
"""Other values of columns that hold a word of a vocabulary which the model does not name."""
OTHERS |= {f"{table}.source": ("penalties", "judgments") for table in ("records_creditrecord", "records_subjectversion", "collection_batch", "cases_errorreport", "collection_columnmemory", "collection_pull")}  # fmt: skip
CALLED: dict[str, Callable[[], list[Any]]] = {
    "evaluations_run.previous_runs": lambda: [list(Run.objects.released().order_by("pk").values_list("pk", flat=True)[:1])],
    "evaluations_run.only": lambda: [[Subject.objects.order_by("pk").values_list("code", flat=True)[0]]],
}
"""Other values of columns that name rows without a foreign key."""
RULEBOOK_TEXTS = ("rulebooks_rulebookrelease.text", "governance_draft.text", "governance_consultation.text")
TERM = re.compile(r"value: 36\b")
"""A term of publication in a rulebook's text."""


def place_of(field: Field) -> str:
    return f"{field.model._meta.db_table}.{field.column}"


def variants(field: Field, row: Row) -> list[Variant]:
    """Plausible other values of a column of a row: all other members of a vocabulary, otherwise one or two."""
    value = row[field.attname]
    if isinstance(field, models.JSONField) and place_of(field) not in CALLED:
        found = _changed_parts(value)
    else:
        found = [("", other) for other in _others(field, value) if other != value]
    if field.null and value is not None and not field.primary_key:
        found.append(("", None))
    return found


def _others(field: Field, value: Any) -> Sequence[Any]:
    if field.is_relation:
        keys = field.related_model._base_manager.exclude(pk=value).values_list("pk", flat=True)
        return list(keys.order_by("pk")[:1]) + list(keys.order_by("-pk")[:1])
    if place_of(field) in OTHERS:
        return OTHERS[place_of(field)]
    if place_of(field) in CALLED:
        return CALLED[place_of(field)]()
    if field.name == "body" and not value:
        return list(field.model._base_manager.exclude(body="").values_list("body", flat=True)[:1])
    if field.choices:
        return [member for member, _title in field.flatchoices]
    if place_of(field) in RULEBOOK_TEXTS:
        return [TERM.sub("value: 12", value), value.replace("建议稿", "暂行", 1), value + "# x\n"]
    if isinstance(field, models.BooleanField):
        return [not value]
    if isinstance(field, models.IntegerField):
        if field.primary_key:
            return [(field.model._base_manager.order_by("-pk").values_list("pk", flat=True)[0] or 0) + 1000]
        return [1 if value is None else value + 1]
    return [_other_scalar(field, value)]


def _other_scalar(field: Field, value: Any) -> Any:
    if isinstance(field, models.DateTimeField):
        return timezone.now() if value is None else value + timedelta(30)
    if isinstance(field, models.DateField):
        return timezone.localdate() if value is None else value + timedelta(30)
    if isinstance(field, models.BinaryField):
        content = bytes(value or b"")
        return bytes([content[0] ^ 1]) + content[1:] if content else b"\x01" * 32
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.GenericIPAddressField):
        return "10.9.8.7"
    if isinstance(field, models.CharField | models.TextField):
        return _other_text(value or "", field.max_length)
    raise AssertionError(f"no other value is known for {place_of(field)}")


def _other_text(value: str, longest: int | None) -> str:
    """The text with one more character; with a digit changed where it is JSON; a hash or a full text with its last character."""
    if value.startswith("{"):
        return _other_bytes(value.encode()).decode()
    if value and (re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", value) or (longest is not None and len(value) >= longest)):
        return value[:-1] + ("1" if value[-1] != "1" else "2")
    return value + "x"


def _changed_parts(value: Any) -> list[Variant]:
    """JSON with one value changed, for each key of the outermost object."""
    if isinstance(value, dict) and value:
        return [(f"[{key}]", value | {key: _changed(value[key])}) for key in value]
    return [("", _changed(value))]


def _changed(value: Any) -> Any:
    if isinstance(value, dict):
        first = next(iter(value), None)
        return {"x": 1} if first is None else value | {first: _changed(value[first])}
    if isinstance(value, list):
        return [_changed(value[0]), *value[1:]] if value else ["x"]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "x" if value is None else value + "x"


# --- rows and statements ------------------------------------------------------------------------------------------

MOST_ROWS = 12


def fields_of(model: Model) -> list[Field]:
    return list(model._meta.concrete_fields)


def representatives(model: Model) -> list[Row]:
    """The first and the last row of every kind: by members of vocabularies, and by what is empty."""
    told = [item for item in fields_of(model) if item.choices or isinstance(item, models.BooleanField) or item.null]
    kinds: dict[tuple[Any, ...], list[Row]] = {}
    for row in model._base_manager.order_by("pk").values(*[item.attname for item in fields_of(model)]):
        kind = tuple(row[item.attname] is None if item.null and not item.choices else row[item.attname] for item in told)
        kinds.setdefault((*kind, _kind_of(model, row)), []).append(row)
    found = [rows[place] for place in (0, -1) for rows in kinds.values()]
    unique = list({row[model._meta.pk.attname]: row for row in found}.values())
    return unique if model in (LedgerEntry, SealedBody) else unique[:MOST_ROWS]


def _kind_of(model: Model, row: Row) -> Any:
    """What tells rows apart beside their own vocabularies."""
    if model is SealedBody:
        return LedgerEntry.objects.values_list("kind", flat=True).get(pk=row["seq"])
    if model is LedgerEntry:
        last = SignedCheckpoint.objects.order_by("-size").values_list("size", flat=True)[0]
        return row["kind"], row["seq"] < last
    return row.get("version", 1) > 1


def execute(statement: str, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def kept(field: Field, value: Any) -> Any:
    """A value as the database keeps it."""
    return field.get_db_prep_save(value, connection)


def update(model: Model, row: Row, changes: dict[Field, Any]) -> None:
    key, columns = model._meta.pk, ", ".join(f'"{item.column}" = %s' for item in changes)
    values = [kept(item, value) for item, value in changes.items()]
    execute(
        f'UPDATE "{model._meta.db_table}" SET {columns} WHERE "{key.column}" = %s', [*values, kept(key, row[key.attname])]
    )


def delete(model: Model, keys: Sequence[Any]) -> None:
    key = model._meta.pk
    for value in keys:
        execute(f'DELETE FROM "{model._meta.db_table}" WHERE "{key.column}" = %s', [kept(key, value)])


def delete_with_dependents(model: Model, keys: Sequence[Any]) -> None:
    """Remove rows and whatever refers to them, the outermost first."""
    for relation in model._meta.related_objects:
        child = relation.related_model
        found = child._base_manager.filter(**{f"{relation.field.name}__in": keys}).exclude(
            pk__in=keys if child is model else []
        )
        if refering := list(found.values_list("pk", flat=True)):
            delete_with_dependents(child, refering)
    delete(model, keys)


def insert(model: Model, row: Row) -> None:
    fields = fields_of(model)
    names, marks = ", ".join(f'"{item.column}"' for item in fields), ", ".join(["%s"] * len(fields))
    values = [kept(item, row[item.attname]) for item in fields]
    execute(f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})', values)


def copies(model: Model, row: Row) -> Iterator[Row]:
    """The row under a new key and with other values where the table wants unique ones."""
    names = {model._meta.pk.name, *(item.name for item in fields_of(model) if item.unique)}
    for constraint in model._meta.total_unique_constraints:
        names.add(constraint.fields[-1])
    names |= {parts[-1] for parts in model._meta.unique_together}
    names |= {part for item in model._meta.constraints if isinstance(item, models.UniqueConstraint) and item.condition for part in item.fields}  # fmt: skip
    changed = [model._meta.get_field(name) for name in sorted(names)]
    for values in islice(product(*[_fresh(item, row) for item in changed]), 60):
        yield row | {item.attname: value for item, value in zip(changed, values, strict=True)}


def _fresh(field: Field, row: Row) -> list[Any]:
    """Values that a unique column may not hold yet."""
    value = row[field.attname]
    everything = field.model._base_manager
    if field.is_relation:
        return list(field.related_model._base_manager.exclude(pk=value).order_by("-pk").values_list("pk", flat=True)[:20])
    if value is None:
        return [None]
    if isinstance(field, models.IntegerField):
        top = everything.order_by(f"-{field.name}").values_list(field.name, flat=True)[0]
        return [LedgerEntry.objects.count() if field.name == "seq" else top + 1]
    return [_other_scalar(field, value), _other_text(_other_text(str(value), field.max_length), field.max_length)]


# --- tables -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Missed:
    """A tampering that nothing named."""

    place: str
    what: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.place:55} {self.outcome}: {self.what}"


def tamper_with_columns(watch: Watch, model: Model) -> Iterator[Missed]:
    """Change every column of every kind of row; the first change of a column that is missed is told."""
    table, told, crashed = model._meta.db_table, set(), set()

    def missed(row: Row, item: Field, part: str, value: Any, outcome: str) -> Iterator[Missed]:
        place, before = f"{table}.{item.column}{part}", row[item.attname]
        seen = told if outcome == UNNOTICED else crashed
        if is_missed(outcome) and place not in seen:
            seen.add(place)
            before, value = (before[part[1:-1]], value[part[1:-1]]) if part else (before, value)
            yield Missed(place, f"row {row[model._meta.pk.attname]}: {shown(before)} → {shown(value)}", outcome)

    for row in representatives(model):
        for item in fields_of(model):
            for part, value in variants(item, row):
                if f"{table}.{item.column}{part}" not in told:
                    outcome = watch.attempt(table, partial(update, model, row, {item: value}))
                    yield from missed(row, item, part, value, outcome)


def tamper_with_rows(watch: Watch, model: Model) -> Iterator[Missed]:
    """Remove a row of every kind, alone and with all that refers to it, and put in a copy of it."""
    table, key, rows = model._meta.db_table, model._meta.pk.attname, representatives(model)

    def first_missed(action: str, words: str, act: Callable[[Model, Row], None]) -> Iterator[Missed]:
        for row in rows:
            outcome = watch.attempt(table, partial(act, model, row))
            if is_missed(outcome):
                yield Missed(f"{table}.{action}", f"{words}, row {row[key]}", outcome)
                return

    yield from first_missed("delete", "alone", lambda model, row: delete(model, [row[key]]))
    if model._meta.related_objects:
        yield from first_missed("delete", "with dependents", lambda model, row: delete_with_dependents(model, [row[key]]))
    yield from first_missed("insert", "a copy", _insert_a_copy)


def _insert_a_copy(model: Model, row: Row) -> None:
    for copy in copies(model, row):
        try:
            with transaction.atomic():
                insert(model, copy)
        except DatabaseError:
            continue
        return
    raise DatabaseError("every copy was refused")


def shown(value: Any) -> str:
    text = f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else " ".join(str(value).split())
    return text if len(text) <= 24 else f"{text[:10]}…{text[-10:]}"


GROUPS = {
    "evaluations": ("evaluations_",),
    "records": ("records_",),
    "audit and collection": ("audit_", "collection_"),
    "inspections": ("inspections_",),
    "packages": ("auth_", "axes_", "django_", "otp_"),
    "people and governance": (),
}
"""Beginnings of the names of tables; the last group has all others."""


def group_of(model: Model) -> str:
    for name, beginnings in GROUPS.items():
        if model._meta.db_table.startswith(beginnings):
            return name
    return name


KNOWN_WITHOUT_MODEL = {"django_migrations": "name", "records_search": "words"}
"""Tables that no model describes, with the column that says something; SQLite keeps the search index in five more."""


def is_excused(missed: Missed) -> bool:
    table, _, rest = missed.place.partition(".")
    return bool({missed.place, f"{table}.*", f"{table}.{rest.partition('[')[0]}"} & NEEDS_NO_PROOF.keys())


def told(watch: Watch, missed: Sequence[Missed]) -> str:
    first = f"{len(missed)} tamperings are not named ({watch.tried} checks):"
    return "\n".join(["", first, *sorted(str(item) for item in missed)])


@pytest.mark.parametrize("group", GROUPS)
def test_whoever_changes_the_database_is_found_out(state: State, group: str) -> None:
    watch, missed = Watch(), []
    for model in apps.get_models(include_auto_created=True):
        if group_of(model) == group:
            assert model._base_manager.exists(), f"{model._meta.db_table} is empty: nothing can be tampered with"
            missed += [*tamper_with_columns(watch, model), *tamper_with_rows(watch, model)]
    left = [item for item in missed if not is_excused(item)]
    assert not left, told(watch, left)


def test_whoever_changes_a_table_without_a_model_is_found_out(state: State) -> None:
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    found = {name for name in connection.introspection.table_names() if not name.startswith("records_search_")} - known
    assert found == KNOWN_WITHOUT_MODEL.keys()
    watch, missed = Watch(), []
    for table, column in KNOWN_WITHOUT_MODEL.items():
        more = "'x'::tsvector" if connection.vendor == "postgresql" and table == "records_search" else "' x'"
        for place, statement in (
            (column, f"UPDATE {table} SET {column} = {column} || {more}"),
            ("delete", f"DELETE FROM {table}"),
        ):
            outcome = watch.attempt(table, partial(execute, statement, []))
            missed += [Missed(f"{table}.{place}", statement, outcome)] if is_missed(outcome) else []
    left = [item for item in missed if not is_excused(item)]
    assert not left, told(watch, left)


def test_every_excuse_names_something_that_exists() -> None:
    known = {"files"}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        known |= {f"{table}.{name}" for name in ("*", "delete", "insert", *(item.column for item in fields_of(model)))}
    known |= {f"{table}.*" for table in KNOWN_WITHOUT_MODEL}
    unknown = {name for name in NEEDS_NO_PROOF if name.partition("[")[0] not in known and not name.startswith("files.")}
    assert unknown == set()
    assert all(len(reason) > 15 for reason in NEEDS_NO_PROOF.values())


# --- files --------------------------------------------------------------------------------------------------------


def files_of(state: State) -> dict[str, Path]:
    """One file of each kind that the site keeps, by what it is."""
    committed = Batch.objects.filter(status="committed").order_by("-rows").first()
    waiting = Batch.objects.filter(status="staged").order_by("pk").first()
    assert committed is not None
    assert waiting is not None
    segment, draft = Segment.objects.order_by("first_seq")[1], Run.objects.get(status="draft")
    paper, var = next((Path(settings.VAR) / "papers").iterdir()), Path(settings.VAR)
    found = {
        "originals.committed": original_path(committed.sha256, committed.suffix),
        "originals.waiting": original_path(waiting.sha256, waiting.suffix),
        "staged": staged_path(waiting.pk),
        "papers": paper,
        "signer.last": var / "signer" / "last",
        "witness": witness_log(),
        "progress": next((var / "progress").iterdir()),
    }
    found |= {f"segments.{name}": segment_file(segment_folder(), name, segment.first_seq, segment.last_seq) for name in ("records", "subjects")}  # fmt: skip
    found |= {f"open.{path.suffix[1:]}": path for path in (var / "open").iterdir()}
    for what, run in (("released", state.newest), ("event", state.event), ("draft", draft)):
        folder = run_folder(run)
        found |= {f"runs.{what}.{path.name}": path for path in sorted(folder.iterdir())}
        found |= {f"facts.{what}.{path.name}": path for path in sorted(folder.with_name(f"{folder.name}-facts").iterdir())}
    return found


def test_whoever_changes_or_removes_a_file_is_found_out(state: State) -> None:
    watch, missed = Watch(), []
    for what, path in files_of(state).items():
        content = path.read_bytes()
        for action, other in (("change", _other_bytes(content)), ("delete", None)):
            path.unlink() if other is None else path.write_bytes(other)
            outcome = watch.outcome(None)
            missed += [Missed(f"files.{what}", action, outcome)] if is_missed(outcome) else []
            path.write_bytes(content)
    left = [item for item in missed if item.place not in NEEDS_NO_PROOF]
    assert not left, told(watch, left)


def _other_bytes(content: bytes) -> bytes:
    """A digit in the middle of a text changed, or a bit of what is no text."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    places = [match.start() for match in re.finditer(r"\d", text)] or [0]
    place = places[len(places) // 2]
    return (text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]).encode()


# --- attacks ------------------------------------------------------------------------------------------------------

Attack = Callable[[State], None]
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


def change(found: models.Model, **changes: Any) -> None:
    """Write other values into a row, past the application."""
    model = type(found)
    update(model, _row(found), {model._meta.get_field(name): value for name, value in changes.items()})


def remove(rows: models.QuerySet[Any]) -> None:
    """Take rows away, past the application."""
    delete(rows.model, list(rows.values_list("pk", flat=True)))


def add(model: Model, row: Row, **changes: Any) -> Any:
    """Put in a copy of a row under the next key, past the application."""
    top = model._base_manager.order_by("-pk").values_list("pk", flat=True)[0]
    insert(model, row | {model._meta.pk.attname: top + 1} | changes)
    return top + 1


def _row(found: models.Model) -> Row:
    return {item.attname: getattr(found, item.attname) for item in fields_of(type(found))}


def _graded(*, but: str) -> CurrentGrade:
    """A subject of another grade than that, without an order."""
    free = CurrentGrade.objects.exclude(grade=but).exclude(subject__grade_orders__status__in=["active", "ended", "refused"])
    found = free.order_by("pk").first()
    assert found is not None
    return found


def _published() -> CreditRecord:
    """A published record of one version."""
    changed = CreditRecord.objects.filter(version__gt=1).values("key")
    shown = CreditRecord.objects.filter(state="active", publicity_until__isnull=False).exclude(key__in=changed)
    return shown.order_by("seq")[0]


@attack
def all_checkpoints_are_removed(state: State) -> None:
    remove(SignedCheckpoint.objects.all())


@attack
def the_newest_checkpoint_is_removed(state: State) -> None:
    remove(SignedCheckpoint.objects.filter(pk=SignedCheckpoint.objects.order_by("-size")[0].pk))


@attack
def a_checkpoint_is_signed_with_another_key(state: State) -> None:
    _sign_again(Ed25519PrivateKey.generate())


@attack
def all_sealed_bodies_are_erased(state: State) -> None:
    for body in SealedBody.objects.all():
        change(body, body="", salt=b"", erased_at=timezone.now())


@attack
def a_sealed_body_says_something_else(state: State) -> None:
    """Where the ledger commits to which files a released run consists of, another body stands."""
    body = SealedBody.objects.get(seq=state.newest.ledger_seq)
    change(body, body=body.body.replace(state.newest.grades_sha256, "0" * 64))


@attack
def the_approver_of_a_run_is_another(state: State) -> None:
    change(state.newest, released_by=state.people["auditor"].pk)


@attack
def maker_and_approver_of_a_run_change_places(state: State) -> None:
    change(state.first, released_by=state.first.proposed_by_id, proposed_by=state.first.released_by_id)


@attack
def the_approver_of_a_rulebook_is_another(state: State) -> None:
    change(RulebookRelease.objects.get(pk=state.newest.release_id), approved_by=state.people["auditor"].pk)


@attack
def two_accounts_change_their_names(state: State) -> None:
    """Whoever decided is now called what somebody else was called."""
    one, other = state.people["approver"], state.people["auditor"]
    change(one, display_name=other.display_name)
    change(other, display_name=one.display_name)


@attack
def an_account_gives_itself_a_role(state: State) -> None:
    change(state.people["system"], role="approver")


@attack
def an_override_that_nobody_decided_is_in_force(state: State) -> None:
    current = _graded(but="A")
    add(GradeOrder, _row(state.override), subject_id=current.subject_id, grade="A")
    change(current, in_force="A")


@attack
def a_grade_in_force_differs_without_an_order(state: State) -> None:
    change(_graded(but="A"), in_force="A")


@attack
def an_ended_order_is_in_force_again(state: State) -> None:
    change(state.ended, status="active", ended_at=None)
    change(CurrentGrade.objects.get(subject=state.ended.subject_id), in_force=state.ended.grade)


@attack
def an_order_in_force_lasts_longer(state: State) -> None:
    change(state.override, until=state.override.until + timedelta(365))


@attack
def an_override_is_taken_out_of_force(state: State) -> None:
    """The order is gone with its effect; its ledger entry is left alone."""
    current = CurrentGrade.objects.get(subject=state.override.subject_id)
    change(current, in_force=current.grade)
    remove(GradeOrder.objects.filter(pk=state.override.pk))


@attack
def a_refused_order_was_approved(state: State) -> None:
    found = GradeOrder.objects.get(status="refused")
    change(found, status="active")
    change(CurrentGrade.objects.get(subject=found.subject_id), in_force=found.grade)


@attack
def a_released_run_is_forged_with_a_grade(state: State) -> None:
    """A copy of a released run with its ledger entry and its archive, and a grade that it never gave."""
    _grade_anew(_graded(but="A"), add(Run, _row(state.newest), trigger=None))


@attack
def a_grade_is_added_to_a_released_run(state: State) -> None:
    """The history and the grade in force agree; the archive of the run says something else."""
    current = _graded(but="A")
    _grade_anew(current, Run.objects.released().exclude(grades__subject=current.subject_id).order_by("-pk")[0].pk)


@attack
def a_grade_is_rewritten_in_history_and_in_force(state: State) -> None:
    current = _graded(but="A")
    newest = Grade.objects.filter(subject=current.subject_id).order_by("-pk")[0]
    change(newest, grade="A", score_milli=99_000)
    change(current, grade="A", in_force="A", score_milli=99_000)


@attack
def a_subject_loses_its_bad_grade_altogether(state: State) -> None:
    current = _graded(but="A")
    remove(Grade.objects.filter(subject=current.subject_id))
    remove(CurrentGrade.objects.filter(pk=current.pk))


def _grade_anew(current: CurrentGrade, run: int) -> None:
    row = _row(Grade.objects.filter(subject=current.subject_id).order_by("-pk")[0])
    add(Grade, row, run_id=run, grade="A", was=current.grade, score_milli=99_000)
    change(current, run=run, grade="A", in_force="A", score_milli=99_000)


@attack
def an_archive_is_replaced_behind_the_excuse_of_an_erasure(state: State) -> None:
    """A record that the run knew was erased, so its replay proves nothing; the hash of the run says what the file says."""
    path = run_folder(state.event) / "grades.parquet"
    path.write_bytes(_other_bytes(path.read_bytes()))
    change(state.event, grades_sha256=sha256(path.read_bytes()).hexdigest())


@attack
def an_erasure_is_pretended_so_that_no_run_replays(state: State) -> None:
    """One old record is said to be erased; from then on the archive of every run that knew it may say anything."""
    record = CreditRecord.objects.filter(erased_at=None, seq__lte=state.newest.known_seq).order_by("seq")[0]
    change(record, body="", salt=b"", erased_at=timezone.now())


@attack
def a_record_that_counts_is_erased(state: State) -> None:
    """An active record is said to be erased: it is no longer published, although nobody repaired or revoked it."""
    change(_published(), body="", salt=b"", erased_at=timezone.now())


@attack
def a_penalty_is_published_a_month_less(state: State) -> None:
    record = _published()
    assert record.publicity_until is not None
    change(record, publicity_until=record.publicity_until - timedelta(30))


@attack
def a_penalty_is_no_longer_published(state: State) -> None:
    change(_published(), publicity_from=None, publicity_min_until=None, publicity_until=None)


@attack
def a_penalty_says_in_the_register_that_it_is_repaired(state: State) -> None:
    change(_published(), state="repaired")


@attack
def a_record_is_removed_with_its_account(state: State) -> None:
    """Entry, record and the counts of its batch go together; the gap is filled and the tile made anew."""
    batch = Batch.objects.filter(status="committed", source="serious_list").order_by("-pk")[0]
    record, last = CreditRecord.objects.get(batch=batch), LedgerEntry.objects.order_by("-seq")[0]
    remove(CreditRecord.objects.filter(pk=record.pk))
    change(batch, rows=0, accepted=0)
    remove(LedgerEntry.objects.filter(pk=record.seq))
    change(last, seq=record.seq)
    _tiles_again()


@attack
def a_subject_bears_another_name(state: State) -> None:
    change(state.subjects[3], name="郑州清白有限公司", name_key="郑州清白有限公司")


@attack
def two_subjects_change_their_names(state: State) -> None:
    """The record and the grade of the one now stand under the name of the other."""
    one, other = state.subjects[3:5]
    change(one, name=other.name, name_key=other.name_key)
    change(other, name=one.name, name_key=one.name_key)


@attack
def two_subjects_change_their_codes(state: State) -> None:
    one, other = state.subjects[3:5]
    change(one, code="X")
    change(other, code=one.code)
    change(one, code=other.code)


@attack
def an_earlier_state_of_an_order_is_committed_again(state: State) -> None:
    """What the application once committed is genuine: its code is copied to the end, and the row is as it was then."""
    once = RowCommitment.objects.filter(table="evaluations_gradeorder", row=str(state.ended.pk)).order_by("-pk")[1]
    add(RowCommitment, _row(once), head=None)
    an_ended_order_is_in_force_again(state)


@attack
def the_last_act_on_a_row_is_forgotten(state: State) -> None:
    """A role was granted after the last head; commitment and grant go, the account is what it was."""
    account = User.objects.get(username="new")
    remove(RowCommitment.objects.filter(table="accounts_user", row=str(account.pk), head=None))
    grants = account.grants.all()
    remove(RowCommitment.objects.filter(table="accounts_rolegrant", row__in=[str(grant.pk) for grant in grants]))
    remove(grants)
    change(account, role="")
    if RowCommitment.objects.filter(table="accounts_user", row=str(account.pk)).exists():
        return
    remove(User.objects.filter(pk=account.pk))


@attack
def heads_are_made_anew_without_an_act(state: State) -> None:
    """The end of an order is taken out of the commitments; the bodies of all heads give the roots that now come out."""
    ended = RowCommitment.objects.filter(table="evaluations_gradeorder", row=str(state.ended.pk)).order_by("-pk")[0]
    assert ended.head is not None
    remove(RowCommitment.objects.filter(pk=ended.pk))
    an_ended_order_is_in_force_again(state)
    for number, root in row_heads().items():
        entry = LedgerEntry.objects.get(kind="rows.head", ref=f"rows:{number}")
        count = RowCommitment.objects.filter(head=number).count()
        body = ledger.canonical({"head": number, "rows": count, "root": root.hex()})
        change(SealedBody.objects.get(pk=entry.pk), body=body)


def _append(kind: str, ref: str, body: str) -> tuple[int, bytes]:
    """Add an entry to the ledger as anybody with the database can, who lacks the application's keys; its number and salt."""
    last, salt = LedgerEntry.objects.order_by("-seq")[0], b"\x09" * ledger.SALT_BYTES
    line = ledger.entry(kind, ref, ledger.commitment(body, salt), json.loads(last.data)["time"])
    fresh = {"seq": last.seq + 1, "kind": kind, "ref": ref, "data": line, "leaf": ledger.leaf_hash(line.encode())}
    insert(LedgerEntry, _row(last) | fresh)
    return last.seq + 1, salt


def _version(record: CreditRecord, kind: str, ref: str, said: dict[str, str], **columns: Any) -> None:
    """A record version with a ledger entry of its own."""
    body = ledger.canonical(json.loads(record.body) | said)
    seq, salt = _append(kind, ref, body)
    kept = {"seq": seq, "body": body, "salt": salt, "digest": sha256(body.encode()).digest()}
    insert(CreditRecord, _row(record) | kept | columns)


@attack
def a_penalty_is_revoked_by_nobody(state: State) -> None:
    """A new version with an entry of its own says that the penalty was revoked; no account did it."""
    record = _published()
    said = {"state": "revoked", "revoked_on": timezone.localdate().isoformat(), "basis": "撤销决定9号"}
    ended = {"state": "revoked", "publicity_from": None, "publicity_min_until": None, "publicity_until": None}
    _version(record, "record.revoke", f"R{record.seq}", said, version=record.version + 1, **ended)


@attack
def a_penalty_is_invented(state: State) -> None:
    """A new record with an entry of its own, under batch and line of a row that was delivered."""
    record = _published()
    said = {"document": json.loads(record.body)["document"] + "9"}
    _version(record, "record.add", f"B{record.batch_id}/{record.line}", said, key=record.key.replace("|", "9|"), version=1)


@attack
def a_record_that_counts_is_erased_with_an_entry(state: State) -> None:
    """The entry names an active record, which may not be erased, and the account of somebody who did not do it."""
    record = _published()
    body = ledger.canonical({"records": [record.seq], "basis": "x", "by": "city"})
    seq, salt = _append("record.erase", f"R{record.seq}", body)
    insert(SealedBody, {"seq": seq, "body": body, "salt": salt, "erased_at": None})
    change(record, body="", salt=b"", erased_at=timezone.now())


@attack
def a_waiting_delivery_is_rewritten_before_it_is_taken_in(state: State) -> None:
    """The staged rows say another fine than the kept file; a person takes the delivery in, and the application writes it."""
    waiting = Batch.objects.filter(status="staged").order_by("pk")[0]
    path = staged_path(waiting.pk)
    line, code, name, key, body, digest, *rest = json.loads(path.read_text(encoding="utf-8"))
    other = body.replace('"amount":1500000', '"amount":9900000')
    assert other != body
    row = [line, code, name, key, other, content_digest(other).hex(), *rest]
    assert digest == content_digest(body).hex()
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    request_commit(waiting, state.people["city"])
    process(Batch.objects.get(pk=waiting.pk))
    assert CreditRecord.objects.filter(batch=waiting, body=other).exists()


@attack
def the_law_in_force_says_something_else(state: State) -> None:
    """The text of the released rulebook is another sound rulebook; its hash stays."""
    found = RulebookRelease.objects.get(pk=state.newest.release_id)
    change(found, text=TERM.sub("value: 12", found.text))


@attack
def a_rulebook_is_released_by_nobody(state: State) -> None:
    found = RulebookRelease.objects.get(status="proposed")
    now = {"approved_at": timezone.now(), "effective_from": timezone.localdate()}
    change(found, status="released", approved_by=state.people["approver"].pk, **now)


@attack
def what_people_did_is_forgotten(state: State) -> None:
    remove(Event.objects.all())


@attack
def an_error_report_was_never_filed(state: State) -> None:
    """The public asked and was not answered; report and events go, the ledger entry stays."""
    report = ErrorReport.objects.get(status="open")
    remove(Event.objects.filter(ref=f"report:{report.pk}"))
    remove(ErrorReport.objects.filter(pk=report.pk))


@attack
def the_end_of_the_ledger_is_cut_off(state: State) -> None:
    """That a batch was taken back stands no longer in the ledger, which no checkpoint covers there."""
    first = CreditRecord.objects.order_by("-seq").values_list("seq", flat=True)[0] + 1
    assert LedgerEntry.objects.filter(seq__gte=first).exists()
    remove(LedgerEntry.objects.filter(seq__gte=first))
    remove(SealedBody.objects.filter(seq__gte=first))


@attack
def the_whole_ledger_is_rewritten(state: State) -> None:
    """The published facts of a penalty change with every hash above them; checkpoints are signed with another key."""
    record = CreditRecord.objects.filter(state="active", source="penalties", version=1).order_by("seq")[5]
    body, salt = '"违法轻微"'.join(record.body.rsplit('"虚构"', 1)), b"\x07" * ledger.SALT_BYTES
    assert body != record.body
    change(record, body=body, salt=salt, digest=sha256(body.encode()).digest())
    found = LedgerEntry.objects.get(pk=record.pk)
    entry = json.loads(found.data)
    line = ledger.entry(entry["kind"], entry["ref"], ledger.commitment(body, salt), entry["time"])
    change(found, data=line, leaf=ledger.leaf_hash(line.encode()))
    _sign_again(Ed25519PrivateKey.generate())


def _sign_again(key: Ed25519PrivateKey) -> None:
    """Tiles and checkpoints as they must be over the entries as they are, with a key of one's own."""
    leaves = _tiles_again()
    for checkpoint in SignedCheckpoint.objects.all():
        made = ledger.Checkpoint(settings.LEDGER_ORIGIN, checkpoint.size, ledger.root_of(leaves[: checkpoint.size]))
        change(checkpoint, note=signing.sign_note(made.text, settings.LEDGER_ORIGIN, key))


def _tiles_again() -> list[bytes]:
    leaves = [bytes(leaf) for leaf in LedgerEntry.objects.order_by("seq").values_list("leaf", flat=True)]
    for tile in LedgerTile.objects.all():
        change(tile, hash=ledger.root_of(leaves[tile.number * TILE : (tile.number + 1) * TILE]))
    return leaves


@attack
def the_whole_ledger_is_rewritten_with_the_notes_beside_it(state: State) -> None:
    """As before; what witness and signer keep in the site's own folder now bears the other key too."""
    key = Ed25519PrivateKey.generate()
    the_whole_ledger_is_rewritten(state)
    _sign_again(key)
    made = [checkpoint.note for checkpoint in SignedCheckpoint.objects.order_by("size")]
    witness_log().write_text("".join(json.dumps({"note": note}) + "\n" for note in made), encoding="utf-8")
    (Path(settings.VAR) / "signer" / "last").write_text(made[-1], encoding="utf-8")


@attack
def the_database_is_that_of_yesterday(state: State) -> None:
    """A day's work is signed and then gone from the database; the signing process has seen it."""
    with undone():
        row = (state.subjects[4].code, state.subjects[4].name, "（虚构）昨1")
        state.take("penalties", state.penalty(row))
        assert sign_and_show()[0] is not None


def test_attacks_that_touch_several_places_are_found_out(state: State, tmp_path: Path) -> None:
    watch, missed, copy = Watch(), [], tmp_path / "copy"
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    shutil.copytree(settings.VAR, copy)
    for name, act in ATTACKS.items():
        with undone():
            with triggers_away(*tables):
                act(state)
            forget_what_is_cached()
            outcome = watch.outcome(None)
        missed += [Missed(name, " ".join((act.__doc__ or "").split()), outcome)] if is_missed(outcome) else []
        shutil.rmtree(settings.VAR)
        shutil.copytree(copy, settings.VAR)
        forget_what_is_cached()
    assert not missed, told(watch, missed)


def test_a_table_that_is_no_longer_append_only_is_named(state: State) -> None:
    watch = Watch()
    with undone():
        if connection.vendor == "postgresql":
            execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER USER", [])
        else:
            execute("DROP TRIGGER audit_ledgerentry_update", [])
        outcome = watch.outcome(None)
    assert not is_missed(outcome), outcome
