"""A resolved rulebook as small tables, the compiler's middle form.

Every record measure becomes *slots*: rows (kind, date window, wanted bits, measure number). A record meets the slots of
its kind by one join, so the work follows matches and not indicators. Every points function of one measure is piecewise
linear, so it becomes *pieces*: rows (from, to, constant, slope). Nothing here knows Ibis or a database.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, gcd, lcm
from typing import Any, NamedTuple

from zhixin.law.calendar import FIRST_DAY, LAST_DAY, shift_days
from zhixin.law.filters import CorrectedTest, DatedFlag, FieldTest, RecordFilter
from zhixin.law.measures import AppendedTerm, CleanYears, Count, DaysSince, Exists, Extreme, Latest, Mean, Sum
from zhixin.law.moment_and_windows import Moment
from zhixin.law.nodes import Dated, constant, milli
from zhixin.law.points import Affine, Linear, Once, PerRecord, PerUnit, Steps, Tier
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import RecordDate

WORD_BITS = 62
UNBOUNDED = 2**63 - 1
"""No limit: the largest integer of 64 bits, so that no value is cut short at it."""


class Atom(NamedTuple):
    """One yes/no question about a record. Equal questions share a bit."""

    kind: str
    """``severity``, ``field``, ``valid``, ``flag``, ``dated``, ``corrected`` or ``period``."""
    detail: Any


class Addend(NamedTuple):
    """What a record adds: 1 (no field), a field, a field × weight, or the weight where the field is known."""

    field: str | None = None
    weight: str | None = None
    only_known: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in (self.field, self.weight) if name is not None)


class Portion(NamedTuple):
    """What a record gives by its own ratio (milli): ``start`` + half_up(``rate`` × field ÷ over), as stored integers."""

    start: int
    rate: Fraction
    field: str
    over: str

    @property
    def fields(self) -> tuple[str, ...]:
        return self.field, self.over


@dataclass(frozen=True)
class Slot:
    """A record of ``kind`` whose date lies in the window and whose bits agree counts for ``measure_no``."""

    kind: str
    measure_no: int
    date_no: int
    first: date
    last: date
    yes: int
    no: int
    source_no: int
    factor: int


class Piece(NamedTuple):
    """From ``low`` on (above it if ``is_open``): points(milli) = ``start`` + ``slope`` × value."""

    low: Fraction | None
    is_open: bool
    start: Fraction
    slope: Fraction


class IntegerPiece(NamedTuple):
    """``low <= num < high``: points = half_up((start + slope × num) / divisor), all integers."""

    low: int
    high: int
    start: int
    slope: int
    divisor: int


@dataclass
class SlotTable:
    """Everything the record stage needs: slots, atoms, date columns, sources, and the special measures."""

    rulebook: Rulebook
    moment: Moment
    slots: list[Slot] = field(default_factory=list)
    atoms: dict[Atom, int] = field(default_factory=dict)
    dates: list[RecordDate] = field(default_factory=list)
    sources: list[Addend | Portion] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)
    specials: dict[int, Count | Latest | AppendedTerm | PerRecord] = field(default_factory=dict)
    uses_total: set[int] = field(default_factory=set)
    uses_top: set[int] = field(default_factory=set)
    uses_newest: set[int] = field(default_factory=set)

    def number(self, measure: Any) -> int:
        """The number of a record measure, adding its slots at first use."""
        if measure in self.numbers:
            return self.numbers[measure]
        number = self.numbers[measure] = len(self.numbers)
        match measure:
            case Sum():
                self.uses_total.add(number)
                self._add(number, measure.of, Addend(measure.field))
            case Extreme():
                self.uses_top.add(number)
                self._add(number, measure.of, Addend(measure.field), factor=-1 if measure.type == "minimum" else 1)
            case DaysSince() | CleanYears():
                self.uses_newest.add(number)
                self._add(number, measure.of, Addend())
            case Exists():
                self._add(number, measure.of, Addend())
            case Count() if not measure.distinct:
                self._add(number, measure.of, Addend())
            case Count() | Latest() | AppendedTerm():
                self.specials[number] = measure
                self._add(number, measure.of, Addend())
            case _:
                raise AssertionError(measure)
        return number

    def mean_numbers(self, measure: Mean) -> tuple[int, int]:
        """Numbers of the weighted total and of the total weight of a mean."""
        numbers = []
        for part in ("total", "weight"):
            key = (part, measure)
            if key not in self.numbers:
                self.numbers[key] = len(self.numbers)
                self.uses_total.add(self.numbers[key])
                source = Addend(measure.field, measure.weighted_by, only_known=part == "weight")
                self._add(self.numbers[key], measure.of, source)
            numbers.append(self.numbers[key])
        return numbers[0], numbers[1]

    def per_record_number(self, points: PerRecord, measure: Any) -> int:
        """The number whose total is the sum of the points (milli) given record by record; the measure is a count."""
        only: RecordFilter = measure.of
        key = (points.model_dump_json(), only)  # a dated value is a mapping and has no hash
        if key in self.numbers:
            return self.numbers[key]
        number = self.numbers[key] = len(self.numbers)
        self.uses_total.add(number)
        if points.distinct:
            self.specials[number] = points
        plain = Addend()
        for period, each in self._each_by_period(points):
            rest = [(frozenset(period), frozenset[Atom]())]
            if each is None:
                self._add(number, only, plain, factor=0, yes=rest[0][0])
                continue
            for tier in points.tiers:
                tests = [self._field_atom(test) for test in tier.where]
                tests += [] if tier.corrected is None else [Atom("corrected", tier.corrected)]
                source, factor = self._tier_value(tier, each)
                for yes, no in rest:
                    self._add(number, only, source, factor=factor, yes=yes | set(tests), no=no)
                rest = [cube for yes, no in rest for cube in _unless_all(yes, no, tests)]
            for yes, no in rest:
                self._add(number, only, plain, factor=_half_up(each * 1000), yes=yes, no=no)
        return number

    def _tier_value(self, tier: Tier, each: Fraction) -> tuple[Addend | Portion, int]:
        """What a record of a tier adds, and the factor on it."""
        if tier.each is None:
            assert tier.give_back is not None
            return Addend(), _half_up(each * (1 - Fraction(constant(tier.give_back))) * 1000)
        if tier.plus is None:
            return Addend(), milli(tier.each)
        fields, plus = self.rulebook.record_fields, tier.plus
        rate = Fraction(constant(plus.each)) * 1000 * fields[plus.over].denominator / fields[plus.of].denominator
        return Portion(milli(tier.each), rate, plus.of, plus.over), 1

    def _each_by_period(self, points: PerRecord) -> list[tuple[list[Atom], Fraction | None]]:
        """Disjoint periods of the record's date with the points in force; ``None``: no points, the record still counts."""
        each = points.each
        if not isinstance(each, Dated):
            return [([], Fraction(each))]
        column = RecordDate.OCCURRED if each.counts_by == "fact" else RecordDate.DECIDED
        starts = sorted(each.values)
        ends = [shift_days(day, -1) for day in starts[1:]] + [LAST_DAY]
        periods = [
            (Atom("period", (column, start, end)), each.values[start].value) for start, end in zip(starts, ends, strict=True)
        ]
        periods.append((Atom("period", (column, FIRST_DAY, shift_days(starts[0], -1))), None))
        periods.append((Atom("period", (column, None, None)), None))
        return [([atom], None if value is None else Fraction(value)) for atom, value in periods]

    def _field_atom(self, test: FieldTest) -> Atom:
        return Atom("field", test)

    def _add(
        self,
        number: int,
        only: RecordFilter,
        source: Addend | Portion,
        *,
        factor: int = 1,
        yes: frozenset[Atom] | set[Atom] = frozenset(),
        no: frozenset[Atom] = frozenset(),
    ) -> None:
        wanted = set(yes) | {self._field_atom(test) for test in only.where}
        unwanted = set(no)
        if only.severities:
            wanted.add(Atom("severity", tuple(sorted(item.value for item in only.severities))))
        if only.while_valid:
            wanted.add(Atom("valid", None))
        for exemption in only.unless:
            unwanted.add(self._exemption_atom(exemption))
        first, last = self.moment.window(only.within)
        last = min(last, shift_days(self.moment.as_of, -only.effective_after_days))
        if first > last or wanted & unwanted:
            return
        if only.on not in self.dates:
            self.dates.append(only.on)
        if source not in self.sources:
            self.sources.append(source)
        for kind in self.rulebook.kinds_matching(only.kinds):
            self.slots.append(
                Slot(
                    kind,
                    number,
                    self.dates.index(only.on),
                    first,
                    last,
                    self._bits(wanted),
                    self._bits(unwanted),
                    self.sources.index(source),
                    factor,
                )
            )

    def _exemption_atom(self, exemption: str | DatedFlag | CorrectedTest | FieldTest) -> Atom:
        if isinstance(exemption, DatedFlag):
            return Atom("dated", exemption)
        if isinstance(exemption, FieldTest):
            return self._field_atom(exemption)
        if isinstance(exemption, CorrectedTest):
            return Atom("corrected", exemption.corrected)
        return Atom("flag", exemption)

    def _bits(self, atoms: set[Atom]) -> int:
        return sum(1 << self.atoms.setdefault(atom, len(self.atoms)) for atom in atoms)

    def simple_kinds(self) -> frozenset[str]:
        """Kinds whose slots all count plainly: one date, a window that ends with the evaluation, the usual exemptions.

        Most records of a city are of such kinds, and they need no bits and no values. A measure belongs to one side
        whole: a kind that shares a measure with a kind that is not simple is not simple either.
        """
        if not self.slots:
            return frozenset()
        usual = Counter((slot.date_no, slot.no) for slot in self.slots if not slot.yes).most_common(1)
        shape = usual[0][0] if usual else None
        valued = self.uses_total | self.uses_top | set(self.specials)
        odd = {
            slot.kind
            for slot in self.slots
            if slot.yes or (slot.date_no, slot.no) != shape or slot.last != self.moment.as_of or slot.measure_no in valued
        }
        while True:
            shared = {slot.measure_no for slot in self.slots if slot.kind in odd}
            grown = odd | {slot.kind for slot in self.slots if slot.measure_no in shared}
            if grown == odd:
                return frozenset({slot.kind for slot in self.slots} - odd)
            odd = grown

    @property
    def words(self) -> int:
        """How many integers of ``WORD_BITS`` bits hold all atoms."""
        return -(-len(self.atoms) // WORD_BITS)


def _unless_all(
    yes: frozenset[Atom], no: frozenset[Atom], tests: list[Atom]
) -> list[tuple[frozenset[Atom], frozenset[Atom]]]:
    """Disjoint cubes of "yes and no hold, but not all tests": the first test that fails."""
    cubes = []
    for index, test in enumerate(tests):
        if test not in yes:
            cubes.append((yes | set(tests[:index]), no | {test}))
    return [cube for cube in cubes if not cube[0] & cube[1]]


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


# --- pieces -------------------------------------------------------------------------------------------------------


def pieces(points: Any) -> list[Piece]:
    """A points function as pieces, lowest first; the first has no lower end."""
    nothing = Fraction(0)
    match points:
        case PerUnit():
            each, free = Fraction(constant(points.each)) * 1000, Fraction(constant(points.free))
            if not free:
                return [Piece(None, False, nothing, each)]
            return [Piece(None, False, nothing, nothing), Piece(free, False, -each * free, each)]
        case Once():
            return [Piece(None, False, nothing, nothing), Piece(nothing, True, Fraction(milli(points.points)), nothing)]
        case Affine():
            return [Piece(None, False, Fraction(constant(points.constant)) * 1000, Fraction(constant(points.each)) * 1000)]
        case Steps():
            return [Piece(None, False, Fraction(milli(points.below)), nothing)] + [
                Piece(*_edge(points, Fraction(constant(band.from_))), Fraction(milli(band.points)), nothing)
                for band in points.bands
            ]
        case Linear():
            return _lines([(Fraction(constant(p.x)), Fraction(constant(p.y)) * 1000) for p in points.points])
    raise AssertionError(points)


def _edge(points: Steps, edge: Fraction) -> tuple[Fraction, bool]:
    """Lower end of a band; rounding half up first moves it by half a unit."""
    is_open = points.side == "above"
    if not points.round:
        return edge, is_open
    return (Fraction(floor(edge)) + Fraction(1, 2), False) if is_open else (Fraction(ceil(edge)) - Fraction(1, 2), False)


def _lines(ends: list[tuple[Fraction, Fraction]]) -> list[Piece]:
    result = [Piece(None, False, ends[0][1], Fraction(0))]
    for (x0, y0), (x1, y1) in pairwise(ends):
        slope = (y1 - y0) / (x1 - x0)
        result.append(Piece(x0, True, y0 - slope * x0, slope))
    return [*result, Piece(ends[-1][0], True, ends[-1][1], Fraction(0))]


def integer_pieces(points: Any, denominator: int) -> list[IntegerPiece]:
    """Pieces over the numerator of values with a fixed denominator."""
    parts = pieces(points)
    lows = [-UNBOUNDED if piece.low is None else integer_low(piece, denominator) for piece in parts]
    highs = [*lows[1:], UNBOUNDED]
    result = []
    for piece, low, high in zip(parts, lows, highs, strict=True):
        if low < high:
            result.append(IntegerPiece(low, high, *coefficients(piece, denominator)))
    return result


def integer_low(piece: Piece, denominator: int) -> int:
    """Smallest numerator inside a piece."""
    assert piece.low is not None
    scaled = piece.low * denominator
    return floor(scaled) + 1 if piece.is_open else ceil(scaled)


def coefficients(piece: Piece, denominator: int) -> tuple[int, int, int]:
    """(start, slope, divisor) with points = (start + slope × num) / divisor, in lowest terms."""
    slope = piece.slope / denominator
    divisor = lcm(piece.start.denominator, slope.denominator)
    start, rise = int(piece.start * divisor), int(slope * divisor)
    shared = gcd(start, rise, divisor)
    return start // shared, rise // shared, divisor // shared
