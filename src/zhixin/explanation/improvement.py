"""What a subject can do for a better grade: the actions open to it, what a choice of them gives, a smallest choice that is enough.

There is no second formula: every answer is the interpreter run on the same facts with the chosen records corrected, repaired or
added, on the first day on which all of that can be done. As in the outlook, nothing else is assumed to be recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Literal

from zhixin.dataset.facts import Facts
from zhixin.evaluation.evaluation import Evaluation
from zhixin.explanation.outlook import Outlook, remedied
from zhixin.law.catalogue import CORE_FIELDS, RECORD_COLUMNS
from zhixin.law.vocabulary import Nature

MOST_DAYS = 12
"""Days on which it is looked at whether something earned adds to all the rest."""
MOST_TRIED = 250
"""Choices that are tried one by one for a smallest one; beyond that actions are taken away from all of them."""


@dataclass(frozen=True)
class Action:
    """Something a subject can do: correct or have repaired one of its records, or earn a record of a favourable kind."""

    kind: Literal["correct", "repair", "earn"]
    day: date
    """The first day on which it can have effect."""
    record_kind: str
    record_no: int | None = None
    """The record that is corrected or repaired; ``None`` for one that is earned."""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.record_kind if self.record_no is None else self.record_no}"


@dataclass(frozen=True)
class Reached:
    """What a choice of actions gives on the first day on which all of them have effect, and what that day gives without them."""

    actions: tuple[Action, ...]
    day: date
    score_milli: int
    grade: str
    score_without: int
    grade_without: str


@dataclass(frozen=True)
class Suggestion:
    """A choice of actions that is enough for a better grade."""

    reached: Reached
    is_smallest: bool
    """Whether every smaller choice was tried; otherwise none of these actions can be left out, yet others might be fewer."""


class Improvement:
    """The actions open to one subject, and what they give."""

    def __init__(self, outlook: Outlook, today: date | None = None, settled: Collection[int] = ()) -> None:
        """Take the outlook of a subject.

        Args:
            outlook: from its last evaluation.
            today: nothing can be done before the day after; the day of the evaluation by default.
            settled: numbers of records that were repaired or revoked since the evaluation: nothing can be done about them any more.
        """
        self.outlook, self.settled = outlook, settled
        self.today = max(today or outlook.moment.as_of, outlook.moment.as_of)
        self._found_alone: dict[Action, Reached] = {}

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What may be done: every repair, and what may be corrected or earned where that improves something.

        A repair that changes nothing alone may be what others need, and ends publication and measures in any case. The others count
        where they improve the result alone, with all of their like, or on top of all else that can be done by some day.
        """
        every = (*self._remedies(), *self._earned())
        days = sorted({item.day for item in every})[:MOST_DAYS]
        by_day = {day: tuple(item for item in every if item.day <= day) for day in days}
        all_ = {day: self.outlook.at(day, self._with(by_day[day])) for day in days}

        def counts(action: Action) -> bool:
            if action.kind == "repair" or self._gain(action) > (0, 0):
                return True
            alike = tuple(item for item in every if (item.kind, item.record_kind) == (action.kind, action.record_kind))
            together = self._reached(alike)
            if self._risen(together.grade_without, together.grade) > 0:
                return True
            for day in (day for day in days if day >= action.day):
                but_one = self.outlook.at(day, self._with(item for item in by_day[day] if item != action))
                if self._improvement(but_one, all_[day]) > (0, 0):
                    return True
            return False

        return tuple(filter(counts, every))

    def _alone(self, action: Action) -> Reached:
        if action not in self._found_alone:
            self._found_alone[action] = self._reached((action,))
        return self._found_alone[action]

    def _remedies(self) -> Iterator[Action]:
        kinds = {record["record_no"]: record["kind"] for record in self.outlook.facts.records}
        for item in self.outlook.open_remedies():
            if item.record_no not in self.settled:
                yield Action(item.action, max(item.day, self.tomorrow), kinds[item.record_no], item.record_no)

    def _earned(self) -> Iterator[Action]:
        """One new record of each favourable kind."""
        for kind in self.outlook.rulebook.at(self.outlook.moment.as_of).catalogue:
            if kind.nature is Nature.POSITIVE:
                yield Action("earn", self.tomorrow, kind.id)

    def _gain(self, action: Action) -> tuple[int, int]:
        """What an action alone gives: grades risen, then points of improvement."""
        found = self._alone(action)
        return self._risen(found.grade_without, found.grade), self._points(found.score_without, found.score_milli)

    def _improvement(self, before: Evaluation, after: Evaluation) -> tuple[int, int]:
        return self._risen(before.grade, after.grade), self._points(before.score_milli, after.score_milli)

    def _risen(self, before: str, after: str) -> int:
        """Grades risen; a grade outside the ladder stands below it."""
        rank = self.outlook.rulebook.grade_rank
        return rank.get(before, len(rank)) - rank.get(after, len(rank))

    def _points(self, before: int, after: int) -> int:
        """Points of improvement, in thousandths."""
        return after - before if self.outlook.rulebook.direction == "higher_better" else before - after

    def _with(self, chosen: Iterable[Action]) -> Facts:
        facts = self.outlook.facts
        records = {record["record_no"]: record for record in facts.records}
        for action in chosen:
            if action.record_no is not None:
                records[action.record_no] = remedied(records[action.record_no], action.kind, action.day)
            else:
                new = max(records, default=0) + 1
                empty = dict.fromkeys((*RECORD_COLUMNS, *CORE_FIELDS))
                records[new] = {**empty, "record_no": new, "kind": action.record_kind, "decided_on": action.day}
        return replace(facts, records=tuple(records.values()))

    def reached(self, chosen: Iterable[str]) -> Reached:
        """What a choice of actions, by their identifiers, gives; identifiers that are not open to the subject are left out."""
        wanted = set(chosen)
        return self._reached(tuple(action for action in self.actions if action.id in wanted))

    def _reached(self, actions: tuple[Action, ...]) -> Reached:
        day = max((action.day for action in actions), default=self.tomorrow)
        after, without = self.outlook.at(day, self._with(actions)), self.outlook.at(day)
        return Reached(actions, day, after.score_milli, after.grade, without.score_milli, without.grade)

    def suggestion(self) -> Suggestion | None:
        """Return a smallest choice that gives a better grade than the last evaluation's, the earliest among those of its size.

        A choice that gives no more than waiting until its day is none. ``None``: the grade is the best one or outside the ladder, or
        no choice was found to be enough.
        """
        rank = self.outlook.rulebook.grade_rank
        now = rank.get(self.outlook.at(self.outlook.moment.as_of).grade)
        if now is None:
            return None

        def is_better(found: Reached) -> bool:
            return rank.get(found.grade, now) < min(now, rank.get(found.grade_without, now))

        tried = 0
        for size in range(1, len(self.actions) + 1):
            tried += comb(len(self.actions), size)
            if tried > MOST_TRIED:
                return self._without_what_is_not_needed(is_better)
            enough = [item for item in map(self._reached, combinations(self.actions, size)) if is_better(item)]
            if enough:
                return Suggestion(
                    min(enough, key=lambda item: (item.day, -self._points(0, item.score_milli))), is_smallest=True
                )
        return None

    def _without_what_is_not_needed(self, is_better: Callable[[Reached], bool]) -> Suggestion | None:
        """Begin with all that can be done by the first day on which that is enough, and take away what the rest can do without.

        The least useful goes first, the latest among equals.
        """
        for day in sorted({action.day for action in self.actions}):
            kept: Sequence[Action] = [action for action in self.actions if action.day <= day]
            if is_better(self._reached(tuple(kept))):
                break
        else:
            return None
        for action in sorted(kept, key=lambda item: (self._gain(item), -item.day.toordinal())):
            fewer = tuple(item for item in kept if item != action)
            if fewer and is_better(self._reached(fewer)):
                kept = fewer
        return Suggestion(self._reached(tuple(kept)), is_smallest=False)
