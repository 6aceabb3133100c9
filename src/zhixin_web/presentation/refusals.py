"""How a page of the console says that an act was refused."""

from __future__ import annotations

from types import TracebackType

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest


def faults_by_field(error: ValidationError) -> dict[str, list[str]]:
    """Return what was refused by the name of its field; under ``""`` what belongs to none."""
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


class refusals_shown:
    """Turn the reasons of a refused act into messages of the next page; what follows the block answers the request.

    ``denied`` is said where another person has to act; without it a missing permission stays a 403.
    """

    def __init__(self, request: HttpRequest, denied: str = "") -> None:
        self.request, self.denied = request, denied

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, ValidationError):
            for text in error.messages:
                messages.error(self.request, text)
            return True
        if isinstance(error, PermissionDenied) and self.denied:
            messages.error(self.request, self.denied)
            return True
        return False
