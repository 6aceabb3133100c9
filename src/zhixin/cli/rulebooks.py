"""``zhixin check | test | schema``: the rulebook as its author works on it."""

from __future__ import annotations

from collections.abc import Sequence
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
