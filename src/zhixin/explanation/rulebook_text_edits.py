"""Edits the text of a rulebook value by value: what is not changed stays as it is written, with comments and anchors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from zhixin.errors import UsageError
from zhixin.law.yaml_text import YamlText


@dataclass(frozen=True)
class CellChange:
    """A cell that says something else than the rulebook: which indicator, which key, what it was and what it is to be."""

    indicator: str
    key: str
    was: Any
    now: Any


def flow(value: Any) -> str:
    """Write a value of a rulebook on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    text = str(value)
    if not text.isprintable():
        return json.dumps(text)
    return text if _is_plain(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_plain(text: str) -> bool:
    """Whether a text without quotes, inside a flow, is read as itself."""
    if not text or text != text.strip() or re.search(r"[\[\]{},#&*!|>'\"%@`\n]|: |:$|^[-?:]", text):
        return False
    read = YamlText("", f"[{text}]")
    return not read.faults and read.value == (text,)


def with_change(text: str, change: CellChange) -> str:
    """Return the text of a rulebook with one change made to its indicators.

    Raises:
        UsageError: it cannot be made in the text as it is written.
    """
    try:
        return _EditedText(text).with_change(change)
    except yaml.YAMLError as error:
        raise cannot_be_written(change) from error


def cannot_be_written(change: CellChange) -> UsageError:
    """Return the refusal of changes up to one that the text as it is written does not take."""
    name = f"{change.indicator}.{change.key}" if change.key else change.indicator
    return UsageError(
        f"到 {name} 为止的改动不能逐格写回；请直接修改 YAML",
        f"the changes up to {name} cannot be written back cell by cell: edit the YAML itself",
    )


def _id_of(item: yaml.MappingNode) -> str:
    return next((str(value.value) for key, value in item.value if key.value == "id"), "")


_ALIAS, _ANCHOR = re.compile(r"\s*:\s*(\*[^\s,\]}]+)"), re.compile(r"\s*:\s*(&[^\s,\]}]+)")


class _EditedText:
    """The text of a rulebook in which one value after the other is replaced, the rest left as it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        assert isinstance(root, yaml.MappingNode)
        self.items: list[yaml.MappingNode] = next(
            (value.value for key, value in root.value if key.value == "indicators"), []
        )

    def with_change(self, change: CellChange) -> str:
        """Return the text with one change made."""
        if not change.key and change.was is None:
            return self._appended(change.now)
        item = next(item for item in self.items if _id_of(item) == change.indicator)
        if not change.key:
            start = self.text.rfind("\n", 0, item.start_mark.index) + 1
            end = self.text.find("\n", self._end_of(item))
            return self._replaced(start, len(self.text) if end < 0 else end + 1, "")
        pair = next(((key, value) for key, value in item.value if key.value == change.key), None)
        if pair is None:
            return self._with_key(item, change)
        start, end = self._span(*pair)
        if change.now is None:
            return self._without_key(item, pair[0], end)
        between = self.text[pair[0].end_mark.index : start]
        is_block = "\n" in between  # its value begins on a line of its own; the new one stands behind the colon
        lead = between[: between.index(":") + 1] + " " if is_block else between
        return self._replaced(start, end, flow(change.now), start - len(between), lead)

    def _span(self, key: yaml.Node, value: yaml.Node) -> tuple[int, int]:
        """Return where a value stands: its alias, or its anchor and itself."""
        after = key.end_mark.index
        alias = _ALIAS.match(self.text, after)
        if alias:
            return alias.span(1)
        anchor = _ANCHOR.match(self.text, after)
        start = anchor.start(1) if anchor else int(value.start_mark.index)
        return start, self._end_of(value)

    def _end_of(self, node: yaml.Node) -> int:
        """Return where a node ends, without what follows the last line of a block."""
        if not isinstance(node, yaml.CollectionNode) or node.flow_style:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self._span(*last)[1] if isinstance(last, tuple) else self._end_of(last)

    def _with_key(self, item: yaml.MappingNode, change: CellChange) -> str:
        key, value = item.value[-1]
        _start, end = self._span(key, value)
        said = f"{change.key}: {flow(change.now)}"
        if item.flow_style:
            return self.text[:end] + f", {said}" + self.text[end:]
        indent = " " * int(key.start_mark.column)
        return f"{self.text[:end]}\n{indent}{said}{self.text[end:]}"

    def _without_key(self, item: yaml.MappingNode, key: yaml.Node, end: int) -> str:
        start = key.start_mark.index
        if item.flow_style:
            before = re.search(r",\s*$", self.text[:start])
            return self._replaced(before.start() if before else start, end, "")
        return self._replaced(self.text.rfind("\n", 0, start), end, "")

    def _appended(self, item: Mapping[str, Any]) -> str:
        end = self._end_of(self.items[-1])
        line = self.text.rfind("\n", 0, self.items[-1].start_mark.index) + 1
        indent = self.text[line : self.text.index("-", line)]
        return self.text[:end] + f"\n{indent}- {flow(item)}" + self.text[end:]

    def _replaced(self, start: int, end: int, new: str, from_: int | None = None, lead: str = "") -> str:
        """Return the text with a part replaced; what others refer to by an anchor in it moves to the first who does.

        ``from_``: where the text before the part ends that stays; ``lead`` stands between it and the new part.

        Raises:
            UsageError: an anchor inside the part, which cannot be moved.
        """
        old, rest = self.text[start:end], self.text[end:]
        for anchor in re.findall(r"&([^\s,\]}]+)", old):
            used = re.search(rf"\*{re.escape(anchor)}(?![^\s,\]}}])", rest)
            if used is None:
                continue
            whole = re.fullmatch(rf"&{re.escape(anchor)}\s+(.*)", old, re.DOTALL)
            if whole is None:
                raise UsageError(
                    f"被改的内容含有其他指标引用的锚点 &{anchor}；请直接修改 YAML",
                    f"what is changed holds the anchor &{anchor} that others refer to: edit the YAML itself",
                )
            rest = rest[: used.start()] + f"&{anchor} {whole[1]}" + rest[used.end() :]
        return self.text[: start if from_ is None else from_] + lead + new + rest
