"""Reads of the ledger: sizes, hashes, proofs, dumps."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import Max

from zhixin.trust import ledger
from zhixin_web.audit.models import LedgerEntry, LedgerTile, SealedBody, SignedCheckpoint

TILE = 256


def ledger_size() -> int:
    """Number of entries; the next sequence number."""
    last = LedgerEntry.objects.aggregate(last=Max("seq"))["last"]
    return 0 if last is None else last + 1


def leaf_hashes(first: int, last: int) -> list[bytes]:
    """Leaf hashes ``first … last−1`` as stored."""
    found = LedgerEntry.objects.filter(seq__gte=first, seq__lt=last).order_by("seq").values_list("leaf", flat=True)
    return [bytes(leaf) for leaf in found.iterator(chunk_size=10_000)]


def subtree(first: int, last: int) -> bytes:
    """The RFC 6962 hash over leaves ``first … last−1``, from tiles where they are whole."""
    if first % TILE == 0 and last - first >= TILE:
        tiles = last // TILE
        hashes = LedgerTile.objects.filter(number__gte=first // TILE, number__lt=tiles).order_by("number")
        level = [bytes(value) for value in hashes.values_list("hash", flat=True)]
        rest = last - tiles * TILE
        if rest:  # a part tile is the last child and is lifted as odd ones are
            level.append(ledger.root_of(leaf_hashes(tiles * TILE, last)))
        return ledger.root_of(level)
    return ledger.root_of(leaf_hashes(first, last))


def latest_checkpoint() -> SignedCheckpoint | None:
    return SignedCheckpoint.objects.order_by("-size").first()


def inclusion_proof(seq: int, size: int) -> list[bytes]:
    """The audit path of an entry in the ledger of ``size`` entries."""
    return ledger.inclusion_proof(seq, size, subtree)


def consistency_proof(old: int, new: int) -> list[bytes]:
    return ledger.consistency_proof(old, new, subtree)


def dump_lines() -> Iterator[str]:
    """The ledger as ``zhixin ledger verify`` reads it; bodies held by other tables are left out."""
    bodies = dict(SealedBody.objects.filter(erased_at=None).values_list("seq", "body"))
    salts = dict(SealedBody.objects.filter(erased_at=None).values_list("seq", "salt"))
    for seq, data in LedgerEntry.objects.order_by("seq").values_list("seq", "data").iterator(chunk_size=10_000):
        line = {"seq": seq, "entry": data}
        if seq in bodies:
            line |= {"body": bodies[seq], "salt": bytes(salts[seq]).hex()}
        yield json.dumps(line, ensure_ascii=False)
