"""YAML → Rulebook, with file and line on every fault; canonical dump; JSON Schema for editors.

Numbers are read as exact decimals, never as floats. A rulebook may extend another: parts that are lists of things
with an id are replaced by id, other parts as a whole; ``remove`` lists ids to drop (``"*"``: all).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from zhixin.errors import Fault, Message, RulebookError, UsageError
from zhixin.law.checks.structure import check
from zhixin.law.rulebook import Rulebook

Position = tuple[str, int]
Path_ = tuple[str | int, ...]
_NUMBER = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]+)?$")
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


class Document:
    """A YAML file as plain values, with the position of every path in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.positions: dict[Path_, Position] = {(): (file, 1)}
        self.faults: list[Fault] = []
        try:
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = mark.line + 1 if mark else 1
            self._fault(line, "R001", (), Message(f"不是有效的 YAML：{error.problem}", f"not valid YAML: {error.problem}"))
            self.value: Any = None
            return
        self.value = self._build(node, ()) if node is not None else {}

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


def load_rulebook(path: Path | str) -> Rulebook:
    """Read, extend, validate and check a rulebook file (or a folder that holds ``rulebook.yaml``).

    Raises:
        RulebookError: with every fault found, each with file and line. Warnings alone do not raise;
            :func:`check_file` returns them.
    """
    rulebook, faults = check_file(path)
    errors = [fault for fault in faults if not fault.is_warning]
    if errors or rulebook is None:
        raise RulebookError(errors)
    return rulebook


def check_file(path: Path | str) -> tuple[Rulebook | None, list[Fault]]:
    """The rulebook (``None`` if it cannot be built) and every fault and warning, in file order."""
    file = rulebook_file(path)
    value, positions, faults = _read(file, ())
    if value is None:
        return None, sorted(faults)
    try:
        rulebook = Rulebook.model_validate(value)
    except ValidationError as error:
        return None, sorted([*faults, *_schema_faults(error, positions)])
    for problem in check(rulebook):
        where, line = _position(positions, problem.path)
        faults.append(
            Fault(where, line, problem.code, dotted(problem.path), problem.what, problem.remedy, problem.is_warning)
        )
    return rulebook, sorted(faults)


def loads_rulebook(text: str, file: str = "<text>") -> Rulebook:
    """A rulebook from YAML text; the same faults as :func:`load_rulebook`, without ``extends``."""
    document = Document(file, text)
    if document.faults:
        raise RulebookError(document.faults)
    try:
        return Rulebook.model_validate(document.value)
    except ValidationError as error:
        raise RulebookError(_schema_faults(error, document.positions)) from None


def rulebook_file(path: Path | str) -> Path:
    """The YAML file a user means: a file, a folder, or the id of a rulebook that comes with the package."""
    given = Path(path)
    for candidate in (given, given / "rulebook.yaml", shipped_rulebooks() / str(path) / "rulebook.yaml"):
        if candidate.is_file():
            return candidate
    known = "、".join(sorted(folder.parent.name for folder in shipped_rulebooks().glob("*/rulebook.yaml")))
    raise UsageError(
        f"找不到规则文件 {path}；自带的规则有：{known}",
        f"no rulebook at {path}; those that come with the package: {known.replace('、', ', ')}",
    )


def shipped_rulebooks() -> Path:
    """The folder of the rulebooks that come with the project: inside an installed package, or in the checkout."""
    inside = Path(__file__).parents[1] / "rulebooks"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "rulebooks"


def dump_rulebook(rulebook: Rulebook) -> str:
    """Canonical YAML: ``loads_rulebook(dump_rulebook(r)) == r``."""
    return yaml.safe_dump(rulebook.dump(), allow_unicode=True, sort_keys=False, width=110)


def json_schema() -> dict[str, Any]:
    """JSON Schema that gives completion in an editor (``# yaml-language-server: $schema=…``)."""
    schema = Rulebook.model_json_schema(by_alias=True)
    properties = schema["properties"]
    properties["extends"] = {"type": "string", "description": "id of the rulebook that this one extends"}
    properties["remove"] = {"type": "object", "description": "ids to drop from the extended rulebook, by part"}
    schema["required"] = ["format", "id"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


# --- reading and extending ----------------------------------------------------------------------------------------


def _read(file: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any] | None, dict[Path_, Position], list[Fault]]:
    document = Document(_shown(file), file.read_text(encoding="utf-8-sig"))
    if document.faults or not isinstance(document.value, dict):
        faults = document.faults or [_plain_fault(document, "R004", "规则文件应是键值结构", "a rulebook is a mapping")]
        return None, document.positions, faults
    value = dict(document.value)
    parent_id = value.pop("extends", None)
    removed = value.pop("remove", {})
    if parent_id is None:
        return value, document.positions, []
    parent_file = file.parent.parent / str(parent_id) / "rulebook.yaml"
    if not parent_file.is_file():
        parent_file = rulebook_file(str(parent_id))
    if parent_file in (*seen, file):
        return None, document.positions, [_plain_fault(document, "R005", "规则互相继承", "rulebooks extend each other")]
    parent, parent_positions, faults = _read(parent_file, (*seen, file))
    if parent is None:
        return None, parent_positions, faults
    return *_extend(parent, value, removed, parent_positions, document.positions), faults


def _shown(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def _plain_fault(document: Document, code: str, zh: str, en: str) -> Fault:
    remedy = Message("见 docs/reference/rulebook.md", "see docs/reference/rulebook.md")
    return Fault(document.file, 1, code, "rulebook", Message(zh, en), remedy)


def _extend(
    parent: dict[str, Any],
    child: dict[str, Any],
    removed: Mapping[str, Any],
    parent_positions: dict[Path_, Position],
    child_positions: dict[Path_, Position],
) -> tuple[dict[str, Any], dict[Path_, Position]]:
    """Child over parent; positions follow the items they belong to."""
    merged = dict(parent)
    positions = dict(parent_positions)
    for part in {*child, *removed}:
        old, new = merged.get(part, ()), child.get(part, ())
        if not _is_keyed(old) and not _is_keyed(new):
            if part in child:
                merged[part] = child[part]
                _move(positions, (part,), child_positions, (part,))
            continue
        entries = _merge_items(part, old, new, set(removed.get(part, ())), parent_positions, child_positions)
        merged[part] = tuple(item for item, _, _ in entries)
        for path in [path for path in positions if path[:1] == (part,)]:
            del positions[path]
        positions[(part,)] = child_positions.get((part,), parent_positions.get((part,), ("", 1)))
        for index, (_, origin, old_path) in enumerate(entries):
            _move(positions, (part, index), origin, old_path)
    return merged, positions


def _is_keyed(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and bool(value)
        and all(isinstance(item, dict) and ("id" in item or "code" in item) for item in value)
    )


def _key(item: Mapping[str, Any]) -> Any:
    return item.get("id", item.get("code"))


def _merge_items(
    part: str,
    old: tuple[Any, ...],
    new: tuple[Any, ...],
    removed: set[str],
    parent_positions: dict[Path_, Position],
    child_positions: dict[Path_, Position],
) -> list[tuple[Any, dict[Path_, Position], Path_]]:
    replacing = {_key(item): index for index, item in enumerate(new)}
    entries: list[tuple[Any, dict[Path_, Position], Path_]] = []
    for index, item in enumerate(old):
        if _key(item) in replacing:
            at = replacing.pop(_key(item))
            entries.append((new[at], child_positions, (part, at)))
        elif _key(item) not in removed and "*" not in removed:
            entries.append((item, parent_positions, (part, index)))
    added = sorted(replacing.values())
    return entries + [(new[at], child_positions, (part, at)) for at in added]


def _move(target: dict[Path_, Position], to: Path_, source: dict[Path_, Position], old: Path_) -> None:
    for path in [path for path in target if path[: len(to)] == to]:
        del target[path]
    for path, position in source.items():
        if path[: len(old)] == old:
            target[(*to, *path[len(old) :])] = position


# --- faults from the shape --------------------------------------------------------------------------------------


def _position(positions: Mapping[Path_, Position], path: Path_) -> Position:
    """Position of the nearest known part of ``path``; union tags in pydantic's paths are skipped."""
    known: Path_ = ()
    for part in path:
        step = part if isinstance(part, int) else str(part)
        if (*known, step) in positions:
            known = (*known, step)
    return positions.get(known, ("<text>", 1))


_SHAPE = {
    "extra_forbidden": ("R010", "未知的键 {key}", "unknown key {key}", "删去或改正该键名", "remove it or mend its name"),
    "missing": ("R011", "缺少 {key}", "{key} is missing", "补上该项", "add it"),
}


def _schema_faults(error: ValidationError, positions: Mapping[Path_, Position]) -> list[Fault]:
    faults = []
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"])
        key = path[-1] if path else "rulebook"
        file, line = _position(positions, path)
        if detail["type"] in _SHAPE:
            code, zh, en, fix_zh, fix_en = _SHAPE[detail["type"]]
            what, remedy = Message(zh.format(key=key), en.format(key=key)), Message(fix_zh, fix_en)
        else:
            reason = detail["msg"].removeprefix("Value error, ")
            code, what = "R012", Message(f"{key} 的值不合要求：{reason}", f"{key}: {reason}")
            remedy = Message("按 docs/reference/rulebook.md 改写", "write it as docs/reference/rulebook.md says")
        faults.append(Fault(file, line, code, dotted(path), what, remedy))
    return faults
