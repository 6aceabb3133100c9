"""Reads of collection: how far a batch is."""

from __future__ import annotations

from typing import Any

from zhixin_web.collection.models import Batch
from zhixin_web.collection.originals import read_progress


def progress_of(batch: Batch) -> dict[str, Any]:
    """How far a busy batch is; empty otherwise."""
    return read_progress(f"batch-{batch.pk}") if batch.is_busy else {}
