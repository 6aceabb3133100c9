"""Keeps what is attached to an application: each file is checked in a process of its own, and stored under its hash at once."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.models import Attachment, CaseDraft
from zhixin_web.cases.words import printable

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 10
SECONDS, MEMORY = 20, 2 * 1024**3


def attach(draft: CaseDraft, name: str, chunks: Iterable[bytes], by: User) -> Attachment:
    """Check a file and keep it with a draft; the same content twice is kept once.

    Raises:
        ValidationError: empty, too large, one too many, or a kind or content that is not taken, with the remedy.
    """
    folder = _folder()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part") as part:
        sha256, size = _received(part, chunks)
        kind = _checked_kind(Path(part.name))
        with transaction.atomic():
            CaseDraft.objects.select_for_update().get(pk=draft.pk)
            held = draft.attachments.filter(sha256=sha256).first()
            if held is not None:
                return held
            if draft.attachments.count() >= MOST_FILES:
                raise ValidationError({"file": _("最多附 %(most)s 个文件；请先删除不需要的") % {"most": MOST_FILES}})
            place = path_of(sha256)
            place.parent.mkdir(exist_ok=True)
            if not place.exists():
                os.link(part.name, place)
            record_event("cases.attach", by=by, ref=f"draft:{draft.pk}", sha256=sha256)
            return Attachment.objects.create(
                draft=draft, name=_clean_name(name), kind=kind, size=size, sha256=sha256, added_by=by
            )


def remove(attachment: Attachment, by: User) -> None:
    """Take a file away from a draft; its content goes when nothing else names it."""
    if attachment.draft_id is None:
        raise ValidationError(_("已提交的材料不能删除"))
    sha256 = attachment.sha256
    with transaction.atomic():
        record_event("cases.detach", by=by, ref=f"draft:{attachment.draft_id}", sha256=sha256)
        Attachment.objects.filter(pk=attachment.pk).delete()
        if not Attachment.objects.filter(sha256=sha256).exists():
            transaction.on_commit(lambda: path_of(sha256).unlink(missing_ok=True))


def content_of(attachment: Attachment) -> bytes | None:
    """Return the content of a file, if it is still what was kept."""
    path = path_of(attachment.sha256)
    content = path.read_bytes() if path.is_file() else b""
    return content if hashlib.sha256(content).hexdigest() == attachment.sha256 else None


def path_of(sha256: str) -> Path:
    """Return where a content is kept."""
    return _folder() / sha256[:2] / sha256


def _folder() -> Path:
    folder = Path(settings.VAR) / "attachments"
    folder.mkdir(exist_ok=True)
    return folder


def _received(part: tempfile._TemporaryFileWrapper[bytes], chunks: Iterable[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise ValidationError(
                {"file": _("文件超过 %(most)s MB；请压缩图片或拆分后上传") % {"most": MOST_BYTES // 1024**2}}
            )
        digest.update(chunk)
        part.write(chunk)
    if not size:
        raise ValidationError({"file": _("请选择文件")})
    part.flush()
    os.fsync(part.fileno())
    return digest.hexdigest(), size


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _checked_kind(path: Path) -> str:
    command = [sys.executable, "-X", "utf8", "-m", "zhixin_web.cases.file_check", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, preexec_fn=_limits)
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


def _clean_name(name: str) -> str:
    """Return the file's name without folders, control characters and numbers of persons."""
    last = printable(name).replace("\n", " ").replace("\\", "/").rsplit("/", 1)[-1].strip()
    return masked(last)[-120:] or _("未命名")
