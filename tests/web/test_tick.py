"""The clock outlives what fails in it: a step without its database or its disk does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import InterfaceError, OperationalError

from zhixin.errors import LedgerError
from zhixin_web.jobs import tick as clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "error", [OperationalError("database is locked"), InterfaceError("connection closed"), OSError("disk full"), LedgerError("锁", "locked")]
)  # fmt: skip
def test_a_failing_step_is_said_and_the_others_are_done(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing() -> Iterator[str]:
        raise error
        yield ""

    def sweeping() -> Iterator[str]:
        yield "swept"

    failing.__name__ = "take_folders"
    monkeypatch.setattr(clock, "take_folders", failing)
    monkeypatch.setattr(clock, "close_old_connections", lambda: None)
    monkeypatch.setattr(clock, "sweep", sweeping)
    done = clock.tick()
    assert done[-1] == "swept"
    assert any(line.startswith("take_folders: ") for line in done)
