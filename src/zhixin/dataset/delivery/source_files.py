"""Files of sources in a dataset folder: checked as the site checks a delivery, then merged into subjects and records."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhixin.dataset.cell_parsers import NO_SERIALS, Refusal, refusal
from zhixin.dataset.contract import contract
from zhixin.dataset.delivery.layout import data_rows
from zhixin.dataset.delivery.opening import open_delivery, why_held
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.rows import CheckedRow, RowChecker
from zhixin.dataset.delivery.table import kind_of
from zhixin.dataset.hiding_persons import without_persons
from zhixin.dataset.quarantine import Quarantine, TableReport
from zhixin.dataset.sources import ENGINE_FIELDS, RECORD_TARGETS, SourceManifest, sources
from zhixin.errors import DatasetError, Message
from zhixin.law.rulebook import Rulebook

CHUNK = 5_000
_TWICE = refusal(
    "row.contradicts",
    "同一文号、同一主体已有内容不同的记录",
    "another row of this document and subject says something else",
    "核对后只保留正确的一行",
    "keep the right one",
)
_UNKNOWN = refusal(
    "record.unknown_subject",
    "登记信息中没有该统一社会信用代码",
    "no registration has this code",
    "先提供该主体的登记信息，或核对代码",
    "give its registration, or check the code",
)


@dataclass
class SourceFiles:
    """Deliveries of a dataset folder by source, read one after the other: subjects first.

    Attributes:
        subjects: attributes by code, as the last source said.
        said: by source and code: the digest of what a source of subjects or attributes says.
        records: by key: the row of the records table, and the digest of what it says.
    """

    rulebook: Rulebook
    files: Mapping[str, Path]
    work: Path
    as_of: date
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    epoch: int = 1900
    said: dict[tuple[str, str], bytes] = field(default_factory=dict)
    subjects: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    reports: dict[str, TableReport] = field(default_factory=dict)
    gives_subjects: bool = True

    def know(self, table: pa.Table) -> None:
        """Take the subjects from a table of their own (``subject_id``, ``name``): only ``records`` are written then."""
        self.gives_subjects = False
        for row in table.to_pylist():
            self.subjects.setdefault(row["subject_id"], {"name": row["name"]})  # of equal rows the first is accepted

    def read(self) -> dict[str, Path]:
        """Check every file and write what passes as ``subjects`` and ``records`` for the intake.

        Raises:
            DatasetError: a file cannot be used, or a person has to say something of it first.
        """
        order = {"subjects": 0, "attributes": 1, "records": 2, "archive": 3}
        for name in sorted(self.files, key=lambda item: (order[sources()[item].gives], item)):
            self._read(sources()[name], self.files[name])
        return self._written()

    def _read(self, manifest: SourceManifest, path: Path) -> None:
        report = TableReport(path.name)
        if manifest.made_by_site:
            raise DatasetError(
                f"{path.name}：该来源只由本系统的办件决定产生，不接受文件",
                f"{path.name}: this source is made by decisions of the site alone; no file is taken",
            )
        try:
            with path.open("rb") as file:
                suffix = kind_of(file.read(4096))
            if suffix != path.suffix.lower() and not (suffix == ".csv" and path.suffix.lower() == ".txt"):
                raise DatasetError(f"{path.name} 的内容是 {suffix}，与扩展名不符", f"{path.name} holds {suffix}: rename it")
            table, layout = open_delivery(path, manifest, {}, self.answers.get(manifest.id, {}))
        except FileRefused as refused:
            raise _with_file(path, refused.message, refused.remedy) from refused
        self._refuse_open_questions(path, manifest, layout)
        names = None if manifest.gives == "subjects" else self._names_of
        epoch = self.epoch if table.has_serials else NO_SERIALS
        checker = RowChecker(manifest, layout, self.as_of, names, is_text=table.is_text, epoch=epoch)
        personal = [place for place, name in layout.columns.items() if manifest.field(name).personal]
        rows = data_rows(table, layout)
        with Quarantine(self.work / "quarantine" / f"{manifest.id}.csv", report) as quarantine:
            while chunk := list(islice(rows, CHUNK)):
                try:
                    checked = checker.check(chunk)
                except FileRefused as refused:
                    raise _with_file(path, refused.message, refused.remedy) from refused
                for item, (line, cells) in zip(checked, chunk, strict=True):
                    report.rows += 1
                    raw = json.dumps(without_persons(personal, cells), ensure_ascii=False)
                    self._take(manifest, item, line, raw, quarantine, report)
        report.ignored_columns = layout.unknown
        report.accepted = report.rows - report.quarantined - report.duplicates
        held = why_held(manifest, checker, report.rows, report.rules)
        if held is not None:
            fix = Message(
                "核对文件；确认无误的，分成正确的文件重新提交", "check the file; deliver what is right as a file of its own"
            )
            raise _with_file(path, held, fix)
        self.reports[manifest.id] = report

    @staticmethod
    def _refuse_open_questions(path: Path, manifest: SourceManifest, layout: Any) -> None:
        if layout.missing:
            titles = "、".join(manifest.field(name).title for name in layout.missing)
            raise DatasetError(f"{path.name} 缺少必需的列：{titles}", f"{path.name} lacks the required column(s) {titles}")
        for question in layout.questions:
            given = f"--answer {manifest.id}.{question.id}=…"
            choices = "、".join(f"{value}（{zh}）" for value, zh, _en in question.choices)
            raise DatasetError(
                f"{path.name}：{question.zh}（{choices}）用 {given} 回答",
                f"{path.name}: {question.en} ({choices}) Answer with {given}",
            )

    def _names_of(self, codes: Collection[str]) -> Mapping[str, Sequence[str]]:
        return {code: [self.subjects[code]["name"]] for code in codes if self.subjects.get(code, {}).get("name")}

    def _take(
        self, manifest: SourceManifest, item: CheckedRow, line: int, raw: str, quarantine: Quarantine, report: TableReport
    ) -> None:
        for fault in item.faults[:1]:
            words = Refusal(fault["rule"], Message(fault["zh"], fault["en"]), Message(fault["fix_zh"], fault["fix_en"]))
            quarantine.add(line, fault["field"], fault["value"], words, raw)
            return
        code = item.code or ""
        body = json.loads(item.body)
        if manifest.gives in ("subjects", "attributes"):
            if manifest.gives == "attributes" and code not in self.subjects:
                quarantine.add(line, "subject_id", code, _UNKNOWN, raw)
                return
            if self.said.setdefault((manifest.id, code), item.digest) != item.digest:
                quarantine.add(line, "subject_id", code, _TWICE, raw)
                return
            self.subjects.setdefault(code, {"name": item.name}).update(body["attributes"])
        elif code not in self.subjects:
            quarantine.add(line, "subject_id", code, _UNKNOWN, raw)
        elif manifest.gives == "records":
            earlier = self.records.get(item.key)
            if earlier is not None and earlier[1] != item.digest:
                quarantine.add(line, "document", body.get("document"), _TWICE, raw)
            elif earlier is not None:
                report.duplicates += 1
            else:
                self.records[item.key] = (_record(item, body), item.digest)

    def _written(self) -> dict[str, Path]:
        folder = self.work / "from_sources"
        folder.mkdir()
        people = [{"subject_id": code, **values} for code, values in sorted(self.subjects.items())]
        rows = [record for record, _digest in self.records.values()]
        made = {"subjects": people, "records": rows} if self.gives_subjects else {"records": rows}
        return {name: _write(folder / f"{name}.parquet", self.rulebook, name, items) for name, items in made.items()}


def _with_file(path: Path, what: Message, fix: Message) -> DatasetError:
    return DatasetError(f"{path.name}：{what.zh}；{fix.zh}", f"{path.name}: {what.en}; {fix.en}")


def _record(item: CheckedRow, body: Mapping[str, Any]) -> dict[str, Any]:
    """The row of the records table that a checked row becomes."""
    found: dict[str, Any] = {
        "record_id": item.key,
        "subject_id": item.code,
        "kind": body["kind"],
        "severity": body.get("severity"),
    }
    found |= {name: body.get(name) for name in RECORD_TARGETS if name != "document_on"}
    return found | {name: body.get("fields", {}).get(name) for name in ENGINE_FIELDS}


def _write(path: Path, rulebook: Rulebook, name: str, rows: list[dict[str, Any]]) -> Path:
    """Write rows as cells of the contract: what the intake reads again and checks as any other file."""
    columns = list(contract(rulebook, name))
    fields = rulebook.record_fields if name == "records" else rulebook.attribute
    data = {column: [_cell(row.get(column), fields.get(column)) for row in rows] for column in columns}
    pq.write_table(pa.table({column: pa.array(values, pa.string()) for column, values in data.items()}), path)
    return path


def _cell(value: Any, definition: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if definition is not None and getattr(definition, "denominator", 1) == 100 and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    return str(value)
