"""Reading one input file against the contract: cells, then rows; what passes goes on, the rest to quarantine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.cell_parsers import (
    ColumnParser,
    Refusal,
    refusal,
)
from zhixin.dataset.contract import SYNONYMS, Column, contract
from zhixin.dataset.quarantine import Quarantine, TableReport
from zhixin.dataset.sheets_and_encodings import Row, Sheet, read_sheet
from zhixin.errors import DatasetError
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Nature

BATCH = 50_000


Progress = Callable[[str, int], None]


class Intake:
    """Reads one file: cells, then rows; what passes goes to a staging file, the rest to quarantine."""

    def __init__(
        self, rulebook: Rulebook, name: str, path: Path, work: Path, as_of: date, epoch: int, progress: Progress
    ) -> None:
        self.rulebook, self.name, self.path, self.as_of, self.progress = rulebook, name, path, as_of, progress
        self.columns = contract(rulebook, name, epoch)
        self.report = TableReport(path.name)
        self.staging = work / f"{name}.staging"
        self.quarantine_path = work / "quarantine" / f"{name}.csv"
        self.kinds = {kind.id: kind for kind in rulebook.catalogue}

    def read(self) -> TableReport:
        sheet = read_sheet(self.path)
        places = self._places(sheet)
        schema = pa.schema([("line", pa.int64())] + [(name, item.type) for name, item in self.columns.items()])
        with (
            Quarantine(self.quarantine_path, self.report) as quarantine,
            pq.ParquetWriter(self.staging, schema, compression="zstd", compression_level=1) as writer,
        ):
            parsers = {name: ColumnParser(column.parse) for name, column in self.columns.items()}
            for rows in _batches(sheet.rows):
                self.report.rows += len(rows)
                writer.write_table(self._checked(rows, len(sheet.header), places, parsers, quarantine))
                self.progress(self.name, self.report.rows)
        return self.report

    def _places(self, sheet: Sheet) -> dict[str, int]:
        """Column name → place, by id, by the rulebook's titles, or by a known synonym."""
        titles = {item.title.zh: item.id for item in self.rulebook.attributes}
        titles |= {d.title.zh: name for name, d in self.rulebook.record_fields.items() if d.title is not None}
        places: dict[str, int] = {}
        ignored = []
        for place, header in enumerate(sheet.header):
            text = header.replace("\ufeff", "").strip()
            name = text if text in self.columns else titles.get(text, SYNONYMS.get(text, text))
            if name not in self.columns:
                ignored.append(text)
            elif name in places:
                raise DatasetError(f"{self.path} 有两列都是 {name}", f"{self.path} has two columns for {name}")
            else:
                places[name] = place
        missing = [name for name, column in self.columns.items() if column.required and name not in places]
        if missing:
            raise DatasetError(
                f"{self.path} 缺少必需的列：{'、'.join(missing)}；已有：{'、'.join(sheet.header)}",
                f"{self.path} lacks the required column(s) {', '.join(missing)}; it has {', '.join(sheet.header)}",
            )
        self.report.ignored_columns = tuple(ignored)
        return places

    def _checked(
        self,
        rows: list[Row],
        width: int,
        places: dict[str, int],
        parsers: Mapping[str, ColumnParser],
        quarantine: Quarantine,
    ) -> pa.Table:
        """The rows of a batch that pass, as a table with their lines."""
        whole = [row for row in rows if len(row.cells) == width]
        if len(whole) < len(rows):
            for row in rows:
                if len(row.cells) != width:
                    quarantine.add(row.line, "", None, _wrong_width(len(row.cells), width), _raw(row))
        cells = list(zip(*[row.cells for row in whole], strict=True)) or [()] * width
        parsed: dict[str, list[Any]] = {}
        bad: dict[int, tuple[str, Any, Refusal]] = {}
        for name, column in self.columns.items():
            if name not in places:
                parsed[name] = [None] * len(whole)
                continue
            parsed[name], is_odd = parsers[name](list(cells[places[name]]))
            if is_odd:
                self._note_bad(name, column, parsed[name], cells[places[name]], bad)
        self._check_rows(parsed, bad)
        for index in sorted(bad):
            quarantine.add(whole[index].line, *bad[index], _raw(whole[index]))
        good = [index for index in range(len(whole)) if index not in bad] if bad else range(len(whole))
        arrays = {"line": pa.array([whole[index].line for index in good], pa.int64())}
        for name, values in parsed.items():
            kept = values if not bad else [values[index] for index in good]
            arrays[name] = pa.array(kept, self.columns[name].type)
        return pa.table(arrays)

    @staticmethod
    def _note_bad(
        name: str, column: Column, values: list[Any], cells: Any, bad: dict[int, tuple[str, Any, Refusal]]
    ) -> None:
        for index, value in enumerate(values):
            if type(value) is Refusal:
                bad.setdefault(index, (name, cells[index], value))
            elif value is None and column.required:
                bad.setdefault(index, (name, None, _EMPTY))

    def _check_rows(self, parsed: dict[str, list[Any]], bad: dict[int, tuple[str, Any, Refusal]]) -> None:
        if self.name == "records":
            self._check_records(parsed, bad)
        elif self.name == "subjects":
            answers = [item for item in self.rulebook.attributes if item.minimum is not None or item.maximum is not None]
            for item in answers:
                for index, value in enumerate(parsed[item.id]):
                    if value is not None and index not in bad and not _inside(item, value):
                        bad[index] = (item.id, value, _OUTSIDE)
        elif self.name == "relations":
            for index, (one, other) in enumerate(zip(parsed["subject_id"], parsed["related_id"], strict=True)):
                if index not in bad and one == other:
                    bad[index] = ("related_id", other, _SELF)

    def _check_records(self, parsed: dict[str, list[Any]], bad: dict[int, tuple[str, Any, Refusal]]) -> None:
        kinds, decided, occurred = parsed["kind"], parsed["decided_on"], parsed["occurred_on"]
        severity, documents, as_of = parsed["severity"], parsed["document"], self.as_of
        for index, name in enumerate(kinds):
            if index in bad:
                continue
            kind = self.kinds.get(name)
            if kind is None:
                bad[index] = ("kind", name, _UNKNOWN_KIND)
            elif decided[index] > as_of:
                bad[index] = ("decided_on", decided[index], _future(as_of))
            elif occurred[index] is not None and occurred[index] > as_of:
                bad[index] = ("occurred_on", occurred[index], _future(as_of))
            elif kind.nature is Nature.NEGATIVE and kind.evidence is not None and documents[index] is None:
                bad[index] = ("document", None, _no_document(kind.evidence.zh, kind.evidence.en))
            else:
                if severity[index] is None and kind.severity is not None:
                    severity[index] = kind.severity.value
                empty = next((f for f, d in kind.fields.items() if d.required and parsed[f][index] is None), None)
                if empty is not None:
                    bad[index] = (empty, None, _EMPTY)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _raw(row: Row) -> str:
    return json.dumps([str(cell) if cell is not None else "" for cell in row.cells], ensure_ascii=False)


def rows_at(path: Path, lines: list[int]) -> dict[int, str]:
    """The unchanged rows of a file at some lines; read again, so that staging need not keep every row."""
    wanted = set(lines)
    if not wanted:
        return {}
    return {row.line: _raw(row) for row in read_sheet(path).rows if row.line in wanted}


def _inside(definition: Any, value: Any) -> bool:
    low, high = definition.minimum, definition.maximum
    return (low is None or value >= low * definition.denominator) and (
        high is None or value <= high * definition.denominator
    )


def _wrong_width(found: int, expected: int) -> Refusal:
    return refusal(
        "row.fields",
        f"该行有 {found} 列，应为 {expected} 列",
        f"the row has {found} fields instead of {expected}",
        "检查未加引号的逗号或缺列",
        "look for an unquoted comma or a missing field",
    )


def _future(as_of: date) -> Refusal:
    return refusal(
        "record.future",
        f"日期晚于评价日 {as_of}",
        f"the date lies after the evaluation date {as_of}",
        "核对日期；确为以后的记录请待该日后评价",
        "check the date, or evaluate after it",
    )


def _no_document(zh: str, en: str) -> Refusal:
    return refusal(
        "record.no_document",
        f"失信信息没有生效文书（应有：{zh}）",
        f"a negative record without an effective document (should be: {en})",
        "补填文书号；没有生效文书的不得作为失信信息",
        "give the document's number; without one it is no dishonesty record",
    )


_EMPTY = refusal("field.empty", "必填项为空", "a required field is empty", "补填该项", "fill it in")


_OUTSIDE = refusal(
    "answer.range", "数值超出规定幅度", "the number lies outside its band", "按规定幅度填写", "give a number inside the band"
)


_SELF = refusal(
    "relation.self", "主体与自身关联", "a subject is related to itself", "核对关联主体", "check the related subject"
)


_UNKNOWN_KIND = refusal(
    "record.unknown_kind",
    "信息类别不在归集目录中",
    "the record kind is not in the catalogue",
    "改为目录中的类别编号，或先修订目录",
    "use a kind of the catalogue, or amend the catalogue first",
)


DUPLICATE = refusal(
    "row.duplicate",
    "编号重复，已接收首条",
    "a duplicate id; the first row was accepted",
    "删除重复行或更正编号",
    "remove the row or mend its id",
)


NO_SUBJECT = refusal(
    "record.unknown_subject",
    "主体表中没有该统一社会信用代码",
    "no subject has this code",
    "先归集该主体，或核对代码",
    "collect the subject first, or check the code",
)
