"""What a person should know before a run: stale sources, indicators without data, rows and batches that wait."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from zhixin.dataset.sources import sources
from zhixin_web.collection.models import Batch, QuarantinedRow
from zhixin_web.evaluations.snapshots import attribute_types
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_of


def freshness() -> list[dict[str, Any]]:
    """Each source with its last committed batch and whether it is stale."""
    last = dict(
        Batch.objects.filter(status=Batch.Status.COMMITTED)
        .values_list("source")
        .annotate(last=Max("committed_at"))
        .values_list("source", "last")
    )
    return [
        {"source": manifest, "last": last.get(name), "cadence": _cadence(name), "is_stale": _is_stale(name, last.get(name))}
        for name, manifest in sources().items()
    ]


def _cadence(name: str) -> str:
    found = law_in_force().sources.get(name)
    return found[0].cadence if found is not None else ""


def _is_stale(name: str, last: datetime | None) -> bool:
    """Whether a source that is due periodically has not come for longer than the rulebook in force allows."""
    found = law_in_force().sources.get(name)
    if found is None or found[0].cadence == "event":
        return False
    return last is None or timezone.now() - last > timedelta(days=found[0].stale_after_days)


def preflight(release: RulebookRelease, as_of: date) -> dict[str, Any]:
    """What a person should know before a run: stale sources, indicators without data, rows and batches that wait."""
    rulebook = rulebook_of(release)
    given = {kind for manifest in sources().values() for kind in manifest.kinds}
    missing = [item.title.zh for item in rulebook.attributes if item.id not in attribute_types()]
    missing += [item.title.zh for item in rulebook.catalogue if item.id not in given]
    return {
        "stale": [item["source"].id for item in freshness() if item["is_stale"]],
        "missing": missing,
        "quarantined": QuarantinedRow.objects.filter(status=QuarantinedRow.Status.OPEN).count(),
        "waiting": Batch.objects.filter(status__in=[Batch.Status.STAGED, Batch.Status.HELD, Batch.Status.MAPPING]).count(),
        "as_of": as_of.isoformat(),
    }
