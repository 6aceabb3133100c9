"""The outlook of one subject: what expires when, what a repair or correction changes, when a better grade comes.

There is no second formula: every line is the interpreter run on the same facts at another date, or on facts with one
record corrected or repaired. Between the candidate dates nothing can change, so only those are evaluated. The outlook
assumes that nothing new is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal

from zhixin.dataset.facts import Facts
from zhixin.evaluation.evaluation import Evaluation
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.explanation.explanation import adjustment_title
from zhixin.explanation.sentences import points_text, signed_points
from zhixin.law.calendar import first_of_month, shift_days, shift_months
from zhixin.law.checks.structure import change_dates
from zhixin.law.filters import Corrected, RecordFilter, Window
from zhixin.law.measures import AppendedTerm, AttributeAge, CleanYears, Combined, DaysSince, Ratio
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import Dated, walk
from zhixin.law.points import Once, Steps
from zhixin.law.publicity_and_repair import repair_from
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Indicator, StartCase

FORMAT = "outlook/1"
MONTHS_AHEAD = 36


@dataclass(frozen=True)
class ComingChange:
    """A day from which the result differs from the day before."""

    day: date
    score_milli: int
    grade: str
    step: str
    indicators: dict[str, int]
    """Indicators whose points change, with the change in thousandths."""


@dataclass(frozen=True)
class Remedy:
    """What correcting or repairing one record would change, from the first day it could."""

    record_no: int
    action: Literal["correct", "repair"]
    day: date
    score_milli: int
    grade: str
    score_without: int
    grade_without: str


class Outlook:
    """The outlook of one subject."""

    def __init__(self, rulebook: Rulebook, facts: Facts, moment: Moment, months: int = MONTHS_AHEAD) -> None:
        self.rulebook, self.facts, self.moment = rulebook, facts, moment
        self.until = shift_months(moment.as_of, months)
        self._resolved: dict[date, Rulebook] = {}
        self._found: dict[date, Evaluation] = {}

    # --- evaluation at other dates ---

    def at(self, day: date, facts: Facts | None = None) -> Evaluation:
        """The subject's evaluation on another day, on its own facts or on others."""
        if facts is not None and facts is not self.facts:
            return self._interpreter(day).evaluate(facts)
        if day not in self._found:
            self._found[day] = self._interpreter(day).evaluate(self.facts)
        return self._found[day]

    def _interpreter(self, day: date) -> Interpreter:
        return Interpreter(self._rulebook_at(day), replace(self.moment, as_of=day))

    def _rulebook_at(self, day: date) -> Rulebook:
        """Resolved once per period between changes of the rulebook."""
        starts = [start for start in self._changes if start <= day]
        key = max(starts) if starts else date.min
        if key not in self._resolved:
            self._resolved[key] = self.rulebook.at(day)
        return self._resolved[key]

    @cached_property
    def _changes(self) -> list[date]:
        return change_dates(self.rulebook)

    # --- candidate dates ---

    def candidates(self) -> list[date]:
        """Every day after the evaluation on which a result could differ from the day before."""
        nodes = list(walk(self.rulebook))
        if self._changes_daily(nodes):
            span = (self.until - self.moment.as_of).days
            return [shift_days(self.moment.as_of, number) for number in range(1, span + 1)]
        days = set(self._record_days(nodes)) | set(self._changes)
        if any(isinstance(node, Window) and (node.calendar_months or node.calendar_years) for node in nodes):
            months = range(1, 12 * (self.until.year - self.moment.as_of.year + 1) + 1)
            days |= {first_of_month(self.moment.as_of, -number) for number in months}
        return sorted(day for day in days if self.moment.as_of < day <= self.until)

    @staticmethod
    def _changes_daily(nodes: list[Any]) -> bool:
        """Whether points follow a number of days itself, and not only whether it passes a threshold."""

        def counts_days(part: Any) -> bool:
            found = walk(part)
            return any(isinstance(n, DaysSince) or (isinstance(n, AttributeAge) and n.unit == "days") for n in found)

        for node in nodes:
            if isinstance(node, Ratio | Combined) and counts_days(node):
                return True
            if isinstance(node, StartCase) and counts_days(node.measure):
                return True
            if isinstance(node, Indicator) and counts_days(node.measure) and not isinstance(node.points, Steps | Once):
                return True
        return False

    def _record_days(self, nodes: list[Any]) -> Iterator[date]:
        dates = self._known_dates()
        yield from (shift_days(day, extra) for day in dates for extra in (0, 1))
        yield from (shift_days(item.evaluated_on, 1) for item in self.facts.previous)
        for months in self._lengths(nodes, ("months", "max_months")):
            for day in dates:
                yield from _around(shift_months(day, months))
        for length in self._lengths(nodes, ("days",)) | {1}:
            yield from (shift_days(day, length + extra) for day in dates for extra in (0, 1))
        for node in nodes:
            if isinstance(node, RecordFilter) and node.effective_after_days:
                yield from (shift_days(day, node.effective_after_days) for day in dates)
        if any(isinstance(node, CleanYears | AttributeAge) for node in nodes):
            for day in dates:
                for year in range(self.moment.as_of.year, self.until.year + 1):
                    yield from _around(shift_months(day, 12 * (year - day.year)))
        yield from self._day_thresholds(nodes, dates)

    def _known_dates(self) -> set[date]:
        everyone = [self.facts, *(other for others in self.facts.related.values() for other in others)]
        found: set[date] = set()
        for item in everyone:
            found |= {value for value in item.attributes.values() if isinstance(value, date)}
            for record in item.records:
                found |= {value for value in record.values() if isinstance(value, date)}
        return found

    @staticmethod
    def _lengths(nodes: Iterable[Any], names: tuple[str, ...]) -> set[int]:
        found: set[int] = set()
        for node in nodes:
            if not isinstance(node, Window | AppendedTerm | Corrected):
                continue
            for name in names:
                value = getattr(node, name, None)
                whole = _values(value)
                back = getattr(node, "back", 0)
                found |= {number + extra for number in whole for extra in (0, back)} | ({back} if back else set())
            if isinstance(node, AppendedTerm):
                for most in _values(node.max_months):
                    found |= {
                        min(term * count, most)
                        for term in _values(node.months)
                        if term
                        for count in range(1, most // term + 2)
                    }
        return found

    def _day_thresholds(self, nodes: list[Any], dates: set[date]) -> Iterator[date]:
        """Days on which a count of days passes a number that the rulebook mentions."""
        if not any(
            isinstance(node, DaysSince) or (isinstance(node, AttributeAge) and node.unit == "days") for node in nodes
        ):
            return
        numbers = {int(number) for number in _numbers(self.rulebook) if 0 < number < 10_000}
        for day in dates:
            for number in numbers:
                yield from (shift_days(day, number + extra) for extra in (0, 1))

    # --- results ---

    def changes(self) -> list[ComingChange]:
        """Every change ahead if nothing is done and nothing new is recorded."""
        found = []
        before = self.at(self.moment.as_of)
        for day in self.candidates():
            after = self.at(day)
            moved = _moved(before, after)
            if moved or (after.grade, after.step, after.score_milli) != (before.grade, before.step, before.score_milli):
                found.append(ComingChange(day, after.score_milli, after.grade, after.step, moved))
            before = after
        return found

    def remedies(self) -> list[Remedy]:
        """What correcting or repairing each record would change, where it changes something by itself."""
        return [item for item in self.open_remedies() if self._changes_something(item)]

    def open_remedies(self) -> list[Remedy]:
        """For each record that counts against the subject: correct it today, repair it as soon as the catalogue allows."""
        kinds = {kind.id: kind for kind in self.rulebook.at(self.moment.as_of).catalogue}
        found = []
        for record in self.facts.records:
            kind = kinds.get(record["kind"])
            if kind is None or kind.nature != "negative" or not self._counts(record):
                continue
            if record.get("corrected_on") is None:
                found.append(self._remedy(record, "correct", self.moment.as_of + timedelta(days=1)))
            earliest = repair_from(self.rulebook, record["kind"], record.get("severity"), record["decided_on"])
            if record.get("repaired_on") is None and earliest is not None:
                found.append(self._remedy(record, "repair", max(earliest, self.moment.as_of + timedelta(days=1))))
        return [item for item in found if item.day <= self.until]

    def _counts(self, record: Mapping[str, Any]) -> bool:
        return record["decided_on"] <= self.moment.as_of and not any(
            record.get(name) is not None and record[name] <= self.moment.as_of for name in ("revoked_on", "repaired_on")
        )

    def _remedy(self, record: Mapping[str, Any], action: Literal["correct", "repair"], day: date) -> Remedy:
        after = self.at(day, self._with(record, action, day))
        without = self.at(day)
        return Remedy(record["record_no"], action, day, after.score_milli, after.grade, without.score_milli, without.grade)

    def _with(self, record: Mapping[str, Any], action: str, day: date, facts: Facts | None = None) -> Facts:
        facts = facts or self.facts
        number = record["record_no"]
        records = (remedied(item, action, day) if item["record_no"] == number else item for item in facts.records)
        return replace(facts, records=tuple(records))

    @staticmethod
    def _changes_something(item: Remedy) -> bool:
        return (item.score_milli, item.grade) != (item.score_without, item.grade_without)

    def _is_best(self, grade: str) -> bool:
        return grade == self.rulebook.ladder_on(self.moment.as_of)[0].id

    def better(self, changes: list[ComingChange], remedies: list[Remedy]) -> tuple[date | None, date | None]:
        """Earliest day of a better grade: by waiting alone, and with every remedy taken as soon as it can be."""
        rank = self.rulebook.grade_rank
        today = self.at(self.moment.as_of).grade
        now = rank.get(today)
        if now is None or self._is_best(today):
            return None, None
        waiting = next((change.day for change in changes if rank.get(change.grade, 99) < now), None)
        by_number = {record["record_no"]: record for record in self.facts.records}
        facts = self.facts
        acting = None
        days = sorted({*(item.day for item in remedies), *(change.day for change in changes)})
        for day in days:
            for item in remedies:
                if item.day == day:
                    facts = self._with(by_number[item.record_no], item.action, day, facts)
            if rank.get(self.at(day, facts).grade, 99) < now:
                acting = day
                break
        return waiting, acting

    def content(self) -> dict[str, Any]:
        """``outlook/1`` as JSON values."""
        now = self.at(self.moment.as_of)
        changes, remedies = self.changes(), self.remedies()
        waiting, acting = self.better(changes, remedies)
        result: dict[str, Any] = {
            "format": FORMAT,
            "rulebook": {"id": self.rulebook.id, "sha256": self.rulebook.sha256},
            "subject_id": self.facts.subject_id,
            "as_of": self.moment.as_of.isoformat(),
            "until": self.until.isoformat(),
            "grade": now.grade,
            "score_milli": now.score_milli,
            "changes": [{**vars(change), "day": change.day.isoformat()} for change in changes],
            "remedies": [{**vars(item), "day": item.day.isoformat()} for item in remedies],
            "better_by_waiting": None if waiting is None else waiting.isoformat(),
            "better_by_acting": None if acting is None else acting.isoformat(),
        }
        result["text"] = {
            "zh": self._chinese(now, changes, remedies, result),
            "en": self._english(now, changes, remedies, result),
        }
        return result

    # --- sentences ---

    def _title(self, indicator: str, language: str) -> str:
        item = self.rulebook.indicator.get(indicator)
        if item is None and indicator.startswith("@"):
            return adjustment_title(self.rulebook, indicator)[language]
        return indicator if item is None else item.title.in_language(language)

    def _record(self, number: int) -> tuple[Any, Any]:
        record = next(item for item in self.facts.records if item["record_no"] == number)
        kind = next(item for item in self.rulebook.catalogue if item.id == record["kind"])
        return record, kind

    def _chinese(
        self, now: Evaluation, changes: list[ComingChange], remedies: list[Remedy], result: Mapping[str, Any]
    ) -> list[str]:
        lines = [f"{self.moment.as_of}：{points_text(now.score_milli)} 分，{now.grade} 级。以下推算以不新增任何记录为前提。"]
        for change in changes:
            reasons = "、".join(
                f"{self._title(name, 'zh')} {signed_points(points)} 分" for name, points in change.indicators.items()
            )
            lines.append(
                f"{change.day} 起：{points_text(change.score_milli)} 分，{change.grade} 级"
                + (f"（{reasons}）" if reasons else "")
                + "。"
            )
        for item in remedies:
            record, kind = self._record(item.record_no)
            verb = "改正" if item.action == "correct" else "获准信用修复"
            lines.append(
                f"如{verb}「{kind.title.zh}」（{record['decided_on']} {record.get('document') or ''}），最早自 {item.day} 起为 "
                f"{points_text(item.score_milli)} 分、{item.grade} 级（否则 {points_text(item.score_without)} 分、{item.grade_without} 级）。"
            )
        lines.append(self._better_zh(now, result))
        return lines

    def _better_zh(self, now: Evaluation, result: Mapping[str, Any]) -> str:
        if self._is_best(now.grade):
            return "已是最高等级。"
        waiting, acting = result["better_by_waiting"], result["better_by_acting"]
        if waiting is None and acting is None:
            return f"至 {self.until}，仅靠期满或修复不会升级，需增加守信加分。"
        return f"最早升级日：依法修复、改正为 {acting or '无'}，不作任何处理为 {waiting or f'{self.until} 之后'}。"

    def _english(
        self, now: Evaluation, changes: list[ComingChange], remedies: list[Remedy], result: Mapping[str, Any]
    ) -> list[str]:
        lines = [
            f"{self.moment.as_of}: {points_text(now.score_milli)} points, grade {now.grade}. What follows assumes no new records."
        ]
        for change in changes:
            reasons = ", ".join(
                f"{self._title(name, 'en')} {signed_points(points)}" for name, points in change.indicators.items()
            )
            lines.append(
                f"From {change.day}: {points_text(change.score_milli)} points, grade {change.grade}"
                + (f" ({reasons})" if reasons else "")
                + "."
            )
        for item in remedies:
            record, kind = self._record(item.record_no)
            verb = "correct" if item.action == "correct" else "have repaired"
            lines.append(
                f"If you {verb} “{kind.title.en}” of {record['decided_on']}: from {item.day} {points_text(item.score_milli)} points, "
                f"grade {item.grade} (otherwise {points_text(item.score_without)}, {item.grade_without})."
            )
        waiting, acting = result["better_by_waiting"], result["better_by_acting"]
        if self._is_best(now.grade):
            lines.append("This is the best grade already.")
        elif waiting is None and acting is None:
            lines.append(
                f"Until {self.until} neither expiry nor repair alone raises the grade; further points must be earned."
            )
        else:
            lines.append(
                f"Earliest better grade: {acting or 'none'} with every remedy, {waiting or f'after {self.until}'} by waiting."
            )
        return lines


def remedied(record: Mapping[str, Any], action: str, day: date) -> Mapping[str, Any]:
    """Return a record as it is once corrected, or corrected and repaired, on a day."""
    column = "corrected_on" if action == "correct" else "repaired_on"
    return {**record, "corrected_on": record.get("corrected_on") or day, column: day}


def _values(number: Any) -> list[int]:
    """The whole numbers that a plain or dated number can be; none for ``None``."""
    numbers = [item.value for item in number.values.values()] if isinstance(number, Dated) else [number]
    return [int(value) for value in numbers if value is not None]


def _around(day: date) -> Iterator[date]:
    """A day and the two after it: month arithmetic clamps, so an edge may lie a day off."""
    return (shift_days(day, extra) for extra in (-1, 0, 1, 2))


def _moved(before: Evaluation, after: Evaluation) -> dict[str, int]:
    old = {item.indicator: item.points_milli for item in before.contributions}
    new = {item.indicator: item.points_milli for item in after.contributions}
    names = [*new, *(name for name in old if name not in new)]
    return {name: new.get(name, 0) - old.get(name, 0) for name in names if new.get(name, 0) != old.get(name, 0)}


def _numbers(rulebook: Rulebook) -> Iterator[Any]:
    for node in walk(rulebook):
        for name in ("from_", "at_least", "above", "at_most", "below", "x", "value"):
            number = getattr(node, name, None)
            if number is not None and hasattr(number, "as_integer_ratio"):
                yield number
