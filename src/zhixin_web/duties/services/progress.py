"""Progress on an item: units report and claim with a proof, the office confirms, returns, or takes a confirmation back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import Role, User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one, lock_ledger
from zhixin_web.duties.items import Duty
from zhixin_web.duties.models import ProgressEntry
from zhixin_web.duties.queries import duty
from zhixin_web.received import store
from zhixin_web.received.words import cleaned, fault_of, file_name, printable

FOLDER = "proofs"
MOST_BYTES = 10 * 1024 * 1024
MOST_CHARACTERS = 2000
MOST_OF_A_LINK = 300
Kind = ProgressEntry.Kind
Upload = tuple[str, Iterable[bytes]]
"""Name and content of a file."""


def may_report(user: User, item: Duty) -> bool:
    """Whether an account may report on an item: its unit leads or helps."""
    return may(user, "duties.report") and user.unit_code in (item.lead, *item.helped_by)


def may_claim(user: User, item: Duty) -> bool:
    """Whether an account may claim that an item is done: its unit leads."""
    return may(user, "duties.report") and user.unit_code == item.lead


def may_answer(user: User, item: Duty) -> bool:
    """Whether an account may confirm or return the claim of an item: never one's own, and of one's own unit only as an approver.

    One's own is what one's unit claims, and what it leads now.
    """
    claim = item.progress.claim
    if claim is None or not may(user, "duties.confirm") or user.pk == claim.by_id:
        return False
    is_own = user.organisation_id == claim.unit_id or user.unit_code == item.lead
    return not is_own or user.role == Role.APPROVER


def report(
    key: str, *, by: User, text: str, link: str = "", upload: Upload | None = None, is_claim: bool = False
) -> ProgressEntry:
    """Say how an item goes on, or claim that it is done and show the proof.

    The same words twice in a row are kept once, so that a form sent twice does no harm.

    Args:
        key: of the item.
        by: of a unit that leads or helps; only the lead may claim.
        text: what was done.
        link: where the proof stands, on this site or on the web.
        upload: a file as proof.
        is_claim: whether the item is said to be done.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: by field, what is missing or no longer possible, with the remedy.
    """
    words, address = _words(text), _address(link)
    received = store.receive(FOLDER, upload[1], most_bytes=MOST_BYTES) if upload is not None else None
    with transaction.atomic():
        lock_ledger()
        item = _item(key)
        if not (may_claim(by, item) if is_claim else may_report(by, item)):
            raise PermissionDenied
        values: dict[str, Any] = {
            "item": key, "kind": Kind.CLAIM if is_claim else Kind.NEWS, "unit": by.organisation, "text": words, "link": address, "by": by,
            "sha256": received.sha256 if received else "", "on": timezone.localdate(),
        }  # fmt: skip
        last = item.progress.entries[-1] if item.progress.entries else None
        if last is not None and all(getattr(last, name) == value for name, value in values.items()):
            return last
        _refuse(item, is_claim=is_claim, has_proof=bool(address or received))
        if received is not None and upload is not None:
            values |= {"file_name": file_name(upload[0]), "file_kind": received.kind, "file_size": received.size}
        return _added(item, values)


def answer(claim: ProgressEntry, *, kind: str, by: User, text: str) -> ProgressEntry:
    """Confirm a claim, return it, or take back the confirmation of it; never alone, and not of one's own unit as an officer.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: it was answered meanwhile, or a return has no reason.
    """
    if kind not in (Kind.CONFIRM, Kind.RETURN, Kind.REOPEN):
        raise ValidationError({"kind": _("请选择确认或退回")})
    if not may(by, "duties.decide" if kind == Kind.REOPEN else "duties.confirm"):
        raise PermissionDenied
    words = _words(text, needed=kind != Kind.CONFIRM)
    with transaction.atomic():
        lock_ledger()
        item = _item(claim.item)
        if kind == Kind.REOPEN:
            open_, about = item.progress.done, item.progress.confirmed
            allowed = by.pk not in (claim.by_id, about.by_id if about is not None else None)
        else:
            open_ = about = item.progress.claim
            allowed = may_answer(by, item)
        if open_ is None or open_.pk != claim.pk:
            raise ValidationError(_("该申报已由他人办理或已有变化；请刷新页面"))
        if not allowed:
            raise PermissionDenied
        if kind == Kind.CONFIRM and claim.task != item.task:
            raise ValidationError(_("申报之后方案改变了任务的名称或者完成标志；请退回，按新的要求申报"))
        if kind == Kind.CONFIRM and item.waiting_milestones:
            raise ValidationError(_("还有节点没有确认完成"))
        values = {
            "item": claim.item, "kind": kind, "about": about, "unit": by.organisation, "text": words, "by": by, "on": timezone.localdate(),
        }  # fmt: skip
        return _added(item, values)


def _item(key: str) -> Duty:
    found = duty(key)
    if found is None or found.dropped_from:
        raise ValidationError(_("现行方案中没有这项任务；请回到责任与进度页面查看"))
    return found


def _refuse(item: Duty, *, is_claim: bool, has_proof: bool) -> None:
    if item.is_finished:
        raise ValidationError(_("该项已确认完成；如需更正，请由审批人撤销确认"))
    if is_claim and item.progress.claim is not None:
        raise ValidationError(_("已经申报完成，正在等待确认"))
    if is_claim and item.waiting_milestones:
        names = "、".join(step.title.in_language(get_language() or "zh") for step in item.waiting_milestones)
        raise ValidationError(_("下列节点确认完成之后才能申报：%(names)s") % {"names": names})
    if is_claim and not has_proof:
        raise ValidationError({"proof": _("申报完成须附佐证：上传文件，或者填写佐证所在的网址")})


def _added(item: Duty, values: dict[str, Any]) -> ProgressEntry:
    """Write an entry with its line in the ledger."""
    made = ProgressEntry(due_on=item.due_on, task=item.task, **values)
    body = {
        "item": made.item, "kind": str(made.kind), "unit": made.unit.code, "by": made.by_id, "on": made.on.isoformat(),
        "due_on": made.due_on.isoformat(), "text": made.text, "link": made.link, "sha256": made.sha256, "task": made.task,
    }  # fmt: skip
    made.ledger_seq = append_one(f"duty.{made.kind}", f"duty:{made.item}", body)
    made.save()
    record_event(f"duties.{made.kind}", by=made.by, ref=f"duty:{made.item}")
    return made


def _words(text: str, *, needed: bool = True) -> str:
    words = cleaned(text)
    fault = fault_of(words, MOST_CHARACTERS, _("请填写") if needed else "")
    if fault:
        raise ValidationError({"text": fault})
    return words


def _address(link: str) -> str:
    """Return the address of a proof.

    Raises:
        ValidationError: it is no page of this site and none of the public administration.
    """
    wanted = printable(link).strip()
    if wanted and not (len(wanted) <= MOST_OF_A_LINK and (_is_page(wanted) or _is_official(wanted))):
        raise ValidationError(
            {"link": _("请填写本站页面的地址（以 / 开头）或者政府网站（.gov.cn）的网址，不超过 300 字；其他材料请上传文件")}
        )
    return wanted


def _is_page(wanted: str) -> bool:
    """Whether an address leads to a page that this site has."""
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or ".." in wanted:
        return False
    try:
        resolve(urlsplit(wanted).path)
    except (Resolver404, ValueError):
        return False
    return True


def _is_official(wanted: str) -> bool:
    """Whether an address is one of a public administration, and of nobody who only writes it that way."""
    try:
        URLValidator(schemes=["http", "https"])(wanted)
        found = urlsplit(wanted)
    except (ValidationError, ValueError):
        return False
    host = (found.hostname or "").rstrip(".")
    return found.username is None and (host == "gov.cn" or host.endswith(".gov.cn"))


def content_of(entry: ProgressEntry) -> bytes | None:
    """Return the file of an entry, if it is still what was kept."""
    return store.content_of(FOLDER, entry.sha256)
