"""Indicators as a workbook and back: nothing is lost, what was not changed stays as it is written, nothing unsound is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from shipped import shipped
from zhixin.dataset.sheets_and_encodings import read_sheet
from zhixin.errors import RulebookError, UsageError
from zhixin.explanation.indicator_tables import READ_ONLY, TITLES, export_indicators, import_indicators
from zhixin.explanation.rulebook_text_edits import CellChange, flow, with_change
from zhixin.law.loading import load_rulebook, shipped_rulebooks
from zhixin.law.yaml_text import YamlText

SHIPPED = sorted(folder.name for folder in shipped_rulebooks().iterdir() if (folder / "rulebook.yaml").is_file())
KEYS = list(TITLES)
Rows = list[list[str]]


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    """All shipped rulebooks in a folder of the test; give the file of one."""

    def copying(name: str) -> Path:
        shutil.copytree(shipped_rulebooks(), tmp_path / "rulebooks")
        return tmp_path / "rulebooks" / name / "rulebook.yaml"

    return copying


def rows_of(table: Path) -> Rows:
    sheet = read_sheet(table)
    return [
        [str(cell) for cell in sheet.header],
        *(["" if cell is None else str(cell) for cell in row.cells] for row in sheet.rows),
    ]


def written(rows: Rows, table: Path) -> Path:
    with xlsxwriter.Workbook(table) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                sheet.write_string(line, place, cell)
    return table


def row_of(rows: Rows, name: str) -> list[str]:
    return next(row for row in rows if row[0] == name)


def changed(file: Path, tmp_path: Path, change: Callable[[Rows], Any], drop: tuple[str, ...] = ()) -> list[Any]:
    table = tmp_path / "table.xlsx"
    export_indicators(file, table)
    rows = rows_of(table)
    change(rows)
    return import_indicators(file, written(rows, table), drop)


@pytest.mark.parametrize("name", SHIPPED)
def test_out_and_in_again_changes_nothing(copied: Any, tmp_path: Path, name: str) -> None:
    file = copied(name)
    before = file.read_bytes()
    assert changed(file, tmp_path, lambda rows: None) == []
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", SHIPPED)
def test_each_cell_that_is_written_anew_says_the_same(copied: Any, tmp_path: Path, name: str) -> None:
    """Every value of every indicator is forced through the writing back, one after the other, and comes out equal."""
    file = copied(name)
    value = YamlText("", file.read_text(encoding="utf-8")).value
    refused = 0
    for item in value.get("indicators", ()):
        for key, said in item.items():
            text = file.read_text(encoding="utf-8")
            try:
                edited = with_change(text, CellChange(item["id"], key, None, said))
            except UsageError:
                refused += 1  # an anchor inside that others use
                continue
            assert YamlText("", edited).value == value, f"{item['id']}.{key}"
    assert refused <= 2, "nearly every cell can be written back"


def test_a_changed_cell_changes_its_place_alone(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")
    before = file.read_text(encoding="utf-8").splitlines()
    points = KEYS.index("points")

    def change(rows: Rows) -> None:
        row_of(rows, "discipline")[points] = "{type: per_unit, each: -2}"

    found = changed(file, tmp_path, change)
    assert [(item.indicator, item.key) for item in found] == [("discipline", "points")]
    after = file.read_text(encoding="utf-8").splitlines()
    different = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert len(different) == 1
    assert different[0][0].replace("each: -1", "each: -2") == different[0][1]
    assert load_rulebook(file).indicator["discipline"].points.each == -2


def test_an_anchor_that_others_use_moves_to_the_next(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")
    before = load_rulebook(file)
    basis = KEYS.index("basis")

    def change(rows: Rows) -> None:
        row_of(rows, "honours")[basis] = "[{document: cnipa_2023, verified: true}]"

    changed(file, tmp_path, change)
    after = load_rulebook(file)
    assert after.indicator["honours"].basis != before.indicator["honours"].basis
    for name in ("contributions", "practice", "discipline"):
        assert after.indicator[name] == before.indicator[name]


def test_keys_come_and_go(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")
    limits = KEYS.index("limits")

    def add(rows: Rows) -> None:
        row_of(rows, "penalties")[limits] = "{at_least: -30}"

    def remove(rows: Rows) -> None:
        row_of(rows, "penalties")[limits] = ""

    before = load_rulebook(file)
    changed(file, tmp_path, add)
    assert load_rulebook(file).indicator["penalties"].limits.at_least == -30
    changed(file, tmp_path, remove)
    assert load_rulebook(file) == before


def test_a_row_comes_and_one_goes_only_by_name(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")

    def add(rows: Rows) -> None:
        made = list(row_of(rows, "practice"))
        made[0], made[-1] = "practice_again", ""
        rows.append(made)

    def remove(rows: Rows) -> None:
        rows.remove(row_of(rows, "practice_again"))

    before = load_rulebook(file)
    changed(file, tmp_path, add)
    assert [item.id for item in load_rulebook(file).indicators][-1] == "practice_again"
    with pytest.raises(UsageError, match="practice_again"):
        changed(file, tmp_path, remove)
    changed(file, tmp_path, remove, ("practice_again",))
    assert load_rulebook(file) == before


@pytest.mark.parametrize(
    ("key", "cell", "said"),
    [
        ("points", "{type: per_unit}", "points"), ("dimension", "nowhere", "nowhere"), ("measure", "{type: count, of: {kinds: [no.such]}}", "no.such"),
        ("when_missing", "", "when_missing"), ("basis", "[{document: unknown, verified: true}]", "unknown"),
    ],
)  # fmt: skip
def test_an_unsound_table_is_refused_with_its_row_and_nothing_is_kept(
    copied: Any, tmp_path: Path, key: str, cell: str, said: str
) -> None:
    file = copied("patent-agency-2023")
    before = file.read_bytes()

    def change(rows: Rows) -> None:
        row_of(rows, "penalties")[KEYS.index(key)] = cell

    with pytest.raises(RulebookError) as caught:
        changed(file, tmp_path, change)
    line = [row[0] for row in rows_of(tmp_path / "table.xlsx")].index("penalties") + 1
    assert any(f"table:{line}:" in fault.sentence("en") and said in fault.sentence("en") for fault in caught.value.faults)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[0].__setitem__(1, "名称"), "名称 title.zh"),
        (lambda rows: rows.append(list(rows[1])), "again"),
        (lambda rows: rows[1].__setitem__(0, " "), "empty"),
        (lambda rows: rows[1].__setitem__(KEYS.index("points"), "{type: once"), "not valid YAML"),
        (lambda rows: rows[1].__setitem__(len(KEYS), "新的条文"), "read only"),
        (lambda rows: [row.reverse() for row in rows], "columns"),
    ],
)
def test_what_is_no_table_of_the_rulebook_is_refused(copied: Any, tmp_path: Path, change: Any, said: str) -> None:
    file = copied("tsc-2020")
    with pytest.raises(UsageError) as caught:
        changed(file, tmp_path, change)
    assert said in caught.value.message.en + caught.value.message.zh


def test_the_article_of_each_indicator_stands_beside_it(copied: Any, tmp_path: Path) -> None:
    file = copied("zhengzhou-ip")
    count = export_indicators(file, tmp_path / "table.xlsx")
    rows = rows_of(tmp_path / "table.xlsx")
    assert rows[0] == [*TITLES.values(), READ_ONLY]
    assert count == len(rows) - 1 == len(shipped("zhengzhou-ip").indicators)
    assert all(row[-1] for row in rows[1:])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.dates() | st.decimals(-1000, 1000, places=3)
    | st.text(st.characters(blacklist_categories=("Cs", "Co", "Cn"), max_codepoint=0xFFFF), min_size=1, max_size=12),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,5}", fullmatch=True), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_a_value_on_one_line_is_read_as_itself(value: Any) -> None:
    read = YamlText("", f"- {flow(value)}")
    assert read.faults == []
    assert read.value == (value,)


BLOCK = """\
format: rulebook/1
indicators:
  # first
  - id: one
    title:
      zh: 一
      en: one
    dimension: main
    basis:
    - document: law
      verified: true
    points: {type: once, points: 1}  # said
    when_missing: no_points
  # between
  - id: two
    dimension: main
ladder: []
"""


def edited(text: str, *changes: tuple[str, str, Any]) -> str:
    for indicator, key, now in changes:
        text = with_change(text, CellChange(indicator, key, "was", now))
    return text


def test_a_block_value_is_written_anew_on_its_line_and_comments_stay() -> None:
    basis = [{"document": "law", "verified": False}]
    text = edited(
        BLOCK, ("one", "basis", basis), ("one", "points", {"type": "once", "points": 2}), ("one", "advice", {"zh": "改"})
    )
    first = YamlText("", text).value["indicators"][0]
    assert first["basis"] == ({"document": "law", "verified": False},)
    assert first["points"]["points"] == 2
    assert first["advice"] == {"zh": "改"}
    assert YamlText("", text).value["indicators"][1] == {"id": "two", "dimension": "main"}
    assert [line.strip() for line in text.splitlines() if "#" in line] == [
        "# first", "points: {type: once, points: 2}  # said", "# between",
    ]  # fmt: skip


@pytest.mark.parametrize("ends", ["\r\n", "\n"], ids=["Windows", "Unix"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "mark"])
def test_line_ends_and_byte_order_mark_stay(copied: Any, tmp_path: Path, ends: str, mark: str) -> None:
    file = copied("patent-agency-2023")
    before = mark + file.read_text(encoding="utf-8").replace("\n", ends)
    file.write_bytes(before.encode())

    def change(rows: Rows) -> None:
        row_of(rows, "discipline")[KEYS.index("points")] = "{type: per_unit, each: -2}"

    changed(file, tmp_path, change)
    after = file.read_bytes().decode()
    assert after.startswith(mark)
    assert after.count("\r") == before.count("\r")
    assert len(after) == len(before)


def test_mixed_line_ends_are_refused(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n", 3))
    with pytest.raises(UsageError, match="line ends"):
        changed(file, tmp_path, lambda rows: None)


def test_no_table_empties_a_rulebook(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")
    names = tuple(item.id for item in load_rulebook(file).indicators)
    with pytest.raises(UsageError):
        changed(file, tmp_path, lambda rows: rows.__delitem__(slice(1, None)), names)


def test_another_id_with_an_old_article_is_told_apart(copied: Any, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        row_of(rows, "discipline")[0] = "renamed"

    with pytest.raises(UsageError, match="'renamed' is new"):
        changed(copied("patent-agency-2023"), tmp_path, change)


def test_a_fault_outside_the_table_names_the_file_itself(copied: Any, tmp_path: Path) -> None:
    file = copied("patent-agency-2023")

    def change(rows: Rows) -> None:
        for row in rows[1:]:
            row[KEYS.index("dimension")] = "minus"

    with pytest.raises(RulebookError) as caught:
        changed(file, tmp_path, change)
    assert all(".part" not in fault.file for fault in caught.value.faults)
