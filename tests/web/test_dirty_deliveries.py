"""Spreadsheets with every kind of dirt and known truth: nothing goes in silently wrong, hardly anything right is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dirty_deliveries import (
    FIRMS,
    ROWS,
    SEED,
    Dirty,
    deliveries,
    firms,
    judge,
    normal_document,
    registrations_csv,
    wrongly_refused,
)
from shipped import shipped
from zhixin import open_snapshot
from zhixin.dataset.acceptance import accept
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.reading import read_table
from zhixin.errors import DatasetError
from zhixin_web.collection.models import Batch
from zhixin_web.records.models import CreditRecord

pytestmark = pytest.mark.django_db

ALL = deliveries(SEED, ROWS)
BY_FILE = {item.file_name: item for item in ALL}
MOST_WRONGLY_REFUSED = 0.05
HANDED_IN: dict[str, tuple[dict[int, dict[str, Any]], bool]] = {}
"""What became of each file where it was handed in alone; the last test counts over all of them."""


def by_kind(item: Dirty) -> str:
    return f"{item.kind}-{item.file_name}"


def committed_by_the_site(batch: Batch) -> dict[int, dict[str, Any]]:
    found = {}
    for record in CreditRecord.objects.filter(batch=batch).select_related("subject"):
        body = json.loads(record.body)
        found[record.line] = {
            "code": record.subject.code, "document": body.get("document"), "amount_fen": body.get("fields", {}).get("amount"),
            "decided_on": record.decided_on,
        }  # fmt: skip
    return found


def handed_in(take: Any, dirty: Dirty) -> tuple[dict[int, dict[str, Any]], bool]:
    """What became records, by line, and whether nothing did."""
    try:
        batch = take("penalties", dirty.content, file_name=dirty.file_name, automatic=True, commit=False)
    except FileRefused:
        return {}, True
    if batch.file_name != dirty.file_name:
        return {}, True  # the same bytes as an earlier delivery: that batch, and no new one
    return committed_by_the_site(batch), batch.accepted == 0


@pytest.mark.parametrize("dirty", ALL, ids=by_kind)
def test_the_site_takes_nothing_in_silently_wrong(registered: None, take: Any, dirty: Dirty) -> None:
    if dirty.after is not None:
        _, nothing = handed_in(take, BY_FILE[dirty.after])
        assert not nothing, "the file before it was not taken in"
    found = handed_in(take, dirty)
    if dirty.after is None:
        HANDED_IN[dirty.file_name] = found
    assert judge(dirty, *found) == []


def test_the_site_refuses_hardly_anything_that_is_right(registered: None, take: Any) -> None:
    clean, wrong = 0, Counter[str]()
    for dirty in (item for item in ALL if item.after is None):
        found, nothing = HANDED_IN.get(dirty.file_name) or handed_in(take, dirty)
        clean += sum(row.is_data and not row.must_ask for row in dirty.truth) if not dirty.wrongly_refused_ok else 0
        wrong[dirty.kind] += wrongly_refused(dirty, found, nothing)
    assert wrong.total() <= MOST_WRONGLY_REFUSED * clean, (
        wrong.total(),
        clean,
        str([item for item in wrong.most_common() if item[1]]),
    )


@pytest.mark.parametrize("dirty", [item for item in ALL if item.after is None], ids=by_kind)
def test_the_command_line_takes_nothing_in_silently_wrong(tmp_path: Path, dirty: Dirty) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "registrations.csv").write_bytes(registrations_csv(firms(FIRMS, SEED)))
    (folder / f"penalties{Path(dirty.file_name).suffix}").write_bytes(dirty.content)
    try:
        accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))
    except DatasetError:
        return  # refused as a whole, with the reason
    tables = open_snapshot(tmp_path / "out")
    codes = dict(enumerate(read_table(tables.subjects)["subject_id"].to_pylist()))
    lines: dict[tuple[str | None, str], int] = {}
    for row in dirty.truth:
        lines.setdefault((row.code, normal_document(row.document)), row.line)
    found: dict[int, dict[str, Any]] = {}
    for number, row in enumerate(read_table(tables.records).to_pylist()):
        line = lines.get((codes[row["subject_no"]], normal_document(row["document"])), -number - 1)
        found[line] = {
            "code": codes[row["subject_no"]], "document": row["document"], "amount_fen": row["amount"], "decided_on": row["decided_on"],
        }  # fmt: skip
    assert judge(dirty, found, not found) == []
