"""A delivery that cannot be used at all, and a question that a person has to answer first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zhixin.errors import DatasetError, Message


class FileRefused(DatasetError):
    """A delivery that cannot be used as it is; ``rule`` is stable, ``remedy`` says what to do."""

    def __init__(self, rule: str, zh: str, en: str, fix_zh: str, fix_en: str) -> None:
        super().__init__(zh, en)
        self.rule, self.remedy = rule, Message(fix_zh, fix_en)

    def as_json(self) -> dict[str, str]:
        """Return the refusal as it is stored and shown."""
        return {
            "rule": self.rule,
            "zh": self.message.zh,
            "en": self.message.en,
            "fix_zh": self.remedy.zh,
            "fix_en": self.remedy.en,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, str]) -> FileRefused:
        """Return the refusal that :meth:`as_json` wrote."""
        return cls(*(content[name] for name in ("rule", "zh", "en", "fix_zh", "fix_en")))


@dataclass(frozen=True)
class Question:
    """What a person must say before the rows of a file can be understood.

    ``id``: ``unit:<field>`` (yuan per unit of the column), ``columns`` (which column is what) or ``delimiter``.
    """

    id: str
    zh: str
    en: str
    choices: tuple[tuple[str, str, str], ...] = ()
    """Value, Chinese and English words."""

    def as_json(self) -> dict[str, Any]:
        """Return the question as it is stored and shown."""
        return asdict(self)


def empty_file() -> FileRefused:
    """Return the refusal of a file without a row."""
    return FileRefused(
        "file.empty", "文件是空的", "the file is empty", "检查导出是否成功后重新提交", "check the export and deliver again"
    )


def broken_file(error: Exception) -> FileRefused:
    """Return the refusal of a workbook that is cut off, damaged or locked."""
    return FileRefused(
        "file.broken", f"工作簿不完整或有密码（{error}）", f"the workbook is not whole, or it has a password ({error})",
        "文件可能没有传完；去掉密码，重新导出并提交", "it may have been cut off: remove the password, export and deliver it again",
    )  # fmt: skip
