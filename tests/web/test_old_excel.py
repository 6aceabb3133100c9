"""A delivery as an old Excel workbook (.xls, BIFF 8) is read like any other: text, numbers, dates of both systems."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
import xlwt

from zhixin_web.collection.models import Batch
from zhixin_web.records.models import CreditRecord, Subject

HEAD = ("统一社会信用代码", "企业名称", "处理结果文书号", "办结日期")


def _workbook(rows: list[tuple[Any, ...]], *, starts_1904: bool = False) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = starts_1904
    sheet = book.add_sheet("数据")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for place, row in enumerate([HEAD, *rows]):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write(place, column, value, day)
            else:
                sheet.write(place, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("starts_1904", [False, True])
def test_rows_of_an_old_workbook_are_taken_in(subjects: list[Subject], take: Any, starts_1904: bool) -> None:
    rows = [
        (subjects[0].code, subjects[0].name, "（虚构）旧1", date(2026, 9, 1)),
        (subjects[1].code, subjects[1].name, "（虚构）旧2", "2026/9/2"),
    ]
    batch = take("complaints", _workbook(rows, starts_1904=starts_1904), file_name="旧格式.xls")
    assert (batch.status, batch.accepted, batch.quarantined) == (Batch.Status.COMMITTED, 2, 0)
    found = CreditRecord.objects.filter(batch=batch).order_by("line").values_list("decided_on", flat=True)
    assert list(found) == [date(2026, 9, 1), date(2026, 9, 2)]


def test_a_bad_row_of_an_old_workbook_is_quarantined_with_its_line(subjects: list[Subject], take: Any) -> None:
    rows = [
        (subjects[0].code, subjects[0].name, "（虚构）旧3", "2026-02-30"),
        (subjects[1].code, subjects[1].name, "（虚构）旧4", date(2026, 9, 2)),
    ]
    batch = take("complaints", _workbook(rows), file_name="旧格式.xls")
    assert (batch.accepted, batch.quarantined) == (1, 1)
    assert batch.quarantine.get().line == 2


def test_half_an_old_workbook_is_sent_back_with_what_to_do(subjects: list[Subject], take: Any) -> None:
    batch = take(
        "complaints",
        _workbook([(subjects[0].code, subjects[0].name, "x", date(2026, 9, 1))])[:1500],
        file_name="旧格式.xls",
        commit=False,
    )
    assert batch.status == Batch.Status.REFUSED
    assert batch.fault["fix_zh"]
