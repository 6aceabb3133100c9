"""Signs enterprises in through the identity provider of the government services (统一身份认证, OpenID Connect).

Who comes with the credit code of an enterprise, vouched for by the provider, gets an account of that enterprise at the first visit.
The provider's subject stays with the code it first came with: a person who moves to another firm does not take an account along.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from zhixin.dataset.identity import check_uscc
from zhixin_web.accounts.models import RESERVED_PREFIX, Organisation, OutsideIdentity, Role, RoleGrant, User
from zhixin_web.accounts.permissions import home_of
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.received.words import cleaned

SUBJECT = re.compile("[\\x21-\\x7e]{1,255}")
"""A subject of a provider: at most 255 ASCII characters (OpenID Connect Core, 2)."""
CLOCKS_DIFFER = 30
"""Seconds by which the clocks of provider and site may differ."""
REFUSALS = (
    SuspiciousOperation,
    requests.RequestException,
    jwt.PyJWTError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IntegrityError,
)


def is_from_provider(request: HttpRequest | None, credentials: dict[str, Any] | None) -> bool:
    """Whether somebody comes from the provider: with no name or password that one could guess, nothing is counted or locked."""
    return credentials is not None and credentials.get("username") is None and credentials.get("nonce") is not None


class EnterpriseIdentities(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Checks what the provider says and finds or opens the account it stands for."""

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """Return the provider's key that a token names; a token may leave the name out where there is one key alone (RFC 7515, 4.1.4)."""
        answer = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT)
        answer.raise_for_status()
        named = jwt.get_unverified_header(token).get("kid")
        keys = [item for item in answer.json()["keys"] if item.get("kty") == "RSA" and item.get("use", "sig") == "sig"]
        fitting = [item for item in keys if named is None or item.get("kid") == named]
        if len(fitting) != 1:
            raise SuspiciousOperation("no key, or more than one")
        return jwt.PyJWK(fitting[0], algorithm=self.OIDC_RP_SIGN_ALGO)

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """Check signature and nonce, and that the token is the provider's, for this site, and not too old."""
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        if payload.get("iss") != settings.OIDC_ISSUER:
            raise SuspiciousOperation("another issuer")
        if self.OIDC_RP_CLIENT_ID not in (audience if isinstance(audience, list) else [audience]):
            raise SuspiciousOperation("for another client")
        if not isinstance(payload.get("exp"), int | float) or payload["exp"] < time.time():
            raise SuspiciousOperation("expired")
        return payload

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User | None:
        """Return the account of who signed in; ``None`` where the provider vouches for no enterprise."""
        claims = self.get_userinfo(access_token, id_token, payload)
        subject = payload.get("sub")
        if not isinstance(claims, dict) or claims.get("sub") != subject:
            raise SuspiciousOperation("what is said of the user is said of another")
        if not isinstance(subject, str) or not SUBJECT.fullmatch(subject):
            raise SuspiciousOperation("no subject")
        code, name = check_uscc(str(claims.get(settings.OIDC_CODE_CLAIM, ""))).value, claims.get("name")
        if code is None:
            return None
        user = _account(subject, code, name if isinstance(name, str) else "")
        if user is not None:
            user.signed_in_outside_at = payload.get("auth_time")  # type: ignore[attr-defined]
        return user


def _account(subject: str, code: str, name: str) -> User | None:
    """Find or open an account; two first visits at once are one account."""
    try:
        return _found_or_opened(subject, code, name)
    except IntegrityError:
        return _found_or_opened(subject, code, name)


def _found_or_opened(subject: str, code: str, name: str) -> User | None:
    """Find or open the account that a subject of the provider has for an enterprise; ``None``: it belongs to another one."""
    with transaction.atomic():
        known = OutsideIdentity.objects.select_related("user__organisation").filter(
            issuer=settings.OIDC_ISSUER, subject=subject
        ).first()  # fmt: skip
        if known is not None:
            unit = known.user.organisation
            return known.user if unit is not None and unit.code == code else None
        unit = Organisation.objects.filter(code=code).first() or Organisation.objects.create(
            code=code, name=code, kind=Organisation.Kind.ENTERPRISE
        )
        if unit.kind != Organisation.Kind.ENTERPRISE:
            return None
        username = RESERVED_PREFIX + hashlib.sha256(f"{settings.OIDC_ISSUER}\0{subject}".encode()).hexdigest()[:24]
        shown = cleaned(name)[:60] or _("企业经办人")
        user = User(username=username, display_name=shown, organisation=unit, role=Role.ENTERPRISE_USER.value)
        user.set_unusable_password()
        user.save()
        OutsideIdentity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=subject)
        RoleGrant.objects.create(user=user, role=user.role, reason=f"统一身份认证 {settings.OIDC_ISSUER}"[:200])
        append_one("admin.permission", f"user:{user.pk}", {"role": user.role, "issuer": settings.OIDC_ISSUER})
        record_event("accounts.join", by=user, ref=code, issuer=settings.OIDC_ISSUER)
    return user


class Leave(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Goes to the provider; who confirms a weighty act has to sign in there again."""

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        return {"prompt": "login", "max_age": "0"} if request.GET.get("again") else {}


class Return(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Comes back from the provider: signed in, or with the reason why not."""

    departed = 0.0
    """When this browser left for the provider (seconds since the epoch)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.session.get("oidc_states", {}).get(request.GET.get("state", ""))
        if asked is None or request.GET.get("error"):  # nobody is signed out by an answer that was not asked for
            record_event(
                "accounts.sign_in", request=request, outcome="refused", why="not asked" if asked is None else "error"
            )
            return self.login_failure()
        self.departed = float(asked["added_on"])
        try:
            answer: HttpResponse = super().get(request)
        except REFUSALS as error:
            record_event("accounts.sign_in", request=request, outcome="refused", why=type(error).__name__)
            return self.login_failure()
        return answer

    def login_success(self) -> HttpResponse:
        super().login_success()
        now, session = time.time(), self.request.session
        session["started"] = int(now)
        at = self.user.signed_in_outside_at
        if isinstance(at, int | float) and self.departed - CLOCKS_DIFFER <= at <= now + CLOCKS_DIFFER:
            session["confirmed"] = int(now)  # an older sign-in at the provider confirms nothing
        record_event("accounts.sign_in", request=self.request, ref=self.user.username)
        return redirect(session.pop("oidc_login_next", None) or home_of(self.user))

    def login_failure(self) -> HttpResponse:
        messages.error(
            self.request, _("统一身份认证没有成功：对方没有答复、已取消，或者您的身份没有对应的企业。请重试或联系监管部门")
        )
        return redirect(settings.LOGIN_URL)
