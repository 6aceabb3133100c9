"""What the proportionality check says in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from zhixin.law.proportionality import Reason, Refused

_REASONS: dict[Reason, Promise] = {
    "no_conduct": gettext_lazy("没有措施清单所针对的、有效的失信信息，不得实施"),
    "term_over": gettext_lazy("所针对的失信信息自认定之日起的期限已满，不得实施"),
    "not_of_the_grade": gettext_lazy("该等级不适用此项措施"),
    "not_of_the_class": gettext_lazy("该分类不适用此项措施"),
    "not_in_the_catalogue": gettext_lazy("现行措施清单没有针对失信行为规定此项措施"),
}


def reason_in_words(refused: Refused) -> str:
    """Return the reason for a refused measure without its name, for a table that has the name in another column."""
    return str(_REASONS[refused.reason])


def refusal_in_words(refused: Refused) -> str:
    """Return a sentence that a measure is refused and why, with its name if the catalogue has it."""
    title = refused.definition.title.in_language(get_language() or "zh") if refused.definition is not None else ""
    return _("%(measure)s不予适用：%(why)s") % {"measure": f"{title} " if title else "", "why": reason_in_words(refused)}
