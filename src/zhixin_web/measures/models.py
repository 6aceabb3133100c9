"""Measures that were imposed on a subject, each with its line of the catalogue, its grounds and its end."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel

PEOPLE = settings.AUTH_USER_MODEL


class ImposedMeasure(BoundModel):
    """A measure imposed on a subject by a decision of two persons, from its day until it ends by itself.

    The line of the catalogue is kept as it stood: a later rulebook does not change what was decided. No measure is longer than
    ``until``; it ends before that when what it rests on is gone.
    """

    class Ending(models.TextChoices):
        TERM = "term_over", _("期限届满")
        CONDUCT = "no_conduct", _("所针对的失信信息已修复、撤销或者失效")
        GRADE = "not_of_the_grade", _("等级已不在适用范围")
        CLASS = "not_of_the_class", _("分类已不在适用范围")
        CATALOGUE = "not_in_the_catalogue", _("现行措施清单不再规定")
        REPLACED = "replaced", _("由新的决定代替")

    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="measures")
    code = models.CharField(max_length=60, db_index=True)
    """Code of the catalogue."""
    scenario = models.CharField(max_length=60, db_index=True)
    """Where the rule lets it be used: inspection, approval, subsidy, honour, …"""
    definition = models.JSONField()
    """The line of the catalogue as it stood."""
    answers = models.JSONField()
    """What it answers: ``[{records: [key], basis: [{document, article, …}], until: day}]``."""
    release = models.ForeignKey("rulebooks.RulebookRelease", models.PROTECT, related_name="+")
    grade = models.CharField(max_length=20)
    case = models.CharField(max_length=40)
    """Reference of the case that imposed it: ``case:12``."""
    number = models.CharField(max_length=60)
    """Number of the decision."""
    starts_on = models.DateField()
    until = models.DateField(db_index=True)
    """First day on which it no longer runs."""
    proposed_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    ledger_seq = models.BigIntegerField()
    ended_on = models.DateField(null=True, db_index=True)
    """First day on which it did not run any more."""
    ending = models.CharField(max_length=24, choices=Ending.choices, blank=True)
    followed_on = models.DateField(null=True)
    followed_seq = models.BigIntegerField(default=0)
    followed_grade = models.CharField(max_length=20, blank=True)
    followed_release = models.BigIntegerField(null=True)
    """The day, the ledger, the grade and the rulebook that its grounds were last compared with."""

    def runs_on(self, day: date) -> bool:
        """Return whether the measure runs on a day, whether or not the clock has already ended it."""
        return self.starts_on <= day < (self.ended_on or self.until)

    UNBOUND = frozenset({"followed_on", "followed_seq", "followed_grade", "followed_release"})

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(decided_by=F("proposed_by")), name="measure_is_decided_by_another"),
            models.CheckConstraint(condition=Q(until__gt=F("starts_on")), name="measure_has_an_end"),
            models.CheckConstraint(
                condition=Q(ended_on=None, ending="") | (Q(ended_on__isnull=False) & ~Q(ending="")),
                name="ended_measure_says_why",
            ),
            models.UniqueConstraint(
                fields=["subject", "code"], condition=Q(ended_on=None), name="one_measure_of_a_code_on_a_subject"
            ),
        ]
