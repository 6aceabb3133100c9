"""Whether the integers of a plan fit their types, whatever the rows: intervals put through its expressions.

Polars wraps silently where an amount times a rate passes 64 bits; DuckDB and Spark refuse. So before Polars computes, the
intervals of the inputs are put through every sum and product of the plan, and what cannot be shown to fit is left to DuckDB.
An interval may be too wide (what a condition rules out is never looked at), never too narrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import ibis.expr.operations as ops
import polars as pl
from ibis.common.graph import Graph

from zhixin.evaluation.plan.columns import NOTHING
from zhixin.evaluation.plan.plan import EvaluationPlan


class Interval(NamedTuple):
    """The least and the most that a value may be where it is known; ``is_known``: it is never NULL."""

    low: int
    high: int
    is_known: bool = False


Frame = Mapping[str, Interval]
"""The intervals of the integer columns of a frame, by name. NULL does not count; a column that is absent may hold anything."""

_RANGES: dict[type, Interval] = {
    ops.ExtractDay: Interval(1, 31),
    ops.ExtractMonth: Interval(1, 12),
    ops.ExtractYear: Interval(-10_000, 10_000),
    ops.DateDelta: Interval(-8_000_000, 8_000_000),  # days between any two years of those
}
_ARITHMETIC = (ops.Add, ops.Subtract, ops.Multiply, ops.Negate, ops.Sum)


@dataclass(frozen=True, eq=False)
class BoundedStage:
    """An expression, and the frame that it makes: all of it, some of its rows, or (``is_beside``) some of its columns."""

    makes: str
    expression: Any
    is_beside: bool = False

    @cached_property
    def nodes(self) -> list[Any]:
        """What it is made of, leaves first."""
        return list(Graph.from_bfs(self.expression.op()).toposort()[0])

    @cached_property
    def reads(self) -> set[str]:
        """The names of the frames that it reads."""
        return {node.name for node in self.nodes if isinstance(node, ops.PhysicalTable)}

    @cached_property
    def rests(self) -> set[Any]:
        """Products that are near what they are taken from, however large their factors may be: see :func:`_is_rest`."""
        return {node.right for node in self.nodes if _is_rest(node)}


def put_through(stages: Iterable[BoundedStage], frames: Mapping[str, Frame], rows: int) -> dict[str, Frame] | None:
    """The intervals of all frames after the stages; ``None`` if some integer may not fit its type.

    Args:
        stages: in order; each reads the inputs and what was made before it.
        frames: the inputs, and those that Ibis does not make.
        rows: of one group, no more rows than these are ever counted or added up.
    """
    known = dict(frames)
    for stage in stages:
        made = _Walk(stage, known, rows).frame()
        if made is None:
            return None
        earlier = known.get(stage.makes)
        if earlier is None:
            known[stage.makes] = made
        else:
            known[stage.makes] = {**_perhaps(made), **earlier} if stage.is_beside else united(earlier, made)
    return known


@dataclass
class Widths:
    """What a plan computes in Polars, and for which inputs it is known to fit or not."""

    plan: EvaluationPlan
    pieces: Mapping[str, pl.DataFrame]
    """The small tables of the plan; their rows are of one measure each."""
    stages: list[BoundedStage]
    """In order, up to the contributions (``rows``)."""
    results: list[BoundedStage]
    """From ``totalled`` on."""
    told: dict[Any, bool] = field(default_factory=dict)

    def fit(self, inputs: Mapping[str, pl.DataFrame], records: int) -> bool:
        """Whether every integer fits; put through once for inputs of about the same size.

        Args:
            inputs: by the names under which the stages read them, all with ``subject_no``.
            records: how many records there are in all.
        """
        frames = {name: _rough(_frame_of(frame)) for name, frame in inputs.items()}
        rows = _roughly(self._alike * max(_most_alike(frame) for name, frame in inputs.items() if name != "subjects"))
        about = (rows, _roughly(records), *((name, *sorted(frame.items())) for name, frame in sorted(frames.items())))
        if about not in self.told:
            self.told[about] = self.intervals(frames, rows, _roughly(records)) is not None
        return self.told[about]

    @cached_property
    def _alike(self) -> int:
        """In how many ways one record may count for one measure."""
        return max(Counter((slot.kind, slot.measure_no) for slot in self.plan.table.slots).values(), default=1)

    def intervals(self, frames: Mapping[str, Frame], rows: int, records: int) -> dict[str, Frame] | None:
        """The intervals of every frame of a run, from those of its inputs; ``None`` if some integer may not fit."""
        # of the simple kinds, as ``columns.counted`` makes it
        counted = {"n": Interval(0, records), "total": Interval(0, 0), "top": Interval(0, 0)}
        inputs: dict[str, Frame] = {**frames, "long": counted}
        known = inputs
        by_measure = [stage for stage in self.stages if stage.reads & {*self.pieces, "special_matched"}]
        for pieces in self._by_measure():
            made = put_through(by_measure, {**inputs, **pieces}, rows)
            if made is None:
                return None
            known = {
                **known,
                **{name: united(made[name], known.get(name, made[name])) for name in made if name not in pieces},
            }
        found = put_through([stage for stage in self.stages if stage not in by_measure], known, rows)
        if found is None:
            return None
        given = [found["rows"][name] for name in ("points", "default") if name in found["rows"]]
        most = sum(max(-low, high) for low, high, _ in given) * len(self.plan.indicators)
        names = ["replaced", *(f"t{number}" for number, _ in enumerate(self.plan.rulebook.dimensions))]
        totals = dict.fromkeys(names, Interval(-most, most))  # as ``columns.totals`` adds them up
        return put_through(self.results, {**found, "totalled": {**found["base"], **totals}}, rows) if most < 2**63 else None

    def _by_measure(self) -> Iterator[dict[str, Frame]]:
        """The small tables with the rows of one measure: a rate that is meant for few is not laid on large amounts."""
        keys = {
            name: "measure_no" if "measure_no" in frame.columns else "piece_measure" for name, frame in self.pieces.items()
        }
        parts = {name: frame.partition_by(keys[name], as_dict=True) for name, frame in self.pieces.items()}
        for measure in sorted({key for part in parts.values() for (key,) in part}):
            yield {name: _frame_of(part.get((measure,), self.pieces[name].clear())) for name, part in parts.items()}


def _frame_of(frame: pl.DataFrame) -> dict[str, Interval]:
    """The intervals of a frame's integers."""
    integers = [frame[name] for name, kind in frame.schema.items() if kind.is_integer()]
    return {
        column.name: Interval(column.min() or 0, column.max() or 0, not column.null_count())  # type: ignore[arg-type]
        for column in integers
    }


def _rough(frame: Frame) -> Frame:
    """Wider intervals, so that cities of about the same size have the same."""
    return {name: Interval(-_roughly(-low) if low < 0 else 0, _roughly(high)) for name, (low, high, _) in frame.items()}


def _roughly(number: int) -> int:
    """An upper limit, up to 16 times as much."""
    return 1 << -(-max(number, 0).bit_length() // 4) * 4


def _most_alike(frame: pl.DataFrame) -> int:
    """The rows of the subject that has most of them."""
    keys = [name for name in ("subject_no", "related_no") if name in frame.columns]
    runs = (frame[key].sort().rle().struct["len"].to_numpy() for key in keys)  # nearly sorted: cheaper than hashing
    return max((int(run.max(initial=0)) for run in runs), default=0)


def united(one: Frame, other: Frame) -> Frame:
    """The intervals of the rows of both."""
    return {name: _hull(one[name], other[name]) for name in one if name in other}


def _perhaps(frame: Frame) -> Frame:
    """The same where a row may have no partner."""
    return {name: Interval(low, high) for name, (low, high, _) in frame.items()}


def _hull(*intervals: Interval) -> Interval:
    lows, highs, known = zip(*intervals, strict=True)
    return Interval(min(lows), max(highs), all(known))


class _Walk:
    """One stage, from its leaves up."""

    def __init__(self, stage: BoundedStage, frames: Mapping[str, Frame], rows: int) -> None:
        self.stage, self.frames, self.rows = stage, frames, rows
        self.found: dict[Any, Any] = {}
        """By node: the intervals of a table's columns, or the interval of an integer (``None`` of another value)."""

    def frame(self) -> Frame | None:
        """The intervals of what the stage makes; ``None`` if some integer may not fit its type."""
        for node in self.stage.nodes:
            if isinstance(node, ops.Relation):
                self.found[node] = self._table(node)
            elif isinstance(node, ops.Value) and not self._value(node):
                return None
        made: Frame = self.found[self.stage.nodes[-1]]
        return made

    def _value(self, node: Any) -> bool:
        """Find the interval of a value; whether it fits."""
        self.found[node] = None
        if node.dtype.is_boolean() or node.dtype.is_null():
            self.found[node] = Interval(0, 1)
        elif node.dtype.is_integer():
            least, most = node.dtype.bounds
            low, high, is_known = self._integer(node) or Interval(least, most)
            if isinstance(node, _ARITHMETIC) and (low < least or high > most):
                return False
            self.found[node] = Interval(max(low, least), min(high, most), is_known)
        return True

    def _table(self, node: Any) -> Frame:
        match node:
            case ops.PhysicalTable():
                return self.frames.get(node.name, {})
            case ops.Project() | ops.JoinChain():
                columns = node.values
            case ops.Aggregate():
                columns = {**node.groups, **node.metrics}
            case ops.Union():
                return united(self.found[node.left], self.found[node.right])
            case _:
                parent: Frame = self.found[node.parent]
                return parent
        given = {name: self.found[value] for name, value in columns.items() if self.found[value] is not None}
        is_outer = isinstance(node, ops.JoinChain) and any(link.how != "inner" for link in node.rest)
        return _perhaps(given) if is_outer else given

    def _integer(self, node: Any) -> Interval | None:
        """The interval of an integer; ``None`` if nothing is known of it."""
        found = self.found
        match node:
            case ops.Literal():
                return Interval(0, 0) if node.value is None else Interval(node.value, node.value, True)
            case ops.Field():
                known: Interval | None = found[node.rel].get(node.name)
                return known
            case ops.Floor() if (parts := _divided(node)) is not None:
                return _quotient(*(found[part] for part in parts))
            case ops.Negate(arg=arg):
                low, high, is_known = found[arg]
                return Interval(-high, -low, is_known)
            case ops.Subtract(left=left, right=right) if right in self.stage.rests:
                return _rest(found[left], found[right.right])
            case ops.Multiply() if node in self.stage.rests:
                return Interval(0, 0)  # its result was bounded above
            case ops.Add() | ops.Subtract() | ops.Multiply() | ops.BitwiseAnd():
                return _OF_TWO[type(node)](found[node.left], found[node.right])
            case ops.Sum(arg=arg):
                return Interval(min(0, found[arg].low * self.rows), max(0, found[arg].high * self.rows))
            case ops.CountStar() | ops.MinRank() | ops.RowNumber():
                return Interval(0, self.rows, True)
            case ops.Cast(arg=arg) | ops.WindowFunction(func=arg):
                same: Interval | None = found[arg]
                return same
            case ops.Max(arg=arg) | ops.Min(arg=arg):
                return Interval(found[arg].low, found[arg].high)
            case ops.IfElse():
                return _hull(found[node.true_expr], found[node.false_null_expr])
            case ops.SearchedCase():
                return _hull(*_possible(node, found))
            case ops.Coalesce(arg=args):
                return _coalesced(args, found)
            case ops.Least(arg=args):
                return _least([found[part] for part in args])
            case ops.Greatest(arg=args):
                low, high, is_known = _least(
                    [Interval(-found[part].high, -found[part].low, found[part].is_known) for part in args]
                )
                return Interval(-high, -low, is_known)
        return _RANGES.get(type(node))


def _coalesced(args: Iterable[Any], found: Mapping[Any, Interval]) -> Interval:
    """The first non-NULL value. :data:`NOTHING` counts as NULL, as it does at execution."""
    given = [found[part] for part in args if getattr(part, "value", None) not in (NOTHING, -NOTHING)]
    low, high, _ = _hull(*given)
    return Interval(low, high, any(part.is_known for part in given))


def _least(parts: list[Interval]) -> Interval:
    """The least of several. NULL is skipped, so only what is known holds the others down."""
    ends = [part.high for part in parts if part.is_known]
    high = min(ends) if ends else max(part.high for part in parts)
    return Interval(min(part.low for part in parts), high, bool(ends))


def _product(one: Interval, other: Interval) -> Interval:
    corners = [a * b for a in one[:2] for b in other[:2]]
    return Interval(min(corners), max(corners), one.is_known and other.is_known)


def _bits(one: Interval, other: Interval) -> Interval | None:
    """Bits in common with a number that is not negative are not above it."""
    ends = [part.high for part in (one, other) if part.low >= 0]
    return Interval(0, min(ends)) if ends else None


def _added(one: Interval, other: Interval) -> Interval:
    return Interval(one.low + other.low, one.high + other.high, one.is_known and other.is_known)


_OF_TWO: dict[type, Callable[[Interval, Interval], Interval | None]] = {
    ops.Add: _added,
    ops.Subtract: lambda one, other: _added(one, Interval(-other.high, -other.low, other.is_known)),
    ops.Multiply: _product,
    ops.BitwiseAnd: _bits,
}


def _possible(node: ops.SearchedCase, found: Mapping[Any, Any]) -> Iterator[Interval]:
    """The branches of a choice by number that the number may take, or all of them."""
    for test, result in zip(node.cases, node.results, strict=True):
        match test:
            case ops.Equals(number, ops.Literal(value=wanted)) if found[number] is not None:
                low, high, _ = found[number]
                if low <= wanted <= high:
                    yield found[result]
            case _:
                yield found[result]
    yield found[node.default]


# --- division as ``Wide.half_up`` writes it -------------------------------------------------------------------------


def _divided(node: Any) -> tuple[Any, Any] | None:
    """top and bottom of ``floor(float(top) / float(bottom))`` as an integer."""
    match node:
        case ops.Floor(ops.Divide(ops.Cast(top), ops.Cast(bottom))):
            return top, bottom
    return None


def _is_rest(node: Any) -> bool:
    """Whether a difference is ``top - quotient * bottom``."""
    match node:
        case ops.Subtract(top, ops.Multiply(quotient, bottom)):
            return _is_quotient(quotient, top, bottom)
    return False


def _is_quotient(node: Any, top: Any, bottom: Any) -> bool:
    """Whether a number is top ÷ bottom, with or without a correction by the remainder."""
    if isinstance(node, ops.Add):
        mending = _divided(node.right)
        return _is_quotient(node.left, top, bottom) and mending == (
            ops.Subtract(top, ops.Multiply(node.left, bottom)),
            bottom,
        )
    return _divided(node) == (top, bottom)


def _quotient(top: Interval, bottom: Interval) -> Interval:
    """top ÷ bottom, where bottom is above 0 or the result is not used; off by what a float loses."""
    least = max(bottom.low, 1)
    slack = (max(-top.low, top.high, 0) >> 50) + 1
    is_known = top.is_known and bottom.is_known and bottom.low > 0
    return Interval(min(top.low // least, 0) - slack, max(top.high // least, 0) + slack, is_known)


def _rest(top: Interval, bottom: Interval) -> Interval:
    most = 2 * max(-bottom.low, bottom.high) + (max(-top.low, top.high, 0) >> 50)
    return Interval(-most, most, top.is_known and bottom.is_known)
