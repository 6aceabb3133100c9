"""YAML → Rulebook, with file and line on every fault; canonical dump; JSON Schema for editors.

Numbers are read as exact decimals, never as floats. A rulebook may extend another: parts that are lists of things
with an id are replaced by id, other parts as a whole; ``remove`` lists ids to drop (``"*"``: all).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zhixin.errors import Fault, Message, RulebookError, UsageError
from zhixin.law.checks.structure import check
from zhixin.law.extending import extended
from zhixin.law.rulebook import Rulebook
from zhixin.law.yaml_text import Path_, Position, YamlText, dotted

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,80}")


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
        return None, sorted([*faults, *schema_faults(error, positions)])
    for problem in check(rulebook):
        where, line = position_of(positions, problem.path)
        faults.append(
            Fault(where, line, problem.code, dotted(problem.path), problem.what, problem.remedy, problem.is_warning)
        )
    return rulebook, sorted(faults)


def loads_rulebook(text: str, file: str = "<text>") -> Rulebook:
    """A rulebook from YAML text; the same faults as :func:`load_rulebook`, without ``extends``."""
    document = YamlText(file, text)
    if document.faults:
        raise RulebookError(document.faults)
    try:
        return Rulebook.model_validate(document.value)
    except ValidationError as error:
        raise RulebookError(schema_faults(error, document.positions)) from None


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
    """Return the canonical YAML: ``loads_rulebook(dump_rulebook(r)) == r``. It is written once for each rulebook."""
    return rulebook.canonical_text


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
    document = YamlText.of_file(file, _shown(file))
    if document.faults or not isinstance(document.value, dict):
        faults = document.faults or [_plain_fault(document, "R004", "规则文件应是键值结构", "a rulebook is a mapping")]
        return None, document.positions, faults
    value = dict(document.value)
    parent_id = value.pop("extends", None)
    removed = value.pop("remove", {})
    if parent_id is None:
        return value, document.positions, []
    if not _IDENTIFIER.fullmatch(str(parent_id)):
        return (
            None,
            document.positions,
            [
                _plain_fault(
                    document, "R005", "extends 应是规则的编号，不是路径", "extends names a rulebook's id, not a path"
                )
            ],
        )
    parent_file = file.parent.parent / str(parent_id) / "rulebook.yaml"
    if not parent_file.is_file():
        parent_file = rulebook_file(str(parent_id))
    if parent_file in (*seen, file):
        return None, document.positions, [_plain_fault(document, "R005", "规则互相继承", "rulebooks extend each other")]
    parent, parent_positions, faults = _read(parent_file, (*seen, file))
    if parent is None:
        return None, parent_positions, faults
    return *extended(parent, value, removed, parent_positions, document.positions), faults


def _shown(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def _plain_fault(document: YamlText, code: str, zh: str, en: str) -> Fault:
    remedy = Message("见 docs/reference/rulebook.md", "see docs/reference/rulebook.md")
    return Fault(document.file, 1, code, "rulebook", Message(zh, en), remedy)


# --- faults from the shape --------------------------------------------------------------------------------------


def position_of(positions: Mapping[Path_, Position], path: Path_) -> Position:
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


_REASONS = {
    "greater_than": "应大于 {gt}", "greater_than_equal": "不得小于 {ge}", "less_than": "应小于 {lt}", "less_than_equal": "不得大于 {le}",
    "string_pattern_mismatch": "不合格式 {pattern}", "string_type": "应为文字", "int_type": "应为整数", "int_parsing": "应为整数",
    "int_from_float": "应为整数", "bool_type": "应为 true 或 false", "bool_parsing": "应为 true 或 false", "date_type": "应为日期，如 2026-01-31",
    "date_parsing": "应为日期，如 2026-01-31", "date_from_datetime_parsing": "应为日期，如 2026-01-31", "literal_error": "应为 {expected} 之一",
    "enum": "应为 {expected} 之一", "tuple_type": "应为列表", "list_type": "应为列表", "dict_type": "应为键值结构", "model_type": "应为键值结构",
    "model_attributes_type": "应为键值结构", "too_short": "至少 {min_length} 项", "too_long": "至多 {max_length} 项",
    "string_too_short": "至少 {min_length} 字", "string_too_long": "至多 {max_length} 字", "union_tag_invalid": "没有 {tag}，可用：{expected_tags}",
    "union_tag_not_found": "缺少 type", "none_required": "应为空",
}  # fmt: skip
"""What a value of the wrong shape should be, in Chinese, by pydantic's name of the fault."""


def _reason(detail: Any) -> Message:
    """Return why a value is not taken, in both languages; a reason of our own stands as it was written."""
    english = str(detail["msg"]).removeprefix("Value error, ")
    words = _REASONS.get(detail["type"])
    return Message(words.format_map(defaultdict(str, detail.get("ctx", {}))) if words else english, english)


def schema_faults(
    error: ValidationError, positions: Mapping[Path_, Position], reference: str = "docs/reference/rulebook.md"
) -> list[Fault]:
    """Translate the errors of pydantic into faults with file, line, field and remedy.

    Args:
        error: what pydantic raised.
        positions: line of each field, by its path in the file.
        reference: page of the documentation that describes the format; remedies name it.
    """
    faults = []
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"])
        key = path[-1] if path else "rulebook"
        file, line = position_of(positions, path)
        if detail["type"] in _SHAPE:
            code, zh, en, fix_zh, fix_en = _SHAPE[detail["type"]]
            what, remedy = Message(zh.format(key=key), en.format(key=key)), Message(fix_zh, fix_en)
        else:
            reason = _reason(detail)
            code, what = "R012", Message(f"{key} 的值不合要求：{reason.zh}", f"{key}: {reason.en}")
            remedy = Message(f"按 {reference} 改写", f"write it as {reference} says")
        faults.append(Fault(file, line, code, dotted(path), what, remedy))
    return faults
