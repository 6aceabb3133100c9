"""A rulebook's numbers as form fields: every number of an indicator, grade, start, dimension or measure can be edited.

The form and the YAML are the same draft: a field is named by its path, and writing it back changes exactly that number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin.errors import ZhixinError
from zhixin.explanation.wording import Wording
from zhixin.law.loading import loads_rulebook
from zhixin.law.yaml_text import YamlText

SECTIONS = ("terms", "deadlines", "score", "ladder", "dimensions", "indicators", "measures")
SEPARATOR = "/"
WORDS = {
    "start": ("起始", "start"), "otherwise": ("默认", "otherwise"), "steps": ("步骤", "step"), "floor": ("不低于", "floor"),
    "ceiling": ("不高于", "ceiling"), "limits": ("限值", "limits"), "at_most": ("最高", "at most"), "at_least": ("不低于", "at least"),
    "above": ("高于", "above"), "points": ("分值", "points"), "bands": ("档", "step"), "from": ("起点", "from"),
    "below": ("低于首档", "below the first"), "each": ("每单位", "each"), "free": ("免计", "free"), "measure": ("测量", "measure"),
    "of": ("记录", "records"), "within": ("窗口", "window"), "months": ("月", "months"), "days": ("日", "days"), "tiers": ("层", "tier"),
    "give_back": ("返还比例", "share given back"), "corrected": ("改正", "corrected"), "inspect": ("检查", "inspection"),
    "ratio": ("比例", "ratio"), "times": ("次数", "times"), "per_months": ("每几个月", "per months"), "weight": ("权重", "weight"),
    "duration_months": ("期限（月）", "months of duration"), "values": ("按日期", "by date"), "value": ("数值", "value"),
    "constant": ("常数", "constant"), "round": ("取整", "rounding"), "amount": ("数额", "amount"), "cases": ("情形", "case"),
    "numerator": ("分子", "numerator"), "denominator": ("分母", "denominator"), "calendar_months": ("自然月", "calendar months"),
    "calendar_years": ("自然年", "calendar years"), "when": ("条件", "condition"), "evaluations": ("评价周期", "evaluation periods"),
    "max_months": ("最长（月）", "at most months"), "effective_after_days": ("几日后计入", "counted after days"),
}  # fmt: skip
"""Words of the parts of a path, for labels."""
NO_NUMBERS = ("back", "verified")


@dataclass(frozen=True)
class NumberField:
    """One number: its path, a label, its value as written, the day it is in force from where it is dated."""

    path: str
    label: str
    value: str


@dataclass(frozen=True)
class NumberGroup:
    """The numbers of one part, with what the part says in words."""

    section: str
    title: str
    words: str
    fields: tuple[NumberField, ...]


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if str(key) not in NO_NUMBERS:
                yield from _numbers(item, (*path, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _numbers(item, (*path, str(place)))
    elif isinstance(value, int | float) and not isinstance(value, bool) or isinstance(value, str) and _is_number(value):
        yield path, value


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and len(text) <= 20
    except InvalidOperation:
        return False


def editable_numbers(text: str, language: str) -> list[NumberGroup]:
    """The numbers of a draft by part; empty where its YAML cannot be read."""
    content = _read(text)
    if content is None:
        return []
    words = _words(text, language)
    groups = []
    for section in SECTIONS:
        parts = content.get(section)
        items = list(enumerate(parts)) if isinstance(parts, list) else [(None, parts)] if isinstance(parts, dict) else []
        for place, part in items:
            head = (section,) if place is None else (section, str(place))
            fields = tuple(
                NumberField(SEPARATOR.join(path), _label(path[len(head) :], language), str(value))
                for path, value in _numbers(part, head)
            )
            if fields:
                title = part.get("title") if isinstance(part, dict) else None
                named = (title or {}).get(language) if isinstance(title, dict) else None
                key = str(part.get("id", section)) if isinstance(part, dict) else section
                groups.append(NumberGroup(section, named or key, words.get((section, key), ""), fields))
    return groups


def _label(path: tuple[str, ...], language: str) -> str:
    """A path in words: 分值 › 档 2 › 起点."""
    words: list[str] = []
    for part in path:
        if part.isdigit() and words:
            words[-1] += f" {int(part) + 1}"
        else:
            words.append(WORDS[part][0 if language == "zh" else 1] if part in WORDS else part)
    return " › ".join(words)


def _words(text: str, language: str) -> dict[tuple[str, str], str]:
    """What each part says, where the draft is without errors."""
    try:
        rulebook = loads_rulebook(text, "draft.yaml")
    except ZhixinError:
        return {}
    wording = Wording(rulebook, language)
    found = {("indicators", item.id): wording.indicator(item) for item in rulebook.indicators}
    found |= {("ladder", item.id): wording.grade(item) for item in rulebook.ladder}
    found |= {("measures", item.id): wording.measure_rule(item) for item in rulebook.measures}
    return found


def with_numbers(text: str, values: dict[str, Any]) -> str:
    """The YAML of a draft with some of its numbers replaced.

    Args:
        text: the YAML as it is.
        values: path → number as typed; names that are no paths of numbers are left alone.

    Raises:
        ValidationError: something typed is no number; names the field and what was typed.
    """
    content = _readable(text)
    known = {
        SEPARATOR.join(path): path for section in SECTIONS for path, _value in _numbers(content.get(section), (section,))
    }
    faults = []
    for name, typed in values.items():
        if name not in known:
            continue
        try:
            number = Decimal(str(typed).strip())
            if not number.is_finite() or abs(number) > 10**12:
                raise InvalidOperation
        except InvalidOperation:
            faults.append(
                _("%(name)s：「%(str_typed_20)s」不是数，请写作 12 或 -0.5")
                % {"name": name, "str_typed_20": str(typed)[:20]}
            )
            continue
        _put(content, known[name], number)
    if faults:
        raise ValidationError(faults)
    return _written(content)


def with_effective_date(text: str, day: date) -> str:
    """The YAML of a draft with another day of entry into force.

    Raises:
        ValidationError: it cannot be read.
    """
    content = _readable(text)
    content["effective"] = {**(content.get("effective") or {}), "from": day.isoformat()}
    return _written(content)


def _read(text: str) -> dict[str, Any] | None:
    """The YAML as the loader reads it (exact numbers, plain keys), in plain lists and texts; ``None``: it cannot be read."""
    document = YamlText("draft.yaml", text)
    return _plain(document.value) if not document.faults and isinstance(document.value, dict) else None


def _readable(text: str) -> dict[str, Any]:
    content = _read(text)
    if content is None:
        raise ValidationError(_("草案的 YAML 无法读取，请先在文本中改正"))
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.isoformat() if isinstance(key, date) else key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value


def _written(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=140)


def _put(content: Any, path: tuple[str, ...], number: Decimal) -> None:
    """Write one number; a whole one as an integer, another as the text of its digits, so that it stays exact."""
    owner = content
    for part in path[:-1]:
        owner = owner[int(part)] if isinstance(owner, list) else owner[_key(owner, part)]
    last: Any = int(path[-1]) if isinstance(owner, list) else _key(owner, path[-1])
    if Decimal(str(owner[last])) != number:
        owner[last] = int(number) if number == number.to_integral_value() else format(number.normalize(), "f")


def _key(owner: dict[Any, Any], part: str) -> Any:
    """The key of a mapping that a part of a path names; dates are keys too."""
    return next(key for key in owner if str(key) == part)
