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
from zhixin_web.audit.services.checkpoints import make_checkpoint, published_key
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


def sign_and_show() -> tuple[SignedCheckpoint | None, list[str]]:
    """Have the ledger signed and show its newest checkpoint to every witness that has not seen it.

    Returns:
        the new checkpoint, if there is one, and what could not be reached; that is tried again the next time.

    Raises:
        LedgerError: the signer or the folder refuses.
    """
    made = make_checkpoint()
    newest = latest_checkpoint()
    return made, [] if newest is None else _show(newest, is_new=made is not None)


def _show(newest: SignedCheckpoint, *, is_new: bool) -> list[str]:
    unreached = []
    witness_log().parent.mkdir(parents=True, exist_ok=True)
    kept = witness.notes(witness_log())
    if newest.note not in kept[-1:]:
        witness.add(witness_log(), published_key(), newest.note, _proof_from(kept, newest))
    if settings.WITNESS_COMMAND:
        unreached += _show_to_program(newest)
    if settings.WITNESS_URL and is_new:
        try:
            httpx.post(settings.WITNESS_URL, json={"note": newest.note}, timeout=SECONDS).raise_for_status()
        except httpx.HTTPError as error:
            unreached.append(f"{settings.WITNESS_URL}: {error}")
    if settings.WITNESS_MAIL and is_new:
        try:
            send_mail("Zhixin checkpoint", newest.note, None, [settings.WITNESS_MAIL])
        except OSError as error:
            unreached.append(f"{settings.WITNESS_MAIL}: {error}")
    return unreached


def _show_to_program(newest: SignedCheckpoint) -> list[str]:
    kept = _kept_by_program()
    if kept is None:
        return ["witness: no answer"]
    if newest.note in kept[-1:]:
        return []
    proof = [base64.b64encode(step).decode() for step in _proof_from(kept, newest)]
    done = _ask_program("add", json.dumps({"note": newest.note, "proof": proof}))
    return [] if done is not None and done.returncode == 0 else [f"witness: {done.stderr.strip() if done else 'no answer'}"]


def _proof_from(kept: Sequence[str], newest: SignedCheckpoint) -> list[bytes]:
    """The proof that a checkpoint extends the last one that a witness holds, whichever that is."""
    last = ledger.Checkpoint.parse(kept[-1]) if kept else None
    return consistency_proof(last.size, newest.size) if last is not None and 0 < last.size <= newest.size else []


def _ask_program(command: str, given: str = "") -> subprocess.CompletedProcess[str] | None:
    whole = [*shlex.split(settings.WITNESS_COMMAND), published_key(), command]
    try:
        return subprocess.run(whole, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return None


def _kept_by_program() -> list[str] | None:
    """The notes that the witness program holds; ``None`` where it does not answer, or not in its form."""
    answer = _ask_program("all")
    if answer is None or answer.returncode:
        return None
    try:
        return [str(json.loads(line)) for line in answer.stdout.splitlines()]
    except ValueError:
        return None


def _outside() -> Iterator[tuple[str, str]]:
    """Every checkpoint that is held outside the database, with who holds it."""
    yield from ((str(witness_log()), note) for note in witnessed())
    if settings.WITNESS_COMMAND:
        yield from ((settings.WITNESS_COMMAND, note) for note in _kept_by_program() or [])
    if not settings.SIGNER_COMMAND:
        last = Path(settings.VAR) / "signer" / "last"
        if last.exists():
            yield str(last), last.read_text(encoding="utf-8")


def witnessed() -> list[str]:
    """Return the notes of the local folder of this site."""
    return witness.notes(witness_log())


def deviations() -> list[Message]:
    """What of the checkpoints outside the database does not fit its ledger, and what of them is gone or cannot be read."""
    size, found = ledger_size(), []
    for holder, note in _outside():
        deviation = _deviation(holder, note, size)
        if deviation is not None:
            found.append(deviation)
    if not witnessed() and SignedCheckpoint.objects.count() > 1:  # the newest one may be on its way
        found.append(
            Message(
                f"{witness_log()} 是空的，而数据库中已有检查点：库外的记录被删",
                f"{witness_log()} is empty although the database holds checkpoints: the record outside was removed",
            )
        )
    return found[-5:]


def _deviation(holder: str, note: str, size: int) -> Message | None:
    try:
        held = ledger.Checkpoint.parse(note)
    except LedgerError as error:
        return Message(
            f"{holder} 中的检查点不可读：{error.message.zh}", f"a checkpoint of {holder} cannot be read: {error.message.en}"
        )
    if held.size > size:
        return Message(
            f"账本只有 {size} 条，而 {holder} 见过 {held.size} 条：数据库被回退或换过",
            f"the ledger has {size} entries, {holder} has seen {held.size}: the database was rolled back or replaced",
        )
    if subtree(0, held.size) != held.root:
        return Message(
            f"账本前 {held.size} 条与 {holder} 见过的不同：历史被改写",
            f"the first {held.size} entries are not those {holder} has seen: history was rewritten",
        )
    return None


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


def _need_two_persons(reason: str, persons: Sequence[str]) -> None:
    if len({person.strip() for person in persons if person.strip()}) < 2 or not reason.strip():
        raise LedgerError("须两人具名并写明理由", "two different persons and a reason are needed")


def resume(reason: str, persons: Sequence[str]) -> None:
    """Lift the stop once the ledger fits what is held outside again, on the word of two persons.

    Raises:
        LedgerError: it still does not fit, or not two different persons gave a reason.
    """
    _need_two_persons(reason, persons)
    found = deviations()
    if found:
        raise LedgerError("；".join(item.zh for item in found), "; ".join(item.en for item in found))
    record_event("publication.resume", reason=reason, persons=list(persons))
    stop_file().unlink(missing_ok=True)


def set_aside(reason: str, persons: Sequence[str]) -> Path:
    """Accept that entries are lost (the newest backup is older than the checkpoints): the outside logs are put aside, as evidence.

    The new log begins with the newest checkpoint that the database still holds. A signing process of its own keeps its last
    checkpoint until its operator puts that aside; until then it refuses to sign.

    Raises:
        LedgerError: not two different persons, or no reason.
    """
    _need_two_persons(reason, persons)
    aside = witness_log().with_name(f"lost-{timezone.now():%Y%m%dT%H%M%S}.log")
    if witness_log().exists():
        witness_log().replace(aside)
    last = Path(settings.VAR) / "signer" / "last"
    if not settings.SIGNER_COMMAND and last.exists():
        last.replace(last.with_name(aside.name))
    record_event("publication.entries_lost", reason=reason, persons=list(persons), kept=aside.name)
    newest = latest_checkpoint()
    if newest is not None:
        witness.add(witness_log(), published_key(), newest.note, [])
    return aside
