"""Cases of every procedure in several states, on fictional records."""

from __future__ import annotations

from django.utils import timezone

from zhixin.law.procedures import procedures
from zhixin_web.accounts.models import User
from zhixin_web.cases.models import Case
from zhixin_web.cases.services.transitions import carry_out, conducts, eligibility, open_case, settle_case
from zhixin_web.records.models import CreditRecord
from zhixin_web.records.queries import published_records

SAID = "演示数据：义务已履行，材料齐全"
Steps = tuple[tuple[str, str], ...]
REPAIRS: tuple[Steps, ...] = (
    (("accept", "city"), ("propose_grant", "city"), ("grant", "approver")),
    (("accept", "city"), ("propose_grant", "city")),
    (("ask", "city"),),
    (("accept", "city"), ("propose_refusal", "city"), ("refuse", "approver")),
    (),
)
OBJECTIONS: tuple[Steps, ...] = ((), (("verify", "city"), ("propose_reject", "city")))
STATEMENTS: tuple[Steps, ...] = ((("propose_publication", "city"), ("publish", "approver")), ())
DETERMINATIONS: tuple[Steps, ...] = ((("notify", "city"),), ())


def make_cases(people: dict[str, User]) -> None:
    """Open cases on published general records, the oldest first, and take each to its state."""
    records = list(
        published_records(timezone.localdate())
        .filter(severity="general")
        .select_related("subject")
        .order_by("decided_on", "seq")[:60]
    )
    repairable = [item for item in records if eligibility(item, procedures()["repair"], timezone.localdate())["is_eligible"]]
    rest = [item for item in records if item not in repairable[: len(REPAIRS)]]
    for record, steps in zip(repairable, REPAIRS, strict=False):
        _taken(_opened("repair", record, people), steps, people)
    for record, steps in zip(rest, OBJECTIONS, strict=False):
        _taken(_opened("objection", record, people), steps, people)
    own = [item for item in records if item.subject.code == people["enterprise"].organisation.code]  # type: ignore[union-attr]
    for record, steps in zip(own, STATEMENTS, strict=False):
        _taken(_opened("statement", record, people, by="enterprise"), steps, people)
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


def _opened(procedure: str, record: CreditRecord, people: dict[str, User], by: str = "city") -> Case:
    texts = {
        "repair": "演示数据：罚款已缴清，违法行为已改正，申请信用修复。",
        "objection": "演示数据：处罚金额与决定书不一致，请核实。",
        "statement": "演示数据：我公司已全面整改，并通过主管部门复查。",
    }
    return open_case(procedure, record=record, subject=record.subject, text=texts[procedure], by=people[by])


def _taken(case: Case, steps: Steps, people: dict[str, User]) -> None:
    for step, who in steps:
        case = carry_out(case, step, by=people[who], reason=SAID)
    settle_case(case)
