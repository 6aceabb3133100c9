"""Opens cases and carries out their steps: permission, event, ledger entry, deadline, paper and effect in one transaction."""

from __future__ import annotations

import csv
import io
import json
import logging
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin.dataset.cells import is_placeholder
from zhixin.dataset.documents import document_key
from zhixin.dataset.hiding_persons import masked
from zhixin.dataset.sources import sources
from zhixin.law.procedures import Actor, Procedure, Transition, procedures
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may, scope_of
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.clocks import clock_of, procedure_of
from zhixin_web.cases.models import Case, CaseStep
from zhixin_web.cases.services.case_papers import issue_case_paper, withdraw_paper
from zhixin_web.collection.models import Batch
from zhixin_web.collection.scope import visible_sources
from zhixin_web.collection.services.batches import deliver, process, request_commit
from zhixin_web.evaluations.services.reevaluate_after_batch import reevaluate
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record, last_version
from zhixin_web.rulebooks.law_in_force import law_in_force

_log = logging.getLogger(__name__)
ACTIONS: dict[Actor, str] = {
    "applicant": "cases.apply",
    "officer": "cases.handle",
    "source": "cases.verify",
    "approver": "cases.decide",
}
_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Cf"})
GRADED = ("record.repair", "record.revoke", "record.publish")
"""Effects that a grade follows."""
FEWEST, MOST = 5, 4000
"""Characters of what is said of a case."""


def acts_as(user: User, actor: Actor, case: Case) -> bool:
    """Whether an account may act in a case as applicant, officer, source or approver.

    An applicant acts through its own account. What it brings to the counter is registered by an officer, in a case that was filed
    at the counter: nobody withdraws or answers for a party that acts for itself.
    """
    if actor == "applicant" and may(user, "cases.handle"):
        return case.pk is not None and not _is_party(case.opened_by, case)
    action = ACTIONS.get(actor)
    if action is None or not may(user, action):
        return False
    if actor == "applicant":
        return _is_party(user, case)
    return scope_of(user, action) == "all" or actor != "source" or case.source in visible_sources(user, action)


def _is_party(user: User, case: Case) -> bool:
    return user.organisation is not None and user.organisation.code == case.subject.code


def steps_open_to(user: User, case: Case) -> list[Transition]:
    """Return the steps that an account may carry out now."""
    procedure = procedure_of(case)
    return [
        step
        for step in procedure.leaving(case.state)
        if acts_as(user, step.by, case) and not _has_worked_on_it(case, procedure, step, user) and _is_open(case, step)
    ]


def _has_worked_on_it(case: Case, procedure: Procedure, step: Transition, user: User) -> bool:
    """Whether somebody who would decide has filed the case, or carried out a step of it that was not a decision."""
    if step.by != "approver":
        return False
    by_hand = {item.id for item in procedure.transitions if item.by != "approver"}
    return case.opened_by_id == user.pk or any(
        done.by_id == user.pk and done.transition in by_hand for done in case.steps.all()
    )


def _is_open(case: Case, step: Transition) -> bool:
    """Whether a step that may be taken once, or only if the record has changed, is open."""
    if step.is_once and any(done.transition == step.id for done in case.steps.all()):
        return False
    return step.only_if != "record_changed" or _has_changed(case)


def _has_changed(case: Case) -> bool:
    """Whether the record is another version than the one the case is about, or no longer valid."""
    if not case.record_key:
        return False
    last = last_version(case.record_key)
    return last.seq != case.record_seq or last.state != CreditRecord.State.ACTIVE or not last.body


def eligibility(record: CreditRecord, procedure: Procedure, today: date) -> dict[str, Any]:
    """Return whether an application on a record may be filed, from which day, and on whose word.

    Keys: ``is_eligible``, ``from`` (a day, or ``None``: never), ``day``, ``rulebook``.
    """
    law = law_in_force(today)
    verdict: dict[str, Any] = {
        "is_eligible": True,
        "from": None,
        "day": today.isoformat(),
        "rulebook": [r.sha256 for _pk, r in law.releases],
    }
    if procedure.eligible == "repair":
        from_ = law.repair_from(record.kind, record.stated_severity, record.decided_on)
        verdict |= {"is_eligible": from_ is not None and from_ <= today, "from": from_.isoformat() if from_ else None}
    return verdict


def open_case(
    procedure_id: str,
    *,
    subject: Subject,
    text: str,
    by: User,
    record: CreditRecord | None = None,
    details: dict[str, str] | None = None,
) -> Case:
    """Open a case about a record, or about a subject; ``details`` as :class:`~zhixin_web.cases.models.Case` has them.

    Raises:
        PermissionDenied: the account may not open such a case, or not for this subject.
        ValidationError: no text, not eligible yet (with the first day), a record that is no longer valid, or an open case on it.
    """
    procedure = procedures().get(procedure_id)
    if procedure is None:
        raise ValidationError(_("没有这种办件"))
    today = timezone.localdate()
    case = Case(
        procedure=procedure.id, definition=procedure.model_dump(mode="json", by_alias=True), subject=subject, state=procedure.start,
        text=_text(text), opened_by=by, opened_on=today,
    )  # fmt: skip
    is_party = "applicant" in procedure.opens and may(by, "cases.apply") and _is_party(by, case)
    if not is_party and not ("officer" in procedure.opens and may(by, "cases.handle")):
        raise PermissionDenied
    if procedure.about == "record":
        _about_record(case, procedure, record, today)
    if any(step.effect == "record.publish" for step in procedure.transitions):
        case.details = _grounds(details or {}, today)
    with transaction.atomic():
        lock_ledger()
        _refuse_second_determination(case)
        if (
            case.record_key
            and Case.objects.filter(procedure=case.procedure, record_key=case.record_key, is_open=True).exists()
        ):
            raise ValidationError(_("该记录已有同类办件正在办理"))
        case.save()
        append_one(
            "case.open",
            f"case:{case.pk}",
            {
                "procedure": procedure.id,
                "version": procedure.version,
                "record": case.record_seq,
                "eligibility": case.eligibility,
            },
        )
        record_event("cases.open", by=by, ref=f"case:{case.pk}", procedure=procedure.id)
        _set_deadline(case, procedure)
        case.save()
        failpoint("case.opened")
    return case


def _printable(text: str) -> str:
    """Return a text without control and private characters, which no paper can show; line breaks stay."""
    return "".join(
        char for char in text.replace("\r\n", "\n") if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE
    )


def _text(text: str) -> str:
    cleaned = masked(_printable(text)).strip()
    if not FEWEST <= len(cleaned) <= MOST:
        raise ValidationError({"text": _("请用 %(fewest)s 至 %(most)s 字说明") % {"fewest": FEWEST, "most": MOST}})
    return cleaned


def _about_record(case: Case, procedure: Procedure, record: CreditRecord | None, today: date) -> None:
    """Bind a case to the last version of its record, and keep the verdict on its eligibility."""
    if record is None or record.subject_id != case.subject.pk:
        raise ValidationError(_("请选择该企业的一条记录"))
    last = last_version(record.key)
    if last.pk != record.pk or last.state != CreditRecord.State.ACTIVE or not last.body:
        raise ValidationError(_("该记录不是有效的最新版本"))
    case.record_seq, case.record_key, case.source = last.seq, last.key, last.source
    case.eligibility = eligibility(last, procedure, today)
    if not case.eligibility["is_eligible"]:
        from_ = case.eligibility["from"]
        raise ValidationError(
            _("最短公示期未满，%(day)s 起方可申请") % {"day": from_} if from_ else _("现行规则没有规定该类记录可以修复")
        )


def _refuse_second_determination(case: Case) -> None:
    """Refuse to determine the same conduct on the same document twice: the party is not published twice for one act."""
    if not case.details:
        return
    same = Case.objects.filter(procedure=case.procedure, subject=case.subject).exclude(state__in=("dropped", "waived"))
    wanted = (case.details["conduct"], document_key(case.details["document"]))
    for pk, held in same.values_list("pk", "details"):
        if (held["conduct"], document_key(held["document"])) == wanted:
            raise ValidationError(_("同一行为、同一文书已在第 %(case)s 号办件认定或者办理") % {"case": pk})


def _grounds(details: dict[str, str], today: date) -> dict[str, str]:
    """Check what a determination rests on: no conduct is found dishonest without an effective document.

    国家知识产权局知识产权信用管理规定 第八条.
    """
    faults: dict[str, str] = {}
    conduct, document = details.get("conduct", ""), masked(_printable(details.get("document", ""))).strip()
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
    kinds = sources()["determinations"].kind_by
    assert kinds is not None
    return tuple(kinds.values)


def carry_out(case: Case, transition_id: str, *, by: User | None, reason: str = "") -> Case:
    """Carry out a step of a case; ``by`` is ``None`` for the clock.

    Raises:
        PermissionDenied: the account may not carry out this step, or decides its own proposal.
        ValidationError: not a step of this state (somebody else may have been quicker), no reason, not yet due, or what the effect
            refuses.
    """
    with transaction.atomic():
        lock_ledger()
        found = Case.objects.select_for_update().select_related("subject").get(pk=case.pk)
        procedure = procedure_of(found)
        step = next((item for item in procedure.leaving(found.state) if item.id == transition_id), None)
        if step is None:
            raise ValidationError(
                _("该办件现在处于「%(state)s」，不能办理这一步") % {"state": _title(procedure, found.state)}
            )
        _refuse_unless_permitted(found, procedure, step, by)
        if not _is_open(found, step):
            raise ValidationError(_("这一步只能办理一次，或者只在记录已变更时办理"))
        if step.needs_reason or reason.strip() or (by is not None and step.by == "applicant" and not _is_party(by, found)):
            reason = _text(reason)
        done = _step(found, step, by, reason)
        _note_persons(found, procedure, step, by)
        found.state = step.to
        found.is_open = not procedure.state(step.to).is_end
        if not found.is_open:
            found.closed_at, found.due_on, found.is_presumed = timezone.now(), None, False
        else:
            _set_deadline(found, procedure)
        found.save()
        number = issue_case_paper(found, procedure, step, done).number if step.paper else ""
        _take_effect(found, step, by, number)
        record_event(f"cases.{step.id}", by=by, ref=f"case:{found.pk}", paper=number)
        failpoint("case.stepped")
    return found


def _title(procedure: Procedure, state: str) -> str:
    return procedure.state(state).title.in_language(get_language() or "zh")


def _refuse_unless_permitted(case: Case, procedure: Procedure, step: Transition, by: User | None) -> None:
    if step.by == "clock":
        if by is not None:
            raise PermissionDenied
        now = clock_of(case, procedure, list(case.steps.order_by("position")))  # holidays may have been announced since
        due_on = max(filter(None, (case.due_on, now.due_on if now else None)), default=None)
        if due_on is None or timezone.localdate() <= due_on:
            raise ValidationError(_("期限未满"))
        return
    if by is None or not acts_as(by, step.by, case) or _has_worked_on_it(case, procedure, step, by):
        raise PermissionDenied


def _step(case: Case, step: Transition, by: User | None, reason: str) -> CaseStep:
    today = timezone.localdate()
    body = {
        "procedure": case.procedure,
        "step": step.id,
        "from": case.state,
        "to": step.to,
        "by": by.pk if by else None,
        "reason": reason,
    }
    seq = append_one("case.step", f"case:{case.pk}", body)
    return CaseStep.objects.create(
        case=case, position=case.steps.count(), transition=step.id, state_from=case.state, state_to=step.to, by=by, on=today, reason=reason,
        ledger_seq=seq,
    )  # fmt: skip


def _note_persons(case: Case, procedure: Procedure, step: Transition, by: User | None) -> None:
    """Keep whose proposal and whose decision it is where the database compares them."""
    proposals = {name for item in procedure.transitions for name in item.other_than}
    if step.id in proposals:
        case.proposed_by, case.decided_by = by, None
    elif step.other_than:
        case.decided_by = by


def _set_deadline(case: Case, procedure: Procedure) -> None:
    found = clock_of(case, procedure, list(case.steps.order_by("position")))
    case.due_on, case.is_presumed = (found.due_on, found.is_presumed) if found else (None, False)


def _take_effect(case: Case, step: Transition, by: User | None, number: str) -> None:
    """Do to the record what the step decides."""
    if step.effect in ("record.repair", "record.revoke"):
        assert by is not None
        if _has_changed(case):
            raise ValidationError(_("记录在办理期间已变更，请以「记录已变更，终止办理」结束，按新的版本重新提出"))
        last = last_version(case.record_key)
        state = "repaired" if step.effect == "record.repair" else "revoked"
        change_record(last, state=state, on=timezone.localdate(), basis=number, by=by)
        if state == "revoked":
            withdraw_paper(str(json.loads(last.body).get("document", "")), number)
    if step.effect == "record.publish":
        assert by is not None
        _deliver_record(case, number, by)


def _deliver_record(case: Case, number: str, by: User) -> None:
    """Make the decision a credit record through the pipeline that every delivery takes.

    Raises:
        ValidationError: the pipeline refused the row; the decision is then not carried out either.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["统一社会信用代码", "企业名称", "认定决定书文号", "失信行为", "认定日期", "所依据的法律文书"])
    conduct, grounds = case.details["conduct"], case.details["document"]
    rows.writerow([case.subject.code, case.subject.name, number, conduct, timezone.localdate().isoformat(), grounds])
    batch, _is_new = deliver(
        source="determinations",
        file_name=f"case-{case.pk}.csv",
        chunks=[text.getvalue().encode()],
        way=Batch.Way.CASE,
        by=by,
    )
    batch = process(batch)
    if request_commit(batch, by):
        batch.refresh_from_db()
        batch = process(batch)
    if batch.accepted != 1:
        raise ValidationError(_("批次 %(batch)s 未入库，请先处理") % {"batch": batch.pk})


def settle_case(case: Case) -> None:
    """Let the grade follow what a closed case changed; done again after a crash, it changes nothing more."""
    step = case.steps.order_by("-position").first()
    effect = procedure_of(case).transition(step.transition).effect if step is not None and not case.is_open else None
    if effect in GRADED:
        maker = case.proposed_by or case.opened_by
        run = reevaluate(case.subject.code, trigger=f"case:{case.pk}", by=maker)
        if run is not None and run.is_busy:
            return
    if not case.is_open:
        Case.objects.filter(pk=case.pk).update(is_settled=True)


def run_case_clocks() -> Iterator[str]:
    """Carry out the steps of the clock that are due, and settle what a crash left unsettled: a step of ``tick``."""
    for case in Case.objects.filter(is_open=True, due_on__lt=timezone.localdate()).select_related("subject"):
        step = next((item for item in procedure_of(case).leaving(case.state) if item.by == "clock"), None)
        if step is None:
            continue
        yield from _guarded(case, step.id, partial(carry_out, case, step.id, by=None))
    for case in Case.objects.filter(is_open=False, is_settled=False).select_related("subject"):
        yield from _guarded(case, "settled", partial(settle_case, case))


def _guarded(case: Case, what: str, act: Callable[[], Any]) -> Iterator[str]:
    """Do something to one case; what stops it does not stop the others, and the next minute tries again."""
    try:
        act()
    except ValidationError as error:
        yield f"case {case.pk}: {'; '.join(error.messages)}"
    except Exception as error:
        _log.exception("case %s: %s failed", case.pk, what)
        yield f"case {case.pk}: {what} failed ({type(error).__name__})"
    else:
        yield f"case {case.pk}: {what}"
