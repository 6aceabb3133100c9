"""Commitments of the demonstration's enterprise: one that is kept, one that was not kept and is to be put right."""

from __future__ import annotations

from django.utils import timezone

from zhixin.law.calendar import shift_days
from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.models import User
from zhixin_web.accounts.representation import represented_codes
from zhixin_web.commitments.models import CommitmentCheck
from zhixin_web.commitments.services.checking import check
from zhixin_web.commitments.services.signing import sign
from zhixin_web.demonstration.past import acting_on
from zhixin_web.records.models import Subject

SIGNED_BEFORE, CHECKED_BEFORE = 90, 9
"""Days ago."""


def make_commitments(people: dict[str, User]) -> None:
    """Sign two texts for the enterprise and check both."""
    by, today = people["enterprise"], timezone.localdate()
    subject = Subject.objects.get(code=represented_codes(by)[0])
    honest, funding = commitment_forms().form("ip_honesty"), commitment_forms().form("funding_application")
    assert honest is not None
    assert funding is not None
    with acting_on(shift_days(today, -SIGNED_BEFORE)):
        made = [
            sign(form.code, subject=subject, read=[item.code for item in form.promises], by=by) for form in (honest, funding)
        ]
    with acting_on(shift_days(today, -CHECKED_BEFORE)):
        kept, late = CommitmentCheck.Outcome.KEPT, CommitmentCheck.Outcome.NOT_KEPT
        check(made[0], outcome=kept, promises=[], seen=0, finding="演示数据：书面核查，未发现违背承诺", by=people["city"])
        check(
            made[1],
            outcome=late,
            promises=["missing_papers"],
            seen=0,
            finding="演示数据：容缺的审计报告到期未补交",
            by=people["city"],
        )
