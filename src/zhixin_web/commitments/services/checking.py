"""Checking whether commitments are kept: a breach is put right first, answered by the enterprise, determined by two."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.paper_numbers import COMMITMENT_ORDERS
from zhixin.law.reckoning_of_terms import reckon
from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.accounts.representation import represents
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.words import said
from zhixin_web.collection.services.batches import unsettle_batch
from zhixin_web.commitments.models import Commitment, CommitmentCheck
from zhixin_web.commitments.queries import checks_of, standing
from zhixin_web.commitments.standing import CommitmentState, dues_of, form_of
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import day_in_words, issue_paper, withdraw_issued
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.scope import visible_subjects
from zhixin_web.records.services.repair_and_revocation import change_record, last_version

CONDUCT = "承诺不实或未履行承诺"
"""The kind of dishonest conduct, as the source of determinations names it."""
WORDS = {"code": "统一社会信用代码", "basis": "依据", "remedies": "权利", "verify": "扫码或访问以下地址验证："}
BASIS = "河南省社会信用条例第五十八条"
Outcome = CommitmentCheck.Outcome


def check(
    commitment: Commitment, *, outcome: str, promises: Collection[str], finding: str, seen: int, by: User
) -> CommitmentCheck:
    """Enter what was found of a commitment; one not kept gets a term to be put right, and the enterprise a paper that says so.

    Found not kept again, it keeps the term it was given: nobody puts it off.

    Args:
        commitment: it binds.
        outcome: a value of :class:`~zhixin_web.commitments.models.CommitmentCheck.Outcome`.
        promises: codes of what was not kept.
        finding: facts, in words.
        seen: how many checks there were when the page was read.
        by: the officer.

    Raises:
        PermissionDenied: the account may not check.
        ValidationError: by field; or the commitment does not bind any more, or somebody else has checked it meanwhile.
    """
    if not may(by, "commitments.check") or not visible_subjects(by).filter(pk=commitment.subject_id).exists():
        raise PermissionDenied
    today = timezone.localdate()
    _refuse_contradictions(commitment, outcome, set(promises), today)
    words = said(finding)
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().select_related("subject").get(pk=commitment.pk)
        if standing(found, today) not in (CommitmentState.RUNNING, CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE):
            raise ValidationError(_("该承诺已经终止，或者正在认定，不再核查"))
        before = checks_of(found)
        if len(before) != seen:
            raise ValidationError(_("他人刚登记了核查结果，请核对后再提交"))
        named = [item.code for item in form_of(found).promises if item.code in promises]
        made = CommitmentCheck(
            commitment=found, position=len(before), outcome=outcome, promises=named, finding=words, by=by, on=today
        )
        if outcome == Outcome.NOT_KEPT:
            _order(made, before[-1] if before and standing(found, today) is not CommitmentState.RUNNING else None)
        body = {
            "number": found.number, "outcome": str(outcome), "promises": named, "by": by.pk, "finding": words,
            "rectify_by": made.rectify_by.isoformat() if made.rectify_by else None, "order": made.number,
        }  # fmt: skip
        made.ledger_seq = append_one("commitment.check", found.number, body)
        made.save()
        record_event("commitments.check", by=by, ref=f"commitment:{found.pk}", outcome=str(outcome))
    return made


def _refuse_contradictions(commitment: Commitment, outcome: str, promises: set[str], today: date) -> None:
    """Refuse an outcome that is none, promises that are none or not due yet, and what says both kept and not kept."""
    dues = {item.promise.code: item.by for item in dues_of(commitment)}
    faults = {}
    if outcome not in Outcome.values:
        faults["outcome"] = _("请选择核查结果")
    elif promises - dues.keys():
        faults["promises"] = _("勾选的事项不在承诺书中")
    elif outcome == Outcome.KEPT and promises:
        faults["promises"] = _("核查结果是已履行，却勾选了没有履行的事项：请只选其一")
    elif outcome == Outcome.NOT_KEPT and not promises:
        faults["promises"] = _("请勾选没有履行的承诺事项")
    early = [day for code in promises if (day := dues.get(code)) is not None and day >= today]
    if early and not faults:
        faults["promises"] = _("所勾选的事项 %(day)s 才到期，到期之前不能认为没有履行") % {"day": max(early)}
    if faults:
        raise ValidationError(faults)


def _order(made: CommitmentCheck, running: CommitmentCheck | None) -> None:
    """Set the last day to put a breach right: that of the order that runs already, else a new one with its paper."""
    if running is not None:
        if not set(made.promises) <= set(running.promises):
            raise ValidationError({"promises": _("正在整改的只是先前所列的事项；另外发现的，请在这次整改了结后另行核查")})
        made.rectify_by, made.is_presumed, made.number, made.paper = (
            running.rectify_by, running.is_presumed, running.number, running.paper,
        )  # fmt: skip
        return
    commitment, today = made.commitment, made.on
    limit = commitment_forms().limit("rectify_days", today)
    term = reckon(today, limit.value, limit.unit)
    made.rectify_by, made.is_presumed = term.due_on, term.is_presumed
    issued = CommitmentCheck.objects.filter(on__year=today.year).exclude(number="").values("number").distinct().count()
    made.number = f"{COMMITMENT_ORDERS}〔{today.year}〕{issued + 1}号"
    titles = {item.code: item.zh for item in form_of(commitment).promises}
    presumed = "（节假日安排尚未公布，推算）" if term.is_presumed else ""
    content = {
        "title": "责令履行信用承诺通知书", "number": made.number, "party": commitment.subject.name, "code": commitment.subject.code,
        "body": [
            f"你单位签署的{commitment.number}《{form_of(commitment).title.zh}》中，下列事项经核查没有履行：",
            *[f"{titles[code]}；" for code in made.promises],
            f"核查的事实：{made.finding}。",
            f"请在{day_in_words(term.due_on)}{presumed}之前整改，并在企业服务「信用承诺」中答复。逾期不改的，将立案认定。",
        ],
        "basis": [BASIS], "remedies": ["对核查结果有意见的，可以在企业服务「信用承诺」中答复；立案认定的，有权陈述、申辩。"],
    }  # fmt: skip
    made.paper = issue_paper(
        Paper.Kind.COMMITMENT, "case_paper.typ", content, today, number=made.number, subject_id=commitment.subject_id,
        shown={"words": WORDS},
    )  # fmt: skip


def answer(commitment: Commitment, *, text: str, by: User) -> None:
    """Enter what the enterprise says of the last check; it may say more later, what it said before stays in the ledger.

    Raises:
        PermissionDenied: the account does not act for the enterprise.
        ValidationError: too short or too long, or no breach is to be put right.
    """
    if not may(by, "mine.apply") or not represents(by, commitment.subject.code):
        raise PermissionDenied
    words = said(text)
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().get(pk=commitment.pk)
        if standing(found, timezone.localdate()) not in (CommitmentState.TO_RECTIFY, CommitmentState.OVERDUE):
            raise ValidationError(_("现在没有需要答复的核查"))
        last = checks_of(found)[-1]
        last.answer, last.answered_on, last.answered_by = words, timezone.localdate(), by
        last.save()
        append_one("commitment.answer", found.number, {"number": found.number, "check": last.position, "text": words})
        record_event("commitments.answer", by=by, ref=f"commitment:{found.pk}")


def begin_determination(commitment: Commitment, *, details: Mapping[str, str], text: str, by: User) -> Case:
    """Open the case that determines whether a commitment was broken, once the time to put it right is over.

    The case says which commitment, what was not kept and until when it was to be put right.

    Raises:
        PermissionDenied: the account opens no cases.
        ValidationError: the time is not over, the document is older than the commitment, or what the case refuses.
    """
    with transaction.atomic():
        lock_ledger()
        found = Commitment.objects.select_for_update().select_related("subject").get(pk=commitment.pk)
        if standing(found, timezone.localdate()) is not CommitmentState.OVERDUE:
            raise ValidationError(_("整改期限届满仍未履行的，方可立案认定"))
        if details.get("document_on", "") < found.signed_on.isoformat():
            raise ValidationError(
                {"document_on": _("文书早于签署承诺之日（%(day)s），不能证明承诺没有履行") % {"day": found.signed_on}}
            )
        grounds: dict[str, Any] = {**details, "conduct": CONDUCT, "commitment": found.number}
        whole = f"{_facts(found)}{said(text)}"
        case = open_case("determination", subject=found.subject, text=whole, details=grounds, by=by)
        found.determination = case
        found.save()
        record_event("commitments.determine", by=by, ref=f"commitment:{found.pk}", case=case.pk)
    return case


def _facts(commitment: Commitment) -> str:
    """Say, in the words of the notice, what was promised and not kept; notices are in Chinese."""
    form, last = form_of(commitment), checks_of(commitment)[-1]
    titles = {item.code: item.zh for item in form.promises}
    assert last.rectify_by is not None
    said_of = "；".join(titles[code] for code in last.promises)
    return (
        f"{day_in_words(commitment.signed_on)}签署的{commitment.number}《{form.title.zh}》中，「{said_of}」经核查没有履行；"
        f"{last.number}责令在{day_in_words(last.rectify_by)}之前整改，期满仍未履行。"
    )


def follow_broken() -> Iterator[str]:
    """End the signature's record of a commitment that was found broken, and say so on its paper: a step of ``tick``."""
    today = timezone.localdate()
    for item in Commitment.objects.filter(determination__is_open=False).select_related("subject", "determination"):
        case = item.determination
        record = last_version(item.record_key)
        if case is None or case.decided_by is None or record.state != CreditRecord.State.ACTIVE:
            continue
        if standing(item, today) is not CommitmentState.BROKEN:
            continue
        with transaction.atomic():
            change_record(record, state="revoked", on=today, basis=f"认定违背{item.number}", by=case.decided_by)
            withdraw_issued(item.paper_id, f"已认定违背承诺（办件 {case.pk}）")
            unsettle_batch(record.batch_id)
        yield f"commitment {item.pk}: its record ended, it was broken"
