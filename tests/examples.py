"""How many random examples a property sees: a share in ``make test``, all of them in ``make long``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

IS_LONG = os.environ.get("ZHIXIN_LONG") == "1"
SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)


def examples(count: int, *, in_test: int | None = None) -> settings:
    """Settings for ``count`` examples at length, and ``in_test`` of them (all by default) in ``make test``."""
    return settings(SETTINGS, max_examples=count if IS_LONG or in_test is None else in_test)
