"""The rules in force and their history, their differences by article, the measures, consultations."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from zhixin.explanation.articles import articles, differences
from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.commitments.published import published_forms
from zhixin_web.faces.portal.pages import public_page, show, site
from zhixin_web.governance.queries import (
    consultation_open_to_the_public,
    consultations_open_to_the_public,
    consulted_rulebook,
)
from zhixin_web.governance.services.consultations import file_comment
from zhixin_web.papers.fonts import FontMissing
from zhixin_web.presentation.language import language_code
from zhixin_web.rulebooks.document import rules_document
from zhixin_web.rulebooks.published import published_releases, published_rulebook, rulebook_in_force


def _release(pk: int) -> Any:
    found = published_releases().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@public_page
def rules(request: HttpRequest) -> HttpResponse:
    """The rulebook in force, in articles, and every version there was."""
    releases = list(published_releases().defer("text"))
    current = rulebook_in_force(timezone.localdate())
    content: dict[str, Any] = {
        "releases": releases,
        "release": None,
        "pairs": list(zip(releases, releases[1:], strict=False)),
    }
    if current is not None:
        content |= {"release": current[0], "articles": articles(current[1], language_code()), "rulebook": current[1]}
    return show(request, "portal/rules.html", content)


@public_page
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """One released version in articles."""
    found = _release(pk)
    rulebook = published_rulebook(pk)
    return show(
        request,
        "portal/rules_version.html",
        {"release": found, "rulebook": rulebook, "articles": articles(rulebook, language_code())},
    )


@public_page
def text(request: HttpRequest, pk: int) -> HttpResponse:
    """One released version as the machine reads it."""
    return HttpResponse(_release(pk).text, content_type="text/plain; charset=utf-8")


@public_page
def difference(request: HttpRequest, old: int, new: int) -> HttpResponse:
    """What changed between two released versions, article by article."""
    one, other = _release(old), _release(new)
    changes = differences(published_rulebook(old), published_rulebook(new), language_code())
    return show(request, "portal/rules_difference.html", {"old": one, "new": other, "changes": changes})


@public_page
def document(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The 办法 as Word or PDF, written from the rulebook itself."""
    found = _release(pk)
    if form not in ("docx", "pdf"):
        raise Http404
    try:
        name, content_type, content = rules_document(
            published_rulebook(pk), form, request.build_absolute_uri("/v/"), found.effective_from
        )
    except FontMissing as error:
        return show(request, "portal/unavailable.html", {"why": error.message.in_language(language_code())}, status=503)
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@public_page
def measures(request: HttpRequest) -> HttpResponse:
    """What each grade brings: the measure, its basis, who applies it, for how long."""
    found = rulebook_in_force(timezone.localdate())
    rulebook = found[1].at(timezone.localdate()) if found else None
    rows = []
    if rulebook is not None:
        definitions = {item.code: item for item in rulebook.measure_catalogue}
        classes = {item.id: item for item in rulebook.classes}
        for rule in rulebook.measures:
            rows.append({"rule": rule, "definition": definitions[rule.measure], "classes": [classes[name] for name in rule.classes],
                         "basis": [(rulebook.documents.get(part.document), part) for part in rule.basis]})  # fmt: skip
    return show(
        request, "portal/measures.html", {"rows": rows, "rulebook": rulebook, "release": found[0] if found else None}
    )


@public_page
def commitments(request: HttpRequest) -> HttpResponse:
    """The texts of commitments: what is promised, for how long, what follows a breach."""
    today = timezone.localdate()
    forms = commitment_forms()
    content = {"forms": published_forms(today), "version": forms.version, "limit": forms.limit("rectify_days", today)}
    return show(request, "portal/commitments.html", content)


@public_page
def consultations(request: HttpRequest) -> HttpResponse:
    """Consultations, open ones first."""
    return show(
        request, "portal/consultations.html", {"rows": consultations_open_to_the_public(), "today": timezone.localdate()}
    )


@permitted(ANYONE)
def consultation(request: HttpRequest, pk: int) -> HttpResponse:
    """One consultation: the draft in articles, what changes, comments with replies, a form while it is open."""
    found = consultation_open_to_the_public(pk)
    if found is None:
        raise Http404
    faults: dict[str, str] = {}
    sent = ""
    if request.method == "POST":
        try:
            comment = file_comment(
                found,
                about=request.POST.get("about", ""),
                stance=request.POST.get("stance", ""),
                text=request.POST.get("text", ""),
            )
            return redirect(f"/consultations/{pk}?sent={comment.code}#comments")
        except ValidationError as error:
            faults = {name: texts[0] for name, texts in error.message_dict.items()}
    sent = request.GET.get("sent", "")[:16]
    rulebook = consulted_rulebook(found)
    base = published_rulebook(found.draft.base_id)
    content = {
        **site(request), "item": found, "articles": articles(rulebook, language_code()), "changes": differences(base, rulebook, language_code()),
        "comments": found.comments.order_by("-pk")[:500], "faults": faults, "posted": request.POST, "sent": sent,
        "today": timezone.localdate(), "is_open": found.opens_on <= timezone.localdate() <= found.closes_on,
    }  # fmt: skip
    response = render(request, "portal/consultation.html", content, status=422 if faults else 200)
    response["Cache-Control"] = "no-store"
    return response
