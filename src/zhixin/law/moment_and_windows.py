"""The moment of a run: its date, what was known, and where look-back windows begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from zhixin.law.calendar import FIRST_DAY, first_of_month, shift_days, shift_months
from zhixin.law.filters import Window
from zhixin.law.nodes import Dated, constant


@dataclass(frozen=True)
class Moment:
    """The moment of a run.

    ``as_of``: the evaluation date. ``known_at``: only records with a sequence up to it count (``None``: all).
    ``evaluations``: dates of earlier evaluations, newest first.
    """

    as_of: date
    known_at: int | None = None
    evaluations: tuple[date, ...] = ()

    def window(self, window: Window | None) -> tuple[date, date]:
        """First and last day of a resolved window, both included."""
        if window is None:
            return FIRST_DAY, self.as_of
        back = window.back
        if window.days is not None:
            length = _whole(window.days)
            return shift_days(self.as_of, 1 - length - back), shift_days(self.as_of, -back)
        if window.months is not None:
            length = _whole(window.months)
            return shift_days(shift_months(self.as_of, -length - back), 1), shift_months(self.as_of, -back)
        if window.calendar_months is not None:
            length = _whole(window.calendar_months)
            last = shift_days(first_of_month(self.as_of, back - 1), -1)
            return first_of_month(self.as_of, back + length - 1), min(last, self.as_of)
        if window.calendar_years is not None:
            year = max(self.as_of.year - back, 1)
            return date(max(year - _whole(window.calendar_years) + 1, 1), 1, 1), min(date(year, 12, 31), self.as_of)
        assert window.evaluations is not None
        reach = _whole(window.evaluations) + back
        earlier = self.evaluations[reach - 1] if len(self.evaluations) >= reach else None
        last = self.as_of if back == 0 else self.evaluations[back - 1] if len(self.evaluations) >= back else FIRST_DAY
        return FIRST_DAY if earlier is None else shift_days(earlier, 1), last


def _whole(value: Decimal | Dated) -> int:
    return int(constant(value))
