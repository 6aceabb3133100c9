"""The source manifests in ``sources/*.yaml``: owner, columns, code lists, expected volume."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from zhixin.reference.entries import Entry, Words

RECORD_TARGETS = ("document", "document_on", "occurred_on", "decided_on", "published_on", "valid_until", "corrected_on")
ENGINE_FIELDS = ("amount", "quantity", "code")
TABLES = ("owners",)
"""Files of ``sources/`` that are no manifests."""


class SourceField(Entry):
    """One column of a delivery. ``to`` names the record date, attribute or engine field it fills."""

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    type: Literal[
        "uscc",
        "name",
        "text",
        "patent_number",
        "trademark_number",
        "date",
        "date_or_open",
        "integer",
        "money",
        "money_wan",
        "boolean",
        "category",
        "set",
        "district",
    ]
    required: bool = False
    values: dict[str, str] = {}
    to: str | None = None
    personal: bool = False
    max_length: int = 2000
    usual: tuple[int, int] | None = None
    """Yuan between which amounts usually lie; beyond them a bare number is asked for its unit."""
    stated_in: str | None = None
    """The text column that holds the same amount in words."""
    not_before: str | None = None
    """The date column that this one may not precede."""
    note: str = ""


class KindBy(Entry):
    field: str
    values: dict[str, str]


class SeverityBy(Entry):
    field: str
    values: dict[str, str]


class Refuse(Entry):
    """Rows that by law are not collected."""

    field: str
    values: tuple[str, ...]
    zh: str
    en: str


class StandingRelease(Entry):
    """A standing order: results that follow from this source's rows are released without a further person.

    Only for an authority's own decided list, which two persons release on its side before it is delivered.
    """

    order: str = Field(min_length=1)
    """The document that gives it."""
    signed_by: tuple[str, str]
    until: date
    """The last day on which it holds."""

    @model_validator(mode="after")
    def _two_persons(self) -> StandingRelease:
        first, second = (name.strip() for name in self.signed_by)
        if not first or not second or first == second:
            raise ValueError("a standing order is signed by two different persons")
        return self

    def holds_on(self, day: date) -> bool:
        return day <= self.until


class SourceManifest(Entry):
    """The layout of one data source (数据来源): who delivers it, which columns it has, what its rows become.

    What the law says of a source (basis, cadence, when it is stale) stands in the rulebook's ``sources`` under its id.
    """

    id: str
    title: Words
    owner: str
    expected_rows: tuple[int, int]
    gives: Literal["subjects", "attributes", "records", "archive"]
    key: tuple[str, ...]
    kind: str | None = None
    kind_by: KindBy | None = None
    severity_by: SeverityBy | None = None
    same_acts_as: str = ""
    """Another source that reports the same acts: one decision that comes through both is one record."""
    made_by_site: bool = False
    """Whether only the site's own decisions give it: no file of anybody else is taken, and no batch is taken back."""
    standing_release: StandingRelease | None = None
    refuse: tuple[Refuse, ...] = ()
    note: Words | None = None
    fields: tuple[SourceField, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> SourceManifest:
        names = [item.id for item in self.fields]
        if len(names) != len(set(names)):
            raise ValueError(f"{self.id}: a field is there twice")
        for name in self.key:
            if name not in names:
                raise ValueError(f"{self.id}: key field {name} is not declared")
        if self.gives in ("records", "archive") and (self.kind is None) == (self.kind_by is None):
            raise ValueError(f"{self.id}: give either kind or kind_by")
        return self

    @property
    def acts(self) -> str:
        """The name under which the acts of this source are counted."""
        return self.same_acts_as or self.id

    def field(self, name: str) -> SourceField:
        return next(item for item in self.fields if item.id == name)

    @property
    def kinds(self) -> tuple[str, ...]:
        if self.kind is not None:
            return (self.kind,)
        return tuple(dict.fromkeys(self.kind_by.values.values())) if self.kind_by else ()

    def choices(self, item: SourceField) -> tuple[str, ...]:
        """The values a column may hold; empty: anything."""
        if self.kind_by is not None and item.id == self.kind_by.field:
            return tuple(self.kind_by.values)
        if self.severity_by is not None and item.id == self.severity_by.field:
            return tuple(self.severity_by.values)
        return tuple(item.values)


def source_folder() -> Path:
    """Where the manifests are: inside an installed package, or in the checkout."""
    inside = Path(__file__).parents[1] / "sources"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "sources"


@cache
def sources() -> dict[str, SourceManifest]:
    """All manifests by id, in order of id."""
    found = {}
    for file in sorted(source_folder().glob("*.yaml")):
        if file.stem not in TABLES:
            manifest = SourceManifest.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
            if manifest.id != file.stem:
                raise ValueError(f"{file}: its id is {manifest.id}")
            found[manifest.id] = manifest
    return found


def determinations() -> SourceManifest:
    """Return the source that determinations of dishonest conduct by this site make."""
    return sources()["determinations"]


@cache
def owners() -> dict[str, Words]:
    """Titles of the owners of sources (``sources/owners.yaml``)."""
    content = yaml.safe_load((source_folder() / "owners.yaml").read_text(encoding="utf-8"))
    return {name: Words.model_validate(words) for name, words in content.items()}


def header_key(text: Any) -> str:
    """A column header without the habits of typing: width, blanks, brackets, case, stars."""
    folded = unicodedata.normalize("NFKC", str(text if text is not None else "")).lower()
    return re.sub(r"[\s()\[\]【】*:：_\-]+", "", folded)


@cache
def header_names(source: str) -> dict[str, str]:
    """Every understood header of a source (as :func:`header_key`) → field."""
    names: dict[str, str] = {}
    for item in sources()[source].fields:
        for text in (item.title, *item.aliases, item.id):
            names.setdefault(header_key(text), item.id)
    return names
