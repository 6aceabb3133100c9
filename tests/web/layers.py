"""The state that most web tests begin with, made once in a process: people, the released flagship, subjects, grades.

Each layer is a savepoint over the one below it. A test names the layers it needs by its fixtures; before it begins, layers it
does not need are rolled back and those it lacks are made. The test itself runs in a savepoint above them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

Make = Callable[[], None]


class Maker(NamedTuple):
    """What makes a layer, and the layer it stands on."""

    make: Make
    below: str | None = None


class _Layer(NamedTuple):
    name: str
    opened: Any
    folder: Path


class Layers:
    """A stack of savepoints, each with a copy of the data folder as it then was."""

    def __init__(self, makers: dict[str, Maker], root: Path, unblocked: Callable[[], Any]) -> None:
        self.makers, self.root, self.unblocked = makers, root, unblocked
        self.made: list[_Layer] = []

    def reach(self, wanted: set[str]) -> None:
        """Have the layers down from the highest that is wanted, and no other."""
        names = max((self._down_from(name) for name in self.makers if name in wanted), key=len, default=[])
        with self.unblocked():
            while [layer.name for layer in self.made] != names[: len(self.made)]:
                self._leave()
            for name in names[len(self.made) :]:
                self._enter(name)

    def _down_from(self, name: str) -> list[str]:
        below = self.makers[name].below
        return [*(self._down_from(below) if below else []), name]

    def _enter(self, name: str) -> None:
        opened = transaction.atomic()
        opened._from_testcase = True  # as Django's own test case marks its savepoints: durable acts run within
        opened.__enter__()
        folder = self.root / name
        self.fill(folder)
        outside = settings.VAR
        settings.VAR = folder
        try:
            self.makers[name].make()
        finally:
            settings.VAR = outside
        self.made.append(_Layer(name, opened, folder))

    def _leave(self) -> None:
        layer = self.made.pop()
        transaction.set_rollback(True)
        layer.opened.__exit__(None, None, None)
        shutil.rmtree(layer.folder)

    def fill(self, folder: Path) -> None:
        """Make a data folder with the files of the highest layer."""
        if self.made:
            shutil.copytree(self.made[-1].folder, folder)
        else:
            folder.mkdir(parents=True)
