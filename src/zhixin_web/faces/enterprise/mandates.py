"""Mandates: whom an enterprise lets act for it, and for whom it acts."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from zhixin_web.accounts.models import Mandate
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.accounts.representation import represented_codes
from zhixin_web.accounts.services import mandates as services
from zhixin_web.faces.enterprise.principal import CHOSEN, show
from zhixin_web.presentation import asked
from zhixin_web.presentation.refusals import faults_by_field


@permitted("mine.view", reauthenticate=True)
def mandates_page(request: StaffRequest) -> HttpResponse:
    """Mandates given and held; give a new one."""
    unit = request.user.organisation
    if unit is None:
        raise Http404
    faults: dict[str, list[str]] = {}
    if request.method == "POST":
        until = asked.day(request.POST.get("until"))
        try:
            services.give_mandate(unit, request.POST.get("agent", ""), until, request.user)
            messages.success(request, _("委托已生效"))
            return redirect("my_mandates")
        except ValidationError as error:
            faults = faults_by_field(error)
    content = {
        "given": [(item, item.agent) for item in unit.mandates_given.select_related("agent").order_by("-pk")],
        "held": [(item, item.principal) for item in unit.mandates_held.select_related("principal").order_by("-pk")],
        "today": timezone.localdate(), "faults": faults, "sent": request.POST, "longest": services.LONGEST_MONTHS,
    }  # fmt: skip
    return show(request, "mandates.html", content, status=422 if faults else 200)


@permitted("mine.view")
@require_POST
def end(request: StaffRequest, pk: int) -> HttpResponse:
    """End a mandate now."""
    unit = request.user.organisation
    found = get_object_or_404(Mandate.objects.filter(Q(principal=unit) | Q(agent=unit)), pk=pk)
    services.end_mandate(found, request.user)
    messages.success(request, _("委托已终止"))
    return redirect("my_mandates")


@permitted("mine.view")
@require_POST
def act_for(request: StaffRequest) -> HttpResponse:
    """Choose for which enterprise the pages speak."""
    code = request.POST.get("code", "")
    if code not in represented_codes(request.user):
        raise Http404
    request.session[CHOSEN] = code
    return redirect("my")
