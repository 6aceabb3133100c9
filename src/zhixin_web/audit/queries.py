"""Reads of the ledger: sizes, hashes, proofs, dumps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import CharField, Count, Max, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from zhixin.errors import LedgerError
from zhixin.trust import ledger
from zhixin_web.audit.bound import bound_models, described, head_root, mac_of
from zhixin_web.audit.models import Event, EventAbout, LedgerEntry, LedgerTile, RowCommitment, SealedBody, SignedCheckpoint

TILE = 256


def named(prefix: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the refs by which the audit log names rows, as ``record:17``, for use within a query."""
    found: QuerySet[Any] = (
        rows.order_by().annotate(named=Concat(Value(f"{prefix}:"), Cast("pk", CharField()))).values("named")
    )
    return found


def events_on(code: str, refs: Iterable[QuerySet[Any]], actions: Iterable[str], since: datetime) -> QuerySet[Event]:
    """Return what was done or read of an enterprise and its rows since a moment, with the unit that did, the newest first.

    Args:
        code: of the enterprise.
        refs: queries of :func:`named`.
        actions: of the audit log.
        since: a moment.
    """
    about = Q(ref=code) | Q(pk__in=EventAbout.objects.filter(ref=code).values("event"))
    for rows in refs:
        about |= Q(ref__in=rows)
    found = Event.objects.filter(about, action__in=list(actions), outcome="done", at__gte=since)
    return found.select_related("by__organisation").order_by("-at", "-pk")


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


# --- governed rows -----------------------------------------------------------------------------------------------------


def row_heads() -> dict[int, bytes]:
    """The root of every head, computed from the stored codes."""
    rows = RowCommitment.objects.exclude(head=None).order_by("head", "pk").values_list("head", "mac")
    roots, before = {}, b""
    for number, covered in groupby(rows.iterator(chunk_size=10_000), key=lambda row: row[0]):
        before = roots[number] = head_root(before, (bytes(mac) for _, mac in covered))
    return roots


def committed_head_root(number: int) -> bytes:
    """The root of a head as its ledger entry says it.

    Raises:
        LedgerError: the entry has no body.
    """
    seq = LedgerEntry.objects.filter(kind="rows.head", ref=f"rows:{number}").values_list("seq", flat=True).first()
    body = SealedBody.objects.filter(seq=seq).values_list("body", flat=True).first() if seq is not None else None
    if not body:
        raise LedgerError(f"账本中没有第 {number} 个行承诺", f"the ledger has no head {number} of rows")
    return bytes.fromhex(json.loads(body)["root"])


def row_deviations() -> tuple[int, list[str]]:
    """How many governed rows were compared, and what deviates from what the application last wrote.

    A deviation names table, row and column, what was expected and what was found.
    """
    newest: dict[str, dict[str, str]] = {}
    broken = []
    seen: set[bytes] = set()
    rows = RowCommitment.objects.order_by("pk").values_list("pk", "table", "row", "columns", "mac", "at")
    for pk, table, row, columns, mac, at in rows.iterator(chunk_size=10_000):
        if mac_of(table, row, columns, at) != bytes(mac):
            broken.append(f"audit_rowcommitment {pk}: the code of {table} {row} is not ours")
        if bytes(mac) in seen:
            broken.append(f"audit_rowcommitment {pk}: an earlier state of {table} {row} is put forward again")
        seen.add(bytes(mac))
        newest.setdefault(table, {})[row] = columns
    broken += _heads_differ()
    checked = 0
    for model in bound_models():
        table = model._meta.db_table
        expected, found = newest.pop(table, {}), described(model)
        checked += len(found)
        broken += [f"{table} {row}: expected no such row, found one" for row in sorted(set(found) - set(expected))]
        for row, columns in expected.items():
            broken += _row_differs(f"{table} {row}", json.loads(columns) if columns else None, found.get(row))
    return checked, broken


def _row_differs(name: str, expected: dict[str, object] | None, found: dict[str, object] | None) -> list[str]:
    if expected is None or found is None:
        if expected is None and found is None:
            return []
        return [f"{name}: expected {'no row' if expected is None else 'a row'}, found {'none' if found is None else 'one'}"]
    return [
        f"{name}.{column}: expected {expected.get(column)!r}, found {found.get(column)!r}"
        for column in sorted({*expected, *found})
        if expected.get(column) != found.get(column)
    ]


def _heads_differ() -> list[str]:
    """Heads in the ledger whose rows are not those they cover, and rows under a head that the ledger lacks."""
    entries = LedgerEntry.objects.filter(kind="rows.head").values_list("seq", "ref")
    bodies = dict(SealedBody.objects.filter(seq__in=[seq for seq, _ in entries]).values_list("seq", "body"))
    committed = {json.loads(bodies[seq])["head"]: json.loads(bodies[seq]) for seq, _ in entries if bodies.get(seq)}
    roots = row_heads()
    counts = dict(
        RowCommitment.objects.exclude(head=None).values_list("head").annotate(n=Count("pk")).values_list("head", "n")
    )
    broken = [
        f"rows.head {number}: expected {body['rows']} commitments with root {body['root'][:16]}…, found {counts.get(number, 0)}"
        for number, body in committed.items()
        if roots.get(number, b"").hex() != body["root"] or counts.get(number) != body["rows"]
    ]
    return broken + [f"rows.head {number}: the ledger has no such head" for number in sorted(set(roots) - set(committed))]


def entered_at(seq: int) -> datetime:
    """Return when an entry was written, as the ledger says.

    Raises:
        LedgerEntry.DoesNotExist: there is none of this number.
    """
    return datetime.fromisoformat(json.loads(LedgerEntry.objects.values_list("data", flat=True).get(seq=seq))["time"])
