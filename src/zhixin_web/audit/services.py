"""Writes of the audit layer: events, ledger entries in the caller's transaction, checkpoints, erasure."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from zhixin.errors import LedgerError
from zhixin.trust import ledger
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.models import Event, LedgerEntry, SealedBody, SignedCheckpoint
from zhixin_web.audit.queries import TILE, leaf_hashes, ledger_size, subtree

LEDGER_LOCK = 0x5A48_4958
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def record_event(
    action: str,
    *,
    by: Any = None,
    ref: str = "",
    request: HttpRequest | None = None,
    outcome: str = "done",
    **detail: Any,
) -> Event:
    """Note who did or read what. ``by`` defaults to the request's user."""
    user = by if by is not None else getattr(request, "user", None)
    known = user if getattr(user, "is_authenticated", False) else None
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    return Event.objects.create(
        action=action, by=known, ref=ref[:200], outcome=outcome, address=address or None, detail=detail
    )


def tracking_code() -> str:
    """A code to follow a report by, without letters that look like digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


@dataclass(frozen=True)
class Sealed:
    """What goes into the ledger: kind, reference, canonical body, its salt."""

    kind: str
    ref: str
    body: str
    salt: bytes


def seal(kind: str, ref: str, body: Any) -> Sealed:
    """A body (or its canonical text) under a fresh random salt."""
    text = body if isinstance(body, str) else ledger.canonical(body)
    return Sealed(kind, ref, text, secrets.token_bytes(ledger.SALT_BYTES))


def lock_ledger() -> int:
    """Take the ledger for this transaction and give the next sequence number."""
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger is written in the transaction of what it records")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEDGER_LOCK])
    return ledger_size()


def append(items: Sequence[Sealed], *, keep_bodies: bool = True) -> list[int]:
    """Append entries in the caller's transaction and give their sequence numbers.

    Args:
        items: in the order they are to have.
        keep_bodies: store body and salt here; credit records keep theirs themselves.
    """
    first = lock_ledger()
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows, bodies, leaves = [], [], []
    for seq, item in enumerate(items, first):
        line = ledger.entry(item.kind, item.ref, ledger.commitment(item.body, item.salt), now)
        leaf = ledger.leaf_hash(line.encode())
        leaves.append(leaf)
        rows.append((seq, item.kind, item.ref, line, leaf))
        if keep_bodies:
            bodies.append((seq, item.body, item.salt, None))
    insert_rows("audit_ledgerentry", ("seq", "kind", "ref", "data", "leaf"), rows)
    if bodies:
        insert_rows("audit_sealedbody", ("seq", "body", "salt", "erased_at"), bodies)
    _complete_tiles(first, leaves)
    failpoint("ledger.appended")
    return list(range(first, first + len(rows)))


def append_one(kind: str, ref: str, body: Any) -> int:
    """One entry with its body kept here."""
    return append([seal(kind, ref, body)])[0]


def _complete_tiles(first: int, new: Sequence[bytes]) -> None:
    """Store the hash of every run of 256 leaves that became whole."""
    done = first // TILE
    whole = (first + len(new)) // TILE
    if whole == done:
        return
    start = done * TILE
    leaves = leaf_hashes(start, first) + list(new)
    tiles = [(done + n, ledger.root_of(leaves[n * TILE : (n + 1) * TILE])) for n in range(whole - done)]
    insert_rows("audit_ledgertile", ("number", "hash"), tiles)


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows in the caller's transaction: COPY on PostgreSQL, executemany on SQLite."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))


def erase_body(seq: int, basis: str, by: Any) -> None:
    """Erase the body and salt behind an entry; the entry stays and the ledger stays valid."""
    with transaction.atomic():
        body = SealedBody.objects.select_for_update().get(seq=seq)
        if body.erased_at is None:
            SealedBody.objects.filter(seq=seq).update(body="", salt=b"", erased_at=timezone.now())
            record_event("ledger.erase", by=by, ref=str(seq), basis=basis)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def make_checkpoint() -> SignedCheckpoint | None:
    """Have the ledger as it stands signed; ``None`` if nothing was added since the last checkpoint.

    The new entries are read again from storage and hashed from their bytes before anything is signed.

    Raises:
        LedgerError: stored bytes do not fit their hashes, or the signer refuses.
    """
    last = SignedCheckpoint.objects.order_by("-size").first()
    size = ledger_size()
    if size == 0 or (last is not None and last.size == size):
        return None
    _reread(last.size if last else 0, size)
    proof = ledger.consistency_proof(last.size, size, subtree) if last else []
    note = ask_signer(ledger.Checkpoint(settings.LEDGER_ORIGIN, size, subtree(0, size)), proof)
    return SignedCheckpoint.objects.create(size=size, note=note)


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
    done = subprocess.run(
        [*signer_command(), "sign"], input=json.dumps(request), capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise LedgerError(f"签署程序拒绝：{done.stderr.strip()}", f"the signer refuses: {done.stderr.strip()}")
    return done.stdout


_KEYS: dict[str, str] = {}


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
