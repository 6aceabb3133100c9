"""Reads the plan of a draw as a person writes it: JSON with ``draw_id, basis, frozen_at, k, cap, sources, strata``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from zhixin.errors import DrawRefused, Message
from zhixin.trust.draw.proposal import Inspector, Proposal, Stratum
from zhixin.trust.draw.public_numbers import PublicSource, game_of


def proposal_of(document: dict[str, Any]) -> Proposal:
    """Read the proposal back from a committed or published document.

    Raises:
        DrawRefused: the plan, or a line of a list, is malformed.
    """
    try:
        plan = {name: value for name, value in document["plan"].items() if not name.endswith("_root")}
        frame, people, conflicts = (
            _lines(document, name, width) for name, width in (("frame", 2), ("inspectors", 3), ("conflicts", 2))
        )
        inspectors = [Inspector(person, unit, _plain_day(day)) for person, unit, day in people]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DrawRefused(
            [Message(f"这不是一份抽取文件：{error}", f"this is no draw: {type(error).__name__} {error}")]
        ) from error
    found = read_proposal(
        plan,
        frame=[(unit, tier) for unit, tier in frame],
        inspectors=inspectors,
        conflicts=[(person, unit) for person, unit in conflicts],
    )
    if [item.game for item in found.sources] != [item["game"] for item in plan["sources"]]:
        raise DrawRefused([Message("公共随机源须用统一的编号", "sources are named by their identifier")])
    return found


def _lines(document: dict[str, Any], name: str, width: int) -> list[list[str]]:
    rows = [line.split("\t") for line in document[name]]
    if any(len(row) != width or any(part != part.strip() for part in row) for row in rows):
        raise ValueError(f"a line of {name} does not have {width} plain fields")
    return rows


def _plain_day(text: str) -> date:
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(f"{text!r} is no date (2027-12-31)")
    return found


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


def _source(item: dict[str, Any]) -> PublicSource:
    if set(item) - {"game", "issue", "date"}:
        raise ValueError(f"source {item}: game, issue, date")
    game = game_of(_text(item["game"]))
    return PublicSource(game.id if game else item["game"], _text(item["issue"]), _plain_day(_text(item["date"])))
