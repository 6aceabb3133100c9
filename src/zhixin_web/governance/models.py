"""How a rulebook comes about: drafts, what-if runs, public consultation, expert judgements."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class Draft(BoundModel):
    """A rulebook being written. ``text`` is YAML; every save checks it and runs the cases."""

    title = models.CharField(max_length=200)
    base = models.ForeignKey("rulebooks.RulebookRelease", models.PROTECT, related_name="drafts")
    text = models.TextField()
    cases = models.TextField(blank=True)
    faults = models.JSONField(default=list)
    results = models.JSONField(default=dict)
    revision = models.IntegerField(default=1)
    is_closed = models.BooleanField(default=False)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    changed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
    created_at = models.DateTimeField(auto_now_add=True)


class WhatIf(models.Model):
    """A draft evaluated on the facts of a released run: who would move, why, and what it does to the workload."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("推演中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="what_ifs")
    run = models.ForeignKey("evaluations.Run", models.PROTECT, related_name="what_ifs")
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)


class Consultation(BoundModel):
    """A draft laid before the public for a term, with what was said and what was answered."""

    draft = models.ForeignKey(Draft, models.PROTECT, related_name="consultations")
    title = models.CharField(max_length=200)
    explanation = models.TextField(max_length=5000)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    opens_on = models.DateField()
    closes_on = models.DateField(db_index=True)
    summary = models.TextField(blank=True, max_length=10_000)
    summary_at = models.DateTimeField(null=True)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closes_on__gt=models.F("opens_on")), name="consultation_has_a_term")
        ]


class Comment(BoundModel):
    """What somebody says to a consultation. No name or contact is asked for, so none can leak."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="comments")
    code = models.CharField(max_length=16, unique=True)
    about = models.CharField(max_length=80, blank=True)
    stance = models.CharField(
        max_length=10, choices=[("support", _("赞成")), ("change", _("建议修改")), ("oppose", _("反对"))]
    )
    text = models.TextField(max_length=3000)
    filed_at = models.DateTimeField(auto_now_add=True)
    reply = models.TextField(blank=True, max_length=3000)
    is_adopted = models.BooleanField(null=True)
    replied_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    replied_at = models.DateTimeField(null=True)


class Panel(BoundModel):
    """A round of expert judgement on the weights of a rulebook's dimensions."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="panels")
    title = models.CharField(max_length=200)
    names = models.JSONField()
    share_milli = models.IntegerField(default=500)
    """Share of the experts' weights in the combination with data-driven ones, in thousandths."""
    objective = models.JSONField(default=dict)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class ExpertSheet(BoundModel):
    """One expert's pairwise judgements: the upper triangle, row by row, as numbers of Saaty's scale."""

    panel = models.ForeignKey(Panel, models.CASCADE, related_name="sheets")
    expert = models.CharField(max_length=40)
    judgements = models.JSONField()
    weights = models.JSONField(default=list)
    ratio_milli = models.IntegerField(null=True)
    is_consistent = models.BooleanField(default=False)
    remark = models.TextField(blank=True)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["panel", "expert"], name="one_sheet_per_expert")]
