"""Commitments as they were signed, and the checks of whether they were kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL
MOST_REASON = 200


class Commitment(BoundModel):
    """What an enterprise promised, in the text as it stood then; a later version of the text changes nothing.

    It binds from ``signed_on`` to ``until``, both included. It is broken once a determination of two persons says so, and not
    before: a check that finds it not kept gives time to put it right.
    """

    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="commitments")
    form = models.CharField(max_length=40, db_index=True)
    definition = models.JSONField()
    """The text as it was signed, with the version it is of."""
    year = models.IntegerField()
    serial = models.IntegerField()
    number = models.CharField(max_length=60, unique=True)
    paper = models.ForeignKey("papers.Paper", models.PROTECT, related_name="+")
    record_key = models.CharField(max_length=240)
    """The credit record of the signature."""
    signed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    signed_on = models.DateField()
    until = models.DateField(db_index=True)
    withdrawn_on = models.DateField(null=True)
    withdrawn_why = models.CharField(max_length=MOST_REASON, blank=True)
    determination = models.ForeignKey("cases.Case", models.PROTECT, null=True, related_name="commitments")
    """The case that determines whether it was broken."""
    ledger_seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="one_commitment_a_number"),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None, withdrawn_why="") | (Q(withdrawn_on__isnull=False) & ~Q(withdrawn_why="")),
                name="withdrawn_commitment_says_why",
            ),
        ]


class CommitmentCheck(BoundModel):
    """What an officer found of a commitment on a day."""

    class Outcome(models.TextChoices):
        KEPT = "kept", _("已履行")
        NOT_KEPT = "not_kept", _("未履行，责令限期整改")

    commitment = models.ForeignKey(Commitment, models.PROTECT, related_name="checks")
    position = models.IntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    promises = models.JSONField(default=list)
    """Codes of the promises that were not kept."""
    finding = models.TextField(max_length=4000)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    on = models.DateField()
    rectify_by = models.DateField(null=True)
    """The last day to put it right."""
    is_presumed = models.BooleanField(default=False)
    """Whether that day rests on a year whose holidays are not announced (推算)."""
    number = models.CharField(max_length=60, blank=True)
    """Number of the order to put it right; found not kept again, the order stays the same."""
    paper = models.ForeignKey("papers.Paper", models.PROTECT, null=True, related_name="+")
    answer = models.TextField(max_length=4000, blank=True)
    """What the enterprise says of it."""
    answered_on = models.DateField(null=True)
    answered_by = models.ForeignKey(PEOPLE, models.PROTECT, null=True, related_name="+")
    ledger_seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["commitment", "position"], name="one_check_at_a_place"),
            models.CheckConstraint(
                condition=Q(outcome="kept", rectify_by=None) | Q(outcome="not_kept", rectify_by__isnull=False),
                name="a_breach_has_time_to_be_put_right",
            ),
        ]
