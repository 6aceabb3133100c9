"""People, organisations and roles. One account has one role: the three administrators are apart by construction."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zhixin_web.audit.bound import BoundModel, BoundQuerySet


class Organisation(BoundModel):
    """A unit: the joint conference, a member unit, a district, an enterprise."""

    class Kind(models.TextChoices):
        JOINT_CONFERENCE = "joint_conference", _("联席会议")
        MEMBER_UNIT = "member_unit", _("成员单位")
        DISTRICT = "district", _("区县（市）")
        ENTERPRISE = "enterprise", _("企业")

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    district = models.CharField(max_length=6, blank=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What an account may be."""

    CITY_OFFICER = "city_officer", _("市局信用监管人员")
    APPROVER = "approver", _("审批人")
    DISTRICT_OFFICER = "district_officer", _("区县监管人员")
    INSPECTOR = "inspector", _("执法检查人员")
    DEPARTMENT_USER = "department_user", _("成员单位用户")
    ENTERPRISE_USER = "enterprise_user", _("企业用户")
    AUDITOR = "auditor", _("审计管理员")
    SECURITY_ADMINISTRATOR = "security_administrator", _("安全管理员")
    SYSTEM_ADMINISTRATOR = "system_administrator", _("系统管理员")


ADMINISTRATORS = (Role.AUDITOR, Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR)


RESERVED_PREFIX = "oidc-"
"""Begins the user names of accounts that sign in through the identity provider; nobody chooses such a name."""


class Accounts(UserManager.from_queryset(BoundQuerySet)):  # type: ignore[misc]
    """Django's manager of accounts, whose writes are committed."""

    use_in_migrations = False


class User(BoundModel, AbstractUser):
    """An account. ``role`` is empty until a security administrator grants one."""

    UNBOUND = frozenset({"last_login"})

    display_name = models.CharField(max_length=60)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    role = models.CharField(max_length=30, choices=Role.choices, blank=True)
    password_changed_at = models.DateTimeField(auto_now_add=True)
    must_change_password = models.BooleanField(default=False)

    objects = Accounts()  # type: ignore[misc]

    @property
    def unit_code(self) -> str:
        """Code of the organisation; empty for an account that has none."""
        return self.organisation.code if self.organisation is not None else ""

    class Meta(AbstractUser.Meta):
        constraints = [models.CheckConstraint(condition=Q(is_superuser=False), name="no_superuser")]

    def __str__(self) -> str:
        return self.display_name or self.username


class Mandate(BoundModel):
    """An enterprise lets another one act for it towards the authority, until a day (委托代理)."""

    principal = models.ForeignKey(Organisation, models.PROTECT, related_name="mandates_given")
    agent = models.ForeignKey(Organisation, models.PROTECT, related_name="mandates_held")
    from_on = models.DateField()
    until = models.DateField()
    """The last day."""
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    """When the principal, or the agent, ended it before its time."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(principal=F("agent")), name="nobody_is_its_own_agent"),
            models.CheckConstraint(condition=Q(until__gte=F("from_on")), name="mandate_ends_after_it_begins"),
        ]


class Invitation(BoundModel):
    """A code with which an enterprise opens its first account; kept as its hash, good for one use and some days."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="invitations")
    code_hash = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    good_until = models.DateField()
    used_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    used_at = models.DateTimeField(null=True)


class OutsideIdentity(BoundModel):
    """Who an account is to the identity provider it signs in through."""

    user = models.OneToOneField(User, models.PROTECT, related_name="outside_identity")
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_a_subject")]


class RoleGrant(BoundModel):
    """Who gave whom which role; the grantor is never the grantee."""

    user = models.ForeignKey(User, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=30, choices=Role.choices, blank=True)
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(granted_by=F("user")), name="grantor_is_not_grantee")]
