"""Specs: a sentence of law, the rules that say it, and a table of facts with what must come out.

Rules are written short. Mappings stand for lists of things with an id, and what every part needs (title, basis,
dimension, ``when_missing``) is filled in; what is written replaces the part of :data:`BASE`, except that indicators
join ``other``, which adds the attribute ``other`` as points, so that a case can place the score anywhere.

Tables have a line of names and one line per case. A name is a column of the case (``as_of``, ``known_at``, ``case``,
``records``, ``previous``, ``related``), something expected (``score``, ``grade``, ``step``, ``ladder_grade``,
``points.<indicator>``), or an attribute. An empty cell says nothing.

- records: ``fine 2026-01-10 amount=100, 2x warning 2026-02-01 severity=minor`` (kind, decided_on, further columns)
- previous: ``2025-12-31 D 55 direct:listed`` (day, grade, score, step)
- related: ``controls> listed=true fine@2026-01-10, branch_of< staff=3`` (relation, direction, attributes and records)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from zhixin.analysis.worked_examples import RulebookCase, run_cases
from zhixin.evaluation.engines.contract import Engine
from zhixin.law.checks.structure import check
from zhixin.law.loading import loads_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin.law.yaml_text import YamlText

AS_OF = date(2026, 6, 30)
LADDER = "ladder: {A: {at_least: 90}, B: {at_least: 80}, C: {at_least: 60}, D: {}}"
BASE = """
format: rulebook/1
id: spec
title: {zh: 规范, en: spec}
authority: {zh: 机关, en: authority}
document: 一号
status: in_force
effective: {from: 2020-01-01}
cycle: {every: month}
direction: higher_better
visibility: {grade: internal, score: internal}
documents: {law: {title: {zh: 办法, en: the measures}}}
sources:
  - {id: city, title: {zh: 市, en: city}, owner: {zh: 市, en: city}, cadence: day, stale_after_days: 9, basis: [{document: law, verified: true}]}
catalogue:
  fine: {nature: negative}
  fine.light: {nature: negative}
  fine.heavy: {nature: negative}
  fined: {nature: neutral}
  warning: {nature: negative}
  listing: {nature: negative}
  award: {nature: positive}
  survey: {nature: neutral}
attributes:
  opened_on: {type: date}
  staff: {type: integer}
  sales: {type: money}
  area: {type: decimal, scale: 2}
  years: {type: integer}
  listed: {type: boolean}
  licensed: {type: boolean}
  insured: {type: boolean}
  trained: {type: boolean}
  sector: {type: category, values: [farm, shop, bank]}
  answer: {type: integer, minimum: 0, maximum: 10}
  shift: {type: integer, minimum: 1, maximum: 2}
  first: {type: decimal, scale: 2}
  second: {type: decimal, scale: 2}
  third: {type: decimal, scale: 2}
  other: {type: decimal, scale: 3}
dimensions: {main: {}}
indicators:
  other: {measure: {type: attribute, id: other}, points: {type: affine, constant: 0, each: 1}}
score: {start: {otherwise: 100}}
ladder: {A: {at_least: 90}, B: {at_least: 80}, C: {at_least: 60}, D: {}}
side_grades: {M: {}, N: {}}
"""
FIELDS = {
    "amount": {"type": "money"},
    "quantity": {"type": "integer"},
    "code": {"type": "category"},
    "level": {"type": "decimal", "scale": 2},
    "tags": {"type": "set"},
    "wilful": {"type": "boolean"},
    "removed": {"type": "date"},
}
BASIS = [{"document": "law", "article": "第一条", "verified": True}]
_CASE = {"as_of", "known_at", "case", "records", "previous", "related"}
_EXPECTED = {"score", "grade", "step", "ladder_grade"}


@dataclass(frozen=True)
class Spec:
    """One rule of law: the mechanism it shows, its sentence in both languages, rules, and a table of cases."""

    mechanism: str
    zh: str
    en: str
    rules: str
    table: str

    def __repr__(self) -> str:
        return f"{self.mechanism} {self.en}"

    @cached_property
    def rulebook(self) -> Rulebook:
        return rulebook_of(self.rules)

    @cached_property
    def cases(self) -> tuple[RulebookCase, ...]:
        return cases_of(self.table, set(self.rulebook.attribute), self.en)


def rulebook_of(rules: str) -> Rulebook:
    """The rulebook of short rules."""
    return loads_rulebook(json.dumps(expanded(values(rules)), ensure_ascii=False, default=str))


def values(text: str) -> Any:
    document = YamlText("<spec>", text)
    assert not document.faults, document.faults
    return document.value


def expanded(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Rules over the base, with everything filled in that a whole rulebook needs."""
    whole = {**values(BASE), **rules}
    if "dimensions" in rules and "main" not in rules["dimensions"]:
        whole["ladder"] = rules.get("ladder", {"A": {}})
    elif "other" not in (rules.get("indicators") or {}):
        whole["indicators"] = {**values(BASE)["indicators"], **(rules.get("indicators") or {})}
    parts: dict[str, dict[str, Any]] = {
        "catalogue": {"source": "city", "evidence": {"zh": "文书", "en": "document"}, "fields": FIELDS, "basis": BASIS},
        "attributes": {},
        "classes": {"basis": BASIS},
        "dimensions": {},
        "indicators": {"dimension": "main", "when_missing": "no_points", "basis": BASIS},
        "ladder": {},
        "side_grades": {},
        "measures": {"basis": BASIS, "scenario": "inspection"},
    }
    for part, defaults in parts.items():
        whole[part] = _listed(whole.get(part) or {}, defaults)
    decisions = dict(whole.get("decisions") or {})
    for step in ("exclude", "direct", "side", "caps", "shifts"):
        decisions[step] = _listed(decisions.get(step) or {}, {"basis": BASIS})
    return {**_written(whole), "decisions": _written(decisions)}


def _listed(items: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    untitled = "scenario" in defaults
    titles = {name: {} if untitled else {"title": {"zh": name, "en": name}} for name in items}
    return [{"id": name, **titles[name], **defaults, **(item or {})} for name, item in items.items()]


def _written(value: Any) -> Any:
    """JSON values: dates as keys become text."""
    if isinstance(value, Mapping):
        return {str(key): _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list | tuple) else value


def cases_of(table: str, attributes: set[str], name: str) -> tuple[RulebookCase, ...]:
    """The cases of a table, one per line under the line of names."""
    names, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    assert rows, "a spec needs a case"
    return tuple(_case(dict(zip(names, row, strict=True)), attributes, f"{name} ({n})") for n, row in enumerate(rows, 1))


def _case(row: Mapping[str, str], attributes: set[str], name: str) -> RulebookCase:
    given = {key: cell for key, cell in row.items() if cell}
    unknown = [key for key in row if key not in _CASE | _EXPECTED | attributes and not key.startswith("points.")]
    assert not unknown, f"no such column: {unknown}"
    expect: dict[str, Any] = {key: _value(given[key]) for key in _EXPECTED & set(given)}
    expect["contributions"] = {key[7:]: _value(cell) for key, cell in given.items() if key.startswith("points.")}
    return RulebookCase.model_validate(
        {
            "name": f"{name} {given.get('case', '')}".strip(),
            "as_of": _value(given["as_of"]) if "as_of" in given else AS_OF,
            "known_at": _value(given["known_at"]) if "known_at" in given else None,
            "facts": {
                "attributes": {key: _value(cell) for key, cell in given.items() if key in attributes},
                "records": records_of(given.get("records", "")),
                "previous": [_previous(item) for item in _items(given.get("previous", ""))],
                "related": [_related(item) for item in _items(given.get("related", ""))],
            },
            "expect": expect,
            "source": "spec",
        }
    )


def _items(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(",") if item.strip()]


def _value(text: str) -> Any:
    return values(text) if text else None


def records_of(cell: str) -> tuple[dict[str, Any], ...]:
    records: list[dict[str, Any]] = []
    for item in _items(cell):
        times = re.match(r"(\d+)x ", item)
        kind, day, *rest = (item[times.end() :] if times else item).split()
        record = {"kind": kind, "decided_on": _value(day), **_pairs(rest)}
        records += [record] * (int(times[1]) if times else 1)
    return tuple(records)


def _pairs(words: Sequence[str]) -> dict[str, Any]:
    return {word.partition("=")[0]: _value(word.partition("=")[2]) for word in words}


def _previous(item: str) -> dict[str, Any]:
    keys = ("evaluated_on", "grade", "score", "step")
    return {key: _value(word) if key != "grade" else word for key, word in zip(keys, item.split(), strict=False)}


def _related(item: str) -> dict[str, Any]:
    relation, *rest = item.split()
    records = [word.replace("@", " ").replace(":", " ") for word in rest if "@" in word]
    return {
        "relation": relation[:-1],
        "direction": {">": "outgoing", "<": "incoming"}[relation[-1]],
        "attributes": _pairs([word for word in rest if "@" not in word]),
        "records": records_of(", ".join(records)),
    }


def hold(spec: Spec, name: str, engine: Engine | None) -> None:
    """The rules are valid, every case comes out as written, and contributions add up to the score.

    Raises:
        AssertionError: names the case and what came out.
    """
    errors = [problem for problem in check(spec.rulebook) if not problem.is_warning]
    assert not errors, errors
    report = run_cases(spec.rulebook, spec.cases, {name: engine})
    assert not report.disagreements, "\n".join(f"{item.case}: {item.what.en}" for item in report.disagreements)
    for result in report.evaluations[name]:
        given = result.start_milli + result.implied_milli + sum(row.points_milli for row in result.contributions)
        assert given == result.score_milli
