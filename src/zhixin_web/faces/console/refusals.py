"""How a page of the console says that an act was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest


@contextmanager
def refusals_shown(request: HttpRequest, denied: str = "") -> Iterator[None]:
    """Turn the reasons of a refused act into messages of the next page; what follows the block answers the request.

    ``denied`` is said where another person has to act; without it a missing permission stays a 403.
    """
    try:
        yield
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
    except PermissionDenied:
        if not denied:
            raise
        messages.error(request, denied)
