"""The rulebook by hand for OpenFisca: Variables for the value and the points of each indicator, each dimension, the score
and the state that decides the grade.

Records are loaded once into NumPy arrays, in slices by kind; attributes are input Variables (-1 unknown). All points
are integers in thousandths. A value of -1 means that the indicator has no row for a subject.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable
from rules import (
    AGENCY_GRADES,
    CLASS_OF_MASK,
    CLASSES,
    COUNTED,
    CUTS,
    DAMAGES,
    DIMENSION_OF,
    DIMENSIONS,
    FEN,
    FINES,
    GENERAL,
    INVENTIONS,
    MONTHS,
    NAMES,
    ORDER,
    PENALTIES,
    REPORT,
    SEVERITIES,
    STAFF,
    STAINS,
    START,
    STATES,
    TAKEDOWNS,
    TERM,
    Counted,
    Moment,
)

Array = Any
Formula = Callable[[Any, Any], Array]
NEVER, UNKNOWN = 10**6, -(10**6)
INPUTS = [
    "established_on",
    "is_deregistered",
    "contact_lost",
    "information_complete",
    "patents_in_force",
    "inventions_in_force",
    "patents_ever",
    "trademarks_in_force",
    "is_gi_user",
    "is_ip_agency",
    "agency_grade",
    "is_online_operator",
    "has_platform_rules",
    "licence_shown",
    "shops",
    "is_cross_border",
    "is_logistics",
    "has_ip_system",
    "ip_staff",
    "is_grave",
    "officer_shift",
]
EPOCH = date(1970, 1, 1)
LIMITS = {rule.id: rule.limit for rule in COUNTED} | {"abnormal_filings": -20000, "controlled_dishonesty": -10000}
"""The limit of points, on their side; the variable ``{name}_raw`` has the points before it."""
MONEY = ("fines", "damages")
DENOMINATORS = {"maintenance": "patents_ever", "takedowns_per_shop": "shops"}
GRADED = list(AGENCY_GRADES)
Enterprise = build_entity(key="enterprise", plural="enterprises", label="Enterprise", is_person=True)


def number(day: date) -> int:
    return (day - EPOCH).days


def integers(column: pa.ChunkedArray, missing: int) -> Array:
    """A column as integers: 32 bits for dates, else what it has; a yes is 1."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return (pc.fill_null(column, missing) if column.null_count else column).to_numpy()


@dataclass(frozen=True)
class Records:
    """Records that count at all, with the rows of each kind."""

    columns: dict[str, Array]
    rows: dict[str, Array]
    controls: tuple[Array, Array]
    moment: Moment
    subjects: int

    def of(self, *kinds: str, months: int = -1) -> Array:
        """Row numbers of these kinds, decided in the last months."""
        rows = np.concatenate([self.rows.get(kind, np.empty(0, np.int64)) for kind in kinds])
        return rows[self.columns["decided_on"][rows] >= number(self.moment.first(months))]

    def valid(self, kind: str) -> Array:
        rows = self.of(kind)
        return rows[self.columns["valid_until"][rows] >= number(self.moment.as_of)]

    def count(self, rows: Array) -> Array:
        return np.bincount(self.columns["subject_no"][rows], minlength=self.subjects)

    def total(self, rows: Array) -> Array:
        sums = np.zeros(self.subjects, np.int64)
        np.add.at(sums, self.columns["subject_no"][rows], self.columns["amount"][rows])
        return sums

    def newest(self, rows: Array) -> Array:
        days = np.full(self.subjects, UNKNOWN)
        np.maximum.at(days, self.columns["subject_no"][rows], self.columns["decided_on"][rows])
        return days

    def corrected(self, rows: Array) -> Array:
        return self.columns["corrected_on"][rows] <= number(self.moment.as_of)


def load_records(folder: Path, moment: Moment, subjects: int) -> Records:
    names = {"decided_on": NEVER, "valid_until": NEVER, "corrected_on": NEVER, "revoked_on": NEVER, "repaired_on": NEVER}
    names |= {"subject_no": 0, "amount": 0, "is_first_offence": 0}
    table = pq.read_table(
        folder / "records.parquet", columns=[*names, "kind", "severity"], read_dictionary=["kind", "severity"]
    )
    columns = {name: integers(table[name], missing) for name, missing in names.items()}
    as_of = number(moment.as_of)
    alive = (columns["decided_on"] <= as_of) & (columns["revoked_on"] > as_of) & (columns["repaired_on"] > as_of)
    severity = pc.index_in(table["severity"].cast(pa.string()), pa.array(SEVERITIES))
    columns["severity"] = integers(severity, -1)
    kind = table["kind"].unify_dictionaries().combine_chunks()
    codes = np.where(alive, kind.indices.to_numpy(), len(kind.dictionary)).astype(np.int16)  # 16 bits are sorted by radix
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(kind.dictionary) + 1))
    rows = {name: order[edges[n] : edges[n + 1]] for n, name in enumerate(kind.dictionary.to_pylist())}
    relations = pq.read_table(folder / "relations.parquet", filters=[("relation", "=", "controls")])
    pairs = np.unique(np.stack([integers(relations[name], 0) for name in ("subject_no", "related_no")]), axis=1)
    return Records(columns, rows, (pairs[0], pairs[1]), moment, subjects)


# --- formulas ---


def given(enterprise: Any) -> Records:
    records: Records = enterprise.simulation.tax_benefit_system.records
    return records


def bands(value: Array, edges: tuple[tuple[int, int], ...]) -> Array:
    points = np.array([0, *(points for _, points in edges)])
    return points[np.searchsorted([edge for edge, _ in edges], value, side="right")]


def in_scope(enterprise: Any, period: Any, scope: str) -> Array:
    online, border = enterprise("is_online_operator", period) == 1, enterprise("is_cross_border", period) == 1
    scopes = {
        "online": online,
        "cross_border": border,
        "not_cross_border": ~border,
        "online_or_cross_border": online | border,
    }
    return enterprise("is_ip_agency", period) == 1 if scope == "agency" else scopes[scope]


def counting(rule: Counted) -> Formula:
    """The value of an indicator that counts records."""

    def formula(enterprise: Any, period: Any) -> Array:
        records = given(enterprise)
        rows = records.of(*rule.kinds, months=rule.months)
        if rule.severities:
            rows = rows[np.isin(records.columns["severity"][rows], [SEVERITIES.index(name) for name in rule.severities])]
        if rule.spared == "corrected":
            rows = rows[~records.corrected(rows)]
        if rule.spared == "first_offence":
            rows = rows[records.columns["is_first_offence"][rows] != 1]
        found = known(records.count(rows))
        return found if rule.scope == "all" else np.where(in_scope(enterprise, period, rule.scope), found, -1)

    return formula


def known(counts: Array) -> Array:
    """Counts; no records, no value."""
    return np.where(counts > 0, counts.astype(np.int32, copy=False), np.int32(-1))


def each(name: str, points: int) -> Formula:
    """So many points for each of the value."""
    return lambda enterprise, period: np.maximum(enterprise(f"{name}_value", period), 0) * points


def limited(name: str) -> Formula:
    """Points held to the limit on their side."""
    hold = np.minimum if LIMITS[name] > 0 else np.maximum
    return lambda enterprise, period: hold(enterprise(f"{name}_raw", period), LIMITS[name])


def once(name: str, points: int) -> Formula:
    """Points where there is a value."""
    return lambda enterprise, period: np.where(enterprise(f"{name}_value", period) >= 0, points, 0)


def stepping(name: str, edges: tuple[tuple[int, int], ...]) -> Formula:
    return lambda enterprise, period: bands(enterprise(f"{name}_value", period), edges)


def flag(name: str, wanted: int, scope: str = "") -> Formula:
    """The attribute where it is as wanted."""

    def formula(enterprise: Any, period: Any) -> Array:
        holds = enterprise(name, period) == wanted
        return np.where(holds & in_scope(enterprise, period, scope) if scope else holds, wanted, -1)

    return formula


def held(name: str) -> Formula:
    return lambda enterprise, period: known(enterprise(name, period))


def lasting(kind: str) -> Formula:
    return lambda enterprise, period: np.where(given(enterprise).count(given(enterprise).valid(kind)) > 0, 1, -1)


def report_overdue(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    newest = records.newest(records.of("report.annual"))
    return np.where(newest == UNKNOWN, -1, number(records.moment.as_of) - newest)


def maintenance(enterprise: Any, period: Any) -> Array:
    live, ever = enterprise("patents_in_force", period), enterprise("patents_ever", period)
    return np.where((live >= 1) & (ever > 0) & (2 * live >= ever), live, -1)


def maintenance_points(enterprise: Any, period: Any) -> Array:
    live, ever = enterprise("maintenance_value", period), enterprise("patents_ever", period)
    return np.where(live < 0, 0, np.where(5 * live >= 4 * ever, 1000, 500))


def abnormal_filings(enterprise: Any, period: Any) -> Array:
    return known(given(enterprise).count(given(enterprise).of("filing.abnormal_patent", months=12)))


def abnormal_late(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    rows = records.of("filing.abnormal_patent", months=12)
    taken = records.columns["corrected_on"][rows] - records.columns["decided_on"][rows]
    return records.count(rows[~(records.corrected(rows) & (taken <= 30))]) * -4000


def totalled(kinds: tuple[str, ...], months: int) -> Formula:
    """The amounts of records; 0 where no amount is known."""

    def formula(enterprise: Any, period: Any) -> Array:
        records = given(enterprise)
        rows = records.of(*kinds, months=months)
        return np.where(records.count(rows) > 0, records.total(rows), -1)

    return formula


def repeated_months(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    rows = records.of(*PENALTIES, months=24)
    month = records.columns["decided_on"][rows].astype("datetime64[D]").astype("datetime64[M]").astype(int)
    pairs = np.unique(np.stack([records.columns["subject_no"][rows], month]), axis=1)
    return known(np.bincount(pairs[0], minlength=records.subjects))


def agency_grade_used(enterprise: Any, period: Any) -> Array:
    """The place of the grade; it is not written."""
    return np.where(enterprise("is_ip_agency", period) == 1, enterprise("agency_grade", period), -1)


def agency_points(enterprise: Any, period: Any) -> Array:
    return np.array([*AGENCY_GRADES.values(), 0])[enterprise("agency_grade_used_value", period)]


def controlled_dishonesty(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    owner, owned = records.controls
    listed = records.count(records.valid("list.serious")) > 0
    return known(np.bincount(owner[listed[owned]], minlength=records.subjects))


def takedowns(enterprise: Any, period: Any) -> Array:
    counts = given(enterprise).count(given(enterprise).of("platform.takedown", months=12))
    return np.where(in_scope(enterprise, period, "online_or_cross_border"), known(counts), -1)


def takedowns_per_shop(enterprise: Any, period: Any) -> Array:
    """Takedowns of online operators, where they cost anything."""
    count, shops = enterprise("takedowns_value", period), enterprise("shops", period)
    costs = (shops > 0) & (1500 * (count - shops) + shops - 1 >= 2 * shops)
    return np.where(costs & in_scope(enterprise, period, "online"), count, -1)


def per_shop_points(enterprise: Any, period: Any) -> Array:
    """A line from 0 at 1 per shop to -3 at 5 per shop, half up to the thousandth."""
    count, shops = enterprise("takedowns_per_shop_value", period), enterprise("shops", period)
    slope = -((1500 * (count - shops) + shops - 1) // np.where(count < 0, 1, 2 * shops))
    return np.where(count < 0, 0, np.maximum(slope, -3000))


def shops_declared(enterprise: Any, period: Any) -> Array:
    declared = given(enterprise).count(given(enterprise).of("shop.declared", months=24)) > 0
    return np.where(declared & in_scope(enterprise, period, "online"), 1, -1)


def clean_years(enterprise: Any, period: Any) -> Array:
    """Whole years since the newest stain or the establishment, for three classes, from 3 years on."""
    records, moment = given(enterprise), given(enterprise).moment
    born = enterprise("established_on", period)
    start = np.maximum(np.where(born <= number(moment.as_of), born, UNKNOWN), records.newest(records.of(*STAINS)))
    scope = (enterprise("patents_in_force", period) >= 1) | (enterprise("is_gi_user", period) == 1)
    scope |= enterprise("is_ip_agency", period) == 1
    wanted = np.flatnonzero(scope & (start != UNKNOWN) & (start <= number(moment.anniversary(3))))
    day = start[wanted].astype("datetime64[D]")
    month, year = day.astype("datetime64[M]"), day.astype("datetime64[Y]")
    late = (month - year).astype(int) * 100 + 100 + (day - month).astype(int) + 1 > moment.month_and_day
    years = np.full(records.subjects, -1)
    years[wanted] = moment.as_of.year - 1970 - year.astype(int) - late
    return years


def clean_points(enterprise: Any, period: Any) -> Array:
    return bands(enterprise("clean_years_value", period), ((3, 2000), (5, 3000)))


def unheld_score(enterprise: Any, period: Any) -> Array:
    return START + sum(enterprise(f"dimension_{name}", period) for name in DIMENSIONS)


def score(enterprise: Any, period: Any) -> Array:
    return np.clip(enterprise("unheld_score", period), 0, 100_000)


def summing(dimension: str) -> Formula:
    members = [name for name, place in DIMENSION_OF.items() if place == dimension]
    return lambda enterprise, period: sum(enterprise(name, period) for name in members)


def holding(dimension: str) -> Formula:
    return lambda enterprise, period: np.clip(enterprise(f"sum_{dimension}", period), *DIMENSIONS[dimension])


def cap(enterprise: Any, period: Any) -> Array:
    """The place of the strongest cap in ``CAPS``."""
    records, moment = given(enterprise), given(enterprise).moment
    born = enterprise("established_on", period)
    place = (records.count(records.valid("list.abnormal")) > 0).astype(np.int64)
    place[(born > number(moment.anniversary(1))) & (born <= number(moment.as_of))] = 2
    for years in (1, 2, 3):
        place[records.count(records.of(*TERM, months=12 * years)) >= years] = 3
    return place


def direct(enterprise: Any, period: Any) -> Array:
    """Bits of the rules that give D at once."""
    records = given(enterprise)
    listed, defaulted = (records.count(records.valid(kind)) > 0 for kind in ("list.serious", "enforcement.defaulter"))
    return listed + 2 * defaulted


def state(enterprise: Any, period: Any) -> Array:
    """The number of the state in ``STATES``."""
    points, steps = enterprise("score", period), enterprise("officer_shift", period)
    cut = sum((points < edge).astype(np.int32) for edge in CUTS)
    shift = np.where(enterprise("is_grave", period) == 1, np.where(steps < 0, 1, np.clip(steps, 1, 2)), 0)
    gone = enterprise("is_deregistered", period) == 1
    return cut + 4 * enterprise("cap", period) + 16 * shift + 48 * enterprise("direct", period) + 192 * gone


def class_mask(enterprise: Any, period: Any) -> Array:
    return sum((enterprise(name, period) >= 1) * (1 << bit) for bit, name in enumerate(CLASSES.values()))


VALUES: dict[str, Formula] = {
    **{rule.id: counting(rule) for rule in COUNTED},
    "address_lost": flag("contact_lost", 1),
    "disclosure_incomplete": flag("information_complete", 0),
    "system": flag("has_ip_system", 1),
    "licence_hidden": flag("licence_shown", 0, "online"),
    "platform_rules": flag("has_platform_rules", 0, "online"),
    "inventions_held": held("inventions_in_force"),
    "staff": held("ip_staff"),
    "gi_approved": lasting("gi.approval"),
    "certified": lasting("standard.certified"),
    "abnormal_list": lasting("list.abnormal"),
    "fines": totalled(PENALTIES, GENERAL),
    "damages": totalled(("judgment.lost",), 36),
    "report_overdue": report_overdue, "maintenance": maintenance, "abnormal_filings": abnormal_filings,
    "repeated_months": repeated_months, "agency_grade_used": agency_grade_used,
    "controlled_dishonesty": controlled_dishonesty, "takedowns": takedowns, "takedowns_per_shop": takedowns_per_shop,
    "shops_declared": shops_declared, "clean_years": clean_years,
}  # fmt: skip
POINTS: dict[str, Formula] = {
    **{name: limited(name) for name in LIMITS},
    "address_lost": once("address_lost", -3000),
    "disclosure_incomplete": once("disclosure_incomplete", -1000),
    "system": once("system", 500),
    "licence_hidden": once("licence_hidden", -1000),
    "platform_rules": once("platform_rules", -3000),
    "gi_approved": once("gi_approved", 1000),
    "certified": once("certified", 1000),
    "abnormal_list": once("abnormal_list", -10000),
    "shops_declared": once("shops_declared", 500),
    "inventions_held": stepping("inventions_held", INVENTIONS),
    "staff": stepping("staff", STAFF),
    "report_overdue": stepping("report_overdue", REPORT),
    "fines": stepping("fines", FINES),
    "damages": stepping("damages", DAMAGES),
    "repeated_months": stepping("repeated_months", MONTHS),
    "takedowns": stepping("takedowns", TAKEDOWNS),
    "maintenance": maintenance_points,
    "agency_grade_used": agency_points,
    "takedowns_per_shop": per_shop_points,
    "clean_years": clean_points,
}
FORMULAS: dict[str, Formula] = {
    **{f"{name}_value": formula for name, formula in VALUES.items()},
    **{f"{rule.id}_raw": each(rule.id, rule.each) for rule in COUNTED},
    "abnormal_filings_raw": abnormal_late,
    "controlled_dishonesty_raw": each("controlled_dishonesty", -5000),
    **POINTS,
    **{f"sum_{name}": summing(name) for name in DIMENSIONS},
    **{f"dimension_{name}": holding(name) for name in DIMENSIONS},
    "unheld_score": unheld_score, "score": score, "cap": cap, "direct": direct, "state": state, "class_mask": class_mask,
}  # fmt: skip


def variable(name: str, formula: Formula | None = None) -> type[Variable]:
    """A Variable of one integer a month."""
    fields: dict[str, Any] = {"value_type": int, "entity": Enterprise, "definition_period": DateUnit.MONTH, "label": name}
    if formula is not None:
        fields["formula"] = formula
    return type(name, (Variable,), fields)


def system_of(records: Records) -> Any:
    system = TaxBenefitSystem([Enterprise])
    for name in INPUTS:
        system.add_variable(variable(name))
    for name, formula in FORMULAS.items():
        system.add_variable(variable(name, formula))
    for name in MONEY:  # fen do not fit the 32 bits of an OpenFisca integer
        system.get_variable(f"{name}_value").dtype = np.int64
    system.records = records
    return system


def input_values(subjects: pa.Table, name: str) -> Array:
    if name == "agency_grade":
        return integers(pc.index_in(subjects[name], pa.array(GRADED)), -1)
    return integers(subjects[name], UNKNOWN if name == "established_on" else -1)


class Run:
    """A simulation of the city, for which any variable can be asked."""

    def __init__(self, folder: Path, as_of: date) -> None:
        columns = ["subject_no", "subject_id", *INPUTS]
        self.subjects = pq.read_table(folder / "subjects.parquet", columns=columns).sort_by("subject_no")
        self.period, size = f"{as_of:%Y-%m}", self.subjects.num_rows
        system = system_of(load_records(folder, Moment(as_of), size))
        self.simulation = SimulationBuilder().build_default_simulation(system, size)
        for name in INPUTS:
            self.simulation.set_input(name, self.period, input_values(self.subjects, name))

    def __call__(self, name: str) -> Array:
        return self.simulation.calculate(name, self.period)


def named(names: list[Any], codes: Array) -> pa.DictionaryArray:
    """Names of codes."""
    known = list(dict.fromkeys(name for name in names if name is not None))
    places = pa.array([None if name is None else known.index(name) for name in names], pa.int8())
    return pa.DictionaryArray.from_arrays(places.take(pa.array(codes)), pa.array(known, pa.string()))


def grades(run: Run) -> pa.Table:
    mask, state = run("class_mask"), run("state")
    size = len(mask)
    return pa.table(
        {
            "subject_id": run.subjects["subject_id"],
            "class": named(CLASS_OF_MASK, mask),
            "class_mask": mask.astype(np.int64),
            "start_milli": np.full(size, START),
            "implied_milli": np.zeros(size, np.int64),
            "score_milli": run("score").astype(np.int64),
            **{name: named([getattr(item, name) for item in STATES], state) for name in STATES[0]._fields},
        }
    )


def indicator_rows(run: Run, name: str) -> tuple[Array, ...]:
    """Key (64 subject_no + place of the name), value, denominator (0 unknown), points, points before the limit."""
    value = run(f"{name}_value")
    rows = np.flatnonzero(value >= 0)
    points = run(name)[rows]
    den = run(DENOMINATORS[name])[rows] if name in DENOMINATORS else np.full(len(rows), 1)
    if name in MONEY:
        den = np.full(len(rows), FEN)
    if name == "agency_grade_used":
        den = np.zeros(len(rows), np.int64)
    raw = run(f"{name}_raw")[rows] if name in LIMITS else points
    return rows * 64 + NAMES.index(name), value[rows], den, points, raw


def adjustment_rows(run: Run, name: str) -> tuple[Array, ...]:
    unheld = run("unheld_score")
    if name == "@1:floor":
        change = np.maximum(unheld, 0) - unheld
    elif name == "@2:ceiling":
        change = np.minimum(unheld, 100_000) - unheld
    else:
        change = run(f"dimension_{name[1:]}") - run(f"sum_{name[1:]}")
    rows = np.flatnonzero(change)
    zeros = np.zeros(len(rows), np.int64)
    return rows * 64 + NAMES.index(name), zeros, zeros, change[rows], change[rows]


def contributions(run: Run) -> pa.Table:
    parts = [indicator_rows(run, name) for name in ORDER]
    parts += [adjustment_rows(run, name) for name in NAMES[len(ORDER) :]]
    columns = [np.concatenate(column).astype(np.int64, copy=False) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    key, value, den, points, raw = (column[order] for column in columns)
    return pa.table(
        {
            "subject_id": run.subjects["subject_id"].combine_chunks().take(pa.array(key // 64)),
            "indicator": pa.DictionaryArray.from_arrays((key % 64).astype(np.int8), pa.array(NAMES)),
            "value_num": pa.array(value, mask=den == 0),
            "value_den": pa.array(den, mask=den == 0),
            "points_milli": points,
            "uncapped_milli": pa.array(raw, mask=raw == points),
        }
    )


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    run = Run(folder, as_of)
    return pa.table(
        {
            "subject_no": run.subjects["subject_no"].cast(pa.int32()),
            "score_milli": run("score").astype(np.int64),
            "grade": named([item.grade for item in STATES], run("state")).dictionary_decode(),
        }
    )


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    found = Run(folder, as_of)
    for name, table in (("grades", grades(found)), ("contributions", contributions(found))):
        pq.write_table(table, out / f"{name}.parquet", compression="zstd", compression_level=1)
