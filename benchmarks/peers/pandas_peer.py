"""The rulebook by hand in plain pandas: boolean masks and group sizes, one small frame for each indicator.

Text that repeats is categorical; a contribution is sorted by one number, 64 subject_no + place of its name.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
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
    STAFF,
    STAINS,
    START,
    STATES,
    TAKEDOWNS,
    TERM,
    Counted,
    Moment,
)

RECORD_COLUMNS = [
    "subject_no", "kind", "severity", "decided_on", "valid_until", "corrected_on", "repaired_on", "revoked_on",
    "is_first_offence", "amount",
]  # fmt: skip
SUBJECT_COLUMNS = [
    "subject_no", "subject_id", "established_on", "is_deregistered", "contact_lost", "information_complete",
    "patents_in_force", "inventions_in_force", "patents_ever", "trademarks_in_force", "is_gi_user", "is_ip_agency",
    "agency_grade", "is_online_operator", "has_platform_rules", "licence_shown", "shops", "is_cross_border",
    "is_logistics", "has_ip_system", "ip_staff", "is_grave", "officer_shift",
]  # fmt: skip
Series = Any
Frame = Any


def read(path: Path, columns: list[str] | None = None) -> Frame:
    """A table with dates as numpy datetimes and text that repeats as categories."""
    repeated = {"kind", "severity"}.intersection(columns or ())
    options: dict[str, Any] = {"to_pandas_kwargs": {"date_as_object": False}}
    return pd.read_parquet(path, columns=columns, read_dictionary=sorted(repeated), **options)


def bands(value: Series, edges: tuple[tuple[int, int], ...]) -> Series:
    """Points of a step table whose edges belong to the upper band."""
    points = np.array([0, *(points for _, points in edges)])
    return pd.Series(points[np.searchsorted([edge for edge, _ in edges], value, side="right")], index=value.index)


def true(column: Series) -> Series:
    """A yes; an unknown is no."""
    return column.astype("boolean").fillna(False).astype(bool)


def false(column: Series) -> Series:
    """A no; an unknown is not."""
    return ~column.astype("boolean").fillna(True).astype(bool)


class City:
    """Subjects by number, the records that count at all, and the moment."""

    def __init__(self, folder: Path, as_of: date) -> None:
        self.moment, self.as_of = Moment(as_of), pd.Timestamp(as_of)
        self.subjects = read(folder / "subjects.parquet", SUBJECT_COLUMNS).set_index("subject_no").sort_index()
        self.relations = pd.read_parquet(folder / "relations.parquet")
        records = read(folder / "records.parquet", RECORD_COLUMNS)
        gone = (records.pop("revoked_on") <= self.as_of) | (records.pop("repaired_on") <= self.as_of)
        codes = records["kind"].cat.codes.where((records["decided_on"] <= self.as_of) & ~gone, -1)
        self.nothing, kinds = records.iloc[:0], records.pop("kind").cat.categories
        self.by_kind = {kinds[code]: frame for code, frame in records.groupby(codes.to_numpy()) if code >= 0}
        online, border = (true(self.subjects[name]) for name in ("is_online_operator", "is_cross_border"))
        self.scopes = {
            "agency": true(self.subjects["is_ip_agency"]), "cross_border": border, "not_cross_border": ~border,
            "online_or_cross_border": online | border, "online": online,
        }  # fmt: skip

    def of(self, *kinds: str, months: int = -1) -> Frame:
        """Records of these kinds, decided in the last months."""
        found = [self.by_kind[kind] for kind in kinds if kind in self.by_kind]
        frame = pd.concat(found) if found else self.nothing
        return frame if months < 0 else frame[frame["decided_on"] >= pd.Timestamp(self.moment.first(months))]

    def standing(self, kind: str) -> Series:
        """Subjects with a record of this kind that is still valid, each with 1."""
        frame = self.of(kind)
        valid = frame[frame["valid_until"].isna() | (frame["valid_until"] >= self.as_of)]
        return pd.Series(1, index=valid["subject_no"].unique())

    def corrected(self, frame: Frame) -> Series:
        return frame["corrected_on"] <= self.as_of

    def within(self, values: Series, scope: str) -> Series:
        return values if scope == "all" else values[self.scopes[scope].loc[values.index]]


def unknown(index: Any) -> Series:
    return pd.Series(pd.NA, index=index, dtype="Int64")


def row(name: str, value: Series, points: Series | int, den: Series | int | None = 1, limit: int | None = None) -> Frame:
    """Contributions of one indicator; points beyond the limit, which is on their side, are cut."""
    raw, index = pd.Series(points, index=value.index), value.index
    beyond = raw.abs() > (abs(limit) if limit is not None else 10**9)
    return pd.DataFrame(
        {
            "key": index.to_numpy("int64") * 64 + NAMES.index(name),
            "value_num": value.astype("Int64"),
            "value_den": unknown(index) if den is None else pd.Series(den, index=index).astype("Int64"),
            "points_milli": raw.mask(beyond, limit),
            "uncapped_milli": raw.astype("Int64").where(beyond),
        }
    )


# --- indicators ---


def counted(city: City, rule: Counted) -> Frame:
    frame = city.of(*rule.kinds, months=rule.months)
    if rule.severities:
        frame = frame[frame["severity"].isin(rule.severities)]
    if rule.spared == "corrected":
        frame = frame[~city.corrected(frame)]
    if rule.spared == "first_offence":
        frame = frame[~true(frame["is_first_offence"])]
    counts = city.within(frame.groupby("subject_no").size(), rule.scope)
    return row(rule.id, counts, counts * rule.each, limit=rule.limit)


def abnormal_filings(city: City) -> Frame:
    frame = city.of("filing.abnormal_patent", months=12)
    in_time = city.corrected(frame) & ((frame["corrected_on"] - frame["decided_on"]).dt.days <= 30)
    groups = frame.assign(late=~in_time).groupby("subject_no")["late"]
    return row("abnormal_filings", groups.size(), groups.sum() * -4000, limit=-20000)


def record_rows(city: City) -> list[Frame]:
    newest = city.of("report.annual").groupby("subject_no")["decided_on"].max()
    days = (city.as_of - newest).dt.days
    fines = city.of(*PENALTIES, months=GENERAL).groupby("subject_no")["amount"].sum()
    damages = city.of("judgment.lost", months=36).groupby("subject_no")["amount"].sum()
    fined = city.of(*PENALTIES, months=24)
    month = fined["decided_on"].dt.year * 12 + fined["decided_on"].dt.month
    months = month.groupby(fined["subject_no"]).nunique()
    declared = city.within(city.of("shop.declared", months=24).groupby("subject_no").size(), "online").clip(upper=1)
    return [
        *(counted(city, rule) for rule in COUNTED),
        abnormal_filings(city),
        row("report_overdue", days, bands(days, REPORT)),
        row("gi_approved", city.standing("gi.approval"), 1000),
        row("certified", city.standing("standard.certified"), 1000),
        row("abnormal_list", city.standing("list.abnormal"), -10000),
        row("fines", fines, bands(fines, FINES), FEN),
        row("damages", damages, bands(damages, DAMAGES), FEN),
        row("repeated_months", months, bands(months, MONTHS)),
        row("shops_declared", declared, 500),
        *takedowns(city),
        controlled(city),
        clean_years(city),
    ]


def takedowns(city: City) -> list[Frame]:
    counts = city.of("platform.takedown", months=12).groupby("subject_no").size()
    scoped, online = city.within(counts, "online_or_cross_border"), city.within(counts, "online")
    shops = city.subjects["shops"].loc[online.index]
    online, shops = online[shops > 0], shops[shops > 0].astype("int64")
    slope = -((1500 * (online - shops) + shops - 1) // (2 * shops))
    slope = slope.where(online > shops, 0).clip(lower=-3000)
    per_shop = row("takedowns_per_shop", online, slope, shops)
    return [row("takedowns", scoped, bands(scoped, TAKEDOWNS)), per_shop[per_shop["points_milli"] != 0]]


def controlled(city: City) -> Frame:
    links = city.relations[city.relations["relation"] == "controls"].drop_duplicates(["subject_no", "related_no"])
    listed = links[links["related_no"].isin(city.standing("list.serious").index)].groupby("subject_no").size()
    return row("controlled_dishonesty", listed, listed * -5000, limit=-10000)


def clean_years(city: City) -> Frame:
    subjects, moment = city.subjects, city.moment
    scope = (subjects["patents_in_force"] >= 1) | true(subjects["is_gi_user"]) | true(subjects["is_ip_agency"])
    born = subjects.loc[scope, "established_on"]
    born = born.where(born <= city.as_of)
    stained = city.of(*STAINS).groupby("subject_no")["decided_on"].max().reindex(born.index)
    start = pd.concat([born, stained], axis=1).max(axis=1)
    start = start[start <= pd.Timestamp(moment.anniversary(3))]
    late = start.dt.month * 100 + start.dt.day > moment.month_and_day
    points = np.where(start <= pd.Timestamp(moment.anniversary(5)), 3000, 2000)
    return row("clean_years", moment.as_of.year - start.dt.year - late, points)


def attribute_rows(city: City) -> list[Frame]:
    subjects, online = city.subjects, city.scopes["online"]

    def flagged(name: str, only: Series, value: int, points: int) -> Frame:
        return row(name, pd.Series(value, index=subjects.index[only]), points)

    held = subjects["inventions_in_force"][subjects["inventions_in_force"] >= 1].astype("int64")
    staff = subjects["ip_staff"][subjects["ip_staff"] >= 1].astype("int64")
    grades = subjects["agency_grade"][city.scopes["agency"] & subjects["agency_grade"].isin(list(AGENCY_GRADES))]
    return [
        flagged("address_lost", true(subjects["contact_lost"]), 1, -3000),
        flagged("disclosure_incomplete", false(subjects["information_complete"]), 0, -1000),
        flagged("system", true(subjects["has_ip_system"]), 1, 500),
        flagged("licence_hidden", online & false(subjects["licence_shown"]), 0, -1000),
        flagged("platform_rules", online & false(subjects["has_platform_rules"]), 0, -3000),
        row("inventions_held", held, bands(held, INVENTIONS)),
        row("staff", staff, bands(staff, STAFF)),
        row(
            "agency_grade_used",
            unknown(grades.index),
            grades.map(AGENCY_GRADES).astype("int64"),
            None,
        ),
        maintenance(subjects),
    ]


def maintenance(subjects: Frame) -> Frame:
    owners = subjects[(subjects["patents_in_force"] >= 1) & (subjects["patents_ever"] > 0)]
    live, ever = owners["patents_in_force"].astype("int64"), owners["patents_ever"].astype("int64")
    kept = 2 * live >= ever
    live, ever = live[kept], ever[kept]
    return row("maintenance", live, np.where(5 * live >= 4 * ever, 1000, 500), ever)


# --- score and grade ---


def scores(city: City, rows: Frame) -> tuple[Series, list[Frame]]:
    """The score of every subject, and the adjustments that make the rows add up."""
    names = list(DIMENSIONS)
    dimension = np.array([names.index(DIMENSION_OF[name]) for name in ORDER])[rows["key"] % 64]
    sums = rows["points_milli"].groupby(rows["key"] // 64 * 8 + dimension).sum()
    number = sums.index % 8
    least = np.array([DIMENSIONS[name][0] or -(10**9) for name in names])[number]
    most = np.array([DIMENSIONS[name][1] or 10**9 for name in names])[number]
    held = sums.clip(least, most)
    total = START + held.groupby(held.index // 8).sum().reindex(city.subjects.index, fill_value=0)
    score = total.clip(0, 100_000)
    changes = [("@1:floor", total.clip(0) - total), ("@2:ceiling", score - total.clip(0))]
    moved = (held - sums)[held != sums]
    changes += [
        (f"@{name}", moved[moved.index % 8 == place].rename(lambda run: run // 8)) for place, name in enumerate(names)
    ]
    kept = [(name, change[change != 0]) for name, change in changes]
    return score, [row(name, unknown(change.index), change, None) for name, change in kept if len(change)]


def states(city: City, score: Series) -> Any:
    """The number of the state in ``STATES``: everything that decides a grade."""
    subjects, born = city.subjects, city.subjects["established_on"]
    cap, direct = (pd.Series(0, index=subjects.index) for _ in range(2))
    cap[city.standing("list.abnormal").index] = 1
    cap[(born > pd.Timestamp(city.moment.anniversary(1))) & (born <= city.as_of)] = 2
    for years in (1, 2, 3):
        counts = city.of(*TERM, months=12 * years).groupby("subject_no").size()
        cap[counts.index[counts >= years]] = 3
    for bit, kind in ((1, "list.serious"), (2, "enforcement.defaulter")):
        direct[city.standing(kind).index] += bit
    shift = subjects["officer_shift"].fillna(1).clip(1, 2).where(true(subjects["is_grave"]), 0).astype(int)
    cut = sum((score < edge).astype(int) for edge in CUTS)
    return (cut + 4 * cap + 16 * shift + 48 * direct + 192 * true(subjects["is_deregistered"])).to_numpy()


def decoded(names: list[str | None], codes: Any) -> Any:
    """Names of codes, as categories."""
    known = list(dict.fromkeys(name for name in names if name is not None))
    return pd.Categorical.from_codes(np.array([-1 if name is None else known.index(name) for name in names])[codes], known)


def grades(city: City, score: Series) -> Frame:
    subjects, state = city.subjects, states(city, score)
    members = [
        true(subjects[name]) if subjects[name].dtype in (object, bool) else subjects[name] >= 1 for name in CLASSES.values()
    ]
    mask = sum(member.to_numpy("int64") << number for number, member in enumerate(members))
    return pd.DataFrame(
        {
            "subject_id": subjects["subject_id"],
            "class": decoded(CLASS_OF_MASK, mask),
            "class_mask": mask,
            "start_milli": START,
            "implied_milli": 0,
            "score_milli": score,
            **{name: decoded([getattr(item, name) for item in STATES], state) for name in STATES[0]._fields},
        }
    )


def results(folder: Path, as_of: date) -> tuple[Frame, Frame]:
    """Grades by subject_no, and contributions by key in no order."""
    city = City(folder, as_of)
    rows = pd.concat(record_rows(city) + attribute_rows(city), ignore_index=True)
    score, adjusted = scores(city, rows)
    return grades(city, score), pd.concat([rows, *adjusted], ignore_index=True)


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    schema = pa.schema([("subject_no", pa.int32()), ("score_milli", pa.int64()), ("grade", pa.string())])
    found = results(folder, as_of)[0][["score_milli", "grade"]].reset_index()
    return pa.Table.from_pandas(found, preserve_index=False).cast(schema)


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    graded, rows = results(folder, as_of)
    rows = rows.sort_values("key")
    key = rows.pop("key").to_numpy()
    rows.insert(0, "subject_id", graded["subject_id"].array.take(key // 64))
    rows.insert(1, "indicator", pd.Categorical.from_codes(key % 64, NAMES))
    for name, frame in (("grades", graded), ("contributions", rows)):
        frame.to_parquet(out / f"{name}.parquet", index=False, compression="zstd", compression_level=1)
