"""Grounds of cases about a subject: the document of a determination, the catalogue's word on a measure.

They are set when a case is opened and, for a measure, anew at the notice and at the decision: nothing rests on what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.cell_parsers import is_placeholder
from zhixin.dataset.documents import document_key
from zhixin.dataset.sources import determinations
from zhixin.law.procedures import Procedure, Transition
from zhixin.law.proportionality import Allowed, Refused
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case
from zhixin_web.cases.queries import disputed_keys, steps_taking
from zhixin_web.cases.services.listing import grounds_of_listing, refuse_removal, renew_listing, second_listing
from zhixin_web.cases.words import FEWEST
from zhixin_web.measures.judging import judged
from zhixin_web.measures.queries import running_measures
from zhixin_web.measures.words import refusal_in_words
from zhixin_web.received.words import cleaned
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.rulebooks.law_in_force import law_in_force


def set_grounds(case: Case, procedure: Procedure, details: dict[str, Any]) -> None:
    """Check what a case about a subject rests on, and keep it with the case.

    Raises:
        ValidationError: no effective document, or a measure that the catalogue does not allow.
    """
    if procedure.taking("record.publish"):
        case.details = _of_determination(details, case.opened_on)
    if procedure.taking("record.list"):
        case.details = grounds_of_listing(case.subject, details, case.opened_on)
    if procedure.taking("measure.impose"):
        case.details = _of_measure(case.subject, str(details.get("measure", "")), case.opened_on)


def refuse_second(case: Case) -> None:
    """Refuse a second case of the same matter; see the functions below."""
    if "conduct" in case.details:
        _second_determination(case)
    if "measure" in case.details:
        _second_measure(case)
    if "listing" in case.details:
        second_listing(case)


def renew_grounds(case: Case, step: Transition, answers: Mapping[str, str]) -> None:
    """Look up again what a case rests on, before a step that notifies the party or decides against it.

    Args:
        case: changed, not saved.
        step: about to be carried out.
        answers: to what the step asks.

    Raises:
        ValidationError: it is not allowed any more, differs from what the party was told, or an answer is missing.
    """
    if case.record_seq is not None and step.id in procedure_of(case).leading_to("record.repair"):
        refuse_removal(CreditRecord.objects.select_related("subject").get(pk=case.record_seq))
    if "listing" in case.details:
        renew_listing(case, step, answers, timezone.localdate())
    if "measure" in case.details and (step.is_notice or step.effect == "measure.impose"):
        case.details = _grounds_today(case, is_told=not step.is_notice)


def may_be_imposed(case: Case) -> bool:
    """Check whether the measure of a case is still allowed today, on the grounds in its notice where one was served."""
    try:
        _grounds_today(case, is_told=case.steps.exists())
    except UnderVerification:
        return True
    except ValidationError:
        return False
    return True


class UnderVerification(ValidationError):
    """What a measure would rest on is being verified: not now, yet not never."""


def _grounds_today(case: Case, *, is_told: bool) -> dict[str, Any]:
    """Return the grounds of a measure as of today.

    Args:
        case: with ``details`` of a measure.
        is_told: whether a notice was served; the grounds then may not go beyond those of the notice.

    Raises:
        ValidationError: the measure is not allowed, or its grounds differ from the notice.
    """
    told = case.details
    found = _of_measure(case.subject, told["measure"], timezone.localdate(), told["records"] if is_told else None)
    differs = any(told["facts"].get(key) != fact for key, fact in found["facts"].items()) or found["until"] > told["until"]
    if is_told and differs:
        raise ValidationError(_("所针对的失信信息或者期限与告知的不同：请终止办理，重新启动并告知"))
    return found


def _of_measure(subject: Subject, code: str, day: date, only: list[str] | None = None) -> dict[str, Any]:
    """Return what a measure rests on that the catalogue allows on a day.

    Keys: ``measure, title, grade, records, facts`` (kind and day of each record), ``until, basis`` (in words), ``left_out`` (records
    that are being verified: nothing rests on them). ``only``: the records that may count.

    Raises:
        ValidationError: it is not allowed, or all it could rest on is being verified.
    """
    verdict, grade = judged(subject, code, day, only)
    if isinstance(verdict, Refused):
        raise ValidationError(refusal_in_words(verdict))
    disputed = disputed_keys(verdict.keys)
    if disputed:
        verdict, grade = judged(subject, code, day, [key for key in verdict.keys if key not in disputed])
        if isinstance(verdict, Refused):
            raise UnderVerification(_("所针对的失信信息正在异议核实，核实结束后再办理"))
    title = verdict.definition.title
    facts = {item.key: [item.kind, item.decided_on.isoformat()] for answer in verdict.answers for item in answer.conduct}
    return {
        "measure": code, "title": {"zh": title.zh, "en": title.en}, "grade": grade, "records": verdict.keys, "facts": facts,
        "until": verdict.until.isoformat(), "basis": _articles(verdict, day), "left_out": sorted(disputed),
    }  # fmt: skip


def _articles(verdict: Allowed, day: date) -> list[str]:
    """Return the articles that a measure rests on, with the title of each document."""
    rulebook = law_in_force(day).rulebook
    documents = rulebook.documents if rulebook is not None else {}
    parts = [*verdict.definition.basis, *(part for answer in verdict.answers for part in answer.basis)]
    said = []
    for part in parts:
        document = documents.get(part.document)
        number = f"（{document.number}）" if document is not None and document.number else ""
        said.append(f"{document.title.zh if document is not None else part.document}{number}{part.article or ''}")
    return list(dict.fromkeys(said))


def _second_measure(case: Case) -> None:
    """Refuse a measure that is being prepared already, that was waived for the same records, or that runs as long."""
    code, wanted = case.details["measure"], set(case.details["records"])
    for held in Case.objects.filter(procedure=case.procedure, subject=case.subject).prefetch_related("steps"):
        if held.details["measure"] != code:
            continue
        if held.is_open:
            raise ValidationError(_("同一措施已在第 %(case)s 号办件办理") % {"case": held.pk})
        if wanted <= set(held.details["records"]) and _was_decided_in_favour(held):
            raise ValidationError(
                _("第 %(case)s 号办件已决定对同样的失信信息不予实施；没有新的失信信息不得再次启动") % {"case": held.pk}
            )
    running = running_measures(case.opened_on).filter(subject=case.subject, code=code).first()
    if running is not None and running.until.isoformat() >= case.details["until"]:
        raise ValidationError(_("同一措施正在实施，至 %(day)s") % {"day": running.until})


def _was_decided_in_favour(case: Case) -> bool:
    """Whether a closed case ended with a decision of an approver that favours the party."""
    last = max(case.steps.all(), key=lambda step: step.position)
    step = procedure_of(case).transition(last.transition)
    return step.by == "approver" and step.is_favourable


def _second_determination(case: Case) -> None:
    """Refuse to determine the same conduct on the same document twice: the party is not published twice for one act."""
    counting = Q(is_open=True) | Q(steps__in=steps_taking("record.publish"))
    same = Case.objects.filter(counting, procedure=case.procedure, subject=case.subject)
    wanted = (case.details["conduct"], document_key(case.details["document"]))
    for pk, held in same.values_list("pk", "details"):
        if (held["conduct"], document_key(held["document"])) == wanted:
            raise ValidationError(_("同一行为、同一文书已在第 %(case)s 号办件认定或者办理") % {"case": pk})


def _of_determination(details: dict[str, str], today: date) -> dict[str, str]:
    """Check what a determination rests on: no conduct is found dishonest without an effective document.

    国家知识产权局知识产权信用管理规定 第八条.
    """
    faults: dict[str, str] = {}
    conduct, document = details.get("conduct", ""), cleaned(details.get("document", ""))
    if conduct not in conducts():
        faults["conduct"] = _("请选择失信行为")
    if (
        len(document) < FEWEST
        or len(document) > 128
        or is_placeholder(document)
        or not any(char.isdecimal() for char in document)
    ):
        faults["document"] = _("请填写已生效法律文书的文号；没有生效文书不得认定")
    try:
        day = date.fromisoformat(details.get("document_on", ""))
    except ValueError:
        day = None
    if day is None or day > today:
        faults["document_on"] = _("请填写文书日期，不晚于今天")
    if details.get("is_final") != "1":
        faults["is_final"] = _("未生效的文书不得作为认定依据（可以复议、起诉的期限未满，或者复议、诉讼未终结）")
    if faults:
        raise ValidationError(faults)
    assert day is not None
    commitment = {"commitment": details["commitment"]} if "commitment" in details else {}
    return {"conduct": conduct, "document": document, "document_on": day.isoformat(), "is_final": "1"} | commitment


def conducts() -> tuple[str, ...]:
    """Return the kinds of conduct that may be found dishonest, as the source of determinations names them."""
    return determinations().choices(determinations().field("conduct"))
