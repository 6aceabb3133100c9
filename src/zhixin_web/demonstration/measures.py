"""Measures in the demonstration: one in force, one in its time for defence, the others waiting on the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from zhixin.law.calendar import shift_days
from zhixin.law.proportionality import Allowed
from zhixin_web.accounts.models import User
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.demonstration.past import acting_on
from zhixin_web.measures.judging import judged_all
from zhixin_web.measures.queries import candidates, with_conduct
from zhixin_web.records.models import Subject

DAYS_AGO = (28, 21, 14, 10)
REASON = "演示数据：失信行为有生效文书证明，当事人逾期未提出申辩"


def make_measures(people: dict[str, User]) -> None:
    """Impose the first measure that the catalogue has allowed for some time, and give notice of the next."""
    today = timezone.localdate()
    found = with_conduct(candidates(Subject.objects.all(), today), today).order_by("code")
    days = [shift_days(today, -ago) for ago in DAYS_AGO]
    first = next(((day, chosen) for day in days for chosen in _allowed(found, day)), None)
    if first is not None:
        with acting_on(first[0]):
            case = _noticed(*first[1], people)
        for step, who in (("time_over", None), ("propose_measure", "city"), ("impose", "approver")):
            case = carry_out(case, step, by=people[who] if who else None, reason=REASON if who else "")
    second = next((chosen for chosen in _allowed(found, today) if first is None or chosen != first[1]), None)
    if second is not None:
        _noticed(*second, people)


def _allowed(subjects: QuerySet[Subject], day: date) -> Iterator[tuple[Subject, str]]:
    """Yield the measures that the catalogue allows against subjects on a day."""
    for standing, verdicts in judged_all(subjects, day):
        yield from ((standing.subject, item.definition.code) for item in verdicts if isinstance(item, Allowed))


def _noticed(subject: Subject, code: str, people: dict[str, User]) -> Case:
    text = "演示数据：依据信用等级和已生效的失信信息，按措施清单启动"
    case = open_case("measure", subject=subject, text=text, details={"measure": code}, by=people["city"])
    return carry_out(case, "notify", by=people["city"])
