"""Who was shown an enterprise's data for which purpose, and its own credit report, which lists that."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.models import Event
from zhixin_web.audit.queries import events_on, named
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.queries import cases_of_party
from zhixin_web.evaluations.queries import order_in_force, why_in_force
from zhixin_web.faces.enterprise.principal import principal, show
from zhixin_web.papers.fonts import FontMissing
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import code_of, compile_layout, content_hash, keep_file, number_of, register_paper
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.report_frame import report_frame
from zhixin_web.presentation.subject_facts import facts_shown
from zhixin_web.presentation.templatetags.zhixin import (
    district_name,
    grouped,
    industry_name,
    is_judged,
    kind_title,
    score,
    severity_title,
    shown,
)
from zhixin_web.records.models import Subject
from zhixin_web.records.queries import records_of_subject

TITLE = "企业自身信用报告（知识产权领域）"
USES: dict[str, Promise] = {
    "subjects.view": gettext_lazy("查看企业信息"),
    "subjects.why": gettext_lazy("查看等级理由"),
    "subjects.outlook": gettext_lazy("查看等级展望"),
    "records.view": gettext_lazy("查看信用记录"),
    "records.unmask": gettext_lazy("查看记录中的个人信息"),
    "cases.view": gettext_lazy("办理案件"),
    "cases.paper": gettext_lazy("查看办件文书"),
    "cases.attachment": gettext_lazy("查看办件材料"),
    "subjects.export": gettext_lazy("导出企业名单（含等级）"),
    "pocket.check": gettext_lazy("扫码查询是否可以检查"),
    "mine.cases": gettext_lazy("代理人查看办件列表"),
    "mine.view": gettext_lazy("代理人查看本企业信用"),
    "mine.why": gettext_lazy("代理人查看等级理由"),
    "mine.improve": gettext_lazy("代理人查看怎样提升"),
    "mine.records": gettext_lazy("代理人查看记录"),
    "mine.record": gettext_lazy("代理人查看一条记录"),
    "mine.case": gettext_lazy("代理人查看办件"),
    "mine.paper": gettext_lazy("代理人查看办件文书"),
    "mine.attachment": gettext_lazy("代理人查看办件材料"),
    "mine.inspections": gettext_lazy("代理人查看检查情况"),
    "mine.report": gettext_lazy("代理人下载信用报告"),
}
"""Actions of the audit log that the list of readings shows; those under ``mine`` only where an agent acted."""
YEARS_SHOWN = 2


class Use(NamedTuple):
    """One reading of an enterprise's data: when, by which unit, what, and the reason where one was given."""

    at: datetime
    unit: str
    what: str
    reason: str


def uses_of(subject: Subject) -> QuerySet[Event]:
    """Return the events that show somebody else reading an enterprise's data, the newest first."""
    refs = [named("record", subject.records.all()), named("case", cases_of_party(subject.code))]
    found = events_on(subject.code, refs, USES, timezone.now() - timedelta(days=366 * YEARS_SHOWN))
    return found.exclude(action__startswith="mine.", by__organisation__code=subject.code)


def _use(event: Event) -> Use:
    unit = event.by.organisation.name if event.by is not None and event.by.organisation is not None else _("监管部门")
    return Use(event.at, unit, str(USES[event.action]), masked(str(event.detail.get("reason", ""))))


@permitted("mine.view")
@require_GET
def reports_page(request: StaffRequest) -> HttpResponse:
    """Reports to take away, and every reading by somebody else."""
    subject = principal(request)
    page = page_of(request, uses_of(subject))
    papers = Paper.objects.filter(subject=subject, kind=Paper.Kind.OWN_REPORT).order_by("-issued_at")[:20]
    content = {"page": page, "uses": [_use(item) for item in page.items], "papers": papers, "years": YEARS_SHOWN}
    return show(request, "reports.html", content)


def report_content(subject: Subject, day: date) -> dict[str, Any]:
    """Return what an enterprise's own report says: all that is held of it, its grade with the score, who read it; in Chinese."""
    with translation.override("zh-hans"):
        records = list(records_of_subject(subject))
        return {
            "name": subject.name, "code": grouped(subject.code),
            "overview": [
                ["名称", subject.name], ["统一社会信用代码", subject.code], ["登记区县", district_name(subject.district)],
                ["行业门类", industry_name(subject.industry)], *_grade_lines(subject, day), ["信用记录", f"{len(records)} 条"],
            ],
            "facts": [
                {"title": item["manifest"].title.zh, "lines": [[title, shown(value)] for title, value, _personal in item["lines"]]}
                for item in facts_shown(subject) if item["lines"]
            ],
            "records": [
                {
                    "title": f"{kind_title(item.kind)}　{item.decided_on}",
                    "lines": [["状态", str(item.get_state_display())], ["失信程度", severity_title(item.severity)],
                              ["公示期", f"{item.publicity_from} 至 {item.publicity_until}" if item.publicity_until else "不公示"],
                              ["账本序号", str(item.seq)]],
                }
                for item in records
            ],
            "uses": [[f"{timezone.localtime(use.at):%Y-%m-%d %H:%M}", f"{use.unit}：{use.what}" + (f"（{use.reason}）" if use.reason else "")]
                     for use in map(_use, uses_of(subject))],
        }  # fmt: skip


def _grade_lines(subject: Subject, day: date) -> list[list[str]]:
    """Return grade and score, and the order that sets the grade by hand."""
    current, order = getattr(subject, "current", None), order_in_force(subject.pk)
    if current is None:
        return [["信用评价等级（知识产权）", "尚未评价"], ["得分", "—"]]
    _run, why = why_in_force(subject, day)
    lines = [["信用评价等级（知识产权）", f"{current.in_force}（自 {current.since}）"]]
    if order is not None:
        said = f"{order.get_kind_display()}，期限至 {order.until}；理由：{order.reason}；依据：{order.basis}；规则评价为 {current.grade}"
        lines.append(["人工调整", said])
    return [*lines, ["得分", score(why["score"]["total_milli"]) if why and is_judged(current.step) else "—"]]


@permitted("mine.view")
@require_GET
def own_report(request: StaffRequest) -> HttpResponse:
    """The enterprise's own report of today as PDF, free and as often as it likes."""
    subject, day = principal(request), timezone.localdate()
    content, verify = report_content(subject, day), request.build_absolute_uri("/v/")
    code = code_of("own_report", content_hash(content), day)
    try:
        frame = report_frame(
            TITLE,
            number_of(Paper.Kind.OWN_REPORT, code, day),
            code,
            day,
            verify,
            "全部信用记录",
            "截至报告日期，没有信用记录。",
        )
    except FontMissing as error:
        return render(request, "mine/unavailable.html", {"why": error.message.in_language(language_code())}, status=503)
    frame["words"] |= {"uses": "五、信息的查询与使用情况", "no_uses": "近两年没有他人查询。"}
    frame["watermark"] = frame["watermark"] if frame["demo"] else "仅供本企业使用"
    frame["notes"] = [
        "本报告向信用主体本人免费提供（《河南省社会信用条例》第四十条），次数不限；含未公示的信息和得分，请妥善保管。",
        "对内容有异议的，可以在「我的记录」中就该条记录提出异议；符合条件的可以申请信用修复。",
        "报告所列查询与使用情况来自审计日志，写明单位、时间、事项和填写的理由。",
    ]  # fmt: skip
    file = compile_layout("credit_report.typ", content | frame)
    keep_file(code, file)
    paper = register_paper(
        code, Paper.Kind.OWN_REPORT, day, content_hash(content), hashlib.sha256(file).hexdigest(), subject_id=subject.pk
    )
    record_event("mine.report", request=request, ref=subject.code, paper=paper.code)
    name = f"{paper.code}.pdf"
    return HttpResponse(file, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})
