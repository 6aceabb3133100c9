"""The enterprise library: search, facets, saved views, bulk tags and export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.identity import check_uscc
from zhixin.dataset.spreadsheets import Lines, safe_cell
from zhixin_web.accounts.permissions import StaffRequest, permitted, scope_of
from zhixin_web.audit.services.events import record_event, record_subjects
from zhixin_web.evaluations.models import CurrentGrade
from zhixin_web.presentation import asked
from zhixin_web.presentation.language import language_code
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.records import search
from zhixin_web.records.models import Subject
from zhixin_web.records.scope import visible_subjects
from zhixin_web.workspace.models import SavedView, SubjectTag
from zhixin_web.workspace.services.notes import MOST_BULK, drop_view, save_view, tag_subjects, untag

FILTERS = {
    "grade": "current__in_force", "district": "district", "industry": "industry", "class": "current__class_name", "tag": "tags__label",
}  # fmt: skip
MOST_FACETS = 24
MOST_HITS = 500
MOST_EXPORT = 200_000
MOST_COUNTED = 10_000
"""A part of the city is counted up to here: counting the whole of it takes longer than a list may."""


def filtered(request: StaffRequest, query: QueryDict) -> tuple[QuerySet[Subject], dict[str, str], str]:
    """The subjects that a query string asks for, the facets it names, and what is wrong with a code in it."""
    found = visible_subjects(request.user).select_related("current").order_by("code")
    hint = ""
    text = asked.name(query.get("q"))
    if text:
        keys = search.find(text, limit=MOST_HITS)
        found = found.filter(pk__in=keys)
        if not keys and len(text) == 18:
            checked = check_uscc(text)
            hint = checked.reason.in_language(language_code()) if checked.reason is not None else ""
    chosen = {}
    for name, column in FILTERS.items():
        value = query.get(name, "").replace("\x00", "")[:40]
        if value:
            chosen[name] = value
            found = found.filter(current=None) if (name, value) == ("grade", "-") else found.filter(**{column: value})
    return found, chosen, hint


def facets(found: QuerySet[Subject], chosen: dict[str, str]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Counts by each column that is not chosen yet, largest first."""
    parts = []
    for name, column in FILTERS.items():
        if name in chosen:
            continue
        rows = found.order_by().values_list(column).annotate(n=Count("pk")).order_by("-n").values_list(column, "n")
        counts = [(value, count) for value, count in rows[:MOST_FACETS] if value]
        if counts:
            parts.append((name, counts))
    return parts


def whole_facets() -> list[tuple[str, list[tuple[str, int]]]]:
    """The same over everybody: each column counted in its own table, since joins over a whole city take half a second."""
    sources: dict[str, tuple[QuerySet[Any], str]] = {
        "grade": (CurrentGrade.objects.all(), "in_force"),
        "district": (Subject.objects.all(), "district"),
        "industry": (Subject.objects.all(), "industry"),
        "class": (CurrentGrade.objects.all(), "class_name"),
        "tag": (SubjectTag.objects.all(), "label"),
    }
    parts = []
    for name, (rows, column) in sources.items():
        counted = rows.values_list(column).annotate(n=Count("pk")).order_by("-n").values_list(column, "n")
        counts = [(value, count) for value, count in counted[:MOST_FACETS] if value]
        if counts:
            parts.append((name, counts))
    return parts


def _rest(request: StaffRequest, *without: str) -> str:
    rest = request.GET.copy()
    for name in (*without, "page"):
        rest.pop(name, None)
    return rest.urlencode()


def _titles() -> dict[str, str]:
    return {"grade": _("等级"), "district": _("区县"), "industry": _("行业"), "class": _("分类"), "tag": _("标签")}


def _is_whole(request: StaffRequest, chosen: dict[str, str]) -> bool:
    """Whether a list is the whole city: then counts come from the tables themselves."""
    return not chosen and not request.GET.get("q") and scope_of(request.user, "subjects.view") == "all"


def _named_facets(request: StaffRequest, found: QuerySet[Subject], chosen: dict[str, str]) -> list[tuple[str, str, Any]]:
    parts = whole_facets() if _is_whole(request, chosen) else facets(found, chosen)
    return [(name, _titles()[name], counts) for name, counts in parts]


@permitted("subjects.view")
@require_GET
def subjects_page(request: StaffRequest) -> HttpResponse:
    """Search by name, pinyin initials or part of the code; narrow by facets; keep the view under a name.

    Facets of a part of the city are counted when they are opened: over a large part that takes longer than a list may.
    """
    found, chosen, hint = filtered(request, request.GET)
    is_whole = _is_whole(request, chosen)
    content = {
        "page": page_of(request, found),
        "query": request.GET.get("q", "")[:100],
        "hint": hint,
        "chosen": [(name, _titles()[name], value, _rest(request, name, "facets")) for name, value in chosen.items()],
        "facets": _named_facets(request, found, chosen) if is_whole or "facets" in request.GET else None,
        "rest": _rest(request, "facets"),
        "views": SavedView.objects.filter(by=request.user.pk).order_by("name"),
        "total": Subject.objects.count() if is_whole else found.order_by()[: MOST_COUNTED + 1].count(),
        "most_counted": MOST_COUNTED,
        "most_bulk": MOST_BULK,
    }
    return render(request, "subjects.html", content)


@permitted("subjects.view")
@require_GET
def facets_part(request: StaffRequest) -> HttpResponse:
    """The facets of a list, for when they are opened."""
    found, chosen, _hint = filtered(request, request.GET)
    content = {"facets": _named_facets(request, found, chosen), "rest": _rest(request, "facets")}
    return render(request, "_facets.html", content)


@permitted("subjects.view")
@require_POST
def keep_view(request: StaffRequest) -> HttpResponse:
    """Keep the list under a name, or drop one."""
    drop = asked.whole_number(request.POST.get("drop"))
    if drop is not None:
        drop_view(drop, by=request.user)
        return redirect("subjects")
    query = QueryDict(request.POST.get("query", "")[:500])
    with refusals_shown(request):
        save_view(name=request.POST.get("name", ""), query=query.urlencode(), by=request.user)
        messages.success(request, _("视图已保存"))
    return redirect(f"/c/subjects?{query.urlencode()}")


@permitted("subjects.note")
@require_POST
def bulk(request: StaffRequest) -> HttpResponse:
    """Put a tag on the chosen subjects, or on everything the list holds; one tag may be taken off all again."""
    query = QueryDict(request.POST.get("query", "")[:500])
    if request.POST.get("untag"):
        count = untag(request.POST["untag"][:30], by=request.user)
        messages.success(request, _("已从 %(n)s 户取下标签") % {"n": count})
        return redirect("subjects")
    found, _chosen, _hint = filtered(request, query)
    if request.POST.get("all") != "1":
        found = found.filter(code__in=request.POST.getlist("code")[:500])
    with refusals_shown(request):
        count = tag_subjects(list(found[: MOST_BULK + 1]), label=request.POST.get("label", ""), by=request.user)
        messages.success(request, _("已为 %(n)s 户加上标签") % {"n": count})
    return redirect(f"/c/subjects?{query.urlencode()}")


@permitted("subjects.view")
@require_POST
def export(request: StaffRequest) -> Any:
    """The list as CSV; the export is an audit event."""
    query = QueryDict(request.POST.get("query", "")[:500])
    found, chosen, _hint = filtered(request, query)
    event = record_event("subjects.export", request=request, ref=query.urlencode()[:200], filters=chosen)
    record_subjects(event, found[:MOST_EXPORT].values_list("code", flat=True).iterator(chunk_size=10_000))
    writer = csv.writer(Lines())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(["code", "name", "district", "industry", "grade", "score"])
        for item in found[:MOST_EXPORT].iterator(chunk_size=2_000):
            current = getattr(item, "current", None)
            score = "" if current is None else f"{current.score_milli / 1000:.1f}"
            yield writer.writerow(
                [item.code, safe_cell(item.name), item.district, item.industry, current.in_force if current else "", score]
            )

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="subjects.csv"'},
    )
