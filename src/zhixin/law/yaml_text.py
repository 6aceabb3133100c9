"""YAML with the file and line of every value; numbers are read as exact decimals."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from zhixin.errors import Fault, Message

Position = tuple[str, int]


Path_ = tuple[str | int, ...]

MOST_CHARACTERS, MOST_DEPTH, MOST_VALUES, MOST_DIGITS = 4_000_000, 40, 400_000, 30
"""Beyond these a text is refused before it is built: 5,000 indicators with cases keep far below."""


_NUMBER = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]+)?$")


_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


class YamlText:
    """A YAML file as plain values, with the position of every path in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.positions: dict[Path_, Position] = {(): (file, 1)}
        self.faults: list[Fault] = []
        self.value: Any = None
        try:
            node = self._composed(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = mark.line + 1 if mark else 1
            self._fault(line, "R001", (), Message(f"不是有效的 YAML：{error.problem}", f"not valid YAML: {error.problem}"))
            return
        except (yaml.YAMLError, UnicodeError) as error:
            self._fault(1, "R001", (), Message(f"不是有效的 YAML：{error}", f"not valid YAML: {error}"))
            return
        if not self.faults:
            self.value = self._build(node, ()) if node is not None else {}

    @classmethod
    def of_file(cls, file: Path, shown: str) -> YamlText:
        """Read a file; one that is no text in UTF-8 has that as its fault.

        Args:
            file: with or without a byte-order mark.
            shown: what faults call it.
        """
        try:
            return cls(shown, file.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            found = cls(shown, "")
            found.value = None
            found.faults = [
                Fault(
                    shown, 1, "R001", "rulebook", Message("文件不是 UTF-8 编码的文本", "the file is no text in UTF-8"),
                    Message("另存为 UTF-8 后重试", "save it as UTF-8 and check again"),
                )
            ]  # fmt: skip
            return found

    def _composed(self, text: str) -> yaml.Node | None:
        """The nodes of a text whose size, depth and aliases keep within bounds; a fault otherwise."""
        if len(text) > MOST_CHARACTERS:
            self._fault(
                1,
                "R006",
                (),
                Message(f"文件超过 {MOST_CHARACTERS:,} 字", f"the file is longer than {MOST_CHARACTERS:,} characters"),
            )
            return None
        return yaml.compose(text, Loader=yaml.CSafeLoader) if self._is_bounded(text) else None

    def _is_bounded(self, text: str) -> bool:
        """Whether nesting and expanded aliases stay within bounds; the first that does not is a fault."""
        sizes: dict[str, int] = {}
        open_: list[tuple[str | None, int]] = []
        values = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            too_much = None
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append((event.anchor, values))
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = open_.pop()
                if anchor is not None:
                    sizes[anchor] = values - before
            elif isinstance(event, yaml.AliasEvent):
                if any(anchor == event.anchor for anchor, _ in open_):
                    too_much = Message(f"别名 *{event.anchor} 引用了自身", f"the alias *{event.anchor} contains itself")
                values += sizes.get(str(event.anchor), 1)
            elif isinstance(event, yaml.ScalarEvent):
                values += 1
            if len(open_) > MOST_DEPTH:
                too_much = Message(f"嵌套超过 {MOST_DEPTH} 层", f"nested deeper than {MOST_DEPTH} levels")
            elif values > MOST_VALUES:
                too_much = Message(
                    f"展开别名后超过 {MOST_VALUES:,} 个值", f"more than {MOST_VALUES:,} values once aliases are expanded"
                )
            if too_much is not None:
                self._fault(event.start_mark.line + 1 if event.start_mark else 1, "R006", (), too_much)
                return False
        return True

    def _fault(self, line: int, code: str, path: Path_, what: Message) -> None:
        remedy = Message("请改正该行后重试", "mend that line and check again")
        self.faults.append(Fault(self.file, line, code, dotted(path), what, remedy))

    def _build(self, node: yaml.Node, path: Path_) -> Any:
        self.positions[path] = (self.file, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._build(item, (*path, index)) for index, item in enumerate(node.value))
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path)
            name = str(key)
            if key in result:
                what = Message(f"键 {name} 重复", f"the key {name} is written twice")
                self._fault(key_node.start_mark.line + 1, "R002", (*path, name), what)
            result[key] = self._build(value_node, (*path, name))
            self.positions[(*path, name)] = (self.file, key_node.start_mark.line + 1)
        return result

    def _scalar(self, node: yaml.Node, path: Path_) -> Any:
        text = str(node.value)
        if not isinstance(node, yaml.ScalarNode) or node.style in ("'", '"', "|", ">"):
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if _NUMBER.match(text):
            if len(text) > MOST_DIGITS:
                what = Message(f"数字超过 {MOST_DIGITS} 位", f"a number of more than {MOST_DIGITS} digits")
                self._fault(node.start_mark.line + 1, "R006", path, what)
                return 0
            return int(text) if "." not in text else Decimal(text)
        if _DATE.match(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                what = Message(f"没有 {text} 这一天", f"there is no day {text}")
                self._fault(node.start_mark.line + 1, "R003", path, what)
        return text


def dotted(path: Path_) -> str:
    return ".".join(str(part) for part in path) or "rulebook"
