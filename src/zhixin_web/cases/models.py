"""Case work with a clock: error reports from the public, and cases that follow a procedure."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
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


class Case(BoundModel):
    """A case of a procedure: about whom and what, where it stands, whose proposal and whose decision it was.

    The definition of the procedure is frozen when the case is opened: a later version changes no running case.
    """

    procedure = models.CharField(max_length=40, db_index=True)
    definition = models.JSONField()
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="cases")
    record_seq = models.BigIntegerField(null=True, db_index=True)
    record_key = models.CharField(max_length=240, blank=True, db_index=True)
    source = models.CharField(max_length=40, blank=True)
    """The source that has to verify the record."""
    text = models.TextField(max_length=4000)
    """What the applicant, or the officer who opened the case, says."""
    details = models.JSONField(default=dict)
    """Of a determination: the conduct, and the effective document it rests on (``conduct, document, document_on``)."""
    eligibility = models.JSONField(default=dict)
    """The verdict on the application when it was filed, with the day and the rulebook it rests on."""
    state = models.CharField(max_length=40, db_index=True)
    is_open = models.BooleanField(default=True, db_index=True)
    opened_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    is_filed_by_party = models.BooleanField(default=False)
    """Whether the party filed it through an account that acted for it then; otherwise it was filed at the counter."""
    opened_on = models.DateField()
    due_on = models.DateField(null=True, db_index=True)
    is_presumed = models.BooleanField(default=False)
    """Whether the deadline rests on a year whose holidays are not announced (推算)."""
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    is_settled = models.BooleanField(default=False)
    """Whether the grade has followed what the case changed."""

    UNBOUND = frozenset({"is_settled"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(proposed_by=None) | ~Q(decided_by=F("proposed_by")),
                name="case_is_not_decided_by_who_proposed",
            ),
            models.UniqueConstraint(
                fields=["procedure", "record_key"],
                condition=Q(is_open=True) & ~Q(record_key=""),
                name="one_open_case_of_a_procedure_on_a_record",
            ),
        ]
        indexes = [
            models.Index(F("is_open").desc(), "due_on", F("id").desc(), name="inbox_by_deadline"),
            models.Index("subject", F("is_open").desc(), "due_on", name="cases_of_a_party"),
        ]


class CaseStep(BoundModel):
    """A step that was carried out, in its place in the case."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="steps")
    position = models.IntegerField()
    transition = models.CharField(max_length=40)
    state_from = models.CharField(max_length=40)
    state_to = models.CharField(max_length=40)
    by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    """``None``: the clock."""
    at = models.DateTimeField(auto_now_add=True)
    on = models.DateField()
    reason = models.TextField(max_length=4000, blank=True)
    ledger_seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "position"], name="one_step_at_a_place")]


class CasePaper(BoundModel):
    """A paper of a case under its number, which has neither a gap nor a double within procedure and year."""

    step = models.OneToOneField(CaseStep, models.PROTECT, related_name="paper")
    procedure = models.CharField(max_length=40)
    year = models.IntegerField()
    serial = models.IntegerField()
    number = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    content = models.JSONField()
    paper = models.ForeignKey("papers.Paper", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["procedure", "year", "serial"], name="one_paper_a_number")]


class CaseDraft(models.Model):
    """An application that an enterprise has begun and not yet submitted; it decides nothing."""

    procedure = models.CharField(max_length=40)
    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="case_drafts")
    record_key = models.CharField(max_length=240)
    text = models.TextField(max_length=4000, blank=True)
    version = models.IntegerField(default=1)
    """Counts the changes, so that nobody overwrites unseen what another has written."""
    changed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["procedure", "subject", "record_key"], name="one_draft_of_a_procedure_on_a_record"
            )
        ]


class Attachment(BoundModel):
    """A file that was checked and kept, of a draft or of the case that was made from it."""

    draft = models.ForeignKey(CaseDraft, models.PROTECT, null=True, related_name="attachments")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="attachments")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    """The media type that the content was found to be."""
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    added_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
