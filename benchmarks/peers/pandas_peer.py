"""The rulebook by hand in plain pandas: boolean masks and group sizes, one small frame for each indicator."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
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
    ORDER,
    PENALTIES,
    REPORT,
    STAFF,
    STAINS,
    TAKEDOWNS,
    TERM,
    Counted,
    Moment,
)

RECORD_COLUMNS = [
    "subject_no", "kind", "severity", "decided_on", "valid_until", "corrected_on", "repaired_on", "revoked_on",
    "is_first_offence", "amount",
]  # fmt: skip
Series = Any
Frame = Any


def read(path: Path, columns: list[str] | None = None) -> Frame:
    """A table with dates as numpy datetimes and categories as such."""
    frame = pd.read_parquet(path, columns=columns)
    for name in frame.columns:
        if name.endswith(("_on", "_until")):
            frame[name] = pd.to_datetime(frame[name])
    return frame


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
        self.subjects = read(folder / "subjects.parquet").set_index("subject_no")
        self.relations = pd.read_parquet(folder / "relations.parquet")
        records = read(folder / "records.parquet", RECORD_COLUMNS)
        gone = (records["revoked_on"] <= self.as_of) | (records["repaired_on"] <= self.as_of)
        records = records[(records["decided_on"] <= self.as_of) & ~gone]
        self.by_kind = dict(list(records.groupby("kind")))
        self.nothing = records.iloc[:0]
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


def row(name: str, value: Series, points: Series | int) -> Frame:
    frame = pd.DataFrame({"value": value, "points_milli": points}, index=value.index)
    return frame.rename_axis("subject_no").reset_index().assign(code=ORDER.index(name))


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
    points = counts * rule.each
    return row(rule.id, counts, points.clip(upper=rule.limit) if rule.each > 0 else points.clip(lower=rule.limit))


def abnormal_filings(city: City) -> Frame:
    frame = city.of("filing.abnormal_patent", months=12)
    in_time = city.corrected(frame) & ((frame["corrected_on"] - frame["decided_on"]).dt.days <= 30)
    groups = frame.assign(late=~in_time).groupby("subject_no")["late"]
    return row("abnormal_filings", groups.size(), (groups.sum() * -4000).clip(lower=-20000))


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
        row("fines", fines, bands(fines, FINES)),
        row("damages", damages, bands(damages, DAMAGES)),
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
    per_shop = row("takedowns_per_shop", online * 1000 // shops, slope)
    return [row("takedowns", scoped, bands(scoped, TAKEDOWNS)), per_shop[per_shop["points_milli"] != 0]]


def controlled(city: City) -> Frame:
    links = city.relations[city.relations["relation"] == "controls"].drop_duplicates(["subject_no", "related_no"])
    listed = links[links["related_no"].isin(city.standing("list.serious").index)].groupby("subject_no").size()
    return row("controlled_dishonesty", listed, (listed * -5000).clip(lower=-10000))


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
            pd.Series(pd.NA, index=grades.index, dtype="Int64"),
            grades.map(AGENCY_GRADES).astype("int64"),
        ),
        maintenance(subjects),
    ]


def maintenance(subjects: Frame) -> Frame:
    owners = subjects[(subjects["patents_in_force"] >= 1) & (subjects["patents_ever"] > 0)]
    live, ever = owners["patents_in_force"].astype("int64"), owners["patents_ever"].astype("int64")
    kept = 2 * live >= ever
    live, ever = live[kept], ever[kept]
    return row("maintenance", live * 1000 // ever, np.where(5 * live >= 4 * ever, 1000, 500))


# --- score and grade ---


def scores(city: City, rows: Frame) -> Series:
    names = list(DIMENSIONS)
    dimension = np.array([names.index(DIMENSION_OF[name]) for name in ORDER])[rows["code"]]
    sums = rows["points_milli"].groupby([rows["subject_no"], dimension]).sum()
    least = np.array([DIMENSIONS[name][0] or -(10**9) for name in names])[sums.index.get_level_values(1)]
    most = np.array([DIMENSIONS[name][1] or 10**9 for name in names])[sums.index.get_level_values(1)]
    total = sums.clip(least, most).groupby(level=0).sum()
    return (80_000 + total.reindex(city.subjects.index, fill_value=0)).clip(0, 100_000)


def bounds(city: City) -> Series:
    """The best rank left to a subject."""
    bound = pd.Series(0, index=city.subjects.index)
    born = city.subjects["established_on"]
    bound[(born > pd.Timestamp(city.moment.anniversary(1))) & (born <= city.as_of)] = 1
    bound[city.standing("list.abnormal").index] = 1
    for years in (1, 2, 3):
        counts = city.of(*TERM, months=12 * years).groupby("subject_no").size()
        bound[counts.index[counts >= years]] = 2
    for kind in ("list.serious", "enforcement.defaulter"):
        bound[city.standing(kind).index] = 3
    return bound


def grades(city: City, score: Series) -> Frame:
    subjects = city.subjects
    cut = 3 - (score >= 60_000).astype(int) - (score >= 75_000).astype(int) - (score >= 90_000).astype(int)
    shift = subjects["officer_shift"].fillna(1).clip(1, 2).where(true(subjects["is_grave"]), 0).astype(int)
    rank = (np.maximum(cut, bounds(city)) + shift).clip(upper=3)
    letter = np.where(true(subjects["is_deregistered"]), "N", np.array(list("ABCD"))[rank])
    return pd.DataFrame({"score_milli": score, "grade": letter}, index=subjects.index).sort_index().reset_index()


def results(folder: Path, as_of: date) -> tuple[Frame, Frame]:
    """Grades, and contributions in no order."""
    city = City(folder, as_of)
    frames = [frame.astype({"value": "Int64"}) for frame in record_rows(city) + attribute_rows(city)]
    rows = pd.concat(frames, ignore_index=True)
    return grades(city, scores(city, rows)), rows


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    schema = pa.schema([("subject_no", pa.int32()), ("score_milli", pa.int64()), ("grade", pa.string())])
    return pa.Table.from_pandas(results(folder, as_of)[0], preserve_index=False).cast(schema)


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    out.mkdir(parents=True, exist_ok=True)
    graded, rows = results(folder, as_of)
    graded.to_parquet(out / "grades.parquet", index=False, compression="zstd")
    rows = rows.sort_values(["subject_no", "code"])
    rows["indicator"] = np.array(ORDER, dtype=object)[rows["code"]]
    wanted = ["subject_no", "indicator", "value", "points_milli"]
    rows[wanted].to_parquet(out / "contributions.parquet", index=False, compression="zstd")
