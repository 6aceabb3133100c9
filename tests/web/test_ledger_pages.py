"""Checkpoints, proofs and dumps: what an outsider can check without the site."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from zhixin.errors import LedgerError
from zhixin.trust import ledger, signing
from zhixin.trust.verification import verify_dump
from zhixin_web.accounts.demonstration_people import PASSWORD
from zhixin_web.audit import queries
from zhixin_web.audit.models import LedgerEntry, SignedCheckpoint
from zhixin_web.audit.services import ledger as services
from zhixin_web.audit.services.checkpoints import ask_signer, make_checkpoint, verifier_key


def test_a_checkpoint_is_signed_by_another_process_and_verifies(subjects: Any) -> None:
    made = make_checkpoint()
    assert made is not None
    signed = signing.verify_note(made.note, verifier_key())
    assert (signed.size, signed.root) == (queries.ledger_size(), queries.subtree(0, signed.size))
    assert make_checkpoint() is None, "nothing was added"


def test_the_signer_refuses_a_ledger_that_lost_entries(subjects: Any) -> None:
    make_checkpoint()
    shorter = ledger.Checkpoint("zhixin.example/ledger", 3, queries.subtree(0, 3))
    with pytest.raises(LedgerError, match="refuse"):
        ask_signer(shorter, [])


def test_bytes_bent_in_storage_are_not_signed(subjects: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_ledgerentry_update")
        cursor.execute("UPDATE audit_ledgerentry SET data = 'bent' WHERE seq = 5")
    with pytest.raises(LedgerError, match="entry 5"):
        make_checkpoint()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 700])
def test_tiles_give_the_roots_and_proofs_of_the_plain_tree(people: Any, size: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        services.append([services.seal("test", f"T{number}", {"n": number}) for number in range(size)])
    leaves = queries.leaf_hashes(0, queries.ledger_size())
    total = len(leaves)
    assert queries.subtree(0, total) == ledger.root_of(leaves)
    for index in {0, total // 2, total - 1}:
        assert queries.inclusion_proof(index, total) == ledger.inclusion_proof(index, total, ledger.hashes_of(leaves))
    for old in {1, total // 3 + 1, total}:
        assert queries.consistency_proof(old, total) == ledger.consistency_proof(old, total, ledger.hashes_of(leaves))


def test_an_outsider_checks_an_entry_with_the_public_addresses(subjects: Any) -> None:
    make_checkpoint()
    browser = Browser()
    signed = signing.verify_note(browser.get("/ledger/checkpoint").content.decode(), verifier_key())
    item = browser.get("/ledger/entries?start=7&count=1").json()["entries"][0]
    steps = [
        bytes.fromhex(step) for step in browser.get(f"/ledger/proof/inclusion?seq=7&size={signed.size}").json()["proof"]
    ]
    assert ledger.verify_inclusion(7, signed.size, ledger.leaf_hash(item["entry"].encode()), steps, signed.root)
    assert "subject" not in item["entry"] or "MA0" not in item["entry"]


@pytest.mark.parametrize("query", ["seq=999999&size=5", "seq=-1", "seq=abc", "size=99999999999999999999", "seq=5&size=5"])
def test_a_proof_that_cannot_be_is_refused_and_never_an_error(subjects: Any, query: str) -> None:
    assert Browser().get(f"/ledger/proof/inclusion?{query}").status_code in (404, 422)


def test_the_dump_verifies_and_a_bent_one_does_not(subjects: Any, people: Any) -> None:
    make_checkpoint()
    browser = Browser()
    browser.post("/c/sign-in", {"username": "auditor", "password": PASSWORD})
    lines = b"".join(browser.post("/c/ledger/dump").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    notes = Browser().get("/ledger/checkpoints").json()["checkpoints"]
    verdict = verify_dump(lines, notes, verifier_key())
    assert (verdict.entries, verdict.checkpoints) == (LedgerEntry.objects.count() - 0, SignedCheckpoint.objects.count())
    bent = [*lines[:4], json.dumps(json.loads(lines[4]) | {"entry": lines[5]}), *lines[5:]]
    with pytest.raises(LedgerError):
        verify_dump(bent, notes, verifier_key())


def test_the_ledger_holds_nobody_by_name_or_code(subjects: Any) -> None:
    text = "\n".join(LedgerEntry.objects.values_list("data", flat=True))
    assert not any(item.code in text or item.name in text for item in subjects)
