"""Reads of collection: published records, last versions, receipts, candidates for the matching desk."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from typing import Any

import xlsxwriter
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from rapidfuzz import fuzz

from zhixin_web.records import search
from zhixin_web.records.cells import safe_cell
from zhixin_web.records.models import Batch, CreditRecord, DuplicateRow, QuarantinedRow, Subject, SubjectVersion
from zhixin_web.records.originals import read_progress
from zhixin_web.records.sources import SourceManifest, sources

MATCHABLE = ("subject.no_code", "record.unknown_subject", "uscc.check", "uscc.character", "uscc.length", "uscc.old_number",
             "uscc.organisation_code", "uscc.scientific", "uscc.foreign_letter", "uscc.invisible")  # fmt: skip
_LAST = Subquery(CreditRecord.objects.filter(key=OuterRef("key")).order_by("-version").values("version")[:1])


def last_versions(records: QuerySet[CreditRecord] | None = None) -> QuerySet[CreditRecord]:
    """The last version of each record."""
    found = CreditRecord.objects.all() if records is None else records
    return found.annotate(last=_LAST).filter(version=F("last"))


def published_records(day: date) -> QuerySet[CreditRecord]:
    """What is published on a day: active, begun, and not past its maximum — publication ends by itself."""
    shown = Q(state=CreditRecord.State.ACTIVE, publicity_from__lte=day, publicity_until__gt=day, erased_at=None)
    return last_versions().filter(shown)


def known_at(subject: Subject, seq: int) -> list[CreditRecord]:
    """The records of a subject as the ledger knew them at a sequence number."""
    newest: dict[str, CreditRecord] = {}
    for record in CreditRecord.objects.filter(subject=subject, seq__lte=seq).order_by("version"):
        newest[record.key] = record
    return sorted(
        (item for item in newest.values() if item.state != "withdrawn"),
        key=lambda item: (item.decided_on, item.seq),
        reverse=True,
    )


def attributes_of(subject: Subject) -> list[tuple[SourceManifest, dict[str, Any], SubjectVersion]]:
    """What each source last said about a subject."""
    newest: dict[str, SubjectVersion] = {}
    for version in SubjectVersion.objects.filter(subject=subject).order_by("version").select_related("batch"):
        newest[version.source] = version
    return [(sources()[name], json.loads(item.body) if item.body else {}, item) for name, item in sorted(newest.items())]


def candidates(row: QuarantinedRow, limit: int = 5) -> list[dict[str, Any]]:
    """Subjects that a row without a good code may be about, best first; a person decides."""
    name = str(row.cells.get("name") or "")
    code = re.sub(r"\W", "", str(row.cells.get("subject_id") or ""))
    keys = set(search.find(name[:40], limit=200)) if name else set()
    for place in range(0, max(len(name) - 3, 0), 2):  # parts of the name: a wrong character must not hide the right subject
        if len(keys) >= 200:
            break
        keys |= set(search.find(name[place : place + 4], limit=100))
    if len(code) >= 8:
        keys |= set(search.find(code[-9:-1], limit=20))
    wanted = search.name_key(name)
    found = [
        {
            "subject": subject,
            "likeness": round(fuzz.ratio(wanted, subject.name_key)),
            "same_tail": bool(code) and subject.code[8:17] == code[8:17],
        }
        for subject in Subject.objects.filter(pk__in=list(keys)[:400])
    ]
    return sorted(found, key=lambda item: (item["same_tail"], item["likeness"]), reverse=True)[:limit]


def progress_of(batch: Batch) -> dict[str, Any]:
    """How far a busy batch is; empty otherwise."""
    return read_progress(f"batch-{batch.pk}") if batch.is_busy else {}


# --- receipts ------------------------------------------------------------------------------------------------------------


def receipt(batch: Batch) -> dict[str, Any]:
    """What became of every row, as JSON: ``receipt/1``."""
    rows = [{"line": line, "outcome": "accepted", "seq": seq} for line, seq in _accepted(batch)]
    rows += [
        {"line": line, "outcome": "duplicate", "seq": seq}
        for line, seq in DuplicateRow.objects.filter(batch=batch).values_list("line", "seq")
    ]
    for item in QuarantinedRow.objects.filter(batch=batch, status=QuarantinedRow.Status.OPEN):
        rows.append({"line": item.line, "outcome": "quarantined", "faults": item.faults})
    return {
        "format": "receipt/1", "batch": batch.pk, "source": batch.source, "file": batch.file_name, "sha256": batch.sha256, "status": batch.status,
        "fault": batch.fault or None, "rows": batch.rows, "accepted": batch.accepted, "quarantined": batch.quarantined, "duplicates": batch.duplicates,
        "ledger": [batch.first_seq, batch.last_seq], "lines": sorted(rows, key=lambda row: row["line"]),
    }  # fmt: skip


def _accepted(batch: Batch) -> list[tuple[int, int]]:
    """Line and sequence number of the rows taken in (versions made by undoing the batch are not among them)."""
    first: dict[int, int] = {}
    for model in (CreditRecord, SubjectVersion):
        for line, seq in model.objects.filter(batch=batch).order_by("seq").values_list("line", "seq"):
            first.setdefault(line, seq)
    return sorted(first.items())


def receipt_workbook(batch: Batch, english: bool) -> bytes:
    """The receipt as a workbook: refused rows as they came, each bad cell marked and commented."""
    manifest = sources()[batch.source]
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head, bad = book.add_format({"bold": True, "bg_color": "#E8EEF7"}), book.add_format({"bg_color": "#F9D6D5"})
    sheet = book.add_worksheet("quarantine")
    columns = [item.id for item in manifest.fields]
    titles = [
        "line" if english else "行号",
        *(item.title for item in manifest.fields),
        "why" if english else "原因",
        "what to do" if english else "处理办法",
    ]
    sheet.write_row(0, 0, titles, head)
    language = "en" if english else "zh"
    rows = QuarantinedRow.objects.filter(batch=batch, status=QuarantinedRow.Status.OPEN).order_by("line")
    for number, row in enumerate(rows.iterator(), 1):
        sheet.write_number(number, 0, row.line)
        faults = {item["field"]: item for item in row.faults}
        for place, name in enumerate(columns, 1):
            sheet.write_string(number, place, safe_cell(row.cells.get(name)), bad if name in faults else None)
            if name in faults:
                sheet.write_comment(number, place, f"{faults[name][language]}\n{faults[name]['fix_' + language]}")
        sheet.write_string(number, len(columns) + 1, "；".join(item[language] for item in row.faults))
        sheet.write_string(number, len(columns) + 2, "；".join(item["fix_" + language] for item in row.faults))
    sheet.freeze_panes(1, 1)
    book.close()
    return buffer.getvalue()


def template_workbook(manifest: SourceManifest) -> bytes:
    """An empty delivery: headers, drop-downs, notes, and the code lists on a second sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    must, may_be, text = (
        book.add_format({"bold": True, "bg_color": "#F7E3C4"}),
        book.add_format({"bold": True, "bg_color": "#E8EEF7"}),
        book.add_format({"num_format": "@"}),
    )
    sheet, lists = book.add_worksheet("数据"), book.add_worksheet("代码表")
    for place, item in enumerate(manifest.fields):
        sheet.write(0, place, item.title, must if item.required else may_be)
        sheet.set_column(place, place, max(12, 2 * len(item.title)), text)
        note = [("必填" if item.required else "选填"), item.note]
        if item.aliases:
            note.append("也可写作：" + "、".join(item.aliases))
        choices = manifest.choices(item)
        if choices:
            lists.write_column(0, place, [item.title, *choices])
            column = xlsxwriter.utility.xl_col_to_name(place)
            sheet.data_validation(
                1,
                place,
                20_000,
                place,
                {"validate": "list", "source": f"='代码表'!${column}$2:${column}${len(choices) + 1}", "ignore_blank": True},
            )
        sheet.write_comment(0, place, "\n".join(part for part in note if part))
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


def masked(manifest: SourceManifest, reported: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Title, value and whether masked, of what a source reported; personal data is masked until asked for with a reason."""
    shown = []
    for item in manifest.fields:
        if item.id in reported:
            value = str(reported[item.id])
            shown.append((item.title, mask(value) if item.personal else value, item.personal))
    return shown


def mask(value: str) -> str:
    """A personal value with only its ends left: 410***********123X, 郑*信."""
    if len(value) <= 2:
        return value[:1] + "*"
    ends = 4 if len(value) >= 11 else 1
    return value[: min(3, ends)] + "*" * (len(value) - min(3, ends) - ends) + value[-ends:]
