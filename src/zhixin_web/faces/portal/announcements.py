"""Announcements: released results, penalties, lists, trustworthy subjects, repairs, consultations; with RSS and CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zhixin.dataset.sources import sources
from zhixin.dataset.spreadsheets import safe_cell
from zhixin_web.evaluations.published import grade_counts, published_runs, trustworthy
from zhixin_web.faces.portal.pages import public_page, show
from zhixin_web.governance.queries import consultations_open_to_the_public
from zhixin_web.presentation.templatetags.zhixin import kind_title, severity_title
from zhixin_web.records.published import announced, ended_recently

PENALTIES = ("penalty.", "customs.", "filing.", "material.", "refusal.", "commitment.broken")
LISTS = ("list.", "enforcement.")
SHOWN = 100
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow."""


@dataclass(frozen=True)
class Notice:
    """One announcement: what it says, where it leads, when it was made."""

    title: str
    address: str
    on: date
    detail: str = ""


def _kinds(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    found = {kind for manifest in sources().values() for kind in manifest.kinds if kind.startswith(prefixes)}
    return tuple(sorted(found))


def _results() -> list[Notice]:
    notices = []
    for run in published_runs():
        counts = "，".join(f"{grade} {count}" for grade, count in run.summary.get("grades", {}).items())
        title = _("第 %(n)s 号评价结果（截至 %(day)s）") % {"n": run.pk, "day": run.as_of}
        if run.rolls_back_id:
            title += _("：回退第 %(n)s 号评价") % {"n": run.rolls_back_id}
        assert run.released_at is not None
        notices.append(
            Notice(
                title,
                f"/pub/results#{run.pk}",
                timezone.localdate(run.released_at),
                counts + (f"；{run.reason}" if run.reason else ""),
            )
        )
    return notices


def _records(prefixes: tuple[str, ...]) -> list[Notice]:
    rows = announced(timezone.localdate(), _kinds(prefixes), SHOWN)
    return [
        Notice(
            f"{subject.name}：{kind_title(item.kind)}", f"/e/{subject.code}/r/{item.seq}", item.decided_on,
            f"{severity_title(item.severity)}；{item.document}；{_('公示至')} {item.publicity_until}",
        )
        for item, subject in rows
    ]  # fmt: skip


def _repairs() -> list[Notice]:
    since = timezone.localdate() - timedelta(days=90)
    words = {"repaired": _("信用修复，终止公示"), "revoked": _("决定撤销，撤下公示")}
    return [Notice(f"{words[state]}：{kind_title(kind)}", "/pub/repairs", day) for state, kind, day in ended_recently(since)]


def _honours() -> list[Notice]:
    return [Notice(f"{name}：{grade}", f"/e/{code}", since) for code, name, grade, since in trustworthy(SHOWN)]


def _consultations() -> list[Notice]:
    return [
        Notice(item.title, f"/consultations/{item.pk}", item.opens_on, f"{item.opens_on} – {item.closes_on}")
        for item in consultations_open_to_the_public()
    ]


COLUMNS: dict[str, tuple[Any, Any, Any]] = {
    "results": (gettext_lazy("评价结果"), _results, gettext_lazy("每次评价发布后的等级分布；按周期更新。")),
    "penalties": (
        gettext_lazy("行政处罚与失信行为"),
        lambda: _records(PENALTIES),
        gettext_lazy("公示期内的记录，期满自动下线。"),
    ),
    "lists": (
        gettext_lazy("名录名单"),
        lambda: _records(LISTS),
        gettext_lazy("严重违法失信名单、经营异常名录、失信被执行人。"),
    ),
    "honours": (gettext_lazy("守信企业"), _honours, gettext_lazy("现行等级为最高一级的企业。")),
    "repairs": (
        gettext_lazy("信用修复"),
        _repairs,
        gettext_lazy("近九十天终止公示的情况；依规定不再展示企业名称与原记录。"),
    ),
    "consultations": (gettext_lazy("征求意见"), _consultations, gettext_lazy("评价规则的公开征求意见。")),
}


def _column(kind: str) -> tuple[str, list[Notice], str]:
    if kind not in COLUMNS:
        raise Http404
    title, rows, purpose = COLUMNS[kind]
    return str(title), rows(), str(purpose)


@public_page
def overview(request: HttpRequest) -> HttpResponse:
    """All columns with their newest announcements."""
    columns = [(kind, *_column(kind)) for kind in COLUMNS]
    return show(
        request,
        "portal/announcements.html",
        {"columns": [(kind, title, rows[:5], purpose) for kind, title, rows, purpose in columns]},
    )


@public_page
def column(request: HttpRequest, kind: str) -> HttpResponse:
    """One column."""
    title, rows, purpose = _column(kind)
    content = {
        "kind": kind,
        "title": title,
        "rows": rows,
        "purpose": purpose,
        "counts": grade_counts() if kind == "results" else {},
    }
    return show(request, "portal/column.html", content)


@public_page
def rss(request: HttpRequest, kind: str) -> HttpResponse:
    """A column as RSS 2.0."""
    title, rows, purpose = _column(kind)
    made = Rss201rev2Feed(
        title=title, link=request.build_absolute_uri(f"/pub/{kind}"), description=purpose, language="zh-cn"
    )
    for item in rows:
        moment = datetime.combine(item.on, time(), tzinfo=timezone.get_current_timezone())
        address = request.build_absolute_uri(item.address)
        made.add_item(_NOT_XML.sub("", item.title), address, _NOT_XML.sub("", item.detail), pubdate=moment)
    return HttpResponse(made.writeString("utf-8"), content_type="application/rss+xml; charset=utf-8")


@public_page
def table(request: HttpRequest, kind: str) -> HttpResponse:
    """A column as CSV."""
    _title, rows, _purpose = _column(kind)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["date", "title", "detail", "address"])
    for item in rows:
        address = request.build_absolute_uri(item.address)
        writer.writerow([item.on.isoformat(), safe_cell(item.title), safe_cell(item.detail), address])
    return HttpResponse(
        "\ufeff" + buffer.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{kind}.csv"'},
    )
