"""Faults of a procedure: steps that lead nowhere, rights that are left out, one person who would decide alone.

What must hold on every way through a procedure is searched exhaustively: the states of a procedure are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from zhixin.errors import Fault, Message
from zhixin.law.loading import position_of
from zhixin.law.procedures import ADVERSE, Procedure, Transition
from zhixin.law.yaml_text import YamlText

Found = tuple[str, tuple[str | int, ...], Message, Message]
"""Code, path, what is wrong, what to do."""
DECIDING: frozenset[str] = frozenset({"officer", "source", "approver"})
"""Those who act for the authority."""


def faults_of(procedure: Procedure, document: YamlText, deadlines: frozenset[str] | None) -> Iterator[Fault]:
    """Yield every fault; those of names first, and alone, since the others follow the names."""
    named = list(_names(procedure, deadlines))
    for code, path, what, remedy in named or [*_shape(procedure), *_rights(procedure), *_persons(procedure)]:
        file, line = position_of(document.positions, path)
        yield Fault(file, line, code, ".".join(map(str, path)), what, remedy)


def _state_path(procedure: Procedure, name: str) -> tuple[str | int, ...]:
    return ("states", [item.id for item in procedure.states].index(name))


def _step_path(procedure: Procedure, name: str) -> tuple[str | int, ...]:
    return ("transitions", [item.id for item in procedure.transitions].index(name))


def _names(procedure: Procedure, deadlines: frozenset[str] | None) -> Iterator[Found]:
    states, steps = [item.id for item in procedure.states], [item.id for item in procedure.transitions]
    for part, ids in (("states", states), ("transitions", steps)):
        for name, count in Counter(ids).items():
            if count > 1:
                yield (
                    "P001",
                    (part, len(ids) - 1 - ids[::-1].index(name)),
                    *_said(f"{name} 重复", f"{name} stands twice", "改名", "rename it"),
                )
    used: list[tuple[tuple[str | int, ...], str, list[str]]] = [(("start",), procedure.start, states)]
    for place, state in enumerate(procedure.states):
        used += [(("states", place), name, states) for name in (*state.suspends, *filter(None, [state.continues]))]
    for place, step in enumerate(procedure.transitions):
        used += [(("transitions", place), name, states) for name in (*step.from_, step.to)]
        used += [(("transitions", place), name, steps) for name in step.other_than]
    for path, name, known in used:
        if name not in known:
            yield "P002", path, *_said(f"没有 {name}", f"there is no {name}", "核对名称", "check the name")
    if deadlines is not None:
        wanted: list[tuple[tuple[str | int, ...], str]] = [
            (("states", place), item.deadline) for place, item in enumerate(procedure.states) if item.deadline
        ]
        wanted += [
            (("transitions", place), name) for place, item in enumerate(procedure.transitions) for name in item.remedies
        ]
        for path, deadline in wanted:
            if deadline not in deadlines:
                yield "P003", path, *_said(
                    f"评价规则没有规定期限 {deadline}", f"no rulebook sets the deadline {deadline}",
                    "在规则的 deadlines 中规定", "set it under deadlines of the rulebook",
                )  # fmt: skip


def _said(zh: str, en: str, fix_zh: str, fix_en: str) -> tuple[Message, Message]:
    return Message(zh, en), Message(fix_zh, fix_en)


def _shape(procedure: Procedure) -> Iterator[Found]:
    """States that cannot be reached, or not be left; open states without a turn or a deadline; steps without a basis."""
    reached = _reached(procedure.start, lambda name: [step.to for step in procedure.leaving(name)])
    ends = [item.id for item in procedure.states if item.is_end]
    ending = {
        name
        for end in ends
        for name in _reached(end, lambda to: [n for s in procedure.transitions if s.to == to for n in s.from_])
    }
    for state in procedure.states:
        path = _state_path(procedure, state.id)
        leaving = procedure.leaving(state.id)
        if state.id not in reached:
            yield (
                "P010",
                path,
                *_said(
                    f"状态 {state.id} 无法到达",
                    f"the state {state.id} is never reached",
                    "补上通向它的步骤或删去",
                    "add a step to it or remove it",
                ),
            )
        if state.is_end:
            if leaving:
                yield (
                    "P011",
                    path,
                    *_said(
                        f"终结状态 {state.id} 还有后续步骤",
                        f"the end {state.id} has steps that leave it",
                        "去掉 is_end 或后续步骤",
                        "remove is_end or the steps",
                    ),
                )
            continue
        if state.id not in ending:
            yield (
                "P012",
                path,
                *_said(
                    f"从状态 {state.id} 无法办结",
                    f"no way leads from {state.id} to an end",
                    "补上通向办结的步骤",
                    "add a step towards an end",
                ),
            )
        if state.turn is None or state.deadline is None:
            yield (
                "P013",
                path,
                *_said(
                    f"状态 {state.id} 没有写明由谁办理、何时届满",
                    f"the state {state.id} says not whose turn it is, or until when",
                    "写明 turn 和 deadline",
                    "write turn and deadline",
                ),
            )
        elif state.turn not in {step.by for step in leaving}:
            yield (
                "P014",
                path,
                *_said(
                    f"状态 {state.id} 由 {state.turn} 办理，却没有其可办的步骤",
                    f"{state.id} waits for the {state.turn}, who has no step there",
                    "补上该方的步骤",
                    "add a step of theirs",
                ),
            )
    for step in procedure.transitions:
        if not step.basis:
            yield (
                "P015",
                _step_path(procedure, step.id),
                *_said(f"步骤 {step.id} 没有依据", f"the step {step.id} has no basis", "写明 basis", "write its basis"),
            )


def _reached(start: str, onward: Callable[[str], list[str]]) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        for name in onward(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _rights(procedure: Procedure) -> Iterator[Found]:
    """What burdens the party comes after notice and defence; whoever ends a case against it tells the remedies."""
    for step in procedure.transitions:
        path = _step_path(procedure, step.id)
        if step.effect in ADVERSE and _unwarned(procedure, step):
            yield "P020", path, *_said(
                f"存在不经告知和陈述申辩即到达 {step.id} 的路径", f"a way leads to {step.id} without notice and defence",
                "在此之前经过告知和申辩期", "lead every way through a notice and a state of defence",
            )  # fmt: skip
        is_against = procedure.state(step.to).is_end and step.by != "applicant" and not step.is_favourable
        if is_against and not (step.remedies and step.paper):
            yield "P021", path, *_said(
                f"{step.id} 终结案件而不告知救济途径", f"{step.id} ends a case without telling the remedies",
                "写明 remedies 和 paper", "write remedies and the paper that tells them",
            )  # fmt: skip
        if step.paper is None and step.is_notice:
            yield (
                "P022",
                path,
                *_said(f"告知步骤 {step.id} 没有文书", f"the notice {step.id} has no paper", "写明 paper", "name its paper"),
            )


def _unwarned(procedure: Procedure, target: Transition) -> bool:
    """Whether some way reaches a step without a notice before and a state of defence after it."""
    waiting = [(procedure.start, False, False)]
    seen = set(waiting)
    while waiting:
        state, is_told, is_heard = waiting.pop()
        if state in target.from_ and not is_heard:
            return True
        for step in procedure.leaving(state):
            told = is_told or step.is_notice
            onward = (step.to, told, is_heard or (told and procedure.state(step.to).is_defence))
            if onward not in seen:
                seen.add(onward)
                waiting.append(onward)
    return False


def _persons(procedure: Procedure) -> Iterator[Found]:
    """What takes effect, or ends a case against the party after review, was proposed by one person and is decided by another."""
    for step in procedure.transitions:
        path = _step_path(procedure, step.id)
        if step.effect is not None and (not step.other_than or _alone(procedure, step)):
            yield "P030", path, *_said(
                f"{step.id} 可由一人独自办成", f"one person alone can bring about {step.id}",
                "每条路径都先由另一人提出（other_than）", "lead every way through a proposal that other_than names",
            )  # fmt: skip
        if step.by == "approver" and not step.other_than:
            yield (
                "P031",
                path,
                *_said(
                    f"审批步骤 {step.id} 没有写明不得由谁办理",
                    f"the approval {step.id} says not whose proposal it decides",
                    "写明 other_than",
                    "write other_than",
                ),
            )
        if step.by == "clock" and any(procedure.state(name).turn == "clock" for name in step.from_):
            yield (
                "P032",
                path,
                *_said(
                    f"{step.id} 所在状态只等时钟",
                    f"the state of {step.id} waits for nobody but the clock",
                    "写明由谁办理",
                    "say whose turn it is",
                ),
            )


def _alone(procedure: Procedure, target: Transition) -> bool:
    """Whether some way reaches a step without one of the proposals that it must not be decided by the maker of."""
    waiting, seen = [(procedure.start, False)], {(procedure.start, False)}
    while waiting:
        state, is_proposed = waiting.pop()
        if state in target.from_ and not is_proposed:
            return True
        for step in procedure.leaving(state):
            onward = (step.to, is_proposed or (step.id in target.other_than and step.by in DECIDING))
            if onward not in seen:
                seen.add(onward)
                waiting.append(onward)
    return False
