"""Case work with a clock: error reports from the public, and what officers note about a subject."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class ErrorReport(BoundModel):
    """Somebody says that a published record is wrong. It runs against a clock and is routed to the source's owner."""

    class Reason(models.TextChoices):
        NOT_MINE = "not_mine", _("不是该企业的记录")
        WRONG_VALUE = "wrong_value", _("内容或日期有误")
        EXPIRED = "expired", _("已超过公示期限")
        REPAIRED = "repaired", _("已修复或已撤销")
        RULE = "rule", _("规则适用有误")

    class Status(models.TextChoices):
        OPEN = "open", _("核实中")
        UPHELD = "upheld", _("属实，已转更正")
        REFUSED = "refused", _("经核实无误")

    code = models.CharField(max_length=16, unique=True)
    visitor = models.CharField(max_length=32, blank=True)
    """A code of who filed it, so that one visitor has one open report on a record; no address."""
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="error_reports")
    record_seq = models.BigIntegerField(db_index=True)
    record_key = models.CharField(max_length=240, db_index=True)
    source = models.CharField(max_length=40, db_index=True)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    text = models.TextField(max_length=2000)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN, db_index=True)
    filed_on = models.DateField()
    due_on = models.DateField(db_index=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", answered_by=None, answered_at=None)
                | Q(answered_by__isnull=False, answered_at__isnull=False),
                name="answered_report_has_who_and_when",
            )
        ]
