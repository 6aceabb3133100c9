"""Doors: sign in and out, second factor, password, confirmation before weighty acts, language."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_otp import login as otp_login

from zhixin_web.accounts.demonstration_people import AGENT, PASSWORD, PEOPLE
from zhixin_web.accounts.held_request import CONTINUE, fields_of, held_by
from zhixin_web.accounts.models import Role
from zhixin_web.accounts.permissions import ANYONE, SIGNED_IN, StaffRequest, home_of, permitted
from zhixin_web.accounts.services.accounts import change_password
from zhixin_web.accounts.services.second_factor import accepts, device_of
from zhixin_web.audit.services.events import record_event
from zhixin_web.presentation import asked


def _next(request: HttpRequest) -> str:
    """Where to go on: only inside this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or settings.LOGIN_REDIRECT_URL
    return asked.address(request, wanted, settings.LOGIN_REDIRECT_URL)


@permitted(ANYONE)
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form; in the demonstration also a card for every role."""
    failed = False
    if request.method == "POST":
        username = request.POST.get("username", "")[:150]
        user = authenticate(request, username=username, password=request.POST.get("password", "")[:200])
        if user is not None:
            login(request, user)
            request.session["started"] = request.session["confirmed"] = int(time.time())
            record_event("accounts.sign_in", request=request, ref=username)
            wanted = _next(request)
            return redirect(home_of(user) if wanted == settings.LOGIN_REDIRECT_URL else wanted)
        record_event("accounts.sign_in", request=request, ref=username, outcome="refused")
        failed = True
    cards: list[tuple[str, str, Any]] = []
    if settings.DEMO:
        cards = [(username, name, Role(role).label) for username, name, role, _unit in PEOPLE]
        cards.append((*AGENT, _("代理机构")))
    content = {
        "failed": failed,
        "next": _next(request),
        "cards": cards,
        "has_provider": bool(settings.OIDC_ISSUER),
        "demo_password": PASSWORD if settings.DEMO else "",
    }
    return render(request, "sign_in.html", content, status=422 if failed else 200)


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """The answer after five failures in a quarter of an hour from one address for one account."""
    return render(request, "locked_out.html", status=429)


@permitted(SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    record_event("accounts.sign_out", request=request)
    logout(request)
    return redirect(settings.LOGIN_URL)


@permitted(SIGNED_IN)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator app, or give its six digits. A code works once."""
    user: Any = request.user
    device = device_of(user)
    failed = False
    if request.method == "POST":
        if accepts(device, request.POST.get("code", "")):
            otp_login(request, device)
            record_event("accounts.second_factor", request=request)
            return redirect(_next(request))
        record_event("accounts.second_factor", request=request, outcome="refused")
        failed = True
    picture = "" if device.confirmed else segno.make(device.config_url).svg_data_uri(scale=5)
    return render(
        request,
        "second_factor.html",
        {"picture": picture, "address": device.config_url, "failed": failed, "next": _next(request)},
        status=422 if failed else 200,
    )


@permitted(SIGNED_IN)
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; asked for when it is new from an administrator or too old."""
    user: Any = request.user
    faults: list[str] = []
    if request.method == "POST":
        new = request.POST.get("new", "")
        if not user.check_password(request.POST.get("old", "")):
            faults.append(_("现用密码不对"))
        if new != request.POST.get("again", ""):
            faults.append(_("两次输入的新密码不一致"))
        if user.check_password(new):
            faults.append(_("新密码不能与现用密码相同"))
        try:
            validate_password(new, user)
        except ValidationError as error:
            faults += error.messages
        if not faults:
            change_password(user=user, password=new)
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("密码已修改"))
            return redirect(_next(request))
    return render(request, "password.html", {"faults": faults}, status=422 if faults else 200)


@permitted(SIGNED_IN)
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password again before publishing, granting and exporting."""
    user: Any = request.user
    if not user.has_usable_password():
        return redirect(f"{reverse('oidc_authentication_init')}?{urlencode({'next': _next(request), 'again': 1})}")
    failed = False
    if request.method == "POST":
        if user.check_password(request.POST.get("password", "")):
            request.session["confirmed"] = int(time.time())
            if _next(request) != CONTINUE:
                messages.info(request, _("已确认身份，请再次点击刚才的按钮"))
            return redirect(_next(request))
        record_event("accounts.confirm", request=request, outcome="refused")
        failed = True
    return render(request, "confirm.html", {"failed": failed, "next": _next(request)}, status=422 if failed else 200)


@permitted(SIGNED_IN)
@require_GET
def continue_page(request: StaffRequest) -> HttpResponse:
    """What was typed before the session or the confirmation ended, to be sent now by a click."""
    held = held_by(request)
    if held is None:
        return redirect(home_of(request.user))
    return render(request, "continue.html", {"held": held})


FEW = 10
"""Characters: what is shorter is typed again sooner than copied."""


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form of a page that is too old; what was typed stays to be copied, and is not sent again from here."""
    shown = [(name, value) for name, value in fields_of(request) if len(value) > FEW and "password" not in name]
    return render(request, "page_too_old.html", {"shown": shown}, status=403)


@permitted(ANYONE)
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch between Chinese and English and stay on the page."""
    chosen = "en" if request.POST.get("language") == "en" else "zh-hans"
    response = redirect(_next(request))
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=31_536_000, samesite="Lax", httponly=True)
    return response
