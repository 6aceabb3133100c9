"""``zhixin deadline``: when a term ends, which days count, on whose word."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import words
from zhixin.errors import UsageError

if TYPE_CHECKING:
    from zhixin.law.reckoning_of_terms import Suspension

SHOWN = 40
"""A longer list of days is cut in the middle."""


def deadline(
    start: Annotated[str, typer.Argument(help=words("行为之日（不计入）", "day of the act, which does not count"))],
    number: Annotated[int, typer.Argument(help=words("期限", "length of the term"))],
    unit: Annotated[
        str,
        typer.Option(help=words("working 工作日 · calendar 日 · month 月 · year 年", "working, calendar, month or year")),
    ],
    suspend: Annotated[
        list[str] | None,
        typer.Option(help=words("中止期间，含首尾：2026-09-22..2026-09-29", "suspended days, both ends included")),
    ] = None,
) -> None:
    """Reckon the end of a term; says which days count and where the calendar comes from."""
    from zhixin.law.reckoning_of_terms import reckon

    found = reckon(_day(start), number, unit, [_interval(text) for text in suspend or []])
    screen = Screen()
    mark_zh, mark_en = ("（推算）", " (presumed)") if found.is_presumed else ("", "")
    screen.say(f"届满日：{found.due_on}{mark_zh}", f"due on {found.due_on}{mark_en}")
    if found.moved_from is not None:
        screen.say(
            f"{found.moved_from} 是休息日，顺延至 {found.due_on}",
            f"{found.moved_from} is a day off: moved to {found.due_on}",
        )
    if unit in ("working", "calendar"):
        days = _listed([day.isoformat() for day in found.counted])
        screen.say(f"计入 {len(found.counted)} 日：{days}", f"days that count, {len(found.counted)}: {days}")
    if found.skipped:
        zh = _listed([f"{day}（{reason.zh}）" for day, reason in found.skipped])
        en = _listed([f"{day} ({reason.en})" for day, reason in found.skipped])
        screen.say(f"不计 {len(found.skipped)} 日：{zh}", f"days that do not, {len(found.skipped)}: {en}")
    for item in found.years:
        screen.say(f"{item.year} 年依据：{item.source.zh}", f"days off of {item.year}: {item.source.en}")


def _listed(items: list[str]) -> str:
    return " ".join(items if len(items) <= SHOWN else [*items[: SHOWN // 2], "…", *items[-SHOWN // 2 :]])


def _day(text: str) -> date:
    from zhixin.law.calendar import FIRST_DAY, LAST_DAY

    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"「{text}」不是日期（2026-09-18）", f"{text!r} is no date (2026-09-18)") from error
    if not FIRST_DAY <= found <= LAST_DAY:
        raise UsageError(f"日期应在 {FIRST_DAY} 与 {LAST_DAY} 之间", f"a date lies between {FIRST_DAY} and {LAST_DAY}")
    return found


def _interval(text: str) -> Suspension:
    from zhixin.law.reckoning_of_terms import Suspension

    first, dots, last = text.partition("..")
    if not dots:
        raise UsageError(
            f"中止期间「{text}」应写作 2026-09-22..2026-09-29", f"write the suspension {text!r} as 2026-09-22..2026-09-29"
        )
    return Suspension(_day(first), _day(last))
