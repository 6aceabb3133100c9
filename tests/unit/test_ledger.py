"""CLEDGER/1 against its vectors, RFC 6962's, and two foreign implementations (pymerkle, rfc8785)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pymerkle
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from zhixin.errors import LedgerError
from zhixin.trust import ledger, signing
from zhixin.trust.ledger import Checkpoint
from zhixin.trust.signing import Signer
from zhixin.trust.verification import verify_dump

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "ledger_vector_1.json").read_text(encoding="utf-8"))
LEAVES = [ledger.leaf_hash(line.encode()) for line in VECTOR["entries"]]
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = ["6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad", "ddb89be4", "5dc9da79"]


def test_hashes_of_rfc_6962() -> None:
    assert ledger.EMPTY_ROOT.hex().startswith("e3b0c442")
    assert ledger.leaf_hash(b"L123456").hex().startswith("395aa064")
    assert ledger.node_hash(b"N123", b"N456").hex().startswith("aa217fe8")


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_certificate_transparency(size: int) -> None:
    leaves = [ledger.leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert ledger.root_of(leaves).hex().startswith(ROOTS[size - 1])


def test_vector_leaves_and_roots() -> None:
    assert [leaf.hex() for leaf in LEAVES] == VECTOR["leaf_hashes"]
    assert {str(size): ledger.root_of(LEAVES[:size]).hex() for size in range(6)} == VECTOR["roots"]


def test_vector_entries_are_written_byte_for_byte() -> None:
    for line in VECTOR["entries"]:
        item = json.loads(line)
        assert ledger.entry(item["kind"], item["ref"], item["commit"], item["time"]) == line


def test_vector_checkpoints_verify_and_cover_the_entries() -> None:
    for note in VECTOR["checkpoints"]:
        signed = signing.verify_note(note, VECTOR["vkey"])
        assert signed.root.hex() == VECTOR["roots"][str(signed.size)]


def test_vector_proofs() -> None:
    proof = ledger.consistency_proof(3, 5, ledger.hashes_of(LEAVES))
    assert [item.hex() for item in proof] == VECTOR["consistency_3_5"]
    path = ledger.inclusion_proof(3, 5, ledger.hashes_of(LEAVES))
    paths = {place: [i.hex() for i in ledger.inclusion_proof(place, 5, ledger.hashes_of(LEAVES))] for place in range(5)}
    assert VECTOR["inclusion_3_of_5"] in paths.values()
    assert ledger.verify_inclusion(3, 5, LEAVES[3], path, ledger.root_of(LEAVES))


@pytest.mark.parametrize("size", range(1, 65))
def test_every_proof_up_to_64_verifies_and_no_other_place_does(size: int) -> None:
    leaves = [ledger.leaf_hash(bytes([number])) for number in range(size)]
    root, subtree = ledger.root_of(leaves), ledger.hashes_of(leaves)
    for index in range(size):
        path = ledger.inclusion_proof(index, size, subtree)
        assert ledger.verify_inclusion(index, size, leaves[index], path, root)
        assert not ledger.verify_inclusion((index + 1) % size, size, leaves[index], path, root) or size == 1
        assert not ledger.verify_inclusion(index, size, leaves[index], [*path, root], root)
    for old in range(1, size + 1):
        proof = ledger.consistency_proof(old, size, subtree)
        assert ledger.verify_consistency(old, size, ledger.root_of(leaves[:old]), root, proof)
        assert not ledger.verify_consistency(old, size, ledger.leaf_hash(b"x"), root, proof)
        if proof:
            assert not ledger.verify_consistency(old, size, ledger.root_of(leaves[:old]), root, proof[:-1])


def test_nothing_is_consistent_with_the_empty_tree() -> None:
    assert not ledger.verify_consistency(0, 3, ledger.EMPTY_ROOT, ledger.root_of(LEAVES[:3]), [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 100])
def test_pymerkle_agrees(size: int) -> None:
    tree = pymerkle.InmemoryTree()
    for number in range(size):
        tree.append_entry(str(number).encode())
    ours = ledger.root_of([ledger.leaf_hash(str(number).encode()) for number in range(size)])
    assert tree.get_root() == ours if hasattr(tree, "get_root") else tree.get_state() == ours


keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"]))
)
bodies = st.recursive(scalars, lambda part: st.lists(part, max_size=4) | st.dictionaries(keys, part, max_size=4))


@given(bodies)
def test_canonical_json_equals_rfc_8785(body: object) -> None:
    assert ledger.canonical(body).encode() == rfc8785.dumps(body)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [1.5, {"a": 0.1}, {"键": 1}, {1: 2}, 2**53, {"a": b"x"}])
def test_a_body_that_has_no_safe_canonical_form_is_refused(body: object) -> None:
    with pytest.raises(LedgerError):
        ledger.canonical(body)


def test_body_and_salt_open_the_commitment_and_no_other() -> None:
    body, salt = ledger.canonical({"grade": "D"}), b"\x01" * 32
    line = ledger.entry("grade.publish", "G-1", ledger.commitment(body, salt), "2026-11-24T00:00:00Z")
    assert ledger.opens(line, body, salt)
    assert not ledger.opens(line, body.replace("D", "A"), salt)
    assert not ledger.opens(line, body, b"\x02" * 32)


def _signed(signer: Signer, leaves: list[bytes]) -> str:
    last = signer.last
    proof = (
        ledger.consistency_proof(last.size, len(leaves), ledger.hashes_of(leaves))
        if last and last.size <= len(leaves)
        else []
    )
    return signer.sign(Checkpoint(signer.origin, len(leaves), ledger.root_of(leaves)), proof)


def test_the_signer_signs_what_extends(tmp_path: Path) -> None:
    signer = Signer(tmp_path, "city/ledger")
    for size in (1, 3, 3, 5):
        assert signing.verify_note(_signed(signer, LEAVES[:size]), signer.vkey).size == size
    assert Signer(tmp_path, "city/ledger").last == Checkpoint("city/ledger", 5, ledger.root_of(LEAVES))


def test_the_signer_refuses_a_ledger_put_back_to_yesterday(tmp_path: Path) -> None:
    signer = Signer(tmp_path, "city/ledger")
    _signed(signer, LEAVES)
    with pytest.raises(LedgerError, match="refused"):
        _signed(signer, LEAVES[:3])


def test_the_signer_refuses_a_changed_past_and_another_ledger(tmp_path: Path) -> None:
    signer = Signer(tmp_path, "city/ledger")
    _signed(signer, LEAVES[:3])
    forged = [ledger.leaf_hash(b"forged"), *LEAVES[1:]]
    with pytest.raises(LedgerError, match="refused"):
        _signed(signer, forged)
    with pytest.raises(LedgerError):
        signer.sign(Checkpoint("other/ledger", 5, ledger.root_of(LEAVES)), [])


def test_lines_of_other_signers_are_passed_over() -> None:
    note = VECTOR["checkpoints"][1]
    others = "".join(f"— witness{number} {base64.b64encode(bytes(68)).decode()}\n" for number in range(16))
    assert signing.verify_note(note + others, VECTOR["vkey"]).size == 5


def test_a_note_with_one_changed_character_is_refused() -> None:
    note = VECTOR["checkpoints"][1]
    for place, char in enumerate(note.split("\n\n")[0]):
        changed = note[:place] + ("0" if char != "0" else "1") + note[place + 1 :]
        with pytest.raises(LedgerError):
            signing.verify_note(changed, VECTOR["vkey"])


def _dump(count: int = 100) -> tuple[list[str], str, str]:
    key = Ed25519PrivateKey.generate()
    lines, leaves = [], []
    for number in range(count):
        body, salt = ledger.canonical({"n": number}), number.to_bytes(32, "big")
        line = ledger.entry("record.add", f"R-{number}", ledger.commitment(body, salt), "2026-11-24T00:00:00Z")
        leaves.append(ledger.leaf_hash(line.encode()))
        lines.append(json.dumps({"seq": number, "entry": line, "body": body, "salt": salt.hex()}))
    note = signing.sign_note(Checkpoint("city", count, ledger.root_of(leaves)).text, "city", key)
    return lines, note, signing.verifier_key("city", key.public_key())


def test_a_good_dump_verifies_and_stays_valid_when_bodies_are_erased() -> None:
    lines, note, vkey = _dump()
    assert verify_dump(lines, [note], vkey).opened == 100
    erased = [json.dumps({"seq": item["seq"], "entry": item["entry"]}) for item in map(json.loads, lines)]
    verdict = verify_dump(erased, [note], vkey)
    assert (verdict.opened, verdict.unopened) == (0, 100)


def test_every_flipped_byte_of_an_entry_is_detected() -> None:
    lines, note, vkey = _dump(20)
    for number in range(20):
        item = json.loads(lines[number])
        for place in range(len(item["entry"])):
            char = item["entry"][place]
            changed = item | {"entry": item["entry"][:place] + chr(ord(char) ^ 1) + item["entry"][place + 1 :]}
            with pytest.raises(LedgerError):
                verify_dump([*lines[:number], json.dumps(changed), *lines[number + 1 :]], [note], vkey)


def test_deleting_inserting_and_swapping_entries_is_detected() -> None:
    lines, note, vkey = _dump(10)
    swapped = [lines[1], lines[0], *lines[2:]]
    renumbered = [json.dumps(json.loads(line) | {"seq": place}) for place, line in enumerate(swapped)]
    for bad in (lines[:-1], lines[1:], [*lines[:3], *lines[4:]], [*lines[:3], lines[2], *lines[3:]], swapped, renumbered):
        with pytest.raises(LedgerError):
            verify_dump(bad, [note], vkey)


def test_an_altered_body_is_detected() -> None:
    lines, note, vkey = _dump(3)
    bad = json.dumps(json.loads(lines[1]) | {"body": '{"n":2}'})
    with pytest.raises(LedgerError, match="altered"):
        verify_dump([lines[0], bad, lines[2]], [note], vkey)
