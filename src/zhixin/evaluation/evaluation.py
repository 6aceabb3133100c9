"""What an evaluation of one subject gives: its grade, its score, its contributions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contribution:
    """What one indicator (or an adjustment, ``@…``) gave. ``record_nos`` are positions in the records table."""

    indicator: str
    value_num: int | None
    value_den: int | None
    points_milli: int
    uncapped_milli: int | None = None
    record_nos: tuple[int, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """The result of one subject: ``start + implied + sum of contributions == score``, in thousandths."""

    subject_id: str
    class_mask: int
    start_milli: int
    implied_milli: int
    score_milli: int
    ladder_grade: str
    grade: str
    step: str
    acted: str
    contributions: tuple[Contribution, ...]
