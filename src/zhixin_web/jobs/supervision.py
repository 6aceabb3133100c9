"""Supervises the processes of a site on one machine: starts them, starts again what dies, ends them all when it ends.

A process that dies soon after its start is started again after a longer and longer pause. Children get a signal from the
kernel when the supervisor is killed, so that none is left behind (Linux; elsewhere an orderly end does it).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE, HEALTHY_AFTER, PATIENCE = 60.0, 60.0, 15.0
"""Seconds: between two starts, until a process counts as healthy, until one that was asked to end is killed."""


@dataclass
class _Supervised:
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started: float
    pause: float = 1.0
    due: float | None = None


@dataclass
class Supervisor:
    """Runs Python processes by name; ``say`` is called with a message at every death and every new start."""

    say: Callable[[str], None]
    environment: dict[str, str] = field(default_factory=dict)
    children: dict[str, _Supervised] = field(default_factory=dict)
    is_ending: bool = False

    def start(self, name: str, *arguments: str) -> None:
        """Start a process of this interpreter and keep it running."""
        self.children[name] = _Supervised(arguments, self._spawn(arguments), time.monotonic())

    def _spawn(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *arguments], env=os.environ | self.environment, preexec_fn=_end_with_parent)

    def watch(self) -> None:
        """Keep all processes running until SIGTERM, SIGINT or Ctrl-C, then end them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        try:
            while not self.is_ending:
                self._look()
                time.sleep(0.5)
        finally:
            self.stop()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ending = True

    def _look(self) -> None:
        now = time.monotonic()
        for name, child in self.children.items():
            if child.due is not None and now >= child.due:
                child.process, child.started, child.due = self._spawn(child.arguments), now, None
                self.say(f"{name} started again")
            elif child.due is None and (status := child.process.poll()) is not None:
                if now - child.started > HEALTHY_AFTER:
                    child.pause = 1.0
                child.due = now + child.pause
                self.say(f"{name} ended with {status}; it is started again in {child.pause:.0f} s")
                child.pause = min(2 * child.pause, LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask all processes to end, and kill those that do not."""
        for child in self.children.values():
            child.process.terminate()
        deadline = time.monotonic() + PATIENCE
        for child in self.children.values():
            try:
                child.process.wait(timeout=max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies. Runs between fork and exec."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
