"""Faults of a procedure: steps that lead nowhere, rights that are left out, one person who would decide alone.

What must hold on every way through a procedure is searched exhaustively: the states of a procedure are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from zhixin.errors import Fault, Message
from zhixin.law.loading import position_of
from zhixin.law.procedures import ADVERSE, Procedure, Transition
from zhixin.law.yaml_text import YamlText

Known = TypeVar("Known", bound=Hashable)
DECIDING: frozenset[str] = frozenset({"officer", "source", "approver"})
"""Those who act for the authority."""
Path_ = tuple[str | int, ...]
Found = tuple[str, Path_, str]
"""Code, path, the name that the fault is about."""
WORDS = {
    "P001": ("{0} 重复", "{0} stands twice", "改名", "rename it"),
    "P002": ("没有 {0}", "there is no {0}", "核对名称", "check the name"),
    "P003": ("评价规则没有规定期限 {0}", "no rulebook sets the deadline {0}", "在规则的 deadlines 中规定", "set it under deadlines of the rulebook"),
    "P010": ("状态 {0} 无法到达", "the state {0} is never reached", "补上通向它的步骤或删去", "add a step to it or remove it"),
    "P011": ("终结状态 {0} 还有后续步骤", "the end {0} has steps that leave it", "去掉 is_end 或后续步骤", "remove is_end or the steps"),
    "P012": ("从状态 {0} 无法办结", "no way leads from {0} to an end", "补上通向办结的步骤", "add a step towards an end"),
    "P013": ("状态 {0} 没有写明由谁办理、何时届满", "the state {0} says not whose turn it is, or until when", "写明 turn 和 deadline", "write turn and deadline"),
    "P014": ("状态 {0} 由一方办理，却没有该方可办的步骤", "{0} waits for somebody who has no step there", "补上该方的步骤", "add a step of theirs"),
    "P015": ("步骤 {0} 没有依据", "the step {0} has no basis", "写明 basis", "write its basis"),
    "P016": ("状态 {0} 所接续的状态可能尚未经过", "{0} continues a state that some way has not entered", "改正 continues", "name a state that every way passes"),
    "P017": ("状态 {0} 不能中止它所写的状态", "{0} cannot suspend what it names", "只写另一个有期限的状态", "name another state that has a deadline"),
    "P018": ("状态 {0} 等待当事人，却没有期满的步骤", "{0} waits for the party for ever", "补上由时钟办理的步骤", "add a step of the clock"),
    "P019": ("状态 {0} 有两个期满步骤", "two steps of the clock leave {0}", "只留一个", "keep one"),
    "P020": ("存在不经告知和陈述申辩即到达 {0} 的路径", "a way leads to {0} without notice and defence", "在此之前经过告知和申辩期", "lead every way through a notice and a state of defence"),
    "P021": ("{0} 终结案件而不告知救济途径", "{0} ends a case without telling the remedies", "写明 remedies 和 paper", "write remedies and the paper that tells them"),
    "P022": ("告知步骤 {0} 没有文书", "the notice {0} has no paper", "写明 paper", "name its paper"),
    "P023": ("申辩期 {0} 可以被提前结束", "the time for defence {0} can be cut short", "申辩期只由时钟或者有利于当事人的步骤结束，期限从告知起算", "let only the clock, or a step in favour of the party, end it, with a term of its own"),
    "P024": ("{0} 不利于当事人，不能标为有利", "{0} burdens the party and is not favourable", "去掉 is_favourable", "remove is_favourable"),
    "P030": ("{0} 可由一人独自办成", "one person alone can bring about {0}", "每条路径都先由另一人提出（other_than）", "lead every way through a proposal that other_than names"),
    "P031": ("审批步骤 {0} 没有写明不得由谁办理", "the approval {0} says not whose proposal it decides", "写明 other_than", "write other_than"),
    "P033": ("{0} 产生效果，只能由审批人办理", "{0} takes effect: only an approver may decide it", "改为 by: approver", "write by: approver"),
    "P034": ("{0} 的效果与本程序的对象不符", "the effect of {0} does not fit what the procedure is about", "改正 about 或 effect", "correct about or effect"),
    "P035": ("{0} 是拟办意见，必须写明理由", "{0} proposes a decision and needs a reason", "写明 needs_reason: true", "write needs_reason: true"),
    "P036": ("不能由 {0} 提起", "{0} cannot open a case", "只写 applicant 或 officer", "name applicant or officer"),
    "P032": ("{0} 所在状态只等时钟", "the state of {0} waits for nobody but the clock", "写明由谁办理", "say whose turn it is"),
}  # fmt: skip


def faults_of(procedure: Procedure, document: YamlText, deadlines: frozenset[str] | None) -> Iterator[Fault]:
    """Yield every fault; those of names first, and alone, since the others follow the names."""
    named = list(_names(procedure, deadlines))
    for code, path, name in named or [*_shape(procedure), *_rights(procedure), *_persons(procedure)]:
        file, line = position_of(document.positions, path)
        zh, en, fix_zh, fix_en = WORDS[code]
        yield Fault(
            file, line, code, ".".join(map(str, path)), Message(zh.format(name), en.format(name)), Message(fix_zh, fix_en)
        )


def _state_path(procedure: Procedure, name: str) -> Path_:
    return ("states", [item.id for item in procedure.states].index(name))


def _step_path(procedure: Procedure, name: str) -> Path_:
    return ("transitions", [item.id for item in procedure.transitions].index(name))


def _names(procedure: Procedure, deadlines: frozenset[str] | None) -> Iterator[Found]:
    """Report names given twice, names of nothing, and deadlines that the rulebook does not set."""
    states, steps = [item.id for item in procedure.states], [item.id for item in procedure.transitions]
    for part, ids in (("states", states), ("transitions", steps)):
        for name, count in Counter(ids).items():
            if count > 1:
                yield "P001", (part, len(ids) - 1 - ids[::-1].index(name)), name
    if procedure.start not in states:
        yield "P002", ("start",), procedure.start
    for place, state in enumerate(procedure.states):
        wanted = [*state.suspends, *filter(None, [state.continues])]
        yield from (("P002", ("states", place), name) for name in wanted if name not in states)
        terms = filter(None, (state.deadline, state.deadline_own))
        yield from (("P003", ("states", place), name) for name in terms if deadlines is not None and name not in deadlines)
    for place, step in enumerate(procedure.transitions):
        yield from (("P002", ("transitions", place), name) for name in (*step.from_, step.to) if name not in states)
        yield from (("P002", ("transitions", place), name) for name in step.other_than if name not in steps)
        if deadlines is not None:
            yield from (("P003", ("transitions", place), name) for name in step.remedies if name not in deadlines)


def _shape(procedure: Procedure) -> Iterator[Found]:
    """States that cannot be reached, or not be left; open states without a turn or a deadline; steps without a basis."""
    reached = _reached(procedure.start, lambda name: [step.to for step in procedure.leaving(name)])
    ends = [item.id for item in procedure.states if item.is_end]
    before = {
        item.id: [name for step in procedure.transitions if step.to == item.id for name in step.from_]
        for item in procedure.states
    }
    ending = {name for end in ends for name in _reached(end, lambda to: before[to])}
    for state in procedure.states:
        path, leaving = _state_path(procedure, state.id), procedure.leaving(state.id)
        if state.id not in reached:
            yield "P010", path, state.id
        if state.is_end:
            if leaving:
                yield "P011", path, state.id
            continue
        if state.id not in ending:
            yield "P012", path, state.id
        if state.turn is None or state.deadline is None:
            yield "P013", path, state.id
        yield from (("P017", path, state.id) for name in state.suspends if name == state.id or procedure.state(name).is_end)
        if state.continues is not None and _may_miss(procedure, state.continues, state.id):
            yield "P016", path, state.id
        clocks = [step for step in leaving if step.by == "clock"]
        if state.turn == "applicant" and not clocks:
            yield "P018", path, state.id
        if len(clocks) > 1:
            yield "P019", path, state.id
        if state.turn is not None and state.deadline is not None and state.turn not in {step.by for step in leaving}:
            yield "P014", path, state.id
    yield from (("P015", _step_path(procedure, step.id), step.id) for step in procedure.transitions if not step.basis)


def _reached(start: Known, onward: Callable[[Known], Iterable[Known]]) -> set[Known]:
    found, waiting = {start}, [start]
    while waiting:
        new = set(onward(waiting.pop())) - found
        found |= new
        waiting += new
    return found


def _ways(procedure: Procedure, known: Known, after: Callable[[Known, Transition], Known]) -> set[tuple[str, Known]]:
    """Return every state with what may be known in it, over all ways from the start; ``after`` a step more is known."""
    return _reached(
        (procedure.start, known),
        lambda here: [(step.to, after(here[1], step)) for step in procedure.leaving(here[0])],
    )


def _may_miss(procedure: Procedure, wanted: str, target: str) -> bool:
    """Whether some way reaches a state without having entered another."""
    ways = _ways(procedure, procedure.start == wanted, lambda is_entered, step: is_entered or step.to == wanted)
    return (target, False) in ways


def _rights(procedure: Procedure) -> Iterator[Found]:
    """What burdens the party comes after notice and defence; whoever ends a case against it tells the remedies."""
    for state in procedure.states:
        ways_out = [step for step in procedure.leaving(state.id) if step.to != state.id]
        if state.is_defence and (
            state.turn != "applicant"
            or state.continues
            or any(step.by != "clock" and not step.is_favourable for step in ways_out)
        ):
            yield "P023", _state_path(procedure, state.id), state.id
    for step in procedure.transitions:
        path = _step_path(procedure, step.id)
        if step.effect in ADVERSE and _unwarned(procedure, step):
            yield "P020", path, step.id
        if step.effect in ADVERSE and step.is_favourable:
            yield "P024", path, step.id
        is_against = procedure.state(step.to).is_end and step.by != "applicant" and not step.is_favourable
        if is_against and not (step.remedies and step.paper):
            yield "P021", path, step.id
        if step.is_notice and step.paper is None:
            yield "P022", path, step.id


def _unwarned(procedure: Procedure, target: Transition) -> bool:
    """Whether some way reaches a step without a notice before and a state of defence after it."""

    def after(known: tuple[bool, bool], step: Transition) -> tuple[bool, bool]:
        is_told, is_heard = known[0] or step.is_notice, known[1]
        return is_told, is_heard or (is_told and procedure.state(step.to).is_defence)

    return any(
        state in target.from_ and not is_heard for state, (_told, is_heard) in _ways(procedure, (False, False), after)
    )


def _persons(procedure: Procedure) -> Iterator[Found]:
    """What takes effect was proposed by one person and is decided by another; nothing waits for the clock alone."""
    yield from (("P036", ("opens",), actor) for actor in procedure.opens if actor not in ("applicant", "officer"))
    for step in procedure.transitions:
        path = _step_path(procedure, step.id)
        if step.effect is not None and (not step.other_than or _alone(procedure, step)):
            yield "P030", path, step.id
        if step.by == "approver" and (not step.other_than or _alone(procedure, step)):
            yield "P031", path, step.id
        if step.effect is not None and step.by != "approver":
            yield "P033", path, step.id
        if step.effect in ("record.repair", "record.revoke", "statement.publish") and procedure.about != "record":
            yield "P034", path, step.id
        if step.effect in ("measure.impose", "record.list") and procedure.about != "subject":
            yield "P034", path, step.id
        if step.id in procedure.proposals and step.by in DECIDING and not step.needs_reason:
            yield "P035", path, step.id
        if step.by == "clock" and any(procedure.state(name).turn == "clock" for name in step.from_):
            yield "P032", path, step.id


def _alone(procedure: Procedure, target: Transition) -> bool:
    """Whether some way reaches a step without one of the proposals that it must not be decided by the maker of."""
    proposals = {
        step.id for step in procedure.transitions if step.id in target.other_than and step.by in DECIDING - {"approver"}
    }
    ways = _ways(procedure, False, lambda is_proposed, step: is_proposed or step.id in proposals)
    return any((state, False) in ways for state in target.from_)
