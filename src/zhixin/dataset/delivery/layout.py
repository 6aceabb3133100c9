"""Finds the header of a delivered table, the meaning of its columns, and the questions a person must answer first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from zhixin.dataset.cell_parsers import is_empty
from zhixin.dataset.delivery.refusals import FileRefused, Question, empty_file
from zhixin.dataset.delivery.table import DeliveredTable
from zhixin.dataset.delivery.units import (
    LIKELY_MONEY,
    MONEY,
    ask_unit,
    refuse_scaling_format,
    unit_of_column,
    unit_stated_in,
    without_unit,
)
from zhixin.dataset.identity import check_uscc
from zhixin.dataset.sources import SourceManifest, header_key, header_names, sources

HEADER_ROWS = 10
SAMPLE = 200


@dataclass(frozen=True)
class Layout:
    """Header and columns of a file.

    ``columns`` maps index → field, ``units`` money field → yuan per unit; ``missing`` are required fields without a
    column, ``unknown`` headers that are not read. ``spare`` columns at the end of every row hold nothing.
    """

    header: list[str]
    header_line: int
    columns: dict[int, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    units: dict[str, int] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    spare: int = 0

    @property
    def widths(self) -> set[int]:
        """How many cells a row of a text may have."""
        return {len(self.header), len(self.header) + self.spare}


def known_header(manifest: SourceManifest, text: Any) -> str:
    """Return the field that a header names, its unit left aside; empty: none."""
    names = header_names(manifest.id)
    written = str(text if text is not None else "")
    found = names.get(header_key(written)) or names.get(header_key(without_unit(written)), "")
    if found:
        return found
    return _money_titles(manifest.id).get(header_key(without_unit(written)), "") if written.strip() else ""


@cache
def _money_titles(source: str) -> dict[str, str]:
    """Titles of the money columns of a source, their units left aside → field."""
    return {
        header_key(without_unit(title)): item.id
        for item in sources()[source].fields
        if item.type in MONEY
        for title in (item.title, *item.aliases)
    }


def score_of(manifest: SourceManifest, remembered: Mapping[str, str]) -> Any:
    """Return the function that counts the known headers of a row."""

    def score(cells: list[Any]) -> int:
        return sum(1 for cell in cells if known_header(manifest, cell) or remembered.get(str(cell)))

    return score


def find_layout(
    table: DeliveredTable, manifest: SourceManifest, remembered: Mapping[str, str], answers: Mapping[str, str]
) -> Layout:
    """Return the header (titles may stand above it, and it may take two rows) and what each column is.

    Args:
        table: as opened.
        manifest: the source it was delivered for.
        remembered: header as written → field (``""``: ignore), as a person said.
        answers: question → answer, as a person said.

    Raises:
        FileRefused: it is empty, belongs to another source, columns look swapped, or merged cells stand in the data.
    """
    top = list(islice(table.rows(), HEADER_ROWS))
    if not top or all(is_empty(cell) for _, cells in top for cell in cells):
        raise empty_file()
    line, header = _header(top, manifest, remembered)
    if not remembered:  # a person who mapped the columns has said what the file is
        _refuse_other_source(manifest, header)
    columns: dict[int, str] = {}
    unknown = []
    for index, text in enumerate(header):
        name = remembered[text] if text in remembered else known_header(manifest, text)
        if name and name not in columns.values():
            columns[index] = name
        elif text.strip():
            unknown.append(text)
    refuse_merges(table, line)
    above = (unit_stated_in(str(cell)) for number, cells in top if number < line for cell in cells if cell)
    titled = next((unit for unit in above if unit is not None), None)
    units, questions = _units(manifest, header, columns, answers, table.formats or {}, titled)
    questions += _two_for_one(manifest, header, columns, remembered)
    missing = tuple(item.id for item in manifest.fields if item.required and item.id not in columns.values())
    questions += _unread_money(manifest, columns, unknown, remembered)
    layout = Layout(
        header, line, columns, missing, tuple(unknown), units, tuple(questions), _spare(table, line, len(header))
    )
    _refuse_swapped(table, layout)
    return layout


def _header(
    top: list[tuple[int, list[Any]]], manifest: SourceManifest, remembered: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Return the last line of the header and its titles: one row, or two read together where that names more columns."""
    score = score_of(manifest, remembered)
    best_line, best_header, best = 1, [""], -1
    for place, (line, cells) in enumerate(top):
        single = [_title(cell) for cell in cells]
        if score(single) > best:
            best_line, best_header, best = line, single, score(single)
        if place + 1 < len(top):
            below = top[place + 1][1]
            if not any(_is_code(cell) for cell in (*cells, *below)):
                width = max(len(cells), len(below))
                both = [_title(_at(cells, index)) + _title(_at(below, index)) for index in range(width)]
                if score(both) > best:
                    best_line, best_header, best = top[place + 1][0], both, score(both)
    return best_line, best_header


def _at(cells: list[Any], index: int) -> Any:
    return cells[index] if index < len(cells) else None


def _title(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _is_code(cell: Any) -> bool:
    return isinstance(cell, str) and len(cell.strip()) == 18 and check_uscc(cell).is_accepted


def _units(
    manifest: SourceManifest,
    header: list[str],
    columns: Mapping[int, str],
    answers: Mapping[str, str],
    formats: Mapping[int, tuple[str, ...]],
    titled: int | None,
) -> tuple[dict[str, int], list[Question]]:
    units: dict[str, int] = {}
    questions: list[Question] = []
    for index, name in columns.items():
        item = manifest.field(name)
        if item.type not in MONEY:
            continue
        answer = answers.get(f"unit:{name}", "")
        unit = int(answer) if answer in ("1", "10000") else unit_of_column(item, header[index])
        refuse_scaling_format(header[index], formats.get(index, ()), unit)
        if not answer and titled is not None and titled != unit:
            unit = None  # title and header say different things
        if unit is None:
            questions.append(ask_unit(item, header[index]))
        else:
            units[name] = unit
    return units, questions


def _two_for_one(
    manifest: SourceManifest, header: list[str], columns: Mapping[int, str], remembered: Mapping[str, str]
) -> list[Question]:
    """Two columns that both name one field: a person says which one it is."""
    found = []
    for index, text in enumerate(header):
        name = known_header(manifest, text) if text not in remembered else ""
        if name and index not in columns and name in columns.values():
            first = next(header[place] for place, item in columns.items() if item == name)
            found.append(Question("columns", f"「{first}」和「{text}」两列都对应「{manifest.field(name).title}」；请指明用哪一列",
                                  f"“{first}” and “{text}” both are “{manifest.field(name).title}”: say which one to read"))  # fmt: skip
    return found


def _unread_money(
    manifest: SourceManifest, columns: Mapping[int, str], unknown: list[str], remembered: Mapping[str, str]
) -> list[Question]:
    """A source with amounts whose file has a money column that nobody reads: a person says what it is."""
    wanted = [item for item in manifest.fields if item.type in MONEY and item.id not in columns.values()]
    found = [text for text in unknown if LIKELY_MONEY.search(text) and text not in remembered]
    if not wanted or not found:
        return []
    names = "、".join(found)
    return [Question("columns", f"「{names}」像是金额，但没有对应字段；请指明对应哪个字段或忽略",
                     f"“{names}” looks like an amount but is no field; say which field it is, or ignore it")]  # fmt: skip


def _spare(table: DeliveredTable, line: int, width: int) -> int:
    """Columns beyond the header that every row of a text has and none fills: the habit of a program, not a shift."""
    if not table.is_text:
        return 0
    rows = [cells for number, cells in islice(table.rows(), line + SAMPLE) if number > line]
    extra = {len(cells) - width for cells in rows}
    if len(rows) < 2 or len(extra) != 1 or (more := extra.pop()) <= 0:
        return 0
    return more if all(is_empty(cell) for cells in rows for cell in cells[width:]) else 0


def refuse_merges(table: DeliveredTable, header_line: int) -> None:
    """Refuse merged cells in the header or below it; merged titles above the header do no harm.

    Raises:
        FileRefused: names the range.
    """
    for item in table.merges:
        if item.bottom >= header_line:
            raise FileRefused(
                "file.merged",
                f"表头或数据区有合并单元格（{item.name}）",
                f"there are merged cells in the header or the data ({item.name})",
                "取消合并并填满每一格后重新提交",
                "unmerge them, fill every cell, deliver again",
            )


def _refuse_other_source(manifest: SourceManifest, header: list[str]) -> None:
    """A file is another source's if clearly more of its headers are known there."""
    keys = {header_key(text) for text in header if text.strip()}
    mine = keys & header_names(manifest.id).keys()

    def margin(other: SourceManifest) -> tuple[int, int]:
        theirs = keys & header_names(other.id).keys()
        return len(theirs - mine), len(mine - theirs)

    likely = max(
        (item for item in sources().values() if item.id != manifest.id), key=lambda item: margin(item)[0] - margin(item)[1]
    )
    gained, lost = margin(likely)
    if gained >= 2 and gained > lost:
        raise FileRefused(
            "file.other_source", f"这份文件像是「{likely.title.zh}」，不是「{manifest.title.zh}」", f"this looks like “{likely.title.en}”, not “{manifest.title.en}”",
            "到对应的数据来源下提交；确属本来源的，改用本来源模板的表头", "deliver it under that source; if it does belong here, use the headers of this source's template",
        )  # fmt: skip


def _refuse_swapped(table: DeliveredTable, layout: Layout) -> None:
    """Codes standing under another header while the code column holds none."""
    code_column = next((index for index, name in layout.columns.items() if name == "subject_id"), None)
    if code_column is None:
        return
    hits: Counter[int] = Counter()
    rows = 0
    for line, cells in islice(table.rows(), layout.header_line + SAMPLE):
        if line <= layout.header_line:
            continue
        rows += 1
        hits.update(index for index, cell in enumerate(cells) if _is_code(cell))
    for index, count in hits.items():
        if (
            index != code_column
            and count >= max(2, rows * 0.8)
            and hits[code_column] <= rows * 0.2
            and layout.columns.get(index)
        ):
            name = layout.header[index]
            raise FileRefused(
                "file.swapped", f"列的内容与表头不符：信用代码在「{name}」一列", f"columns are swapped: the codes stand under “{name}”",
                "把表头与内容对齐后重新提交", "put headers and contents in line, deliver again",
            )  # fmt: skip


def data_rows(table: DeliveredTable, layout: Layout) -> Iterator[tuple[int, list[Any]]]:
    """Return the rows below the header that hold anything."""
    for line, cells in table.rows():
        if line > layout.header_line and any(not is_empty(cell) for cell in cells):
            yield line, cells
