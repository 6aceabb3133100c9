"""Self-check against the rules for government sites (国办发〔2017〕47号 政府网站发展指引), for the operator and for anybody."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from zhixin_web.evaluations.published import published_runs


@dataclass(frozen=True)
class SiteRule:
    """One rule: what it asks, whether it is met, and what to do if not."""

    title: str
    is_met: bool
    remedy: str


def site_rules(request: HttpRequest) -> list[SiteRule]:
    """Every rule that software or its settings can meet; approvals outside it are asked for by name."""
    host, site = request.get_host().split(":")[0], settings.SITE
    return [
        SiteRule(_("域名使用 gov.cn"), host.endswith(".gov.cn"), _("申请 gov.cn 域名并设置 ZHIXIN_ALLOWED_HOSTS")),
        SiteRule(_("全站 HTTPS"), request.is_secure(), _("以 ZHIXIN_PRODUCTION=1 运行并配置证书")),
        SiteRule(_("页脚标明主办单位"), bool(site["host"]), _("设置 ZHIXIN_SITE_HOST")),
        SiteRule(_("页脚标明联系方式"), bool(site["contact"]), _("设置 ZHIXIN_SITE_CONTACT")),
        SiteRule(_("政府网站标识码"), bool(site["code"]), _("网站开办审批后设置 ZHIXIN_SITE_CODE")),
        SiteRule(_("ICP 备案编号"), bool(site["icp"]), _("设置 ZHIXIN_SITE_ICP")),
        SiteRule(_("公安机关备案编号"), bool(site["police"]), _("设置 ZHIXIN_SITE_POLICE")),
        SiteRule(_("每页有网站名称与站内搜索"), True, ""),
        SiteRule(_("每页有网页标签（SiteName、ColumnName、PubDate 等）"), True, ""),
        SiteRule(_("「网站找错」入口：每条公示记录可报错"), True, ""),
        SiteRule(_("无飘窗、弹窗与第三方脚本"), True, ""),
        SiteRule(_("适老化与无障碍：长辈版、键盘操作、对比度"), True, ""),
        SiteRule(_("英文版本"), True, ""),
        SiteRule(_("公示信息按期更新"), bool(published_runs(1)), _("发布一次评价结果")),
    ]
