"""Rulebook releases: versions in articles, their differences, proposal and approval, the 办法 as Word and PDF."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.errors import RulebookError
from zhixin.explanation.articles import articles, differences
from zhixin.law.loading import loads_rulebook
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.governance.models import Consultation
from zhixin_web.governance.queries import open_drafts
from zhixin_web.papers.fonts import FontMissing
from zhixin_web.presentation import asked
from zhixin_web.presentation.language import in_english, language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.rulebooks.document import rules_document
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of
from zhixin_web.rulebooks.services import approval as rulebook_services

LONGEST_RULEBOOK = 2_000_000


def _told(request: StaffRequest, error: ValidationError) -> None:
    for text in error.messages:
        messages.error(request, text)


# --- versions --------------------------------------------------------------------------------------------------------------


def _rulebooks(request: StaffRequest, faults: list[str], status: int = 200) -> HttpResponse:
    found = RulebookRelease.objects.select_related("proposed_by", "approved_by").defer("text").order_by("-pk")
    content = {
        "page": page_of(request, found), "faults": faults, "drafts": open_drafts().defer("text", "cases")[:20],
        "consultations": Consultation.objects.defer("text").order_by("-pk")[:10],
        "released": RulebookRelease.objects.filter(status="released").defer("text").order_by("-pk")[:50],
    }  # fmt: skip
    return render(request, "rulebooks.html", content, status=status)


@permitted("runs.view")
@require_GET
def rulebooks_page(request: StaffRequest) -> HttpResponse:
    """All versions, drafts and consultations."""
    return _rulebooks(request, [])


@permitted("rulebooks.propose")
@require_POST
def propose_rulebook(request: StaffRequest) -> HttpResponse:
    """Check an uploaded rulebook; with faults nothing is proposed and every fault is shown with its line."""
    file = request.FILES.get("file")
    faults: list[str] = []
    if file is None or (file.size or 0) > LONGEST_RULEBOOK:
        faults = [_("请选择规则文件（YAML，不超过 2 MB）")]
    else:
        try:
            text = file.read().decode("utf-8")
            rulebook_services.propose_rulebook(loads_rulebook(text, file.name or "rulebook.yaml"), request.user)
            messages.success(request, _("规则已提交，等待另一人审批"))
            return redirect("rulebooks")
        except RulebookError as error:
            faults = [fault.sentence("en" if in_english() else "zh") for fault in error.faults]
        except (UnicodeDecodeError, ValidationError) as error:
            faults = [str(getattr(error, "messages", [_("文件不是 UTF-8 编码")])[0])]
    return _rulebooks(request, faults, 422)


@permitted("rulebooks.approve", reauthenticate=True)
@require_POST
def approve_rulebook(request: StaffRequest, pk: int) -> HttpResponse:
    """The second person's release of a rulebook."""
    try:
        rulebook_services.approve_rulebook(
            get_object_or_404(RulebookRelease, pk=pk),
            request.user,
            releases_events=bool(request.POST.get("releases_events")),
        )
        messages.success(request, _("规则已发布"))
    except PermissionDenied:
        messages.error(request, _("提请人与审批人不能是同一人"))
    return redirect("rulebooks")


@permitted("runs.view")
@require_GET
def rulebook_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One version in articles, with what it changes against the one before."""
    found = get_object_or_404(RulebookRelease.objects.select_related("proposed_by", "approved_by"), pk=pk)
    rulebook = rulebook_of(found)
    before = (
        RulebookRelease.objects.filter(rulebook_id=found.rulebook_id, status="released", pk__lt=pk).order_by("-pk").first()
    )
    content = {
        "release": found, "rulebook": rulebook, "articles": articles(rulebook, language_code()), "before": before,
        "changes": differences(rulebook_of(before), rulebook, language_code()) if before else [],
    }  # fmt: skip
    return render(request, "rulebook.html", content)


@permitted("runs.view")
@require_GET
def rulebook_text(request: StaffRequest, pk: int) -> HttpResponse:
    """A rulebook version as YAML."""
    return HttpResponse(get_object_or_404(RulebookRelease, pk=pk).text, content_type="text/plain; charset=utf-8")


@permitted("runs.view")
@require_GET
def compare_rulebooks(request: StaffRequest) -> HttpResponse:
    """Any two versions, article by article: ``?old=&new=``."""
    old, new = (get_object_or_404(RulebookRelease, pk=asked.key(request.GET.get(name))) for name in ("old", "new"))
    changes = differences(rulebook_of(old), rulebook_of(new), language_code())
    return render(request, "rulebook_difference.html", {"old": old, "new": new, "changes": changes})


@permitted("runs.view")
@require_GET
def rulebook_document(request: StaffRequest, pk: int, form: str) -> HttpResponse:
    """The 办法 as Word or PDF, also of a version that is not released yet."""
    found = get_object_or_404(RulebookRelease, pk=pk)
    if form not in ("docx", "pdf"):
        return redirect("rulebook", pk=pk)
    try:
        name, content_type, content = rules_document(
            rulebook_of(found), form, request.build_absolute_uri("/v/"), found.effective_from
        )
    except FontMissing as error:
        messages.error(request, error.message.in_language(language_code()))
        return redirect("rulebook", pk=pk)
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
