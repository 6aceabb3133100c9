"""``zhixin ledger verify``: an outsider's check of the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import words


def verify(
    dump: Annotated[Path, typer.Argument(help=words("导出的账本（每行一条 JSON）", "the dump, one JSON object a line"))],
    checkpoints: Annotated[
        Path,
        typer.Option(
            help=words(
                "检查点（/ledger/checkpoints 的 JSON 或单个签名文本）",
                "checkpoints: the JSON of /ledger/checkpoints, or one signed note",
            )
        ),
    ],
    key: Annotated[str, typer.Option(help=words("验证公钥", "the verification key: name, id and base64"))],
) -> None:
    """Check a dump of the ledger against its signed checkpoints; needs nothing from the site."""
    from zhixin.trust.ledger import verify_dump

    text = checkpoints.read_text(encoding="utf-8")
    notes = json.loads(text)["checkpoints"] if text.lstrip().startswith("{") else [text]
    with dump.open(encoding="utf-8") as lines:
        verdict = verify_dump(lines, notes, key)
    Screen().say(
        f"账本完整：{verdict.entries} 条，{verdict.checkpoints} 个检查点均符，根 {verdict.root.hex()}",
        f"the ledger holds: {verdict.entries} entries, {verdict.checkpoints} checkpoints fit, root {verdict.root.hex()}",
    )
