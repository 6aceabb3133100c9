"""The rulebook by hand in Polars, as fast as we could make it.

Ordinary records (97 %) go through one streaming pass: join on a small table of kinds, one group-by on (subject,
indicator). Offences and lasting records are few: their kinds are pushed into the Parquet scan, the rest is eager on a small frame. Points
stay in long form; only the score is wide.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from pathlib import Path

import polars as pl
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

CODE = {name: number for number, name in enumerate(ORDER)}
LASTING = {"gi.approval": "gi_approved", "standard.certified": "certified"}
FEW = sorted(
    {kind for rule in COUNTED if rule.each < 0 for kind in rule.kinds} | {*STAINS, *LASTING, "enforcement.defaulter"}
)
"""Offences and the two lasting kinds: 3 % of the records."""
SUBJECT_COLUMNS = [
    "subject_no", "established_on", "is_deregistered", "contact_lost", "information_complete", "patents_in_force",
    "inventions_in_force", "patents_ever", "is_gi_user", "is_ip_agency", "agency_grade", "is_online_operator",
    "has_platform_rules", "licence_shown", "shops", "is_cross_border", "has_ip_system", "ip_staff", "is_grave",
    "officer_shift",
]  # fmt: skip
OFFENCE_COLUMNS = [
    "subject_no",
    "kind",
    "severity",
    "decided_on",
    "valid_until",
    "corrected_on",
    "is_first_offence",
    "amount",
]


def bands(value: pl.Expr, edges: tuple[tuple[int, int], ...]) -> pl.Expr:
    """Points of a step table whose edges belong to the upper band."""
    return reduce(lambda low, edge: pl.when(value >= edge[0]).then(edge[1]).otherwise(low), edges, pl.lit(0)).cast(pl.Int64)


def rows(frame: pl.DataFrame, name: str, value: pl.Expr, points: pl.Expr) -> pl.DataFrame:
    """Contributions of one indicator: one row for each row of the frame."""
    return frame.select(
        "subject_no", code=pl.lit(CODE[name], pl.UInt8), value=value.cast(pl.Int64), points=points.cast(pl.Int64)
    )


def alive(as_of: date) -> pl.Expr:
    """Records that count at all: decided, neither revoked nor repaired."""
    gone = [pl.col(name).is_null() | (pl.col(name) > as_of) for name in ("revoked_on", "repaired_on")]
    return (pl.col("decided_on") <= as_of) & gone[0] & gone[1]


# --- ordinary records ---


def kinds_table(moment: Moment) -> pl.LazyFrame:
    """What each ordinary kind gives: indicator, first day, points each, limit."""
    table = [(rule.kinds[0], rule.id, rule.months, rule.each, rule.limit) for rule in COUNTED if rule.each > 0]
    table += [
        ("report.annual", "report_overdue", -1, 0, 0),
        ("platform.takedown", "takedowns", 12, 0, 0),
        ("shop.declared", "shops_declared", 24, 500, 500),
    ]
    return pl.LazyFrame(
        {
            "kind": [row[0] for row in table],
            "code": pl.Series([CODE[row[1]] for row in table], dtype=pl.UInt8),
            "first": [moment.first(row[2]) for row in table],
            "each": pl.Series([row[3] for row in table], dtype=pl.Int64),
            "limit": pl.Series([row[4] for row in table], dtype=pl.Int64),
        }
    )


def ordinary_rows(folder: Path, moment: Moment) -> pl.LazyFrame:
    """Contributions of ordinary records, before class scopes."""
    kinds = kinds_table(moment)
    counted = (
        pl.scan_parquet(folder / "records.parquet")
        .filter(alive(moment.as_of))
        .select("subject_no", "kind", "decided_on")
        .join(kinds.select("kind", "code", "first"), on="kind")
        .filter(pl.col("decided_on") >= pl.col("first"))
        .group_by("subject_no", "code")
        .agg(count=pl.len().cast(pl.Int64), newest=pl.col("decided_on").max())
        .join(kinds.select("code", "each", "limit"), on="code")
    )
    return counted.select("subject_no", "code", value=ordinary_value(moment), points=ordinary_points(moment))


def days(moment: Moment) -> pl.Expr:
    return (pl.lit(moment.as_of) - pl.col("newest")).dt.total_days()


def ordinary_value(moment: Moment) -> pl.Expr:
    return (
        pl.when(pl.col("code") == CODE["report_overdue"])
        .then(days(moment))
        .when(pl.col("code") == CODE["shops_declared"])
        .then(1)
        .otherwise(pl.col("count"))
    )


def ordinary_points(moment: Moment) -> pl.Expr:
    return (
        pl.when(pl.col("code") == CODE["report_overdue"])
        .then(bands(days(moment), REPORT))
        .when(pl.col("code") == CODE["takedowns"])
        .then(bands(pl.col("count"), TAKEDOWNS))
        .otherwise(pl.min_horizontal(pl.col("count") * pl.col("each"), "limit"))
    )


# --- the few ---


def few(folder: Path, moment: Moment) -> pl.LazyFrame:
    records = pl.scan_parquet(folder / "records.parquet")
    return records.filter(alive(moment.as_of) & pl.col("kind").is_in(FEW)).select(OFFENCE_COLUMNS)


def done(moment: Moment) -> pl.Expr:
    """Corrected by now."""
    return pl.col("corrected_on").is_not_null() & (pl.col("corrected_on") <= moment.as_of)


def counted_offences(records: pl.DataFrame, rule: Counted, moment: Moment) -> pl.DataFrame:
    only = pl.col("kind").is_in(rule.kinds) & (pl.col("decided_on") >= moment.first(rule.months))
    if rule.severities:
        only &= pl.col("severity").is_in(rule.severities)
    if rule.spared == "corrected":
        only &= ~done(moment)
    if rule.spared == "first_offence":
        only &= ~pl.col("is_first_offence").fill_null(False)
    counts = records.filter(only).group_by("subject_no").agg(count=pl.len().cast(pl.Int64))
    return rows(counts, rule.id, pl.col("count"), pl.max_horizontal(pl.col("count") * rule.each, rule.limit))


def summed(records: pl.DataFrame, name: str, edges: tuple[tuple[int, int], ...]) -> pl.DataFrame:
    return rows(
        records.group_by("subject_no").agg(pl.col("amount").sum()), name, pl.col("amount"), bands(pl.col("amount"), edges)
    )


def abnormal_filings(records: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """4 points for each filing, nothing for one withdrawn within 30 days."""
    recent = (pl.col("kind") == "filing.abnormal_patent") & (pl.col("decided_on") >= moment.first(12))
    in_time = done(moment) & ((pl.col("corrected_on") - pl.col("decided_on")).dt.total_days() <= 30)
    counts = records.filter(recent).group_by("subject_no").agg(count=pl.len(), late=(~in_time).sum().cast(pl.Int64))
    return rows(counts, "abnormal_filings", pl.col("count"), pl.max_horizontal(pl.col("late") * -4000, -20000))


def offence_rows(records: pl.DataFrame, moment: Moment) -> list[pl.DataFrame]:
    penalties = records.filter(pl.col("kind").is_in(PENALTIES))
    lost = records.filter((pl.col("kind") == "judgment.lost") & (pl.col("decided_on") >= moment.first(36)))
    months = penalties.filter(pl.col("decided_on") >= moment.first(24)).group_by("subject_no")
    month_counts = months.agg(months=pl.col("decided_on").dt.truncate("1mo").n_unique())
    listed = standing(records, "list.abnormal", moment)
    return [
        *(rows(standing(records, kind, moment), name, pl.lit(1), pl.lit(1000)) for kind, name in LASTING.items()),
        *(counted_offences(records, rule, moment) for rule in COUNTED if rule.each < 0),
        abnormal_filings(records, moment),
        summed(penalties.filter(pl.col("decided_on") >= moment.first(GENERAL)), "fines", FINES),
        summed(lost, "damages", DAMAGES),
        rows(month_counts, "repeated_months", pl.col("months"), bands(pl.col("months"), MONTHS)),
        rows(listed, "abnormal_list", pl.lit(1), pl.lit(-10000)),
    ]


def standing(records: pl.DataFrame, kind: str, moment: Moment) -> pl.DataFrame:
    """Subjects with a record of this kind that is still valid."""
    valid = pl.col("valid_until").is_null() | (pl.col("valid_until") >= moment.as_of)
    return records.filter((pl.col("kind") == kind) & valid).select("subject_no").unique()


def under_management(records: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Subjects whose management term runs: 1 record in 12 months, 2 in 24, or 3 in 36."""
    edge = {years: moment.first(12 * years) for years in (1, 2, 3)}
    newer = [(pl.col("decided_on") >= edge[years]).sum() >= years for years in edge]
    grouped = records.filter(pl.col("kind").is_in(TERM)).group_by("subject_no").agg(runs=newer[0] | newer[1] | newer[2])
    return grouped.filter("runs").select("subject_no")


def controlled(folder: Path, records: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """5 points for each controlled enterprise on the serious-dishonesty list."""
    listed = standing(records, "list.serious", moment).rename({"subject_no": "related_no"})
    links = pl.read_parquet(folder / "relations.parquet").filter(pl.col("relation") == "controls")
    counts = (
        links.join(listed, on="related_no", how="semi").unique().group_by("subject_no").agg(count=pl.len().cast(pl.Int64))
    )
    return rows(counts, "controlled_dishonesty", pl.col("count"), pl.max_horizontal(pl.col("count") * -5000, -10000))


# --- attributes and classes ---


def attribute_rows(subjects: pl.DataFrame) -> list[pl.DataFrame]:
    def flagged(name: str, only: pl.Expr, value: int, points: int) -> pl.DataFrame:
        return rows(subjects.filter(only), name, pl.lit(value), pl.lit(points))

    online = pl.col("is_online_operator")
    held, staff = pl.col("inventions_in_force"), pl.col("ip_staff")
    return [
        flagged("address_lost", pl.col("contact_lost"), 1, -3000),
        flagged("disclosure_incomplete", ~pl.col("information_complete"), 0, -1000),
        flagged("system", pl.col("has_ip_system"), 1, 500),
        flagged("licence_hidden", online & ~pl.col("licence_shown"), 0, -1000),
        flagged("platform_rules", online & ~pl.col("has_platform_rules"), 0, -3000),
        rows(subjects.filter(held >= 1), "inventions_held", held, bands(held, INVENTIONS)),
        rows(subjects.filter(staff >= 1), "staff", staff, bands(staff, STAFF)),
        maintenance(subjects),
        agency_grades(subjects),
    ]


def maintenance(subjects: pl.DataFrame) -> pl.DataFrame:
    live, ever = pl.col("patents_in_force"), pl.col("patents_ever")
    owners = subjects.filter((live >= 1) & (ever > 0) & (2 * live >= ever))
    return rows(owners, "maintenance", live * 1000 // ever, pl.when(5 * live >= 4 * ever).then(1000).otherwise(500))


def agency_grades(subjects: pl.DataFrame) -> pl.DataFrame:
    graded = subjects.filter(pl.col("is_ip_agency") & pl.col("agency_grade").is_in(list(AGENCY_GRADES)))
    points = pl.col("agency_grade").replace_strict(AGENCY_GRADES, return_dtype=pl.Int64)
    return rows(graded, "agency_grade_used", pl.lit(None), points)


def clean_years(subjects: pl.DataFrame, records: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Whole years since the newest stain or the establishment, for three classes."""
    scope = (pl.col("patents_in_force") >= 1) | pl.col("is_gi_user") | pl.col("is_ip_agency")
    stains = records.filter(pl.col("kind").is_in(STAINS)).group_by("subject_no").agg(stained=pl.col("decided_on").max())
    born = pl.when(pl.col("established_on") <= moment.as_of).then("established_on")
    start = pl.max_horizontal(born, "stained")
    since = subjects.filter(scope).join(stains, on="subject_no", how="left").select("subject_no", start=start)
    long_ago = since.filter(pl.col("start") <= moment.anniversary(3))
    points = pl.when(pl.col("start") <= moment.anniversary(5)).then(3000).otherwise(2000)
    return rows(long_ago, "clean_years", full_years(moment), points)


def full_years(moment: Moment) -> pl.Expr:
    day = pl.col("start").dt.month().cast(pl.Int32) * 100 + pl.col("start").dt.day()
    return moment.as_of.year - pl.col("start").dt.year() - (day > moment.month_and_day).cast(pl.Int32)


def scoped(counted: pl.DataFrame, subjects: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows held to the classes of their indicator, and the takedowns per shop."""
    online, border = pl.col("is_online_operator").fill_null(False), pl.col("is_cross_border").fill_null(False)
    agency = pl.col("is_ip_agency").fill_null(False)
    wanted = {
        "agency_penalties": agency, "customs_cases": ~border, "customs_cases_cross_border": border,
        "takedowns": online | border, "platform_sanctions": online | border, "shops_declared": online,
    }  # fmt: skip
    codes = [CODE[name] for name in wanted]
    special = counted.filter(pl.col("code").is_in(codes))
    facts = subjects.select("subject_no", "shops", online=online, border=border, agency=agency)
    special = special.join(
        facts.rename({"online": "is_online_operator", "border": "is_cross_border", "agency": "is_ip_agency"}),
        on="subject_no",
    )
    kept = special.filter(pl.any_horizontal((pl.col("code") == CODE[name]) & test for name, test in wanted.items()))
    per_shop = special.filter(
        (pl.col("code") == CODE["takedowns"]) & online & (pl.col("shops") > 0) & (pl.col("value") > pl.col("shops"))
    )
    plain = counted.filter(~pl.col("code").is_in(codes))
    return [plain, kept.select(counted.columns), takedowns_per_shop(per_shop)]


def takedowns_per_shop(frame: pl.DataFrame) -> pl.DataFrame:
    """A line from 0 at 1 per shop to -3 at 5 per shop, half up to the thousandth."""
    count, shops = pl.col("value"), pl.col("shops").cast(pl.Int64)
    slope = -((1500 * (count - shops) + shops - 1) // (2 * shops))
    return rows(frame, "takedowns_per_shop", count * 1000 // shops, pl.max_horizontal(slope, -3000)).filter(
        pl.col("points") != 0
    )


# --- score and grade ---


def scores(contributions: pl.DataFrame) -> pl.DataFrame:
    """The sum over dimensions, each within its limits, for subjects with any row."""
    names = list(DIMENSIONS)
    number = pl.Series([names.index(DIMENSION_OF[name]) for name in ORDER], dtype=pl.UInt8)
    table = pl.DataFrame({"code": pl.Series(range(len(ORDER)), dtype=pl.UInt8), "dimension": number})
    limits = pl.DataFrame(
        {
            "dimension": pl.Series(range(len(names)), dtype=pl.UInt8),
            "least": [DIMENSIONS[name][0] or -(10**9) for name in names],
            "most": [DIMENSIONS[name][1] or 10**9 for name in names],
        }
    )
    return (
        contributions.lazy()
        .filter(pl.col("points") != 0)
        .join(table.lazy(), on="code")
        .group_by("subject_no", "dimension")
        .agg(pl.col("points").sum())
        .join(limits.lazy(), on="dimension")
        .select("subject_no", points=pl.col("points").clip(pl.col("least"), pl.col("most")))
        .group_by("subject_no")
        .agg(pl.col("points").sum())
        .collect(engine="streaming")
    )


def bounds(records: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """The best rank left to a subject: 3 for direct D, 2 under management, 1 on the list of abnormal operations."""
    found = [
        (standing(records, "list.serious", moment), 3),
        (standing(records, "enforcement.defaulter", moment), 3),
        (under_management(records, moment), 2),
        (standing(records, "list.abnormal", moment), 1),
    ]
    frames = [frame.with_columns(bound=pl.lit(rank, pl.Int64)) for frame, rank in found]
    return pl.concat(frames).group_by("subject_no").agg(pl.col("bound").max())


def graded(subjects: pl.DataFrame, points: pl.DataFrame, bound: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    score = (80_000 + pl.col("points").fill_null(0)).clip(0, 100_000)
    young = (pl.col("established_on") > moment.anniversary(1)) & (pl.col("established_on") <= moment.as_of)
    cut = pl.lit(3, pl.Int64) - (pl.col("score_milli") >= 60_000).cast(pl.Int64)
    cut = cut - (pl.col("score_milli") >= 75_000).cast(pl.Int64) - (pl.col("score_milli") >= 90_000).cast(pl.Int64)
    shift = pl.when("is_grave").then(pl.col("officer_shift").fill_null(1).clip(1, 2)).otherwise(0)
    rank = pl.max_horizontal(cut, "bound", young.fill_null(False).cast(pl.Int64)) + shift
    letter = rank.clip(0, 3).replace_strict([0, 1, 2, 3], ["A", "B", "C", "D"], return_dtype=pl.String)
    return (
        subjects.lazy()
        .select("subject_no", "established_on", "is_deregistered", "is_grave", "officer_shift")
        .join(points.lazy(), on="subject_no", how="left", maintain_order="left")
        .join(bound.lazy(), on="subject_no", how="left", maintain_order="left")
        .with_columns(score_milli=score)
        .select("subject_no", "score_milli", grade=pl.when("is_deregistered").then(pl.lit("N")).otherwise(letter))
        .collect()
    )


def results(folder: Path, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Grades, and contributions in no order."""
    moment = Moment(as_of)
    subjects = pl.read_parquet(folder / "subjects.parquet", columns=SUBJECT_COLUMNS)
    ordinary = ordinary_rows(folder, moment).collect(engine="streaming")
    records = few(folder, moment).collect(engine="streaming")
    counted = pl.concat([ordinary, *offence_rows(records, moment)], rechunk=False)
    parts = scoped(counted, subjects) + attribute_rows(subjects)
    parts += [controlled(folder, records, moment), clean_years(subjects, records, moment)]
    contributions = pl.concat(parts, rechunk=False)
    return graded(subjects, scores(contributions), bounds(records, moment), moment), contributions


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    table = results(folder, as_of)[0].sort("subject_no").to_arrow()
    return table.cast(pa.schema([("subject_no", pa.int32()), ("score_milli", pa.int64()), ("grade", pa.string())]))


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    grades, contributions = results(folder, as_of)
    out.mkdir(parents=True, exist_ok=True)
    grades.sort("subject_no").write_parquet(out / "grades.parquet")
    written = contributions.sort(pl.col("subject_no").cast(pl.Int64) * 64 + pl.col("code"))
    names = pl.col("code").cast(pl.UInt32).replace_strict(list(range(len(ORDER))), ORDER, return_dtype=pl.Enum(ORDER))
    written.select("subject_no", indicator=names.cast(pl.String), value="value", points_milli="points").write_parquet(
        out / "contributions.parquet"
    )
