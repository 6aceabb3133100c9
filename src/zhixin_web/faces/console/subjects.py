"""Pages of subjects and records: the subject all round, why and outlook, one record with its proof, unmasking, repair."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.sources import sources
from zhixin.explanation.sentences import sentences
from zhixin.law.calendar import shift_months
from zhixin.law.paper_numbers import is_own_number
from zhixin.law.procedures import procedures
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.accounts.services.mandates import INVITATION_DAYS, invite
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.audit.queries import inclusion_proof, latest_checkpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.queries import open_cases_on, visible_cases
from zhixin_web.cases.services.case_papers import withdraw_paper
from zhixin_web.cases.services.listing import is_without_penalty
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import unsettle_batch
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.evaluations.queries import grade_as_of, order_in_force, outlook_in_force, run_in_force, why_in_force
from zhixin_web.evaluations.tasks import process_batch
from zhixin_web.measures.queries import measures_on
from zhixin_web.presentation import asked
from zhixin_web.presentation.charts import explanation_waterfall, strip, timeline
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.presentation.subject_facts import facts_shown
from zhixin_web.presentation.templatetags.zhixin import kind_title
from zhixin_web.records import queries
from zhixin_web.records.masking_for_officers import masked
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.scope import visible_records, visible_subjects
from zhixin_web.records.services.ends import ENDS
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record, is_current
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of
from zhixin_web.workspace.services.notes import add_note

MONTHS_BACK = 36
YEARS_SHOWN = 4
MOST_PEERS = 400
FEWEST_PEERS = 10


def _day(text: str | None) -> date | None:
    return asked.day(text)


@permitted("subjects.view")
@require_GET
def subject_page(request: StaffRequest, code: str) -> HttpResponse:
    """One subject all round: grade (today or as of a day), records and their versions, time, peers, cases, notes."""
    subject = get_object_or_404(visible_subjects(request.user).select_related("current__run"), code=code)
    asked = request.GET.get("as_of")
    day = _day(asked)
    today = timezone.localdate()
    if asked and (day is None or day > today):
        messages.error(request, _("日期应写作 2026-01-31，不晚于今天"))
        day = None
    past = grade_as_of(subject, day) if day else None
    records = queries.records_of_subject(subject)
    run = run_in_force(subject, day) if day else None
    shown: Any = (queries.known_at(subject, run.known_seq) if run else []) if day else records
    record_event("subjects.view", request=request, ref=code)
    history = list(subject.grades.select_related("run").order_by("-pk")[:24])
    content = {
        "subject": subject, "day": day, "today": today, "past": past, "page": page_of(request, shown), "history": history,
        "facts": facts_shown(subject), "chart": _timeline(subject, list(records[:60]), history, day or today),
        "months_back": (today.year - day.year) * 12 + today.month - day.month if day else 0, "most_months": MONTHS_BACK,
        "peers": peers_of(subject) if not day else None, "order": order_in_force(subject.pk),
        "ladder": ladder_of(subject), "reports": subject.error_reports.order_by("-pk")[:10],
        "measures": measures_on(subject),
        "notes": subject.notes.select_related("by").order_by("-pk")[:20], "tags": subject.tags.order_by("label"),
    }  # fmt: skip
    return render(request, "subject.html", content)


def ladder_of(subject: Subject) -> list[tuple[str, str]]:
    """Grades an override may choose: identifier and title."""
    current = getattr(subject, "current", None)
    if current is None:
        return []
    rulebook = rulebook_of(RulebookRelease.objects.get(pk=current.run.release_id))
    return [
        (item.id, item.title.in_language(language_code()))
        for item in rulebook.ladder_on(timezone.localdate())
        if item.id != current.grade
    ]


def peers_of(subject: Subject) -> dict[str, Any] | None:
    """Where the score lies among subjects of the same industry and class, evaluated by the same run."""
    current = getattr(subject, "current", None)
    if current is None or current.step.startswith("exclude:"):
        return None
    peers = CurrentGrade.objects.filter(subject__industry=subject.industry, class_name=current.class_name)
    peers = peers.exclude(subject=subject).exclude(step__startswith="exclude:")
    scores = list(peers.order_by("subject_id").values_list("score_milli", flat=True)[:MOST_PEERS])
    return strip(scores, current.score_milli) if len(scores) >= FEWEST_PEERS else None


def _timeline(subject: Subject, records: list[CreditRecord], history: list[Any], day: date) -> Any:
    """Records with their terms and changes of grade on one line of time."""
    spans: list[tuple[str, date, date | None, str, str]] = [
        (
            f"{kind_title(item.kind)} {item.decided_on}",
            item.decided_on,
            item.publicity_until,
            item.severity or "",
            f"/c/records/{item.seq}",
        )
        for item in records
    ]
    spans += [(f"{item.was} → {item.grade}", item.run.as_of, None, "grade", f"/c/runs/{item.run_id}") for item in history]
    if not spans:
        return None
    first = max(min(start for _t, start, *_rest in spans), shift_months(day, -12 * YEARS_SHOWN)).replace(day=1)
    last = max([day, *(end for _t, _s, end, *_rest in spans if end)])
    return timeline(spans, first, shift_months(last, 2), day)


@permitted("subjects.view")
@require_GET
def why(request: StaffRequest, code: str) -> HttpResponse:
    """Why this grade: a waterfall whose bars lead to the indicator, its article and its records; they add up to the score."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    run, content = why_in_force(subject, _day(request.GET.get("as_of")) or timezone.localdate())
    if content is None:
        return render(request, "why.html", {"subject": subject, "run": None})
    record_event("subjects.why", request=request, ref=code)
    language = language_code()
    shown = {
        "subject": subject, "run": run, "explanation": content, "lines": sentences(content, language),
        "chart": explanation_waterfall(content, language), "order": order_in_force(subject.pk),
    }  # fmt: skip
    return render(request, "why.html", shown)


@permitted("subjects.view")
@require_GET
def outlook(request: StaffRequest, code: str) -> HttpResponse:
    """What lies ahead: what expires when, what a repair or correction changes, when a better grade comes."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    run, found = outlook_in_force(subject)
    content = found.content() if found is not None else None
    record_event("subjects.outlook", request=request, ref=code)
    shown = {
        "subject": subject,
        "run": run,
        "outlook": content,
        "lines": content["text"][language_code()] if content else [],
    }
    return render(request, "outlook.html", shown)


@permitted("accounts.invite", reauthenticate=True)
@require_POST
def invite_enterprise(request: StaffRequest, code: str) -> HttpResponse:
    """Make a code with which an enterprise opens its account; shown once, to be handed over."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    content = {"subject": subject, "days": INVITATION_DAYS, "address": request.build_absolute_uri("/my/join")}
    with refusals_shown(request):
        content["secret"] = invite(subject.code, subject.name, request.user)
        return render(request, "invitation.html", content)
    return redirect("subject", code=code)


@permitted("subjects.note")
@require_POST
def note(request: StaffRequest, code: str) -> HttpResponse:
    """Note something about a subject, for staff only."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    with refusals_shown(request):
        add_note(subject, text=request.POST.get("text", ""), by=request.user)
    return redirect(f"/c/subjects/{code}#notes")


@permitted("subjects.view")
@require_GET
def record_page(request: StaffRequest, seq: int) -> HttpResponse:
    """One version of a record: content, dates, source, batch and row, its ledger entry and proof, all versions."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    manifest = sources()[record.source]
    body = json.loads(record.body) if record.body else {}
    versions = CreditRecord.objects.filter(key=record.key).order_by("version")
    checkpoint = latest_checkpoint()
    covered = checkpoint is not None and record.seq < checkpoint.size
    proof = [step.hex() for step in inclusion_proof(record.seq, checkpoint.size)] if covered and checkpoint else []
    law = law_in_force()
    record_event("records.view", request=request, ref=f"record:{seq}")
    content = {
        "record": record, "manifest": manifest, "body": body, "reported": masked(manifest, body.get("reported", {})), "versions": versions,
        "is_current": is_current(record), "is_over": record.is_over_on(timezone.localdate()), "entry": LedgerEntry.objects.get(pk=record.seq), "checkpoint": checkpoint if covered else None, "proof": proof,
        "term_sources": law.term_sources(record.kind, record.severity, record.decided_on),
        "doors": [item for item in procedures().values() if item.about == "record" and "officer" in item.opens],
        "cases": visible_cases(request.user).filter(record_key=record.key).order_by("-pk"),
        "repair_from": law.repair_from(record.kind, record.stated_severity, record.decided_on),
        "ends": LedgerEntry.objects.filter(ref=f"R{record.seq}", kind__in=ENDS).order_by("seq"),
    }  # fmt: skip
    return render(request, "record.html", content)


@permitted("records.unmask")
@require_POST
def unmask(request: StaffRequest, seq: int) -> HttpResponse:
    """Show personal data of one record, with a reason, once; the reading is an audit event."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    reason = request.POST.get("reason", "").strip()[:200]
    if not reason:
        messages.error(request, _("查看个人信息须填写理由"))
        return redirect("record", seq=seq)
    manifest = sources()[record.source]
    reported = json.loads(record.body).get("reported", {}) if record.body else {}
    shown = [(item.title, reported[item.id]) for item in manifest.fields if item.personal and item.id in reported]
    record_event(
        "records.unmask", request=request, ref=f"record:{seq}", reason=reason, fields=[title for title, _value in shown]
    )
    return render(request, "unmasked.html", {"record": record, "shown": shown, "reason": reason})


@permitted("records.repair", reauthenticate=True)
@require_POST
def change(request: StaffRequest, seq: int) -> HttpResponse:
    """Enter a repair or a revocation that the competent authority decided."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    state, on = request.POST.get("state", ""), _day(request.POST.get("on"))
    if state not in ("repaired", "revoked") or on is None or on > timezone.localdate():
        messages.error(request, _("请选择修复或撤销，并填写不晚于今天的日期"))
        return redirect("record", seq=seq)
    if open_cases_on(record.key):
        messages.error(request, _("该记录有办件正在办理，请在办件中处理"))
        return redirect("record", seq=seq)
    if record.batch.way == Batch.Way.CASE and not (state == "revoked" and is_without_penalty(record)):
        messages.error(request, _("该记录由本局办件决定产生：修复、撤销须通过办件，由另一人决定"))
        return redirect("record", seq=seq)
    basis = request.POST.get("basis", "")[:128]
    if is_own_number(basis):
        messages.error(request, _("该文号属于本局办件文书的编号：这样的决定由办件作出，不在此登记"))
        return redirect("record", seq=seq)
    with refusals_shown(request):
        with transaction.atomic():
            new = change_record(record, state=state, on=on, basis=basis, by=request.user)
            if state == "revoked":
                withdraw_paper(record.document, basis)
            unsettle_batch(record.batch_id)
        process_batch.enqueue(record.batch_id)
        if record.is_published_on(timezone.localdate()):
            messages.success(request, _("已登记新版本，公示同时停止；该主体随即重新评价"))
        else:
            messages.success(request, _("已登记新版本；该主体随即重新评价"))
        return redirect("record", seq=new)
    return redirect("record", seq=seq)


@permitted("records.repair", reauthenticate=True)
@require_POST
def erase(request: StaffRequest, seq: int) -> HttpResponse:
    """Erase the content of a repaired or revoked record; its ledger entries stay."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    if not request.POST.get("basis", "").strip():
        raise Http404
    with refusals_shown(request):
        erase_record(record, basis=request.POST["basis"][:200], by=request.user)
        messages.success(request, _("内容与盐已清除，账本条目保留"))
    return redirect("record", seq=seq)
