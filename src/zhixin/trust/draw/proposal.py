"""What a draw depends on besides the public numbers, and everything that forbids it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from zhixin.errors import Message
from zhixin.trust.draw.hashing import HASHES
from zhixin.trust.draw.public_numbers import GAMES, LEAST_BITS, PublicSource, bits_of

NOTICE = timedelta(hours=24)
"""Between the commitment and the day of the public drawing."""
BEIJING = timezone(timedelta(hours=8))


def latest_commitment(days: Iterable[date]) -> datetime:
    """Return the last moment at which a draw may be committed whose public numbers are drawn on these days."""
    first = min(days)
    return datetime(first.year, first.month, first.day, tzinfo=BEIJING) - NOTICE


@dataclass(frozen=True)
class Stratum:
    """Units drawn at one rate: ``num/den`` of them, at least ``min``, at most ``max``."""

    id: str
    num: int
    den: int
    min: int | None = None
    max: int | None = None

    def quota(self, units: int) -> int:
        """How many of ``units`` are drawn."""
        wanted = max(self.min or 0, -(-units * self.num // self.den))
        return min(units, wanted if self.max is None else min(wanted, self.max))

    def dump(self) -> dict[str, Any]:
        found = {"id": self.id, "num": self.num, "den": self.den, "min": self.min, "max": self.max}
        return {name: value for name, value in found.items() if value is not None}

    def faults(self) -> list[Message]:
        if not is_name(self.id):
            return [Message(f"层「{self.id}」的名称有误", f"the name of stratum {self.id!r} is wrong")]
        if self.den < 1 or not 0 <= self.num <= self.den:
            return [
                Message(
                    f"层「{self.id}」的比例 {self.num}/{self.den} 不在 0 与 1 之间",
                    f"the ratio {self.num}/{self.den} of stratum {self.id} is not between 0 and 1",
                )
            ]
        if (self.min or 0) < 0 or (self.max is not None and self.max < (self.min or 0)):
            return [Message(f"层「{self.id}」的下限高于上限", f"the least number of stratum {self.id} is above the largest")]
        return []


@dataclass(frozen=True, order=True)
class Inspector:
    """Who may be sent: identifier, unit, last day of the certificate."""

    id: str
    unit: str
    valid_until: date

    @property
    def line(self) -> str:
        return f"{self.id}\t{self.unit}\t{self.valid_until.isoformat()}"


@dataclass(frozen=True)
class Proposal:
    """All that a draw depends on besides the public numbers."""

    draw_id: str
    basis: str
    """The document that orders this draw."""
    frozen_at: datetime
    strata: Sequence[Stratum]
    """From the lightest supervision to the heaviest."""
    sources: Sequence[PublicSource]
    frame: Sequence[tuple[str, str]]
    """Units with their strata."""
    inspectors: Sequence[Inspector]
    conflicts: Sequence[tuple[str, str]]
    """Inspectors with units they must not inspect."""
    k: int
    """Inspectors for each unit."""
    cap: int
    """Units for each inspector, at most."""
    inversion: str | None = None
    """Why a heavier stratum is drawn less than a lighter one, where the law wants it so."""
    alg: str = "CDRAW/2"

    def faults(self, is_unit: Callable[[str], bool]) -> list[Message]:
        """Everything that forbids this draw; ``is_unit`` says whether an identifier is well formed."""
        return [
            *self._plan_faults(),
            *(fault for item in self.strata for fault in item.faults()),
            *self._frame_faults(is_unit),
            *self._people_faults(),
            *self._source_faults(),
        ] or [*self._ratio_faults(), *self._capacity_faults()]

    def _plan_faults(self) -> Iterable[Message]:
        for name, value in (("draw_id", self.draw_id), ("basis", self.basis)):
            if not is_name(value):
                yield Message(f"{name} 应为一行非空文字", f"{name} is one line of text")
        if self.inversion is not None and not is_name(self.inversion):
            yield Message("倒置的理由应为一行非空文字", "the reason of the inversion is one line of text")
        if self.alg not in HASHES:
            yield Message(f"不认识的算法「{self.alg}」", f"unknown algorithm {self.alg!r}")
        if self.frozen_at.tzinfo is None:
            yield Message("冻结时间没有时区", "the time of the freeze has no time zone")
        if self.k < 1 or self.cap < 1:
            yield Message("每户人数与每人上限应至少为 1", "inspectors a unit and units an inspector are at least 1")

    def _frame_faults(self, is_unit: Callable[[str], bool]) -> Iterable[Message]:
        names = Counter(item.id for item in self.strata)
        for name in (name for name, count in names.items() if count > 1):
            yield Message(f"层「{name}」出现两次", f"stratum {name} stands there twice")
        if not self.frame:
            yield Message("抽样框为空", "the frame is empty")
        for unit, count in Counter(unit for unit, _ in self.frame).items():
            if count > 1:
                yield Message(f"{unit} 在抽样框中出现 {count} 次", f"{unit} stands in the frame {count} times")
            if not is_unit(unit):
                yield Message(f"{unit} 不是有效的统一社会信用代码", f"{unit} is no valid unified social credit code")
        for name in sorted({stratum for _, stratum in self.frame} - set(names)):
            yield Message(f"层「{name}」没有比例", f"there is no rate for stratum {name!r}")

    def _people_faults(self) -> Iterable[Message]:
        day = max((item.date for item in self.sources), default=date.min)
        people = Counter(item.id for item in self.inspectors)
        for item in self.inspectors:
            if not is_name(item.id) or not is_name(item.unit):
                yield Message(f"检查人员「{item.id}」的编号或单位有误", f"id or unit of inspector {item.id!r} is wrong")
            if people[item.id] > 1:
                yield Message(f"检查人员 {item.id} 出现两次", f"inspector {item.id} stands there twice")
            if item.valid_until < day:
                yield Message(
                    f"{item.id} 的执法证 {item.valid_until} 到期，早于摇号日 {day}：先换证或移出名录",
                    f"the certificate of {item.id} ends on {item.valid_until}, before the drawing of {day}: renew it or leave them out",
                )
        units = {unit for unit, _ in self.frame}
        for person, unit in self.conflicts:
            if person not in people or unit not in units:
                yield Message(
                    f"回避「{person} — {unit}」中的人员或企业不在名录中",
                    f"the conflict {person} — {unit} names somebody who is in no list",
                )

    def _source_faults(self) -> Iterable[Message]:
        found = [fault for item in self.sources for fault in item.faults()]
        yield from found
        if found:
            return
        seen = Counter((item.game, item.date) for item in self.sources) + Counter(
            (item.game, item.issue) for item in self.sources
        )
        if any(count > 1 for count in seen.values()):
            yield Message("同一个公共随机源列了两次", "one public source is named twice")
            return
        bits = bits_of(self.sources)
        if bits < LEAST_BITS:
            yield Message(
                f"公共随机源共 {float(bits)} 比特，不足 {LEAST_BITS} 比特：改用快乐8，或双色球加大乐透",
                f"the public sources have {float(bits)} bits together, {LEAST_BITS} are needed: take kl8, or ssq with dlt",
            )
        if self.frozen_at.tzinfo is None:
            return
        for item in self.sources:
            if self.frozen_at > latest_commitment([item.date]):
                yield Message(
                    f"{GAMES[item.game].name.zh}第 {item.issue} 期于 {item.date} 开奖，冻结须在该日零时前 24 小时以上：改用更晚的一期",
                    f"issue {item.issue} of {item.game} is drawn on {item.date}; the freeze comes 24 hours before that day: name a later issue",
                )

    def _ratio_faults(self) -> Iterable[Message]:
        """The realised ratios never fall from a lighter to a heavier stratum, unless the plan says why."""
        sizes, lighter = Counter(stratum for _, stratum in self.frame), None
        for item in self.strata:
            size = sizes[item.id]
            if not size:
                continue
            drawn = item.quota(size)
            if lighter is not None and lighter[1] * size > drawn * lighter[2] and self.inversion is None:
                yield Message(
                    f"层「{item.id}」实抽 {drawn}/{size}，低于更轻的层「{lighter[0]}」的 {lighter[1]}/{lighter[2]}：调整下限，或写明倒置的理由",
                    f"stratum {item.id} is drawn {drawn} of {size}, less than the lighter {lighter[0]} with {lighter[1]} of {lighter[2]}: "
                    "change the bounds, or give the reason as inversion",
                )
            lighter = (item.id, drawn, size)

    def _capacity_faults(self) -> Iterable[Message]:
        sizes = Counter(stratum for _, stratum in self.frame)
        visits = sum(item.quota(sizes[item.id]) for item in self.strata) * self.k
        places = len(self.inspectors) * self.cap
        if visits > places:
            yield Message(
                f"需要 {visits} 人次，检查人员至多 {places} 人次（{len(self.inspectors)} 人，每人 {self.cap}）：增加人员或上限",
                f"{visits} visits are needed, the inspectors have room for {places} ({len(self.inspectors)} with {self.cap} each)",
            )
        for unit, count in Counter(unit for _, unit in self.conflicts).items():
            if len(self.inspectors) - count < self.k:
                yield Message(
                    f"{unit} 除去回避后不足 {self.k} 名检查人员",
                    f"{unit} has fewer than {self.k} inspectors without conflict",
                )


def is_name(value: str) -> bool:
    """Whether a text can stand in a line of the frame: not empty, normal form C, no tab or line break."""
    return bool(value.strip()) and value == value.strip() and unicodedata.is_normalized("NFC", value) and value.isprintable()


def looks_like_a_code(unit: str) -> bool:
    """Whether a unit has the form of a credit code; the check character is verified by the caller."""
    return len(unit) == 18 and unit.isascii() and unit.isalnum() and unit == unit.upper()
