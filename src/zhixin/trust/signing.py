"""Signed notes of checkpoints, and the process that signs: ``python -m zhixin.trust.signing --state DIR --origin NAME sign|last|key``.

The process holds the key and the last checkpoint, reads a request ``{"size", "root", "proof"}`` from standard input and prints
the signed note (``last`` prints the newest one again), or refuses with exit status 16: it signs nothing that does not extend what it signed last. Run it as an
operating-system user of its own, or in a container of its own: ``--serve SOCKET`` answers and ``--connect SOCKET`` asks.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from zhixin.errors import LedgerError, LedgerUnreadable
from zhixin.trust import signing_socket
from zhixin.trust.ledger import Checkpoint, verify_consistency

COMMANDS = ("sign", "last", "key")
_ED25519 = b"\x01"
_DASH = "\u2014 "


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def verifier_key(name: str, public: Ed25519PublicKey) -> str:
    """The verification key as one line: ``name+keyid+base64``."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"{name}+{key_id(name, raw).hex()}+{base64.b64encode(_ED25519 + raw).decode()}"


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The note with one signature line added."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = base64.b64encode(key_id(name, raw) + key.sign(text.encode())).decode()
    return f"{text}\n{_DASH}{name} {signature}\n"


def verify_note(note: str, vkey: str) -> Checkpoint:
    """The checkpoint of a note whose signature under ``vkey`` is good; lines of other signers are passed over.

    Raises:
        LedgerError: no line of this signer, or a bad one.
        LedgerUnreadable: note or key are malformed, or something follows the signatures.
    """
    try:
        name, hash_hex, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)[1:]
    except ValueError as error:
        raise LedgerUnreadable("验证公钥应为 名称+编号+base64", "a key reads name+id+base64") from error
    if "\n\n" not in note:
        raise LedgerUnreadable("这不是签过名的检查点", "this is no signed checkpoint")
    if key_id(name, raw).hex() != hash_hex:
        raise LedgerUnreadable(
            "验证公钥有误：编号与公钥不符", "the verification key is wrong: its id is not that of its bytes"
        )
    text, lines = note.split("\n\n", 1)
    if any(not line.startswith(_DASH) for line in lines.splitlines()):
        raise LedgerUnreadable(
            "签名之后还有别的内容；一个文件只放一个检查点", "there is more after the signatures; one checkpoint a file"
        )
    for line in lines.splitlines():
        if not line.startswith(f"{_DASH}{name} "):
            continue
        try:
            signature = base64.b64decode(line.rsplit(" ", 1)[1], validate=True)
        except ValueError as error:
            raise LedgerUnreadable("检查点的签名不是 base64", "the signature of the checkpoint is not base64") from error
        if signature[:4].hex() == hash_hex:
            try:
                Ed25519PublicKey.from_public_bytes(raw).verify(signature[4:], (text + "\n").encode())
            except InvalidSignature as error:
                raise LedgerError("检查点的签名不对", "the signature of the checkpoint is wrong") from error
            return Checkpoint.parse(note)
    raise LedgerError(f"检查点没有 {name} 的签名", f"the note has no signature by {name}")


class Signer:
    """Holds the key and the last signed checkpoint in a folder of its own; meant for another process and OS user."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder, self.origin = folder, origin
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key_file = folder / "key"
        if not key_file.exists():
            key = Ed25519PrivateKey.generate()
            _write(key_file, key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
        self.key = Ed25519PrivateKey.from_private_bytes(key_file.read_bytes())

    @property
    def vkey(self) -> str:
        return verifier_key(self.origin, self.key.public_key())

    @property
    def last_note(self) -> str:
        """The note signed last; empty where there is none."""
        file = self.folder / "last"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    @property
    def last(self) -> Checkpoint | None:
        note = self.last_note
        return verify_note(note, self.vkey) if note else None

    def sign(self, checkpoint: Checkpoint, proof: Sequence[bytes]) -> str:
        """Sign a checkpoint that extends the last one, shown by the consistency proof.

        Raises:
            LedgerError: another ledger, or it does not extend what was signed last.
        """
        import fcntl

        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two submitters must not both extend the same checkpoint
            last = self.last
            if checkpoint.origin != self.origin:
                raise LedgerError(f"不签署账本 {checkpoint.origin}", f"this key does not sign {checkpoint.origin}")
            if last is not None and last.size and not self._extends(last, checkpoint, proof):
                raise LedgerError(
                    f"拒签：{checkpoint.size} 条的账本不是在已签的 {last.size} 条之后延续的",
                    f"refused: the ledger of {checkpoint.size} entries does not extend the signed one of {last.size}",
                )
            note = sign_note(checkpoint.text, self.origin, self.key)
            _write(self.folder / "last", note.encode())
            return note

    @staticmethod
    def _extends(last: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> bool:
        return verify_consistency(last.size, new.size, last.root, new.root, proof)


def _write(path: Path, content: bytes) -> None:
    """Durable and whole, readable by the owner only."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def answer(signer: Signer, command: str, text: str) -> str:
    """Return what the process prints for a command: a signed note, the last one, the key.

    Raises:
        LedgerError: it refuses to sign.
        ValueError, KeyError: no request.
    """
    if command == "key":
        return signer.vkey + "\n"
    if command == "last":
        return signer.last_note
    request = json.loads(text)
    checkpoint = Checkpoint(signer.origin, int(request["size"]), bytes.fromhex(request["root"]))
    return signer.sign(checkpoint, [base64.b64decode(step) for step in request["proof"]])


def main(arguments: list[str] | None = None) -> int:
    """Sign one checkpoint, or print the last signed one or the verification key; or answer others by a socket, or ask one."""
    parser = argparse.ArgumentParser(prog="zhixin.trust.signing")
    parser.add_argument("--state", type=Path)
    parser.add_argument("--origin")
    parser.add_argument("--serve", type=Path, help="answer by this socket until the process is ended")
    parser.add_argument("--connect", type=Path, help="ask the process that serves this socket")
    parser.add_argument("command", nargs="?", choices=COMMANDS)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.connect is not None and chosen.command is not None:
            sys.stdout.write(signing_socket.ask(chosen.connect, chosen.command, _given(chosen.command)))
            return 0
        if chosen.state is None or chosen.origin is None or (chosen.serve is None) == (chosen.command is None):
            parser.error("give --state and --origin with a command or --serve, or --connect with a command")
        signer = Signer(chosen.state, chosen.origin)
        if chosen.serve is not None:
            signing_socket.serve(chosen.serve, lambda command, text: answer(signer, command, text))
        sys.stdout.write(answer(signer, chosen.command, _given(chosen.command)))
        return 0
    except (LedgerError, ValueError, KeyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return LedgerError.exit_status


def _given(command: str) -> str:
    return sys.stdin.read() if command == "sign" else ""


if __name__ == "__main__":
    sys.exit(main())
