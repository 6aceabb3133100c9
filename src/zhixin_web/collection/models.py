"""Deliveries: batches, their quarantined and duplicate rows, remembered columns, programs and pulls that deliver."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel


class Batch(BoundModel):
    """One delivery: a file or an API call, its bytes kept and hashed, its rows accounted for."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("已接收")
        MAPPING = "mapping", _("待对应列")
        STAGED = "staged", _("待确认入库")
        HELD = "held", _("有疑问，待人工确认")
        COMMITTING = "committing", _("正在入库")
        COMMITTED = "committed", _("已入库")
        REFUSED = "refused", _("已退回")
        UNDONE = "undone", _("已撤回")

    class Way(models.TextChoices):
        UPLOAD = "upload", _("上传")
        PASTE = "paste", _("粘贴")
        FOLDER = "folder", _("文件夹")
        PUSH = "push", _("接口推送")
        PULL = "pull", _("定时拉取")
        CASE = "case", _("办件决定")

    UNBOUND = frozenset({"heartbeat_at"})

    source = models.CharField(max_length=40, db_index=True)
    way = models.CharField(max_length=10, choices=Way.choices)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RECEIVED, db_index=True)
    is_correction = models.BooleanField(default=False)
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="superseded_by")
    file_name = models.CharField(max_length=255)
    suffix = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)
    automatic = models.BooleanField(default=False)
    mapping = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    """What a person said of this file: the unit of a column, the delimiter (question → answer)."""
    preview = models.JSONField(default=dict)
    fault = models.JSONField(default=dict)
    rows = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)
    first_seq = models.BigIntegerField(null=True)
    last_seq = models.BigIntegerField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    is_settled = models.BooleanField(default=False)
    """Whether what follows from it (event-driven re-evaluation) is done; until then ``tick`` comes back to it."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    committed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    committed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["committed", "undone"])
                | Q(rows=models.F("accepted") + models.F("quarantined") + models.F("duplicates")),
                name="batch_counts_add_up",
            )
        ]

    @property
    def is_busy(self) -> bool:
        return self.status == self.Status.COMMITTING or (self.status == self.Status.RECEIVED and not self.fault)


class QuarantinedRow(models.Model):
    """A refused row, unchanged, with its faults; it may be corrected and submitted again."""

    class Status(models.TextChoices):
        OPEN = "open", _("待处理")
        RESOLVED = "resolved", _("已更正入库")
        DISCARDED = "discarded", _("不予入库")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="quarantine")
    line = models.IntegerField()
    cells = models.JSONField()
    faults = models.JSONField()
    rule = models.CharField(max_length=60, db_index=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN, db_index=True)
    seq = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    """Why a person left the row out."""
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_quarantined_row_per_line")]


class DuplicateRow(models.Model):
    """A row that says what is already known: same key, same content."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="duplicate_rows")
    line = models.IntegerField()
    seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_duplicate_row_per_line")]


class ColumnMemory(BoundModel):
    """How a person mapped the columns of a source last time: header as written → field."""

    source = models.CharField(max_length=40)
    header = models.CharField(max_length=200)
    field = models.CharField(max_length=40, blank=True)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="remembered")
    """The delivery at which it was said; what is sent back or undone is forgotten."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "header"], name="one_memory_per_header")]


class Client(BoundModel):
    """A program that may push deliveries for an organisation. Only a hash of its key is kept."""

    name = models.CharField(max_length=100)
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="clients")
    key_hash = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Pull(BoundModel):
    """A scheduled pull of one source from an HTTP address."""

    UNBOUND = frozenset({"next_at", "failures", "last_result", "last_at"})

    source = models.CharField(max_length=40, unique=True)
    address = models.URLField(max_length=500)
    credential = models.TextField(blank=True)
    """The ``Authorization`` of the request, encrypted (:mod:`zhixin_web.collection.outgoing`)."""
    every_minutes = models.IntegerField(default=1440)
    is_active = models.BooleanField(default=True)
    next_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    last_result = models.CharField(max_length=500, blank=True)
    last_at = models.DateTimeField(null=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
