"""A witness of the ledger: keeps every signed checkpoint it is shown, and refuses one that does not extend the last.

``python -m zhixin.trust.witness LOG KEY add`` reads ``{"note", "proof"}`` (JSON, proof in base64) from standard input; ``… all``
prints what it has kept, a JSON string a line, oldest first. Run it on another machine, or as another user. Exit status 16: a
fork, a roll back or a bad signature; nothing is kept.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import sys
from pathlib import Path

from zhixin.errors import LedgerError
from zhixin.trust.ledger import verify_consistency
from zhixin.trust.signing import verify_note


def notes(log: Path) -> list[str]:
    return [json.loads(line)["note"] for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def add(log: Path, key: str, note: str, proof: list[bytes]) -> None:
    """Keep a note that extends the last one; :class:`LedgerError` for a bad signature, a smaller ledger, another history."""
    new = verify_note(note, key)
    with log.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = notes(log)
        last = verify_note(kept[-1], key) if kept else None
        if last is not None and last.size and not verify_consistency(last.size, new.size, last.root, new.root, proof):
            raise LedgerError(
                f"拒收：{new.size} 条不是 {last.size} 条的延续", f"refused: {new.size} entries do not extend {last.size}"
            )
        if not kept or note != kept[-1]:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"note": note}) + "\n")
                file.flush()
                os.fsync(file.fileno())


def main() -> int:
    log, key, command = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    try:
        if command == "add":
            given = json.load(sys.stdin)
            add(log, key, given["note"], [base64.b64decode(step) for step in given["proof"]])
        else:
            sys.stdout.writelines(json.dumps(note) + "\n" for note in notes(log))
    except (LedgerError, ValueError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return LedgerError.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
