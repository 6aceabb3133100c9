"""What `zhixin ledger verify` says of a dump: nothing that was not checked is called good; each fault has its word and status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from zhixin.cli.app import app
from zhixin.cli.ledger import verify  # noqa: F401  (the command is part of the app)
from zhixin.errors import LedgerError, LedgerUnreadable, ZhixinError
from zhixin.trust.ledger import Checkpoint, canonical, commitment, entry, leaf_hash, root_of
from zhixin.trust.signing import sign_note, verifier_key
from zhixin.trust.verification import verify_dump

NAME = "test.example/ledger"
SALT = b"s" * 32


def made(count: int, covered: int | None = None) -> tuple[list[str], list[str], str]:
    """Lines of a dump, its checkpoints and the key."""
    key = Ed25519PrivateKey.generate()
    entries = []
    lines = []
    for number in range(count):
        body = canonical({"n": number})
        text = entry("test", f"T{number}", commitment(body, SALT), "2026-11-28T00:00:00Z")
        entries.append(leaf_hash(text.encode()))
        lines.append(json.dumps({"seq": number, "entry": text, "body": body, "salt": SALT.hex()}))
    size = count if covered is None else covered
    note = sign_note(Checkpoint(NAME, size, root_of(entries[:size])).text, NAME, key)
    return lines, [note], verifier_key(NAME, key.public_key())


def changed(line: str, **values: object) -> str:
    item = json.loads(line) | values
    return json.dumps({name: value for name, value in item.items() if value is not None})


def test_a_whole_ledger_is_whole() -> None:
    verdict = verify_dump(*made(5))
    assert (verdict.is_whole, verdict.entries, verdict.covered, verdict.opened, verdict.unopened) == (True, 5, 5, 5, 0)


@pytest.mark.parametrize(("covered", "beyond", "is_whole"), [(4, 1, False), (5, 0, True), (0, 5, False)])
def test_what_is_beyond_the_last_checkpoint_is_said(covered: int, beyond: int, is_whole: bool) -> None:
    verdict = verify_dump(*made(5, covered))
    assert (verdict.beyond, verdict.is_whole) == (beyond, is_whole)


def test_without_a_checkpoint_nobody_has_signed() -> None:
    lines, _notes, key = made(3)
    verdict = verify_dump(lines, [], key)
    assert (verdict.checkpoints, verdict.covered, verdict.is_whole) == (0, 0, False)


def test_an_erased_body_is_not_called_checked() -> None:
    lines, notes, key = made(3)
    verdict = verify_dump([lines[0], changed(lines[1], body=None, salt=None), lines[2]], notes, key)
    assert (verdict.opened, verdict.unopened, verdict.is_whole) == (2, 1, True)


Spoil = Callable[[list[str], list[str], str], tuple[list[str], list[str], str]]
UNREADABLE: dict[str, Spoil] = {
    "a line cut short": lambda d, n, k: ([d[0], d[1][:-9], d[2]], n, k),
    "an empty line": lambda d, n, k: ([d[0], "", d[1], d[2]], n, k),
    "no object": lambda d, n, k: (["[]", *d[1:]], n, k),
    "a key twice": lambda d, n, k: ([d[0].replace('{"seq"', '{"seq": 7, "seq"'), *d[1:]], n, k),
    "a key twice in the entry": lambda d, n, k: ([changed(d[0], entry=json.loads(d[0])["entry"].replace('"v":1', '"v":2,"v":1')), *d[1:]], n, k),
    "a sequence that is true": lambda d, n, k: ([d[0], changed(d[1], seq=True), d[2]], n, k),
    "a salt that is no hexadecimal": lambda d, n, k: ([changed(d[0], salt="zz"), *d[1:]], n, k),
    "brackets without end": lambda d, n, k: (["[" * 100_000, *d[1:]], n, k),
    "two notes in one": lambda d, n, k: (d, [n[0] + n[0]], k),
    "a text after the signature": lambda d, n, k: (d, [n[0] + "and more\n"], k),
    "no signed note at all": lambda d, n, k: (d, ["nonsense"], k),
    "a signature that is no base64": lambda d, n, k: (d, [n[0].rstrip("\n") + "*\n"], k),
    "a key that is none": lambda d, n, k: (d, n, "nonsense"),
}  # fmt: skip
WRONG: dict[str, Spoil] = {
    "a body without its salt": lambda d, n, k: ([changed(d[0], salt=None), *d[1:]], n, k),
    "an empty salt": lambda d, n, k: ([changed(d[0], salt=""), *d[1:]], n, k),
    "a salt without its body": lambda d, n, k: ([changed(d[0], body=None), *d[1:]], n, k),
    "an altered body": lambda d, n, k: ([changed(d[0], body='{"n":9}'), *d[1:]], n, k),
    "an entry missing": lambda d, n, k: (d[1:], n, k),
    "an entry twice": lambda d, n, k: ([d[0], *d], n, k),
    "the last entries cut off": lambda d, n, k: (d[:-1], n, k),
    "the signature of another": lambda d, n, k: (d, n, made(1)[2]),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said_to_be_unreadable(name: str) -> None:
    with pytest.raises(ZhixinError) as caught:
        verify_dump(*UNREADABLE[name](*made(3)))
    assert (type(caught.value), caught.value.exit_status) == (LedgerUnreadable, 17)


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_hold_is_said_not_to_hold(name: str) -> None:
    with pytest.raises(ZhixinError) as caught:
        verify_dump(*WRONG[name](*made(3)))
    assert (type(caught.value), caught.value.exit_status) == (LedgerError, 16)


@pytest.mark.parametrize(
    ("covered", "with_note", "status", "says"),
    [(3, True, 0, "the ledger holds"), (2, True, 4, "1 entries are beyond"), (3, False, 4, "no checkpoint")],
)
def test_the_command_says_what_it_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, covered: int, with_note: bool, status: int, says: str
) -> None:
    monkeypatch.setenv("ZHIXIN_LANG", "en")
    lines, notes, key = made(3, covered)
    (tmp_path / "dump.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "notes.json").write_text(json.dumps({"checkpoints": notes if with_note else []}), encoding="utf-8")
    done = CliRunner().invoke(
        app, ["ledger", "verify", str(tmp_path / "dump.jsonl"), "--checkpoints", str(tmp_path / "notes.json"), "--key", key]
    )
    assert (done.exit_code, says in " ".join(done.output.split())) == (status, True), done.output


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"checkpoints": 3}', b'{"checkpoints": [3]}', b"\xff\xfe", b"{", b"nonsense"]
)
def test_a_file_that_holds_no_checkpoints_is_never_good(tmp_path: Path, content: bytes) -> None:
    lines, _notes, key = made(3)
    (tmp_path / "dump.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "notes").write_bytes(content)
    done = CliRunner().invoke(
        app, ["ledger", "verify", str(tmp_path / "dump.jsonl"), "--checkpoints", str(tmp_path / "notes"), "--key", key]
    )
    assert done.exit_code == 4 if content == b"" else isinstance(done.exception, LedgerError)
