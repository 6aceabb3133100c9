"""Applications that are begun, saved and resumed; submitting one opens the case and checks everything again."""

from __future__ import annotations

import hashlib

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin.law.procedures import Procedure, procedures
from zhixin_web.accounts.models import User
from zhixin_web.accounts.representation import represents
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.models import Case, CaseDraft
from zhixin_web.cases.services.attachments import open_draft
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.words import MOST
from zhixin_web.received.words import printable
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.services.repair_and_revocation import last_version


class SomethingChanged(ValidationError):
    """What would be submitted is not what was looked at."""


class DraftChanged(Exception):
    """Somebody else has changed the draft since it was shown; ``theirs`` is what it holds now."""

    def __init__(self, theirs: CaseDraft) -> None:
        super().__init__()
        self.theirs = theirs


def doors() -> list[Procedure]:
    """Return the procedures that an enterprise may begin on one of its records."""
    return [item for item in procedures().values() if item.about == "record" and "applicant" in item.opens]


def begin(procedure: Procedure, record: CreditRecord, by: User) -> CaseDraft:
    """Begin an application on a record, or go on with the one that is begun.

    Raises:
        PermissionDenied: the account does not act for the enterprise, or nobody applies for this.
    """
    if procedure not in doors() or not represents(by, record.subject.code):
        raise PermissionDenied
    return CaseDraft.objects.get_or_create(
        procedure=procedure.id, subject=record.subject, record_key=record.key, defaults={"changed_by": by}
    )[0]


def keep_words(draft: CaseDraft, text: str, version: int, by: User) -> CaseDraft:
    """Keep what was typed so far; nothing is judged yet but its length.

    Raises:
        DraftChanged: it was changed since version ``version``; nothing is written.
        ValidationError: too long, or the draft is gone.
    """
    text = printable(text)
    if len(text) > MOST:
        raise ValidationError({"text": _("最多 %(most)s 字，现有 %(now)s 字") % {"most": MOST, "now": len(text)}})
    with transaction.atomic():
        held = open_draft(draft)
        if held.version != version and held.text != text:
            raise DraftChanged(held)
        if held.text != text:
            held.text, held.version, held.changed_by = text, held.version + 1, by
            held.save()
    return held


def as_shown(draft: CaseDraft) -> str:
    """Return a code of what would be submitted now: the words, the files, the version of the record."""
    files = ",".join(sorted(draft.attachments.values_list("sha256", flat=True)))
    return hashlib.sha256(f"{draft.version}|{files}|{last_version(draft.record_key).seq}".encode()).hexdigest()[:32]


def submit(draft: CaseDraft, by: User, seen: str) -> Case:
    """Open the case of a draft on the last version of its record; the draft is gone, its files belong to the case.

    Args:
        draft: to submit.
        by: who submits it.
        seen: :func:`as_shown` of what that person has looked at.

    Raises:
        PermissionDenied: the account does not act for the enterprise any more.
        SomethingChanged: words, files or record are no longer what was looked at; nothing is submitted.
        ValidationError: what :func:`~zhixin_web.cases.services.filing.open_case` refuses; the draft stays as it is.
    """
    with transaction.atomic():
        held = open_draft(draft)
        if as_shown(held) != seen:
            raise SomethingChanged(_("您核对之后，说明、材料或者记录有了变化：请看过下面的内容再提交"))
        case = open_case(
            held.procedure,
            subject=held.subject,
            record=last_version(held.record_key),
            text=held.text,
            by=by,
            attachments=list(held.attachments.order_by("pk")),
        )
        held.delete()
    return case


def discard(draft: CaseDraft, by: User) -> None:
    """Throw a draft away, with its files.

    Raises:
        ValidationError: it was submitted or deleted meanwhile.
    """
    with transaction.atomic():
        held = open_draft(draft)
        record_event("cases.discard", by=by, ref=f"draft:{held.pk}", procedure=held.procedure)
        held.attachments.all().delete()
        held.delete()
