"""CLEDGER/1: an append-only ledger that anyone can check (standard library and ``cryptography`` only).

An entry is one line of canonical JSON ``{"commit","kind","ref","time","v"}``. ``commit`` is HMAC-SHA256 of the body
under a random salt, so the body never enters the ledger and may be erased later. Entries are the leaves of an RFC 6962
Merkle tree; a checkpoint (C2SP tlog-checkpoint) is a signed note over its size and root. It is signed by
:class:`zhixin.trust.signing.Signer`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhixin.errors import LedgerError, LedgerUnreadable

EMPTY_ROOT = hashlib.sha256(b"").digest()
SALT_BYTES = 32
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_quoted = json.JSONEncoder(ensure_ascii=False).encode


# --- entries -----------------------------------------------------------------------------------------------------


def canonical(body: Any) -> str:
    """RFC 8785 JSON of a body made of objects with ASCII keys, arrays, text, integers, booleans and null.

    Raises:
        LedgerError: a float (its canonical form is a trap), another type, or a key that is not ASCII text.
    """
    _check_canonical(body)
    return _ENCODER.encode(body)


def _check_canonical(value: Any) -> None:
    kind = type(value)
    if kind is str or value is None or kind is bool or (kind is int and abs(value) < 2**53):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check_canonical(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise LedgerError(
                    f"账本内容的键「{key}」应为英文字符", f"the key {key!r} of a ledger body is not ASCII text"
                )
            _check_canonical(item)
    else:
        raise LedgerError(f"账本内容不能含 {value!r}", f"a ledger body cannot hold {value!r}")


def commitment(body: str, salt: bytes) -> str:
    """The salted commitment to a canonical body, hexadecimal."""
    return hmac.digest(salt, body.encode(), "sha256").hex()


def entry(kind: str, ref: str, commit: str, time: str) -> str:
    """The canonical line of an entry. ``time`` is RFC 3339 in UTC, e.g. ``2026-11-24T00:00:00Z``."""
    return f'{{"commit":{_quoted(commit)},"kind":{_quoted(kind)},"ref":{_quoted(ref)},"time":{_quoted(time)},"v":1}}'


def opens(line: str, body: str, salt: bytes) -> bool:
    """Whether body and salt are those an entry commits to."""
    found = json.loads(line).get("commit")
    return isinstance(found, str) and hmac.compare_digest(found, commitment(body, salt))


# --- the tree (RFC 6962 §2.1) ------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two below ``size`` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


RangeHash = Callable[[int, int], bytes]
"""Gives the hash of the subtree over leaves ``first … last−1``."""
NodeHash = Callable[[bytes, bytes], bytes]
"""Gives the hash of a node from those of its two children."""


def root_of(leaves: Sequence[bytes], node: NodeHash = node_hash) -> bytes:
    """The root over leaf hashes; that of no leaf is SHA-256 of nothing."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:  # pairing from the left and lifting the odd one is the same tree
        paired = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def hashes_of(leaves: Sequence[bytes], node: NodeHash = node_hash) -> RangeHash:
    return lambda first, last: root_of(leaves[first:last], node)


def inclusion_proof(index: int, size: int, subtree: RangeHash) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves.

    Raises:
        LedgerError: the leaf is not in the tree.
    """
    if not 0 <= index < size:
        raise LedgerError(f"账本前 {size} 条中没有第 {index} 条", f"there is no entry {index} among the first {size}")
    first, last, path = 0, size, []
    while last - first > 1:
        middle = first + split_point(last - first)
        if index < middle:
            path.append(subtree(middle, last))
            last = middle
        else:
            path.append(subtree(first, middle))
            first = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: RangeHash) -> list[bytes]:
    """Proof that the tree of ``new`` leaves extends that of ``old`` (RFC 6962 §2.1.2).

    Raises:
        LedgerError: not 0 < old ≤ new.
    """
    if not 0 < old <= new:
        raise LedgerError(f"不能证明从 {old} 条到 {new} 条的一致性", f"no consistency proof from {old} to {new} entries")
    first, last, is_whole, path = 0, new, True, []
    while old != last - first:
        middle = split_point(last - first)
        if old <= middle:
            path.append(subtree(first + middle, last))
            last = first + middle
        else:
            path.append(subtree(first, first + middle))
            first += middle
            old -= middle
            is_whole = False
    if not is_whole:
        path.append(subtree(first, last))
    return path[::-1]


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes, node: NodeHash = node_hash
) -> bool:
    """RFC 9162 §2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(step, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node(found, step)
        place >>= 1
        last >>= 1
    return last == 0 and hmac.compare_digest(found, root)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 §2.1.4.2. The empty tree proves nothing, so ``old`` must be at least 1."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and hmac.compare_digest(old_root, new_root)
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            now = node_hash(now, step)
        place >>= 1
        last >>= 1
    return last == 0 and hmac.compare_digest(was, old_root) and hmac.compare_digest(now, new_root)


# --- checkpoints (C2SP tlog-checkpoint over signed notes) -----------------------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    """What is signed: the ledger's name, its size and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: str) -> Checkpoint:
        """The checkpoint inside a note, signed or not.

        Raises:
            LedgerUnreadable: not a checkpoint.
        """
        lines = note.split("\n\n", 1)[0].split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
            if not origin or not size.isdigit() or str(int(size)) != size or len(root) != 32:
                raise ValueError("size or root")
        except (ValueError, IndexError) as error:
            raise LedgerUnreadable(f"不是检查点：{error}", f"not a checkpoint: {error}") from error
        return cls(origin, int(size), root)
