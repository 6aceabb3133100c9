"""Measures against dishonest conduct: what the catalogue allows and refuses, what runs, what has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.law.proportionality import Allowed, Refused
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import StaffRequest, may, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.measures.judging import Standing, judged_all
from zhixin_web.measures.models import ImposedMeasure
from zhixin_web.measures.queries import candidates, ground_records, running_measures, with_conduct
from zhixin_web.measures.words import reason_in_words
from zhixin_web.presentation import asked
from zhixin_web.presentation.paging import page_of
from zhixin_web.records.models import Subject
from zhixin_web.records.queries import named
from zhixin_web.records.scope import visible_subjects
from zhixin_web.rulebooks.queries import rulebook_of

PROCEDURE = "measure"
SUBJECTS_A_PAGE = 20
"""Subjects on a page: so many notices are written in the time somebody waits."""


@dataclass(frozen=True)
class JudgedMeasure:
    """What a page says of one measure against one subject: it may be begun, is under way, runs, or why it is refused."""

    code: str
    title: Any
    until: date | None = None
    records: int = 0
    case: int | None = None
    running: ImposedMeasure | None = None
    refused: str = ""

    @property
    def may_begin(self) -> bool:
        """Whether a case may be opened: allowed, not being prepared, and not running as long already."""
        longer = self.running is None or (self.until is not None and self.until > self.running.until)
        return self.until is not None and self.case is None and longer


@permitted("measures.view")
@require_GET
def measures_page(request: StaffRequest) -> HttpResponse:
    """Four lists: what the catalogue allows against whom, what it refuses, what runs, what has ended."""
    may_judge = may(request.user, "measures.judge")
    tabs = ([("due", _("可以实施")), ("refused", _("不予适用"))] if may_judge else []) + [
        ("running", _("实施中")),
        ("ended", _("已终止")),
    ]
    tab = request.GET.get("tab", "")
    tab = tab if tab in dict(tabs) else tabs[0][0]
    query = asked.name(request.GET.get("q"))
    content: dict[str, Any] = {"tabs": tabs, "tab": tab, "query": query, "today": timezone.localdate()}
    if tab in ("due", "refused"):
        content |= _judged_page(request, tab, query)
    else:
        content["page"] = page_of(request, _imposed(request.user, tab, query))
    return render(request, "measures.html", content)


def _imposed(user: User, tab: str, query: str) -> QuerySet[ImposedMeasure]:
    today = timezone.localdate()
    of_mine = ImposedMeasure.objects.select_related("subject").filter(subject__in=visible_subjects(user))
    running = running_measures(today).values("pk")
    chosen = of_mine.filter(pk__in=running) if tab == "running" else of_mine.exclude(pk__in=running)
    return chosen.filter(named(query, "subject__")).order_by("until" if tab == "running" else "-ended_on", "pk")


class JudgedSubjects:
    """Subjects with the verdicts on each measure, judged as far as a page reads: those with a measure allowed, or without."""

    def __init__(self, subjects: QuerySet[Subject], day: date, *, allowed: bool) -> None:
        self.judged = judged_all(subjects.order_by("code"), day)
        self.allowed = allowed

    def __getitem__(self, part: slice) -> Iterator[tuple[Standing, list[Allowed | Refused]]]:
        wanted = (row for row in self.judged if any(isinstance(item, Allowed) for item in row[1]) == self.allowed)
        return islice(wanted, part.start, part.stop)


def _judged_page(request: StaffRequest, tab: str, query: str) -> dict[str, Any]:
    today = timezone.localdate()
    found = candidates(visible_subjects(request.user), today).filter(named(query))
    chosen = with_conduct(found, today) if tab == "due" else found
    page = page_of(request, JudgedSubjects(chosen, today, allowed=tab == "due"), size=SUBJECTS_A_PAGE)
    return {"page": replace(page, items=_shown(page.items, today)), "may_begin": may(request.user, "cases.handle")}


def _shown(
    judged: Sequence[tuple[Standing, list[Allowed | Refused]]], day: date
) -> list[tuple[Standing, list[JudgedMeasure]]]:
    """Return what the page says of each measure: also whether it is being prepared, or runs."""
    subjects = [standing.subject for standing, _verdicts in judged]
    cases = Case.objects.filter(procedure=PROCEDURE, is_open=True, subject__in=subjects)
    open_cases = {(item.subject_id, item.details["measure"]): item.pk for item in cases}
    running = {(item.subject_id, item.code): item for item in running_measures(day).filter(subject__in=subjects)}

    def said(item: Allowed | Refused, subject: Subject) -> JudgedMeasure:
        assert item.definition is not None
        place = (subject.pk, item.definition.code)
        found = JudgedMeasure(
            item.definition.code, item.definition.title, case=open_cases.get(place), running=running.get(place)
        )
        if isinstance(item, Allowed):
            return replace(found, until=item.until, records=len(item.keys))
        return replace(found, refused=reason_in_words(item))

    return [(standing, [said(item, standing.subject) for item in verdicts]) for standing, verdicts in judged]


@permitted("cases.handle")
@require_POST
def begin(request: StaffRequest) -> HttpResponse:
    """Open a case for each measure that was ticked and give notice; what cannot be begun is named, the others go on."""
    begun, refused = 0, []
    ticked = [text.partition(":")[::2] for text in request.POST.getlist("measure")[: SUBJECTS_A_PAGE * 10]]
    subjects = {
        item.code: item for item in visible_subjects(request.user).filter(code__in={code for code, _measure in ticked})
    }
    for subject, code in ((subjects[code], measure) for code, measure in ticked if code in subjects):
        try:
            _begin(subject, code, request.user)
            begun += 1
        except ValidationError as error:
            refused.append(f"{subject.name}：{'；'.join(error.messages)}")
    if begun:
        messages.success(request, _("已启动并告知 %(count)s 项；陈述申辩期满后在「办件」中复核") % {"count": begun})
    if not begun and not refused:
        messages.error(request, _("请先勾选要启动的措施"))
    for line in refused[:20]:
        messages.error(request, line)
    return redirect("imposed_measures")


@transaction.atomic
def _begin(subject: Subject, code: str, by: User) -> None:
    """Open the case and give notice, both or neither."""
    text = "依据信用等级和已生效的失信信息，按措施清单启动。"  # part of the notice, which is in Chinese
    made = open_case(PROCEDURE, subject=subject, text=text, details={"measure": code}, by=by)
    notice = next(step for step in procedure_of(made).leaving(made.state) if step.is_notice)
    carry_out(made, notice.id, by=by)


@permitted("measures.view")
@require_GET
def measure_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One measure that was imposed: the line of the catalogue, what it answers, who decided, when and why it ends."""
    mine = ImposedMeasure.objects.filter(subject__in=visible_subjects(request.user))
    measure = get_object_or_404(mine.select_related("subject", "proposed_by", "decided_by", "release"), pk=pk)
    record_event("measures.view", request=request, ref=f"measure:{pk}")
    records = ground_records(key for answer in measure.answers for key in answer["records"])
    documents = rulebook_of(measure.release).documents
    answers = [
        {
            "found": [records[key] for key in answer["records"] if key in records],
            "until": answer["until"],
            "basis": [(documents.get(part["document"]), part) for part in answer["basis"]],
        }
        for answer in measure.answers
    ]
    content = {
        "measure": measure, "answers": answers, "case_id": measure.case.partition(":")[2],
        "sees_case": may(request.user, "measures.judge"),
        "is_running": measure.runs_on(timezone.localdate()),
    }  # fmt: skip
    return render(request, "measure.html", content)
