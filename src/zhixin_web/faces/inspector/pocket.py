"""The shell of the pocket, what it keeps on the phone, and the two doors through which reports and photos come back."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.identity import check_uscc
from zhixin.reference.inspection_items import DISPOSALS, METHODS, RESULTS, inspection_items
from zhixin_web.accounts.permissions import ANYONE, StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.faces.inspector.words import words
from zhixin_web.inspections.models import Inspector, Task, VisitReport
from zhixin_web.inspections.queries import able_on, team_of, visible_tasks
from zhixin_web.inspections.reported_visit import EARLIEST, LATEST, MOST_PHOTOS
from zhixin_web.inspections.services import visit_reports
from zhixin_web.presentation.kept_files import paper_answer
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.templatetags.zhixin import said
from zhixin_web.records.models import Subject
from zhixin_web.records.scope import visible_subjects

STATIC = Path(__file__).parents[2] / "static"
ASSETS = ("zhixin.css", "pocket.js", "pocket.svg")
MOST_BODY = 512 * 1024
HISTORY_DAYS = 365


def _version() -> str:
    """A code that changes with everything the service worker keeps."""
    digest = hashlib.sha256()
    for path in [
        *(STATIC / name for name in ASSETS),
        STATIC / "pocket-worker.js",
        Path(__file__).parent / "templates/pocket/shell.html",
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@permitted("pocket.view")
@require_GET
def shell(request: StaffRequest) -> HttpResponse:
    """The one page of the pocket; everything else is drawn on the phone."""
    content = {"words": words(), "language_code": language_code(), "most_photos": MOST_PHOTOS}
    return render(request, "pocket/shell.html", content)


@permitted("pocket.view")
@require_GET
def tasks(request: StaffRequest) -> JsonResponse:
    """What a phone keeps of the inspector's tasks, with the token that its forms need."""
    open_tasks = visible_tasks(request.user).filter(status=Task.Status.OPEN).select_related("subject", "draw__plan")
    record_event("pocket.tasks", request=request)

    def table(entries: dict[str, Any]) -> list[list[str]]:
        return [[name, said(text)] for name, text in entries.items()]

    return JsonResponse(
        {
            "token": get_token(request), "user": request.user.username, "name": request.user.display_name, "at": timezone.now().isoformat(), "today": timezone.localdate().isoformat(),
            "methods": table(METHODS), "results": table(RESULTS), "disposals": table(DISPOSALS),
            "tasks": [_brief(task, request) for task in open_tasks.order_by("due_on", "number")],
        }
    )  # fmt: skip


def _brief(task: Task, request: StaffRequest) -> dict[str, Any]:
    """What an inspector has to know of a task before going."""
    return {
        "id": task.pk, "number": task.number, "name": task.subject.name, "code": task.subject.code, "due_on": task.due_on.isoformat(),
        "plan": task.draw.plan.title,
        "team": [
            {
                "code": row["inspector"].code, "name": row["inspector"].name, "certificate": row["inspector"].certificate,
                "valid_until": row["inspector"].valid_until.isoformat(), "is_me": row["inspector"].account_id == request.user.pk,
            }
            for row in team_of(task) if not row["recused"]
        ],
        "items": [
            {
                "code": item.code, "title": said(item.title),
                "basis": [f"{ground.document}{ground.article}" for ground in item.basis],
                "questions": [said(question) for question in item.checklist],
            }
            for item in visit_reports.items_of(task)
        ],
        "history": list(_history(task.subject)), "returned": _returned(task, request),
    }  # fmt: skip


def _returned(task: Task, request: StaffRequest) -> dict[str, Any] | None:
    """Why a result was sent back, and what this inspector had reported, to go on from."""
    if not task.returned_reason:
        return None
    last = task.reports.filter(by=request.user, status=VisitReport.Status.TAKEN).order_by("-pk").first()
    return {"reason": task.returned_reason, "content": last.content if last is not None else None}


def _history(subject: Subject) -> Iterator[str]:
    """Yield the inspections of the last twelve months whose result was reviewed."""
    since = timezone.localdate() - timedelta(days=HISTORY_DAYS)
    reviewed = [Task.Status.REVIEWED, Task.Status.PUBLISHED]
    done = subject.inspection_tasks.filter(inspected_on__gte=since, status__in=reviewed).select_related("draw__plan")
    for task in done.order_by("-inspected_on"):
        yield f"{task.inspected_on} {task.draw.plan.title}: {said(RESULTS[task.result])}"


@permitted("inspections.submit")
@require_POST
def report(request: StaffRequest, pk: int) -> JsonResponse:
    """Take a report under its key; answers what became of it, and which photos are still missing."""
    task = get_object_or_404(Task.objects.select_related("draw__plan", "subject"), pk=pk)
    if _is_of_another(request):
        return _refused(409, [], state="other_user")
    key = request.headers.get("Idempotency-Key", "")
    if not 8 <= len(key) <= 36 or not key.isascii():
        return _refused(400, [_("请求没有幂等键")])
    try:
        content = json.loads(request.body) if len(request.body) <= MOST_BODY else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return _refused(422, [_("报告的格式不对（%(places)s）；请更新页面后重新提交") % {"places": "JSON"}])
    try:
        found = visit_reports.take_report(task, key, content, request.user, _device_time(request))
    except PermissionDenied:
        return _refused(403, [_("您不是该任务的检查人员（可能已回避或被替换）")])
    except visit_reports.KeyReused:
        return _refused(409, [_("同一编号提交了两份不同的内容")])
    except ValidationError as error:
        return _refused(422, error.messages)
    return JsonResponse(_became(found, task), status=422 if found.status == VisitReport.Status.REFUSED else 200)


def _is_of_another(request: StaffRequest) -> bool:
    """Whether the phone sends what another account has filled in: a report is sent by who made it."""
    return unquote(request.headers.get("Reported-By", "")) != request.user.username


def _device_time(request: StaffRequest) -> datetime:
    """The phone's clock as it sent the request; the beginning of time where it says none that can be."""
    try:
        said = parse_datetime(request.headers.get("Device-Time", "")[:40])
    except ValueError:
        said = None
    is_known = said is not None and said.tzinfo is not None and EARLIEST <= said.year <= LATEST
    return said if said is not None and is_known else datetime(1970, 1, 1, tzinfo=UTC)


def _refused(status: int, faults: list[str], state: str = "refused") -> JsonResponse:
    return JsonResponse({"state": state, "faults": faults}, status=status)


def _became(report: VisitReport, task: Task) -> dict[str, Any]:
    """What became of a report; where another was quicker, what that one says, field by field."""
    found: dict[str, Any] = {"state": report.status, "faults": report.faults, "number": report.number}
    if report.status == VisitReport.Status.WAITING:
        found["missing"] = visit_reports.missing_photos(report)
    if report.status == VisitReport.Status.REFUSED:
        task.refresh_from_db()
        if task.submitted_at is not None and task.status != Task.Status.OPEN:
            fields = ("method", "result", "disposal", "note", "inspected_on")
            found["theirs"] = {name: str(getattr(task, name) or "") for name in fields} | {"by": str(task.submitted_by)}
    return found


@permitted("inspections.submit")
@require_POST
def photo(request: StaffRequest, pk: int, sha256: str) -> JsonResponse:
    """Take the bytes of a photo or a signature; the same bytes again are no fault."""
    task = get_object_or_404(Task, pk=pk)
    if len(sha256) != 64:
        raise Http404
    if _is_of_another(request):
        return _refused(409, [], state="other_user")
    try:
        visit_reports.add_photo(task, sha256, iter(lambda: request.read(64 * 1024), b""), request.user)
    except PermissionDenied:
        return _refused(403, [_("您不是该任务的检查人员（可能已回避或被替换）")])
    except ValidationError as error:
        return _refused(422, error.messages)
    return JsonResponse({"state": "kept", "sha256": sha256})


@permitted("pocket.view")
@require_GET
def record(request: StaffRequest, pk: int) -> HttpResponse:
    """The numbered record of a visit as PDF."""
    mine = visible_tasks(request.user).filter(pk=pk)
    reports = VisitReport.objects.select_related("paper").filter(task__in=mine, status=VisitReport.Status.TAKEN)
    found = reports.order_by("-pk").first()
    if found is None or found.paper is None:
        raise Http404
    return paper_answer(found.paper)


@permitted("pocket.view")
@require_GET
def check(request: StaffRequest) -> JsonResponse:
    """May this enterprise be checked today: for what, by whom, what was checked in the last year (扫码入企)."""
    code = _code_in(request.GET.get("code", ""))
    subject = Subject.objects.filter(code=code).first()
    record_event("pocket.check", request=request, ref=code, outcome="done" if subject else "unknown")
    if subject is None:
        return JsonResponse({"found": False, "why": [_("没有这个统一社会信用代码的企业")]}, status=404)
    is_visible = visible_subjects(request.user).filter(pk=subject.pk).exists()
    if not is_visible and not visible_tasks(request.user).filter(subject=subject).exists():
        return JsonResponse({"found": False, "why": [_("不在您的辖区，您也没有这家企业的任务：不得检查")]}, status=404)
    today = timezone.localdate()
    waiting = list(subject.inspection_tasks.filter(status=Task.Status.OPEN).select_related("draw__plan").order_by("due_on"))
    mine = [item for item in waiting if item.assignments.filter(inspector__account=request.user, recused_reason="").exists()]
    why = list(_obstacles(request, mine, waiting, today))
    return JsonResponse(
        {
            "found": True, "name": subject.name, "code": subject.code, "may": not why, "why": why,
            "tasks": [
                {"id": item.pk, "number": item.number, "plan": item.draw.plan.title, "due_on": item.due_on.isoformat(),
                 "items": [said(entry.title) for entry in visit_reports.items_of(item)],
                 "team": [row["inspector"].name for row in team_of(item) if not row["recused"]]}
                for item in mine
            ],
            "history": list(_history(subject)),
        }
    )  # fmt: skip


def _code_in(text: str) -> str:
    """The first valid credit code within what a licence's QR code may hold; empty where there is none."""
    plain = unicodedata.normalize("NFKC", text[:500]).upper()
    parts = [plain[place : place + 18] for place in range(max(len(plain) - 17, 0))]
    return next((part for part in parts if part.isascii() and part.isalnum() and check_uscc(part).value == part), "")


def _obstacles(request: StaffRequest, mine: list[Task], waiting: list[Task], today: date) -> Iterator[str]:
    """Yield why the enterprise must not be checked today by who asks."""
    if not waiting:
        yield _("没有抽查任务：不在计划内、又没有线索的，不得检查")
        return
    if not mine:
        yield _("有任务，但您不是该任务的检查人员")
        return
    held = Inspector.objects.filter(account=request.user).first()
    if held is None or held.valid_until < today or not held.is_active:
        yield _("您的执法证已过期或停用")
    if (
        held is not None
        and held.on_leave_from
        and held.on_leave_until
        and held.on_leave_from <= today <= held.on_leave_until
    ):
        yield _("您今天在休假")
    if held is not None and held.conflicts.filter(subject=mine[0].subject_id).exists():
        yield _("您与该企业有利害关系，应当回避")
    fewest = inspection_items().limit("inspectors_per_visit", today).value
    if able_on(mine[0], today).count() < fewest:
        yield _("今天可以检查的人员不足 %(fewest)s 人（行政处罚法第四十二条）") % {"fewest": fewest}


@permitted(ANYONE)
@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, with the version of what it keeps; its scope is ``/m/``."""
    text = (STATIC / "pocket-worker.js").read_text(encoding="utf-8")
    kept = ["/m/", *(f"{settings.STATIC_URL}{name}" for name in ASSETS)]
    head = f"const VERSION = {json.dumps(_version())}, KEPT = {json.dumps(kept)};\n"
    return HttpResponse(head + text, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@permitted(ANYONE)
@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone shows of the installed application."""
    icon = {"src": f"{settings.STATIC_URL}pocket.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}
    content = {
        "name": _("知信检查"), "short_name": _("知信检查"), "start_url": "/m/", "scope": "/m/", "display": "standalone",
        "background_color": "#ffffff", "theme_color": "#1a5fb4", "icons": [icon],
    }  # fmt: skip
    return JsonResponse(content, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})
