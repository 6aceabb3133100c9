"""What all tests share: rulebooks loaded once, and a garbage collector that leaves what lives as long as the process alone."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Take modules and collected tests out of the collector, and let it run seldom: a seventh of the time was its own."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
