"""The language of the page."""

from django.utils.translation import get_language


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def language_code() -> str:
    """``zh`` or ``en``, as the library's words are keyed."""
    return "en" if in_english() else "zh"
