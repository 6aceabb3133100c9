"""What a person should know before a run: stale sources, indicators without data, rows and batches that wait."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from zhixin.dataset.sources import sources
from zhixin_web.collection.models import Batch, QuarantinedRow
from zhixin_web.evaluations.snapshots import attribute_types
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
    now = timezone.now()
    return [
        {
            "source": manifest, "last": last.get(name),
            "is_stale": name not in last or now - last[name] > timedelta(days=manifest.stale_after_days),
        }
        for name, manifest in sources().items()
    ]  # fmt: skip


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
