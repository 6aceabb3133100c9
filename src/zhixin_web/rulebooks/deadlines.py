"""The clock of a deadline: when it ends, which days it counts, on whose word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from zhixin.law.calendar import working_days
from zhixin.law.nodes import Text
from zhixin.law.reckoning_of_terms import Suspension, reckon
from zhixin_web.rulebooks.law_in_force import TermSource, law_in_force


@dataclass(frozen=True)
class Clock:
    """A deadline as it runs: how many days, of which kind, on whose word, and when it ends.

    ``is_presumed``: some day counted lies in a year whose holidays are not announced yet (推算).
    """

    title: Text
    days: int
    unit: str
    source: TermSource
    due_on: date
    counted: tuple[date, ...]
    is_presumed: bool


def clock(name: str, start: date, suspensions: Sequence[Suspension] = ()) -> Clock:
    """Return the deadline ``name`` of an act that began on ``start``, as the law of that day sets it.

    Days of a suspension do not count.

    Raises:
        ValidationError: no rulebook in force sets it.
    """
    deadline, days, source = law_in_force(start).deadline(name)
    found = reckon(start, days, deadline.unit, suspensions)
    return Clock(deadline.title, days, deadline.unit, source, found.due_on, found.counted, found.is_presumed)


def days_left(today: date, due_on: date) -> int:
    """Return the working days left; negative when overdue."""
    return working_days().left(today, due_on)
