"""For which enterprise a request acts, and what every page of an enterprise shows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from zhixin_web.accounts.permissions import StaffRequest
from zhixin_web.accounts.representation import represented_codes
from zhixin_web.records.models import Subject

CHOSEN = "acts_for"


def principal_code(request: StaffRequest) -> str:
    """Return the code of the enterprise that a request acts for: the one chosen, while its mandate lasts, else one's own."""
    codes = represented_codes(request.user)
    if not codes:
        raise Http404
    chosen = request.session.get(CHOSEN)
    return chosen if chosen in codes else codes[0]


def principal(request: StaffRequest) -> Subject:
    """Return the enterprise that a request acts for; 404 where no source has delivered it yet."""
    found = Subject.objects.select_related("current__run").filter(code=principal_code(request)).first()
    if found is None:
        raise Http404
    return found


def show(request: StaffRequest, template: str, content: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page of an enterprise, with the enterprises that the account may act for."""
    codes = represented_codes(request.user)
    names = dict(Subject.objects.filter(code__in=codes).values_list("code", "name"))
    frame = {"acts_for": [(code, names.get(code, code)) for code in codes], "principal": principal_code(request)}
    return render(request, f"mine/{template}", frame | content, status=status)
