"""Pages of one enterprise: what is official, its public grade, published records with their terms, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from zhixin.dataset.identity import check_uscc
from zhixin.dataset.sources import sources
from zhixin.explanation.sentences import sentences
from zhixin.law.calendar import shift_months
from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.accounts.visitors import visitor_code
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.audit.queries import inclusion_proof, latest_checkpoint
from zhixin_web.cases.models import ErrorReport
from zhixin_web.cases.queries import disputed_keys, published_statements, report_by_code
from zhixin_web.cases.services.reports import file_report
from zhixin_web.commitments.published import published_commitments
from zhixin_web.evaluations.published import (
    order_in_force,
    published_grade,
    published_history,
    published_why,
)
from zhixin_web.faces.portal.credit_report import credit_report
from zhixin_web.faces.portal.pages import public_page, show, site
from zhixin_web.papers.fonts import FontMissing
from zhixin_web.presentation.charts import Timeline, explanation_waterfall, timeline
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.templatetags.zhixin import kind_title
from zhixin_web.records.published import (
    PublishedRecord,
    PublishedSubject,
    published_facts,
    published_record,
    published_subject,
    record_to_report,
    records_of,
    was_published,
)
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.law_in_force import law_in_force

MOST_CODE = 200


def _asked(request: HttpRequest, code: str) -> PublishedSubject | HttpResponse:
    """The subject of an address, or the page that says what is wrong with its code."""
    found = published_subject(code) if len(code) <= 40 else None
    if found is not None:
        return found
    checked = check_uscc(code.replace("\x00", "")[:MOST_CODE])
    if checked.value and checked.value != code and published_subject(checked.value):
        return redirect("enterprise", code=checked.value)
    is_wrong = checked.value is None and checked.reason is not None
    fault = checked.reason.in_language(language_code()) if is_wrong and checked.reason is not None else ""
    response = show(request, "portal/no_enterprise.html", {"code": code[:40], "fault": fault}, status=404)
    return response


def record_timeline(records: list[PublishedRecord], code: str, today: date) -> Timeline | None:
    """Terms of publication on a line of time."""
    if not records:
        return None
    spans = [
        (f"{kind_title(item.kind)} {item.publicity_from} – {item.publicity_until}", item.publicity_from,
         item.publicity_until, item.severity or "", f"/e/{code}/r/{item.seq}")
        for item in records
    ]  # fmt: skip
    first = min(item.publicity_from for item in records).replace(day=1)
    last = shift_months(max(item.publicity_until for item in records), 2)
    return timeline(spans, first, last, today)


@public_page
def enterprise(request: HttpRequest, code: str) -> HttpResponse:
    """One enterprise."""
    subject = _asked(request, code)
    if isinstance(subject, HttpResponse):
        return subject
    today = timezone.localdate()
    records = records_of(subject, today)
    disputed = disputed_keys(item.key for item in records) if records else set()
    content = {
        "subject": subject,
        "grade": published_grade(subject),
        "history": published_history(subject),
        "records": [(item, item.days_left(today), item.key in disputed) for item in records],
        "chart": record_timeline(records, code, today),
        "facts": published_facts(subject),
        "commitments": published_commitments(subject.code, today),
        "today": today,
    }
    return show(request, "portal/enterprise.html", content)


def public_contributions(explanation: dict[str, Any], shown: set[int], is_score_public: bool) -> list[dict[str, Any]]:
    """Contributions the public may see: all of them where the score is public, otherwise those resting on published records."""
    found = []
    for item in explanation["contributions"]:
        records = [part for part in item["records"] if str(part["record_id"]).isdigit() and int(part["record_id"]) in shown]
        if is_score_public or records:
            whole = is_score_public or len(records) == len(item["records"])
            found.append({**item, "records": records, "measured": item["measured"] if whole else None})
    return found


@public_page
def why(request: HttpRequest, code: str) -> HttpResponse:
    """Why this grade, as far as it is public: the rule that decided, its article, and the published records behind it."""
    subject = _asked(request, code)
    if isinstance(subject, HttpResponse):
        return subject
    today = timezone.localdate()
    grade = published_grade(subject)
    explanation = published_why(subject, grade)
    if explanation is None:
        return show(request, "portal/why.html", {"subject": subject, "grade": grade, "explanation": None})
    records = {item.seq: item for item in records_of(subject, today)}
    language = language_code()
    parts = public_contributions(explanation, set(records), grade.is_score_public)
    content: dict[str, Any] = {
        "subject": subject, "grade": grade, "explanation": explanation, "contributions": parts,
        "order": order_in_force(subject),
        "chart": explanation_waterfall(explanation, language) if grade.is_score_public else None,
        "lines": sentences(explanation, language) if grade.is_score_public else [],
    }  # fmt: skip
    return show(request, "portal/why.html", content)


@public_page
def record(request: HttpRequest, code: str, seq: int) -> HttpResponse:
    """One published record: content, terms with their source, ledger entry and proof. Ended publication says so."""
    subject = _asked(request, code)
    if isinstance(subject, HttpResponse):
        return subject
    today = timezone.localdate()
    found = published_record(seq, today)
    if found is None or found.subject != subject.pk:
        if not was_published(seq, subject, today):
            raise Http404
        return show(request, "portal/record_gone.html", {"subject": subject}, status=410)
    checkpoint = latest_checkpoint()
    is_covered = checkpoint is not None and seq < checkpoint.size
    content = {
        "subject": subject, "record": found, "days": found.days_left(today), "manifest": sources()[found.source],
        "is_disputed": bool(disputed_keys([found.key])),
        "statements": published_statements(found.seq),
        "term_sources": law_in_force(today).term_sources(found.kind, found.severity, found.decided_on),
        "entry": LedgerEntry.objects.get(pk=seq), "checkpoint": checkpoint if is_covered else None,
        "proof": [step.hex() for step in inclusion_proof(seq, checkpoint.size)] if is_covered and checkpoint else [],
    }  # fmt: skip
    return show(request, "portal/record.html", content)


@permitted(ANYONE)
def report_error(request: HttpRequest, code: str, seq: int) -> HttpResponse:
    """Say that a published record is wrong. It becomes a ticket with a clock, routed to the source's owner."""
    subject = published_subject(code)
    item = record_to_report(seq, timezone.localdate()) if subject else None
    if subject is None or item is None or item.subject_id != subject.pk:
        raise Http404
    faults: dict[str, str] = {}
    if request.method == "POST":
        try:
            report = file_report(
                item,
                reason=request.POST.get("reason", ""),
                text=request.POST.get("text", ""),
                visitor=visitor_code(request),
            )
            return redirect("report_status", code=report.code)
        except ValidationError as error:
            faults = {name: texts[0] for name, texts in error.message_dict.items()}
    content = {
        **site(request), "subject": subject, "record": item, "reasons": ErrorReport.Reason.choices, "faults": faults,
        "clock": clock("report.answer", timezone.localdate()), "sent": request.POST,
    }  # fmt: skip
    response = render(request, "portal/report_error.html", content, status=422 if faults else 200)
    response["Cache-Control"] = "no-store"
    return response


@permitted(ANYONE)
def report_status(request: HttpRequest, code: str) -> HttpResponse:
    """How a report stands: who has it, until when, what was answered."""
    found = report_by_code(code.upper()[:16])
    if found is None:
        raise Http404
    response = show(request, "portal/report_status.html", {"report": found, "manifest": sources()[found.source]})
    response["Cache-Control"] = "no-store"
    return response


@public_page
def report_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """The public credit report of today as PDF, with a number and a code to verify it by."""
    subject = _asked(request, code)
    if isinstance(subject, HttpResponse):
        return subject
    try:
        paper, content = credit_report(subject, timezone.localdate(), request.build_absolute_uri("/v/"))
    except FontMissing as error:
        return show(request, "portal/unavailable.html", {"why": error.message.in_language(language_code())}, status=503)
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{paper.code}.pdf"', "X-Robots-Tag": "noindex"},
    )
