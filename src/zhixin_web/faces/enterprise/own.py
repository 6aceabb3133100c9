"""What an enterprise reads of itself: grade and why, what is coming and what would raise it, records with their terms."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin.dataset.sources import sources
from zhixin.explanation.improvement import Action, Improvement
from zhixin.explanation.outlook import Outlook
from zhixin.explanation.sentences import sentences
from zhixin.law.calendar import shift_months
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.models import CaseDraft
from zhixin_web.cases.queries import cases_of_party, disputed_keys, published_statements
from zhixin_web.cases.services.drafts import doors
from zhixin_web.cases.services.filing import eligibility
from zhixin_web.commitments.queries import to_be_put_right
from zhixin_web.evaluations.queries import order_in_force, outlook_in_force, why_in_force
from zhixin_web.faces.enterprise.principal import principal, show
from zhixin_web.measures.queries import measures_on
from zhixin_web.presentation.charts import Span, Timeline, explanation_waterfall, gantt
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.subject_facts import facts_shown
from zhixin_web.presentation.templatetags.zhixin import is_judged, kind_title
from zhixin_web.records.masking_for_officers import masked
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import records_of_subject
from zhixin_web.records.services.repair_and_revocation import is_current
from zhixin_web.rulebooks.law_in_force import law_in_force

MOST_ROWS, MOST_CASES = 40, 10
MOST_CHOSEN = 200


@permitted("mine.view")
@require_GET
def home(request: StaffRequest) -> HttpResponse:
    """Today's grade, what changed, what is due, what was begun."""
    subject = principal(request)
    record_event("mine.view", request=request, ref=subject.code)
    content = {
        "subject": subject,
        "order": order_in_force(subject.pk),
        "history": list(subject.grades.select_related("run").order_by("-pk")[:5]),
        "cases": cases_of_party(subject.code).filter(is_open=True).order_by("due_on", "pk")[:MOST_CASES],
        "drafts": CaseDraft.objects.filter(subject=subject).order_by("-changed_at"),
        "counting": records_of_subject(subject).filter(state=CreditRecord.State.ACTIVE).count(),
        "facts": facts_shown(subject),
        "measures": measures_on(subject),
        "to_rectify": to_be_put_right(subject, timezone.localdate()),
        "today": timezone.localdate(),
    }
    return show(request, "home.html", content)


@permitted("mine.view")
@require_GET
def coming(request: StaffRequest) -> HttpResponse:
    """The first days of change and of a better grade: a part of the front page that is reckoned while it is read."""
    subject = principal(request)
    _run, found = outlook_in_force(subject)
    is_out = found is not None and not is_judged(found.at(found.moment.as_of).step)
    content = found.content() if found is not None and not is_out else None
    return show(request, "_coming.html", {"outlook": content, "order": order_in_force(subject.pk)})


@permitted("mine.view")
@require_GET
def why(request: StaffRequest) -> HttpResponse:
    """Why this grade: every point with its indicator, its article and its records."""
    subject = principal(request)
    run, content = why_in_force(subject, timezone.localdate())
    record_event("mine.why", request=request, ref=subject.code)
    shown: dict[str, Any] = {"subject": subject, "run": run, "explanation": content}
    if content is not None:
        language = language_code()
        shown |= {
            "lines": sentences(content, language), "chart": explanation_waterfall(content, language),
            "order": order_in_force(subject.pk),
        }  # fmt: skip
    return show(request, "why.html", shown)


@permitted("mine.view")
@require_GET
def improve(request: StaffRequest) -> HttpResponse:
    """What would raise the grade: actions to tick, what they give together, and a smallest choice that is enough."""
    subject = principal(request)
    run, outlook = outlook_in_force(subject)
    record_event("mine.improve", request=request, ref=subject.code)
    shown: dict[str, Any] = {
        "subject": subject,
        "run": run,
        "order": order_in_force(subject.pk),
        "outlook": None,
        "is_out_of_scope": False,
    }
    if outlook is not None:
        now = outlook.at(outlook.moment.as_of)
        shown["is_out_of_scope"] = not is_judged(now.step)
        shown["outlook"] = outlook.content()
        if is_judged(now.step):
            shown |= _improved(subject, outlook, set(request.GET.getlist("do")[:MOST_CHOSEN]))
    return show(request, "improve.html", shown)


def _improved(subject: Subject, outlook: Outlook, chosen: set[str]) -> dict[str, Any]:
    """The actions with their records, what the chosen ones give, and the suggestion."""
    numbers = {record["record_no"]: record for record in outlook.facts.records}
    kept = {str(item.pk): item for item in CreditRecord.objects.filter(subject=subject).only("seq", "key", "state")}
    last = dict(records_of_subject(subject).values_list("key", "state"))
    held = {number: kept.get(str(record.get("record_id"))) for number, record in numbers.items()}
    settled = {number for number, item in held.items() if item is not None and last.get(item.key) != item.state}
    improvement = Improvement(outlook, timezone.localdate(), settled)
    suggestion = improvement.suggestion()

    def row(action: Action) -> dict[str, Any]:
        record = numbers.get(action.record_no, {}) if action.record_no is not None else {}
        return {
            "action": action, "is_chosen": action.id in chosen, "record": held.get(action.record_no) if record else None,
            "document": record.get("document"), "decided_on": record.get("decided_on"),
            "is_suggested": suggestion is not None and action in suggestion.reached.actions,
        }  # fmt: skip

    return {
        "rows": [row(item) for item in improvement.actions], "suggestion": suggestion, "settled": len(settled),
        "reached": improvement.reached(chosen) if chosen else None,
        "suggested": [item.id for item in suggestion.reached.actions] if suggestion is not None else [],
    }  # fmt: skip


@permitted("mine.view")
@require_GET
def records(request: StaffRequest) -> HttpResponse:
    """All records, also those that are not published, with terms and repair dates on a line of time."""
    subject, today = principal(request), timezone.localdate()
    record_event("mine.records", request=request, ref=subject.code)
    page = page_of(request, records_of_subject(subject))
    disputed, law = disputed_keys(item.key for item in page.items), law_in_force()
    rows = [
        (item, law.repair_from(item.kind, item.stated_severity, item.decided_on), item.key in disputed)
        for item in page.items
    ]
    content = {
        "page": page,
        "rows": rows,
        "today": today,
        "chart": _terms(list(records_of_subject(subject)[:MOST_ROWS]), today),
    }
    return show(request, "records.html", content)


def _terms(records: list[CreditRecord], today: date) -> Timeline | None:
    """Each record's term of publication, and from when it may be repaired."""
    law = law_in_force()
    rows: list[tuple[str, list[Span]]] = []
    for item in records:
        name, address = f"{kind_title(item.kind)} {item.decided_on}", f"/my/records/{item.seq}"
        starts_on, ends_on = item.publicity_from or item.decided_on, item.publicity_until
        spans: list[Span] = [(f"{name}: {starts_on} – {ends_on or '—'}", starts_on, ends_on, item.severity or "", address)]
        from_ = law.repair_from(item.kind, item.stated_severity, item.decided_on)
        if from_ is not None and item.state == CreditRecord.State.ACTIVE:
            spans.append((_("%(name)s：%(day)s 起可申请修复") % {"name": name, "day": from_}, from_, None, "grade", address))
        rows.append((name, spans))
    days = [day for _row, spans in rows for _title, start, end, *_rest in spans for day in (start, end) if day]
    if not days:
        return None
    return gantt(rows, min(days).replace(day=1), shift_months(max(today, *days), 2), today)


@permitted("mine.view")
@require_GET
def record(request: StaffRequest, seq: int) -> HttpResponse:
    """One of its own records: what the source reported, its terms, its versions, and the three doors."""
    subject, today = principal(request), timezone.localdate()
    found = get_object_or_404(CreditRecord.objects.select_related("subject"), pk=seq, subject=subject)
    manifest, body = sources()[found.source], json.loads(found.body) if found.body else {}
    record_event("mine.record", request=request, ref=f"record:{seq}")
    current = is_current(found)
    content = {
        "record": found, "manifest": manifest, "body": body, "reported": masked(manifest, body.get("reported", {})),
        "versions": CreditRecord.objects.filter(key=found.key).order_by("version"), "is_current": current,
        "term_sources": law_in_force().term_sources(found.kind, found.severity, found.decided_on),
        "doors": [(item, eligibility(found, item, today)) for item in doors()] if current else [],
        "cases": cases_of_party(subject.code).filter(record_key=found.key).order_by("-pk"),
        "is_disputed": bool(disputed_keys([found.key])), "statements": published_statements(found.seq),
    }  # fmt: skip
    return show(request, "record.html", content)
