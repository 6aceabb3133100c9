"""Writes the ledger in the caller's transaction: entries, their sealed bodies, tree tiles, erasure of bodies."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from zhixin.trust import ledger
from zhixin_web.audit.evidence_key import entry_mac
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.queries import TILE, leaf_hashes, ledger_size

LEDGER_LOCK = 0x5A48_4958


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
        rows.append((seq, item.kind, item.ref, line, leaf, entry_mac(seq, line)))
        if keep_bodies:
            bodies.append((seq, item.body, item.salt, None))
    insert_rows("audit_ledgerentry", ("seq", "kind", "ref", "data", "leaf", "mac"), rows)
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
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", list(rows))
