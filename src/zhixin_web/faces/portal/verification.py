"""Reads of papers: whether one is real and still says what is known."""

from __future__ import annotations

from typing import Literal

from django.utils import timezone

from zhixin_web.faces.portal.credit_report import report_content
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import content_hash
from zhixin_web.records.published import published_subject
from zhixin_web.rulebooks.published import published_releases

State = Literal["valid", "outdated", "withdrawn", "unknown"]


def paper_by_code(code: str) -> tuple[Paper | None, State]:
    """A paper by its code, and whether it still says what is known today.

    ``valid``: issued here, and nothing has changed since. ``outdated``: issued here, but what is public has changed.
    """
    if "\x00" in code:
        return None, "unknown"
    paper = Paper.objects.select_related("subject").filter(pk=code).first()
    if paper is None:
        return None, "unknown"
    if paper.withdrawn_at is not None:
        return paper, "withdrawn"
    if paper.kind == Paper.Kind.CREDIT_REPORT and paper.subject is not None:
        subject = published_subject(paper.subject.code)
        if subject is None or content_hash(report_content(subject, timezone.localdate())) != paper.content_sha256:
            return paper, "outdated"
    if paper.kind == Paper.Kind.RULES:
        newest = published_releases().first()
        if newest is None or newest.sha256 != paper.content_sha256:
            return paper, "outdated"
    return paper, "valid"
