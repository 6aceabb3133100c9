"""What every page behind a sign-in needs: language, navigation by permission, the watermark."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhixin_web.accounts.permissions import home_of, may

NAVIGATION = (
    ("/my/", _("我的信用"), "mine.view"),
    ("/my/records", _("我的记录"), "mine.view"),
    ("/my/improve", _("怎样提升"), "mine.view"),
    ("/my/cases", _("我的办件"), "mine.view"),
    ("/my/commitments", _("信用承诺"), "mine.view"),
    ("/my/inspections", _("接受检查"), "mine.view"),
    ("/my/reports", _("报告与查询记录"), "mine.view"),
    ("/my/mandates", _("委托代理"), "mine.view"),
    ("/c/", _("工作台"), "desk.view"),
    ("/c/sources", _("数据归集"), "sources.view"),
    ("/c/quarantine", _("隔离区"), "batches.view"),
    ("/c/match", _("主体匹配"), "matching.decide"),
    ("/c/ways", _("自动归集"), "ways.manage"),
    ("/c/subjects", _("企业库"), "subjects.view"),
    ("/c/runs", _("评价运行"), "runs.view"),
    ("/c/grades", _("等级管理"), "runs.view"),
    ("/c/inspections", _("双随机抽查"), "inspections.view"),
    ("/m/", _("手机检查"), "pocket.view"),
    ("/c/cases", _("办件"), "cases.view"),
    ("/c/measures", _("惩戒措施"), "measures.view"),
    ("/c/commitments", _("信用承诺"), "commitments.view"),
    ("/c/reports", _("信息报错"), "reports.view"),
    ("/c/progress", _("责任与进度"), "duties.view"),
    ("/c/rulebooks", _("评价规则"), "runs.view"),
    ("/c/indicators", _("指标监测"), "runs.view"),
    ("/c/ledger", _("存证账本"), "ledger.view"),
    ("/c/audit", _("审计"), "audit.view"),
    ("/c/accounts", _("账号与角色"), "accounts.view"),
)
BELONGS = (
    ("/my/drafts/", "/my/cases"), ("/c/drafts/", "/c/rulebooks"), ("/c/what-if/", "/c/rulebooks"), ("/c/panels/", "/c/rulebooks"),
    ("/c/consultations/", "/c/rulebooks"), ("/c/records/", "/c/subjects"), ("/c/batches", "/c/sources"),
)  # fmt: skip
"""Pages without an entry of their own, and the entry they belong to."""


def page(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    user = getattr(request, "user", None)
    links = [] if user is None else [(url, title) for url, title, action in NAVIGATION if may(user, action)]
    path = next((url for start, url in BELONGS if request.path.startswith(start)), request.path)
    here = max(
        (url for url, _title in links if path == url or path.startswith(url.rstrip("/") + "/")),
        key=len,
        default="",
    )
    return {
        "navigation": links,
        "here": here,
        "home": home_of(user),
        "is_demo": settings.DEMO,
        "is_large": request.COOKIES.get("view") == "large",
        "language": get_language() or "zh-hans",
    }
