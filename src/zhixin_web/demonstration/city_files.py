"""The fictional city as delivery files, one for each source."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import polars as pl

from zhixin.dataset.identity import patent_check_digit
from zhixin.dataset.sources import sources

SEED = 20211230

MONTHS_BACK = 36
"""Older records are left out: no indicator of the rulebook looks further back than three years, bar a few."""


def _table(name: str, frame: pl.DataFrame, columns: dict[str, Any]) -> bytes:
    """A delivery as CSV: field of the source → column or expression, headers as the source writes them."""
    manifest = sources()[name]
    out = frame.select(
        (value if isinstance(value, pl.Expr) else pl.col(value)).alias(manifest.field(field).title)
        for field, value in columns.items()
    )
    buffer = io.BytesIO()
    out.write_csv(buffer, include_bom=True)
    return buffer.getvalue()


def _share(of: int, below: dict[int, str]) -> pl.Expr:
    """Deal out words by shares, apart from conduct: the fairness page should find no difference."""
    place = pl.col("subject_no").hash(SEED) % of
    return pl.coalesce(pl.when(place < most).then(pl.lit(word)) for most, word in below.items())


def subject_files(subjects: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Registrations, holdings, online operators, agency grades, declarations."""

    def yes(name: str) -> pl.Expr:
        return pl.when(pl.col(name)).then(pl.lit("是")).when(pl.col(name).is_not_null()).then(pl.lit("否"))

    head = {"subject_id": "subject_id", "name": "name"}
    yield "registrations", _table("registrations", subjects, head | {
        "ownership": _share(100, {6: "国有", 9: "集体", 16: "外资", 100: "民营"}),
        "scale": _share(97, {2: "大型", 12: "中型", 50: "小型", 97: "微型"}),
        "established_on": "established_on", "district": "district", "industry": "industry", "is_deregistered": yes("is_deregistered"),
        "contact_lost": yes("contact_lost"), "information_complete": yes("information_complete"), "is_logistics": yes("is_logistics"),
    })  # fmt: skip
    holders = subjects.filter(
        (pl.col("patents_ever") > 0) | (pl.col("trademarks_in_force") > 0) | pl.col("is_gi_user") | pl.col("is_ip_agency")
    )
    yield "holdings", _table("holdings", holders, head | {
        name: name for name in ("patents_in_force", "inventions_in_force", "patents_ever", "trademarks_in_force")
    } | {"is_gi_user": yes("is_gi_user"), "is_ip_agency": yes("is_ip_agency")})  # fmt: skip
    online = subjects.filter(pl.col("is_online_operator"))
    yield "online_operators", _table("online_operators", online, head | {
        name: yes(name) for name in ("is_online_operator", "is_platform", "has_platform_rules", "licence_shown", "is_cross_border")
    } | {"shops": "shops"})  # fmt: skip
    agencies = subjects.filter(pl.col("agency_grade").is_not_null())
    if len(agencies):
        yield "agency_credit", _table("agency_credit", agencies, head | {"agency_grade": "agency_grade"})
    declared = subjects.filter(pl.col("has_ip_system").is_not_null())
    yield (
        "self_declarations",
        _table("self_declarations", declared, head | {"has_ip_system": yes("has_ip_system"), "ip_staff": "ip_staff"}),
    )


def record_files(records: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """The record sources: which kinds go where, and what the source calls them."""
    for name, manifest in sources().items():
        if manifest.gives != "records" or manifest.made_by_site or name.endswith("_old"):
            continue
        part = records.filter(pl.col("kind").is_in(list(manifest.kinds)))
        if not len(part):
            continue
        yield name, _table(name, part, _record_columns(name))


def _serial(record_id: str) -> int:
    """The number inside a record's id (F0000000122), counted from 1; no other record has it."""
    return int(record_id[1:]) + 1


def _patent_number(record_id: str) -> str:
    """A well-formed number of a fictional invention."""
    years, number = divmod(_serial(record_id), 10**7)
    body = f"{2001 + years}1{number:07d}"
    return f"ZL{body}.{patent_check_digit(body)}"


def _record_columns(name: str) -> dict[str, Any]:
    manifest = sources()[name]
    columns: dict[str, Any] = {}
    number = pl.concat_str(pl.lit("（虚构）演示"), pl.col("record_id"), pl.lit("号"))
    words = {
        "court": "虚构人民法院",
        "authority": "虚构市场监督管理局",
        "reason": "演示数据：列入事由",
        "platform": "虚构平台",
        "facts": "演示数据：违法事实",
        "legal_ground": "演示数据：处罚依据",
        "content": "演示数据：处罚内容",
        "penalty_types": "罚款",
        "party_type": "法人及非法人组织",
    }
    for item in manifest.fields:
        if item.id in ("subject_id", "name"):
            columns[item.id] = item.id
        elif item.type == "patent_number":
            columns[item.id] = pl.col("record_id").map_elements(_patent_number, return_dtype=pl.String)
        elif item.type == "trademark_number":
            columns[item.id] = pl.col("record_id").map_elements(lambda text: str(_serial(text)), return_dtype=pl.String)
        elif item.to == "document":
            columns[item.id] = number
        elif manifest.kind_by is not None and item.id == manifest.kind_by.field:
            first = {kind: text for text, kind in reversed(manifest.kind_by.values.items())}
            columns[item.id] = pl.col("kind").replace_strict(first, default=None)
        elif item.id == "severity":
            columns[item.id] = pl.col("severity").replace_strict(
                {"minor": "轻微", "general": "一般", "serious": "严重"}, default=None
            )
        elif item.to == "amount":
            columns[item.id] = (pl.col("amount") / (1_000_000 if item.type == "money_wan" else 100)).round(6)
        elif item.to in ("decided_on", "occurred_on", "published_on", "valid_until", "corrected_on", "quantity"):
            columns[item.id] = item.to
        elif item.id in words:
            columns[item.id] = pl.lit(words[item.id])
    return columns
