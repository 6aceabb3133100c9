"""One look at the law in force for each request: every tag and query of a page reads the same."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from zhixin_web.rulebooks.law_in_force import remembered


class OneLawPerRequest:
    """Keeps the rulebooks in force for the length of a request."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with remembered():
            return self.answer(request)
