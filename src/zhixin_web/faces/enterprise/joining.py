"""The first account of an enterprise, opened with the code of an invitation."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from zhixin_web.accounts import identity_provider
from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.accounts.services.mandates import accept_invitation
from zhixin_web.audit.services.events import record_event
from zhixin_web.presentation.refusals import faults_by_field

FIELDS = {
    "code": (gettext_lazy("邀请码"), False),
    "username": (gettext_lazy("用户名"), False),
    "display_name": (gettext_lazy("经办人姓名或称呼"), False),
    "password": (gettext_lazy("密码（不少于 12 位）"), True),
    "again": (gettext_lazy("再输入一次密码"), True),
}
"""Fields of the form: label, and whether what is typed is a secret that is never sent back."""


@permitted(ANYONE)
@require_GET
def leave(request: HttpRequest) -> HttpResponse:
    """Go to the identity provider, where there is one."""
    return _through(identity_provider.Leave, request)


@permitted(ANYONE)
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Come back from the identity provider."""
    return _through(identity_provider.Return, request)


def _through(view: Any, request: HttpRequest) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404
    answer: HttpResponse = view.as_view()(request)
    return answer


@permitted(ANYONE)
def join(request: HttpRequest) -> HttpResponse:
    """Type the code, choose a user name and a password; the account is open at once."""
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        sent = {name: request.POST.get(name, "")[:1000] for name in ("code", "username", "display_name", "password")}
        try:
            if sent["password"] != request.POST.get("again", "")[:1000]:
                raise ValidationError({"again": _("两次输入的新密码不一致")})
            user = accept_invitation(
                sent["code"], username=sent["username"], display_name=sent["display_name"], password=sent["password"]
            )
        except ValidationError as error:
            faults = faults_by_field(error)
            record_event("accounts.join", request=request, outcome="refused")
        else:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            request.session["started"] = request.session["confirmed"] = int(time.time())
            return redirect("my")
    fields = [
        {"name": name, "label": label, "faults": faults.get(name), "is_secret": is_secret,
         "given": "" if is_secret else request.POST.get(name, "")}
        for name, (label, is_secret) in FIELDS.items()
    ]  # fmt: skip
    return render(request, "mine/join.html", {"fields": fields}, status=422 if faults else 200)
