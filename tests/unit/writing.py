"""Input files for the tests of the dataset contract, and codes computed independently of the package."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PUBLISHED_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
"""Table of weights in GB 32100-2015, copied from the standard, not computed."""


def uscc(number: int, *, division: str = "419901", inner_is_valid: bool = True) -> str:
    """A valid code in a fictional division, computed from the tables of GB 32100 and GB 11714."""
    tail = ""
    for _ in range(5):
        number, place = divmod(number, len(ALPHABET))
        tail = ALPHABET[place] + tail
    inner = "MA0" + tail
    values = [int(char, 36) for char in inner]
    rest = (11 - sum(a * b for a, b in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
    last = "X" if rest == 10 else str(rest)
    if not inner_is_valid:
        last = "1" if last != "1" else "2"
    first = "91" + division + inner + last
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(first, PUBLISHED_WEIGHTS, strict=True))
    return first + ALPHABET[(31 - total % 31) % 31]


def write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, encoding: str = "utf-8", end: str = "\n"
) -> Path:
    """A CSV file; ``None`` is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator=end)
        writer.writerow(header)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return path


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> Path:
    """A CSV file of mappings; the columns are those that occur."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    return write_csv(path, header, [[row.get(name) for name in header] for row in rows], **options)


def quarantined(snapshot: Path, table: str) -> list[dict[str, str]]:
    """The quarantine of one table, in order of line."""
    with (snapshot / "quarantine" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: int(row["line"]))


def rules(snapshot: Path, table: str) -> dict[int, str]:
    """Line → rule of the rows in quarantine."""
    return {int(row["line"]): row["rule"] for row in quarantined(snapshot, table)}


def outputs(snapshot: Path) -> dict[str, str]:
    """The hashes of a snapshot's tables as its seal has them."""
    seal = json.loads((snapshot / "dataset.json").read_text(encoding="utf-8"))
    return dict(seal["outputs"])
