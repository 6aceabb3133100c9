"""Texts of credit commitments (信用承诺书): what is promised, for how long, on what basis, and the term to put a breach right."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from zhixin.reference.entries import Entry, Words
from zhixin.reference.inspection_items import Ground

HERE = files("zhixin.reference")


class Promise(Words):
    """One thing promised; ``within_months`` of the signature, or for as long as the commitment runs."""

    code: str
    within_months: int | None = Field(default=None, gt=0)


class CommitmentForm(Entry):
    """A text that an enterprise may sign.

    ``kind``: ``public`` is offered to the public of its own accord; ``matter`` stands in for papers or conditions of an
    application, which is closed to whom a measure takes the regime of commitments from (不适用信用承诺制).
    """

    code: str
    kind: Literal["public", "matter"]
    title: Words
    months: int = Field(gt=0)
    basis: tuple[Ground, ...] = Field(min_length=1)
    promises: tuple[Promise, ...] = Field(min_length=1)


class DayLimit(Entry):
    """A number of days in force from a day until the next entry of its code."""

    code: Literal["rectify_days"]
    from_: date = Field(alias="from")
    value: int = Field(gt=0)
    unit: Literal["working", "calendar"]
    basis: tuple[Ground, ...]
    note: Words | None = None


class CommitmentForms(Entry):
    """A version of the texts."""

    version: str
    limits: tuple[DayLimit, ...]
    forms: tuple[CommitmentForm, ...]

    def form(self, code: str) -> CommitmentForm | None:
        """Return the text of a code; ``None``: there is none."""
        return next((item for item in self.forms if item.code == code), None)

    def limit(self, code: str, day: date) -> DayLimit:
        """Return the number in force on a day; the earliest one before it."""
        entries = sorted((item for item in self.limits if item.code == code), key=lambda item: item.from_)
        return next((item for item in reversed(entries) if item.from_ <= day), entries[0])


@cache
def commitment_forms() -> CommitmentForms:
    """Return the texts in force."""
    return CommitmentForms.model_validate(yaml.safe_load((HERE / "commitment_forms.yaml").read_text(encoding="utf-8")))
