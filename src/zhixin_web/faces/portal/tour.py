"""The ten-minute tour of the demonstration: the same steps that the browser test walks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from zhixin_web.faces.portal.pages import public_page, show

FILE = Path(__file__).with_name("tour.yaml")


@cache
def steps() -> list[dict[str, Any]]:
    """The steps of ``tour.yaml``."""
    content: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


@public_page
def tour(request: HttpRequest) -> HttpResponse:
    """The steps, to follow by oneself; only in the demonstration."""
    if not settings.DEMO:
        raise Http404
    shown = [(step, step["go"] if "{" not in step["go"] else "") for step in steps()]
    return show(request, "portal/tour.html", {"steps": shown})
