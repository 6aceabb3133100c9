"""Ledger, audit events, accounts and roles."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.spreadsheets import Lines, safe_cell
from zhixin.errors import LedgerError
from zhixin_web.accounts.models import Organisation, Role, User
from zhixin_web.accounts.permissions import ACTIONS, ANYONE, StaffRequest, permitted
from zhixin_web.accounts.services.accounts import grant_role, open_account, set_active
from zhixin_web.audit.models import Event, LedgerEntry, SignedCheckpoint
from zhixin_web.audit.queries import consistency_proof, dump_lines, inclusion_proof, latest_checkpoint, ledger_size
from zhixin_web.audit.services.checkpoints import published_key
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.witnesses import sign_and_show
from zhixin_web.presentation import asked
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown

MOST_ENTRIES = 1_000
MOST_EVENTS = 200_000


# --- the ledger: pages for staff, proofs and checkpoints for anyone ---------------------------------------------------------


@permitted("ledger.view")
@require_GET
def ledger_page(request: StaffRequest) -> HttpResponse:
    """Size, last checkpoint, verification key, newest entries."""
    text = request.GET.get("ref", "").replace("\x00", "").strip()[:240]
    entries = LedgerEntry.objects.order_by("-seq")
    if text:
        entries = entries.filter(ref=text)
    content = {
        "size": ledger_size(),
        "checkpoint": latest_checkpoint(),
        "vkey": published_key(),
        "page": page_of(request, entries),
        "ref": text,
    }
    return render(request, "ledger.html", content)


@permitted("ledger.view")
@require_POST
def sign_checkpoint(request: StaffRequest) -> HttpResponse:
    """Have the ledger signed now instead of at the next tick."""
    try:
        made, _unreached = sign_and_show()
        messages.success(request, _("已签署检查点") if made else _("上次签署后没有新条目"))
    except LedgerError as error:
        messages.error(request, error.message.zh)
    return redirect("ledger")


def _number(request: StaffRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 19) or int(text) > most:
        raise Http404(f"{name}: 0 … {most}")
    return int(text)


@permitted(ANYONE)
@require_GET
def checkpoint(request: StaffRequest) -> HttpResponse:
    """The newest signed checkpoint, as C2SP defines it."""
    found = latest_checkpoint()
    if found is None:
        raise Http404
    return HttpResponse(found.note, content_type="text/plain; charset=utf-8")


@permitted(ANYONE)
@require_GET
def entries(request: StaffRequest) -> HttpResponse:
    """Entries ``start …``, at most 1,000; they hold commitments only."""
    start = _number(request, "start", 0, 2**62)
    count = _number(request, "count", 100, MOST_ENTRIES)
    rows = LedgerEntry.objects.filter(seq__gte=start, seq__lt=start + count).order_by("seq").values_list("seq", "data")
    return JsonResponse({"start": start, "entries": [{"seq": seq, "entry": data} for seq, data in rows]})


@permitted(ANYONE)
@require_GET
def proof(request: StaffRequest, kind: str) -> HttpResponse:
    """Inclusion (``seq``, ``size``) or consistency (``from``, ``to``) proofs, hexadecimal."""
    size = ledger_size()
    try:
        if kind == "inclusion":
            upto = _number(request, "size", size, size)
            steps = inclusion_proof(_number(request, "seq", 0, size), upto)
        else:
            upto = _number(request, "to", size, size)
            steps = consistency_proof(_number(request, "from", 1, size), upto)
    except LedgerError as error:
        return JsonResponse({"error": error.message.zh, "error_en": error.message.en}, status=422)
    return JsonResponse({"kind": kind, "size": upto, "proof": [step.hex() for step in steps]})


@permitted("ledger.export", reauthenticate=True)
@require_POST
def dump(request: StaffRequest) -> Any:
    """The whole ledger for ``zhixin ledger verify``: entries, open bodies, all checkpoints at the end."""
    record_event("ledger.export", request=request)
    lines = (line + "\n" for line in dump_lines())
    return StreamingHttpResponse(
        lines, content_type="application/x-ndjson", headers={"Content-Disposition": 'attachment; filename="ledger.jsonl"'}
    )


@permitted(ANYONE)
@require_GET
def checkpoints(request: StaffRequest) -> HttpResponse:
    """All checkpoints, for an outsider's check of a dump."""
    notes = SignedCheckpoint.objects.order_by("size").values_list("note", flat=True)
    return JsonResponse({"checkpoints": list(notes[:10_000])}, json_dumps_params={"ensure_ascii": False})


# --- audit and accounts ---------------------------------------------------------------------------------------------------


AUDIT_FILTERS = {"action": "action__startswith", "who": "by__username", "ref": "ref__startswith", "day": "at__date"}


def _events(request: StaffRequest) -> tuple[QuerySet[Event], dict[str, str]]:
    """The events that a query string asks for, newest first, and what it sought."""
    found = Event.objects.select_related("by").order_by("-pk")
    sought = {name: request.GET.get(name, "").replace("\x00", "").strip()[:150] for name in AUDIT_FILTERS}
    for name, lookup in AUDIT_FILTERS.items():
        if name == "day" and sought[name]:
            day = asked.day(sought[name])
            found = found.filter(at__date=day) if day else found.none()
        elif sought[name]:
            found = found.filter(**{lookup: sought[name]})
    return found, sought


@permitted("audit.view")
@require_GET
def events(request: StaffRequest) -> HttpResponse:
    """Who did or read what, newest first, by action, account, object or day."""
    found, sought = _events(request)
    return render(
        request, "events.html", {"page": page_of(request, found), "asked": sought, "query": request.GET.urlencode()}
    )


@permitted("audit.view")
@require_GET
def events_table(request: StaffRequest) -> Any:
    """The same as CSV; taking it out is an event itself."""
    found, sought = _events(request)
    record_event("audit.export", request=request, filters={name: value for name, value in sought.items() if value})
    writer = csv.writer(Lines())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(["at", "by", "action", "ref", "outcome", "address", "detail"])
        for item in found[:MOST_EVENTS].iterator(chunk_size=2_000):
            cells = [
                item.at.isoformat(),
                item.by.username if item.by else "",
                item.action,
                item.ref,
                item.outcome,
                item.address or "",
            ]
            yield writer.writerow([safe_cell(cell) for cell in (*cells, json.dumps(item.detail, ensure_ascii=False))])

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="events.csv"'}
    )


@permitted("accounts.grant")
@require_POST
def grant(request: StaffRequest, pk: int) -> HttpResponse:
    """Give or take a role; never one's own."""
    user, by = get_object_or_404(User, pk=pk), request.user
    with refusals_shown(request, denied=_("不能给自己授予角色")):
        grant_role(user=user, role=request.POST.get("role", ""), reason=request.POST.get("reason", "")[:200], by=by)
        messages.success(request, _("角色已更新，该账号须重新登录"))
    return redirect("accounts")


@permitted("accounts.view")
@require_GET
def accounts(request: StaffRequest) -> HttpResponse:
    """Accounts with their units and roles; the table of permissions."""
    found = User.objects.select_related("organisation").order_by("username")
    table = [(action, [(Role(role).label, scope) for role, scope in roles.items()]) for action, roles in ACTIONS.items()]
    content = {
        "page": page_of(request, found),
        "roles": Role.choices,
        "units": Organisation.objects.order_by("code")[:200],
        "table": table,
    }
    return render(request, "accounts.html", content)


@permitted("accounts.manage", reauthenticate=True)
@require_POST
def open_new(request: StaffRequest) -> HttpResponse:
    """Open an account without a role; the security administrator grants one."""
    unit = Organisation.objects.filter(pk=asked.key(request.POST.get("organisation"))).first()
    with refusals_shown(request):
        open_account(
            username=request.POST.get("username", "")[:150], display_name=request.POST.get("display_name", "")[:60], organisation=unit,
            password=request.POST.get("password", ""), by=request.user,
        )  # fmt: skip
        messages.success(request, _("账号已开立，请安全管理员授予角色"))
    return redirect("accounts")


@permitted("accounts.manage", reauthenticate=True)
@require_POST
def switch(request: StaffRequest, pk: int) -> HttpResponse:
    """Close or reopen an account."""
    user = get_object_or_404(User, pk=pk)
    try:
        set_active(user=user, active=not user.is_active, by=request.user)
    except PermissionDenied:
        messages.error(request, _("不能停用自己的账号"))
    record_event("accounts.switch", request=request, ref=user.username)
    return redirect("accounts")
