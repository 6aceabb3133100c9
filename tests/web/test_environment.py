"""Settings from the environment: typed, named when wrong, and no start in production with a weak secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhixin_web.environment import DEMO_SECRET, read_environment

STRONG = "Zx0-9aQw_er7T-yuI1opAsd8fGh-jkL2zXcv_bN3m4QWErty-56"


OTHER = "q8W_e7R-t6Y0u5I_o4P-a3S2d1F_g0H-j9K8l7Z_x6C-v5B4n3M"
SAFE = {
    "ZHIXIN_PRODUCTION": "1", "ZHIXIN_SECRET_KEY": STRONG, "ZHIXIN_EVIDENCE_KEY": OTHER, "ZHIXIN_ALLOWED_HOSTS": "credit.example.gov.cn",
    "ZHIXIN_ORIGIN": "credit.example.gov.cn/ledger", "ZHIXIN_SITE_ADDRESS": "https://credit.example.gov.cn", "ZHIXIN_SIGNER_COMMAND": "sign",
    "DATABASE_URL": "postgresql://zhixin@db/zhixin",
}  # fmt: skip
"""What production asks for, all of it."""


def _read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Any:
    for name in (*SAFE, "ZHIXIN_DEMO", "ZHIXIN_SECOND_FACTOR", "ZHIXIN_SQLITE_IN_PRODUCTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read_environment()


@pytest.mark.parametrize("secret", ["", "short", "a" * 80, "abcdefghijkl" * 5, DEMO_SECRET, STRONG[:49]])
def test_production_refuses_a_missing_or_weak_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    with pytest.raises(SystemExit, match="SECRET_KEY"):
        _read(monkeypatch, **SAFE | {"ZHIXIN_SECRET_KEY": secret})


def test_production_starts_with_a_strong_secret_of_fifty_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _read(monkeypatch, **SAFE | {"ZHIXIN_SECRET_KEY": STRONG[:50]})
    assert (found.production, found.needs_second_factor) == (True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHIXIN_EVIDENCE_KEY", ""), ("ZHIXIN_EVIDENCE_KEY", STRONG), ("ZHIXIN_EVIDENCE_KEY", "x" * 80), ("ZHIXIN_ALLOWED_HOSTS", "*"),
        ("ZHIXIN_ALLOWED_HOSTS", ""), ("ZHIXIN_ALLOWED_HOSTS", "credit.example.gov.cn,localhost"), ("ZHIXIN_ALLOWED_HOSTS", ".*"),
        ("ZHIXIN_SECOND_FACTOR", "0"), ("ZHIXIN_ORIGIN", "zhixin.example/ledger"), ("ZHIXIN_SITE_ADDRESS", "http://credit.example.gov.cn"),
        ("ZHIXIN_SITE_ADDRESS", ""), ("ZHIXIN_SIGNER_COMMAND", ""), ("DATABASE_URL", "sqlite:////var/zhixin.sqlite3"),
    ],
)  # fmt: skip
def test_production_refuses_what_is_not_safe_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=name):
        _read(monkeypatch, **SAFE | {name: value})


def test_everything_that_is_not_safe_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as stopped:
        _read(monkeypatch, ZHIXIN_PRODUCTION="1")
    for name in SAFE.keys() - {"ZHIXIN_PRODUCTION"}:
        assert name in str(stopped.value)


def test_sqlite_in_production_is_said_in_so_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    values = SAFE | {"DATABASE_URL": "sqlite:////var/zhixin.sqlite3", "ZHIXIN_SQLITE_IN_PRODUCTION": "1"}
    assert _read(monkeypatch, **values).production


def test_what_the_site_writes_is_for_its_own_user_and_group(tmp_path: Path) -> None:
    file = tmp_path / "written"
    file.write_text("x", encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o640


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


PROVIDER = {
    f"ZHIXIN_OIDC_{name}": f"https://id.example.gov.cn/{name.lower()}" for name in ("ISSUER", "AUTHORIZATION", "TOKEN", "USERINFO", "KEYS")
} | {"ZHIXIN_OIDC_CLIENT_ID": "zhixin", "ZHIXIN_OIDC_CLIENT_SECRET": "secret"}  # fmt: skip


@pytest.mark.parametrize("left_out", PROVIDER)
def test_an_identity_provider_is_set_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, left_out: str) -> None:
    assert _read(monkeypatch, **SAFE | PROVIDER).oidc_issuer == PROVIDER["ZHIXIN_OIDC_ISSUER"]
    monkeypatch.delenv(left_out)
    with pytest.raises(SystemExit, match=left_out):
        _read(monkeypatch, **SAFE | {name: value for name, value in PROVIDER.items() if name != left_out})


def test_production_reaches_its_identity_provider_encrypted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="ZHIXIN_OIDC_TOKEN"):
        _read(monkeypatch, **SAFE | PROVIDER | {"ZHIXIN_OIDC_TOKEN": "http://id.example.gov.cn/token"})


def test_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(STRONG + "\n", encoding="utf-8")
    assert (
        _read(
            monkeypatch, **{k: v for k, v in SAFE.items() if k != "ZHIXIN_SECRET_KEY"}, ZHIXIN_SECRET_KEY_FILE=str(file)
        ).secret_key
        == STRONG
    )


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
