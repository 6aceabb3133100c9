"""``zhixin evaluate | explain | outlook | compare``: runs and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zhixin.cli.datasets import accept_into, end_with
from zhixin.cli.screen import Screen, as_json
from zhixin.cli.words import AsJson, AsOf, RulebookArgument, RunArgument, SubjectArgument, day_of, words


def evaluate(
    rulebook: RulebookArgument,
    dataset: Annotated[Path, typer.Argument(help=words("数据快照或原始数据文件夹", "snapshot, or a folder of raw files"))],
    out: Annotated[Path, typer.Option(help=words("结果文件夹", "folder of the run"))],
    as_of: AsOf = None,
    known_at: Annotated[
        int | None,
        typer.Option(help=words("只用到该账本序号为止的记录", "only records up to this ledger sequence")),
    ] = None,
    engine: Annotated[
        str, typer.Option(help=words("polars（默认）、duckdb 或 spark", "polars (the default), duckdb or spark"))
    ] = "polars",
    evidence: Annotated[bool, typer.Option(help=words("写入记录编号", "write record numbers"))] = True,
) -> None:
    """Evaluate every subject; raw files are accepted first."""
    from zhixin.evaluation.engines.choice import open_engine
    from zhixin.evaluation.run import evaluate as evaluate_run
    from zhixin.law.loading import load_rulebook

    screen = Screen()
    report = None
    loaded = load_rulebook(rulebook)
    if not (dataset / "dataset.json").is_file():
        snapshot = out.with_name(out.name + ".dataset")
        report = accept_into(screen, rulebook, dataset, snapshot, day_of(as_of))
        dataset = snapshot
    with screen.progress() as progress:
        task = progress.add_task("", total=None)
        run = evaluate_run(
            loaded,
            dataset,
            out,
            day_of(as_of),
            known_at=known_at,
            engine=None if engine == "polars" else open_engine(engine),  # type: ignore[arg-type]
            evidence=evidence,
            progress=lambda stage: progress.update(task, description=stage),
        )
    screen.grades(loaded, run.info["counts"]["grades"])
    screen.say(f"结果：{out}（{run.info['result_sha256'][:12]}）", f"run: {out} ({run.info['result_sha256'][:12]})")
    end_with(screen, report)


def explain(run: RunArgument, subject: SubjectArgument, json: AsJson = False) -> None:
    """Say why a subject has its grade: the indicator, records and article of every point."""
    from zhixin.evaluation.archive import RunFolder
    from zhixin.explanation.explanation import explain_run

    _print(Screen(), explain_run(RunFolder.open(run), subject), json)


def outlook(
    run: RunArgument,
    subject: SubjectArgument,
    months: Annotated[int, typer.Option(help=words("向前月数", "months ahead"))] = 36,
    json: AsJson = False,
) -> None:
    """Say what expires when, what a repair changes, when a better grade comes."""
    from zhixin.evaluation.archive import RunFolder, facts_of
    from zhixin.explanation.outlook import Outlook

    folder = RunFolder.open(run)
    content = Outlook(folder.rulebook, facts_of(folder, subject), folder.moment, months).content()
    _print(Screen(), content, json)


def _print(screen: Screen, content: dict[str, Any], json: bool) -> None:
    if json:
        typer.echo(as_json(content))
        return
    for line in content["text"]["zh" if screen.language == "zh" else "en"]:
        screen.out.print(line, markup=False)


def compare(
    before: RunArgument,
    after: Annotated[Path, typer.Argument(help=words("另一结果文件夹", "folder of the other run"))],
    movers: Annotated[int, typer.Option(help=words("列出的户数", "movers listed"))] = 20,
) -> None:
    """Compare two runs: transitions, causes, workload."""
    from zhixin.analysis.comparison import compare as compare_runs
    from zhixin.evaluation.archive import RunFolder

    Screen().comparison(compare_runs(RunFolder.open(before), RunFolder.open(after), movers=movers))
