"""Checkpoints kept outside the database, and what happens when the database no longer fits them.

Every signed checkpoint goes to the witnesses: a folder (or another machine's mount), a witness program, a mailbox, an HTTP
sink. :func:`compare` asks those that can answer, and the signer, whether the ledger of the database extends what they hold. Where
it does not, publication stops: a file outside the database says since when and why, until :func:`resume` is called.
"""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from zhixin.errors import LedgerError, Message
from zhixin.trust import ledger, witness
from zhixin_web.audit.models import SignedCheckpoint
from zhixin_web.audit.queries import consistency_proof, latest_checkpoint, ledger_size, subtree
from zhixin_web.audit.services.checkpoints import make_checkpoint, published_key, signer_command
from zhixin_web.audit.services.events import record_event

SECONDS = 15


def stop_file() -> Path:
    """Outside the database, so that a roll back does not lift the stop."""
    return Path(settings.VAR) / "publication-stopped.json"


def stopped() -> dict[str, Any] | None:
    """Since when and why publication is stopped; ``None`` while it goes on."""
    try:
        found: dict[str, Any] = json.loads(stop_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {"at": "", "reasons": [["停止公示的文件不可读", "the file that stops publication cannot be read"]]}
    return found


def witness_log() -> Path:
    return Path(settings.WITNESS_FOLDER or Path(settings.VAR) / "witness") / "checkpoints.log"


def send(note: str, proof: Sequence[bytes]) -> list[str]:
    """Give a new checkpoint to every witness; what could not be reached is named and tried again with the next one."""
    unreached = []
    steps = [base64.b64encode(step).decode() for step in proof]
    witness_log().parent.mkdir(parents=True, exist_ok=True)
    witness.add(witness_log(), published_key(), note, list(proof))
    if settings.WITNESS_COMMAND:
        done = _witness("add", json.dumps({"note": note, "proof": steps}))
        if done is None or done.returncode:
            unreached.append(f"witness: {done.stderr.strip() if done else 'no answer'}")
    if settings.WITNESS_URL:
        try:
            httpx.post(settings.WITNESS_URL, json={"note": note, "proof": steps}, timeout=SECONDS).raise_for_status()
        except httpx.HTTPError as error:
            unreached.append(f"{settings.WITNESS_URL}: {error}")
    if settings.WITNESS_MAIL:
        try:
            send_mail("Zhixin checkpoint", note, None, [settings.WITNESS_MAIL])
        except OSError as error:
            unreached.append(f"{settings.WITNESS_MAIL}: {error}")
    return unreached


def sign_and_show() -> tuple[SignedCheckpoint | None, list[str]]:
    """Have the ledger signed and show the checkpoint to every witness; the checkpoint, and who could not be reached.

    Raises:
        LedgerError: the signer or a witness refuses.
    """
    last = latest_checkpoint()
    made = make_checkpoint()
    if made is None:
        return None, []
    return made, send(made.note, consistency_proof(last.size, made.size) if last else [])


def _witness(command: str, given: str = "") -> subprocess.CompletedProcess[str] | None:
    whole = [*shlex.split(settings.WITNESS_COMMAND), published_key(), command]
    try:
        return subprocess.run(whole, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return None


def _outside() -> Iterator[tuple[str, str]]:
    """Every checkpoint that is held outside the database, with who holds it."""
    for note in witness.notes(witness_log()):
        yield str(witness_log()), note
    if settings.WITNESS_COMMAND:
        answer = _witness("all")
        if answer is not None and answer.returncode == 0:
            for note in filter(None, answer.stdout.split("\n\n\u2014 ")):
                yield settings.WITNESS_COMMAND, note
    if not settings.SIGNER_COMMAND:
        last = Path(settings.VAR) / "signer" / "last"
        if last.exists():
            yield shlex.join(signer_command()[:3]), last.read_text(encoding="utf-8")


def witnessed() -> list[str]:
    """The notes of the folder beside the database."""
    return witness.notes(witness_log())


def deviations() -> list[Message]:
    """What of the checkpoints outside the database does not fit its ledger."""
    size, found = ledger_size(), []
    for holder, note in _outside():
        try:
            held = ledger.Checkpoint.parse(note)
        except LedgerError:
            continue
        if held.size > size:
            found.append(
                Message(
                    f"账本只有 {size} 条，而 {holder} 见过 {held.size} 条：数据库被回退或换过",
                    f"the ledger has {size} entries, {holder} has seen {held.size}: the database was rolled back or replaced",
                )
            )
        elif subtree(0, held.size) != held.root:
            found.append(
                Message(
                    f"账本前 {held.size} 条与 {holder} 见过的不同：历史被改写",
                    f"the first {held.size} entries are not those {holder} has seen: history was rewritten",
                )
            )
    return found[-5:]


def compare() -> list[Message]:
    """Compare the ledger with what is held outside; stop publication where it does not fit."""
    found = deviations()
    if found:
        stop(found)
    return found


def stop(reasons: Sequence[Message]) -> None:
    """Stop publication, with the reasons; it stays stopped until :func:`resume`."""
    if stopped() is None:
        text = json.dumps(
            {"at": timezone.now().isoformat(), "reasons": [list(item) for item in reasons]}, ensure_ascii=False
        )
        part = stop_file().with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(stop_file())
        record_event("publication.stop", outcome="failed", reasons=[item.en for item in reasons])


def refuse_if_stopped() -> None:
    """Compare before anything is published.

    Raises:
        LedgerError: publication is stopped.
    """
    compare()
    found = stopped()
    if found is not None:
        raise LedgerError(
            "公示已停止：" + "；".join(zh for zh, _ in found["reasons"]),
            "publication is stopped: " + "; ".join(en for _, en in found["reasons"]),
        )


def resume(reason: str, persons: Sequence[str]) -> None:
    """Lift the stop once the ledger fits what is held outside again, on the word of two persons.

    Raises:
        LedgerError: it still does not fit, or not two different persons gave a reason.
    """
    if len({person.strip() for person in persons if person.strip()}) < 2 or not reason.strip():
        raise LedgerError("恢复公示须两人具名并写明理由", "two different persons and a reason are needed to resume")
    found = deviations()
    if found:
        raise LedgerError("；".join(item.zh for item in found), "; ".join(item.en for item in found))
    record_event("publication.resume", reason=reason, persons=list(persons))
    stop_file().unlink(missing_ok=True)


def set_aside(reason: str, persons: Sequence[str]) -> Path:
    """Accept that entries are lost (the newest backup is older than the checkpoints): the outside logs are put aside, as evidence.

    The signer's own last checkpoint is the operator's to put aside; until then it refuses to sign.

    Raises:
        LedgerError: not two different persons, or no reason.
    """
    if len({person.strip() for person in persons if person.strip()}) < 2 or not reason.strip():
        raise LedgerError("须两人具名并写明理由", "two different persons and a reason are needed")
    aside = witness_log().with_name(f"lost-{timezone.now():%Y%m%dT%H%M%S}.log")
    if witness_log().exists():
        witness_log().replace(aside)
    last = Path(settings.VAR) / "signer" / "last"
    if not settings.SIGNER_COMMAND and last.exists():
        last.replace(last.with_name(aside.name))
    record_event("publication.entries_lost", reason=reason, persons=list(persons), kept=aside.name)
    return aside
