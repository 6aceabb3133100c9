"""Settings from the environment, typed and checked once at start. ``NAME_FILE`` reads a secret from a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRET_LENGTH = 50
DEFAULT_ORIGIN = "zhixin.example/ledger"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "testserver", "0.0.0.0")
DEMO_SECRET = "for the demonstration only; production refuses to start with it"


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _is_weak(secret: str) -> bool:
    """Whether a secret is short, of few characters, a repetition of a shorter text, or that of the demonstration."""
    is_repetition = bool(secret) and secret in (secret + secret)[1:-1]
    return len(secret) < SECRET_LENGTH or len(set(secret)) < 10 or is_repetition or secret == DEMO_SECRET


class Environment(BaseSettings):
    """What an operator may set; every name has the prefix ``ZHIXIN_`` except ``DATABASE_URL``."""

    model_config = SettingsConfigDict(env_prefix="ZHIXIN_", extra="ignore")

    production: bool = False
    demo: bool = False
    secret_key: str = ""
    evidence_key: str = ""
    allowed_hosts: str = "localhost,127.0.0.1,[::1],testserver"
    database_url: str = ""
    var: Path = Path("var")
    origin: str = DEFAULT_ORIGIN
    signer_command: str = ""
    sqlite_in_production: bool = False
    proxies: str = ""
    outgoing_networks: str = ""
    """Networks inside the house that pulls may reach, e.g. ``10.1.0.0/16, 172.16.3.4/32``; the public network always."""
    rate_limits: bool = True
    rate_storage: str = "memory://"
    witness_folder: Path | None = None
    witness_command: str = ""
    witness_url: str = ""
    witness_mail: str = ""
    oidc_issuer: str = ""
    """The identity provider of enterprises; without it they sign in by password. Its addresses follow."""
    oidc_authorization: str = ""
    oidc_token: str = ""
    oidc_userinfo: str = ""
    oidc_keys: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_code_claim: str = "uscc"
    """The claim that holds the credit code of the enterprise."""
    idle_minutes: int = 15
    session_hours: int = 8
    password_days: int = 90
    upload_megabytes: int = 100
    second_factor: bool | None = None
    site_name: str = "知信 · 郑州市知识产权企业信用信息公示"
    site_address: str = "http://127.0.0.1:8000"
    """Where the public finds the site; printed on papers for their verification."""
    site_host: str = ""
    """Who runs the site (主办单位), shown in every footer."""
    site_contact: str = ""
    site_code: str = ""
    """The government-site identification code (政府网站标识码)."""
    site_icp: str = ""
    site_police: str = ""
    public_seconds: int = 20
    """How long a public page may be served from the cache; withdrawn content must be gone within 60 seconds."""

    @field_validator("public_seconds")
    @classmethod
    def _short(cls, value: int) -> int:
        if not 0 <= value <= 30:
            raise ValueError(
                "must lie between 0 and 30: what is withdrawn must be gone within 60 seconds / 应在 0 至 30 秒之间"
            )
        return value

    @field_validator("outgoing_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for item in _listed(value):
            ip_network(item)
        return value

    @property
    def networks(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(item) for item in _listed(self.outgoing_networks)]

    @field_validator("idle_minutes", "session_hours", "password_days", "upload_megabytes")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("must be at least 1 / 应不小于 1")
        return value

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Environment:
        names = ("issuer", "authorization", "token", "userinfo", "keys", "client_id", "client_secret")
        given = [name for name in names if getattr(self, f"oidc_{name}")]
        missing = [f"ZHIXIN_OIDC_{name.upper()}" for name in names if name not in given]
        if given and missing:
            raise ValueError(f"{', '.join(missing)} missing: an identity provider needs all of them / 身份认证配置不全")
        plain = [name for name in names[:5] if getattr(self, f"oidc_{name}").startswith("http://")]
        if self.production and plain:
            raise ValueError(f"ZHIXIN_OIDC_{plain[0].upper()} must be https:// / 身份认证地址须为 https")
        return self

    @model_validator(mode="after")
    def _production_is_safe(self) -> Environment:
        if self.production and self.demo:
            raise ValueError("ZHIXIN_PRODUCTION and ZHIXIN_DEMO exclude each other / 生产与演示不能同时开启")
        faults = list(self._unsafe()) if self.production else []
        if faults:
            raise ValueError("\n    ".join(faults))
        self.secret_key = self.secret_key or DEMO_SECRET
        return self

    def _unsafe(self) -> Iterator[str]:
        """Yield everything for which production does not start, each with what to do."""
        if _is_weak(self.secret_key):
            yield (
                f"ZHIXIN_SECRET_KEY is missing or weak: give at least {SECRET_LENGTH} random characters, "
                "e.g. from: python -c 'import secrets; print(secrets.token_urlsafe(64))' / 密钥缺失或过弱"
            )
        if _is_weak(self.evidence_key) or self.evidence_key == self.secret_key:
            yield "ZHIXIN_EVIDENCE_KEY is missing, weak or the same as the secret: it binds the evidence, keep it apart / 存证密钥缺失、过弱或与密钥相同"
        hosts = _listed(self.allowed_hosts)
        if not hosts or any("*" in host or host in LOCAL_HOSTS for host in hosts):
            yield "ZHIXIN_ALLOWED_HOSTS must name the site's own hosts, without * and without local ones / 请写明站点域名，不用 * 或本机地址"
        if self.second_factor is False:
            yield "ZHIXIN_SECOND_FACTOR cannot be off / 不能关闭双因素验证"
        if self.origin == DEFAULT_ORIGIN:
            yield "ZHIXIN_ORIGIN must be the ledger's own name, e.g. credit.example.gov.cn/ledger / 请写明账本名称"
        if not self.site_address.startswith("https://"):
            yield "ZHIXIN_SITE_ADDRESS must be the public https:// address; it is printed on papers / 请写明公开的 https 地址"
        if not self.signer_command:
            yield "ZHIXIN_SIGNER_COMMAND must name a signer of its own: the site does not hold the key of the checkpoints / 检查点须由独立签名程序签署"
        if not self.database_url.startswith("postgres") and not self.sqlite_in_production:
            yield "DATABASE_URL must name PostgreSQL; for SQLite say ZHIXIN_SQLITE_IN_PRODUCTION=1 / 请使用 PostgreSQL，或明确选择 SQLite"

    @property
    def needs_second_factor(self) -> bool:
        return not self.demo if self.second_factor is None else self.second_factor

    @property
    def database(self) -> dict[str, Any]:
        """Django's database settings; SQLite in the data folder unless ``DATABASE_URL`` names PostgreSQL.

        Raises:
            ValueError: another scheme.
        """
        if not self.database_url:
            return sqlite_database(self.var / "zhixin.sqlite3")
        url = urlsplit(self.database_url)
        if url.scheme == "sqlite":
            return sqlite_database(Path(url.path))
        if url.scheme not in ("postgres", "postgresql"):
            raise ValueError(f"DATABASE_URL: {url.scheme!r} is not supported; use postgresql://… or sqlite:///…")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.lstrip("/"),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }


def sqlite_database(path: Path) -> dict[str, Any]:
    """SQLite with a write-ahead log and full sync: what was acknowledged survives a power cut."""
    pragmas = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA busy_timeout=60000;PRAGMA cache_size=-65536;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,  # opening the file and setting the pragmas anew for each request takes longer than most pages
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": pragmas, "timeout": 60},
    }


def read_environment() -> Environment:
    """The settings, or a clean exit that names each wrong variable."""
    found: dict[str, Any] = {}
    if os.environ.get("DATABASE_URL"):
        found["database_url"] = os.environ["DATABASE_URL"]
    for name in ("secret_key", "evidence_key", "database_url"):
        variable = "DATABASE_URL_FILE" if name == "database_url" else f"ZHIXIN_{name.upper()}_FILE"
        if os.environ.get(variable):
            found[name] = Path(os.environ[variable]).read_text(encoding="utf-8").strip()
    try:
        environment = Environment(**found)
        environment.database  # noqa: B018 — a wrong URL should show now, not at the first query
        return environment
    except ValidationError as error:
        faults = "\n".join(f"  {'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}" for item in error.errors())
        sys.exit(f"Zhixin cannot start / 无法启动:\n{faults}")
    except ValueError as error:
        sys.exit(f"Zhixin cannot start / 无法启动:\n  {error}")
