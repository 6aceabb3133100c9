"""Random histories of cases: whoever tries whatever in whatever order, what stands there follows from the procedures."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from zhixin.law.calendar import shift_months
from zhixin.law.procedures import procedures
from zhixin.reference.listing_rules import listing_rules
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.cases.services.effects import settle_case
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.grounds import conducts
from zhixin_web.cases.services.transitions import carry_out, run_case_clocks, steps_open_to
from zhixin_web.jobs.case_invariants import case_deviations
from zhixin_web.records.models import CreditRecord, Subject

WHO = (
    "city",
    "city",
    "city",
    "city",
    "approver",
    "approver",
    "approver",
    "enterprise",
    "department",
    "auditor",
    "inspector",
)
DECISIONS = ("grant", "refuse", "uphold", "reject", "publish", "recognise", "waive", "list")
ANSWERS = {
    **{f"factor_{item.code}": "grave" for item in listing_rules().factors},
    **{f"note_{item.code}": "（虚构）案卷第一页" for item in listing_rules().factors},
    "superior_document": "（虚构）批复1号", "superior_on": timezone.localdate().isoformat(),
}  # fmt: skip
STEPS = 150
"""Acts tried in a history; about a third is refused, as it should be."""


@pytest.fixture
def records(subjects: list[Subject], take: Any, penalty: Any) -> list[CreditRecord]:
    day = shift_months(timezone.localdate(), -8).isoformat()
    take(
        "penalties",
        penalty(*[(item.code, item.name, f"（虚构）罚{n}号") for n, item in enumerate(subjects[:4])], 处罚决定日期=day),
    )
    return list(CreditRecord.objects.order_by("seq"))


def one_act(luck: random.Random, records: list[CreditRecord], people: Any) -> None:
    """Try one act of anybody: open, take a step that may or may not be open, let time pass."""
    by = people[luck.choice(WHO)]
    match luck.choice(("open", "open", "step", "step", "step", "step", "step", "step", "time")):
        case "open":
            name, record = luck.choice(sorted(procedures())), luck.choice(records)
            details = {
                "conduct": conducts()[0], "document": "（虚构）文1号", "document_on": "2026-01-05", "is_final": "1", "listing": "infringement",
                "penalty": record.key, "heavy": "heavy_fine",
            }  # fmt: skip
            open_case(name, record=record, subject=record.subject, text="（虚构）说明若干", details=details, by=by)
        case "step":
            case = luck.choice(list(Case.objects.filter(is_open=luck.random() < 0.9)) or [None])
            if case is not None:
                known = procedures()[case.procedure]
                open_now = steps_open_to(by, case) if luck.random() < 0.7 else []  # mostly what is open, else anything
                step = luck.choice(open_now or list(known.transitions)).id
                answers = ANSWERS if luck.random() < 0.8 else {}
                settle_case(carry_out(case, step, by=by, reason=luck.choice(("", "（虚构）理由充分")), answers=answers))
        case "time":
            Case.objects.filter(is_open=True).update(due_on=timezone.localdate() - timedelta(days=luck.choice((0, 1))))
            list(run_case_clocks())


def history(seed: int, records: list[CreditRecord], people: Any) -> None:
    luck = random.Random(seed)
    for _ in range(STEPS):
        try:
            with transaction.atomic():
                one_act(luck, records, people)
        except (PermissionDenied, ValidationError):
            pass
    assert case_deviations()[1] == []
    for paper in CasePaper.objects.select_related("step__case"):
        assert paper.step.case.subject.name == paper.content["party"]
    for step in CaseStep.objects.filter(transition__in=DECISIONS):
        named = procedures()[step.case.procedure].transition(step.transition).other_than
        proposals = step.case.steps.filter(position__lt=step.position, transition__in=named)
        assert proposals.exclude(by=step.by).exists()
        assert not proposals.filter(by=step.by).exists()


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_breaks_nothing(seed: int, records: list[CreditRecord], people: Any) -> None:
    history(seed, records, people)
    assert Case.objects.filter(is_open=False).exists(), "a history in which nothing ends shows nothing"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 11_000))
def test_ten_thousand_histories_break_nothing(seed: int, records: list[CreditRecord], people: Any) -> None:
    history(seed, records, people)
