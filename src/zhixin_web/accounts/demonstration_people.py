"""The invented people and units of the demonstration: one account for every role."""

from __future__ import annotations

from zhixin_web.accounts.models import Organisation, Role, RoleGrant, User

PASSWORD = "Demo-知信-2026"


PEOPLE = (
    ("city", "郑城信", Role.CITY_OFFICER, "city_bureau"),
    ("approver", "潘审核", Role.APPROVER, "city_bureau"),
    ("district", "金水平", Role.DISTRICT_OFFICER, "district_410105"),
    ("inspector", "颜检查", Role.INSPECTOR, "district_410105"),
    ("department", "卜委员", Role.DEPARTMENT_USER, "market_supervision"),
    ("enterprise", "齐业", Role.ENTERPRISE_USER, "enterprise"),
    ("auditor", "沈计", Role.AUDITOR, "joint_conference"),
    ("security", "安全理", Role.SECURITY_ADMINISTRATOR, "city_bureau"),
    ("system", "习统", Role.SYSTEM_ADMINISTRATOR, "city_bureau"),
)

AGENT = ("agent", "戴理")
"""The person of an agency that acts for the enterprise by a mandate."""


UNITS = (
    ("joint_conference", "郑州市知识产权信用联席会议（演示）", "joint_conference", ""),
    ("city_bureau", "郑州市市场监督管理局（演示）", "member_unit", ""),
    ("market_supervision", "市场监督管理业务条线（演示）", "member_unit", ""),
    ("cnipa", "国家知识产权局数据专线（演示）", "member_unit", ""),
    ("courts", "人民法院（演示）", "member_unit", ""),
    ("customs", "郑州海关（演示）", "member_unit", ""),
    ("platforms", "电子商务平台（演示）", "member_unit", ""),
    ("districts", "各区县（市）市场监督管理局（演示）", "member_unit", ""),
    ("enterprises", "企业自主申报（演示）", "member_unit", ""),
    ("district_410105", "金水区市场监督管理局（演示）", "district", "410105"),
)


def make_people(enterprise_code: str) -> dict[str, User]:
    """The organisations and one account for every role."""
    units = {
        code: Organisation.objects.create(code=code, name=name, kind=kind, district=district)
        for code, name, kind, district in UNITS
    }
    units["enterprise"] = Organisation.objects.create(
        code=enterprise_code, name="演示企业", kind=Organisation.Kind.ENTERPRISE
    )
    people: dict[str, User] = {}
    hashed = ""
    for username, name, role, unit in PEOPLE:
        user = User(username=username, display_name=name, role=role, organisation=units[unit])
        if not hashed:
            user.set_password(PASSWORD)
            hashed = user.password
        user.password = hashed
        user.save()
        RoleGrant.objects.create(user=user, role=role, reason="演示环境初始化")
        people[username] = user
    return people
