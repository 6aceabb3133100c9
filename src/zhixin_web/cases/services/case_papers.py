"""Papers of cases: numbered without a gap, rendered once, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils import translation

from zhixin.dataset.hiding_persons import masked
from zhixin.dataset.sources import determinations
from zhixin.law.nodes import Basis
from zhixin.law.procedures import Procedure, Transition
from zhixin.law.reckoning_of_terms import Unit
from zhixin.reference.listing_rules import WEIGHTS, listing_rules
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.cases.services.listing import removed_on
from zhixin_web.measures.queries import ground_records
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import day_in_words, issue_paper, withdraw_issued
from zhixin_web.rulebooks.deadlines import clock
from zhixin_web.rulebooks.law_in_force import law_in_force

WORDS = {"code": "统一社会信用代码", "basis": "依据", "remedies": "救济途径", "verify": "扫码或访问以下地址验证："}
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
    paper = issue_paper(
        Paper.Kind.CASE, "case_paper.typ", content, day, number=number, subject_id=case.subject_id, shown={"words": WORDS}
    )
    return CasePaper.objects.create(
        step=done, procedure=case.procedure, year=day.year, serial=serial, number=number, title=step.paper.zh, content=content, paper=paper,
    )  # fmt: skip


def _content(case: Case, procedure: Procedure, step: Transition, done: CaseStep, number: str) -> dict[str, Any]:
    with translation.override("zh-hans"):
        return {
            "title": step.paper.zh if step.paper else "", "number": number, "party": case.subject.name, "code": case.subject.code,
            "body": list(_body(case, procedure, step, done)), "basis": [_said(item) for item in step.basis],
            "remedies": [_remedy(name, done.on) for name in step.remedies],
        }  # fmt: skip


def _body(case: Case, procedure: Procedure, step: Transition, done: CaseStep) -> Iterator[str]:
    """What was brought forward, what was found, what follows, what the party may do now and until when."""
    about = f"，涉及信用记录（账本序号 {case.record_seq}）" if case.record_seq is not None else ""
    yield f"{day_in_words(case.opened_on)}，本局收到或者立案办理{procedure.title.zh}事项（办件号 {case.pk}）{about}：{_sentence(masked(case.text))}"
    if "conduct" in case.details:
        grounds = f"《{case.details['document']}》（{day_in_words(date.fromisoformat(case.details['document_on']))}）"
        yield f"拟认定或者认定的失信行为：{case.details['conduct']}。所依据的已生效法律文书：{grounds}。"
    if "measure" in case.details:
        yield from _measure(case, step)
    if "listing" in case.details:
        yield from _listing(case, step, done.on)
    for said in case.steps.filter(
        transition__in=[item.id for item in procedure.transitions if item.by == "applicant"]
    ).order_by("position"):
        if said.reason:
            yield f"当事人于{day_in_words(said.on)}提出：{_sentence(masked(said.reason))}"
    for reason in filter(None, (_proposal(case, step), done.reason)):
        yield f"经办理：{_sentence(masked(reason))}"
    target = procedure.state(step.to)
    yield f"本局决定：{step.title.zh}。" if target.is_end else f"现通知：{step.title.zh}。"
    if target.turn == "applicant" and case.due_on is not None:
        what = (
            "陈述意见、进行申辩，对认定有异议的可以提出，仍有异议的可以要求省级主管部门复核"
            if target.is_defence
            else "提交材料"
        )
        yield f"您可以于{day_in_words(case.due_on)}前{what}；逾期不提出的，依法继续办理。" + (
            "（期限为推算）" if case.is_presumed else ""
        )
    if "conduct" in case.details and (step.is_notice or step.effect == "record.publish"):
        yield from _how_to_repair(case, done.on)


def _sentence(text: str) -> str:
    """End a text as a sentence ends."""
    return text if text.endswith(("。", "！", "？", "；", "…", "”", "」")) else f"{text}。"


def _measure(case: Case, step: Transition) -> Iterator[str]:
    """Say the measure and what it answers; where it is announced or imposed, until when, on what basis and how it ends before that."""
    found = ground_records(case.details["records"])
    titles = {name: kind.title.zh for name, (kind, _rulebook) in law_in_force(case.opened_on).kinds.items()}
    records = "；".join(
        f"{titles.get(item.kind, item.kind)}《{masked(item.document)}》（{day_in_words(item.decided_on)}）"
        for item in (found[key] for key in case.details["records"] if key in found)
    )
    if not (step.is_notice or step.effect == "measure.impose"):
        yield f"本案所涉措施：{case.details['title']['zh']}，本次不实施。所涉失信信息：{records}。"
        return
    yield f"措施：{case.details['title']['zh']}。当事人信用等级：{case.details['grade']}。所针对的失信信息：{records}。"
    yield f"措施依据：{'；'.join(case.details['basis'])}。"
    until = day_in_words(date.fromisoformat(case.details["until"]))
    yield (
        f"{'拟' if step.is_notice else '措施'}自决定之日起实施，至{until}的前一日止，到期自行终止；所针对的失信信息修复、撤销，或者等级不再适用的，同时终止。"
        "依法可以申请信用修复的，修复不收费。"
    )


def _listing(case: Case, step: Transition, day: date) -> Iterator[str]:
    """Say conduct and penalty, how the factors were weighed, the higher bureau's word; where it is listed, for how long and the way off."""
    details, rules = case.details, listing_rules()
    heavy = next((item.title.zh for item in rules.penalties if item.code == details["heavy"]), "")
    yield (
        f"列入情形：{details['title']['zh']}。所依据的处罚：《{masked(details['penalty'])}》（{day_in_words(date.fromisoformat(details['penalty_on']))}）"
        + (f"，属于较重行政处罚：{heavy}。" if heavy else "。")
    )
    factors = details.get("factors", {})
    said = [
        f"{item.title.zh}{WEIGHTS[factors[item.code]['weight']].zh}（{factors[item.code]['note']}）"
        for item in rules.factors
        if item.code in factors
    ]
    if said:
        yield f"裁量因素：{'；'.join(said)}。"
    if "superior" in details and not case.is_open:
        word = "批准" if step.effect == "record.list" else "批复"
        said_on = day_in_words(date.fromisoformat(details["superior"]["on"]))
        yield f"上一级市场监督管理部门{word}：{details['superior']['document']}（{said_on}）。"
    if not (step.is_notice or step.effect == "record.list"):
        return
    removed = day_in_words(removed_on(day))
    yield f"{'如列入，' if step.is_notice else ''}列入期限自{'决定' if step.is_notice else '今'}日起，今日列入的至{removed}移出；期间依法适用重点监管、限制参评荣誉称号等管理措施。"
    from_ = law_in_force(day).repair_from("list.serious", None, day)
    if from_ is not None:
        yield (
            f"提前移出：今日列入的，自{day_in_words(from_)}起，已履行义务、消除后果、未再受较重行政处罚的，可以提交申请书、守信承诺书和证明材料申请提前移出，"
            "法律、行政法规规定的限制期限未满的除外；不收费。"
        )


def _how_to_repair(case: Case, day: date) -> Iterator[str]:
    """Tell with the determination how it may be repaired (两书同达)."""
    kinds = determinations().kind_by
    from_ = law_in_force(day).repair_from(kinds.values[case.details["conduct"]], None, day) if kinds else None
    if from_ is not None:
        yield f"信用修复告知：今日认定的，自{day_in_words(from_)}起，已履行义务、纠正行为并消除后果的，可以申请信用修复；修复不收费。"
    else:
        yield "信用修复告知：现行规则没有规定该类失信信息可以提前修复，期满自动终止公示。"


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
    return f"可自收到本文书之日起{term.days}{UNITS[term.unit]}内{term.title.zh}；当日收到的，至{day_in_words(term.due_on)}{presumed}。"  # type: ignore[index]


def withdraw_paper(number: str, by_number: str) -> None:
    """Mark the paper of a decision as withdrawn, so that its verification says so."""
    found = CasePaper.objects.filter(number=number).select_related("paper").first()
    if found is not None:
        withdraw_issued(found.paper_id, f"已由{by_number}撤销")
