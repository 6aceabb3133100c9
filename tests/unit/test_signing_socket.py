"""A signer asked by a socket says what it says when it is started for one request, and outlives whoever asks it badly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhixin.errors import LedgerError
from zhixin.trust import ledger
from zhixin.trust.signing import verify_note
from zhixin.trust.signing_socket import ask

LEAVES = [ledger.leaf_hash(str(number).encode()) for number in range(5)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A signer that serves a socket."""
    path = tmp_path / "signer.sock"
    arguments = ["--state", str(tmp_path / "state"), "--origin", "city/ledger", "--serve", str(path)]
    process = subprocess.Popen([sys.executable, "-m", "zhixin.trust.signing", *arguments])
    try:
        for _attempt in range(100):
            if path.exists():
                break
            time.sleep(0.05)
        yield path
    finally:
        process.terminate()
        process.wait(timeout=10)


def request(size: int, root: bytes) -> str:
    return json.dumps({"size": size, "root": root.hex(), "proof": []})


def test_it_signs_remembers_and_refuses(served: Path) -> None:
    key = ask(served, "key", "").strip()
    assert ask(served, "last", "") == ""
    note = ask(served, "sign", request(3, ledger.root_of(LEAVES[:3])))
    assert verify_note(note, key).size == 3
    assert ask(served, "last", "") == note
    with pytest.raises(LedgerError, match="does not extend"):
        ask(served, "sign", request(2, ledger.root_of(LEAVES[:2])))
    assert ask(served, "last", "") == note


def test_whoever_asks_badly_is_told_and_the_next_is_answered(served: Path) -> None:
    with pytest.raises(LedgerError):
        ask(served, "sign", "no json")
    with pytest.raises(LedgerError):
        ask(served, "sign", "{}")
    for said in (b"\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"command": 1, "text": []}\n'):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(served))
            connection.sendall(said)
            assert json.loads(connection.makefile("rb").readline())["status"] == LedgerError.exit_status
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(served))  # and goes away without a word
    assert "+" in ask(served, "key", "")


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="does not answer"):
        ask(tmp_path / "nobody.sock", "key", "")


@pytest.mark.parametrize("arguments", [[], ["sign"], ["--state", "x", "sign"], ["--state", "x", "--origin", "y"]])
def test_what_is_missing_is_said(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zhixin.trust.signing", *arguments], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--state" in done.stderr
