"""What tables of reference data and source manifests have in common: closed entries and words in two languages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """An entry of a YAML table; a field that it does not declare is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Entry):
    """A text in both languages."""

    zh: str
    en: str
