"""Load on the portal: enterprise pages by code uncached and from the cache layer, beside nginx with a static file.

``python benchmarks/portal.py [--subjects 20000] [--seconds 10] [--workers 2]``. Needs ``wrk`` and ``nginx`` (Debian
packages). Everything runs on this machine, so the figures are ratios first: compare within one run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

PORT, STATIC_PORT = 8123, 8124
WRK = r"Requests/sec:\s+([\d.]+)"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(folder: Path, seconds: int) -> dict[str, str]:
    return os.environ | {
        "ZHIXIN_DEMO": "1",
        "ZHIXIN_VAR": str(folder),
        "ZHIXIN_PUBLIC_SECONDS": str(seconds),
        "PYTHONUTF8": "1",
    }


def serve(folder: Path, seconds: int, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(PORT), "--workers", str(workers),
               "--blocking-threads", "1", "--log-level", "error", "zhixin_web.wsgi:application"]  # fmt: skip
    process = subprocess.Popen(command, env=environment(folder, seconds))
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2).close()
            return process
        except OSError:
            time.sleep(0.25)
    raise SystemExit("granian did not start")


def wrk(script: Path, port: int, seconds: int, connections: int) -> dict[str, Any]:
    """Run wrk and read rate, p50, p99 (ms) and errors."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script), f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {name: _ms(re.search(rf"\s{name}%\s+([\d.]+)(us|ms|s)", done.stdout)) for name in ("50", "99")}
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    rate = re.search(WRK, done.stdout)
    assert rate is not None, done.stdout
    return {
        "rate": float(rate.group(1)),
        "p50": found["50"],
        "p99": found["99"],
        "errors": int(errors.group(1)) if errors else 0,
    }


def _ms(found: re.Match[str] | None) -> float:
    assert found is not None
    return float(found.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found.group(2)]


def script(folder: Path, name: str, codes: Path, delay_ms: float = 0, path: str = "") -> Path:
    """A wrk script that asks for enterprise pages at random, or for one path, with a pause between requests."""
    request = f'"{path}"' if path else '"/e/" .. codes[math.random(#codes)]'
    text = (
        f'local codes = {{}}\nfor line in io.lines("{codes}") do codes[#codes + 1] = line end\nmath.randomseed(7)\n'
        f'request = function() return wrk.format("GET", {request}) end\n'
    )
    if delay_ms:
        text += f"function delay() return math.random() * {2 * delay_ms:.3f} end\n"
    file = folder / f"{name}.lua"
    file.write_text(text, encoding="utf-8")
    return file


def static(folder: Path, page: bytes) -> subprocess.Popen[bytes]:
    """nginx with one static file of the size of an enterprise page."""
    root = folder / "static-root"
    root.mkdir()
    (root / "page.html").write_bytes(page)
    file = folder / "nginx.conf"
    file.write_text(
        f"worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{ worker_connections 512; }}\n"
        f"http {{ access_log off; default_type text/html; server {{ listen 127.0.0.1:{STATIC_PORT}; root {root}; }} }}\n",
        encoding="utf-8",
    )
    folder.chmod(0o755)
    root.chmod(0o755)
    process = subprocess.Popen(["nginx", "-c", str(file), "-p", str(folder)])
    time.sleep(1)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=15)


def at_share(folder: Path, codes: Path, rate: float, seconds: int, connections: int = 32) -> dict[str, Any]:
    """Latency at 80 % of a rate: each of the connections waits so long between requests that together they make it."""
    return wrk(script(folder, "paced", codes, 1000 * connections / (0.8 * rate)), PORT, seconds, connections)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: apt install {tool}")
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    build = [sys.executable, "-m", "zhixin_web.manage", "demo", "--no-serve", "--subjects", str(options.subjects)]
    subprocess.run(build, env=environment(folder, 0), check=True, stdout=subprocess.DEVNULL)
    codes = folder / "codes.txt"
    with sqlite3.connect(folder / "zhixin.sqlite3") as database:
        rows = database.execute("SELECT code FROM records_subject ORDER BY code").fetchall()
    codes.write_text("\n".join(row[0] for row in rows), encoding="utf-8")
    say(f"{len(rows):,} subjects, {options.workers} workers")
    site = serve(folder, 0, options.workers)
    answer = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/e/{rows[0][0]}")
    page = answer.read()
    assert "set-cookie" not in {name.lower() for name, _value in answer.getheaders()}
    wrk(script(folder, "warm", codes), PORT, 3, 8)
    uncached = wrk(script(folder, "random", codes), PORT, options.seconds, 8)
    paced = at_share(folder, codes, uncached["rate"], options.seconds)
    stop(site)
    site = serve(folder, 20, options.workers)
    one = f"/e/{rows[0][0]}"
    wrk(script(folder, "warm-one", codes, path=one), PORT, 2, 8)
    cached = wrk(script(folder, "one", codes, path=one), PORT, options.seconds, 8)
    stop(site)
    nginx = static(folder, page)
    plain = wrk(script(folder, "page", codes, path="/page.html"), STATIC_PORT, options.seconds, 8)
    stop(nginx)
    for name, found in (
        ("enterprise page, uncached", uncached),
        ("the same at 80 %", paced),
        ("from the cache layer", cached),
        ("nginx, static file", plain),
    ):
        say(
            f"{name:28} {found['rate']:10,.0f}/s   p50 {found['p50']:7.2f} ms   p99 {found['p99']:7.2f} ms   errors {found['errors']}"
        )
    say(
        f"uncached : nginx = 1 : {plain['rate'] / uncached['rate']:.0f}; cached : nginx = 1 : {plain['rate'] / cached['rate']:.1f}; page {len(page):,} bytes"
    )
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
