"""The demonstration, built small once for each test module, and a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from functional.site import CHROMIUM, free_port


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("ZHIXIN_", "DJANGO_", "DATABASE_"))
    }
    environment |= {
        "ZHIXIN_DEMO": "1",
        "ZHIXIN_VAR": str(tmp_path_factory.mktemp("site")),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "zhixin_web.manage", "demo", "--subjects", "300", "--port", str(port)]
    log = (tmp_path_factory.mktemp("log") / "site.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            if "Ctrl-C" in Path(log.name).read_text(encoding="utf-8"):  # the city is built, worker and clock are running
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
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
