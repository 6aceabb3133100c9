"""The inspection item list (随机抽查事项清单) and the codes of methods, results and disposals."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from zhixin.reference.entries import Entry, Words

HERE = files("zhixin.reference")


class Ground(Entry):
    """A legal basis; ``verified``: a person compared it with the text."""

    document: str
    article: str
    verified: bool


class InspectionItem(Entry):
    """One item: whom, on what basis, how, as a general or key item, with its checklist."""

    code: str
    title: Words
    object: Words
    basis: tuple[Ground, ...]
    kind: Literal["general", "key"]
    authority_level: Words
    methods: tuple[str, ...]
    checklist: tuple[Words, ...]


class Limit(Entry):
    """A legal number of inspections, in force from a day until the next entry of its code."""

    code: str
    from_: date = Field(alias="from")
    value: int
    basis: tuple[Ground, ...]


class ItemList(Entry):
    """A version of the list, with the legal numbers that bind every inspection."""

    version: str
    limits: tuple[Limit, ...]
    items: tuple[InspectionItem, ...]

    def limit(self, code: str, day: date) -> Limit:
        """The number in force on a day; the earliest one before it."""
        entries = sorted((item for item in self.limits if item.code == code), key=lambda item: item.from_)
        return next((item for item in reversed(entries) if item.from_ <= day), entries[0])


@cache
def inspection_items() -> ItemList:
    """Return the list in force."""
    return ItemList.model_validate(yaml.safe_load((HERE / "inspection_items.yaml").read_text(encoding="utf-8")))


METHODS = {
    "on_site": Words(zh="实地核查", en="on site"),
    "documents": Words(zh="书面检查", en="documents"),
    "online": Words(zh="网络监测", en="online"),
    "testing": Words(zh="检验检测", en="testing"),
    "other_results": Words(zh="利用其他部门检查结果或专业意见", en="results of other authorities"),
    "agency": Words(zh="委托专业机构辅助", en="with a professional body"),
}
RESULTS = {
    "clean": Words(zh="未发现问题", en="no problem found"),
    "corrected": Words(zh="发现问题已责令改正", en="problem found, correction ordered"),
    "pending": Words(zh="发现问题待后续处理", en="problem found, to be handled"),
    "refused": Words(zh="不配合检查情节严重", en="serious refusal to cooperate"),
    "no_activity": Words(zh="未发现开展本次抽查涉及的经营活动", en="no activity of this kind found"),
    "closed": Words(zh="已关闭停业或正在组织清算", en="closed or in liquidation"),
    "unreachable": Words(zh="通过登记的住所（经营场所）无法联系", en="not reachable at its registered place"),
}
RECORDED = frozenset({"clean", "corrected", "pending", "refused"})
"""Results that become credit records of the source ``inspections``; its code list has their Chinese words."""
DISPOSALS = {
    "none": Words(zh="无需后续处置", en="nothing further"),
    "daily": Words(zh="停止检查，反馈日常监管", en="back to daily supervision"),
    "order": Words(zh="责令改正并跟踪", en="correction ordered and followed"),
    "case": Words(zh="案件线索移送办案机构", en="transferred as a case"),
    "other_department": Words(zh="抄告其他部门", en="told another department"),
    "other": Words(zh="其他", en="other"),
}
