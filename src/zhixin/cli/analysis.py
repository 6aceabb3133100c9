"""``zhixin validity | weights``: whether grades work, and weights for indicators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import RunArgument, words
from zhixin.errors import UsageError


def validity(
    run: RunArgument,
    findings: Annotated[
        Path,
        typer.Argument(
            help=words("检查结果：subject_id, found(0/1)", "inspections with their findings: subject_id, found (0 or 1)")
        ),
    ],
) -> None:
    """Measure whether the grading works: hit rate, lift, AUC, KS."""
    import polars as pl

    from zhixin.analysis.validity_of_grades import measure
    from zhixin.dataset.sheets_and_encodings import read_sheet
    from zhixin.evaluation.archive import RunFolder
    from zhixin.law.vocabulary import Direction

    screen = Screen()
    folder = RunFolder.open(run)
    sheet = read_sheet(findings)
    for name in ("subject_id", "found"):
        if name not in sheet.header:
            raise UsageError(f"{findings} 缺少列 {name}", f"{findings} lacks the column {name}")
    places = [sheet.header.index(name) for name in ("subject_id", "found")]
    rows = [(str(row.cells[places[0]]), found_in(row.cells[places[1]], findings, row.line)) for row in sheet.rows]
    found = pl.DataFrame(rows, schema={"subject_id": pl.String, "found": pl.Int64}, orient="row")
    joined = found.join(pl.read_parquet(folder.path / "grades.parquet"), on="subject_id")
    missing = len(found) - len(joined)
    if missing:
        screen.warn(
            f"{missing} 次检查的主体不在评价结果中，未计入",
            f"{missing} inspection(s) of subjects outside the run are left out",
        )
    rulebook = folder.rulebook
    sign = 1 if rulebook.direction is Direction.HIGHER_RISKIER else -1
    screen.validity(
        measure(
            joined["score_milli"].to_numpy() * sign,
            joined["found"].to_numpy(),
            joined["grade"].to_list(),
            list(rulebook.grade_rank),
        )
    )


def found_in(cell: Any, file: Path, line: int) -> int:
    """Return 1 where an inspection found something, 0 where it did not.

    Raises:
        UsageError: blank, a count, or anything but 0, 1, 是, 否, yes or no: nothing is guessed.
    """
    from zhixin.dataset.cell_parsers import Refusal, parse_boolean

    value = parse_boolean(cell)
    if value is None or isinstance(value, Refusal):
        raise UsageError(
            f"{file} 第 {line} 行：found 应为 0 或 1（是、否亦可），而不是「{cell if cell is not None else ''}」",
            f"{file} line {line}: found is 0 or 1 (yes or no), not {cell!r}",
        )
    return int(value)


def weights(
    judgements: Annotated[
        Path | None,
        typer.Option(
            help=words("AHP 判断矩阵（CSV、Excel，首行首列为名称）", "AHP: pairwise matrix, names in first row and column")
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help=words("指标数据（CSV、Excel、Parquet，列为指标）", "data, one column for each item")),
    ] = None,
    share: Annotated[float, typer.Option(help=words("专家权重份额", "the experts' share"))] = 0.5,
) -> None:
    """Give weights: AHP, entropy, CRITIC, combined."""
    from zhixin.analysis.weighting import Weights, ahp, combine, critic, entropy
    from zhixin.dataset.sheets_and_encodings import read_sheet

    screen = Screen()
    columns: dict[str, Weights] = {}
    if judgements is not None:
        sheet = read_sheet(judgements)
        matrix = [[ratio_of(cell, judgements, row.line) for cell in row.cells[1:]] for row in sheet.rows]
        columns["AHP"] = ahp(sheet.header[1:], matrix)
    if data is not None:
        sheet = read_sheet(data)
        table = [[number_of(cell, data, row.line) for cell in row.cells] for row in sheet.rows]
        columns |= {"entropy": entropy(sheet.header, table), "CRITIC": critic(sheet.header, table)}
    if not columns:
        raise UsageError("请用 --judgements 或 --data 给出判断矩阵或数据", "give --judgements or --data")
    if "AHP" in columns and "CRITIC" in columns:
        columns["AHP+CRITIC"] = combine(columns["AHP"], columns["CRITIC"], share)
    screen.weights(columns)


def ratio_of(cell: Any, file: Path, line: int) -> float:
    """Return a judgement written as 3, 0.333, 1/3 or 1／3.

    Raises:
        UsageError: anything else; a spreadsheet that made a date of 1/3 is named as such.
    """
    import unicodedata

    text = unicodedata.normalize("NFKC", str(cell if cell is not None else "")).strip()
    top, slash, bottom = text.partition("/")
    try:
        value = float(top) / float(bottom if slash else 1)
    except (ValueError, ZeroDivisionError):
        value = 0.0
    if not 0 < value < float("inf"):
        hint = (
            "（表格软件把 1/3 变成了日期？请把列设为文本）",
            " (did the spreadsheet make a date of 1/3? make the column text)",
        )
        raise UsageError(
            f"{file} 第 {line} 行：「{text}」不是判断值，应为 3、0.333 或 1/3{hint[0]}",
            f"{file} line {line}: {text!r} is no judgement; write 3, 0.333 or 1/3{hint[1]}",
        )
    return value


def number_of(cell: Any, file: Path, line: int) -> float:
    """Return a number of the data.

    Raises:
        UsageError: blank or no number.
    """
    import math

    try:
        value = float(str(cell if cell is not None else "").strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(
            f"{file} 第 {line} 行：「{cell if cell is not None else ''}」不是数值；空缺请先补齐或删去该行",
            f"{file} line {line}: {cell!r} is no number; fill the gap or leave the row out",
        )
    return value
