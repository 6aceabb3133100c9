"""Kept files as answers of the site: issued papers, and what applicants attached."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from zhixin_web.cases.models import Attachment
from zhixin_web.cases.services import attachments
from zhixin_web.duties.models import ProgressEntry
from zhixin_web.duties.services import progress
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import kept_file

ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
"""Of the kinds of files that are taken."""


def paper_answer(paper: Paper) -> HttpResponse:
    """Return a paper as it was issued; 404 where its file is gone or is another one."""
    file = kept_file(paper.code, paper.file_sha256)
    if file is None:
        raise Http404
    name = f"{paper.code}.pdf"
    return HttpResponse(file, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})


def attachment_answer(attachment: Attachment) -> HttpResponse:
    """Return a file that an applicant attached."""
    return kept_answer(attachments.content_of(attachment), attachment.kind, attachment.sha256)


def proof_answer(entry: ProgressEntry) -> HttpResponse:
    """Return the file by which a unit proves what it has done."""
    return kept_answer(progress.content_of(entry), entry.file_kind, entry.sha256)


def kept_answer(content: bytes | None, kind: str, sha256: str) -> HttpResponse:
    """Return a kept file to be saved under its hash, never opened in the page; 404 where it is gone or is another one."""
    if content is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}{ENDINGS.get(kind, "")}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
