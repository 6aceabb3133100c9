"""Pages of subjects and records: search, the subject with record versions, one record with its proof, unmasking, repair."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin import RunFolder, explain
from zhixin.errors import ZhixinError
from zhixin.identity import check_uscc
from zhixin.sentences import sentences
from zhixin_web.accounts.permissions import permitted
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.audit.queries import inclusion_proof, latest_checkpoint
from zhixin_web.audit.services import record_event
from zhixin_web.evaluations.queries import grade_as_of, run_in_force
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.presentation.language import in_english
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.templatetags.zhixin import district_name
from zhixin_web.records import queries, search, services
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.scope import visible_records, visible_subjects
from zhixin_web.records.sources import SourceManifest, publicity_rule, sources


@permitted("subjects.view")
@require_GET
def subjects_page(request: HttpRequest) -> HttpResponse:
    """Search by name, pinyin initials or part of the code; without a question, the list by code."""
    query = request.GET.get("q", "").strip()[:100]
    found = visible_subjects(request.user).select_related("current").order_by("code")
    hint = ""
    if query:
        keys = search.find(query, limit=500)
        found = found.filter(pk__in=keys)
        if not keys and len(query) == 18:
            checked = check_uscc(query)
            if checked.reason is not None:
                hint = checked.reason.in_language("en" if in_english() else "zh")
    grade = request.GET.get("grade", "")
    if grade in ("A", "B", "C", "D", "N"):
        found = found.filter(current__grade=grade)
    return render(request, "subjects.html", {"page": page_of(request, found), "query": query, "grade": grade, "hint": hint})


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


@permitted("subjects.view")
@require_GET
def subject_page(request: HttpRequest, code: str) -> HttpResponse:
    """One subject: what is known, its grade (today or as of a day), its records and every version of them."""
    subject = get_object_or_404(visible_subjects(request.user).select_related("current__run"), code=code)
    asked = request.GET.get("as_of")
    day = _day(asked)
    if asked and day is None:
        messages.error(request, _("日期应写作 2026-01-31"))
    past = grade_as_of(subject, day) if day else None
    records = queries.last_versions(CreditRecord.objects.filter(subject=subject).exclude(state="withdrawn")).order_by(
        "-decided_on", "-seq"
    )
    if day:
        run = run_in_force(subject, day)
        known = queries.known_at(subject, run.known_seq) if run else []
        page: Any = page_of(request, known)
    else:
        page = page_of(request, records)
    history = subject.grades.select_related("run").order_by("-pk")[:24]
    record_event("subjects.view", request=request, ref=code)
    content = {"subject": subject, "day": day, "past": past, "page": page, "history": history, "facts": _facts(subject)}
    return render(request, "subject.html", content)


def _spoken(manifest: SourceManifest, name: str, value: Any) -> Any:
    """An attribute's value in words where it is a code."""
    if name == "district":
        return district_name(value)
    item = next((item for item in manifest.fields if item.to == name), None)
    return item.values.get(value, value) if item is not None and isinstance(value, str) else value


def _facts(subject: Subject) -> list[dict[str, Any]]:
    shown = []
    for manifest, body, version in queries.attributes_of(subject):
        titles = {item.to: item.title for item in manifest.fields if item.to}
        lines = [
            (titles.get(name, name), _spoken(manifest, name, value), False)
            for name, value in body.get("attributes", {}).items()
        ]
        shown.append(
            {"manifest": manifest, "version": version, "lines": lines + queries.masked(manifest, body.get("reported", {}))}
        )
    return shown


@permitted("subjects.view")
@require_GET
def why(request: HttpRequest, code: str) -> HttpResponse:
    """Why this grade: start, every contribution with its article and records, the decisions; they add up to the score."""
    subject = get_object_or_404(visible_subjects(request.user), code=code)
    run = run_in_force(subject, _day(request.GET.get("as_of")) or timezone.localdate())
    if run is None:
        return render(request, "why.html", {"subject": subject, "run": None})
    try:
        content = explain(RunFolder.open(run_folder(run)), code)
    except ZhixinError:
        return render(request, "why.html", {"subject": subject, "run": None})
    lines = sentences(content, "en" if in_english() else "zh")
    record_event("subjects.why", request=request, ref=code)
    return render(request, "why.html", {"subject": subject, "run": run, "explanation": content, "lines": lines})


@permitted("subjects.view")
@require_GET
def record_page(request: HttpRequest, seq: int) -> HttpResponse:
    """One version of a record: content, dates, source, batch and row, its ledger entry and proof, all versions."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    manifest = sources()[record.source]
    body = json.loads(record.body) if record.body else {}
    versions = CreditRecord.objects.filter(key=record.key).order_by("version")
    checkpoint = latest_checkpoint()
    covered = checkpoint is not None and record.seq < checkpoint.size
    proof = [step.hex() for step in inclusion_proof(record.seq, checkpoint.size)] if covered and checkpoint else []
    rule = publicity_rule(record.severity, record.decided_on) if record.severity else None
    record_event("records.view", request=request, ref=f"record:{seq}")
    content = {
        "record": record, "manifest": manifest, "body": body, "reported": queries.masked(manifest, body.get("reported", {})), "versions": versions,
        "entry": LedgerEntry.objects.get(pk=record.seq), "checkpoint": checkpoint if covered else None, "proof": proof, "rule": rule,
    }  # fmt: skip
    return render(request, "record.html", content)


@permitted("records.unmask")
@require_POST
def unmask(request: HttpRequest, seq: int) -> HttpResponse:
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
def change(request: HttpRequest, seq: int) -> HttpResponse:
    """Enter a repair or a revocation that the competent authority decided."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    state, on = request.POST.get("state", ""), _day(request.POST.get("on"))
    if state not in ("repaired", "revoked") or on is None or on > timezone.localdate():
        messages.error(request, _("请选择修复或撤销，并填写不晚于今天的日期"))
        return redirect("record", seq=seq)
    try:
        new = services.change_record(record, state=state, on=on, basis=request.POST.get("basis", "")[:128], by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("record", seq=seq)
    messages.success(request, _("已登记新版本；公示同时停止，等级在下次评价时更新"))
    return redirect("record", seq=new)


@permitted("records.repair", reauthenticate=True)
@require_POST
def erase(request: HttpRequest, seq: int) -> HttpResponse:
    """Erase the content of a repaired or revoked record; its ledger entries stay."""
    record = get_object_or_404(visible_records(request.user), pk=seq)
    if not request.POST.get("basis", "").strip():
        raise Http404
    try:
        services.erase_record(record, basis=request.POST["basis"][:200], by=request.user)
        messages.success(request, _("内容与盐已清除，账本条目保留"))
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("record", seq=seq)
