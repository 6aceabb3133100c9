"""Reads of commitments: whose they are, which texts may be signed and why not."""

from __future__ import annotations

from datetime import date

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from zhixin.reference.commitment_forms import CommitmentForm, commitment_forms
from zhixin_web.accounts.models import User
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.standing import CommitmentState, state_of
from zhixin_web.measures.queries import running_measures
from zhixin_web.records.models import Subject
from zhixin_web.records.scope import visible_subjects

NO_COMMITMENT = "no_commitment_regime"
"""Code of the measure 不适用信用承诺制."""


def with_checks(commitments: QuerySet[Commitment]) -> QuerySet[Commitment]:
    """Return commitments with what their state is read from."""
    return commitments.select_related("subject", "determination", "paper").prefetch_related("checks")


def commitments_of(subject: Subject) -> QuerySet[Commitment]:
    """Return the commitments of a subject, the newest first."""
    return with_checks(Commitment.objects.filter(subject=subject)).order_by("-pk")


def visible_commitments(user: User) -> QuerySet[Commitment]:
    """Return the commitments of the subjects that an account sees."""
    return with_checks(Commitment.objects.filter(subject__in=visible_subjects(user)))


def checks_of(commitment: Commitment) -> list[CommitmentCheck]:
    """Return the checks of a commitment in order."""
    return sorted(commitment.checks.all(), key=lambda item: item.position)


def standing(commitment: Commitment, day: date) -> CommitmentState:
    """Return where a commitment stands on a day."""
    return state_of(commitment, day, checks_of(commitment))


def why_not(form: CommitmentForm, subject: Subject, day: date) -> str:
    """Return why a subject may not sign a text on a day; empty: it may.

    Who broke a commitment and has not repaired it signs neither the same text nor one that stands in for papers
    (深圳经济特区社会信用条例 第五十九条第四项, by analogy).
    """
    for held in commitments_of(subject):
        state = standing(held, day)
        if state is CommitmentState.BROKEN and (held.form == form.code or form.kind == "matter"):
            return _("已被认定违背承诺（%(number)s），修复之前不能再签") % {"number": held.number}
        if held.form == form.code and state is CommitmentState.RUNNING:
            return _("同一承诺正在履行（%(number)s，至 %(day)s）") % {"number": held.number, "day": held.until}
        if held.form == form.code and state not in (
            CommitmentState.ENDED,
            CommitmentState.WITHDRAWN,
            CommitmentState.BROKEN,
        ):
            return _("同一承诺的核查或者认定没有了结（%(number)s）") % {"number": held.number}
    if form.kind == "matter":
        measure = running_measures(day).filter(subject=subject, code=NO_COMMITMENT).first()
        if measure is not None:
            return _("正在实施「不适用信用承诺制」（%(number)s，至 %(day)s）：请按一般程序提交全部材料") % {
                "number": measure.number, "day": measure.until,
            }  # fmt: skip
    return ""


def offered(subject: Subject, day: date) -> list[tuple[CommitmentForm, str]]:
    """Return the texts, each with why the subject may not sign it."""
    return [(form, why_not(form, subject, day)) for form in commitment_forms().forms]


def by_day_to_put_right(commitments: QuerySet[Commitment]) -> QuerySet[Commitment]:
    """Return commitments in order of the last day to put right what was found last, then the newest first."""
    last = CommitmentCheck.objects.filter(commitment=OuterRef("pk")).order_by("-position").values("rectify_by")[:1]
    return commitments.annotate(put_right_by=Subquery(last)).order_by(F("put_right_by").asc(nulls_last=True), "-pk")


def to_be_followed(user: User, day: date) -> list[tuple[Commitment, date]]:
    """Return the commitments that an account sees whose breach is to be put right, each with the last day, the nearest first."""
    return _to_be_put_right(visible_commitments(user), day)


def to_be_put_right(subject: Subject, day: date) -> list[tuple[Commitment, date]]:
    """Return the commitments of a subject whose breach is to be put right, each with the last day, the nearest first."""
    return _to_be_put_right(commitments_of(subject), day)


def _to_be_put_right(commitments: QuerySet[Commitment], day: date) -> list[tuple[Commitment, date]]:
    asked = commitments.filter(checks__outcome=CommitmentCheck.Outcome.NOT_KEPT).distinct()
    waiting = [item for item in asked if standing(item, day) in (CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE)]
    dated = [(item, checks_of(item)[-1].rectify_by) for item in waiting]
    return sorted(((item, last) for item, last in dated if last is not None), key=lambda pair: pair[1])
