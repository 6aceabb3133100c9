"""Backup and restore: database and files of one moment, encrypted for a key that the site does not hold.

A store is a folder: ``objects`` (each content once, so a second backup adds what is new alone) and ``manifests`` (one a backup).
Everything in it is encrypted with age (https://age-encryption.org) for a recipient; only the identity opens it. The database is copied
first, files afterwards: files are written once and named by what refers to them, so all that the database knows is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
from django.conf import settings
from django.db import connection

from zhixin_web.audit.queries import ledger_size

FORMAT = "backup/1"
LEFT_OUT = ("cache", "spill", "lost+found")
"""Folders of the data folder that are made anew."""


class BackupRefused(Exception):
    """A backup or a restore that cannot be done, with what to do."""


@dataclass(frozen=True)
class BackupReport:
    """What a backup or a restore did."""

    at: str
    files: int
    new: int
    size: int
    seconds: float
    ledger: int


def new_identity(file: Path) -> str:
    """Make a key pair; write the identity for its owner alone and return the recipient.

    Raises:
        BackupRefused: the file exists.
    """
    if file.exists():
        raise BackupRefused(f"{file} exists: an identity that is lost opens no backup any more / 已存在，不覆盖")
    identity = pyrage.x25519.Identity.generate()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(f"{identity}\n")
    return str(identity.to_public())


def back_up(store: Path, recipient: str) -> BackupReport:
    """Add a backup of this moment to a store.

    Raises:
        BackupRefused: not a recipient, or the database cannot be copied.
    """
    started, at = time.perf_counter(), datetime.now(UTC)
    try:
        whom = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise BackupRefused(f"not an age recipient: {error} / 接收方不正确") from error
    for name in ("objects", "manifests"):
        (store / name).mkdir(parents=True, exist_ok=True)
    size_of_ledger = ledger_size()
    new = size = 0
    with tempfile.TemporaryDirectory(dir=settings.VAR) as folder:
        dump, copy = Path(folder) / "database", Path(folder) / "copy"
        _dump(dump)
        database, is_new = _keep(dump, store, whom)
        new += is_new
        files: dict[str, str] = {}
        for path in _files(Path(folder)):
            try:
                shutil.copyfile(path, copy)  # hashed and encrypted are the same bytes, also of a file that grows meanwhile
            except FileNotFoundError:  # swept meanwhile: nothing refers to it
                continue
            files[str(path.relative_to(settings.VAR))], is_new = _keep(copy, store, whom)
            new += is_new
            size += copy.stat().st_size
        manifest = {
            "format": FORMAT, "at": at.isoformat(), "vendor": connection.vendor, "database": database, "files": files, "ledger": size_of_ledger,
        }  # fmt: skip
        plain = Path(folder) / "manifest"
        plain.write_text(json.dumps(manifest, sort_keys=True), encoding="utf-8")
        _encrypt(plain, store / "manifests" / f"{at:%Y%m%dT%H%M%S.%fZ}.age", whom)
    return BackupReport(at.isoformat(), len(files), new, size, time.perf_counter() - started, size_of_ledger)


def _files(working: Path) -> Iterator[Path]:
    """The files of the data folder, without the database and what is being written."""
    database = str(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else ""
    for path in sorted(Path(settings.VAR).rglob("*")):
        inside = path.relative_to(settings.VAR).parts
        if not path.is_file() or working in path.parents or path.name.endswith(".part") or set(LEFT_OUT) & set(inside):
            continue
        if database and str(path).startswith(database):  # the database, its log and its index
            continue
        yield path


def _keep(path: Path, store: Path, whom: Any) -> tuple[str, bool]:
    """Keep a content under its hash; return the hash, and whether the store did not have it."""
    with path.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    place = store / "objects" / name[:2] / f"{name}.age"
    if place.exists():
        return name, False
    place.parent.mkdir(exist_ok=True)
    _encrypt(path, place, whom)
    return name, True


def _encrypt(path: Path, place: Path, whom: Any) -> None:
    part = place.with_name(place.name + ".part")
    pyrage.encrypt_file(str(path), str(part), [whom])
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(place)


def _dump(out: Path) -> None:
    """Copy the database as of one moment."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(out)) as copy:
            connection.connection.backup(copy)
        return
    _postgresql("pg_dump", "--format=custom", "--no-owner", f"--file={out}")


def _postgresql(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise BackupRefused(f"{program} is missing: install PostgreSQL's client programs / 请安装 PostgreSQL 客户端")
    held = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(held[key]) for name, key in names.items() if held[key]}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupRefused(f"{program}: {done.stderr.strip()[:500]}")


def restore(store: Path, identity_file: Path, *, at: str = "") -> BackupReport:
    """Restore the newest backup, or the newest not later than ``at`` (``20261129T120000Z``), into an empty place.

    Raises:
        BackupRefused: the place is not empty, no such backup, a wrong identity, or a content that is not what its name says.
    """
    started = time.perf_counter()
    try:
        identity = pyrage.x25519.Identity.from_str(identity_file.read_text(encoding="utf-8").strip())
    except pyrage.IdentityError as error:
        raise BackupRefused(f"not an age identity: {error} / 私钥不正确") from error
    _refuse_unless_empty()
    kept = sorted(file for file in (store / "manifests").glob("*.age") if not at or file.stem <= at)
    if not kept:
        raise BackupRefused(f"{store} holds no backup{f' until {at}' if at else ''} / 没有备份")
    Path(settings.VAR).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.VAR) as folder:
        plain = Path(folder) / "plain"
        manifest = json.loads(_decrypted(kept[-1], plain, identity).read_text(encoding="utf-8"))
        if manifest["vendor"] != connection.vendor:
            raise BackupRefused(
                f"a backup of {manifest['vendor']} is not restored into {connection.vendor} / 数据库种类不同"
            )
        size = 0
        places = {name: _place(name) for name in manifest["files"]}
        for name, content in manifest["files"].items():
            place = places[name]
            place.parent.mkdir(parents=True, exist_ok=True)
            _object(store, content, plain, identity).replace(place)
            size += place.stat().st_size
        _load(_object(store, manifest["database"], plain, identity))
    return BackupReport(manifest["at"], len(manifest["files"]), 0, size, time.perf_counter() - started, ledger_size())


def _place(name: str) -> Path:
    """Return where a file of a manifest belongs; anybody who knows the recipient can write a manifest, so its paths are not trusted."""
    var = Path(settings.VAR).resolve()
    place = (var / name).resolve()
    if not place.is_relative_to(var) or place == var:
        raise BackupRefused(f"the backup names a file outside the data folder: {name} / 备份中的路径超出数据目录")
    return place


def _refuse_unless_empty() -> None:
    var = Path(settings.VAR)
    if connection.vendor == "sqlite" and Path(str(connection.settings_dict["NAME"])).exists():
        raise BackupRefused("the database exists: restore into an empty place / 数据库已存在，请恢复到空目录")
    if connection.vendor == "postgresql" and connection.introspection.table_names():
        raise BackupRefused("the database holds tables: restore into an empty one / 数据库不是空的")
    if var.exists() and any(path.is_file() for path in var.rglob("*")):
        raise BackupRefused(f"{var} is not empty: restore into an empty folder / 目录不是空的")


def _object(store: Path, name: str, plain: Path, identity: Any) -> Path:
    found = _decrypted(store / "objects" / name[:2] / f"{name}.age", plain, identity)
    with found.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != name:
            raise BackupRefused(f"object {name} holds something else / 内容与散列不符")
    return found


def _decrypted(file: Path, plain: Path, identity: Any) -> Path:
    if not file.is_file():
        raise BackupRefused(f"{file.name} is missing from the store / 备份缺少文件")
    try:
        pyrage.decrypt_file(str(file), str(plain), [identity])
    except pyrage.DecryptError as error:
        raise BackupRefused(f"{file.name} cannot be opened: {error} / 无法解密") from error
    return plain


def _load(dump: Path) -> None:
    if connection.vendor == "sqlite":
        shutil.copyfile(dump, str(connection.settings_dict["NAME"]))
    else:
        _postgresql("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={connection.settings_dict['NAME']}", str(dump))
