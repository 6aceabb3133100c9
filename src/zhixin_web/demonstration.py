"""The demonstration city: fictional subjects, six months of batches through the real pipeline, two released runs.

Every enterprise is invented (its code lies in the fictional division 4199xx) and every page says 演示数据.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from zhixin import City, load_rulebook
from zhixin.law.calendar import shift_months
from zhixin.law.loading import shipped_rulebooks
from zhixin_web.accounts.models import Organisation, Role, RoleGrant, User
from zhixin_web.audit.services import make_checkpoint
from zhixin_web.cases.services import file_report, tag_subjects
from zhixin_web.evaluations.models import CurrentGrade, RulebookRelease, Run
from zhixin_web.evaluations.order_services import propose_order
from zhixin_web.evaluations.rulebook_services import approve_rulebook, propose_rulebook
from zhixin_web.evaluations.services import execute, propose_run, release_run, start_run
from zhixin_web.governance.services import file_comment, open_consultation, open_draft
from zhixin_web.records.models import Batch
from zhixin_web.records.queries import published_records
from zhixin_web.records.services import deliver, process, request_commit
from zhixin_web.records.sources import sources

PASSWORD = "Demo-知信-2026"
SEED = 20211230
MONTHS_BACK = 36
"""Older records are left out: no indicator of the rulebook looks further back than three years, bar a few."""
PEOPLE = (
    ("city", "郑城信", Role.CITY_OFFICER, "city_bureau"),
    ("approver", "潘审核", Role.APPROVER, "city_bureau"),
    ("district", "金水平", Role.DISTRICT_OFFICER, "district_410105"),
    ("inspector", "颜检查", Role.INSPECTOR, "district_410105"),
    ("department", "卜委员", Role.DEPARTMENT_USER, "market_supervision"),
    ("enterprise", "齐业", Role.ENTERPRISE_USER, "enterprise"),
    ("auditor", "沈计", Role.AUDITOR, "joint_conference"),
    ("security", "安全理", Role.SECURITY_ADMINISTRATOR, "city_bureau"),
    ("system", "习统", Role.SYSTEM_ADMINISTRATOR, "city_bureau"),
)
UNITS = (
    ("joint_conference", "郑州市知识产权信用联席会议（演示）", "joint_conference", ""),
    ("city_bureau", "郑州市市场监督管理局（演示）", "member_unit", ""),
    ("market_supervision", "市场监督管理业务条线（演示）", "member_unit", ""),
    ("cnipa", "国家知识产权局数据专线（演示）", "member_unit", ""),
    ("courts", "人民法院（演示）", "member_unit", ""),
    ("customs", "郑州海关（演示）", "member_unit", ""),
    ("platforms", "电子商务平台（演示）", "member_unit", ""),
    ("districts", "各区县（市）市场监督管理局（演示）", "member_unit", ""),
    ("enterprises", "企业自主申报（演示）", "member_unit", ""),
    ("district_410105", "金水区市场监督管理局（演示）", "district", "410105"),
)
Tell = Callable[[str], None]


def make_people(enterprise_code: str) -> dict[str, User]:
    """The organisations and one account for every role."""
    units = {
        code: Organisation.objects.create(code=code, name=name, kind=kind, district=district)
        for code, name, kind, district in UNITS
    }
    units["enterprise"] = Organisation.objects.create(
        code=enterprise_code, name="演示企业", kind=Organisation.Kind.ENTERPRISE
    )
    people: dict[str, User] = {}
    hashed = ""
    for username, name, role, unit in PEOPLE:
        user = User(username=username, display_name=name, role=role, organisation=units[unit])
        if not hashed:
            user.set_password(PASSWORD)
            hashed = user.password
        user.password = hashed
        user.save()
        RoleGrant.objects.create(user=user, role=role, reason="演示环境初始化")
        people[username] = user
    return people


# --- files of the sources -------------------------------------------------------------------------------------------------


def _table(name: str, frame: pl.DataFrame, columns: dict[str, Any]) -> bytes:
    """A delivery as CSV: field of the source → column or expression, headers as the source writes them."""
    manifest = sources()[name]
    out = frame.select(
        (value if isinstance(value, pl.Expr) else pl.col(value)).alias(manifest.field(field).title)
        for field, value in columns.items()
    )
    buffer = io.BytesIO()
    out.write_csv(buffer, include_bom=True)
    return buffer.getvalue()


_YES = {True: "是", False: "否"}


def subject_files(subjects: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Registrations, holdings, online operators, agency grades, declarations."""

    def yes(name: str) -> pl.Expr:
        return pl.when(pl.col(name)).then(pl.lit("是")).when(pl.col(name).is_not_null()).then(pl.lit("否"))

    head = {"subject_id": "subject_id", "name": "name"}
    place = pl.col("subject_no").hash(SEED)  # drawn apart from conduct: the fairness page should find no difference
    ownership = (
        pl.when(place % 100 < 6)
        .then(pl.lit("国有"))
        .when(place % 100 < 9)
        .then(pl.lit("集体"))
        .when(place % 100 < 16)
        .then(pl.lit("外资"))
    )
    scale = (
        pl.when(place % 97 < 2)
        .then(pl.lit("大型"))
        .when(place % 97 < 12)
        .then(pl.lit("中型"))
        .when(place % 97 < 50)
        .then(pl.lit("小型"))
    )
    yield "registrations", _table("registrations", subjects, head | {
        "ownership": ownership.otherwise(pl.lit("民营")), "scale": scale.otherwise(pl.lit("微型")),
        "established_on": "established_on", "district": "district", "industry": "industry", "is_deregistered": yes("is_deregistered"),
        "contact_lost": yes("contact_lost"), "information_complete": yes("information_complete"), "is_logistics": yes("is_logistics"),
    })  # fmt: skip
    holders = subjects.filter(
        (pl.col("patents_ever") > 0) | (pl.col("trademarks_in_force") > 0) | pl.col("is_gi_user") | pl.col("is_ip_agency")
    )
    yield "holdings", _table("holdings", holders, head | {
        name: name for name in ("patents_in_force", "inventions_in_force", "patents_ever", "trademarks_in_force")
    } | {"is_gi_user": yes("is_gi_user"), "is_ip_agency": yes("is_ip_agency")})  # fmt: skip
    online = subjects.filter(pl.col("is_online_operator"))
    yield "online_operators", _table("online_operators", online, head | {
        name: yes(name) for name in ("is_online_operator", "is_platform", "has_platform_rules", "licence_shown", "is_cross_border")
    } | {"shops": "shops"})  # fmt: skip
    agencies = subjects.filter(pl.col("agency_grade").is_not_null())
    if len(agencies):
        yield "agency_credit", _table("agency_credit", agencies, head | {"agency_grade": "agency_grade"})
    declared = subjects.filter(pl.col("has_ip_system").is_not_null())
    yield (
        "self_declarations",
        _table("self_declarations", declared, head | {"has_ip_system": yes("has_ip_system"), "ip_staff": "ip_staff"}),
    )


def record_files(records: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """The record sources: which kinds go where, and what the source calls them."""
    for name, manifest in sources().items():
        if manifest.gives != "records" or name.endswith("_old"):
            continue
        part = records.filter(pl.col("kind").is_in(list(manifest.kinds)))
        if not len(part):
            continue
        yield name, _table(name, part, _record_columns(name))


def _record_columns(name: str) -> dict[str, Any]:
    manifest = sources()[name]
    columns: dict[str, Any] = {}
    number = pl.concat_str(pl.lit("（虚构）演示"), pl.col("record_id"), pl.lit("号"))
    words = {
        "court": "虚构人民法院",
        "authority": "虚构市场监督管理局",
        "reason": "演示数据：列入事由",
        "platform": "虚构平台",
        "facts": "演示数据：违法事实",
        "legal_ground": "演示数据：处罚依据",
        "content": "演示数据：处罚内容",
        "penalty_types": "罚款",
        "party_type": "法人及非法人组织",
    }
    for item in manifest.fields:
        if item.id in ("subject_id", "name"):
            columns[item.id] = item.id
        elif item.id in ("patent_number", "mark_number") or item.to == "document":
            columns[item.id] = number
        elif manifest.kind_by is not None and item.id == manifest.kind_by.field:
            first = {kind: text for text, kind in reversed(manifest.kind_by.values.items())}
            columns[item.id] = pl.col("kind").replace_strict(first, default=None)
        elif item.id == "severity":
            columns[item.id] = pl.col("severity").replace_strict(
                {"minor": "轻微", "general": "一般", "serious": "严重"}, default=None
            )
        elif item.to == "amount":
            columns[item.id] = (pl.col("amount") / (1_000_000 if item.type == "money_wan" else 100)).round(6)
        elif item.to in ("decided_on", "occurred_on", "published_on", "valid_until", "corrected_on", "quantity"):
            columns[item.id] = item.to
        elif item.id in words:
            columns[item.id] = pl.lit(words[item.id])
    return columns


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
    make_checkpoint()


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
