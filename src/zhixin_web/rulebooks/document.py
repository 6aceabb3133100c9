"""The 办法 as a document: a rulebook's articles as Word and PDF."""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.metadata import version
from typing import Any

from zhixin.explanation.articles import Article, articles, chinese_number
from zhixin.law.rulebook import Rulebook
from zhixin_web.papers.fonts import FANGSONG, HEI, KAI, SONG, TITLE, choose
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import CONTENT_TYPES, code_of, compile_layout, content_hash, register_paper


def chapters_of(parts: list[Article]) -> list[dict[str, Any]]:
    """Articles by chapter, numbered as a 办法 is: 第一章, 第一条, （一）."""
    chapters: list[dict[str, Any]] = []
    numerals = "一二三四五六七八九十"
    for item in parts:
        if not chapters or chapters[-1]["name"] != item.chapter:
            chapters.append(
                {"name": item.chapter, "title": f"第{numerals[len(chapters)]}章　{item.chapter}", "articles": []}
            )
        lines = (
            [f"（{_numeral(number)}）{line}" for number, line in enumerate(item.lines, 1)]
            if len(item.lines) > 1
            else list(item.lines)
        )
        chapters[-1]["articles"].append({"number": item.numeral, "title": item.title, "lines": lines})
    return chapters


def _numeral(number: int) -> str:
    return chinese_number(number) if number < 100 else str(number)


def rules_document(rulebook: Rulebook, form: str, verify: str, day: date) -> tuple[str, str, bytes]:
    """The 办法 of a rulebook: file name, content type, bytes.

    Args:
        rulebook: as released.
        form: ``pdf`` or ``docx``.
        verify: address of the verification page.
        day: the day it is in force from.

    Raises:
        FontMissing: a PDF is asked for and no Chinese font is installed.
    """
    data: dict[str, Any] = {
        "title": rulebook.title.zh, "subtitle": rulebook.document, "chapters": chapters_of(articles(rulebook, "zh")),
        "authority": rulebook.authority.zh, "day": f"{day.year}年{day.month}月{day.day}日", "date": [day.year, day.month, day.day],
        "footer": f"本文本由评价规则生成，规则 SHA-256：{rulebook.sha256}。标注“未核对”的内容尚未与正式文本逐字核对。验证：{verify}",
    }  # fmt: skip
    if form == "pdf":
        data["fonts"] = {
            "fangsong": choose(FANGSONG, SONG), "kai": choose(KAI, SONG), "hei": choose(HEI), "song": choose(SONG), "title": choose(TITLE, SONG),
        }  # fmt: skip
    code = code_of(f"rules.{form}", content_hash(data | {"typst": version("typst")}), day)
    data["footer"] += code
    content = _word(data) if form == "docx" else compile_layout("rules.typ", data)
    register_paper(code, Paper.Kind.RULES, day, rulebook.sha256, hashlib.sha256(content).hexdigest())
    return f"{rulebook.id}-{rulebook.sha256[:12]}.{form}", CONTENT_TYPES[form], content


def _word(data: dict[str, Any]) -> bytes:
    from zhixin_web.papers.word import rules_docx  # the writer of Word files is slow to import

    return rules_docx(data)
