"""The three doors as a wizard that is saved at every step: what it is about, what one says, files, check and submit."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from zhixin.law.procedures import procedures
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.cases.models import CaseDraft
from zhixin_web.cases.services import attachments, drafts
from zhixin_web.cases.services.filing import eligibility
from zhixin_web.cases.words import FEWEST, MOST
from zhixin_web.faces.enterprise.principal import principal, show
from zhixin_web.presentation.refusals import faults_by_field, refusals_shown
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.services.repair_and_revocation import is_current, last_version
from zhixin_web.rulebooks.deadlines import clock

STEPS = (
    ("my_draft", gettext_lazy("说明")),
    ("my_draft_files", gettext_lazy("材料")),
    ("my_draft_check", gettext_lazy("核对并提交")),
)


def _draft(request: StaffRequest, pk: int) -> CaseDraft:
    drafts_of = CaseDraft.objects.select_related("subject").filter(subject=principal(request), procedure__in=procedures())
    return get_object_or_404(drafts_of, pk=pk)


def _frame(draft: CaseDraft, step: str) -> dict[str, Any]:
    """What every step shows: the record, whether one may apply, where one is."""
    procedure, record = procedures()[draft.procedure], last_version(draft.record_key)
    verdict = eligibility(record, procedure, timezone.localdate())
    return {
        "draft": draft, "procedure": procedure, "record": record, "verdict": verdict, "step": step,
        "from": date.fromisoformat(verdict["from"]) if verdict["from"] else None,
        "steps": [(name, title, name == step) for name, title in STEPS], "is_current": is_current(record),
    }  # fmt: skip


@permitted("mine.apply")
@require_POST
def begin_application(request: StaffRequest, seq: int, procedure: str) -> HttpResponse:
    """Begin an application on a record, or go on with it."""
    subject, chosen = principal(request), procedures().get(procedure)
    record = get_object_or_404(CreditRecord.objects.select_related("subject"), pk=seq, subject=subject)
    if chosen is None:
        raise Http404
    return redirect("my_draft", pk=drafts.begin(chosen, last_version(record.key), request.user).pk)


@permitted("mine.apply")
@require_GET
def draft_page(request: StaffRequest, pk: int) -> HttpResponse:
    """What one says."""
    draft = _draft(request, pk)
    return show(
        request, "draft_words.html", _frame(draft, "my_draft") | {"text": draft.text, "most": MOST, "fewest": FEWEST}
    )


@permitted("mine.apply")
@require_POST
def save_words(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep what was typed; by the page itself as one types, and by its button."""
    draft, text = _draft(request, pk), request.POST.get("text", "")
    version = request.POST.get("version", "")
    shown: dict[str, Any] = {"text": text, "most": MOST, "fewest": FEWEST, "faults": {}}
    try:
        held = drafts.keep_words(draft, text, int(version) if version.isdecimal() and len(version) < 9 else 0, request.user)
    except drafts.DraftChanged as changed:
        shown |= {"theirs": changed.theirs}
        status = 409
    except ValidationError as error:
        shown |= {"faults": faults_by_field(error)}
        status = 422
    else:
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("my_draft_files", pk=pk)
        shown |= {"saved": held}
        status = 200
    frame = _frame(draft, "my_draft") | shown
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "mine/_saved.html", frame)
    return show(request, "draft_words.html", frame, status=status)


@permitted("mine.apply")
def files(request: StaffRequest, pk: int) -> HttpResponse:
    """Files: each is checked and kept at once."""
    draft = _draft(request, pk)
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        faults = _attached(request, draft)
        if not faults:
            return redirect("my_draft_files", pk=pk)
    content = _frame(draft, "my_draft_files") | {
        "files": draft.attachments.order_by("pk"), "faults": faults, "most_files": attachments.MOST_FILES,
        "most_megabytes": attachments.MOST_BYTES // 1024**2,
    }  # fmt: skip
    return show(request, "draft_files.html", content, status=422 if faults else 200)


def _attached(request: StaffRequest, draft: CaseDraft) -> dict[str, list[str]]:
    """Keep each file that is sound; return what is wrong with the others, by name."""
    sent, faults = request.FILES.getlist("file"), []
    if not sent:
        faults.append(_("请选择文件"))
    if len(sent) > attachments.MOST_FILES:
        return {"file": [_("最多附 %(most)s 个文件；请先删除不需要的") % {"most": attachments.MOST_FILES}]}
    for item in sent:
        try:
            attachments.attach(draft, item.name or "", item.chunks(), request.user)
        except ValidationError as error:
            faults += [f"{item.name}: {text}" for text in error.messages]
    return {"file": faults} if faults else {}


@permitted("mine.apply")
@require_POST
def remove_file(request: StaffRequest, pk: int, file: int) -> HttpResponse:
    """Take a file away."""
    with refusals_shown(request):
        attachments.remove(get_object_or_404(_draft(request, pk).attachments, pk=file), request.user)
    return redirect("my_draft_files", pk=pk)


@permitted("mine.apply")
def check_page(request: StaffRequest, pk: int) -> HttpResponse:
    """All of it once more, what happens next and until when; then submit."""
    draft = _draft(request, pk)
    faults: dict[str, list[str]] = {}
    status = 422
    if request.method == "POST":
        try:
            case = drafts.submit(draft, request.user, request.POST.get("seen", ""))
        except drafts.SomethingChanged as error:
            faults, status = faults_by_field(error), 409
        except ValidationError as error:
            faults = faults_by_field(error)
        except PermissionDenied:
            faults = {"": [_("您对该企业的代理已结束，不能提交")]}
        else:
            messages.success(request, _("已提交，办件号 %(n)s；此页可随时查看进度和期限") % {"n": case.pk})
            return redirect("my_case", pk=case.pk)
    draft = _draft(request, pk)  # as it is now: others may have changed it
    frame = _frame(draft, "my_draft_check")
    first = frame["procedure"].state(frame["procedure"].start)
    content = frame | {
        "faults": faults, "files": draft.attachments.order_by("pk"), "is_short": len(draft.text.strip()) < FEWEST,
        "clock": clock(first.deadline, timezone.localdate()) if first.deadline else None, "first": first,
        "seen": drafts.as_shown(draft),
    }  # fmt: skip
    return show(request, "draft_check.html", content, status=status if faults else 200)


@permitted("mine.apply")
@require_POST
def discard_draft(request: StaffRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    with refusals_shown(request):
        drafts.discard(_draft(request, pk), request.user)
        messages.success(request, _("草稿已删除"))
    return redirect("my")
