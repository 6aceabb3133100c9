"""``zhixin table export | import``: the indicators of a rulebook as a workbook, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import RulebookArgument, words
from zhixin.errors import UsageError


def export(
    rulebook: RulebookArgument,
    out: Annotated[Path, typer.Argument(help=words("要写的工作簿（.xlsx）", "workbook to write (.xlsx)"))],
) -> None:
    """Write the indicators of a rulebook to a workbook: one row an indicator, one column a key, the article last."""
    from zhixin.explanation.indicator_tables import export_indicators
    from zhixin.law.loading import rulebook_file

    if out.suffix.lower() != ".xlsx":
        raise UsageError(f"{out} 应以 .xlsx 结尾", f"{out} should end in .xlsx")
    count = export_indicators(rulebook_file(rulebook), out)
    Screen().say(f"{count} 项指标写入 {out}", f"{count} indicators written to {out}")


def import_(
    rulebook: RulebookArgument,
    table: Annotated[Path, typer.Argument(help=words("改好的工作簿", "the workbook that was changed"))],
    drop: Annotated[
        list[str] | None,
        typer.Option(help=words("要删除的指标编号，可重复", "id of an indicator to remove; may be repeated")),
    ] = None,
) -> None:
    """Take a changed workbook back into the rulebook; what was not changed stays as it is written."""
    from zhixin.explanation.indicator_tables import import_indicators
    from zhixin.explanation.rulebook_text_edits import flow
    from zhixin.law.loading import rulebook_file

    screen = Screen()
    changes = import_indicators(rulebook_file(rulebook), table, drop or [])
    for change in changes:
        name = f"{change.indicator}.{change.key}" if change.key else change.indicator
        was, now = ("—" if value is None else flow(value) for value in (change.was, change.now))
        screen.say(f"{name}：{was} → {now}", f"{name}: {was} → {now}")
    screen.say(f"{len(changes)} 处改动", f"{len(changes)} change(s)")
