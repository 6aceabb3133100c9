"""Signed checkpoints of the ledger: asked of the signing process, checked before they are kept."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from zhixin.errors import LedgerError
from zhixin.trust import ledger
from zhixin.trust.signing import verify_note
from zhixin_web.audit.bound import head_root
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.models import LedgerEntry, RowCommitment, SignedCheckpoint
from zhixin_web.audit.queries import committed_head_root, ledger_size, subtree
from zhixin_web.audit.services.ledger import append_one, lock_ledger


def make_checkpoint() -> SignedCheckpoint | None:
    """Have the ledger as it stands signed; ``None`` if nothing was added since the last checkpoint.

    The new entries are read again from storage and hashed from their bytes before anything is signed.

    Raises:
        LedgerError: stored bytes do not fit their hashes, or the signer refuses.
    """
    cover_rows()
    try:
        return _signed()
    except LedgerError:
        if not _keep_last_signed():
            raise
    return _signed()


def _signed() -> SignedCheckpoint | None:
    last = SignedCheckpoint.objects.order_by("-size").first()
    size = ledger_size()
    if size == 0 or (last is not None and last.size == size):
        return None
    _reread(last.size if last else 0, size)
    proof = ledger.consistency_proof(last.size, size, subtree) if last else []
    note = ask_signer(ledger.Checkpoint(settings.LEDGER_ORIGIN, size, subtree(0, size)), proof)
    failpoint("checkpoint.signed")
    return _kept(size, note)


def _kept(size: int, note: str) -> SignedCheckpoint:
    with transaction.atomic():
        lock_ledger()
        return SignedCheckpoint.objects.filter(size=size).first() or SignedCheckpoint.objects.create(size=size, note=note)


def _keep_last_signed() -> bool:
    """Keep what the signer signed last, where a crash or another process came between; whether that was missing here.

    A checkpoint that is not one of this ledger is not kept: the signer has reason to refuse.
    """
    try:
        done = subprocess.run([*signer_command(), "last"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    if done.returncode or not done.stdout:
        return False
    signed = verify_note(done.stdout, published_key())
    newest = SignedCheckpoint.objects.order_by("-size").first()
    if signed.size > ledger_size() or subtree(0, signed.size) != signed.root:
        return False
    if newest is not None and signed.size < newest.size:
        return False
    _kept(signed.size, done.stdout)
    return True


def cover_rows() -> int | None:
    """Put the commitments of governed rows made since the last head into the ledger; the number of the new head.

    A commitment written by a transaction that is still open is covered by the next head.
    """
    with transaction.atomic():
        lock_ledger()
        before = RowCommitment.objects.aggregate(last=Max("head"))["last"]
        number = 0 if before is None else before + 1
        count = RowCommitment.objects.filter(head=None).update(head=number)
        if not count:
            return None
        covered = RowCommitment.objects.filter(head=number).order_by("pk").values_list("mac", flat=True)
        root = head_root(b"" if before is None else committed_head_root(before), (bytes(mac) for mac in covered.iterator()))
        append_one("rows.head", f"rows:{number}", {"head": number, "rows": count, "root": root.hex()})
    return number


def _reread(first: int, last: int) -> None:
    for seq, data, leaf in (
        LedgerEntry.objects.filter(seq__gte=first, seq__lt=last)
        .order_by("seq")
        .values_list("seq", "data", "leaf")
        .iterator()
    ):
        if hashlib.sha256(b"\x00" + data.encode()).digest() != bytes(leaf):
            raise LedgerError(
                f"账本第 {seq} 条的存储内容与散列不符，停止签署", f"entry {seq} does not fit its hash: not signing"
            )


def signer_command() -> list[str]:
    """How the signing process is started: from settings, by default this Python with its own folder."""
    if settings.SIGNER_COMMAND:
        return shlex.split(settings.SIGNER_COMMAND)
    folder = str(settings.VAR / "signer")
    return [sys.executable, "-m", "zhixin.trust.signing", "--state", folder, "--origin", settings.LEDGER_ORIGIN]


def ask_signer(checkpoint: ledger.Checkpoint, proof: Sequence[bytes]) -> str:
    """The signed note, from the signing process.

    Raises:
        LedgerError: the signer refuses or does not answer.
    """
    request = {
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "proof": [base64.b64encode(step).decode() for step in proof],
    }
    try:
        done = subprocess.run(
            [*signer_command(), "sign"], input=json.dumps(request), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LedgerError(f"签署程序没有应答：{error}", f"the signer does not answer: {error}") from error
    if done.returncode:
        raise LedgerError(f"签署程序拒绝：{done.stderr.strip()}", f"the signer refuses: {done.stderr.strip()}")
    return done.stdout


_KEYS: dict[str, str] = {}
"""Public keys by the command that gives them."""


def published_key() -> str:
    """The public key for a page: asked from the signing process once; empty while it does not answer."""
    command = shlex.join(signer_command())
    if command not in _KEYS:
        try:
            _KEYS[command] = verifier_key()
        except (OSError, ValueError, subprocess.SubprocessError):
            return ""
    return _KEYS[command]


def verifier_key() -> str:
    """The public key, asked from the signing process."""
    done = subprocess.run([*signer_command(), "key"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()
