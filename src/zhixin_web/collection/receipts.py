"""Receipts of deliveries: what became of every row, as JSON and as a workbook."""

from __future__ import annotations

import io
from typing import Any

from zhixin.dataset.sources import sources
from zhixin.dataset.spreadsheets import safe_cell
from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
from zhixin_web.records.models import CreditRecord, SubjectVersion


def receipt(batch: Batch) -> dict[str, Any]:
    """What became of every row, as JSON: ``receipt/1``."""
    rows = [{"line": line, "outcome": "accepted", "seq": seq} for line, seq in _accepted(batch)]
    rows += [
        {"line": line, "outcome": "duplicate", "seq": seq}
        for line, seq in DuplicateRow.objects.filter(batch=batch).values_list("line", "seq")
    ]
    for item in QuarantinedRow.objects.filter(batch=batch).exclude(status=QuarantinedRow.Status.RESOLVED):
        rows.append({"line": item.line, "outcome": "quarantined", "faults": item.faults})
    return {
        "format": "receipt/1", "batch": batch.pk, "source": batch.source, "file": batch.file_name, "sha256": batch.sha256, "status": batch.status,
        "fault": batch.fault or None, "rows": batch.rows, "accepted": batch.accepted, "quarantined": batch.quarantined, "duplicates": batch.duplicates,
        "unread_columns": batch.preview.get("unknown", []), "units_yuan": batch.preview.get("units", {}), "waits_for": waits_for(batch),
        "ledger": [batch.first_seq, batch.last_seq], "lines": sorted(rows, key=lambda row: row["line"]),
    }  # fmt: skip


def waits_for(batch: Batch) -> list[dict[str, str]]:
    """What a person has to say before a batch is taken in, each in both languages; empty: it waits for nobody."""
    if batch.status == Batch.Status.MAPPING:
        missing = [
            {"zh": f"缺少必需的列：{name}", "en": f"a required column is missing: {name}"}
            for name in batch.preview.get("missing", [])
        ]
        return missing + [{"zh": item["zh"], "en": item["en"]} for item in batch.preview.get("questions", [])]
    if batch.status == Batch.Status.HELD and batch.preview.get("held"):
        return [dict(batch.preview["held"])]
    if batch.status == Batch.Status.STAGED:
        return [{"zh": "请核对检查结果后确认入库", "en": "look at the check and confirm"}]
    return []


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
    import xlsxwriter  # slow to import, and needed for a download alone

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
    rows = QuarantinedRow.objects.filter(batch=batch).exclude(status=QuarantinedRow.Status.RESOLVED).order_by("line")
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
