"""Doors: lockout, second factor, time-outs, confirmation, password policy, roles."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from zhixin_web.accounts.demonstration_people import PASSWORD
from zhixin_web.accounts.models import RoleGrant, User
from zhixin_web.accounts.services import accounts as services
from zhixin_web.audit.models import Event


def _sign_in(browser: Browser, username: str, password: str = PASSWORD, **extra: Any) -> Any:
    return browser.post("/c/sign-in", {"username": username, "password": password}, **extra)


@pytest.mark.parametrize(("failures", "status"), [(4, 302), (5, 429), (6, 429)])
def test_five_failures_lock_the_account_for_this_address_only(
    people: Any, settings: Any, failures: int, status: int
) -> None:
    settings.AXES_ENABLED = True
    browser = Browser()
    for _ in range(failures):
        _sign_in(browser, "city", "wrong")
    assert _sign_in(browser, "city").status_code == status
    assert _sign_in(Browser(), "city", REMOTE_ADDR="10.1.1.1").status_code == 302
    assert _sign_in(Browser(), "auditor").status_code == 302


def test_unknown_account_and_wrong_password_read_the_same(people: Any) -> None:
    one, two = _sign_in(Browser(), "city", "wrong"), _sign_in(Browser(), "nobody", "wrong")
    assert (one.status_code, two.status_code) == (422, 422)
    assert "账号或密码不对" in one.content.decode()
    assert "账号或密码不对" in two.content.decode()


def test_approvers_and_administrators_need_a_second_factor(people: dict[str, User], settings: Any) -> None:
    settings.SECOND_FACTOR = True
    for username in ("approver", "auditor", "security", "system"):
        browser = Browser()
        _sign_in(browser, username)
        assert browser.get("/c/")["Location"] == "/c/second-factor"
    browser = Browser()
    _sign_in(browser, "city")
    assert browser.get("/c/").status_code == 200


def test_a_code_opens_the_door_once(people: dict[str, User], settings: Any) -> None:
    settings.SECOND_FACTOR = True
    browser = Browser()
    _sign_in(browser, "approver")
    browser.get("/c/second-factor")
    device = TOTPDevice.objects.get(user=people["approver"])
    code = f"{totp(device.bin_key):06d}"
    assert browser.post("/c/second-factor", {"code": code}).status_code == 302
    assert browser.get("/c/").status_code == 200
    other = Browser()
    _sign_in(other, "approver")
    assert other.post("/c/second-factor", {"code": code}).status_code == 422


@pytest.mark.parametrize(("idle", "status"), [(-1, 200), (1, 302)])
def test_an_idle_session_ends(people: Any, settings: Any, idle: int, status: int) -> None:
    browser = Browser()
    _sign_in(browser, "city")
    session = browser.session
    session["seen"] = int(time.time()) - settings.IDLE_SECONDS - idle
    session.save()
    assert browser.get("/c/").status_code == status


@pytest.mark.parametrize(("late", "status"), [(-5, 200), (5, 302)])
def test_a_session_ends_after_its_absolute_time(people: Any, settings: Any, late: int, status: int) -> None:
    browser = Browser()
    _sign_in(browser, "city")
    session = browser.session
    session["started"] = int(time.time()) - settings.SESSION_COOKIE_AGE - late
    session.save()
    assert browser.get("/c/").status_code == status


@pytest.mark.parametrize(("age", "address"), [(89, None), (91, "/c/password")])
def test_an_old_password_must_be_changed(people: dict[str, User], settings: Any, age: int, address: str | None) -> None:
    settings.DEMO = False
    user = people["city"]
    User.objects.filter(pk=user.pk).update(password_changed_at=timezone.now() - timezone.timedelta(days=age))
    browser = Browser()
    _sign_in(browser, "city")
    assert browser.get("/c/").headers.get("Location") == address


@pytest.mark.parametrize("password", ["Short-1a", "alllowercaseletters", "123456789012", "password1234", "Zhengchengxin"])
def test_weak_passwords_are_refused(people: dict[str, User], password: str) -> None:
    with pytest.raises(ValidationError):
        services.open_account(username="new", display_name="新人", organisation=None, password=password, by=people["system"])


def test_system_opens_security_grants_and_neither_does_the_other(people: dict[str, User]) -> None:
    user = services.open_account(
        username="new",
        display_name="新人",
        organisation=people["city"].organisation,
        password="Zx-2026-很长的口令",
        by=people["system"],
    )
    with pytest.raises(PermissionDenied):
        services.grant_role(user=user, role="auditor", reason="x", by=people["system"])
    with pytest.raises(PermissionDenied):
        services.open_account(
            username="n2", display_name="x", organisation=None, password="Zx-2026-很长的口令", by=people["security"]
        )
    services.grant_role(user=user, role="inspector", reason="调入", by=people["security"])
    user.refresh_from_db()
    assert user.role == "inspector"


def test_nobody_grants_to_himself_not_even_in_the_database(people: dict[str, User]) -> None:
    with pytest.raises(PermissionDenied):
        services.grant_role(user=people["security"], role="approver", reason="x", by=people["security"])
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.create(user=people["city"], role="approver", granted_by=people["city"], reason="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=people["city"].pk).update(is_superuser=True)


def test_a_new_role_ends_the_sessions_of_the_account(people: dict[str, User]) -> None:
    browser = Browser()
    _sign_in(browser, "inspector")
    assert browser.get("/c/").status_code == 200
    services.grant_role(user=people["inspector"], role="district_officer", reason="转岗", by=people["security"])
    assert browser.get("/c/").status_code == 302


def test_weighty_acts_ask_for_the_password_again(people: dict[str, User]) -> None:
    browser = Browser()
    browser.force_login(people["auditor"])
    assert browser.post("/c/ledger/dump")["Location"].startswith("/c/confirm?next=")
    assert browser.post("/c/confirm", {"password": "wrong"}).status_code == 422
    assert browser.post("/c/confirm", {"password": PASSWORD, "next": "/c/ledger"})["Location"] == "/c/ledger"
    assert browser.post("/c/ledger/dump").status_code == 200


def test_refusals_and_sign_ins_are_audit_events(people: dict[str, User]) -> None:
    browser = Browser()
    _sign_in(browser, "inspector", "wrong")
    _sign_in(browser, "inspector")
    browser.get("/c/audit")
    found = list(
        Event.objects.filter(action__in=["accounts.sign_in", "access.refused"])
        .order_by("pk")
        .values_list("action", "outcome")
    )
    assert found == [("accounts.sign_in", "refused"), ("accounts.sign_in", "done"), ("access.refused", "refused")]


def test_it_goes_on_inside_the_site_only(people: Any) -> None:
    answer = Browser().post("/c/sign-in", {"username": "city", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/c/"


def test_headers_keep_the_page_to_itself(people: dict[str, User]) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    answer = browser.get("/c/")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert (answer["Cache-Control"], answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == (
        "no-store",
        "DENY",
        "nosniff",
    )
