"""Does what a case decided: to the record, to measures, to the paper of a revoked decision, to the grade."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.dataset.sources import determinations
from zhixin.law.procedures import Transition
from zhixin_web.accounts.models import User
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.case_papers import withdraw_paper
from zhixin_web.cases.services.listing import LISTINGS, removed_on
from zhixin_web.collection.services.own_decisions import deliver_own
from zhixin_web.evaluations.services.reevaluate_after_batch import reevaluate
from zhixin_web.measures.services.imposing import follow_subject, impose
from zhixin_web.papers.services.issue import AUTHORITY
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.services.repair_and_revocation import change_record, is_current, last_version

GRADED = ("record.repair", "record.revoke", "record.publish", "record.list")
"""Effects that a grade follows."""


def has_changed(case: Case) -> bool:
    """Whether the record is another version than the one the case is about, or no longer valid."""
    return case.record_seq is not None and not is_current(CreditRecord.objects.get(pk=case.record_seq))


def take_effect(case: Case, step: Transition, by: User | None, number: str) -> None:
    """Do to the record what the step decides."""
    if step.effect in ("record.repair", "record.revoke"):
        assert by is not None
        if has_changed(case):
            raise ValidationError(_("记录在办理期间已变更，请以「记录已变更，终止办理」结束，按新的版本重新提出"))
        last = last_version(case.record_key)
        state = "repaired" if step.effect == "record.repair" else "revoked"
        change_record(last, state=state, on=timezone.localdate(), basis=number, by=by)
        follow_subject(case.subject)
        if state == "revoked":
            withdraw_paper(last.document, number)
    if step.effect == "measure.impose":
        assert by is not None
        assert case.proposed_by is not None
        impose(
            case.subject, case.details["measure"], only=case.details["records"], case=f"case:{case.pk}", number=number,
            proposed_by=case.proposed_by, decided_by=by,
        )  # fmt: skip
    if step.effect == "record.publish":
        assert by is not None
        row = {
            "认定决定书文号": number, "失信行为": case.details["conduct"], "认定日期": timezone.localdate().isoformat(),
            "所依据的法律文书": case.details["document"],
        }  # fmt: skip
        deliver_own(determinations().id, case.subject, row, name=f"case-{case.pk}", by=by)
    if step.effect == "record.list":
        assert by is not None
        row = {
            "列入决定书文号": number, "列入事由": case.details["title"]["zh"], "列入日期": timezone.localdate().isoformat(),
            "移出日期": removed_on(timezone.localdate()).isoformat(), "列入机关": AUTHORITY,
        }  # fmt: skip
        deliver_own(LISTINGS, case.subject, row, name=f"case-{case.pk}", by=by)
        follow_subject(case.subject)


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
