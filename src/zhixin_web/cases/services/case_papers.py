"""Papers of cases: numbered without a gap, rendered once, never changed."""

from __future__ import annotations

import hashlib
import io
from datetime import date
from typing import Any

import segno
from django.conf import settings
from django.utils import translation

from zhixin.dataset.hiding_persons import masked
from zhixin.law.nodes import Basis
from zhixin.law.procedures import Procedure, Transition
from zhixin.law.reckoning_of_terms import Unit
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.papers.fonts import SANS, choose
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import code_of, compile_layout, content_hash, keep_file, register_paper
from zhixin_web.rulebooks.deadlines import clock

AUTHORITY = "郑州市市场监督管理局"
UNITS: dict[Unit, str] = {"working": "个工作日", "calendar": "日", "month": "个月", "year": "年"}


def issue_case_paper(case: Case, procedure: Procedure, step: Transition, done: CaseStep) -> CasePaper:
    """Issue the paper of a step in the caller's transaction; the next number is taken under the lock of the ledger.

    Raises:
        FontMissing: no Chinese font is installed.
    """
    assert step.paper is not None
    day = done.on
    serial = CasePaper.objects.filter(procedure=case.procedure, year=day.year).count() + 1
    number = f"{procedure.number.zh}〔{day.year}〕{serial}号"
    content = _content(case, procedure, step, done, number)
    code = code_of("case", content_hash(content), day)
    file = compile_layout("case_paper.typ", content | _frame(code, day))
    keep_file(code, file)
    paper = register_paper(
        code, Paper.Kind.CASE, day, content_hash(content), hashlib.sha256(file).hexdigest(), subject_id=case.subject_id, number=number,
    )  # fmt: skip
    return CasePaper.objects.create(
        step=done, procedure=case.procedure, year=day.year, serial=serial, number=number, title=step.paper.zh, content=content, paper=paper,
    )  # fmt: skip


def _content(case: Case, procedure: Procedure, step: Transition, done: CaseStep, number: str) -> dict[str, Any]:
    with translation.override("zh-hans"):
        about = f"，涉及信用记录（账本序号 {case.record_seq}）" if case.record_seq is not None else ""
        body = [f"{case.opened_on:%Y年%m月%d日}，本局收到或者立案办理{procedure.title.zh}事项（办件号 {case.pk}）{about}。"]
        reason = done.reason or _proposal(case, step)
        if reason:
            body.append(f"经办理，{masked(reason)}")
        body.append(f"本局决定：{step.title.zh}。" if procedure.state(step.to).is_end else f"现告知：{step.title.zh}。")
        return {
            "title": step.paper.zh if step.paper else "", "number": number, "party": case.subject.name, "code": case.subject.code,
            "body": body, "basis": [_said(item) for item in step.basis], "remedies": [_remedy(name, done.on) for name in step.remedies],
        }  # fmt: skip


def _proposal(case: Case, step: Transition) -> str:
    """The reason given with the proposal that this step decides."""
    found = case.steps.filter(transition__in=step.other_than).order_by("-position").first()
    return found.reason if found is not None else ""


def _said(basis: Basis) -> str:
    return f"{basis.document}{basis.article or ''}"


def _remedy(name: str, served_on: date) -> str:
    """A remedy with its term, counted from the day the paper is served."""
    term = clock(name, served_on)
    presumed = "（推算：当年放假安排尚未公布）" if term.is_presumed else ""
    return f"可自收到本文书之日起{term.days}{UNITS[term.unit]}内{term.title.zh}；当日收到的，至{term.due_on:%Y年%m月%d日}{presumed}。"  # type: ignore[index]


def _frame(code: str, day: date) -> dict[str, Any]:
    address = f"{settings.SITE_ADDRESS}/v/{code}"
    picture = io.BytesIO()
    segno.make(address, error="m").save(picture, kind="svg", scale=4, border=1)
    return {
        "authority": AUTHORITY + ("（演示）" if settings.DEMO else ""), "date": [day.year, day.month, day.day], "day": f"{day.year}年{day.month}月{day.day}日",
        "fonts": choose(SANS), "qr": picture.getvalue().decode(), "address": address,
        "watermark": "演示数据" if settings.DEMO else "", "demo": "演示数据：企业与违法记录均为虚构" if settings.DEMO else "",
        "words": {"code": "统一社会信用代码", "basis": "依据", "remedies": "救济途径", "verify": "扫码或访问以下地址验证："},
    }  # fmt: skip
