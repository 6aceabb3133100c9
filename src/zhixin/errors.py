"""Errors of Zhixin. Users see the message, never a traceback.

::

    ZhixinError                  any refusal a user can act on; carries a code and an exit status
    ├── UsageError          10   the command line was given something it cannot use
    ├── RulebookError       11   a rulebook is wrong; holds every Fault found, nothing was run
    ├── CaseFailure         12   a rulebook's own cases do not come out as written
    ├── DatasetError        13   a dataset cannot be read at all (a bad row is quarantined instead)
    ├── WeightingRefused    14   judgements too inconsistent to give weights
    ├── EngineError         15   an evaluation engine is missing or failed
    ├── LedgerError         16   the ledger does not hold, or a signature or proof is refused
    │   └── LedgerUnreadable 17  what was given is cut, malformed or ambiguous: nothing can be said of the ledger
    └── DrawRefused         18   a draw is refused, or a published one does not follow from what was committed

Exit status 0 is success, 3 means "done, but some rows are in quarantine" and 4 "nothing wrong was found, but not everything
could be checked". One code per error serves the
command line, problem+json and the docs.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

EXIT_QUARANTINED = 3
EXIT_NOT_ALL_CHECKED = 4


class Message(NamedTuple):
    """One sentence in both languages of the project."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


def user_language() -> str:
    """``zh`` or ``en``: ZHIXIN_LANG first, then the locale; Chinese only where the locale says so."""
    chosen = (
        os.environ.get("ZHIXIN_LANG")
        or os.environ.get("LC_ALL")
        or os.environ.get("LC_MESSAGES")
        or os.environ.get("LANG")
        or locale.getlocale()[0]
        or "en"
    )
    return "zh" if chosen.lower().startswith("zh") else "en"


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a rulebook: its location, what is wrong, why, and what to do."""

    file: str
    line: int
    code: str
    path: str
    what: Message
    remedy: Message
    is_warning: bool = False

    def sentence(self, language: str) -> str:
        level = Message("提示" if self.is_warning else "错误", "warning" if self.is_warning else "error")
        what, remedy = self.what.in_language(language), self.remedy.in_language(language)
        return f"{self.file}:{self.line}: {level.in_language(language)} {self.code} [{self.path}] {what} → {remedy}"


class ZhixinError(Exception):
    """A refusal the user can act on."""

    code = "error"
    exit_status = 1

    def __init__(self, zh: str, en: str) -> None:
        self.message = Message(zh, en)
        super().__init__(en)


class UsageError(ZhixinError):
    """The command was given something it cannot use."""

    code = "usage"
    exit_status = 10


class RulebookError(ZhixinError):
    """A rulebook is wrong. ``faults`` holds all of them, in file order."""

    code = "rulebook"
    exit_status = 11

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        count = len(self.faults)
        super().__init__(f"规则文件有 {count} 处错误", f"the rulebook has {count} fault(s)")
        self.args = ("\n".join(fault.sentence("en") for fault in self.faults),)


class CaseFailure(ZhixinError):
    """Cases of a rulebook do not come out as written."""

    code = "case"
    exit_status = 12


class DatasetError(ZhixinError):
    """A dataset cannot be read at all."""

    code = "dataset"
    exit_status = 13


class WeightingRefused(ZhixinError):
    """Judgements are too inconsistent to be turned into weights."""

    code = "weighting"
    exit_status = 14


class EngineError(ZhixinError):
    """An evaluation engine is missing or failed."""

    code = "engine"
    exit_status = 15


class TooLarge(EngineError):
    """A sum or product of an evaluation does not fit 64 bits."""


class LedgerError(ZhixinError):
    """The ledger does not hold: an entry, a proof, a signature or a checkpoint is refused."""

    code = "ledger"
    exit_status = 16


class LedgerUnreadable(LedgerError):
    """What was given to be checked is cut, malformed or ambiguous: nothing can be said of the ledger."""

    code = "ledger.unreadable"
    exit_status = 17


class DrawRefused(ZhixinError):
    """A draw is refused, or a published draw does not follow from what was committed; ``reasons`` holds all of it."""

    code = "draw"
    exit_status = 18

    def __init__(self, reasons: Sequence[Message]) -> None:
        self.reasons = tuple(
            Message(*("".join(char if char.isprintable() else "�" for char in text) for text in item)) for item in reasons
        )
        super().__init__("；".join(item.zh for item in self.reasons), "; ".join(item.en for item in self.reasons))
