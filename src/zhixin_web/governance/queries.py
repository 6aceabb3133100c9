"""Reads of governance: drafts, consultations, panels, indicators under watch."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import QuerySet
from django.utils import timezone

from zhixin.law.loading import loads_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.governance.models import Consultation, Draft


def open_drafts() -> QuerySet[Draft]:
    return Draft.objects.filter(is_closed=False).select_related("base", "changed_by").order_by("-changed_at")


def consultations_open_to_the_public() -> list[Consultation]:
    """Consultations that have begun, the newest first; text is left in the database."""
    rows = Consultation.objects.filter(opens_on__lte=timezone.localdate()).defer("text")
    return list(rows.order_by("-closes_on", "-pk")[:100])


def consultation_open_to_the_public(pk: int) -> Consultation | None:
    """One consultation that has begun."""
    return Consultation.objects.filter(pk=pk, opens_on__lte=timezone.localdate()).select_related("draft").first()


@lru_cache(maxsize=8)
def _loaded(sha256: str, text: str) -> Rulebook:
    return loads_rulebook(text, f"{sha256[:12]}.yaml")


def consulted_rulebook(item: Consultation) -> Rulebook:
    """The rulebook a consultation is about."""
    return _loaded(item.sha256, item.text)
