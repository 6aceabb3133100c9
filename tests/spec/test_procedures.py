"""Procedures of case work are checked like rulebooks: no way round notice, defence, a second person or the remedies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from examples import examples
from shipped import shipped
from zhixin.cli.app import app
from zhixin.dataset.sources import owners
from zhixin.errors import RulebookError
from zhixin.law.procedures import (
    ADVERSE,
    Procedure,
    Transition,
    check_procedure,
    load_procedure,
    procedure_folder,
    procedures,
)

FILES = sorted(procedure_folder().glob("*.yaml"))
DEADLINES = frozenset(item.id for item in shipped("zhengzhou-ip").deadlines)
Written = Callable[[str], Path]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_has_no_faults_and_its_deadlines_are_set_by_the_flagship(file: Path) -> None:
    procedure, faults = check_procedure(file, DEADLINES)
    assert [fault.sentence("en") for fault in faults] == []
    assert procedure is not None
    assert procedure.id == file.stem
    assert set(procedure.decides_for) <= owners().keys()


FAULTS = [
    ("repair", "P001", "id: refused, title", "id: granted, title"),
    ("repair", "P002", "to: accepted, by: officer, basis", "to: nowhere, by: officer, basis"),
    ("repair", "P002", "start: applied", "start: nowhere"),
    ("repair", "P002", "other_than: [propose_grant], paper", "other_than: [nobody], paper"),
    ("repair", "P002", "suspends: [accepted]", "suspends: [nowhere]"),
    ("repair", "P003", "deadline: repair.supplement", "deadline: repair.nothing"),
    ("repair", "P003", "remedies: [remedy.review, remedy.suit]", "remedies: [remedy.prayer]"),
    ("objection", "P003", "deadline_own: report.answer_own", "deadline_own: objection.nothing"),
    ("repair", "P010", "from: [supplement], to: lapsed", "from: [supplement], to: withdrawn"),
    ("repair", "P011", "title: {zh: 审核中, en: under review}, turn: officer, deadline: repair.decide", "title: {zh: 审核中, en: under review}, is_end: true"),
    ("repair", "P013", "turn: officer, deadline: repair.accept", "turn: officer"),
    ("repair", "P013", "turn: officer, deadline: repair.accept", "deadline: repair.accept"),
    ("repair", "P014", "turn: officer, deadline: repair.accept", "turn: source, deadline: repair.accept"),
    ("repair", "P015", "to: accepted, by: officer, basis: *rule36", "to: accepted, by: officer"),
    ("determination", "P020", "needs_reason: true, is_notice: true", "needs_reason: true"),
    ("determination", "P020", "is_defence: true", "is_defence: false"),
    ("determination", "P020", "from: [filed], to: dropped", "from: [filed], to: to_recognise"),
    ("repair", "P021", "en: decision not to repair}, remedies: [remedy.review, remedy.suit]", "en: decision not to repair}"),
    ("repair", "P021", "is_favourable: true, ", ""),
    ("determination", "P022", "paper: {zh: 失信行为认定告知书（附信用修复告知）, en: notice of an intended determination (with how to repair)}, ", ""),
    ("repair", "P030", "other_than: [propose_grant], paper", "paper"),
    ("repair", "P030", "from: [to_grant], to: granted", "from: [to_grant, to_refuse], to: granted"),
    ("repair", "P031", "other_than: [propose_refusal], paper", "paper"),
    ("determination", "P016", "deadline: determination.check}", "deadline: determination.check, continues: review}"),
    ("repair", "P016", "deadline: repair.accept}", "deadline: repair.accept, continues: accepted}"),
    ("repair", "P017", "suspends: [accepted]", "suspends: [supplement]"),
    ("repair", "P017", "suspends: [accepted]", "suspends: [granted]"),
    ("repair", "P018", "by: clock", "by: applicant"),
    ("determination", "P018", "by: clock", "by: applicant"),
    ("determination", "P019", "from: [defence], to: defence, by: applicant", "from: [defence], to: review, by: clock"),
    ("determination", "P023", "from: [defence], to: defence, by: applicant", "from: [defence], to: review, by: applicant"),
    ("determination", "P023", "from: [defence], to: defence, by: applicant", "from: [defence], to: review, by: officer"),
    ("determination", "P023", "turn: applicant, deadline: determination.defence", "turn: officer, deadline: determination.defence"),
    ("determination", "P023", "is_defence: true", "is_defence: true, continues: filed"),
    ("determination", "P024", "effect: record.publish", "effect: record.publish, is_favourable: true"),
    ("repair", "P031", "other_than: [propose_refusal], paper", "other_than: [refuse], paper"),
    ("repair", "P031", "other_than: [propose_refusal], paper", "other_than: [grant], paper"),
    ("repair", "P033", "to: granted, by: approver", "to: granted, by: officer"),
    ("determination", "P033", "to: recognised, by: approver", "to: recognised, by: applicant"),
    ("repair", "P034", "about: record", "about: subject"),
    ("repair", "P035", "to: to_refuse, by: officer, needs_reason: true", "to: to_refuse, by: officer"),
    ("repair", "P036", "opens: [applicant, officer]", "opens: [clock]"),
    ("repair", "P036", "opens: [applicant, officer]", "opens: [approver]"),
    ("repair", "P032", "turn: applicant, deadline: repair.supplement", "turn: clock, deadline: repair.supplement"),
    ("repair", "R010", "version:", "colour:"),
    ("repair", "R011", "version: \"2026.1\"\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code", "old", "new"), FAULTS, ids=[f"{row[1]}-{number}" for number, row in enumerate(FAULTS)]
)
def test_a_fault_is_found_on_its_line(tmp_path: Path, name: str, code: str, old: str, new: str) -> None:
    text = (procedure_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(old) >= 1
    file = tmp_path / f"{name}.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    _procedure, faults = check_procedure(file, DEADLINES)
    assert code in {fault.code for fault in faults}, [fault.sentence("en") for fault in faults]
    assert all(fault.line > 0 and fault.file == file.name and fault.remedy.zh for fault in faults)
    if {fault.code for fault in faults} != {"P003"}:  # a procedure alone knows no deadlines
        with pytest.raises(RulebookError):
            load_procedure(file)


def test_a_state_that_no_way_leads_out_of_is_a_fault(tmp_path: Path) -> None:
    text = (procedure_folder() / "statement.yaml").read_text(encoding="utf-8")
    text = text.replace("to: published, by", "to: to_publish, by").replace(
        "from: [to_publish], to: submitted", "from: [to_publish], to: to_publish"
    )
    file = tmp_path / "statement.yaml"
    file.write_text(text, encoding="utf-8")
    assert ("P012", "states.1") in {(fault.code, fault.path) for fault in check_procedure(file)[1]}


# --- what holds on every way through a procedure -------------------------------------------------------------------------


def ways(procedure: Procedure) -> st.SearchStrategy[list[Transition]]:
    """Random ways through a procedure, at most thirty steps."""

    @st.composite
    def way(draw: st.DrawFn) -> list[Transition]:
        state, taken = procedure.start, []
        while procedure.leaving(state) and len(taken) < 30:
            step = draw(st.sampled_from(procedure.leaving(state)))
            taken.append(step)
            state = step.to
        return taken

    return way()


@pytest.mark.parametrize("name", sorted(procedures()))
def test_no_way_burdens_without_notice_and_defence_and_none_is_decided_by_its_maker(name: str) -> None:
    procedure = procedures()[name]

    @examples(2_000, in_test=150)
    @given(way=ways(procedure))
    def holds(way: list[Transition]) -> None:
        for place, step in enumerate(way):
            before = way[:place]
            if step.effect in ADVERSE:
                told = next((n for n, item in enumerate(before) if item.is_notice), None)
                assert told is not None
                assert any(procedure.state(item.to).is_defence for item in before[told:])
            if step.effect is not None:
                assert any(item.id in step.other_than for item in before)
            if procedure.state(step.to).is_end and step.by != "applicant" and not step.is_favourable:
                assert step.remedies
                assert step.paper is not None

    holds()


@pytest.mark.parametrize("name", sorted(procedures()))
def test_every_open_state_has_a_deadline_and_somebody_whose_turn_it_is(name: str) -> None:
    for state in procedures()[name].states:
        assert state.is_end == (state.deadline is None) == (state.turn is None)


def test_the_command_line_checks_a_procedure_too(tmp_path: Path) -> None:
    text = (procedure_folder() / "repair.yaml").read_text(encoding="utf-8")
    good, bad = tmp_path / "repair.yaml", tmp_path / "bad.yaml"
    good.write_text(text, encoding="utf-8")
    bad.write_text(text.replace("start: applied", "start: nowhere"), encoding="utf-8")
    assert CliRunner().invoke(app, ["check", str(good)]).exit_code == 0
    answer = CliRunner().invoke(app, ["check", str(bad)])
    assert answer.exit_code == RulebookError.exit_status
    assert "P002" in answer.output
