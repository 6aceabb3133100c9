"""The rulebook by hand for OpenFisca: one Variable for each indicator, dimension, the score and the grade.

Records are loaded once into NumPy arrays, in slices by kind; attributes are input Variables (-1 unknown). All points
are integers in thousandths.
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
    COUNTED,
    DAMAGES,
    DIMENSION_OF,
    DIMENSIONS,
    FINES,
    GENERAL,
    INVENTIONS,
    MONTHS,
    PENALTIES,
    REPORT,
    SEVERITIES,
    STAFF,
    STAINS,
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
    "is_gi_user",
    "is_ip_agency",
    "agency_grade",
    "is_online_operator",
    "has_platform_rules",
    "licence_shown",
    "shops",
    "is_cross_border",
    "has_ip_system",
    "ip_staff",
    "is_grave",
    "officer_shift",
]
EPOCH = date(1970, 1, 1)
GRADED = list(AGENCY_GRADES)
Enterprise = build_entity(key="enterprise", plural="enterprises", label="Enterprise", is_person=True)


def number(day: date) -> int:
    return (day - EPOCH).days


def integers(column: pa.ChunkedArray, missing: int) -> Array:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return pc.fill_null(column.cast(pa.int64()), missing).to_numpy()


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
    codes = np.where(alive, kind.indices.to_numpy(), len(kind.dictionary))
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
    """The formula of an indicator that counts records."""

    def formula(enterprise: Any, period: Any) -> Array:
        records = given(enterprise)
        rows = records.of(*rule.kinds, months=rule.months)
        if rule.severities:
            rows = rows[np.isin(records.columns["severity"][rows], [SEVERITIES.index(name) for name in rule.severities])]
        if rule.spared == "corrected":
            rows = rows[~records.corrected(rows)]
        if rule.spared == "first_offence":
            rows = rows[records.columns["is_first_offence"][rows] != 1]
        points = records.count(rows) * rule.each
        points = np.minimum(points, rule.limit) if rule.each > 0 else np.maximum(points, rule.limit)
        return points if rule.scope == "all" else np.where(in_scope(enterprise, period, rule.scope), points, 0)

    return formula


def flag(name: str, wanted: int, points: int, scope: str = "") -> Formula:
    def formula(enterprise: Any, period: Any) -> Array:
        holds = enterprise(name, period) == wanted
        return np.where(holds & in_scope(enterprise, period, scope) if scope else holds, points, 0)

    return formula


def stepping(name: str, edges: tuple[tuple[int, int], ...]) -> Formula:
    return lambda enterprise, period: bands(enterprise(name, period), edges)


def lasting(kind: str, points: int) -> Formula:
    return lambda enterprise, period: np.where(given(enterprise).count(given(enterprise).valid(kind)) > 0, points, 0)


def report_overdue(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    newest = records.newest(records.of("report.annual"))
    return np.where(newest == UNKNOWN, 0, bands(number(records.moment.as_of) - newest, REPORT))


def maintenance(enterprise: Any, period: Any) -> Array:
    live, ever = enterprise("patents_in_force", period), enterprise("patents_ever", period)
    points = np.where(5 * live >= 4 * ever, 1000, np.where(2 * live >= ever, 500, 0))
    return np.where((live >= 1) & (ever > 0), points, 0)


def abnormal_filings(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    rows = records.of("filing.abnormal_patent", months=12)
    taken = records.columns["corrected_on"][rows] - records.columns["decided_on"][rows]
    late = rows[~(records.corrected(rows) & (taken <= 30))]
    return np.maximum(records.count(late) * -4000, -20000)


def fines(enterprise: Any, period: Any) -> Array:
    return bands(given(enterprise).total(given(enterprise).of(*PENALTIES, months=GENERAL)), FINES)


def damages(enterprise: Any, period: Any) -> Array:
    return bands(given(enterprise).total(given(enterprise).of("judgment.lost", months=36)), DAMAGES)


def repeated_months(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    rows = records.of(*PENALTIES, months=24)
    month = records.columns["decided_on"][rows].astype("datetime64[D]").astype("datetime64[M]").astype(int)
    pairs = np.unique(np.stack([records.columns["subject_no"][rows], month]), axis=1)
    return bands(np.bincount(pairs[0], minlength=records.subjects), MONTHS)


def agency_grade_used(enterprise: Any, period: Any) -> Array:
    table = np.array([*AGENCY_GRADES.values(), 0])
    return np.where(enterprise("is_ip_agency", period) == 1, table[enterprise("agency_grade", period)], 0)


def controlled_dishonesty(enterprise: Any, period: Any) -> Array:
    records = given(enterprise)
    owner, owned = records.controls
    listed = records.count(records.valid("list.serious")) > 0
    return np.maximum(np.bincount(owner[listed[owned]], minlength=records.subjects) * -5000, -10000)


def takedowns(enterprise: Any, period: Any) -> Array:
    points = bands(given(enterprise).count(given(enterprise).of("platform.takedown", months=12)), TAKEDOWNS)
    return np.where(in_scope(enterprise, period, "online_or_cross_border"), points, 0)


def takedowns_per_shop(enterprise: Any, period: Any) -> Array:
    count = given(enterprise).count(given(enterprise).of("platform.takedown", months=12))
    shops = enterprise("shops", period).astype(np.int64)
    known = (shops > 0) & (count > shops) & in_scope(enterprise, period, "online")
    divisor = np.where(known, 2 * shops, 1)
    return np.where(known, np.maximum(-((1500 * (count - shops) + shops - 1) // divisor), -3000), 0)


def shops_declared(enterprise: Any, period: Any) -> Array:
    declared = given(enterprise).count(given(enterprise).of("shop.declared", months=24)) > 0
    return np.where(declared & in_scope(enterprise, period, "online"), 500, 0)


def clean_years(enterprise: Any, period: Any) -> Array:
    records, moment = given(enterprise), given(enterprise).moment
    born = enterprise("established_on", period)
    start = np.maximum(np.where(born <= number(moment.as_of), born, UNKNOWN), records.newest(records.of(*STAINS)))
    edges = [number(moment.anniversary(years)) for years in (3, 5)]
    points = np.where(start <= edges[1], 3000, np.where(start <= edges[0], 2000, 0))
    scope = (enterprise("patents_in_force", period) >= 1) | (enterprise("is_gi_user", period) == 1)
    return np.where((scope | (enterprise("is_ip_agency", period) == 1)) & (start != UNKNOWN), points, 0)


def score(enterprise: Any, period: Any) -> Array:
    return np.clip(80_000 + sum(enterprise(f"dimension_{name}", period) for name in DIMENSIONS), 0, 100_000)


def summing(dimension: str) -> Formula:
    members = [name for name, place in DIMENSION_OF.items() if place == dimension]
    return lambda enterprise, period: np.clip(sum(enterprise(name, period) for name in members), *DIMENSIONS[dimension])


def bound(enterprise: Any, period: Any) -> Array:
    """The best rank left: 3 for direct D, 2 under management, 1 when young or on the list of abnormal operations."""
    records, moment = given(enterprise), given(enterprise).moment
    born = enterprise("established_on", period)
    young = (born > number(moment.anniversary(1))) & (born <= number(moment.as_of))
    rank = (young | (records.count(records.valid("list.abnormal")) > 0)).astype(np.int64)
    for years in (1, 2, 3):
        rank[records.count(records.of(*TERM, months=12 * years)) >= years] = 2
    for kind in ("list.serious", "enforcement.defaulter"):
        rank[records.count(records.valid(kind)) > 0] = 3
    return rank


def grade(enterprise: Any, period: Any) -> Array:
    """0 to 3 for A to D, 4 for N."""
    points = enterprise("score", period)
    cut = 3 - (points >= 60_000).astype(int) - (points >= 75_000) - (points >= 90_000)
    steps = enterprise("officer_shift", period)
    shift = np.where(enterprise("is_grave", period) == 1, np.where(steps < 0, 1, np.clip(steps, 1, 2)), 0)
    rank = np.minimum(np.maximum(cut, enterprise("bound", period)) + shift, 3)
    return np.where(enterprise("is_deregistered", period) == 1, 4, rank)


FORMULAS: dict[str, Formula] = {
    **{rule.id: counting(rule) for rule in COUNTED},
    "address_lost": flag("contact_lost", 1, -3000),
    "disclosure_incomplete": flag("information_complete", 0, -1000),
    "system": flag("has_ip_system", 1, 500),
    "licence_hidden": flag("licence_shown", 0, -1000, "online"),
    "platform_rules": flag("has_platform_rules", 0, -3000, "online"),
    "inventions_held": stepping("inventions_in_force", INVENTIONS),
    "staff": stepping("ip_staff", STAFF),
    "gi_approved": lasting("gi.approval", 1000),
    "certified": lasting("standard.certified", 1000),
    "abnormal_list": lasting("list.abnormal", -10000),
    "report_overdue": report_overdue, "maintenance": maintenance, "abnormal_filings": abnormal_filings, "fines": fines,
    "damages": damages, "repeated_months": repeated_months, "agency_grade_used": agency_grade_used,
    "controlled_dishonesty": controlled_dishonesty, "takedowns": takedowns, "takedowns_per_shop": takedowns_per_shop,
    "shops_declared": shops_declared, "clean_years": clean_years,
    **{f"dimension_{name}": summing(name) for name in DIMENSIONS},
    "score": score, "bound": bound, "grade": grade,
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
    system.records = records
    return system


def input_values(subjects: pa.Table, name: str) -> Array:
    if name == "agency_grade":
        return integers(pc.index_in(subjects[name], pa.array(GRADED)), -1)
    return integers(subjects[name], UNKNOWN if name == "established_on" else -1)


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    subjects = pq.read_table(folder / "subjects.parquet", columns=["subject_no", *INPUTS]).sort_by("subject_no")
    simulation = SimulationBuilder().build_default_simulation(
        system_of(load_records(folder, Moment(as_of), len(subjects))), len(subjects)
    )
    period = f"{as_of:%Y-%m}"
    for name in INPUTS:
        simulation.set_input(name, period, input_values(subjects, name))
    points, code = (simulation.calculate(name, period) for name in ("score", "grade"))
    return pa.table(
        {
            "subject_no": subjects["subject_no"].cast(pa.int32()),
            "score_milli": pa.array(points.astype(np.int64)),
            "grade": pa.array(["A", "B", "C", "D", "N"]).take(pa.array(code)),
        }
    )
