"""Reads the plan of a draw as a person writes it: JSON with ``draw_id, basis, frozen_at, k, cap, sources, strata``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from zhixin.errors import DrawRefused, Message
from zhixin.trust.draw.proposal import Inspector, Proposal, Stratum
from zhixin.trust.draw.public_numbers import Source, game_of

_REQUIRED = frozenset({"draw_id", "basis", "frozen_at", "k", "cap", "sources", "strata"})
_OPTIONAL = frozenset({"alg", "inversion"})


def read_proposal(
    plan: dict[str, Any],
    *,
    frame: Sequence[tuple[str, str]],
    inspectors: Sequence[Inspector],
    conflicts: Sequence[tuple[str, str]],
) -> Proposal:
    """Read a plan together with its lists.

    Raises:
        DrawRefused: a field is missing, unknown or of the wrong kind.
    """
    missing, unknown = sorted(_REQUIRED - set(plan)), sorted(set(plan) - _REQUIRED - _OPTIONAL)
    if missing or unknown:
        raise DrawRefused(
            [Message(f"计划缺少 {missing}、不认识 {unknown}", f"the plan lacks {missing} and has unknown {unknown}")]
        )
    try:
        return Proposal(
            draw_id=_text(plan["draw_id"]),
            basis=_text(plan["basis"]),
            frozen_at=datetime.fromisoformat(_text(plan["frozen_at"])),
            strata=[_stratum(item) for item in plan["strata"]],
            sources=[_source(item) for item in plan["sources"]],
            frame=frame,
            inspectors=inspectors,
            conflicts=conflicts,
            k=_whole(plan["k"]),
            cap=_whole(plan["cap"]),
            inversion=None if plan.get("inversion") is None else _text(plan["inversion"]),
            alg=_text(plan.get("alg", "CDRAW/2")),
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DrawRefused([Message(f"计划中有误：{error}", f"the plan is wrong: {error}")]) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r}: text is needed")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r}: a whole number is needed")
    return value


def _stratum(item: dict[str, Any]) -> Stratum:
    if set(item) - {"id", "num", "den", "min", "max"}:
        raise ValueError(f"stratum {item}: id, num, den, min, max")
    bounds = {name: None if item.get(name) is None else _whole(item[name]) for name in ("min", "max")}
    return Stratum(_text(item["id"]), _whole(item["num"]), _whole(item["den"]), **bounds)


def _source(item: dict[str, Any]) -> Source:
    game = game_of(_text(item["game"]))
    return Source(game.id if game else item["game"], _text(item["issue"]), date.fromisoformat(_text(item["date"])))
