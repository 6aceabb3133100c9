"""The command ``zhixin``: its groups of commands, and how a refusal ends.

Exit status: 0 done; 3 done, but rows are in quarantine; 10 wrong use; 11 rulebook wrong; 12 a case fails; 13 dataset
unreadable; 14 weighting refused; 15 engine missing; 16 the ledger does not hold; 17 what was given of it is
unreadable; 18 a draw is refused or does not follow; 4 nothing wrong, but not everything could be checked. Messages are Chinese or English by
locale (``ZHIXIN_LANG`` wins). What a command needs is imported when it runs: ``zhixin --help`` loads no engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from zhixin.cli import analysis, datasets, deadlines, draws, ledger, rulebooks, runs, tables
from zhixin.cli.screen import Screen
from zhixin.cli.words import words
from zhixin.errors import RulebookError, ZhixinError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help=words("知信：规则即数据的信用评价", "Zhixin: credit rulebooks as data"),
)
COMMANDS: dict[Callable[..., None], tuple[str, str]] = {
    rulebooks.new: ("从样板建立一部规则", "Begin a rulebook from a template"),
    rulebooks.check: ("检查规则文件，一次列出全部错误", "Check a rulebook; all faults at once"),
    rulebooks.test: ("运行规则自带的用例", "Run a rulebook's worked examples on every engine asked for"),
    datasets.accept: ("核对数据：接收或隔离每一行", "Check a dataset: every row is accepted or quarantined"),
    runs.evaluate: ("评价全部主体；原始文件先核对", "Evaluate every subject; raw files are accepted first"),
    runs.explain: ("说明一户的等级：每一分的指标、记录与条款", "Why a subject has its grade"),
    runs.outlook: ("展望：何时期满、修复改变什么、最早何时升级", "What expires when, what repair changes"),
    runs.compare: ("比较两次评价：迁移、原因、抽查工作量", "Two runs: transitions, causes, workload"),
    analysis.validity: ("检验分级是否有效：命中率、提升、AUC、KS", "Does the grading work? Hit rate, lift, AUC, KS"),
    analysis.weights: ("定权：层次分析、熵权、CRITIC 及组合", "Weights: AHP, entropy, CRITIC, combined"),
    datasets.synth: ("生成虚构城市（演示数据）", "Make a fictional city"),
    deadlines.deadline: ("期限届满日：计入哪些天、依据何在", "When a term ends: the days that count, and their source"),
    rulebooks.schema: ("规则文件的 JSON Schema", "JSON Schema of rulebooks, for editors"),
}
for _command, _help in COMMANDS.items():
    app.command(help=words(*_help))(_command)


@app.command(help=words("演示：真实数据与虚构城市", "The main job on screen: real data, then a fictional city"))
def demo(
    out: Annotated[Path, typer.Option(help=words("输出文件夹", "folder to write"))] = Path("demo-out"),
    subjects: Annotated[
        int, typer.Option(min=100, help=words("虚构城市户数", "enterprises of the fictional city"))
    ] = 100_000,
) -> None:
    """Show the main job on screen."""
    from zhixin.cli.demo import chicago, zhengzhou

    screen = Screen()
    chicago(screen, out)
    zhengzhou(screen, out, subjects)
    screen.say(f"文件在 {out}", f"files are in {out}")


ledger_app = typer.Typer(help=words("存证账本", "the ledger"), no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")


@ledger_app.callback()
def ledger_commands() -> None:
    """Keep ``verify`` a subcommand, also while it is the only one."""


ledger_app.command("verify", help=words("验证导出的账本", "Check a dump of the ledger against its signed checkpoints"))(
    ledger.verify
)

table_app = typer.Typer(help=words("指标表", "indicators as a table"), no_args_is_help=True)
app.add_typer(table_app, name="table")
table_app.command("export", help=words("把规则的指标写成工作簿", "Write the indicators of a rulebook as a workbook"))(
    tables.export
)
table_app.command("import", help=words("把改好的工作簿写回规则", "Take a changed workbook back into the rulebook"))(
    tables.import_
)

draw_app = typer.Typer(help=words("可验证的随机抽取", "verifiable random draws"), no_args_is_help=True)
app.add_typer(draw_app, name="draw")
draw_app.command(
    "commit", help=words("冻结抽样框、人员与计划，得出承诺值", "Freeze frame, people and plan: the commitment")
)(draws.commit)
draw_app.command("run", help=words("用公共号码抽取（两人各自录入）", "Draw with public numbers, entered by two persons"))(
    draws.run
)
draw_app.command("recuse", help=words("抽取后的回避", "Replace an inspector after the draw"))(draws.recuse)
draw_app.command("substitute", help=words("按候补顺序替换企业", "Replace a unit by the next of the reserve"))(
    draws.substitute
)

verify_app = typer.Typer(help=words("由外人核验", "checks by an outsider"), no_args_is_help=True)
app.add_typer(verify_app, name="verify")
verify_app.command("draw", help=words("核验公布的抽取结果", "Check a published draw"))(draws.verify)
verify_app.command("ledger", help=words("验证导出的账本", "Check a dump of the ledger against its checkpoints"))(
    ledger.verify
)


def main() -> None:
    """Run the command; a refusal becomes one message and an exit status."""
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
