"""Geometry of the charts: plain numbers that a template draws as SVG. Each chart has a table twin in the page.

Drawn by ourselves and not by a charting library: bars must be links, colours must follow tokens (dark, print), and a
page is drawn 400 times a second (``docs/decisions/0013``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

ROW, WIDTH, LABEL = 26, 720, 250


@dataclass(frozen=True)
class Bar:
    """One bar of a waterfall, in the units of the drawing."""

    title: str
    points_milli: int
    x: float
    width: float
    y: int
    end_x: float
    kind: str
    anchor: str

    @property
    def text_y(self) -> int:
        return self.y + 16

    @property
    def value_x(self) -> float:
        return max(self.x, self.end_x, self.x + self.width) + 5


@dataclass(frozen=True)
class Waterfall:
    """A waterfall: the start, one bar for each contribution, the total, and the cuts between the grades."""

    bars: tuple[Bar, ...]
    height: int
    cuts: tuple[tuple[float, str], ...]
    width: int = WIDTH
    label: int = LABEL


def waterfall(
    steps: Sequence[tuple[str, int, str]], total_milli: int, total_title: str, cuts: Sequence[tuple[int, str]] = ()
) -> Waterfall:
    """Lay out a waterfall.

    Args:
        steps: (title, thousandths of a point, anchor of the line in the table), the start first.
        total_milli: the sum; it is drawn as the last bar.
        total_title: its title.
        cuts: (thousandths, grade) from which a grade is reached.
    """
    running, low, high = 0, 0, 0
    for _title, points, _anchor in steps:
        running += points
        low, high = min(low, running), max(high, running)
    low, high = min(low, total_milli), max(high, total_milli, *(cut for cut, _grade in cuts), 1)
    span = (high - low) or 1
    room = WIDTH - LABEL - 70

    def place(milli: int) -> float:
        return round(LABEL + room * (milli - low) / span, 1)

    bars, running = [], 0
    for number, (title, points, anchor) in enumerate(steps):
        start, running = running, running + points
        left, right = sorted((place(start), place(running)))
        kind = "start" if number == 0 else "minus" if points < 0 else "plus"
        bars.append(Bar(title, points, left, max(right - left, 1.5), 8 + number * ROW, place(running), kind, anchor))
    left, right = sorted((place(0), place(total_milli)))
    bars.append(Bar(total_title, total_milli, left, max(right - left, 1.5), 8 + len(steps) * ROW, right, "total", "total"))
    return Waterfall(tuple(bars), 16 + len(bars) * ROW, tuple((place(cut), grade) for cut, grade in cuts))


def explanation_waterfall(explanation: dict[str, Any], language: str) -> Waterfall:
    """The waterfall of an ``explanation/1``; ``language`` is ``zh`` or ``en``."""
    score = explanation["score"]
    steps = [(_("起始分"), score["start_milli"] + score["implied_milli"], "start")]
    steps += [
        (item["title"][language] or item["title"]["zh"], item["points_milli"], f"i-{item['indicator']}")
        for item in explanation["contributions"]
    ]
    cuts = [(round(1000 * float(item["cut"])), item["grade"]) for item in explanation["cuts"]]
    return waterfall(steps, score["total_milli"], _("得分"), cuts)


Span = tuple[str, date, date | None, str, str]
"""Title, from, until or ``None`` for a single day, kind, address."""


@dataclass(frozen=True)
class Mark:
    """One mark of a timeline: a span (or a day) on a lane."""

    title: str
    x: float
    width: float
    y: int
    kind: str
    address: str


@dataclass(frozen=True)
class Timeline:
    """Spans over time with a line for each year and one for the day looked at."""

    spans: tuple[Mark, ...]
    years: tuple[tuple[float, int], ...]
    today: float
    height: int
    width: int = WIDTH
    labels: tuple[tuple[int, str], ...] = ()
    """Of a Gantt chart: where each row's name stands."""


def timeline(spans: Sequence[Span], first: date, last: date, today: date) -> Timeline:
    """Lay out spans between two days.

    Args:
        spans: (title, from, until or ``None`` for a single day, kind, address).
        first: left edge.
        last: right edge.
        today: where the line of the day stands.
    """
    days = max((last - first).days, 1)

    def place(day: date) -> float:
        inside = min(max(day, first), last)
        return round(10 + (WIDTH - 20) * (inside - first).days / days, 1)

    lanes: list[float] = []
    marks = []
    for title, start, end, kind, address in sorted(spans, key=lambda item: item[1]):
        left = place(start)
        right = max(place(end) if end else left, left + 6)
        lane = next((number for number, used in enumerate(lanes) if used < left - 2), len(lanes))
        if lane == len(lanes):
            lanes.append(right)
        lanes[lane] = right
        marks.append(Mark(title, left, round(right - left, 1), 24 + lane * 16, kind, address))
    years = tuple(
        (place(date(year, 1, 1)), year) for year in range(first.year, last.year + 1) if first <= date(year, 1, 1) <= last
    )
    return Timeline(tuple(marks), years, place(today), 34 + max(len(lanes), 1) * 16)


ROW = 36


def gantt(rows: Sequence[tuple[str, Sequence[Span]]], first: date, last: date, today: date) -> Timeline:
    """Lay out named rows of spans between two days, one row below the other, each under its name."""
    placed: list[Mark] = []
    empty = timeline([], first, last, today)
    for number, (_name, spans) in enumerate(rows):
        for span in spans:
            mark = timeline([span], first, last, today).spans[0]
            placed.append(replace(mark, y=36 + number * ROW))
    labels = tuple((32 + number * ROW, name) for number, (name, _spans) in enumerate(rows))
    return Timeline(tuple(placed), empty.years, empty.today, 30 + max(len(rows), 1) * ROW, labels=labels)


@dataclass(frozen=True)
class Histogram:
    """Counts by interval of the score, with the cuts between the grades."""

    bars: tuple[tuple[float, float, float, float, int, int], ...]
    """x, y, width, height, from (points), count."""
    cuts: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = 180


def histogram(counts: Sequence[tuple[int, int]], step: int, cuts: Sequence[tuple[int, str]]) -> Histogram:
    """Lay out counts by interval.

    Args:
        counts: (lower edge in points, count), ascending.
        step: width of an interval in points.
        cuts: (points, grade).
    """
    if not counts:
        return Histogram((), ())
    low = min(counts[0][0], *(cut for cut, _grade in cuts)) if cuts else counts[0][0]
    high = counts[-1][0] + step
    most = max(count for _edge, count in counts)
    span = max(high - low, step)
    room = WIDTH - 20

    def place(points: float) -> float:
        return round(10 + room * (points - low) / span, 1)

    bars = []
    for edge, count in counts:
        tall = max(round(130 * count / most, 1), 1.0)
        bars.append((place(edge), round(150 - tall, 1), round(max(room * step / span - 2, 1), 1), tall, edge, count))
    return Histogram(tuple(bars), tuple((place(cut), grade) for cut, grade in cuts))


def strip(values: Sequence[int], own: int) -> dict[str, Any]:
    """A strip of peers: the position of each score between the lowest and the highest, and of one's own.

    Args:
        values: scores of the peers in thousandths.
        own: the score of the subject looked at.
    """
    everyone = [*values, own]
    low, high = min(everyone), max(everyone)
    span = (high - low) or 1

    def place(value: int) -> float:
        return round(10 + (WIDTH - 20) * (value - low) / span, 1)

    below = sum(value < own for value in values)
    return {
        "dots": [place(value) for value in values], "own": place(own), "low": low, "high": high, "peers": len(values),
        "below": below, "share": f"{round(100 * below / len(values))}%" if values else "", "width": WIDTH,
    }  # fmt: skip
