"""Signing, withdrawing and checking commitments, and beginning the determination of a broken one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_months
from zhixin.law.paper_numbers import COMMITMENTS
from zhixin.law.reckoning_of_terms import reckon
from zhixin.reference.commitment_forms import CommitmentForm, commitment_forms
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.accounts.representation import represents
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.words import said
from zhixin_web.collection.services.own_decisions import deliver_own
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.queries import standing, why_not
from zhixin_web.commitments.standing import CommitmentState, form_of
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import day_in_words, issue_paper
from zhixin_web.records.models import Subject
from zhixin_web.records.scope import visible_subjects
from zhixin_web.records.services.repair_and_revocation import change_record, last_version

SOURCE, ITEM = "declarations", "信用承诺"
CONDUCT = "承诺不实或未履行承诺"
"""The kind of dishonest conduct, as the source of determinations names it."""
WORDS = {"code": "统一社会信用代码", "basis": "依据", "remedies": "权利", "verify": "扫码或访问以下地址验证："}
Outcome = CommitmentCheck.Outcome


def sign(code: str, *, subject: Subject, read: Collection[str], by: User) -> Commitment:
    """Sign a text for an enterprise: number, paper, credit record and ledger entry in one transaction.

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
        content = _content(form, subject, number, until)
        paper = issue_paper(
            Paper.Kind.COMMITMENT,
            "case_paper.typ",
            content,
            today,
            number=number,
            subject_id=subject.pk,
            shown={"words": WORDS},
        )
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


def _content(form: CommitmentForm, subject: Subject, number: str, until: Any) -> dict[str, Any]:
    """What the paper says; it is in Chinese, as every paper."""
    promises = [f"（{place}）{item.zh}；" for place, item in enumerate(form.promises, 1)]
    return {
        "title": form.title.zh, "number": number, "party": subject.name, "code": subject.code,
        "body": [
            "本单位自愿作出以下信用承诺：", *promises,
            f"承诺自签署之日起生效，至{day_in_words(until)}。违背承诺的，先责令限期整改；逾期不改的，依法认定为失信行为，记入信用记录。",
            "承诺及履行情况记入信用记录，向社会公开，接受监督。",
        ],
        "basis": [f"{item.document}{item.article}" + ("" if item.verified else "（未与原文核对）") for item in form.basis],
        "remedies": ["没有被认定违背承诺之前，可以说明理由撤回；对核查结果有意见的，可以陈述、申辩。"],
    }  # fmt: skip


def withdraw(commitment: Commitment, *, reason: str, by: User) -> None:
    """Withdraw a commitment; its credit record is revoked with it.

    Raises:
        PermissionDenied: the account does not act for the enterprise.
        ValidationError: no reason, or it does not simply run: a breach is being followed, or it has ended.
    """
    if not may(by, "mine.apply") or not represents(by, commitment.subject.code):
        raise PermissionDenied
    why = said(reason)[:200]
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().get(pk=commitment.pk)
        if standing(found, timezone.localdate()) is not CommitmentState.RUNNING:
            raise ValidationError(_("只有履行中的承诺可以撤回；核查发现未履行的，先按要求整改"))
        found.withdrawn_on, found.withdrawn_why = timezone.localdate(), why
        found.save()
        record = last_version(found.record_key)
        change_record(record, state="revoked", on=timezone.localdate(), basis=f"撤回{found.number}", by=by)
        append_one("commitment.withdraw", found.number, {"number": found.number, "reason": why})
        record_event("commitments.withdraw", by=by, ref=f"commitment:{found.pk}")


def check(commitment: Commitment, *, outcome: str, promises: Collection[str], finding: str, by: User) -> CommitmentCheck:
    """Enter what was found of a commitment; one not kept gets a term to be put right.

    Raises:
        PermissionDenied: the account may not check.
        ValidationError: by field; or the commitment does not bind any more.
    """
    if not _may_check(by, commitment):
        raise PermissionDenied
    form, today = form_of(commitment), timezone.localdate()
    named = [item.code for item in form.promises if item.code in promises]
    faults = {}
    if outcome not in Outcome.values:
        faults["outcome"] = _("请选择核查结果")
    elif outcome == Outcome.NOT_KEPT and not named:
        faults["promises"] = _("请勾选没有履行的承诺事项")
    if faults:
        raise ValidationError(faults)
    words = said(finding)
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().get(pk=commitment.pk)
        if standing(found, today) not in (CommitmentState.RUNNING, CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE):
            raise ValidationError(_("该承诺已经终止，或者正在认定，不再核查"))
        limit = commitment_forms().limit("rectify_days", today)
        term = reckon(today, limit.value, limit.unit) if outcome == Outcome.NOT_KEPT else None
        body = {
            "number": found.number, "outcome": str(outcome), "promises": named if term else [], "by": by.pk, "finding": words,
            "rectify_by": term.due_on.isoformat() if term else None,
        }  # fmt: skip
        made = CommitmentCheck.objects.create(
            commitment=found, position=found.checks.count(), outcome=outcome, promises=body["promises"], finding=words, by=by, on=today,
            rectify_by=term.due_on if term else None, is_presumed=term.is_presumed if term else False,
            ledger_seq=append_one("commitment.check", found.number, body),
        )  # fmt: skip
        record_event("commitments.check", by=by, ref=f"commitment:{found.pk}", outcome=outcome)
    return made


def _may_check(by: User, commitment: Commitment) -> bool:
    return may(by, "commitments.check") and visible_subjects(by).filter(pk=commitment.subject_id).exists()


def begin_determination(commitment: Commitment, *, details: Mapping[str, str], text: str, by: User) -> Case:
    """Open the case that determines whether a commitment was broken, once the time to put it right is over.

    Raises:
        PermissionDenied: the account opens no cases.
        ValidationError: the time is not over, or what the case refuses: no effective document.
    """
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().get(pk=commitment.pk)
        if standing(found, timezone.localdate()) is not CommitmentState.OVERDUE:
            raise ValidationError(_("整改期限届满仍未履行的，方可立案认定"))
        case = open_case(
            "determination", subject=found.subject, text=text, details=dict(details) | {"conduct": CONDUCT}, by=by
        )
        found.determination = case
        found.save()
        record_event("commitments.determine", by=by, ref=f"commitment:{found.pk}", case=case.pk)
    return case
