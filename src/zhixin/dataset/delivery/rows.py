"""Row checks: cells of a delivery → canonical record bodies, or faults with field, value, rule, reason and remedy."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from zhixin.dataset.cell_parsers import (
    ColumnParser,
    Refusal,
    is_empty,
    refusal,
)
from zhixin.dataset.delivery.column_parsers import parser_for
from zhixin.dataset.delivery.fault import fault, fault_of
from zhixin.dataset.delivery.layout import Layout, known_header
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.stated_fines import FEN, stated_fines
from zhixin.dataset.delivery.units import YUAN, unit_in, unit_stated_in
from zhixin.dataset.documents import document_key
from zhixin.dataset.identity import (
    names_agree,
    organisation_code_agrees,
)
from zhixin.dataset.sources import ENGINE_FIELDS, RECORD_TARGETS, SourceManifest
from zhixin.errors import Message
from zhixin.law.paper_numbers import is_own_number
from zhixin.trust import ledger

TOTALS = ("合计", "总计", "小计", "汇总", "total", "subtotal")
_TOTALS_TAIL = re.compile(r"\s+|[(（].*|[:：]")


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
_SHORT = refusal(
    "row.short",
    "该行的列数少于表头，后面的内容可能被截断",
    "the row has fewer fields than the header; its end may have been cut off",
    "对照原件补全该行",
    "complete the row from the original",
)
_NAME_DIFFERS = "subject.name_differs"
_WIDTH = refusal(
    "row.fields",
    "该行列数与表头不同",
    "the row has more fields than the header",
    "检查未加引号的逗号",
    "look for an unquoted comma",
)


ANNOUNCED_DAYS = 31
LONGEST_NOTE = 60
_CONTRADICTS_TEXT = refusal(
    "amount.contradicts",
    "金额与「处罚内容」写明的不同",
    "the amount is not the one that the text of the decision states",
    "对照决定书更正金额、单位或内容",
    "compare it with the decision and correct the amount, its unit or the text",
)
_NAME_AS_DOCUMENT = refusal(
    "document.shape",
    "文书号一栏是主体名称",
    "the name of the subject stands where the document number should",
    "按决定书原文填写文号",
    "write the number as on the document",
)
_OWN_NUMBER = refusal(
    "record.own_number",
    "文号属于本局办件文书的编号，这样的决定只能由办件产生",
    "the number is one of the papers of the bureau's cases: only a case makes such a decision",
    "核对文号；本局的决定在办件中作出后自动入库",
    "check the number; a decision of the bureau is taken in by its case",
)
_EARLIER = refusal("date.order", "日期早于决定日期", "it lies before the decision", "核对两个日期", "check both dates")
DATE_ORDER = (
    ("occurred_on", "decided_on", refusal("date.order", "决定日期早于违法行为发生日期", "decided before the act", "核对两个日期", "check both dates")),
    ("decided_on", "published_on", refusal("date.order", "公示日期早于决定日期", "published before it was decided", "核对两个日期", "check both dates")),
    ("decided_on", "valid_until", refusal("date.order", "有效期早于决定日期", "it ends before it was decided", "核对两个日期", "check both dates")),
    ("decided_on", "corrected_on", refusal("date.order", "改正日期早于决定日期", "corrected before it was decided", "核对两个日期", "check both dates")),
)  # fmt: skip
MANY_DIFFERING, SHARE_DIFFERING = 2, 0.2
_OTHER_ORGANISATION = (
    Message("组织机构代码与统一社会信用代码第9至17位不符", "the organisation code is not the one inside the credit code"),
    Message("按营业执照核对两个代码", "compare both codes with the business licence"),
)
_COMPARE_BOTH = Message("到主体匹配台对照两者后确认", "compare the two at the matching desk and confirm one")
Names = Callable[[Collection[str]], Mapping[str, Sequence[str]]]
"""Gives the names by which codes are known: the one registered and former ones."""


class RowChecker:
    """Checks the rows of one source, a chunk at a time.

    Args:
        manifest: the source.
        layout: which column is what, and the units of money columns.
        today: nothing may be dated after it.
        names: gives the names by which a code is known (empty: unknown code); ``None`` where no register is at hand.
        is_own: whether the rows come from a decision of a case; no other may bring a number of the bureau's own papers.
        is_text: whether rows may differ in length, as in a CSV.
        epoch: 1900 or 1904, for spreadsheet serials.
    """

    def __init__(
        self,
        manifest: SourceManifest,
        layout: Layout,
        today: date,
        names: Names | None = None,
        *,
        is_own: bool = False,
        is_text: bool = True,
        epoch: int = 1900,
    ) -> None:
        self.is_own = is_own
        self.manifest, self.layout, self.today, self.names, self.is_text = manifest, layout, today, names, is_text
        self.place = {name: index for index, name in layout.columns.items()}
        self.items = [item for item in manifest.fields if item.id in self.place]
        self.parsers = {
            item.id: ColumnParser(parser_for(manifest, item, epoch, layout.units.get(item.id))) for item in self.items
        }
        self.required = [item.id for item in manifest.fields if item.required]
        self.compared = self.differing = 0

    def check(self, rows: Sequence[tuple[int, list[Any]]]) -> list[CheckedRow]:
        """Return one checked row for each, in order."""
        columns = {}
        for item in self.items:
            index = self.place[item.id]
            cells = [row[index] if index < len(row) else None for _, row in rows]
            columns[item.id] = self.parsers[item.id](cells)[0]
        known = self._known(columns.get("subject_id", []))
        return [
            self._row(line, row, {name: values[number] for name, values in columns.items()}, known)
            for number, (line, row) in enumerate(rows)
        ]

    def _known(self, codes: list[Any]) -> Mapping[str, Sequence[str]]:
        """The names by which the codes of a chunk are known."""
        wanted = {code for code in codes if isinstance(code, str)}
        return self.names(wanted) if self.names is not None and wanted else {}

    def _row(self, line: int, row: list[Any], values: dict[str, Any], known: Mapping[str, Sequence[str]]) -> CheckedRow:
        faults = self._faults(row, values)
        if not faults:
            faults = self._identity_faults(values, known)
        if not faults and values.get("subject_id") is None:
            faults = [fault_of(_NO_KEY, "subject_id", None)]
        if faults:
            self._refuse_other_unit(line, row)
            name = values.get("name")
            if any(item["rule"] == "uscc.identity_number" for item in faults):
                return self._without_person(line, row, faults)
            return CheckedRow(
                line, name=name if isinstance(name, str) else None, cells=self._as_it_came(row), faults=tuple(faults)
            )
        return self._body(line, values)

    def _refuse_other_unit(self, line: int, row: list[Any]) -> None:
        """Refuse a file in which a row that is no data states another unit than its money columns have.

        Raises:
            FileRefused: names the row and the unit.
        """
        cells = [str(cell) for cell in row if not is_empty(cell)]
        titles = [cell for cell in cells if known_header(self.manifest, cell)]
        stated = {unit_stated_in(cell) for cell in cells if len(cell) < LONGEST_NOTE}
        if len(titles) >= 2:
            stated |= {unit_in(cell) for cell in titles}
        for unit in stated - {None}:
            if self.layout.units and unit not in self.layout.units.values():
                name = next(word for word, yuan in YUAN.items() if yuan == unit)
                raise FileRefused(
                    "file.unit", f"第 {line} 行写明单位是{name}，与表头不同", f"row {line} says that the unit is {name}, the header says another",
                    "核对单位，改为一致后重新提交", "check the unit, make both agree, deliver again",
                )  # fmt: skip

    def _without_person(self, line: int, row: list[Any], faults: list[dict[str, Any]]) -> CheckedRow:
        """A row that may be about a natural person: kept without the number, which remains in the original only."""
        hidden = "（可能的身份证号，已隐去）"
        cells = {name: hidden if name == "subject_id" else value for name, value in self._as_it_came(row).items()}
        kept = [item | {"value": hidden} if item["rule"] == "uscc.identity_number" else item for item in faults]
        return CheckedRow(line, cells=cells, faults=tuple(kept))

    def _as_it_came(self, row: list[Any]) -> dict[str, Any]:
        cells = {name: _plain(row[index]) for name, index in self.place.items() if index < len(row)}
        rest = [_plain(cell) for index, cell in enumerate(row) if index not in self.place.values() and not is_empty(cell)]
        return cells | ({"_rest": rest} if rest else {})

    def _faults(self, row: list[Any], values: dict[str, Any]) -> list[dict[str, Any]]:
        first = next((str(cell).strip().lower() for cell in row if not is_empty(cell)), "")
        if _TOTALS_TAIL.sub("", first) in TOTALS:
            return [fault_of(_TOTALS, "", first)]
        width = len(self.layout.header)
        if self.is_text and len(row) not in self.layout.widths:
            return [fault_of(_WIDTH if len(row) > width else _SHORT, "", None)]
        if any(not is_empty(cell) for cell in row[width:]):
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
        return found + self._date_faults(values) + self._contradictions(values)

    def _contradictions(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """What one cell says against another: the amount and the text that states it; a name as document number; a number of ours."""
        found = []
        for item in self.items:
            value = values.get(item.id)
            stated = values.get(item.stated_in or "")
            if isinstance(stated, str) and not isinstance(value, Refusal):
                fines = stated_fines(stated)
                if fines and value not in fines:
                    found.append(fault_of(_CONTRADICTS_TEXT, item.id, None if value is None else f"{value / FEN:,.2f} 元"))
            if item.to == "document" and value is not None and value == values.get("name"):
                found.append(fault_of(_NAME_AS_DOCUMENT, item.id, value))
            if item.to == "document" and isinstance(value, str) and not self.is_own and is_own_number(value):
                found.append(fault_of(_OWN_NUMBER, item.id, value))
            earlier = values.get(item.not_before or "")
            if isinstance(value, date) and isinstance(earlier, date) and value < earlier:
                found.append(fault_of(_EARLIER, item.id, value))
        return found

    def _date_faults(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """Dates after today, and dates in an order that cannot be: the act, its decision, its publication, its end."""
        dates = {item.to: (item.id, values.get(item.id)) for item in self.items if item.to in RECORD_TARGETS}
        found = [
            fault_of(_FUTURE, name, value)
            for target, (name, value) in dates.items()
            if target != "valid_until" and isinstance(value, date) and value > self._latest(target)
        ]
        for earlier, later, words in DATE_ORDER:
            (_, one), (name, other) = dates.get(earlier, ("", None)), dates.get(later, ("", None))
            if isinstance(one, date) and isinstance(other, date) and other < one:
                found.append(fault_of(words, name, other))
        return found

    def _latest(self, target: str) -> date:
        """The latest plausible day: today, and for a publication that is announced some days more."""
        return self.today + timedelta(days=ANNOUNCED_DAYS if target == "published_on" else 0)

    def _identity_faults(self, values: dict[str, Any], known: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """Every identifier that a row carries must be of one subject; two that disagree wait for a person."""
        code, name = values.get("subject_id"), values.get("name")
        if not isinstance(code, str):
            return []
        inner = values.get("organisation_code")
        if isinstance(inner, str) and not organisation_code_agrees(inner, code):
            return [fault("subject.organisation_code", "organisation_code", inner, *_OTHER_ORGANISATION)]
        names = known.get(code)
        if not names or not isinstance(name, str) or self.manifest.gives == "subjects":
            return []
        self.compared += 1
        if any(names_agree(name, item) for item in names):
            return []
        self.differing += 1
        reason = Message(
            f"代码属于「{names[0]}」，名称却是「{name}」", f"the code is that of “{names[0]}”, but the name is “{name}”"
        )
        return [fault(_NAME_DIFFERS, "name", name, reason, _COMPARE_BOTH)]

    @property
    def looks_shifted(self) -> bool:
        """Whether so many names differ from their codes that a column may have been moved against the others."""
        return self.differing >= MANY_DIFFERING and self.differing >= SHARE_DIFFERING * self.compared

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
        parts = [self._key_part(part, known) for part in manifest.key]
        key = f"{manifest.acts}:{'|'.join(parts)}"
        if len(key) > 240:
            key = f"{manifest.acts}:#{hashlib.sha256(key.encode()).hexdigest()}"
        core = (kind, severity, dates.get("occurred_on"), dates.get("document_on") or dates.get("decided_on"),
                dates.get("decided_on"), dates.get("published_on"), dates.get("valid_until"))  # fmt: skip
        return CheckedRow(line, code, name, key, body, content_digest(body), core)

    def _key_part(self, part: str, known: dict[str, Any]) -> str:
        """A part of the key: document numbers in the form in which they are compared."""
        text = str(known.get(part, ""))
        return document_key(text) if self.manifest.field(part).type == "text" else text


def content_digest(body: str) -> bytes:
    """Return the hash by which two records of one key say the same: the spelling of the document number does not count."""
    content = json.loads(body)
    if isinstance(content.get("document"), str):
        content["document"] = document_key(content["document"])
    return hashlib.sha256(ledger.canonical(content).encode()).digest()


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str | bool | int) else str(cell)
