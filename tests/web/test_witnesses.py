"""Checkpoints outside the database: a ledger that no longer fits them stops publication, until two persons lift it."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser

from zhixin.errors import LedgerError
from zhixin_web.audit.models import LedgerEntry, SignedCheckpoint
from zhixin_web.audit.queries import row_deviations, row_heads
from zhixin_web.audit.services import checkpoints, witnesses
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services import runs
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.jobs.tick import tick
from zhixin_web.records.models import Subject

pytestmark = pytest.mark.django_db
TWO = ["甲", "乙"]


def as_an_administrator(statement: str) -> None:
    """What somebody with the database does: triggers are no shield against them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("SET session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute(statement)
        for _name, sql in triggers:
            cursor.execute(sql)


@pytest.fixture
def signed(released: Run) -> int:
    """A ledger whose newest checkpoint the witnesses have seen; its size."""
    made, unreached = witnesses.sign_and_show()
    assert made is not None
    assert unreached == []
    return made.size


def roll_back(size: int) -> None:
    """Bring the ledger back to what it was, checkpoints and all."""
    as_an_administrator(f"DELETE FROM audit_ledgerentry WHERE seq >= {size}")
    as_an_administrator(f"DELETE FROM audit_sealedbody WHERE seq >= {size}")
    as_an_administrator(f"DELETE FROM audit_signedcheckpoint WHERE size > {size}")
    as_an_administrator("UPDATE audit_rowcommitment SET head = NULL")


def test_an_untouched_ledger_fits(signed: int) -> None:
    assert witnesses.compare() == []
    assert witnesses.stopped() is None


def test_a_ledger_that_goes_on_fits(signed: int) -> None:
    append_one("test", "x", {"a": 1})
    witnesses.sign_and_show()
    assert len(list(witnesses.witness.notes(witnesses.witness_log()))) == 2
    assert witnesses.compare() == []


def test_a_rolled_back_database_stops_publication_at_the_next_tick(signed: int, subjects: list[Subject]) -> None:
    roll_back(signed - 3)
    said = "\n".join(tick())
    assert "rolled back" in said
    browser, subject = Browser(), subjects[0]
    for address in (
        f"/e/{subject.code}",
        "/s?q=x",
        "/pub/penalties",
        "/data",
        "/stats",
        "/fairness",
        f"/api/v1/subjects/{subject.code}",
    ):
        assert browser.get(address).status_code == 503, address
    for address in ("/rules", "/help", "/ledger", "/static/x"):
        assert browser.get(address).status_code != 503, address
    assert "公示暂停" in browser.get("/pub").content.decode()


def test_a_rewritten_entry_stops_publication(signed: int) -> None:
    as_an_administrator(
        "UPDATE audit_ledgerentry SET leaf = (SELECT leaf FROM audit_ledgerentry WHERE seq = 1) WHERE seq = 2"
    )
    assert any("rewritten" in item.en for item in witnesses.compare())


def test_deleting_all_checkpoints_of_the_database_helps_nobody(signed: int) -> None:
    roll_back(signed - 3)
    as_an_administrator("DELETE FROM audit_signedcheckpoint")
    assert SignedCheckpoint.objects.count() == 0
    assert witnesses.compare()


def test_nothing_is_released_while_the_ledger_does_not_fit(signed: int, release: Any, people: Any) -> None:
    run = runs.execute(runs.start_run(release, as_of=Run.objects.get().as_of, by=people["city"]))
    propose_run(run, people["city"])
    as_an_administrator("DELETE FROM audit_ledgerentry WHERE seq = (SELECT MAX(seq) FROM audit_ledgerentry)")
    with pytest.raises(LedgerError, match="stopped"):
        release_run(run, people["approver"])
    run.refresh_from_db()
    assert run.status == "proposed"


@pytest.mark.parametrize(("persons", "reason"), [([], "查明"), (["甲"], "查明"), (["甲", "甲 "], "查明"), (TWO, " ")])
def test_one_person_or_no_reason_lifts_nothing(signed: int, persons: list[str], reason: str) -> None:
    witnesses.stop([witnesses.Message("x", "x")])
    with pytest.raises(LedgerError):
        witnesses.resume(reason, persons)
    assert witnesses.stopped() is not None


def test_two_persons_lift_a_stop_once_the_ledger_fits_again(signed: int) -> None:
    witnesses.stop([witnesses.Message("误报", "false alarm")])
    call_command("publication", "resume", reason="已从备份恢复", person=TWO)
    assert witnesses.stopped() is None


def test_a_stop_is_not_lifted_while_it_does_not_fit(signed: int) -> None:
    roll_back(signed - 3)
    witnesses.compare()
    with pytest.raises(CommandError, match="rolled back"):
        call_command("publication", "resume", reason="再试", person=TWO)
    with pytest.raises(CommandError, match="stopped"):
        call_command("publication", "status")


def test_entries_that_are_truly_lost_are_put_aside_as_evidence(signed: int) -> None:
    roll_back(signed - 3)
    witnesses.compare()
    call_command("publication", "set-aside", reason="备份早于检查点", person=TWO)
    call_command("publication", "resume", reason="备份早于检查点", person=TWO)
    assert witnesses.stopped() is None
    assert list(witnesses.witness_log().parent.glob("lost-*.log"))
    made, _ = witnesses.sign_and_show()
    assert made is not None


def test_the_witness_program_keeps_what_extends_and_refuses_a_fork(signed: int, tmp_path: Any) -> None:
    log, key = tmp_path / "log", witnesses.published_key()
    first = SignedCheckpoint.objects.get().note
    small = LedgerEntry.objects.count()

    def add(note: str, proof: list[str]) -> int:
        given = json.dumps({"note": note, "proof": proof})
        command = [sys.executable, "-m", "zhixin.trust.witness", str(log), key, "add"]
        return subprocess.run(command, input=given, text=True, capture_output=True, check=False).returncode

    append_one("test", "x", {"a": 1})
    second, _ = witnesses.sign_and_show()
    assert second is not None
    assert second.size > small
    proof = [b64encode(step).decode() for step in witnesses.consistency_proof(signed, second.size)]
    assert [add(first, []), add(second.note, []), add(second.note, proof), add(first, []), add("x", [])] == [
        0,
        16,
        0,
        16,
        16,
    ]
    assert log.read_text(encoding="utf-8").count("\n") == 2


def test_what_cannot_be_reached_is_named_and_signing_goes_on(signed: int, settings: Any) -> None:
    settings.WITNESS_COMMAND = "/nonexistent/witness"
    append_one("test", "x", {"a": 1})
    made, unreached = witnesses.sign_and_show()
    assert made is not None
    assert unreached == ["witness: no answer"]


@pytest.fixture
def program(settings: Any, tmp_path: Any) -> Any:
    """A witness program with a log of its own."""
    settings.WITNESS_COMMAND = f"{sys.executable} -m zhixin.trust.witness {tmp_path / 'elsewhere.log'}"
    return tmp_path / "elsewhere.log"


def go_on() -> int:
    append_one("test", "x", {"a": 1})
    made, unreached = witnesses.sign_and_show()
    assert made is not None
    assert unreached == []
    return made.size


def test_every_note_of_a_witness_program_is_compared(signed: int, program: Any) -> None:
    """Not the first alone: notes hold blank lines, and must come back whole."""
    sizes = [go_on() for _ in range(3)]
    witnesses.witness_log().unlink()
    Path(witnesses.settings.VAR, "signer", "last").unlink()
    roll_back(sizes[1])
    assert any(f"seen {sizes[2]}" in item.en for item in witnesses.deviations())


def test_what_a_crash_left_unshown_is_shown_the_next_time(signed: int, program: Any) -> None:
    append_one("test", "x", {"a": 1})
    unshown = witnesses.make_checkpoint()
    assert unshown is not None
    assert witnesses.sign_and_show() == (None, [])
    assert unshown.note in witnesses.witnessed()
    go_on()
    assert program.read_text(encoding="utf-8").count("\n") == 2


def test_a_witness_that_was_away_catches_up(signed: int, program: Any, settings: Any) -> None:
    go_on()
    here, settings.WITNESS_COMMAND = settings.WITNESS_COMMAND, "/nonexistent/witness"
    append_one("test", "x", {"a": 1})
    assert witnesses.sign_and_show()[1] == ["witness: no answer"]
    settings.WITNESS_COMMAND = here
    assert witnesses.sign_and_show() == (None, [])
    assert program.read_text(encoding="utf-8").count("\n") == 2


def test_a_log_that_was_removed_is_named(signed: int) -> None:
    go_on()
    witnesses.witness_log().unlink()
    assert any("empty" in item.en for item in witnesses.compare())


def test_a_note_that_cannot_be_read_is_named_and_not_passed_over(signed: int) -> None:
    with witnesses.witness_log().open("a", encoding="utf-8") as file:
        file.write(json.dumps({"note": "not a checkpoint"}) + "\n")
    assert any("cannot be read" in item.en for item in witnesses.compare())


def test_a_checkpoint_that_a_crash_kept_from_being_noted_is_noted_the_next_time(
    signed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(point: str) -> None:
        raise KeyboardInterrupt(point)

    append_one("test.entry", "one", {})
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "failpoint", crash)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.make_checkpoint()
    append_one("test.entry", "two", {})
    made = checkpoints.make_checkpoint()
    assert made is not None
    assert list(SignedCheckpoint.objects.order_by("size").values_list("size", flat=True))[-2:] == [made.size - 1, made.size]
    assert witnesses.compare() == []


def test_two_that_sign_at_one_time_sign_one_checkpoint(signed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one signs after this one has read the last checkpoint and before it asks."""
    ask, others = checkpoints.ask_signer, []

    def after_another(*asked: Any) -> str:
        if not others:
            others.append("begun")
            others.append(checkpoints.make_checkpoint())
        return ask(*asked)

    append_one("test.entry", "one", {})
    monkeypatch.setattr(checkpoints, "ask_signer", after_another)
    assert checkpoints.make_checkpoint() is None
    newest = SignedCheckpoint.objects.order_by("-size").first()
    assert newest == others[1]
    assert SignedCheckpoint.objects.filter(size=newest.size).count() == 1


def test_heads_are_chained_without_reading_the_earlier_ones(signed: int) -> None:
    go_on()
    go_on()
    record_event("test.act")
    go_on()
    assert row_deviations()[1] == []
    assert len(row_heads()) == 2
