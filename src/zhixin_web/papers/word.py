"""The 办法 as Word in the layout of GB/T 9704-2012: A4, margins 37/35/28/26 mm, 22 lines of 28 characters, 3号仿宋."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

FIXED = datetime(2000, 1, 1)
"""Word files carry times; a fixed one makes the same rules give the same bytes."""
LINE = Pt(28.95)


def rules_docx(data: dict[str, Any]) -> bytes:
    """A Word file from the content of :func:`zhixin_web.papers.services.issue.rules_document`."""
    made = Document()
    made.settings.odd_and_even_pages_header_footer = True
    section = made.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    _grid(section)
    _page_number(section)
    _paragraph(made, data["title"], "方正小标宋简体", 22, WD_ALIGN_PARAGRAPH.CENTER, indent=0)
    if data["subtitle"]:
        _paragraph(made, data["subtitle"], "楷体_GB2312", 16, WD_ALIGN_PARAGRAPH.CENTER, indent=0)
    _paragraph(made, "", "仿宋_GB2312", 16)
    for chapter in data["chapters"]:
        _paragraph(made, chapter["title"], "黑体", 16, WD_ALIGN_PARAGRAPH.CENTER, indent=0)
        for article in chapter["articles"]:
            head = _paragraph(made, article["number"] + "　", "黑体", 16)
            _run(head, article["title"], "楷体_GB2312", 16)
            for line in article["lines"]:
                _paragraph(made, line, "仿宋_GB2312", 16)
    _paragraph(made, "", "仿宋_GB2312", 16)
    for line in (data["authority"], data["day"]):
        last = _paragraph(made, line, "仿宋_GB2312", 16, WD_ALIGN_PARAGRAPH.RIGHT, indent=0)
        last.paragraph_format.right_indent = Pt(64)
    _paragraph(made, data["footer"], "仿宋_GB2312", 10.5, indent=0)
    properties = made.core_properties
    properties.title, properties.author, properties.created, properties.modified = data["title"], "Zhixin", FIXED, FIXED
    buffer = io.BytesIO()
    made.save(buffer)
    return _fixed(buffer.getvalue())


def _paragraph(
    made: Any, text: str, font: str, size: float, align: Any = WD_ALIGN_PARAGRAPH.JUSTIFY, indent: int = 2
) -> Any:
    paragraph = made.add_paragraph()
    shape = paragraph.paragraph_format
    shape.alignment, shape.space_before, shape.space_after = align, Pt(0), Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
    shape.first_line_indent = Pt(size * indent)
    _run(paragraph, text, font, size)
    return paragraph


def _run(paragraph: Any, text: str, font: str, size: float) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), "Times New Roman"
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _grid(section: Any) -> None:
    """22 lines on a page of 225 mm, 28 characters on a line of 156 mm."""
    grid = OxmlElement("w:docGrid")
    for name, value in (("type", "linesAndChars"), ("linePitch", "579"), ("charSpace", "-849")):
        grid.set(qn(f"w:{name}"), value)
    for old in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(old)
    section._sectPr.append(grid)


def _page_number(section: Any) -> None:
    """— 1 — in 4号 at the outer edge: right on odd pages, left on even ones."""
    section.footer_distance = Mm(28)
    for footer, align in ((section.footer, WD_ALIGN_PARAGRAPH.RIGHT), (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT)):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.alignment = align
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
        _run(paragraph, "— ", "宋体", 14)
        _field(paragraph)
        _run(paragraph, " —", "宋体", 14)


def _field(paragraph: Any) -> None:
    """The number of the page."""
    run = paragraph.add_run()
    run.font.size = Pt(14)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._element.append(element)


def _fixed(content: bytes) -> bytes:
    """The same archive with fixed times and order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return buffer.getvalue()
