"""The dirt that real registration files carry, put into the files of a fictional city, with a table of the true values.

Kinds and relative frequencies follow what was counted over three million public rows (``domain/volumes.md``): bad codes
0.28 %, broken rows, 136 spellings of an amount. ``rate`` scales all of them together.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zhixin.dataset.cell_parsers import Refusal, parse_subject_id
from zhixin.fiction.city import City

_BREAK = "\x1f"
"""Placeholder of an unquoted comma until the file is written."""


@dataclass(frozen=True)
class Spoil:
    """One kind of dirt: the column it spoils, how, and what a reader should make of it (``None``: cured)."""

    name: str
    table: str
    column: str
    share: float
    rule: str | None
    change: Callable[[str, np.random.Generator], str]


def _wide(text: str, _: np.random.Generator) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _swap(text: str, rng: np.random.Generator) -> str:
    """One character changed, so that the check character no longer fits."""
    place = int(rng.integers(8, 17))
    char = "7" if text[place] != "7" else "8"
    changed = text[:place] + char + text[place + 1 :]
    return changed if isinstance(parse_subject_id(changed), Refusal) else text[:17] + ("0" if text[17] != "0" else "1")


SPOILS = (
    Spoil("lower case", "subjects", "subject_id", 0.0009, None, lambda text, _: text.lower()),
    Spoil("full width", "subjects", "subject_id", 0.0005, None, _wide),
    Spoil("blanks", "subjects", "subject_id", 0.0010, None, lambda text, _: f" {text[:8]} {text[8:]} "),
    Spoil("letter O for zero", "subjects", "subject_id", 0.0004, "uscc.character", lambda text, _: text[:10] + "O" + text[11:]),
    Spoil("wrong character", "subjects", "subject_id", 0.0008, "uscc.check", _swap),
    Spoil("Cyrillic letter", "subjects", "subject_id", 0.0002, "uscc.foreign_letter", lambda text, _: text.replace("A", "А", 1)),
    Spoil("zero-width space", "subjects", "subject_id", 0.0002, "uscc.invisible", lambda text, _: text[:9] + "\u200b" + text[9:]),
    Spoil("spreadsheet number", "subjects", "subject_id", 0.0004, "uscc.scientific", lambda text, _: "9.14199E+17"),
    Spoil("old 15-digit number", "subjects", "subject_id", 0.0008, "uscc.old_number", lambda _, rng: "4199" + str(rng.integers(10**10, 10**11))),
    Spoil("day with slashes", "subjects", "established_on", 0.0100, None, lambda text, _: text.replace("-", "/")),
    Spoil("Chinese day", "subjects", "established_on", 0.0050, None, lambda text, _: "{}年{}月{}日".format(*text.split("-"))),
    Spoil("impossible day", "subjects", "established_on", 0.0004, "date.impossible", lambda text, _: text[:4] + "-02-30"),
    Spoil("unquoted comma", "subjects", "name", 0.0003, "row.fields", lambda text, _: text + _BREAK),
    Spoil("amount in 万元", "records", "amount", 0.0500, None, lambda text, _: f"{float(text) / 10000:.6f}万元" if text else text),
    Spoil("foreign currency", "records", "amount", 0.0020, "amount.unit", lambda _, rng: f"{rng.integers(1, 500)}(万美元)"),
    Spoil("negative amount", "records", "amount", 0.0010, "amount.negative", lambda text, _: f"-{text or 5}"),
    Spoil("future day", "records", "decided_on", 0.0004, "record.future", lambda *_: "2188-01-01"),
    Spoil("unknown kind", "records", "kind", 0.0004, "record.unknown_kind", lambda *_: "penalty.unheard_of"),
    Spoil("duplicate id", "records", "record_id", 0.0004, "row.duplicate", lambda *_: ""),
    Spoil("unknown subject", "records", "subject_id", 0.0004, "record.unknown_subject", lambda *_: "91110000600037341L"),
)  # fmt: skip


def write_dirty(city: City, folder: Path, rate: float = 1.0) -> dict[str, int]:
    """Write the city as CSV files with dirt, and ``truth.csv``: table, line, dirt, expected rule (empty: cured).

    Records of a subject whose own row is refused are refused too (``record.unknown_subject``); truth lists only the
    rows that were spoilt. Returns the counts of rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([city.seed, 9])
    truth: list[tuple[str, int, str, str]] = []
    subjects = city.subject_table()
    ids = subjects["subject_id"]
    counts = {"subjects": len(subjects), "records": 0}
    plain = subjects.drop("subject_no").cast(pl.String)
    _write(folder / "subjects.csv", _spoilt(plain, "subjects", rng, rate, truth, 2), header=True)
    for block in city.record_blocks():
        table = block.select(
            "record_id",
            ids.gather(block["subject_no"]).alias("subject_id"),
            *[name for name in block.columns if name not in ("record_id", "subject_no", "record_no", "amount")],
            (pl.col("amount") / 100).round(2).alias("amount"),
        ).cast(pl.String)
        first = counts["records"] == 0
        _write(folder / "records.csv", _spoilt(table, "records", rng, rate, truth, 2 + counts["records"]), header=first)
        counts["records"] += len(block)
    relations = city.relation_table()
    pl.DataFrame(
        {
            "subject_id": ids.gather(relations["subject_no"]),
            "related_id": ids.gather(relations["related_no"]),
            "relation": relations["relation"],
        }
    ).write_csv(folder / "relations.csv")
    counts["relations"] = len(relations)
    (folder / "truth").mkdir(exist_ok=True)
    pl.DataFrame(truth, schema=["table", "line", "dirt", "rule"], orient="row").write_csv(folder / "truth" / "truth.csv")
    return counts


def _spoilt(
    table: pl.DataFrame, name: str, rng: np.random.Generator, rate: float, truth: list[tuple[str, int, str, str]], line: int
) -> pl.DataFrame:
    """The table with some cells spoilt; each row at most once."""
    free = rng.permutation(len(table))
    columns: dict[str, list[Any]] = {}
    for spoil in SPOILS:
        if spoil.table != name:
            continue
        share, free = np.split(free, [min(rng.binomial(len(table), min(spoil.share * rate, 1)), len(free))])
        values = columns.setdefault(spoil.column, table[spoil.column].to_list())
        for place in sorted(int(number) for number in share):
            if spoil.name == "duplicate id":
                if place == 0:
                    continue
                changed = values[0]
            elif values[place] is None and spoil.name not in ("foreign currency", "negative amount"):
                continue
            else:
                changed = spoil.change(values[place] or "", rng)
            values[place] = changed
            truth.append((name, line + place, spoil.name, spoil.rule or ""))
    return table.with_columns(pl.Series(column, values) for column, values in columns.items())


def _write(path: Path, table: pl.DataFrame, *, header: bool) -> None:
    buffer = io.StringIO()
    table.write_csv(buffer, include_header=header)
    with path.open("w" if header else "a", encoding="utf-8", newline="") as file:
        file.write(buffer.getvalue().replace(_BREAK, ","))
