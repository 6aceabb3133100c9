"""Numbers of the site on which a pilot is judged: counted when they are looked at, never written down by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhixin_web.cases.models import Case
from zhixin_web.collection.models import Batch
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.governance.models import Consultation
from zhixin_web.inspections.models import Draw, Task
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.papers.models import Paper
from zhixin_web.records.models import CreditRecord
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.queries import rulebook_by_pk


@dataclass(frozen=True)
class Counted:
    """A number: what it counts, how, and the page where one sees what was counted."""

    title: Any
    count: Callable[[], int]
    address: str


def _rules() -> list[Any]:
    return [rulebook_by_pk(pk) for pk, _rulebook in law_in_force(timezone.localdate()).releases]


def _decided(procedure: str) -> int:
    return Case.objects.filter(procedure=procedure, is_open=False).count()


def _current(**conditions: Any) -> int:
    """Count credit records in their last version."""
    return CreditRecord.objects.filter(**conditions).values("key").annotate(n=Count("pk")).count()


COUNTED: dict[str, Counted] = {
    "rules.in_force": Counted(_("执行中的评价规则"), lambda: len(_rules()), "/c/rulebooks"),
    "rules.indicators": Counted(
        _("执行中的评价指标"), lambda: sum(len(item.indicators) for item in _rules()), "/c/indicators"
    ),
    "rules.measures": Counted(_("措施清单中的措施"), lambda: sum(len(item.measures) for item in _rules()), "/measures"),
    "rules.consulted": Counted(
        _("已作出答复汇总的公开征求意见"), lambda: Consultation.objects.exclude(summary="").count(), "/consultations"
    ),
    "collection.sources": Counted(
        _("已入库数据的信息来源"),
        lambda: Batch.objects.filter(status=Batch.Status.COMMITTED, accepted__gt=0).values("source").distinct().count(),
        "/c/sources",
    ),
    "collection.records": Counted(_("已归集的信用信息"), lambda: _current(), "/c/sources"),
    "evaluation.releases": Counted(
        _("已发布的评价"), lambda: Run.objects.filter(status=Run.Status.RELEASED).count(), "/c/runs"
    ),
    "evaluation.subjects": Counted(
        _("有评价结果的主体"), lambda: CurrentGrade.objects.filter(~Q(grade="")).count(), "/c/subjects"
    ),
    "inspections.draws": Counted(
        _("已公布的抽取"), lambda: Draw.objects.filter(status=Draw.Status.PUBLISHED).count(), "/c/inspections"
    ),
    "inspections.results": Counted(
        _("已公示的检查结果"), lambda: Task.objects.filter(status=Task.Status.PUBLISHED).count(), "/c/inspections"
    ),
    "cases.determinations": Counted(_("已办结的失信行为认定"), lambda: _decided("determination"), "/c/cases"),
    "cases.objections": Counted(_("已办结的异议"), lambda: _decided("objection"), "/c/cases"),
    "cases.repairs": Counted(_("已办结的信用修复"), lambda: _decided("repair"), "/c/cases"),
    "measures.imposed": Counted(_("已实施的失信惩戒措施"), lambda: ImposedMeasure.objects.count(), "/c/measures"),
    "papers.reports": Counted(
        _("已出具的信用报告"),
        lambda: Paper.objects.filter(kind__in=[Paper.Kind.CREDIT_REPORT, Paper.Kind.OWN_REPORT]).count(),
        "/ledger",
    ),
}
