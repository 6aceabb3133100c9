"""Wall time, CPU time and peak memory of one peer, in its own process after a warm-up on a small city.

python benchmarks/peers/measure.py PEER FOLDER [REPEATS] [WARM-UP FOLDER]   prints one JSON line
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path

AS_OF = date(2026, 11, 1)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def task(name: str, folder: Path, out: Path) -> Callable[[], object]:
    """The whole work of a peer: written where it writes, else grades in memory."""
    peer = import_module(name)
    return (lambda: peer.run(folder, AS_OF, out)) if hasattr(peer, "run") else (lambda: peer.evaluate(folder, AS_OF))


def main(name: str, folder: Path, repeats: int, warm_up: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        timed(task(name, warm_up, Path(out)))
        times = [timed(task(name, folder, Path(out))) for _ in range(repeats)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    line = {"peer": name, "wall": min(wall for wall, _ in times), "cpu": min(cpu for _, cpu in times), "peak_gb": peak}
    sys.stdout.write(
        json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}) + "\n"
    )


if __name__ == "__main__":
    name, folder, *rest = sys.argv[1:]
    main(name, Path(folder), int(rest[0]) if rest else 3, Path(rest[1]) if len(rest) > 1 else Path(folder))
