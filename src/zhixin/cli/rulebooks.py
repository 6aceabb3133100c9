"""``zhixin new | check | test | schema``: the rulebook as its author works on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import RulebookArgument, words
from zhixin.errors import CaseFailure, Fault, RulebookError, UsageError

if TYPE_CHECKING:
    from zhixin.evaluation.engines.contract import Engine

ENGINES = ("interpreter", "polars", "duckdb", "spark")


def check(
    rulebook: RulebookArgument,
    warnings: Annotated[bool, typer.Option(help=words("列出提示", "list warnings too"))] = True,
) -> None:
    """Check a rulebook, a procedure of case work or a work plan, and list all faults at once."""
    screen = Screen()
    file = Path(rulebook)
    faults = _faults(file, rulebook)
    errors = [fault for fault in faults if not fault.is_warning]
    notes = len(faults) - len(errors)
    screen.faults(fault for fault in faults if warnings or not fault.is_warning)
    screen.say(f"{len(errors)} 处错误，{notes} 条提示", f"{len(errors)} fault(s), {notes} warning(s)")
    if errors:
        raise typer.Exit(RulebookError.exit_status)


def _faults(file: Path, rulebook: str) -> Sequence[Fault]:
    """Return the faults of a file, read as what it says it is."""
    from zhixin.law.loading import check_file
    from zhixin.law.procedures import check_procedure, is_procedure
    from zhixin.law.work_plan import check_work_plan, is_work_plan
    from zhixin.law.yaml_text import YamlText

    if is_procedure(file):
        return check_procedure(file)[1]
    if is_work_plan(file):
        return check_work_plan(YamlText.of_file(file, file.name))[1]
    return check_file(rulebook)[1]


TEMPLATES = {
    "running-score": ("累计积分，按分数定等级", "a running score with grades by score"),
    "weighted-mean": ("各维度加权平均", "a weighted mean of dimensions"),
    "veto-list": ("符合条件的直接定级", "conditions that decide the grade alone"),
    "risk-class": ("分值越高风险越高，内部使用", "higher is riskier, internal"),
}
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new(
    template: Annotated[str, typer.Argument(help=words("样板：", "template: ") + "、".join(TEMPLATES))],
    folder: Annotated[Path, typer.Argument(help=words("新文件夹，其名即规则编号", "a new folder; its name is the id"))],
) -> None:
    """Begin a rulebook from a template: a file of rules and its worked examples, both sound as they are."""
    if template not in TEMPLATES:
        known = "、".join(f"{name}（{zh}）" for name, (zh, _en) in TEMPLATES.items())
        named = "; ".join(f"{name}: {en}" for name, (_zh, en) in TEMPLATES.items())
        raise UsageError(f"没有样板「{template}」；可用：{known}", f"there is no template {template!r}; there are {named}")
    from zhixin.law.yaml_text import YamlText

    if not ID.fullmatch(folder.name) or YamlText("", folder.name).value != folder.name:
        raise UsageError(
            f"规则编号「{folder.name}」应为小写字母、数字和连字符",
            f"the id {folder.name!r} should be small letters, digits, hyphens",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} 已存在且不是空文件夹", f"{folder} exists and is not an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    source = files("zhixin.cli") / "templates" / template
    for name in ("rulebook.yaml", "cases.yaml"):
        text = (source / name).read_text(encoding="utf-8").replace("\nid: ID\n", f"\nid: {folder.name}\n")
        (folder / name).write_text(text, encoding="utf-8")
    Screen().say(
        f"已建立 {folder}：先改 rulebook.yaml 的标题、机关和依据，再运行 zhixin check {folder} 和 zhixin test {folder}",
        f"made {folder}: change title, authority and bases in rulebook.yaml, then run zhixin check {folder} and zhixin test {folder}",
    )


def test(
    rulebook: RulebookArgument,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help=words("interpreter、polars、duckdb、spark，可重复", "interpreter, polars, duckdb or spark; may be repeated")
        ),
    ] = None,
) -> None:
    """Run a rulebook's worked examples on every engine asked for."""
    from zhixin.analysis.worked_examples import load_cases, run_cases
    from zhixin.law.loading import load_rulebook, rulebook_file

    screen = Screen()
    path = rulebook_file(rulebook)
    loaded = load_rulebook(path)
    cases_file = path.parent / "cases.yaml"
    if not cases_file.is_file():
        raise UsageError(f"没有用例文件 {cases_file}", f"there are no cases at {cases_file}")
    cases = load_cases(cases_file)
    report = run_cases(loaded, cases, _opened(engine or list(ENGINES[:3])))
    for item in report.disagreements:
        screen.say(f"✗ [{item.engine}] {item.case}：{item.what.zh}", f"✗ [{item.engine}] {item.case}: {item.what.en}")
    failed = len({(item.case, item.engine) for item in report.disagreements})
    names = ", ".join(report.engines)
    screen.say(f"{report.cases} 个用例 × {names}：{failed} 个不符", f"{report.cases} cases × {names}: {failed} disagree")
    if failed:
        raise CaseFailure(f"{failed} 个用例与规则不符", f"{failed} case(s) do not come out as written")


def _opened(names: list[str]) -> dict[str, Engine | None]:
    """Open engines by name; ``None`` is the interpreter."""
    from zhixin.evaluation.engines.choice import open_engine

    return {name: None if name == "interpreter" else open_engine(name) for name in names}  # type: ignore[arg-type]


def schema(out: Annotated[Path | None, typer.Option(help=words("写入文件", "write to a file"))] = None) -> None:
    """Print the JSON Schema of rulebooks, for editors."""
    from zhixin.cli.screen import as_json
    from zhixin.law.loading import json_schema

    text = as_json(json_schema()) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
