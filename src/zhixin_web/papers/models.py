"""Papers the system has issued: each has a code that anybody can verify it by."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel


class Paper(BoundModel):
    """A paper with its hash. ``code`` follows from its content, so the same content never has two."""

    class Kind(models.TextChoices):
        CREDIT_REPORT = "credit_report", _("公共信用信息报告")
        OWN_REPORT = "own_report", _("企业自身信用报告")
        RULES = "rules", _("评价办法文本")
        CASE = "case", _("办件文书")
        VISIT = "visit", _("行政检查记录")
        PROGRESS = "progress", _("责任与进度报告")
        COMMITMENT = "commitment", _("信用承诺书")

    code = models.CharField(max_length=16, primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    number = models.CharField(max_length=60)
    subject = models.ForeignKey("records.Subject", models.PROTECT, null=True, related_name="papers")
    as_of = models.DateField()
    content_sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_why = models.CharField(max_length=200, blank=True)
