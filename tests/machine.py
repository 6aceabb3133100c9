"""How slow this machine is now: bounds on time are multiples of a fixed piece of work that is timed beside them."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

USUAL_SECONDS = 0.07
"""What the piece of work takes on the machine for which the bounds were set, when it does nothing else."""


def _work() -> None:
    """Do what the measured code does most: numbers, texts, dictionaries, hashes."""
    found: dict[str, int] = {}
    for number in range(100_000):
        text = f"{number:018d}"
        found[text] = found.get(text[:12], 0) + number % 7
        if number % 10 == 0:
            hashlib.sha256(text.encode()).digest()


def slowness() -> float:
    """Return by how much this machine is slower than the usual one now, at least 1: the better of three tries, in seconds of CPU."""
    taken = []
    for _try in range(3):
        started = time.process_time()
        _work()
        taken.append(time.process_time() - started)
    return max(1.0, min(taken) / USUAL_SECONDS)


def within(seconds: float, most: float) -> bool:
    """Whether a time is within its bound on this machine; the work beside it is timed only where that is in doubt."""
    return seconds < most or seconds < most * slowness()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector still: walking what other tests left in this process is no time of the code measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def least_seconds(work: Callable[[], object], most: float, tries: int = 3) -> float:
    """Return how long a piece of work takes at its quickest, in seconds of CPU of the usual machine; it ends with the first try within the bound.

    What disturbs a time only lengthens it (other programs, a cold cache), so the least of some tries is the nearest to the truth.
    """
    found = []
    for _try in range(tries):
        with _uncollected():
            started = time.process_time()
            work()
            taken = time.process_time() - started
        found.append(taken if taken < most else taken / slowness())
        if found[-1] < most:
            break
    return min(found)
