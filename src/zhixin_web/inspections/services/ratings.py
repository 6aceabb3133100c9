"""What an inspected enterprise says of a visit: once, after the result was entered, for the auditor's eyes."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zhixin.dataset.hiding_persons import masked
from zhixin_web.accounts.models import User
from zhixin_web.accounts.representation import represents
from zhixin_web.audit.services.events import record_event
from zhixin_web.inspections.models import VISITED, Task, VisitRating

QUESTIONS: dict[str, Promise] = {
    "showed_certificates": gettext_lazy("检查人员是否出示了执法证件，且不少于两人"),
    "kept_to_items": gettext_lazy("是否只检查了告知的事项"),
    "took_nothing": gettext_lazy("检查人员是否没有收受财物、接受宴请或提出与检查无关的要求"),
    "caused_no_stop": gettext_lazy("检查是否没有造成不必要的停工停产"),
}
MOST_WORDS = 1000


def rate_visit(task: Task, answers: Mapping[str, str], text: str, by: User) -> VisitRating:
    """Keep an enterprise's answers on a visit.

    Raises:
        PermissionDenied: the account does not act for the enterprise.
        ValidationError: no result yet, rated already, or a question without an answer.
    """
    if not represents(by, task.subject.code):
        raise PermissionDenied
    faults = {name: _("请选择是或否") for name in QUESTIONS if answers.get(name) not in ("yes", "no")}
    if len(text) > MOST_WORDS:
        faults["text"] = _("最多 %(most)s 字") % {"most": MOST_WORDS}
    if faults:
        raise ValidationError(faults)
    with transaction.atomic():
        held = Task.objects.select_for_update().get(pk=task.pk)
        if held.status not in VISITED:
            raise ValidationError(_("检查结果尚未录入，录入后方可评价"))
        if VisitRating.objects.filter(task=held).exists():
            raise ValidationError(_("这次检查已经评价过"))
        replies = {name: answers[name] == "yes" for name in QUESTIONS}
        record_event("inspections.rate", by=by, ref=f"task:{task.number}")
        return VisitRating.objects.create(task=held, replies=replies, text=masked(text.strip()), by=by)
