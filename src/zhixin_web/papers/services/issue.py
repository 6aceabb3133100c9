"""Issues papers: renders what it is given and keeps the file. The same content always gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils import timezone

from zhixin_web.papers.fonts import SANS, choose
from zhixin_web.papers.models import Paper

AUTHORITY = "郑州市市场监督管理局"
LAYOUTS = Path(__file__).parents[1] / "layouts"
KINDS = {
    "credit_report": "XY",
    "own_report": "ZX",
    "rules": "BF",
    "case": "BJ",
    "visit": "JC",
    "progress": "JD",
    "commitment": "CN",
}
CONTENT_TYPES = {"pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}


def content_hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def code_of(kind: str, content_sha256: str, day: date) -> str:
    """Twelve characters that follow from what a paper says and the day it says it."""
    digest = hashlib.sha256(f"{kind}|{content_sha256}|{day}".encode()).digest()
    return base64.b32encode(digest)[:12].decode().replace("I", "8").replace("O", "9")


def day_in_words(day: date) -> str:
    """Write a day as papers do."""
    return f"{day.year}年{day.month}月{day.day}日"


def qr_picture(address: str) -> str:
    """Draw an address as a QR code (SVG)."""
    picture = io.BytesIO()
    segno.make(address, error="m").save(picture, kind="svg", scale=4, border=1)
    return picture.getvalue().decode()


def paper_frame(code: str, day: date) -> dict[str, Any]:
    """Return what surrounds a paper that an authority issues: its name, the day, the address to verify it at, marks of a demonstration.

    Raises:
        FontMissing: no Chinese font is installed.
    """
    address = f"{settings.SITE_ADDRESS}/v/{code}"
    return {
        "authority": AUTHORITY + ("（演示）" if settings.DEMO else ""), "date": [day.year, day.month, day.day], "day": day_in_words(day),
        "fonts": choose(SANS), "qr": qr_picture(address), "address": address, "watermark": "演示数据" if settings.DEMO else "",
        "demo": "演示数据：企业与违法记录均为虚构" if settings.DEMO else "",
    }  # fmt: skip


def compile_layout(layout: str, data: dict[str, Any]) -> bytes:
    """Compile a layout to PDF/A-2b; timestamp and input decide every byte."""
    made = typst.compile(
        (LAYOUTS / layout).read_bytes(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["a-2b"],
        timestamp=0,
    )
    assert isinstance(made, bytes)
    return made


_USUAL = re.compile(
    "[\\n -~\\u00a0-\\u00ff\\u2010-\\u2027\\u2030-\\u205e\\u2460-\\u2473\\u3000-\\u3017\\u4e00-\\u9fff\\uff01-\\uff5e]"
)
"""Characters that every Chinese font has."""


def compile_shown(layout: str, data: dict[str, Any]) -> bytes:
    """Compile a paper; characters that no installed font has are written as their code points (〔U+3134A〕)."""
    try:
        return compile_layout(layout, data)
    except typst.TypstError:
        shown = {key: _spelled(value) for key, value in data.items() if key not in ("qr", "fonts", "date", "signatures")}
        return compile_layout(layout, data | shown)


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if not isinstance(value, str):
        return value
    return "".join(char if _USUAL.fullmatch(char) else f"〔U+{ord(char):04X}〕" for char in value)


def register_paper(
    code: str,
    kind: Paper.Kind,
    day: date,
    content_sha256: str,
    file_sha256: str,
    *,
    subject_id: int | None = None,
    number: str = "",
) -> Paper:
    """Enter an issued paper under its code, so that it can be verified; entered once, however often it is made."""
    values = {
        "kind": kind,
        "number": number or number_of(kind, code, day),
        "subject_id": subject_id,
        "as_of": day,
        "content_sha256": content_sha256,
        "file_sha256": file_sha256,
    }
    return Paper.objects.get_or_create(code=code, defaults=values)[0]


def issue_paper(
    kind: Paper.Kind, layout: str, content: dict[str, Any], day: date, *, number: str, subject_id: int | None = None,
    shown: dict[str, Any] | None = None,
) -> Paper:  # fmt: skip
    """Render a paper, keep its file and enter it under its code, in the caller's transaction.

    Args:
        kind: of the paper.
        layout: file of the layout.
        content: what the paper says; its code follows from it.
        day: of issue.
        number: as printed on it.
        subject_id: whom it is about.
        shown: what the layout needs beside the content (labels, pictures).

    Raises:
        FontMissing: no Chinese font is installed.
    """
    content_sha256 = content_hash(content)
    code = code_of(kind, content_sha256, day)
    file = compile_shown(layout, content | paper_frame(code, day) | (shown or {}))
    keep_file(code, file)
    file_sha256 = hashlib.sha256(file).hexdigest()
    return register_paper(code, kind, day, content_sha256, file_sha256, subject_id=subject_id, number=number)


def withdraw_issued(code: str, why: str) -> None:
    """Mark an issued paper as withdrawn: its verification says so from now on."""
    Paper.objects.filter(pk=code).update(withdrawn_at=timezone.now(), withdrawn_why=why[:200])


def number_of(kind: str, code: str, day: date) -> str:
    """Return the number that is printed on a paper."""
    return f"{KINDS[kind]}-{day:%Y%m%d}-{code}"


def _path(code: str) -> Path:
    return Path(settings.VAR) / "papers" / f"{code}.pdf"


def kept_file(code: str, file_sha256: str) -> bytes | None:
    """The kept file of a paper, if it is still what was issued."""
    path = _path(code)
    content = path.read_bytes() if path.is_file() else b""
    return content if hashlib.sha256(content).hexdigest() == file_sha256 else None


def keep_file(code: str, content: bytes) -> None:
    path = _path(code)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
