"""Named points at which a fault run kills the process (``ZHIXIN_FAILPOINT=name`` or ``name:n`` for the n-th passing)."""

from __future__ import annotations

import os
import signal

POINTS = (
    "ledger.appended",
    "import.received",
    "import.staged",
    "import.chunk",
    "import.before_commit",
    "import.after_commit",
    "run.snapshot",
    "run.evaluated",
    "run.before_finish",
    "run.after_finish",
    "release.before_commit",
    "release.after_commit",
    "checkpoint.signed",
)
_passed: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Die here if this fault run says so."""
    wanted = os.environ.get("ZHIXIN_FAILPOINT")
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point == name:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
