"""What a file leaves open is asked on the batch's page; what is beyond the usual or out of place waits for a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.collection.receipts import waits_for
from zhixin_web.collection.services import batches as services
from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db

TITLES = (
    "行政相对人名称", "行政相对人类别", "统一社会信用代码", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据",
    "处罚类别", "处罚内容", "{amount}", "处罚决定日期", "处罚机关",
)  # fmt: skip


def penalties(subjects: list[Subject], *amounts: str, header: str, content: str = "罚款", **changed: str) -> str:
    """A CSV of penalties, one for each amount."""
    lines = [",".join(TITLES).format(amount=header)]
    for number, (subject, amount) in enumerate(zip(subjects, amounts, strict=False), 1):
        row = {
            "name": subject.name, "type": "法人及非法人组织", "code": subject.code, "document": f"郑市监罚〔2026〕{number}号",
            "violation": "商标侵权", "facts": "销售侵权商品", "ground": "商标法第六十条", "types": "罚款", "content": content,
            "amount": amount, "decided": "2026-08-01", "authority": "郑州市市场监督管理局",
        }  # fmt: skip
        lines.append(",".join((row | changed).values()))
    return "\n".join(lines) + "\n"


def fines() -> list[int]:
    return sorted(json.loads(body)["fields"]["amount"] for body in CreditRecord.objects.values_list("body", flat=True))


@pytest.mark.parametrize(("answer", "fen"), [("1", 300), ("10000", 3_000_000)])
def test_an_amount_without_a_unit_is_asked_and_read_as_answered(
    take: Any, subjects: list[Subject], browser_of: Any, answer: str, fen: int
) -> None:
    batch = take(
        "penalties", penalties(subjects, "3元" if answer == "1" else "3", header="罚款金额"), automatic=True, commit=False
    )
    assert batch.status == "mapping"
    assert "单位" in waits_for(batch)[0]["zh"]
    assert not fines()
    page = browser_of("city").get(f"/c/batches/{batch.pk}").content.decode()
    assert 'name="answer_unit:amount"' in page
    assert "万元" in page
    columns = {f"column_{index}": name for index, name in batch.preview["columns"].items()}
    browser_of("city").post(f"/c/batches/{batch.pk}/columns", columns | {"answer_unit:amount": answer})
    batch.refresh_from_db()
    services.process(batch)
    assert fines() == [fen]


@pytest.mark.parametrize(
    ("amount", "is_taken"),
    [("0.0049", False), ("0.005", True), ("1000", True), ("1000.01", False), ("0.0049万元", True), ("1000.01万元", True)],
)
def test_an_amount_beyond_the_usual_is_taken_only_with_its_unit(
    take: Any, subjects: list[Subject], amount: str, is_taken: bool
) -> None:
    batch = take("penalties", penalties(subjects, amount, "1", "1", header="罚款金额（万元）"), automatic=True, commit=False)
    assert (batch.accepted == 3) is is_taken
    assert list(batch.quarantine.values_list("rule", flat=True)) == ([] if is_taken else ["amount.unusual"])


@pytest.mark.parametrize(
    ("content", "is_taken"),
    [
        ("罚款30000元", True),
        ("罚款3万元", True),
        ("罚款人民币 3 万元", True),
        ("罚款300000元", False),
        ("罚款30,000元，没收所得5元", True),
        ("警告", True),
    ],
)
def test_the_amount_agrees_with_the_text_that_states_it(
    take: Any, subjects: list[Subject], content: str, is_taken: bool
) -> None:
    text = penalties(subjects, "3", header="罚款金额（万元）", content=f'"{content}"')
    batch = take("penalties", text, automatic=True, commit=True)
    assert (batch.accepted == 1) is is_taken
    assert list(batch.quarantine.values_list("rule", flat=True)) == ([] if is_taken else ["amount.contradicts"])


def test_a_batch_in_which_most_rows_are_refused_waits_and_says_so(
    take: Any, subjects: list[Subject], browser_of: Any
) -> None:
    batch = take("penalties", penalties(subjects, "1", "-1", "-1", header="罚款金额（万元）"), automatic=True, commit=False)
    assert batch.status == "held"
    assert not fines()
    page = browser_of("city").get(f"/c/batches/{batch.pk}").content.decode()
    assert "3 行中有 2 行不能入库" in page
    assert "系统读到的内容" in page
    assert "10000元" in page.replace(",", "").replace(".00", "")


@pytest.mark.parametrize("document", ["2026-08-01", "20000.00", "410100202609010000", "4.1E+17", "无"])
def test_what_is_no_document_number_is_none(take: Any, subjects: list[Subject], document: str) -> None:
    batch = take("penalties", penalties(subjects, "1", header="罚款金额（万元）", document=document), commit=True)
    assert batch.accepted == 0
    assert batch.quarantined == 1


def test_rows_are_left_out_for_good_with_a_reason(take: Any, subjects: list[Subject], browser_of: Any) -> None:
    batch = take("penalties", penalties(subjects, "-1", "-2", "-3", header="罚款金额（万元）"), commit=True)
    rows = list(batch.quarantine.order_by("line"))
    browser = browser_of("city")
    assert 'name="row"' in browser.get("/c/quarantine").content.decode()
    browser.post("/c/quarantine/discard", {"row": [rows[0].pk, rows[1].pk], "reason": " "})
    assert batch.quarantine.filter(status=QuarantinedRow.Status.OPEN).count() == 3
    browser.post("/c/quarantine/discard", {"row": [rows[0].pk, rows[1].pk], "reason": "合计行"})
    found = [(row.status, row.reason) for row in batch.quarantine.order_by("line")]
    assert found == [("discarded", "合计行"), ("discarded", "合计行"), ("open", "")]
    batch.refresh_from_db()
    assert batch.rows == batch.accepted + batch.quarantined + batch.duplicates == 3
