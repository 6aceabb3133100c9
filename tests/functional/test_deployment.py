"""What ``deploy/`` promises: processes without rights, one way in, known settings; and the same processes started as they are written."""

from __future__ import annotations

import configparser
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from django.core.management import get_commands

from functional.site import free_port
from zhixin_web.environment import Environment

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "zhixin"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
HOST = "credit.example.gov.cn"


def unit(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Sections of a unit; a key may stand several times."""
    found: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = []
        elif line.strip():
            key, _, value = line.partition("=")
            found[section].append((key, value))
    return found


# --- the files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service


def test_the_proxy_alone_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["signer"]["network_mode"] == "none"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_each_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_settings_are_known_ones_and_secrets_are_files() -> None:
    known = {f"ZHIXIN_{name.upper()}" for name in Environment.model_fields} | {"DATABASE_URL"}
    known |= {f"{name}_FILE" for name in known}
    for name in OURS:
        assert set(SERVICES[name].get("environment", {})) <= known
        for variable, value in SERVICES[name].get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
    example = dict(line.split("=", 1) for line in (DEPLOY / "site.env.example").read_text().splitlines() if "=" in line)
    assert set(example) <= known
    declared = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert declared == set(COMPOSE["secrets"])
    volumes = {item.split(":")[0] for service in SERVICES.values() for item in service.get("volumes", [])}
    assert {item for item in volumes if not item.startswith(".")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize("command", [*(SERVICES[name]["command"] for name in OURS)], ids=" ".join)
def test_commands_are_ours(command: list[str]) -> None:
    assert (BIN / command[0]).exists()
    if command[0] == "zhixin-web":
        assert command[1] in get_commands()


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_has_no_rights_and_comes_back(file: Path) -> None:
    service = dict(unit(file)["Service"])
    assert service["User"] in ("zhixin", "zhixin-signer")
    assert (service["User"] == "zhixin-signer") == (file.stem == "zhixin-signer")
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["UMask"]) == ("yes", "strict", "0027")
    assert service["CapabilityBoundingSet"] == ""
    assert service["Restart"] == "always"
    for key, value in unit(file)["Service"]:
        if key.startswith("ExecStart"):
            assert (BIN / Path(value.split()[0]).name).exists()


def test_the_target_starts_every_unit_and_no_two_run_the_same() -> None:
    target = configparser.ConfigParser()
    target.read(DEPLOY / "systemd" / "zhixin.target")
    assert sorted(target["Unit"]["Wants"].split()) == [file.name for file in UNITS]
    assert len({dict(unit(file)["Service"])["ExecStart"] for file in UNITS}) == len(UNITS)


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 10001:10001" in lines
    assert "--constraint /source/constraints.txt" in "".join(lines)
    command = next(yaml.safe_load(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD "))
    assert command == SERVICES["site"]["command"]


# --- the processes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database on the PostgreSQL of this machine."""
    name = f"zhixin_deploy_{secrets.token_hex(4)}"
    try:
        connection = psycopg.connect("postgresql://postgres@127.0.0.1:5432/postgres", autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("ZHIXIN_REQUIRE_ALL") == "1":
            pytest.fail(f"ZHIXIN_REQUIRE_ALL=1, but there is no PostgreSQL on 127.0.0.1:5432: {error}")
        pytest.skip("no PostgreSQL on 127.0.0.1:5432")
    connection.execute(f'CREATE DATABASE "{name}"')
    yield f"postgresql://postgres@127.0.0.1:5432/{name}"
    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    connection.close()


@pytest.fixture
def environment(database: str, tmp_path: Path) -> dict[str, str]:
    """The settings of the compose file, with the paths and the database of this test."""
    files = {"secret_key": secrets.token_urlsafe(64), "evidence_key": secrets.token_urlsafe(64), "database_url": database}
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    replaced = {"/run/secrets/": f"{tmp_path}/", "/run/zhixin/": f"{tmp_path}/", "/var/lib/zhixin": f"{tmp_path}/var"}
    settings = dict(line.split("=", 1) for line in (DEPLOY / "site.env.example").read_text().splitlines() if "=" in line)
    for name, value in SERVICES["site"]["environment"].items():
        for old, new in replaced.items():
            value = value.replace(old, new)
        settings[name] = value
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ZHIXIN_", "DATABASE_", "DJANGO_"))}
    return plain | settings | {"PATH": f"{BIN}:{os.environ['PATH']}", "DJANGO_SETTINGS_MODULE": "zhixin_web.settings"}


def started(command: list[str], environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def done(command: list[str], environment: dict[str, str]) -> str:
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_processes_start_as_they_are_written(environment: dict[str, str], tmp_path: Path) -> None:
    """Signer, migration, site, worker and clock with production settings; the site answers, the clock signs by the socket."""
    (tmp_path / "var").mkdir()
    port, socket = str(free_port()), tmp_path / "signer.sock"
    signer = [part.replace("/var/lib/zhixin-signer", str(tmp_path / "signer")).replace("/run/zhixin/", f"{tmp_path}/")
              for part in SERVICES["signer"]["command"]]  # fmt: skip
    signer[signer.index("--origin") + 1] = environment["ZHIXIN_ORIGIN"]
    site = [port if part == "8000" else "127.0.0.1" if part == "0.0.0.0" else part for part in SERVICES["site"]["command"]]
    processes = [started(signer, environment, tmp_path)]
    try:
        for _attempt in range(100):
            if socket.exists():
                break
            time.sleep(0.1)
        assert "+" in done(["zhixin-signer", "--connect", str(socket), "key"], environment)
        assert socket.stat().st_mode & 0o777 == 0o660
        done(SERVICES["migrate"]["command"], environment)
        processes += [started(site, environment, tmp_path), started(SERVICES["worker"]["command"], environment, tmp_path)]
        alive = ["zhixin-web", "alive", "site", "--port", port]
        for _attempt in range(60):
            if subprocess.run(alive, env=environment, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.5)
        done(alive, environment)
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        assert httpx.get(f"http://127.0.0.1:{port}/health", headers=headers).text == "ok"
        plain = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": HOST})
        assert plain.status_code in (301, 302), "without TLS the site sends to https"
        assert (
            subprocess.run(["zhixin-web", "alive", "clock"], env=environment, capture_output=True, check=False).returncode
            == 1
        )
        tick = [part for part in SERVICES["clock"]["command"] if part not in ("--every", "60")]
        done(tick, environment)
        done(["zhixin-web", "alive", "clock"], environment)
        done(["zhixin-web", "alive", "database"], environment)
        assert all(process.poll() is None for process in processes)
        for path in (tmp_path / "var").rglob("*"):
            assert path.stat().st_mode & 0o007 == 0, f"{path} is open to everybody"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)
