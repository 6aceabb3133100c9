"""Opens a delivery for a source, and says why its rows may not be taken in without a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from zhixin.dataset.delivery.layout import Layout, find_layout, score_of
from zhixin.dataset.delivery.rows import RowChecker
from zhixin.dataset.delivery.table import DeliveredTable, open_table
from zhixin.dataset.sources import SourceManifest
from zhixin.errors import Message

SHARE_REFUSED = 0.5


def open_delivery(
    path: Path,
    manifest: SourceManifest,
    remembered: Mapping[str, str] | None = None,
    answers: Mapping[str, str] | None = None,
) -> tuple[DeliveredTable, Layout]:
    """Open a file that was delivered for a source.

    Args:
        path: its suffix is the one that fits its bytes.
        manifest: the source.
        remembered: header → field, as a person mapped it.
        answers: question → answer, as a person gave it.

    Raises:
        FileRefused: it cannot be used as it is.
    """
    table = open_table(path, score_of(manifest, remembered or {}), (answers or {}).get("delimiter"))
    return table, find_layout(table, manifest, remembered or {}, answers or {})


def why_held(manifest: SourceManifest, checker: RowChecker, rows: int, rules: Counter[str]) -> Message | None:
    """Return why a checked delivery waits for a person; ``None``: nothing speaks against taking it in.

    Args:
        manifest: the source.
        checker: after its last row.
        rows: data rows of the delivery.
        rules: by rule, how many of them would go to quarantine.
    """
    if checker.looks_shifted:
        return Message(
            f"{checker.differing} 行的名称与代码不属于同一主体，列可能错位（例如只对一列排了序）",
            f"in {checker.differing} rows the name is not that of the code: a column may have been shifted (sorted alone)",
        )
    often = "、".join(f"{rule} × {count}" for rule, count in rules.most_common(3))
    most = Message(f"（{often}）", f" ({often})") if often else Message("", "")
    refused = rules.total()
    if rows and refused > SHARE_REFUSED * rows:
        return Message(
            f"{rows} 行中有 {refused} 行不能入库，整批可能有误{most.zh}",
            f"{refused} of {rows} rows are refused: the whole delivery may be wrong{most.en}",
        )
    low, high = manifest.expected_rows
    if rows == 0 or not low <= rows <= high:
        return Message(
            f"本批 {rows} 行，预期每批 {low} 至 {high} 行", f"{rows} rows, where {low} to {high} are expected of a delivery"
        )
    return None
