"""Procedures as data (``procedures/*.yaml``): states, transitions, who may, which paper, which deadline, which article.

A procedure is read and checked like a rulebook: every fault has file and line. Its deadlines are named here and set by the
rulebook in force, so that a number of law stands in one place.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from zhixin.errors import Fault, RulebookError
from zhixin.law.loading import schema_faults
from zhixin.law.nodes import Basis, Identifier, Node, Text
from zhixin.law.yaml_text import YamlText

Actor = Literal["applicant", "officer", "source", "approver", "clock"]
Effect = Literal["record.repair", "record.revoke", "record.publish", "record.list", "statement.publish", "measure.impose"]
ADVERSE: frozenset[str] = frozenset({"record.publish", "record.list", "measure.impose"})
"""Effects that burden the party; each must follow a notice and a term of defence."""


class State(Node):
    """Where a case stands: whose turn it is and until when; or its end.

    ``continues``: its deadline is that of an earlier state and runs on from there. ``suspends``: the deadlines of these states
    stand still meanwhile; its own term begins anew each time. ``is_defence``: the party may state its case until the term ends.
    ``deadline_own``: the deadline where the record is the authority's own.
    """

    id: Identifier
    title: Text
    turn: Actor | None = None
    deadline: Identifier | None = None
    deadline_own: Identifier | None = None
    continues: Identifier | None = None
    suspends: tuple[Identifier, ...] = ()
    is_defence: bool = False
    is_end: bool = False


class Transition(Node):
    """A step from one of some states to another.

    ``other_than``: nobody who carried out one of these steps of the case may carry out this one. ``by: clock`` is carried out once
    the deadline of the state has passed. ``remedies`` name the terms within which the party may go on, told in the paper.
    ``is_once``: at most once in a case. ``only_if``: what must be so for the step to be open. ``asks``: what is answered with it.
    """

    id: Identifier
    title: Text
    from_: tuple[Identifier, ...] = Field(alias="from", min_length=1)
    to: Identifier
    by: Actor
    basis: tuple[Basis, ...] = ()
    other_than: tuple[Identifier, ...] = ()
    needs_reason: bool = False
    is_once: bool = False
    only_if: Literal["record_changed", "measure_refused", "superior_required", "superior_not_required"] | None = None
    asks: Literal["factors", "superior"] | None = None
    is_notice: bool = False
    is_favourable: bool = False
    paper: Text | None = None
    remedies: tuple[Identifier, ...] = ()
    effect: Effect | None = None


class Procedure(Node):
    """A procedure of case work, as its file says."""

    format: Literal["procedure/1"]
    id: Identifier
    title: Text
    version: str
    number: Text
    """The characters of the authority and the matter in the number of a paper: 郑市监信修〔2026〕1号."""
    about: Literal["record", "subject"]
    opens: tuple[Actor, ...] = Field(min_length=1)
    eligible: Literal["repair"] | None = None
    """The test that an application must pass when it is filed."""
    decides_for: tuple[str, ...] = ()
    """Owners of sources whose records it may be about (谁认定、谁修复); empty: every owner's."""
    marks_record: bool = False
    """Whether the record is marked as disputed while a case is open."""
    start: Identifier
    basis: tuple[Basis, ...] = Field(min_length=1)
    states: tuple[State, ...] = Field(min_length=2)
    transitions: tuple[Transition, ...] = Field(min_length=1)

    def state(self, name: str) -> State:
        return next(item for item in self.states if item.id == name)

    def transition(self, name: str) -> Transition:
        return next(item for item in self.transitions if item.id == name)

    def taking(self, effect: Effect) -> list[str]:
        """Return the ids of the steps that take an effect."""
        return [item.id for item in self.transitions if item.effect == effect]

    def leading_to(self, effect: Effect) -> set[str]:
        """Return the ids of the steps that take an effect and of the proposals that they decide."""
        return {name for taken in self.taking(effect) for name in (taken, *self.transition(taken).other_than)}

    @property
    def notices(self) -> list[str]:
        """Ids of the steps that tell the party what the authority means to do."""
        return [item.id for item in self.transitions if item.is_notice]

    @property
    def proposals(self) -> set[str]:
        """Ids of the steps whose maker must not carry out another step."""
        return {name for item in self.transitions for name in item.other_than}

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """Return the steps that a case in this state may take."""
        return tuple(item for item in self.transitions if state in item.from_)


def is_procedure(file: Path) -> bool:
    """Whether a file says that it is a procedure; whether it is a good one is another question."""
    return file.is_file() and "format: procedure/" in file.read_text(encoding="utf-8", errors="replace")[:4_000]


def check_procedure(file: Path, deadlines: frozenset[str] | None = None) -> tuple[Procedure | None, list[Fault]]:
    """Read and check a procedure.

    Args:
        file: its YAML.
        deadlines: ids of the deadlines that a rulebook sets; names are not compared where it is ``None``.

    Returns:
        The procedure (``None`` if it cannot be built), and every fault with file and line.
    """
    from zhixin.law.checks.procedures import faults_of

    document = YamlText.of_file(file, file.name)
    if document.faults:
        return None, document.faults
    try:
        procedure = Procedure.model_validate(document.value)
    except ValidationError as error:
        return None, sorted(schema_faults(error, document.positions))
    return procedure, sorted(faults_of(procedure, document, deadlines))


def load_procedure(file: Path) -> Procedure:
    """Read a procedure.

    Raises:
        RulebookError: with every fault, each with file and line.
    """
    procedure, faults = check_procedure(file)
    if procedure is None or faults:
        raise RulebookError(faults)
    return procedure


def procedure_folder() -> Path:
    """Return where the procedures are: inside an installed package, or in the checkout."""
    inside = Path(__file__).parents[1] / "procedures"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "procedures"


@cache
def procedures() -> dict[str, Procedure]:
    """Return the procedures that come with the project, by id."""
    found = [load_procedure(file) for file in sorted(procedure_folder().glob("*.yaml"))]
    if len({item.number.zh for item in found}) != len(found):
        raise ValueError("two procedures share the characters of their numbers")
    return {item.id: item for item in found}
