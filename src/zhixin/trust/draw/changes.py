"""What may still change after a draw: an inspector steps back, a unit cannot be inspected. Both are local."""

from __future__ import annotations

from collections.abc import Sequence

from zhixin.errors import DrawRefused, Message
from zhixin.trust.draw.drawing import Document, Drawn
from zhixin.trust.draw.proposal import is_name


def recuse(document: Document, unit: str, person: str, reason: str) -> Document:
    """Replace one inspector of a unit not yet substituted by the next in the unit's own order; no other unit changes.

    Raises:
        DrawRefused: the unit was replaced, the inspector is not on the team, nobody is left, or no reason is given.
    """
    _need_drawn(document)
    if unit in {item["unit"] for item in changes_of(document, "substitution")}:
        raise DrawRefused([Message(f"{unit} 已由候补替换", f"{unit} was replaced by the reserve")])
    return recuse_any(document, unit, person, reason)


def recuse_any(document: Document, unit: str, person: str, reason: str) -> Document:
    """As :func:`recuse`, for a unit that may have been replaced since.

    Raises:
        DrawRefused: the inspector is not on the team, nobody is left, or no reason is given.
    """
    _need_reason(reason)
    drawn = Drawn(document, document["numbers"])
    recused = [item["recused"] for item in changes_of(document, "late_recusal") if item["unit"] == unit]
    team = _team(document, drawn, unit)
    if person not in team:
        raise DrawRefused([Message(f"{person} 不检查 {unit}", f"{person} does not inspect {unit}")])
    following = _next_inspector(drawn, unit, [*team, *recused])
    if following is None:
        raise DrawRefused([Message(f"{unit} 没有可替补的检查人员", f"there is nobody left to inspect {unit}")])
    change = {"unit": unit, "recused": person, "next": following, "reason": reason}
    return {**document, "late_recusal": [*changes_of(document, "late_recusal"), change]}


def substitute(document: Document, unit: str, reason: str) -> Document:
    """Replace a drawn unit by the next of its stratum's reserve list, with the first ``k`` of that unit's own order.

    Raises:
        DrawRefused: the unit is not drawn, the list is used up, or no reason is given.
    """
    _need_drawn(document)
    _need_reason(reason)
    drawn = Drawn(document, document["numbers"])
    following = _next_unit(document, drawn, unit)
    if following is None:
        raise DrawRefused(
            [
                Message(
                    f"{unit} 未被抽中，或其层的候补已用尽", f"{unit} is not drawn, or the reserve of its stratum is used up"
                )
            ]
        )
    change = {"unit": unit, "next": following, "team": _reserve_team(drawn, following), "reason": reason}
    return {**document, "substitution": [*changes_of(document, "substitution"), change]}


def _need_drawn(document: Document) -> None:
    if "numbers" not in document:
        raise DrawRefused([Message("这次抽取还没有结果", "this draw has no result yet")])


def _need_reason(reason: str) -> None:
    if not is_name(reason):
        raise DrawRefused([Message("须写明理由（一行）", "give the reason in one line")])


def changes_of(document: Document, name: str) -> list[Document]:
    """The recusals or substitutions so far; one alone may stand there as an object."""
    found = document.get(name, [])
    return [found] if isinstance(found, dict) else list(found)


def _reserve_team(drawn: Drawn, unit: str) -> list[str]:
    return drawn.in_order(unit, drawn.inspectors)[: drawn.plan["k"]]


def _team(document: Document, drawn: Drawn, unit: str) -> list[str]:
    """Who inspects a unit now, after substitutions and recusals."""
    team = list(document["assignment"].get(unit, []))
    for item in changes_of(document, "substitution"):
        if item["next"] == unit:
            team = _reserve_team(drawn, unit)
    for item in changes_of(document, "late_recusal"):
        if item["unit"] == unit:
            team = [item["next"] if person == item["recused"] else person for person in team]
    return team


def _next_inspector(drawn: Drawn, unit: str, without: Sequence[str]) -> str | None:
    return next((person for person in drawn.in_order(unit, drawn.inspectors) if person not in without), None)


def _next_unit(document: Document, drawn: Drawn, unit: str) -> str | None:
    """Return the next unused unit of the reserve list, if the unit is drawn and not yet substituted."""
    changes = changes_of(document, "substitution")
    used, gone = {item["next"] for item in changes}, {item["unit"] for item in changes}
    stratum = next((name for name, units in drawn.units.items() if unit in units), None)
    if stratum is None or unit in gone:
        return None
    units, n = [found for _, found in drawn.order(stratum)], drawn.picks[stratum]
    if unit not in used and unit not in units[:n]:
        return None
    return next((found for found in units[n:] if found not in used), None)
