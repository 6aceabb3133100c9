"""``zhixin accept | synth``: datasets in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import AsOf, RulebookArgument, day_of, words
from zhixin.errors import EXIT_QUARANTINED, UsageError

if TYPE_CHECKING:
    from zhixin.dataset.acceptance import Report


def accept(
    rulebook: RulebookArgument,
    dataset: Annotated[Path, typer.Argument(help=words("数据文件夹", "dataset folder"))],
    out: Annotated[Path, typer.Option(help=words("快照文件夹", "folder of the snapshot"))],
    as_of: AsOf = None,
    epoch: Annotated[
        int, typer.Option(help=words("电子表格日期序号起点 1900 或 1904", "epoch of spreadsheet serials, 1900 or 1904"))
    ] = 1900,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            help=words(
                "对来源文件的说明，如 penalties.unit:amount=10000（金额单位为万元）；可重复",
                "what a person says of a source's file, such as penalties.unit:amount=10000 (amounts in 万元); may be repeated",
            )
        ),
    ] = None,
) -> None:
    """Check a dataset: every row is accepted or quarantined."""
    screen = Screen()
    report = accept_into(screen, rulebook, dataset, out, day_of(as_of), epoch, answers_in(answer or []))
    end_with(screen, report)


def accept_into(
    screen: Screen,
    rulebook: str,
    dataset: Path,
    out: Path,
    as_of: date,
    epoch: int = 1900,
    answers: Mapping[str, Mapping[str, str]] | None = None,
) -> Report:
    """Accept a dataset with progress on screen.

    Raises:
        UsageError: no such epoch.
    """
    from zhixin.dataset.acceptance import accept as accept_dataset
    from zhixin.law.loading import load_rulebook

    if epoch not in (1900, 1904):
        raise UsageError("日期序号起点只能是 1900 或 1904", "the epoch is 1900 or 1904")
    loaded = load_rulebook(rulebook)
    with screen.progress() as progress:
        task = progress.add_task("", total=None)
        report = accept_dataset(
            loaded,
            dataset,
            out,
            as_of,
            epoch=epoch,
            answers=answers,
            progress=lambda name, rows: progress.update(task, description=f"{name} {rows:,}"),
        )
    screen.report(report)
    return report


def answers_in(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return ``source.question=answer`` options by source.

    Raises:
        UsageError: an option of another form.
    """
    found: dict[str, dict[str, str]] = {}
    for text in given:
        question, equals, answer = text.partition("=")
        source, dot, name = question.partition(".")
        if not (equals and dot and name and answer):
            raise UsageError(
                f"--answer 应写成 来源.问题=回答，而不是「{text}」", f"--answer is source.question=answer, not {text!r}"
            )
        found.setdefault(source, {})[name] = answer
    return found


def end_with(screen: Screen, report: Report | None) -> None:
    """Say in the last line and the exit status whether rows are in quarantine."""
    if report is not None and report.quarantined:
        folder = report.folder / "quarantine"
        screen.say(
            f"完成，但有 {report.quarantined:,} 行被隔离，见 {folder}",
            f"done, but {report.quarantined:,} rows are in quarantine: {folder}",
        )
        raise typer.Exit(EXIT_QUARANTINED)
    screen.say("完成", "done")


def synth(
    out: Annotated[Path, typer.Option(help=words("输出文件夹", "folder to write"))],
    subjects: Annotated[int, typer.Option(min=1, help=words("户数", "enterprises"))] = 20_000,
    seed: Annotated[int, typer.Option(help=words("随机种子", "seed"))] = 7,
    dirt: Annotated[
        float | None,
        typer.Option(min=0, help=words("按此倍率写带脏数据的 CSV", "write CSV with dirt at this rate")),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Make a fictional city."""
    from zhixin.fiction.city import City
    from zhixin.fiction.dirt import write_dirty

    screen = Screen()
    city = City(subjects, seed, day_of(as_of))
    with screen.progress() as progress:
        progress.add_task(screen.word("生成", "making"), total=None)
        counts = city.write(out) if dirt is None else write_dirty(city, out, dirt)
    screen.say(f"演示数据：{counts} → {out}", f"demonstration data: {counts} → {out}")
