"""A fictional city with realistic volumes: enterprises, records, relations, and the dirt that real files carry.

Every enterprise is invented: its code lies in the fictional division 4199xx, so it can be nobody's. Figures to fit are
those of ``docs/explanation/synthetic-city.md``: shares of industries and holders are published, the rest are
assumptions and stand below as named constants. The same (subjects, seed) gives the same city, block by block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zhixin.dataset.identity import ORGANISATION_ALPHABET, ORGANISATION_WEIGHTS, USCC_ALPHABET, USCC_WEIGHTS
from zhixin.dataset.snapshot import sha256_of
from zhixin.dataset.tables import ROW_GROUP, parquet_writer

BLOCK = 200_000
EPOCH = date(1970, 1, 1)
YEARS = 5
SHARE_WITH_RECORDS = 0.42
MEDIAN_RECORDS, SIGMA_RECORDS, MOST_RECORDS = 7.0, 1.57, 22_307

INDUSTRY_SHARES = {  # F, L, E published (河南五经普); the others are assumptions
    "F": 0.321, "L": 0.118, "E": 0.109, "C": 0.105, "M": 0.072, "I": 0.055, "H": 0.038, "K": 0.035, "G": 0.032,
    "A": 0.028, "O": 0.026, "R": 0.018, "P": 0.014, "Q": 0.009, "N": 0.007, "D": 0.006, "J": 0.004, "B": 0.003,
}  # fmt: skip
DISTRICT_SHARES = {  # assumption, after the code prefixes counted in public files
    "410105": 0.27, "410100": 0.0, "410102": 0.10, "410103": 0.10, "410104": 0.08, "410173": 0.07, "410172": 0.08,
    "410171": 0.06, "410108": 0.05, "410106": 0.01, "410122": 0.05, "410181": 0.03, "410182": 0.03, "410183": 0.02,
    "410184": 0.04, "410185": 0.02,
}  # fmt: skip

ORDINARY = {  # share of the ordinary records of an enterprise (assumption)
    "report.annual": 0.300, "trademark.registration": 0.210, "patent.utility": 0.095, "patent.invention": 0.030,
    "patent.design": 0.055, "inspection.clean": 0.090, "shop.declared": 0.045, "commitment.signed": 0.050,
    "trademark.renewal": 0.055, "platform.takedown": 0.025, "patent.licence": 0.012, "patent.pledge": 0.006,
    "trademark.madrid": 0.006, "gi.approval": 0.003, "honour.award": 0.006, "standard.certified": 0.007,
    "judgment.won": 0.005,
}  # fmt: skip
OFFENCES = {  # per enterprise and year (trademark cases about 0.1 %: published; the others are assumptions)
    "penalty.trademark.infringement": 0.0010, "penalty.patent.counterfeit": 0.0004, "penalty.patent.infringement": 0.0004,
    "penalty.trademark.use": 0.0003, "penalty.gi.misuse": 0.0001, "penalty.unfair": 0.0002, "filing.abnormal_patent": 0.0012,
    "filing.malicious_trademark": 0.0002, "penalty.agency.patent": 0.00002, "penalty.agency.trademark": 0.00003,
    "material.false": 0.0001, "commitment.broken": 0.0002, "refusal.enforcement": 0.0001, "judgment.lost": 0.0010,
    "enforcement.defaulter": 0.0015, "customs.seizure": 0.0002, "platform.sanction": 0.0010, "platform.false_notice": 0.0001,
    "complaint.upheld": 0.0040, "inspection.problem": 0.0060, "list.abnormal": 0.0080, "list.serious": 0.0002,
}  # fmt: skip
WITH_AMOUNT = {
    "patent.pledge": 14.5, "penalty.trademark.infringement": 9.2, "penalty.patent.counterfeit": 8.8,
    "penalty.trademark.use": 8.3, "penalty.gi.misuse": 8.5, "penalty.unfair": 10.5, "penalty.agency.patent": 9.5,
    "penalty.agency.trademark": 9.5, "judgment.lost": 10.8, "customs.seizure": 9.0,
}  # fmt: skip
"""Mean of the logarithm of the amount in yuan (assumption); the standard deviation is 1.2."""
FIXED_SEVERITY = {"material.false": 2, "refusal.enforcement": 2, "list.serious": 2, "enforcement.defaulter": 2,
                  "inspection.problem": 0, "complaint.upheld": 0, "platform.sanction": 0}  # fmt: skip
LASTING = {"list.abnormal", "list.serious", "enforcement.defaulter", "gi.approval", "standard.certified"}
SEVERITIES = np.array(["minor", "general", "serious"])
FIRST = "金恒瑞泰嘉宏鑫信达安和顺博源华盛美佳中原豫康荣昌润丰立新创智云天海腾飞凯德尚品优卓远航诚"
TRADES = {
    "F": "商贸", "L": "企业管理", "E": "建筑工程", "C": "机械制造", "M": "科技", "I": "信息技术", "H": "餐饮", "K": "置业",
    "G": "物流", "A": "农业", "O": "服务", "R": "文化传播", "P": "教育", "Q": "医疗", "N": "环保", "D": "能源", "J": "投资",
    "B": "矿业",
}  # fmt: skip


@dataclass(frozen=True)
class City:
    """A fictional city. ``as_of`` is the day it is seen; records reach back five years."""

    subjects: int
    seed: int
    as_of: date = date(2026, 11, 1)

    # --- subjects ---

    def codes(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Valid unified social credit codes in ascending order, all in the fictional division 4199xx."""
        rng = np.random.default_rng([self.seed, 1])
        shares = np.array([share for share in DISTRICT_SHARES.values() if share])
        sizes = rng.multinomial(self.subjects, shares / shares.sum())
        alphabet = np.array(list(USCC_ALPHABET))
        division = np.repeat(np.arange(1, len(sizes) + 1), sizes)
        within = (
            np.concatenate([np.sort(rng.choice(31**5, size, replace=False)) for size in sizes])
            if self.subjects
            else division
        )
        places = np.empty((self.subjects, 18), dtype=np.int64)
        places[:, :8] = [9, 1, 4, 1, 9, 9, 0, 0]
        places[:, 6], places[:, 7] = division // 10, division % 10
        places[:, 8:11] = [USCC_ALPHABET.index(char) for char in "MA0"]
        for offset in range(5):
            places[:, 15 - offset] = within // 31**offset % 31
        organisation = np.array([ORGANISATION_ALPHABET.index(char) for char in USCC_ALPHABET])[places[:, 8:16]]
        rest = (11 - organisation @ np.array(ORGANISATION_WEIGHTS) % 11) % 11
        places[:, 16] = np.where(rest == 10, USCC_ALPHABET.index("X"), rest)
        places[:, 17] = -(places[:, :17] @ np.array(USCC_WEIGHTS)) % 31
        return np.ascontiguousarray(alphabet[places]).view("U18").ravel()

    def _districts(self, rng: np.random.Generator) -> Any:
        """Where each enterprise trades: some are registered in one district and trade in another."""
        count = self.subjects
        names = np.array([code for code, share in DISTRICT_SHARES.items() if share])
        registered = (
            names[np.array([int(code[6:8]) for code in self.codes()], dtype=int) - 1] if count else np.array([], str)
        )
        moved = rng.random(count) < 0.09
        return np.where(moved, names[rng.integers(0, len(names), count)], registered)

    def _holdings(self, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """Inventions, patents (inventions among them) and trademarks in force: most hold none, a few very many."""
        count = self.subjects
        inventions = np.where(rng.random(count) < 0.02, rng.zipf(1.9, count).clip(0, 2000), 0)
        patents = inventions + np.where(rng.random(count) < 0.07, rng.zipf(1.7, count).clip(0, 5000), 0)
        marks = np.where(rng.random(count) < 0.30, rng.zipf(1.75, count).clip(0, 5000), 0)
        return inventions, patents, marks

    def subject_table(self) -> pl.DataFrame:
        """One row per enterprise with the attributes of ``zhengzhou-ip``."""
        rng = np.random.default_rng([self.seed, 2])
        count = self.subjects
        district = self._districts(rng)
        weights = np.array(list(INDUSTRY_SHARES.values()))
        industry = np.array(list(INDUSTRY_SHARES))[rng.choice(len(weights), count, p=weights / weights.sum())]
        inventions, patents, marks = self._holdings(rng)
        online = rng.random(count) < 0.06
        agency = rng.random(count) < 108 / 566_000 * 2
        age = (rng.gamma(2.0, 1700, count)).astype(int) + 20
        return pl.DataFrame(
            {
                "subject_no": np.arange(count, dtype=np.int32),
                "subject_id": self.codes(),
                "name": self._names(rng, industry),
                "established_on": pl.Series(((self.as_of - EPOCH).days - age).astype(np.int32)).cast(pl.Date),
                "is_deregistered": rng.random(count) < 0.03,
                "industry": industry,
                "district": district,
                "contact_lost": rng.random(count) < 0.012,
                "information_complete": rng.random(count) >= 0.03,
                "patents_in_force": patents,
                "inventions_in_force": inventions,
                "patents_ever": patents + rng.binomial(patents, 0.4),
                "trademarks_in_force": marks,
                "is_gi_user": rng.random(count) < 0.001,
                "is_ip_agency": agency,
                "agency_grade": _nullable(np.array(["A+", "A", "B", "C", "D"])[rng.choice(5, count, p=[0.1, 0.6, 0.2, 0.07, 0.03])], agency),
                "is_online_operator": online,
                "is_platform": online & (rng.random(count) < 0.002),
                "has_platform_rules": _nullable(rng.random(count) < 0.9, online & (rng.random(count) < 0.002)),
                "licence_shown": _nullable(rng.random(count) < 0.85, online),
                "shops": _nullable(rng.zipf(2.2, count).clip(1, 400), online),
                "is_cross_border": online & (rng.random(count) < 0.08),
                "is_logistics": industry == "G",
                "has_ip_system": _nullable(rng.random(count) < 0.5, patents > 0),
                "ip_staff": _nullable(rng.poisson(0.8, count), patents > 2),
                "is_grave": _nullable(np.ones(count, bool), rng.random(count) < 0.00005),
                "officer_shift": _nullable(rng.integers(1, 3, count), rng.random(count) < 0.00003),
            }
        )  # fmt: skip

    @staticmethod
    def _names(rng: np.random.Generator, industry: Any) -> pl.Series:
        first = np.array(list(FIRST))
        count = len(industry)
        parts = pl.DataFrame({f"c{n}": first[rng.integers(0, len(first), count)] for n in range(3)} | {"industry": industry})
        trade = pl.col("industry").replace_strict(TRADES, default="商贸")
        return parts.select(
            pl.concat_str(pl.lit("郑州"), "c0", "c1", "c2", trade, pl.lit("有限公司（虚构）")).alias("name")
        )["name"]

    # --- records ---

    def record_blocks(self) -> Iterator[pl.DataFrame]:
        """Records in order of subject, decision date; ``BLOCK`` subjects at a time, so that memory stays bounded."""
        first_no = 0
        for number, first in enumerate(range(0, self.subjects, BLOCK)):
            rng = np.random.default_rng([self.seed, 3, number])
            block = self._block(rng, first, min(BLOCK, self.subjects - first))
            block = block.with_columns(record_no=pl.int_range(first_no, first_no + len(block), dtype=pl.Int64))
            first_no += len(block)
            yield block.with_columns(
                record_id=pl.concat_str(pl.lit("F"), pl.col("record_no").cast(pl.String).str.zfill(10)),
                sequence=pl.col("record_no") + 1,
            )

    def _block(self, rng: np.random.Generator, first: int, count: int) -> pl.DataFrame:
        holds = rng.random(count) < SHARE_WITH_RECORDS
        ordinary = np.where(holds, np.exp(rng.normal(np.log(MEDIAN_RECORDS), SIGMA_RECORDS, count)), 0).clip(0, MOST_RECORDS)
        ordinary = np.where(holds, ordinary.round().clip(1), 0).astype(np.int64)
        badness = rng.gamma(0.15, 1 / 0.15, count)
        offences = rng.poisson(badness * sum(OFFENCES.values()) * YEARS)
        subject = np.concatenate([np.repeat(np.arange(count), ordinary), np.repeat(np.arange(count), offences)])
        kinds = [*ORDINARY, *OFFENCES]
        kind = np.concatenate(
            [
                rng.choice(len(ORDINARY), ordinary.sum(), p=_shares(ORDINARY)),
                len(ORDINARY) + rng.choice(len(OFFENCES), offences.sum(), p=_shares(OFFENCES)),
            ]
        )
        as_of = (self.as_of - EPOCH).days
        decided = as_of - (rng.random(len(kind)) * 365 * YEARS).astype(np.int32)
        order = np.lexsort((decided, subject))
        return self._columns(rng, first + subject[order], kind[order], decided[order].astype(np.int32), kinds)

    def _columns(self, rng: np.random.Generator, subject: Any, kind: Any, decided: Any, kinds: list[str]) -> pl.DataFrame:
        size = len(kind)
        is_offence = kind >= len(ORDINARY)
        severity = rng.choice(3, size, p=[0.35, 0.55, 0.10])
        for name, fixed in FIXED_SEVERITY.items():
            severity[kind == kinds.index(name)] = fixed
        amount = np.zeros(size, dtype=np.int64)
        has_amount = np.zeros(size, dtype=bool)
        for name, mean in WITH_AMOUNT.items():
            here = kind == kinds.index(name)
            amount[here] = (np.exp(rng.normal(mean, 1.2, here.sum())) * 100).astype(np.int64)
            has_amount |= here
        lasting = np.isin(kind, [kinds.index(name) for name in LASTING])
        as_of = (self.as_of - EPOCH).days

        def later(share: float, most: int) -> pl.Series:
            return _dates(decided + rng.integers(1, most, size), is_offence & (rng.random(size) < share), as_of)

        return pl.DataFrame(
            {
                "subject_no": subject.astype(np.int32),
                "kind": pl.Series(kind.astype(np.uint32)).replace_strict(dict(enumerate(kinds)), return_dtype=pl.Categorical),
                "severity": _nullable(SEVERITIES[severity], is_offence).cast(pl.Categorical),
                "occurred_on": pl.Series((decided - rng.integers(0, 200, size)).astype(np.int32)).cast(pl.Date),
                "decided_on": pl.Series(decided).cast(pl.Date),
                "published_on": pl.Series((decided + 7).astype(np.int32)).cast(pl.Date),
                "valid_until": _dates(decided + np.where(rng.random(size) < 0.3, 365, 1095), lasting, 10**6),
                "corrected_on": later(0.5, 90),
                "repaired_on": later(0.12, 700),
                "revoked_on": later(0.01, 400),
                "document": self._documents(rng, is_offence | (kind == kinds.index("platform.takedown"))),
                "is_first_offence": _nullable(rng.random(size) < 0.3, is_offence & (severity == 0)),
                "amount": _nullable(amount, has_amount),
                "quantity": _nullable(rng.poisson(2.0, size) + 1, np.isin(kind, [kinds.index("filing.abnormal_patent"), kinds.index("platform.takedown")])),
            }
        )  # fmt: skip

    @staticmethod
    def _documents(rng: np.random.Generator, is_negative: Any) -> pl.Series:
        """An invented document number for every negative record: no dishonesty record without a document."""
        number = pl.Series(rng.integers(1, 10**6, len(is_negative))).cast(pl.String).str.zfill(6)
        text = pl.select(pl.concat_str(pl.lit("（虚构）罚〔2026〕"), number, pl.lit("号"))).to_series()
        return pl.select(pl.when(pl.Series(is_negative)).then(text)).to_series()

    def relation_table(self) -> pl.DataFrame:
        """Who controls whom and which branch belongs where: about 4 % of the enterprises have such a tie."""
        rng = np.random.default_rng([self.seed, 4])
        size = self.subjects // 25
        parts = [rng.integers(0, max(self.subjects, 1), size), rng.integers(0, max(self.subjects, 1), size)]
        table = pl.DataFrame(
            {
                "subject_no": parts[0].astype(np.int32),
                "related_no": parts[1].astype(np.int32),
                "relation": np.where(rng.random(size) < 0.7, "controls", "branch_of"),
            }
        )
        return (
            table.filter(pl.col("subject_no") != pl.col("related_no")).unique().sort("subject_no", "related_no", "relation")
        )

    def write(self, folder: Path) -> dict[str, int]:
        """Write the city as a clean snapshot (Parquet, sorted by subject); returns the counts of rows."""
        folder.mkdir(parents=True, exist_ok=True)
        subjects = self.subject_table()
        subjects.write_parquet(folder / "subjects.parquet", compression="zstd", statistics=True)
        relations = self.relation_table()
        relations.write_parquet(folder / "relations.parquet", compression="zstd")
        writer = None
        records = 0
        for block in self.record_blocks():
            table = block.with_columns(pl.col("kind", "severity").cast(pl.String)).to_arrow()
            writer = writer or parquet_writer(folder / "records.parquet", table.schema)
            writer.write_table(table, row_group_size=ROW_GROUP)
            records += len(block)
        if writer is not None:
            writer.close()
        counts = {"subjects": len(subjects), "records": records, "relations": len(relations)}
        outputs = {path.name: sha256_of(path) for path in sorted(folder.glob("*.parquet"))}
        seal = {
            "format": "dataset/1",
            "synthetic": {"seed": self.seed, "as_of": self.as_of.isoformat()},
            "counts": counts,
            "outputs": outputs,
        }
        (folder / "dataset.json").write_text(json.dumps(seal, indent=2) + "\n", encoding="utf-8")
        return counts


def _shares(table: dict[str, float]) -> Any:
    weights = np.array(list(table.values()))
    return weights / weights.sum()


def _nullable(values: Any, known: Any) -> pl.Series:
    """Values where known, NULL elsewhere."""
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(values))).to_series()


def _dates(days: Any, known: Any, latest: int) -> pl.Series:
    return _nullable(days.astype(np.int32), known & (days <= latest)).cast(pl.Date)
