"""The portal's front: home, search, help, preferences, the site-rule self-check, and what is shown for a wrong address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.evaluations.published import grade_counts, grades_by_district, published_grades_of, published_runs
from zhixin_web.faces.portal.pages import VIEW_COOKIE, language_of, public_page, show
from zhixin_web.faces.portal.site_check import site_rules
from zhixin_web.presentation import asked
from zhixin_web.records.published import find_published, subjects_by_district
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.published import rulebook_in_force

PREFERENCE_SECONDS = 365 * 86400


def shares(counts: dict[str, int]) -> list[tuple[str, int, float]]:
    """Grade, number and percentage of the graded, by the ladders of the rulebooks in force, the best first."""
    places = law_in_force().grade_places
    names = [name for name in places if name in counts or name in {item.id for item in law_in_force().ladder}]
    total = sum(counts.get(name, 0) for name in names) or 1
    return [(name, counts.get(name, 0), round(100 * counts.get(name, 0) / total, 1)) for name in names]


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """One search box, four tasks, how the grades are spread, when it was last updated."""
    counts = grade_counts()
    runs = published_runs(1)
    districts = sorted(subjects_by_district().items(), key=lambda item: -item[1])[:16]
    spread = grades_by_district()
    content = {
        "grades": shares(counts) if counts else [],
        "graded": sum(count for name, count, _share in shares(counts)),
        "updated": runs[0] if runs else None,
        "districts": [(code, count, shares(spread.get(code, {}))) for code, count in districts if code],
    }
    return show(request, "portal/home.html", content)


@public_page
def search(request: HttpRequest) -> HttpResponse:
    """Find an enterprise; say what is wrong with a code, and why nothing was found."""
    query = request.GET.get("q", "").replace("\x00", "").strip()
    unknown = sorted(set(request.GET) - {"q"})
    found = find_published(query) if query else None
    if found is not None and len(found.hits) == 1 and not unknown and query.upper().replace(" ", "") == found.hits[0].code:
        return redirect("enterprise", code=found.hits[0].code)
    grades = published_grades_of([item.pk for item in found.hits]) if found else {}
    content: dict[str, Any] = {
        "query": query[:100],
        "is_cut": len(query) > 100,
        "found": found,
        "hits": [(item, grades.get(item.pk)) for item in found.hits] if found else [],
        "unknown": unknown[:5],
    }
    return show(request, "portal/search.html", content)


@public_page
def help_page(request: HttpRequest) -> HttpResponse:
    """How to search, read, report an error; accessibility statement."""
    found = rulebook_in_force(timezone.localdate())
    return show(request, "portal/help.html", {"rulebook": found[1] if found else None})


@public_page
def site_check(request: HttpRequest) -> HttpResponse:
    """The rules for government sites (国办发〔2017〕47号), each with whether this site meets it."""
    rules = site_rules(request)
    return show(request, "portal/site_check.html", {"rules": rules, "met": sum(item.is_met for item in rules)})


@permitted(ANYONE)
@require_GET
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep language and view in the visitor's own cookies and go back to the page."""
    response = redirect(asked.address(request, request.GET.get("next"), "/"))
    options: dict[str, Any] = {"max_age": PREFERENCE_SECONDS, "samesite": "Lax", "secure": settings.SESSION_COOKIE_SECURE}
    if request.GET.get("language") in ("zh-hans", "en"):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, request.GET["language"], **options)
    if request.GET.get("view") == "large":
        response.set_cookie(VIEW_COOKIE, "large", httponly=True, **options)
    elif request.GET.get("view") == "normal":
        response.delete_cookie(VIEW_COOKIE)
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: in the console its own page, elsewhere a search box."""
    if request.path.startswith("/c/"):
        return render(request, "404.html", status=404)
    language = language_of(request)
    with translation.override(language):
        response = show(request, "portal/not_found.html", status=404)
    response["Cache-Control"], response["Content-Language"] = "no-store", "en" if language == "en" else "zh-CN"
    return response
