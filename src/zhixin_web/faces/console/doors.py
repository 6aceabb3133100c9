"""Health and the ledger's public addresses (``design/ledger.md``)."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.faces.console import oversight


@permitted(ANYONE)
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """For a load balancer: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("health", health, name="health"),
    path("ledger/checkpoint", oversight.checkpoint, name="ledger_checkpoint"),
    path("ledger/checkpoints", oversight.checkpoints, name="ledger_checkpoints"),
    path("ledger/entries", oversight.entries, name="ledger_entries"),
    path("ledger/proof/inclusion", oversight.proof, {"kind": "inclusion"}, name="ledger_inclusion"),
    path("ledger/proof/consistency", oversight.proof, {"kind": "consistency"}, name="ledger_consistency"),
]
