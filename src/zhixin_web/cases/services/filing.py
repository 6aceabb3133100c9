"""Files cases: eligibility, the record or the effective document they rest on, one open case of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin.dataset.sources import owners, sources
from zhixin.law.procedures import Procedure, procedures
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.cases.clocks import set_deadline
from zhixin_web.cases.models import Attachment, Case
from zhixin_web.cases.parties import is_party
from zhixin_web.cases.services.grounds import refuse_second, set_grounds
from zhixin_web.cases.words import said
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import is_current
from zhixin_web.rulebooks.law_in_force import law_in_force


def eligibility(record: CreditRecord, procedure: Procedure, today: date) -> dict[str, Any]:
    """Return whether an application on a record may be filed, from which day, and on whose word.

    Keys: ``is_eligible``, ``from`` (a day, or ``None``: never), ``owner`` (whom to apply to instead), ``day``, ``rulebook``.
    """
    law = law_in_force(today)
    verdict: dict[str, Any] = {
        "is_eligible": True,
        "from": None,
        "owner": "",
        "day": today.isoformat(),
        "rulebook": [r.sha256 for _pk, r in law.releases],
    }
    if procedure.eligible == "repair":
        from_ = law.repair_from(record.kind, record.stated_severity, record.decided_on)
        verdict |= {"is_eligible": from_ is not None and from_ <= today, "from": from_.isoformat() if from_ else None}
    owner = sources()[record.source].owner
    if procedure.decides_for and owner not in procedure.decides_for:
        verdict |= {"is_eligible": False, "owner": owner}
    return verdict


def open_case(
    procedure_id: str,
    *,
    subject: Subject,
    text: str,
    by: User,
    record: CreditRecord | None = None,
    details: dict[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> Case:
    """Open a case about a record, or about a subject; ``details`` as :class:`~zhixin_web.cases.models.Case` has them.

    ``attachments`` are taken from a draft; the ledger names their hashes.

    Raises:
        PermissionDenied: the account may not open such a case, or not for this subject.
        ValidationError: no text, not eligible yet (with the first day), a record that is no longer valid, or an open case on it.
    """
    procedure = procedures().get(procedure_id)
    if procedure is None:
        raise ValidationError(_("没有这种办件"))
    case = _prepared(procedure, subject, text, by)
    if procedure.about == "record":
        _about_record(case, procedure, record, case.opened_on)
    set_grounds(case, procedure, details or {})
    with transaction.atomic():
        lock_ledger()
        _refuse_second_case(case)
        refuse_second(case)
        _enter(case, procedure, attachments)
    return case


def _enter(case: Case, procedure: Procedure, attachments: Sequence[Attachment]) -> None:
    """Save a new case with its deadline, its attachments and its entries in ledger and audit trail. Call it in a transaction."""
    case.save()
    content = {
        "procedure": procedure.id, "version": procedure.version, "record": case.record_seq, "eligibility": case.eligibility,
        "attachments": [item.sha256 for item in attachments],
    }  # fmt: skip
    append_one("case.open", f"case:{case.pk}", content)
    record_event("cases.open", by=case.opened_by, ref=f"case:{case.pk}", procedure=procedure.id)
    set_deadline(case, procedure)
    case.save()
    Attachment.objects.filter(pk__in=[item.pk for item in attachments]).update(case=case, draft=None)
    failpoint("case.opened")


def _prepared(procedure: Procedure, subject: Subject, text: str, by: User) -> Case:
    """Return a case that is not saved yet, and who files it: the party through an account that acts for it, or an officer at the counter."""
    case = Case(
        procedure=procedure.id, definition=procedure.model_dump(mode="json", by_alias=True), subject=subject, state=procedure.start,
        text=said(text), opened_by=by, opened_on=timezone.localdate(),
    )  # fmt: skip
    case.is_filed_by_party = "applicant" in procedure.opens and may(by, "mine.apply") and is_party(by, case)
    if not case.is_filed_by_party and not ("officer" in procedure.opens and may(by, "cases.handle")):
        raise PermissionDenied
    return case


def _about_record(case: Case, procedure: Procedure, record: CreditRecord | None, today: date) -> None:
    """Bind a case to the last version of its record, and keep the verdict on its eligibility."""
    if record is None or record.subject_id != case.subject.pk:
        raise ValidationError(_("请选择该企业的一条记录"))
    if not is_current(record):
        raise ValidationError(_("该记录不是有效的最新版本"))
    case.record_seq, case.record_key, case.source = record.seq, record.key, record.source
    case.eligibility = eligibility(record, procedure, today)
    if case.eligibility["owner"]:
        owner = owners()[case.eligibility["owner"]]
        named = owner.zh if (get_language() or "zh").startswith("zh") else owner.en
        raise ValidationError(_("谁认定、谁修复：该信息由%(owner)s认定，请向其申请") % {"owner": named})
    if not case.eligibility["is_eligible"]:
        from_ = case.eligibility["from"]
        raise ValidationError(
            _("最短公示期未满，%(day)s 起方可申请") % {"day": from_} if from_ else _("现行规则没有规定该类记录可以修复")
        )


def _refuse_second_case(case: Case) -> None:
    """Refuse a second open case of a procedure on one record."""
    same = Case.objects.filter(procedure=case.procedure, record_key=case.record_key, is_open=True)
    if case.record_key and same.exists():
        raise ValidationError(_("该记录已有同类办件正在办理"))
