"""Runs, sealed segments of facts, grades, orders. Grades are insert-only; ``CurrentGrade`` is their projection."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel, BoundQuerySet
from zhixin_web.rulebooks.models import RulebookRelease

PEOPLE = settings.AUTH_USER_MODEL


class Segment(BoundModel):
    """Sealed Parquet of the fact versions of a range of ledger sequence numbers."""

    first_seq = models.BigIntegerField(unique=True)
    last_seq = models.BigIntegerField()
    sha256_records = models.CharField(max_length=64)
    sha256_subjects = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(auto_now_add=True)


class RunQuerySet(BoundQuerySet["Run"]):
    """Selections of runs that every reader means the same way."""

    def released(self) -> Self:
        return self.filter(status=Run.Status.RELEASED)

    def decisive(self) -> Self:
        """Released full evaluations whose results became the grades in force, newest first."""
        return self.released().filter(kind=Run.Kind.FULL, is_projected=True).order_by("-released_at")

    def newest_decisive(self) -> Run | None:
        """Return the evaluation that the grades in force come from, with its release."""
        return self.decisive().select_related("release").first()


class Run(BoundModel):
    """One evaluation: rulebook release × cut-off date × ledger sequence known."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("评价中")
        DRAFT = "draft", _("结果草稿")
        PROPOSED = "proposed", _("待发布审批")
        RELEASED = "released", _("已发布")
        CANCELLED = "cancelled", _("已取消")
        FAILED = "failed", _("失败")

    class Kind(models.TextChoices):
        FULL = "full", _("全量评价")
        EVENT = "event", _("事件触发")

    UNBOUND = frozenset({"stage", "token", "heartbeat_at", "cancel_requested"})

    release = models.ForeignKey(RulebookRelease, models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FULL)
    only = models.JSONField(default=list)
    trigger = models.CharField(max_length=60, null=True, unique=True)
    """What an event-driven run answers; there is one run for each."""
    as_of = models.DateField()
    known_seq = models.BigIntegerField()
    previous_runs = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED, db_index=True)
    stage = models.CharField(max_length=20, blank=True)
    token = models.CharField(max_length=32, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    preflight = models.JSONField(default=dict)
    folder = models.CharField(max_length=80, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    grades_sha256 = models.CharField(max_length=64, blank=True)
    contributions_sha256 = models.CharField(max_length=64, blank=True)
    summary = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    released_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    is_automatic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True, db_index=True)
    ledger_seq = models.BigIntegerField(null=True)
    rolls_back = models.ForeignKey("self", models.PROTECT, null=True, related_name="rolled_back_by")
    """The run whose results this one takes back."""
    republishes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    """The run whose results this one publishes again in its place."""
    reason = models.CharField(max_length=500, blank=True)
    is_projected = models.BooleanField(default=True)
    """Whether its results became the grades in force; an internal class never replaces a public evaluation."""

    objects = RunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="released")
                | (Q(released_by__isnull=False, proposed_by__isnull=False) & ~Q(released_by=F("proposed_by"))),
                name="run_maker_is_not_approver",
            )
        ]

    @property
    def is_busy(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class Grade(models.Model):
    """A grade as released, where it differs from the one before. Insert-only."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="grades")
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="grades")
    grade = models.CharField(max_length=20)
    was = models.CharField(max_length=20, blank=True)
    score_milli = models.BigIntegerField()
    step = models.CharField(max_length=80)
    class_name = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "subject"], name="one_grade_per_run")]


class CurrentGrade(models.Model):
    """The grade in force: a projection of :class:`Grade` for lists; it can be rebuilt."""

    subject = models.OneToOneField("records.Subject", models.PROTECT, primary_key=True, related_name="current")
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    grade = models.CharField(max_length=20, db_index=True)
    score_milli = models.BigIntegerField()
    step = models.CharField(max_length=80)
    class_name = models.CharField(max_length=40, blank=True)
    since = models.DateField()
    in_force = models.CharField(max_length=20, db_index=True, default="")
    """The grade in force: ``grade``, or what an order in force says instead (:data:`HELD`)."""


HELD = "!held"
"""Stands for a grade that is held back; no ladder can have a grade of this name."""


class GradeOrder(BoundModel):
    """A decision by two persons to set a grade by hand, or to hold it back, for a term; it never outlives the term."""

    class Kind(models.TextChoices):
        OVERRIDE = "override", _("调整等级")
        HOLD = "hold", _("暂缓使用")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审批")
        ACTIVE = "active", _("生效中")
        REFUSED = "refused", _("未予批准")
        ENDED = "ended", _("已终止")

    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="grade_orders")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    grade = models.CharField(max_length=20)
    reason = models.CharField(max_length=500)
    basis = models.CharField(max_length=200)
    until = models.DateField(db_index=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED, db_index=True)
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by=None)
                | (~Q(status="proposed") & Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="order_maker_is_not_approver",
            ),
            models.UniqueConstraint(fields=["subject"], condition=Q(status="active"), name="one_active_order_per_subject"),
        ]
