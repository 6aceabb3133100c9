"""Who asks: the visitor's address behind trusted proxies, how often a visitor may ask, and a code that names one visitor."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.urls import Resolver404, resolve
from django.utils import translation
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

Handler = Callable[[HttpRequest], HttpResponse]


class RateLimit(NamedTuple):
    """How often one visitor may use some addresses with some methods."""

    names: frozenset[str]
    methods: frozenset[str]
    rate: RateLimitItem


READ, WRITE = frozenset({"GET", "HEAD"}), frozenset({"POST", "PUT", "PATCH", "DELETE"})
LIMITS = (
    RateLimit(frozenset({"report_error"}), WRITE, parse("10/hour")),
    RateLimit(frozenset({"consultation"}), WRITE, parse("20/hour")),
    RateLimit(frozenset({"report_pdf", "rules_document"}), READ, parse("20/minute")),
    RateLimit(frozenset({"report_status", "verify", "verify_paper"}), READ, parse("60/minute")),
    RateLimit(frozenset({"search", "statistics", "fairness"}), READ, parse("240/minute")),
    RateLimit(frozenset({"data_file", "draw_file"}), READ, parse("30/minute")),
    RateLimit(frozenset({"sign_in", "second_factor"}), WRITE, parse("60/minute")),
    RateLimit(frozenset({"confirm"}), WRITE, parse("20/minute")),
    RateLimit(frozenset({"my_join"}), WRITE, parse("10/hour")),
    RateLimit(frozenset({"my_draft_files"}), WRITE, parse("60/minute")),
    RateLimit(frozenset({"my_improve", "my_coming", "my_report"}), READ, parse("60/minute")),
)
API = parse("600/minute")
"""For every key, or address without one."""


def address_of(request: HttpRequest) -> str:
    """The visitor's address: that of the connection, or what the last trusted proxy says."""
    address = request.META.get("REMOTE_ADDR") or ""
    hops = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    while hops and _is_trusted(address):
        address = hops.pop()
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def _is_trusted(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _proxies(settings.PROXIES))


@cache
def _proxies(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def visitor_code(request: HttpRequest) -> str:
    """A code that is the same for the same address and says nothing about it."""
    return hmac.digest(settings.EVIDENCE_KEY.encode(), f"visitor\0{address_of(request)}".encode(), "sha256").hex()[:32]


class VisitorAddress:
    """Puts the visitor's own address, and whether the connection was encrypted, where everything else reads it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PROXIES and _is_trusted(request.META.get("REMOTE_ADDR", "")):
            if request.META.get("HTTP_X_FORWARDED_PROTO") == "https":
                request.META["wsgi.url_scheme"] = "https"
            request.META["REMOTE_ADDR"] = address_of(request)
        return self.get_response(request)


class NoNulCharacters:
    """Removes NUL from forms and answers 404 to a console address that holds one; PostgreSQL cannot store it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info and request.path_info.startswith(("/c/", "/my/", "/m/")):
            raise Http404
        if _holds_nul(request):
            cleaned = request.POST.copy()
            for name, values in request.POST.lists():
                cleaned.setlist(name, [value.replace("\x00", "") for value in values])
            request.POST = cleaned  # type: ignore[assignment]
        return self.get_response(request)


def _holds_nul(request: HttpRequest) -> bool:
    """Whether a form field holds a NUL; deliveries of programs are read by the pipeline, not here."""
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    if request.method != "POST" or not is_form or request.path_info.startswith("/api/"):
        return False
    return any("\x00" in part for _name, values in request.POST.lists() for part in values)


class RateLimits:
    """Answers 429 with Retry-After to a visitor who asks too often; others are served as before."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.RATE_LIMITS:
            wait = seconds_to_wait(request)
            if wait:
                return _too_many(request, wait)
        return self.get_response(request)


@cache
def _storage(address: str) -> Storage:
    found = storage_from_string(address)
    assert isinstance(found, Storage)
    return found


def seconds_to_wait(request: HttpRequest) -> int:
    """Count a request; how long its visitor has to wait, or 0."""
    limiter = MovingWindowRateLimiter(_storage(settings.RATE_STORAGE))
    for scope, who, rate in _applying(request):
        if not limiter.hit(rate, scope, who):
            reset, _left = limiter.get_window_stats(rate, scope, who)
            return max(1, round(reset - time.time()))
    return 0


def _applying(request: HttpRequest) -> list[tuple[str, str, RateLimitItem]]:
    if request.path_info.startswith("/api/"):
        key = request.META.get("HTTP_AUTHORIZATION", "")[:200]
        return [("api", visitor_code(request) if not key else hmac.digest(b"key", key.encode(), "sha256").hex(), API)]
    try:
        name = resolve(request.path_info).url_name
    except Resolver404:
        return []
    method = request.method or "GET"
    return [
        (str(name), visitor_code(request), item.rate) for item in LIMITS if name in item.names and method in item.methods
    ]


def _too_many(request: HttpRequest, wait: int) -> HttpResponse:
    headers = {"Retry-After": str(wait), "Cache-Control": "no-store"}
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": "too_many_requests", "retry_after": wait}, status=429, headers=headers)
    language = "en" if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) == "en" else "zh-hans"
    with translation.override(language):
        content = loader.get_template("too_many.html").render({"wait": wait, "language": language})
    return HttpResponse(content, status=429, headers=headers)
