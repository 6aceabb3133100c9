"""The supervisor starts again what dies and leaves nobody behind, however it ends itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs signals of Linux")

SCRIPT = """
import sys
from pathlib import Path
from zhixin_web.jobs.supervision import Supervisor

folder = Path(sys.argv[1])
body = "import os, sys, time, pathlib; pathlib.Path(sys.argv[1]).open('a').write(f'{os.getpid()}\\\\n'); time.sleep(600)"
supervisor = Supervisor(lambda line: (folder / "said").open("a").write(line + "\\n"))
for name in ("one", "two"):
    supervisor.start(name, "-c", body, str(folder / name))
supervisor.watch()
"""


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something becomes true within two minutes: on a busy machine a process starts late."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def lives(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.is_file() else []


@pytest.fixture
def supervisor(tmp_path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-X", "utf8", "-c", SCRIPT, str(tmp_path)])
    assert eventually(lambda: bool(pids(tmp_path, "one") and pids(tmp_path, "two")))
    return process


def test_what_dies_is_started_again_and_the_other_goes_on(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    assert eventually(lambda: len(pids(tmp_path, "one")) == 2)
    assert len(pids(tmp_path, "two")) == 1
    assert "one ended with -9" in (tmp_path / "said").read_text()
    supervisor.terminate()
    assert supervisor.wait(timeout=120) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_is_left_behind(supervisor: subprocess.Popen[bytes], tmp_path: Path, number: signal.Signals) -> None:
    supervisor.send_signal(number)
    supervisor.wait(timeout=120)
    children = pids(tmp_path, "one") + pids(tmp_path, "two")
    assert eventually(lambda: not any(lives(pid) for pid in children))
