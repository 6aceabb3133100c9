"""The language of the page."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import get_language


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def language_code() -> str:
    """``zh`` or ``en``, as the library's words are keyed."""
    return "en" if in_english() else "zh"


class LanguageByChoice:
    """Chinese first, another language only by the visitor's own switch: what a browser prefers does not decide."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.setdefault("Content-Language", "en" if language == "en" else "zh-CN")
        return response
