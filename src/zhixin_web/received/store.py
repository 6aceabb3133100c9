"""Receives a file: counts and hashes it as it comes, has it checked in a process of its own, keeps it under its hash."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin_web.received.kind_of_file import SECONDS

PICTURES = frozenset({"image/jpeg", "image/png"})
ALL_KINDS = PICTURES | {"application/pdf"}
DAY = 86_400
SWEPT = ".swept"
"""Its age says when a folder was last swept."""


class Received(NamedTuple):
    """A file that was kept: its hash, its size in bytes, the media type of its content."""

    sha256: str
    size: int
    kind: str


def receive(folder: str, chunks: Iterable[bytes], *, most_bytes: int, kinds: frozenset[str] = ALL_KINDS) -> Received:
    """Check a file and keep it in a folder of the data folder; the same content is kept once.

    Raises:
        ValidationError: under ``file``: empty, too large, or a kind or content that is not taken, with the remedy.
    """
    with tempfile.NamedTemporaryFile(dir=_folder(folder), prefix=".", suffix=".part") as part:
        sha256, size = _written(part, chunks, most_bytes)
        kind = _checked_kind(Path(part.name))
        if kind not in kinds:
            raise ValidationError({"file": _("只接收 JPEG、PNG 图片")})
        place = path_of(folder, sha256)
        place.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            os.link(part.name, place)
        os.utime(place)  # the sweep takes what is a day old and named by nothing: this one is wanted now
    return Received(sha256, size, kind)


def content_of(folder: str, sha256: str) -> bytes | None:
    """Return the content of a file, if it is still what was kept."""
    path = path_of(folder, sha256)
    content = path.read_bytes() if path.is_file() else b""
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def sweep(folder: str, needed: Callable[[list[str]], set[str]]) -> int:
    """Remove what nothing names and nobody has sent for a day, and what was never received whole; once a day, return how many.

    Args:
        folder: of the data folder.
        needed: tells which of some hashes something still names.
    """
    root, before = _folder(folder), time.time() - DAY
    mark = root / SWEPT
    if mark.exists() and mark.stat().st_mtime > before:
        return 0
    gone = [path for path in root.glob(".*.part") if path.stat().st_mtime < before]
    for shelf in root.glob("[0-9a-f][0-9a-f]"):
        old = [path for path in shelf.iterdir() if path.stat().st_mtime < before]
        kept = needed([path.name for path in old]) if old else set()
        gone += [path for path in old if path.name not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    mark.touch()
    return len(gone)


def path_of(folder: str, sha256: str) -> Path:
    """Return where a content is kept."""
    return _folder(folder) / sha256[:2] / sha256


def _folder(name: str) -> Path:
    folder = Path(settings.VAR) / name
    folder.mkdir(exist_ok=True)
    return folder


def _written(part: IO[bytes], chunks: Iterable[bytes], most_bytes: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            most = most_bytes // 1024**2
            raise ValidationError({"file": _("文件超过 %(most)s MB；请压缩图片或拆分后上传") % {"most": most}})
        digest.update(chunk)
        part.write(chunk)
    if not size:
        raise ValidationError({"file": _("请选择文件")})
    part.flush()
    os.fsync(part.fileno())
    return digest.hexdigest(), size


def _environment() -> dict[str, str]:
    """What the checking process gets to know: where Python is, and no secret of the site."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}


def _checked_kind(path: Path) -> str:
    command = [sys.executable, "-X", "utf8", "-m", "zhixin_web.received.kind_of_file", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=_environment())
        found = json.loads(done.stdout) if done.returncode == 0 else {"refused": "broken"}
    except (subprocess.TimeoutExpired, ValueError):
        found = {"refused": "broken"}
    if "refused" not in found:
        return str(found["kind"])
    reasons = {
        "kind": _("只接收 PDF、JPEG、PNG；Word、Excel 请另存为 PDF，压缩包请解开后逐个上传"),
        "locked": _("PDF 设有口令；请去掉口令后上传"),
        "active": _("PDF 含有脚本、内嵌文件或可执行的表单；请用「打印为 PDF」另存后上传"),
        "pages": _("PDF 没有页，或超过 500 页；请拆分后上传"),
        "large": _("图片像素过多或文件结构过大；请缩小后上传"),
        "broken": _("文件已损坏，无法完整读取；请重新扫描或另存后上传"),
    }
    raise ValidationError({"file": reasons[found["refused"]]})
