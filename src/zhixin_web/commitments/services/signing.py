"""Signing and withdrawing commitments: number, paper, credit record and ledger entry in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_months
from zhixin.law.paper_numbers import COMMITMENTS
from zhixin.reference.commitment_forms import CommitmentForm, commitment_forms
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.accounts.representation import represents
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.words import said
from zhixin_web.collection.services.own_decisions import deliver_own
from zhixin_web.commitments.models import MOST_REASON, Commitment
from zhixin_web.commitments.queries import standing, why_not
from zhixin_web.commitments.standing import CommitmentState, form_of
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import day_in_words, issue_paper, withdraw_issued
from zhixin_web.records.models import Subject
from zhixin_web.records.services.repair_and_revocation import change_record, last_version

SOURCE, ITEM = "declarations", "信用承诺"
WORDS = {
    "code": "统一社会信用代码",
    "basis": "依据",
    "remedies": "权利",
    "verify": "扫码或访问以下地址验证：",
    "signer": "承诺单位",
}


def sign(code: str, *, subject: Subject, read: Collection[str], by: User) -> Commitment:
    """Sign a text for an enterprise.

    Args:
        code: of the text.
        subject: the enterprise.
        read: codes of the promises that were ticked; each must be.
        by: an account that acts for it.

    Raises:
        PermissionDenied: the account does not act for the enterprise.
        ValidationError: no such text, a promise not ticked, or why it may not be signed.
    """
    if not may(by, "mine.apply") or not represents(by, subject.code):
        raise PermissionDenied
    form = commitment_forms().form(code)
    if form is None:
        raise ValidationError(_("没有这种承诺书"))
    if {item.code for item in form.promises} - set(read):
        raise ValidationError(_("请逐条阅读并勾选全部承诺事项"))
    today = timezone.localdate()
    with transaction.atomic():
        lock_ledger()
        reason = why_not(form, subject, today)
        if reason:
            raise ValidationError(reason)
        until = shift_months(today, form.months)
        serial = Commitment.objects.filter(year=today.year).count() + 1
        number = f"{COMMITMENTS}〔{today.year}〕{serial}号"
        paper = issue_paper(
            Paper.Kind.COMMITMENT, "case_paper.typ", _content(form, subject, number, until, by), today, number=number,
            subject_id=subject.pk, shown={"words": WORDS, "signer": subject.name},
        )  # fmt: skip
        row = {"文书编号": number, "事项": ITEM, "签署或授予日期": today.isoformat(), "有效期至": until.isoformat()}
        record = deliver_own(SOURCE, subject, row, name=f"commitment-{today.year}-{serial}", by=by)
        definition = form.model_dump(mode="json") | {"version": commitment_forms().version}
        entry = {"number": number, "subject": subject.code, "definition": definition, "until": until.isoformat()}
        made = Commitment.objects.create(
            subject=subject, form=form.code, definition=definition, year=today.year, serial=serial, number=number, paper=paper,
            record_key=record.key, signed_by=by, signed_on=today, until=until, ledger_seq=append_one("commitment.sign", number, entry),
        )  # fmt: skip
        record_event("commitments.sign", by=by, ref=f"commitment:{made.pk}", form=form.code, number=number)
    return made


def _content(form: CommitmentForm, subject: Subject, number: str, until: date, by: User) -> dict[str, Any]:
    """What the paper says; it is in Chinese, as every paper."""
    agent = by.organisation if by.organisation is not None and by.organisation.code != subject.code else None
    signed = f"本承诺书由{agent.name}（{agent.code}）受委托代为签署。" if agent else "本承诺书由本单位自行签署。"
    return {
        "title": form.title.zh, "number": number, "party": subject.name, "code": subject.code,
        "body": [
            "本单位自愿作出以下信用承诺：",
            *[f"（{place}）{item.zh}；" for place, item in enumerate(form.promises, 1)],
            f"承诺自签署之日起生效，至{day_in_words(until)}。违背承诺的，先责令限期整改；逾期不改的，依法认定为失信行为，记入信用记录。",
            "承诺及履行情况记入信用记录，向社会公开，接受监督。",
            signed,
        ],
        "basis": [f"{item.document}{item.article}" + ("" if item.verified else "（未与原文核对）") for item in form.basis],
        "remedies": ["没有发现未履行之前，可以说明理由撤回；对核查结果有意见的，可以在企业服务中答复，立案认定的可以陈述、申辩。"],
    }  # fmt: skip


def withdraw(commitment: Commitment, *, reason: str, by: User, is_pending: bool = False) -> None:
    """Withdraw a commitment; its credit record is revoked with it, and its paper says so.

    Args:
        commitment: it simply runs.
        reason: in words.
        by: an account that acts for the enterprise.
        is_pending: of a text that stands in for papers: that the matter is not concluded yet.

    Raises:
        PermissionDenied: the account does not act for the enterprise.
        ValidationError: no reason or too long a one, the matter is concluded, or the commitment does not simply run.
    """
    if not may(by, "mine.apply") or not represents(by, commitment.subject.code):
        raise PermissionDenied
    why = said(reason)
    if len(why) > MOST_REASON:
        raise ValidationError({"text": _("理由有 %(n)s 字，最多 %(most)s 字") % {"n": len(why), "most": MOST_REASON}})
    if form_of(commitment).kind == "matter" and not is_pending:
        raise ValidationError({"is_pending": _("申请事项已经办结的，承诺不能撤回；尚未办结的请勾选")})
    today = timezone.localdate()
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().get(pk=commitment.pk)
        if standing(found, today) is not CommitmentState.RUNNING:
            raise ValidationError(_("只有履行中的承诺可以撤回；核查发现未履行的，先按要求整改"))
        found.withdrawn_on, found.withdrawn_why = today, why
        found.save()
        change_record(last_version(found.record_key), state="revoked", on=today, basis=f"撤回{found.number}", by=by)
        withdraw_issued(found.paper_id, f"承诺单位于{day_in_words(today)}撤回")
        append_one("commitment.withdraw", found.number, {"number": found.number, "reason": why})
        record_event("commitments.withdraw", by=by, ref=f"commitment:{found.pk}")
