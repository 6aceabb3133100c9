"""Says what an attachment is, in a process of its own: ``python -m zhixin_web.received.kind_of_file FILE`` prints one line of JSON.

Taken are PDF, JPEG and PNG whose whole content can be read. A PDF that acts (scripts, launches, embedded files, forms with a
program) or needs a password is refused, and a picture of more pixels than a camera makes.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from zhixin.dataset.delivery.own_process import limit_this_process

SECONDS, MEMORY = 20, 2 * 1024**3
MOST_PIXELS = 80_000_000
MOST_PAGES = 500
MOST_OBJECTS = 200_000
ACTIVE = frozenset(
    [
        "/JS",
        "/JavaScript",
        "/Launch",
        "/EmbeddedFile",
        "/EmbeddedFiles",
        "/EF",
        "/AF",
        "/FileAttachment",
        "/RichMedia",
        "/RichMediaExecute",
        "/XFA",
        "/ImportData",
        "/SubmitForm",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/3D",
        "/OnInstantiate",
        "/AA",
    ]
)
"""Keys, types and actions of what runs, sends, opens or carries something; ``/AA`` acts by itself, whatever it does."""
KINDS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
"""Formats as Pillow names them; MPO is what phones call a JPEG with a preview behind it."""


class _Refused(Exception):
    """A reason out of those that :mod:`zhixin_web.received.store` puts into words."""


def kind_of(path: Path) -> str:
    """Return the media type of a file.

    Raises:
        _Refused: it is none of the kinds taken, broken, locked, active or too large.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if head.startswith(b"%PDF-"):
        _check_pdf(path)
        return "application/pdf"
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _checked_picture(path)
    raise _Refused("kind")


def _check_pdf(path: Path) -> None:
    from pypdf import PdfReader

    doubts = _Doubts()
    logging.getLogger("pypdf").addHandler(doubts)
    logging.getLogger("pypdf").propagate = False
    with path.open("rb") as file:
        try:
            reader = PdfReader(file, strict=False)
            if reader.is_encrypted:
                raise _Refused("locked")
            if not 1 <= len(reader.pages) <= MOST_PAGES:
                raise _Refused("pages")
            _refuse_active(reader)
            if doubts.is_ambiguous:
                raise _Refused("active")
        except _Refused:
            raise
        except Exception as error:  # whatever a reader raises on a hostile file
            raise _Refused("broken") from error


class _Doubts(logging.Handler):
    """Listens for keys that stand twice in one dictionary: other readers may take the other one."""

    is_ambiguous = False

    def emit(self, record: logging.LogRecord) -> None:
        self.is_ambiguous |= "Multiple definitions" in record.getMessage()


def _refuse_active(reader: Any) -> None:
    """Look at every object that can be reached, once; nothing but a jump within the file may happen by itself."""
    opens = reader.trailer["/Root"].get("/OpenAction")
    opens = opens.get_object() if opens is not None else None
    if isinstance(opens, dict) and str(opens.get("/S")) != "/GoTo":
        raise _Refused("active")
    seen: set[int] = set()
    waiting: list[Any] = [reader.trailer]
    while waiting:
        found = waiting.pop()
        if type(found).__name__ == "IndirectObject":
            if found.idnum in seen:
                continue
            seen.add(found.idnum)
            if len(seen) > MOST_OBJECTS:
                raise _Refused("large")
            found = found.get_object()
        if isinstance(found, dict):
            if _names_in(found) & ACTIVE or (
                hasattr(found, "get_data") and "/F" in found
            ):  # a stream whose content lies elsewhere
                raise _Refused("active")
            waiting.extend(_raw_values(found))
        elif isinstance(found, list):
            waiting.extend(list.__iter__(found))


def _raw_values(found: Any) -> list[Any]:
    """Return what a dictionary holds, without following references."""
    return [found.raw_get(name) for name in found]


def _names_in(found: Any) -> set[str]:
    """Return the keys of a dictionary, and what it says it is."""
    return {str(name) for name in found} | {
        str(found.raw_get(name)) for name in ("/S", "/Type", "/Subtype") if name in found
    }


def _checked_picture(path: Path) -> str:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise _Refused("large")
            picture.load()
            return KINDS[str(picture.format)]
    except _Refused:
        raise
    except Exception as error:  # whatever a decoder raises on a hostile file
        raise _Refused("broken") from error


if __name__ == "__main__":
    limit_this_process(MEMORY, SECONDS)
    try:
        print(json.dumps({"kind": kind_of(Path(sys.argv[1]))}))  # noqa: T201
    except _Refused as refused:
        print(json.dumps({"refused": str(refused)}))  # noqa: T201
