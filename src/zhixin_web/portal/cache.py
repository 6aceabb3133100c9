"""A small cache before Django for public pages: same address, language and view give the same bytes for some seconds.

What is withdrawn must be gone from every public path within 60 seconds, so a copy is never kept longer than
``PUBLIC_SECONDS`` (at most 30), and ``max-age`` tells others only what is left of that.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
MOST_PAGES = 4_000
LARGEST_PAGE = 512 * 1024
PREFERENCES = ("django_language", "view")


class PublicCache:
    """Serves responses that say ``Cache-Control: public`` again until they expire."""

    def __init__(self, application: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self.application = application
        self.pages: OrderedDict[tuple[str, ...], tuple[float, str, list[tuple[str, str]], bytes]] = OrderedDict()
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
        wanted: tuple[str, ...] = ()
        if cookie:
            try:
                jar = SimpleCookie(cookie)
                wanted = tuple(jar[name].value[:12] if name in jar else "" for name in PREFERENCES)
            except CookieError:
                pass
        return environ["PATH_INFO"], environ.get("QUERY_STRING", ""), environ.get("HTTP_HOST", ""), *wanted

    def _fetch(self, key: tuple[str, ...], environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen: dict[str, Any] = {}

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
                self.pages[key] = (time.monotonic() + seconds, seen["status"], kept, body)
                while len(self.pages) > MOST_PAGES:
                    self.pages.popitem(last=False)
        return [body]


def _public_seconds(status: str, headers: list[tuple[str, str]]) -> int:
    """How long a response may be kept; 0: not at all. A response that sets a cookie never is."""
    found = 0
    for name, value in headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            return 0
        if lowered == "cache-control" and value.startswith("public, max-age="):
            found = int(value.removeprefix("public, max-age="))
    return found if status.startswith("200") else 0
