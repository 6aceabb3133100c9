"""Asks the signing process by a socket, where it runs in a container of its own: a command and a text, a status and an answer."""

from __future__ import annotations

import json
import socket
import socketserver
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from zhixin.errors import LedgerError

SECONDS, MOST_BYTES = 30, 1_000_000
Answer = Callable[[str, str], str]


def serve(path: Path, answer: Answer) -> NoReturn:
    """Answer by a socket, one request at a time, until the process is ended; only owner and group may ask."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = SECONDS

        def handle(self) -> None:
            try:
                asked = json.loads(self.rfile.readline(MOST_BYTES))
                said = {"status": 0, "text": answer(str(asked["command"]), str(asked["text"]))}
            except (LedgerError, ValueError, KeyError, TypeError) as error:
                said = {"status": LedgerError.exit_status, "text": str(error)}
            except OSError:
                return  # whoever asked has gone
            self.wfile.write(json.dumps(said).encode() + b"\n")

    path.unlink(missing_ok=True)
    with socketserver.UnixStreamServer(str(path), Handler) as server:
        path.chmod(0o660)
        server.serve_forever()
    raise SystemExit(0)


def ask(path: Path, command: str, text: str) -> str:
    """Return the answer of the process that serves a socket.

    Raises:
        LedgerError: it refuses, or does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps({"command": command, "text": text}).encode() + b"\n")
            with connection.makefile("rb") as file:
                said = json.loads(file.readline(MOST_BYTES))
    except (OSError, ValueError) as error:
        raise LedgerError(f"签署程序没有应答：{error}", f"the signer does not answer: {error}") from error
    if said["status"]:
        raise LedgerError(str(said["text"]), str(said["text"]))
    return str(said["text"])
