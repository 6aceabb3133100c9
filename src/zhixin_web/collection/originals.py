"""The kept bytes of deliveries, by their hash, and the staged rows made from them."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from zhixin.dataset.delivery.rows import CheckedRow


def original_path(sha256: str, suffix: str) -> Path:
    return Path(settings.VAR) / "originals" / sha256[:2] / f"{sha256}{suffix}"


def keep(chunks: Iterable[bytes], limit: int) -> tuple[Path, str, int, bytes]:
    """Write bytes to disk durably: the temporary file, its SHA-256, its size and its first bytes.

    Raises:
        ValueError: more than ``limit`` bytes; nothing is kept.
    """
    folder = Path(settings.VAR) / "originals"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{secrets.token_hex(8)}.part"
    hashed, size, start = hashlib.sha256(), 0, b""
    try:
        with part.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise ValueError(size)
                if len(start) < 64:
                    start = (start + chunk)[:64]
                hashed.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part, hashed.hexdigest(), size, start


def settle(part: Path, sha256: str, suffix: str) -> Path:
    """Give kept bytes their place; the same bytes are kept once."""
    place = original_path(sha256, suffix)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)
    descriptor = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return place


def staged_path(batch: int) -> Path:
    return Path(settings.VAR) / "staged" / f"{batch}.jsonl"


def write_staged(batch: int, outcomes: Iterable[CheckedRow]) -> None:
    """Stage checked rows; the file has its name only when it is whole."""
    place = staged_path(batch)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    with part.open("w", encoding="utf-8") as file:
        for item in outcomes:
            row = [
                item.line,
                item.code,
                item.name,
                item.key,
                item.body,
                item.digest.hex(),
                item.core,
                item.cells,
                item.faults,
            ]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(place)


def read_staged(batch: int) -> Iterator[CheckedRow]:
    with staged_path(batch).open(encoding="utf-8") as file:
        for text in file:
            line, code, name, key, body, digest, core, cells, faults = json.loads(text)
            yield CheckedRow(line, code, name, key, body, bytes.fromhex(digest), tuple(core), cells, tuple(faults))


# --- progress: a file, so that it can be seen from outside the transaction ---


def write_progress(what: str, stage: str, done: int, total: int | None) -> None:
    """Note how far a job is; losing it loses nothing."""
    place = Path(settings.VAR) / "progress" / f"{what}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps({"stage": stage, "done": done, "total": total}), encoding="utf-8")
    part.replace(place)


def read_progress(what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((Path(settings.VAR) / "progress" / f"{what}.json").read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return {}
