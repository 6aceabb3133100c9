"""The signing process: ``python -m zhixin.trust.signing --state DIR --origin NAME sign|key``.

It holds the key and the last checkpoint, reads a request ``{"size", "root", "proof"}`` from standard input and prints
the signed note, or refuses with exit status 16. Run it as an operating-system user of its own.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path

from zhixin.errors import LedgerError
from zhixin.trust.ledger import Checkpoint, Signer


def main(arguments: list[str] | None = None) -> int:
    """Sign one checkpoint, or print the verification key."""
    parser = argparse.ArgumentParser(prog="zhixin.trust.signing")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("command", choices=["sign", "key"])
    chosen = parser.parse_args(arguments)
    try:
        signer = Signer(chosen.state, chosen.origin)
        if chosen.command == "key":
            sys.stdout.write(signer.vkey + "\n")
            return 0
        request = json.load(sys.stdin)
        checkpoint = Checkpoint(chosen.origin, int(request["size"]), bytes.fromhex(request["root"]))
        sys.stdout.write(signer.sign(checkpoint, [base64.b64decode(step) for step in request["proof"]]))
        return 0
    except (LedgerError, ValueError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return LedgerError.exit_status


if __name__ == "__main__":
    sys.exit(main())
