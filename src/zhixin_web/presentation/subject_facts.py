"""What each source says of a subject, in words."""

from __future__ import annotations

from typing import Any

from zhixin.dataset.sources import SourceManifest
from zhixin_web.presentation.templatetags.zhixin import district_name
from zhixin_web.records import queries
from zhixin_web.records.masking_for_officers import masked
from zhixin_web.records.models import Subject


def _spoken(manifest: SourceManifest, name: str, value: Any) -> Any:
    """An attribute's value in words where it is a code."""
    if name == "district":
        return district_name(value)
    item = next((item for item in manifest.fields if item.to == name), None)
    return item.values.get(value, value) if item is not None and isinstance(value, str) else value


def facts_shown(subject: Subject) -> list[dict[str, Any]]:
    """What each source last said of a subject, with personal values masked."""
    shown = []
    for manifest, body, version in queries.attributes_of(subject):
        titles = {item.to: item.title for item in manifest.fields if item.to}
        lines = [
            (titles.get(name, name), _spoken(manifest, name, value), False)
            for name, value in body.get("attributes", {}).items()
        ]
        shown.append({"manifest": manifest, "version": version, "lines": lines + masked(manifest, body.get("reported", {}))})
    return shown
