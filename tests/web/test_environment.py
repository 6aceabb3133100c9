"""Settings from the environment: typed, named when wrong, and no start in production with a weak secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhixin_web.environment import DEMO_SECRET, read_environment

STRONG = "Zx0-9aQw_er7T-yuI1opAsd8fGh-jkL2zXcv_bN3m4QWErty-56"


def _read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Any:
    for name in ("ZHIXIN_PRODUCTION", "ZHIXIN_DEMO", "ZHIXIN_SECRET_KEY", "DATABASE_URL", "ZHIXIN_SECOND_FACTOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read_environment()


@pytest.mark.parametrize("secret", ["", "short", "a" * 80, DEMO_SECRET, STRONG[:49]])
def test_production_refuses_a_missing_or_weak_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    with pytest.raises(SystemExit, match="SECRET_KEY"):
        _read(monkeypatch, ZHIXIN_PRODUCTION="1", ZHIXIN_SECRET_KEY=secret)


def test_production_starts_with_a_strong_secret_of_fifty_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _read(monkeypatch, ZHIXIN_PRODUCTION="1", ZHIXIN_SECRET_KEY=STRONG[:50])
    assert (found.production, found.needs_second_factor) == (True, True)


def test_production_and_demonstration_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="DEMO"):
        _read(monkeypatch, ZHIXIN_PRODUCTION="1", ZHIXIN_DEMO="1", ZHIXIN_SECRET_KEY=STRONG)


def test_the_second_factor_is_off_in_the_demonstration_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _read(monkeypatch, ZHIXIN_DEMO="1").needs_second_factor
    assert _read(monkeypatch).needs_second_factor


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHIXIN_IDLE_MINUTES", "0"),
        ("ZHIXIN_SESSION_HOURS", "eight"),
        ("ZHIXIN_PRODUCTION", "perhaps"),
        ("DATABASE_URL", "mysql://a/b"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        _read(monkeypatch, **{name: value})
    assert name.removeprefix("ZHIXIN_").lower() in str(stopped.value).lower()


def test_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(STRONG + "\n", encoding="utf-8")
    assert _read(monkeypatch, ZHIXIN_PRODUCTION="1", ZHIXIN_SECRET_KEY_FILE=str(file)).secret_key == STRONG


def test_a_database_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    database = _read(monkeypatch, DATABASE_URL="postgresql://user:p%40ss@db.example:5433/zhixin").database
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "zhixin",
        "user",
        "p@ss",
        "db.example",
        "5433",
    ]


def test_sqlite_waits_for_its_turn_and_syncs_fully(monkeypatch: pytest.MonkeyPatch) -> None:
    options = _read(monkeypatch).database["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]
