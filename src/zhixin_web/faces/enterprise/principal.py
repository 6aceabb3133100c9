"""For which enterprise a request acts, and what every page of an enterprise shows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from zhixin_web.accounts.permissions import StaffRequest
from zhixin_web.accounts.representation import represented_codes
from zhixin_web.records.models import Subject

CHOSEN = "acts_for"


def _codes(request: StaffRequest) -> tuple[str, ...]:
    """Return the codes that the account acts for, asked once a request."""
    if not hasattr(request, "acts_for"):
        request.acts_for = represented_codes(request.user)  # type: ignore[attr-defined]
    found: tuple[str, ...] = request.acts_for  # type: ignore[attr-defined]
    return found


def principal_code(request: StaffRequest) -> str:
    """Return the code of the enterprise that a request acts for: the one chosen, while its mandate lasts, else one's own."""
    codes = _codes(request)
    if not codes:
        raise Http404
    chosen = request.session.get(CHOSEN)
    return chosen if chosen in codes else codes[0]


def principal(request: StaffRequest) -> Subject:
    """Return the enterprise that a request acts for; 404 where no source has delivered it yet."""
    return get_object_or_404(Subject.objects.select_related("current__run"), code=principal_code(request))


def show(request: StaffRequest, template: str, content: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page of an enterprise, with the enterprises that the account may act for."""
    codes = _codes(request)
    names = dict(Subject.objects.filter(code__in=codes).values_list("code", "name")) if len(codes) > 1 else {}
    frame = {"acts_for": [(code, names.get(code, code)) for code in codes], "principal": principal_code(request)}
    return render(request, f"mine/{template}", frame | content, status=status)
