"""Released rulebooks: one version each, released by two persons, never deleted."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class RulebookRelease(BoundModel):
    """One version of a rulebook, released by two persons; never deleted."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审批")
        RELEASED = "released", _("已发布")

    rulebook_id = models.CharField(max_length=60, db_index=True)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    effective_from = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True)
    releases_events = models.BooleanField(default=False)
    """The approver's standing order: event-driven results (a listing makes D) are released at once."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="proposed", approved_by=None)
                | (Q(status="released", approved_by__isnull=False) & ~Q(approved_by=F("proposed_by"))),
                name="rulebook_maker_is_not_approver",
            )
        ]

    def title(self, language: str) -> str:
        return self.title_zh if language.startswith("zh") else self.title_en
