"""Writes: accounts and roles. The system administrator opens accounts, the security administrator grants roles."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import Organisation, Role, RoleGrant, User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one


def open_account(*, username: str, display_name: str, organisation: Organisation | None, password: str, by: User) -> User:
    """A new account without a role; its password must be changed at the first sign-in.

    Raises:
        PermissionDenied: not a system administrator.
        ValidationError: the password breaks the policy.
    """
    from django.contrib.auth.password_validation import validate_password

    if not may(by, "accounts.manage"):
        raise PermissionDenied
    user = User(username=username, display_name=display_name, organisation=organisation, must_change_password=True)
    validate_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.full_clean(exclude=["password"])
        user.save()
        record_event("accounts.open", by=by, ref=username)
    return user


def grant_role(*, user: User, role: str, reason: str, by: User) -> RoleGrant:
    """Give an account its role, or take it with ``role=""``; sessions of the account end.

    Raises:
        PermissionDenied: not a security administrator, or granting to oneself.
        ValidationError: no such role, or no reason.
    """
    if not may(by, "accounts.grant") or by.pk == user.pk:
        raise PermissionDenied
    if role and role not in Role.values:
        raise ValidationError({"role": _("没有角色 %(role)s") % {"role": role}})
    if not reason.strip():
        raise ValidationError({"reason": _("请填写理由")})
    with transaction.atomic():
        user.role = role
        user.save(update_fields=["role"])
        grant = RoleGrant.objects.create(user=user, role=role, granted_by=by, reason=reason)
        append_one("admin.permission", f"user:{user.pk}", {"role": role, "by": by.pk, "reason": reason})
        record_event("accounts.grant", by=by, ref=user.username, role=role, reason=reason)
    end_sessions(user)
    return grant


def set_active(*, user: User, active: bool, by: User) -> None:
    """Close or reopen an account; a closed one loses its sessions at once."""
    if not may(by, "accounts.manage") or by.pk == user.pk:
        raise PermissionDenied
    user.is_active = active
    user.save(update_fields=["is_active"])
    record_event("accounts.reopen" if active else "accounts.close", by=by, ref=user.username)
    if not active:
        end_sessions(user)


def change_password(*, user: User, password: str) -> None:
    """A new password; the caller has validated it."""
    user.set_password(password)
    user.password_changed_at = timezone.now()
    user.must_change_password = False
    user.save(update_fields=["password", "password_changed_at", "must_change_password"])
    record_event("accounts.password", by=user, ref=user.username)


def end_sessions(user: User) -> int:
    """Sign an account out everywhere."""
    from django.contrib.sessions.models import Session

    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content: dict[str, Any] = session.get_decoded()
        if content.get("_auth_user_id") == str(user.pk):
            session.delete()
            ended += 1
    return ended
