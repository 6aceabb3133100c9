"""The law as the site applies it: what the released rulebooks in force on a day say.

Titles, letters, terms of publication and repair, and deadlines are read here and nowhere else. The public rulebook comes
first; the others in force (an internal risk class, the rules of a sector) add the kinds and classes that only they know.
Where nothing is released nothing has a term: without a rule nothing is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.catalogue import CatalogueSource, Deadline, RecordKind
from zhixin.law.nodes import Basis, Dated, Text, number_on
from zhixin.law.publicity_and_repair import Publication, publication_of, repair_from, severity_of, terms_of
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import LadderGrade, SubjectClass
from zhixin.law.vocabulary import Severity, Visibility
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.queries import rulebook_by_pk


@dataclass(frozen=True)
class TermSource:
    """Where a number comes from, as a page shows it: the document's title, its number and the article."""

    title: Text
    number: str
    article: str
    is_verified: bool


@dataclass(frozen=True)
class LawInForce:
    """The rulebooks in force on a day: primary keys of their releases with the rulebooks, the public one first."""

    day: date
    releases: tuple[tuple[int, Rulebook], ...]

    @property
    def rulebook(self) -> Rulebook | None:
        """The public rulebook, if one is in force."""
        found = self.releases[0][1] if self.releases else None
        return found if found is not None and found.visibility.grade is Visibility.PUBLIC else None

    @cached_property
    def kinds(self) -> dict[str, tuple[RecordKind, Rulebook]]:
        """Record kinds by id, each with the rulebook whose terms it follows."""
        found: dict[str, tuple[RecordKind, Rulebook]] = {}
        for _pk, rulebook in self.releases:
            for kind in rulebook.catalogue:
                found.setdefault(kind.id, (kind, rulebook))
        return found

    @cached_property
    def sources(self) -> dict[str, tuple[CatalogueSource, Rulebook]]:
        """Sources by id, each with the rulebook that governs it."""
        found: dict[str, tuple[CatalogueSource, Rulebook]] = {}
        for _pk, rulebook in self.releases:
            for item in rulebook.sources:
                found.setdefault(item.id, (item, rulebook))
        return found

    def source_basis(self, name: str) -> list[TermSource]:
        """Return the documents that the collection of a source rests on."""
        found = self.sources.get(name)
        if found is None:
            return []
        source, rulebook = found
        return [self._source(rulebook, item.document, item.article, item.verified) for item in source.basis]

    @cached_property
    def classes(self) -> dict[str, SubjectClass]:
        """Classes of subjects by id."""
        found: dict[str, SubjectClass] = {}
        for _pk, rulebook in self.releases:
            for item in rulebook.classes:
                found.setdefault(item.id, item)
        return found

    @cached_property
    def ladder(self) -> tuple[LadderGrade, ...]:
        """The public grades of the day, best first."""
        return self.rulebook.ladder_on(self.day) if self.rulebook is not None else ()

    @cached_property
    def grade_titles(self) -> dict[str, Text]:
        """Titles of the grades of every rulebook in force, the side grades among them."""
        found: dict[str, Text] = {}
        for _pk, rulebook in self.releases:
            titles = [(item.id, item.title) for item in rulebook.ladder]
            titles += [(item.id, item.title) for item in rulebook.side_grades]
            for name, title in titles:
                found.setdefault(name, title)
        return found

    @cached_property
    def grade_places(self) -> dict[str, tuple[int, int]]:
        """Place of each grade in its ladder, 0 the best, and the length of that ladder."""
        found: dict[str, tuple[int, int]] = {}
        for _pk, rulebook in self.releases:
            ladder = rulebook.ladder_on(self.day)
            for place, item in enumerate(ladder):
                found.setdefault(item.id, (place, len(ladder)))
        return found

    # --- terms of a record ---

    def severity(self, kind: str, stated: str | None) -> str | None:
        """Return the class of a record of dishonesty; ``None`` where the kind is none, or no rule names it."""
        found = self.kinds.get(kind)
        severity = severity_of(found[1], kind, stated) if found else None
        return None if severity is None else severity.value

    def publication(self, kind: str, stated: str | None, decided_on: date, published_on: date | None) -> Publication | None:
        """Return when a record is published, see :func:`zhixin.law.publicity_and_repair.publication_of`."""
        found = self.kinds.get(kind)
        return publication_of(found[1], kind, stated, decided_on, published_on) if found else None

    def repair_from(self, kind: str, stated: str | None, decided_on: date) -> date | None:
        """Return the first day on which a record may be repaired, see :func:`zhixin.law.publicity_and_repair.repair_from`."""
        found = self.kinds.get(kind)
        return repair_from(found[1], kind, stated, decided_on) if found else None

    def term_sources(self, kind: str, severity: str | None, decided_on: date) -> list[TermSource]:
        """Return the documents that the terms of a record rest on, for the page that shows them."""
        found = self.kinds.get(kind)
        if found is None or severity is None:
            return []
        record_kind, rulebook = found
        terms = terms_of(rulebook, Severity(severity))
        publicity = record_kind.publicity or (terms.publicity if terms is not None else None)
        sources = []
        for number in (publicity.max_months, publicity.min_months) if publicity is not None else ():
            if isinstance(number, Dated) and (started := [day for day in number.values if day <= decided_on]):
                value = number.values[max(started)]
                sources.append(self._source(rulebook, value.document, value.article, value.verified))
        if not sources and terms is not None:
            sources = [self._source(rulebook, item.document, item.article, item.verified) for item in terms.basis]
        return list(dict.fromkeys(sources))

    def _source(self, rulebook: Rulebook, document: str, article: str | None, is_verified: bool) -> TermSource:
        found = rulebook.documents.get(document)
        title = found.title if found is not None else Text(zh=document, en=document)
        return TermSource(title, (found.number or "") if found is not None else "", article or "", is_verified)

    # --- deadlines ---

    def deadline(self, name: str) -> tuple[Deadline, int, TermSource]:
        """Return a deadline, its term as in force, and what it rests on.

        Raises:
            ValidationError: no rulebook in force sets it.
        """
        for _pk, rulebook in self.releases:
            for item in rulebook.deadlines:
                days = number_on(item.term, self.day)
                if item.id == name and days is not None:
                    basis = item.basis[0] if item.basis else Basis(document=rulebook.id, verified=False)
                    return item, days, self._source(rulebook, basis.document, basis.article, basis.verified)
        raise ValidationError(_("没有生效的规则规定「%(name)s」的期限；请先发布规则") % {"name": name})


_MEMO: ContextVar[dict[date, LawInForce] | None] = ContextVar("law_in_force", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Ask the database once for the rulebooks in force, for the length of a request or of a batch."""
    token = _MEMO.set({})
    try:
        yield
    finally:
        _MEMO.reset(token)


def law_in_force(day: date | None = None) -> LawInForce:
    """Return the law of a day, today by default: the newest released version of each rulebook that is in force."""
    day = day or timezone.localdate()
    memo = _MEMO.get()
    if memo is not None and day in memo:
        return memo[day]
    law = _law(day, _releases_in_force(day))
    if memo is not None:
        memo[day] = law
    return law


def _releases_in_force(day: date) -> tuple[tuple[int, str], ...]:
    """Key and hash of the newest release of each rulebook on a day, the newest of them first."""
    released = RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED, effective_from__lte=day)
    rows = released.order_by("-effective_from", "-approved_at", "-pk").values_list("rulebook_id", "pk", "sha256")
    newest: dict[str, tuple[int, str]] = {}
    for name, pk, sha256 in rows:
        newest.setdefault(name, (pk, sha256))
    return tuple(newest.values())


@lru_cache(maxsize=16)
def _law(day: date, releases: tuple[tuple[int, str], ...]) -> LawInForce:
    books = [(pk, rulebook_by_pk(pk)) for pk, _sha256 in releases]
    covering = [(pk, book) for pk, book in books if book.effective.covers(day)]
    return LawInForce(day, tuple(sorted(covering, key=lambda item: item[1].visibility.grade is not Visibility.PUBLIC)))
