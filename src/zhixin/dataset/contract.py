"""The columns of the four input tables under a rulebook: types, parsers, headers that are understood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from zhixin.dataset.cell_parsers import (
    Parser,
    parse_as_written,
    parse_boolean,
    parse_category,
    parse_date,
    parse_scaled,
    parse_subject_id,
    parse_text,
    parser_of,
)
from zhixin.dataset.tables import RECORD_CORE, records_schema, subjects_schema
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Severity

SYNONYMS = {
    "统一社会信用代码": "subject_id", "社会信用代码": "subject_id", "uscc": "subject_id", "企业名称": "name", "主体名称": "name",
    "记录编号": "record_id", "信息类别": "kind", "失信程度": "severity", "行为日期": "occurred_on", "发生日期": "occurred_on",
    "决定日期": "decided_on", "处罚决定日期": "decided_on", "认定日期": "decided_on", "公示日期": "published_on", "有效期至": "valid_until",
    "改正日期": "corrected_on", "修复日期": "repaired_on", "撤销日期": "revoked_on", "首次违法": "is_first_offence", "文书号": "document",
    "行政处罚决定书文号": "document", "金额": "amount", "罚款金额": "amount", "数量": "quantity", "代码": "code", "序号": "sequence",
    "关联主体代码": "related_id", "关联关系": "relation", "起始日期": "since", "终止日期": "until", "评价日期": "evaluated_on",
    "等级": "grade", "得分": "score", "决定步骤": "step",
}  # fmt: skip


"""Chinese headers that are understood, besides the titles a rulebook gives its attributes and fields."""


@dataclass(frozen=True)
class Column:
    """A column of the contract: its Arrow type, its parser, and whether it must be there and filled."""

    type: pa.DataType
    parse: Parser
    required: bool = False


def contract(rulebook: Rulebook, name: str, epoch: int = 1900) -> dict[str, Column]:
    """The columns of an input table. ``epoch`` is that of spreadsheet serials."""
    day: Parser = partial(parse_date, epoch=epoch)
    open_day: Parser = partial(parse_date, epoch=epoch, may_be_open=True)
    key = parse_subject_id if rulebook.subject_key == "uscc" else parse_text
    subject = Column(pa.string(), key, required=True)
    if name == "subjects":
        columns = {"subject_id": subject, "name": Column(pa.string(), parse_as_written)}
        schema = subjects_schema(rulebook)
        return columns | {
            item.id: Column(schema.field(item.id).type, parser_of(item, epoch), item.required)
            for item in rulebook.attributes
        }
    if name == "relations":
        text = Column(pa.string(), parse_text, required=True)
        tail = {"since": Column(pa.date32(), day), "until": Column(pa.date32(), open_day)}
        return {"subject_id": subject, "related_id": subject, "relation": text} | tail
    if name == "previous":
        return {
            "subject_id": subject,
            "evaluated_on": Column(pa.date32(), day, required=True),
            "grade": Column(pa.string(), parse_text, required=True),
            "score": Column(pa.int64(), lambda cell: parse_scaled(1000, cell)),
            "step": Column(pa.string(), parse_text),
        }
    return _record_columns(rulebook, epoch, subject, day, open_day)


def _record_columns(rulebook: Rulebook, epoch: int, subject: Column, day: Parser, open_day: Parser) -> dict[str, Column]:
    severities = tuple(item.value for item in Severity)
    columns = {
        "record_id": Column(pa.string(), parse_text, required=True),
        "subject_id": subject,
        "kind": Column(pa.string(), parse_text, required=True),
        "severity": Column(pa.string(), lambda cell: parse_category(severities, cell)),
        "is_first_offence": Column(pa.bool_(), parse_boolean),
        "document": Column(pa.string(), parse_as_written),
        "sequence": Column(pa.int64(), lambda cell: parse_scaled(1, cell)),
    }
    for name, kind in RECORD_CORE.items():
        if pa.types.is_date(kind):
            columns[name] = Column(kind, open_day if name == "valid_until" else day, required=name == "decided_on")
    schema = records_schema(rulebook)
    for name, definition in rulebook.record_fields.items():
        columns[name] = Column(schema.field(name).type, parser_of(definition, epoch))
    return columns
