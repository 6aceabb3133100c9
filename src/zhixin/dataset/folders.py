"""Folders of results that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from zhixin.errors import DatasetError


def flush(path: Path) -> None:
    """Have a written file reach the disk: what is committed elsewhere by its hash must survive a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def begin_folder(out: Path) -> Path:
    """Make the empty folder in which ``out`` is written until it is whole; an unfinished earlier try is removed."""
    work = out.with_name(out.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def put_in_place(work: Path, out: Path, seal: str) -> None:
    """Move a finished folder to where it belongs. What stood there is moved aside whole first and removed last.

    Raises:
        DatasetError: something else stands there: a folder that is not empty and does not hold ``seal``, or a file.
    """
    check_place(out, seal)
    for file in work.iterdir():
        if file.is_file():
            flush(file)
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    work.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def check_place(out: Path, seal: str, *inputs: Path) -> None:
    """Refuse to write over anything but an earlier result of the same kind, or over an input."""
    for path in inputs:
        if path.resolve() == out.resolve() or out.resolve() in path.resolve().parents:
            raise DatasetError(
                f"输出文件夹 {out} 不能是输入文件夹或包含它；请另选一个",
                f"the folder {out} is an input or holds it: choose another",
            )
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / seal).is_file()):
        raise DatasetError(
            f"{out} 中有别的文件，不予覆盖；请另选一个文件夹",
            f"{out} holds something else and is not written over: choose another",
        )
