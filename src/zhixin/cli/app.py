"""The command line: ``zhixin check | test | accept | evaluate | explain | outlook | compare | validity | weights | synth | demo | schema | ledger verify``.

Exit status: 0 done; 3 done, but rows lie in quarantine; 10 wrong use; 11 rulebook wrong; 12 a case fails; 13 dataset
unreadable; 14 weighting refused; 15 engine missing; 16 the ledger does not hold. Messages are Chinese or English by locale (``ZHIXIN_LANG`` wins).
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from zhixin.analysis.comparison import compare as compare_runs
from zhixin.analysis.validity_of_grades import measure
from zhixin.analysis.weighting import Weights, ahp, combine, critic, entropy
from zhixin.analysis.worked_examples import load_cases, run_cases
from zhixin.cli.demo import chicago, zhengzhou
from zhixin.cli.printing import Screen, as_json
from zhixin.dataset.files import read_sheet
from zhixin.dataset.snapshot import Report
from zhixin.dataset.snapshot import accept as accept_dataset
from zhixin.errors import EXIT_QUARANTINED, CaseFailure, RulebookError, UsageError, ZhixinError
from zhixin.evaluation.engines.databases import Engine
from zhixin.evaluation.outcome import open_engine
from zhixin.evaluation.run import RunFolder, facts_of
from zhixin.evaluation.run import evaluate as evaluate_run
from zhixin.explanation.explanation import explain_run
from zhixin.explanation.outlook import Outlook
from zhixin.fiction.city import City
from zhixin.fiction.dirt import write_dirty
from zhixin.law.loading import check_file, json_schema, load_rulebook, rulebook_file
from zhixin.law.vocabulary import Direction
from zhixin.trust.ledger import verify_dump

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="知信 Zhixin: credit rulebooks as data."
)

RulebookArgument = Annotated[str, typer.Argument(help="规则文件、文件夹或自带规则的编号 / rulebook file, folder or id")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="评价日期，默认今天 / evaluation date, today by default"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
EngineOption = Annotated[str, typer.Option(help="duckdb 或 spark / duckdb or spark")]


def _day(as_of: datetime | None) -> date:
    return date.today() if as_of is None else as_of.date()


@app.command()
def check(
    rulebook: RulebookArgument, warnings: Annotated[bool, typer.Option(help="列出提示 / list warnings too")] = True
) -> None:
    """检查规则文件，一次列出全部错误 / Check a rulebook; all faults at once."""
    screen = Screen()
    _, faults = check_file(rulebook)
    errors = [fault for fault in faults if not fault.is_warning]
    notes = len(faults) - len(errors)
    screen.faults(fault for fault in faults if warnings or not fault.is_warning)
    screen.say(f"{len(errors)} 处错误，{notes} 条提示", f"{len(errors)} fault(s), {notes} warning(s)")
    if errors:
        raise typer.Exit(RulebookError.exit_status)


@app.command()
def test(
    rulebook: RulebookArgument,
    engine: Annotated[
        list[str] | None, typer.Option(help="interpreter、polars、duckdb、spark，可重复 / may be repeated")
    ] = None,
) -> None:
    """运行规则自带的用例 / Run a rulebook's cases on every engine asked for."""
    screen = Screen()
    path = rulebook_file(rulebook)
    loaded = load_rulebook(path)
    cases_file = path.parent / "cases.yaml"
    if not cases_file.is_file():
        raise UsageError(f"没有用例文件 {cases_file}", f"there are no cases at {cases_file}")
    cases = load_cases(cases_file)
    engines: dict[str, Engine | None] = {}
    for name in engine or ["interpreter", "polars", "duckdb"]:
        engines[name] = None if name == "interpreter" else open_engine(name)  # type: ignore[arg-type]
    report = run_cases(loaded, cases, engines)
    for item in report.disagreements:
        screen.say(f"✗ [{item.engine}] {item.case}：{item.what.zh}", f"✗ [{item.engine}] {item.case}: {item.what.en}")
    failed = len({(item.case, item.engine) for item in report.disagreements})
    names = ", ".join(report.engines)
    screen.say(f"{report.cases} 个用例 × {names}：{failed} 个不符", f"{report.cases} cases × {names}: {failed} disagree")
    if failed:
        raise CaseFailure(f"{failed} 个用例与规则不符", f"{failed} case(s) do not come out as written")


@app.command()
def accept(
    rulebook: RulebookArgument,
    dataset: Annotated[Path, typer.Argument(help="数据文件夹 / dataset folder")],
    out: Annotated[Path, typer.Option(help="快照文件夹 / folder of the snapshot")],
    as_of: AsOf = None,
    epoch: Annotated[int, typer.Option(help="电子表格日期序号起点 1900 或 1904 / epoch of spreadsheet serials")] = 1900,
) -> None:
    """核对数据：接收或隔离每一行 / Check a dataset: every row is accepted or quarantined."""
    screen = Screen()
    report = _accept(screen, rulebook, dataset, out, _day(as_of), epoch)
    _end_with(screen, report)


def _accept(screen: Screen, rulebook: str, dataset: Path, out: Path, as_of: date, epoch: int = 1900) -> Report:
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
            progress=lambda name, rows: progress.update(task, description=f"{name} {rows:,}"),
        )
    screen.report(report)
    return report


def _end_with(screen: Screen, report: Report | None) -> None:
    """The last line and the exit status say whether rows lie in quarantine."""
    if report is not None and report.quarantined:
        folder = report.folder / "quarantine"
        screen.say(
            f"完成，但有 {report.quarantined:,} 行被隔离，见 {folder}",
            f"done, but {report.quarantined:,} rows lie in quarantine: {folder}",
        )
        raise typer.Exit(EXIT_QUARANTINED)
    screen.say("完成", "done")


@app.command()
def evaluate(
    rulebook: RulebookArgument,
    dataset: Annotated[Path, typer.Argument(help="数据快照或原始数据文件夹 / snapshot, or a folder of raw files")],
    out: Annotated[Path, typer.Option(help="结果文件夹 / folder of the run")],
    as_of: AsOf = None,
    known_at: Annotated[
        int | None, typer.Option(help="只用到该账本序号为止的记录 / only records up to this ledger sequence")
    ] = None,
    engine: EngineOption = "polars",
    evidence: Annotated[bool, typer.Option(help="写入记录编号 / write record numbers")] = True,
) -> None:
    """评价全部主体 / Evaluate every subject; raw files are accepted first."""
    screen = Screen()
    report = None
    loaded = load_rulebook(rulebook)
    if not (dataset / "dataset.json").is_file():
        snapshot = out.with_name(out.name + ".dataset")
        report = _accept(screen, rulebook, dataset, snapshot, _day(as_of))
        dataset = snapshot
    with screen.progress() as progress:
        task = progress.add_task("", total=None)
        run = evaluate_run(
            loaded,
            dataset,
            out,
            _day(as_of),
            known_at=known_at,
            engine=None if engine == "polars" else open_engine(engine),  # type: ignore[arg-type]
            evidence=evidence,
            progress=lambda stage: progress.update(task, description=stage),
        )
    screen.grades(loaded, run.info["counts"]["grades"])
    screen.say(f"结果：{out}（{run.info['result_sha256'][:12]}）", f"run: {out} ({run.info['result_sha256'][:12]})")
    _end_with(screen, report)


RunArgument = Annotated[Path, typer.Argument(help="结果文件夹 / folder of a run")]
SubjectArgument = Annotated[str, typer.Argument(help="统一社会信用代码 / subject id")]


@app.command()
def explain(run: RunArgument, subject: SubjectArgument, json: AsJson = False) -> None:
    """说明一户的等级：每一分的指标、记录与条款 / Why a subject has its grade."""
    screen = Screen()
    content = explain_run(RunFolder.open(run), subject)
    _print(screen, content, json)


@app.command()
def outlook(
    run: RunArgument,
    subject: SubjectArgument,
    months: Annotated[int, typer.Option(help="向前月数 / months ahead")] = 36,
    json: AsJson = False,
) -> None:
    """展望：何时期满、修复改变什么、最早何时升级 / What expires when, what repair changes."""
    screen = Screen()
    folder = RunFolder.open(run)
    content = Outlook(folder.rulebook, facts_of(folder, subject), folder.moment, months).content()
    _print(screen, content, json)


def _print(screen: Screen, content: dict[str, Any], json: bool) -> None:
    if json:
        typer.echo(as_json(content))
        return
    for line in content["text"]["zh" if screen.language == "zh" else "en"]:
        screen.out.print(line, markup=False)


@app.command()
def compare(
    before: RunArgument,
    after: Annotated[Path, typer.Argument(help="另一结果文件夹 / folder of the other run")],
    movers: Annotated[int, typer.Option(help="列出的户数 / movers listed")] = 20,
) -> None:
    """比较两次评价：迁移、原因、抽查工作量 / Two runs: transitions, causes, workload."""
    screen = Screen()
    screen.comparison(compare_runs(RunFolder.open(before), RunFolder.open(after), movers=movers))


@app.command()
def validity(
    run: RunArgument,
    findings: Annotated[Path, typer.Argument(help="检查结果：subject_id, found(0/1) / inspections with findings")],
) -> None:
    """检验分级是否有效：命中率、提升、AUC、KS / Does the grading work?"""
    screen = Screen()
    folder = RunFolder.open(run)
    sheet = read_sheet(findings)
    for name in ("subject_id", "found"):
        if name not in sheet.header:
            raise UsageError(f"{findings} 缺少列 {name}", f"{findings} lacks the column {name}")
    places = [sheet.header.index(name) for name in ("subject_id", "found")]
    rows = [(str(row.cells[places[0]]), int(float(row.cells[places[1]]))) for row in sheet.rows]
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


@app.command()
def weights(
    judgements: Annotated[
        Path | None, typer.Option(help="AHP 判断矩阵（CSV/Excel，首行首列为名称）/ pairwise matrix")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="指标数据（CSV/Excel/Parquet，列为指标）/ data, one column per item")
    ] = None,
    share: Annotated[float, typer.Option(help="专家权重份额 / the experts' share")] = 0.5,
) -> None:
    """定权：层次分析、熵权、CRITIC 及组合 / Weights: AHP, entropy, CRITIC, combined."""
    screen = Screen()
    columns: dict[str, Weights] = {}
    if judgements is not None:
        sheet = read_sheet(judgements)
        columns["AHP"] = ahp(sheet.header[1:], [[_ratio(cell) for cell in row.cells[1:]] for row in sheet.rows])
    if data is not None:
        sheet = read_sheet(data)
        table = [[float(cell) for cell in row.cells] for row in sheet.rows]
        columns |= {"entropy": entropy(sheet.header, table), "CRITIC": critic(sheet.header, table)}
    if not columns:
        raise UsageError("请用 --judgements 或 --data 给出判断矩阵或数据", "give --judgements or --data")
    if "AHP" in columns and "CRITIC" in columns:
        columns["AHP+CRITIC"] = combine(columns["AHP"], columns["CRITIC"], share)
    screen.weights(columns)


def _ratio(cell: Any) -> float:
    """3, 0.333 or 1/3."""
    top, _, bottom = str(cell).partition("/")
    return float(top) / float(bottom or 1)


@app.command()
def synth(
    out: Annotated[Path, typer.Option(help="输出文件夹 / folder to write")],
    subjects: Annotated[int, typer.Option(min=1, help="户数 / enterprises")] = 20_000,
    seed: Annotated[int, typer.Option(help="随机种子 / seed")] = 7,
    dirt: Annotated[
        float | None, typer.Option(min=0, help="按此倍率写带脏数据的 CSV / write CSV with dirt at this rate")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """生成虚构城市（演示数据）/ Make a fictional city."""
    screen = Screen()
    city = City(subjects, seed, _day(as_of))
    with screen.progress() as progress:
        progress.add_task(screen.word("生成", "making"), total=None)
        counts = city.write(out) if dirt is None else write_dirty(city, out, dirt)
    screen.say(f"演示数据：{counts} → {out}", f"demonstration data: {counts} → {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="输出文件夹 / folder to write")] = Path("demo-out"),
    subjects: Annotated[int, typer.Option(min=100, help="虚构城市户数 / enterprises of the fictional city")] = 100_000,
) -> None:
    """演示：真实数据与虚构城市 / The main job on screen."""
    screen = Screen()
    chicago(screen, out)
    zhengzhou(screen, out, subjects)
    screen.say(f"文件在 {out}", f"files are in {out}")


@app.command()
def schema(out: Annotated[Path | None, typer.Option(help="写入文件 / write to a file")] = None) -> None:
    """规则文件的 JSON Schema / JSON Schema of rulebooks, for editors."""
    text = as_json(json_schema()) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


ledger_app = typer.Typer(help="存证账本 / the ledger", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")


@ledger_app.callback()
def ledger_commands() -> None:
    """存证账本 / the ledger."""


@ledger_app.command("verify")
def ledger_verify(
    dump: Annotated[Path, typer.Argument(help="导出的账本（每行一条 JSON） / the dump, one JSON object a line")],
    checkpoints: Annotated[Path, typer.Option(help="检查点（/ledger/checkpoints 的 JSON 或单个签名文本） / checkpoints")],
    key: Annotated[str, typer.Option(help="验证公钥 / the verification key, name+id+base64")],
) -> None:
    """验证导出的账本 / Check a dump of the ledger against its signed checkpoints; needs nothing from the site."""
    text = checkpoints.read_text(encoding="utf-8")
    notes = json.loads(text)["checkpoints"] if text.lstrip().startswith("{") else [text]
    with dump.open(encoding="utf-8") as lines:
        verdict = verify_dump(lines, notes, key)
    Screen().say(
        f"账本完整：{verdict.entries} 条，{verdict.checkpoints} 个检查点均符，根 {verdict.root.hex()}",
        f"the ledger holds: {verdict.entries} entries, {verdict.checkpoints} checkpoints fit, root {verdict.root.hex()}",
    )


def main() -> None:
    """Entry point: refusals become one message and an exit status."""
    try:
        app()
    except ZhixinError as error:
        screen = Screen()
        if isinstance(error, RulebookError):
            screen.faults(error.faults)
        screen.warn(error.message.zh, error.message.en)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
