"""People, plans and draws for the tests of inspections: fixtures that test files import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from zhixin_web.accounts.models import User
from zhixin_web.evaluations.models import Run
from zhixin_web.inspections.models import Draw, Inspector, Plan, Task
from zhixin_web.inspections.services import draws, plans

NUMBERS = [[3, 8, 11, 14, 19, 22, 27, 30, 33, 41, 44, 46, 52, 55, 58, 61, 66, 70, 73, 80]]
OTHERS = [[*NUMBERS[0][:-1], 79]]


def drawing_day() -> date:
    """The first day whose drawing may be named today: a day and a night from now."""
    return timezone.localdate() + timedelta(days=2)


def issue_of(day: date) -> str:
    return f"{day.year}{day.timetuple().tm_yday:03d}"


@pytest.fixture
def inspectors(people: dict[str, User]) -> list[Inspector]:
    """Six certified inspectors, the first with the account of the demonstration's inspector."""
    unit = people["inspector"].organisation
    assert unit is not None
    until = timezone.localdate() + timedelta(days=400)
    return [
        Inspector.objects.create(
            code=f"INS{number:03d}", name=f"虚构{number}", unit=unit, certificate=f"豫A{number:05d}", valid_until=until,
            account=people["inspector"] if number == 1 else None,
        )
        for number in range(1, 7)
    ]  # fmt: skip


@pytest.fixture
def make(released: Run, people: Any, release: Any) -> Callable[..., Plan]:
    def making(**changes: Any) -> Plan:
        options = {
            "year": timezone.localdate().year, "title": "年度抽查计划", "basis": "郑虚构〔2026〕1号", "items": ["trademark_use", "patent_claims"],
            "release": release, "by": people["city"], "inversion": "示例城市各等级户数很少", "excess_reason": "户数少",
        }  # fmt: skip
        return plans.make_plan(**(options | changes))

    return making


@pytest.fixture
def approved(make: Any, people: Any, inspectors: Any) -> Plan:
    plan = make()
    plans.propose_plan(plan, people["city"])
    plans.decide_plan(plan, approve=True, by=people["approver"])
    plan.refresh_from_db()
    return plan


@pytest.fixture
def committed(approved: Plan, people: Any) -> Draw:
    return draws.commit_draw(approved, game="快乐8", issue=issue_of(drawing_day()), day=drawing_day(), by=people["city"])


@pytest.fixture
def on_the_day(committed: Draw, monkeypatch: pytest.MonkeyPatch) -> Draw:
    """The day of the drawing has come."""
    day = drawing_day()
    monkeypatch.setattr(timezone, "localdate", lambda value=None, **_: day if value is None else value.date())
    return committed


@pytest.fixture
def drawn(on_the_day: Draw, people: Any) -> Draw:
    draws.enter_numbers(on_the_day, NUMBERS, people["city"])
    return draws.enter_numbers(on_the_day, NUMBERS, people["approver"])


@pytest.fixture
def task(drawn: Draw, people: Any, inspectors: list[Inspector]) -> Task:
    """A task whose team has the inspector of the demonstration on it."""
    found = Task.objects.order_by("pk").first()
    assert found is not None
    sent = found.assignments.order_by("pk").first().inspector
    Inspector.objects.exclude(pk=sent.pk).update(account=None)
    sent.account = people["inspector"]
    sent.save()
    return found
