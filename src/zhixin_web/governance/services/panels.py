"""Expert weights: panels and their sheets of pairwise judgements."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin.analysis.weighting import ahp
from zhixin.errors import WeightingRefused
from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.evaluations.models import Run
from zhixin_web.governance.models import Draft, ExpertSheet, Panel
from zhixin_web.governance.services.drafts import SCALE, _needs, rulebook_of_draft
from zhixin_web.governance.weights import objective_weights


def open_panel(draft: Draft, run: Run, *, title: str, share_milli: int, by: User) -> Panel:
    """Ask experts to weigh the dimensions of a draft; data-driven weights come from a released run.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: no title, too few dimensions, or a share outside 0 … 1000.
    """
    _needs(by, "rulebooks.draft")
    rulebook = rulebook_of_draft(draft)
    names = [item.id for item in rulebook.dimensions]
    if not title.strip() or len(names) < 2 or not 0 <= share_milli <= 1000:
        raise ValidationError(_("请填写名称；规则须有至少两个维度；专家份额在 0 至 100%"))
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


def save_sheet(panel: Panel, *, expert: str, judgements: list[str], by: User) -> ExpertSheet:
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
        raise ValidationError({"expert": _("请填写专家代号")})
    if len(judgements) != size * (size - 1) // 2 or any(item not in SCALE for item in judgements):
        raise ValidationError({"judgements": _("每一对都要判断，取值 1/9 至 9")})
    matrix = _matrix(judgements, size)
    sheet: dict[str, Any] = {
        "judgements": judgements,
        "weights": [],
        "ratio_milli": None,
        "is_consistent": False,
        "remark": "",
        "by": by,
    }
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
        made, _is_new = ExpertSheet.objects.update_or_create(panel=panel, expert=expert.strip()[:40], defaults=sheet)
        record_event("rulebooks.sheet", by=by, ref=f"panel:{panel.pk}", expert=made.expert, consistent=made.is_consistent)
    return made


def _matrix(judgements: list[str], size: int) -> list[list[float]]:
    """The whole reciprocal matrix of an upper triangle."""
    matrix = [[1.0] * size for _row in range(size)]
    pairs = [(one, other) for one in range(size) for other in range(one + 1, size)]
    for (one, other), text in zip(pairs, judgements, strict=True):
        top, _slash, bottom = text.partition("/")
        value = int(top) / int(bottom or 1)
        matrix[one][other], matrix[other][one] = value, 1 / value
    return matrix
