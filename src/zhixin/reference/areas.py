"""Districts and streets of Zhengzhou: codes of the statistical division, names in Chinese and English.

Source: the statistical divisions of the National Bureau of Statistics (统计用区划代码); the English names are translations.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

HERE = files("zhixin.reference")


class Area(NamedTuple):
    """A district (区县) or street (街道) with its code and its names."""

    code: str
    zh: str
    en: str


@cache
def districts() -> tuple[Area, ...]:
    """Return the fifteen districts in order of code."""
    with (HERE / "areas.csv").open(encoding="utf-8") as file:
        return tuple(Area(row["code"], row["zh"], row["en"]) for row in csv.DictReader(file))


@cache
def district_by_code() -> dict[str, Area]:
    """Return the districts by code."""
    return {area.code: area for area in districts()}


@cache
def streets() -> dict[str, tuple[Area, ...]]:
    """Return the streets of each district by the district's code; streets have no English name."""
    found: dict[str, list[Area]] = {}
    with (HERE / "streets.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["area"], []).append(Area(row["code"], row["zh"], row["zh"]))
    return {code: tuple(items) for code, items in found.items()}
