"""Killed in the middle: an output folder is either not there or whole, never half of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from unit.writing import uscc, write_rows
from zhixin.dataset.acceptance import accept
from zhixin.dataset.snapshot import open_snapshot, sha256_of
from zhixin.errors import DatasetError
from zhixin.evaluation.archive import RunFolder
from zhixin.law.loading import load_rulebook

BOOK = load_rulebook("zhengzhou-ip")
AS_OF = date(2026, 11, 24)

KILLER = r"""
import hashlib, json, os, random, shutil, signal, sys, time
from datetime import date
from pathlib import Path
import zhixin.dataset, zhixin.evaluation.run
from zhixin.dataset.acceptance import accept
from zhixin.law.loading import load_rulebook
from zhixin.evaluation.run import evaluate

import pyarrow.dataset

what, source, out, rounds, seed = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
as_of = date(2026, 11, 24)
book = load_rulebook("zhengzhou-ip" if what == "accept" else "chicago-food")
seal = "dataset.json" if what == "accept" else "run.json"

def work():
    if what == "accept":
        accept(book, source, out, as_of)
    else:
        evaluate(book, source, out, as_of)

def state():
    if not out.exists():
        return "absent"
    if not (out / seal).is_file():
        return "unsealed"
    found = json.loads((out / seal).read_text("utf-8"))["outputs"]
    whole = all((out / n).is_file() and hashlib.sha256((out / n).read_bytes()).hexdigest() == h for n, h in found.items())
    return "whole" if found and whole else "half"

def child():
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid

started = time.perf_counter()
assert os.waitpid(child(), 0)[1] == 0, "the undisturbed run failed"
whole_time = time.perf_counter() - started
rng = random.Random(seed)
states, killed = [state()], 0
for number in range(rounds):
    if number % 2 == 0:  # else an older output is there to be replaced
        shutil.rmtree(out)
    pid = child()
    share = (number + rng.random()) / rounds if number % 2 == 0 else 0.8 + 0.25 * rng.random()
    time.sleep(share * whole_time)
    os.kill(pid, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    states.append(state())
    if not out.exists() or states[-1] != "whole":
        shutil.rmtree(out, ignore_errors=True)
        assert os.waitpid(child(), 0)[1] == 0, "a left-over of a killed run is in the way"
        states.append(state())
print(json.dumps({"states": states, "killed": killed}))
"""


def dataset(folder: Path, subjects: int = 300) -> Path:
    write_rows(
        folder / "subjects.csv", [{"subject_id": uscc(number), "name": f"企业{number}"} for number in range(subjects)]
    )
    rows = [
        {"record_id": f"R{number}", "subject_id": uscc(number % subjects), "kind": "judgment.lost", "decided_on": "2026-01-01", "document": "d"}
        for number in range(10 * subjects)
    ]  # fmt: skip
    write_rows(folder / "records.csv", rows)
    return folder


def killed_at_random(what: str, source: Path, out: Path, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-c", KILLER, what, str(source), str(out), str(rounds), "20261124"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_accept_killed_at_any_moment_leaves_a_whole_snapshot_or_none(tmp_path: Path) -> None:
    found = killed_at_random("accept", dataset(tmp_path / "in"), tmp_path / "out", 6)
    assert set(found["states"]) <= {"absent", "whole", "unsealed"}
    assert found["killed"] >= 1


def test_evaluate_killed_at_any_moment_leaves_a_whole_run_or_none(tmp_path: Path) -> None:
    accept(BOOK, dataset(tmp_path / "in", 50), tmp_path / "data", AS_OF)
    found = killed_at_random("evaluate", tmp_path / "data", tmp_path / "out", 2)
    assert set(found["states"]) <= {"absent", "whole", "unsealed"}
    assert found["killed"] >= 1


# --- the same at every single step on the disk, without chance ---


class Stopped(BaseException):
    """Stands for the end of the process."""


STEPS = ("unlink", "rmdir", "rename", "replace", "remove", "link", "symlink")


def stop_at(patch: pytest.MonkeyPatch, last: int | None) -> list[str]:
    """Stop before the ``last``-th change of a name on the disk; the list of those done."""
    done: list[str] = []

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            if last is not None and len(done) >= last:
                raise Stopped
            done.append(name)
            return original(*args, **options)

        return step

    for name in STEPS:
        patch.setattr(os, name, wrapped(name, getattr(os, name)))
    patch.setattr(os, "scandir", SealLast)
    return done


class SealLast:
    """``os.scandir`` in the least lucky order: seals come last. (The order is the file system's own affair.)"""

    original = staticmethod(os.scandir)

    def __init__(self, *args: Any) -> None:
        with self.original(*args) as found:
            self.entries = iter(sorted(found, key=lambda entry: (entry.name.endswith(".json"), entry.name)))

    def __enter__(self) -> SealLast:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def __iter__(self) -> Iterator[Any]:
        return self.entries

    def __next__(self) -> Any:
        return next(self.entries)

    def close(self) -> None:
        """Nothing is open."""


def test_accept_stopped_at_any_step_never_leaves_half_a_snapshot_in_place_of_an_old_one(tmp_path: Path) -> None:
    source, out, kept = dataset(tmp_path / "in", 3), tmp_path / "out", tmp_path / "kept"
    accept(BOOK, source, kept, AS_OF)
    shutil.copytree(kept, out)
    with pytest.MonkeyPatch.context() as patch:
        steps = stop_at(patch, None)
        accept(BOOK, source, out, AS_OF)
    assert len(steps) > 5
    half = []
    for last in range(len(steps)):
        for left in tmp_path.glob("out*"):
            shutil.rmtree(left)
        shutil.copytree(kept, out)
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, last)
            with pytest.raises(Stopped):
                accept(BOOK, source, out, AS_OF)
        try:
            open_snapshot(out)
        except DatasetError:
            continue
        seal = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
        missing = [
            name for name, digest in seal["outputs"].items() if not (out / name).is_file() or sha256_of(out / name) != digest
        ]
        if missing:
            half.append((last, steps[last], missing))
    assert half == []


def test_what_a_killed_try_left_behind_is_not_a_snapshot_and_not_in_the_way(tmp_path: Path) -> None:
    source, out = dataset(tmp_path / "in", 3), tmp_path / "out"
    left = tmp_path / "out.part" / "quarantine"
    left.mkdir(parents=True)
    (left / "subjects.csv").write_text("half", encoding="utf-8")
    (tmp_path / "out.part" / "subjects.parquet").write_bytes(b"PAR1half")
    with pytest.raises(DatasetError, match="not a finished snapshot"):
        open_snapshot(tmp_path / "out.part")
    assert accept(BOOK, source, out, AS_OF).quarantined == 0
    assert not (tmp_path / "out.part").exists()
    assert sorted(path.name for path in out.iterdir()) == [
        "dataset.json",
        "quarantine",
        "records.parquet",
        "subjects.parquet",
    ]


@pytest.mark.parametrize("content", ["", "{", '{"format": "dataset/1"'], ids=["empty", "brace", "cut off"])
def test_a_seal_cut_off_in_the_middle_is_no_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError):
        RunFolder.open(tmp_path)


def test_a_folder_without_a_seal_is_neither_snapshot_nor_run(tmp_path: Path) -> None:
    for name in ("subjects", "records", "grades", "contributions"):
        (tmp_path / f"{name}.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="no dataset.json"):
        open_snapshot(tmp_path)
    with pytest.raises(DatasetError, match="no run.json"):
        RunFolder.open(tmp_path)


def test_a_snapshot_that_lost_a_table_is_not_opened(tmp_path: Path) -> None:
    accept(BOOK, dataset(tmp_path / "in", 3), tmp_path / "out", AS_OF)
    (tmp_path / "out" / "records.parquet").unlink()
    with pytest.raises(DatasetError):
        open_snapshot(tmp_path / "out")
