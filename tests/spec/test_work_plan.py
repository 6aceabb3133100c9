"""A work plan is checked like a rulebook: every name known, every day possible, every criterion shown by something."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from zhixin.cli.app import app
from zhixin.errors import RulebookError
from zhixin.law.work_plan import check_work_plan, loads_work_plan
from zhixin.law.yaml_text import YamlText

SHOWN = (Path(__file__).parents[2] / "src" / "zhixin_web" / "demonstration" / "work_plan.yaml").read_text(encoding="utf-8")
PLAN = """\
format: work_plan/1
id: pilot
title: {zh: 方案, en: Plan}
version: "1"
basis: [{document: （虚构）试点通知, verified: false}]
office: bureau
conference: conference
units:
  - {code: bureau, title: {zh: 市局, en: Bureau}}
  - {code: courts, title: {zh: 法院, en: Courts}}
phases:
  - {id: first, title: {zh: 一, en: First}, starts_on: 2026-01-01, ends_on: 2026-06-30}
  - {id: second, title: {zh: 二, en: Second}, starts_on: 2026-07-01, ends_on: 2026-12-31}
tasks:
  - id: rules
    title: {zh: 规则, en: Rules}
    phase: first
    lead: bureau
    helped_by: [courts]
    starts_on: 2026-01-01
    due_on: 2026-06-30
    proof: {zh: 文件, en: the document}
    milestones: [{id: draft, title: {zh: 草案, en: Draft}, due_on: 2026-03-31}]
  - {id: data, title: {zh: 数据, en: Data}, phase: second, lead: courts, starts_on: 2026-07-01, due_on: 2026-12-31, proof: {zh: 回执, en: receipt}}
reporting: {news_every_days: 30, soon_days: 10, quarter_within_days: 15, answer_within_days: 15}
escalation: [{days_overdue: 1, to: unit}, {days_overdue: 8, to: office}]
axes: [{id: base, title: {zh: 基础, en: Base}}]
acceptance:
  - {id: all_rules, axis: base, title: {zh: 规则, en: Rules}, counted: rules.in_force, at_least: 1}
  - {id: all_data, axis: base, title: {zh: 数据, en: Data}, task: data}
"""
COUNTED = frozenset({"rules.in_force"})


def test_a_good_plan_has_no_faults() -> None:
    plan, faults = check_work_plan(YamlText("plan.yaml", PLAN), COUNTED)
    assert plan is not None
    assert faults == []
    assert plan.task("rules").milestones[0].title.en == "Draft"


FAULTS = [
    ("W001", "{code: courts,", "{code: bureau,"),
    ("W001", "{id: second,", "{id: first,"),
    ("W001", "{id: data,", "{id: rules,"),
    ("W001", "{id: all_data,", "{id: all_rules,"),
    ("W001", "[{id: draft, title: {zh: 草案, en: Draft}, due_on: 2026-03-31}]", "[{id: draft, title: {zh: 一, en: A}, due_on: 2026-03-31}, {id: draft, title: {zh: 二, en: B}, due_on: 2026-03-31}]"),
    ("W002", "office: bureau", "office: nobody"),
    ("W002", "lead: courts", "lead: nobody"),
    ("W002", "helped_by: [courts]", "helped_by: [nobody]"),
    ("W002", "phase: first", "phase: third"),
    ("W002", "{id: all_data, axis: base", "{id: all_data, axis: side"),
    ("W002", "task: data}", "task: nothing}"),
    ("W003", "ends_on: 2026-12-31", "ends_on: 2026-06-30"),
    ("W003", "starts_on: 2026-07-01, due_on: 2026-12-31, proof", "starts_on: 2026-12-02, due_on: 2026-12-01, proof"),
    ("W004", "due_on: 2026-12-31, proof", "due_on: 2027-01-01, proof"),
    ("W004", "lead: courts, starts_on: 2026-07-01", "lead: courts, starts_on: 2026-06-30"),
    ("W005", "due_on: 2026-03-31}]", "due_on: 2026-07-01}]"),
    ("W005", "due_on: 2026-03-31}]", "due_on: 2025-12-31}]"),
    ("W006", "starts_on: 2026-07-01, ends_on", "starts_on: 2026-06-30, ends_on"),
    ("W007", "days_overdue: 8", "days_overdue: 1"),
    ("W008", ", counted: rules.in_force, at_least: 1}", "}"),
    ("W008", ", at_least: 1}", "}"),
    ("W008", "counted: rules.in_force, at_least: 1}", "at_least: 1}"),
    ("W008", "at_least: 1}", "at_least: 1, task: data}"),
    ("W009", "counted: rules.in_force", "counted: rules.wished_for"),
    ("W010", "helped_by: [courts]", "helped_by: [bureau]"),
    ("W011", "title: {zh: 规则, en: Rules}\n    phase", "title: {zh: ' ', en: Rules}\n    phase"),
    ("W011", "title: {zh: 数据, en: Data}, phase", 'title: {zh: "数\\u202e据", en: Data}, phase'),
    ("W011", "proof: {zh: 回执, en: receipt}", "proof: {zh: 回执, en: ''}"),
    ("W011", "zh: 草案", 'zh: "\\u200b"'),
    ("W011", "zh: 法院", 'zh: "法\\n院"'),
    ("W012", "zh: 草案", "zh: " + "案" * 121),
    ("W013", "ends_on: 2026-12-31", "ends_on: 9999-12-31"),
    ("W014", "{id: draft,", "{id: " + "d" * 61 + ","),
    ("W023", "title: {zh: 数据, en: Data}, phase", "title: {zh: 规则, en: Data}, phase"),
    ("W020", "lead: courts", "lead: bureau"),
    ("W021", "phase: second, lead: courts, starts_on: 2026-07-01, due_on: 2026-12-31", "phase: first, lead: courts, starts_on: 2026-01-01, due_on: 2026-06-30"),
    ("W022", "axes: [{id: base,", "axes: [{id: other, title: {zh: 其他, en: Other}}, {id: base,"),
    ("R010", "office: bureau", "office: bureau\ncolour: red"),
    ("R011", "version: \"1\"\n", ""),
    ("R003", "due_on: 2026-12-31, proof", "due_on: 2026-02-30, proof"),
    ("R012", "news_every_days: 30", "news_every_days: 0"),
    ("R012", "at_least: 1}", "at_least: 0}"),
    ("R012", "at_least: 1}", "at_least: true}"),
    ("R012", 'version: "1"', 'version: " "'),
]  # fmt: skip
HINTS = {"W020", "W021", "W022", "W023"}
FOLLOWING = {"W002", "W004", "W021"}
"""What a name that is gone, or a day that moved, breaks elsewhere."""


@pytest.mark.parametrize(("code", "old", "new"), FAULTS)
def test_each_fault_is_named_with_its_line(code: str, old: str, new: str) -> None:
    assert PLAN.count(old) >= 1
    text = PLAN.replace(old, new, 1)
    if (code, old) == ("W020", "lead: courts"):
        text = text.replace("helped_by: [courts]", "helped_by: []")
    _, faults = check_work_plan(YamlText("plan.yaml", text), COUNTED)
    found = [fault for fault in faults if fault.code == code]
    assert found, [fault.sentence("en") for fault in faults]
    assert {fault.code for fault in faults} <= {code, *FOLLOWING}
    assert all(fault.line > 1 or code == "R011" for fault in found)
    assert all(fault.is_warning == (code in HINTS) for fault in found)
    if code not in HINTS:
        with pytest.raises(RulebookError):
            loads_work_plan(text, counted=COUNTED)


def test_numbers_that_only_the_site_knows_are_not_compared_without_it() -> None:
    assert check_work_plan(YamlText("plan.yaml", PLAN.replace("rules.in_force", "rules.unknown")))[1] == []


def test_a_wrong_shape_is_told_in_chinese_and_says_where_the_right_one_stands() -> None:
    _, faults = check_work_plan(YamlText("plan.yaml", PLAN.replace("news_every_days: 30", "news_every_days: 0")), COUNTED)
    assert [fault.sentence("zh").split("] ")[1] for fault in faults] == [
        "news_every_days 的值不合要求：不得小于 1 → 按 docs/howto/keep-the-work-plan.md 改写"
    ]


def test_more_tasks_than_a_board_can_show_are_refused() -> None:
    line = next(line for line in PLAN.splitlines() if "{id: data," in line)
    more = [line.replace("id: data,", f"id: data{n},").replace("数据", f"数据{n}") for n in range(300)]
    _, faults = check_work_plan(YamlText("plan.yaml", PLAN.replace(line, "\n".join([line, *more]))), COUNTED)
    assert [fault.code for fault in faults] == ["R012"]


@pytest.mark.parametrize("content", ["规则".encode("gb18030"), "规则".encode("utf-16"), b"", b"\x00"])
@pytest.mark.parametrize("head", ["format: work_plan/1\n", "format: procedure/1\n", "format: rulebook/1\n"])
def test_a_file_that_is_no_text_is_a_fault_and_no_traceback(tmp_path: Path, head: str, content: bytes) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(head.encode() + b"# " + content)
    done = CliRunner().invoke(app, ["check", str(file)])
    assert done.exit_code == RulebookError.exit_status


def test_the_command_line_checks_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    assert CliRunner().invoke(app, ["check", str(file)]).exit_code == 0
    file.write_text(PLAN.replace("lead: courts", "lead: nobody"), encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(file)])
    assert done.exit_code == RulebookError.exit_status
    assert "W002" in done.output + done.stderr


def test_the_plan_of_the_demonstration_is_good() -> None:
    from zhixin_web.duties.counted import COUNTED

    assert check_work_plan(YamlText("work_plan.yaml", SHOWN), frozenset(COUNTED))[1] == []
