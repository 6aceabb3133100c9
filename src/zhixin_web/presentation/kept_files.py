"""Kept files as answers of the site: issued papers, and what applicants attached."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from zhixin_web.cases.models import Attachment
from zhixin_web.cases.services.attachments import content_of
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import kept_file


def paper_answer(paper: Paper) -> HttpResponse:
    """Return a paper as it was issued; 404 where its file is gone or is another one."""
    file = kept_file(paper.code, paper.file_sha256)
    if file is None:
        raise Http404
    name = f"{paper.code}.pdf"
    return HttpResponse(file, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})


def attachment_answer(attachment: Attachment) -> HttpResponse:
    """Return an attached file to be saved, never opened in the page; 404 where it is gone or is another one."""
    content = content_of(attachment)
    if content is None:
        raise Http404
    name = attachment.sha256[:16]
    return HttpResponse(
        content, content_type=attachment.kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
