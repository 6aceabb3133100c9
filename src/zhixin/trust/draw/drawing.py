"""Commits and draws: the frozen lists with their roots, and all that follows from them and the public numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from zhixin.errors import DrawRefused, LedgerError, Message
from zhixin.trust.draw.hashing import Hashing
from zhixin.trust.draw.plan_file import proposal_of
from zhixin.trust.draw.proposal import Proposal, Stratum, looks_like_a_code
from zhixin.trust.draw.public_numbers import GAMES, seed_of
from zhixin.trust.ledger import hashes_of, inclusion_proof

RESERVES = 3
"""How many of each stratum's reserve list are published with the picks."""
Document = dict[str, Any]
Result = TypeVar("Result")


def commit(proposal: Proposal, is_unit: Callable[[str], bool]) -> Document:
    """Freeze a draw: sorted lists, their roots, the plan and its commitment.

    Args:
        proposal: all that the draw depends on.
        is_unit: whether an identifier is a well-formed one of a unit (a credit code with a valid check character).

    Raises:
        DrawRefused: with every reason found.
    """
    faults = proposal.faults(is_unit)
    if faults:
        raise DrawRefused(faults)
    lists = {
        "frame": sorted(f"{unit}\t{stratum}" for unit, stratum in proposal.frame),
        "inspectors": sorted(item.line for item in proposal.inspectors),
        "conflicts": sorted({f"{person}\t{unit}" for person, unit in proposal.conflicts}),
    }
    hashing = Hashing(proposal.alg)
    plan = {
        "alg": proposal.alg,
        "draw_id": proposal.draw_id,
        "basis": proposal.basis,
        "frozen_at": proposal.frozen_at.isoformat(),
        "k": proposal.k,
        "cap": proposal.cap,
        "sources": [{"game": item.game, "issue": item.issue, "date": item.date.isoformat()} for item in proposal.sources],
        "strata": [item.dump() for item in proposal.strata],
        **{f"{name}_root": hashing.head(lines).hex() for name, lines in lists.items()},
        **({} if proposal.inversion is None else {"inversion": proposal.inversion}),
    }
    return {"plan": plan, **lists, "commitment": hashing.commitment(plan).hex()}


def readable(act: Callable[[], Result]) -> Result:
    """Do something with a document that may not be one.

    Raises:
        DrawRefused: it cannot be read as a draw.
    """
    try:
        return act()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, LedgerError) as error:
        raise DrawRefused(
            [Message(f"这不是一份抽取文件：{error}", f"this is no draw: {type(error).__name__} {error}")]
        ) from error


def committed_faults(document: Document) -> list[Message]:
    """What in a document is not what it commits to, and everything that forbids its plan."""
    plan = document["plan"]
    hashing = Hashing(plan["alg"])
    found = []
    for name in ("frame", "inspectors", "conflicts"):
        lines = document[name]
        if lines != sorted(set(lines)) or hashing.head(lines).hex() != plan[f"{name}_root"]:
            found.append(Message(f"{name} 与承诺不符", f"{name} is not what was committed"))
    if hashing.commitment(plan).hex() != document["commitment"]:
        found.append(Message("计划与承诺不符", "the plan is not what was committed"))
    return found or proposal_of(document).faults(looks_like_a_code)


def frame_proof(document: Document, unit: str) -> Document:
    """The proof that a unit was in the frame, under which stratum: line, place, size, path (hexadecimal).

    Raises:
        DrawRefused: the unit is not in the frame.
    """
    hashing, lines = Hashing(document["plan"]["alg"]), document["frame"]
    place = next((number for number, line in enumerate(lines) if line.split("\t")[0] == unit), None)
    if place is None:
        raise DrawRefused([Message(f"{unit} 不在抽样框中", f"{unit} is not in the frame")])
    path = inclusion_proof(place, len(lines), hashes_of(hashing.leaves(lines), hashing.node))
    return {"line": lines[place], "index": place, "size": len(lines), "path": [step.hex() for step in path]}


Ticket = tuple[str, str]
"""A ticket (hexadecimal) and its unit."""


class Drawn:
    """Everything that follows from a committed document and the public numbers."""

    def __init__(self, document: Document, numbers: Sequence[Sequence[int]]) -> None:
        self.document, self.plan = document, document["plan"]
        self.hashing = Hashing(self.plan["alg"])
        self.seed = seed_of(numbers)
        self.prk = self.hashing.code(bytes.fromhex(document["commitment"]), self.seed.encode())
        self.code = self.hashing.coder(self.prk)

    def ticket(self, unit: str) -> str:
        """The ticket of a unit: lower-case hexadecimal, compared as text."""
        return self.code(unit.encode() + b"\1").hex()

    @cached_property
    def units(self) -> dict[str, list[str]]:
        """The units of each stratum."""
        found: dict[str, list[str]] = {item["id"]: [] for item in self.plan["strata"]}
        for line in self.document["frame"]:
            unit, stratum = line.split("\t")
            found[stratum].append(unit)
        return found

    def order(self, stratum: str) -> list[Ticket]:
        """All units of a stratum in order of their tickets: the picks, then the reserve list."""
        return sorted((self.ticket(unit), unit) for unit in self.units[stratum])

    @cached_property
    def orders(self) -> dict[str, list[Ticket]]:
        """The order of every stratum."""
        return {stratum: self.order(stratum) for stratum in self.units}

    @cached_property
    def picks(self) -> dict[str, int]:
        """How many of each stratum are drawn."""
        return {item["id"]: Stratum(**item).quota(len(self.units[item["id"]])) for item in self.plan["strata"]}

    @cached_property
    def inspectors(self) -> list[str]:
        return [line.split("\t")[0] for line in self.document["inspectors"]]

    @cached_property
    def barred_from(self) -> dict[str, set[str]]:
        """Inspectors who must not inspect a unit, by unit."""
        found: dict[str, set[str]] = {}
        for line in self.document["conflicts"]:
            person, unit = line.split("\t")
            found.setdefault(unit, set()).add(person)
        return found

    def in_order(self, unit: str, people: Iterable[str]) -> list[str]:
        """Those of ``people`` without a conflict with the unit, in the unit's own order."""
        code, start, barred = self.code, f"inspector\n{unit}\n", self.barred_from.get(unit, ())
        found = [(code(f"{start}{person}\1".encode()), person) for person in people if person not in barred]
        found.sort()
        return [person for _, person in found]

    @cached_property
    def assignment(self) -> dict[str, list[str]]:
        """The inspectors of each picked unit, in ascending order of tickets over all strata."""
        load, found = dict.fromkeys(self.inspectors, 0), {}
        picked = sorted(ticket for name, order in self.orders.items() for ticket in order[: self.picks[name]])
        for _, unit in picked:
            below = [person for person in self.inspectors if load[person] < self.plan["cap"]]
            found[unit] = self.in_order(unit, below)[: self.plan["k"]]
            for person in found[unit]:
                load[person] += 1
        return found

    def results(self, reserves: dict[str, int]) -> Document:
        """Return what a drawn document adds to the committed one; ``reserves`` to publish of each stratum."""
        strata = {}
        for name, order in self.orders.items():
            n = self.picks[name]
            strata[name] = {
                "n": n,
                "N": len(order),
                "picked": [list(ticket) for ticket in order[:n]],
                "reserve": [list(ticket) for ticket in order[n : n + reserves.get(name, RESERVES)]],
            }
        return {"sources": self.seed, "prk": self.prk.hex(), "strata": strata, "assignment": self.assignment}


def draw(document: Document, numbers: Sequence[Sequence[int]]) -> Document:
    """Draw: the committed document with the public numbers and all that follows from them.

    Args:
        document: as :func:`commit` returned it, or as it was published.
        numbers: of each source of the plan, as two persons agreed on them (:func:`zhixin.trust.draw.public_numbers.agreed`).

    Raises:
        DrawRefused: numbers that the sources cannot give, a document that is not what it commits to, or one drawn before.
    """
    if "numbers" in document:
        raise DrawRefused([Message("这次抽取已有结果，不能再抽", "this draw has its result: there is no second")])
    faults = readable(lambda: [*committed_faults(document), *number_faults(document["plan"], numbers)])
    unknown = sorted(set(document) - {"plan", "frame", "inspectors", "conflicts", "commitment"})
    faults += [Message(f"「{key}」不属于承诺文件", f"{key!r} is no part of a committed draw") for key in unknown]
    if faults:
        raise DrawRefused(faults)
    entered = [sorted(source) for source in numbers]
    return {**document, "numbers": entered, **Drawn(document, entered).results({})}


def number_faults(plan: Document, numbers: Sequence[Sequence[int]]) -> list[Message]:
    """What is wrong with the numbers of a plan's sources."""
    sources = plan["sources"]
    if len(sources) != len(numbers):
        return [
            Message(f"应有 {len(sources)} 组号码，收到 {len(numbers)} 组", f"{len(sources)} drawings, {len(numbers)} given")
        ]
    return [fault for source, given in zip(sources, numbers, strict=True) for fault in GAMES[source["game"]].faults(given)]
