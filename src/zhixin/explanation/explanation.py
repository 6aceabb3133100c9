"""Why a subject has its grade: ``explanation/1`` as JSON, and the same in Chinese and English sentences.

Every point is traced to the indicator, the records and the article. Start, implied points and contributions add up to
the score exactly; the reader can check it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhixin.dataset.reading import read_table
from zhixin.dataset.tables import Tables
from zhixin.errors import DatasetError, Message
from zhixin.evaluation.archive import RunFolder
from zhixin.explanation.sentences import measured_text, sentences
from zhixin.law.catalogue import FieldDefinition
from zhixin.law.nodes import constant, plain
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Direction, FieldType

FORMAT = "explanation/1"


def explain_run(run: RunFolder, subject_id: str) -> dict[str, Any]:
    """The explanation of one subject of a finished run.

    Raises:
        DatasetError: the run has no such subject.
    """
    grade, rows = run.rows_of(subject_id)
    if grade is None:
        raise DatasetError(f"评价结果中没有主体 {subject_id}", f"the run has no subject {subject_id}")
    rulebook = run.resolved
    numbers = sorted({number for row in rows for number in row["record_nos"] or ()})
    records = _records(run.tables, subject_id, numbers) if numbers else {}
    return explanation(rulebook, run.as_of.isoformat(), grade, rows, records)


def _records(tables: Tables, subject_id: str, numbers: list[int]) -> dict[int, Mapping[str, Any]]:
    if isinstance(tables.subjects, Path):
        found = pq.read_table(tables.subjects, columns=["subject_no"], filters=[("subject_id", "==", subject_id)])
        subject_no = found["subject_no"].to_pylist()
    else:
        subject_no = [row["subject_no"] for row in tables.subjects.to_pylist() if row["subject_id"] == subject_id]
    rows = read_table(tables.records, subject_no)
    behind = rows.filter(pc.is_in(rows["record_no"], pa.array(numbers, pa.int64())))
    return {row["record_no"]: row for row in behind.to_pylist()}


_GRADE_COLUMNS = ("class_mask", "start_milli", "implied_milli", "score_milli", "ladder_grade", "grade", "step", "acted")


def explanation(
    rulebook: Rulebook,
    as_of: str,
    grade: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    records: Mapping[int, Mapping[str, Any]],
) -> dict[str, Any]:
    """``explanation/1``.

    Args:
        rulebook: resolved at the evaluation date.
        as_of: the evaluation date, ISO.
        grade: the subject's row of the grades table.
        rows: the subject's rows of the contributions table.
        records: the records behind them by number.
    """
    shown = {number: _record(rulebook, record) for number, record in records.items()}
    contributions = [_contribution(rulebook, row, shown) for row in rows]
    classes = [item for number, item in enumerate(rulebook.classes) if grade["class_mask"] >> number & 1]
    content = {
        "format": FORMAT,
        "rulebook": {
            "id": rulebook.id,
            "sha256": rulebook.sha256,
            "title": _text(rulebook.title),
            "document": rulebook.document,
            "status": str(rulebook.status),
        },
        "as_of": as_of,
        "subject_id": grade["subject_id"],
        "classes": [{"id": item.id, "title": _text(item.title)} for item in classes],
        "grade": {"id": grade["grade"], "title": _text(rulebook.grade_title(grade["grade"]))},
        "ladder_grade": grade["ladder_grade"],
        "score": {
            "direction": str(rulebook.direction),
            "total_milli": grade["score_milli"],
            "start_milli": grade["start_milli"],
            "implied_milli": grade["implied_milli"],
        },
        "decision": _decision(rulebook, grade["step"], grade["acted"]),
        "cuts": _cuts(rulebook, grade["score_milli"], {item.id for item in classes}),
        "contributions": contributions,
    }
    total = grade["start_milli"] + grade["implied_milli"] + sum(item["points_milli"] for item in contributions)
    assert total == grade["score_milli"], "contributions do not add up"
    content["text"] = {"zh": sentences(content, "zh"), "en": sentences(content, "en")}
    return content


def _text(text: Any) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _basis(rulebook: Rulebook, basis: Iterable[Any]) -> list[dict[str, Any]]:
    found = []
    for item in basis:
        document = rulebook.documents.get(item.document)
        found.append(
            {
                "document": item.document,
                "title": _text(document.title) if document else None,
                "number": document.number if document else None,
                "article": item.article,
                "verified": item.verified,
                "note": item.note,
            }
        )
    return found


def _contribution(rulebook: Rulebook, row: Mapping[str, Any], records: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    name = row["indicator"]
    shown = {
        "indicator": name,
        "points_milli": row["points_milli"],
        "uncapped_milli": row["uncapped_milli"],
    }
    if name.startswith("@"):
        return shown | {"title": adjustment_title(rulebook, name), "kind": "adjustment", "records": [], "basis": []}
    indicator = rulebook.indicator[name]
    value = None if row["value_num"] is None else {"num": row["value_num"], "den": row["value_den"]}
    dimension = next(item for item in rulebook.dimensions if item.id == indicator.dimension)
    return shown | {
        "kind": "indicator",
        "title": _text(indicator.title),
        "dimension": {"id": dimension.id, "title": _text(dimension.title)},
        "value": value,
        "measured": {
            "zh": measured_text(rulebook, indicator, row, "zh"),
            "en": measured_text(rulebook, indicator, row, "en"),
        },
        "points_rule": indicator.points.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "limits": indicator.limits.model_dump(mode="json", exclude_defaults=True),
        "records": [records[number] for number in row["record_nos"] or () if number in records],
        "basis": _basis(rulebook, indicator.basis),
        "advice": None if indicator.advice is None else _text(indicator.advice),
    }


def adjustment_title(rulebook: Rulebook, name: str) -> dict[str, str]:
    """Return what an adjustment (``@0:floor``, ``@dimension``) is called."""
    step = name.partition(":")[2]
    titles = {
        "floor": Message("得分下限", "floor of the score"),
        "ceiling": Message("得分上限", "ceiling of the score"),
        "round": Message("取整", "rounding"),
        "weighted_mean": Message("加权平均", "weighted mean"),
    }
    if step in titles:
        return titles[step]._asdict()
    dimension = next((item for item in rulebook.dimensions if f"@{item.id}" == name), None)
    title = dimension.title if dimension else None
    zh, en = (title.zh, title.en) if title else (name, name)
    return {"zh": f"维度「{zh}」的封顶、保底或取值规则", "en": f"limits of the dimension “{en}”"}


def _record(rulebook: Rulebook, record: Mapping[str, Any]) -> dict[str, Any]:
    kind = rulebook.kind.get(record["kind"])
    shown: dict[str, Any] = {
        "record_no": record["record_no"],
        "record_id": record.get("record_id"),
        "kind": record["kind"],
        "title": _text(kind.title) if kind else None,
        "document": record.get("document"),
    }
    for name, value in record.items():
        if (name.endswith("_on") or name == "valid_until") and value is not None:
            shown[name] = value.isoformat()
    if record.get("severity"):
        shown["severity"] = record["severity"]
    for name, definition in rulebook.record_fields.items():
        if record.get(name) is not None:
            shown[name] = _field_text(definition, record[name])
    return shown


def _field_text(definition: FieldDefinition, value: Any) -> Any:
    if definition.denominator != 1:
        return format(Decimal(value) / definition.denominator, "f")
    return value.isoformat() if definition.type is FieldType.DATE else value


def _decision(rulebook: Rulebook, step: str, acted: str) -> dict[str, Any]:
    kind, _, name = step.partition(":")
    decisions = rulebook.decisions
    steps = (decisions.exclude, decisions.direct, decisions.side, decisions.caps, decisions.shifts)
    rules: dict[str, Any] = {rule.id: rule for step_rules in steps for rule in step_rules}
    rule = rules.get(name)
    title = _text(rule.title) if rule else None
    if kind == "held":
        of_nothing = {"zh": "加权平均（各维度都没有数据）", "en": "weighted mean (no dimension has data)"}
        title = of_nothing if name.startswith("@") else _text(rulebook.indicator[name].title)
    return {
        "step": kind,
        "rule": name or None,
        "title": title,
        "basis": _basis(rulebook, rule.basis) if rule else [],
        "acted": acted.split("|") if acted else [],
    }


def _cuts(rulebook: Rulebook, score: int, classes: set[str]) -> list[dict[str, Any]]:
    """How far the score is from each cut: positive means the cut is met with so many thousandths to spare."""
    cuts = []
    for grade in rulebook.ladder:
        if grade.side is None:
            continue
        own = next(
            (grade.by_class[item.id] for item in rulebook.classes if item.id in classes and item.id in grade.by_class), None
        )
        edge = constant(getattr(grade, grade.side) if own is None else own)
        distance = score - int(edge * 1000)
        if rulebook.direction is Direction.HIGHER_RISKIER:
            distance = -distance
        cuts.append({"grade": grade.id, "side": grade.side, "cut": plain(edge), "margin_milli": distance})
    return cuts


# --- sentences ----------------------------------------------------------------------------------------------------
