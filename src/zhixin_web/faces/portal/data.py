"""Open data, verification of papers, the public ledger page, statistics and fairness."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from zhixin_web.audit.models import LedgerEntry
from zhixin_web.audit.queries import latest_checkpoint, ledger_size
from zhixin_web.audit.services.checkpoints import published_key
from zhixin_web.cases.queries import report_statistics
from zhixin_web.evaluations.fairness import group_distributions, latest_groups
from zhixin_web.evaluations.published import grade_counts, published_runs, source_freshness, ungraded_counts
from zhixin_web.faces.portal.bulk import FILES, bulk_file, delta, schema
from zhixin_web.faces.portal.pages import public_page, show
from zhixin_web.faces.portal.verification import paper_by_code
from zhixin_web.faces.portal.views import shares
from zhixin_web.records.published import publication_counts

MOST_CODE = 40
CHUNK = 64 * 1024
CONTENT_TYPES = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet"}


@public_page
def data(request: HttpRequest) -> HttpResponse:
    """What can be downloaded, how fresh each source is, what is known to be wrong with the data."""
    content = {"files": FILES, "freshness": source_freshness(), "size": ledger_size()}
    return show(request, "portal/data.html", content)


@public_page
def download(request: HttpRequest, name: str) -> Any:
    """One bulk file, made anew when a day has passed or something was withdrawn."""
    if name not in FILES:
        raise Http404
    path = bulk_file(name)
    response = StreamingHttpResponse(_parts(path), content_type=CONTENT_TYPES[path.suffix])
    response["Content-Disposition"] = f'attachment; filename="{timezone.localdate():%Y%m%d}-{name}"'
    response["Content-Length"] = str(path.stat().st_size)
    response["Cache-Control"] = "no-store"
    return response


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            yield part


@public_page
def changes(request: HttpRequest) -> HttpResponse:
    """What was published or ended after a ledger entry: ``?since=SEQ``."""
    unknown = set(request.GET) - {"since"}
    text = request.GET.get("since", "")
    if unknown or not (text.isascii() and text.isdigit() and len(text) < 19):
        message = {"error": "unknown_parameter" if unknown else "since_missing", "zh": "请以 ?since=账本序号 调用，序号为非负整数",
                   "en": "call it with ?since= and a ledger sequence number", "unknown": sorted(unknown)[:5]}  # fmt: skip
        return JsonResponse(message, status=422, json_dumps_params={"ensure_ascii": False})
    response = JsonResponse(delta(int(text)), json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "no-store"
    return response


@public_page
def data_schema(request: HttpRequest) -> HttpResponse:
    """Columns of every bulk file, with types and meaning."""
    return JsonResponse(schema(), json_dumps_params={"ensure_ascii": False, "indent": 1})


@public_page
def verify(request: HttpRequest) -> HttpResponse:
    """Type the code of a paper."""
    last = request.GET.get("code", "").strip().rstrip("/").rpartition("/")[2]  # a whole address may be pasted
    code = re.sub(r"[^0-9A-Z]", "", last.upper())[:MOST_CODE]
    if code:
        return redirect("verify_paper", code=code)
    return show(request, "portal/verify.html")


@public_page
def verify_paper(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a paper is real and still valid: yes, withdrawn, outdated or unknown."""
    shown = code.upper().replace("-", "")[:MOST_CODE]
    paper, state = paper_by_code(shown)
    response = show(
        request, "portal/verified.html", {"code": shown, "paper": paper, "state": state}, status=200 if paper else 404
    )
    response["Cache-Control"] = "no-store"
    return response


@public_page
def ledger(request: HttpRequest) -> HttpResponse:
    """The ledger for outsiders: newest checkpoint, entries by reference, a proof that the browser itself checks."""
    text = request.GET.get("seq", "")
    size, checkpoint = ledger_size(), latest_checkpoint()
    seq = int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) < size else None
    content = {
        "size": size, "checkpoint": checkpoint, "vkey": published_key(), "seq": seq, "is_wrong": bool(text) and seq is None,
        "entry": LedgerEntry.objects.get(pk=seq) if seq is not None else None, "origin": settings.LEDGER_ORIGIN,
    }  # fmt: skip
    return show(request, "portal/ledger.html", content)


@public_page
def statistics(request: HttpRequest) -> HttpResponse:
    """The transparency report: what was collected, evaluated, reported as wrong and answered, and in what time."""
    counts = grade_counts()
    content = {
        "grades": shares(counts) if counts else [],
        "ungraded": ungraded_counts(),
        "reports": report_statistics(timezone.localdate()),
        "published": publication_counts(timezone.localdate()),
        "runs": published_runs(12),
        "size": ledger_size(),
    }
    return show(request, "portal/statistics.html", content)


@public_page
def fairness(request: HttpRequest) -> HttpResponse:
    """Grades by district, industry, size and ownership with intervals: whether an indicator falls on one group."""
    group = request.GET.get("by", "district")
    groups = latest_groups()
    if group not in groups:
        group = "district"
    content = {"by": group, "groups": groups, "result": group_distributions(group)}
    return show(request, "portal/fairness.html", content)
