"""Grounds of cases about a subject: the document of a determination, the catalogue's word on a measure.

They are set when a case is opened and, for a measure, once more when it is imposed: nothing rests on what has changed meanwhile.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from zhixin.dataset.cell_parsers import is_placeholder
from zhixin.dataset.documents import document_key
from zhixin.dataset.hiding_persons import masked
from zhixin.dataset.sources import determinations
from zhixin.law.procedures import Procedure
from zhixin.law.proportionality import Refused
from zhixin_web.cases.models import Case
from zhixin_web.cases.queries import disputed_keys, steps_taking
from zhixin_web.cases.words import FEWEST
from zhixin_web.measures.judging import judged
from zhixin_web.measures.queries import running_measures
from zhixin_web.measures.words import refusal_in_words
from zhixin_web.received.words import printable
from zhixin_web.records.models import Subject


def set_grounds(case: Case, procedure: Procedure, details: dict[str, Any]) -> None:
    """Check what a case about a subject rests on, and keep it with the case.

    Raises:
        ValidationError: no effective document, or a measure that the catalogue does not allow.
    """
    if procedure.taking("record.publish"):
        case.details = _of_determination(details, case.opened_on)
    if procedure.taking("measure.impose"):
        case.details = grounds_of_measure(case.subject, str(details.get("measure", "")), case.opened_on)


def refuse_second(case: Case) -> None:
    """Refuse a second case of the same matter; see the functions below."""
    if "conduct" in case.details:
        _second_determination(case)
    if "measure" in case.details:
        _second_measure(case)


def grounds_of_measure(subject: Subject, code: str, day: date, only: list[str] | None = None) -> dict[str, Any]:
    """Return a measure that the catalogue allows on a day, as a case keeps it; ``only``: the records that the party was told of.

    Keys: ``measure, title, grade, records, until``.

    Raises:
        ValidationError: it is not allowed, or what it rests on is being verified.
    """
    verdict, grade = judged(subject, code, day, only)
    if isinstance(verdict, Refused):
        raise ValidationError(refusal_in_words(verdict))
    if disputed_keys(verdict.keys):
        raise ValidationError(_("所针对的失信信息正在异议核实，核实结束后再办理"))
    title = verdict.definition.title
    return {
        "measure": code, "title": {"zh": title.zh, "en": title.en}, "grade": grade, "records": verdict.keys,
        "until": verdict.until.isoformat(),
    }  # fmt: skip


def may_be_imposed(case: Case, day: date) -> bool:
    """Whether the catalogue still allows the measure that a case is about, on the records that the party was told of."""
    return not isinstance(judged(case.subject, case.details["measure"], day, case.details["records"])[0], Refused)


def _second_measure(case: Case) -> None:
    """Refuse a measure that is being prepared already, or that runs as long."""
    code = case.details["measure"]
    for pk, held in Case.objects.filter(procedure=case.procedure, subject=case.subject, is_open=True).values_list(
        "pk", "details"
    ):
        if held["measure"] == code:
            raise ValidationError(_("同一措施已在第 %(case)s 号办件办理") % {"case": pk})
    running = running_measures(case.opened_on).filter(subject=case.subject, code=code).first()
    if running is not None and running.until.isoformat() >= case.details["until"]:
        raise ValidationError(_("同一措施正在实施，至 %(day)s") % {"day": running.until})


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
    conduct, document = details.get("conduct", ""), masked(printable(details.get("document", ""))).strip()
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
    return {"conduct": conduct, "document": document, "document_on": day.isoformat(), "is_final": "1"}


def conducts() -> tuple[str, ...]:
    """Return the kinds of conduct that may be found dishonest, as the source of determinations names them."""
    return determinations().choices(determinations().field("conduct"))
