"""Pages of a list by position: fixed size, no count over the whole table where it is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

SIZE = 50
MOST_PAGES = 2_000


@dataclass(frozen=True)
class Page:
    """One page: its items and links; ``query`` is the rest of the address."""

    items: Sequence[Any]
    number: int
    has_more: bool
    query: str

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def following(self) -> int:
        return self.number + 1


def page_of(request: HttpRequest, rows: Any, size: int = SIZE) -> Page:
    """The page that ``?page=`` asks for; nonsense gives the first."""
    text = request.GET.get("page", "1")
    number = min(max(int(text), 1), MOST_PAGES) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    items = list(rows[(number - 1) * size : number * size + 1])
    rest = request.GET.copy()
    rest.pop("page", None)
    return Page(items[:size], number, len(items) > size, rest.urlencode())
