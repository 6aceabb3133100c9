"""Public consultation on a draft: open, comment, reply, summary."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event, tracking_code
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.governance.models import Comment, Consultation, Draft
from zhixin_web.governance.services.drafts import _needs, rulebook_of_draft
from zhixin_web.rulebooks.deadlines import clock


def open_consultation(draft: Draft, *, title: str, explanation: str, closes_on: date | None, by: User) -> Consultation:
    """Lay a draft before the public from today on.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: names every field that is wrong.
    """
    _needs(by, "consultations.manage")
    rulebook = rulebook_of_draft(draft)
    today = timezone.localdate()
    earliest = clock("consultation.shortest", today).due_on
    faults: dict[str, str] = {}
    if not title.strip():
        faults["title"] = _("请填写标题")
    if len(explanation.strip()) < 10:
        faults["explanation"] = _("请写明起草说明")
    if closes_on is None or closes_on < earliest:
        faults["closes_on"] = _("截止日不早于 %(earliest)s") % {"earliest": earliest}
    if faults or closes_on is None:
        raise ValidationError(faults)
    with transaction.atomic():
        made = Consultation.objects.create(
            draft=draft, title=title.strip()[:200], explanation=explanation.strip()[:5000], text=draft.text, sha256=rulebook.sha256,
            opens_on=today, closes_on=closes_on, by=by,
        )  # fmt: skip
        append_one(
            "rule.consult", f"consultation:{made.pk}", {"sha256": rulebook.sha256, "closes_on": closes_on.isoformat()}
        )
        record_event("consultations.open", by=by, ref=f"consultation:{made.pk}")
    return made


def file_comment(consultation: Consultation, *, about: str, stance: str, text: str) -> Comment:
    """Anybody's comment on an open consultation.

    Raises:
        ValidationError: it is not open, or what is wrong with a field.
    """
    about, text = about.replace("\x00", ""), masked(text.replace("\x00", ""))
    today = timezone.localdate()
    faults: dict[str, str] = {}
    if not consultation.opens_on <= today <= consultation.closes_on:
        faults["text"] = _("征求意见已截止")
    if stance not in ("support", "change", "oppose"):
        faults["stance"] = _("请选择态度")
    if not 5 <= len(text.strip()) <= 3000:
        faults["text"] = _("请用 5 至 3000 字写明意见")
    if faults:
        raise ValidationError(faults)
    with transaction.atomic():
        comment = Comment.objects.create(
            consultation=consultation, code=tracking_code(), about=about[:80], stance=stance, text=text.strip()
        )
        record_event("consultations.comment", ref=f"comment:{comment.pk}")
    return comment


def reply_comment(comment: Comment, *, reply: str, is_adopted: bool, by: User) -> Comment:
    """Answer a comment in public, saying whether it is adopted.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no answer, or answered already.
    """
    _needs(by, "consultations.manage")
    if len(reply.strip()) < 5:
        raise ValidationError({"reply": _("请写明答复和理由")})
    with transaction.atomic():
        found = Comment.objects.select_for_update().get(pk=comment.pk)
        if found.replied_by_id is not None:
            raise ValidationError(_("该意见已答复"))
        found.reply, found.is_adopted, found.replied_by, found.replied_at = (
            reply.strip()[:3000],
            is_adopted,
            by,
            timezone.now(),
        )
        found.save()
        record_event("consultations.reply", by=by, ref=f"comment:{found.pk}", adopted=is_adopted)
    return found


def publish_summary(consultation: Consultation, *, summary: str, by: User) -> Consultation:
    """Publish what came of a consultation, once it has closed and every comment has its answer.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: still open, comments without an answer, or nothing written.
    """
    _needs(by, "consultations.manage")
    if consultation.closes_on >= timezone.localdate():
        raise ValidationError(
            _("征求意见到 %(nsultation_closes_on)s 截止，之后才能公布情况")
            % {"nsultation_closes_on": consultation.closes_on}
        )
    waiting = consultation.comments.filter(replied_by=None).count()
    if waiting:
        raise ValidationError(_("还有 %(waiting)s 条意见未答复") % {"waiting": waiting})
    if len(summary.strip()) < 10:
        raise ValidationError({"summary": _("请写明采纳情况")})
    with transaction.atomic():
        consultation.summary, consultation.summary_at = summary.strip()[:10_000], timezone.now()
        consultation.save(update_fields=["summary", "summary_at"])
        record_event("consultations.summary", by=by, ref=f"consultation:{consultation.pk}")
    return consultation
