"""Cells for files that a spreadsheet may open."""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"^[\s\u200b\u200c\u200d\u2060\ufeff]*[=+\-@＝＋－＠\t\r\n]")


def safe_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, in whatever width its first sign is written."""
    text = "" if value is None else str(value)
    return "'" + text if _FORMULA.match(text) else text


class Lines:
    """A file that returns each line written to it, so that a table is streamed, never held whole."""

    def write(self, text: str) -> str:
        return text
