"""Enterprises sign in through an identity provider (OpenID Connect); the provider here is a real one from a package, on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.accounts import identity_provider
from zhixin_web.accounts.models import Organisation, OutsideIdentity, Role, User
from zhixin_web.accounts.services.mandates import accept_invitation, invite
from zhixin_web.records.models import Subject

pytestmark = pytest.mark.django_db
CLIENT = "zhixin"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The provider, in a process of its own."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(100):
            try:
                requests.get(f"{base}/.well-known/openid-configuration", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield base
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def provider(server: str, settings: Any, subjects: list[Subject]) -> str:
    people: dict[str, dict[str, str]] = {
        "legal-person": {"uscc": subjects[3].code, "name": "经办人甲"},
        "nobody": {"name": "没有企业的人"},
        "wrong-code": {"uscc": "91410000000000000X"},
    }
    for sub, claims in people.items():
        requests.put(f"{server}/users/{sub}", json=claims, timeout=5).raise_for_status()
    found = requests.get(f"{server}/.well-known/openid-configuration", timeout=5).json()
    settings.OIDC_ISSUER = found["issuer"]
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = found["authorization_endpoint"]
    settings.OIDC_OP_TOKEN_ENDPOINT = found["token_endpoint"]
    settings.OIDC_OP_USER_ENDPOINT = found["userinfo_endpoint"]
    settings.OIDC_OP_JWKS_ENDPOINT = found["jwks_uri"]
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT, "a secret of the client"
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS, "zhixin_web.accounts.identity_provider.EnterpriseIdentities"
    ]  # fmt: skip
    return server


def agreed(where: str, sub: str) -> str:
    """Let a person agree at the provider; return the address it sends the browser back to."""
    answer = requests.post(where, data={"sub": sub}, allow_redirects=False, timeout=5)
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["Location"].replace("http://testserver", "")


def signed_in(sub: str, path: str = "/my/identity?next=/my/records", browser: Browser | None = None) -> tuple[Browser, Any]:
    found = browser or Browser()
    return found, found.get(agreed(found.get(path)["Location"], sub))


def test_the_first_visit_opens_an_account_of_the_enterprise(provider: str, subjects: list[Subject]) -> None:
    browser, answer = signed_in("legal-person")
    assert answer["Location"] == "/my/records"
    user = OutsideIdentity.objects.get().user
    assert (user.role, user.organisation.code, user.display_name) == (Role.ENTERPRISE_USER, subjects[3].code, "经办人甲")  # type: ignore[union-attr]
    assert not user.has_usable_password()
    assert user.grants.get().granted_by is None
    assert browser.get("/my/records").status_code == 200


def test_the_second_visit_finds_the_same_account(provider: str) -> None:
    signed_in("legal-person")
    signed_in("legal-person")
    assert OutsideIdentity.objects.count() == 1


@pytest.mark.parametrize("sub", ["nobody", "wrong-code", "unknown-to-anybody"])
def test_who_stands_for_no_enterprise_is_sent_back_with_the_reason(provider: str, sub: str) -> None:
    users = User.objects.count()
    browser, answer = signed_in(sub)
    assert answer["Location"] == "/c/sign-in"
    assert "身份没有对应的企业" in browser.get("/c/sign-in").content.decode()
    assert User.objects.count() == users


def test_a_person_who_comes_with_another_enterprise_does_not_take_the_account_along(
    provider: str, subjects: list[Subject]
) -> None:
    signed_in("legal-person")
    requests.put(f"{provider}/users/legal-person", json={"uscc": subjects[4].code}, timeout=5).raise_for_status()
    _browser, answer = signed_in("legal-person")
    assert answer["Location"] == "/c/sign-in"
    assert OutsideIdentity.objects.get().user.organisation.code == subjects[3].code  # type: ignore[union-attr]


def test_the_code_of_a_unit_opens_no_account(provider: str, subjects: list[Subject]) -> None:
    Organisation.objects.create(code=subjects[3].code, name="单位", kind=Organisation.Kind.MEMBER_UNIT)
    assert signed_in("legal-person")[1]["Location"] == "/c/sign-in"


def test_a_closed_account_stays_closed(provider: str) -> None:
    signed_in("legal-person")
    User.objects.filter(username__startswith="oidc-").update(is_active=False)
    assert signed_in("legal-person")[1]["Location"] == "/c/sign-in"


def test_an_answer_works_once_in_the_browser_that_asked(provider: str) -> None:
    browser = Browser()
    back = agreed(browser.get("/my/identity")["Location"], "legal-person")
    assert Browser().get(back)["Location"] == "/c/sign-in"
    assert browser.get(back)["Location"] == "/my/"
    browser.post("/c/sign-out")
    assert browser.get(back)["Location"] == "/c/sign-in"


def test_a_state_nobody_asked_for_signs_nobody_in(provider: str) -> None:
    browser = Browser()
    back = agreed(browser.get("/my/identity")["Location"], "legal-person")
    assert browser.get(back.replace("state=", "state=x"))["Location"] == "/c/sign-in"
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("endpoint", ["OIDC_OP_TOKEN_ENDPOINT", "OIDC_OP_USER_ENDPOINT", "OIDC_OP_JWKS_ENDPOINT"])
def test_a_provider_that_fails_midway_signs_nobody_in(provider: str, settings: Any, endpoint: str) -> None:
    setattr(settings, endpoint, "http://127.0.0.1:9/closed")
    browser, answer = signed_in("legal-person")
    assert answer["Location"] == "/c/sign-in"
    assert "_auth_user_id" not in browser.session


def _token(claims: dict[str, Any], key: Any, algorithm: str = "RS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://elsewhere.example"}, {"aud": "another"}, {"aud": []}, {"exp": 1}, {"exp": None}, {"nonce": "other"}, {"sub": ""}],
    ids=str,
)  # fmt: skip
def test_a_token_for_another_or_from_another_is_refused(
    provider: str, settings: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    backend = identity_provider.EnterpriseIdentities
    monkeypatch.setattr(backend, "retrieve_matching_jwk", lambda _self, _token: key.public_key())
    browser = Browser()
    where = browser.get("/my/identity")["Location"]
    nonce = parse_qs(urlsplit(where).query)["nonce"][0]
    claims = {"iss": settings.OIDC_ISSUER, "aud": CLIENT, "exp": time.time() + 60, "sub": "legal-person", "nonce": nonce}
    genuine = backend.get_token
    for given, is_good in ((claims | changes, False), (claims, True)):
        token = _token({name: value for name, value in given.items() if value is not None}, key)
        monkeypatch.setattr(backend, "get_token", lambda self, payload, t=token: genuine(self, payload) | {"id_token": t})
        if is_good:  # the same way with a right token leads in: it is the change that is refused
            where = browser.get("/my/identity")["Location"]
            right = claims | {"nonce": parse_qs(urlsplit(where).query)["nonce"][0]}
            token = _token(right, key)
            monkeypatch.setattr(
                backend, "get_token", lambda self, payload, t=token: genuine(self, payload) | {"id_token": t}
            )
        answer = browser.get(agreed(where, "legal-person"))
        assert (answer["Location"] == "/my/") is is_good


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_signed_otherwise_is_refused(
    provider: str, monkeypatch: pytest.MonkeyPatch, settings: Any, algorithm: str
) -> None:
    backend = identity_provider.EnterpriseIdentities
    browser = Browser()
    where = browser.get("/my/identity")["Location"]
    nonce = parse_qs(urlsplit(where).query)["nonce"][0]
    claims = {"iss": settings.OIDC_ISSUER, "aud": CLIENT, "exp": time.time() + 60, "sub": "legal-person", "nonce": nonce}
    token = _token(claims, settings.OIDC_RP_CLIENT_SECRET * 4 if algorithm == "HS256" else None, algorithm)
    genuine = backend.get_token
    monkeypatch.setattr(backend, "get_token", lambda self, payload: genuine(self, payload) | {"id_token": token})
    assert browser.get(agreed(where, "legal-person"))["Location"] == "/c/sign-in"


def test_what_is_said_of_another_person_is_refused(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = identity_provider.EnterpriseIdentities
    genuine = backend.get_userinfo
    monkeypatch.setattr(backend, "get_userinfo", lambda self, *given: genuine(self, *given) | {"sub": "somebody else"})
    assert signed_in("legal-person")[1]["Location"] == "/c/sign-in"


def test_who_has_no_password_confirms_at_the_provider(provider: str) -> None:
    browser, _answer = signed_in("legal-person")
    asked = browser.get("/c/confirm?next=/my/mandates")
    assert asked["Location"].startswith("/my/identity?")
    assert "prompt=login" in browser.get(asked["Location"])["Location"]


def test_it_leads_nowhere_outside(provider: str) -> None:
    assert signed_in("legal-person", "/my/identity?next=https://elsewhere.example/")[1]["Location"] == "/my/"


def test_without_a_provider_there_is_no_such_door(people: Any) -> None:
    assert Browser().get("/my/identity").status_code == 404
    assert Browser().get("/my/identity/back").status_code == 404


def test_an_account_without_a_password_has_none_that_grows_old(provider: str, settings: Any) -> None:
    settings.DEMO = False
    browser, _answer = signed_in("legal-person")
    User.objects.filter(username__startswith="oidc-").update(
        password_changed_at=timezone.now() - timedelta(days=settings.PASSWORD_DAYS + 1)
    )
    assert browser.get("/my/records").status_code == 200


def test_who_stands_for_no_enterprise_locks_nobody_out(provider: str, settings: Any) -> None:
    settings.AXES_ENABLED = True
    for _attempt in range(settings.AXES_FAILURE_LIMIT + 1):
        signed_in("nobody")
    browser, answer = signed_in("legal-person")
    assert answer["Location"] == "/my/records"
    guesser = Browser()
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        answer = guesser.post("/c/sign-in", {"username": "", "password": "x"})
    assert guesser.post("/c/sign-in", {"username": "", "password": "x"}).status_code in (403, 422, 429)


@pytest.mark.parametrize(
    ("seconds", "is_fresh"), [(1, True), (-29, True), (-60, False), (-100_000, False), (3600, False), (None, False)]
)
def test_only_a_fresh_sign_in_at_the_provider_confirms_a_weighty_act(
    provider: str, monkeypatch: pytest.MonkeyPatch, seconds: int | None, is_fresh: bool
) -> None:
    backend = identity_provider.EnterpriseIdentities
    genuine = backend.verify_token
    said = None if seconds is None else time.time() + seconds
    monkeypatch.setattr(
        backend, "verify_token", lambda self, token, **given: genuine(self, token, **given) | {"auth_time": said}
    )
    browser, _answer = signed_in("legal-person", "/my/identity?again=1&next=/my/mandates")
    assert ("confirmed" in browser.session) is is_fresh


def test_confirming_asks_the_provider_for_a_new_sign_in(provider: str) -> None:
    asked = parse_qs(urlsplit(Browser().get("/my/identity?again=1")["Location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


@pytest.mark.parametrize("query", ["error=x", "error=x&state=y", "state=y&code=z", "code=z", ""])
def test_an_answer_that_was_not_asked_for_signs_nobody_out(provider: str, browser_of: Any, query: str) -> None:
    officer = browser_of("city")
    assert officer.get(f"/my/identity/back?{query}")["Location"] == "/c/sign-in"
    assert officer.get("/c/").status_code == 200


def test_two_first_visits_at_once_are_one_account(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = identity_provider._found_or_opened
    raced = []

    def racing(*given: str) -> Any:
        if not raced:  # the other visit comes between the look and the writing
            raced.append(genuine(*given))
            raise IntegrityError
        return genuine(*given)

    monkeypatch.setattr(identity_provider, "_found_or_opened", racing)
    assert signed_in("legal-person")[1]["Location"] == "/my/records"
    assert OutsideIdentity.objects.count() == 1


@pytest.mark.parametrize("name", ["oidc-123456789012345678901234", "OIDC-x", "oidc-"])
def test_nobody_chooses_the_name_of_an_account_of_the_provider(people: Any, name: str) -> None:
    unit = people["enterprise"].organisation
    secret = invite(unit.code, unit.name, people["city"])
    with pytest.raises(ValidationError) as caught:
        accept_invitation(secret, username=name, display_name="经办人", password="a long enough password 1")
    assert "username" in caught.value.message_dict


@pytest.mark.parametrize(
    "said", [[], None, "text", {"sub": ["legal-person"]}, {"sub": "x" * 256}, {"sub": "甲"}, {"sub": "a\x00b"}], ids=repr
)
def test_odd_words_of_the_provider_are_refused(provider: str, monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    backend = identity_provider.EnterpriseIdentities
    if isinstance(said, dict):
        genuine = backend.verify_token
        monkeypatch.setattr(backend, "verify_token", lambda self, token, **given: genuine(self, token, **given) | said)
        genuine_info = backend.get_userinfo
        monkeypatch.setattr(backend, "get_userinfo", lambda self, *given: genuine_info(self, *given) | said)
    else:
        monkeypatch.setattr(backend, "get_userinfo", lambda self, *given: said)
    assert signed_in("legal-person")[1]["Location"] == "/c/sign-in"
    assert not OutsideIdentity.objects.exists()


@pytest.mark.parametrize(
    ("name", "shown"), [(None, "企业经办人"), (7, "企业经办人"), ("甲\u202e乙\x00", "甲乙"), ("  ", "企业经办人")]
)
def test_a_name_is_shown_without_what_no_page_can_show(
    provider: str, monkeypatch: pytest.MonkeyPatch, name: Any, shown: str
) -> None:
    backend = identity_provider.EnterpriseIdentities
    genuine = backend.get_userinfo
    monkeypatch.setattr(backend, "get_userinfo", lambda self, *given: genuine(self, *given) | {"name": name})
    signed_in("legal-person")
    assert OutsideIdentity.objects.get().user.display_name == shown
