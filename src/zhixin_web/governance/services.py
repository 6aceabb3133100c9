"""Writes of governance: drafts, what-if runs, consultations and comments, expert sheets."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from zhixin import check_file, load_cases, run_cases
from zhixin.analysis.weighting import ahp
from zhixin.errors import Fault, UsageError, WeightingRefused, ZhixinError
from zhixin.law.loading import loads_rulebook, shipped_rulebooks
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services import append_one, record_event, tracking_code
from zhixin_web.evaluations.models import RulebookRelease, Run
from zhixin_web.evaluations.rulebook_services import propose_rulebook
from zhixin_web.governance.form_services import with_effective_date
from zhixin_web.governance.models import Comment, Consultation, Draft, ExpertSheet, Panel, WhatIf
from zhixin_web.governance.weights import objective_weights
from zhixin_web.records.clocks import clock

LONGEST = 2_000_000
MOST_DISAGREEMENTS = 50
SCALE = ("1/9", "1/8", "1/7", "1/6", "1/5", "1/4", "1/3", "1/2", "1", "2", "3", "4", "5", "6", "7", "8", "9")
"""Saaty's scale: how many times the first matters as much as the second."""


def _needs(by: Any, action: str) -> None:
    if not may(by, action):
        raise PermissionDenied


# --- drafts ----------------------------------------------------------------------------------------------------------------


def check_text(text: str) -> tuple[Rulebook | None, list[dict[str, Any]]]:
    """Check the YAML of a rulebook: the rulebook if it has no errors, and every fault with its line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rulebook.yaml"
        path.write_text(text, encoding="utf-8")
        rulebook, faults = check_file(path)
    return rulebook, [_fault(item) for item in faults]


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "line": fault.line, "code": fault.code, "path": fault.path, "is_warning": fault.is_warning,
        "zh": fault.what.zh, "en": fault.what.en, "fix_zh": fault.remedy.zh, "fix_en": fault.remedy.en,
    }  # fmt: skip


def run_tests(rulebook: Rulebook, cases: str) -> dict[str, Any]:
    """Run the cases of a draft on the interpreter: how many, and every disagreement."""
    if not cases.strip():
        return {"cases": 0, "disagreements": []}
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


def open_draft(base: RulebookRelease, *, title: str, by: Any) -> Draft:
    """Begin a draft from a released rulebook, with the cases that are shipped for it.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no title.
    """
    _needs(by, "rulebooks.draft")
    if not title.strip():
        raise ValidationError({"title": "请填写名称 / give a title"})
    shipped = shipped_rulebooks() / base.rulebook_id / "cases.yaml"
    cases = shipped.read_text(encoding="utf-8") if shipped.is_file() else ""
    with transaction.atomic():
        draft = Draft.objects.create(title=title.strip()[:200], base=base, text=base.text, cases=cases, by=by, changed_by=by)
        _check(draft)
        draft.save()
        record_event("rulebooks.draft", by=by, ref=f"draft:{draft.pk}")
    return draft


def _check(draft: Draft) -> None:
    rulebook, draft.faults = check_text(draft.text)
    draft.results = run_tests(rulebook, draft.cases) if rulebook is not None else {}


def save_draft(draft: Draft, *, text: str, cases: str, revision: int, by: Any) -> Draft:
    """Keep a draft, check it and run its cases; faults do not prevent keeping it.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: somebody else changed it since it was read, it is closed, or too long.
    """
    _needs(by, "rulebooks.draft")
    if len(text) > LONGEST or len(cases) > LONGEST:
        raise ValidationError({"text": "内容超过 2 MB / the text is longer than 2 MB"})
    with transaction.atomic():
        found = Draft.objects.select_for_update().get(pk=draft.pk)
        if found.is_closed:
            raise ValidationError("草案已提交，不能再改；请另开草案 / the draft was put forward: begin another")
        if found.revision != revision:
            raise ValidationError(
                f"{found.changed_by} 已于 {timezone.localtime(found.changed_at):%H:%M} 修改过，请先查看其改动再保存"
                f" / {found.changed_by} changed it meanwhile: look at the change first"
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
        raise ValidationError("草案还有错误，请先改正 / the draft has errors: mend them first") from None


def put_forward(draft: Draft, *, by: Any, effective_from: date | None = None) -> RulebookRelease:
    """Propose a draft for release; another person approves it.

    Args:
        effective_from: the day it is to be in force from, written into the rulebook; as written in the draft by default.

    Raises:
        ValidationError: it has errors, a case fails, or this very version is there already.
    """
    if effective_from is not None:
        draft.text = with_effective_date(draft.text, effective_from)
    rulebook = rulebook_of_draft(draft)
    if run_tests(rulebook, draft.cases)["disagreements"]:
        raise ValidationError("有用例未通过，请先改正规则或用例 / a case fails: mend the rules or the case")
    with transaction.atomic():
        release = propose_rulebook(rulebook, by)
        Draft.objects.filter(pk=draft.pk).update(is_closed=True, text=draft.text)
    return release


# --- what if ---------------------------------------------------------------------------------------------------------------


def start_what_if(draft: Draft, run: Run, *, by: Any) -> WhatIf:
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


# --- consultation ----------------------------------------------------------------------------------------------------------


def open_consultation(draft: Draft, *, title: str, explanation: str, closes_on: date | None, by: Any) -> Consultation:
    """Lay a draft before the public from today on.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: names every field that is wrong.
    """
    _needs(by, "consultations.manage")
    rulebook = rulebook_of_draft(draft)
    today = timezone.localdate()
    earliest = clock("consultation.shortest", today).due_on
    faults: dict[str, str] = {}
    if not title.strip():
        faults["title"] = "请填写标题 / give a title"
    if len(explanation.strip()) < 10:
        faults["explanation"] = "请写明起草说明 / explain the draft"
    if closes_on is None or closes_on < earliest:
        faults["closes_on"] = f"截止日不早于 {earliest} / it may close on {earliest} or later"
    if faults or closes_on is None:
        raise ValidationError(faults)
    with transaction.atomic():
        made = Consultation.objects.create(
            draft=draft, title=title.strip()[:200], explanation=explanation.strip()[:5000], text=draft.text, sha256=rulebook.sha256,
            opens_on=today, closes_on=closes_on, by=by,
        )  # fmt: skip
        append_one(
            "rule.consult", f"consultation:{made.pk}", {"sha256": rulebook.sha256, "closes_on": closes_on.isoformat()}
        )
        record_event("consultations.open", by=by, ref=f"consultation:{made.pk}")
    return made


def file_comment(consultation: Consultation, *, about: str, stance: str, text: str) -> Comment:
    """Anybody's comment on an open consultation.

    Raises:
        ValidationError: it is not open, or what is wrong with a field.
    """
    about, text = about.replace("\x00", ""), text.replace("\x00", "")
    today = timezone.localdate()
    faults: dict[str, str] = {}
    if not consultation.opens_on <= today <= consultation.closes_on:
        faults["text"] = "征求意见已截止 / the consultation has closed"
    if stance not in ("support", "change", "oppose"):
        faults["stance"] = "请选择态度 / choose a position"
    if not 5 <= len(text.strip()) <= 3000:
        faults["text"] = "请用 5 至 3000 字写明意见 / write 5 to 3000 characters"
    if faults:
        raise ValidationError(faults)
    with transaction.atomic():
        comment = Comment.objects.create(
            consultation=consultation, code=tracking_code(), about=about[:80], stance=stance, text=text.strip()
        )
        record_event("consultations.comment", ref=f"comment:{comment.pk}")
    return comment


def reply_comment(comment: Comment, *, reply: str, is_adopted: bool, by: Any) -> Comment:
    """Answer a comment in public, saying whether it is adopted.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no answer, or answered already.
    """
    _needs(by, "consultations.manage")
    if len(reply.strip()) < 5:
        raise ValidationError({"reply": "请写明答复和理由 / give an answer and why"})
    with transaction.atomic():
        found = Comment.objects.select_for_update().get(pk=comment.pk)
        if found.replied_by_id is not None:
            raise ValidationError("该意见已答复 / the comment was answered already")
        found.reply, found.is_adopted, found.replied_by, found.replied_at = (
            reply.strip()[:3000],
            is_adopted,
            by,
            timezone.now(),
        )
        found.save()
        record_event("consultations.reply", by=by, ref=f"comment:{found.pk}", adopted=is_adopted)
    return found


def publish_summary(consultation: Consultation, *, summary: str, by: Any) -> Consultation:
    """Publish what came of a consultation, once it has closed and every comment has its answer.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: still open, comments without an answer, or nothing written.
    """
    _needs(by, "consultations.manage")
    if consultation.closes_on >= timezone.localdate():
        raise ValidationError(
            f"征求意见到 {consultation.closes_on} 截止，之后才能公布情况 / it is open until {consultation.closes_on}"
        )
    waiting = consultation.comments.filter(replied_by=None).count()
    if waiting:
        raise ValidationError(f"还有 {waiting} 条意见未答复 / {waiting} comments have no answer yet")
    if len(summary.strip()) < 10:
        raise ValidationError({"summary": "请写明采纳情况 / write what came of it"})
    with transaction.atomic():
        consultation.summary, consultation.summary_at = summary.strip()[:10_000], timezone.now()
        consultation.save(update_fields=["summary", "summary_at"])
        record_event("consultations.summary", by=by, ref=f"consultation:{consultation.pk}")
    return consultation


# --- expert weights --------------------------------------------------------------------------------------------------------


def open_panel(draft: Draft, run: Run, *, title: str, share_milli: int, by: Any) -> Panel:
    """Ask experts to weigh the dimensions of a draft; data-driven weights come from a released run.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no title, too few dimensions, or a share outside 0 … 1000.
    """
    _needs(by, "rulebooks.draft")
    rulebook = rulebook_of_draft(draft)
    names = [item.id for item in rulebook.dimensions]
    if not title.strip() or len(names) < 2 or not 0 <= share_milli <= 1000:
        raise ValidationError(
            "请填写名称；规则须有至少两个维度；专家份额在 0 至 100% / title, two dimensions, a share of 0 to 100%"
        )
    with transaction.atomic():
        panel = Panel.objects.create(
            draft=draft,
            title=title.strip()[:200],
            names=names,
            share_milli=share_milli,
            objective=objective_weights(rulebook, run),
            by=by,
        )
        record_event("rulebooks.panel", by=by, ref=f"panel:{panel.pk}")
    return panel


def save_sheet(panel: Panel, *, expert: str, judgements: list[str], by: Any) -> ExpertSheet:
    """Keep one expert's judgements with their weights, or with why they contradict each other.

    Args:
        judgements: the upper triangle row by row, each of :data:`SCALE`.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no name, or a judgement is missing or outside the scale.
    """
    _needs(by, "rulebooks.draft")
    size = len(panel.names)
    if not expert.strip():
        raise ValidationError({"expert": "请填写专家代号 / name the expert"})
    if len(judgements) != size * (size - 1) // 2 or any(item not in SCALE for item in judgements):
        raise ValidationError({"judgements": "每一对都要判断，取值 1/9 至 9 / judge every pair on the scale 1/9 to 9"})
    matrix = _matrix(judgements, size)
    sheet = {"judgements": judgements, "weights": [], "ratio_milli": None, "is_consistent": False, "remark": "", "by": by}
    try:
        weights = ahp(panel.names, matrix)
        sheet |= {
            "weights": list(weights.values),
            "ratio_milli": round(1000 * (weights.consistency_ratio or 0)),
            "is_consistent": True,
        }
    except WeightingRefused as error:
        sheet["remark"] = f"{error.message.zh}\n{error.message.en}"
    with transaction.atomic():
        made, _ = ExpertSheet.objects.update_or_create(panel=panel, expert=expert.strip()[:40], defaults=sheet)
        record_event("rulebooks.sheet", by=by, ref=f"panel:{panel.pk}", expert=made.expert, consistent=made.is_consistent)
    return made


def _matrix(judgements: list[str], size: int) -> list[list[float]]:
    """The whole reciprocal matrix of an upper triangle."""
    matrix = [[1.0] * size for _ in range(size)]
    pairs = [(one, other) for one in range(size) for other in range(one + 1, size)]
    for (one, other), text in zip(pairs, judgements, strict=True):
        top, _, bottom = text.partition("/")
        value = int(top) / int(bottom or 1)
        matrix[one][other], matrix[other][one] = value, 1 / value
    return matrix
