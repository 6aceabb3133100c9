"""Personal values as officers see them before they ask for the whole with a reason."""

from __future__ import annotations

from typing import Any

from zhixin.dataset.sources import SourceManifest


def masked(manifest: SourceManifest, reported: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Title, value and whether masked, of what a source reported; personal data is masked until asked for with a reason."""
    shown = []
    for item in manifest.fields:
        if item.id in reported:
            value = str(reported[item.id])
            shown.append((item.title, mask(value) if item.personal else value, item.personal))
    return shown


def mask(value: str) -> str:
    """A personal value with only its ends left: 410***********123X, 郑*信."""
    if len(value) <= 2:
        return value[:1] + "*"
    ends = 4 if len(value) >= 11 else 1
    return value[: min(3, ends)] + "*" * (len(value) - min(3, ends) - ends) + value[-ends:]
