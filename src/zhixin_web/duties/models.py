"""Versions of the work plan, what units report on its items, quarterly reports, minutes, escalations, papers on progress."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class PlanVersion(BoundModel):
    """A version of a work plan, put forward by one person and put into force by another."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审批")
        IN_FORCE = "in_force", _("执行中")
        REFUSED = "refused", _("未批准")
        REPLACED = "replaced", _("已被替代")

    plan = models.CharField(max_length=40, db_index=True)
    """Id of the plan, the same in all its versions."""
    version = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    """Why this version: of a later one, why it moves what it moves."""
    before = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    """What it is compared with: the version in force when it was put forward, or when it came into force."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED, db_index=True)
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    in_force_from = models.DateField(null=True)
    ledger_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="plan_version_is_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by=None) | (~Q(status="proposed") & Q(decided_by__isnull=False)),
                name="decided_plan_version_says_by_whom",
            ),
            models.UniqueConstraint(fields=["status"], condition=Q(status="in_force"), name="one_plan_in_force"),
            models.UniqueConstraint(fields=["status"], condition=Q(status="proposed"), name="one_plan_proposed"),
            models.UniqueConstraint(
                fields=["plan", "version"], condition=~Q(status="refused"), name="one_plan_version_of_a_name"
            ),
        ]


class ProgressEntry(BoundModel):
    """What a unit says of an item, or the office of what was said; entries are added, never changed.

    ``item`` is a task (``pilot/rules``), a milestone of one (``pilot/rules/consulted``) or a resolution (``meeting/3/1``).
    """

    class Kind(models.TextChoices):
        NEWS = "news", _("进展")
        CLAIM = "claim", _("申报完成")
        CONFIRM = "confirm", _("确认完成")
        RETURN = "return", _("退回补充")
        REOPEN = "reopen", _("撤销确认")

    item = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    about = models.ForeignKey("self", models.PROTECT, null=True, related_name="answers")
    """The claim that is confirmed or returned; the confirmation that is taken back."""
    unit = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    task = models.JSONField()
    """What the item was when this was written: ``{title, proof}``. A confirmation holds for what was confirmed and nothing else."""
    text = models.CharField(max_length=2000, blank=True)
    link = models.CharField(max_length=300, blank=True)
    """Where the proof stands: an address of this site, or one of the web."""
    file_name = models.CharField(max_length=120, blank=True)
    file_kind = models.CharField(max_length=60, blank=True)
    file_size = models.IntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    due_on = models.DateField()
    """The end of the item as the plan in force said when this was written."""
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    on = models.DateField(db_index=True)
    at = models.DateTimeField(auto_now_add=True)
    ledger_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kind="claim") | ~Q(link="", sha256=""), name="claim_has_a_proof"),
            models.CheckConstraint(
                condition=Q(kind__in=["news", "claim"], about=None) | Q(kind__in=["confirm", "return", "reopen"], about__isnull=False),
                name="answer_is_about_an_entry",
            ),
            models.UniqueConstraint(fields=["about"], condition=Q(about__isnull=False), name="one_answer_to_an_entry"),
        ]  # fmt: skip


class QuarterReport(BoundModel):
    """Store the report of a unit on a quarter, with the state of its items on that day.

    A correction is a new row with the next ``revision``; earlier revisions are kept.
    """

    plan = models.CharField(max_length=40)
    unit = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    year = models.IntegerField()
    quarter = models.IntegerField()
    revision = models.IntegerField(default=1)
    done = models.TextField(max_length=4000)
    problems = models.TextField(max_length=4000)
    next_steps = models.TextField(max_length=4000)
    standing = models.JSONField()
    """Items of the unit as they stood when it reported: ``[{key, title, due_on, state}]``."""
    due_on = models.DateField()
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    on = models.DateField()
    at = models.DateTimeField(auto_now_add=True)
    ledger_seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "unit", "year", "quarter", "revision"], name="one_revision_of_a_report"),
            models.CheckConstraint(condition=Q(quarter__gte=1, quarter__lte=4), name="quarter_is_one_of_four"),
        ]


class Meeting(BoundModel):
    """A meeting of the joint conference with its minutes (会议纪要), written by one person, confirmed by another."""

    class Status(models.TextChoices):
        RECORDED = "recorded", _("待确认")
        CONFIRMED = "confirmed", _("已确认")
        REFUSED = "refused", _("已退回")

    plan = models.CharField(max_length=40)
    held_on = models.DateField()
    title = models.CharField(max_length=120)
    present = models.JSONField()
    """Codes of the units that were there."""
    minutes = models.TextField(max_length=10_000)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECORDED, db_index=True)
    recorded_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    ledger_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("recorded_by")), name="minutes_are_confirmed_by_another"
            )
        ]


class Resolution(BoundModel):
    """What a meeting resolved that somebody does by a day (议定事项); it binds once the minutes are confirmed."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="resolutions")
    position = models.IntegerField()
    title = models.CharField(max_length=200)
    lead = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    due_on = models.DateField()
    proof = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "position"], name="one_resolution_a_position")]


class Escalation(BoundModel):
    """Record that an addressee was notified of an overdue item: once for each due date of the item and each addressee."""

    class To(models.TextChoices):
        UNIT = "unit", _("责任单位")
        OFFICE = "office", _("牵头办公室")
        CONFERENCE = "conference", _("联席会议")

    item = models.CharField(max_length=200, db_index=True)
    due_on = models.DateField()
    to = models.CharField(max_length=10, choices=To.choices)
    days_overdue = models.IntegerField()
    on = models.DateField()
    at = models.DateTimeField(auto_now_add=True)
    ledger_seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "due_on", "to"], name="told_once_for_each_end")]


class ProgressPaper(BoundModel):
    """A weekly or quarterly paper on the progress of a plan: what stood in it is kept, a later revision replaces it."""

    class Kind(models.TextChoices):
        WEEKLY = "weekly", _("周报")
        QUARTERLY = "quarterly", _("季报")

    plan = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    from_on = models.DateField()
    until = models.DateField()
    """The last day."""
    revision = models.IntegerField(default=1)
    content = models.JSONField()
    paper = models.OneToOneField("papers.Paper", models.PROTECT, related_name="+")
    made_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    """Nobody: by the clock."""
    made_on = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "kind", "from_on", "revision"], name="one_revision_of_a_progress_paper")
        ]
