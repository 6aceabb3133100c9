"""The public credit report of an enterprise: its content, and the paper made from it."""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.metadata import version
from typing import Any

from django.utils import translation

from zhixin_web.evaluations.published import PublishedGrade, published_grade
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import (
    code_of,
    compile_layout,
    content_hash,
    keep_file,
    kept_file,
    number_of,
    register_paper,
)
from zhixin_web.presentation.report_frame import report_frame
from zhixin_web.presentation.templatetags.zhixin import (
    district_name,
    grouped,
    industry_name,
    kind_title,
    severity_title,
    shown,
)
from zhixin_web.records.published import PublishedSubject, published_facts, records_of
from zhixin_web.rulebooks.published import rulebook_in_force


def _ungraded(grade: PublishedGrade) -> str:
    """What the report says of a subject that the rules leave ungraded: the title, and the rule that says so."""
    title = grade.title["zh"] if grade.title else "不予评价"
    return f"{title}（{grade.reason['zh']}）" if grade.reason else title


def report_content(subject: PublishedSubject, day: date) -> dict[str, Any]:
    """What a credit report says of a subject on a day: facts, public grade, published records, in Chinese."""
    with translation.override("zh-hans"):
        grade = published_grade(subject)
        states = {
            "graded": f"{grade.grade}（自 {grade.since}）", "excluded": _ungraded(grade), "held": "等级暂缓使用，正在核实",
            "not_evaluated": "尚未评价", "not_public": "依规则不公开",
        }  # fmt: skip
        records = records_of(subject, day)
        return {
            "name": subject.name,
            "code": grouped(subject.code),
            "overview": [
                ["名称", subject.name], ["统一社会信用代码", subject.code], ["登记区县", district_name(subject.district)],
                ["行业门类", industry_name(subject.industry)], ["公共信用评价等级（知识产权）", states[grade.state]],
                ["公示期内的记录", f"{len(records)} 条"],
            ],
            "facts": [
                {"title": f"{manifest.title.zh}（{at or '—'}）", "lines": [[title, shown(value)] for title, value in lines]}
                for manifest, at, lines in published_facts(subject)
                if lines
            ],
            "records": [
                {
                    "title": f"{kind_title(item.kind)}　{item.decided_on}",
                    "lines": [*[list(line) for line in item.lines], ["失信程度", severity_title(item.severity)],
                              ["公示期", f"{item.publicity_from} 至 {item.publicity_until}（到期自动终止）"], ["账本序号", str(item.seq)]],
                }
                for item in records
            ],
        }  # fmt: skip


def credit_report(subject: PublishedSubject, day: date, verify: str) -> tuple[Paper, bytes]:
    """The public credit report of a subject as PDF/A, and the entry by which it can be verified.

    Args:
        subject: whom it is about.
        day: the day it speaks of.
        verify: address of the verification page; the code is appended.

    Raises:
        FontMissing: no Chinese font is installed.
    """
    content = report_content(subject, day)
    frame = _frame("", "", day, verify) | {"typst": version("typst")}
    code = code_of("credit_report", content_hash(content | frame), day)  # whatever decides a byte decides the code
    paper = Paper.objects.filter(pk=code).first()
    held = kept_file(code, paper.file_sha256) if paper is not None else None
    if paper is None or held is None:
        number = number_of(Paper.Kind.CREDIT_REPORT, code, day)
        held = compile_layout("credit_report.typ", content | _frame(number, code, day, verify))
        keep_file(code, held)
        file_sha256 = hashlib.sha256(held).hexdigest()
        paper = register_paper(
            code, Paper.Kind.CREDIT_REPORT, day, content_hash(content), file_sha256, subject_id=subject.pk
        )
    return paper, held


def _frame(number: str, code: str, day: date, verify: str) -> dict[str, Any]:
    basis = rulebook_in_force(day)
    return report_frame("公共信用信息报告（知识产权领域）", number, code, day, verify, "公示期内的信用记录", "截至报告日期，公示期内没有信用记录。") | {
        "notes": [
            "本报告依据国家公共信用信息报告标准的体例，由封面、说明、概要和明细四部分组成，只含依法可以公开的信息。",
            "评价等级依据" + (f"《{basis[1].title.zh}》" if basis else "现行规则") + "作出；得分和内部风险分类不在公开范围。",
            "信息来源于归集的部门数据；对内容有异议的，可在公示页面对该条记录报错，由数据来源单位核实答复。",
            "公示期满、修复或撤销的记录不再出现；报告反映报告日期当日的情况，仅供参考，以查询页面为准。",
            "报告编号和二维码可用于验证真伪；内容变更后，验证页面会提示本报告已不是最新。",
        ],
    }  # fmt: skip
