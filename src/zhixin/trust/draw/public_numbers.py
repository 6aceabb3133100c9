"""Public numbers that seed a draw: who draws them, how many outcomes there are, and their one form (RFC 3797 §5).

Every number of one drawing is written so that no two are alike and their order says nothing: a number of the second drum gets
the size of the first added, a digit at place ``p`` gets ``10·p`` added. Anybody turns them back into what was announced.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from zhixin.errors import DrawRefused, Message

LEAST_BITS = 40
"""A draw with fewer can be ground by whoever freezes the frame (``docs/explanation/draw.md``)."""


MOST_BREAK = 21
"""Days a year on which a game may pause (Spring Festival, National Day), generously."""


@dataclass(frozen=True)
class Drum:
    """``drawn`` different numbers out of ``size``, written as ``first … first + size − 1``."""

    drawn: int
    size: int
    first: int

    @property
    def outcomes(self) -> int:
        return math.comb(self.size, self.drawn)


def _places(count: int) -> tuple[Drum, ...]:
    """Digits 0 … 9 at ``count`` places."""
    return tuple(Drum(1, 10, 10 * place) for place in range(count))


@dataclass(frozen=True)
class Game:
    """A public drawing: its identifier in plans, its names, its drums."""

    id: str
    name: Message
    drums: tuple[Drum, ...]
    days: frozenset[int] = frozenset(range(7))
    """Days of the week on which it is drawn, Monday first; empty: issues are not numbered (public dice name the place)."""

    @property
    def is_numbered(self) -> bool:
        return bool(self.days)

    @property
    def bits(self) -> float:
        """Entropy of one drawing, rounded down to a tenth."""
        return math.floor(10 * sum(math.log2(drum.outcomes) for drum in self.drums)) / 10

    def faults(self, numbers: Sequence[int]) -> list[Message]:
        """What is wrong with the numbers of one drawing."""
        wanted = sum(drum.drawn for drum in self.drums)
        if len(set(numbers)) != len(numbers):
            return [Message(f"{self.name.zh}：号码有重复", f"{self.name.en}: a number stands there twice")]
        if len(numbers) != wanted:
            return [
                Message(
                    f"{self.name.zh}：应有 {wanted} 个号码，收到 {len(numbers)} 个",
                    f"{self.name.en} has {wanted} numbers, {len(numbers)} were given",
                )
            ]
        for drum in self.drums:
            last = drum.first + drum.size - 1
            if sum(drum.first <= number <= last for number in numbers) != drum.drawn:
                return [
                    Message(
                        f"{self.name.zh}：{drum.first} 至 {last} 之间应有 {drum.drawn} 个号码",
                        f"{self.name.en}: {drum.drawn} of the numbers lie between {drum.first} and {last}",
                    )
                ]
        return []


GAMES = {
    game.id: game
    for game in (
        Game("kl8", Message("快乐8", "Kuaile 8"), (Drum(20, 80, 1),)),
        Game(
            "ssq",
            Message("双色球（蓝球加33）", "Shuangseqiu (blue plus 33)"),
            (Drum(6, 33, 1), Drum(1, 16, 34)),
            frozenset({1, 3, 6}),
        ),
        Game(
            "dlt",
            Message("大乐透（后区加35）", "Daletou (back area plus 35)"),
            (Drum(5, 35, 1), Drum(2, 12, 36)),
            frozenset({0, 2, 5}),
        ),
        Game("pl5", Message("排列五（第 p 位加 10p）", "Pailie 5 (place p plus 10p)"), _places(5)),
        Game("fc3d", Message("福彩3D（第 p 位加 10p）", "Fucai 3D (place p plus 10p)"), _places(3)),
        Game("dice20", Message("当众掷 20 枚十面骰（第 p 枚加 10p）", "20 public ten-sided dice"), _places(20), frozenset()),
    )
}
_NAMES = {"快乐8": "kl8", "快乐八": "kl8", "双色球": "ssq", "大乐透": "dlt", "排列五": "pl5", "排列5": "pl5", "福彩3d": "fc3d", "3d": "fc3d"}  # fmt: skip


def game_of(name: str) -> Game | None:
    """The drawing of that identifier or usual name."""
    key = name.strip().lower()
    return GAMES.get(_NAMES.get(key, key))


@dataclass(frozen=True)
class PublicSource:
    """One drawing to come: game, issue, date."""

    game: str
    issue: str
    date: date

    def faults(self) -> list[Message]:
        """Why this source cannot be named in a plan."""
        game = GAMES.get(self.game)
        if game is None:
            known = "、".join(GAMES)
            return [
                Message(f"不认识的公共随机源「{self.game}」（可用：{known}）", f"unknown source {self.game!r} ({known})")
            ]
        if not self.issue.strip():
            return [Message(f"{game.name.zh}没有期号", f"{game.name.en} has no issue")]
        if game.is_numbered and not self._is_of_its_year():
            return [
                Message(
                    f"{game.name.zh}第 {self.issue} 期与 {self.date} 不符：期号为四位年份加三位序号",
                    f"issue {self.issue} of {game.name.en} is none of {self.date}: four digits of the year, three of the count",
                )
            ]
        return []

    def _is_of_its_year(self) -> bool:
        """Whether the count is about that of the year's drawings up to the day, on a day on which the game is drawn."""
        form, days = self.issue, GAMES[self.game].days
        if len(form) != 7 or not (form.isascii() and form.isdigit()) or int(form[:4]) != self.date.year:
            return False
        most = sum(
            date.fromordinal(day).weekday() in days
            for day in range(date(self.date.year, 1, 1).toordinal(), self.date.toordinal() + 1)
        )
        return self.date.weekday() in days and max(1, most - MOST_BREAK * len(days) // 7 - 1) <= int(form[4:]) <= most


def bits_of(sources: Sequence[PublicSource]) -> Fraction:
    """Entropy of all sources, in bits, rounded down to a tenth."""
    return sum((Fraction(round(GAMES[item.game].bits * 10), 10) for item in sources), Fraction())


def agreed(first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]) -> list[list[int]]:
    """The numbers that two persons have entered alike, each source sorted.

    Raises:
        DrawRefused: they differ; names the sources.
    """
    one, other = ([sorted(numbers) for numbers in entered] for entered in (first, second))
    if one != other:
        places = [
            str(place + 1)
            for place in range(max(len(one), len(other)))
            if one[place : place + 1] != other[place : place + 1]
        ]
        raise DrawRefused(
            [
                Message(
                    f"两人录入的号码不一致（第 {'、'.join(places)} 个来源）：对照公告各自重录",
                    f"the two persons entered different numbers (source {', '.join(places)}): both enter them again from the announcement",
                )
            ]
        )
    return one


def seed_of(numbers: Sequence[Sequence[int]]) -> str:
    """The key string of RFC 3797: numbers sorted, each followed by ``.``, each source closed with ``/``."""
    return "".join("".join(f"{number}." for number in sorted(source)) + "/" for source in numbers)


def read_numbers(text: str) -> list[int]:
    """Numbers as somebody types them: blanks, commas or full-width commas between.

    Raises:
        DrawRefused: something else stands there.
    """
    parts = [part for part in re.split(r"[\s,，、;；+]+", unicodedata.normalize("NFKC", text)) if part]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        raise DrawRefused([Message(f"「{text}」不是一组号码", f"{text!r} are no numbers")])
    return [int(part) for part in parts]
