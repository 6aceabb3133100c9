"""Grounds of an entry on the serious-dishonesty list: conduct and heavy penalty, factors weighed one by one, the higher bureau's word.

总局令第44号 第二条、第九条至第十三条、第二十二条, as :mod:`zhixin.reference.listing_rules` has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.calendar import shift_months
from zhixin.law.procedures import Transition
from zhixin.reference.listing_rules import WEIGHTS, listing_rules
from zhixin_web.audit.queries import entered_at
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case, CasePaper
from zhixin_web.cases.queries import decided_record, disputed_keys, steps_taking
from zhixin_web.received.words import cleaned, fault_of
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import last_versions
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.law_in_force import law_in_force

PENALTIES = ("penalty.", "refusal.", "material.")
"""Beginnings of the kinds of records that a listing may rest on."""
STANDING = (CreditRecord.State.ACTIVE, CreditRecord.State.REPAIRED)
"""States of a penalty that a listing goes on resting on: who has made good was punished all the same."""
LISTINGS = "listings"
"""The source that these decisions make."""
LONGEST = 128
Answers = Mapping[str, str]


def penalties_of(subject: Subject) -> list[CreditRecord]:
    """Return the valid records of a subject that a listing may rest on, the newest first."""
    found = last_versions(CreditRecord.objects.filter(subject=subject, state=CreditRecord.State.ACTIVE, erased_at=None))
    return [item for item in found.order_by("-decided_on", "-seq") if item.kind.startswith(PENALTIES)]


def grounds_of_listing(subject: Subject, details: Answers, day: date) -> dict[str, Any]:
    """Check what a listing would rest on, and return it as the case keeps it.

    Args:
        subject: who would be listed.
        details: ``listing`` (code of the conduct), ``penalty`` (key of the record), ``heavy`` (why the penalty is heavy).
        day: of filing.

    Raises:
        ValidationError: by field; no such conduct, no valid penalty, one that is being verified, none that is heavy.
    """
    conduct, faults = listing_rules().conduct(details.get("listing", "")), {}
    if conduct is None:
        faults["listing"] = _("请选择列入情形")
    record = next((item for item in penalties_of(subject) if item.key == details.get("penalty", "")), None)
    if record is None:
        faults["penalty"] = _("请选择该企业一条有效的行政处罚或者不履行记录；没有生效处罚不得列入")
    elif disputed_keys([record.key]):
        faults["penalty"] = _("该记录正在异议核实，核实结束后再办理")
    elif record.publicity_until is not None and record.publicity_until <= day:
        faults["penalty"] = _("该处罚的公示期已满，不能再作为列入依据")
    elif conduct is not None and not record.kind.startswith(conduct.kinds):
        faults["penalty"] = _("该处罚的违法行为与列入情形不符")
    heavy = details.get("heavy", "")
    if conduct is not None and conduct.needs_heavy_penalty:
        if not any(item.code == heavy for item in listing_rules().penalties):
            faults["heavy"] = _("该情形须同时受到较重行政处罚；不属于较重行政处罚的不得列入")
        elif record is not None and not _is_heavy(record, heavy):
            faults["heavy"] = _("该处罚记录的处罚类别或者失信程度与所选的较重行政处罚不符")
    if faults:
        raise ValidationError(faults)
    assert conduct is not None
    assert record is not None
    return {
        "listing": conduct.code, "title": {"zh": conduct.title.zh, "en": conduct.title.en}, "records": [record.key], "penalty_seq": record.seq,
        "penalty": record.document, "penalty_on": record.decided_on.isoformat(), "heavy": heavy if conduct.needs_heavy_penalty else "",
        "rules": listing_rules().version, "filed_on": day.isoformat(),
    }  # fmt: skip


def _is_heavy(record: CreditRecord, heavy: str) -> bool:
    """Whether what the record itself says allows to call its penalty heavy in this way."""
    return record.severity != "minor" and listing_rules().fits(heavy, _types(record))


def _types(record: CreditRecord) -> list[str]:
    """Return the types of a penalty as its source reported them; none where it reports no types."""
    said = json.loads(record.body).get("reported", {}).get("penalty_types") if record.body else None
    return [name for name in re.split(r"[\s、,，;；|/]+", str(said or "")) if name]


def second_listing(case: Case) -> None:
    """Refuse to list twice for one penalty, and again for one that was decided not to list for.

    Raises:
        ValidationError: a case on this penalty is open, or was decided.
    """
    for held in Case.objects.filter(procedure=case.procedure, subject=case.subject).prefetch_related("steps"):
        if held.details["records"] == case.details["records"] and (held.is_open or _was_decided(held)):
            raise ValidationError(_("同一处罚已在第 %(case)s 号办件列入或者办理") % {"case": held.pk})


def _was_decided(case: Case) -> bool:
    """Whether an approver decided a closed case; one that was dropped before may be filed again."""
    last = max(case.steps.all(), key=lambda step: step.position)
    return procedure_of(case).transition(last.transition).by == "approver"


def renew_listing(case: Case, step: Transition, answers: Answers, today: date) -> None:
    """Take what a step is answered with, and refuse what may not go on: nothing is listed that the rules keep off the list.

    Raises:
        ValidationError: by field, what is missing; the penalty is no longer valid; a factor keeps the party off the list.
    """
    if step.asks == "factors":
        case.details = case.details | {"factors": weighed(answers)}
    if step.asks == "superior":
        case.details = case.details | {"superior": _superior(case, answers, today)}
    if not step.is_notice and step.id not in procedure_of(case).leading_to("record.list"):
        return
    record = _penalty(case)
    if step.is_notice:
        about = {"listing": case.details["listing"], "penalty": record.key, "heavy": case.details["heavy"]}
        case.details = case.details | grounds_of_listing(case.subject, about, today)
    elif record.seq != case.details["penalty_seq"]:
        raise ValidationError(_("所依据的处罚记录在告知之后已更正：请不予列入，按更正后的内容重新立案并告知"))
    else:  # the factors are weighed when the party was heard
        _refuse_unless_grave(case, today)


def _penalty(case: Case) -> CreditRecord:
    """Return the record a listing rests on in its last version.

    Raises:
        ValidationError: it is no longer valid, or being verified.
    """
    key = case.details["records"][0]
    record = last_versions(CreditRecord.objects.filter(key=key)).first()
    if record is None or record.state != CreditRecord.State.ACTIVE or record.subject_id != case.subject_id:
        raise ValidationError(_("所依据的处罚已变更、修复或者撤销：请撤销立案或者不予列入"))
    if disputed_keys([key]):
        raise ValidationError(_("该记录正在异议核实，核实结束后再办理"))
    return record


def _refuse_unless_grave(case: Case, today: date) -> None:
    rules = listing_rules()
    if not rules.requires("factor_checklist", today):
        return
    factors = case.details.get("factors", {})
    if set(factors) != {item.code for item in rules.factors}:
        raise ValidationError(_("先逐项裁量：每一项因素都须有结论"))
    absent = [
        item.title.zh for item in rules.factors if item.excludes_when_absent and factors[item.code]["weight"] == "absent"
    ]
    if absent:
        raise ValidationError(_("有证据证明没有%(factor)s的，不得列入；请不予列入") % {"factor": "、".join(absent)})
    if not any(item["weight"] == "grave" for item in factors.values()):
        raise ValidationError(_("没有一项因素属于情节严重，不符合列入条件；请不予列入"))


def weighed(answers: Answers) -> dict[str, dict[str, str]]:
    """Return how every factor was weighed and why.

    Raises:
        ValidationError: by field (``factor_…``), a factor without weight or without what it rests on.
    """
    found, faults = {}, {}
    for item in listing_rules().factors:
        weight, note = answers.get(f"factor_{item.code}", ""), cleaned(answers.get(f"note_{item.code}", ""))
        fault = fault_of(note, LONGEST, _("请写明依据的事实和证据")) if weight in WEIGHTS else _("请选择")
        if fault:
            faults[f"factor_{item.code}"] = fault
        found[item.code] = {"weight": weight, "note": note}
    if faults:
        raise ValidationError(faults)
    return found


def _superior(case: Case, answers: Answers, today: date) -> dict[str, str]:
    """Return the higher bureau's word on what was last reported to it.

    Raises:
        ValidationError: by field; no number, that of an earlier report, or a day before the report.
    """
    reported = case.steps.order_by("-position").first()
    since = reported.on if reported is not None else case.opened_on
    document, said_on = cleaned(answers.get("superior_document", "")), answers.get("superior_on", "")
    faults = {}
    if not any(char.isdecimal() for char in document):
        faults["superior_document"] = _("请填写上一级批复的文号")
    elif fault := fault_of(document, LONGEST):
        faults["superior_document"] = fault
    elif document == case.details.get("superior", {}).get("document"):
        faults["superior_document"] = _("这是上一次报送的批复；退回重审后须重新报送并填写新的批复")
    try:
        day = date.fromisoformat(said_on)
    except ValueError:
        day = None
    if day is None or not since <= day <= today:
        faults["superior_on"] = _("请填写批复日期，不早于报送之日（%(since)s），不晚于今天") % {"since": since}
    if faults:
        raise ValidationError(faults)
    assert day is not None
    return {"document": document, "on": day.isoformat()}


def is_superior_required(day: date) -> bool:
    """Whether the higher bureau must agree to a listing on a day."""
    return listing_rules().requires("superior_approval", day)


def listings_without_penalty(day: date) -> list[Case]:
    """Return the listing cases whose listing is valid on a day although the penalty it rests on is not (第十九条: to be lifted)."""
    listed = Case.objects.filter(steps__in=steps_taking("record.list")).select_related("subject")
    by_penalty = {item.details["records"][0]: item for item in listed}
    fallen = last_versions(CreditRecord.objects.filter(key__in=list(by_penalty))).exclude(state__in=STANDING)
    cases = [by_penalty[item.key] for item in fallen]
    return [case for case in cases if (record := listing_record(case)) is not None and is_listed(record, day)]


def listing_record(case: Case) -> CreditRecord | None:
    """Return the record that a case has put on the list, in its last version."""
    return decided_record(case, "record.list", LISTINGS)


def is_without_penalty(record: CreditRecord) -> bool:
    """Whether a record is an entry on the list whose penalty is no longer valid, so that it is to be lifted."""
    paper = (
        CasePaper.objects.filter(number=record.document, step__in=steps_taking("record.list"))
        .select_related("step__case")
        .first()
    )
    if record.source != LISTINGS or paper is None:
        return False
    return (
        last_versions(CreditRecord.objects.filter(key=paper.step.case.details["records"][0]))
        .exclude(state__in=STANDING)
        .exists()
    )


def is_listed(record: CreditRecord, day: date) -> bool:
    """Whether a record keeps its subject on the list on a day."""
    return record.state == CreditRecord.State.ACTIVE and (record.valid_until is None or record.valid_until > day)


def removed_on(day: date) -> date:
    """Return the first day on which a subject that is listed on a day is no longer on the list, by the term in force.

    Raises:
        ValidationError: no rulebook in force sets the term in years.
    """
    deadline, years, _source = law_in_force(day).deadline("listing.term")
    if deadline.unit != "year":
        raise ValidationError(_("没有生效的规则规定「%(name)s」的期限；请先发布规则") % {"name": "listing.term"})
    return shift_months(day, 12 * years)


def lift_by(case: Case) -> date | None:
    """Return the last day to lift a listing whose penalty fell, counted from its entry in the ledger; ``None``: no rulebook sets the term."""
    penalty = last_versions(CreditRecord.objects.filter(key=case.details["records"][0])).get()
    try:
        return clock("listing.lift", timezone.localdate(entered_at(penalty.seq))).due_on
    except ValidationError:
        return None


def listed_now(subject: Subject, day: date) -> list[CreditRecord]:
    """Return the entries by which a subject is on the serious-dishonesty list on a day."""
    rows = last_versions(CreditRecord.objects.filter(subject=subject, kind="list.serious"))
    return [item for item in rows.order_by("seq") if is_listed(item, day)]


def refuse_removal(record: CreditRecord) -> None:
    """Refuse early removal of who was punished heavily again since it was listed (第十六条).

    Raises:
        ValidationError: names the penalty.
    """
    if record.kind != "list.serious":
        return
    for item in penalties_of(record.subject):
        if item.decided_on > record.decided_on and (item.severity == "serious" or _restricts(item)):
            raise ValidationError(
                _("列入之后又受到处罚（%(document)s，%(day)s），不符合提前移出条件")
                % {"document": item.document, "day": item.decided_on}
            )


def _restricts(record: CreditRecord) -> bool:
    """Whether the type of a penalty is by itself a heavy one: a licence, a business, a profession."""
    return bool(_types(record)) and any(_is_heavy(record, code) for code in ("licence", "restriction"))
