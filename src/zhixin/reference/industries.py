"""Industries by GB/T 4754-2017: sections (门类) in two languages, and the whole classification in Chinese."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

HERE = files("zhixin.reference")


class Section(NamedTuple):
    """A section of the classification: its letter, a short Chinese name, the English name."""

    code: str
    zh: str
    en: str


class Industry(NamedTuple):
    """One entry of the classification; ``tier`` is 门类, 大类, 中类 or 小类."""

    code: str
    tier: str
    parent: str
    name: str


@cache
def sections() -> dict[str, Section]:
    """Return the twenty sections by letter."""
    with (HERE / "industry_sections.csv").open(encoding="utf-8") as file:
        return {row["code"]: Section(row["code"], row["zh"], row["en"]) for row in csv.DictReader(file)}


@cache
def industries() -> tuple[Industry, ...]:
    """Return every entry of GB/T 4754-2017 in order of code."""
    with (HERE / "industries.csv").open(encoding="utf-8") as file:
        return tuple(Industry(row["code"], row["level"], row["parent"], row["name"]) for row in csv.DictReader(file))
