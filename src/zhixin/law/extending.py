"""A rulebook that extends another: lists of things with an id are merged item by item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhixin.law.yaml_text import Path_, Position


def extended(
    parent: dict[str, Any],
    child: dict[str, Any],
    removed: Mapping[str, Any],
    parent_positions: dict[Path_, Position],
    child_positions: dict[Path_, Position],
) -> tuple[dict[str, Any], dict[Path_, Position]]:
    """Child over parent; positions follow the items they belong to."""
    merged = dict(parent)
    positions = dict(parent_positions)
    for part in {*child, *removed}:
        old, new = merged.get(part, ()), child.get(part, ())
        if not _is_keyed(old) and not _is_keyed(new):
            if part in child:
                merged[part] = child[part]
                _move(positions, (part,), child_positions, (part,))
            continue
        entries = _merge_items(part, old, new, set(removed.get(part, ())), parent_positions, child_positions)
        merged[part] = tuple(item for item, _, _ in entries)
        for path in [path for path in positions if path[:1] == (part,)]:
            del positions[path]
        positions[(part,)] = child_positions.get((part,), parent_positions.get((part,), ("", 1)))
        for index, (_, origin, old_path) in enumerate(entries):
            _move(positions, (part, index), origin, old_path)
    return merged, positions


def _is_keyed(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and bool(value)
        and all(isinstance(item, dict) and ("id" in item or "code" in item) for item in value)
    )


def _key(item: Mapping[str, Any]) -> Any:
    return item.get("id", item.get("code"))


def _merge_items(
    part: str,
    old: tuple[Any, ...],
    new: tuple[Any, ...],
    removed: set[str],
    parent_positions: dict[Path_, Position],
    child_positions: dict[Path_, Position],
) -> list[tuple[Any, dict[Path_, Position], Path_]]:
    replacing = {_key(item): index for index, item in enumerate(new)}
    entries: list[tuple[Any, dict[Path_, Position], Path_]] = []
    for index, item in enumerate(old):
        if _key(item) in replacing:
            at = replacing.pop(_key(item))
            entries.append((new[at], child_positions, (part, at)))
        elif _key(item) not in removed and "*" not in removed:
            entries.append((item, parent_positions, (part, index)))
    added = sorted(replacing.values())
    return entries + [(new[at], child_positions, (part, at)) for at in added]


def _move(target: dict[Path_, Position], to: Path_, source: dict[Path_, Position], old: Path_) -> None:
    for path in [path for path in target if path[: len(to)] == to]:
        del target[path]
    for path, position in source.items():
        if path[: len(old)] == old:
            target[(*to, *path[len(old) :])] = position
