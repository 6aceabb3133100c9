"""Files attached to an application: kept with the draft as soon as they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.models import Attachment, CaseDraft
from zhixin_web.received import store
from zhixin_web.received.words import file_name

FOLDER = "attachments"
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 10


def attach(draft: CaseDraft, name: str, chunks: Iterable[bytes], by: User) -> Attachment:
    """Check a file and keep it with a draft; the same content twice is kept once.

    Raises:
        ValidationError: one file too many, or what :func:`zhixin_web.received.store.receive` refuses.
    """
    received = store.receive(FOLDER, chunks, most_bytes=MOST_BYTES)
    with transaction.atomic():
        open_draft(draft)
        held = draft.attachments.filter(sha256=received.sha256).first()
        if held is not None:
            return held
        if draft.attachments.count() >= MOST_FILES:
            raise ValidationError({"file": _("最多附 %(most)s 个文件；请先删除不需要的") % {"most": MOST_FILES}})
        record_event("cases.attach", by=by, ref=f"draft:{draft.pk}", sha256=received.sha256)
        return Attachment.objects.create(
            draft=draft, name=file_name(name), added_by=by, kind=received.kind, size=received.size, sha256=received.sha256
        )


def open_draft(draft: CaseDraft) -> CaseDraft:
    """Lock a draft in the caller's transaction and return it as it is now.

    Raises:
        ValidationError: it was submitted or deleted meanwhile.
    """
    held = CaseDraft.objects.select_for_update().select_related("subject").filter(pk=draft.pk).first()
    if held is None:
        raise ValidationError(_("草稿已提交或删除；请在「我的办件」中查看"))
    return held


def remove(attachment: Attachment, by: User) -> None:
    """Take a file away from a draft; its content is swept when nothing names it any more.

    Raises:
        ValidationError: it was submitted meanwhile: then it belongs to the case.
    """
    with transaction.atomic():
        if attachment.draft is None:
            raise ValidationError(_("已提交的材料不能删除"))
        draft = open_draft(attachment.draft)
        held = Attachment.objects.filter(pk=attachment.pk, draft=draft, case=None)
        if not held.exists():
            raise ValidationError(_("已提交的材料不能删除"))
        record_event("cases.detach", by=by, ref=f"draft:{draft.pk}", sha256=attachment.sha256)
        held.delete()


def content_of(attachment: Attachment) -> bytes | None:
    """Return the content of a file, if it is still what was kept."""
    return store.content_of(FOLDER, attachment.sha256)


def path_of(sha256: str) -> Path:
    """Return where a content is kept."""
    return store.path_of(FOLDER, sha256)
