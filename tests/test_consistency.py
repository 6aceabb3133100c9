"""The project held against itself: glossary, generated reference, messages in two languages, package data."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import yaml

import zhixin
from zhixin.law import vocabulary
from zhixin.law.loading import json_schema, shipped_rulebooks
from zhixin.law.rulebook import Rulebook
from zhixin.reference.areas import districts
from zhixin.reference.industries import industries

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "zhixin").rglob("*.py")) + sorted(
    p for p in (ROOT / "src" / "zhixin_web").rglob("*.py") if "migrations" not in p.parts
)
GLOSSARY = yaml.safe_load((ROOT / "glossary.yaml").read_text(encoding="utf-8"))


def identifiers() -> set[str]:
    """Every name defined in the library: modules, classes, functions, fields."""
    names = {path.stem for path in SOURCES}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(re.sub(r"(?<=[a-z])([A-Z])", r"_\1", node.name).lower().strip("_"))
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    return names


def test_glossary_terms_have_both_languages_and_a_source() -> None:
    assert all(entry[key] for entry in GLOSSARY for key in ("id", "zh", "en", "definition", "source"))
    ids = [entry["id"] for entry in GLOSSARY]
    assert len(ids) == len(set(ids))


def test_false_friends_are_not_used_as_names() -> None:
    false_friends = {name for entry in GLOSSARY for name in entry["not"]}
    assert not false_friends & identifiers()


def test_the_parts_of_a_rulebook_are_in_the_glossary() -> None:
    words = {entry["id"] for entry in GLOSSARY}
    parts = {"sources": "source", "catalogue": "catalogue", "attributes": "attribute", "classes": "subject_class",
             "dimensions": "dimension", "indicators": "indicator", "score": "score", "ladder": "ladder",
             "side_grades": "side_grade", "measures": "measure"}  # fmt: skip
    assert set(parts) <= set(Rulebook.model_fields)
    assert set(parts.values()) <= words


def test_severities_are_the_three_of_the_law() -> None:
    assert [item.value for item in vocabulary.Severity] == ["minor", "general", "serious"]


def test_generated_reference_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not {path.stem for path in SOURCES} & {"utils", "helpers", "common", "misc", "manager", "base"}


def test_every_public_name_has_a_docstring() -> None:
    missing = [name for name in zhixin.__all__ if not (getattr(zhixin, name).__doc__ or "").strip()]
    assert not missing


def test_shipped_rulebooks_name_the_schema_in_their_first_line() -> None:
    for folder in shipped_rulebooks().glob("*/rulebook.yaml"):
        assert folder.read_text(encoding="utf-8").startswith(
            "# yaml-language-server: $schema=../../docs/reference/rulebook.schema.json"
        )
    assert json_schema()["$schema"].startswith("https://json-schema.org/")


def test_each_rulebook_has_cases_and_a_changelog() -> None:
    for file in shipped_rulebooks().glob("*/rulebook.yaml"):
        assert (file.parent / "cases.yaml").is_file(), file
        assert (file.parent / "CHANGELOG.md").is_file(), file


def test_package_data_is_there() -> None:
    assert len(districts()) == 15
    assert len(industries()) > 1900


def test_simulated_enterprises_say_so() -> None:
    names = zhixin.City(50, 1).subject_table()["name"]
    assert names.str.contains("虚构").all()
