"""Pages of the automatic ways in: scheduled pulls, keys of pushing programs, folders."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.sources import sources
from zhixin_web.accounts.models import Organisation, Role, User
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.collection.models import Client, Pull
from zhixin_web.collection.services.ways import open_client, schedule_pull, switch
from zhixin_web.presentation import asked
from zhixin_web.presentation.refusals import refusals_shown


@permitted("ways.manage")
@require_GET
def ways_page(request: StaffRequest) -> HttpResponse:
    """Pulls with their last result, pushing programs, and where folders are."""
    accounts = User.objects.filter(role__in=[Role.DEPARTMENT_USER, Role.CITY_OFFICER], is_active=True).select_related(
        "organisation"
    )
    content = {
        "pulls": Pull.objects.order_by("source"), "clients": Client.objects.select_related("organisation", "account").order_by("-pk"),
        "sources": sources().values(), "accounts": accounts[:200], "units": Organisation.objects.order_by("code")[:200],
    }  # fmt: skip
    return render(request, "ways.html", content)


@permitted("ways.manage")
@require_POST
def save_pull(request: StaffRequest) -> HttpResponse:
    """Set, change or stop the pull of a source."""
    with refusals_shown(request):
        schedule_pull(
            source=request.POST.get("source", ""), address=request.POST.get("address", "").strip(), every_minutes=request.POST.get("every", ""),
            is_active=bool(request.POST.get("is_active")), by=request.user, credential=request.POST.get("credential") or None,
        )  # fmt: skip
        messages.success(request, _("定时拉取已保存"))
    return redirect("ways")


@permitted("ways.manage", reauthenticate=True)
@require_POST
def new_client(request: StaffRequest) -> HttpResponse:
    """A key for a pushing program; it is shown once."""
    account = get_object_or_404(User, pk=asked.key(request.POST.get("account")))
    client, key = open_client(name=request.POST.get("name", "").strip()[:100] or "—", account=account, by=request.user)
    return render(request, "client_key.html", {"client": client, "key": key})


@permitted("ways.manage", reauthenticate=True)
@require_POST
def switch_client(request: StaffRequest, pk: int) -> HttpResponse:
    """Stop a key or let it work again."""
    client: Any = get_object_or_404(Client, pk=pk)
    switch(client, by=request.user)
    return redirect("ways")
