"""Reads of case work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from zhixin_web.cases.models import ErrorReport
from zhixin_web.collection.scope import visible_sources


def visible_reports(user: Any) -> QuerySet[ErrorReport]:
    """The error reports an account may see: all, or those on its unit's sources."""
    found = ErrorReport.objects.select_related("subject", "answered_by")
    return found.filter(source__in=list(visible_sources(user, "reports.view")))


def reports_due(user: Any) -> QuerySet[ErrorReport]:
    """Open reports, the nearest deadline first."""
    return visible_reports(user).filter(status=ErrorReport.Status.OPEN).order_by("due_on", "pk")


def disputed_keys(keys: Iterable[str]) -> set[str]:
    """Those of the record keys that are being verified (异议处理中)."""
    found = ErrorReport.objects.filter(record_key__in=list(keys), status=ErrorReport.Status.OPEN)
    return set(found.values_list("record_key", flat=True))


def report_by_code(code: str) -> ErrorReport | None:
    """A report by the code its reporter was given."""
    if "\x00" in code:
        return None
    return ErrorReport.objects.select_related("subject").filter(code=code).first()


def report_statistics(today: date) -> dict[str, Any]:
    """How many were filed, upheld, refused, are open, are overdue."""
    counts = ErrorReport.objects.aggregate(
        filed=Count("pk"),
        upheld=Count("pk", filter=Q(status="upheld")),
        refused=Count("pk", filter=Q(status="refused")),
        open=Count("pk", filter=Q(status="open")),
        overdue=Count("pk", filter=Q(status="open", due_on__lt=today)),
        late=Count("pk", filter=Q(answered_at__date__gt=F("due_on"))),
    )
    return dict(counts)
