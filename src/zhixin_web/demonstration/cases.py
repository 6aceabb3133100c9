"""Cases of every procedure in several states, on fictional records."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from zhixin.law.calendar import shift_days, shift_months
from zhixin.law.procedures import procedures
from zhixin.reference.listing_rules import listing_rules
from zhixin_web.accounts.models import User
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.effects import settle_case
from zhixin_web.cases.services.filing import eligibility, open_case
from zhixin_web.cases.services.grounds import conducts
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import deliver, process, request_commit
from zhixin_web.demonstration.past import acting_on
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.queries import published_records

REASONS = {
    "ask": "演示数据：请补交整改验收材料",
    "propose_refusal": "演示数据：罚款分期缴纳，尚未缴清",
    "refuse": "演示数据：义务尚未履行完毕，不符合修复条件",
    "verify": "演示数据：已与决定书核对",
    "propose_reject": "演示数据：公示的金额与决定书一致",
    "propose_publication": "演示数据：没有他人信息和违法内容",
    "publish": "演示数据：同意公示",
    "notify": "演示数据：承诺事项到期未履行，有生效文书证明",
}
OTHER_REASON = "演示数据：义务已履行，材料齐全"
Steps = tuple[tuple[str, str], ...]
OWN: tuple[tuple[str, Steps], ...] = (
    ("repair", (("accept", "city"), ("propose_grant", "city"))),
    ("repair", (("accept", "city"), ("propose_grant", "city"), ("grant", "approver"))),
    ("statement", (("propose_publication", "city"), ("publish", "approver"))),
    ("objection", ()),
)
"""Cases that the enterprise of the demonstration has filed itself, each on a record of its own."""
REPAIRS: tuple[Steps, ...] = (
    (("ask", "city"),),
    (("accept", "city"), ("propose_refusal", "city"), ("refuse", "approver")),
    (),
)
OBJECTIONS: tuple[Steps, ...] = ((), (("verify", "city"), ("propose_reject", "city")))
DETERMINATIONS: tuple[Steps, ...] = ((("notify", "city"),), ())

LISTED: tuple[tuple[str, str | None], ...] = (
    ("time_over", None), ("weigh", "city"), ("report_up", "city"), ("superior_agrees", "city"), ("list", "approver"),
)  # fmt: skip


def make_cases(people: dict[str, User]) -> None:
    """File cases of the enterprise on records of its own, and others on published general records, the oldest first."""
    for record, (procedure, steps) in zip(_records_of_the_enterprise(people), OWN, strict=True):
        _taken(_opened(procedure, record, people, by="enterprise"), steps, people)
    records = list(
        published_records(timezone.localdate())
        .filter(severity="general")
        .exclude(subject__code=_code(people))
        .select_related("subject")
        .order_by("decided_on", "seq")[:60]
    )
    repairable = [item for item in records if eligibility(item, procedures()["repair"], timezone.localdate())["is_eligible"]]
    rest = [item for item in records if item not in repairable[: len(REPAIRS)]]
    for record, steps in zip(repairable, REPAIRS, strict=False):
        _taken(_opened("repair", record, people), steps, people)
    for record, steps in zip(rest, OBJECTIONS, strict=False):
        _taken(_opened("objection", record, people), steps, people)
    for number, (record, steps) in enumerate(zip(reversed(rest), DETERMINATIONS, strict=False), 1):
        grounds = {
            "conduct": conducts()[3],
            "document": f"（虚构）行政确认〔2026〕{number}号",
            "document_on": record.decided_on.isoformat(),
            "is_final": "1",
        }
        text = "演示数据：作出的信用承诺未履行"
        _taken(
            open_case("determination", subject=record.subject, text=text, details=grounds, by=people["city"]), steps, people
        )


def make_listings(people: dict[str, User]) -> None:
    """Bring one enterprise onto the serious-dishonesty list, and another before the higher bureau; the time for defence has passed."""
    today = timezone.localdate()
    started = shift_days(today, -30)
    chosen = Subject.objects.exclude(code=_code(people)).exclude(records__state="active").order_by("-code")[:2]
    records = _penalised(list(chosen), shift_days(today, -60), "50", "重罚", people)
    for record, steps in zip(records, (LISTED, LISTED[:-2]), strict=False):
        with acting_on(started):
            details = {"listing": "infringement", "penalty": record.key, "heavy": "heavy_fine"}
            text = "演示数据：行为性质恶劣，且受到从重处罚"
            case = open_case("listing", subject=record.subject, text=text, details=details, by=people["city"])
            case = carry_out(case, "notify", by=people["city"], reason="演示数据：处罚决定已生效")
        factors = {
            f"{part}_{item.code}": value
            for item in listing_rules().factors
            for part, value in (("factor", "grave"), ("note", "演示数据：见案卷"))
        }
        superior = {"superior_document": "（虚构）演示批复〔2026〕1号", "superior_on": today.isoformat()}
        for step, who in steps:
            case = carry_out(
                case,
                step,
                by=people[who] if who else None,
                reason="演示数据：材料已核对" if who else "",
                answers=factors | superior,
            )
        settle_case(case)


def _code(people: dict[str, User]) -> str:
    unit = people["enterprise"].organisation
    assert unit is not None
    return unit.code


def _records_of_the_enterprise(people: dict[str, User]) -> list[CreditRecord]:
    """Deliver fictional penalties of eight months ago on the enterprise of the demonstration; return the records."""
    subject = Subject.objects.get(code=_code(people))
    return _penalised([subject] * len(OWN), shift_months(timezone.localdate(), -8), "0.8", "罚", people)


def _penalised(
    subjects: Sequence[Subject], day: date, amount: str, series: str, people: dict[str, User]
) -> list[CreditRecord]:
    """Deliver a fictional penalty on each of some subjects, decided on a day, in ten thousand yuan; return the records."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(
        ["行政相对人名称", "行政相对人类别", "统一社会信用代码", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容",
         "罚款金额（万元）", "处罚决定日期", "处罚机关"]
    )  # fmt: skip
    for number, subject in enumerate(subjects, 1):
        rows.writerow(
            [subject.name, "法人及非法人组织", subject.code, f"（虚构）演示{series}〔2026〕{number}号", "商标侵权", "虚构", "虚构", "罚款", "虚构", amount, day, "虚构机关"]
        )  # fmt: skip
    batch, _is_new = deliver(
        source="penalties",
        file_name=f"演示_penalties_{series}.csv",
        chunks=[text.getvalue().encode()],
        way=Batch.Way.UPLOAD,
        by=people["city"],
    )
    batch = process(batch)
    request_commit(batch, people["city"])
    batch.refresh_from_db()
    batch = process(batch)
    return list(CreditRecord.objects.filter(batch=batch).select_related("subject").order_by("seq"))


def _opened(procedure: str, record: CreditRecord, people: dict[str, User], by: str = "city") -> Case:
    texts = {
        "repair": "演示数据：罚款已缴清，违法行为已改正，申请信用修复。",
        "objection": "演示数据：处罚金额与决定书不一致，请核实。",
        "statement": "演示数据：我公司已全面整改，并通过主管部门复查。",
    }
    return open_case(procedure, record=record, subject=record.subject, text=texts[procedure], by=people[by])


def _taken(case: Case, steps: Steps, people: dict[str, User]) -> None:
    for step, who in steps:
        case = carry_out(case, step, by=people[who], reason=REASONS.get(step, OTHER_REASON))
    settle_case(case)
