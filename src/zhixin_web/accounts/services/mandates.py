"""Mandates of agents, and invitations with which an enterprise opens its first account."""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_months
from zhixin_web.accounts.models import RESERVED_PREFIX, Invitation, Mandate, Organisation, Role, RoleGrant, User
from zhixin_web.accounts.permissions import may
from zhixin_web.accounts.representation import mandates_in_force
from zhixin_web.audit.services.events import record_event, tracking_code
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.received.words import cleaned

LONGEST_MONTHS = 12
"""A mandate is given anew each year, so that none is forgotten."""
INVITATION_DAYS = 14
USERNAME = re.compile("[A-Za-z0-9._-]{3,30}")
"""Letters that nobody mistakes for others; two names that differ in case alone are one."""
MOST_PASSWORD = 128


def give_mandate(principal: Organisation, agent_code: str, until: date | None, by: User) -> Mandate:
    """Let another enterprise act for one's own until a day, that day included.

    Raises:
        PermissionDenied: the account is not the principal's own.
        ValidationError: no such agent, its own enterprise, a day that is past or too far, or a mandate in force already.
    """
    if by.organisation_id != principal.pk or not may(by, "mine.view"):
        raise PermissionDenied
    today = timezone.localdate()
    faults: dict[str, str] = {}
    agent = Organisation.objects.filter(code=agent_code.strip().upper(), kind=Organisation.Kind.ENTERPRISE).first()
    if agent is None:
        faults["agent"] = _("没有找到该代码的企业账号；请核对统一社会信用代码，并请对方先开通账号")
    elif agent == principal:
        faults["agent"] = _("不能委托本企业自己")
    longest = shift_months(today, LONGEST_MONTHS)
    if until is None or not today <= until <= longest:
        faults["until"] = _("请填写今天至 %(longest)s 之间的日期") % {"longest": longest}
    if faults or agent is None or until is None:
        raise ValidationError(faults)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=principal.pk)
        if mandates_in_force(agent, today).filter(principal=principal).exists():
            raise ValidationError({"agent": _("对该企业的委托仍然有效；如需改期，请先终止")})
        made = Mandate.objects.create(principal=principal, agent=agent, from_on=today, until=until, given_by=by)
        said = {"mandate": made.pk, "principal": principal.code, "agent": agent.code, "until": until.isoformat()}
        append_one("admin.permission", f"mandate:{made.pk}", said)
        record_event("accounts.mandate", by=by, ref=principal.code, agent=agent.code, until=until.isoformat())
    return made


def end_mandate(mandate: Mandate, by: User) -> None:
    """End a mandate now; the principal and the agent may.

    Raises:
        PermissionDenied: neither of them.
    """
    if by.organisation_id not in (mandate.principal_id, mandate.agent_id) or not may(by, "mine.view"):
        raise PermissionDenied
    with transaction.atomic():
        ended = Mandate.objects.filter(pk=mandate.pk, ended_at=None).update(ended_at=timezone.now())
        if ended:
            append_one("admin.permission", f"mandate:{mandate.pk}", {"mandate": mandate.pk, "ended_by": by.pk})
            record_event("accounts.mandate_end", by=by, ref=mandate.principal.code, agent=mandate.agent.code)


def invite(code: str, name: str, by: User) -> str:
    """Make a code with which an enterprise opens its first account; it is shown once, and an earlier one is worth nothing more.

    Raises:
        PermissionDenied: not an officer who may invite.
        ValidationError: the code is that of a unit, not of an enterprise.
    """
    if not may(by, "accounts.invite"):
        raise PermissionDenied
    secret, today = tracking_code(), timezone.localdate()
    with transaction.atomic():
        unit = Organisation.objects.filter(code=code).first() or Organisation.objects.create(
            code=code, name=name, kind=Organisation.Kind.ENTERPRISE
        )
        if unit.kind != Organisation.Kind.ENTERPRISE:
            raise ValidationError(_("该代码属于单位账号，不能按企业开通"))
        unit.invitations.filter(used_at=None, good_until__gte=today).update(good_until=today - timedelta(days=1))
        Invitation.objects.create(
            organisation=unit, code_hash=_hashed(secret), made_by=by, good_until=today + timedelta(days=INVITATION_DAYS)
        )
        record_event("accounts.invite", by=by, ref=code)
    return secret


def accept_invitation(secret: str, *, username: str, display_name: str, password: str) -> User:
    """Open an account of the enterprise that a code was made for.

    Raises:
        ValidationError: the code is wrong, used or too old; the user name is taken; the password breaks the policy.
    """
    with transaction.atomic():
        found = (
            Invitation.objects.select_for_update()
            .select_related("organisation")
            .filter(code_hash=_hashed(secret.strip().upper()), used_at=None, good_until__gte=timezone.localdate())
            .first()
        )
        if found is None:
            raise ValidationError({"code": _("邀请码不对、已用过或已过期；请向发码的监管部门重新索取")})
        user = _checked_account(found.organisation, username.strip(), display_name.strip(), password)
        user.set_password(password)
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as error:  # somebody took the name a moment ago
            raise ValidationError({"username": _("该用户名已有人使用")}) from error
        RoleGrant.objects.create(user=user, role=user.role, granted_by=found.made_by, reason=f"邀请码 {found.pk}")
        found.used_by, found.used_at = user, timezone.now()
        found.save()
        append_one(
            "admin.permission", f"user:{user.pk}", {"role": user.role, "by": found.made_by_id, "invitation": found.pk}
        )
        record_event("accounts.join", by=user, ref=found.organisation.code)
    return user


def _checked_account(unit: Organisation, username: str, display_name: str, password: str) -> User:
    """Return an account of an enterprise that is not saved yet.

    Raises:
        ValidationError: by field: a user name that is taken or could be mistaken, a password that breaks the policy.
    """
    user = User(
        username=username,
        display_name=cleaned(display_name),
        role=Role.ENTERPRISE_USER.value,
        organisation=unit,
    )
    faults: dict[str, list[str]] = {}
    if not USERNAME.fullmatch(username) or username.lower().startswith(RESERVED_PREFIX):
        faults["username"] = [_("用户名为 3 至 30 位字母、数字、点、横线或下划线")]
    elif User.objects.filter(username__iexact=username).exists():
        faults["username"] = [_("该用户名已有人使用")]
    if len(password) > MOST_PASSWORD:
        faults["password"] = [_("密码最多 %(most)s 位") % {"most": MOST_PASSWORD}]
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        faults = error.message_dict | faults
    try:
        validate_password(password, user)
    except ValidationError as error:
        faults.setdefault("password", error.messages)
    if faults:
        raise ValidationError(faults)
    return user


def _hashed(secret: str) -> str:
    return hashlib.sha256(f"invitation\0{secret}".encode()).hexdigest()
