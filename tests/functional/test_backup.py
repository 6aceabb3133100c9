"""The drill: back up a whole site, restore it to an empty place, compare with the checkpoints held outside, check everything."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pyrage
import pytest

ADDRESS = os.environ.get("ZHIXIN_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")


def run_in(var: Path, *arguments: str, database: str = "", is_good: bool = True) -> str:
    """Run ``zhixin-web`` on a data folder and a database; return what it says."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ZHIXIN_", "DATABASE_", "DJANGO_"))
    }
    environment |= {"ZHIXIN_DEMO": "1", "ZHIXIN_VAR": str(var), "PYTHONUTF8": "1"} | (
        {"DATABASE_URL": database} if database else {}
    )
    done = subprocess.run(
        [sys.executable, "-m", "zhixin_web.manage", *arguments], env=environment, capture_output=True, text=True
    )
    assert (done.returncode == 0) == is_good, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Path:
    """The data folder of a built demonstration, as a copy."""
    shutil.copytree(built, tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The file of an identity, and its recipient."""
    folder = tmp_path_factory.mktemp("key")
    said = run_in(folder / "none", "backup", "--new-identity", str(folder / "identity"))
    return folder / "identity", said.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def kept(built: Path, key: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one backup of the demonstration, and what the command said."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(built, folder / "var")
    return folder / "store", run_in(folder / "var", "backup", str(folder / "store"), "--recipient", key[1])


@pytest.fixture
def store(kept: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that store, to break."""
    shutil.copytree(kept[0], tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def identity(key: tuple[Path, str]) -> Path:
    return key[0]


@pytest.fixture
def recipient(key: tuple[Path, str]) -> str:
    return key[1]


def test_a_site_comes_back_whole_from_its_backup(
    site: Path, kept: tuple[Path, str], store: Path, identity: Path, tmp_path: Path, recipient: str
) -> None:
    empty, first = tmp_path / "empty", kept[1]
    assert identity.stat().st_mode & 0o777 == 0o600
    again = run_in(site, "backup", str(store), "--recipient", recipient)
    assert (
        int(re.findall(r"([\d,]+) new", again)[0].replace(",", ""))
        <= 1
        < int(re.findall(r"([\d,]+) new", first)[0].replace(",", ""))
    )
    assert not [file for file in store.rglob("*") if file.is_file() and b"91419" in file.read_bytes()], (
        "nothing is readable in the store"
    )
    said = run_in(empty, "restore", str(store), "--identity", str(identity))
    assert "BROKEN" not in said
    assert said.count("ok     ") >= 10
    assert "(RTO)" in said
    assert "(RPO)" in said
    assert {p.relative_to(site) for p in (site / "originals").rglob("*")} == {
        p.relative_to(empty) for p in (empty / "originals").rglob("*")
    }
    assert "exists" in run_in(empty, "restore", str(store), "--identity", str(identity), is_good=False)


def test_what_cannot_be_restored_is_refused_by_name(
    site: Path, store: Path, identity: Path, tmp_path: Path, recipient: str
) -> None:
    assert "exists" in run_in(site, "restore", str(store), "--identity", str(identity), is_good=False)
    other = tmp_path / "other"
    run_in(tmp_path / "none", "backup", "--new-identity", str(other))
    assert "cannot be opened" in run_in(tmp_path / "a", "restore", str(store), "--identity", str(other), is_good=False)
    assert "no backup" in run_in(
        tmp_path / "b", "restore", str(store), "--identity", str(identity), "--at", "2001", is_good=False
    )
    assert "not an age recipient" in run_in(site, "backup", str(store), "--recipient", "me", is_good=False)
    assert "exists" in run_in(site, "backup", "--new-identity", str(identity), is_good=False)
    lost = next(file for file in (store / "objects").rglob("*.age"))
    lost.unlink()
    assert "missing from the store" in run_in(
        tmp_path / "c", "restore", str(store), "--identity", str(identity), is_good=False
    )


def test_a_manifest_that_leaves_the_data_folder_writes_nothing(
    store: Path, identity: Path, tmp_path: Path, recipient: str
) -> None:
    """The recipient is no secret: whoever knows it can add a manifest to the store."""
    genuine = next((store / "manifests").iterdir())
    key = pyrage.x25519.Identity.from_str(identity.read_text().strip())
    manifest = json.loads(pyrage.decrypt(genuine.read_bytes(), [key]))
    for name in ("../outside", str(tmp_path / "outside"), "originals/../../outside", ""):
        manifest["files"] = {name: manifest["database"]}
        forged = store / "manifests" / "99990101T000000.000000Z.age"
        forged.write_bytes(pyrage.encrypt(json.dumps(manifest).encode(), [pyrage.x25519.Recipient.from_str(recipient)]))
        said = run_in(tmp_path / "empty", "restore", str(store), "--identity", str(identity), is_good=False)
        assert "outside the data folder" in said
        assert not (tmp_path / "outside").exists()
    earlier = run_in(tmp_path / "again", "restore", str(store), "--identity", str(identity), "--at", genuine.stem)
    assert "BROKEN" not in earlier


def test_a_file_that_grows_meanwhile_is_kept_as_of_one_moment(
    site: Path, identity: Path, tmp_path: Path, recipient: str
) -> None:
    growing, done = site / "spool" / "growing.log", threading.Event()
    growing.parent.mkdir()
    growing.write_bytes(b"x" * 50_000_000)

    def grow() -> None:
        with growing.open("ab", buffering=0) as out:
            while not done.wait(0.001):
                out.write(b"x" * 1_000)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        run_in(site, "backup", str(tmp_path / "store"), "--recipient", recipient)
    finally:
        done.set()
        writer.join()
        growing.unlink()
    said = run_in(tmp_path / "empty", "restore", str(tmp_path / "store"), "--identity", str(identity))
    assert "BROKEN" not in said
    assert (tmp_path / "empty" / "spool" / "growing.log").stat().st_size >= 50_000_000


@pytest.mark.long
def test_the_drill_on_postgresql(identity: Path, tmp_path: Path, recipient: str) -> None:
    try:
        psycopg.connect(ADDRESS, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        if os.environ.get("ZHIXIN_REQUIRE_ALL") == "1":
            raise
        pytest.skip(f"PostgreSQL is missing: {error}")
    names = [f"zhixin_drill_{os.getpid()}_{part}" for part in ("from", "to")]
    addresses = [ADDRESS.rsplit("/", 1)[0] + f"/{name}" for name in names]
    with psycopg.connect(ADDRESS, autocommit=True) as server:
        try:
            for name in names:
                server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
            run_in(tmp_path / "var", "demo", "--subjects", "60", "--no-serve", database=addresses[0])
            run_in(tmp_path / "var", "backup", str(tmp_path / "store"), "--recipient", recipient, database=addresses[0])
            said = run_in(
                tmp_path / "empty",
                "restore",
                str(tmp_path / "store"),
                "--identity",
                str(identity),
                database=addresses[1],
            )
            assert "BROKEN" not in said
            refused = run_in(
                tmp_path / "again",
                "restore",
                str(tmp_path / "store"),
                "--identity",
                str(identity),
                database=addresses[1],
                is_good=False,
            )
            assert "holds tables" in refused
        finally:
            for name in names:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[call-overload]
