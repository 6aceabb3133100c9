"""The rulebook by hand in Polars, as fast as we could make it.

Every contribution carries one number, 64 subject_no + place of its name, so that nothing is grouped or sorted by two
columns. Ordinary records (97 %) become such numbers in one streaming scan; sorting them and counting runs is cheaper than
hashing. Offences and lasting records are few: their kinds are pushed into the Parquet scan, the rest is eager on small
frames. Subjects are dense, so what is known of them is gathered and scattered by position, and the decisions are a table
of 384 states.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path

import polars as pl
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

CODE = {name: number for number, name in enumerate(NAMES)}
FEW = sorted(
    {kind for rule in COUNTED if rule.each < 0 for kind in rule.kinds}
    | {*STAINS, "gi.approval", "standard.certified", "enforcement.defaulter"}
)
"""Offences and the two lasting kinds: 3 % of the records."""
SUBJECT_COLUMNS = [
    "subject_no", "subject_id", "established_on", "is_deregistered", "contact_lost", "information_complete",
    "patents_in_force", "inventions_in_force", "patents_ever", "trademarks_in_force", "is_gi_user", "is_ip_agency",
    "agency_grade", "is_online_operator", "has_platform_rules", "licence_shown", "shops", "is_cross_border",
    "is_logistics", "has_ip_system", "ip_staff", "is_grave", "officer_shift",
]  # fmt: skip
FEW_COLUMNS = ["subject_no", "kind", "severity", "decided_on", "valid_until", "corrected_on", "is_first_offence", "amount"]
Frames = dict[str, pl.DataFrame]


def bands(value: pl.Expr, edges: tuple[tuple[int, int], ...]) -> pl.Expr:
    """Points of a step table whose edges belong to the upper band."""
    return reduce(lambda low, edge: pl.when(value >= edge[0]).then(edge[1]).otherwise(low), edges, pl.lit(0))


def keys(name: str) -> pl.Expr:
    return pl.col("subject_no").cast(pl.UInt32) * 64 + CODE[name]


def rows(
    frame: pl.DataFrame,
    key: pl.Expr,
    value: pl.Expr,
    points: pl.Expr,
    limit: pl.Expr | None = None,
    den: pl.Expr | None = None,
) -> pl.DataFrame:
    """Contributions, one for each row of the frame; points beyond ``limit``, which is on their side, are cut."""
    held = points if limit is None else pl.when(points.abs() > limit.abs()).then(limit).otherwise(points)
    uncapped = pl.lit(None) if limit is None else pl.when(points.abs() > limit.abs()).then(points)
    numbers = {
        "value_num": value,
        "value_den": pl.lit(1) if den is None else den,
        "points_milli": held,
        "uncapped_milli": uncapped,
    }
    return frame.select(key=key, **{name: number.cast(pl.Int64) for name, number in numbers.items()})


def alive(as_of: date) -> pl.Expr:
    """Records that count at all: decided, neither revoked nor repaired."""
    gone = [pl.col(name).is_null() | (pl.col(name) > as_of) for name in ("revoked_on", "repaired_on")]
    return (pl.col("decided_on") <= as_of) & gone[0] & gone[1]


# --- ordinary records ---


def ordinary_rows(folder: Path, moment: Moment, city: City) -> list[pl.DataFrame]:
    """Contributions of counts without conditions, reports, takedowns and declared shops."""
    found = numbered(folder, moment).collect(engine="streaming")
    name = pl.col("key") % 64
    runs = found.lazy().filter(name != CODE["report_overdue"]).select("key").collect(engine="streaming")["key"].sort().rle()
    counts = pl.DataFrame({"key": runs.struct["value"], "count": runs.struct["len"].cast(pl.Int64)})
    plain = [rule for rule in COUNTED if rule.each > 0]
    gathered = counts["key"] % 64
    counts = counts.with_columns(each=by_name({rule.id: rule.each for rule in plain}).gather(gathered))
    counts = counts.with_columns(limit=by_name({rule.id: rule.limit for rule in plain}).gather(gathered))
    taken = counts.filter(name == CODE["takedowns"]).with_columns(subject_no=pl.col("key") // 64)
    shown = counts.filter(name == CODE["shops_declared"])
    shown = shown.filter(city.online.gather(shown["key"] // 64))
    reports = found.lazy().filter(name == CODE["report_overdue"]).group_by("key").agg(newest=pl.col("decided_on").max())
    days = (pl.lit(moment.as_of) - pl.col("newest")).dt.total_days()
    return [
        rows(
            counts.filter(pl.col("each") > 0),
            pl.col("key"),
            pl.col("count"),
            pl.col("count") * pl.col("each"),
            pl.col("limit"),
        ),
        rows(reports.collect(engine="streaming"), pl.col("key"), days, bands(days, REPORT)),
        rows(shown, pl.col("key"), pl.lit(1), pl.lit(500)),
        *takedown_rows(taken, city),
    ]


def numbered(folder: Path, moment: Moment) -> pl.LazyFrame:
    """The number of the contribution that each ordinary record counts for, if it counts.

    Kinds become the place of their indicator by a cast to an Enum, which is cheaper than a join on strings.
    """
    wanted = {rule.id: (rule.kinds[0], rule.months) for rule in COUNTED if rule.each > 0}
    wanted |= {"report_overdue": ("report.annual", -1), "takedowns": ("platform.takedown", 12)}
    wanted |= {"shops_declared": ("shop.declared", 24)}
    places = pl.Enum([wanted[name][0] if name in wanted else f"#{name}" for name in NAMES])
    names_by_window: dict[int, list[str]] = {}
    for name, (_, months) in wanted.items():
        names_by_window.setdefault(months, []).append(name)
    counts = []
    for months, names in names_by_window.items():
        here = pl.col("place").is_in([CODE[name] for name in names])
        counts.append(here if months < 0 else here & (pl.col("decided_on") >= moment.first(months)))
    return (
        pl.scan_parquet(folder / "records.parquet")
        .filter(alive(moment.as_of))
        .select("subject_no", "decided_on", place=pl.col("kind").cast(places, strict=False).to_physical())
        .filter(reduce(or_, counts))
        .select("decided_on", key=pl.col("subject_no").cast(pl.UInt32) * 64 + pl.col("place"))
    )


def by_name(values: dict[str, int]) -> pl.Series:
    """Values by place of the name, 0 for all others."""
    return pl.Series([values.get(name, 0) for name in NAMES], dtype=pl.Int64)


def takedown_rows(taken: pl.DataFrame, city: City) -> list[pl.DataFrame]:
    """Takedowns in steps; per shop a line from 0 at 1 to -3 at 5, half up to the thousandth."""
    online = city.online.gather(taken["subject_no"])
    scoped = taken.filter(online | city.border.gather(taken["subject_no"]))
    per_shop = taken.filter(online).with_columns(shops=city.subjects["shops"].gather(taken.filter(online)["subject_no"]))
    per_shop = per_shop.filter((pl.col("shops") > 0) & (pl.col("count") > pl.col("shops")))
    count, shops = pl.col("count"), pl.col("shops")
    slope = pl.max_horizontal(-((1500 * (count - shops) + shops - 1) // (2 * shops)), -3000)
    lines = rows(per_shop, keys("takedowns_per_shop"), count, slope, den=shops)
    return [rows(scoped, pl.col("key"), count, bands(count, TAKEDOWNS)), lines.filter(pl.col("points_milli") != 0)]


# --- the few ---


class Few:
    """The records of offences and lasting kinds, split by kind once."""

    def __init__(self, folder: Path, moment: Moment) -> None:
        self.moment = moment
        scan = pl.scan_parquet(folder / "records.parquet").filter(alive(moment.as_of) & pl.col("kind").is_in(FEW))
        found = scan.select(FEW_COLUMNS).collect(engine="streaming")
        self.by_kind = {key[0]: frame for key, frame in found.partition_by("kind", as_dict=True).items()}
        self.nothing = found.clear()

    def of(self, *kinds: str, months: int = -1) -> pl.DataFrame:
        """Records of these kinds, decided in the last months."""
        frame = pl.concat([self.by_kind.get(kind, self.nothing) for kind in kinds], rechunk=False)
        return frame if months < 0 else frame.filter(pl.col("decided_on") >= self.moment.first(months))

    def standing(self, kind: str) -> pl.DataFrame:
        """Subjects with a record of this kind that is still valid."""
        valid = pl.col("valid_until").is_null() | (pl.col("valid_until") >= self.moment.as_of)
        return self.of(kind).filter(valid).select(pl.col("subject_no").unique())

    def corrected(self) -> pl.Expr:
        return pl.col("corrected_on").is_not_null() & (pl.col("corrected_on") <= self.moment.as_of)

    def under_management(self) -> pl.Series:
        """Subjects whose management term runs: 1 record in 12 months, 2 in 24, or 3 in 36."""
        enough = [(pl.col("decided_on") >= self.moment.first(12 * years)).sum() >= years for years in (1, 2, 3)]
        return self.of(*TERM).group_by("subject_no").agg(runs=reduce(or_, enough)).filter("runs")["subject_no"]


def counted_offences(few: Few, rule: Counted, city: City) -> pl.DataFrame:
    frame = few.of(*rule.kinds, months=rule.months)
    if rule.severities:
        frame = frame.filter(pl.col("severity").is_in(rule.severities))
    if rule.spared == "corrected":
        frame = frame.filter(~few.corrected())
    if rule.spared == "first_offence":
        frame = frame.filter(~pl.col("is_first_offence").fill_null(False))
    counts = frame.group_by("subject_no").agg(count=pl.len().cast(pl.Int64))
    if rule.scope != "all":
        counts = counts.filter(city.scopes[rule.scope].gather(counts["subject_no"]))
    return rows(counts, keys(rule.id), pl.col("count"), pl.col("count") * rule.each, pl.lit(rule.limit))


def abnormal_filings(few: Few) -> pl.DataFrame:
    """4 points for each filing, nothing for one withdrawn within 30 days."""
    in_time = few.corrected() & ((pl.col("corrected_on") - pl.col("decided_on")).dt.total_days() <= 30)
    groups = few.of("filing.abnormal_patent", months=12).group_by("subject_no")
    counts = groups.agg(count=pl.len(), late=(~in_time).sum().cast(pl.Int64))
    return rows(counts, keys("abnormal_filings"), pl.col("count"), pl.col("late") * -4000, pl.lit(-20000))


def few_rows(few: Few, city: City) -> list[pl.DataFrame]:
    def summed(name: str, frame: pl.DataFrame, edges: tuple[tuple[int, int], ...]) -> pl.DataFrame:
        sums = frame.group_by("subject_no").agg(pl.col("amount").sum())
        return rows(sums, keys(name), pl.col("amount"), bands(pl.col("amount"), edges), den=pl.lit(FEN))

    def once(name: str, kind: str, points: int) -> pl.DataFrame:
        return rows(few.standing(kind), keys(name), pl.lit(1), pl.lit(points))

    groups = few.of(*PENALTIES, months=24).group_by("subject_no")
    months = groups.agg(months=pl.col("decided_on").dt.truncate("1mo").n_unique())
    return [
        *(counted_offences(few, rule, city) for rule in COUNTED if rule.each < 0),
        abnormal_filings(few),
        summed("fines", few.of(*PENALTIES, months=GENERAL), FINES),
        summed("damages", few.of("judgment.lost", months=36), DAMAGES),
        rows(months, keys("repeated_months"), pl.col("months"), bands(pl.col("months"), MONTHS)),
        once("gi_approved", "gi.approval", 1000),
        once("certified", "standard.certified", 1000),
        once("abnormal_list", "list.abnormal", -10000),
    ]


def controlled(folder: Path, few: Few) -> pl.DataFrame:
    """5 points for each controlled enterprise on the serious-dishonesty list."""
    listed = few.standing("list.serious").rename({"subject_no": "related_no"})
    links = pl.read_parquet(folder / "relations.parquet").filter(pl.col("relation") == "controls")
    links = links.join(listed, on="related_no", how="semi").unique()
    counts = links.group_by("subject_no").agg(count=pl.len().cast(pl.Int64))
    return rows(counts, keys("controlled_dishonesty"), pl.col("count"), pl.col("count") * -5000, pl.lit(-10000))


# --- subjects ---


class City:
    """Subjects in order of their number, and their classes as columns without unknowns."""

    def __init__(self, folder: Path) -> None:
        subjects = pl.read_parquet(folder / "subjects.parquet", columns=SUBJECT_COLUMNS)
        self.subjects = subjects if subjects["subject_no"].is_sorted() else subjects.sort("subject_no")
        self.online, self.border, agency = (
            self.subjects[name].fill_null(False) for name in ("is_online_operator", "is_cross_border", "is_ip_agency")
        )
        self.scopes = {
            "agency": agency, "cross_border": self.border, "not_cross_border": ~self.border,
            "online_or_cross_border": self.online | self.border, "online": self.online,
        }  # fmt: skip


def attribute_rows(subjects: pl.DataFrame) -> list[pl.DataFrame]:
    def flagged(name: str, only: pl.Expr, value: int, points: int) -> pl.DataFrame:
        return rows(subjects.select("subject_no", only=only).filter("only"), keys(name), pl.lit(value), pl.lit(points))

    def stepped(name: str, attribute: str, edges: tuple[tuple[int, int], ...]) -> pl.DataFrame:
        value = pl.col(attribute)
        return rows(subjects.select("subject_no", attribute).filter(value >= 1), keys(name), value, bands(value, edges))

    online = pl.col("is_online_operator")
    return [
        flagged("address_lost", pl.col("contact_lost"), 1, -3000),
        flagged("disclosure_incomplete", ~pl.col("information_complete"), 0, -1000),
        flagged("system", pl.col("has_ip_system"), 1, 500),
        flagged("licence_hidden", online & ~pl.col("licence_shown"), 0, -1000),
        flagged("platform_rules", online & ~pl.col("has_platform_rules"), 0, -3000),
        stepped("inventions_held", "inventions_in_force", INVENTIONS),
        stepped("staff", "ip_staff", STAFF),
        maintenance(subjects),
        agency_grades(subjects),
    ]


def maintenance(subjects: pl.DataFrame) -> pl.DataFrame:
    live, ever = pl.col("patents_in_force"), pl.col("patents_ever")
    owners = subjects.select("subject_no", live, ever).filter((live >= 1) & (ever > 0) & (2 * live >= ever))
    points = pl.when(5 * live >= 4 * ever).then(1000).otherwise(500)
    return rows(owners, keys("maintenance"), live, points, den=ever)


def agency_grades(subjects: pl.DataFrame) -> pl.DataFrame:
    grade = pl.col("agency_grade")
    graded = subjects.select("subject_no", "is_ip_agency", grade).filter("is_ip_agency", grade.is_in(list(AGENCY_GRADES)))
    points = grade.replace_strict(AGENCY_GRADES, return_dtype=pl.Int64)
    return rows(graded, keys("agency_grade_used"), pl.lit(None), points, den=pl.lit(None))


def clean_years(subjects: pl.DataFrame, few: Few) -> pl.DataFrame:
    """Whole years since the newest stain or the establishment, for three classes."""
    moment = few.moment
    scope = (pl.col("patents_in_force") >= 1) | pl.col("is_gi_user") | pl.col("is_ip_agency")
    stains = few.of(*STAINS).group_by("subject_no").agg(stained=pl.col("decided_on").max())
    born = pl.when(pl.col("established_on") <= moment.as_of).then("established_on")
    scoped = subjects.select("subject_no", "established_on", scope=scope).filter("scope")
    since = scoped.join(stains, on="subject_no", how="left").select("subject_no", start=pl.max_horizontal(born, "stained"))
    long_ago = since.filter(pl.col("start") <= moment.anniversary(3))
    day = pl.col("start").dt.month().cast(pl.Int32) * 100 + pl.col("start").dt.day()
    years = moment.as_of.year - pl.col("start").dt.year() - (day > moment.month_and_day).cast(pl.Int32)
    points = pl.when(pl.col("start") <= moment.anniversary(5)).then(3000).otherwise(2000)
    return rows(long_ago, keys("clean_years"), years, points)


# --- score and grade ---


def scores(contributions: pl.DataFrame, subjects: int) -> tuple[pl.Series, list[pl.DataFrame]]:
    """The score of every subject, and the adjustments that make the rows add up.

    The rows are sorted and the indicators of a dimension are neighbours, so sums are differences of the running total.
    """
    names, key = list(DIMENSIONS), contributions["key"]
    places = pl.Series([names.index(DIMENSION_OF[name]) for name in ORDER], dtype=pl.UInt32)
    summed = run_sums(key // 64 * 8 + places.gather(key % 64), contributions["points_milli"])
    place = summed["run"] % 8
    least, most = (
        pl.Series([DIMENSIONS[name][side] or (-1) ** (1 - side) * 10**9 for name in names]).gather(place) for side in (0, 1)
    )
    held = summed["points"].clip(least, most)
    changed = summed.select(subject_no=pl.col("run") // 8, place=place, change=held - pl.col("points"))
    changed = changed.filter(pl.col("change") != 0)
    code = pl.Series([CODE.get(f"@{name}", 0) for name in names], dtype=pl.UInt32).gather(changed["place"])
    adjusted = [rows(changed, pl.col("subject_no") * 64 + code, pl.lit(None), pl.col("change"), den=pl.lit(None))]
    totals = run_sums(summed["run"] // 8, held).select(subject_no="run", raw=START + pl.col("points"))
    floored = pl.max_horizontal("raw", 0)
    score = pl.min_horizontal(floored, 100_000)
    for name, change in (("@1:floor", floored - pl.col("raw")), ("@2:ceiling", score - floored)):
        adjusted.append(rows(totals.filter(change != 0), keys(name), pl.lit(None), change, den=pl.lit(None)))
    scored = totals.select("subject_no", score=score)
    return pl.repeat(START, subjects, dtype=pl.Int64, eager=True).scatter(scored["subject_no"], scored["score"]), adjusted


def run_sums(run: pl.Series, points: pl.Series) -> pl.DataFrame:
    """Sums of the points of each run of equal numbers."""
    last = (run != run.shift(-1)).fill_null(True)
    total = points.cum_sum().filter(last)
    return pl.DataFrame({"run": run.filter(last), "points": total - total.shift(1, fill_value=0)})


def states(subjects: pl.DataFrame, score: pl.Series, few: Few) -> pl.Series:
    """The number of the state in ``STATES``: everything that decides a grade."""
    zeros = pl.zeros(len(subjects), dtype=pl.UInt16, eager=True)
    born, as_of = subjects["established_on"], few.moment.as_of
    cap = zeros.clone().scatter(few.standing("list.abnormal")["subject_no"], 1)
    cap = cap.set(((born > few.moment.anniversary(1)) & (born <= as_of)).fill_null(False), 2)
    cap = cap.scatter(few.under_management(), 3)
    listed, defaulted = (
        zeros.clone().scatter(few.standing(kind)["subject_no"], 1) for kind in ("list.serious", "enforcement.defaulter")
    )
    grave = subjects["is_grave"].fill_null(False)
    shift = pl.when(grave).then(pl.col("officer_shift").fill_null(1).clip(1, 2)).otherwise(0).cast(pl.UInt16)
    cut = sum((score < edge).cast(pl.UInt16) for edge in CUTS)
    gone = subjects["is_deregistered"].fill_null(False).cast(pl.UInt16)
    return cut + 4 * cap + 16 * subjects.select(shift).to_series() + 48 * (listed + 2 * defaulted) + 192 * gone


def decoded(names: list[str | None], codes: pl.Series) -> pl.Series:
    """Names of codes, as an Enum: a dictionary in the file, and no strings in memory."""
    known = pl.Enum(list(dict.fromkeys(name for name in names if name is not None)))
    return pl.Series(names, dtype=known).gather(codes)


def class_masks(subjects: pl.DataFrame) -> pl.Series:
    def bit(number: int, attribute: str) -> pl.Expr:
        member = pl.col(attribute) if subjects.schema[attribute] == pl.Boolean else pl.col(attribute) >= 1
        return member.fill_null(False).cast(pl.UInt8) * (1 << number)

    return subjects.select(pl.sum_horizontal(bit(*item) for item in enumerate(CLASSES.values())).cast(pl.UInt8)).to_series()


def graded(subjects: pl.DataFrame, score: pl.Series, few: Few) -> pl.DataFrame:
    mask, state = class_masks(subjects), states(subjects, score, few)
    return pl.DataFrame(
        {
            "subject_id": subjects["subject_id"],
            "class": decoded(CLASS_OF_MASK, mask),
            "class_mask": mask.cast(pl.Int64),
            "start_milli": pl.repeat(START, len(subjects), dtype=pl.Int64, eager=True),
            "implied_milli": pl.zeros(len(subjects), dtype=pl.Int64, eager=True),
            "score_milli": score,
            **{name: decoded([getattr(item, name) for item in STATES], state) for name in STATES[0]._fields},
        }
    )


def results(folder: Path, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Grades and contributions as they are written, the latter still by key."""
    moment, city = Moment(as_of), City(folder)
    few = Few(folder, moment)
    parts = ordinary_rows(folder, moment, city) + few_rows(few, city) + attribute_rows(city.subjects)
    parts += [controlled(folder, few), clean_years(city.subjects, few)]
    contributions = pl.concat(parts, rechunk=False).sort("key")
    score, adjusted = scores(contributions, len(city.subjects))
    contributions = pl.concat([contributions, *adjusted]).sort("key")
    return graded(city.subjects, score, few), contributions


def named(contributions: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    key = contributions["key"]
    names = (key % 64).cast(pl.UInt8).cat.to(pl.Enum(NAMES))
    return contributions.select(ids.gather(key // 64), names.alias("indicator"), pl.exclude("key"))


def evaluate(folder: Path, as_of: date) -> pa.Table:
    """Grades by subject."""
    table = results(folder, as_of)[0].select("score_milli", pl.col("grade").cast(pl.String)).with_row_index("subject_no")
    schema = pa.schema([("subject_no", pa.int32()), ("score_milli", pa.int64()), ("grade", pa.string())])
    return table.to_arrow().cast(schema)


def run(folder: Path, as_of: date, out: Path) -> None:
    """Write ``grades.parquet`` and ``contributions.parquet``."""
    grades, contributions = results(folder, as_of)
    out.mkdir(parents=True, exist_ok=True)
    written = {"grades": grades, "contributions": named(contributions, grades["subject_id"])}
    for name, frame in written.items():
        frame.write_parquet(out / f"{name}.parquet", compression="zstd", compression_level=1)
