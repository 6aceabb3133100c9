"""The empty delivery of a source as a workbook: headers, drop-downs, notes, code lists."""

from __future__ import annotations

import io

import xlsxwriter

from zhixin.dataset.delivery.workbook_refusals import CODE_LISTS
from zhixin.dataset.sources import SourceManifest


def template_workbook(manifest: SourceManifest) -> bytes:
    """An empty delivery: headers, drop-downs, notes, and the code lists on a second sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    must, may_be, text = (
        book.add_format({"bold": True, "bg_color": "#F7E3C4"}),
        book.add_format({"bold": True, "bg_color": "#E8EEF7"}),
        book.add_format({"num_format": "@"}),
    )
    sheet, lists = book.add_worksheet("数据"), book.add_worksheet(CODE_LISTS)
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
                {
                    "validate": "list",
                    "source": f"='{CODE_LISTS}'!${column}$2:${column}${len(choices) + 1}",
                    "ignore_blank": True,
                },
            )
        sheet.write_comment(0, place, "\n".join(part for part in note if part))
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()
