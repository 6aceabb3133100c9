"""How the names of places in Henan are read that dictionaries read otherwise: pinyin initials, character by character."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def place_readings() -> dict[str, str]:
    """Return the initials of each place (``place_readings.csv``)."""
    text = (files("zhixin.reference") / "place_readings.csv").read_text(encoding="utf-8")
    return {row["place"]: row["initials"] for row in csv.DictReader(text.splitlines())}
