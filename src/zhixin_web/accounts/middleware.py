"""Every request: idle and absolute time-outs, then default deny by the view's declared permission."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from zhixin_web.accounts.held_request import CONTINUE, hold, let_go
from zhixin_web.accounts.models import ADMINISTRATORS, Role
from zhixin_web.accounts.permissions import ANYONE, SIGNED_IN, may
from zhixin_web.audit.services.events import record_event

Handler = Callable[[HttpRequest], HttpResponse]
SECOND_FACTOR_ROLES = (Role.APPROVER, *ADMINISTRATORS)
DOORS = ("/c/sign-in", "/c/sign-out", "/c/second-factor", "/c/password", "/c/language")


class SessionLimits:
    """Ends a session after the idle time or the absolute time."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            started = request.session.setdefault("started", now)
            seen = request.session.get("seen", now)
            if now - seen > settings.IDLE_SECONDS or now - started > settings.SESSION_COOKIE_AGE:
                user = request.user
                logout(request)
                if hold(request, user):
                    request.session_ended = True  # type: ignore[attr-defined]
            elif now - request.session.get("seen", 0) > 30:  # writing at every click would lock SQLite for nothing
                request.session["seen"] = now
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        return response


class DefaultDeny:
    """A view without a declared permission is refused; so is an account the permission table does not name."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        permission = getattr(view, "permission", None)
        if permission == ANYONE:
            return None
        if not request.user.is_authenticated:
            if permission is None:
                return refuse(request, "undeclared")
            wanted = CONTINUE if getattr(request, "session_ended", False) else request.get_full_path()
            return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': wanted})}")
        waiting = self._door(request)
        if waiting is not None:
            return waiting
        if permission is None or (permission != SIGNED_IN and not may(request.user, permission)):
            return refuse(request, permission or "undeclared")
        if request.method == "POST" and view.reauthenticate and not recently_authenticated(request):
            wanted = CONTINUE if hold(request, request.user) else request.META.get("HTTP_REFERER", "/c/")
            return redirect(f"/c/confirm?{urlencode({'next': wanted})}")
        if request.method == "POST":
            let_go(request)
        return None

    @staticmethod
    def _door(request: HttpRequest) -> HttpResponse | None:
        """Second factor and an expired password come before anything else."""
        if request.path.startswith(DOORS):
            return None
        user: Any = request.user
        if settings.SECOND_FACTOR and user.role in SECOND_FACTOR_ROLES and not user.is_verified():
            return redirect("/c/second-factor")
        age = time.time() - user.password_changed_at.timestamp()
        is_old = not settings.DEMO and age > settings.PASSWORD_DAYS * 86400 and user.has_usable_password()
        if user.must_change_password or is_old:
            return redirect("/c/password")
        return None


def recently_authenticated(request: HttpRequest) -> bool:
    return time.time() - int(request.session.get("confirmed", 0)) < settings.REAUTHENTICATE_SECONDS


def refuse(request: HttpRequest, action: str) -> HttpResponse:
    """403 with what the account may not do; the refusal is an audit event."""
    record_event("access.refused", request=request, ref=request.path, outcome="refused", permission=action)
    return render(request, "refused.html", {"action": action}, status=403)
