"""Texts that would stop a parser: each is refused in words, at once and in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from machine import least_seconds
from shipped import shipped
from zhixin.dataset.hiding_persons import hide_persons, masked
from zhixin.errors import RulebookError
from zhixin.law.checks.structure import check
from zhixin.law.loading import check_file, loads_rulebook

BOMB = "a: &a [x, x, x, x]\n" + "".join(
    f"b{n}: &b{n} [" + ", ".join([f"*{'a' if n == 0 else f'b{n - 1}'}"] * 9) + "]\n" for n in range(12)
)
HOSTILE = {
    "20,000 open brackets": "[" * 20_000,
    "5,000 nested mappings": "{a: " * 5_000,
    "deep block sequences": "- " * 5_000 + "x",
    "aliases that explode": BOMB,
    "an alias of itself": "a: &a [*a]",
    "two aliases of each other": "a: &a [&b [*a]]",
    "an alias of nothing": "a: *nothing",
    "a number of 5,000 digits": "a: " + "9" * 5_000,
    "a number with 5,000 decimals": "a: 0." + "1" * 5_000,
    "10 MB": "a: " + "x" * 10_000_000,
    "a NUL": "a: \x00",
    "a lone surrogate": "a: \ud800",
    "a tab for indentation": "a:\n\t- b",
    "two documents": "a: 1\n---\nb: 2",
    "a tag that makes objects": "a: !!python/object/apply:os.system ['true']",
    "an anchor used as a key": "&a a: 1\n*a : 2",
    "nothing": "",
    "only a comment": "# x",
    "a byte order mark": "\ufeffa: 1",
    "a list": "- a",
}
SECONDS, BYTES = 2.0, 200_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_rulebook_is_refused_in_words_at_once(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(RulebookError) as caught:
        loads_rulebook(HOSTILE[name])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.faults
    assert all(fault.what.zh and fault.what.en and fault.line >= 1 for fault in caught.value.faults)
    assert least_seconds(lambda: pytest.raises(RulebookError, loads_rulebook, HOSTILE[name]), SECONDS) < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize("named", ["../other", "/etc/passwd", "a/b", "..", "A B", ""])
def test_extends_names_an_id_and_no_path(tmp_path: Path, named: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "rulebook.yaml").write_text("format: rulebook/1", encoding="utf-8")
    (tmp_path / "own" / "rulebook.yaml").write_text(f"format: rulebook/1\nid: own\nextends: '{named}'", encoding="utf-8")
    rulebook, faults = check_file(tmp_path / "own")
    assert rulebook is None
    assert [fault.code for fault in faults] == ["R005"]


def test_five_thousand_indicators_are_checked_in_five_seconds() -> None:
    rulebook = shipped("zhengzhou-ip")
    one = rulebook.dump()["indicators"][0]
    many = [one | {"id": f"indicator_{number}"} for number in range(5_000)]
    dumped = rulebook.dump() | {"indicators": many}
    assert least_seconds(lambda: list(check(type(rulebook).model_validate(dumped))), 5) < 5


@pytest.mark.parametrize("piece", ["A", "1", "中", "a1", "1 ", "a.", "a@", "@", "a@a.", "0371-", "-", "13 ", "\u00e9"])
def test_a_long_text_is_masked_in_time_that_grows_with_its_length(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert least_seconds(lambda: masked(text), 1) < 1
    assert least_seconds(lambda: hide_persons(text), 1) < 1


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("写信到 a.b+c@example.com.cn 即可", "a.b+c@example.com.cn"), ("电话0371-6666777", "0371-6666777"), (f"{'x' * 300}@example.com", "@example.com"),
    ],
)  # fmt: skip
def test_mail_and_landline_are_still_hidden(text: str, hidden: str) -> None:
    assert hidden not in masked(text)
