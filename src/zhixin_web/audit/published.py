"""What the public may see of the audit layer: whether publication goes on."""

from __future__ import annotations

from typing import Any

from zhixin_web.audit.services.witnesses import stopped


def publication_stop() -> dict[str, Any] | None:
    """Since when and why nothing is published; ``None`` while publication goes on."""
    return stopped()
