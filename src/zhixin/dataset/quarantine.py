"""Refused rows as files: line, rule, field, value, reason, remedy, and the unchanged row."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from zhixin.dataset.cell_parsers import Refusal
from zhixin.dataset.hiding_persons import hide_persons


@dataclass
class TableReport:
    """What became of one table."""

    file: str
    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    """Rows that say again what another row has said; they are counted and not taken in twice."""
    rules: Counter[str] = field(default_factory=Counter)
    ignored_columns: tuple[str, ...] = ()

    @property
    def adds_up(self) -> bool:
        return self.rows == self.accepted + self.quarantined + self.duplicates


class Quarantine:
    """Refused rows of one table, each with rule, field, value, reason, remedy and the unchanged row."""

    HEADER = ("line", "rule", "field", "value", "reason_zh", "reason_en", "remedy_zh", "remedy_en", "row")

    def __init__(self, path: Path, report: TableReport) -> None:
        self.report = report
        self.file = path.open("w", encoding="utf-8-sig", newline="")
        self.writer = csv.writer(self.file)
        self.writer.writerow(self.HEADER)

    def add(self, line: int, name: str, value: Any, why: Refusal, raw: str) -> None:
        self.report.quarantined += 1
        self.report.rules[why.rule] += 1
        row = (line, why.rule, name, "" if value is None else value, *why.reason, *why.remedy, raw)
        self.writer.writerow([_inert(hide_persons(cell)) for cell in row])

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _inert(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return "'" + cell if isinstance(cell, str) and cell[:1] in "=+-@\t\r＝＋－＠" and cell[:1] else cell
