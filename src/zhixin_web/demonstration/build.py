"""The demonstration city: fictional subjects, six months of batches through the real pipeline, two released runs.

Every enterprise is invented (its code lies in the fictional division 4199xx) and every page says 演示数据.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from zhixin import City, load_rulebook
from zhixin.dataset.sources import sources
from zhixin.law.calendar import shift_months
from zhixin.law.loading import shipped_rulebooks
from zhixin_web.accounts.demonstration_people import make_people
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.witnesses import sign_and_show
from zhixin_web.cases.services.reports import file_report
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import deliver, process, request_commit
from zhixin_web.demonstration.cases import make_cases, make_listings
from zhixin_web.demonstration.city_files import MONTHS_BACK, SEED, record_files, subject_files
from zhixin_web.demonstration.commitments import make_commitments
from zhixin_web.demonstration.duties import make_duties
from zhixin_web.demonstration.enterprise_door import make_agent
from zhixin_web.demonstration.inspections import make_inspections
from zhixin_web.demonstration.measures import make_measures
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.orders import propose_order
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.services.runs import execute, start_run
from zhixin_web.governance.services.consultations import file_comment, open_consultation
from zhixin_web.governance.services.drafts import open_draft
from zhixin_web.records.queries import published_records
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import approve_rulebook, propose_rulebook
from zhixin_web.workspace.services.notes import tag_subjects

Tell = Callable[[str], None]


# --- files of the sources -------------------------------------------------------------------------------------------------


# --- building -------------------------------------------------------------------------------------------------------------


def build(subjects: int, tell: Tell) -> None:
    """Fill an empty database. Everything passes the same pipeline as a real delivery."""
    today = timezone.localdate()
    city = City(subjects, SEED, as_of=today)
    table = city.subject_table()
    people = make_people(str(table["subject_id"][0]))
    tell(f"{len(people)} 个角色账号")
    proposed = propose_rulebook(load_rulebook(shipped_rulebooks() / "zhengzhou-ip"), people["city"])
    release = approve_rulebook(proposed, people["approver"])
    for name, content in subject_files(table):
        _take(name, content, people, tell)
    records = pl.concat(city.record_blocks()).filter(pl.col("decided_on") >= shift_months(today, -MONTHS_BACK))
    records = records.with_columns(pl.col("kind", "severity").cast(pl.String)).join(
        table.select("subject_no", "subject_id", "name"), on="subject_no"
    )
    months = [shift_months(today.replace(day=1), -back) for back in range(6, -1, -1)]
    edges = [date(1900, 1, 1), *months[1:], today + timedelta(days=1)]
    for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        part = records.filter((pl.col("decided_on") >= start) & (pl.col("decided_on") < end))
        for name, content in record_files(part):
            _take(name, content, people, tell)
        if number in (len(months) - 2, len(months) - 1):
            as_of = min(end - timedelta(days=1), today)
            _run(release, as_of, people, tell)
    _leave_something_to_do(table, people)
    make_inspections(release, people)
    make_cases(people)
    make_measures(people)
    make_listings(people)
    make_agent(people)
    make_commitments(people)
    make_duties(people)
    sign_and_show()


def _take(name: str, content: bytes, people: dict[str, User], tell: Tell) -> Batch:
    by = people["department"] if sources()[name].owner == "market_supervision" else people["city"]
    batch, _ = deliver(source=name, file_name=f"演示_{name}.csv", chunks=[content], way=Batch.Way.UPLOAD, by=by)
    batch = process(batch)
    request_commit(batch, by)
    batch.refresh_from_db()
    batch = process(batch)
    tell(
        f"{sources()[name].title.zh}：{batch.rows} 行，入库 {batch.accepted}，隔离 {batch.quarantined}，重复 {batch.duplicates}"
    )
    return batch


def _run(release: Any, as_of: date, people: dict[str, User], tell: Tell) -> Run:
    run = execute(start_run(release, as_of=as_of, by=people["city"]))
    propose_run(run, people["city"])
    run.refresh_from_db()
    run = release_run(run, people["approver"])
    tell(f"{as_of} 评价：{run.summary['grades']}")
    return run


def _leave_something_to_do(table: pl.DataFrame, people: dict[str, User]) -> None:
    """A delivery with faults, so that quarantine, matching desk and wizard have something to show."""
    rows = [
        ["统一社会信用代码", "企业名称", "处置公示编号", "平台名称", "处置方式", "处置日期", "涉及链接数"],
        ["", table["name"][3], "（虚构）平台2026-1", "虚构平台", "删除断开链接", "2026-10-08", "3"],
        [table["subject_id"][4][:10] + "O" + table["subject_id"][4][11:], table["name"][4], "（虚构）平台2026-2", "虚构平台", "删除断开链接", "2026-10-09", "1"],
        [table["subject_id"][5], table["name"][5], "（虚构）平台2026-3", "虚构平台", "下架", "2026/10/10", "2"],
        [table["subject_id"][6], table["name"][6], "（虚构）平台2026-4", "虚构平台", "警示暂停终止服务", "2026-02-30", "-1"],
        ["合计", "", "", "", "", "", "6"],
    ]  # fmt: skip
    text = "\n".join(",".join(row) for row in rows)
    by = people["city"]
    batch, _ = deliver(
        source="platform_notices", file_name="演示_平台处置_含错误.csv", chunks=[text.encode()], way=Batch.Way.UPLOAD, by=by
    )
    batch = process(batch)
    request_commit(batch, by)
    batch.refresh_from_db()
    process(batch)
    waiting, _ = deliver(
        source="complaints",
        file_name="演示_投诉举报_待确认.csv",
        chunks=[_waiting(table).encode()],
        way=Batch.Way.UPLOAD,
        by=by,
    )
    process(waiting)
    _leave_cases(people)


def _leave_cases(people: dict[str, User]) -> None:
    """Something on every desk: an error report, an order to approve, a draft before the public with a comment, a tag."""
    record = (
        published_records(timezone.localdate()).filter(severity="general").select_related("subject").order_by("seq").first()
    )
    if record is not None:
        file_report(record, reason="wrong_value", text="演示数据：罚款金额与决定书不一致，应为一万元。")
        tag_subjects([record.subject], label="演示关注", by=people["city"])
    graded = CurrentGrade.objects.filter(grade="C").select_related("subject").order_by("subject__code").first()
    if graded is not None:
        propose_order(
            graded.subject, kind="hold", grade="", reason="演示数据：异议核实期间暂缓使用", basis="（虚构）演示〔2026〕2号",
            until=timezone.localdate() + timedelta(days=30), by=people["city"],
        )  # fmt: skip
    release = RulebookRelease.objects.filter(status=RulebookRelease.Status.RELEASED).first()
    if release is not None:
        draft = open_draft(release, title="演示草案：提高守信加分", by=people["city"])
        consultation = open_consultation(
            draft, title="演示：关于评价规则（建议稿）公开征求意见的公告", explanation="演示数据：征求意见稿与现行规则一致，供体验征求意见的全过程。",
            closes_on=timezone.localdate() + timedelta(days=35), by=people["city"],
        )  # fmt: skip
        file_comment(
            consultation, about="dimension.creation", stance="change", text="演示数据：建议提高发明专利授权的加分上限。"
        )


def _waiting(table: pl.DataFrame) -> str:
    head = "统一社会信用代码,企业名称,处理结果文书号,办结日期,投诉人"
    rows = [
        f"{table['subject_id'][place]},{table['name'][place]},（虚构）投诉2026-{place},2026-11-0{place % 9 + 1},虚构人"
        for place in range(10, 18)
    ]
    return "\n".join([head, *rows])


def is_empty() -> bool:
    """Whether the database holds nobody yet."""
    with transaction.atomic():
        return not User.objects.exists() and settings.DEMO
