"""A delivery that cannot be used at all."""

from __future__ import annotations

from zhixin.errors import DatasetError, Message


class FileRefused(DatasetError):
    """A delivery that cannot be used as it is; ``rule`` is stable, ``remedy`` says what to do."""

    def __init__(self, rule: str, zh: str, en: str, fix_zh: str, fix_en: str) -> None:
        super().__init__(zh, en)
        self.rule, self.remedy = rule, Message(fix_zh, fix_en)

    def as_json(self) -> dict[str, str]:
        return {
            "rule": self.rule,
            "zh": self.message.zh,
            "en": self.message.en,
            "fix_zh": self.remedy.zh,
            "fix_en": self.remedy.en,
        }
