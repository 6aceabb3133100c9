"""Row checks: cells of a delivery → canonical record bodies, or faults with field, value, rule, reason and remedy."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from zhixin.dataset.cells import (
    ColumnParser,
    Refusal,
    is_empty,
    parse_as_written,
    parse_boolean,
    parse_category,
    parse_date,
    parse_money,
    parse_number,
    parse_scaled,
    parse_set,
    parse_subject_id,
    refusal,
)
from zhixin.dataset.sources import ENGINE_FIELDS, RECORD_TARGETS, SourceField, SourceManifest
from zhixin.errors import Message
from zhixin.reference.areas import districts
from zhixin.trust import ledger

TOTALS = ("合计", "总计", "小计", "汇总", "total", "subtotal")
_TOTALS_TAIL = re.compile(r"\s+|[(（].*|[:：]")
INVISIBLE = {"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e"}


@dataclass(frozen=True)
class CheckedRow:
    """What became of one row before it meets the database."""

    line: int
    code: str | None = None
    name: str | None = None
    key: str = ""
    body: str = ""
    digest: bytes = b""
    core: tuple[Any, ...] = ()
    """kind, severity, occurred_on, document_on, decided_on, published_on, valid_until (ISO text or ``None``)."""
    cells: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()


def fault(rule: str, field_id: str, value: Any, reason: Message, remedy: Message) -> dict[str, Any]:
    """A fault as it is stored and shown."""
    shown = "" if value is None else str(value)[:200]
    return {
        "rule": rule,
        "field": field_id,
        "value": shown,
        "zh": reason.zh,
        "en": reason.en,
        "fix_zh": remedy.zh,
        "fix_en": remedy.en,
    }


def fault_of(refused: Refusal, field_id: str, value: Any) -> dict[str, Any]:
    """A refusal as a fault of a field."""
    return fault(refused.rule, field_id, value, refused.reason, refused.remedy)


_EMPTY = refusal("field.empty", "必填项为空", "a required field is empty", "补填该项", "fill it in")
_TOTALS = refusal(
    "row.totals",
    "这是合计行，不是数据",
    "this is a totals row, not data",
    "删去合计行后重新提交，或忽略本行",
    "remove the totals row, or leave it",
)
_NO_KEY = refusal(
    "subject.no_code",
    "没有统一社会信用代码",
    "there is no unified social credit code",
    "补填代码，或到主体匹配台确认",
    "give the code, or confirm the subject at the matching desk",
)
_FUTURE = refusal("record.future", "日期晚于今天", "the date lies in the future", "核对日期", "check the date")
_WIDTH = refusal(
    "row.fields",
    "该行列数与表头不同",
    "the row has more fields than the header",
    "检查未加引号的逗号",
    "look for an unquoted comma",
)


def parse_name(cell: Any, longest: int = 200) -> Any:
    """A registered name as written, without what cannot be seen."""
    value = parse_as_written(cell)
    if value is None:
        return None
    if any(char in INVISIBLE or unicodedata.category(char) == "Cc" for char in value):
        return refusal("text.invisible", "含有看不见的字符", "holds invisible characters", "重新录入", "type it again")
    return _short_enough(value, longest)


def parse_plain(cell: Any, longest: int) -> Any:
    value = parse_as_written(cell)
    if value is None:
        return None
    value = "".join(char for char in value if char in "\n\t" or unicodedata.category(char) != "Cc")
    return _short_enough(value, longest)


def _short_enough(value: str, longest: int) -> Any:
    if len(value) <= longest:
        return value
    return refusal(
        "text.length", f"有 {len(value)} 字，最多 {longest} 字", f"has {len(value)} characters, at most {longest}",
        "缩短，或检查是否有两列并作一列", "shorten it, or look for two columns run together",
    )  # fmt: skip


def parse_wan(cell: Any) -> Any:
    """An amount in 万元 (six decimals at most) as fen; a cell with its own unit keeps it."""
    if is_empty(cell):
        return None
    if isinstance(cell, str) and any(unit in cell for unit in ("元", "万", "亿")):
        return parse_money(cell)
    value = parse_number(cell)
    if isinstance(value, Refusal):
        return value
    return parse_money(Decimal(value) * 10_000)


def _district_codes() -> dict[str, str]:
    return {area.code: area.code for area in districts()} | {area.zh: area.code for area in districts()}


def parse_district(cell: Any) -> Any:
    """A district by its code or name."""
    if is_empty(cell):
        return None
    text = unicodedata.normalize("NFKC", str(cell)).strip().removesuffix(".0")
    found = _DISTRICTS.get(text)
    if found is None:
        return refusal(
            "district.unknown", f"「{text}」不是郑州的区县代码或名称", f"{text!r} is no district of Zhengzhou",
            "填写六位区划代码或全称，如 410105 或 金水区", "give the six-digit code or the full name",
        )  # fmt: skip
    return found


_DISTRICTS = _district_codes()


def parser_for(manifest: SourceManifest, item: SourceField, epoch: int) -> Callable[[Any], Any]:
    """The cell parser of a column."""
    parsers: dict[str, Callable[[Any], Any]] = {
        "uscc": lambda cell: None if is_empty(cell) else parse_subject_id(cell),
        "name": partial(parse_name, longest=item.max_length),
        "text": partial(parse_plain, longest=item.max_length),
        "date": partial(parse_date, epoch=epoch),
        "date_or_open": partial(parse_date, epoch=epoch, may_be_open=True),
        "integer": partial(_count),
        "money": parse_money,
        "money_wan": parse_wan,
        "boolean": parse_boolean,
        "category": partial(parse_category, manifest.choices(item)),
        "set": partial(parse_set, manifest.choices(item)),
        "district": parse_district,
    }
    return parsers[item.type]


def _count(cell: Any) -> Any:
    value = parse_scaled(1, cell)
    if isinstance(value, int) and value < 0:
        return refusal("number.negative", f"「{cell}」为负", f"{cell!r} is negative", "核对数量", "check the number")
    return value


class RowChecker:
    """Checks the rows of one source, a chunk at a time.

    Args:
        manifest: the source.
        columns: column index → field id.
        width: number of columns of the header.
        today: nothing may be dated after it.
        epoch: 1900 or 1904, for spreadsheet serials.
    """

    def __init__(
        self, manifest: SourceManifest, columns: dict[int, str], width: int, today: date, epoch: int = 1900
    ) -> None:
        self.manifest, self.width, self.today = manifest, width, today
        self.place = {name: index for index, name in columns.items()}
        self.items = [item for item in manifest.fields if item.id in self.place]
        self.parsers = {item.id: ColumnParser(parser_for(manifest, item, epoch)) for item in self.items}
        self.required = [item.id for item in manifest.fields if item.required]

    def check(self, rows: Sequence[tuple[int, list[Any]]]) -> list[CheckedRow]:
        """One outcome per row, in order."""
        columns = {}
        for item in self.items:
            index = self.place[item.id]
            cells = [row[index] if index < len(row) else None for _, row in rows]
            columns[item.id] = self.parsers[item.id](cells)[0]
        return [
            self._row(line, row, {name: values[number] for name, values in columns.items()})
            for number, (line, row) in enumerate(rows)
        ]

    def _row(self, line: int, row: list[Any], values: dict[str, Any]) -> CheckedRow:
        faults = self._faults(row, values)
        if not faults and values.get("subject_id") is None:
            faults = [fault_of(_NO_KEY, "subject_id", None)]
        if faults:
            name = values.get("name")
            return CheckedRow(
                line, name=name if isinstance(name, str) else None, cells=self._as_it_came(row), faults=tuple(faults)
            )
        return self._body(line, values)

    def _as_it_came(self, row: list[Any]) -> dict[str, Any]:
        cells = {name: _plain(row[index]) for name, index in self.place.items() if index < len(row)}
        rest = [_plain(cell) for index, cell in enumerate(row) if index not in self.place.values() and not is_empty(cell)]
        return cells | ({"_rest": rest} if rest else {})

    def _faults(self, row: list[Any], values: dict[str, Any]) -> list[dict[str, Any]]:
        first = next((str(cell).strip().lower() for cell in row if not is_empty(cell)), "")
        if _TOTALS_TAIL.sub("", first) in TOTALS:
            return [fault_of(_TOTALS, "", first)]
        if len(row) > self.width and any(not is_empty(cell) for cell in row[self.width :]):
            return [fault_of(_WIDTH, "", None)]
        found = [
            fault_of(value, name, row[self.place[name]] if self.place[name] < len(row) else None)
            for name, value in values.items()
            if type(value) is Refusal
        ]
        wrong = {item["field"] for item in found}
        found += [fault_of(_EMPTY, name, None) for name in self.required if values.get(name) is None and name not in wrong]
        for rule in self.manifest.refuse:
            if values.get(rule.field) in rule.values:
                found.append(
                    fault(
                        "record.not_collected",
                        rule.field,
                        values[rule.field],
                        Message(rule.zh, rule.en),
                        Message("无需处理", "nothing to do"),
                    )
                )
        for name in ("decided_on", "occurred_on"):
            value = values.get(name)
            if isinstance(value, date) and value > self.today:
                found.append(fault_of(_FUTURE, name, value))
        return found

    def _body(self, line: int, values: dict[str, Any]) -> CheckedRow:
        manifest, code = self.manifest, values["subject_id"]
        known = {name: _json(value) for name, value in values.items() if value is not None}
        name = values.get("name")
        if manifest.gives in ("subjects", "attributes"):
            attributes = {
                item.to: known[item.id] for item in self.items if item.to and item.id in known and item.to != "subject_id"
            }
            content: dict[str, Any] = {"subject": code, "source": manifest.id, "attributes": attributes}
            extra = {item.id: known[item.id] for item in self.items if not item.to and item.id in known}
            if extra:
                content["reported"] = extra
            body = ledger.canonical(content)
            return CheckedRow(line, code, name, f"{manifest.id}:{code}", body, hashlib.sha256(body.encode()).digest())
        kind = manifest.kind or manifest.kind_by.values[values[manifest.kind_by.field]]  # type: ignore[union-attr]
        given = values.get(manifest.severity_by.field) if manifest.severity_by is not None else None
        severity = manifest.severity_by.values[given] if manifest.severity_by is not None and given else None
        dates = {item.to: known.get(item.id) for item in self.items if item.to in RECORD_TARGETS}
        content = {"subject": code, "kind": kind, "source": manifest.id, "state": "active"}
        content |= {key: value for key, value in dates.items() if value is not None}
        if severity:
            content["severity"] = severity
        engine = {item.to: known[item.id] for item in self.items if item.to in ENGINE_FIELDS and item.id in known}
        if engine:
            content["fields"] = engine
        reported = {item.id: known[item.id] for item in self.items if item.id in known and not item.to}
        if reported:
            content["reported"] = reported
        if name:
            content["name"] = name
        body = ledger.canonical(content)
        parts = [str(known.get(part, "")) for part in manifest.key]
        key = f"{manifest.id}:{'|'.join(parts)}"
        if len(key) > 240:
            key = f"{manifest.id}:#{hashlib.sha256(key.encode()).hexdigest()}"
        core = (kind, severity, dates.get("occurred_on"), dates.get("document_on") or dates.get("decided_on"),
                dates.get("decided_on"), dates.get("published_on"), dates.get("valid_until"))  # fmt: skip
        return CheckedRow(line, code, name, key, body, hashlib.sha256(body.encode()).digest(), core)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str | bool | int) else str(cell)
