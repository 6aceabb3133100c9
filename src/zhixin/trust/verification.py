"""Checks a dump of the ledger as an outsider does, and says what was checked and what was not.

"Not checked" is never "good": a ledger without a checkpoint, or entries after the last one, are vouched for by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zhixin.errors import LedgerError, LedgerUnreadable
from zhixin.trust.ledger import leaf_hash, opens, root_of
from zhixin.trust.signing import verify_note

ENTRY_KEYS = ["commit", "kind", "ref", "time", "v"]


@dataclass(frozen=True)
class Verdict:
    """What a check of a dump found.

    ``opened`` entries were compared with their contents; of ``unopened`` ones the dump holds the commitment alone (their
    contents were erased or left out). ``covered`` entries are under a signed checkpoint.
    """

    entries: int
    root: bytes
    checkpoints: int
    covered: int
    opened: int

    @property
    def unopened(self) -> int:
        return self.entries - self.opened

    @property
    def beyond(self) -> int:
        """Entries after the last checkpoint."""
        return self.entries - self.covered

    @property
    def is_whole(self) -> bool:
        """Whether every entry is under a checkpoint."""
        return self.checkpoints > 0 and self.beyond == 0


def verify_dump(lines: Iterable[str], checkpoints: Iterable[str], vkey: str) -> Verdict:
    """Check a dump: one JSON object a line, ``{"seq", "entry"}`` and, where it can be opened, ``"body"`` and ``"salt"``.

    Raises:
        LedgerUnreadable: a line is cut or malformed, a key stands twice, or a checkpoint is not one.
        LedgerError: names the first entry that is missing, out of order or altered, or the checkpoint that does not hold.
    """
    leaves: list[bytes] = []
    opened = 0
    for line in lines:
        item = _item(line, len(leaves))
        if item["seq"] != len(leaves):
            raise LedgerError(
                f"第 {len(leaves)} 条缺失，出现的是第 {item['seq']} 条",
                f"entry {len(leaves)} is missing: found {item['seq']}",
            )
        opened += _is_opened(item)
        leaves.append(leaf_hash(item["entry"].encode()))
    sizes = [_size_that_holds(note, vkey, leaves) for note in checkpoints]
    return Verdict(len(leaves), root_of(leaves), len(sizes), max(sizes, default=0), opened)


def _item(line: str, number: int) -> dict[str, Any]:
    """Read one line of a dump."""
    try:
        item = json.loads(line, object_pairs_hook=_unambiguous)
        content = json.loads(item["entry"], object_pairs_hook=_unambiguous)
        if sorted(content) != ENTRY_KEYS or type(item["seq"]) is not int:
            raise ValueError("not an entry")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LedgerUnreadable(
            f"第 {number} 条不可读（被截断或格式不对）：{error}",
            f"entry {number} cannot be read (cut or malformed): {error}",
        ) from error
    assert isinstance(item, dict)
    return item


def _unambiguous(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object with a duplicate key: two parsers could read two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _is_opened(item: dict[str, Any]) -> bool:
    """Compare the contents of an entry with its commitment; false where the dump holds neither contents nor salt."""
    seq, body, salt = item["seq"], item.get("body"), item.get("salt")
    if body is None and salt is None:
        return False
    if not isinstance(body, str) or not isinstance(salt, str) or not salt:
        raise LedgerError(
            f"第 {seq} 条有内容却没有盐值（或相反），无法核对",
            f"entry {seq} has contents without their salt, or a salt without contents: it cannot be compared",
        )
    try:
        raw = bytes.fromhex(salt)
    except ValueError as error:
        raise LedgerUnreadable(f"第 {seq} 条的盐值不是十六进制", f"the salt of entry {seq} is not hexadecimal") from error
    if not opens(item["entry"], body, raw):
        raise LedgerError(f"第 {seq} 条的内容被改过", f"the body of entry {seq} was altered")
    return True


def _size_that_holds(note: str, vkey: str, leaves: Sequence[bytes]) -> int:
    """Return how many entries a checkpoint vouches for."""
    signed = verify_note(note, vkey)
    if signed.size > len(leaves) or root_of(leaves[: signed.size]) != signed.root:
        raise LedgerError(
            f"账本与 {signed.size} 条的检查点不符：此前有条目被改、删或调换",
            f"the ledger disagrees with the checkpoint at {signed.size}: an entry before it was changed or removed",
        )
    return signed.size
