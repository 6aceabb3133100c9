"""What the credit reports have in common: cover, code, watermark, headings."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings

from zhixin_web.papers.fonts import SANS, choose
from zhixin_web.papers.services.issue import day_in_words, qr_picture


def report_frame(title: str, number: str, code: str, day: date, verify: str, detail: str, none: str) -> dict[str, Any]:
    """Return what surrounds the content of a report.

    Args:
        title: on the cover.
        number: of the report; empty while its code is not known.
        code: by which it is verified.
        day: it speaks of.
        verify: address of the verification page; the code is appended.
        detail: heading of the part that lists records.
        none: what stands there where there are none.
    """
    address = f"{verify}{code}"
    return {
        "title": title, "number": number, "day": day_in_words(day), "date": [day.year, day.month, day.day],
        "fonts": choose(SANS), "qr": qr_picture(address), "address": address, "watermark": "演示数据" if settings.DEMO else "公共信用信息",
        "demo": "演示数据：企业与违法记录均为虚构" if settings.DEMO else "",
        "words": {"verify": "扫码或访问以下地址验证：", "number": "报告编号：", "day": "报告日期：", "notes": "一、报告说明", "overview": "二、信息概要",
                  "facts": "三、登记与知识产权信息", "detail": f"四、{detail}", "none": none, "end": "（报告结束）"},
    }  # fmt: skip
