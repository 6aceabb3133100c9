"""Examines a workbook of any kind before it is read. XML is streamed and no further than it may be, so memory stays small."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from zhixin.dataset.delivery.refusals import FileRefused, broken_file
from zhixin.dataset.delivery.workbook_ods import inside_ods
from zhixin.dataset.delivery.workbook_refusals import MEGABYTE, MOST_ENTRIES, MOST_RATIO, MOST_UNPACKED, Inside, too_large
from zhixin.dataset.delivery.workbook_xls import inside_xls
from zhixin.dataset.delivery.workbook_xlsx import inside_xlsx


def inside(path: Path) -> Inside:
    """Examine a workbook.

    Raises:
        FileRefused: it is broken or a bomb, hides something, or holds formulas; with the place and what to do.
    """
    if path.suffix.lower() == ".xls":
        return inside_xls(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(archive, path.stat().st_size)
            names = archive.namelist()
            if "xl/workbook.xml" in names:
                return inside_xlsx(archive, path)
            if "content.xml" in names:
                return inside_ods(archive, path)
    except _BROKEN as error:
        raise broken_file(error) from error
    raise FileRefused(
        "file.kind", "这不是工作簿", "this is no workbook", "请提供 CSV、xls、xlsx 或 ods", "give CSV, xls, xlsx or ods"
    )


_BROKEN = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, EOFError, NotImplementedError, RuntimeError, KeyError)


def _refuse_bomb(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * size + MEGABYTE:
        raise too_large(unpacked)
