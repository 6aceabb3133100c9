"""Which sources, batches and rows an account may see."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from zhixin.dataset.sources import SourceManifest, sources
from zhixin_web.accounts.models import Organisation
from zhixin_web.accounts.permissions import scope_of
from zhixin_web.collection.models import Batch, QuarantinedRow


def visible_sources(user: Any, action: str = "sources.view") -> dict[str, SourceManifest]:
    """The sources an account may act on: all, or those its organisation owns."""
    scope = scope_of(user, action)
    if scope == "all":
        return sources()
    if scope is None or user.organisation is None:
        return {}
    unit = "districts" if user.organisation.kind == Organisation.Kind.DISTRICT else user.organisation.code
    return {name: item for name, item in sources().items() if item.owner == unit}


def visible_batches(user: Any, action: str = "batches.view") -> QuerySet[Batch]:
    if scope_of(user, action) == "all":
        return Batch.objects.all()
    found = Batch.objects.filter(source__in=list(visible_sources(user, action)))
    if user.organisation is not None and user.organisation.kind == Organisation.Kind.DISTRICT:
        return found.filter(by__organisation=user.organisation)  # a district sees what it delivered itself
    return found


def visible_rows(user: Any, action: str = "batches.view") -> QuerySet[QuarantinedRow]:
    found = QuarantinedRow.objects.select_related("batch")
    return found if scope_of(user, action) == "all" else found.filter(batch__in=visible_batches(user, action))
