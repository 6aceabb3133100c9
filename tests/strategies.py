"""Hypothesis strategies for random rulebooks and random facts.

Rulebooks exercise every node of the language; facts are drawn from small domains, so that records match and values
meet the edges of bands and windows often. A drawn rulebook has references that resolve, but it need not pass
``zhixin.law.checks.structure``: what the engines mean must not hang on what the checks happen to refuse.

Rulebooks are drawn as the plain values a YAML file would give and then validated, so the schema is exercised too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from zhixin.dataset.facts import Facts, Previous
from zhixin.dataset.tables import RELATIONS, Tables, from_facts, table_of
from zhixin.errors import UsageError
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

Plain = Mapping[str, Any]
Draw = st.SearchStrategy[Any]

# --- small domains ------------------------------------------------------------------------------------------------

STARTS = [date(2024, 3, 1), date(2024, 12, 31), date(2025, 3, 1), date(2026, 1, 1)]
"""Days on which drawn dated values change or are repealed."""
ENDS = [date(2025, 3, 31), date(2030, 1, 1)]
AS_OF = [date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 31), date(2024, 12, 31), date(2026, 1, 1), date(2026, 5, 15)]
OFFSETS = [0, -1, -14, -15, -16, -30, -31, -59, -90, -180, -364, -365, -366, -730, -731, -1096, -1461, 1, 40]
LANDMARKS = [
    date(2020, 2, 29),
    date(2024, 2, 29),
    date(2024, 1, 31),
    date(2023, 12, 31),
    date(2025, 1, 1),
    date(2025, 2, 28),
]

KINDS = ["penalty.light", "penalty.heavy", "penalty.heavy.tax", "penalty", "penalties", "award.city"]
PATTERNS = [*KINDS, "penalty.*", "penalty.heavy.*", "award.*"]
UNCOUNTED = "noise"
"""A kind of the catalogue that no drawn filter names."""
CLASSES = ["c0", "c1", "c2"]
DIMENSIONS = ["d0", "d1", "d2"]
SECTORS = ["farm", "shop", "bank"]
CODES = ["x1", "x2", "x3"]
TAGS = ["t1", "t2", "t12"]
RELATION_NAMES = ["controls", "branch_of"]
SIDE_GRADE = "M"
GRADES = ["A", "B", "C", "D"]
SUBJECTS = 28

# Names below from "value" on are those that an engine could use for columns of its own.
NUMERIC_FIELDS = ["amount", "quantity", "level", "value", "factor", "w0", "day"]
DISTINCT = ["kind", "day", "month", "year", "code", "quantity", "wilful", "due", "tags", "value", "measure_no"]
NUMBER_ATTRIBUTES = ["staff", "area", "capital", "exporting", "class_mask", "m0_n", "replaced"]

POINTS = [0, 1, -1, 2, -3, 5, -10, "0.5", "-2.5", "0.001", "0.333", "-1.005", "33.333", 20]
BOUNDS = [0, 1, 2, 3, 5, 10, -1, "0.5", "1.5", "1.25", "100", "365", "12.34"]
SCORES = [-10, -5, -1, 0, "0.5", 1, 2, 5, 10, "12.345", 20]
SHARES = [0, 1, "0.5", "0.25", "0.333333", "0.999"]
WEIGHTS = [1, 2, "0.5", "0.333333", "0.15", 100]

TEXT = {"zh": "名", "en": "name"}
DOCUMENT = "law"
BASIS = [{"document": DOCUMENT, "article": "第一条", "verified": True}]


def pick(values: list[Any]) -> Draw:
    return st.sampled_from(values)


def node(optional: dict[str, Draw] | None = None, /, **required: Any) -> Draw:
    """A mapping: required values (constants or strategies), and optional ones that may be absent."""
    fixed = {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in required.items()}
    return st.fixed_dictionaries(fixed, optional=optional or {})


def named(key: str, value: Draw) -> Draw:
    """A mapping of one key, for keys that are no Python names."""
    return st.fixed_dictionaries({key: value})


def some(values: Draw, low: int = 1, high: int = 3) -> Draw:
    return st.lists(values, min_size=low, max_size=high)


def subset(values: list[str], low: int = 1) -> Draw:
    return st.lists(st.sampled_from(values), min_size=low, max_size=len(values), unique=True)


# --- numbers ------------------------------------------------------------------------------------------------------


def dated(values: list[Any], *, may_lapse: bool = False, counts_by: tuple[str, ...] = ("evaluation",)) -> Draw:
    """A dated value; one that may lapse can start after the run or be repealed before it."""
    entry = node(
        value=st.one_of(pick(values), pick(values), st.none()) if may_lapse else pick(values),
        document=DOCUMENT,
        verified=True,
    )

    def build(parts: tuple[bool, Any, list[tuple[date, Any]], str]) -> Plain:
        is_early, first, rest, counting = parts
        entries = ([(date(2000, 1, 1), first)] if is_early else []) + sorted(rest, key=lambda item: item[0])
        return {"values": dict(entries or [(date(2000, 1, 1), first)]), "counts_by": counting}

    later = st.lists(st.tuples(pick(STARTS), entry), max_size=2, unique_by=lambda item: item[0])
    is_early = pick([True, True, True, False]) if may_lapse else st.just(True)
    return st.tuples(is_early, entry, later, pick(list(counts_by))).map(build)


def number(values: list[Any], *, may_lapse: bool = False) -> Draw:
    """Mostly a plain number, now and then a dated one."""
    return st.one_of(pick(values), pick(values), pick(values), dated(values, may_lapse=may_lapse))


def counts(low: int, high: int, *, may_lapse: bool = False) -> Draw:
    return number(list(range(low, high + 1)), may_lapse=may_lapse)


def limits(values: list[Any]) -> Draw:
    """A floor, a cap, neither or both, each of which may lapse; never crossed."""
    ordered = sorted(values, key=float)
    value = number(ordered, may_lapse=True)
    one = st.one_of(named("at_least", value), named("at_most", value))
    both = st.lists(pick(ordered), min_size=2, max_size=2).flatmap(
        lambda pair: node(
            at_least=number([min(pair, key=float)], may_lapse=True), at_most=number([max(pair, key=float)], may_lapse=True)
        )
    )
    return st.one_of(st.just({}), st.just({}), one, both)


def bounds(values: list[Any], *, may_lapse: bool = False) -> Draw:
    """One or two bounds of a comparison."""
    value = number(values, may_lapse=may_lapse)
    lower = pick(["at_least", "above"]).flatmap(lambda side: named(side, value))
    upper = pick(["at_most", "below"]).flatmap(lambda side: named(side, value))
    return st.one_of(lower, upper, st.tuples(lower, upper).map(lambda pair: pair[0] | pair[1]))


# --- filters ------------------------------------------------------------------------------------------------------

FIELD_TESTS = st.one_of(
    pick(["code", "measure_no"]).flatmap(lambda name: node(field=name, **{"in": subset(CODES)})),
    node(field="tags", has_all=subset(TAGS)),
    node(field="tags", has_any=subset(TAGS)),
    node(field="wilful", **{"is": st.booleans()}),
    pick(NUMERIC_FIELDS).flatmap(lambda name: bounds(BOUNDS, may_lapse=True).map(lambda sides: {"field": name, **sides})),
    node(field="due", reached=st.booleans()),
    st.tuples(pick(NUMERIC_FIELDS), pick(NUMERIC_FIELDS), bounds(BOUNDS, may_lapse=True)).map(
        lambda parts: {"field": parts[0], "over": parts[1], **parts[2]}
    ),
)
DATES_OF = pick(["occurred_on", "decided_on", "published_on"])
CORRECTED = node(
    {
        "days": number([0, 1, 15, 30, 365], may_lapse=True),
        "months": number([0, 1, 3, 12], may_lapse=True),
        "same_year": st.booleans(),
        "of": DATES_OF,
    }
)
WINDOWS = st.one_of(
    node({"back": st.integers(0, 400)}, days=number([1, 15, 30, 365, 366, 1000], may_lapse=True)),
    node({"back": st.integers(0, 14)}, months=counts(1, 14, may_lapse=True)),
    node({"back": st.integers(0, 14)}, calendar_months=counts(1, 14, may_lapse=True)),
    node({"back": st.integers(0, 2)}, calendar_years=counts(1, 3, may_lapse=True)),
    node({"back": st.integers(0, 3)}, evaluations=counts(1, 3, may_lapse=True)),
)
FLAGS = pick(["first_offence", "corrected", "repaired", "revoked"])
EXEMPTIONS = st.one_of(
    FLAGS,
    named("corrected", CORRECTED),
    FIELD_TESTS,
    st.tuples(FLAGS, DATES_OF, st.booleans(), pick([date(2023, 1, 31), date(2024, 2, 29), date(2025, 1, 1)])).map(
        lambda parts: {"flag": parts[0], "on": parts[1], "from" if parts[2] else "until": parts[3]}
    ),
)
FILTERS = node(
    {
        "severities": subset(["minor", "general", "serious"]),
        "where": some(FIELD_TESTS, 0, 2),
        "on": DATES_OF,
        "within": WINDOWS,
        "while_valid": st.booleans(),
        "effective_after_days": pick([0, 1, 15]),
        "unless": some(EXEMPTIONS, 0, 2),
    },
    kinds=some(pick(PATTERNS), 1, 2),
)

# --- measures -----------------------------------------------------------------------------------------------------

_FIELD = pick(NUMERIC_FIELDS)
PLAIN_COUNT = node(type="count", of=FILTERS)
_COUNT = node({"distinct": subset(DISTINCT).map(lambda names: names[:2])}, type="count", of=FILTERS)
_SUM = node(type="sum", of=FILTERS, field=_FIELD)
_EXTREME = node(type=pick(["minimum", "maximum"]), of=FILTERS, field=_FIELD)
_LATEST = node(type="latest", of=FILTERS, field=_FIELD)
_EXISTS = node(type="exists", of=FILTERS)
_DAYS_SINCE = node(type="days_since", of=FILTERS)
_CLEAN_YEARS = node(type="clean_years", of=FILTERS, since="founded")
_TERM = node(type="appended_term", of=FILTERS, months=counts(1, 12, may_lapse=True), max_months=number([1, 6, 12, 13, 36]))
_MEAN = node({"weighted_by": _FIELD}, type="mean", of=FILTERS, field=_FIELD)
_ATTRIBUTE = node(type="attribute", id=pick(NUMBER_ATTRIBUTES))
_AGE = node(type="age", id="founded", unit=pick(["days", "years"]))
_PREVIOUS_SCORE = node({"back": st.integers(1, 3)}, type="previous_score")

BASIC_MEASURES = st.one_of(_COUNT, _SUM, _EXTREME, _LATEST, _EXISTS, _DAYS_SINCE, _TERM, _ATTRIBUTE)
_RELATED = node(
    {"direction": pick(["outgoing", "incoming"])},
    type="related",
    relation=pick(RELATION_NAMES),
    aggregate=pick(["sum", "count", "minimum", "maximum"]),
    measure=BASIC_MEASURES,
)
SIMPLE_MEASURES = st.one_of(
    _COUNT, _SUM, _EXTREME, _LATEST, _EXISTS, _DAYS_SINCE, _CLEAN_YEARS, _TERM, _ATTRIBUTE, _AGE, _PREVIOUS_SCORE, _RELATED
)
_RATIO = node(type="ratio", numerator=SIMPLE_MEASURES, denominator=SIMPLE_MEASURES)
_COMBINED = node(
    {"missing_as": number(BOUNDS, may_lapse=True)},
    type="combined",
    how=pick(["sum", "mean", "minimum", "maximum"]),
    of=some(SIMPLE_MEASURES, 1, 3),
)
MEASURES = st.one_of(SIMPLE_MEASURES, _MEAN, _RATIO, _COMBINED)

# --- conditions ---------------------------------------------------------------------------------------------------

_COMPARE = st.tuples(node({"when_missing": st.booleans()}, measure=MEASURES), bounds(BOUNDS, may_lapse=True)).map(
    lambda p: p[0] | p[1]
)
_SCORE_IS = bounds(SCORES, may_lapse=True).map(lambda sides: {"score": "total", **sides})
_ATTRIBUTE_TEST = st.one_of(
    node({"when_missing": st.booleans()}, attribute="sector", **{"in": subset(SECTORS)}),
    pick(["exporting", "replaced"]).flatmap(
        lambda name: node({"when_missing": st.booleans()}, attribute=name, **{"is": st.booleans()})
    ),
)
_PREVIOUS_IS = st.one_of(
    node(previous=st.integers(1, 3), grade_in=subset(["A", "B", SIDE_GRADE])),
    node(
        {"grade_in": subset(["A", "B"])},
        previous=st.integers(1, 3),
        step_in=subset(["cut", "direct", "direct:d1", "cap", "exclude"]),
    ),
)
_LEAVES = st.one_of(_ATTRIBUTE_TEST, _ATTRIBUTE_TEST, _COMPARE, named("class", pick(CLASSES)), _PREVIOUS_IS)


def _joined(inner: Draw) -> Draw:
    return st.one_of(
        named("all", some(inner, 1, 2)),
        named("any", some(inner, 1, 2)),
        named("not", inner),
        node(at_least_of=st.integers(1, 3), of=some(inner, 1, 3)),
    )


def _conditions(leaves: Draw) -> Draw:
    once = st.one_of(leaves, leaves, _joined(leaves))
    return st.one_of(leaves, leaves, _joined(once))


CONDITIONS = _conditions(_LEAVES)
SCORE_CONDITIONS = _conditions(st.one_of(_LEAVES, _SCORE_IS))

# --- points -------------------------------------------------------------------------------------------------------

_POINTS = number(POINTS, may_lapse=True)


def _ascending(edges: list[Any], make: Any) -> Draw:
    """Items over edges that ascend, as bands and points on a line must."""
    ordered = sorted(edges, key=float)
    return st.lists(pick(ordered), min_size=1, max_size=4, unique_by=float).flatmap(
        lambda chosen: st.tuples(*[make(edge) for edge in sorted(chosen, key=float)]).map(list)
    )


STEPS = node(
    {"round": st.booleans()},
    type="steps",
    side=pick(["at_least", "above"]),
    bands=_ascending(BOUNDS, lambda edge: node(**{"from": edge}, points=_POINTS)),
    below=_POINTS,
)
LINEAR = node(
    type="linear",
    points=_ascending(BOUNDS, lambda edge: node(x=edge, y=number(POINTS))).filter(lambda points: len(points) > 1),
)
SIMPLE_POINTS = st.one_of(
    node({"free": number(["0", 1, 2, "0.5"], may_lapse=True)}, type="per_unit", each=_POINTS),
    node(type="once", points=_POINTS),
    STEPS,
    LINEAR,
    node(type="affine", constant=_POINTS, each=_POINTS),
)
CASES = node(type="cases", cases=some(node(when=CONDITIONS, points=SIMPLE_POINTS), 1, 3))
CATEGORIES = node(
    type="categories",
    attribute="sector",
    points=st.dictionaries(pick(SECTORS), _POINTS, min_size=0, max_size=3),
    otherwise=_POINTS,
)
_TIER_PARTS = {"where": some(FIELD_TESTS, 0, 2), "corrected": CORRECTED}
_PLUS = node(each=_POINTS, of=pick(NUMERIC_FIELDS), over=pick(NUMERIC_FIELDS))
TIERS = st.one_of(
    node(_TIER_PARTS | {"plus": _PLUS}, each=_POINTS), node(_TIER_PARTS, give_back=number(SHARES, may_lapse=True))
)
PER_RECORD = node(
    {"tiers": some(TIERS, 0, 3), "distinct": subset(DISTINCT).map(lambda names: names[:2])},
    type="per_record",
    each=st.one_of(_POINTS, dated(POINTS, may_lapse=True, counts_by=("fact", "decision"))),
)

# --- rulebook -----------------------------------------------------------------------------------------------------

EFFECTIVE = st.fixed_dictionaries({}, optional={"from": pick([date(2020, 1, 1), date(2025, 3, 1)]), "until": pick(ENDS)})
WHEN_MISSING = st.one_of(pick(["no_points", "leave_out", "hold"]), named("points", number(POINTS, may_lapse=True)))


def _indicator(position: int, dimension: str) -> Draw:
    scope = {
        "limits": limits(POINTS),
        "applies_to": subset(CLASSES).map(lambda names: names[:2]),
        "except_for": subset(CLASSES).map(lambda names: names[:1]),
        "effective": EFFECTIVE,
    }
    head = {"id": f"i{position}", "title": TEXT, "dimension": dimension, "when_missing": WHEN_MISSING, "basis": BASIS}
    return st.one_of(
        node(scope, **head, measure=MEASURES, points=SIMPLE_POINTS),
        node(scope, **head, measure=BASIC_MEASURES, points=SIMPLE_POINTS),
        node(scope, **head, measure=MEASURES, points=CASES),
        node(scope, **head, points=CATEGORIES),
        node(scope, **head, measure=PLAIN_COUNT, points=PER_RECORD),
    )


def _dimension(name: str) -> Draw:
    return node(
        {"start": number(SCORES), "limits": limits(SCORES)},
        id=name,
        title=TEXT,
        combine=pick(["sum", "sum", "maximum", "minimum"]),
        weight=number(WEIGHTS),
    )


_PLAIN_STEPS = st.one_of(
    named("floor", number(SCORES, may_lapse=True)),
    named("ceiling", number(SCORES, may_lapse=True)),
    node({"how": pick(["half_up", "down", "up"])}, round=number([1, "0.1", "0.5", 5, "0.003"], may_lapse=True)),
)


@st.composite
def _steps(draw: Any, names: list[str]) -> list[Plain]:
    """Every dimension once, added or in a weighted mean, with floors, ceilings and rounding between them."""
    order, steps = draw(st.permutations(names)), []
    while order:
        size = draw(st.integers(1, len(order)))
        is_mean = draw(st.booleans())
        missing = {"when_missing": draw(st.just("hold") | named("points", number(POINTS)))} if is_mean else {}
        steps.append({"weighted_mean" if is_mean else "add": order[:size], **missing})
        order = order[size:]
        steps += draw(some(_PLAIN_STEPS, 0, 1))
    return draw(some(_PLAIN_STEPS, 0, 1)) + steps if draw(st.booleans()) else steps


START_CASES = st.one_of(
    node({"effective": EFFECTIVE}, when=CONDITIONS, value=number(SCORES, may_lapse=True)),
    node({"times": number([1, "0.5", "0.333333", -2], may_lapse=True)}, when=CONDITIONS, measure=MEASURES),
)


@st.composite
def _ladder(draw: Any, is_better: bool) -> list[Plain]:
    """Two to four grades, best first, with cuts on the side that the direction asks for."""
    size = draw(st.integers(2, 4))
    cuts = sorted((draw(pick(SCORES)) for _ in range(size - 1)), key=float, reverse=is_better)
    sides = ["at_least", "above"] if is_better else ["at_most", "below"]
    extras = st.fixed_dictionaries(
        {}, optional={"requires": CONDITIONS, "by_class": st.dictionaries(pick(CLASSES), number(SCORES), max_size=2)}
    )
    grades = [{"id": GRADES[rank], "title": TEXT, draw(pick(sides)): cut, **draw(extras)} for rank, cut in enumerate(cuts)]
    return [*grades, {"id": GRADES[size - 1], "title": TEXT}]


def _rules(prefix: str, condition: Draw, most: int, /, **parts: Any) -> Draw:
    scope = {"applies_to": subset(CLASSES).map(lambda names: names[:1]), "effective": EFFECTIVE}
    rules = st.lists(node(scope, title=TEXT, when=condition, basis=BASIS, **parts), max_size=most)
    return rules.map(lambda items: [{"id": f"{prefix}{index}", **item} for index, item in enumerate(items)])


DISCRETION = st.lists(st.integers(-2, 2), min_size=2, max_size=2).flatmap(
    lambda pair: node(answer="answer", at_least=min(pair), at_most=max(pair), otherwise=st.integers(-1, 1))
)


def _decisions(ladder: list[str]) -> Draw:
    grade = pick([*ladder, SIDE_GRADE])
    rare = named("all", st.lists(CONDITIONS, min_size=2, max_size=2))
    return node(
        exclude=_rules("e", rare, 1, grade=grade),
        direct=_rules("d", rare, 3, grade=grade),
        direct_order=pick(["first", "worst"]),
        side=_rules("s", named("all", st.lists(SCORE_CONDITIONS, min_size=2, max_size=2)), 2, grade=grade),
        caps=_rules("k", SCORE_CONDITIONS, 2, not_above=pick([*ladder, "previous"])),
        shifts=_rules("h", SCORE_CONDITIONS, 3, steps=st.one_of(st.integers(-2, 2), DISCRETION)),
        shift_order=pick(["strongest", "all"]),
    )


_FIELD_TYPES: dict[str, Plain] = {
    "amount": {"type": "money"},
    "quantity": {"type": "integer"},
    "code": {"type": "category", "values": CODES},
    "level": {"type": "decimal", "scale": 1},
    "wilful": {"type": "boolean"},
    "tags": {"type": "set", "values": TAGS},
    "due": {"type": "date"},
    "value": {"type": "decimal", "scale": 2},
    "factor": {"type": "integer"},
    "w0": {"type": "money"},
    "day": {"type": "integer"},
    "measure_no": {"type": "category", "values": CODES},
}
_ATTRIBUTES: list[Plain] = [
    {"id": "staff", "title": TEXT, "type": "integer"},
    {"id": "area", "title": TEXT, "type": "decimal", "scale": 2},
    {"id": "capital", "title": TEXT, "type": "money"},
    {"id": "exporting", "title": TEXT, "type": "boolean"},
    {"id": "sector", "title": TEXT, "type": "category", "values": SECTORS},
    {"id": "founded", "title": TEXT, "type": "date"},
    {"id": "answer", "title": TEXT, "type": "integer"},
    {"id": "class_mask", "title": TEXT, "type": "integer"},
    {"id": "m0_n", "title": TEXT, "type": "decimal", "scale": 1},
    {"id": "replaced", "title": TEXT, "type": "boolean"},
]


def _catalogue(lapsing: Plain | None) -> list[Plain]:
    kinds: list[dict[str, Any]] = [
        {
            "id": kind,
            "title": TEXT,
            "nature": "negative",
            "source": "court",
            "evidence": TEXT,
            "fields": _FIELD_TYPES,
            "basis": BASIS,
        }
        for kind in [*KINDS, UNCOUNTED]
    ]
    if lapsing is not None:
        kinds[1]["effective"] = lapsing
    return kinds


def _always_stands(rulebook: Rulebook) -> bool:
    """Whether the rulebook has grades, dimensions and a score on every day, whatever lapses."""
    try:
        for day in {*AS_OF, *STARTS, *ENDS}:
            rulebook.at(day)
    except UsageError:
        return False
    return True


@st.composite
def rulebooks(draw: Any) -> Rulebook:
    """A random rulebook; every reference resolves, and it stands on every day.

    A grade falls away with what it requires, which no ladder can bear: then nothing is required of any grade.
    """
    is_better = draw(st.booleans())
    dimensions = DIMENSIONS[: draw(st.integers(1, 3))]
    ladder = draw(_ladder(is_better))
    indicators = [
        draw(pick(dimensions).flatmap(lambda name, n=n: _indicator(n, name))) for n in range(draw(st.integers(1, 4)))
    ]
    value = {
        "format": "rulebook/1",
        "id": "drawn",
        "title": TEXT,
        "authority": TEXT,
        "document": DOCUMENT,
        "status": "in_force",
        "effective": {},
        "cycle": {"every": "year"},
        "direction": "higher_better" if is_better else "higher_riskier",
        "visibility": {"grade": "internal", "score": "internal"},
        "documents": {DOCUMENT: {"title": TEXT}},
        "sources": [{"id": "court", "title": TEXT, "owner": TEXT, "cadence": "day", "stale_after_days": 30, "basis": BASIS}],
        "catalogue": _catalogue(draw(st.one_of(st.none(), st.none(), EFFECTIVE))),
        "attributes": _ATTRIBUTES,
        "classes": [{"id": name, "title": TEXT, "when": draw(CONDITIONS)} for name in CLASSES],
        "dimensions": [draw(_dimension(name)) for name in dimensions],
        "indicators": indicators,
        "score": {
            "start": {"cases": draw(some(START_CASES, 0, 2)), "otherwise": draw(number(SCORES))},
            "steps": draw(st.one_of(st.just([]), _steps(dimensions), _steps(dimensions))),
        },
        "ladder": ladder,
        "side_grades": [{"id": SIDE_GRADE, "title": TEXT}],
        "decisions": draw(_decisions([grade["id"] for grade in ladder])),
    }
    if draw(st.integers(0, 3)):
        value["held_grade"] = SIDE_GRADE
    rulebook = Rulebook.model_validate(value)
    if _always_stands(rulebook):
        return rulebook
    value["ladder"] = [{key: part for key, part in grade.items() if key != "requires"} for grade in ladder]
    return Rulebook.model_validate(value)


def one_indicator(measure: Plain, points: Plain) -> Rulebook:
    """A rulebook of one indicator, over the same attributes and catalogue as the drawn ones."""
    return Rulebook.model_validate(
        {
            "format": "rulebook/1",
            "id": "single",
            "title": TEXT,
            "authority": TEXT,
            "document": DOCUMENT,
            "status": "in_force",
            "effective": {},
            "cycle": {"every": "year"},
            "direction": "higher_better",
            "visibility": {"grade": "internal", "score": "internal"},
            "documents": {DOCUMENT: {"title": TEXT}},
            "catalogue": _catalogue(None),
            "attributes": _ATTRIBUTES,
            "dimensions": [{"id": "d0", "title": TEXT}],
            "indicators": [
                {
                    "id": "i0",
                    "title": TEXT,
                    "dimension": "d0",
                    "when_missing": "no_points",
                    "measure": measure,
                    "points": points,
                }
            ],
            "score": {"start": {"otherwise": 10}},
            "ladder": [{"id": "A", "title": TEXT, "at_least": 5}, {"id": "B", "title": TEXT}],
        }
    )


# --- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """A relation between two subjects, by position; both days included."""

    source: int
    target: int
    relation: str
    since: date | None
    until: date | None

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or self.until >= day)


@dataclass(frozen=True)
class Dataset:
    """Subjects without relations, and the links between them."""

    subjects: tuple[Facts, ...]
    links: tuple[Link, ...]
    moment: Moment

    def everyone(self) -> tuple[Facts, ...]:
        """The facts an interpreter is given: each subject with those that it is linked to on the day."""
        return tuple(replace(item, related=self._related(number)) for number, item in enumerate(self.subjects))

    def _related(self, number: int) -> dict[tuple[str, str], tuple[Facts, ...]]:
        found: dict[tuple[str, str], set[int]] = {}
        for link in self.links:
            if link.holds(self.moment.as_of):
                if link.source == number:
                    found.setdefault((link.relation, "outgoing"), set()).add(link.target)
                if link.target == number:
                    found.setdefault((link.relation, "incoming"), set()).add(link.source)
        return {key: tuple(self.subjects[other] for other in sorted(others)) for key, others in found.items()}

    def tables(self, rulebook: Rulebook) -> Tables:
        """The tables an engine is given. Subjects are numbered in order of their ids, as here."""
        rows = [
            {
                "subject_no": link.source,
                "related_no": link.target,
                "relation": link.relation,
                "since": link.since,
                "until": link.until,
            }
            for link in self.links
        ]
        relations: pa.Table = table_of(rows, RELATIONS)
        return from_facts(rulebook.at(self.moment.as_of), self.subjects)._replace(relations=relations)


def _days(as_of: date) -> Draw:
    return st.one_of(pick([as_of + timedelta(days=offset) for offset in OFFSETS]), pick(LANDMARKS))


def _records(as_of: date) -> Draw:
    day, unknown = _days(as_of), st.none()
    often = st.one_of(day, day, day, unknown)
    rarely = st.one_of(unknown, unknown, day)
    return node(
        kind=pick([*KINDS, *KINDS, UNCOUNTED]),
        severity=pick([None, "minor", "general", "serious"]),
        occurred_on=often,
        decided_on=often,
        published_on=often,
        valid_until=rarely,
        corrected_on=st.one_of(unknown, day),
        repaired_on=rarely,
        revoked_on=rarely,
        is_first_offence=pick([None, False, True]),
        sequence=pick([None, 1, 2, 3]),
        amount=pick([None, 0, 50, 100, 125, 1234, 100_00, -100]),
        quantity=pick([None, 0, 1, 2, 3, -1]),
        code=pick([None, *CODES]),
        level=pick([None, 0, 5, 10, 15, 33]),
        wilful=pick([None, False, True]),
        tags=pick([None, "", "t1", "t12", "t1;t2", "t2;t12"]),
        due=pick([None, date(2024, 2, 29), date(2025, 1, 1)]),
        value=pick([None, 0, 50, 125, 1234, -100]),
        factor=pick([None, 0, 1, 2]),
        w0=pick([None, 0, 100, 150]),
        day=pick([None, 1, 29]),
        measure_no=pick([None, *CODES]),
    )


def _subject_attributes(as_of: date) -> Draw:
    return node(
        staff=pick([None, 0, 1, 2, 5, 10, -1]),
        area=pick([None, 0, 50, 125, 150, 1234, 10000]),
        capital=pick([None, 0, 50, 100, 10000]),
        exporting=pick([None, False, True]),
        sector=pick([None, *SECTORS, "other"]),
        founded=st.one_of(_days(as_of), st.none()),
        answer=pick([None, -3, -1, 0, 1, 3]),
        class_mask=pick([None, 0, 1, 7]),
        m0_n=pick([None, 0, 15, 100]),
        replaced=pick([None, False, True]),
    )


_RESULTS = st.builds(
    lambda grade, score, step: (grade, score, step),
    pick(["A", "B", SIDE_GRADE, "gone"]),
    pick([None, 0, 500, 1000, 10000, -1000, 333]),
    pick(["cut", "direct:d1", "directly", "cap:k0", "exclude:e0"]),
)


@st.composite
def _previous(draw: Any, evaluations: list[date]) -> tuple[Previous, ...]:
    """Earlier results on distinct days, in any order; one on or after the run's day must not count."""
    days = draw(st.lists(pick(evaluations), max_size=3, unique=True)) if evaluations else []
    return tuple(Previous(day, *draw(_RESULTS)) for day in days)


@st.composite
def horizons(draw: Any) -> Moment:
    as_of = draw(pick(AS_OF))
    offsets = draw(st.lists(pick([1, 30, 90, 365, 366, 731]), max_size=3, unique=True))
    earlier = tuple(as_of - timedelta(days=offset) for offset in sorted(offsets))
    return Moment(as_of, draw(pick([None, None, 2])), earlier)


@st.composite
def datasets(draw: Any, size: int = SUBJECTS) -> Dataset:
    """Facts of a few subjects at one moment. Records come from a pool that subjects share, so examples stay small."""
    moment = draw(horizons())
    as_of = moment.as_of
    pool = draw(st.lists(_records(as_of), min_size=1, max_size=16))
    days = [*moment.evaluations, as_of, as_of + timedelta(days=1), as_of - timedelta(days=500)]
    subjects, first = [], 0
    for number in range(size):
        chosen = draw(st.lists(pick(pool), max_size=6))
        records = tuple({"record_no": first + n, "record_id": f"r{first + n}", **row} for n, row in enumerate(chosen))
        first += len(records)
        attributes = draw(_subject_attributes(as_of))
        subjects.append(Facts(f"s{number:02d}", attributes, records, draw(_previous(days))))
    ends = pick([None, as_of, as_of - timedelta(days=1), as_of + timedelta(days=1)])
    position = st.integers(0, size - 1)
    links = draw(st.lists(st.builds(Link, position, position, pick(RELATION_NAMES), ends, ends), max_size=16))
    return Dataset(tuple(subjects), tuple(links), moment)
