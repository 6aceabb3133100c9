"""Inspectors and their conflicts, yearly plans, draws, tasks. All of it is committed as it is written (:mod:`zhixin_web.audit.bound`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhixin.trust.draw import latest_commitment
from zhixin.trust.draw.public_numbers import GAMES
from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class Inspector(BoundModel):
    """Somebody with a certificate who may be sent (检查人员名录库). ``code`` is the public identifier."""

    code = models.CharField(max_length=20, unique=True)
    account = models.OneToOneField(PEOPLE, models.PROTECT, null=True, related_name="inspector")
    name = models.CharField(max_length=60)
    unit = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    certificate = models.CharField(max_length=60)
    valid_until = models.DateField()
    specialities = models.JSONField(default=list)
    """Codes of items this person may inspect; empty: all."""
    on_leave_from = models.DateField(null=True)
    on_leave_until = models.DateField(null=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    def may_inspect(self, items: Iterable[str]) -> bool:
        """Whether this person may inspect all of some items."""
        return not self.specialities or set(items) <= set(self.specialities)


class Conflict(BoundModel):
    """An inspector who must not inspect a subject (回避)."""

    inspector = models.ForeignKey(Inspector, models.PROTECT, related_name="conflicts")
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    declared_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["inspector", "subject"], name="one_conflict")]


class Plan(BoundModel):
    """A yearly plan (年度抽查计划): which items, under which release, how many a visit needs; made by one, approved by another."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("草拟")
        PROPOSED = "proposed", _("待审批")
        APPROVED = "approved", _("已批准")
        FILED = "filed", _("已备案")
        REFUSED = "refused", _("未批准")

    year = models.IntegerField()
    title = models.CharField(max_length=120)
    basis = models.CharField(max_length=200)
    items = models.JSONField(default=list)
    release = models.ForeignKey("rulebooks.RulebookRelease", models.PROTECT, related_name="+")
    strata = models.JSONField(default=list)
    """Grades from lightest to heaviest with num, den, least, and where they come from, as of the day of the draft."""
    stated_percent = models.CharField(max_length=12, blank=True)
    """The overall ratio that the published notice promises, as written."""
    excess_reason = models.CharField(max_length=300, blank=True)
    inversion = models.CharField(max_length=300, blank=True)
    team = models.IntegerField()
    cap = models.IntegerField(default=40)
    most_visits_a_year = models.IntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT, db_index=True)
    filing = models.CharField(max_length=120, blank=True)
    made_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("made_by")), name="plan_maker_is_not_approver"
            )
        ]


class Draw(BoundModel):
    """One draw of a plan: committed, then numbers entered by two, drawn, published; or aborted with its reason."""

    class Status(models.TextChoices):
        COMMITTED = "committed", _("已承诺，待开奖")
        DRAWN = "drawn", _("已抽取")
        PUBLISHED = "published", _("已公布")
        ABORTED = "aborted", _("已中止")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="draws")
    draw_id = models.CharField(max_length=60, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.COMMITTED, db_index=True)
    document = models.JSONField()
    """As :mod:`zhixin.trust.draw` makes it, and as it is published."""
    commitment = models.CharField(max_length=64, unique=True)
    committed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    committed_at = models.DateTimeField(auto_now_add=True)
    commit_seq = models.BigIntegerField()
    drawn_at = models.DateTimeField(null=True)
    result_seq = models.BigIntegerField(null=True)
    published_at = models.DateTimeField(null=True)
    abort_reason = models.CharField(max_length=300, blank=True)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The public numbers that seed the draw: name of the game, issue, day of drawing."""
        named = self.document["plan"]["sources"]
        return [item | {"name": GAMES[item["game"]].name, "day": date.fromisoformat(item["date"])} for item in named]

    @property
    def is_timely(self) -> bool:
        """Whether the ledger had the commitment 24 hours before the day of the first public number."""
        return self.committed_at <= latest_commitment(item["day"] for item in self.sources)


class NumberEntry(BoundModel):
    """The public numbers as one person read them; the two entries of a draw are by different people."""

    draw = models.ForeignKey(Draw, models.PROTECT, related_name="entries")
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    numbers = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draw", "by"], name="one_entry_per_person")]


class Exclusion(BoundModel):
    """A subject left out of a frame before the freeze, with its reason."""

    draw = models.ForeignKey(Draw, models.PROTECT, related_name="exclusions")
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)


class Task(BoundModel):
    """One drawn enterprise to be inspected by a team until a day, for the items of the plan; then its result."""

    class Status(models.TextChoices):
        OPEN = "open", _("待检查")
        SUBMITTED = "submitted", _("待复核")
        REVIEWED = "reviewed", _("已复核，待公示")
        PUBLISHED = "published", _("已公示")
        REPLACED = "replaced", _("已由候补替换")

    draw = models.ForeignKey(Draw, models.PROTECT, related_name="tasks")
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="inspection_tasks")
    number = models.CharField(max_length=60, unique=True)
    stratum = models.CharField(max_length=20)
    due_on = models.DateField(db_index=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN, db_index=True)
    method = models.CharField(max_length=20, blank=True)
    result = models.CharField(max_length=20, blank=True)
    disposal = models.CharField(max_length=20, blank=True)
    note = models.TextField(max_length=2000, blank=True)
    inspected_on = models.DateField(null=True)
    submitted_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    publish_by = models.DateField(null=True)
    returned_reason = models.CharField(max_length=300, blank=True)
    """Why the reviewer sent the result back; empty once a result was entered again."""
    returned_at = models.DateTimeField(null=True)
    """When it was last sent back: what was written before that answers nothing."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "subject"], name="one_task_per_draw"),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("submitted_by")), name="reviewer_did_not_inspect"
            ),
        ]


VISITED = (Task.Status.SUBMITTED, Task.Status.REVIEWED, Task.Status.PUBLISHED)
"""A visit has a result that stands."""


class Assignment(BoundModel):
    """An inspector on the team of a task; one who was recused stays named, with the reason."""

    task = models.ForeignKey(Task, models.PROTECT, related_name="assignments")
    inspector = models.ForeignKey(Inspector, models.PROTECT, related_name="assignments")
    recused_reason = models.CharField(max_length=300, blank=True)
    assigned_on = models.DateField(default=timezone.localdate)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "inspector"], name="one_assignment")]


class VisitRating(BoundModel):
    """What an inspected enterprise says of the visit (廉洁反馈); read by auditors alone."""

    task = models.OneToOneField(Task, models.PROTECT, related_name="rating")
    replies = models.JSONField()
    """Each question with yes (true) or no (false)."""
    text = models.TextField(max_length=1000, blank=True)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class VisitReport(BoundModel):
    """A visit as an inspector's phone reported it, once for each key, whatever became of it; nothing that was typed is lost."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("待照片到齐")
        TAKEN = "taken", _("已收妥")
        REFUSED = "refused", _("未收下")

    key = models.CharField(max_length=36, unique=True)
    """Made by the phone; the same report sent again has the same key."""
    task = models.ForeignKey(Task, models.PROTECT, related_name="reports")
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    content = models.JSONField()
    """As :class:`zhixin_web.inspections.reported_visit.ReportedVisit` has it."""
    content_sha256 = models.CharField(max_length=64)
    device_at = models.DateTimeField()
    """The phone's clock when it sent the report."""
    received_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=8, choices=Status.choices, db_index=True)
    faults = models.JSONField(default=list)
    year = models.IntegerField(null=True)
    serial = models.IntegerField(null=True)
    number = models.CharField(max_length=60, blank=True)
    paper = models.ForeignKey("papers.Paper", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["year", "serial"], name="one_visit_record_a_number")]


class VisitPhoto(BoundModel):
    """A photo or a signature of a visit that has arrived; its file is kept under its hash."""

    task = models.ForeignKey(Task, models.PROTECT, related_name="photos")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "sha256"], name="one_photo_a_content")]
