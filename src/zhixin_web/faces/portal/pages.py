"""How a public page is served: no session, no cookie set, language and view from the visitor's own cookies."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from zhixin_web.accounts.permissions import ANYONE
from zhixin_web.audit.published import publication_stop

Handler = Callable[[HttpRequest], HttpResponse]
Page = Callable[..., HttpResponse]
VIEW_COOKIE = "view"
NAVIGATION = (
    ("/", _("首页")),
    ("/pub", _("公示公告")),
    ("/rules", _("评价规则")),
    ("/measures", _("激励惩戒措施")),
    ("/commitments", _("信用承诺")),
    ("/draws", _("双随机抽查")),
    ("/consultations", _("征求意见")),
    ("/data", _("开放数据")),
    ("/stats", _("统计")),
    ("/ledger", _("存证账本")),
    ("/v", _("文书验证")),
    ("/help", _("帮助")),
)


class PublicPages:
    """Answers GET requests for public pages before session, login and permission are looked at."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        held = publication_stop() if _is_published(request) else None
        if held is not None:
            return publication_is_stopped(request, held)
        if request.method in ("GET", "HEAD") and not request.path_info.startswith(("/c/", "/api/", "/static/")):
            try:
                match = resolve(request.path_info)
            except Resolver404:
                return self.get_response(request)
            if getattr(match.func, "is_public_page", False):
                return match.func(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]
        return self.get_response(request)


PUBLISHED = ("e", "s", "pub", "draws", "data", "stats", "fairness", "api")
"""The first part of addresses at which results and records are published; while publication is stopped nothing is."""


def _is_published(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD") and request.path_info.split("/")[1] in PUBLISHED


def publication_is_stopped(request: HttpRequest, held: dict[str, Any]) -> HttpResponse:
    """503 with the reason: what the database says may not be what was decided."""
    language = language_of(request)
    reasons = [zh if language != "en" else en for zh, en in held["reasons"]]
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": "publication_stopped", "since": held["at"], "reasons": reasons}, status=503)
    with translation.override(language):
        response = show(
            request, "portal/stopped.html", {"since": held["at"][:16].replace("T", " "), "reasons": reasons}, status=503
        )
    response["Cache-Control"] = "no-store"
    return response


def language_of(request: HttpRequest) -> str:
    """The language the visitor chose; Chinese by default."""
    return "en" if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) == "en" else "zh-hans"


def public_page(view: Page) -> Page:
    """Declare a page that anybody may read and that may be kept for some seconds. Other methods get 405."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        language = language_of(request)
        with translation.override(language):
            response = view(request, *args, **kwargs)
        response.setdefault("Content-Language", "en" if language == "en" else "zh-CN")
        response.setdefault("Vary", "Cookie")
        if response.status_code == 200 and not response.streaming:
            response.setdefault("Cache-Control", f"public, max-age={settings.PUBLIC_SECONDS}")
        else:
            response.setdefault("Cache-Control", "no-store")
        return response

    wrapped.permission = ANYONE  # type: ignore[attr-defined]
    wrapped.is_public_page = True  # type: ignore[attr-defined]
    return wrapped


def site(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every portal page needs."""
    path = request.path
    here = max((url for url, _t in NAVIGATION if path == url or path.startswith(url.rstrip("/") + "/")), key=len, default="")
    return {
        "is_demo": settings.DEMO,
        "language": language_of(request) if translation.get_language() is None else translation.get_language(),
        "is_large": request.COOKIES.get(VIEW_COOKIE) == "large",
        "navigation": NAVIGATION,
        "here": here if here != "/" or path == "/" else "",
        "site_name": settings.SITE_NAME,
        "site": settings.SITE,
        "next": urlencode({"next": request.get_full_path()}),
        "host": request.get_host(),
    }


def show(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Render a portal page without anything that belongs to an account."""
    content = loader.get_template(template).render({**site(request), **(context or {})})
    return HttpResponse(content, status=status)
