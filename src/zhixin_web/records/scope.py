"""Which sources, batches, subjects an account may see: the scopes of the permission table as filters."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from zhixin_web.accounts.permissions import scope_of
from zhixin_web.records.models import CreditRecord, Subject


def visible_subjects(user: Any) -> QuerySet[Subject]:
    scope = scope_of(user, "subjects.view")
    if scope == "all":
        return Subject.objects.all()
    if scope == "district" and user.organisation is not None and user.organisation.district:
        return Subject.objects.filter(district=user.organisation.district)
    return Subject.objects.none()


def visible_records(user: Any) -> QuerySet[CreditRecord]:
    found = CreditRecord.objects.select_related("subject", "batch")
    return found if scope_of(user, "subjects.view") == "all" else found.filter(subject__in=visible_subjects(user))
