"""A small cache before Django for public pages: same address, language and view give the same bytes for some seconds.

What is withdrawn must be gone from every public path within 60 seconds, so a copy is never kept longer than
``PUBLIC_SECONDS`` (at most 30), and ``max-age`` tells others only what is left of that.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import parse_cookie

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
MOST_PAGES = 4_000
LARGEST_PAGE = 512 * 1024
MOST_BYTES = 64 * 1024 * 1024
PREFERENCES = ("django_language", "view")


class PublicCache:
    """Serves responses that say ``Cache-Control: public`` again until they expire."""

    def __init__(self, application: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self.application = application
        self.pages: OrderedDict[tuple[str, ...], tuple[float, str, list[tuple[str, str]], bytes]] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"].startswith(("/c/", "/api/")):
            return self.application(environ, start_response)
        key = self._key(environ)
        held = self.pages.get(key)
        now = time.monotonic()
        if held is not None and held[0] > now:
            expires, status, headers, body = held
            start_response(status, [*headers, ("Cache-Control", f"public, max-age={int(expires - now)}")])
            return [body]
        return self._fetch(key, environ, start_response)

    @staticmethod
    def _key(environ: Environ) -> tuple[str, ...]:
        cookie = environ.get("HTTP_COOKIE", "")
        jar = parse_cookie(cookie) if cookie else {}  # as Django reads it, or two visitors would share a page by mistake
        wanted = tuple(jar.get(name, "")[:12] for name in PREFERENCES)
        return environ["PATH_INFO"], environ.get("QUERY_STRING", ""), environ.get("HTTP_HOST", ""), *wanted

    def _fetch(self, key: tuple[str, ...], environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen: dict[str, Any] = {}
        started_at = time.monotonic()  # a copy is as old as the moment its data was read, not as its last byte

        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen["status"], seen["headers"] = status, headers
            return start_response(status, headers, exc_info)

        parts = self.application(environ, started)
        headers = seen.get("headers", [])
        seconds = _public_seconds(seen.get("status", ""), headers)
        if not seconds or not isinstance(parts, Iterable):
            return parts
        body = b"".join(parts)
        close = getattr(parts, "close", None)
        if close is not None:
            close()
        if len(body) <= LARGEST_PAGE:
            kept = [(name, value) for name, value in headers if name.lower() != "cache-control"]
            with self.lock:
                self._put(key, (started_at + seconds, seen["status"], kept, body))
        return [body]

    def _put(self, key: tuple[str, ...], page: tuple[float, str, list[tuple[str, str]], bytes]) -> None:
        """Keep a page; the oldest go when there are too many or they are too large together."""
        held = self.pages.pop(key, None)
        self.bytes += len(page[3]) - (len(held[3]) if held else 0)
        self.pages[key] = page
        while len(self.pages) > MOST_PAGES or self.bytes > MOST_BYTES:
            _key, gone = self.pages.popitem(last=False)
            self.bytes -= len(gone[3])


def _public_seconds(status: str, headers: list[tuple[str, str]]) -> int:
    """How long a response may be kept; 0: not at all. A response that sets a cookie never is."""
    found = 0
    for name, value in headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            return 0
        if lowered == "cache-control":
            directives = {part.strip().lower() for part in value.split(",")}
            if directives & {"private", "no-store", "no-cache"} or "public" not in directives:
                return 0
            ages = [part.removeprefix("max-age=") for part in directives if part.startswith("max-age=")]
            found = min([int(age) for age in ages if age.isdigit()], default=0)
    return min(found, settings.PUBLIC_SECONDS) if status.startswith("200") else 0
