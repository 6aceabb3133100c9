"""Computes a published draw again. ``verify_draw.py`` does the same for an outsider and shares no code with this."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zhixin.errors import DrawRefused, Message
from zhixin.trust.draw.changes import changes_of, recuse_any, substitute
from zhixin.trust.draw.drawing import Document, Drawn, committed_faults, number_faults, readable

_KEYS = frozenset(
    [
        "plan",
        "frame",
        "inspectors",
        "conflicts",
        "commitment",
        "numbers",
        "sources",
        "prk",
        "strata",
        "assignment",
        "late_recusal",
        "substitution",
    ]
)


def verify(document: Document) -> list[Message]:
    """Compute a published draw again; what differs, or an empty list.

    Raises:
        DrawRefused: the document cannot be read as a draw.
    """
    first = readable(
        lambda: [
            *_unknown_keys(document),
            *committed_faults(document),
            *number_faults(document["plan"], document["numbers"]),
        ]
    )
    return first or readable(lambda: [*_result_faults(document), *_change_faults(document)])


def _unknown_keys(document: Document) -> Iterable[Message]:
    for key in sorted(set(document) - _KEYS):
        yield Message(f"「{key}」不属于抽取结果，无从核对", f"{key!r} is no part of a draw and cannot be checked")


def _result_faults(document: Document) -> Iterable[Message]:
    drawn = Drawn(document, document["numbers"])
    expected = drawn.results({name: len(found["reserve"]) for name, found in document["strata"].items()})
    if any(type(number) is not int for source in document["numbers"] for number in source):
        yield Message("号码应为整数", "numbers are whole numbers")
    if document["numbers"] != [sorted(source) for source in document["numbers"]]:
        yield Message("号码没有排序", "the numbers are not sorted")
    for name in ("sources", "prk"):
        if document[name] != expected[name]:
            yield Message(f"{name} 不是由号码得出的", f"{name} does not follow from the numbers")
    for name in sorted({*expected["strata"], *document["strata"]}):
        if document["strata"].get(name) != expected["strata"].get(name):
            yield Message(
                f"层「{name}」抽中的不是票号最小者", f"stratum {name}: these are not the smallest tickets in order"
            )
    for unit in sorted({*expected["assignment"], *document["assignment"]}):
        if document["assignment"].get(unit) != expected["assignment"].get(unit):
            yield Message(f"{unit} 的检查人员不符", f"the inspectors of {unit} do not follow")


def _change_faults(document: Document) -> Iterable[Message]:
    """Play substitutions and recusals again, each from those before it."""
    before = {name: value for name, value in document.items() if name not in ("late_recusal", "substitution")}
    for item in changes_of(document, "substitution"):
        if not _follows(substitute, before, "substitution", item, item["unit"]):
            yield Message(f"{item['unit']} 的替补不符", f"the substitute of {item['unit']} does not follow")
        before["substitution"] = [*before.get("substitution", []), item]
    for item in changes_of(document, "late_recusal"):
        if not _follows(recuse_any, before, "late_recusal", item, item["unit"], item["recused"]):
            yield Message(f"{item['unit']} 的回避替补不符", f"the recusal at {item['unit']} does not follow")
        before["late_recusal"] = [*before.get("late_recusal", []), item]


def _follows(change: Callable[..., Document], before: Document, name: str, published: Document, *about: str) -> bool:
    """Whether the change that was published is the one that follows; its reason is the office's own word."""
    reason = published.get("reason", "—")
    try:
        found = change(before, *about, reason)[name][-1]
    except DrawRefused:
        return False
    return bool(found == {"reason": reason, **published})
