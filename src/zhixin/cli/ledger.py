"""``zhixin ledger verify``: an outsider's check of the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import words
from zhixin.errors import EXIT_NOT_ALL_CHECKED, LedgerUnreadable

if TYPE_CHECKING:
    from zhixin.trust.verification import Verdict


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
    from zhixin.trust.verification import verify_dump

    notes = _notes(checkpoints)
    try:
        with dump.open(encoding="utf-8") as lines:
            verdict = verify_dump(lines, notes, key)
    except UnicodeDecodeError as error:
        raise LedgerUnreadable(f"{dump} 不是 UTF-8 文本", f"{dump} is no UTF-8 text") from error
    _say(Screen(), verdict)
    if not verdict.is_whole:
        raise typer.Exit(EXIT_NOT_ALL_CHECKED)


def _say(screen: Screen, verdict: Verdict) -> None:
    """Say what was checked, and what was not."""
    screen.say(
        f"账本 {verdict.entries} 条，根 {verdict.root.hex()}；检查点 {verdict.checkpoints} 个均符，覆盖前 {verdict.covered} 条",
        f"{verdict.entries} entries, root {verdict.root.hex()}; {verdict.checkpoints} checkpoints fit and cover the first {verdict.covered}",
    )
    screen.say(
        f"内容已核对 {verdict.opened} 条；未核对 {verdict.unopened} 条（导出中只有承诺值：内容已清除或未导出）",
        f"contents compared: {verdict.opened}; not compared: {verdict.unopened} (the dump holds their commitments alone)",
    )
    if verdict.is_whole:
        screen.say("账本完整", "the ledger holds")
    elif not verdict.checkpoints:
        screen.say("没有检查点：条目前后一致，但没有任何签名为它作证", "no checkpoint: nobody has signed for these entries")
    else:
        screen.say(
            f"检查点之后还有 {verdict.beyond} 条，尚无签名作证；取更新的检查点再核对",
            f"{verdict.beyond} entries are beyond the last checkpoint and nobody has signed for them: get a newer checkpoint",
        )


def _notes(path: Path) -> list[str]:
    """Read the checkpoints: the JSON of ``/ledger/checkpoints``, or one signed note."""
    try:
        text = path.read_text(encoding="utf-8")
        if not text.lstrip().startswith("{"):
            return [text] if text.strip() else []
        notes = json.loads(text)["checkpoints"]
        if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
            raise ValueError("checkpoints")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LedgerUnreadable(f"{path} 不是检查点文件", f"{path} holds no checkpoints") from error
    return notes
