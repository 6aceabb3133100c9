"""Reads of case work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from zhixin.law.procedures import Effect, procedures
from zhixin_web.accounts.permissions import scope_of
from zhixin_web.cases.models import Case, CasePaper, CaseStep, ErrorReport
from zhixin_web.collection.scope import visible_sources
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.queries import last_versions


def visible_reports(user: Any) -> QuerySet[ErrorReport]:
    """The error reports an account may see: all, or those on its unit's sources."""
    found = ErrorReport.objects.select_related("subject", "answered_by")
    return found.filter(source__in=list(visible_sources(user, "reports.view")))


def reports_due(user: Any) -> QuerySet[ErrorReport]:
    """Open reports, the nearest deadline first."""
    return visible_reports(user).filter(status=ErrorReport.Status.OPEN).order_by("due_on", "pk")


def disputed_keys(keys: Iterable[str]) -> set[str]:
    """Those of the record keys that are being verified (异议处理中)."""
    wanted = list(keys)
    reports = ErrorReport.objects.filter(record_key__in=wanted, status=ErrorReport.Status.OPEN)
    marking = [name for name, item in procedures().items() if item.marks_record]
    cases = Case.objects.filter(record_key__in=wanted, is_open=True, procedure__in=marking)
    return set(reports.values_list("record_key", flat=True)) | set(cases.values_list("record_key", flat=True))


def visible_cases(user: Any) -> QuerySet[Case]:
    """The cases that somebody at work on them may see: all, or those its source has to verify."""
    found = Case.objects.select_related("subject", "opened_by")
    scope = scope_of(user, "cases.view")
    if scope == "all":
        return found
    if scope is None or user.organisation is None:
        return found.none()
    asked = [name for name, item in procedures().items() if any(state.turn == "source" for state in item.states)]
    return found.filter(source__in=list(visible_sources(user, "cases.verify")), procedure__in=asked)


def cases_of_party(code: str) -> QuerySet[Case]:
    """Return the cases that an enterprise has filed or been given notice of."""
    return Case.objects.select_related("subject", "opened_by").filter(subject__code=code).exclude(_untold())


def steps_taking(effect: Effect) -> QuerySet[CaseStep]:
    """Return the steps carried out that took an effect."""
    taking = Q(pk__in=())
    for name, item in procedures().items():
        taking |= Q(case__procedure=name, transition__in=item.taking(effect))
    return CaseStep.objects.filter(taking)


def _untold() -> Q:
    """What the authority opened itself and has given no notice of: nobody's business but its own."""
    untold = Q()
    for name, item in procedures().items():
        if "applicant" not in item.opens:
            told = CaseStep.objects.filter(case=OuterRef("pk"), transition__in=item.notices)
            untold |= Q(~Exists(told), procedure=name)
    return untold


def published_statements(seq: int) -> list[str]:
    """What the enterprise says of this version of a record, as it was last admitted to publication."""
    found = Case.objects.filter(record_seq=seq, steps__in=steps_taking("statement.publish")).order_by("-closed_at")
    return list(found.values_list("text", flat=True)[:1])


def open_cases_on(key: str) -> int:
    """How many cases about a record are open."""
    return Case.objects.filter(record_key=key, is_open=True).count()


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


def decided_record(case: Case, effect: Effect, source: str) -> CreditRecord | None:
    """Return the credit record that a decision of a case has made, in its last version; ``None``: it has made none."""
    number = (
        CasePaper.objects.filter(step__case=case, step__in=steps_taking(effect)).values_list("number", flat=True).first()
    )
    rows = last_versions(CreditRecord.objects.filter(subject=case.subject_id, source=source))
    return next((item for item in rows if item.document == number), None)
