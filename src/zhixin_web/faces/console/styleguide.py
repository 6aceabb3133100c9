"""The living style guide: every token and component as the pages use them."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zhixin_web.accounts.permissions import SIGNED_IN, StaffRequest, permitted
from zhixin_web.evaluations.models import HELD
from zhixin_web.presentation.charts import histogram, strip, timeline, waterfall
from zhixin_web.rulebooks.law_in_force import law_in_force

TOKENS = ("ink", "muted", "line", "paper", "ground", "primary", "good", "info", "warn", "bad")


@permitted(SIGNED_IN)
@require_GET
def styleguide(request: StaffRequest) -> HttpResponse:
    """Tokens, type, grades, forms, tables, states, charts, keys."""
    steps = [(_("起始分"), 80_000, "start"), (_("示例"), 3_500, "start"), (_("示例"), -6_000, "start")]
    spans = [
        (_("示例"), date(2025, 3, 1), date(2026, 3, 1), "general", ""),
        (_("示例"), date(2026, 1, 1), date(2027, 6, 1), "serious", ""),
    ]
    content = {
        "tokens": TOKENS, "letters": (*(item.id for item in law_in_force().ladder), "", HELD), "waterfall": waterfall(steps, 77_500, _("得分"), [(75_000, "B"), (90_000, "A")]),
        "timeline": timeline(spans, date(2025, 1, 1), date(2028, 1, 1), date(2026, 11, 1)),
        "histogram": histogram([(60, 4), (65, 9), (70, 20), (75, 60), (80, 90), (85, 22), (90, 3)], 5, [(60, "C"), (75, "B"), (90, "A")]),
        "strip": strip([70_000, 74_000, 78_000, 81_000, 83_000, 86_000], 80_000),
    }  # fmt: skip
    return render(request, "styleguide.html", content)
