"""Words of the command line, in the user's language."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from zhixin.errors import Message, user_language


def words(zh: str, en: str) -> str:
    """Return the one of two texts that the user reads (see :func:`zhixin.errors.user_language`)."""
    return Message(zh, en).in_language(user_language())


RulebookArgument = Annotated[
    str, typer.Argument(help=words("规则文件、文件夹或自带规则的编号", "rulebook file, folder or id of a shipped one"))
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help=words("评价日期，默认今天", "evaluation date, today by default")),
]
AsJson = Annotated[bool, typer.Option("--json", help=words("输出 JSON", "print JSON"))]
RunArgument = Annotated[Path, typer.Argument(help=words("结果文件夹", "folder of a run"))]
SubjectArgument = Annotated[str, typer.Argument(help=words("统一社会信用代码", "unified social credit code"))]


def day_of(as_of: datetime | None) -> date:
    """Return the day of an option, today where it is left out."""
    return date.today() if as_of is None else as_of.date()
