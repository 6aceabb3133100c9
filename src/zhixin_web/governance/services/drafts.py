"""Writes of drafts of rulebooks: begin, change, take a case over, put forward; start what-if runs."""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections import OrderedDict
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin import check_file, load_cases, run_cases
from zhixin.errors import Fault, UsageError, ZhixinError
from zhixin.law.loading import loads_rulebook, shipped_rulebooks
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.evaluations.models import Run
from zhixin_web.governance.forms import with_effective_date
from zhixin_web.governance.models import Draft, WhatIf
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import propose_rulebook

LONGEST = 2_000_000
MOST_DISAGREEMENTS = 50
REMEMBERED = 32
"""Texts, and rulebooks with their cases, whose check is remembered."""
SCALE = ("1/9", "1/8", "1/7", "1/6", "1/5", "1/4", "1/3", "1/2", "1", "2", "3", "4", "5", "6", "7", "8", "9")
"""Saaty's scale: how many times the first matters as much as the second."""


def _needs(by: User, action: str) -> None:
    if not may(by, action):
        raise PermissionDenied


def check_text(text: str) -> tuple[Rulebook | None, list[dict[str, Any]]]:
    """Check the YAML of a rulebook: the rulebook if it has no errors, and every fault with its line."""
    rulebook, faults = _checked(text)
    return rulebook, [_fault(item) for item in faults]


@lru_cache(REMEMBERED)
def _checked(text: str) -> tuple[Rulebook | None, tuple[Fault, ...]]:
    """Check a text once: a draft is opened, shown and saved again with the same one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rulebook.yaml"
        path.write_text(text, encoding="utf-8")
        rulebook, faults = check_file(path)
    return rulebook, tuple(faults)


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "line": fault.line, "code": fault.code, "path": fault.path, "is_warning": fault.is_warning,
        "zh": fault.what.zh, "en": fault.what.en, "fix_zh": fault.remedy.zh, "fix_en": fault.remedy.en,
    }  # fmt: skip


_results: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()


def run_tests(rulebook: Rulebook, cases: str) -> dict[str, Any]:
    """Run the cases of a draft on the interpreter: how many, and every disagreement.

    The same rulebook and the same cases give the same answer, which is remembered: 488 cases take a second and a half.
    """
    if not cases.strip():
        return {"cases": 0, "disagreements": []}
    key = (rulebook.sha256, hashlib.sha256(cases.encode()).hexdigest())
    if key not in _results:
        _results[key] = _run_tests(rulebook, cases)
        while len(_results) > REMEMBERED:
            _results.popitem(last=False)
    return copy.deepcopy(_results[key])


def _run_tests(rulebook: Rulebook, cases: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.yaml"
        path.write_text(cases, encoding="utf-8")
        try:
            report = run_cases(rulebook, load_cases(path), {"interpreter": None})
        except UsageError as error:
            words = {
                "zh": error.message.zh.replace(str(path), "cases.yaml"),
                "en": error.message.en.replace(str(path), "cases.yaml"),
            }
            return {"cases": 0, "disagreements": [{"case": "cases.yaml", **words}]}
    found = [{"case": item.case, "zh": item.what.zh, "en": item.what.en} for item in report.disagreements]
    return {"cases": report.cases, "disagreements": found[:MOST_DISAGREEMENTS]}


def open_draft(base: RulebookRelease, *, title: str, by: User) -> Draft:
    """Begin a draft from a released rulebook, with the cases that are shipped for it.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no title.
    """
    _needs(by, "rulebooks.draft")
    if not title.strip():
        raise ValidationError({"title": _("请填写名称")})
    shipped = shipped_rulebooks() / base.rulebook_id / "cases.yaml"
    cases = shipped.read_text(encoding="utf-8") if shipped.is_file() else ""
    draft = Draft(title=title.strip()[:200], base=base, text=base.text, cases=cases, by=by, changed_by=by)
    _check(draft)  # before the transaction: nobody else waits for the cases
    with transaction.atomic():
        draft.save()
        record_event("rulebooks.draft", by=by, ref=f"draft:{draft.pk}")
    return draft


def _check(draft: Draft) -> None:
    rulebook, draft.faults = check_text(draft.text)
    draft.results = run_tests(rulebook, draft.cases) if rulebook is not None else {}


def save_draft(draft: Draft, *, text: str, cases: str, revision: int, by: User) -> Draft:
    """Keep a draft, check it and run its cases; faults do not prevent keeping it.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: somebody else changed it since it was read, it is closed, or too long.
    """
    _needs(by, "rulebooks.draft")
    if len(text) > LONGEST or len(cases) > LONGEST:
        raise ValidationError({"text": _("内容超过 2 MB")})
    with transaction.atomic():
        found = Draft.objects.select_for_update().get(pk=draft.pk)
        if found.is_closed:
            raise ValidationError(_("草案已提交，不能再改；请另开草案"))
        if found.revision != revision:
            raise ValidationError(
                _("%(found_changed_by)s 已于 %(ime_found_changed_at)s 修改过，请先查看其改动再保存")
                % {
                    "found_changed_by": found.changed_by,
                    "ime_found_changed_at": f"{timezone.localtime(found.changed_at):%H:%M}",
                }
            )
        found.text, found.cases = text.replace("\r\n", "\n"), cases.replace("\r\n", "\n")
        _check(found)
        found.revision, found.changed_by = revision + 1, by
        found.save()
        record_event("rulebooks.draft_saved", by=by, ref=f"draft:{found.pk}", revision=found.revision)
    return found


def rulebook_of_draft(draft: Draft) -> Rulebook:
    """The rulebook a draft makes.

    Raises:
        ValidationError: it has errors.
    """
    try:
        return loads_rulebook(draft.text, f"draft-{draft.pk}.yaml")
    except ZhixinError:
        raise ValidationError(_("草案还有错误，请先改正")) from None


def put_forward(draft: Draft, *, by: User, effective_from: date | None = None) -> RulebookRelease:
    """Propose a draft for release; another person approves it.

    Args:
        effective_from: the day it is to be in force from, written into the rulebook.

    Raises:
        ValidationError: no day or one in the past; a consultation on it is open or has comments without an answer; it has
            errors, a case fails, or this very version is there already.
    """
    if effective_from is None:
        raise ValidationError(_("请填写施行日期"))
    if effective_from < timezone.localdate():
        raise ValidationError(_("施行日期不能早于今天"))
    _consulted(draft)
    draft.text = with_effective_date(draft.text, effective_from)
    rulebook = rulebook_of_draft(draft)
    if run_tests(rulebook, draft.cases)["disagreements"]:
        raise ValidationError(_("有用例未通过，请先改正规则或用例"))
    with transaction.atomic():
        release = propose_rulebook(rulebook, by)
        Draft.objects.filter(pk=draft.pk).update(is_closed=True, text=draft.text)
    return release


def _consulted(draft: Draft) -> None:
    """A consultation binds: it has closed and every comment has its answer.

    Raises:
        ValidationError: until when it is open, or how many comments wait.
    """
    for consultation in draft.consultations.all():
        if consultation.closes_on >= timezone.localdate():
            raise ValidationError(_("征求意见到 %(day)s 截止，之后才能提请审批") % {"day": consultation.closes_on})
        waiting = consultation.comments.filter(replied_by=None).count()
        if waiting:
            raise ValidationError(_("还有 %(waiting)s 条意见未答复") % {"waiting": waiting})


def start_what_if(draft: Draft, run: Run, *, by: User) -> WhatIf:
    """Queue a what-if of a draft on the facts of a released run; the same question again gives the same answer back.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: the draft has errors.
    """
    _needs(by, "rulebooks.draft")
    sha256 = rulebook_of_draft(draft).sha256
    found = WhatIf.objects.filter(draft=draft, run=run, sha256=sha256).exclude(status=WhatIf.Status.FAILED).first()
    if found is not None:
        return found
    with transaction.atomic():
        record_event("rulebooks.what_if", by=by, ref=f"draft:{draft.pk}", run=run.pk)
        return WhatIf.objects.create(draft=draft, run=run, sha256=sha256, by=by)
