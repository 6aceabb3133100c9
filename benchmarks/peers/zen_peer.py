"""The rulebook by hand as a JSON decision for GoRules ZEN: expression nodes for points and score, a table for the grade.

ZEN has no records: the facts of each subject are counted before, by DuckDB with ``zen_peer.sql``. Only ``decide`` is ZEN's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zen
from duckdb_peer import computed
from rules import (
    AGENCY_GRADES,
    COUNTED,
    DAMAGES,
    DIMENSION_OF,
    DIMENSIONS,
    FINES,
    INVENTIONS,
    MONTHS,
    REPORT,
    STAFF,
    TAKEDOWNS,
    Moment,
)

SQL = Path(__file__).with_suffix(".sql")
SAMPLE = 5000
SCOPES = {
    "all": "true",
    "agency": "f.agency",
    "cross_border": "f.border",
    "not_cross_border": "not(f.border)",
    "online_or_cross_border": "(f.online_operator or f.border)",
    "online": "f.online_operator",
}
COUNT_OF = {"customs_cases_cross_border": "customs_cases"}
FLAGS = ["is_deregistered", "contact_lost", "has_ip_system", "is_grave"]


def bands(value: str, edges: tuple[tuple[int, int], ...]) -> str:
    """Points of a step table as nested choices, the highest edge first."""
    text = "0"
    for edge, points in edges:
        text = f"({value} >= {edge} ? {points} : {text})"
    return text


def held(value: str, least: int | None, most: int | None) -> str:
    text = value if most is None else f"min([{value}, {most}])"
    return text if least is None else f"max([{text}, {least}])"


def counted() -> dict[str, str]:
    expressions = {}
    for rule in COUNTED:
        points = f"f.{COUNT_OF.get(rule.id, rule.id)} * {rule.each}"
        limits = (None, rule.limit) if rule.each > 0 else (rule.limit, None)
        expressions[rule.id] = f"{SCOPES[rule.scope]} ? {held(points, *limits)} : 0"
    return expressions


def points() -> dict[str, str]:
    """One expression for each indicator, in thousandths; a missing number is -1 in the facts."""
    grades = "0"
    for name, value in AGENCY_GRADES.items():
        grades = f"(f.agency_grade == '{name}' ? {value} : {grades})"
    slope = "max([floor((2 * (f.shops - f.takedowns) * 750 + f.shops) / (2 * f.shops)), -3000])"
    return counted() | {
        "address_lost": "f.contact_lost ? -3000 : 0",
        "disclosure_incomplete": "f.information_incomplete ? -1000 : 0",
        "report_overdue": bands("f.report_days", REPORT),
        "gi_approved": "f.gi_approved > 0 ? 1000 : 0",
        "inventions_held": bands("f.inventions_in_force", INVENTIONS),
        "maintenance": "f.owner and f.patents_ever > 0 ? (5 * f.patents_in_force >= 4 * f.patents_ever ? 1000 : "
        "(2 * f.patents_in_force >= f.patents_ever ? 500 : 0)) : 0",
        "certified": "f.certified > 0 ? 1000 : 0",
        "system": "f.has_ip_system ? 500 : 0",
        "staff": bands("f.ip_staff", STAFF),
        "abnormal_filings": "max([f.abnormal_late * -4000, -20000])",
        "fines": bands("f.fines", FINES),
        "repeated_months": bands("f.repeated_months", MONTHS),
        "agency_grade_used": f"f.agency ? {grades} : 0",
        "abnormal_list": "f.abnormal_list > 0 ? -10000 : 0",
        "controlled_dishonesty": "max([f.controlled * -5000, -10000])",
        "damages": bands("f.damages", DAMAGES),
        "takedowns": f"{SCOPES['online_or_cross_border']} ? {bands('f.takedowns', TAKEDOWNS)} : 0",
        "takedowns_per_shop": f"f.online_operator and f.shops > 0 and f.takedowns > f.shops ? {slope} : 0",
        "licence_hidden": "f.online_operator and f.licence_hidden ? -1000 : 0",
        "platform_rules": "f.online_operator and f.rules_missing ? -3000 : 0",
        "shops_declared": "f.online_operator and f.shops_declared > 0 ? 500 : 0",
        "clean_years": "f.owner or f.gi_user or f.agency ? (f.clean_years >= 5 ? 3000 : (f.clean_years >= 3 ? 2000 : 0)) : 0",
    }


def scoring() -> dict[str, str]:
    """Dimensions, score, and the rank after caps and shift (a direct D is rank 3)."""
    expressions = {}
    for name, (least, most) in DIMENSIONS.items():
        members = " + ".join(member for member, place in DIMENSION_OF.items() if place == name)
        expressions[f"d_{name}"] = held(f"({members})", least, most)
    total = " + ".join(f"$.d_{name}" for name in DIMENSIONS)
    cut = "($.score_milli >= 90000 ? 0 : ($.score_milli >= 75000 ? 1 : ($.score_milli >= 60000 ? 2 : 3)))"
    managed = "f.term_1 >= 1 or f.term_2 >= 2 or f.term_3 >= 3"
    bound = f"(f.serious_list > 0 or f.defaulter > 0 ? 3 : ({managed} ? 2 : (f.young or f.abnormal_list > 0 ? 1 : 0)))"
    return expressions | {
        "score_milli": f"max([min([80000 + {total}, 100000]), 0])",
        "rank": f"min([3, max([{cut}, {bound}]) + (f.is_grave ? max([1, min([2, f.officer_shift])]) : 0)])",
    }


def expression_node(name: str, expressions: dict[str, str]) -> dict[str, Any]:
    listed = [{"id": key, "key": key, "value": value} for key, value in expressions.items()]
    return node(name, "expressionNode", {"expressions": listed, "passThrough": True})


def node(name: str, kind: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    plain = {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}
    return plain if content is None else plain | {"content": content}


def grade_table() -> dict[str, Any]:
    rows = [("true", "", "N"), *(("", str(rank), letter) for rank, letter in enumerate("ABCD"))]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "i1", "name": "out", "field": "f.is_deregistered"}, {"id": "i2", "name": "rank", "field": "rank"}],
        "outputs": [
            {"id": "o1", "name": "grade", "field": "grade"},
            {"id": "o2", "name": "score", "field": "score_milli"},
        ],
        "rules": [
            {"_id": f"r{number}", "i1": out, "i2": rank, "o1": f"'{letter}'", "o2": "score_milli"}
            for number, (out, rank, letter) in enumerate(rows)
        ],
    }
    return node("grade", "decisionTableNode", content)


def decision() -> zen.ZenDecision:
    nodes = [
        node("input", "inputNode"),
        expression_node("points", points()),
        expression_node("score", scoring()),
        grade_table(),
        node("output", "outputNode"),
    ]
    edges = [
        {"id": f"e{number}", "type": "edge", "sourceId": first["id"], "targetId": second["id"]}
        for number, (first, second) in enumerate(zip(nodes, nodes[1:], strict=False))
    ]
    return zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))


def facts(folder: Path, as_of: date, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """What ZEN is told of each subject: whole numbers (-1 missing) and flags."""
    wanted = ", ".join(str(number) for number in numbers)
    key = Moment(as_of).month_and_day
    query = f"""
        SELECT *,
            DATE '{as_of}' - last_report AS report_days,
            NOT information_complete AS information_incomplete,
            NOT licence_shown AS licence_hidden,
            NOT has_platform_rules AS rules_missing,
            established_on <= DATE '{as_of}' AND established_on > DATE '{Moment(as_of).anniversary(1)}' AS young,
            {as_of.year} - year(clean_since) - (month(clean_since) * 100 + day(clean_since) > {key})::INT AS clean_years
        FROM facts WHERE subject_no IN ({wanted}) ORDER BY subject_no"""
    with computed(folder, as_of, SQL) as connection:
        rows = connection.sql(query).to_arrow_table().to_pylist()
    return [told(row) for row in rows]


def told(row: dict[str, Any]) -> dict[str, Any]:
    missing = {"patents_ever": -1, "shops": -1, "ip_staff": -1, "clean_years": -1, "report_days": -1, "officer_shift": 1}
    missing |= dict.fromkeys((*FLAGS, "information_incomplete", "licence_hidden", "rules_missing", "young"), False)
    dates = ("last_report", "last_stain", "established_on", "clean_since")
    return {name: missing.get(name, 0) if value is None else value for name, value in row.items() if name not in dates}


def decide(engine: zen.ZenDecision, given: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Score and grade of each subject, one evaluation for each."""
    results = (engine.evaluate({"f": facts})["result"] for facts in given)
    return [(int(result["score_milli"]), result["grade"]) for result in results]


def chosen(folder: Path, size: int) -> list[int]:
    """A fixed random sample of subject numbers."""
    count = pq.read_metadata(folder / "subjects.parquet").num_rows
    return sorted(random.Random(7).sample(range(count), min(size, count)))


def evaluate(folder: Path, as_of: date, size: int = SAMPLE) -> pa.Table:
    """Grades of a sample, by subject."""
    given = facts(folder, as_of, chosen(folder, size))
    decided = decide(decision(), given)
    return pa.table(
        {
            "subject_no": pa.array([row["subject_no"] for row in given], pa.int32()),
            "score_milli": pa.array([score for score, _ in decided], pa.int64()),
            "grade": pa.array([grade for _, grade in decided], pa.string()),
        }
    )
