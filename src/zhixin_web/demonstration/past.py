"""Days of the past on which the history of a demonstration happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from unittest import mock

from django.utils import timezone


@contextmanager
def acting_on(day: date) -> Iterator[None]:
    """Let everything in the block happen on a day of the past: the history of a demonstration is made up."""
    with mock.patch.object(timezone, "localdate", return_value=day):
        yield
