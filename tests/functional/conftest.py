"""The demonstration, built small once for all test modules and served to each from a copy, and a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from functional.site import ARGUMENTS, CHROMIUM, free_port


def _command(folder: Path, *options: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a demonstration that lives in a folder."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("ZHIXIN_", "DJANGO_", "DATABASE_"))
    }
    environment |= {"ZHIXIN_DEMO": "1", "ZHIXIN_VAR": str(folder), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    return [sys.executable, "-m", "zhixin_web.manage", "demo", "--subjects", "300", *options], environment


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a built demonstration; the first process that asks builds it, the others wait for it."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    folder = shared / "demonstration"
    with (shared / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = shared / "demonstration.part"
            command, environment = _command(part, "--no-serve")
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            part.rename(folder)
    return folder


@pytest.fixture(scope="module")
def site_folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the served site: a copy of the demonstration."""
    folder = tmp_path_factory.mktemp("site") / "var"
    shutil.copytree(built, folder)
    return folder


@pytest.fixture(scope="module")
def site(site_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command, environment = _command(site_folder, "--port", str(port))
    log = (tmp_path_factory.mktemp("log") / "site.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            if "Ctrl-C" in Path(log.name).read_text(encoding="utf-8"):  # worker and clock are running
                break
        except (urllib.error.URLError, OSError):
            pass
        assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")
        time.sleep(0.5)
    yield address
    process.send_signal(2)
    process.wait(timeout=30)
    log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def _closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test has opened: pages left open go on painting and asking, and take half of the processor."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()
